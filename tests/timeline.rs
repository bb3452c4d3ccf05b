//! The picture of a sign-on, for meters that play by the book and meters that do not, against what is in the
//! repository.
//!
//! `UPDATE_GENERATED=1 cargo test --test timeline` draws it anew: `tests/data/timeline/NAME.txt`, some with a `.svg`.

mod simulated;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use iecprobe::record::{Entry, Event};
use iecprobe::settings::Settings;
use iecprobe::signon::WakeUp;
use iecprobe::timeline::text::{Colour, WIDTH};
use iecprobe::timeline::{Timeline, svg, text};

use simulated::{End, Parity, Run, Simulation};

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

/// Those that are drawn as SVG too.
const IN_SVG: [&str; 3] = ["book", "silent", "echo-noise"];

fn outcome(run: &Run) -> String {
    match &run.end {
        End::SignedOn(done) => format!("signed on at {} Bd", done.baud),
        End::Failed(failed) => failed.failure.to_string(),
        End::LineLost(_) => "the line was lost".into(),
    }
}

fn check(name: &str, picture: &str, stale: &mut Vec<PathBuf>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/timeline").join(name);
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
        check(&format!("{name}.txt"), &text::draw(&timeline, &outcome, Colour::Off), &mut stale);
        if IN_SVG.contains(&name) {
            check(&format!("{name}.svg"), &svg::draw(&timeline, &outcome), &mut stale);
        }
    }
    assert!(stale.is_empty(), "stale: UPDATE_GENERATED=1 cargo test --test timeline\n{stale:#?}");
}
