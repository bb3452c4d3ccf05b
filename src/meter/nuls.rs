//! The NULs that wake a battery meter (IEC 62056-21, Annex B): one long run and silence, or bursts.

use std::time::{Duration, Instant};

use crate::protocol::timing;

/// A run of NULs has ended when none has come for this long.
const NUL_PAUSE: Duration = Duration::from_millis(40);

/// The silence of a wake-up may be 100 ms shorter than ours.
const READER_SLACK: Duration = Duration::from_millis(100);

/// The NULs of a wake-up.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Nuls {
    run: usize,
    last: Option<Instant>,
    bursts: u32,
    awake: bool,
}

impl Nuls {
    pub(super) fn receive(&mut self, byte: u8, now: Instant) {
        if byte == 0 {
            self.run += 1;
            self.last = Some(now);
        } else if self.run < timing::WAKE_UP_NULS - 2 {
            self.run = 0;
        }
    }

    /// When a run that has the length of a burst counts as ended.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let burst = timing::FAST_WAKE_UP_NULS - 2..=timing::FAST_WAKE_UP_NULS + 2;
        self.last.filter(|_| burst.contains(&self.run) && !self.awake).map(|last| last + NUL_PAUSE)
    }

    /// Counts a burst; whether the meter is awake now.
    pub(super) fn end_burst(&mut self) -> bool {
        self.run = 0;
        self.bursts += 1;
        self.awake = self.bursts >= 2;
        self.awake
    }

    /// Whether a request at `now` finds the meter awake.
    pub(super) fn woke(&self, now: Instant) -> bool {
        let silence = self.last.map_or(Duration::ZERO, |last| now - last);
        self.awake
            || (self.run >= timing::WAKE_UP_NULS - 2 && silence >= timing::WAKE_UP_SILENCE - READER_SLACK)
    }
}
