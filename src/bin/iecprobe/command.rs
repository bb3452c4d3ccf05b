//! `-- COMMAND`: a program whose stdin and stdout are the line.

use std::ffi::OsString;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use iecprobe::os::{Child, Interest, Interrupt, Streams, check_program, wait};
use iecprobe::pipe::Far;

/// How long a command may take to end when its line has been lost, before it is told to.
const GRACE: Duration = Duration::from_millis(300);

/// How long one may take that was told to, before it is killed: it may have something to put in order.
const PARTING: Duration = Duration::from_secs(2);

/// How often it is asked whether it has ended, where nothing can be waited for.
const CHILD_POLL: Duration = Duration::from_millis(5);

/// Says why the command cannot be started, before a meter is signed on for it.
pub fn check(command: &[OsString]) -> Result<(), String> {
    let Some(program) = command.first() else { return Ok(()) };
    check_program(program).map_err(|why| format!("{}: {why}", program.to_string_lossy()))
}

/// Starts the command, with these variables in its environment, as the far end of a pipe.
pub fn start(command: &[OsString], variables: &[(OsString, OsString)]) -> Result<Far, String> {
    let failed = |error: io::Error| {
        let name = command.first().map(|program| program.to_string_lossy()).unwrap_or_default();
        format!("{name}: {error}")
    };
    let mut child = Child::spawn(command, variables, Streams::Piped).map_err(failed)?;
    let (input, output) = child.streams().ok_or(io::ErrorKind::BrokenPipe.into()).map_err(failed)?;
    Ok(Far { input, output: Some(output), child: Some(child) })
}

/// The status of a command after its pipe has ended: it sees the end of its input, and is ended if it does not act on
/// it in time.
pub fn finish(far: Far, interrupt: &Interrupt) -> u8 {
    let Far { input, output, child: Some(child) } = far else { return 0 };
    drop((input, output));
    Parting { child }.finish(interrupt)
}

/// A command whose line is gone.
struct Parting {
    child: Child,
}

impl Parting {
    fn finish(mut self, interrupt: &Interrupt) -> u8 {
        let deadline = Instant::now() + GRACE;
        loop {
            if let Some(status) = self.child.status() {
                return status;
            }
            if interrupt.signal().is_some() || Instant::now() >= deadline {
                self.child.terminate();
                return self.end(interrupt);
            }
            self.wait(interrupt, deadline);
        }
    }

    /// The status of one that was told to end.
    fn end(mut self, interrupt: &Interrupt) -> u8 {
        let deadline = Instant::now() + PARTING;
        loop {
            if let Some(status) = self.child.status() {
                return status;
            }
            // Whoever sends a second signal has no patience with it.
            if interrupt.insists() || Instant::now() >= deadline {
                self.child.kill();
            }
            thread::sleep(CHILD_POLL);
        }
    }

    /// Waits for its end, for a signal, or until this instant.
    fn wait(&self, interrupt: &Interrupt, until: Instant) {
        let poll = self.child.handle().is_none().then(|| Instant::now() + CHILD_POLL);
        let interests = [Interest::read(Some(interrupt.handle())), Interest::read(self.child.handle())];
        let _ = wait(interests, poll.into_iter().chain([until]).min());
    }
}
