//! Windows: events, overlapped input and output, console control.
//!
//! Whatever can be waited for says so by an event that stays set as long as there is something to do, as a descriptor
//! does for poll(2). A COM port has such events by itself; a stream gets them from a thread that reads or writes it.

// Every call of the system is one of a foreign language; the reason why it is sound stands at each.
#![allow(unsafe_code)]

mod child;
mod comm;
mod console;
mod error;
mod event;
mod input;
mod interrupt;
mod operation;
mod output;
pub mod ports;
mod seat;
mod serial;
mod timer;
mod wait;
mod watch;

pub use child::{Child, Streams, check_program};
pub use console::prepare_console;
pub use input::Input;
pub use interrupt::{BROKEN_PIPE, Interrupt, die_of};
pub use output::Output;
pub use seat::Seat;
pub use serial::Serial;
pub use wait::{Handle, wait};
pub(super) use watch::{Watch, is_in_progress};
