//! `-- COMMAND`: a program whose stdin and stdout are the line.

use std::ffi::OsString;
use std::time::{Duration, Instant};

use iecprobe::line::Line;
use iecprobe::os::{Child, Input, Interest, Interrupt, Output, Streams, check_program, wait};
use iecprobe::pipe::{self, End};
use iecprobe::record::observer::Observer;

/// How long a command may take to end when its line has been lost, before it is told to.
const GRACE: Duration = Duration::from_millis(300);

/// How long one may take that was told to, before it is killed: it may have something to put in order.
const PARTING: Duration = Duration::from_secs(2);

/// How often it is asked whether it has ended, where the system cannot say so by itself.
const CHILD_POLL: Duration = Duration::from_millis(5);

/// A command that runs on the line.
pub struct Running {
    child: Child,
    streams: Option<(Input, Output)>,
    /// Whether it has to be told to end.
    unwanted: bool,
}

/// Says why the command cannot be started, before a meter is signed on for it.
pub fn check(command: &[OsString]) -> Result<(), String> {
    let Some(program) = command.first() else { return Ok(()) };
    check_program(program).map_err(|why| format!("{}: {why}", program.to_string_lossy()))
}

/// Starts the command, with these variables in its environment.
pub fn start(command: &[OsString], variables: &[(OsString, OsString)]) -> Result<Running, String> {
    let name = command.first().map(|program| program.to_string_lossy()).unwrap_or_default();
    let mut child =
        Child::spawn(command, variables, Streams::Piped).map_err(|error| format!("{name}: {error}"))?;
    Ok(Running { streams: child.streams(), child, unwanted: false })
}

impl Running {
    /// Carries bytes between it and the line until one of the two ends.
    pub fn carry(
        &mut self,
        line: &mut dyn Line,
        plan: pipe::Plan,
        interrupt: &Interrupt,
        observer: &mut dyn Observer,
    ) -> End {
        let Some((input, output)) = &mut self.streams else { return End::Input };
        let end = pipe::carry(line, input, output, plan, interrupt, observer);
        self.unwanted = !matches!(end, End::Input | End::OutputClosed);
        end
    }

    /// Its status, once its line is closed: it sees the end of its input, and is ended if it does not act on it.
    pub fn finish(mut self, interrupt: &Interrupt) -> u8 {
        drop(self.streams.take());
        let deadline = Instant::now() + GRACE;
        loop {
            if let Some(status) = self.child.status() {
                return status;
            }
            let signalled = interrupt.signal();
            if signalled.is_some() || (self.unwanted && Instant::now() >= deadline) {
                self.child.terminate();
                return self.end();
            }
            self.wait(Some(interrupt), self.unwanted.then_some(deadline));
        }
    }

    /// The status of one that was told to end.
    fn end(mut self) -> u8 {
        let deadline = Instant::now() + PARTING;
        loop {
            if let Some(status) = self.child.status() {
                return status;
            }
            if Instant::now() >= deadline {
                self.child.kill();
            }
            self.wait(None, Some(Instant::now() + CHILD_POLL));
        }
    }

    /// Waits for its end, for a signal, or until this instant.
    fn wait(&self, interrupt: Option<&Interrupt>, until: Option<Instant>) {
        let poll = self.child.handle().is_none().then(|| Instant::now() + CHILD_POLL);
        let interests =
            [Interest::read(interrupt.map(Interrupt::handle)), Interest::read(self.child.handle())];
        let _ = wait(interests, [until, poll].into_iter().flatten().min());
    }
}
