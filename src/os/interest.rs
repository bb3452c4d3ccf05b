//! What is waited for, and what a wait has found.

use super::Handle;

/// What is waited for: that something can be read or written; that it is lost, in any case.
#[derive(Clone, Copy, Debug, Default)]
pub struct Interest<'a> {
    /// What is waited for; without it, never ready.
    pub handle: Option<Handle<'a>>,
    /// Whether that it can be read.
    pub read: bool,
    /// Whether that it can be written.
    pub write: bool,
}

impl<'a> Interest<'a> {
    /// In reading alone.
    pub fn read(handle: Option<Handle<'a>>) -> Self {
        Self { handle, read: true, write: false }
    }
}

/// What a wait has found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Readiness {
    /// Reading will not block.
    pub read: bool,
    /// Writing will not block.
    pub write: bool,
    /// The other end has gone, or the handle has an error.
    pub error: bool,
}

impl Readiness {
    /// Whether there is anything to do about it.
    pub fn any(self) -> bool {
        self.read || self.write || self.error
    }
}
