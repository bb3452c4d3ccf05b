//! A stream that is read by a thread of its own, since Windows cannot say of most streams whether they can be read.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::net::TcpStream;
use std::os::windows::io::{AsHandle, AsRawHandle, AsSocket, OwnedHandle};
use std::ptr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use windows_sys::Win32::Foundation::FALSE;
use windows_sys::Win32::Storage::FileSystem::{FILE_TYPE_PIPE, GetFileType};
use windows_sys::Win32::System::IO::CancelSynchronousIo;
use windows_sys::Win32::System::Pipes::PeekNamedPipe;

use super::Output;
use super::event::Event;
use super::wait::Handle;
use super::watch::look;

/// Most that is read at once, in bytes.
const MOST: usize = 16 * 1024;

/// How often a thread that waits for a socket looks whether anybody is left to read for.
pub(super) const DROPPED_POLL: Duration = Duration::from_millis(50);

/// stdin, or what a child or a client writes.
#[derive(Debug)]
pub struct Input {
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

/// What the thread and its owner have in common.
#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Told when what was read has been taken.
    taken: Condvar,
    /// Set while something can be taken, the end included.
    readable: Event,
}

#[derive(Debug)]
enum State {
    /// The thread reads.
    Reading,
    /// Bytes that were read, and how many of them have been taken.
    Read(Vec<u8>, usize),
    /// Nothing more comes.
    Ended,
    /// Nobody is left to take anything.
    Dropped,
}

/// What is read.
enum Source {
    /// The standard library turns what is typed into UTF-8, and goes on when Ctrl-C has broken a read off.
    Console(io::Stdin),
    File(File),
    Pipe(File),
    /// One that does not wait for anything.
    Socket(TcpStream),
}

impl Input {
    /// Our own stdin.
    pub fn stdin() -> io::Result<Self> {
        let stdin = io::stdin();
        if stdin.is_terminal() {
            return Self::start(Source::Console(stdin));
        }
        Self::of(stdin.as_handle().try_clone_to_owned()?)
    }

    pub(in crate::os) fn of_socket(stream: TcpStream) -> io::Result<Self> {
        Self::start(Source::Socket(stream))
    }

    pub(super) fn of(stream: impl Into<OwnedHandle>) -> io::Result<Self> {
        let stream = stream.into();
        // SAFETY: the handle is open.
        let kind = unsafe { GetFileType(stream.as_raw_handle()) };
        let file = File::from(stream);
        Self::start(if kind == FILE_TYPE_PIPE { Source::Pipe(file) } else { Source::File(file) })
    }

    fn start(mut source: Source) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            state: Mutex::new(State::Reading),
            taken: Condvar::new(),
            readable: Event::new(false)?,
        });
        let ours = Arc::clone(&shared);
        let thread = thread::Builder::new().name("input".into()).spawn(move || {
            while let Some(bytes) = source.read(&ours)
                && ours.offer(bytes)
            {}
        })?;
        Ok(Self { shared, thread })
    }

    /// What to wait for.
    pub fn handle(&self) -> Handle<'_> {
        Handle::readable(&self.shared.readable)
    }

    /// Whether it and this output lead to the same program by one socket: Windows has no such streams.
    pub fn is_joined(&self, _output: &Output) -> bool {
        false
    }

    /// Reads what is there without waiting, and 0 at the end.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.shared.state();
        match &mut *state {
            State::Reading => Err(io::ErrorKind::WouldBlock.into()),
            State::Ended | State::Dropped => Ok(0),
            State::Read(bytes, taken) => {
                let left = &bytes[*taken..];
                let length = left.len().min(buffer.len());
                buffer[..length].copy_from_slice(&left[..length]);
                *taken += length;
                if *taken == bytes.len() {
                    *state = State::Reading;
                    self.shared.readable.reset();
                    self.shared.taken.notify_one();
                }
                Ok(length)
            }
        }
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        *self.shared.state() = State::Dropped;
        self.shared.taken.notify_one();
        // A child that writes is to see that nobody reads. Nothing waits for the thread: a read that cannot be broken off
        // ends with the process.
        // SAFETY: the handle is that of a thread that has not been joined.
        unsafe { CancelSynchronousIo(self.thread.as_raw_handle()) };
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_wanted(&self) -> bool {
        !matches!(*self.state(), State::Dropped)
    }

    /// Hands over what was read, and waits until it has been taken; whether more is wanted.
    fn offer(&self, bytes: Vec<u8>) -> bool {
        let mut state = self.state();
        if matches!(*state, State::Dropped) {
            return false;
        }
        let ended = bytes.is_empty();
        *state = if ended { State::Ended } else { State::Read(bytes, 0) };
        self.readable.set();
        if ended {
            return false;
        }
        let state = self
            .taken
            .wait_while(state, |state| matches!(state, State::Read(..)))
            .unwrap_or_else(PoisonError::into_inner);
        matches!(*state, State::Reading)
    }
}

impl Source {
    /// Waits for something to read, as long as it is wanted; no bytes at the end, which an error is as well.
    fn read(&mut self, shared: &Shared) -> Option<Vec<u8>> {
        let mut bytes = vec![0; MOST];
        let length = loop {
            let read = match self {
                Self::Console(stdin) => stdin.read(&mut bytes),
                Self::File(file) | Self::Pipe(file) => file.read(&mut bytes),
                Self::Socket(stream) => stream.read(&mut bytes),
            };
            match (read, &self) {
                // A message of no bytes is not the end of a pipe.
                (Ok(0), Self::Pipe(file)) if is_open(file) => {}
                (Err(error), Self::Socket(stream)) if error.kind() == io::ErrorKind::WouldBlock => {
                    look(stream.as_socket(), true, false, DROPPED_POLL);
                }
                (Err(error), _) if error.kind() == io::ErrorKind::Interrupted => {}
                (read, _) => break read.unwrap_or(0),
            }
            if !shared.is_wanted() {
                return None;
            }
        };
        bytes.truncate(length);
        Some(bytes)
    }
}

/// Whether somebody may still write into a pipe, or has left something in it.
fn is_open(pipe: &File) -> bool {
    // SAFETY: the handle is open, and nothing is asked for but the answer.
    let peeked = unsafe {
        PeekNamedPipe(
            pipe.as_raw_handle(),
            ptr::null_mut(),
            0,
            ptr::null_mut(),
            ptr::null_mut(),
            ptr::null_mut(),
        )
    };
    peeked != FALSE
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::{Interest, wait};
    use std::io::Write;

    fn ready(input: &Input) -> bool {
        wait([Interest::read(Some(input.handle()))], None).unwrap()[0].read
    }

    #[test]
    fn everything_comes_and_then_the_end() {
        let (reader, mut writer) = io::pipe().unwrap();
        let mut input = Input::of(reader).unwrap();
        let sent: Vec<u8> = (0..100_000_u32).map(|n| n as u8).collect();
        let copy = sent.clone();
        let writing = thread::spawn(move || writer.write_all(&copy).unwrap());
        let (mut came, mut buffer) = (Vec::new(), [0; 1000]);
        while ready(&input) {
            match input.read(&mut buffer).unwrap() {
                0 => break,
                length => came.extend_from_slice(&buffer[..length]),
            }
        }
        writing.join().unwrap();
        assert!(came == sent, "{} of {} bytes", came.len(), sent.len());
        assert!(ready(&input), "the end is there for as long as somebody asks");
        assert_eq!(input.read(&mut buffer).unwrap(), 0);
    }

    #[test]
    fn nothing_is_waited_for_in_a_read() {
        let (reader, _writer) = io::pipe().unwrap();
        let mut input = Input::of(reader).unwrap();
        assert_eq!(input.read(&mut [0]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }
}
