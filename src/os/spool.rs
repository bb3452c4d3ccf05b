//! A writer that neither waits for its reader, as long as memory allows, nor waits without hearing an interrupt.
//!
//! stderr, a trace or a report can be blocked by a full pipe or by Ctrl-S for as long as somebody likes. A sign-on has
//! its times to keep meanwhile, and a signal has to end us with the port restored.

use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::{Interest, Interrupt, Output, wait};

/// What is kept of what does not fit, in bytes; more than any sign-on says of itself.
const KEPT_MAX: usize = 1 << 20;

/// Such a writer. What it keeps is lost with it, unless [`Spool::finish`] or [`Spool::flush`] is called.
#[derive(Debug)]
pub struct Spool {
    to: Output,
    kept: Vec<u8>,
}

impl Spool {
    /// One that writes to this stream.
    pub fn new(to: Output) -> Self {
        Self { to, kept: Vec::new() }
    }

    /// Writes everything that is kept, and waits until it fits; an interrupt is an error.
    pub fn finish(&mut self) -> io::Result<()> {
        self.wait_until_kept(0)
    }

    /// Writes what fits of what is kept.
    fn push(&mut self) -> io::Result<()> {
        while !self.kept.is_empty() {
            match self.to.write(&self.kept) {
                Ok(length) => drop(self.kept.drain(..length)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    // It would fail for ever.
                    self.kept.clear();
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    fn wait_until_kept(&mut self, most: usize) -> io::Result<()> {
        loop {
            self.push()?;
            if self.kept.len() <= most {
                return Ok(());
            }
            let interrupt = Interrupt::registered();
            if interrupt.is_some_and(|interrupt| interrupt.signal().is_some()) {
                self.kept.clear();
                // Not `ErrorKind::Interrupted`, after which whoever writes would try again.
                return Err(io::Error::other("interrupted while nobody read what is written"));
            }
            let output = Interest { handle: Some(self.to.handle()), read: false, write: true };
            wait([output, Interest::read(interrupt.as_ref().map(Interrupt::handle))], None)?;
        }
    }
}

impl Write for Spool {
    /// Takes all of it.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.kept.extend_from_slice(bytes);
        self.wait_until_kept(KEPT_MAX)?;
        Ok(bytes.len())
    }

    /// The same as [`Spool::finish`].
    fn flush(&mut self) -> io::Result<()> {
        self.finish()
    }
}

/// Our own stderr, which all threads share. Each [`Write::write`] is in one piece.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stderr;

impl Stderr {
    /// Writes everything that is kept; see [`Spool::finish`].
    pub fn finish(self) -> io::Result<()> {
        self.spool()?.finish()
    }

    /// Whether nobody has read what was written: what is of no use later is better left out.
    pub fn is_behind(self) -> bool {
        self.spool().is_ok_and(|mut spool| spool.push().is_ok() && !spool.kept.is_empty())
    }

    fn spool(self) -> io::Result<MutexGuard<'static, Spool>> {
        static STDERR: OnceLock<Mutex<Spool>> = OnceLock::new();
        let spool = match STDERR.get() {
            Some(spool) => spool,
            None => {
                let output = Output::stderr()?;
                STDERR.get_or_init(|| Mutex::new(Spool::new(output)))
            }
        };
        Ok(spool.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.spool()?.write(bytes)
    }

    /// Writes what fits: a logger flushes after every line.
    fn flush(&mut self) -> io::Result<()> {
        self.spool()?.push()
    }
}
