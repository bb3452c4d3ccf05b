//! The operating system, behind one door: the same few names on each system, and nothing else in the crate names one.
//!
//! What every system promises of them:
//!
//! - [`Handle`]: something that can be waited for. It stays ready as long as there is something to do about it.
//! - [`wait`]: ends when one of several [`Interest`]s is ready, or at an instant, to a fraction of a millisecond.
//! - [`Serial`]: a port that is locked before any setting is touched, is read and written without waiting, and gets its
//!   old settings back when it is dropped.
//! - [`Interrupt`]: the ways in which the system ends a program, as something to wait for; [`die_of`] ends it that way in
//!   the end, with the port restored.
//! - [`Input`] and [`Output`]: unbuffered streams. A read takes what is there; a write takes what fits and never waits for
//!   whoever reads, and both do so without any change to a stream that is shared with the program that started us.
//! - [`Spool`] and [`Stderr`]: writers on top of an output that keep what does not fit.
//! - [`Child`]: a program with its streams, whose end can be waited for.
//! - [`Seat`]: where a virtual meter sits: a device, or a pseudo-terminal where the system has them.
//! - [`Socket`] and [`Listener`]: TCP connections, which are read and written without waiting.
//! - [`ports`]: what the computer knows of its serial ports, without opening any.

mod interest;
mod open;
pub mod ports;
mod socket;
mod spool;
#[cfg(unix)]
#[path = "unix/mod.rs"]
mod system;
#[cfg(windows)]
#[path = "windows/mod.rs"]
mod system;

pub use interest::{Interest, Readiness};
pub use open::{Holder, OpenError, has_joined};
pub use socket::{Listener, Socket};
pub use spool::{Spool, Stderr};
pub use system::{
    BROKEN_PIPE, Child, Handle, Input, Interrupt, Output, Seat, Serial, Streams, check_program, die_of,
    prepare_console, wait,
};

/// What a driver has made of the settings that it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The rate in Bd.
    pub baud: u32,
    /// Whether it is seven data bits with even parity.
    pub seven_even: bool,
}

/// What reading from a [`Seat`] has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// This many bytes.
    Bytes(usize),
    /// Nothing, but somebody may be there.
    Nothing,
    /// Nobody has the other side open.
    NobodyThere,
}
