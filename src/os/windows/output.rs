//! A stream that is written by a thread of its own, since a write on Windows waits for its reader.
//!
//! Bytes count as written when the thread has written them, not when it has got them: whoever ends in between does not
//! lose what was said to be done.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::net::TcpStream;
use std::os::windows::io::{AsHandle, AsRawHandle, AsSocket, OwnedHandle};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use windows_sys::Win32::System::IO::CancelSynchronousIo;

use super::error;
use super::event::Event;
use super::input::DROPPED_POLL;
use super::wait::Handle;
use super::watch::look;

/// Most that is written at once, in bytes.
const MOST: usize = 16 * 1024;

/// stdout, stderr, a file, or what a child reads.
#[derive(Debug)]
pub struct Output {
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

/// What the thread and its owner have in common.
#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Told when there is something to write.
    given: Condvar,
    /// Set while the thread has nothing to do.
    writable: Event,
}

#[derive(Debug)]
enum State {
    Idle,
    /// Something to be written, which the thread takes.
    Given(Vec<u8>),
    /// It is being written.
    Writing,
    /// So many bytes have been written, or that was not possible.
    Written(io::Result<usize>),
    /// Nobody is left to write for.
    Dropped,
}

impl Output {
    /// Our own stdout.
    pub fn stdout() -> io::Result<Self> {
        Self::of(io::stdout().as_handle().try_clone_to_owned()?)
    }

    /// Our own stderr.
    pub fn stderr() -> io::Result<Self> {
        let stderr = io::stderr();
        if stderr.is_terminal() {
            // What is said there is text, which the standard library writes whatever the code page of the console.
            return Self::start(stderr);
        }
        Self::of(stderr.as_handle().try_clone_to_owned()?)
    }

    /// A file, emptied if it is there.
    pub fn create(file: &Path) -> io::Result<Self> {
        Self::start(File::create(file)?)
    }

    pub(super) fn of(stream: impl Into<OwnedHandle>) -> io::Result<Self> {
        Self::start(File::from(stream.into()))
    }

    pub(in crate::os) fn of_socket(stream: TcpStream) -> io::Result<Self> {
        Self::start(Patient(stream))
    }

    fn start(mut stream: impl Write + Send + 'static) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            state: Mutex::new(State::Idle),
            given: Condvar::new(),
            writable: Event::new(true)?,
        });
        let ours = Arc::clone(&shared);
        let thread = thread::Builder::new().name("output".into()).spawn(move || {
            while let Some(bytes) = ours.take() {
                ours.report(stream.write(&bytes));
            }
        })?;
        Ok(Self { shared, thread })
    }

    /// What to wait for.
    pub fn handle(&self) -> Handle<'_> {
        Handle { write: Some(self.shared.writable.as_handle()), ..Handle::default() }
    }

    /// Writes without waiting. The bytes are given to the thread and the call would block until it has written them: who
    /// is told so has to come back with the same ones, and hears then how many of them have been written.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.shared.state();
        let written = match std::mem::replace(&mut *state, State::Idle) {
            State::Idle => 0,
            State::Written(Ok(length)) => length.min(bytes.len()),
            State::Written(Err(error)) => {
                // It would fail again.
                let told =
                    if error::is_reader_gone(&error) { io::ErrorKind::BrokenPipe } else { error.kind() };
                *state = State::Written(Err(told.into()));
                return Err(if told == io::ErrorKind::BrokenPipe { told.into() } else { error });
            }
            busy => {
                *state = busy;
                return Err(io::ErrorKind::WouldBlock.into());
            }
        };
        let left = &bytes[written..];
        if !left.is_empty() {
            *state = State::Given(left[..left.len().min(MOST)].to_vec());
            self.shared.writable.reset();
            self.shared.given.notify_one();
        }
        if written == 0 { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(written) }
    }
}

/// A socket that does not wait, for a thread that does.
struct Patient(TcpStream);

impl Write for Patient {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.write(bytes) {
            // The thread comes back, if anybody is left to write for.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                look(self.0.as_socket(), false, true, DROPPED_POLL);
                Ok(0)
            }
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        *self.shared.state() = State::Dropped;
        self.shared.given.notify_one();
        // A child is to see the end of its input. Nothing waits for the thread: a write that cannot be broken off ends
        // with the process.
        // SAFETY: the handle is that of a thread that has not been joined.
        unsafe { CancelSynchronousIo(self.thread.as_raw_handle()) };
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for something to write; nothing when nobody is left to write for.
    fn take(&self) -> Option<Vec<u8>> {
        let mut state = self
            .given
            .wait_while(self.state(), |state| !matches!(state, State::Given(_) | State::Dropped))
            .unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *state, State::Writing) {
            State::Given(bytes) => Some(bytes),
            other => {
                *state = other;
                None
            }
        }
    }

    fn report(&self, written: io::Result<usize>) {
        let mut state = self.state();
        if matches!(*state, State::Writing) {
            *state = State::Written(written);
            self.writable.set();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::{Interest, wait};
    use std::io::Read;
    use std::time::Instant;

    fn writable(output: &Output, until: Option<Instant>) -> bool {
        let asked = Interest { handle: Some(output.handle()), read: false, write: true };
        wait([asked], until).unwrap()[0].write
    }

    /// Writes all of it, as the pipe does.
    fn write_all(output: &mut Output, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            assert!(writable(output, None));
            match output.write(bytes) {
                Ok(length) => bytes = &bytes[length..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    #[test]
    fn everything_arrives_once() {
        let (mut reader, writer) = io::pipe().unwrap();
        let sent: Vec<u8> = (0..100_000_u32).map(|n| n as u8).collect();
        let reading = thread::spawn(move || {
            let mut came = Vec::new();
            reader.read_to_end(&mut came).unwrap();
            came
        });
        let mut output = Output::of(writer).unwrap();
        write_all(&mut output, &sent).unwrap();
        drop(output);
        assert!(reading.join().unwrap() == sent);
    }

    #[test]
    fn a_reader_that_does_not_read_is_not_waited_for() {
        let (_reader, writer) = io::pipe().unwrap();
        let mut output = Output::of(writer).unwrap();
        let bytes = vec![0; 1 << 20];
        let mut written = 0;
        // Whatever the pipe holds is written first.
        while written < bytes.len()
            && writable(&output, Some(Instant::now() + std::time::Duration::from_secs(1)))
        {
            written += output.write(&bytes[written..]).unwrap_or(0);
        }
        assert!(written < bytes.len(), "{written}");
        assert_eq!(output.write(&bytes[written..]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }

    #[test]
    fn a_reader_that_has_gone_is_told_from_any_other_trouble() {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let mut output = Output::of(writer).unwrap();
        for _ in 0..2 {
            assert_eq!(write_all(&mut output, b"x").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        }
    }
}
