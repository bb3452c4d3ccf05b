//! What a technician can do about a failure: one hint for each, fitting the options in use, and commands to try. Neither
//! proposes what was tried already, and none leads back to where it came from: a rate leads to the next one, never to
//! the one before.

use iecprobe::protocol::message::{CONTROL_HDLC, Request};
use iecprobe::protocol::timing;
use iecprobe::signon::{Config, Failed, Failure};

use crate::again::Again;
use crate::words;

/// What can be done about a failure.
#[derive(Debug)]
pub struct Advice {
    /// In words; empty where the message says it all.
    pub hint: String,
    /// Commands to try, best first.
    pub tries: Vec<String>,
}

impl<S: Into<String>> From<S> for Advice {
    fn from(hint: S) -> Self {
        Self { hint: hint.into(), tries: Vec::new() }
    }
}

/// Advice with those of these commands that there are.
fn advice(hint: impl Into<String>, tries: impl IntoIterator<Item = Option<String>>) -> Advice {
    Advice { hint: hint.into(), tries: tries.into_iter().flatten().collect() }
}

/// What to do about a sign-on that failed.
pub fn hint(failed: &Failed, config: &Config, again: &Again) -> Advice {
    match &failed.failure {
        Failure::Silent => advice(silent(config), unasked(again)),
        Failure::EchoOnly => advice(
            format!(
                "the head works and sees its own light: put it on the meter, turn it, or clean the window; {ALIVE}; {}",
                hung(config)
            ),
            unasked(again),
        ),
        Failure::Garbled => advice(
            format!(
                "the meter may be at another rate than {} Bd, or stray light, an inverting head or another program on \
                 the port{} may disturb it; {ALIVE}",
                config.start_baud,
                words::TAKERS
            ),
            unasked(again),
        ),
        Failure::OnlyDuringRecovery => {
            let wait = longer_wait(config);
            advice(
                "the meter may answer late, or send by itself at another rate; or it was stray light",
                [again.with(&format!("--wait {wait}s")), again.with("--hunt")],
            )
        }
        Failure::Parity(damage) if damage.count == damage.line.len() => {
            "the meter or its head sends odd parity, or inverted bits: try another head".into()
        }
        Failure::Parity(_) => advice(
            "a loose head or stray light: seat it and shade it; if it is always the same byte, try another head",
            [again.without("attempts")],
        ),
        Failure::NoIdentification => {
            "hold the head still and seated; if it is always the same text, the meter is not one of IEC 62056-21".into()
        }
        Failure::Unfinished => late(config, again),
        Failure::Push => {
            "this is a push interface (SML text, P1): read it with a program that only listens".into()
        }
        Failure::Sml => "read it with an SML program, mostly at 9600 Bd 8N1; there is no sign-on".into(),
        Failure::Hdlc => {
            let direct = Again::default().on(again.port());
            advice(
                "no sign-on is needed: go on without one, or wait 2 minutes for the end of an earlier session",
                [direct.with(&format!("--direct --baud {} --check-link", config.start_baud))],
            )
        }
        Failure::NoModeE => {
            "read it with a mode C program; if you know that it speaks HDLC all the same, --force asks it to".into()
        }
        Failure::UnknownBaud => advice("name the rate yourself, 9600 to begin with", [again.with("--baud 9600")]),
        Failure::RefusedByNak => {
            let control = if config.control == CONTROL_HDLC { None } else { again.without("control") };
            advice(
                "it may enter mode E at another rate only, or at none",
                [control, another_rate(failed, config, again)],
            )
        }
        Failure::RefusedByBreak => advice(
            "its optical port may be locked for HDLC: ask who runs the meter; or it takes another rate only",
            [another_rate(failed, config, again)],
        ),
        Failure::Readout(rate) => readout(*rate, failed, config, again),
        Failure::TooSlow(_) => {
            "try again when this computer has less to do, and do not suspend it or the program meanwhile".into()
        }
        Failure::Unconfirmed(1..) => advice(
            "it may have confirmed, or refused, at another rate: see whether it answers",
            [goes_on(again)],
        ),
        Failure::Unconfirmed(0) => advice("many meters never do: see whether it answers", [goes_on(again)]),
        Failure::WrongManufacturer => advice("is this the right meter?", [again.without("manufacturer")]),
    }
}

/// What the meter itself may need before it answers anybody.
const ALIVE: &str = "some meters want mains, a key pressed or a magnet on the port before they talk";

/// What to try on a meter that nobody has understood.
fn unasked(again: &Again) -> [Option<String>; 3] {
    [again.with("--hunt"), again.without("no_recover"), again.without("attempts")]
}

/// What to do about an identification that came when nobody waited for it any more.
pub fn late(config: &Config, again: &Again) -> Advice {
    let wait = longer_wait(config);
    advice("the meter is slow: give it more time", [again.with(&format!("--wait {wait}s"))])
}

/// What to do about a readout that nobody asked for just now.
pub fn stray_readout() -> Advice {
    "the meter took an earlier request for one to be read out: wait a minute until it has ended, and try again".into()
}

/// What to do about a link that the meter does not open.
pub fn link_refused(again: &Again) -> Advice {
    advice(
        "another reader may have the link: wait two minutes; or the meter wants other addresses",
        [again.with("--hdlc-client 1"), again.with("--hdlc-client 32")],
    )
}

/// What to do about a meter that does not answer in HDLC.
pub fn no_link(again: &Again) -> Advice {
    advice(
        "the meter may need longer, have another address, or not be at this rate",
        [again.with("--settle 1s"), again.with("--hdlc-server 17"), again.with("--hunt")],
    )
}

fn silent(config: &Config) -> String {
    let asked = if config.request == Request::general() {
        ""
    } else {
        " is the address or the request right (every meter answers the usual one)?"
    };
    let hung = hung(config);
    format!("is the head on the meter the right way round and seated?{asked} {ALIVE}; {hung}")
}

/// What a meter that is deaf in an earlier session needs.
fn hung(config: &Config) -> String {
    let session = "one that hangs in an earlier session is free again after 2 minutes";
    match (config.recover, config.attempts) {
        (false, _) => format!("{session}, or without --no-recover"),
        (true, 1) => format!("{session}, or without --attempts 1"),
        (true, _) => session.into(),
    }
}

/// In seconds.
fn longer_wait(config: &Config) -> u64 {
    2 * config.wait.unwrap_or(timing::WAIT).as_secs().max(2)
}

/// The rate of the acknowledgement in Bd.
pub fn sent_rate(failed: &Failed, config: &Config) -> u32 {
    let offered = failed.identification.as_ref().and_then(|identification| identification.baud());
    config.forced_baud.or(offered).unwrap_or(9600)
}

/// The next rate to try: 300 Bd, at which a meter may stay, then 2400, then none.
fn another_rate(failed: &Failed, config: &Config, again: &Again) -> Option<String> {
    match (config.forced_baud, sent_rate(failed, config)) {
        (Some(300), _) | (None, 300) => again.with("--baud 2400"),
        (Some(2400), _) => None,
        _ => again.with("--baud 300"),
    }
}

/// The same without waiting for a confirmation, and with a look whether HDLC answers.
fn goes_on(again: &Again) -> Option<String> {
    again.with("--confirm auto --check-link")
}

fn readout(rate: u32, failed: &Failed, config: &Config, again: &Again) -> Advice {
    let offers = failed.identification.as_ref().is_none_or(|identification| identification.offers_mode_e());
    if config.control != CONTROL_HDLC {
        let control = char::from(config.control);
        let hint = format!("--control {control} asks for something other than HDLC: leave it out");
        return advice(hint, [again.without("control")]);
    }
    if !offers {
        let hint = "it does not offer mode E, and means it: read it with a mode C program";
        return advice(hint, [again.without("force")]);
    }
    let another = another_rate(failed, config, again);
    if rate != sent_rate(failed, config) {
        // After a damaged acknowledgement a meter does the same.
        let hint = "it did not get our acknowledgement (seat the head, try again), or it does not keep the mode E that \
                    it offers: read it with a mode C program then";
        return advice(hint, [another]);
    }
    advice(
        "it offers mode E and does not keep it: mostly it can be read with a mode C program only",
        [another],
    )
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use iecprobe::protocol::identification::Identification;

    use super::*;

    fn failed(failure: Failure, line: &[u8]) -> Failed {
        let identification = Identification::parse(line).ok();
        Failed { failure, identification, attempts: 1, received: Vec::new(), echo: false }
    }

    fn typed(line: &str) -> Again {
        Again::of(line.split(' ').map(OsString::from)).on("/dev/ttyUSB0")
    }

    /// What is advised for each failure after an identification that can have one, with these options.
    fn all(config: &Config, again: &Again) -> Vec<Advice> {
        let failures = [
            Failure::Silent,
            Failure::EchoOnly,
            Failure::Garbled,
            Failure::OnlyDuringRecovery,
            Failure::Hdlc,
            Failure::RefusedByNak,
            Failure::RefusedByBreak,
            Failure::Readout(300),
            Failure::Readout(9600),
            Failure::Unconfirmed(0),
        ];
        failures.map(|failure| hint(&failed(failure, b"/ISK5\\2MT382-1000"), config, again)).into()
    }

    #[test]
    fn rates_lead_from_one_to_the_next_and_never_back() {
        let mut config = Config::default();
        let mut again = typed("-v");
        let mut seen = Vec::new();
        loop {
            let tries = hint(&failed(Failure::RefusedByNak, b"/ISK5\\2MT382-1000"), &config, &again).tries;
            let Some(next) = tries.first() else { break };
            let rate = next.split("--baud ").nth(1).and_then(|rest| rest.parse().ok()).expect("a rate");
            assert!(!seen.contains(&rate), "{next} was tried");
            seen.push(rate);
            config.forced_baud = Some(rate);
            again = typed(&format!("-v --baud {rate}"));
        }
        assert_eq!(seen, [300, 2400]);
    }

    #[test]
    fn no_command_repeats_what_was_tried() {
        let line = "--wait 4s --baud 300 --settle 1s --hdlc-client 1 --confirm auto --check-link";
        let config = Config {
            wait: Some(std::time::Duration::from_secs(2)),
            forced_baud: Some(300),
            ..Config::default()
        };
        let again = typed(line);
        for advice in all(&config, &again) {
            assert!(!advice.tries.contains(&again.line()), "{advice:?}");
        }
        assert!(no_link(&again).tries.iter().all(|line| line != &again.line()));
        assert_eq!(link_refused(&again).tries.len(), 1);
    }

    #[test]
    fn an_option_that_stands_in_the_way_is_named() {
        let config = Config { recover: false, ..Config::default() };
        let silent = hint(&failed(Failure::Silent, b""), &config, &typed("--no-recover"));
        assert!(silent.hint.contains("without --no-recover"), "{silent:?}");
        assert!(silent.tries.contains(&"iecprobe -p /dev/ttyUSB0".to_owned()), "{silent:?}");
        let config = Config { control: b'0', ..Config::default() };
        let readout =
            hint(&failed(Failure::Readout(300), b"/ISK5\\2MT382-1000"), &config, &typed("--control 0"));
        assert!(readout.hint.contains("--control 0 asks"), "{readout:?}");
        let forced = Config { force: true, ..Config::default() };
        let readout = hint(&failed(Failure::Readout(4800), b"/LGZ4ZMF100AC.M23"), &forced, &typed("--force"));
        assert_eq!(readout.tries, ["iecprobe -p /dev/ttyUSB0"]);
    }
}
