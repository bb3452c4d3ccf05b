//! When what was written to a line will have left it.

use std::time::Instant;

use crate::protocol::settings::Settings;

/// Counts the time on the wire of everything that is written. Several drivers report an empty transmitter with hundreds
/// of characters unsent (ch341, pl2303, cdc_acm), so asking them is not enough.
#[derive(Clone, Copy, Debug, Default)]
pub struct Transmitter {
    leaves: Option<Instant>,
}

impl Transmitter {
    /// That many characters were written at this instant: they leave behind those that are still under way.
    pub fn wrote(&mut self, characters: usize, settings: Settings, now: Instant) {
        let begins = self.leaves.map_or(now, |leaves| leaves.max(now));
        // Beyond what a clock can say, nobody waits for the end.
        self.leaves = begins.checked_add(settings.wire_time(characters));
    }

    /// When the last bit of everything written leaves; `None` before anything was.
    pub fn leaves(&self) -> Option<Instant> {
        self.leaves
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn characters_leave_one_behind_the_other() {
        const MS: Duration = Duration::from_millis(1);
        let began = Instant::now();
        // When was written, how many characters at 1000 characters a second, when the last of all has left.
        let table: [&[(u32, usize, u32)]; 4] = [
            &[(0, 9, 9)],
            &[(0, 9, 9), (5, 10, 19)],
            &[(0, 9, 9), (50, 10, 60)],
            &[(0, 700, 700), (1, 0, 700), (2, 1, 701), (800, 1, 801)],
        ];
        for writes in table {
            let mut transmitter = Transmitter::default();
            assert_eq!(transmitter.leaves(), None);
            for &(at, characters, leaves) in writes {
                transmitter.wrote(characters, Settings::eight_none(10_000), began + at * MS);
                assert_eq!(transmitter.leaves(), Some(began + leaves * MS), "{writes:?}");
            }
        }
    }
}
