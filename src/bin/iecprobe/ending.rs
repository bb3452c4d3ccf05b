//! How a run ends: with its work done, or otherwise; and what is printed then, and where.

use std::io::{self, Write};

use iecprobe::os;
use iecprobe::protocol::identification::Identification;
use iecprobe::signon::Failed;

use crate::cli::{Args, Output};
use crate::explain::Problem;
use crate::report;

/// How a run ended, if not with its work done.
#[derive(Debug)]
pub enum Exit {
    /// With a failure, and what it was seen by.
    Problem(Problem, Evidence),
    /// By a signal.
    Signal(i32),
    /// Whoever read our output has gone: no error, but no success either.
    OutputClosed,
    /// With the command's own status.
    Command(u8),
}

/// What is known of a meter when a failure is reported.
#[derive(Debug, Default)]
pub struct Evidence {
    /// Who answered, where somebody did.
    pub identification: Option<Identification>,
    /// What was received.
    pub received: Vec<u8>,
}

impl From<Problem> for Exit {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem, Evidence::default())
    }
}

impl From<Failed> for Evidence {
    fn from(failed: Failed) -> Self {
        Self { identification: failed.identification, received: failed.received }
    }
}

/// Writes to stdout.
pub fn print(text: &str) -> Result<(), Exit> {
    put(io::stdout().lock(), text)
}

/// Writes a report to stderr, where stdout belongs to the line.
pub fn print_aside(text: &str) -> Result<(), Exit> {
    put(io::stderr().lock(), text)
}

fn put(mut to: impl Write, text: &str) -> Result<(), Exit> {
    to.write_all(text.as_bytes()).and_then(|()| to.flush()).map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Exit::OutputClosed,
        _ => Problem::output(&error).into(),
    })
}

/// Writes to stderr. Nobody is left to tell if that fails, and the run goes on.
pub fn say(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Tells how a run on a port ended, where that belongs: the status to leave with, or the signal to die of.
pub fn tell(args: &Args, port: &str, ended: Result<(), Exit>) -> Result<u8, i32> {
    match ended {
        Ok(()) => Ok(0),
        Err(Exit::Command(status)) => Ok(status),
        Err(Exit::Signal(signal)) => Err(signal),
        Err(Exit::OutputClosed) => Err(os::BROKEN_PIPE),
        Err(Exit::Problem(problem, evidence)) => complain(args, port, &problem, &evidence),
    }
}

/// Reports a failure where its form belongs.
fn complain(args: &Args, port: &str, problem: &Problem, evidence: &Evidence) -> Result<u8, i32> {
    let usage = problem.kind == "usage";
    let form = if usage { Output::Text } else { args.form() };
    let report = report::failure(form, port, problem, evidence);
    if form == Output::Text || args.carries() {
        say(&report);
    } else {
        match print(&report) {
            Err(Exit::OutputClosed) => return Err(os::BROKEN_PIPE),
            Err(_) => say(&format!("iecprobe: {}\n", problem.message)),
            Ok(()) => {}
        }
    }
    Ok(problem.code)
}
