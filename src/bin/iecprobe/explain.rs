//! What is wrong, for the person at the keyboard: exit status, kind, one message with the facts, one hint.

use std::path::Path;

use iecprobe::line::OpenError;
use iecprobe::machine::exchange::Says;
use iecprobe::os;
use iecprobe::os::ports::{Port, State};
use iecprobe::protocol::hdlc::Addresses;
use iecprobe::protocol::identification::Identification;
use iecprobe::protocol::message::STX;
use iecprobe::protocol::parity::{self, ParityCheck};
use iecprobe::protocol::settings::Settings;
use iecprobe::protocol::text;
use iecprobe::signon::{Config, Damage, Failed, Failure, Note};

use crate::{hints, list};

/// A failure, as it is reported.
#[derive(Debug)]
pub struct Problem {
    /// Exit status.
    pub code: u8,
    /// Its name in reports.
    pub kind: &'static str,
    /// What is wrong.
    pub message: String,
    /// What can be done.
    pub hint: Option<String>,
}

impl Problem {
    fn new(code: u8, kind: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code, kind, message: message.into(), hint: Some(hint.into()) }
    }

    /// A failure that has no kind of its own.
    pub fn internal(message: impl Into<String>) -> Self {
        Self { code: 1, kind: "internal", message: message.into(), hint: None }
    }

    /// A usage error that clap cannot find by itself.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { code: 2, kind: "usage", message: message.into(), hint: None }
    }

    /// Output that cannot be written.
    pub fn output(error: &std::io::Error) -> Self {
        Self {
            code: 11,
            kind: "output",
            message: format!("the output cannot be written: {error}"),
            hint: None,
        }
    }

    /// A file named by an option that cannot be written.
    pub fn file(option: &str, file: &Path, error: &std::io::Error) -> Self {
        Self { message: format!("{option} {}: {error}", file.display()), ..Self::output(error) }
    }

    /// A line that was lost.
    pub fn line_lost(port: &str) -> Self {
        Self::new(
            10,
            "line-lost",
            format!("{port}: the port went away"),
            "was the adapter unplugged, or the other end of the pseudo-terminal closed? plug it in and try again",
        )
    }

    /// The same with the port named, for a reader of several reports.
    pub fn of_port(mut self, port: &str) -> Self {
        if !self.message.starts_with(port) {
            self.message = format!("{port}: {}", self.message);
        }
        self
    }

    /// No port was named, and there is not exactly one to take.
    pub fn no_port(found: &[(Port, State)]) -> Self {
        let message = match found.len() {
            0 => "no port was named, and this machine has no USB serial port".to_owned(),
            count => format!(
                "no port was named, and this machine has {count} USB serial ports:{}",
                list::lines(found)
            ),
        };
        let hint = "name one with -p (`iecprobe --list` shows all), or try `-p sim:`, the built-in meter";
        Self::new(3, "no-port", message, hint)
    }
}

/// A port that cannot be opened.
pub fn open(port: &str, error: &OpenError) -> Problem {
    match error {
        OpenError::Port(os::OpenError::Missing) => Problem::new(
            3,
            "no-port",
            format!("{port}: there is no such port"),
            match port {
                "sim" => "the built-in meter has a colon: `-p sim:`",
                _ => "is the adapter plugged in? `iecprobe --list` shows the ports",
            },
        ),
        OpenError::Port(os::OpenError::NotSerial(what)) => Problem::new(
            3,
            "not-serial",
            format!("{port}: this is {what}, not a serial port"),
            "serial ports are called /dev/ttyUSB0, /dev/ttyACM0 or /dev/serial/by-id/..; `iecprobe --list` shows them",
        ),
        OpenError::Port(os::OpenError::Permission { group: Some(group) }) if group != "root" => Problem::new(
            4,
            "permission",
            format!("{port}: no permission to open it; the group `{group}` has"),
            format!("join the group with `sudo usermod -aG {group} $USER`, then log in again"),
        ),
        OpenError::Port(os::OpenError::Permission { .. }) => Problem::new(
            4,
            "permission",
            format!("{port}: no permission to open it"),
            "ask its owner, or look at its rights with `ls -l`",
        ),
        OpenError::Port(os::OpenError::Busy(holder)) => Problem::new(
            5,
            "busy",
            match holder {
                Some(holder) => format!("{port}: in use by {holder}"),
                None => format!("{port}: in use by another program"),
            },
            "end that program first; ModemManager and brltty take fresh ports for some 30 s by themselves",
        ),
        OpenError::Rate { wanted, kept } => Problem::internal(format!(
            "{port}: the driver cannot set {wanted} Bd, it went to {kept} Bd; take another rate"
        )),
        OpenError::Scenario(unknown) => {
            Problem::usage(format!("{port}: {unknown}; `iecmeter --list-scenarios` names them"))
        }
        OpenError::Port(os::OpenError::Io(error)) => Problem::internal(format!("{port}: {error}")),
    }
}

/// An HDLC link that did not open: how the meter answered, if it did.
pub fn link(says: Option<Says>, received: &[u8], addresses: Addresses, settings: Settings) -> Problem {
    let Addresses { client, server } = addresses;
    let asked = format!("SNRM from client {client} to server {server} at {settings}");
    match says {
        Some(says) => Problem::new(
            8,
            "hdlc-refused",
            format!(
                "the meter answered {asked} with {}",
                if says == Says::Rejected { "FRMR" } else { "DM: it opens no link" }
            ),
            "another reader may have the link: wait two minutes; or other addresses, mostly --hdlc-client 1 or 32",
        ),
        None => Problem::new(
            8,
            "no-hdlc",
            if received.is_empty() {
                format!("the sign-on worked, but nothing answered {asked}")
            } else {
                format!(
                    "the sign-on worked, but {} bytes that are no HDLC answer came to {asked}: {}",
                    received.len(),
                    text::dump(received, 16)
                )
            },
            "the rate may not be in force (--baud 9600, --switch-delay), the meter may need longer (--settle 1s), or \
             it has another address (--hdlc-server 17 or 1/17)",
        ),
    }
}

/// A sign-on that failed.
pub fn failed(failed: &Failed, config: &Config) -> Problem {
    let who = failed
        .identification
        .as_ref()
        .map_or_else(|| "the meter".to_owned(), |identification| text::escaped(identification.line()));
    let start = config.start_baud;
    let count = text::count(failed.received.len(), "byte");
    let heard = text::dump(&failed.received, 16);
    let requests = text::count(failed.attempts as usize, "request");
    let (code, message) = match &failed.failure {
        Failure::Silent => (6, format!("no answer to {requests} at {start} Bd: not a single byte came")),
        Failure::EchoOnly => (6, format!("nothing but our own echo came back to {requests} at {start} Bd")),
        Failure::Garbled => (7, format!("{count} came at {start} Bd 7E1 that are no 7-bit text: {heard}")),
        Failure::Between => (
            7,
            format!(
                "no answer to {requests} at {start} Bd, but {count} between them, at other rates: {heard}"
            ),
        ),
        Failure::Parity(damage) => (7, wrong_parity(damage, failed.attempts)),
        Failure::NoIdentification => return no_identification(failed, config),
        Failure::Unfinished => {
            let shown = text::escaped(&failed.received);
            (7, format!("the identification was still coming when the time was up: `{shown}`"))
        }
        Failure::Push => (
            7,
            format!(
                "the meter sends telegrams by itself, not in answer to us: `{}`",
                first_line(&failed.received)
            ),
        ),
        Failure::Sml => (7, format!("the meter sends SML by itself: {heard}")),
        Failure::Hdlc => (7, format!("the line carries HDLC frames already: {heard}")),
        Failure::NoModeE => (8, format!("{who} does not offer mode E (no `\\2` in its identification)")),
        Failure::UnknownBaud => {
            let z = failed.identification.as_ref().map_or(String::new(), |known| text::escaped(&[known.z()]));
            let offer = if config.force { "is to enter" } else { "offers" };
            (8, format!("{who} {offer} mode E, but its baud character `{z}` names no rate"))
        }
        Failure::RefusedByNak => (8, format!("{who} answered the acknowledgement with NAK")),
        Failure::RefusedByBreak => (8, format!("{who} answered the acknowledgement with a break message")),
        Failure::Readout(rate) => (8, format!("{who} sent its data at {rate} Bd instead of entering mode E")),
        Failure::Unconfirmed(0) => (8, format!("{who} did not confirm the change of rate")),
        Failure::Unconfirmed(unreadable) => (
            8,
            format!(
                "{who} answered the acknowledgement with {} that could not be read",
                text::count(*unreadable, "byte")
            ),
        ),
        Failure::WrongManufacturer => {
            let wanted: Vec<String> = config.manufacturers.iter().map(ToString::to_string).collect();
            let wanted = wanted.join(" or ");
            (9, format!("{who} is not from {wanted}; no acknowledgement was sent"))
        }
    };
    Problem::new(code, failed.failure.kind(), message, hints::hint(failed, config))
}

/// Text without an identification that was in time and whole.
fn no_identification(failed: &Failed, config: &Config) -> Problem {
    let plain = parity::stripped(&failed.received);
    let mut lines = plain.split_inclusive(|&byte| byte == b'\n').filter(|line| line.ends_with(b"\n"));
    let whole = lines.find_map(|line| Identification::parse(line).ok());
    let (message, hint) = match whole {
        Some(late) => (
            format!("the identification `{}` came too late to be answered", text::escaped(late.line())),
            hints::late(config),
        ),
        None if plain.contains(&STX) && plain.contains(&b'(') => {
            ("a readout came, but no identification before it".into(), hints::stray_readout())
        }
        None => {
            let shown = text::escaped(&failed.received[..failed.received.len().min(80)]);
            (
                format!("text came, but no whole identification `/XXXZ..`: `{shown}`"),
                hints::hint(failed, config),
            )
        }
    };
    Problem::new(7, failed.failure.kind(), message, hint)
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

/// A note, as it is reported.
pub fn note(note: &Note) -> String {
    match note {
        Note::Echo => "the head returns what we send".into(),
        Note::ParityInSight => {
            "the identification came with its parity bits in sight (an 8N1 line to a 7E1 meter)".into()
        }
        Note::StrayCharacters(count) => {
            format!("{} came before the identification and belong to nothing", text::count(*count, "byte"))
        }
        Note::LongIdent(length) => format!("the ident has {length} characters, the standard allows 16"),
        Note::BlankBaudCharacter => "the baud character is a blank; taken for 9600 Bd".into(),
        Note::Attempts(count) => format!("the meter answered request {count}"),
        Note::FreedByDisc(rate) => format!("a DISC at {rate} Bd freed the meter from an earlier session"),
        Note::ConfirmedAtOldRate(rate) => {
            format!("the confirmation came before the change of rate, at {rate} Bd")
        }
        Note::ConfirmedOther { confirmed, sent } => {
            let says = format!("`{}` for `{}`", text::escaped(&confirmed.says), text::escaped(sent));
            match confirmed.parity {
                ParityCheck::Right => {
                    format!("the confirmation says {says}: rate or mode may not be in force")
                }
                ParityCheck::Wrong { .. } => {
                    format!("the confirmation could not be read well: {says}, with wrong parity")
                }
                ParityCheck::Absent => format!(
                    "the confirmation says {says}: rate or mode may not be in force, or a character was damaged"
                ),
            }
        }
        Note::Unconfirmed => "the meter did not confirm; many never do".into(),
        Note::Unreadable(count) => format!(
            "{} came in place of a confirmation and could not be read: perhaps a confirmation or a NAK at another rate",
            text::count(*count, "byte")
        ),
        Note::ForcedUnconfirmed(rate) => {
            format!(
                "{rate} Bd is not what the meter offered, and it did not confirm: the rate may not be in force"
            )
        }
    }
}
