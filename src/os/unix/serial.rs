//! A serial port, from the first check to the restored settings. Its descriptor, its lock and its settings are our own
//! matter, because they have to be right before anything is touched and restored after everything; modem lines, BREAK
//! and the length of the output queue are the serialport crate's.

use std::io;
use std::os::fd::{FromRawFd, IntoRawFd, OwnedFd};

use rustix::fs::{FileType, FlockOperation, Mode, OFlags, flock};
use rustix::io::Errno;
use rustix::termios::{
    ControlModes, InputModes, OptionalActions, QueueSelector, Termios, tcdrain, tcflush, tcgetattr, tcsetattr,
};

use serialport::{SerialPort, TTYPort};

use super::marks::Marks;
use super::{Handle, holder, latency, pty};
use crate::os::{Holder, Kept, OpenError};
use crate::protocol::settings::Framing;

/// An open port, locked, with its old settings in safe keeping.
pub struct Serial {
    fd: OwnedFd,
    /// The serialport crate's view of the port, on a descriptor of its own for the same open file. A pseudo-terminal has
    /// none: it has no modem lines, and its exclusive mode would outlive us if we were killed.
    control: Option<TTYPort>,
    saved: Termios,
    pty: bool,
    uucp: Option<Holder>,
    /// There while characters come with the driver's marks.
    marks: Option<Marks>,
    /// The driver's own settings, where received bytes were held back until we came.
    held_back: Option<latency::Saved>,
    gone: bool,
}

impl Serial {
    /// Opens and locks the port by this name; its settings are as they were until [`Serial::configure`].
    pub fn open(name: &str) -> Result<Self, OpenError> {
        let node = rustix::fs::stat(name).map_err(|error| match error {
            Errno::NOENT | Errno::NOTDIR => OpenError::Missing,
            Errno::ACCESS => OpenError::Permission { group: None },
            error => OpenError::Io(error.into()),
        })?;
        match FileType::from_raw_mode(node.st_mode) {
            FileType::CharacterDevice => {}
            FileType::Directory => return Err(OpenError::NotSerial("a folder")),
            FileType::RegularFile => return Err(OpenError::NotSerial("a plain file")),
            _ => return Err(OpenError::NotSerial("something else")),
        }
        // No O_CREAT: a name that has just gone away must not become a file. No O_NOCTTY would make a port that
        // hangs up end us with SIGHUP.
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = rustix::fs::open(name, flags, Mode::empty()).map_err(|error| match error {
            Errno::NOENT => OpenError::Missing,
            Errno::ACCESS | Errno::PERM => OpenError::Permission { group: holder::group_of(&node) },
            Errno::BUSY => OpenError::Busy(holder::of(&node)),
            error => without_hardware(error),
        })?;
        if !rustix::termios::isatty(&fd) {
            return Err(OpenError::NotSerial("a device of another kind"));
        }
        // The lock comes before any setting is touched, so that whoever has the port is not disturbed.
        match flock(&fd, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Err(OpenError::Busy(holder::of(&node))),
            Err(error) => return Err(OpenError::Io(error.into())),
        }
        let saved = tcgetattr(&fd).map_err(without_hardware)?;
        let pty = pty::is_pty(&fd);
        let control = if pty { None } else { Some(adopted(fd.try_clone()?)) };
        let held_back = latency::lower(&fd);
        Ok(Self { control, pty, uucp: holder::uucp(name), fd, saved, marks: None, held_back, gone: false })
    }

    /// What to wait for.
    pub fn handle(&self) -> Handle<'_> {
        Handle::of(&self.fd)
    }

    /// Whether it is a pseudo-terminal.
    pub fn is_pty(&self) -> bool {
        self.pty
    }

    /// Facts about the port that the user may want to hear.
    pub fn remarks(&self) -> Vec<String> {
        let lock = |holder: &Holder| format!("a lock file names {holder} as user of this port");
        self.uucp.iter().map(lock).collect()
    }

    /// Sets rate and framing in one step; what the driver has made of it.
    pub fn configure(&mut self, baud: u32, framing: Framing) -> io::Result<Kept> {
        let mut wanted = self.saved.clone();
        wanted.make_raw();
        wanted.input_modes -= InputModes::IXOFF | InputModes::IXANY | InputModes::IGNPAR;
        wanted.control_modes -= ControlModes::CSTOPB | ControlModes::CRTSCTS | ControlModes::PARODD;
        wanted.control_modes |= ControlModes::CREAD | ControlModes::CLOCAL;
        let seven_even = framing == Framing::SevenEven;
        if framing == Framing::EightEven {
            wanted.control_modes |= ControlModes::PARENB;
        }
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
        self.marks = (seven_even && kept.seven_even).then(Marks::default);
        Ok(kept)
    }

    /// Writes what fits without waiting.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        rustix::io::write(&self.fd, bytes).map_err(|error| self.lost(error))
    }

    /// Reads what is there without waiting; the end of the file is an error. A character with wrong parity at 7E1 comes
    /// with a wrong bit 7.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = match rustix::io::read(&self.fd, &mut *buffer) {
            Ok(0) => {
                self.gone = true;
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            Ok(length) => length,
            Err(error) => return Err(self.lost(error)),
        };
        let Some(marks) = &mut self.marks else { return Ok(length) };
        match marks.remove(&mut buffer[..length]) {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            length => Ok(length),
        }
    }

    fn lost(&mut self, error: Errno) -> io::Error {
        self.gone |= error != Errno::AGAIN && error != Errno::INTR;
        if error == Errno::INTR { io::ErrorKind::WouldBlock.into() } else { error.into() }
    }

    /// Whether everything written has left, as far as the driver knows: several report an empty transmitter with
    /// hundreds of bytes unsent.
    pub fn drained(&mut self) -> bool {
        let Some(control) = &self.control else { return true };
        // A driver that cannot tell has told all that it knows.
        if control.bytes_to_write().is_ok_and(|queued| queued > 0) {
            return false;
        }
        // What the hardware still holds; short, since the queue before it is empty.
        let _ = tcdrain(&self.fd);
        true
    }

    /// Sets the levels of DTR and RTS.
    pub fn set_modem_lines(&mut self, dtr: bool, rts: bool) {
        if let Some(control) = &mut self.control {
            // Two-wire adapters have no such lines: not having them is no reason to stop.
            let _ = control.write_data_terminal_ready(dtr);
            let _ = control.write_request_to_send(rts);
        }
    }

    /// Starts or ends a BREAK, where there is one.
    pub fn set_break(&mut self, on: bool) {
        if let Some(control) = &self.control {
            // Adapters without BREAK say so; it was worth a try.
            let _ = if on { control.set_break() } else { control.clear_break() };
        }
    }

    /// Forgets what was received before we came: an answer to somebody else.
    pub fn discard_input(&self) {
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

/// The serialport crate takes nothing but raw descriptors.
fn adopted(fd: OwnedFd) -> TTYPort {
    // SAFETY: the descriptor is open, and nobody else owns it.
    #[allow(unsafe_code)]
    unsafe {
        TTYPort::from_raw_fd(fd.into_raw_fd())
    }
}

impl Drop for Serial {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_without_hardware_is_no_port() {
        for error in [Errno::IO, Errno::NXIO, Errno::NODEV] {
            assert!(matches!(without_hardware(error), OpenError::Missing), "{error}");
        }
        assert!(matches!(without_hardware(Errno::NOMEM), OpenError::Io(_)));
    }
}
