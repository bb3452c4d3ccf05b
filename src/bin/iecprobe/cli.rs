//! The command line of iecprobe, as it is typed. What it means to the protocol is worked out at the end.

use std::ffi::OsString;
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Parser, ValueEnum};

use iecprobe::line;
use iecprobe::protocol::baud;
use iecprobe::protocol::flag::FlagId;
use iecprobe::protocol::hdlc::{Addresses, Server};
use iecprobe::protocol::message::Request;
use iecprobe::protocol::parity::Parity;
use iecprobe::signon::{Config, Confirm, WakeUp};

/// Opens a smart meter's optical port: signs on by IEC 62056-21 mode E, says who answered, and on request stays open as a raw byte pipe.
#[derive(Parser, Debug)]
#[command(name = "iecprobe", version, max_term_width = 100, after_help = AFTER_HELP)]
pub struct Args {
    /// Device, or `sim:` / `sim:SCENARIO` for the built-in virtual meter
    ///
    /// Without it, the only USB serial port of the machine. Given several times, all ports are worked on at the same time.
    #[arg(short, long, env = "IECPROBE_PORT", hide_env_values = true, value_name = "PORT", help_heading = LINE)]
    pub port: Vec<String>,
    /// All USB serial ports of this machine
    #[arg(long, help_heading = LINE)]
    pub all: bool,
    /// Force the data rate, whatever the meter offers
    ///
    /// Without --direct it must be 300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600 or 115200.
    #[arg(short, long, value_name = "BPS", value_parser = rate, help_heading = LINE)]
    pub baud: Option<u32>,
    /// Rate of the sign-on
    #[arg(long, value_name = "BPS", value_parser = rate, default_value = "300", conflicts_with = "direct", help_heading = LINE)]
    pub start_baud: u32,
    /// Who computes the parity of 7E1
    #[arg(long, value_name = "HOW", value_parser = choice(PARITIES), default_value = "auto", help_heading = LINE)]
    pub parity: Asked,
    /// Level of DTR; many heads draw their power from it
    #[arg(long, value_name = "on|off", value_parser = level(), action = clap::ArgAction::Set, default_value = "on", hide_possible_values = true, help_heading = LINE)]
    pub dtr: bool,
    /// Level of RTS
    #[arg(long, value_name = "on|off", value_parser = level(), action = clap::ArgAction::Set, default_value = "on", hide_possible_values = true, help_heading = LINE)]
    pub rts: bool,
    /// Quiet time before the first byte [default: 200ms, 0s on a pseudo-terminal]
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = LINE)]
    pub warm_up: Option<Duration>,

    /// Longest wait for the first byte of each answer [default: 2s, confirmation 1.7s]
    #[arg(short, long, value_name = "DURATION", value_parser = duration, help_heading = SIGN_ON)]
    pub wait: Option<Duration>,
    /// Accept only these manufacturers, by FLAG id
    ///
    /// As `LGZ`, upper or lower case. Any other ends with status 9, before an acknowledgement is sent.
    #[arg(short, long, value_name = "ID[,ID..]", value_delimiter = ',', help_heading = SIGN_ON)]
    pub manufacturer: Vec<FlagId>,
    /// Device address in the request
    ///
    /// Mostly from the label of the meter: at most 32 of 0-9, A-Z, a-z and space.
    #[arg(short, long, value_name = "TEXT", value_parser = Request::to_address, help_heading = SIGN_ON)]
    pub address: Option<Request>,
    /// The whole request without CR LF, for meters outside the standard
    #[arg(long, value_name = "TEXT", value_parser = Request::verbatim, conflicts_with = "address", help_heading = SIGN_ON)]
    pub request: Option<Request>,
    /// Requests in all
    ///
    /// A meter from an earlier session is freed between the first and the second; 1 means one request, and freeing none.
    #[arg(long, value_name = "N", default_value = "3", value_parser = clap::value_parser!(u32).range(1..), help_heading = SIGN_ON)]
    pub attempts: u32,
    /// Wake a battery meter first
    #[arg(long, value_name = "HOW", value_parser = choice(WAKE_UPS), help_heading = SIGN_ON)]
    pub wake_up: Option<WakeUp>,
    /// The V character of the acknowledgement
    #[arg(long, value_name = "CHAR", default_value = "2", value_parser = printable, help_heading = SIGN_ON)]
    pub control: u8,
    /// Acknowledge mode E even if it is not offered
    #[arg(long, help_heading = SIGN_ON)]
    pub force: bool,
    /// Wait for the meter's confirmation, demand it, or do not wait
    #[arg(long, value_name = "HOW", value_parser = choice(CONFIRMS), default_value = "auto", help_heading = SIGN_ON)]
    pub confirm: Confirm,
    /// From the first byte of the acknowledgement to the change of rate [default: computed]
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = SIGN_ON)]
    pub switch_delay: Option<Duration>,
    /// From the confirmation to the first byte of the DLMS program
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "300ms", help_heading = SIGN_ON)]
    pub settle: Duration,
    /// Send no DISC and no break to free a meter from an earlier session
    #[arg(long, help_heading = SIGN_ON)]
    pub no_recover: bool,
    /// Stop after the identification: no session is opened
    #[arg(long, conflicts_with_all = ["direct", "pipe", "command", "disconnect"], help_heading = SIGN_ON)]
    pub ident_only: bool,
    /// No sign-on: open at --baud (9600) 8N1, with --pipe or COMMAND
    #[arg(long, requires = "carries", help_heading = SIGN_ON)]
    pub direct: bool,
    /// Send an HDLC DISC before leaving: the meter is free at once
    #[arg(long, help_heading = SIGN_ON)]
    pub disconnect: bool,
    /// See whether HDLC answers at the new rate: SNRM, UA, DISC
    #[arg(long, conflicts_with_all = ["direct", "pipe", "command", "ident_only"], help_heading = SIGN_ON)]
    pub check_link: bool,
    /// The reader's HDLC address, in --check-link and in every DISC
    #[arg(long, value_name = "N", default_value = "16", value_parser = clap::value_parser!(u8).range(1..=127), help_heading = SIGN_ON)]
    pub hdlc_client: u8,
    /// The meter's HDLC address: N, or LOGICAL/PHYSICAL
    #[arg(long, value_name = "N", default_value = "1", help_heading = SIGN_ON)]
    pub hdlc_server: Server,

    /// Carry raw bytes: stdin to the line, the line to stdout
    #[arg(long, group = "carries", help_heading = PIPE)]
    pub pipe: bool,
    /// After the end of stdin, stay until the line has been silent this long
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "2s", help_heading = PIPE)]
    pub linger: Duration,

    /// Form of the report
    #[arg(short, long, value_name = "FORM", default_value = "text", help_heading = REPORT)]
    pub output: Output,
    /// The same as --output json
    #[arg(long, conflicts_with = "output", help_heading = REPORT)]
    pub json: bool,
    /// Less on stderr: in pipe modes no report, but failures
    #[arg(short, long, conflicts_with = "verbose", help_heading = REPORT)]
    pub quiet: bool,
    /// More on stderr: events, and with -vv every frame
    #[arg(short, long, action = clap::ArgAction::Count, help_heading = REPORT)]
    pub verbose: u8,
    /// Write every byte of the line to FILE, with its time (`-` is stderr)
    #[arg(long, value_name = "FILE", help_heading = REPORT)]
    pub trace: Option<std::path::PathBuf>,
    /// Draw the sign-on when it is over: to stderr, to FILE as text, or to FILE.svg as SVG
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-", conflicts_with = "direct", help_heading = REPORT)]
    pub timeline: Option<std::path::PathBuf>,

    /// List the serial ports of this machine, without opening any
    #[arg(long, conflicts_with_all = NOT_WITH_LIST)]
    pub list: bool,
    /// Print the completion script for a shell
    #[arg(long, value_name = "SHELL")]
    pub completions: Option<clap_complete::Shell>,

    /// Program whose stdin and stdout are put on the line
    #[arg(last = true, value_name = "COMMAND", group = "carries", conflicts_with = "pipe")]
    pub command: Vec<OsString>,
}

/// What is about a sign-on or a pipe.
#[rustfmt::skip]
const NOT_WITH_LIST: [&str; 30] = [
    "all", "baud", "start_baud", "parity", "dtr", "rts", "warm_up", "wait", "manufacturer", "address", "request", "attempts",
    "wake_up", "control", "force", "confirm", "switch_delay", "settle", "no_recover", "ident_only", "direct", "disconnect",
    "check_link", "hdlc_client", "hdlc_server", "pipe", "linger", "trace", "timeline", "command",
];

const LINE: &str = "Line";
const SIGN_ON: &str = "Sign-on";
const PIPE: &str = "Pipe";
const REPORT: &str = "Report";
const AFTER_HELP: &str = "\
A DURATION has a unit: 250ms, 2s, 1m 30s.

Examples:
  iecprobe --list                          the serial ports of this machine
  iecprobe -p sim:                         sign on to the built-in meter
  iecprobe -p /dev/ttyUSB0                 who is there, and at what rate
  iecprobe -p /dev/ttyUSB0 --pipe          sign on, then be the line
  iecprobe -p /dev/ttyUSB0 -- COMMAND ARG  the same, for a program of yours

Exit status: 0 done, 1 anything else, 2 usage, 3 no such port, 4 no permission,
5 port in use, 6 no answer, 7 no identification, 8 no mode E,
9 another manufacturer, 10 line lost, 11 output lost; with COMMAND its own.";

/// A value of an option: its name, its help, and what it means.
type Choice<T> = (&'static str, &'static str, T);

/// Who is asked to compute parity; nobody where we are to find out.
type Asked = Option<Parity>;

const PARITIES: &[Choice<Asked>] = &[
    ("auto", "Hardware where the driver keeps 7E1, none on a pseudo-terminal, else software", None),
    ("hardware", "7E1 by the driver", Some(Parity::Hardware)),
    ("software", "8N1 with parity computed into bit 7", Some(Parity::Software)),
    ("none", "Plain ASCII at 8N1", Some(Parity::None)),
];

const WAKE_UPS: &[Choice<WakeUp>] = &[
    ("normal", "One run of NULs, then silence", WakeUp::Normal),
    ("fast", "Bursts of NULs until the meter answers", WakeUp::Fast),
];

const CONFIRMS: &[Choice<Confirm>] = &[
    ("auto", "Wait, go on without", Confirm::Auto),
    ("require", "Wait, fail without", Confirm::Require),
    ("skip", "Do not wait", Confirm::Skip),
];

/// `--output`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// `key: value`, one a line
    Text,
    /// One object on one line
    Json,
    /// Lines to `eval`
    Shell,
}

impl Args {
    /// What clap cannot say by itself.
    pub fn check(&self) -> Result<(), String> {
        if self.list && self.form() == Output::Shell {
            return Err("--list has no shell form: leave out -o shell, or use -o json".into());
        }
        if let (Some(rate), false) = (self.baud, self.direct)
            && baud::digit(rate).is_none()
        {
            let known = baud::all().map(|rate| rate.to_string()).collect::<Vec<_>>().join(", ");
            return Err(format!(
                "--baud {rate}: no baud character names this rate; an acknowledgement can name {known} \
                     (any other only with --direct)"
            ));
        }
        for (place, port) in self.port.iter().enumerate() {
            if self.port[..place].contains(port) && !port.starts_with("sim:") {
                return Err(format!("--port {port}: named twice"));
            }
        }
        let single = [
            (self.pipe, "--pipe carries the bytes of one port"),
            (!self.command.is_empty(), "COMMAND gets the bytes of one port"),
            (self.trace.is_some(), "--trace has the bytes of one port"),
            (
                self.timeline.as_deref().is_some_and(|file| file.as_os_str() != "-"),
                "--timeline FILE shows one port",
            ),
            (self.form() == Output::Shell, "--output shell sets the variables of one port"),
        ];
        match single.iter().find(|(asked, _)| *asked && self.several()) {
            Some((_, reason)) if self.all => Err(format!("{reason}: not with --all")),
            Some((_, reason)) => Err(format!("{reason}, and {} are named", self.port.len())),
            None => Ok(()),
        }
    }

    /// Whether this is about several ports, one report each.
    pub fn several(&self) -> bool {
        self.all || self.port.len() > 1
    }

    /// Who talks to whom in HDLC.
    pub fn addresses(&self) -> Addresses {
        Addresses { client: self.hdlc_client, server: self.hdlc_server }
    }

    /// Whether bytes are carried after the sign-on.
    pub fn carries(&self) -> bool {
        self.pipe || !self.command.is_empty()
    }

    /// The form of the report.
    pub fn form(&self) -> Output {
        if self.json { Output::Json } else { self.output }
    }

    /// What the sign-on is to do on `line`.
    pub fn sign_on(&self, line: &dyn line::Line) -> Config {
        let nature = line.nature();
        Config {
            start_baud: self.start_baud,
            warm_up: self.warm_up.unwrap_or(nature.warm_up),
            parities: nature.parities,
            lag: nature.lag,
            request: self.address.clone().or_else(|| self.request.clone()).unwrap_or_else(Request::general),
            attempts: self.attempts,
            wait: self.wait,
            manufacturers: self.manufacturer.clone(),
            forced_baud: self.baud,
            control: self.control,
            force: self.force,
            confirm: self.confirm,
            switch_delay: self.switch_delay,
            recover: !self.no_recover,
            addresses: self.addresses(),
            wake_up: self.wake_up,
            ident_only: self.ident_only,
        }
    }
}

/// A duration with its unit, of at most a day.
fn duration(text: &str) -> Result<Duration, String> {
    let is_bare = text.ends_with(|last: char| last.is_ascii_digit());
    if is_bare && humantime::parse_duration(&format!("{text}s")).is_ok() {
        return Err(format!("a unit is missing: `{text}ms` or `{text}s`"));
    }
    let duration = humantime::parse_duration(text)
        .map_err(|error| format!("{error}; it has a number and a unit, as `250ms`, `2s` or `1m 30s`"))?;
    if duration > Duration::from_secs(86_400) {
        return Err("more than a day".into());
    }
    Ok(duration)
}

/// A rate in Bd that a UART can have.
fn rate(text: &str) -> Result<u32, String> {
    const RANGE: std::ops::RangeInclusive<u32> = 50..=4_000_000;
    let rate = text.parse().ok().filter(|rate| RANGE.contains(rate));
    rate.ok_or_else(|| {
        format!("not a rate that a UART has: a number of Bd from {} to {}", RANGE.start(), RANGE.end())
    })
}

fn printable(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        &[byte] if byte.is_ascii_graphic() => Ok(byte),
        _ => Err("one printable ASCII character is wanted".into()),
    }
}

fn level() -> impl TypedValueParser<Value = bool> {
    PossibleValuesParser::new(["on", "off"]).map(|level| level == "on")
}

fn choice<T: Copy + Send + Sync>(choices: &'static [Choice<T>]) -> impl TypedValueParser<Value = T> {
    let values = choices.iter().map(|(name, help, _)| PossibleValue::new(*name).help(*help));
    let meaning =
        |name: String| choices.iter().find(|(known, ..)| *known == name).map(|(.., meaning)| *meaning);
    PossibleValuesParser::new(values).try_map(move |name| meaning(name).ok_or("not one of the values"))
}
