//! Identification lines of real meters: each comes out of the sign-on as it went in, however it is cut into reads.
//!
//! The expectations are derived here by position and by hand, not by the library. In two lines (`/EST5\5..`,
//! `/FLU5\5..`) the list says that mode E is offered, but `\5` is the manufacturer's own: protocol.md has only `\2`
//! offer HDLC, and it wins.

use std::time::{Duration, Instant};

use iecprobe::machine::{Action, Machine, Step};
use iecprobe::protocol::flag::FlagId;
use iecprobe::protocol::identification::{Identification, Mode};
use iecprobe::protocol::parity;
use iecprobe::signon::{Config, Failed, Failure, SignOn, SignedOn};

const CORPUS: &str = include_str!("../data/idents.csv");

/// A line of the list and what it has to parse to.
struct Expected<'a> {
    line: &'a str,
    rate: Option<u32>,
    escapes: &'a str,
    ident: &'a str,
    mode_e: bool,
}

fn corpus() -> Vec<Expected<'static>> {
    CORPUS.lines().skip(1).map(expected).collect()
}

fn expected(row: &str) -> Expected<'_> {
    let (rest, offers) = row.rsplit_once(',').unwrap();
    let (line, _seen) = rest.rsplit_once(',').unwrap();
    let mode_e = offers == "yes" && !line.starts_with("/EST5\\5") && !line.starts_with("/FLU5\\5");
    let (escapes, ident) = match line {
        "/EMH5\\@\\201LZQJL0013F" => ("@2", "01LZQJL0013F"),
        "/ISk5\\MT382-1003" => ("M", "T382-1003"),
        _ if line[5..].starts_with('\\') => (&line[6..7], &line[7..]),
        _ => ("", &line[5..]),
    };
    let rate = match &line[4..5] {
        "0" => Some(300),
        "3" => Some(2400),
        "4" => Some(4800),
        "5" => Some(9600),
        "7" => Some(38_400),
        " " | ":" => None,
        z => panic!("a rate for {z:?} has to be written here"),
    };
    Expected { line, rate, escapes, ident, mode_e }
}

fn holds(found: &Identification, expected: &Expected<'_>) {
    let line = expected.line;
    assert_eq!(found.line(), line.as_bytes());
    assert_eq!(found.manufacturer(), line.as_bytes()[1..4], "{line}");
    assert_eq!(Ok(found.flag_id()), line[1..4].to_uppercase().parse::<FlagId>(), "{line}");
    assert_eq!(found.baud(), expected.rate, "{line}");
    assert_eq!(found.escapes().collect::<Vec<_>>(), expected.escapes.as_bytes(), "{line}");
    assert_eq!(found.ident(), expected.ident.as_bytes(), "{line}");
    assert_eq!(found.offers_mode_e(), expected.mode_e, "{line}");
    assert_eq!(found.mode() == Mode::E, expected.mode_e, "{line}");
    assert_eq!(found.is_fast(), line.as_bytes()[3].is_ascii_lowercase(), "{line}");
}

/// The end of a sign-on that stops after the identification, which comes in these reads.
fn identify(reads: &[&[u8]]) -> Result<SignedOn, Failed> {
    let mut now = Instant::now();
    let mut sign_on = SignOn::new(Config { ident_only: true, attempts: 1, ..Config::default() }, now);
    let mut reads = reads.iter();
    let mut asked = false;
    loop {
        match sign_on.poll(now) {
            Step::Done(outcome) => return outcome,
            Step::Do(Action::Transmit(_)) => asked = true,
            Step::Wait(until) => match if asked { reads.next() } else { None } {
                Some(read) => {
                    now += Duration::from_millis(100);
                    sign_on.receive(read, now);
                }
                None => now = until,
            },
            _ => {}
        }
    }
}

#[test]
fn every_line_parses_to_its_parts() {
    let corpus = corpus();
    assert_eq!(corpus.len(), 73);
    for expected in &corpus {
        holds(&Identification::parse(expected.line.as_bytes()).unwrap(), expected);
    }
}

#[test]
fn every_line_is_read_in_every_chunking_with_parity_bits_and_without() {
    for expected in corpus() {
        let plain = [expected.line.as_bytes(), b"\r\n"].concat();
        let with_parity = parity::all_with_even(&plain);
        for bytes in [&plain, &with_parity] {
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            holds(&identify(&single).unwrap().identification, &expected);
            for cut in 0..bytes.len() {
                let (first, second) = bytes.split_at(cut);
                holds(&identify(&[first, second]).unwrap().identification, &expected);
            }
        }
    }
}

#[test]
fn a_line_that_offers_no_mode_e_gets_no_acknowledgement() {
    for expected in corpus() {
        let now = Instant::now();
        let mut sign_on = SignOn::new(Config::default(), now);
        let (mut now, mut sent, mut answered) = (now, 0, false);
        let outcome = loop {
            match sign_on.poll(now) {
                Step::Do(Action::Transmit(_)) if sent == 1 => break None,
                Step::Do(Action::Transmit(_)) => sent += 1,
                Step::Wait(_) if sent == 1 && !answered => {
                    answered = true;
                    now += Duration::from_millis(900);
                    sign_on.receive(&[expected.line.as_bytes(), b"\r\n"].concat(), now);
                }
                Step::Wait(until) => now = until,
                Step::Done(outcome) => break Some(outcome),
                _ => {}
            }
        };
        match outcome {
            None => assert!(expected.mode_e, "{}", expected.line),
            Some(outcome) => {
                assert_eq!(outcome.unwrap_err().failure, Failure::NoModeE, "{}", expected.line);
                assert!(!expected.mode_e);
            }
        }
    }
}
