//! `sim:`, the built-in virtual meter as a line: the wire model under the real clock.
//!
//! It is what a pseudo-terminal with a meter on it would be, but for the time that characters take: plain characters,
//! no modem lines.

use std::io;
use std::time::{Duration, Instant};

use crate::line::{Line, Nature, Options};
use crate::meter::Meter;
use crate::meter::scenario::{self, UnknownScenario};
use crate::meter::wire::{Pace, Wire};
use crate::os::Handle;
use crate::protocol::parity::{self, Parity};
use crate::protocol::settings::{Framing, Settings};
use crate::protocol::timing;

/// Characters that fit into the line before the first of them has arrived, as into the buffer of a serial port.
const ROOM: usize = 4096;

/// The built-in meter.
pub(super) struct SimLine {
    wire: Wire,
    /// As asked for: a plain line has no driver that could compute parity, so we do.
    wanted: Parity,
    parity: Parity,
}

impl SimLine {
    pub(super) fn open(names: &str, options: Options) -> Result<Self, UnknownScenario> {
        let now = Instant::now();
        let meter = Meter::new(scenario::behaviour(names)?, now);
        let wanted = match options.parity {
            None | Some(Parity::None) => Parity::None,
            Some(Parity::Hardware | Parity::Software) => Parity::Software,
        };
        let wire = Wire::new(meter, Pace::Real, options.settings, now);
        Ok(Self { wire, wanted, parity: wanted })
    }

    fn check(&self, now: Instant) -> io::Result<()> {
        if self.wire.is_gone(now) { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }
}

impl Line for SimLine {
    fn nature(&self) -> Nature {
        Nature {
            parities: [self.wanted; 2],
            warm_up: Duration::ZERO,
            lag: timing::PTY_LAG,
            fixed_rate: false,
            round_trip: Duration::ZERO,
        }
    }

    fn configure(&mut self, settings: Settings, parity: Parity) -> io::Result<()> {
        let now = Instant::now();
        self.check(now)?;
        self.parity = parity;
        self.wire.configure(settings, now);
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let now = Instant::now();
        self.check(now)?;
        let bytes = &bytes[..bytes.len().min(ROOM.saturating_sub(self.wire.under_way(now)))];
        if bytes.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        if self.parity == Parity::Software && self.wire.settings().framing == Framing::SevenEven {
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

    fn handle(&self) -> Option<Handle<'_>> {
        None
    }

    fn poll_at(&self) -> Option<Instant> {
        self.wire.next_event()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_line_takes_no_more() {
        let settings = Settings::eight_none(300);
        let options = Options { parity: None, dtr: true, rts: true, settings };
        let mut line = SimLine::open("", options).unwrap();
        assert_eq!(line.write(&[0; 2 * ROOM]).unwrap(), ROOM);
        // Some characters have arrived meanwhile, on a slow machine.
        let more: usize = (0..100).filter_map(|_| line.write(&[0; 1 << 20]).ok()).sum();
        assert!(more < ROOM, "{more}");
    }
}
