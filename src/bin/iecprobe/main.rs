//! iecprobe: opens a smart meter's optical port. This file tells the story; the modules have the parts.

mod cli;
mod command;
mod explain;
mod report;
mod watch;

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::time::Instant;

use clap::{CommandFactory, Parser};

use iecprobe::driver::{Driver, Stopped};
use iecprobe::interrupt::{self, Interrupt};
use iecprobe::line::{self, Line};
use iecprobe::pipe::{self, End, User};
use iecprobe::settings::Settings;
use iecprobe::signon::{Failed, SignOn, SignedOn};

use cli::{Args, Output};
use explain::Problem;
use watch::Watch;

/// `--direct` without `--baud`.
const DIRECT_BAUD: u32 = 9600;

/// How a run ended, if not with its work done.
enum Exit {
    Problem(Problem, Option<Box<Failed>>),
    Signal(i32),
    /// Whoever read our output has gone: no error, but no success either.
    OutputClosed,
    /// The command's own status.
    Command(u8),
}

impl From<Problem> for Exit {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem, None)
    }
}

fn main() -> ExitCode {
    let args = Args::parse();
    if let Some(shell) = args.completions {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Args::command(), "iecprobe", &mut script);
        return match print(&String::from_utf8_lossy(&script)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(Exit::Problem(problem, _)) => complain(&args, "", &problem, None),
            Err(_) => interrupt::die_of(interrupt::SIGPIPE),
        };
    }
    if let Err(message) = args.check() {
        Args::command().error(clap::error::ErrorKind::ValueValidation, message).exit();
    }
    let level = match args.verbose {
        0 => "warn",
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    let environment = env_logger::Env::default().default_filter_or(level);
    env_logger::Builder::from_env(environment).format_timestamp(None).format_target(false).init();

    let port = match args.port.clone().map_or_else(|| only_port(&args), Ok) {
        Ok(port) => port,
        Err(problem) => return complain(&args, "", &problem, None),
    };
    // The line is dropped, and so restored, before anything below ends the process.
    match run(&args, &port) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Exit::Command(status)) => ExitCode::from(status),
        Err(Exit::Signal(signal)) => interrupt::die_of(signal),
        Err(Exit::OutputClosed) => interrupt::die_of(interrupt::SIGPIPE),
        Err(Exit::Problem(problem, failed)) => complain(&args, &port, &problem, failed.as_deref()),
    }
}

fn run(args: &Args, port: &str) -> Result<(), Exit> {
    let began = Instant::now();
    let interrupt = Interrupt::register().map_err(|error| Problem::internal(error.to_string()))?;
    command::check(&args.command).map_err(Problem::internal)?;
    let start = if args.direct {
        Settings::eight_none(args.baud.unwrap_or(DIRECT_BAUD))
    } else {
        Settings::seven_even(args.start_baud)
    };
    let options = line::Options { parity: args.line_parity(), dtr: args.dtr, rts: args.rts, settings: start };
    let mut line = line::open(port, options).map_err(|error| explain::open(port, &error))?;
    // Only now: a run that cannot open its port leaves no file behind.
    let mut watch = Watch::new(args.trace.as_deref(), args.quiet).map_err(|error| {
        let path = args.trace.as_deref().unwrap_or(std::path::Path::new("-"));
        Problem { message: format!("--trace {}: {error}", path.display()), ..Problem::output(&error) }
    })?;
    let driven = drive(args, port, began, start, &mut *line, &interrupt, &mut watch);
    drop(line);
    let traced = watch.finish().map_err(|error| Problem::output(&error).into());
    driven.and(traced)
}

/// Everything that happens while the line is open.
fn drive(
    args: &Args,
    port: &str,
    began: Instant,
    start: Settings,
    line: &mut dyn Line,
    interrupt: &Interrupt,
    watch: &mut Watch,
) -> Result<(), Exit> {
    let remarks = line.remarks();
    let mut settings = start;
    let mut signed_on = None;
    if !args.direct {
        let done = sign_on(args, port, line, interrupt, watch)?;
        if !args.ident_only {
            settings = Settings::eight_none(done.baud);
        }
        signed_on = Some(done);
    }
    let settled = Instant::now() + args.settle;
    if let (Some(signed_on), true) = (&signed_on, args.carries())
        && !args.quiet
    {
        eprint!("{}", report::success(args.form(), port, signed_on, &remarks, began.elapsed()));
    }
    let mut ended = Ok(());
    if args.carries() {
        // Nothing but the report where a program reads it.
        if !args.quiet && args.form() == Output::Text {
            eprintln!("iecprobe: {port} is open at {settings}");
        }
        let first = signed_on.as_ref().map_or_else(Vec::new, |done| done.rest.clone());
        let confirmed = signed_on.as_ref().is_some_and(|done| done.confirmed == Some(true));
        let first = match &first[..] {
            [b'\n' | 0x8A, rest @ ..] if confirmed => rest.to_vec(),
            _ => first,
        };
        let plan = pipe::Plan {
            skip_lf: confirmed && first.is_empty(),
            first,
            settled: if args.direct { Instant::now() } else { settled },
            user: if args.command.is_empty() { User::Streams { linger: args.linger } } else { User::Command },
        };
        ended = carry(args, port, line, plan, interrupt, watch);
    }
    if args.disconnect {
        let mut driver = Driver { line, interrupt, observer: watch };
        let settled = if args.carries() { Instant::now() } else { settled };
        let parted = match &ended {
            Err(Exit::Signal(signal)) => Err(Exit::Signal(*signal)),
            Err(Exit::Problem(problem, _)) if problem.kind == "line-lost" => Ok(()),
            _ => disconnect(port, &mut driver, settings, settled),
        };
        if matches!(parted, Err(Exit::Signal(_))) {
            driver.disconnect_at_once(settings);
        }
        ended = ended.and(parted);
    }
    ended?;
    match &signed_on {
        Some(signed_on) if !args.carries() => {
            print(&report::success(args.form(), port, signed_on, &remarks, began.elapsed()))
        }
        _ => Ok(()),
    }
}

fn sign_on(
    args: &Args,
    port: &str,
    line: &mut dyn Line,
    interrupt: &Interrupt,
    watch: &mut Watch,
) -> Result<SignedOn, Exit> {
    let config = args.sign_on(line);
    let mut machine = SignOn::new(config.clone(), Instant::now());
    let mut driver = Driver { line, interrupt, observer: watch };
    let ended = driver.sign_on(&mut machine);
    watch.clear();
    match ended {
        Ok(Ok(signed_on)) => Ok(signed_on),
        Ok(Err(failed)) => {
            let problem = explain::failed(&failed, &config);
            Err(Exit::Problem(problem, Some(Box::new(failed))))
        }
        Err(Stopped::Signal(signal)) => Err(Exit::Signal(signal)),
        Err(stopped) => Err(explain::stopped(port, &stopped).into()),
    }
}

fn disconnect(port: &str, driver: &mut Driver<'_>, settings: Settings, settled: Instant) -> Result<(), Exit> {
    match driver.pause(settled).and_then(|()| driver.disconnect(settings)) {
        Ok(true) => log::info!("the meter answered the DISC"),
        Ok(false) => log::warn!("the meter did not answer the DISC"),
        Err(Stopped::Signal(signal)) => return Err(Exit::Signal(signal)),
        Err(stopped) => return Err(explain::stopped(port, &stopped).into()),
    }
    Ok(())
}

fn carry(
    args: &Args,
    port: &str,
    line: &mut dyn Line,
    plan: pipe::Plan,
    interrupt: &Interrupt,
    watch: &mut Watch,
) -> Result<(), Exit> {
    let end = if args.command.is_empty() {
        let (stdin, stdout) = (io::stdin(), io::stdout());
        let (input, output) = (pipe::Raw(stdin.as_fd()), pipe::Raw(stdout.as_fd()));
        pipe::carry(line, input, output, plan, interrupt, watch)
    } else {
        let mut child = command::start(&args.command).map_err(Problem::internal)?;
        let end = child.carry(line, plan, interrupt, watch);
        match (end, child.finish(interrupt)) {
            (End::Input | End::OutputClosed, status) => {
                return command::status(status).map_err(Exit::Command);
            }
            (end, _) => end,
        }
    };
    match end {
        End::Input => Ok(()),
        End::OutputClosed => Err(Exit::OutputClosed),
        End::Output(error) => Err(Problem::output(&error).into()),
        End::LineLost => Err(Problem::line_lost(port).into()),
        End::Signal(signal) => Err(Exit::Signal(signal)),
    }
}

/// The only USB serial port of this machine.
fn only_port(args: &Args) -> Result<String, Problem> {
    let mut ports = line::usb_ports();
    match (ports.len(), ports.pop()) {
        (1, Some(port)) => {
            if !args.quiet {
                eprintln!("iecprobe: taking {port}, the only USB serial port");
            }
            Ok(port)
        }
        (_, last) => {
            ports.extend(last);
            Err(Problem::no_port(&ports))
        }
    }
}

/// Writes a report to stdout.
fn print(report: &str) -> Result<(), Exit> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(report.as_bytes()).and_then(|()| stdout.flush()).map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Exit::OutputClosed,
        _ => Problem::output(&error).into(),
    })
}

/// Reports a failure where its form belongs.
fn complain(args: &Args, port: &str, problem: &Problem, failed: Option<&Failed>) -> ExitCode {
    let usage = problem.kind == "usage";
    let form = if usage { Output::Text } else { args.form() };
    let report = report::failure(form, port, problem, failed);
    if form == Output::Text || args.carries() {
        // Nobody is left to tell if this fails.
        let _ = io::stderr().write_all(report.as_bytes());
    } else {
        match print(&report) {
            Err(Exit::OutputClosed) => interrupt::die_of(interrupt::SIGPIPE),
            Err(_) => eprintln!("iecprobe: {}", problem.message),
            Ok(()) => {}
        }
    }
    ExitCode::from(problem.code)
}
