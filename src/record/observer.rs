//! Who watches a line: every byte, every change of its settings, as it happens.

use std::time::{Duration, Instant};

use crate::machine::Progress;
use crate::protocol::settings::Settings;

/// Is told what happens on a line. All methods do nothing by default.
pub trait Observer {
    /// The line was set.
    fn configured(&mut self, _settings: Settings, _now: Instant) {}
    /// Bytes were written: 7-bit characters at 7E1.
    fn transmitted(&mut self, _bytes: &[u8], _now: Instant) {}
    /// Bytes were read.
    fn received(&mut self, _bytes: &[u8], _now: Instant) {}
    /// A BREAK of this length was begun.
    fn broke(&mut self, _length: Duration, _now: Instant) {}
    /// The machine is about to wait.
    fn waiting(&mut self, _progress: &Progress, _now: Instant) {}
    /// How often [`Self::waiting`] is to be called at least.
    fn interval(&self) -> Option<Duration> {
        None
    }
}
