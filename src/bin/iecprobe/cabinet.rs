//! `--hunt` and `--watch`: what is done on an open line where a meter does not answer.

use std::io::{self, IsTerminal, Write};
use std::time::Instant;

use iecprobe::driver::Driver;
use iecprobe::hunt::watch::{Look, Looked, Tally};
use iecprobe::hunt::{Config, Hunt, Way};
use iecprobe::protocol::text;
use iecprobe::protocol::timing;
use serde::Serialize;

use crate::ending::{self, Ending};
use crate::finding::Finding;
use crate::form::{Form, json};
use crate::manner::Manner;
use crate::session::stopped;
use crate::trouble::{Sought, Trouble};

/// Back to the start of the line, and clear it.
const CLEAR: &str = "\r\x1B[K";

/// Hunts for a way to the meter: the report, where this program can read the meter in the way that was found.
pub fn hunt(
    driver: &mut Driver<'_>,
    port: &str,
    config: Config,
    form: Form,
    began: Instant,
) -> Result<String, Ending> {
    let hunted = driver.run(&mut Hunt::new(config.clone(), Instant::now())).map_err(stopped)?;
    let sought = Sought { hunted, config, took: began.elapsed() };
    match Finding::new(port, &sought) {
        Some(finding) => Ok(finding.report(form)),
        None => Err(Trouble::Hunt(Box::new(sought)).into()),
    }
}

/// What a request has come to.
#[derive(Serialize)]
struct Request {
    at_ms: u64,
    answered: bool,
    clean: bool,
    echo: bool,
    wrong_parity: usize,
    strays: usize,
    quality: u32,
}

/// What all of them have come to.
#[derive(Serialize)]
struct Summary {
    asked: u32,
    answered: u32,
    clean: u32,
}

/// Asks again and again until a signal ends it, and tells how that goes.
pub fn watch(driver: &mut Driver<'_>, config: &Config, way: &Way, manner: &Manner) -> Result<(), Ending> {
    let began = Instant::now();
    let rewrites = manner.form == Form::Text && io::stdout().is_terminal();
    let mut tally = Tally::default();
    let mut quiet = config.warm_up;
    let ended = loop {
        let mut look = Look::new(config, way.clone(), quiet, Instant::now());
        let looked = match driver.run(&mut look) {
            Ok(looked) => looked,
            Err(end) => break stopped(end),
        };
        quiet = timing::SILENCE_BEFORE_REQUEST;
        let is_first = looked.clean && tally.clean == 0;
        tally.add(&looked);
        let line = match manner.form {
            Form::Json => json(&Request {
                at_ms: began.elapsed().as_millis() as u64,
                answered: looked.answered,
                clean: looked.clean,
                echo: looked.echo,
                wrong_parity: looked.wrong_parity,
                strays: looked.strays,
                quality: tally.quality(),
            }),
            _ if rewrites => format!("{CLEAR}{}", shown(&looked, &tally)),
            _ => shown(&looked, &tally) + "\n",
        };
        ending::print(&line)?;
        if is_first && !manner.quiet && io::stderr().is_terminal() {
            let _ = io::stderr().write_all(b"\x07");
        }
    };
    let Tally { asked, answered, clean, .. } = tally;
    let summary = match manner.form {
        Form::Json => json(&Summary { asked, answered, clean }),
        _ => format!(
            "{}asked {asked}, answered {answered}, clean {clean}\n",
            if rewrites { CLEAR } else { "" }
        ),
    };
    ending::print(&summary)?;
    Err(ended)
}

/// One request in a few words, which fit a narrow terminal.
fn shown(looked: &Looked, tally: &Tally) -> String {
    let mut words = vec![match (looked.answered, looked.clean) {
        (_, true) => "answered".to_owned(),
        (true, false) => "damaged".to_owned(),
        (false, false) => "no answer".to_owned(),
    }];
    if looked.echo {
        words.push("echo".into());
    }
    if looked.wrong_parity > 0 {
        words.push(format!("{} wrong parity", looked.wrong_parity));
    }
    if looked.strays > 0 {
        words.push(text::count(looked.strays, "stray"));
    }
    format!("{:3} {:3} %  {}", tally.asked, tally.quality(), words.join(", "))
}
