//! Whether this computer keeps the times that the sign-on asks for: the clock against what was asked for.
//!
//! A computer that is stopped (by a signal, a sleep, a starved virtual machine) finds bytes that have come at some time
//! since it was last here, and meters that have given up on it. Neither is the meter's fault.

use std::time::{Duration, Instant};

use crate::protocol::timing;

/// When the driver was here, and when it should have been.
#[derive(Debug)]
pub(super) struct Punctuality {
    here: Instant,
    asked: Option<Instant>,
    overslept: Option<Duration>,
}

impl Punctuality {
    pub(super) fn new(now: Instant) -> Self {
        Self { here: now, asked: None, overslept: None }
    }

    /// The driver is here; when it was here before that.
    pub(super) fn look(&mut self, now: Instant) -> Instant {
        let late = self.asked.take().map_or(Duration::ZERO, |asked| now.saturating_duration_since(asked));
        if late > timing::OVERSLEPT {
            self.overslept(late);
        }
        let before = self.here.min(now);
        self.here = self.here.max(now);
        before
    }

    /// Asks the driver to be here at this instant, or sooner, since it is to be noticed if it is not.
    pub(super) fn ask(&mut self, until: Instant, now: Instant) -> Instant {
        let until = until.min(now + timing::TICK);
        self.asked = Some(until);
        until
    }

    /// Something was late by this much.
    pub(super) fn overslept(&mut self, by: Duration) {
        self.overslept = Some(self.overslept.map_or(by, |other| other.max(by)));
    }

    /// The longest lateness, if there was one that matters.
    pub(super) fn worst(&self) -> Option<Duration> {
        self.overslept
    }

    /// Another attempt begins.
    pub(super) fn forget(&mut self) {
        self.overslept = None;
    }
}
