//! The hunt against virtual meters: each row of its plan finds the meter that only this row can find, in its time, and
//! none of it does harm.

use std::time::{Duration, Instant};

use iecprobe::hunt::{Config, Found, Hunt, Hunted};
use iecprobe::machine::exchange::{Ask, Exchange};
use iecprobe::meter::behaviour::{Begins, Behaviour, Hears, Link, Push, Station};
use iecprobe::meter::{Meter, scenario};
use iecprobe::protocol::hdlc::{self, Addresses, Command, Server};
use iecprobe::protocol::message::{self, Request};
use iecprobe::protocol::settings::{Framing, Settings};
use iecprobe::record::Event;
use iecprobe::signon::{self, Failure};

use crate::simulated::{Parity, Reader, ms};

const HOUR: Duration = Duration::from_secs(3600);

/// A telegram of a P1 port, shortened.
const P1: &[u8] = b"/ISK5\\2M550T-1012\r\n\r\n1-3:0.2.8(50)\r\n0-0:1.0.0(261124180000W)\r\n\
    1-0:1.8.1(001234.567*kWh)\r\n1-0:1.7.0(00.123*kW)\r\n!1F28\r\n";

/// A hunt that is over.
struct Run {
    what: String,
    hunted: Hunted,
    elapsed: Duration,
    record: Vec<(Duration, Event)>,
    in_hdlc: bool,
}

fn hunt(behaviour: Behaviour, config: &Config) -> Option<Run> {
    let what = format!("{behaviour:?} {config:?}");
    let began = Instant::now();
    let mut reader = Reader::new(Meter::new(behaviour, began), began);
    let mut machine = Hunt::new(config.clone(), began);
    let hunted = reader.line.run(&mut machine, &mut reader.recorder)?;
    let elapsed = reader.line.now - began;
    // What is still on its way to the meter arrives.
    reader.listen(ms(300));
    let record = reader.recorder.entries().iter().map(|entry| (entry.at, entry.event.clone())).collect();
    let run = Run { what, hunted, elapsed, record, in_hdlc: reader.line.wire.meter().in_hdlc() };
    run.does_no_harm(config);
    Some(run)
}

impl Run {
    fn found(&self) -> &Found {
        self.hunted
            .found
            .as_ref()
            .unwrap_or_else(|| panic!("nothing found: {}\n{:?}", self.what, self.hunted))
    }

    fn sent(&self) -> impl Iterator<Item = &[u8]> {
        self.record.iter().filter_map(|(_, event)| match event {
            Event::Sent(bytes) => Some(&bytes[..]),
            _ => None,
        })
    }

    /// What a hunt must never do, whatever the meter is.
    fn does_no_harm(&self, config: &Config) {
        assert!(self.elapsed <= Duration::from_secs(60), "{:?} {}", self.elapsed, self.what);
        let mut wake_ups = 0;
        let mut settings = Settings::eight_none(9600);
        let (mut asked, mut linked, mut answer) = (None, false, Vec::new());
        let mut last_received = None;
        for (at, event) in &self.record {
            match event {
                Event::Configured(set) => settings = *set,
                Event::Received(bytes) => {
                    last_received = Some(*at);
                    answer.extend(bytes);
                    let accepted = hdlc::frames(&answer).any(|frame| frame.command == Command::Ua);
                    linked |= accepted && asked == Some(Command::Snrm);
                }
                Event::Broke(_) => assert!(config.recover, "{}", self.what),
                Event::Sent(bytes) if bytes.starts_with(b"/?") => {
                    assert!(bytes.ends_with(b"!\r\n") && settings.framing == Framing::SevenEven);
                }
                Event::Sent(bytes) if **bytes == message::BREAK => {
                    assert!(config.recover, "{}", self.what);
                    // tr after the last character that came.
                    let silence = last_received.map_or(HOUR, |before| *at - before);
                    let is_fast = self.hunted.found.as_ref().and_then(Found::identification);
                    let tr = if is_fast.is_some_and(|it| it.is_fast()) { ms(20) } else { ms(200) };
                    assert!(silence >= tr, "{silence:?} {}", self.what);
                }
                Event::Sent(bytes) if bytes.iter().all(|&byte| byte == 0) => {
                    wake_ups += 1;
                    assert_eq!(bytes.len(), 66, "the normal wake-up");
                }
                // No password, no AARQ: nothing else than these two is ever sent.
                Event::Sent(bytes) => {
                    let command = hdlc::find(bytes).map(|frame| frame.command);
                    assert!(matches!(command, Some(Command::Snrm | Command::Disc)), "{bytes:x?}");
                    linked &= command != Some(Command::Disc);
                    (asked, answer) = (command, Vec::new());
                }
            }
        }
        assert!(!linked, "a link stays open: {}", self.what);
        assert!(wake_ups <= 1, "{}", self.what);
        if self.hunted.found.as_ref().is_some_and(|found| found.name() == "hung") {
            assert!(!self.in_hdlc, "a meter that hung is free: {}", self.what);
        }
    }
}

fn behaviour(change: impl FnOnce(&mut Behaviour)) -> Behaviour {
    let mut behaviour = Behaviour::default();
    change(&mut behaviour);
    behaviour
}

fn station(server: &str, hears: Hears, client: Option<u8>) -> Option<Station> {
    Some(Station { server: server.parse().unwrap(), hears, client })
}

fn direct(baud: u32, server: &str, hears: Hears, client: Option<u8>) -> Behaviour {
    behaviour(|b| {
        b.begins = Begins::Direct(baud);
        b.station = station(server, hears, client);
    })
}

fn pushes(telegram: &[u8], settings: Settings, period: u64) -> Behaviour {
    behaviour(|b| {
        b.deaf_for = u32::MAX;
        b.pushes = Some(Push { telegram: telegram.to_vec(), settings: Some(settings), period: ms(period) });
    })
}

fn starts_at(baud: u32, parity: Option<bool>) -> Behaviour {
    behaviour(|b| (b.start_bauds, b.insists_on_parity) = (vec![baud], parity))
}

/// A pushed HDLC frame with data in it.
fn frame() -> Vec<u8> {
    hdlc::unnumbered_acknowledgement(
        &hdlc::find(&hdlc::SNRM).unwrap(),
        b"\xE6\xE7\x00\x0F\x40\x00\x00\x00\x00",
    )
}

/// The name of what is found, the options to use, and when the row ends that finds it.
type Case = (&'static str, Behaviour, &'static str, Option<&'static str>, f64);

/// A meter for every row, on a line where the first request carries parity bits as `first` says.
fn meters(first: Parity) -> Vec<Case> {
    let plain_first = first == Parity::None;
    let hung = |b: &mut Behaviour| b.begins = Begins::InHdlc(9600, HOUR);
    let other = if plain_first { "--parity software" } else { "--parity none" };
    let bits = if plain_first { "--parity software" } else { "" };
    let plain = if plain_first { "" } else { "--parity none" };
    let with = |options: &str| -> Option<&'static str> { Some(String::leak(options.trim().to_owned())) };
    let own = Hears::Own;
    let eight = Settings::eight_none;
    let mut all = vec![
        ("book", Behaviour::default(), "sign-on", with(""), 2.3),
        ("slow", scenario::behaviour("slow").unwrap(), "sign-on", with(""), 2.3),
        ("direct", direct(9600, "1", own, None), "direct-hdlc", with("--direct -b 9600 --pipe"), 6.9),
        (
            "direct, all stations",
            direct(9600, "1/17:4", Hears::AllStations, None),
            "direct-hdlc",
            with("--direct -b 9600 --hdlc-server 1/17:4 --pipe"),
            6.9,
        ),
        (
            "direct, 1/17",
            direct(9600, "1/17", own, None),
            "direct-hdlc",
            with("--direct -b 9600 --hdlc-server 1/17 --pipe"),
            6.9,
        ),
        (
            "direct, 1/17:4",
            direct(9600, "1/17:4", own, None),
            "direct-hdlc",
            with("--direct -b 9600 --hdlc-server 1/17:4 --pipe"),
            6.9,
        ),
        (
            "direct, client 1",
            direct(9600, "1", own, Some(1)),
            "direct-hdlc",
            with("--direct -b 9600 --hdlc-client 1 --pipe"),
            6.9,
        ),
        (
            "direct, refuses",
            behaviour(|b| {
                b.begins = Begins::Direct(9600);
                b.link = Link::Refuses;
            }),
            "direct-hdlc",
            None,
            6.9,
        ),
        ("hung", behaviour(hung), "hung", with(other), 6.9),
        (
            "hung, all stations",
            behaviour(|b| {
                hung(b);
                b.station = station("1/17:4", Hears::AllStations, None);
            }),
            "hung",
            with(other),
            6.9,
        ),
        (
            "hung, unlinked",
            behaviour(|b| {
                b.begins = Begins::Unlinked(9600, HOUR);
                b.stays_unlinked = true;
            }),
            "hung",
            with(other),
            6.9,
        ),
        (
            "hung, takes DISC alone",
            behaviour(|b| {
                hung(b);
                b.link = Link::Closes;
            }),
            "hung",
            with(other),
            7.7,
        ),
        (
            "hung, takes a BREAK alone",
            behaviour(|b| {
                hung(b);
                (b.link, b.heeds_break) = (Link::Deaf, true);
            }),
            "sign-on",
            with(other),
            7.4,
        ),
        ("hung-session", scenario::behaviour("hung-session").unwrap(), "sign-on", with(other), 7.4),
        ("the other parity", starts_at(300, Some(plain_first)), "sign-on", with(other), 7.4),
        ("9600 7E1", starts_at(9600, Some(true)), "sign-on", with(&format!("--start-baud 9600 {bits}")), 9.1),
        ("SML", pushes(SML, eight(9600), 2000), "sml", None, 11.6),
        ("D0", pushes(P1, Settings::seven_even(9600), 2400), "push", None, 11.6),
        ("HDLC frames", pushes(&frame(), eight(9600), 2400), "push", None, 11.6),
        (
            "asleep",
            behaviour(|b| b.sleeps = true),
            "sign-on",
            with(&format!("{bits} --wake-up normal")),
            17.6,
        ),
        (
            "9600 plain",
            starts_at(9600, Some(false)),
            "sign-on",
            with(&format!("--start-baud 9600 {plain}")),
            19.2,
        ),
        ("300 plain, late", behaviour(|b| b.deaf_for = 3), "sign-on", with(plain), 21.4),
        (
            "2400 7E1",
            starts_at(2400, Some(true)),
            "sign-on",
            with(&format!("--start-baud 2400 {bits}")),
            29.7,
        ),
        ("P1", pushes(P1, eight(115_200), 10_000), "p1", None, 47.5),
        ("HAN", pushes(&frame(), Settings::eight_even(2400), 10_000), "push", None, 58.0),
        (
            "DTR and RTS",
            behaviour(|b| b.powered_by = Some((false, false))),
            "sign-on",
            with("--dtr off --rts off"),
            60.0,
        ),
    ];
    for (baud, options, end) in [
        (19_200, "--direct -b 19200 --pipe", 22.5),
        (38_400, "--direct -b 38400 --pipe", 23.6),
        (115_200, "--direct -b 115200 --pipe", 24.7),
        (57_600, "--direct -b 57600 --pipe", 25.8),
        (4800, "--direct -b 4800 --pipe", 26.9),
        (2400, "--direct -b 2400 --pipe", 28.0),
    ] {
        all.push(("direct at a rate", direct(baud, "1", own, None), "direct-hdlc", with(options), end + 2.6));
    }
    for (baud, end) in [(4800, 31.4), (19_200, 33.1), (1200, 34.8), (600, 36.5)] {
        let options = format!("--start-baud {baud} {bits}");
        all.push(("7E1 at a rate", starts_at(baud, None), "sign-on", with(&options), end));
    }
    all
}

/// An SML file, shortened.
const SML: &[u8] =
    b"\x1B\x1B\x1B\x1B\x01\x01\x01\x01\x76\x05\x03\x2B\x18\x0F\x62\x00\x62\x00\x72\x63\x01\x01\x76\x01\x01\
    \x05\x01\x0E\x5D\x5B\x1B\x1B\x1B\x1B\x1A\x01\x7D\x4E";

#[test]
fn every_row_finds_the_meter_that_only_it_can_find_and_in_its_time() {
    for first in [Parity::None, Parity::Software] {
        for (name, behaviour, kind, options, end) in meters(first) {
            let config = Config { parity: first, ..Config::default() };
            let run = hunt(behaviour, &config).unwrap();
            let found = run.found();
            assert_eq!(found.name(), kind, "{name}: {found:?}");
            let said = found.options(&config).map(|options| options.join(" "));
            assert_eq!(said.as_deref(), options, "{name}");
            let latest = Duration::from_secs_f64(end + 3.0).min(Duration::from_secs(60));
            assert!(!run.in_hdlc || kind == "direct-hdlc", "{name} stays in HDLC");
            assert!(run.elapsed <= latest, "{name} {first:?}: {:?}", run.elapsed);
        }
    }
}

#[test]
fn a_silent_line_is_given_up_within_a_minute_and_the_rows_that_were_tried_are_told() {
    let run = hunt(scenario::behaviour("silent").unwrap(), &Config::default()).unwrap();
    assert!(run.hunted.found.is_none());
    assert_eq!(run.hunted.furthest.as_ref().unwrap().failure, Failure::Silent);
    assert_eq!(run.hunted.tried.len(), iecprobe::hunt::plan::rows(&Config::default()).len());
}

#[test]
fn a_hunt_on_a_good_meter_costs_no_more_than_a_sign_on() {
    for names in ["book", "fast", "no-confirm", "two-escapes", "echo", "noise"] {
        let behaviour = scenario::behaviour(names).unwrap();
        let began = Instant::now();
        let mut reader = Reader::new(Meter::new(behaviour.clone(), began), began);
        reader.sign_on(&signon::Config::default()).unwrap().unwrap();
        let run = hunt(behaviour, &Config::default()).unwrap();
        assert_eq!(run.found().name(), "sign-on", "{names}");
        let usual = reader.line.now - began;
        assert!(run.elapsed <= usual, "{names}: {:?} and {usual:?}", run.elapsed);
    }
}

/// What a scenario may be taken for; any of them, or nothing at all where the last one is empty.
fn may_be(name: &str, recover: bool) -> &'static [&'static str] {
    match name {
        "hung-session" if !recover => &[""],
        "push" => &["push"],
        "sml" => &["sml"],
        "hdlc-push" => &["push"],
        "direct" => &["direct-hdlc"],
        "hung" | "hung-unlinked" => &["hung"],
        "silent" | "cut" | "wrong-rate" | "addressed" | "endless-ident" | "drip" | "bad-parity-always"
        | "many-flips" => &[""],
        "two-letters" => &[""],
        // Rows that ask with the right kind of parity come late.
        _ => &["sign-on"],
    }
}

#[test]
fn no_scenario_is_taken_for_what_it_is_not_and_none_takes_longer_than_a_minute() {
    let mut count = 0;
    // A line that never falls silent has no silence before a request; the sign-on's sweeps have it.
    for scenario in scenario::ALL.iter().filter(|scenario| !scenario.name.starts_with("for-ever")) {
        for (parity, recover) in [(Parity::None, true), (Parity::Software, true), (Parity::None, false)] {
            let config = Config { parity, recover, ..Config::default() };
            count += 1;
            let Some(run) = hunt(scenario::behaviour(scenario.name).unwrap(), &config) else {
                assert!(scenario.name.starts_with("unplugged"), "{}", scenario.name);
                continue;
            };
            let found = run.hunted.found.as_ref().map_or("", Found::name);
            assert!(
                may_be(scenario.name, recover).contains(&found),
                "{} {config:?}: {:?} {:?}",
                scenario.name,
                run.hunted.found,
                run.hunted.furthest
            );
        }
    }
    assert!(count >= 3 * 56);
}

#[test]
fn an_address_is_asked_for_in_each_place_and_everybody_once() {
    let config = Config { address: Some(Request::to_address("12345678").unwrap()), ..Config::default() };
    let run = hunt(scenario::behaviour("addressed").unwrap(), &config).unwrap();
    assert_eq!(run.found().options(&config).unwrap(), ["--address", "12345678"]);
    // The address was wrong: the meter answers to none at all.
    let other = Config { address: Some(Request::to_address("1").unwrap()), ..Config::default() };
    let run = hunt(behaviour(|b| b.address = Some(Vec::new())), &other).unwrap();
    assert_eq!(run.found().options(&other).unwrap(), [""; 0]);
    let run = hunt(scenario::behaviour("silent").unwrap(), &config).unwrap();
    let requests: Vec<&[u8]> = run.sent().filter(|bytes| bytes.starts_with(b"/?")).collect();
    assert_eq!(requests.iter().filter(|bytes| ***bytes == *b"/?!\r\n").count(), 1);
    assert!(requests.len() > 10);
    let all = Addresses { server: Server::ALL_STATIONS, ..Addresses::default() }.snrm();
    assert!(run.sent().all(|bytes| *bytes != all), "answers would collide");
}

#[test]
fn a_line_with_one_rate_is_hunted_at_that_one() {
    for baud in [300, 9600] {
        let config = Config { fixed_baud: Some(baud), ..Config::default() };
        let run = hunt(scenario::behaviour("silent").unwrap(), &config).unwrap();
        let mut rates = run.record.iter().filter_map(|(_, event)| match event {
            Event::Configured(settings) => Some(settings.baud),
            _ => None,
        });
        assert!(rates.all(|rate| rate == baud));
        assert!(!run.record.iter().any(|(_, event)| matches!(event, Event::Broke(_))));
        let run = hunt(direct(baud, "1/17", Hears::Own, None), &config).unwrap();
        assert_eq!(run.found().name(), "direct-hdlc");
    }
}

/// Numbers that are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }

    fn of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }
}

/// A meter as it can be met, what a hunt must find, and whether it must find it.
fn any_meter(numbers: &mut Numbers, first: Parity) -> (Behaviour, &'static str, bool) {
    let mut b = Behaviour { reaction: ms(20 + numbers.below(1480) as u64), ..Behaviour::default() };
    if numbers.below(4) == 0 {
        b.identification = b"/LGZ5\\2ZMD3104407.B32".to_vec();
    }
    b.insists_on_parity = numbers.of(&[None, None, Some(true), Some(false)]);
    let stations = [
        ("1", Hears::Own, Some(16), true),
        ("1", Hears::Both, None, true),
        ("1", Hears::Own, Some(1), true),
        ("1/17:4", Hears::AllStations, None, true),
        ("1/17", Hears::Own, None, false),
        ("1/17:4", Hears::Own, Some(16), false),
    ];
    let (server, hears, client, is_usual) = numbers.of(&stations);
    b.station = station(server, hears, client);
    let rate = numbers.of(&[9600, 9600, 9600, 19_200, 38_400, 57_600, 115_200, 4800, 2400, 300]);
    let answers_snrm = rate == 9600 || (is_usual && rate != 300);
    match numbers.below(20) {
        0..=6 => {
            b.start_bauds = vec![numbers.of(&[300, 300, 300, 9600, 9600, 2400, 4800, 19_200, 1200, 600])];
            let any_parity = matches!(b.start_bauds[0], 300 | 9600);
            let findable = any_parity || b.insists_on_parity != Some(false);
            (b, "sign-on", findable)
        }
        7..=8 => {
            b.sleeps = true;
            let findable = b.insists_on_parity != Some(false);
            (b, "sign-on", findable)
        }
        9..=12 => {
            b.begins = Begins::Direct(rate);
            (b, "direct-hdlc", answers_snrm)
        }
        13..=16 => {
            b.stays_unlinked = numbers.below(2) == 0;
            b.begins =
                if b.stays_unlinked { Begins::Unlinked(rate, HOUR) } else { Begins::InHdlc(rate, HOUR) };
            (b, "hung", answers_snrm)
        }
        17 => {
            b.powered_by = Some((false, false));
            // That row asks as the first one did.
            let findable = b.insists_on_parity.is_none_or(|bits| bits == (first != Parity::None));
            (b, "sign-on", findable)
        }
        _ => {
            let (telegram, settings, period, name) = numbers.of(&[
                (SML.to_vec(), Settings::eight_none(9600), 2000, "sml"),
                (P1.to_vec(), Settings::seven_even(9600), 2000, "push"),
                (frame(), Settings::eight_none(9600), 2400, "push"),
                (P1.to_vec(), Settings::eight_none(115_200), 10_000, "p1"),
                (frame(), Settings::eight_even(2400), 10_000, "push"),
            ]);
            (pushes(&telegram, settings, period), name, true)
        }
    }
}

/// What the same meter takes by hand: one option after the other, as the hints of failures used to name them, with five
/// seconds for each to be read and typed. Nothing where it is not found.
fn by_hand(behaviour: &Behaviour) -> Option<Duration> {
    let typed = Duration::from_secs(5);
    let began = Instant::now();
    let mut reader = Reader::new(Meter::new(behaviour.clone(), began), began);
    let plain = signon::Config { ident_only: true, ..signon::Config::default() };
    let at = |start_baud| signon::Config { start_baud, ..plain.clone() };
    let with_parity = |config: signon::Config| signon::Config { parities: [Parity::Software; 2], ..config };
    let woken = signon::Config { wake_up: Some(signon::WakeUp::Normal), ..plain.clone() };
    let mut sign_ons = vec![plain.clone(), at(9600), woken.clone(), with_parity(plain.clone())];
    sign_ons.extend([with_parity(at(9600)), with_parity(woken)]);
    let links = ["1", "16383/16383", "1/17", "1/17:4"];
    let others = [2400, 4800, 19_200, 1200, 600].map(|rate| with_parity(at(rate)));
    for config in sign_ons {
        if reader.sign_on(&config).is_some_and(|ended| ended.is_ok()) {
            return Some(reader.line.now - began);
        }
        reader.listen(typed);
    }
    for rate in [9600, 19_200, 38_400, 115_200, 57_600, 4800, 2400] {
        for (server, client) in links.iter().map(|server| (server, 16)).chain([(&"1", 1)]) {
            let addresses = Addresses { client, server: server.parse().unwrap() };
            let mut link = Exchange::new(Ask::Open, addresses, Settings::eight_none(rate), ms(1000), 2);
            if reader.line.run(&mut link, &mut reader.recorder)?.answer.is_some() {
                return Some(reader.line.now - began);
            }
            reader.listen(typed);
        }
    }
    for config in others {
        if reader.sign_on(&config).is_some_and(|ended| ended.is_ok()) {
            return Some(reader.line.now - began);
        }
        reader.listen(typed);
    }
    None
}

/// Random meters; `IECPROBE_HUNTS` says how many.
#[test]
fn random_meters_are_found_if_they_can_be() {
    let count = std::env::var("IECPROBE_HUNTS").ok().and_then(|text| text.parse().ok()).unwrap_or(600);
    let mut numbers = Numbers(20_261_124);
    let (mut found, mut missed) = (0, 0);
    let (mut hunting, mut typing, mut both, mut in_vain) = (Duration::ZERO, Duration::ZERO, 0, 0);
    for _ in 0..count {
        let config = Config { parity: numbers.of(&[Parity::None, Parity::Software]), ..Config::default() };
        let (behaviour, name, findable) = any_meter(&mut numbers, config.parity);
        let run = hunt(behaviour.clone(), &config).unwrap();
        match &run.hunted.found {
            Some(what) => {
                assert_eq!(what.name(), name, "{}", run.what);
                found += 1;
                if matches!(name, "sign-on" | "direct-hdlc" | "hung") {
                    match by_hand(&behaviour) {
                        Some(time) => {
                            (hunting, typing, both) = (hunting + run.elapsed, typing + time, both + 1);
                        }
                        None => in_vain += 1,
                    }
                }
            }
            None => {
                assert!(!findable, "{}\n{:?}", run.what, run.hunted.furthest);
                missed += 1;
            }
        }
    }
    assert!(found * 4 > count * 3 && missed > 0, "{found} of {count}");
    let mean = |sum: Duration| sum.as_secs_f64() / f64::from(both.max(1));
    eprintln!(
        "{count} meters: {found} found, {missed} that no row can find; of {both} found in both ways the hunt took \
         {:.1} s, trying options by hand {:.1} s; {in_vain} more are not found by hand",
        mean(hunting),
        mean(typing)
    );
    assert!(hunting * 2 < typing);
}
