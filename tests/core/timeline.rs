//! The picture of a sign-on, for meters that play by the book and meters that do not, against what is in the
//! repository.
//!
//! `UPDATE_GENERATED=1 cargo test --test timeline` draws it anew: `tests/data/timeline/NAME.txt`, and for the pages of
//! docs/ some `docs/pictures/NAME.svg`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use proptest::prelude::*;

use iecprobe::record::{Entry, Event};

use iecprobe::protocol::settings::Settings;
use iecprobe::record::timeline::text::{Colour, WIDTH};
use iecprobe::record::timeline::{Timeline, svg, text};
use iecprobe::record::trace;
use iecprobe::signon::WakeUp;

use crate::simulated::{End, Parity, Run, Simulation};

/// What is drawn: the file, the scenarios, the parity and what is asked for.
fn gallery() -> Vec<(&'static str, Simulation)> {
    let of = |names| Simulation::of(names, Parity::Software);
    let with_wake_up = |wake_up| {
        Simulation::of("wake-up", Parity::Software).config(move |config| config.wake_up = Some(wake_up))
    };
    vec![
        ("book", of("book")),
        ("book-pseudo-terminal", Simulation::of("book", Parity::None)),
        ("slow", of("slow")),
        ("fast", of("fast")),
        ("no-confirm", of("no-confirm")),
        ("confirm-old-rate", of("confirm-old-rate")),
        ("confirm-glued", of("confirm-glued")),
        ("echo-noise", of("echo+noise")),
        ("echo-late", of("echo-late")),
        ("echo-silent", of("echo+silent")),
        ("readout-at-z", of("readout-at-z")),
        ("readout-at-300", of("readout-at-300")),
        ("nak", of("nak")),
        ("mode-c", of("mode-c")),
        ("silent", of("silent")),
        ("hung", of("hung")),
        ("wake-up", with_wake_up(WakeUp::Normal)),
        ("wake-up-fast", with_wake_up(WakeUp::Fast)),
        ("bad-parity", of("bad-parity")),
        ("wrong-rate", of("wrong-rate")),
        ("push", of("push")),
        ("sml", of("sml")),
        ("double-answer", of("double-answer")),
        ("unplugged", of("unplugged")),
        ("cut-short", of("book").config(|config| config.switch_delay = Some(Duration::from_millis(120)))),
    ]
}

/// Those that docs/ show.
const IN_DOCS: [&str; 5] = ["book", "no-confirm", "echo-noise", "readout-at-300", "silent"];

fn outcome(run: &Run) -> String {
    match &run.end {
        End::SignedOn(done) => format!("signed on at {} Bd", done.baud),
        End::Failed(failed) => failed.failure.to_string(),
        End::LineLost(_) => "the line was lost".into(),
    }
}

fn check(name: &str, picture: &str, stale: &mut Vec<PathBuf>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, picture).unwrap();
    }
    if fs::read_to_string(&path).unwrap_or_default() != picture {
        stale.push(path);
    }
}

#[test]
fn every_picture_is_the_one_in_the_repository() {
    let mut stale = Vec::new();
    for (name, simulation) in gallery() {
        let run = simulation.run();
        let timeline = Timeline::new(&run.record, run.elapsed);
        let outcome = outcome(&run);
        check(
            &format!("tests/data/timeline/{name}.txt"),
            &text::draw(&timeline, &outcome, Colour::Off),
            &mut stale,
        );
        if IN_DOCS.contains(&name) {
            check(&format!("docs/pictures/{name}.svg"), &svg::draw(&timeline, &outcome), &mut stale);
        }
    }
    assert!(stale.is_empty(), "stale: UPDATE_GENERATED=1 cargo test --test timeline\n{stale:#?}");
}

/// Holds what is true of every picture against this one.
fn assert_sound(timeline: &Timeline, outcome: &str) {
    let plain = text::draw(timeline, outcome, Colour::Off);
    for line in plain.lines() {
        assert!(line.len() <= WIDTH && line.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{line:?}");
    }
    assert_eq!(without_colour(&text::draw(timeline, outcome, Colour::Ansi)), plain);
    assert_well_formed(&svg::draw(timeline, outcome));
}

/// A text without what sets a colour.
fn without_colour(text: &str) -> String {
    let mut parts = text.split("\x1B[");
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |plain, part| plain + part.split_once('m').expect("a colour ends with `m`").1)
}

/// As much of XML as the picture uses: elements that close each other, quoted attributes, the four references.
fn assert_well_formed(svg: &str) {
    assert!(svg.bytes().all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte)));
    for reference in svg.split('&').skip(1) {
        assert!(
            ["amp;", "lt;", "gt;", "quot;"].iter().any(|known| reference.starts_with(known)),
            "{reference}"
        );
    }
    let mut open = Vec::new();
    for part in svg.split('<').skip(1) {
        let (tag, words) = part.split_once('>').expect("a tag ends");
        assert!(!words.contains('>') && tag.matches('"').count() % 2 == 0, "{part}");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
        } else if !tag.ends_with('/') {
            open.push(tag.split(' ').next().unwrap());
        }
        assert!(!open.is_empty() || words.trim().is_empty(), "words outside: {words}");
    }
    assert!(open.is_empty(), "{open:?} stays open");
}

#[test]
fn every_picture_fits_the_terminal_and_is_xml_with_and_without_colour() {
    for (_, simulation) in gallery() {
        let run = simulation.run();
        assert_sound(&Timeline::new(&run.record, run.elapsed), &outcome(&run));
    }
}

fn at(milliseconds: u64, event: Event) -> Entry {
    Entry { at: Duration::from_millis(milliseconds), event }
}

#[test]
fn an_ident_can_break_neither_the_terminal_nor_the_svg() {
    let line = b"/ISK5\\2<&\">'\x1B[31m\x07\x00\xFF]]>--\r\n".to_vec();
    let record = [
        at(0, Event::Configured(Settings::seven_even(300))),
        at(1, Event::Sent(b"/?<\x1B>!\r\n".to_vec())),
        at(2000, Event::Received(line)),
    ];
    let timeline = Timeline::new(&record, Duration::ZERO);
    assert_sound(&timeline, "<script>\x1B]0;\n&\u{e4}");
    let svg = svg::draw(&timeline, "");
    assert!(svg.contains("/ISK5\\2&lt;&amp;&quot;&gt;"), "{svg}");
}

#[test]
fn a_long_record_keeps_to_its_columns() {
    let settings = [at(0, Event::Configured(Settings::seven_even(300)))];
    let answers = (1..1200).map(|count| at(count * 300_000, Event::Received(b"/ISK5X\r\n".to_vec())));
    let record: Vec<Entry> = settings.into_iter().chain(answers).collect();
    assert_sound(&Timeline::new(&record, Duration::ZERO), "it went on and on");
}

#[test]
fn a_record_of_nothing_or_next_to_nothing_is_a_picture_too() {
    for record in [
        vec![],
        vec![at(5, Event::Configured(Settings::seven_even(300)))],
        vec![at(0, Event::Received(vec![0x2F]))],
        vec![at(0, Event::Sent(vec![]))],
        vec![at(0, Event::Broke(Duration::ZERO))],
    ] {
        assert_sound(&Timeline::new(&record, Duration::ZERO), "nothing came");
        assert_sound(&Timeline::new(&record, Duration::from_secs(1_000_000)), "");
    }
}

#[test]
fn a_picture_of_a_trace_has_the_messages_of_the_sign_on() {
    for (name, simulation) in gallery() {
        let run = simulation.run();
        let mut written = Vec::new();
        let mut writer = trace::Writer::new(&mut written);
        run.record.iter().for_each(|entry| writer.write(entry).unwrap());
        let read = trace::parse(&String::from_utf8(written).unwrap()).unwrap();
        let messages = |record: &[Entry]| -> Vec<_> {
            let timeline = Timeline::new(record, run.elapsed);
            timeline.messages.into_iter().map(|message| (message.side, message.bytes, message.said)).collect()
        };
        assert_eq!(messages(&read), messages(&run.record), "{name}");
    }
}

fn event() -> impl Strategy<Value = Event> {
    let settings = (1u32..200_000, any::<bool>()).prop_map(|(baud, seven)| {
        Event::Configured(if seven { Settings::seven_even(baud) } else { Settings::eight_none(baud) })
    });
    let bytes = || {
        let known =
            [&b"/?!\r\n"[..], b"/ISK5\\2X\r\n", b"\x06252\r\n", b"\x01B0\x03\x71", b"\x15", b"\0\0\0"];
        prop_oneof![
            prop::collection::vec(any::<u8>(), 0..50),
            prop::sample::select(known.to_vec()).prop_map(<[u8]>::to_vec),
            Just(iecprobe::protocol::hdlc::DISC.to_vec()),
        ]
    };
    prop_oneof![
        settings,
        bytes().prop_map(Event::Sent),
        bytes().prop_map(Event::Received),
        (0..500u64).prop_map(|length| Event::Broke(Duration::from_millis(length))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_on_a_line_can_be_drawn(
        events in prop::collection::vec((0..3000u64, event()), 0..40),
        outcome in ".*",
    ) {
        let mut now = 0;
        let record: Vec<Entry> = events
            .into_iter()
            .map(|(pause, event)| {
                now += pause * u64::from(pause % 3 == 0);
                at(now, event)
            })
            .collect();
        assert_sound(&Timeline::new(&record, Duration::ZERO), &outcome);
    }
}
