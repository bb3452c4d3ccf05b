//! What a sign-on asks of its driver, and what it tells people who watch.

use std::time::{Duration, Instant};

use crate::protocol::settings::Settings;
use crate::signon::outcome::{Failed, SignedOn};

/// What the driver is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Set the line; with `drain`, only when what was written has left it.
    Configure {
        /// Rate and framing.
        settings: Settings,
        /// Whether characters may still be on their way out.
        drain: bool,
    },
    /// From the next [`Action::Configure`] on, compute parity in software where the driver was to do it: hardware
    /// parity has brought nothing usable.
    DistrustHardwareParity,
    /// Send these 7-bit characters (8-bit bytes where the framing is 8N1).
    Transmit(Vec<u8>),
    /// Hold the line at break for this long.
    Break(Duration),
    /// Wait until this instant, or until something is received.
    Wait(Instant),
    /// The sign-on is over.
    Done(Box<Result<SignedOn, Failed>>),
}

/// What a sign-on is busy with, for people who watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Warming up, waking or freeing the meter, keeping silence before a request.
    Preparing,
    /// Waiting for the identification.
    Identification,
    /// Waiting for the answer to the acknowledgement.
    Confirmation,
}
