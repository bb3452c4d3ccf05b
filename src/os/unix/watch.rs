//! How a socket is waited for: it is a descriptor like any other.

use std::io;
use std::os::fd::AsFd;

use rustix::io::Errno;

use super::Handle;

/// What a socket needs beside itself to be waited for: nothing here.
#[derive(Debug)]
pub(in crate::os) struct Watch;

impl Watch {
    pub(in crate::os) fn of(_socket: &impl AsFd) -> io::Result<Self> {
        Ok(Self)
    }

    pub(in crate::os) fn handle<'a>(&self, socket: &'a impl AsFd) -> Handle<'a> {
        Handle::of(socket)
    }
}

/// Whether a connection has only begun.
pub(in crate::os) fn is_in_progress(error: &io::Error) -> bool {
    Errno::from_io_error(error).is_some_and(|error| matches!(error, Errno::INPROGRESS | Errno::INTR))
}
