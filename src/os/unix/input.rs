//! A stream that is read without a buffer: the standard library's stdin has one, and a buffer loses bytes.

use std::io;
use std::net::TcpStream;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{FileType, Stat, fstat};

use super::{Handle, Output};

/// stdin, or what a child writes.
#[derive(Debug)]
pub struct Input(OwnedFd);

impl Input {
    /// Our own stdin.
    pub fn stdin() -> io::Result<Self> {
        Ok(Self(io::stdin().as_fd().try_clone_to_owned()?))
    }

    pub(super) fn of(stream: impl Into<OwnedFd>) -> Self {
        Self(stream.into())
    }

    pub(in crate::os) fn of_socket(stream: TcpStream) -> io::Result<Self> {
        Ok(Self::of(stream))
    }

    /// What to wait for.
    pub fn handle(&self) -> Handle<'_> {
        Handle::of(&self.0)
    }

    /// Whether it is one socket with this output: a peer that has closed it is seen on either.
    pub fn is_joined(&self, output: &Output) -> bool {
        let of = |stat: Stat| (stat.st_dev, stat.st_ino);
        let [Ok(input), Ok(output)] = [fstat(&self.0), fstat(output)] else { return false };
        FileType::from_raw_mode(input.st_mode) == FileType::Socket && of(input) == of(output)
    }

    /// Reads what is there, and 0 at the end. It waits unless a [`super::wait`] has just found it ready.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::read(&self.0, buffer)?)
    }
}
