//! The operating system, behind one door: the same few names on each system, and nothing else in the crate names one.
//!
//! [`wait`] is what every loop waits with; [`Handle`]s are what can be waited for. [`Serial`] is a port with its lock and
//! its old settings in safe keeping, [`Interrupt`] the signals, [`Input`] and [`Output`] the streams that we were started
//! with, [`Child`] a command with its streams, [`ports`] what the computer knows of its serial ports.

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub use unix::*;
