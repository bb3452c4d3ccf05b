//! What is meant by a command line: how a session begins, what follows, on which ports, and how all of it is told.

use std::ffi::OsString;
use std::time::Duration;

use iecprobe::hunt;
use iecprobe::line::{self, Address, Endpoint};
use iecprobe::protocol::baud;
use iecprobe::protocol::hdlc::Addresses;
use iecprobe::protocol::message::Request;
use iecprobe::protocol::parity::Parity;
use iecprobe::protocol::settings::Settings;
use iecprobe::signon::Config;

use crate::cli::Args;
use crate::cli::advanced::Advanced;
use crate::cli::line::Line as LineArgs;
use crate::cli::pipe::Pipe as PipeArgs;
use crate::files::{self, Drawing, Tracing};
use crate::form::Form;
use crate::manner::Manner;
use crate::ports::Ports;

/// The rate of `--direct` without `--baud`, in Bd.
const DIRECT_BAUD: u32 = 9600;

/// The rate of a sign-on, in Bd.
const START_BAUD: u32 = 300;

/// What a run is for.
#[derive(Debug)]
pub enum Task {
    /// Printing a completion script.
    Completions(clap_complete::Shell),
    /// Listing the ports of this computer.
    List,
    /// Work on ports.
    Work(Box<Job>),
}

/// Work on ports.
#[derive(Debug)]
pub struct Job {
    /// The ports.
    pub ports: Ports,
    /// How the line is opened.
    pub line: line::Options,
    /// How a session begins.
    pub start: Start,
    /// What follows.
    pub then: Then,
    /// Whether an HDLC DISC is sent before leaving.
    pub disconnect: bool,
    /// Who talks to whom in HDLC.
    pub addresses: Addresses,
    /// From the end of the sign-on to the first byte in HDLC.
    pub settle: Duration,
    /// Where the trace goes, if one is wanted.
    pub trace: Option<Tracing>,
    /// Where the picture goes, if one is wanted.
    pub drawing: Option<Drawing>,
    /// How it is told.
    pub manner: Manner,
}

/// How a session begins.
#[derive(Debug)]
pub enum Start {
    /// With a sign-on; what depends on the line is filled in by [`Start::config`].
    SignOn {
        /// What it is to do.
        config: Config,
        /// Quiet time between opening and the first byte, where it was given.
        warm_up: Option<Duration>,
        /// The rate of the sign-on in Bd, where it was given.
        start_baud: Option<u32>,
    },
    /// With the line as it is.
    Direct,
    /// With a hunt for a way to the meter, which is all there is.
    Hunt(Seek),
    /// With one request after the other, which is all there is.
    Watch(Seek),
}

/// What a hunt or a watch is to do; what depends on the line is filled in by [`Seek::config`].
#[derive(Clone, Debug)]
pub struct Seek {
    /// What it is to do.
    config: hunt::Config,
    /// Rate of the sign-on in Bd.
    baud: u32,
    /// Quiet time between opening and the first byte, where it was given.
    warm_up: Option<Duration>,
}

/// What follows the start.
#[derive(Debug)]
pub enum Then {
    /// A report.
    Report,
    /// An HDLC link that is opened and closed, and a report.
    CheckLink,
    /// Bytes carried between the line and somebody.
    Carry(Carry),
}

/// Between the line and whom bytes are carried.
#[derive(Debug)]
pub enum Carry {
    /// stdin and stdout.
    Streams {
        /// How long the line has to be silent after the end of stdin.
        linger: Duration,
        /// Time without a byte after which the pipe ends.
        idle: Option<Duration>,
    },
    /// TCP clients, one after the other.
    Client(Serving),
    /// A command.
    Command {
        /// Program and arguments.
        command: Vec<OsString>,
        /// Time without a byte after which the pipe ends.
        idle: Option<Duration>,
    },
}

/// How a port is served to TCP clients.
#[derive(Debug)]
pub struct Serving {
    /// Where they connect.
    pub at: Endpoint,
    /// How long the line has to be silent after a client has ended.
    pub linger: Duration,
    /// Time without a byte after which a session ends.
    pub idle: Option<Duration>,
    /// After how many clients it ends, if it does.
    pub sessions: Option<u32>,
}

impl Task {
    /// What `args` mean, or why they mean nothing.
    pub fn of(args: Args) -> Result<Self, String> {
        match args.completions {
            Some(shell) => Ok(Self::Completions(shell)),
            None if args.list && args.report.form() == Form::Shell => {
                Err("--list has no shell form: leave out -o shell, or use -o json".into())
            }
            None if args.list => Ok(Self::List),
            None => Job::of(args).map(Box::new).map(Self::Work),
        }
    }
}

impl Job {
    fn of(args: Args) -> Result<Self, String> {
        let manner = Manner::of(&args);
        if let Some(stray) = manner.again.stray_command() {
            return Err(missing_dashes(stray));
        }
        let ports = Ports::of(args.place, args.port, args.all);
        let (line, sign_on, advanced) = (args.line, args.sign_on, args.advanced);
        if let (Some(rate), false) = (line.baud, sign_on.direct)
            && baud::digit(rate).is_none()
        {
            let known = baud::all().map(|rate| rate.to_string()).collect::<Vec<_>>().join(", ");
            return Err(format!(
                "--baud {rate}: no baud character names this rate; an acknowledgement can name {known} (any other \
                 only with --direct)"
            ));
        }
        check_network(&ports, &line, &advanced)?;
        let start_baud = line.start_baud.unwrap_or(START_BAUD);
        let (dtr, rts) = (line.dtr.unwrap_or(true), line.rts.unwrap_or(true));
        let addresses = Addresses { client: advanced.hdlc_client, server: advanced.hdlc_server };
        let seek = Seek {
            config: hunt::Config {
                address: sign_on.address.clone(),
                addresses,
                recover: !sign_on.no_recover,
                modem_lines: (dtr, rts),
                ..hunt::Config::default()
            },
            baud: start_baud,
            warm_up: advanced.warm_up,
        };
        let (settings, start) = if args.cabinet.hunt {
            (Settings::seven_even(start_baud), Start::Hunt(seek))
        } else if args.cabinet.watch {
            (Settings::seven_even(start_baud), Start::Watch(seek))
        } else if sign_on.direct {
            (Settings::eight_none(line.baud.unwrap_or(DIRECT_BAUD)), Start::Direct)
        } else {
            let config = Config {
                start_baud,
                request: sign_on.address.or(advanced.request).unwrap_or_else(Request::general),
                attempts: sign_on.attempts,
                wait: sign_on.wait,
                manufacturers: sign_on.manufacturer,
                forced_baud: line.baud,
                control: advanced.control,
                force: sign_on.force,
                confirm: advanced.confirm,
                switch_delay: advanced.switch_delay,
                recover: !sign_on.no_recover,
                addresses,
                wake_up: sign_on.wake_up,
                ident_only: sign_on.ident_only,
                ..Config::default()
            };
            (
                Settings::seven_even(start_baud),
                Start::SignOn { config, warm_up: advanced.warm_up, start_baud: line.start_baud },
            )
        };
        let then = if args.pipe.pipe {
            Then::Carry(Carry::Streams { linger: args.pipe.linger, idle: args.pipe.idle })
        } else if let Some(at) = args.pipe.listen {
            let PipeArgs { linger, idle, sessions, .. } = args.pipe;
            Then::Carry(Carry::Client(Serving { at, linger, idle, sessions }))
        } else if !args.command.is_empty() {
            Then::Carry(Carry::Command { command: args.command, idle: args.pipe.idle })
        } else if sign_on.check_link {
            Then::CheckLink
        } else {
            Then::Report
        };
        let trace = args.records.trace.map(Tracing::of).transpose()?;
        let drawing = args.records.timeline.map(Drawing::of).transpose()?;
        files::check_apart(trace.as_ref(), drawing.as_ref())?;
        let job = Self {
            ports,
            line: line::Options { parity: advanced.parity, dtr, rts, settings },
            start,
            then,
            disconnect: sign_on.disconnect,
            addresses,
            settle: advanced.settle,
            trace,
            drawing,
            manner,
        };
        job.check_several()?;
        Ok(job)
    }

    /// Whether the session ends with the identification.
    pub fn is_ident_only(&self) -> bool {
        matches!(&self.start, Start::SignOn { config, .. } if config.ident_only)
    }

    /// Refuses for several ports what is about one.
    fn check_several(&self) -> Result<(), String> {
        let named = match &self.ports {
            Ports::Named(ports) if ports.len() > 1 => Some(ports.len()),
            Ports::AllUsb(_) => None,
            Ports::Named(_) | Ports::OnlyUsb => return Ok(()),
        };
        let reason = match &self.then {
            _ if matches!(self.start, Start::Watch(_)) => "--watch shows one port",
            Then::Carry(Carry::Streams { .. }) => "--pipe carries the bytes of one port",
            Then::Carry(Carry::Client(_)) => "--listen serves one port",
            Then::Carry(Carry::Command { .. }) => "COMMAND gets the bytes of one port",
            _ if self.trace.is_some() => "--trace has the bytes of one port",
            _ if self.drawing.as_ref().is_some_and(|drawing| drawing.file().is_some()) => {
                "--timeline=FILE shows one port"
            }
            _ if self.manner.form == Form::Shell => "--output shell sets the variables of one port",
            Then::Report | Then::CheckLink => return Ok(()),
        };
        Err(match named {
            None => format!("{reason}: not with --all"),
            Some(count) => format!("{reason}, and {count} are named"),
        })
    }
}

/// What is wrong with a command that stands where a port does.
pub fn missing_dashes(command: &str) -> String {
    format!("`{command}` is no port; a COMMAND stands behind `--`, as in `iecprobe PORT -- COMMAND`")
}

impl Seek {
    /// What is to be done on a line of this nature.
    pub fn config(&self, nature: line::Nature) -> hunt::Config {
        hunt::Config {
            warm_up: self.warm_up.unwrap_or(nature.warm_up),
            parity: nature.parities[0],
            lag: nature.lag,
            fixed_baud: nature.fixed_rate.then_some(self.baud),
            round_trip: nature.round_trip,
            ..self.config.clone()
        }
    }

    /// The one way in which a watched meter is asked.
    pub fn way(&self, config: &hunt::Config) -> hunt::Way {
        hunt::Way {
            baud: self.baud,
            parity: config.parity,
            request: config.address.clone().unwrap_or_else(Request::general),
            wakes: false,
            modem_lines: None,
        }
    }
}

impl Start {
    /// What a sign-on is to do on a line of this nature; none where there is no sign-on.
    pub fn config(&self, nature: line::Nature) -> Option<Config> {
        match self {
            Self::Direct | Self::Hunt(_) | Self::Watch(_) => None,
            Self::SignOn { config, warm_up, start_baud } if nature.fixed_rate => {
                // Both options name the one rate of the line. Where none does, the meter's side follows the sign-on by
                // itself, and begins at the usual rate.
                let rate = config.forced_baud.or(*start_baud);
                let start_baud = rate.unwrap_or(config.start_baud);
                Some(on(Config { forced_baud: rate, start_baud, ..config.clone() }, *warm_up, nature))
            }
            Self::SignOn { config, warm_up, .. } => Some(on(config.clone(), *warm_up, nature)),
        }
    }
}

/// The same with what depends on the line.
fn on(config: Config, warm_up: Option<Duration>, nature: line::Nature) -> Config {
    Config {
        warm_up: warm_up.unwrap_or(nature.warm_up),
        parities: nature.parities,
        lag: nature.lag,
        fixed_rate: nature.fixed_rate,
        round_trip: nature.round_trip,
        ..config
    }
}

/// Refuses what cannot be done on a line behind the network.
fn check_network(ports: &Ports, line: &LineArgs, advanced: &Advanced) -> Result<(), String> {
    let (Ports::Named(names) | Ports::AllUsb(names)) = ports else { return Ok(()) };
    for name in names {
        let address: Address = name.parse().map_err(|error: line::AddressError| format!("PORT: {error}"))?;
        if !matches!(address, Address::Tcp(_)) {
            continue;
        }
        let rates = [line.start_baud, line.baud];
        let wrong = [
            (advanced.parity == Some(Parity::Hardware), "--parity hardware: no port computes parity there"),
            (line.dtr.is_some(), "--dtr: there are no modem lines"),
            (line.rts.is_some(), "--rts: there are no modem lines"),
            (advanced.switch_delay.is_some(), "--switch-delay: there is no change of rate"),
            (
                matches!(rates, [Some(start), Some(data)] if start != data),
                "--start-baud and --baud: the line has one rate, and these are two names for it",
            ),
            (
                line.start_baud.is_some_and(|rate| baud::digit(rate).is_none()),
                "--start-baud: no baud character names this rate for the acknowledgement",
            ),
        ];
        if let Some((_, why)) = wrong.iter().find(|(wrong, _)| *wrong) {
            return Err(format!("{why}, on `tcp://` (`rfc2217://` has them where the server does)"));
        }
    }
    Ok(())
}
