//! Both ends of a line under a clock that jumps: a machine against a virtual meter, whole sign-ons in microseconds.
//!
//! It does what `driver::Driver` does on a real line. A message that takes 167 ms at 300 Bd, or a meter that is waited
//! for in vain, costs no time here, because the clock goes straight to whatever happens next.

use std::time::{Duration, Instant};

use crate::machine::{Action, Machine, Step};
use crate::meter::behaviour::Behaviour;
use crate::meter::wire::{Pace, Wire};
use crate::meter::{Meter, Responder};
use crate::protocol::parity::{self, Parity};
use crate::protocol::settings::{Framing, Settings};
use crate::record::observer::Observer;

/// How often an adapter is asked whether everything has left.
const DRAIN_POLL: Duration = Duration::from_millis(1);

/// A line to something that responds, and a clock that jumps.
#[derive(Debug)]
pub struct Simulated<R> {
    /// The line.
    pub wire: Wire<R>,
    /// What the clock says.
    pub now: Instant,
    parity: Parity,
}

/// Carries a machine through against a meter that behaves so, from `began` on: its outcome, and when it came to it;
/// none if the port goes away first.
pub fn simulate<M: Machine>(
    machine: &mut M,
    behaviour: Behaviour,
    began: Instant,
) -> Option<(M::Outcome, Instant)> {
    struct Nobody;
    impl Observer for Nobody {}
    let mut line = Simulated::new(Meter::new(behaviour, began), began);
    line.run(machine, &mut Nobody).map(|outcome| (outcome, line.now))
}

impl<R: Responder> Simulated<R> {
    /// A line that is opened at `now`.
    pub fn new(responder: R, now: Instant) -> Self {
        let wire = Wire::new(responder, Pace::Real, Settings::eight_none(9600), now);
        Self { wire, now, parity: Parity::None }
    }

    /// Carries a machine through to its outcome; none if the port goes away first.
    pub fn run<M: Machine>(&mut self, machine: &mut M, observer: &mut dyn Observer) -> Option<M::Outcome> {
        while !self.wire.is_gone(self.now) {
            match machine.poll(self.now) {
                Step::Do(Action::Configure { settings, parity, drain }) => {
                    while drain && !self.wire.drained(self.now) {
                        self.now += DRAIN_POLL;
                    }
                    self.wire.configure(settings, self.now);
                    self.parity = parity;
                    observer.configured(settings, self.now);
                }
                Step::Do(Action::Transmit(message)) => {
                    self.send(&message, observer);
                    machine.sent(self.now);
                }
                Step::Do(Action::Break(length)) => {
                    observer.broke(length, self.now);
                    self.wire.send_break(self.now);
                    self.now += length;
                }
                Step::Do(Action::ModemLines { dtr, rts }) => self.wire.set_modem_lines((dtr, rts), self.now),
                Step::Wait(until) => {
                    let received = self.receive(until, observer);
                    if !received.is_empty() {
                        machine.receive(&received, self.now);
                    }
                }
                Step::Done(outcome) => return Some(outcome),
            }
        }
        None
    }

    /// Sends a message, as the line is set.
    pub fn send(&mut self, message: &[u8], observer: &mut dyn Observer) {
        observer.transmitted(message, self.now);
        let adds = self.parity != Parity::None && self.wire.settings().framing == Framing::SevenEven;
        if adds {
            self.wire.transmit(&parity::all_with_even(message), self.now);
        } else {
            self.wire.transmit(message, self.now);
        }
    }

    /// What has come at the next event, or by `until` where that is sooner.
    pub fn receive(&mut self, until: Instant, observer: &mut dyn Observer) -> Vec<u8> {
        self.now = self.wire.next_event().map_or(until, |next| next.min(until)).max(self.now);
        let received = self.wire.receive(self.now);
        if !received.is_empty() {
            observer.received(&received, self.now);
        }
        received
    }
}
