//! What happened on a line, in its order: the one form in which traces, timelines and replays pass it on.

use std::time::{Duration, Instant};

use crate::observer::Observer;
use crate::settings::Settings;

/// Something that happened on a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Rate and framing were set.
    Configured(Settings),
    /// These bytes were handed over: 7-bit characters at 7E1.
    Sent(Vec<u8>),
    /// These bytes were received.
    Received(Vec<u8>),
    /// A BREAK of this length was begun.
    Broke(Duration),
}

/// An event and its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Since the record began.
    pub at: Duration,
    /// What happened.
    pub event: Event,
}

/// An observer that keeps everything. It grows with every byte: not for a pipe that stays open.
#[derive(Debug)]
pub struct Recorder {
    began: Instant,
    entries: Vec<Entry>,
}

impl Recorder {
    /// A record that begins at `now`.
    pub fn new(now: Instant) -> Self {
        Self { began: now, entries: Vec::new() }
    }

    /// What has happened so far.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn keep(&mut self, event: Event, now: Instant) {
        self.entries.push(Entry { at: now.saturating_duration_since(self.began), event });
    }
}

impl Observer for Recorder {
    fn configured(&mut self, settings: Settings, now: Instant) {
        self.keep(Event::Configured(settings), now);
    }

    fn transmitted(&mut self, bytes: &[u8], now: Instant) {
        self.keep(Event::Sent(bytes.to_vec()), now);
    }

    fn received(&mut self, bytes: &[u8], now: Instant) {
        self.keep(Event::Received(bytes.to_vec()), now);
    }

    fn broke(&mut self, length: Duration, now: Instant) {
        self.keep(Event::Broke(length), now);
    }
}
