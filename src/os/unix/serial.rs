//! The descriptor of a port, from the first check to the restored settings.

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt};

use rustix::fs::{FlockOperation, Mode, OFlags, flock};
use rustix::io::Errno;
use rustix::termios::{
    ControlModes, InputModes, OptionalActions, QueueSelector, Termios, tcdrain, tcflush, tcgetattr, tcsetattr,
};

use super::{Handle, Holder, holder, latency};
use crate::line::OpenError;
use crate::protocol::parity;

/// Major numbers of Unix 98 pseudo-terminals on Linux.
const PTY_MAJORS: std::ops::RangeInclusive<u32> = 136..=143;

/// PARMRK marks a character with wrong parity by these two before it, and doubles the first where it is data.
const MARK: u8 = 0xFF;

/// An open port, locked, with its old settings in safe keeping.
pub(crate) struct Port {
    fd: OwnedFd,
    saved: Termios,
    pty: bool,
    uucp: Option<Holder>,
    /// Whether characters come with PARMRK's marks, and those read of the current one.
    marks: Option<Vec<u8>>,
    /// The driver's own settings, where received bytes were held back until we came.
    held_back: Option<latency::Saved>,
    gone: bool,
}

/// What the driver has made of the settings asked for.
pub(crate) struct Kept {
    pub(crate) baud: u32,
    pub(crate) seven_even: bool,
}

impl Port {
    pub(crate) fn open(name: &str) -> Result<Self, OpenError> {
        let metadata = fs::metadata(name).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => OpenError::Missing,
            io::ErrorKind::PermissionDenied => OpenError::Permission { group: None },
            _ => OpenError::Io(error),
        })?;
        let kind = metadata.file_type();
        if !kind.is_char_device() {
            return Err(OpenError::NotSerial(if kind.is_dir() {
                "a folder"
            } else if kind.is_file() {
                "a plain file"
            } else {
                "something else"
            }));
        }
        // No O_CREAT: a name that has just gone away must not become a file. No O_NOCTTY would make a port that
        // hangs up end us with SIGHUP.
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = rustix::fs::open(name, flags, Mode::empty()).map_err(|error| match error {
            Errno::NOENT => OpenError::Missing,
            Errno::ACCESS | Errno::PERM => OpenError::Permission { group: holder::group_of(&metadata) },
            Errno::BUSY => OpenError::Busy(holder::of(&metadata)),
            error => without_hardware(error),
        })?;
        if !rustix::termios::isatty(&fd) {
            return Err(OpenError::NotSerial("a device of another kind"));
        }
        // The lock comes before any setting is touched, so that whoever has the port is not disturbed.
        match flock(&fd, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Err(OpenError::Busy(holder::of(&metadata))),
            Err(error) => return Err(OpenError::Io(error.into())),
        }
        let saved = tcgetattr(&fd).map_err(without_hardware)?;
        let held_back = latency::lower(&fd);
        Ok(Self {
            pty: PTY_MAJORS.contains(&rustix::fs::major(metadata.rdev())),
            uucp: holder::uucp(name),
            fd,
            saved,
            marks: None,
            held_back,
            gone: false,
        })
    }

    /// What to wait for.
    pub(crate) fn handle(&self) -> Handle<'_> {
        Handle::of(&self.fd)
    }

    pub(crate) fn is_pty(&self) -> bool {
        self.pty
    }

    pub(crate) fn remarks(&self) -> Vec<String> {
        let lock = |holder: &Holder| format!("a lock file names {holder} as user of this port");
        self.uucp.iter().map(lock).collect()
    }

    /// Sets rate and framing in one step; what the driver has made of it.
    pub(crate) fn configure(&mut self, baud: u32, seven_even: bool) -> io::Result<Kept> {
        let mut wanted = self.saved.clone();
        wanted.make_raw();
        wanted.input_modes -= InputModes::IXOFF | InputModes::IXANY | InputModes::IGNPAR;
        wanted.control_modes -= ControlModes::CSTOPB | ControlModes::CRTSCTS | ControlModes::PARODD;
        wanted.control_modes |= ControlModes::CREAD | ControlModes::CLOCAL;
        if seven_even {
            wanted.control_modes -= ControlModes::CSIZE;
            wanted.control_modes |= ControlModes::CS7 | ControlModes::PARENB;
            wanted.input_modes |= InputModes::INPCK | InputModes::PARMRK;
        }
        wanted.set_speed(baud)?;
        tcsetattr(&self.fd, OptionalActions::Now, &wanted)?;
        let kept = tcgetattr(&self.fd)?;
        let modes = kept.control_modes;
        let kept = Kept {
            baud: kept.output_speed(),
            seven_even: modes & ControlModes::CSIZE == ControlModes::CS7
                && modes.contains(ControlModes::PARENB),
        };
        self.marks = (seven_even && kept.seven_even).then(Vec::new);
        Ok(kept)
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        rustix::io::write(&self.fd, bytes).map_err(|error| self.lost(error))
    }

    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = match rustix::io::read(&self.fd, &mut *buffer) {
            Ok(0) => {
                self.gone = true;
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            Ok(length) => length,
            Err(error) => return Err(self.lost(error)),
        };
        let Some(marks) = &mut self.marks else { return Ok(length) };
        let unmarked: Vec<u8> = buffer[..length].iter().filter_map(|&byte| unmark(marks, byte)).collect();
        if unmarked.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        buffer[..unmarked.len()].copy_from_slice(&unmarked);
        Ok(unmarked.len())
    }

    fn lost(&mut self, error: Errno) -> io::Error {
        self.gone |= error != Errno::AGAIN && error != Errno::INTR;
        if error == Errno::INTR { io::ErrorKind::WouldBlock.into() } else { error.into() }
    }

    /// Waits for what the hardware still holds; short, since the queue before it is empty.
    pub(crate) fn drain(&self) {
        let _ = tcdrain(&self.fd);
    }

    /// Forgets what was received before we came: an answer to somebody else.
    pub(crate) fn discard_input(&self) {
        let _ = tcflush(&self.fd, QueueSelector::IFlush);
    }
}

/// What it means that a node cannot be used: mostly that there is no device behind it. The kernel's spare 8250 ports can
/// be opened all the same, and fail afterwards.
fn without_hardware(error: Errno) -> OpenError {
    match error {
        Errno::NXIO | Errno::NODEV | Errno::IO => OpenError::Missing,
        error => OpenError::Io(error.into()),
    }
}

/// Gives a descriptor to a type that can only take raw ones.
pub(crate) fn adopt<T: FromRawFd>(fd: OwnedFd) -> T {
    // SAFETY: the descriptor is open, and nobody else owns it.
    #[allow(unsafe_code)]
    unsafe {
        T::from_raw_fd(fd.into_raw_fd())
    }
}

impl AsFd for Port {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        if self.gone {
            return;
        }
        // Closing a port can hang on output that never leaves. A pseudo-terminal does not hang, and what is in it may
        // still be read.
        if !self.pty {
            let _ = tcflush(&self.fd, QueueSelector::OFlush);
        }
        if let Some(held_back) = &self.held_back {
            latency::restore(&self.fd, held_back);
        }
        // Last: old settings mostly have an echo, which answers to whatever still comes.
        let _ = tcsetattr(&self.fd, OptionalActions::Now, &self.saved);
    }
}

/// Puts the driver's verdict on a 7E1 character back into bit 7, where an 8N1 receiver would see it.
fn unmark(marks: &mut Vec<u8>, byte: u8) -> Option<u8> {
    match (&marks[..], byte) {
        ([], MARK) | ([MARK], 0) => {
            marks.push(byte);
            None
        }
        ([], byte) => Some(parity::with_even(byte)),
        ([MARK, 0], byte) => {
            marks.clear();
            Some(parity::with_even(byte) ^ 0x80)
        }
        (_, byte) => {
            marks.clear();
            Some(parity::with_even(byte))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marked_characters_get_wrong_parity_and_others_right() {
        let mut marks = Vec::new();
        let read = [b'/', MARK, 0, b'I', b'S', MARK, MARK, MARK, 0, 0];
        let seen: Vec<u8> = read.iter().filter_map(|&byte| unmark(&mut marks, byte)).collect();
        assert_eq!(seen, [0xAF, b'I' ^ parity::with_even(b'I') ^ 0x80 ^ b'I', b'S', 0xFF, 0x80]);
        assert!(marks.is_empty());
    }

    #[test]
    fn a_node_without_hardware_is_no_port() {
        for error in [Errno::IO, Errno::NXIO, Errno::NODEV] {
            assert!(matches!(without_hardware(error), OpenError::Missing), "{error}");
        }
        assert!(matches!(without_hardware(Errno::NOMEM), OpenError::Io(_)));
    }
}
