//! Where a virtual meter sits: at the master of a pseudo-terminal, or at a device.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::termios::{ControlModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use super::link::Link;
use super::{Handle, pty};
use crate::os::Seen;
use crate::protocol::settings::Settings;

/// The rate in Bd at which a meter waits for a sign-on, unless its scenario says otherwise.
const SIGN_ON_RATE: u32 = 300;

/// A pseudo-terminal of our own, or a device.
#[derive(Debug)]
pub struct Seat {
    fd: OwnedFd,
    name: String,
    /// Goes with the terminal.
    _link: Option<Link>,
    /// The old settings of a device; none on a pseudo-terminal of our own.
    saved: Option<Termios>,
}

impl Seat {
    /// Creates a pseudo-terminal, and a symlink to it.
    pub fn create(link: Option<&Path>) -> io::Result<Self> {
        let (fd, name) = pty::create()?;
        rustix::io::ioctl_fionbio(&fd, true)?;
        let mut raw = tcgetattr(&fd)?;
        raw.make_raw();
        tcsetattr(&fd, OptionalActions::Now, &raw)?;
        // Until the slave has been opened and closed once, the master does not say that nobody is there.
        drop(rustix::fs::open(&name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?);
        let link = link.map(|link| Link::make(link, &name)).transpose()?;
        Ok(Self { fd, name, _link: link, saved: None })
    }

    /// Opens a device and sets it to raw bytes at the rate of a sign-on.
    pub fn open(port: &Path) -> io::Result<Self> {
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = rustix::fs::open(port, flags, Mode::empty())?;
        if !FileType::from_raw_mode(rustix::fs::fstat(&fd)?.st_mode).is_char_device()
            || !rustix::termios::isatty(&fd)
        {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a serial port"));
        }
        let saved = tcgetattr(&fd)?;
        let mut raw = saved.clone();
        raw.make_raw();
        raw.control_modes |= ControlModes::CLOCAL | ControlModes::CREAD;
        raw.set_speed(SIGN_ON_RATE)?;
        tcsetattr(&fd, OptionalActions::Now, &raw)?;
        Ok(Self { fd, name: port.display().to_string(), _link: None, saved: Some(saved) })
    }

    /// The name under which a reader opens it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the other side is set to. On a device that is nobody's business: its own settings count for both.
    pub fn peer_settings(&self) -> Option<Settings> {
        if self.saved.is_some() {
            return None;
        }
        let termios = tcgetattr(&self.fd).ok()?;
        let baud = termios.output_speed();
        (baud > 0).then(|| Settings::eight_none(baud))
    }

    /// Sets a device to another rate, once what was written has left.
    pub fn set_rate(&mut self, rate: u32) -> io::Result<()> {
        let mut termios = tcgetattr(&self.fd)?;
        termios.set_speed(rate)?;
        Ok(tcsetattr(&self.fd, OptionalActions::Drain, &termios)?)
    }

    /// Whether somebody has the other side open.
    pub fn is_open(&self) -> bool {
        let mut polled = [PollFd::new(&self.fd, PollFlags::IN)];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        let _ = poll(&mut polled, Some(&now));
        !polled[0].revents().contains(PollFlags::HUP)
    }

    /// Reads without waiting.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<Seen> {
        match rustix::io::read(&self.fd, buffer) {
            Ok(0) | Err(Errno::IO) if self.saved.is_some() => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(0) | Err(Errno::IO) => Ok(Seen::NobodyThere),
            Ok(length) => Ok(Seen::Bytes(length)),
            Err(Errno::AGAIN | Errno::INTR) => Ok(Seen::Nothing),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes what fits; a reader that does not read loses the rest, as on a wire.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match rustix::io::write(&self.fd, bytes) {
            Ok(_) | Err(Errno::AGAIN | Errno::INTR) => Ok(()),
            Err(Errno::IO) if self.saved.is_none() => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// What to wait for.
    pub fn handle(&self) -> Handle<'_> {
        Handle::of(&self.fd)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(saved) = &self.saved {
            let _ = tcsetattr(&self.fd, OptionalActions::Now, saved);
        }
    }
}
