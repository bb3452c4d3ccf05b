//! `sim:`, the built-in virtual meter as a line: the wire model under the real clock.
//!
//! It is what a pseudo-terminal with a meter on it would be, but for the time that characters take: plain characters,
//! no modem lines.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::Instant;

use crate::line::{Line, Options, Parity};
use crate::meter::Meter;
use crate::meter::scenario::{self, UnknownScenario};
use crate::meter::wire::{Pace, Wire};
use crate::protocol::parity;
use crate::protocol::settings::{Framing, Settings};

/// Characters that fit into the line before the first of them has arrived, as into the buffer of a serial port.
const ROOM: usize = 4096;

/// The built-in meter.
pub(super) struct SimLine {
    wire: Wire,
    adds_parity: bool,
}

impl SimLine {
    pub(super) fn open(names: &str, options: Options) -> Result<Self, UnknownScenario> {
        let now = Instant::now();
        let meter = Meter::new(scenario::behaviour(names)?, now);
        let adds_parity = matches!(options.parity, Parity::Hardware | Parity::Software);
        Ok(Self { wire: Wire::new(meter, Pace::Real, options.settings, now), adds_parity })
    }

    fn check(&self, now: Instant) -> io::Result<()> {
        if self.wire.is_gone(now) { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }
}

impl Line for SimLine {
    fn configure(&mut self, settings: Settings) -> io::Result<()> {
        let now = Instant::now();
        self.check(now)?;
        self.wire.configure(settings, now);
        Ok(())
    }

    fn distrust_hardware_parity(&mut self) {}

    fn shows_parity(&self) -> bool {
        self.adds_parity
    }

    fn is_hardware(&self) -> bool {
        false
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let now = Instant::now();
        self.check(now)?;
        let bytes = &bytes[..bytes.len().min(ROOM.saturating_sub(self.wire.under_way(now)))];
        if bytes.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        if self.adds_parity && self.wire.settings().framing == Framing::SevenEven {
            self.wire.transmit(&parity::all_with_even(bytes), now);
        } else {
            self.wire.transmit(bytes, now);
        }
        Ok(bytes.len())
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let now = Instant::now();
        let received = self.wire.receive_some(now, buffer.len());
        if received.is_empty() {
            self.check(now)?;
            return Err(io::ErrorKind::WouldBlock.into());
        }
        buffer[..received.len()].copy_from_slice(&received);
        Ok(received.len())
    }

    fn drained(&mut self) -> io::Result<bool> {
        Ok(self.wire.drained(Instant::now()))
    }

    fn set_break(&mut self, on: bool) -> io::Result<()> {
        if on {
            self.wire.send_break(Instant::now());
        }
        Ok(())
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    fn wake_at(&self) -> Option<Instant> {
        self.wire.next_event()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_line_takes_no_more() {
        let settings = Settings::eight_none(300);
        let options = Options { parity: Parity::Auto, dtr: true, rts: true, settings };
        let mut line = SimLine::open("", options).unwrap();
        assert_eq!(line.write(&[0; 2 * ROOM]).unwrap(), ROOM);
        // Some characters have arrived meanwhile, on a slow machine.
        let more: usize = (0..100).filter_map(|_| line.write(&[0; 1 << 20]).ok()).sum();
        assert!(more < ROOM, "{more}");
    }
}
