//! `tcp://`: raw bytes over TCP, from a serial server with fixed settings, or from a meter or modem with a TCP port of its
//! own.
//!
//! The line has one rate, which is nobody's to change here, and no parity but what is computed into bit 7: whether the
//! server's port is at 7E1 or 8N1 cannot be known.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use super::connection::{Connection, Loss};
use super::rfc2217::telnet;
use super::{Endpoint, Line, Nature, OpenError, Options};
use crate::os::{Handle, Interrupt};
use crate::protocol::parity::{self, Parity};
use crate::protocol::settings::{Framing, Settings};
use crate::protocol::timing;

/// Bytes that are read ahead, where a line is lost with some of them unread.
const AHEAD_MAX: usize = 64 * 1024;

/// A connection whose bytes are those of the line.
pub(super) struct TcpLine {
    connection: Connection,
    nature: Nature,
    /// Whether we compute parity at the moment.
    computes: bool,
    /// The first bytes, as long as they may turn out to be Telnet's.
    start: Option<Vec<u8>>,
    /// What was read when the connection was lost, and has not been taken.
    ahead: VecDeque<u8>,
}

impl TcpLine {
    pub(super) fn open(to: &Endpoint, options: Options, interrupt: &Interrupt) -> Result<Self, OpenError> {
        let connection = Connection::open(to, interrupt)?;
        let nature = Nature {
            parities: options.parity.map_or([Parity::Software, Parity::None], |asked| [asked; 2]),
            warm_up: Duration::ZERO,
            lag: timing::ADAPTER_LAG,
            fixed_rate: true,
            round_trip: connection.round_trip,
        };
        // Without a sign-on the bytes are whatever they are.
        let start = (options.settings.framing == Framing::SevenEven).then(Vec::new);
        let mut line = Self { connection, nature, computes: false, start, ahead: VecDeque::new() };
        line.computes = line.computes_at(options.settings, nature.parities[0]);
        Ok(line)
    }

    fn computes_at(&self, settings: Settings, parity: Parity) -> bool {
        settings.framing == Framing::SevenEven && parity != Parity::None
    }

    /// Looks whether the line begins as a Telnet server does.
    fn check_start(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(start) = &mut self.start else { return Ok(()) };
        start.extend(bytes.iter().take(2));
        if telnet::begins_negotiation(start) {
            return Err(Loss::Telnet.into());
        }
        if start.len() >= 2 || start[0] != telnet::IAC {
            self.start = None;
        }
        Ok(())
    }
}

impl Line for TcpLine {
    fn nature(&self) -> Nature {
        self.nature
    }

    fn configure(&mut self, settings: Settings, parity: Parity) -> io::Result<()> {
        self.computes = self.computes_at(settings, parity);
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = if self.computes {
            self.connection.write(&parity::all_with_even(bytes))
        } else {
            self.connection.write(bytes)
        };
        written.map_err(|error| if error.kind() == io::ErrorKind::WouldBlock { error } else { self.loss() })
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.ahead.is_empty() {
            let length = buffer.len().min(self.ahead.len());
            buffer.iter_mut().zip(self.ahead.drain(..length)).for_each(|(to, byte)| *to = byte);
            return Ok(length);
        }
        let length = self.connection.read(buffer)?;
        self.connection.note(&buffer[..length]);
        self.check_start(&buffer[..length])?;
        Ok(length)
    }

    fn drained(&mut self) -> io::Result<bool> {
        // Nobody tells what the other end still holds.
        Ok(true)
    }

    fn set_break(&mut self, _on: bool) -> io::Result<()> {
        Ok(())
    }

    fn handle(&self) -> Option<Handle<'_>> {
        Some(self.connection.socket.handle())
    }

    /// What the server had to say is read first: a write fails as soon as it has hung up.
    fn loss(&mut self) -> io::Error {
        let mut buffer = [0; 4096];
        while self.ahead.len() < AHEAD_MAX
            && let Ok(length) = self.connection.read(&mut buffer)
        {
            self.connection.note(&buffer[..length]);
            self.ahead.extend(&buffer[..length]);
        }
        self.connection.loss()
    }
}
