//! The built programs, as their users see them: on pseudo-terminals, through pipes, under signals.

#![cfg(unix)]

mod failures;
mod options;
mod pipe;
mod replay;
mod report;
mod signals;
mod support;
mod wire;
