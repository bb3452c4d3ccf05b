//! The built programs, as their users see them: on pseudo-terminals, through pipes, under signals.

#![cfg(unix)]

mod failures;
mod link;
mod list;
mod meters;
mod options;
mod pipe;
mod replay;
mod report;
mod several;
mod signals;
#[path = "../simulated/mod.rs"]
mod simulated;
mod support;
mod timeline;
mod wire;
