//! What happened on a line, in its order: the one form in which traces, timelines and replays pass it on.

pub mod observer;
pub mod timeline;
pub mod trace;

use std::time::Duration;

use crate::protocol::settings::Settings;

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
