//! The raw byte pipe: after a sign-on, or without one, a line on a pair of streams.
//!
//! One loop moves both directions, each through a buffer of its own: a side is read only while its buffer has room, and
//! what was read is written before anybody waits again.

mod queue;

use std::io;
use std::time::{Duration, Instant};

use crate::line::Line;
use crate::os::{Input, Interest, Interrupt, Output, wait};
use crate::record::observer::Observer;

use queue::Queue;

/// Most that is read of the input at once: who fills it is woken while the line is still busy with the last of it.
const GULP: usize = 16 * 1024;

/// After a line is lost: how long what was read may take to reach a slow reader.
const DELIVERY: Duration = Duration::from_millis(900);

/// How often a full adapter, or one without a descriptor, is looked at.
const RETRY: Duration = Duration::from_millis(1);

/// How a pipe ended.
#[derive(Debug)]
pub enum End {
    /// Its input ended, and the line fell silent.
    Input,
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
    /// One program that is both. It may close its stdin before all that it sent has been read, so the end of its
    /// output decides, and answers after that are nobody's.
    Command,
}

/// Carries bytes between `line` and the streams until one of the ends that [`End`] names.
pub fn carry(
    line: &mut dyn Line,
    input: &mut Input,
    output: &mut Output,
    plan: Plan,
    interrupt: &Interrupt,
    observer: &mut dyn Observer,
) -> End {
    if let Some(signal) = interrupt.signal() {
        return End::Signal(signal);
    }
    let mut inward = Queue::new(&plan.first);
    let mut outward = Queue::new(&[]);
    let (mut output_full, mut line_full) = (false, false);
    let (mut input_open, mut drained) = (true, false);
    let mut lost: Option<Instant> = None;
    let linger = match plan.user {
        User::Streams { linger } => linger,
        User::Command => Duration::ZERO,
    };
    // Only a command is still served then.
    let mut output_gone = false;
    let mut skip_lf = plan.skip_lf;
    let mut now = Instant::now();
    let mut last = now;
    loop {
        let settled = now >= plan.settled;
        if output_gone {
            let unwanted = inward.front().len();
            inward.pop(unwanted);
        }
        if !inward.is_empty() && !output_full {
            match output.write(inward.front()) {
                Ok(length) => output_full = inward.pop(length),
                Err(error) if is_transient(&error) => output_full = true,
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => match plan.user {
                    User::Streams { .. } => return End::OutputClosed,
                    User::Command => output_gone = true,
                },
                Err(error) => return End::Output(error),
            }
        }
        if lost.is_none() && settled && !outward.is_empty() && !line_full {
            match line.write(outward.front()) {
                Ok(length) => {
                    observer.transmitted(&outward.front()[..length], now);
                    line_full = outward.pop(length);
                    last = now;
                }
                Err(error) if is_transient(&error) => line_full = true,
                Err(_) => {
                    // What it has received before it was lost is still worth having.
                    while let Some(Ok(length)) = inward.room().map(|room| line.read(room)) {
                        observer.received(inward.push(length), now);
                    }
                    lost = Some(now);
                }
            }
        }

        if let Some(at) = lost
            && (inward.is_empty() || now >= at + DELIVERY)
        {
            return End::LineLost;
        }
        let sent = !input_open && outward.is_empty() && lost.is_none();
        if sent && !drained {
            drained = line.drained().unwrap_or(true);
            last = now;
        }
        let silent = sent && drained;
        if silent && inward.is_empty() && now >= last + linger {
            return End::Input;
        }

        let listens = lost.is_none() && inward.has_room();
        // A stdin whose writer has gone says so at every poll: it is not asked while there is no room.
        let takes = input_open && lost.is_none() && outward.has_room();
        let polled = line.handle().is_none();
        let wants = [
            Interest::read(Some(interrupt.handle())),
            Interest {
                handle: line.handle().filter(|_| lost.is_none()),
                read: listens,
                write: settled && !outward.is_empty(),
            },
            Interest::read(Some(input.handle()).filter(|_| takes)),
            // Always watched: a closed reader is only seen as an error.
            Interest {
                handle: Some(output.handle()).filter(|_| !output_gone),
                read: false,
                write: !inward.is_empty(),
            },
        ];
        let mut until = if settled { None } else { Some(plan.settled) };
        let mut by = |at: Instant| until = Some(until.map_or(at, |until| until.min(at)));
        if silent && listens && inward.is_empty() {
            by(last + linger);
        } else if sent && !drained {
            by(now + RETRY);
        }
        if let Some(at) = lost {
            by(at + DELIVERY);
        }
        if listens
            && polled
            && let Some(at) = line.poll_at()
        {
            by(at);
        }
        let [interrupted, line_ready, input_ready, output_ready] = match wait(wants, until) {
            Ok(ready) => ready,
            Err(error) => return End::Output(error),
        };
        now = Instant::now();

        if interrupted.any()
            && let Some(signal) = interrupt.signal()
        {
            return End::Signal(signal);
        }
        if output_ready.error {
            match plan.user {
                User::Streams { .. } => return End::OutputClosed,
                User::Command => output_gone = true,
            }
        }
        output_full &= !output_ready.write;
        line_full &= !(line_ready.write || polled);
        if !listens {
            // Silence counts only while somebody listens.
            last = now;
        }
        if input_ready.any()
            && let Some(room) = outward.room()
        {
            let most = room.len().min(GULP);
            match input.read(&mut room[..most]) {
                Ok(0) => {
                    input_open = false;
                    last = now;
                }
                Ok(length) => drop(outward.push(length)),
                Err(error) if is_transient(&error) => {}
                Err(_) => input_open = false,
            }
        }
        if (line_ready.read || line_ready.error || polled)
            && listens
            && let Some(room) = inward.room()
        {
            match line.read(room) {
                Ok(length) => {
                    last = now;
                    let bytes = inward.push(length);
                    observer.received(bytes, now);
                    if std::mem::take(&mut skip_lf) && !settled && matches!(bytes, [b'\n' | 0x8A, ..]) {
                        inward.forget(length);
                    }
                }
                Err(error) if is_transient(&error) => {}
                Err(_) => lost = Some(now),
            }
        } else if line_ready.error {
            // Nothing can be read of a line that has hung up, and it would say so at every poll.
            lost = Some(now);
        }
    }
}

fn is_transient(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
