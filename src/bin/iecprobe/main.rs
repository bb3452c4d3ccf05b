//! iecprobe: opens a smart meter's optical port. This file tells the story; the modules have the parts.

mod cli;
mod command;
mod ending;
mod explain;
mod hints;
mod list;
mod picture;
mod report;
mod session;
mod several;
mod watch;

use std::io::Write;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use iecprobe::os::ports::{Bus, Computer, Port};
use iecprobe::os::{self, Interrupt};
use iecprobe::protocol::text;

use cli::{Args, Output};
use ending::Exit;
use explain::Problem;
use session::Session;

fn main() -> ExitCode {
    let mut args = Args::parse();
    // An empty variable of the shell names no port.
    args.port.retain(|port| !port.is_empty());
    if let Err(message) = args.check() {
        Args::command().error(clap::error::ErrorKind::ValueValidation, message).exit();
    }
    start_log(&args);
    // Every line is closed, and so restored, before the process dies of anything.
    match run(&args) {
        Ok(status) => ExitCode::from(status),
        Err(signal) => os::die_of(signal),
    }
}

/// The status to leave with, or the signal to die of.
fn run(args: &Args) -> Result<u8, i32> {
    let tell = |port: &str, ended: Result<(), Exit>| ending::tell(args, port, ended);
    if let Some(shell) = args.completions {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Args::command(), "iecprobe", &mut script);
        return tell("", ending::print(&String::from_utf8_lossy(&script)));
    }
    if args.list {
        let machine = Computer::this();
        let ports = list::with_states(&machine, machine.ports());
        if ports.is_empty() && args.form() == Output::Text && !args.quiet {
            ending::say("iecprobe: this machine has no serial port\n");
        }
        return tell("", ending::print(&list::report(args.form(), &ports)));
    }
    let ports = match ports(args) {
        Ok(ports) => ports,
        Err(problem) => return tell("", Err(problem.into())),
    };
    let interrupt = match Interrupt::register() {
        Ok(interrupt) => interrupt,
        Err(error) => return tell("", Err(Problem::internal(error.to_string()).into())),
    };
    match &ports[..] {
        [port] if !args.several() => {
            let session = Session { args, port, interrupt: &interrupt };
            let done = session.run().and_then(|report| ending::print(&report.unwrap_or_default()));
            tell(port, done)
        }
        ports => several::run(args, ports, &interrupt),
    }
}

fn start_log(args: &Args) {
    let level = match args.verbose {
        0 if args.quiet => "error",
        0 => "warn",
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    let mut log = env_logger::Builder::from_env(env_logger::Env::default().default_filter_or(level));
    log.format_timestamp(None).format_target(false);
    if args.several() {
        // Threads are named after their ports.
        log.format(|to, record| {
            let thread = std::thread::current();
            let port = thread.name().unwrap_or_default();
            writeln!(to, "[{:<5}] {port}: {}", record.level(), record.args())
        });
    }
    log.init();
}

/// The ports to work on, at least one: those named, all USB serial ports, or the only one of this machine.
fn ports(args: &Args) -> Result<Vec<String>, Problem> {
    if !args.all && !args.port.is_empty() {
        return Ok(args.port.clone());
    }
    let machine = Computer::this();
    let found: Vec<Port> = machine.ports().into_iter().filter(Port::is_usb).collect();
    let nodes = found.iter().map(|port| port.node.clone());
    match &found[..] {
        [] if args.port.is_empty() => Err(Problem::no_port(&[])),
        _ if args.all => {
            let others = nodes.filter(|node| !args.port.contains(node));
            Ok(args.port.iter().cloned().chain(others).collect())
        }
        [port] => {
            if !args.quiet {
                let adapter = match &port.bus {
                    Bus::Usb(adapter) => adapter.name(),
                    Bus::Other(_) => None,
                };
                let adapter =
                    adapter.map_or_else(String::new, |name| format!(" ({})", text::escaped(name.as_bytes())));
                let node = &port.node;
                ending::say(&format!("iecprobe: taking {node}{adapter}, the only USB serial port\n"));
            }
            Ok(nodes.collect())
        }
        _ => Err(Problem::no_port(&list::with_states(&machine, found))),
    }
}
