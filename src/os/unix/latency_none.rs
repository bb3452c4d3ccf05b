//! Systems whose adapters hold nothing back, or do not say how to stop them.

use std::os::fd::AsFd;

/// Nothing to save.
pub(super) struct Saved;

/// Does nothing.
pub(super) fn lower(_port: impl AsFd) -> Option<Saved> {
    None
}

/// Does nothing.
pub(super) fn restore(_port: impl AsFd, _saved: &Saved) {}
