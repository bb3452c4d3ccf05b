//! How a run ends: with its work done, or otherwise; and what is printed then, and where.

use std::io::{self, Write};

use iecprobe::os::{self, Interrupt, Output, Spool, Stderr};

use crate::explain;
use crate::form::Form;
use crate::manner::Manner;
use crate::report;
use crate::style::Look;
use crate::trouble::Trouble;

/// How a run ended, if not with its work done.
#[derive(Debug)]
pub enum Ending {
    /// With a failure.
    Failed(Trouble),
    /// By a signal.
    Signal(i32),
    /// Whoever read our output has gone: no error, but no success either.
    OutputClosed,
    /// With the command's own status.
    Command(u8),
}

impl From<Trouble> for Ending {
    fn from(trouble: Trouble) -> Self {
        Self::Failed(trouble)
    }
}

/// Writes to stdout.
pub fn print(text: &str) -> Result<(), Ending> {
    let mut stdout = Spool::new(Output::stdout().map_err(Trouble::Output)?);
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.finish()).map_err(unwritten)
}

/// Writes a report to stderr, where stdout belongs to the line.
pub fn print_aside(text: &str) -> Result<(), Ending> {
    Stderr.write_all(text.as_bytes()).map_err(unwritten)
}

/// Why something was not written: a signal counts more than what it kept from being written.
fn unwritten(error: io::Error) -> Ending {
    match Interrupt::registered().and_then(|interrupt| interrupt.signal()) {
        Some(signal) => Ending::Signal(signal),
        None if error.kind() == io::ErrorKind::BrokenPipe => Ending::OutputClosed,
        None => Trouble::Output(error).into(),
    }
}

/// Writes to stderr. Nobody is left to tell if that fails, and the run goes on.
pub fn say(text: &str) {
    let _ = Stderr.write_all(text.as_bytes());
}

/// Tells how a run on a port ended, where that belongs: the status to leave with, or the signal to die of.
pub fn tell(manner: &Manner, port: &str, ended: Result<(), Ending>) -> Result<u8, i32> {
    match ended {
        Ok(()) => Ok(0),
        Err(Ending::Command(status)) => Ok(status),
        Err(Ending::Signal(signal)) => Err(signal),
        Err(Ending::OutputClosed) => Err(os::BROKEN_PIPE),
        Err(Ending::Failed(trouble)) => complain(manner, port, &trouble),
    }
}

/// Reports a failure where its form belongs.
fn complain(manner: &Manner, port: &str, trouble: &Trouble) -> Result<u8, i32> {
    let again = if port.is_empty() { manner.again.clone() } else { manner.again.on(port) };
    let mut problem = explain::explain(trouble, port, &again);
    if manner.several {
        problem = problem.of_port(port);
    }
    let words = || report::words(&problem, Look::stderr(manner.color));
    let report = match manner.form {
        Form::Text => words(),
        form => report::failure(form, port, &problem, trouble),
    };
    if manner.form == Form::Text || manner.aside {
        say(&report);
        return Ok(problem.kind.status());
    }
    match print(&report) {
        Ok(()) => Ok(problem.kind.status()),
        Err(Ending::Failed(output)) => {
            say(&words());
            Ok(output.kind().status())
        }
        Err(_) => Err(os::BROKEN_PIPE),
    }
}
