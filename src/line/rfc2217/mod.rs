//! `rfc2217://`: a serial port at the far end of a Telnet connection.

pub mod client;
pub mod comport;
pub mod telnet;
