//! iecprobe: opens a smart meter's optical port. This file tells the story; the modules have the parts.

mod again;
mod cabinet;
mod cli;
mod command;
mod ending;
mod explain;
mod files;
mod finding;
mod form;
mod guess;
mod hints;
mod job;
mod kind;
mod list;
mod manner;
mod network;
mod notes;
mod picture;
mod ports;
mod report;
mod serve;
mod session;
mod several;
mod story;
mod style;
mod trouble;
mod usage;
mod watch;
mod words;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use iecprobe::os::ports::Computer;
use iecprobe::os::{self, Interrupt, Stderr};

use cli::Args;
use ending::Ending;
use form::Form;
use job::{Carry, Job, Task, Then};
use manner::Manner;
use session::Session;
use style::Look;
use trouble::Trouble;

fn main() -> ExitCode {
    os::prepare_console();
    // Every line is closed, and so restored, before the process dies of anything.
    let ended = run();
    // Whoever has not read yet what was said has until a signal comes.
    let said = Stderr.finish();
    let signal = Interrupt::registered().and_then(|interrupt| interrupt.signal());
    match said.err().and(signal).map_or(ended, Err) {
        Ok(status) => ExitCode::from(status),
        Err(signal) => os::die_of(signal),
    }
}

/// The status to leave with, or the signal to die of.
fn run() -> Result<u8, i32> {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return usage::answer(error),
    };
    let manner = Manner::of(&args);
    match Task::of(args) {
        Err(message) => usage::refuse(&manner, message),
        Ok(Task::Completions(shell)) => ending::tell(&manner, "", complete(shell)),
        Ok(Task::List) => ending::tell(&manner, "", list(&manner)),
        Ok(Task::Work(job)) => work(&job),
    }
}

/// Prints a completion script.
fn complete(shell: clap_complete::Shell) -> Result<(), Ending> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "iecprobe", &mut script);
    ending::print(&String::from_utf8_lossy(&script))
}

/// Prints the ports of this computer.
fn list(manner: &Manner) -> Result<(), Ending> {
    let computer = Computer::this();
    let ports = list::with_states(&computer, computer.ports());
    if ports.is_empty() && manner.form == Form::Text && !manner.quiet {
        ending::say("iecprobe: this machine has no serial port\n");
    }
    ending::print(&list::report(manner.form, &ports, Look::stdout(manner.color)))
}

/// Does the work on one port or on several.
fn work(job: &Job) -> Result<u8, i32> {
    story::start(&job.manner, job.ports.are_several());
    let manner = &job.manner;
    let ports = match ports::resolve(&job.ports, manner.quiet) {
        Ok(ports) => ports,
        Err(trouble) => return ending::tell(manner, "", Err(trouble.into())),
    };
    let interrupt = match Interrupt::register() {
        Ok(interrupt) => interrupt,
        Err(error) => return ending::tell(manner, "", Err(Trouble::Internal(error.to_string()).into())),
    };
    match &ports[..] {
        [port] if !job.ports.are_several() => {
            if let Then::Carry(Carry::Client(serving)) = &job.then {
                return serve::run(job, serving, port, &interrupt);
            }
            let session = Session { job, port, interrupt: &interrupt, client: None };
            let done = session.run().and_then(|report| ending::print(&report.unwrap_or_default()));
            ending::tell(manner, port, done)
        }
        ports => several::run(job, ports, &interrupt),
    }
}
