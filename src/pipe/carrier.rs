//! The pipe without its streams: what may pass, what has to wait, and when nothing is left to carry.
//!
//! A [`Carrier`] is a machine, as the sign-on is one. It is told what has happened, holds what could not be passed on
//! yet, and says what it wants to happen next. Whoever drives it knows which of that can be done without waiting.

use std::io;
use std::time::{Duration, Instant};

use super::queue::Queue;

/// After a line is lost: how long what was read may take to reach a slow reader.
const DELIVERY: Duration = Duration::from_millis(900);

/// How often a driver is asked whether its adapter has sent everything.
const DRAIN_POLL: Duration = Duration::from_millis(1);

/// How a pipe ended.
#[derive(Debug)]
pub enum End {
    /// Its input ended, and the line fell silent; or the command ended.
    Input,
    /// No byte has passed for as long as was asked for.
    Idle,
    /// Its output was closed.
    OutputClosed,
    /// Its output could not be written.
    Output(io::Error),
    /// The line was lost; what was read has been delivered.
    LineLost,
    /// A signal came.
    Signal(i32),
}

/// What a pipe is to do.
#[derive(Debug)]
pub struct Plan {
    /// What came before it, to be delivered first.
    pub first: Vec<u8>,
    /// Whether a single LF may follow a confirmation that had one too many.
    pub skip_lf: bool,
    /// When the input may begin to reach the line.
    pub settled: Instant,
    /// Time without a byte in either direction after which the pipe ends.
    pub idle: Option<Duration>,
    /// Whose it is.
    pub user: User,
}

/// Who is at the other end of a pipe, and so when there is nothing more to carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum User {
    /// A writer and a reader who may not know of each other. Answers are delivered until the line has been silent for
    /// `linger` after the end of the input; without a reader there is nothing to stay for.
    Streams {
        /// Silence of the line after which nothing more is expected.
        linger: Duration,
    },
    /// One peer that is both, on a socket. When it has closed that, what it has sent still goes to the line.
    Peer {
        /// As for [`User::Streams`].
        linger: Duration,
    },
    /// One program that is both. It may close its stdin before all that it sent has been read, so its end decides; when
    /// it closes its stdout, answers after that are nobody's.
    Command,
}

/// How far a pipe has come. It goes on from each to one below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The input may bring more.
    Open,
    /// The input has ended; what it brought is on its way out.
    Draining,
    /// Everything has left; answers may come.
    Lingering,
    /// The line is lost; what it gave is on its way to the output.
    Lost(Instant),
}

/// What a carrier wants to happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wants {
    /// The line is still there.
    pub line: bool,
    /// The line is to be read.
    pub line_read: bool,
    /// There is something to write to the line.
    pub line_write: bool,
    /// The line is to be asked whether everything written has left.
    pub drained: bool,
    /// The input is to be read.
    pub input: bool,
    /// There is something to write to the output.
    pub output_write: bool,
    /// Somebody may still read the output; otherwise it is to be closed.
    pub output: bool,
    /// When to look again, whatever happens.
    pub until: Option<Instant>,
}

/// A pipe between a line and a pair of streams.
pub struct Carrier {
    inward: Queue,
    outward: Queue,
    phase: Phase,
    user: User,
    settled: Instant,
    idle: Option<Duration>,
    skip_lf: bool,
    /// Whether the output is open.
    read: bool,
    /// Whether the command still runs.
    runs: bool,
    /// Since when the line has been silent, while somebody listened.
    heard: Instant,
    /// When the last byte passed.
    passed: Instant,
    /// When everything written will have left the line.
    leaves: Instant,
}

impl Carrier {
    /// A pipe that begins now.
    pub fn new(plan: &Plan, now: Instant) -> Self {
        Self {
            inward: Queue::new(&plan.first),
            outward: Queue::new(&[]),
            phase: Phase::Open,
            user: plan.user,
            settled: plan.settled,
            idle: plan.idle,
            skip_lf: plan.skip_lf,
            read: true,
            runs: plan.user == User::Command,
            heard: now,
            passed: now,
            leaves: now,
        }
    }

    /// What is to happen next.
    pub fn wants(&self, now: Instant) -> Wants {
        let lost = matches!(self.phase, Phase::Lost(_));
        let settled = now >= self.settled;
        let sent = self.phase == Phase::Draining && self.outward.is_empty();
        let listens = !lost && self.inward.has_room();
        let silent =
            self.linger().filter(|_| self.phase == Phase::Lingering && listens && self.inward.is_empty());
        let times = [
            (!settled).then_some(self.settled),
            sent.then(|| self.leaves.max(now + DRAIN_POLL)),
            silent.and_then(|linger| self.heard.checked_add(linger)),
            self.idle_at(),
            match self.phase {
                Phase::Lost(at) => Some(at + DELIVERY),
                _ => None,
            },
        ];
        Wants {
            line: !lost,
            line_read: listens,
            line_write: !lost && settled && !self.outward.is_empty(),
            drained: sent && now >= self.leaves,
            input: self.phase == Phase::Open && self.outward.has_room(),
            output_write: self.read && !self.inward.is_empty(),
            output: self.read && !self.is_nobodys(),
            until: times.into_iter().flatten().min(),
        }
    }

    /// How it has ended, if it has.
    pub fn end(&self, now: Instant) -> Option<End> {
        if !self.read && matches!(self.user, User::Streams { .. }) {
            return Some(End::OutputClosed);
        }
        match self.phase {
            Phase::Lost(at) if self.inward.is_empty() || now >= at + DELIVERY => return Some(End::LineLost),
            Phase::Lingering if self.inward.is_empty() => match self.linger() {
                Some(linger) if now.saturating_duration_since(self.heard) >= linger => {
                    return Some(End::Input);
                }
                None if !self.runs => return Some(End::Input),
                _ => {}
            },
            _ => {}
        }
        self.idle_at().filter(|&at| now >= at).map(|_| End::Idle)
    }

    /// Silence to wait for at the end; a command does not end by silence.
    fn linger(&self) -> Option<Duration> {
        match self.user {
            User::Streams { linger } => Some(linger),
            User::Peer { linger } => Some(if self.read { linger } else { Duration::ZERO }),
            User::Command => None,
        }
    }

    /// Whether whatever the line still gives is nobody's: the command has closed its stdout and has its answers.
    fn is_nobodys(&self) -> bool {
        self.user == User::Command && self.phase == Phase::Lingering && self.inward.is_empty()
    }

    /// When nothing will have passed for too long; what is on the wire passes still.
    fn idle_at(&self) -> Option<Instant> {
        self.passed.max(self.leaves).checked_add(self.idle?)
    }

    /// Where what the line gives may be put.
    pub fn line_room(&mut self) -> Option<&mut [u8]> {
        self.inward.room()
    }

    /// The line gave that many bytes into [`Carrier::line_room`].
    pub fn line_gave(&mut self, length: usize, now: Instant) {
        (self.heard, self.passed) = (now, now);
        let is_lf = matches!(self.inward.push(length), [b'\n' | 0x8A, ..]);
        if std::mem::take(&mut self.skip_lf) && now < self.settled && is_lf {
            self.inward.forget(length);
        }
        if !self.read {
            self.inward.clear();
        }
    }

    /// What the line is to be given, as far as it takes it.
    pub fn for_line(&self) -> &[u8] {
        self.outward.front()
    }

    /// The line took that many of [`Carrier::for_line`], and everything it took will have left it by `leaves`.
    pub fn line_took(&mut self, length: usize, leaves: Option<Instant>, now: Instant) {
        self.outward.pop(length);
        (self.heard, self.passed) = (now, now);
        self.leaves = leaves.unwrap_or(now);
    }

    /// The line was asked, and everything has left it.
    pub fn drained(&mut self, now: Instant) {
        if self.phase == Phase::Draining && self.outward.is_empty() {
            self.phase = Phase::Lingering;
            self.heard = now;
        }
    }

    /// The line is lost.
    pub fn line_lost(&mut self, now: Instant) {
        if !matches!(self.phase, Phase::Lost(_)) {
            self.phase = Phase::Lost(now);
        }
    }

    /// Where what the input gives may be put.
    pub fn input_room(&mut self) -> Option<&mut [u8]> {
        self.outward.room()
    }

    /// The input gave that many bytes into [`Carrier::input_room`]; 0 is its end.
    pub fn input_gave(&mut self, length: usize, now: Instant) {
        match (length, self.phase) {
            (0, Phase::Open) => self.phase = Phase::Draining,
            (0, _) => {}
            _ => {
                self.outward.push(length);
                self.passed = now;
            }
        }
    }

    /// The command has ended.
    pub fn command_ended(&mut self) {
        self.runs = false;
    }

    /// What the output is to be given, as far as it takes it.
    pub fn for_output(&self) -> &[u8] {
        self.inward.front()
    }

    /// The output took that many of [`Carrier::for_output`].
    pub fn output_took(&mut self, length: usize, now: Instant) {
        if !self.inward.has_room() {
            // Silence counts only while somebody listens.
            self.heard = now;
        }
        self.inward.pop(length);
        self.passed = now;
    }

    /// Nobody reads the output any more.
    pub fn output_closed(&mut self) {
        self.read = false;
        self.inward.clear();
    }
}
