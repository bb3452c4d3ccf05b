//! Unix: descriptors, termios and signals.

mod child;
#[allow(unsafe_code)]
mod closed;
mod console;
mod holder;
mod input;
mod interrupt;
#[cfg(target_os = "linux")]
#[path = "latency_linux.rs"]
mod latency;
#[cfg(not(target_os = "linux"))]
#[path = "latency_none.rs"]
mod latency;
mod link;
mod marks;
mod output;
pub mod ports;
mod pty;
mod seat;
mod serial;
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
