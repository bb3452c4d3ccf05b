//! What is wrong, for the person at the keyboard: exit status, kind, one message with the facts, one hint.

use std::path::Path;

use iecprobe::baud;
use iecprobe::hdlc::Addresses;
use iecprobe::line::{OpenError, Port, State};
use iecprobe::link::Answer;
use iecprobe::parity;
use iecprobe::settings::Settings;
use iecprobe::signon::{Config, Damage, Failed, Failure, Note};
use iecprobe::text;

use crate::list;

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
        OpenError::Missing => Problem::new(
            3,
            "no-port",
            format!("{port}: there is no such port"),
            "is the adapter plugged in? `iecprobe --list` shows the ports",
        ),
        OpenError::NotSerial(what) => Problem::new(
            3,
            "not-serial",
            format!("{port}: this is {what}, not a serial port"),
            "serial ports are called /dev/ttyUSB0, /dev/ttyACM0 or /dev/serial/by-id/..; `iecprobe --list` shows them",
        ),
        OpenError::Permission { group: Some(group) } if group != "root" => Problem::new(
            4,
            "permission",
            format!("{port}: no permission to open it; the group `{group}` has"),
            format!("join the group with `sudo usermod -aG {group} $USER`, then log in again"),
        ),
        OpenError::Permission { .. } => Problem::new(
            4,
            "permission",
            format!("{port}: no permission to open it"),
            "ask its owner, or look at its rights with `ls -l`",
        ),
        OpenError::Busy(holder) => Problem::new(
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
        OpenError::Io(error) => Problem::internal(format!("{port}: {error}")),
    }
}

/// An HDLC link that did not open: how the meter answered, if it did.
pub fn link(answer: Option<Answer>, received: &[u8], addresses: Addresses, settings: Settings) -> Problem {
    let Addresses { client, server } = addresses;
    let asked = format!("SNRM from client {client} to server {server} at {settings}");
    match answer {
        Some(answer) => Problem::new(
            8,
            "hdlc-refused",
            format!(
                "the meter answered {asked} with {}",
                if answer == Answer::Rejected { "FRMR" } else { "DM: it opens no link" }
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
    let count = failed.received.len();
    let heard = text::dump(&failed.received, 16);
    let shown = text::escaped(&failed.received[..count.min(80)]);
    let requests =
        if failed.attempts == 1 { "1 request".into() } else { format!("{} requests", failed.attempts) };
    match &failed.failure {
        Failure::Silent => Problem::new(
            6,
            "silent",
            format!("no answer to {requests} at {start} Bd: not a single byte came"),
            "is the head on the meter the right way round and seated? a meter that hangs in an earlier session is \
             free again after 2 minutes; some need --address, --wake-up normal or --start-baud 9600",
        ),
        Failure::EchoOnly => Problem::new(
            6,
            "echo-only",
            format!("nothing but our own echo came back to {requests} at {start} Bd"),
            "the head works and sees its own light: put it on the meter, turn it, or clean the window; a meter that \
             hangs in an earlier session is free again after 2 minutes",
        ),
        Failure::Garbled => Problem::new(
            7,
            "garbled",
            format!("{count} bytes came at {start} Bd 7E1 that are no 7-bit text: {heard}"),
            "another rate (--start-baud 9600), an inverting head, stray light, or another program on the port \
             (ModemManager, brltty)",
        ),
        Failure::Parity(damage) => wrong_parity(damage, failed.attempts),
        Failure::NoIdentification => Problem::new(
            7,
            "no-ident",
            format!("text came, but no whole identification `/XXXZ..`: `{shown}`"),
            "hold the head still and seated; if it is always the same text, the meter is not one of IEC 62056-21",
        ),
        Failure::Push => Problem::new(
            7,
            "push",
            format!(
                "the meter sends telegrams by itself, not in answer to us: `{}`",
                first_line(&failed.received)
            ),
            "this is a push interface (SML text, P1): read it with a program that only listens",
        ),
        Failure::Sml => Problem::new(
            7,
            "sml",
            format!("the meter sends SML by itself: {heard}"),
            "read it with an SML program, mostly at 9600 Bd 8N1; there is no sign-on",
        ),
        Failure::Hdlc => Problem::new(
            7,
            "hdlc",
            format!("the line carries HDLC frames already: {heard}"),
            "no sign-on is needed: use --direct with --pipe or a COMMAND, and --baud for the rate",
        ),
        Failure::NoModeE => Problem::new(
            8,
            "no-mode-e",
            format!("{who} does not offer mode E (no `\\2` in its identification)"),
            "read it with a mode C program; if you know that it speaks HDLC all the same, try --force",
        ),
        Failure::UnknownBaud => Problem::new(
            8,
            "unknown-baud",
            format!(
                "{who} offers mode E, but its baud character `{}` names no rate",
                failed.identification.as_ref().map_or(String::new(), |known| text::escaped(&[known.z()]))
            ),
            "name the rate with --baud, 9600 to begin with",
        ),
        Failure::RefusedByNak => Problem::new(
            8,
            "refused",
            format!("{who} answered the acknowledgement with NAK"),
            "try another rate with --baud 2400 or --baud 9600, or --control 0",
        ),
        Failure::RefusedByBreak => Problem::new(
            8,
            "refused",
            format!("{who} answered the acknowledgement with a break message"),
            "its optical port may be locked for HDLC; try another rate with --baud, or ask who runs the meter",
        ),
        Failure::Readout(rate) => Problem::new(
            8,
            "readout",
            format!("{who} sent its data at {rate} Bd instead of entering mode E"),
            "it offers mode E and does not keep it: read it with a mode C program; try --baud 300 or --baud 9600 first",
        ),
        Failure::Unconfirmed => Problem::new(
            8,
            "unconfirmed",
            format!("{who} did not confirm the change of rate"),
            "many meters never do: leave out `--confirm require`, or try --baud 300",
        ),
        Failure::WrongManufacturer => {
            let wanted: Vec<String> = config.manufacturers.iter().map(ToString::to_string).collect();
            Problem::new(
                9,
                "wrong-manufacturer",
                format!("{who} is not from {}; no acknowledgement was sent", wanted.join(" or ")),
                "is this the right meter? leave out -m to take any",
            )
        }
    }
}

/// The first line of text that says something, without its end.
fn first_line(received: &[u8]) -> String {
    let plain: Vec<u8> = received.iter().take(80).map(|&byte| parity::strip(byte)).collect();
    let mut lines = plain.split(|byte| matches!(byte, b'\r' | b'\n'));
    text::escaped(lines.find(|line| !line.is_empty()).unwrap_or_default())
}

fn wrong_parity(damage: &Damage, attempts: u32) -> Problem {
    let byte = damage.line[damage.place];
    let line: Vec<u8> = damage.line.iter().map(|&byte| parity::strip(byte)).collect();
    Problem::new(
        7,
        "parity",
        format!(
            "the identification `{}` has wrong parity: byte {} is {byte:02X}, {} of {} are wrong, \
             in {attempts} attempts",
            first_line(&line),
            damage.place + 1,
            damage.count,
            damage.line.len(),
        ),
        "a loose head or stray light: seat it and shade it; if it stays, try --parity none",
    )
}

/// A note, as it is reported.
pub fn note(note: &Note) -> String {
    match note {
        Note::Echo => "the head returns what we send".into(),
        Note::ParityInSight => {
            "the identification came with its parity bits in sight (an 8N1 line to a 7E1 meter)".into()
        }
        Note::StrayCharacters(count) => format!("{count} stray bytes came before the identification"),
        Note::LongIdent(length) => format!("the ident has {length} characters, the standard allows 16"),
        Note::BlankBaudCharacter => "the baud character is a blank; taken for 9600 Bd".into(),
        Note::Attempts(count) => format!("the meter answered request {count}"),
        Note::FreedByDisc(rate) => format!("a DISC at {rate} Bd freed the meter from an earlier session"),
        Note::ConfirmedAtOldRate(rate) => {
            format!("the confirmation came before the change of rate, at {rate} Bd")
        }
        Note::ConfirmedOther { z, sent } => {
            let rate = baud::of_digit(*z).map_or_else(String::new, |rate| format!(", that is {rate} Bd"));
            format!(
                "the meter confirmed `{}`{rate}, not `{}`: the rate may not be in force",
                text::escaped(&[*z]),
                text::escaped(&[*sent])
            )
        }
        Note::Unconfirmed => "the meter did not confirm; many never do".into(),
        Note::Unreadable(count) => {
            format!("{count} unreadable bytes came in place of a confirmation, perhaps one at the old rate")
        }
        Note::ForcedUnconfirmed(rate) => {
            format!(
                "{rate} Bd is not what the meter offered, and it did not confirm: the rate may not be in force"
            )
        }
    }
}
