//! The line between a reader and the virtual meter, in memory: characters that take their time, at rates that agree
//! or do not.
//!
//! It knows what a pair of wires, a head and an adapter know: a character in flight at a change of rate is lost, a
//! character at another rate arrives as others, a head may echo, an adapter may lag and say otherwise. Only instants
//! go in; whoever has a clock can use it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::meter::{Meter, Responder};
use crate::protocol::baud;
use crate::protocol::message;
use crate::protocol::parity;
use crate::protocol::settings::{Framing, Settings};

/// The line between a reader and a meter, or what stands in for one.
#[derive(Debug)]
pub struct Wire<M = Meter> {
    meter: M,
    pace: Pace,
    reader: Settings,
    /// The reader's levels of DTR and RTS.
    modem_lines: (bool, bool),
    /// Characters of the reader that have not all arrived, and when the last of them will have left.
    outward: VecDeque<Flight>,
    outward_free: Instant,
    /// Characters of the meter and of the head's echo.
    inward: VecDeque<Flight>,
    inward_free: Instant,
    arrived: Vec<u8>,
}

/// Whether characters take their time on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// As on a real line; a change of rate cuts characters that have not left.
    Real,
    /// Answers after the identification take none at a rate that agrees, and the reader's characters arrive at the rate
    /// at which they were handed over: for readers on a pseudo-terminal, which know nothing of time. The meter still
    /// reacts to the last stop bit that a message would have had, so that a reader has the time to change its rate.
    Lenient,
}

#[derive(Clone, Copy, Debug)]
struct Flight {
    byte: u8,
    settings: Settings,
    start: Instant,
    end: Instant,
    returns: Option<Returns>,
}

/// How the head returns a character.
#[derive(Clone, Copy, Debug)]
struct Returns {
    /// From its last bit to the end of its first copy, and from one copy to the next.
    after: Duration,
    again: Duration,
    copies: u32,
    /// Whether it arrives as it is, whatever the rate has become.
    whole: bool,
}

impl<M: Responder> Wire<M> {
    /// A line to `meter`, opened at `now` by a reader that is set to `reader`.
    pub fn new(meter: M, pace: Pace, reader: Settings, now: Instant) -> Self {
        Self {
            meter,
            pace,
            reader,
            modem_lines: (true, true),
            outward: VecDeque::new(),
            outward_free: now,
            inward: VecDeque::new(),
            inward_free: now,
            arrived: Vec::new(),
        }
    }

    /// The meter at the other end.
    pub fn meter(&self) -> &M {
        &self.meter
    }

    /// What the reader's side is set to.
    pub fn settings(&self) -> Settings {
        self.reader
    }

    /// Hands bytes over to the adapter at `now`: the eight bits between start and stop bit.
    pub fn transmit(&mut self, bytes: &[u8], now: Instant) {
        self.advance(now);
        let lag = self.meter.adapter_lag().unwrap_or_default();
        for &byte in bytes {
            let start = self.outward_free.max(now + lag);
            let end = start + self.reader.character();
            self.outward.push_back(Flight { byte, settings: self.reader, start, end, returns: None });
            self.outward_free = end;
        }
        self.plan_echo(bytes);
    }

    /// What the head will do with the message that was handed over last.
    fn plan_echo(&mut self, message: &[u8]) {
        let Some(echo) = self.meter.echo() else { return };
        let is_acknowledgement = message.first().is_some_and(|&byte| parity::strip(byte) == message::ACK);
        let cut = if is_acknowledgement { echo.cut.min(message.len()) } else { 0 };
        let (left, character) = (self.outward_free, self.reader.character());
        let flights = self.outward.iter_mut().rev().take(message.len()).skip(cut);
        for flight in flights {
            let after = echo.packed.map_or(character * echo.late, |lag| left - flight.end + lag);
            let (again, copies) = (self.reader.wire_time(message.len()), echo.copies);
            flight.returns = Some(Returns { after, again, copies, whole: echo.packed.is_some() });
        }
    }

    /// Characters that the adapter was given and that have not arrived by `now`.
    pub fn under_way(&mut self, now: Instant) -> usize {
        self.advance(now);
        self.outward.len()
    }

    /// Whether the adapter says that everything handed over has left.
    pub fn drained(&self, now: Instant) -> bool {
        self.meter.adapter_lag().is_some() || now >= self.outward_free
    }

    /// Sets the reader's side at `now`.
    pub fn configure(&mut self, settings: Settings, now: Instant) {
        self.advance(now);
        if self.pace == Pace::Real && settings.baud != self.reader.baud {
            let mut free = now;
            for flight in &mut self.outward {
                if flight.start < now {
                    // Its tail goes out at the new rate: nothing that the meter could read.
                    flight.byte = 0xFF;
                } else {
                    flight.start = free;
                }
                flight.settings = settings;
                flight.end = flight.start.max(now) + settings.character();
                free = flight.end;
            }
            self.outward_free = free;
        }
        self.reader = settings;
    }

    /// Holds the reader's side at break: the meter sees a NUL.
    pub fn send_break(&mut self, now: Instant) {
        self.transmit(&[0], now);
        self.meter.line_break(now);
    }

    /// Sets the reader's levels of DTR and RTS.
    pub fn set_modem_lines(&mut self, levels: (bool, bool), now: Instant) {
        self.advance(now);
        self.modem_lines = levels;
    }

    /// Whether the head has power: without it, light goes neither way.
    fn is_powered(&self) -> bool {
        self.meter.powered_by().is_none_or(|levels| levels == self.modem_lines)
    }

    /// Takes what the reader has received by `now`.
    pub fn receive(&mut self, now: Instant) -> Vec<u8> {
        self.advance(now);
        std::mem::take(&mut self.arrived)
    }

    /// Takes what the reader has received by `now`, at most this many bytes.
    pub fn receive_some(&mut self, now: Instant, most: usize) -> Vec<u8> {
        self.advance(now);
        let rest = self.arrived.split_off(most.min(self.arrived.len()));
        std::mem::replace(&mut self.arrived, rest)
    }

    /// The rate in Bd that the meter's side of the line is set to.
    pub fn meter_rate(&self) -> u32 {
        self.inward.front().map_or_else(|| self.meter.own_rate(), |flight| flight.settings.baud)
    }

    /// Whether the port has gone away by `now`.
    pub fn is_gone(&self, now: Instant) -> bool {
        self.meter.unplugged_at().is_some_and(|at| now >= at)
    }

    /// When something happens next, if nobody does anything.
    pub fn next_event(&self) -> Option<Instant> {
        if !self.arrived.is_empty() {
            return Some(self.inward_free.min(self.outward_free));
        }
        let emission = self.meter.next_emission().map(|at| at.max(self.inward_free));
        let outward = self.outward.front().map(|flight| flight.end);
        let inward = self.inward.front().map(|flight| flight.end);
        [emission, outward, inward, self.meter.deadline(), self.meter.unplugged_at()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Lets everything happen that happens until `now`, in its order.
    fn advance(&mut self, now: Instant) {
        loop {
            let outward = self.outward.front().map(|flight| flight.end);
            let inward = self.inward.front().map(|flight| flight.end);
            let emission = self.meter.next_emission().map(|at| at.max(self.inward_free));
            let deadline = self.meter.deadline();
            let Some(next) = [outward, inward, emission, deadline].into_iter().flatten().min() else {
                return;
            };
            if next > now || self.is_gone(next) {
                return;
            }
            if inward == Some(next) {
                let flight = self.inward.pop_front().expect("it is the next event");
                if self.is_powered() {
                    let whole = flight.returns.is_some_and(|returns| returns.whole);
                    let sent = if whole { self.reader } else { flight.settings };
                    let byte = seen_in(flight.byte, sent.framing, self.reader.framing);
                    self.arrived.extend(seen_at(byte, sent.baud, self.reader.baud));
                }
            } else if outward == Some(next) {
                let flight = self.outward.pop_front().expect("it is the next event");
                self.echo(flight);
                let sent = flight.settings.baud;
                if !self.is_powered() {
                    continue;
                }
                for byte in seen_at(flight.byte, sent, self.meter.rate(sent)) {
                    self.meter.receive(byte, sent, next);
                }
            } else if emission == Some(next) {
                let emission = self.meter.emit().expect("it is the next event");
                self.fly(emission.byte, emission.settings, next);
            } else {
                self.meter.poll(next);
            }
        }
    }

    /// The head's echo of a character that has left the reader.
    fn echo(&mut self, flight: Flight) {
        let Some(returns) = flight.returns else { return };
        for copy in 0..returns.copies {
            let end = flight.end + returns.after + returns.again * copy;
            self.inward.push_back(Flight { end, ..flight });
        }
        self.inward.make_contiguous().sort_by_key(|flight| flight.end);
    }

    /// A character of the meter.
    fn fly(&mut self, byte: u8, settings: Settings, start: Instant) {
        // A reader at another rate must see for how long it is talked to: that is how a slow readout is known.
        let paced = self.pace == Pace::Real || settings.baud != self.reader.baud;
        let length = if paced { settings.character() } else { Duration::ZERO };
        let end = start + length;
        self.inward_free = end;
        self.inward.push_back(Flight { byte, settings, start, end, returns: None });
    }
}

/// What a receiver with one framing makes of a character with another: where the parity bit of 8E1 is 0, it is no stop
/// bit to 8N1 or 7E1, and the character is lost.
fn seen_in(byte: u8, sender: Framing, receiver: Framing) -> u8 {
    let is_framed = sender != Framing::EightEven || receiver == Framing::EightEven || !parity::is_even(byte);
    if is_framed { byte } else { 0 }
}

/// What a receiver at `receiver` Bd makes of a character sent at `sender` Bd on a line that is otherwise idle.
///
/// It waits for a falling edge, samples eight bits in their middles, and begins anew where the stop bit should be.
fn seen_at(byte: u8, sender: u32, receiver: u32) -> Vec<u8> {
    if baud::agree(sender, receiver) {
        return vec![byte];
    }
    // Time in units of 1 / (2 x sender x receiver) seconds.
    let (sent_bit, received_bit) = (2 * u64::from(receiver), 2 * u64::from(sender));
    let level = |time: u64| match time / sent_bit {
        0 => false,
        bit @ 1..=8 => byte >> (bit - 1) & 1 == 1,
        _ => true,
    };
    let mut seen = Vec::new();
    let mut start = 0;
    loop {
        let sample = |bit: u64| level(start + bit * received_bit + received_bit / 2);
        seen.push((1..=8).fold(0, |byte, bit| byte | u8::from(sample(bit)) << (bit - 1)));
        // On to the next falling edge behind the middle of the stop bit.
        let mut time = start + 9 * received_bit + received_bit / 2;
        let mut high = level(time);
        loop {
            time = (time / sent_bit + 1) * sent_bit;
            if time >= 10 * sent_bit {
                return seen;
            }
            if high && !level(time) {
                break;
            }
            high = level(time);
        }
        start = time;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_at_its_own_rate_is_itself() {
        for byte in 0..=255 {
            assert_eq!(seen_at(byte, 9600, 9600), [byte]);
            assert_eq!(seen_at(byte, 9600, 9500), [byte]);
        }
    }

    #[test]
    fn a_slow_character_arrives_as_several() {
        let seen = seen_at(b'U', 300, 9600);
        assert_eq!(seen.len(), 5, "{seen:x?}");
        assert!(seen.iter().all(|&byte| byte == 0));
        assert_eq!(seen_at(b'U', 9600, 300).len(), 1);
    }
}
