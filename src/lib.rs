//! The IEC 62056-21 mode-E sign-on, as a library: what the `iecprobe` and `iecmeter` binaries are made of.
//!
//! The protocol is pure. [`signon::SignOn`] and [`meter::Meter`] take bytes and [`std::time::Instant`]s and give
//! actions; they know no port, no clock and no log. [`wire::Wire`] joins the two in memory, character by character, at
//! the rates both have set. Around this core stands a thin shell: [`mod@line`] (serial ports and the built-in meter) and
//! [`driver`] (the one loop that owns time).

pub mod baud;
pub mod diagnosis;
pub mod driver;
pub mod flag;
pub mod hdlc;
pub mod identification;
pub mod interrupt;
pub mod line;
pub mod link;
pub mod message;
pub mod meter;
pub mod observer;
pub mod parity;
pub mod pipe;
pub mod record;
pub mod settings;
pub mod signon;
pub mod text;
pub mod timeline;
pub mod timing;
pub mod trace;
pub mod wire;
