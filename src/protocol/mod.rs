//! What the messages of IEC 62056-21 and of HDLC are: bytes, rates, parity and times, without anybody who sends them.

pub mod baud;
pub mod content;
pub mod flag;
pub mod hdlc;
pub mod identification;
pub mod message;
pub mod parity;
pub mod settings;
pub mod text;
pub mod timing;
