//! The raw byte pipe: after a sign-on, or without one, a line on a pair of streams.
//!
//! What is to happen is the [`Carrier`]'s to say; the loop here does it, and waits. It is the same for our own stdin and
//! stdout and for those of a command. Each direction has a buffer of its own: a side is read only while its buffer has
//! room, and what was read is written before anybody waits again.

mod carrier;
mod queue;

use std::io;
use std::time::{Duration, Instant};

use crate::line::Line;
use crate::os::{Child, Input, Interest, Interrupt, Output, Readiness, wait};
use crate::record::observer::Observer;

pub use carrier::{Carrier, End, Plan, User, Wants};

/// Most that is read of the input at once: who fills it is woken while the line is still busy with the last of it.
const READ_MAX: usize = 16 * 1024;

/// How often a command is asked whether it has ended, where the system cannot say so by itself.
const CHILD_POLL: Duration = Duration::from_millis(5);

/// Most that a command can have written and not seen read when it ends: what a pipe holds.
const LEFT_BEHIND_MAX: usize = 64 * 1024;

/// Whom a pipe carries bytes for.
#[derive(Debug)]
pub struct Far {
    /// Where bytes for the line come from.
    pub input: Input,
    /// Where bytes of the line go; it is closed as soon as nothing more will come.
    pub output: Option<Output>,
    /// The program whose streams these are.
    pub child: Option<Child>,
}

/// Carries bytes between a line and the streams until one of the ends that [`End`] names. What was written to the line
/// may still be on its way then, where the output was closed or time was up: see `Driver::depart`.
pub fn carry(
    line: &mut dyn Line,
    far: &mut Far,
    plan: &Plan,
    interrupt: &Interrupt,
    observer: &mut dyn Observer,
) -> End {
    let carrier = Carrier::new(plan, Instant::now());
    let left_behind = LEFT_BEHIND_MAX;
    Loop { line, far, observer, carrier, line_full: false, output_full: false, ended: false, left_behind }
        .run(interrupt)
}

/// A pipe at work.
struct Loop<'a> {
    line: &'a mut dyn Line,
    far: &'a mut Far,
    observer: &'a mut dyn Observer,
    carrier: Carrier,
    /// Whether the line took less than it was offered, and has not said since that it takes more.
    line_full: bool,
    output_full: bool,
    /// Whether the command has ended.
    ended: bool,
    /// What may still be read of a command that has ended: a program that it leaves behind can hold its stdout open.
    left_behind: usize,
}

impl Loop<'_> {
    fn run(mut self, interrupt: &Interrupt) -> End {
        if let Some(signal) = interrupt.signal() {
            return End::Signal(signal);
        }
        let mut now = Instant::now();
        loop {
            let wants = match self.write(now) {
                Ok(wants) => wants,
                Err(error) => return End::Output(error),
            };
            if let Some(end) = self.carrier.end(now) {
                return end;
            }
            let line = if wants.line {
                self.line.interest(wants.line_read, wants.line_write)
            } else {
                Interest::default()
            };
            // A stdin whose writer has gone says so at every poll: it is not asked while there is no room.
            let input = Interest::read(Some(self.far.input.handle()).filter(|_| wants.input));
            // Always watched: a closed reader is only seen as an error.
            let output = self.far.output.as_ref().map(Output::handle);
            let output = Interest { handle: output, read: false, write: wants.output_write };
            let child = self.far.child.as_ref().filter(|_| !self.ended);
            let interests = [
                Interest::read(Some(interrupt.handle())),
                line,
                input,
                output,
                Interest::read(child.and_then(Child::handle)),
            ];
            let found = match wait(interests, self.until(&wants, now)) {
                Ok(found) => found,
                Err(error) => return End::Output(error),
            };
            now = Instant::now();
            let [interrupted, line, input, output, child] = found;
            if interrupted.any()
                && let Some(signal) = interrupt.signal()
            {
                return End::Signal(signal);
            }
            self.take_output(output);
            self.take_input(input, &wants, now);
            self.take_line(line, &wants, now);
            self.ask_child(child);
        }
    }

    /// Writes what there is, as far as it is taken; what is wanted then.
    fn write(&mut self, now: Instant) -> io::Result<Wants> {
        let mut wants = self.carrier.wants(now);
        if wants.output_write
            && !self.output_full
            && let Some(output) = &mut self.far.output
        {
            let offered = self.carrier.for_output();
            match output.write(offered) {
                Ok(length) => {
                    self.output_full = length < offered.len();
                    self.carrier.output_took(length, now);
                }
                Err(error) if is_transient(&error) => self.output_full = true,
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => self.close_output(),
                Err(error) => return Err(error),
            }
            wants = self.carrier.wants(now);
        }
        if wants.line_write && !self.line_full {
            let offered = self.carrier.for_line();
            match self.line.write(offered) {
                Ok(length) => {
                    self.line_full = length < offered.len();
                    self.observer.transmitted(&offered[..length], now);
                    self.carrier.line_took(length, self.line.leaves(), now);
                }
                Err(error) if is_transient(&error) => self.line_full = true,
                Err(_) => {
                    // What it has received before it was lost is still worth having.
                    while self.read_line(now) {}
                    self.carrier.line_lost(now);
                }
            }
            wants = self.carrier.wants(now);
        }
        if wants.drained {
            if self.line.drained().unwrap_or(true) {
                self.carrier.drained(now);
            }
            wants = self.carrier.wants(now);
        }
        if !wants.output && self.far.output.is_some() {
            self.close_output();
            wants = self.carrier.wants(now);
        }
        Ok(wants)
    }

    /// When to look again at the latest.
    fn until(&self, wants: &Wants, now: Instant) -> Option<Instant> {
        let line = if wants.line_read { self.line.poll_at() } else { None };
        let child = self.far.child.as_ref().filter(|_| !self.ended);
        let child = child.filter(|child| child.handle().is_none()).map(|_| now + CHILD_POLL);
        // What a command has left behind is there already.
        let left = (self.ended && wants.input).then_some(now);
        [wants.until, line, child, left].into_iter().flatten().min()
    }

    fn take_output(&mut self, output: Readiness) {
        if output.error {
            self.close_output();
        }
        self.output_full &= !output.write;
    }

    fn take_input(&mut self, input: Readiness, wants: &Wants, now: Instant) {
        if !input.any() {
            if self.ended && wants.input {
                self.carrier.input_gave(0, now);
            }
            return;
        }
        let Some(room) = self.carrier.input_room() else { return };
        let most = room.len().min(READ_MAX).min(self.left_behind.max(1));
        match self.far.input.read(&mut room[..most]) {
            Ok(length) => {
                self.carrier.input_gave(length, now);
                if self.ended {
                    self.left_behind = self.left_behind.saturating_sub(length);
                }
            }
            Err(error) if is_transient(&error) => {}
            Err(_) => self.carrier.input_gave(0, now),
        }
        if self.left_behind == 0 {
            self.carrier.input_gave(0, now);
        }
    }

    fn take_line(&mut self, line: Readiness, wants: &Wants, now: Instant) {
        if line.write && self.line.move_on().is_err() {
            // What it has received before it was lost is still worth having.
            while self.read_line(now) {}
            self.carrier.line_lost(now);
            return;
        }
        // What a line without a handle holds, or one that decodes, is there at a time that it knows.
        let due = self.line.handle().is_none() || self.line.poll_at().is_some_and(|at| at <= Instant::now());
        self.line_full &= !(line.write || due);
        if wants.line_read && (line.read || line.error || due) {
            self.read_line(now);
        } else if line.error {
            // Nothing can be read of a line that has hung up, and it would say so at every poll.
            self.carrier.line_lost(now);
        }
    }

    /// Reads the line; whether anything came.
    fn read_line(&mut self, now: Instant) -> bool {
        let Some(room) = self.carrier.line_room() else { return false };
        match self.line.read(room) {
            Ok(length) => {
                self.observer.received(&room[..length], now);
                self.carrier.line_gave(length, now);
                true
            }
            Err(error) if is_transient(&error) => false,
            Err(_) => {
                self.carrier.line_lost(now);
                false
            }
        }
    }

    fn ask_child(&mut self, found: Readiness) {
        let Some(child) = self.far.child.as_mut().filter(|_| !self.ended) else { return };
        if (found.any() || child.handle().is_none()) && child.status().is_some() {
            self.ended = true;
            self.carrier.command_ended();
        }
    }

    fn close_output(&mut self) {
        self.far.output = None;
        self.carrier.output_closed();
    }
}

fn is_transient(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
