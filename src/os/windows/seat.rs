//! Where a virtual meter sits: at a COM port, as one of a pair that a driver such as com0com joins.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use super::serial::Serial;
use super::wait::{Handle, wait};
use crate::os::{Interest, OpenError, Seen};
use crate::protocol::settings::{Framing, Settings};

/// The rate in Bd at which a meter waits for a sign-on, unless its scenario says otherwise.
const SIGN_ON_RATE: u32 = 300;

/// How often the port is asked whether everything has left.
const DRAIN_POLL: Duration = Duration::from_millis(1);

/// A port that has not sent a message in this time never will.
const SETTLING_MAX: Duration = Duration::from_secs(2);

/// A COM port.
pub struct Seat {
    /// It is large, and moved about with whatever a meter sits at.
    port: Box<Serial>,
    name: String,
}

impl Seat {
    /// Pseudo-terminals are not to be had on Windows.
    pub fn create(_link: Option<&Path>) -> io::Result<Self> {
        let message = "Windows has no pseudo-terminals: name a COM port of a pair with --port";
        Err(io::Error::new(io::ErrorKind::Unsupported, message))
    }

    /// Opens a port and sets it to raw bytes at the rate of a sign-on.
    pub fn open(port: &Path) -> io::Result<Self> {
        let name = port.display().to_string();
        let mut port = Serial::open(&name).map_err(|error| match error {
            OpenError::Io(error) => error,
            other => io::Error::other(other),
        })?;
        port.configure(SIGN_ON_RATE, Framing::EightNone)?;
        Ok(Self { port: Box::new(port), name })
    }

    /// The name under which a reader opens it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the other side is set to: on a port that is nobody's business, its own settings count for both.
    pub fn peer_settings(&self) -> Option<Settings> {
        None
    }

    /// Sets it to another rate, once what was written has left.
    pub fn set_rate(&mut self, rate: u32) -> io::Result<()> {
        let give_up = Instant::now() + SETTLING_MAX;
        while !self.port.drained() && Instant::now() < give_up {
            wait([Interest::default()], Some(Instant::now() + DRAIN_POLL))?;
        }
        self.port.configure(rate, Framing::EightNone).map(|_| ())
    }

    /// Whether somebody has the other side open, as far as a port can tell.
    pub fn is_open(&self) -> bool {
        true
    }

    /// Reads without waiting.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<Seen> {
        match self.port.read(buffer) {
            Ok(length) => Ok(Seen::Bytes(length)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Seen::Nothing),
            Err(error) => Err(error),
        }
    }

    /// Writes, once what was written before has left; a line that takes nothing for long loses the rest.
    pub fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        let give_up = Instant::now() + SETTLING_MAX;
        while !bytes.is_empty() && Instant::now() < give_up {
            match self.port.write(bytes) {
                Ok(length) => bytes = &bytes[length..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    wait(
                        [Interest { write: true, read: false, handle: Some(self.handle()) }],
                        Some(give_up),
                    )?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// What to wait for.
    pub fn handle(&self) -> Handle<'_> {
        self.port.handle()
    }
}
