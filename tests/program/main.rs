//! The built programs, as their users see them: on pseudo-terminals, through pipes, under signals.

#![cfg(unix)]

mod failures;
mod meters;
mod options;
mod pipe;
mod report;
mod signals;
mod support;
mod wire;
