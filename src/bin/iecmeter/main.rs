//! iecmeter: the virtual meter on a pseudo-terminal, on a real device, or on the network.

mod cli;
mod network;
mod place;
mod serve;

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use clap::{CommandFactory, Parser};

use iecprobe::line::Address;
use iecprobe::meter::replay::Script;
use iecprobe::meter::wire::{Pace, Wire};
use iecprobe::meter::{App, Behaviour, Meter, Replay, Responder, scenario};
use iecprobe::os::{self, Child, Interrupt, Seat, Streams, check_program};
use iecprobe::protocol::settings::Settings;
use iecprobe::record::trace;

use cli::Args;
use network::Network;
use place::Place;
use serve::{Ended, Ends, Served, serve};

/// How long a command may take that was told to end, before it is killed: it may have something to put in order.
const PARTING: Duration = Duration::from_secs(2);

/// A value that cannot be, found too late for clap.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct BadValue(String);

fn main() -> ExitCode {
    let args = Args::parse();
    match run(&args) {
        Ok(Ended::Done) => ExitCode::SUCCESS,
        Ok(Ended::Command(status)) => ExitCode::from(status),
        Ok(Ended::TimedOut) => {
            let after = args.timeout.unwrap_or_default();
            complain(&format!("--timeout: it has not ended within {}", humantime::format_duration(after)));
            ExitCode::FAILURE
        }
        Ok(Ended::Signal(signal)) => os::die_of(signal),
        Err(error) => {
            complain(&format!("{error:#}"));
            if error.is::<BadValue>() { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}

fn complain(message: &str) {
    // Nobody is left to tell if this fails.
    let _ = writeln!(io::stderr(), "iecmeter: {message}");
}

fn run(args: &Args) -> Result<Ended> {
    if let Some(shell) = args.completions {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Args::command(), "iecmeter", &mut script);
        io::stdout().write_all(&script).context("stdout")?;
        return Ok(Ended::Done);
    }
    if args.list_scenarios {
        let list: String =
            scenario::ALL.iter().map(|one| format!("{:<18} {}\n", one.name, one.summary)).collect();
        io::stdout().write_all(list.as_bytes()).context("stdout")?;
        return Ok(Ended::Done);
    }
    if let Some(path) = &args.replay {
        let script = script(path)?;
        return play(args, |now| Replay::new(&script, now));
    }
    let behaviour = behaviour(args)?;
    play(args, |now| Meter::new(behaviour.clone(), now))
}

/// Plays to each reader, with a command beside it where one was given; a meter that has been left in a session is kept.
fn play<M: Responder>(args: &Args, meter: impl Fn(Instant) -> M) -> Result<Ended> {
    if let Some(program) = args.command.first() {
        check_program(program).map_err(|why| anyhow!("{}: {why}", program.to_string_lossy()))?;
    }
    let interrupt = Interrupt::register()?;
    let mut place = take_place(args)?;
    let mut child = None;
    if args.command.is_empty() {
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "{}", place.name()).and_then(|()| stdout.flush()).context("stdout")?;
    } else {
        let variables = [("IECPROBE_PORT".into(), place.name().into())];
        let started = Child::spawn(&args.command, &variables, Streams::Ours);
        child = Some(started.with_context(|| args.command[0].to_string_lossy().into_owned())?);
    }
    let deadline = args.timeout.map(|timeout| Instant::now() + timeout);
    let mut ends = Ends { interrupt: &interrupt, child: child.as_mut(), deadline };
    let ended = play_at(&mut place, args, meter, &mut ends);
    let ended = match ended {
        // The command is what it was all for.
        Ok(Ended::Done) if ends.child.is_some() => await_command(&mut ends),
        ended => ended,
    };
    drop(place);
    if let Some(child) = child {
        end(child);
    }
    ended
}

/// Plays until an end is reached.
fn play_at<M: Responder>(
    place: &mut Place,
    args: &Args,
    meter: impl Fn(Instant) -> M,
    ends: &mut Ends<'_>,
) -> Result<Ended> {
    let pace = if args.real_time { Pace::Real } else { Pace::Lenient };
    let new = |now| Wire::new(meter(now), pace, Settings::seven_even(300), now);
    let mut wire = new(Instant::now());
    let mut served = 0;
    while args.sessions.is_none_or(|most| served < most) {
        match serve(place, &mut wire, pace, ends).with_context(|| place.name().to_owned())? {
            Served::Nobody => {}
            Served::Session => served += 1,
            Served::Ended(ended) => return Ok(ended),
        }
        let now = Instant::now();
        // Nobody hears what it still sends, and its inactivity time runs on.
        wire.receive(now);
        if !wire.meter().is_in_session() {
            wire = new(now);
        }
    }
    Ok(Ended::Done)
}

fn await_command(ends: &mut Ends<'_>) -> Result<Ended> {
    loop {
        if let Some(ended) = ends.reached(Instant::now()) {
            return Ok(ended);
        }
        ends.wait(Default::default(), None)?;
    }
}

/// Ends a command that still runs, and what does not listen to that is killed.
fn end(mut child: Child) {
    if child.status().is_some() {
        return;
    }
    child.terminate();
    let deadline = Instant::now() + PARTING;
    while child.status().is_none() {
        if Instant::now() >= deadline {
            child.kill();
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn take_place(args: &Args) -> Result<Place> {
    if let Some(address) = &args.listen {
        let address = &to_listen(address)?;
        let network = Network::listen(address).with_context(|| format!("--listen {address}"))?;
        return Ok(Place::Network(Box::new(network)));
    }
    Ok(Place::Terminal(match &args.port {
        Some(port) => Seat::open(port).with_context(|| format!("--port {}", port.display()))?,
        None => Seat::create(args.link.as_deref()).with_context(|| match &args.link {
            Some(link) => format!("--link {}", link.display()),
            None => "a new pseudo-terminal".into(),
        })?,
    }))
}

/// Clap would repeat a wrong one, and with it a password.
fn to_listen(name: &str) -> Result<Address, BadValue> {
    Address::to_listen(name).map_err(|error| BadValue(format!("--listen: {error}")))
}

fn behaviour(args: &Args) -> Result<Behaviour> {
    let mut behaviour = Behaviour::default();
    scenario::apply(&args.scenario, &mut behaviour).map_err(|error| {
        BadValue(format!("--scenario {}: {error}; `iecmeter --list-scenarios` names them", args.scenario))
    })?;
    let listens = args.listen.as_deref().map(to_listen).transpose()?;
    if matches!(listens, Some(Address::Rfc2217(_))) {
        // It sees the framing that its reader has set, and hears 7E1 alone.
        behaviour.insists_on_parity.get_or_insert(true);
    }
    if let Some(line) = &args.ident {
        if !line.starts_with('/') {
            return Err(BadValue(format!("--ident {line}: an identification begins with `/`")).into());
        }
        behaviour.identification = line.clone().into_bytes();
    }
    behaviour.app = if args.app == "echo" { App::Echo } else { App::Hdlc };
    Ok(behaviour)
}

fn script(file: &Path) -> Result<Script> {
    let named = || format!("--replay {}", file.display());
    let text = fs::read_to_string(file).with_context(named)?;
    let trace = trace::parse(&text).map_err(|error| BadValue(format!("{}: {error}", named())))?;
    Ok(Script::new(&trace))
}
