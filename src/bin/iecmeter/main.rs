//! iecmeter: the virtual meter on a pseudo-terminal, or on a real device.

mod cli;

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Parser;

use iecprobe::meter::replay::Script;
use iecprobe::meter::wire::{Pace, Wire};
use iecprobe::meter::{App, Behaviour, Meter, Replay, Responder, scenario};
use iecprobe::os::{self, Interest, Interrupt, Seat, Seen, wait};
use iecprobe::protocol::message;
use iecprobe::protocol::settings::Settings;
use iecprobe::record::trace;

use cli::Args;

/// How often the settings of the other side are looked at while something is under way: it can change them at any
/// moment, and nobody tells.
const LOOK: Duration = Duration::from_millis(1);

/// Characters that may be under way before no more are read: a reader that sends without a pause has to wait.
const BACKLOG: usize = 4096;

/// How often a seat that nobody has opened is looked at.
const IDLE_LOOK: Duration = Duration::from_millis(5);

fn main() -> ExitCode {
    let args = Args::parse();
    match run(&args) {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(signal)) => os::die_of(signal),
        Err(error) if error.is::<scenario::UnknownScenario>() => {
            let _ = writeln!(io::stderr(), "iecmeter: {error:#}; `iecmeter --list-scenarios` names them");
            ExitCode::from(2)
        }
        Err(error) => {
            // Nobody is left to tell if this fails.
            let _ = writeln!(io::stderr(), "iecmeter: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<Option<i32>> {
    if args.list_scenarios {
        let list: String =
            scenario::ALL.iter().map(|one| format!("{:<18} {}\n", one.name, one.summary)).collect();
        io::stdout().write_all(list.as_bytes())?;
        return Ok(None);
    }
    if let Some(path) = &args.replay {
        let script = script(path).with_context(|| path.display().to_string())?;
        return play(args, |now| Replay::new(&script, now));
    }
    let behaviour = behaviour(args)?;
    play(args, |now| Meter::new(behaviour.clone(), now))
}

/// Plays a new meter to each reader.
fn play<M: Responder>(args: &Args, meter: impl Fn(Instant) -> M) -> Result<Option<i32>> {
    let interrupt = Interrupt::register()?;
    let mut seat = match &args.port {
        Some(port) => Seat::open(port).with_context(|| port.display().to_string())?,
        None => Seat::create(args.link.as_deref()).with_context(|| match &args.link {
            Some(link) => format!("--link {}", link.display()),
            None => "a new pseudo-terminal".into(),
        })?,
    };
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{}", seat.name())?;
    stdout.flush()?;
    drop(stdout);

    let pace = if args.real_time { Pace::Real } else { Pace::Lenient };
    let mut served = 0;
    while args.sessions.is_none_or(|most| served < most) {
        let now = Instant::now();
        let mut wire = Wire::new(meter(now), pace, Settings::seven_even(300), now);
        match serve(&mut seat, &mut wire, pace, &interrupt)? {
            Served::Nobody => {}
            Served::Session => served += 1,
            Served::Unplugged => return Ok(None),
            Served::Signal(signal) => return Ok(Some(signal)),
        }
    }
    Ok(None)
}

fn behaviour(args: &Args) -> Result<Behaviour> {
    let mut behaviour = Behaviour::default();
    scenario::apply(&args.scenario, &mut behaviour)?;
    if let Some(line) = &args.ident {
        if !line.starts_with('/') {
            bail!("--ident {line}: an identification begins with `/`");
        }
        behaviour.identification = line.clone().into_bytes();
    }
    behaviour.app = if args.app == "echo" { App::Echo } else { App::Hdlc };
    Ok(behaviour)
}

fn script(trace: &Path) -> Result<Script> {
    Ok(Script::new(&trace::parse(&fs::read_to_string(trace)?)?))
}

/// How the service of one reader ended.
enum Served {
    /// No reader has come for a while: the line is not open yet.
    Nobody,
    /// The reader has come and gone.
    Session,
    /// The scenario has taken the port away.
    Unplugged,
    /// A signal came.
    Signal(i32),
}

/// Plays until a reader has come and gone.
fn serve<M: Responder>(
    seat: &mut Seat,
    wire: &mut Wire<M>,
    pace: Pace,
    interrupt: &Interrupt,
) -> Result<Served> {
    let mut buffer = [0; 4096];
    let mut came = false;
    // When we looked last, if a wait for something to read has not come between.
    let mut looked: Option<Instant> = None;
    loop {
        if let Some(signal) = interrupt.signal() {
            return Ok(Served::Signal(signal));
        }
        let now = Instant::now();
        let full = wire.under_way(now) >= BACKLOG;
        let read = if full { Seen::Nothing } else { seat.read(&mut buffer)? };
        let set = seat.peer_settings();
        if let Seen::Bytes(length) = read {
            came = true;
            let bytes = &buffer[..length];
            // A busy machine lets us look late. The reader counts from when it wrote, which may have been any time
            // since our last look: it has the benefit of the doubt.
            let since = looked.unwrap_or(now);
            // The rate may have been set just before the bytes were written. Behind an acknowledgement it is set
            // afterwards, which has happened already where we come so late that its characters have left meanwhile.
            let paced = pace == Pace::Real && now < since + wire.settings().wire_time(length);
            match set {
                Some(set) if paced || bytes[0] != message::ACK => wire.configure(set, since),
                _ => {}
            }
            wire.transmit(bytes, since);
        }
        match set {
            Some(set) => wire.configure(set, now),
            None => {
                // The line of a device runs at the meter's own rate.
                let rate = wire.meter_rate();
                if rate != wire.settings().baud {
                    seat.set_rate(rate)?;
                    wire.configure(Settings::eight_none(rate), now);
                }
            }
        }
        let sent = wire.receive(now);
        if wire.is_gone(now) {
            return Ok(Served::Unplugged);
        }
        seat.write(&sent)?;
        match read {
            Seen::Bytes(_) => continue,
            Seen::Nothing => came = came || seat.is_open(),
            Seen::NobodyThere if came => return Ok(Served::Session),
            Seen::NobodyThere => {
                wait([Interest::read(Some(interrupt.handle()))], Some(now + IDLE_LOOK))?;
                return Ok(Served::Nobody);
            }
        }
        let next = wire.next_event();
        let busy = next.is_some_and(|at| at < now + Duration::from_secs(3));
        let until = if busy { next.map(|at| at.max(now).min(now + LOOK)) } else { next };
        looked = busy.then_some(now);
        let reader = Some(seat.handle()).filter(|_| !full);
        wait([Interest::read(Some(interrupt.handle())), Interest::read(reader)], until)?;
    }
}
