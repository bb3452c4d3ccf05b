//! What stands at the other end of a [`crate::meter::wire::Wire`]: something that takes characters and puts characters with
//! their instants into an outbox.

use std::time::{Duration, Instant};

use crate::meter::Emission;
use crate::meter::behaviour::Echo;

/// The far end of a line, with its head and the reader's adapter.
pub trait Responder {
    /// The rate in Bd at which it receives characters that are sent at `sent`.
    fn rate(&self, sent: u32) -> u32;

    /// Takes a character that it has received by `now`, as its own rate made it appear; `sent` is the sender's rate.
    fn receive(&mut self, byte: u8, sent: u32, now: Instant);

    /// The instant of the next character in the outbox.
    fn next_emission(&self) -> Option<Instant>;

    /// Takes the next character out of the outbox.
    fn emit(&mut self) -> Option<Emission>;

    /// The rate in Bd of its own side: that of the next character in the outbox, else that at which it listens.
    fn own_rate(&self) -> u32;

    /// When [`Self::poll`] has to be called next.
    fn deadline(&self) -> Option<Instant> {
        None
    }

    /// Whether a reader has signed on and not left, so that it would find the session again after opening the port anew.
    fn is_in_session(&self) -> bool {
        false
    }

    /// Lets time pass until `now`.
    fn poll(&mut self, _now: Instant) {}

    /// The line is held at break.
    fn line_break(&mut self, _now: Instant) {}

    /// The levels of DTR and RTS at which the head has power, if it has not always.
    fn powered_by(&self) -> Option<(bool, bool)> {
        None
    }

    /// When the port goes away, if it does.
    fn unplugged_at(&self) -> Option<Instant> {
        None
    }

    /// The head's echo, where the responder leaves it to the wire.
    fn echo(&self) -> Option<Echo> {
        None
    }

    /// How long the reader's adapter lets characters wait, while it says that they have been sent.
    fn adapter_lag(&self) -> Option<Duration> {
        None
    }
}
