//! What a hunt has found, as it is reported, and in words what it has tried.

use std::fmt::Write as _;

use serde::Serialize;

use iecprobe::hunt::plan::Row;
use iecprobe::hunt::{Found, Pushed};
use iecprobe::protocol::parity::Parity;

use crate::again::quoted;
use crate::explain::{Words, words};
use crate::form::{self, Form, json};
use crate::kind::Kind;
use crate::report::Who;
use crate::trouble::Sought;

/// The report of a hunt that has found a way.
#[derive(Serialize)]
pub struct Finding<'a> {
    port: &'a str,
    found: &'static str,
    #[serde(rename = "use")]
    command: Vec<String>,
    #[serde(flatten)]
    who: Option<Who>,
    #[serde(skip_serializing_if = "Option::is_none")]
    baud: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<String>,
    elapsed_ms: u64,
    notes: Vec<String>,
    #[serde(skip)]
    text: String,
}

impl<'a> Finding<'a> {
    /// What was found on this port; nothing where it is no way for this program.
    pub fn new(port: &'a str, sought: &Sought) -> Option<Self> {
        let found = sought.hunted.found.as_ref()?;
        let options = found.options(&sought.config)?;
        let met = found.met();
        let mut notes = Vec::new();
        if let Some(met) = met.filter(|met| met.asked.server.is_broadcast()) {
            notes.push(format!(
                "it answered only to all stations: its link opens with --hdlc-server {}",
                met.asked.server
            ));
        }
        Some(Self {
            port,
            found: found.name(),
            command: ["iecprobe", "-p", port].into_iter().map(str::to_owned).chain(options).collect(),
            who: found.identification().map(Who::of),
            baud: found.way().map(|way| way.baud).or(met.map(|met| met.settings.baud)),
            client: met.map(|met| met.asked.client),
            server: met.map(|met| met.from.to_string()),
            elapsed_ms: sought.took.as_millis() as u64,
            notes,
            text: found.to_string(),
        })
    }

    /// The report in this form.
    pub fn report(self, form: Form) -> String {
        match form {
            Form::Json => json(&self),
            Form::Shell => form::shell(0, &self),
            Form::Text => {
                let mut all = format!("port: {}\n", self.port);
                for (key, value) in self.who.into_iter().flat_map(Who::lines) {
                    let _ = writeln!(all, "{key}: {value}");
                }
                let command: Vec<String> = self.command.iter().map(|word| quoted(word)).collect();
                let _ = writeln!(all, "found: {}\nuse: {}", self.text, command.join(" "));
                for note in self.notes {
                    let _ = writeln!(all, "note: {note}");
                }
                all
            }
        }
    }
}

/// What kind of failure a hunt is that has found no way for this program.
pub fn kind(sought: &Sought) -> Kind {
    match &sought.hunted.found {
        Some(Found::SignOn(..) | Found::Hung(..)) => Kind::NoModeE,
        Some(Found::DirectHdlc(_)) => Kind::HdlcRefused,
        Some(Found::Push(..) | Found::P1(_)) => Kind::Push,
        Some(Found::Sml(_)) => Kind::Sml,
        None => sought.hunted.furthest.as_ref().map_or(Kind::Silent, |failed| Kind::from(&failed.failure)),
    }
}

/// What is told about a hunt that has found no way for this program.
pub fn problem(sought: &Sought) -> Words {
    let Some(found) = &sought.hunted.found else {
        let seconds = sought.took.as_secs();
        return words(
            format!("no way to the meter was found in {seconds} s: {}", tried(&sought.hunted.tried)),
            "is the head seated, the right way round, with its cable plugged in? turn it with `iecprobe --watch`; \
             some meters answer only after a key is pressed, with mains on, or with a magnet on the port",
        );
    };
    match found {
        Found::SignOn(way, identification) | Found::Hung(_, way, identification) => {
            let rate = identification.baud().map_or_else(String::new, |rate| format!(", data at {rate} Bd"));
            words(
                format!("the meter signs on, but it does not offer mode E: {found}"),
                format!(
                    "read it with a mode {} program: sign-on {way}{rate}",
                    identification.mode().letter()
                ),
            )
        }
        Found::DirectHdlc(_) => words(
            format!("{found}, but it opens no link"),
            "another reader may have the link: wait two minutes; or another client is welcome: --hdlc-client 32",
        ),
        Found::Push(settings, Pushed::Frames) => words(
            format!("the meter sends HDLC frames by itself at {settings}"),
            format!(
                "a customer port (HAN): a program that only listens reads it, through \
                 `--direct -b {} --pipe` for one",
                settings.baud
            ),
        ),
        Found::Push(settings, Pushed::Telegrams) => words(
            format!("the meter sends telegrams by itself at {settings}, not in answer to us"),
            "a push interface (D0): read it with a program that only listens",
        ),
        Found::P1(settings) => words(
            format!("a P1 port: telegrams at {settings}"),
            "read it with a P1 program (DSMR); there is no sign-on",
        ),
        Found::Sml(settings) => words(
            format!("the meter sends SML by itself at {settings}"),
            "read it with an SML program; there is no sign-on",
        ),
    }
}

/// What was tried, in a sentence.
fn tried(rows: &[Row]) -> String {
    let (mut bits, mut plain, mut links, mut heard, mut more) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        match row {
            Row::Ask { way, .. } if way.wakes => more.push("after a wake-up"),
            Row::Ask { way, .. } if way.modem_lines.is_some() => {
                more.push("with DTR and RTS the other way round")
            }
            Row::Ask { way, .. } if way.parity == Parity::None => add(&mut plain, way.baud.to_string()),
            Row::Ask { way, .. } => add(&mut bits, way.baud.to_string()),
            Row::Knock { settings, .. } => add(&mut links, settings.baud.to_string()),
            Row::Release(_) => more.push("after DISC, BREAK and the break message"),
            Row::Listen { settings, .. } => add(&mut heard, settings.to_string()),
        }
    }
    let mut parts = Vec::new();
    for (what, rates) in [
        ("requests with parity bits at", bits),
        ("without at", plain),
        ("HDLC at", links),
        ("listening at", heard),
    ] {
        if !rates.is_empty() {
            parts.push(format!("{what} {}", rates.join(", ")));
        }
    }
    parts.push(more.join(", "));
    parts.join("; ")
}

fn add(to: &mut Vec<String>, item: String) {
    if !to.contains(&item) {
        to.push(item);
    }
}
