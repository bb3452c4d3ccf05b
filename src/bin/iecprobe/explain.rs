//! What is wrong, for the person at the keyboard: one message with the facts, one hint, and commands to try.

use iecprobe::line::{Address, OpenError};
use iecprobe::machine::exchange::Says;
use iecprobe::os;
use iecprobe::os::ports::{Port, State};
use iecprobe::protocol::hdlc::Addresses;
use iecprobe::protocol::identification::Identification;
use iecprobe::protocol::message::STX;
use iecprobe::protocol::parity;
use iecprobe::protocol::text;
use iecprobe::signon::{Config, Damage, Failed, Failure};

use crate::again::Again;
use crate::hints::Advice;
use crate::kind::Kind;
use crate::trouble::{NoLink, Trouble};
use crate::{finding, guess, hints, list, network, words};

/// A failure, as it is reported.
#[derive(Debug)]
pub struct Problem {
    /// Its kind.
    pub kind: Kind,
    /// What is wrong.
    pub message: String,
    /// What can be done.
    pub hint: Option<String>,
    /// Commands to try, best first.
    pub tries: Vec<String>,
}

/// A message, a hint, and commands to try.
pub type Words = (String, Option<Advice>);

/// What is told about a failure on this port, of this command line.
pub fn explain(trouble: &Trouble, port: &str, again: &Again) -> Problem {
    // A name may have anything in it.
    let port = text::escaped(port.as_bytes());
    let (message, advice) = match trouble {
        Trouble::Usage(message) | Trouble::Internal(message) => (message.clone(), None),
        Trouble::NoPort(found) => no_port(found),
        Trouble::Open(error) => open(&port, error, again),
        Trouble::SignOn { failed, config } => sign_on(failed, config, again),
        Trouble::Hunt(sought) => finding::problem(sought),
        Trouble::Link(no_link) => link(no_link, again),
        Trouble::LineLost => line_lost(&port),
        Trouble::Lost(loss) => network::lost(&port, loss),
        Trouble::Refused { refused, identification } => {
            network::refused(&who(Some(identification)), *refused)
        }
        Trouble::Output(error) => (format!("the output cannot be written: {error}"), None),
        Trouble::File { option, file, error } => {
            (format!("{option} {}: {error}", text::escaped(file.as_os_str().as_encoded_bytes())), None)
        }
    };
    let (hint, tries) = advice.map(|advice| (advice.hint, advice.tries)).unzip();
    let hint = hint.filter(|hint| !hint.is_empty());
    Problem { kind: trouble.kind(), message, hint, tries: tries.unwrap_or_default() }
}

impl Problem {
    /// The same with the port named, for a reader of several reports.
    pub fn of_port(mut self, port: &str) -> Self {
        let port = text::escaped(port.as_bytes());
        if !self.message.starts_with(&port) {
            self.message = format!("{port}: {}", self.message);
        }
        self
    }
}

/// A message with what to do about it.
pub fn words(message: impl Into<String>, advice: impl Into<Advice>) -> Words {
    (message.into(), Some(advice.into()))
}

fn line_lost(port: &str) -> Words {
    if port.parse().is_ok_and(|address: Address| address.is_network()) {
        return words(
            format!("{port}: the connection was closed"),
            "is the serial server still running, and the network up? try again",
        );
    }
    words(format!("{port}: the port went away"), words::LOST)
}

/// No port was named, and there is not exactly one to take.
fn no_port(found: &[(Port, State)]) -> Words {
    let message = match found.len() {
        0 => "no port was named, and this computer has no USB serial port".to_owned(),
        count => {
            format!(
                "no port was named, and this computer has {count} USB serial ports:{}",
                list::lines(found)
            )
        }
    };
    let tries = vec!["iecprobe --list".to_owned(), "iecprobe sim:".to_owned()];
    words(message, Advice { hint: "name one; `sim:` is the built-in meter".into(), tries })
}

/// A port that cannot be opened.
fn open(port: &str, error: &OpenError, again: &Again) -> Words {
    match error {
        OpenError::Port(os::OpenError::Missing) => {
            words(format!("{port}: there is no such port"), guess::missing_port(port, again))
        }
        OpenError::Port(os::OpenError::NotSerial(what)) => words(
            format!("{port}: this is {what}, not a serial port"),
            Advice { hint: words::NAMES.into(), tries: vec!["iecprobe --list".into()] },
        ),
        OpenError::Port(os::OpenError::Permission { group: Some(group) }) if group != "root" => {
            let message = format!("{port}: no permission to open it; the group `{group}` has");
            if os::has_joined(group) {
                let hint =
                    "this user has joined the group, but only since logging in: log out and in again".into();
                words(message, Advice { hint, tries: vec![format!("newgrp {group}")] })
            } else {
                let hint = "join the group, then log out and in again".into();
                words(message, Advice { hint, tries: vec![format!("sudo usermod -aG {group} $USER")] })
            }
        }
        OpenError::Port(os::OpenError::Permission { .. }) => words(
            format!("{port}: no permission to open it"),
            "ask its owner, or look at its rights with `ls -l`",
        ),
        OpenError::Port(os::OpenError::Busy(holder)) => words(
            match holder {
                Some(holder) => format!("{port}: in use by {holder}"),
                None => format!("{port}: {}", words::BUSY),
            },
            words::FREE_IT,
        ),
        OpenError::Rate { wanted, kept } => (
            format!("{port}: the driver cannot set {wanted} Bd, it went to {kept} Bd; take another rate"),
            None,
        ),
        OpenError::Scenario(unknown) => {
            let meant = guess::scenario(&unknown.0).map(|scenario| format!("sim:{scenario}"));
            let rest = match &meant {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => "`iecmeter --list-scenarios` names them".to_owned(),
            };
            let tries = meant.map(|meant| again.on(&meant).line());
            words(
                format!("{port}: {unknown}; {rest}"),
                Advice { hint: String::new(), tries: tries.into_iter().collect() },
            )
        }
        OpenError::Network(error) => network::problem(port, error),
        OpenError::Signal(_) => (error.to_string(), None),
        OpenError::Port(os::OpenError::Io(error)) => (format!("{port}: {error}"), None),
    }
}

/// Who answered, in words: the maker as the FLAG list has it, and the ident.
fn who(identification: Option<&Identification>) -> String {
    let Some(identification) = identification else { return "the meter".into() };
    let name = identification.flag_id().name().and_then(|name| name.split(',').next());
    let maker = name.map_or_else(|| text::escaped(&identification.manufacturer()), str::to_owned);
    format!("{maker} {}", text::escaped(identification.ident()).trim()).trim_end().to_owned()
}

/// An HDLC link that did not open: how the meter answered, if it did.
fn link(no_link: &NoLink, again: &Again) -> Words {
    let NoLink { says, received, addresses, settings, identification } = no_link;
    let signed_on = match identification {
        Some(known) => format!("{} signed on, but ", who(Some(known))),
        None => String::new(),
    };
    let Addresses { client, server } = *addresses;
    let asked = format!("SNRM from client {client} to server {server} at {settings}");
    match says {
        Some(says) => words(
            format!(
                "{signed_on}it answered {asked} with {}",
                if *says == Says::Rejected { "FRMR" } else { "DM: it opens no link" }
            ),
            hints::link_refused(again),
        ),
        None => words(
            if received.is_empty() {
                format!("{signed_on}nothing answered {asked}")
            } else {
                format!(
                    "{signed_on}{} bytes that are no HDLC answer came to {asked}: {}",
                    received.len(),
                    text::dump(received, 16)
                )
            },
            hints::no_link(again),
        ),
    }
}

/// A sign-on that failed.
fn sign_on(failed: &Failed, config: &Config, again: &Again) -> Words {
    let who = who(failed.identification.as_ref());
    let start = config.start_baud;
    let count = text::count(failed.received.len(), "byte");
    let heard = text::dump(&failed.received, 16);
    let rate = hints::sent_rate(failed, config);
    let requests = text::count(failed.attempts as usize, "request");
    let message = match &failed.failure {
        Failure::Silent => format!("no answer to {requests} at {start} Bd: not a single byte came"),
        Failure::EchoOnly => format!("nothing but our own echo came back to {requests} at {start} Bd"),
        Failure::Garbled => format!("{count} came at {start} Bd 7E1 that are no 7-bit text: {heard}"),
        Failure::OnlyDuringRecovery => format!(
            "no answer to {requests} at {start} Bd, but {count} between them, at other rates: {heard}"
        ),
        Failure::Parity(damage) => wrong_parity(damage, failed.attempts),
        Failure::NoIdentification => return no_identification(failed, config, again),
        Failure::Unfinished => {
            let shown = text::escaped(&failed.received);
            format!("the identification was still coming when the time was up: `{shown}`")
        }
        Failure::Push => format!(
            "the meter sends telegrams by itself, not in answer to us: `{}`",
            first_line(&failed.received)
        ),
        Failure::Sml => format!("the meter sends SML by itself: {heard}"),
        Failure::Hdlc => format!("the line carries HDLC frames already: {heard}"),
        Failure::NoModeE => format!("{who} answered, but it does not offer mode E"),
        Failure::UnknownBaud => {
            let z = failed.identification.as_ref().map_or(String::new(), |known| text::escaped(&[known.z()]));
            let offer = if config.force { "it is to enter" } else { "it offers" };
            format!("{who} answered, and {offer} mode E, but its baud character `{z}` names no rate")
        }
        Failure::RefusedByNak => format!("{who} answered, but it refused mode E at {rate} Bd with NAK"),
        Failure::RefusedByBreak => {
            format!("{who} answered, but it refused mode E at {rate} Bd with a break message")
        }
        Failure::Readout(rate) => {
            format!("{who} answered, but it sent its data at {rate} Bd instead of entering mode E")
        }
        Failure::TooSlow(late) => {
            let seconds = late.as_secs_f64();
            format!("this computer was stopped or starved for {seconds:.1} s in the middle of the sign-on")
        }
        Failure::Unconfirmed(0) => format!("{who} answered, but it did not confirm the change of rate"),
        Failure::Unconfirmed(unreadable) => format!(
            "{who} answered, but {} that could not be read came in place of its confirmation",
            text::count(*unreadable, "byte")
        ),
        Failure::WrongManufacturer => {
            let wanted: Vec<String> = config.manufacturers.iter().map(ToString::to_string).collect();
            let wanted = wanted.join(" or ");
            format!("{who} answered, but it is not from {wanted}; no acknowledgement was sent")
        }
    };
    words(message, hints::hint(failed, config, again))
}

/// Text without an identification that was in time and whole.
fn no_identification(failed: &Failed, config: &Config, again: &Again) -> Words {
    let plain = parity::stripped(&failed.received);
    let mut lines = plain.split_inclusive(|&byte| byte == b'\n').filter(|line| line.ends_with(b"\n"));
    let whole = lines.find_map(|line| Identification::parse(line).ok());
    match whole {
        Some(late) => words(
            format!("the identification `{}` came too late to be answered", text::escaped(late.line())),
            hints::late(config, again),
        ),
        None if plain.contains(&STX) && plain.contains(&b'(') => {
            words("a readout came, but no identification before it", hints::stray_readout())
        }
        None => {
            let shown = text::escaped(&failed.received[..failed.received.len().min(80)]);
            words(
                format!("text came, but no whole identification `/XXXZ..`: `{shown}`"),
                hints::hint(failed, config, again),
            )
        }
    }
}

/// The first line of text that says something, without its end.
fn first_line(received: &[u8]) -> String {
    let plain = parity::stripped(&received[..received.len().min(80)]);
    let mut lines = plain.split(|byte| matches!(byte, b'\r' | b'\n'));
    text::escaped(lines.find(|line| !line.is_empty()).unwrap_or_default())
}

fn wrong_parity(damage: &Damage, attempts: u32) -> String {
    let byte = damage.line[damage.place];
    format!(
        "the identification `{}` has wrong parity: byte {} is {byte:02X}, {} of {} are wrong, in {}",
        first_line(&damage.line),
        damage.place + 1,
        damage.count,
        damage.line.len(),
        text::count(attempts as usize, "attempt"),
    )
}
