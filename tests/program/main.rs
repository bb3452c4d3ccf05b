//! The built programs, as their users see them: on pseudo-terminals, through pipes, under signals.

#![cfg(unix)]

mod blocked;
mod carry;
mod dlms;
mod ends;
mod failures;
#[cfg(target_os = "linux")]
mod faked;
mod hunt;
mod link;
mod list;
mod meters;
mod network;
mod options;
mod pipe;
mod ports;
mod priority;
mod replay;
mod report;
mod serving;
mod several;
mod signals;
#[path = "../core/simulated/mod.rs"]
mod simulated;
mod support;
mod timeline;
mod wire;
mod words;
