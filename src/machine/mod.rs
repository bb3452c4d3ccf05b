//! The one contract between a protocol machine and whoever has a line and a clock.
//!
//! A machine does no input or output and reads no clock. Its driver's side of the bargain:
//!
//! - call [`Machine::poll`]; carry out the [`Action`] of [`Step::Do`], then poll again, until the step is
//!   [`Step::Wait`] or [`Step::Done`];
//! - after an [`Action::Transmit`], say with [`Machine::sent`] when the message was really handed over;
//! - hand over what is received with [`Machine::receive`], then poll;
//! - poll again when the instant of [`Step::Wait`] has come, not later: a machine takes a late poll as the sign of a
//!   computer that was stopped or starved.
//!
//! [`crate::signon::SignOn`] is such a machine, [`exchange::Exchange`] the smallest one. `driver::Driver::run` drives any
//! of them on a real line, [`crate::meter::simulate()`] on a virtual meter under a clock that jumps.

pub mod disconnect;
pub mod exchange;

use std::time::{Duration, Instant};

use crate::protocol::parity::Parity;
use crate::protocol::settings::Settings;

/// What a machine wants next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step<T> {
    /// Carry this out, then poll again.
    Do(Action),
    /// Wait until this instant, or until something is received.
    Wait(Instant),
    /// The machine has come to its end; polled again, it says the same.
    Done(T),
}

/// What a machine asks of its driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Set the line.
    Configure {
        /// Rate and framing.
        settings: Settings,
        /// Who computes the parity of 7E1; without a meaning at 8N1.
        parity: Parity,
        /// Whether characters may still be on their way out, which have to leave first.
        drain: bool,
    },
    /// Send this message: 7-bit characters at 7E1, bytes at 8N1.
    Transmit(Vec<u8>),
    /// Hold the line at break for this long.
    Break(Duration),
    /// Set the levels of DTR and RTS, from which many heads draw their power; a line without them has nothing to set.
    ModemLines {
        /// The level of DTR.
        dtr: bool,
        /// The level of RTS.
        rts: bool,
    },
}

/// A protocol machine: bytes and instants go in, steps come out.
pub trait Machine {
    /// How it ends.
    type Outcome;

    /// What to do now.
    fn poll(&mut self, now: Instant) -> Step<Self::Outcome>;

    /// Takes bytes that were received by `now`; parity bits as the line shows them.
    fn receive(&mut self, bytes: &[u8], now: Instant);

    /// The message of the last [`Action::Transmit`] was handed over at this instant: a busy computer can take its time
    /// between the poll and the write, and what follows counts from the first bit.
    fn sent(&mut self, _at: Instant) {}

    /// What the machine is busy with, for people who watch.
    fn progress(&self) -> Option<Progress> {
        None
    }
}

/// What a machine is busy with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub doing: Doing,
    /// The number of the request that is under way or being prepared, from 1.
    pub attempt: u32,
}

/// What a machine can be busy with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doing {
    /// Warming up, waking the meter, keeping silence before a request.
    Preparing,
    /// Freeing a meter that may hang in an earlier session: this step of that many.
    Freeing {
        /// The number of the step, from 1.
        step: usize,
        /// All of them.
        of: usize,
    },
    /// Waiting for the identification.
    Identifying,
    /// Waiting for the answer to the acknowledgement.
    Confirming,
    /// Waiting for the answer to an HDLC command.
    Exchanging,
    /// Looking for a way to a meter that does not answer: this step of that many.
    Hunting {
        /// The number of the step, from 1.
        step: usize,
        /// All of them.
        of: usize,
        /// What it is, in words.
        what: String,
    },
}
