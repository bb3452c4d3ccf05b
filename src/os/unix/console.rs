//! The terminal, where we were started in one.

/// Makes the terminal understand escape sequences: on Unix each does, but for one that TERM calls dumb.
pub fn prepare_console() {}
