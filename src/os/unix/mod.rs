//! Unix: descriptors, termios and signals.

mod holder;
pub mod interrupt;
#[cfg(target_os = "linux")]
#[path = "latency_linux.rs"]
mod latency;
#[cfg(not(target_os = "linux"))]
#[path = "latency_none.rs"]
mod latency;
pub mod ports;
pub(crate) mod serial;

mod wait;

pub use holder::Holder;
pub use wait::{Handle, Interest, Readiness, wait};
