//! What is wrong, for the person at the keyboard: one message with the facts, one hint.

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

use crate::kind::Kind;
use crate::trouble::{NoLink, Trouble};
use crate::{finding, hints, list, network, words};

/// A failure, as it is reported.
#[derive(Debug)]
pub struct Problem {
    /// Its kind.
    pub kind: Kind,
    /// What is wrong.
    pub message: String,
    /// What can be done.
    pub hint: Option<String>,
}

/// A message and a hint.
pub type Words = (String, Option<String>);

/// What is told about a failure on this port.
pub fn explain(trouble: &Trouble, port: &str) -> Problem {
    let (message, hint) = match trouble {
        Trouble::Usage(message) | Trouble::Internal(message) => (message.clone(), None),
        Trouble::NoPort(found) => no_port(found),
        Trouble::Open(error) => open(port, error),
        Trouble::SignOn { failed, config } => sign_on(failed, config),
        Trouble::Hunt(sought) => finding::problem(sought),
        Trouble::Link(no_link) => link(no_link),
        Trouble::LineLost => line_lost(port),
        Trouble::Lost(loss) => network::lost(port, loss),
        Trouble::Refused { refused, .. } => network::refused(port, *refused),
        Trouble::Output(error) => (format!("the output cannot be written: {error}"), None),
        Trouble::File { option, file, error } => (format!("{option} {}: {error}", file.display()), None),
    };
    Problem { kind: trouble.kind(), message, hint }
}

impl Problem {
    /// The same with the port named, for a reader of several reports.
    pub fn of_port(mut self, port: &str) -> Self {
        if !self.message.starts_with(port) {
            self.message = format!("{port}: {}", self.message);
        }
        self
    }
}

/// A message with a hint.
pub fn words(message: impl Into<String>, hint: impl Into<String>) -> Words {
    (message.into(), Some(hint.into()))
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
        0 => "no port was named, and this machine has no USB serial port".to_owned(),
        count => {
            format!("no port was named, and this machine has {count} USB serial ports:{}", list::lines(found))
        }
    };
    words(message, "name one with -p (`iecprobe --list` shows all), or try `-p sim:`, the built-in meter")
}

/// A port that cannot be opened.
fn open(port: &str, error: &OpenError) -> Words {
    match error {
        OpenError::Port(os::OpenError::Missing) => words(
            format!("{port}: there is no such port"),
            match port {
                "sim" => "the built-in meter has a colon: `-p sim:`",
                _ => words::MISSING,
            },
        ),
        OpenError::Port(os::OpenError::NotSerial(what)) => {
            words(format!("{port}: this is {what}, not a serial port"), words::NAMES)
        }
        OpenError::Port(os::OpenError::Permission { group: Some(group) }) if group != "root" => words(
            format!("{port}: no permission to open it; the group `{group}` has"),
            format!("join the group with `sudo usermod -aG {group} $USER`, then log in again"),
        ),
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
            (format!("{port}: {unknown}; `iecmeter --list-scenarios` names them"), None)
        }
        OpenError::Network(error) => network::problem(port, error),
        OpenError::Signal(_) => (error.to_string(), None),
        OpenError::Port(os::OpenError::Io(error)) => (format!("{port}: {error}"), None),
    }
}

/// An HDLC link that did not open: how the meter answered, if it did.
fn link(no_link: &NoLink) -> Words {
    let NoLink { says, received, addresses, settings, identification } = no_link;
    let Addresses { client, server } = *addresses;
    let asked = format!("SNRM from client {client} to server {server} at {settings}");
    match says {
        Some(says) => words(
            format!(
                "the meter answered {asked} with {}",
                if *says == Says::Rejected { "FRMR" } else { "DM: it opens no link" }
            ),
            "another reader may have the link: wait two minutes; or other addresses, mostly --hdlc-client 1 or 32",
        ),
        None => {
            let before = if identification.is_some() { "the sign-on worked, but " } else { "" };
            let message = if received.is_empty() {
                format!("{before}nothing answered {asked}")
            } else {
                format!(
                    "{before}{} bytes that are no HDLC answer came to {asked}: {}",
                    received.len(),
                    text::dump(received, 16)
                )
            };
            let hint = if identification.is_some() {
                "the rate may not be in force (--baud 9600, --switch-delay), the meter may need longer (--settle 1s), \
                 or it has another address (--hdlc-server 17 or 1/17)"
            } else {
                "another rate (-b), another address (--hdlc-server 17 or 1/17), or a meter that wants a sign-on: leave \
                 out --direct, or let --hunt try all of them"
            };
            words(message, hint)
        }
    }
}

/// A sign-on that failed.
fn sign_on(failed: &Failed, config: &Config) -> Words {
    let who = failed
        .identification
        .as_ref()
        .map_or_else(|| "the meter".to_owned(), |identification| text::escaped(identification.line()));
    let start = config.start_baud;
    let count = text::count(failed.received.len(), "byte");
    let heard = text::dump(&failed.received, 16);
    let requests = text::count(failed.attempts as usize, "request");
    let message = match &failed.failure {
        Failure::Silent => format!("no answer to {requests} at {start} Bd: not a single byte came"),
        Failure::EchoOnly => format!("nothing but our own echo came back to {requests} at {start} Bd"),
        Failure::Garbled => format!("{count} came at {start} Bd 7E1 that are no 7-bit text: {heard}"),
        Failure::OnlyDuringRecovery => format!(
            "no answer to {requests} at {start} Bd, but {count} between them, at other rates: {heard}"
        ),
        Failure::Parity(damage) => wrong_parity(damage, failed.attempts),
        Failure::NoIdentification => return no_identification(failed, config),
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
        Failure::NoModeE => format!("{who} does not offer mode E (no `\\2` in its identification)"),
        Failure::UnknownBaud => {
            let z = failed.identification.as_ref().map_or(String::new(), |known| text::escaped(&[known.z()]));
            let offer = if config.force { "is to enter" } else { "offers" };
            format!("{who} {offer} mode E, but its baud character `{z}` names no rate")
        }
        Failure::RefusedByNak => format!("{who} answered the acknowledgement with NAK"),
        Failure::RefusedByBreak => format!("{who} answered the acknowledgement with a break message"),
        Failure::Readout(rate) => format!("{who} sent its data at {rate} Bd instead of entering mode E"),
        Failure::TooSlow(late) => {
            let seconds = late.as_secs_f64();
            format!("this computer was stopped or starved for {seconds:.1} s in the middle of the sign-on")
        }
        Failure::Unconfirmed(0) => format!("{who} did not confirm the change of rate"),
        Failure::Unconfirmed(unreadable) => format!(
            "{who} answered the acknowledgement with {} that could not be read",
            text::count(*unreadable, "byte")
        ),
        Failure::WrongManufacturer => {
            let wanted: Vec<String> = config.manufacturers.iter().map(ToString::to_string).collect();
            let wanted = wanted.join(" or ");
            format!("{who} is not from {wanted}; no acknowledgement was sent")
        }
    };
    words(message, hints::hint(failed, config))
}

/// Text without an identification that was in time and whole.
fn no_identification(failed: &Failed, config: &Config) -> Words {
    let plain = parity::stripped(&failed.received);
    let mut lines = plain.split_inclusive(|&byte| byte == b'\n').filter(|line| line.ends_with(b"\n"));
    let whole = lines.find_map(|line| Identification::parse(line).ok());
    match whole {
        Some(late) => words(
            format!("the identification `{}` came too late to be answered", text::escaped(late.line())),
            hints::late(config),
        ),
        None if plain.contains(&STX) && plain.contains(&b'(') => {
            words("a readout came, but no identification before it", hints::stray_readout())
        }
        None => {
            let shown = text::escaped(&failed.received[..failed.received.len().min(80)]);
            words(
                format!("text came, but no whole identification `/XXXZ..`: `{shown}`"),
                hints::hint(failed, config),
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
