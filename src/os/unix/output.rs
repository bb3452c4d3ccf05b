//! A stream that is written without ever waiting for its reader, and without O_NONBLOCK: that belongs to the open file,
//! which stdout shares with the program that started us.

use std::io;
use std::net::TcpStream;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::net::SendFlags;

use super::{Handle, Interrupt, closed, pty, wait};
use crate::os::Interest;

/// A pipe that says it can be written takes this much without blocking (PIPE_BUF).
const CHUNK: usize = 4096;

/// How often it is asked whether a FIFO has a reader.
const READER_POLL: Duration = Duration::from_millis(20);

/// stdout, stderr, a file, or what a child reads.
#[derive(Debug)]
pub struct Output {
    fd: OwnedFd,
    way: Way,
}

/// How a write is kept from waiting.
#[derive(Debug)]
enum Way {
    /// Each call says that it is not to wait: Linux can do that for pipes.
    NoWait,
    /// Each call says that it is not to wait, and not to raise SIGPIPE.
    Socket,
    /// A file never makes anybody wait for a reader; what we have opened ourselves has an O_NONBLOCK of its own.
    Plain,
    /// A terminal can be stopped (Ctrl-S) for as long as its user likes. This is a second opening of it, with an
    /// O_NONBLOCK of its own.
    Terminal(OwnedFd),
    /// poll(2) is asked first, and no more is written than a pipe with room for anything takes.
    Chunks,
}

impl Output {
    /// Our own stdout; an error if there was none when we were started.
    pub fn stdout() -> io::Result<Self> {
        if closed::stdout_was_closed() {
            return Err(Errno::BADF.into());
        }
        Ok(Self::of(io::stdout().as_fd().try_clone_to_owned()?))
    }

    /// Our own stderr.
    pub fn stderr() -> io::Result<Self> {
        Ok(Self::of(io::stderr().as_fd().try_clone_to_owned()?))
    }

    /// A file, emptied if it is there. Whoever names a FIFO means to read it: its reader is waited for until an
    /// interrupt.
    pub fn create(file: &Path) -> io::Result<Self> {
        let flags = OFlags::WRONLY
            | OFlags::CREATE
            | OFlags::TRUNC
            | OFlags::NONBLOCK
            | OFlags::NOCTTY
            | OFlags::CLOEXEC;
        loop {
            match rustix::fs::open(file, flags, Mode::from_raw_mode(0o666)) {
                Ok(fd) => return Ok(Self { fd, way: Way::Plain }),
                Err(Errno::NXIO) => {}
                Err(error) => return Err(error.into()),
            }
            let interrupt = Interrupt::registered();
            if interrupt.is_some_and(|interrupt| interrupt.signal().is_some()) {
                return Err(io::Error::other("interrupted while nobody read it"));
            }
            let interrupted = Interest::read(interrupt.as_ref().map(Interrupt::handle));
            wait([interrupted], Some(Instant::now() + READER_POLL))?;
        }
    }

    pub(super) fn of(stream: impl Into<OwnedFd>) -> Self {
        let fd = stream.into();
        let way = match rustix::fs::fstat(&fd).map(|stat| FileType::from_raw_mode(stat.st_mode)) {
            Ok(FileType::RegularFile) => Way::Plain,
            Ok(FileType::Socket) => Way::Socket,
            Ok(FileType::Fifo) if cfg!(target_os = "linux") => Way::NoWait,
            _ => reopened(&fd).map_or(Way::Chunks, Way::Terminal),
        };
        Self { fd, way }
    }

    pub(in crate::os) fn of_socket(stream: TcpStream) -> io::Result<Self> {
        Ok(Self::of(stream))
    }

    /// What to wait for.
    pub fn handle(&self) -> Handle<'_> {
        Handle::of(&self.fd)
    }

    /// Writes what fits without waiting.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &self.way {
            Way::Terminal(terminal) => Ok(rustix::io::write(terminal, bytes)?),
            Way::Plain => Ok(rustix::io::write(&self.fd, bytes)?),
            Way::Socket => Ok(rustix::net::send(&self.fd, bytes, WITHOUT_WAITING)?),
            Way::Chunks => {
                let asked = Interest { handle: Some(self.handle()), read: false, write: true };
                if !wait([asked], Some(Instant::now()))?[0].any() {
                    return Err(io::ErrorKind::WouldBlock.into());
                }
                Ok(rustix::io::write(&self.fd, &bytes[..bytes.len().min(CHUNK)])?)
            }
            Way::NoWait => match no_wait(&self.fd, bytes) {
                Ok(length) => Ok(length),
                Err(error) if is_of_the_pipe(error) => Err(error.into()),
                // Kernels before 6.4 cannot, and what confines us may not let us; a poll comes first from now on.
                Err(_) => {
                    self.way = Way::Chunks;
                    self.write(bytes)
                }
            },
        }
    }
}

impl AsFd for Output {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// A terminal opened once more, where the system has a name for that and we may.
fn reopened(output: &OwnedFd) -> Option<OwnedFd> {
    // Opening the master of a pseudo-terminal makes another one.
    if !rustix::termios::isatty(output) || pty::is_master(output) {
        return None;
    }
    let name = format!("/proc/self/fd/{}", output.as_raw_fd());
    let flags = OFlags::WRONLY | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    rustix::fs::open(name, flags, Mode::empty()).ok()
}

#[cfg(not(target_vendor = "apple"))]
const WITHOUT_WAITING: SendFlags = SendFlags::DONTWAIT.union(SendFlags::NOSIGNAL);

/// SIGPIPE is ignored in every Rust program, so that this call fails as it should.
#[cfg(target_vendor = "apple")]
const WITHOUT_WAITING: SendFlags = SendFlags::DONTWAIT;

/// Whether an error is about the pipe, and not about the way in which it was to be written.
fn is_of_the_pipe(error: Errno) -> bool {
    matches!(error, Errno::AGAIN | Errno::INTR | Errno::PIPE)
}

#[cfg(target_os = "linux")]
fn no_wait(output: &OwnedFd, bytes: &[u8]) -> rustix::io::Result<usize> {
    use rustix::io::{ReadWriteFlags, pwritev2};
    // This offset stands for the file's own position, which a pipe does not have either.
    pwritev2(output, &[io::IoSlice::new(bytes)], u64::MAX, ReadWriteFlags::NOWAIT)
}

#[cfg(not(target_os = "linux"))]
fn no_wait(_output: &OwnedFd, _bytes: &[u8]) -> rustix::io::Result<usize> {
    Err(Errno::OPNOTSUPP)
}
