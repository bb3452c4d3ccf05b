//! `rfc2217://`: a serial port at the far end of a Telnet connection, whose rate, framing, DTR, RTS and BREAK are set there.
//!
//! The parts are pure: [`telnet`] and [`comport`] are what is on the connection, [`client`] knows what was asked and
//! answered, `flight` what the server's port still holds. `opening` waits until the port is ours and as it should be; here
//! it is a line.

pub mod client;
pub mod comport;
mod flight;
mod opening;
pub mod server;
pub mod telnet;

use std::io;
use std::time::{Duration, Instant};

use super::connection::Connection;
use super::{Line, Nature, Refused};
use crate::os::{Handle, Interest, wait};
use crate::protocol::parity::{self, Parity};
use crate::protocol::settings::{Framing, Settings};

use client::{Client, ComPort};
use comport::control;
use flight::Flight;

/// Bytes that may wait for a slow network before no more are taken.
const OUTPUT_MAX: usize = 16 * 1024;

/// Bytes read from the connection at once.
const READ_MAX: usize = 16 * 1024;

/// Longest delay of an end for the server's old settings to arrive.
const PARTING_MAX: Duration = Duration::from_millis(300);

/// A port behind a serial server.
pub(super) struct Rfc2217Line {
    connection: Connection,
    client: Client,
    nature: Nature,
    /// What the line is set to.
    settings: Settings,
    /// Whether we compute parity at the moment.
    computes: bool,
    flight: Flight,
    lost: bool,
    remarks: Vec<String>,
}

impl Rfc2217Line {
    /// Sends what is to be sent, as far as it fits.
    fn flush(&mut self) -> io::Result<()> {
        while !self.client.output().is_empty() {
            match self.connection.write(self.client.output()) {
                Ok(length) => self.client.sent(length),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => return Err(self.loss()),
            }
        }
        Ok(())
    }

    /// Takes what has come, at most one buffer of it.
    fn take_in(&mut self) -> io::Result<()> {
        let mut buffer = [0; READ_MAX];
        let length = self.connection.read(&mut buffer).inspect_err(|error| {
            self.lost |= error.kind() != io::ErrorKind::WouldBlock;
        })?;
        let known = self.client.received().len();
        self.client.receive(&buffer[..length]);
        let new: Vec<u8> = self.client.received().iter().skip(known).take(256).copied().collect();
        self.connection.note(&new);
        self.flight.answered(self.client.questions_answered(), Instant::now());
        Ok(())
    }

    /// Asks behind the data whether they have arrived.
    fn ask(&mut self) {
        let question = self.client.ask();
        self.flight.asked(question, Instant::now());
    }

    /// Asks the server for these settings; at 7E1 only where it computes parity.
    fn set(&mut self, settings: Settings, parity: Parity) {
        let seven_even = settings.framing == Framing::SevenEven;
        self.settings = settings;
        self.computes = seven_even && parity == Parity::Software;
        let theirs = if seven_even && parity == Parity::Hardware {
            settings
        } else {
            Settings::eight_none(settings.baud)
        };
        if self.client.wanted() != Some(theirs) {
            self.client.set(theirs);
        }
    }
}

impl Line for Rfc2217Line {
    fn nature(&self) -> Nature {
        self.nature
    }

    fn configure(&mut self, settings: Settings, parity: Parity) -> io::Result<()> {
        self.set(settings, parity);
        self.flush()
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.flush()?;
        let room = OUTPUT_MAX.saturating_sub(self.client.output().len());
        let bytes = &bytes[..bytes.len().min(room)];
        if bytes.is_empty() || self.client.is_suspended() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        if self.computes {
            self.client.send(&parity::all_with_even(bytes));
        } else {
            self.client.send(bytes);
        }
        self.flight.sent(self.settings.wire_time(bytes.len()), Instant::now());
        if self.settings.framing == Framing::SevenEven {
            // It may be the acknowledgement, and the time until the change of rate runs from the answer.
            self.ask();
        }
        self.flush()?;
        Ok(bytes.len())
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // What came before the connection was lost is still to be had.
        let took_in = if self.client.received().is_empty() { self.take_in() } else { Ok(()) };
        let length = self.client.take(buffer);
        if length > 0 {
            return Ok(length);
        }
        took_in?;
        // There was something to answer, and nothing for the line.
        self.flush()?;
        Err(io::ErrorKind::WouldBlock.into())
    }

    fn drained(&mut self) -> io::Result<bool> {
        if self.flight.is_open() {
            self.ask();
        }
        self.flush()?;
        match self.take_in() {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
            _ => {}
        }
        Ok(self.flight.has_landed(self.nature.round_trip, Instant::now()))
    }

    fn set_break(&mut self, on: bool) -> io::Result<()> {
        self.client.control(if on { control::BREAK_ON } else { control::BREAK_OFF });
        self.flush()
    }

    fn set_modem_lines(&mut self, dtr: bool, rts: bool) {
        self.client.control(if dtr { control::DTR_ON } else { control::DTR_OFF });
        self.client.control(if rts { control::RTS_ON } else { control::RTS_OFF });
        // A line that is lost is noticed where it is read.
        let _ = self.flush();
    }

    fn handle(&self) -> Option<Handle<'_>> {
        Some(self.connection.socket.handle())
    }

    fn interest(&self, read: bool, write: bool) -> Interest<'_> {
        // A server that wants no data is ready for them all the same, as far as the system knows.
        let write = (write && !self.client.is_suspended()) || !self.client.output().is_empty();
        Interest { handle: self.handle(), read, write }
    }

    fn move_on(&mut self) -> io::Result<()> {
        self.flush()
    }

    fn poll_at(&self) -> Option<Instant> {
        (!self.client.received().is_empty()).then(Instant::now)
    }

    fn refused(&self) -> Option<Refused> {
        let wanted = self.settings.baud;
        if let Some(kept) = self.client.other_rate() {
            return Some(Refused::Rate { wanted, kept });
        }
        self.client.lacks_eighth_bit().then_some(Refused::EighthBit)
    }

    /// What the server had to say is read first: a write fails as soon as it has hung up.
    fn loss(&mut self) -> io::Error {
        while self.client.received().len() < OUTPUT_MAX && self.take_in().is_ok() {}
        self.lost = true;
        self.connection.loss()
    }

    fn remarks(&self) -> Vec<String> {
        self.remarks.clone()
    }
}

impl Drop for Rfc2217Line {
    fn drop(&mut self) {
        if self.lost || self.client.com_port() != ComPort::Agreed {
            return;
        }
        let rate = self.client.first_rate().unwrap_or(self.settings.baud);
        self.client.set(Settings::eight_none(rate));
        let until = Instant::now() + PARTING_MAX;
        let mut finished = false;
        // A connection that is closed with bytes unread is reset, and what was sent last may be lost with it: we stay
        // until the server has closed its side, too.
        while self.flush().is_ok() && Instant::now() < until {
            let pending = !self.client.output().is_empty();
            if !pending && !finished && self.client.answered().rate.is_some() {
                self.connection.socket.finish();
                finished = true;
            }
            let interest = Interest { handle: self.handle(), read: true, write: pending };
            let took_in = wait([interest], Some(until)).and_then(|_| self.take_in());
            self.client.discard();
            if took_in.is_err_and(|error| error.kind() != io::ErrorKind::WouldBlock) {
                return;
            }
        }
    }
}
