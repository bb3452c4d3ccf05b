//! The IEC 62056-21 mode-E sign-on, as a library: what the `iecprobe` and `iecmeter` binaries are made of.
//!
//! The protocol is pure. [`signon::SignOn`] and [`meter::Meter`] take bytes and [`std::time::Instant`]s and give
//! actions; they know no port, no clock and no log. [`meter::wire::Wire`] joins the two in memory, character by
//! character, at the rates both have set. Around this core stands a thin shell: [`mod@line`] (serial ports and the
//! built-in meter) and [`driver`] (the one loop that owns time).

#[cfg(feature = "port")]
pub mod driver;
#[cfg(feature = "port")]
pub mod line;
pub mod machine;
pub mod meter;
#[cfg(feature = "port")]
pub mod os;
#[cfg(feature = "port")]
pub mod pipe;
pub mod protocol;
pub mod record;
pub mod signon;
