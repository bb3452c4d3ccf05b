//! The one loop that owns time: it carries out what a [`Machine`] wants on a [`Line`], and waits.

use std::io;
use std::time::{Duration, Instant};

use crate::line::Line;
use crate::machine::{Action, Machine, Step};
use crate::os::{Interest, Interrupt, wait};
use crate::protocol::settings::Settings;
use crate::protocol::timing;
use crate::record::observer::Observer;

/// How often an adapter is asked whether everything has left.
const DRAIN_POLL: Duration = Duration::from_millis(1);

/// An adapter that has not sent a message this long after it should have is not asked any more.
const DRAIN_LIMIT: Duration = Duration::from_millis(1000);

/// Longest delay of an end by signal, for a last message.
const PARTING_MAX: Duration = Duration::from_millis(60);

/// Why a sign-on did not come to an end of its own.
#[derive(Debug, thiserror::Error)]
pub enum Stopped {
    /// A signal came.
    #[error("signal {0}")]
    Signal(i32),
    /// The line was lost.
    #[error("the line was lost: {0}")]
    LineLost(io::Error),
}

/// A line in the hands of a driver, with what it waits for beside bytes.
pub struct Driver<'a> {
    /// The line.
    pub line: &'a mut dyn Line,
    /// What can interrupt every wait.
    pub interrupt: &'a Interrupt,
    /// Who watches.
    pub observer: &'a mut dyn Observer,
}

impl Driver<'_> {
    /// Carries a machine through to its outcome.
    pub fn run<M: Machine>(&mut self, machine: &mut M) -> Result<M::Outcome, Stopped> {
        let mut buffer = [0; 4096];
        loop {
            match machine.poll(Instant::now()) {
                Step::Do(Action::Configure { settings, parity, drain }) => {
                    if drain {
                        self.drain()?;
                    }
                    self.line.configure(settings, parity).map_err(Stopped::LineLost)?;
                    self.observer.configured(settings, Instant::now());
                }
                Step::Do(Action::Transmit(message)) => {
                    self.transmit(&message)?;
                    machine.sent(Instant::now());
                }
                Step::Do(Action::Break(length)) => {
                    self.observer.broke(length, Instant::now());
                    self.line.set_break(true).map_err(Stopped::LineLost)?;
                    let paused = self.pause(Instant::now() + length);
                    self.line.set_break(false).map_err(Stopped::LineLost)?;
                    paused?;
                }
                Step::Do(Action::ModemLines { dtr, rts }) => self.line.set_modem_lines(dtr, rts),
                Step::Wait(until) => {
                    if let Some(progress) = machine.progress() {
                        self.observer.waiting(&progress, Instant::now());
                    }
                    let look = self.observer.interval().map(|interval| Instant::now() + interval);
                    let until = look.map_or(until, |look| look.min(until));
                    if let Some(length) = self.receive(&mut buffer, until)? {
                        machine.receive(&buffer[..length], Instant::now());
                    }
                }
                Step::Done(outcome) => return Ok(outcome),
            }
        }
    }

    /// Sends a frame without waiting for anything but its way out, and not long for that: a signal wants us to end.
    pub fn send_at_once(&mut self, frame: &[u8], settings: Settings) {
        if self.line.write(frame).is_ok() {
            self.observer.transmitted(frame, Instant::now());
            let way_out = settings.wire_time(frame.len()) + timing::SWITCH_MARGIN;
            std::thread::sleep(way_out.min(PARTING_MAX));
        }
    }

    /// Waits until everything written has left, so that the line can be closed without cutting it. A signal ends that
    /// wait as any other: what is still on its way is lost then.
    pub fn depart(&mut self) -> Result<(), Stopped> {
        if let Some(at) = self.line.leaves() {
            self.pause(at)?;
        }
        self.drain()
    }

    /// Lets time pass on a line that is not lost meanwhile; what is received is left on it.
    pub fn pause(&mut self, until: Instant) -> Result<(), Stopped> {
        while Instant::now() < until {
            let interrupt = Interest::read(Some(self.interrupt.handle()));
            let line = self.line.interest(false, false);
            let [_, line] = wait([interrupt, line], Some(until)).map_err(Stopped::LineLost)?;
            self.check()?;
            if line.write {
                self.line.move_on().map_err(Stopped::LineLost)?;
            }
            if line.error {
                return Err(Stopped::LineLost(self.line.loss()));
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<(), Stopped> {
        self.interrupt.signal().map_or(Ok(()), |signal| Err(Stopped::Signal(signal)))
    }

    fn transmit(&mut self, message: &[u8]) -> Result<(), Stopped> {
        let mut left = message;
        let give_up = Instant::now() + timing::REACTION_MAX;
        while !left.is_empty() {
            match self.line.write(left) {
                Ok(written) => left = &left[written..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && Instant::now() < give_up => {
                    self.pause(Instant::now() + DRAIN_POLL)?;
                }
                Err(error) => return Err(Stopped::LineLost(error)),
            }
        }
        self.observer.transmitted(message, Instant::now());
        Ok(())
    }

    fn drain(&mut self) -> Result<(), Stopped> {
        let give_up = Instant::now() + DRAIN_LIMIT;
        while !self.line.drained().map_err(Stopped::LineLost)? && Instant::now() < give_up {
            self.pause(Instant::now() + DRAIN_POLL)?;
        }
        Ok(())
    }

    /// Waits for bytes until the instant given; how many came, if any.
    fn receive(&mut self, buffer: &mut [u8], until: Instant) -> Result<Option<usize>, Stopped> {
        self.check()?;
        let until = self.line.poll_at().map_or(until, |at| at.min(until));
        let interests = [Interest::read(Some(self.interrupt.handle())), self.line.interest(true, false)];
        wait(interests, Some(until)).map_err(Stopped::LineLost)?;
        self.check()?;
        match self.line.read(buffer) {
            Ok(length) => {
                self.observer.received(&buffer[..length], Instant::now());
                Ok(Some(length))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(Stopped::LineLost(error)),
        }
    }
}
