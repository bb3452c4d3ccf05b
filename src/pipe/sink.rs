//! stdout, written without ever waiting for its reader.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::fs::{FileType, Mode, OFlags};

use super::Raw;

/// A pipe that says it can be written takes this much without blocking (PIPE_BUF).
const CHUNK: usize = 4096;

/// How a write to stdout is kept from blocking, without O_NONBLOCK.
pub(super) enum Sink {
    /// Each call says that it is not to wait: Linux can do that for pipes and sockets.
    NoWait,
    /// A file never makes anybody wait for a reader.
    File,
    /// A terminal can be stopped (Ctrl-S) for as long as its user likes. This is a second opening of it, with an
    /// O_NONBLOCK of its own.
    Terminal(OwnedFd),
    /// poll(2) is asked first, and no more is written than a pipe with room for anything takes.
    Chunks,
}

impl Sink {
    pub(super) fn of(output: Raw<'_>) -> Self {
        match rustix::fs::fstat(output.0).map(|stat| FileType::from_raw_mode(stat.st_mode)) {
            Ok(FileType::RegularFile) => Self::File,
            Ok(FileType::Fifo | FileType::Socket) if cfg!(target_os = "linux") => Self::NoWait,
            _ => reopened(output).map_or(Self::Chunks, Self::Terminal),
        }
    }

    /// Whether each write needs a poll of its own.
    pub(super) fn wants_poll(&self) -> bool {
        matches!(self, Self::Chunks)
    }

    pub(super) fn write(&mut self, output: Raw<'_>, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Terminal(terminal) => Ok(rustix::io::write(terminal, bytes)?),
            Self::File => Ok(rustix::io::write(output.0, bytes)?),
            Self::Chunks => Ok(rustix::io::write(output.0, &bytes[..bytes.len().min(CHUNK)])?),
            Self::NoWait => no_wait(output, bytes).map_err(|error| match error.kind() {
                // Kernels before 6.4 cannot; a poll comes first from now on.
                io::ErrorKind::Unsupported => {
                    *self = Self::Chunks;
                    io::ErrorKind::WouldBlock.into()
                }
                _ => error,
            }),
        }
    }
}

/// A terminal opened once more, where the system has a name for that and we may.
fn reopened(output: Raw<'_>) -> Option<OwnedFd> {
    // Opening the master of a pseudo-terminal makes another one.
    if !rustix::termios::isatty(output.0) || rustix::pty::ptsname(output.0, Vec::new()).is_ok() {
        return None;
    }
    let name = format!("/proc/self/fd/{}", output.0.as_raw_fd());
    let flags = OFlags::WRONLY | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    rustix::fs::open(name, flags, Mode::empty()).ok()
}

#[cfg(target_os = "linux")]
fn no_wait(output: Raw<'_>, bytes: &[u8]) -> io::Result<usize> {
    use rustix::io::{ReadWriteFlags, pwritev2};
    // This offset stands for the file's own position, which a pipe does not have either.
    Ok(pwritev2(output.0, &[io::IoSlice::new(bytes)], u64::MAX, ReadWriteFlags::NOWAIT)?)
}

#[cfg(not(target_os = "linux"))]
fn no_wait(_output: Raw<'_>, _bytes: &[u8]) -> io::Result<usize> {
    Err(io::ErrorKind::Unsupported.into())
}
