//! The raw byte pipe: after a sign-on, or without one, a line on a pair of descriptors.
//!
//! One loop moves both directions, each through a buffer of its own: a side is read only while its buffer has room, and
//! what was read is written before anybody waits again. O_NONBLOCK is set on the line alone, because it belongs to the
//! open file and stdin and stdout are shared with whoever started us; see `Sink` for how stdout is kept from blocking.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use rustix::fs::FileType;

use crate::interrupt::Interrupt;
use crate::line::{Line, Ready, wait_for};
use crate::observer::Observer;

/// Bytes buffered in each direction.
const BUFFER: usize = 64 * 1024;

/// Most that is read of the input at once: who fills it is woken while the line is still busy with the last of it.
const GULP: usize = 16 * 1024;

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
    input: Raw<'_>,
    output: Raw<'_>,
    plan: Plan,
    interrupt: &Interrupt,
    observer: &mut dyn Observer,
) -> End {
    if let Some(signal) = interrupt.signal() {
        return End::Signal(signal);
    }
    let mut inward = Queue::new(&plan.first);
    let mut outward = Queue::new(&[]);
    let mut sink = Sink::of(output);
    let (mut sink_full, mut line_full) = (sink.wants_poll(), false);
    let (mut input_open, mut drained) = (true, false);
    let mut lost: Option<Instant> = None;
    // Who does not linger (a command) may close its end before all that it sent has been read: its input decides.
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
        if !inward.is_empty() && !sink_full {
            match sink.write(output, inward.front()) {
                Ok(length) => sink_full = inward.pop(length) || sink.wants_poll(),
                Err(error) if is_transient(&error) => sink_full = true,
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe && plan.linger.is_zero() => {
                    output_gone = true;
                }
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return End::OutputClosed,
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
        if silent && inward.is_empty() && now >= last + plan.linger {
            return End::Input;
        }

        let listens = lost.is_none() && inward.has_room();
        // A stdin whose writer has gone says so at every poll: it is not asked while there is no room.
        let takes = input_open && lost.is_none() && outward.has_room();
        let polled = line.descriptor().is_none();
        let wants = [
            (Some(interrupt.descriptor()), Ready::READ),
            (
                line.descriptor().filter(|_| lost.is_none()),
                Ready { read: listens, write: settled && !outward.is_empty() },
            ),
            (Some(input.0).filter(|_| takes), Ready::READ),
            // Always watched: a closed reader is only seen as an error.
            (Some(output.0).filter(|_| !output_gone), Ready { read: false, write: !inward.is_empty() }),
        ];
        let mut until = if settled { None } else { Some(plan.settled) };
        let mut by = |at: Instant| until = Some(until.map_or(at, |until| until.min(at)));
        if silent && listens && inward.is_empty() {
            by(last + plan.linger);
        } else if sent && !drained {
            by(now + RETRY);
        }
        if let Some(at) = lost {
            by(at + DELIVERY);
        }
        if listens
            && polled
            && let Some(at) = line.wake_at()
        {
            by(at);
        }
        let [interrupted, line_ready, input_ready, output_ready] = match wait_for(wants, until) {
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
            if !plan.linger.is_zero() {
                return End::OutputClosed;
            }
            output_gone = true;
        }
        sink_full &= !output_ready.write;
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

/// Bytes on their way in one direction, in one piece, so that one call takes them all.
struct Queue {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Queue {
    fn new(first: &[u8]) -> Self {
        let mut bytes = vec![0; BUFFER.max(first.len())];
        bytes[..first.len()].copy_from_slice(first);
        Self { bytes, start: 0, end: first.len() }
    }

    fn is_empty(&self) -> bool {
        self.start == self.end
    }

    fn front(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// Half of it has to be free before a full one is filled again: moving its rest for every few bytes is dear.
    fn has_room(&self) -> bool {
        self.end < self.bytes.len() || self.start >= self.bytes.len() / 2
    }

    /// Where the next bytes may be put.
    fn room(&mut self) -> Option<&mut [u8]> {
        if self.start >= self.bytes.len() / 2 {
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        Some(&mut self.bytes[self.end..]).filter(|room| !room.is_empty())
    }

    /// That many have been put into [`Queue::room`]; they themselves.
    fn push(&mut self, length: usize) -> &[u8] {
        self.end += length;
        &self.bytes[self.end - length..self.end]
    }

    /// Forgets the first of the last `length` bytes.
    fn forget(&mut self, length: usize) {
        self.bytes.copy_within(self.end - length + 1..self.end, self.end - length);
        self.end -= 1;
    }

    /// That many have left; whether there are more.
    fn pop(&mut self, length: usize) -> bool {
        self.start += length;
        if self.is_empty() {
            (self.start, self.end) = (0, 0);
        }
        !self.is_empty()
    }
}

/// How a write to stdout is kept from blocking, without O_NONBLOCK.
enum Sink {
    /// Each call says that it is not to wait: Linux can do that for pipes and sockets.
    NoWait,
    /// A file never makes anybody wait for a reader.
    File,
    /// poll(2) is asked first, and no more is written than a pipe with room for anything takes.
    Chunks,
}

impl Sink {
    fn of(output: Raw<'_>) -> Self {
        match rustix::fs::fstat(output.0).map(|stat| FileType::from_raw_mode(stat.st_mode)) {
            Ok(FileType::RegularFile) => Self::File,
            Ok(FileType::Fifo | FileType::Socket) if cfg!(target_os = "linux") => Self::NoWait,
            _ => Self::Chunks,
        }
    }

    /// Whether each write needs a poll of its own.
    fn wants_poll(&self) -> bool {
        matches!(self, Self::Chunks)
    }

    fn write(&mut self, output: Raw<'_>, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File => Ok(rustix::io::write(output.0, bytes)?),
            Self::Chunks => Ok(rustix::io::write(output.0, &bytes[..bytes.len().min(CHUNK)])?),
            Self::NoWait => no_wait(output, bytes).map_err(|error| match error.kind() {
                // Kernels before 6.4 cannot; a poll comes first from now on.
                io::ErrorKind::Unsupported => {
                    *self = Self::Chunks;
                    io::ErrorKind::WouldBlock.into()
                }
                _ => error,
            }),
        }
    }
}

#[cfg(target_os = "linux")]
fn no_wait(output: Raw<'_>, bytes: &[u8]) -> io::Result<usize> {
    use rustix::io::{ReadWriteFlags, pwritev2};
    // This offset stands for the file's own position, which a pipe does not have either.
    Ok(pwritev2(output.0, &[io::IoSlice::new(bytes)], u64::MAX, ReadWriteFlags::NOWAIT)?)
}

#[cfg(not(target_os = "linux"))]
fn no_wait(_output: Raw<'_>, _bytes: &[u8]) -> io::Result<usize> {
    Err(io::ErrorKind::Unsupported.into())
}

/// A descriptor as an unbuffered stream: the standard library's stdin and stdout buffer, and a buffer loses bytes.
#[derive(Clone, Copy, Debug)]
pub struct Raw<'a>(pub BorrowedFd<'a>);

impl Raw<'_> {
    fn read(self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::read(self.0, buffer)?)
    }
}
