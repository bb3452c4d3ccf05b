//! The raw byte pipe: after a sign-on, or without one, a line on a pair of descriptors.
//!
//! One loop moves both directions, each through a buffer of its own: a side is read only while its buffer has room and
//! written only when it can take something. O_NONBLOCK is set on the line alone, because it belongs to the open file
//! and stdin and stdout are shared with whoever started us; poll(2) says when they can be used, and writes to stdout
//! never exceed what a pipe takes at once.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use crate::interrupt::Interrupt;
use crate::line::{Line, Ready, wait_for};
use crate::observer::Observer;

/// Bytes buffered in each direction.
const BUFFER: usize = 64 * 1024;

/// A pipe that says it can be written takes this much without blocking (PIPE_BUF).
const CHUNK: usize = 4096;

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
    /// How long the line must have been silent after the end of input.
    pub linger: Duration,
}

/// Carries bytes between `line` and the descriptors until one of the ends that [`End`] names.
pub fn carry(
    line: &mut dyn Line,
    mut input: impl Read + AsFd,
    mut output: impl Write + AsFd,
    plan: Plan,
    interrupt: &Interrupt,
    observer: &mut dyn Observer,
) -> End {
    let mut inward: VecDeque<u8> = plan.first.into();
    let mut outward: VecDeque<u8> = VecDeque::with_capacity(BUFFER);
    let mut buffer = vec![0; BUFFER];
    let mut input_open = true;
    let mut lost: Option<Instant> = None;
    let mut skip_lf = plan.skip_lf;
    let mut last = Instant::now();
    loop {
        let now = Instant::now();
        if let Some(signal) = interrupt.signal() {
            return End::Signal(signal);
        }
        if let Some(at) = lost
            && (inward.is_empty() || now >= at + DELIVERY)
        {
            return End::LineLost;
        }
        let settled = now >= plan.settled;
        let drained = !input_open && outward.is_empty() && lost.is_none();
        let silent = drained && line.drained().unwrap_or(true);
        if drained && !silent {
            last = now;
        }
        if silent && inward.is_empty() && now >= last + plan.linger {
            return End::Input;
        }

        let wants = [
            (Some(interrupt.descriptor()), Ready::READ),
            (
                line.descriptor().filter(|_| lost.is_none()),
                Ready { read: inward.len() < BUFFER, write: settled && !outward.is_empty() },
            ),
            (
                Some(input.as_fd()).filter(|_| input_open && lost.is_none()),
                Ready { read: outward.len() < BUFFER, write: false },
            ),
            // Always watched: a closed reader is only seen as an error.
            (Some(output.as_fd()), Ready { read: false, write: !inward.is_empty() }),
        ];
        let mut until = if settled { None } else { Some(plan.settled) };
        let mut by = |at: Instant| until = Some(until.map_or(at, |until| until.min(at)));
        if silent {
            by(last + plan.linger);
        } else if drained {
            by(now + RETRY);
        }
        if let Some(at) = lost {
            by(at + DELIVERY);
        }
        if lost.is_none()
            && line.descriptor().is_none()
            && let Some(at) = line.wake_at()
        {
            by(at);
        }
        let ready = match wait_for(wants, until) {
            Ok(ready) => ready,
            Err(error) => return End::Output(error),
        };
        let [_, line_ready, input_ready, output_ready] = ready;
        let now = Instant::now();
        let polled = line.descriptor().is_none();

        if output_ready.error {
            return End::OutputClosed;
        }
        if input_open && input_ready.any() && outward.len() < BUFFER {
            let room = (BUFFER - outward.len()).min(buffer.len());
            match input.read(&mut buffer[..room]) {
                Ok(0) => {
                    input_open = false;
                    last = now;
                }
                Ok(length) => outward.extend(&buffer[..length]),
                Err(error) if is_transient(&error) => {}
                Err(_) => input_open = false,
            }
        }
        if lost.is_none() && (line_ready.read || line_ready.error || polled) && inward.len() < BUFFER {
            let room = (BUFFER - inward.len()).min(buffer.len());
            match line.read(&mut buffer[..room]) {
                Ok(length) => {
                    last = now;
                    let mut bytes = &buffer[..length];
                    observer.received(bytes, now);
                    if std::mem::take(&mut skip_lf) {
                        bytes = match bytes {
                            [b'\n' | 0x8A, rest @ ..] if !settled => rest,
                            all => all,
                        };
                    }
                    inward.extend(bytes);
                }
                Err(error) if is_transient(&error) => {}
                Err(_) => lost = Some(now),
            }
        }
        if lost.is_none() && settled && !outward.is_empty() && (line_ready.write || polled) {
            let (front, _) = outward.as_slices();
            match line.write(front) {
                Ok(length) => {
                    observer.transmitted(&front[..length], now);
                    outward.drain(..length);
                    last = now;
                }
                Err(error) if is_transient(&error) => {}
                Err(_) => lost = Some(now),
            }
        }
        if !inward.is_empty() && output_ready.write {
            let (front, _) = inward.as_slices();
            match output
                .write(&front[..front.len().min(CHUNK)])
                .and_then(|length| output.flush().map(|()| length))
            {
                Ok(length) => drop(inward.drain(..length)),
                Err(error) if is_transient(&error) => {}
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return End::OutputClosed,
                Err(error) => return End::Output(error),
            }
        }
    }
}

fn is_transient(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

/// A descriptor as an unbuffered stream: the standard library's stdin and stdout buffer, and a buffer loses bytes.
#[derive(Debug)]
pub struct Raw<'a>(pub BorrowedFd<'a>);

impl Read for Raw<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::read(self.0, buffer)?)
    }
}

impl Write for Raw<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(rustix::io::write(self.0, bytes)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsFd for Raw<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0
    }
}
