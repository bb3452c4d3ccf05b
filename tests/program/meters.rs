//! Every scenario of the virtual meter on a pseudo-terminal, as the built programs see it.

use std::time::Instant;

use iecprobe::meter::scenario::ALL;
use rustix::process::Signal;
use serde_json::Value;

use crate::support::*;

/// What a scenario comes to.
enum Comes {
    /// A sign-on at this rate; whether it is confirmed (`None`: however it could be read), and what each note says.
    To(u32, Option<bool>, &'static [&'static str]),
    /// This status and kind.
    Not(u8, &'static str),
}
use Comes::{Not, To};

const QUICK: &[&str] = &["--attempts", "1", "--wait", "800ms"];
const ONCE: &[&str] = &["--attempts", "1"];

const CASES: &[(&str, &[&str], Comes)] = &[
    ("book", &[], To(9600, Some(true), &[])),
    ("book", &["-m", "XXX"], Not(9, "wrong-manufacturer")),
    ("slow", &[], To(9600, Some(true), &[])),
    ("fast", &[], To(9600, Some(true), &[])),
    ("no-confirm", &[], To(9600, Some(false), &["did not confirm"])),
    ("no-confirm", &["--confirm", "require"], Not(8, "unconfirmed")),
    ("confirm-plain", &[], To(9600, Some(true), &[])),
    ("confirm-extra-lf", &[], To(9600, Some(true), &[])),
    ("confirm-old-rate", &[], To(9600, None, &["rate"])),
    ("confirm-split", &[], To(9600, Some(true), &[])),
    ("confirm-glued", &[], To(9600, Some(true), &[])),
    ("hdlc-at-once", &[], To(9600, Some(false), &["did not confirm"])),
    ("readout-at-z", &[], Not(8, "readout")),
    ("readout-at-300", &[], Not(8, "readout")),
    ("nak", &[], Not(8, "refused")),
    ("nak-break", &[], Not(8, "refused")),
    ("mode-c", &[], Not(8, "no-mode-e")),
    ("two-escapes", &[], To(9600, Some(true), &[])),
    ("odd-z", &[], To(38_400, Some(true), &[])),
    ("odd-z-blank", &[], To(9600, Some(true), &["blank"])),
    ("odd-z-letter", &[], Not(8, "unknown-baud")),
    ("odd-z-letter", &["--baud", "9600"], To(9600, Some(true), &[])),
    ("empty-ident", &[], To(9600, Some(true), &["2 bytes came before"])),
    ("long-ident", &[], To(9600, Some(true), &["26 characters"])),
    ("endless-ident", ONCE, Not(7, "no-ident")),
    ("drip", &[], Not(7, "no-ident")),
    ("lf-only", &[], To(9600, Some(true), &[])),
    ("cr-only", &[], To(9600, Some(true), &[])),
    ("double-answer", &[], To(9600, None, &["request 2", ""])),
    ("echo", &[], To(9600, Some(true), &["returns what we send"])),
    ("echo-late", &[], To(9600, Some(true), &["returns what we send"])),
    ("silent+echo", QUICK, Not(6, "echo-only")),
    ("noise", &[], To(9600, Some(true), &["3 bytes came before"])),
    ("noise-line", &[], To(9600, Some(true), &["8 bytes came before"])),
    ("high-bits", &[], To(9600, Some(true), &["parity bits in sight"])),
    ("bad-parity", &[], To(9600, Some(true), &["request 2", "parity bits in sight"])),
    ("bad-parity-always", ONCE, Not(7, "parity")),
    ("wrong-rate", QUICK, Not(7, "garbled")),
    ("push", &[], Not(7, "push")),
    ("sml", &[], Not(7, "sml")),
    ("hdlc-push", &[], Not(7, "hdlc")),
    ("asleep", &[], To(9600, Some(true), &["request 2"])),
    ("wake-up", QUICK, Not(6, "silent")),
    ("wake-up", &["--wake-up", "normal"], To(9600, Some(true), &[])),
    ("wake-up", &["--wake-up", "fast"], To(9600, Some(true), &[])),
    ("addressed", QUICK, Not(6, "silent")),
    ("addressed", &["-a", "12345678"], To(9600, Some(true), &[])),
    ("hung", &[], To(9600, Some(true), &["DISC at 9600 Bd", "request 2"])),
    ("hung-unlinked", &[], To(9600, Some(true), &["9600 Bd", "request 2"])),
    ("hung-session", &[], To(9600, Some(true), &["request 2"])),
    ("start-rate", &["--start-baud", "4800"], To(9600, Some(true), &[])),
    ("forced", &["--baud", "2400"], To(2400, Some(true), &[])),
    ("forced-ignored", &["--baud", "2400"], To(2400, Some(false), &["", "may not be in force"])),
    ("link-params", &["--check-link"], To(9600, Some(true), &[])),
    ("link-refused", &["--check-link"], Not(8, "hdlc-refused")),
    ("link-dead", &["--check-link"], Not(8, "no-hdlc")),
    ("silent", QUICK, Not(6, "silent")),
    ("cut", ONCE, Not(7, "no-ident")),
    ("unplugged", &[], Not(10, "line-lost")),
    ("unplugged-early", &[], Not(10, "line-lost")),
    ("unplugged-late", &[], Not(10, "line-lost")),
    ("late-drain", &[], To(9600, Some(true), &[])),
    ("key-first", QUICK, Not(6, "silent")),
    ("all-stations", &["--check-link"], Not(8, "no-hdlc")),
    ("all-stations", &["--check-link", "--hdlc-server", "16383/16383"], To(9600, Some(true), &[])),
];

/// Scenarios in which it matters for a success that characters take their time.
const PACED: &[&str] = &["book", "slow", "fast", "confirm-old-rate", "echo-late", "late-drain"];

fn play(scenario: &str, args: &[&str], comes: &Comes, pace: &[&str]) -> Result<(), String> {
    let meter = VirtualMeter::start(&[pace, &["--scenario", scenario]].concat());
    let began = Instant::now();
    let outcome = run(probe(meter.port(), args).arg("--json"));
    let what = format!("{scenario} {args:?} {pace:?}: {} {}", outcome.status, outcome.text());
    assert!(began.elapsed() < ms(20_000), "{:?}: {what}", began.elapsed());
    let status = match comes {
        Not(code, _) => i32::from(*code),
        To(..) => 0,
    };
    if outcome.status.code() != Some(status) {
        return Err(what);
    }
    let report = match comes {
        Not(code, kind) => outcome.problem(*code, kind),
        To(..) => outcome.json(),
    };
    assert_eq!(report["port"], meter.port());
    let holds = match comes {
        Not(8 | 9, _) => report["manufacturer"].is_string() && report["ident"].is_string(),
        Not(6, kind) => report["error"]["received"] == if *kind == "silent" { "" } else { "2f3f210d0a" },
        Not(..) => true,
        To(baud, confirmed, says) => {
            let notes = report["notes"].as_array().unwrap().iter().filter_map(Value::as_str);
            let notes: Vec<&str> = notes.collect();
            // An empty one may be any, or missing.
            let named = says.iter().filter(|text| !text.is_empty());
            report["baud"] == *baud
                && confirmed.is_none_or(|confirmed| report["confirmed"] == confirmed)
                && (named.clone().count()..=says.len()).contains(&notes.len())
                && named.clone().all(|text| notes.iter().any(|note| note.contains(text)))
        }
    };
    if holds { Ok(()) } else { Err(what) }
}

#[test]
fn every_scenario_comes_to_what_it_has_to() {
    for scenario in ALL {
        assert!(CASES.iter().any(|(name, ..)| *name == scenario.name), "{} has no case", scenario.name);
    }
    all_at_once(CASES, |(scenario, args, comes)| {
        let paced = matches!(comes, Not(..)) || PACED.contains(scenario);
        if paced {
            // On a loaded machine a meter can miss the moment at which the rate changes, but not three times in a row.
            let mut tries = (0..3).map(|_| play(scenario, args, comes, &["--real-time"]));
            let first = tries.next().expect("there are three");
            first.or_else(|what| tries.find_map(Result::ok).ok_or(what)).unwrap();
        }
        if !paced || matches!(comes, To(..) | Not(8, _)) {
            play(scenario, args, comes, &[]).unwrap();
        }
    });
}

#[test]
fn a_link_that_another_meter_has_taken_over_stays() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("meter");
    let play = || {
        let mut meter = program(env!("CARGO_BIN_EXE_iecmeter"));
        let meter = Running::start(meter.arg("--link").arg(&link));
        eventually("a meter that listens", || meter.stdout().ends_with(b"\n").then_some(()));
        meter
    };
    let (first, second) = (play(), play());
    first.signal(Signal::TERM);
    first.ended().killed_by(Signal::TERM);
    run(&mut probe(link.to_str().unwrap(), ["--json"])).succeeded();
    second.signal(Signal::TERM);
    second.ended().killed_by(Signal::TERM);
    assert!(!link.is_symlink());
    let nowhere = folder.path().join("no/meter");
    let outcome = run(program(env!("CARGO_BIN_EXE_iecmeter")).arg("--link").arg(&nowhere)).with_status(1);
    assert!(outcome.stderr.contains(nowhere.to_str().unwrap()), "{outcome:?}");
}
