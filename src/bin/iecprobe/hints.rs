//! What a technician can do about a sign-on that failed: one hint for each failure, fitting the options in use. It never
//! proposes what was tried already.

use iecprobe::protocol::message::{CONTROL_HDLC, Request};
use iecprobe::protocol::timing;
use iecprobe::signon::{Config, Failed, Failure};

use crate::words;

/// The hint for a sign-on that failed.
pub fn hint(failed: &Failed, config: &Config) -> String {
    match &failed.failure {
        Failure::Silent => silent(config),
        Failure::EchoOnly => format!(
            "the head works and sees its own light: put it on the meter, turn it, or clean the window; {}",
            hung(config)
        ),
        Failure::Garbled => format!(
            "another rate (--start-baud {}), an inverting head, stray light, or another program on the port{}",
            other_start(config),
            words::TAKERS
        ),
        Failure::OnlyDuringRecovery => format!(
            "a meter that answers late (--wait {}s), one that sends by itself at another rate, or stray light",
            longer_wait(config)
        ),
        Failure::Parity(damage) if damage.count == damage.line.len() => {
            "the meter or its head sends odd parity, or inverted bits: try another head".into()
        }
        Failure::Parity(_) if failed.attempts == 1 => {
            "a loose head or stray light: seat it, shade it, and leave out --attempts 1".into()
        }
        Failure::Parity(_) => {
            "a loose head or stray light: seat it and shade it; if it is always the same byte, try another head".into()
        }
        Failure::NoIdentification => {
            "hold the head still and seated; if it is always the same text, the meter is not one of IEC 62056-21".into()
        }
        Failure::Unfinished => late(config),
        Failure::Push => "this is a push interface (SML text, P1): read it with a program that only listens".into(),
        Failure::Sml => "read it with an SML program, mostly at 9600 Bd 8N1; there is no sign-on".into(),
        Failure::Hdlc => format!(
            "no sign-on is needed: use --direct --baud {} with --pipe or a COMMAND; or wait 2 minutes for the end of \
             an earlier session",
            config.start_baud
        ),
        Failure::NoModeE => {
            "read it with a mode C program; if you know that it speaks HDLC all the same, try --force".into()
        }
        Failure::UnknownBaud => "name the rate with --baud, 9600 to begin with".into(),
        Failure::RefusedByNak => {
            let control = if config.control == CONTROL_HDLC { "--control 0" } else { "without --control" };
            format!("try {}, or {control}", another_rate(failed, config))
        }
        Failure::RefusedByBreak => format!(
            "its optical port may be locked for HDLC; try {}, or ask who runs the meter",
            another_rate(failed, config)
        ),
        Failure::Readout(rate) => readout(*rate, failed, config),
        Failure::TooSlow(_) => {
            "try again when this computer has less to do, and do not suspend it or the program meanwhile".into()
        }
        Failure::Unconfirmed(1..) => {
            "it may have confirmed, or refused, at another rate: leave out --confirm require"
                .into()
        }
        Failure::Unconfirmed(0) => match config.forced_baud {
            Some(_) => "many meters never do: leave out --confirm require, or --baud".into(),
            None => "many meters never do: leave out --confirm require, or try --baud 300".into(),
        },
        Failure::WrongManufacturer => "is this the right meter? leave out -m to take any".into(),
    }
}

/// The hint for an identification that came when nobody waited for it any more.
pub fn late(config: &Config) -> String {
    format!("the meter is slow: give it more time with --wait {}s", longer_wait(config))
}

/// The hint for a readout that nobody asked for just now.
pub fn stray_readout() -> String {
    "the meter took an earlier request for one to be read out: wait a minute until it has ended, and try again".into()
}

fn silent(config: &Config) -> String {
    let mut others = Vec::new();
    if config.request == Request::general() {
        others.push("--address".to_owned());
    }
    if config.wake_up.is_none() {
        others.push("--wake-up normal".to_owned());
    }
    others.push(format!("--start-baud {}", other_start(config)));
    let needs = match &others[..] {
        [all @ .., last] if !all.is_empty() => format!("{} or {last}", all.join(", ")),
        _ => others.concat(),
    };
    let asked = if config.request == Request::general() {
        ""
    } else {
        " is the address or the request right (every meter answers the usual one)?"
    };
    let hung = hung(config);
    format!("is the head on the meter the right way round and seated?{asked} {hung}; some need {needs}")
}

/// What a meter that is deaf in an earlier session needs.
fn hung(config: &Config) -> String {
    let session = "a meter that hangs in an earlier session is free again after 2 minutes";
    match (config.recover, config.attempts) {
        (false, _) => format!("{session}, or try without --no-recover"),
        (true, 1) => format!("{session}, or try without --attempts 1"),
        (true, _) => session.into(),
    }
}

/// A rate for the sign-on that was not tried, in Bd.
fn other_start(config: &Config) -> u32 {
    if config.start_baud == 300 { 9600 } else { 300 }
}

/// In seconds.
fn longer_wait(config: &Config) -> u64 {
    2 * config.wait.unwrap_or(timing::WAIT).as_secs().max(2)
}

/// The rate of the acknowledgement in Bd.
fn sent_rate(failed: &Failed, config: &Config) -> u32 {
    let offered = failed.identification.as_ref().and_then(|identification| identification.baud());
    config.forced_baud.or(offered).unwrap_or(9600)
}

/// Rates that were not tried.
fn another_rate(failed: &Failed, config: &Config) -> String {
    let sent = sent_rate(failed, config);
    let others: Vec<String> =
        [300, 2400, 9600].iter().filter(|&&rate| rate != sent).map(|rate| format!("--baud {rate}")).collect();
    match config.forced_baud {
        Some(_) => format!("without --baud, or with {}", others[0]),
        None => others[..2].join(" or "),
    }
}

fn readout(rate: u32, failed: &Failed, config: &Config) -> String {
    let offers = failed.identification.as_ref().is_none_or(|identification| identification.offers_mode_e());
    if config.control != CONTROL_HDLC {
        let control = char::from(config.control);
        return format!("--control {control} asks for something other than HDLC: leave it out");
    }
    if !offers {
        return "it does not offer mode E, and means it: leave out --force, and read it with a mode C program".into();
    }
    let sent = sent_rate(failed, config);
    let another = another_rate(failed, config);
    if rate != sent {
        // After a damaged acknowledgement a meter does the same.
        return format!(
            "it did not get our acknowledgement (seat the head, try again), or does not keep the mode E that it \
             offers: try {another}, or a mode C program"
        );
    }
    format!("it offers mode E and does not keep it: try {another}, then a mode C program")
}

#[cfg(test)]
mod tests {
    use iecprobe::protocol::identification::Identification;
    use iecprobe::signon::WakeUp;

    use super::*;

    fn failed(failure: Failure, line: &[u8]) -> Failed {
        let identification = Identification::parse(line).ok();
        Failed { failure, identification, attempts: 1, received: Vec::new(), echo: false }
    }

    /// The hint of each failure after an identification that can have one, with these options.
    fn hints(change: impl FnOnce(&mut Config)) -> Vec<String> {
        let mut config = Config::default();
        change(&mut config);
        let all = [
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
        all.map(|failure| hint(&failed(failure, b"/ISK5\\2MT382-1000"), &config)).into()
    }

    #[test]
    fn no_hint_proposes_what_was_tried() {
        type Change = fn(&mut Config);
        let cases: [(&str, Change); 8] = [
            ("--baud 300", |c| c.forced_baud = Some(300)),
            ("--baud 2400", |c| c.forced_baud = Some(2400)),
            ("--baud 9600 or", |_| {}),
            ("--start-baud 9600", |c| c.start_baud = 9600),
            ("--wake-up", |c| c.wake_up = Some(WakeUp::Fast)),
            ("need --address", |c| c.request = Request::to_address("12").expect("an address")),
            ("--control 0", |c| c.control = b'0'),
            ("--wait 2s", |c| c.wait = None),
        ];
        for (tried, change) in cases {
            for hint in hints(change).iter().filter(|hint| !hint.contains("--direct")) {
                assert!(!hint.contains(tried) || hint.contains("leave it out"), "{tried}: {hint}");
            }
        }
    }

    #[test]
    fn an_option_that_stands_in_the_way_is_named() {
        assert!(hints(|c| c.recover = false)[0].contains("without --no-recover"));
        assert!(hints(|c| c.attempts = 1)[1].contains("without --attempts 1"));
        assert!(hints(|c| c.control = b'0')[7].contains("--control 0 asks"));
        assert!(hints(|c| c.forced_baud = Some(2400))[5].contains("without --baud"));
        let forced = Config { force: true, ..Config::default() };
        let readout = failed(Failure::Readout(4800), b"/LGZ4ZMF100AC.M23");
        assert!(hint(&readout, &forced).contains("leave out --force"));
    }
}
