//! A sign-on that was traced and is played back ends as it did: every scenario, under a simulated clock, through the
//! text form of the trace. And the traces in `data/traces`, each as it says itself.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use iecprobe::meter::replay::Script;
use iecprobe::meter::{Meter, Replay, scenario};
use iecprobe::protocol::hdlc;
use iecprobe::protocol::message::Request;
use iecprobe::protocol::settings::Settings;
use iecprobe::record::trace;
use iecprobe::record::{Entry, Event};
use iecprobe::signon::{Config, Failed, Failure, Note, WakeUp};
use proptest::prelude::*;

use crate::simulated::{Ended, Parity, Reader, ms};

/// A trace, written as text and read.
fn read_back(entries: &[Entry]) -> Vec<Entry> {
    let mut text = Vec::new();
    let mut writer = trace::Writer::new(&mut text);
    entries.iter().for_each(|entry| writer.write(entry).unwrap());
    trace::parse(&String::from_utf8(text).unwrap()).unwrap()
}

fn trace_of<M>(reader: &Reader<M>) -> Vec<Entry> {
    read_back(reader.recorder.entries())
}

fn reader_of(names: &str) -> Reader<Meter> {
    let began = Instant::now();
    Reader::new(Meter::new(scenario::behaviour(names).unwrap(), began), began)
}

fn replay_of(script: &Script) -> Reader<Replay<'_>> {
    let began = Instant::now();
    Reader::new(Replay::new(script, began), began)
}

fn config(adds_parity: bool) -> Config {
    let parity = if adds_parity { Parity::Software } else { Parity::None };
    Config { parities: [parity; 2], ..Config::default() }
}

/// The trace of a sign-on to these scenarios with the defaults and plain characters.
fn script_of(names: &str) -> Script {
    let mut reader = reader_of(names);
    reader.sign_on(&config(false));
    Script::new(&trace_of(&reader))
}

fn script(trace: &str) -> Script {
    Script::new(&trace::parse(trace).unwrap())
}

fn signed_on(script: &Script, config: &Config) -> Ended {
    replay_of(script).sign_on(config).expect("a replay does not unplug")
}

/// Plays the scenarios, and what was traced; both ends.
fn twice(names: &str, config: &Config) -> (Option<Ended>, Ended) {
    let mut reader = reader_of(names);
    let first = reader.sign_on(config);
    (first, signed_on(&Script::new(&trace_of(&reader)), config))
}

#[test]
fn every_scenario_ends_the_same_when_it_is_played_back() {
    for scenario in scenario::ALL {
        for adds_parity in [true, false] {
            let (first, again) = twice(scenario.name, &config(adds_parity));
            match first {
                // The character that the change of rate cuts is cut in another place.
                Some(Err(first)) if scenario.name == "readout-at-300" => {
                    let again = again.expect_err("a readout");
                    assert_eq!(Failed { received: first.received.clone(), ..again }, first);
                }
                Some(first) => assert_eq!(again, first, "{} {adds_parity}", scenario.name),
                // A trace does not say that the port went away: the rest of it is silence.
                None => assert!(scenario.name.starts_with("unplugged"), "{}", scenario.name),
            }
        }
    }
}

#[test]
fn a_meter_that_is_woken_is_woken_again() {
    for wake_up in [WakeUp::Normal, WakeUp::Fast] {
        let config = Config { wake_up: Some(wake_up), ..config(false) };
        let (first, again) = twice("wake-up", &config);
        assert!(again.is_ok(), "{again:?}");
        assert_eq!(first, Some(again));
    }
}

#[test]
fn scenarios_in_company_end_the_same_too() {
    for names in ["echo+noise-line", "echo-late+hung", "high-bits+double-answer", "echo+slow+no-confirm"] {
        let (first, again) = twice(names, &config(false));
        assert_eq!(first, Some(again), "{names}");
    }
}

#[test]
fn a_reader_that_does_otherwise_gets_what_fits() {
    let other = |change: fn(&mut Config)| {
        let mut config = config(false);
        change(&mut config);
        config
    };
    let failure = |names, config| signed_on(&script_of(names), &config).unwrap_err().failure;

    let identified = signed_on(&script_of("book"), &other(|c| c.ident_only = true)).unwrap();
    assert_eq!(identified.identification.line(), b"/ISK5\\2MT382-1000");
    // It answered the second request only.
    assert_eq!(failure("asleep", other(|c| c.attempts = 1)), Failure::Silent);
    // Nobody knows what it would have said to these.
    let addressed = other(|c| c.request = Request::to_address("1234").unwrap());
    assert_eq!(failure("book", addressed), Failure::Silent);
    assert_eq!(failure("book", other(|c| c.start_baud = 2400)), Failure::Silent);
    let forced = signed_on(&script_of("book"), &other(|c| c.forced_baud = Some(4800))).unwrap();
    assert_eq!(forced.notes, [Note::Unconfirmed, Note::ForcedUnconfirmed(4800)]);
    // A trace that ends with the identification.
    let mut identifying = reader_of("book");
    identifying.sign_on(&other(|c| c.ident_only = true));
    let unconfirmed = signed_on(&Script::new(&trace_of(&identifying)), &config(false)).unwrap();
    assert_eq!(unconfirmed.notes, [Note::Unconfirmed]);
    // Later by far, and more patient.
    let late = other(|c| (c.warm_up, c.wait) = (ms(3000), Some(ms(5000))));
    assert_eq!(signed_on(&script_of("hung"), &late), signed_on(&script_of("hung"), &config(false)));
}

#[test]
fn an_answer_comes_as_long_after_the_message_as_it_did() {
    let script = script(
        "0.5000 == 300 Bd 7E1
         0.7000 <- 300 Bd 7E1     55
         2.0000 -> 300 Bd 7E1     2F 3F 21 0D 0A
         2.0333 <- 300 Bd 7E1     2F
         2.4500 <- 300 Bd 7E1     41 42
         7.0000 <- 300 Bd 7E1     43",
    );
    let mut reader = replay_of(&script);
    let began = reader.line.now;
    reader.line.wire.configure(Settings::seven_even(300), began);
    reader.listen(ms(500));
    reader.send(b"/?!\r\n");
    reader.listen(ms(10_000));
    let received: Vec<(u128, u8)> = reader
        .recorder
        .entries()
        .iter()
        .filter_map(|entry| match &entry.event {
            Event::Received(bytes) => Some((entry.at.as_millis(), bytes[0])),
            _ => None,
        })
        .collect();
    assert_eq!(received, [(200, 0x55), (533, b'/'), (916, b'A'), (949, b'B'), (5499, b'C')]);
}

#[test]
fn an_echo_goes_as_far_as_the_message_does() {
    let script = script_of("echo");
    let mut reader = replay_of(&script);
    reader.line.wire.configure(Settings::seven_even(300), reader.line.now);
    for begun in [&b"/?"[..], b"/?1"] {
        reader.send(begun);
        assert_eq!(reader.listen(ms(3000)), b"/?");
    }
    reader.send(b"/?!\r\n");
    assert!(reader.listen(ms(3000)).starts_with(b"/?!\r\n/ISK5"));
}

const UA: &[u8] = b"\x7E\xA0\x07\x21\x03\x73\x01\x40\x7E";

/// A sign-on, then SNRM and DISC in HDLC, each answered by UA.
fn session() -> Script {
    let mut reader = reader_of("book");
    reader.sign_on(&config(false)).unwrap().unwrap();
    for frame in [hdlc::SNRM, hdlc::DISC] {
        reader.listen(ms(300));
        reader.send(&frame);
        assert_eq!(reader.listen(ms(1000)), UA);
    }
    Script::new(&trace_of(&reader))
}

#[test]
fn the_frames_of_a_session_are_answered_again_however_they_are_cut() {
    let script = session();
    for piece in 1..=hdlc::SNRM.len() {
        let mut reader = replay_of(&script);
        assert!(reader.sign_on(&config(false)).unwrap().is_ok());
        reader.listen(ms(1234));
        for piece in hdlc::SNRM.chunks(piece) {
            assert_eq!(reader.listen(ms(70)), b"");
            reader.send(piece);
        }
        assert_eq!(reader.listen(ms(1000)), UA);
        reader.send(b"\x7E\xA0\x00 another frame \x7E");
        assert_eq!(reader.listen(ms(1000)), b"");
        reader.send(&[0]);
        reader.send(&hdlc::DISC);
        assert_eq!(reader.listen(ms(1000)), b"", "what follows a stranger without a pause belongs to it");
        reader.send(&hdlc::DISC);
        assert_eq!(reader.listen(ms(1000)), UA);
    }
}

#[test]
fn what_was_passed_over_is_found_and_nothing_is_said_twice() {
    let script = session();
    let mut reader = replay_of(&script);
    reader.line.wire.configure(Settings::eight_none(9600), reader.line.now);
    reader.send(&hdlc::DISC);
    assert_eq!(reader.listen(ms(1000)), UA);
    assert!(reader.sign_on(&config(false)).unwrap().is_ok());
    for answer in [UA, b""] {
        reader.listen(ms(300));
        reader.send(&hdlc::SNRM);
        assert_eq!(reader.listen(ms(1000)), answer);
    }
}

#[test]
fn a_message_of_several_rows_is_one() {
    let script = script(
        "0.0000 == 9600 Bd 8N1
         0.0000 -> 9600 Bd 8N1    61 61 61 61 61 61 61 61 61 61 61 61 61 61 61 61
         0.0000 -> 9600 Bd 8N1    62
         0.0500 <- 9600 Bd 8N1    78",
    );
    let mut reader = replay_of(&script);
    reader.send(b"b");
    assert_eq!(reader.listen(ms(1000)), b"");
    reader.send(b"aaaaaaaaaaaaaaaab");
    assert_eq!(reader.listen(ms(1000)), b"x");
}

#[test]
fn a_reader_in_a_hurry_is_answered_while_the_last_answer_is_awaited() {
    let script = script(
        "0.0000 == 9600 Bd 8N1
         0.0000 -> 9600 Bd 8N1    61
         5.0000 <- 9600 Bd 8N1    41
         6.0000 -> 9600 Bd 8N1    62
         6.1000 <- 9600 Bd 8N1    42",
    );
    let mut reader = replay_of(&script);
    reader.send(b"a");
    reader.listen(ms(1000));
    reader.send(b"b");
    assert_eq!(reader.listen(ms(1000)), b"B");
    assert_eq!(reader.listen(ms(5000)), b"A");
}

#[test]
fn a_trace_without_an_answer_is_a_silent_meter() {
    for trace in ["", "0.0 == 300 Bd 7E1", "0.0 -> 300 Bd 7E1     2F 3F 21 0D 0A"] {
        assert_eq!(signed_on(&script(trace), &config(false)).unwrap_err().failure, Failure::Silent);
    }
}

/// What the reader of a trace was told to do, as far as the trace shows it.
fn config_of(trace: &[Entry], adds_parity: bool) -> Config {
    let mut config = config(adds_parity);
    let mut sent = Vec::new();
    for entry in trace {
        match &entry.event {
            Event::Configured(settings) if !sent.contains(&b'/') => config.start_baud = settings.baud,
            Event::Sent(bytes) => sent.extend_from_slice(bytes),
            _ => {}
        }
    }
    let request = sent
        .split(|&byte| byte == b'\r')
        .find_map(|line| line.iter().position(|&b| b == b'/').map(|at| &line[at..]));
    if let Some(request) = request {
        config.request = Request::verbatim(std::str::from_utf8(request).unwrap()).unwrap();
    }
    config
}

#[test]
fn every_kept_trace_ends_as_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/traces");
    let mut count = 0;
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let expected = text.lines().find_map(|line| line.strip_prefix("# expect: "));
        let expected = expected.unwrap_or_else(|| panic!("{path:?} does not say what to expect"));
        let entries = trace::parse(&text).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        for adds_parity in [true, false] {
            let config = config_of(&entries, adds_parity);
            let ended = signed_on(&Script::new(&entries), &config);
            let kind =
                ended.map_or_else(|failed| crate::kind::Kind::from(&failed.failure).name(), |_| "signed-on");
            assert_eq!(kind, expected, "{path:?} {adds_parity}");
        }
        count += 1;
    }
    assert!(count > 0, "no traces");
}

fn any_event() -> impl Strategy<Value = Event> {
    let bytes = || proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'/'), Just(0x7E)], 1..40);
    let baud = prop_oneof![1..=u32::MAX, Just(300), Just(9600)];
    prop_oneof![
        (baud, any::<bool>()).prop_map(|(baud, seven)| {
            Event::Configured(if seven { Settings::seven_even(baud) } else { Settings::eight_none(baud) })
        }),
        bytes().prop_map(Event::Sent),
        bytes().prop_map(Event::Received),
        (0..1000u64).prop_map(|length| Event::Broke(ms(length))),
    ]
}

/// Events in any order of time, and beyond all time.
fn any_trace() -> impl Strategy<Value = Vec<Entry>> {
    let at = prop_oneof![
        (0..20_000u64).prop_map(ms),
        (0..5u64).prop_map(ms),
        any::<u64>().prop_map(Duration::from_secs)
    ];
    proptest::collection::vec((at, any_event()).prop_map(|(at, event)| Entry { at, event }), 0..30)
}

/// A message and its answers, each of them this many milliseconds after what was before.
type Exchange = (Vec<u8>, Vec<(u64, Vec<u8>)>);

fn any_conversation() -> impl Strategy<Value = Vec<Exchange>> {
    let message = || proptest::collection::vec(prop_oneof![any::<u8>(), Just(0x7E)], 1..40);
    let answers = proptest::collection::vec((50..500u64, message()), 0..4);
    proptest::collection::vec((message(), answers), 0..8)
}

proptest! {
    #[test]
    fn a_reader_that_does_the_same_hears_the_same_at_the_same_times(conversation in any_conversation()) {
        let settings = Settings::eight_none(9600);
        let mut at = Duration::ZERO;
        let mut trace = vec![Entry { at, event: Event::Configured(settings) }];
        for (message, answers) in &conversation {
            at += ms(100);
            trace.push(Entry { at, event: Event::Sent(message.clone()) });
            for (after, answer) in answers {
                at += ms(*after);
                trace.push(Entry { at, event: Event::Received(answer.clone()) });
            }
        }
        let script = Script::new(&read_back(&trace));
        let mut reader = replay_of(&script);
        let began = reader.line.now;
        for entry in &trace {
            let heard = reader.listen((began + entry.at) - reader.line.now);
            match &entry.event {
                Event::Received(bytes) => prop_assert_eq!(&heard, bytes),
                Event::Sent(bytes) => reader.send(bytes),
                _ => {}
            }
        }
        prop_assert_eq!(reader.listen(ms(5000)), b"");
    }

    #[test]
    fn any_trace_can_be_played_to_any_reader(
        trace in any_trace(),
        talk in proptest::collection::vec((any_event(), 0..3000u64), 0..20),
        whole in any::<bool>(),
    ) {
        let script = Script::new(&trace);
        let mut reader = replay_of(&script);
        // A reader that says what the one in the trace did, or anything.
        let said = trace.iter().map(|entry| (entry.event.clone(), 100));
        let said: Vec<_> = if whole { said.collect() } else { talk };
        for (event, pause) in said {
            match event {
                Event::Configured(settings) => reader.line.wire.configure(settings, reader.line.now),
                Event::Sent(bytes) => reader.send(&bytes),
                Event::Broke(_) => reader.line.wire.send_break(reader.line.now),
                Event::Received(_) => {}
            }
            reader.listen(ms(pause));
            reader.line.wire.meter_rate();
        }
        signed_on(&script, &config(false)).ok();
    }
}
