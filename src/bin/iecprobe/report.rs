//! The report in its three forms, of a success and of a failure.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use iecprobe::protocol::hdlc::{Parameters, Server};
use iecprobe::protocol::identification::Identification;
use iecprobe::protocol::settings::Settings;
use iecprobe::protocol::text;
use iecprobe::signon::SignedOn;

use crate::explain::Problem;
use crate::form::{self, Form, json};
use crate::notes;
use crate::style::{Look, Piece};
use crate::trouble::Trouble;

/// Who answered.
#[derive(Serialize)]
pub struct Who {
    manufacturer: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'static str>,
    ident: String,
    line: String,
    escapes: Vec<String>,
}

/// The report of a success.
#[derive(Serialize)]
pub struct Success {
    port: String,
    #[serde(flatten)]
    meter: Option<Meter>,
    baud: u32,
    #[serde(flatten)]
    course: Option<Course>,
    elapsed_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<Link>,
    notes: Vec<String>,
    #[serde(skip)]
    ident_only: bool,
}

/// Who signed on, and into what.
#[derive(Serialize)]
struct Meter {
    #[serde(flatten)]
    who: Who,
    mode: &'static str,
}

/// How the sign-on went.
#[derive(Serialize)]
struct Course {
    baud_offered: Option<u32>,
    confirmed: Option<bool>,
    attempts: u32,
}

/// An HDLC link that was seen to open; the parameters as the meter puts them.
#[derive(Serialize)]
pub struct Link {
    client: u8,
    server: String,
    max_info_transmit: u32,
    max_info_receive: u32,
    window_transmit: u32,
    window_receive: u32,
}

impl Link {
    /// A link of this client to the server that has answered it.
    pub fn new(client: u8, server: Server, parameters: Parameters) -> Self {
        Self {
            client,
            server: server.to_string(),
            max_info_transmit: parameters.max_info_transmit,
            max_info_receive: parameters.max_info_receive,
            window_transmit: parameters.window_transmit,
            window_receive: parameters.window_receive,
        }
    }

    fn text(&self) -> String {
        format!(
            "HDLC server {} answers; it sends up to {} bytes a frame, window {}, and takes {}, window {}",
            self.server,
            self.max_info_transmit,
            self.window_transmit,
            self.max_info_receive,
            self.window_receive
        )
    }
}

#[derive(Serialize)]
struct Failing<'a> {
    port: &'a str,
    #[serde(flatten)]
    who: Option<Who>,
    #[serde(skip_serializing_if = "Option::is_none")]
    found: Option<&'static str>,
    error: ErrorObject<'a>,
}

#[derive(Serialize)]
struct ErrorObject<'a> {
    code: u8,
    kind: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
    received: String,
    r#try: &'a [String],
}

impl Who {
    /// Who sent this identification.
    pub fn of(identification: &Identification) -> Self {
        Self {
            manufacturer: text::escaped(&identification.manufacturer()),
            name: identification.flag_id().name(),
            ident: text::escaped(identification.ident()),
            line: text::escaped(identification.line()),
            escapes: identification.escapes().map(|w| text::escaped(&[w])).collect(),
        }
    }
}

impl Who {
    /// The lines of a text report.
    pub fn lines(self) -> Vec<(&'static str, String)> {
        let mut lines = vec![("manufacturer", self.manufacturer)];
        lines.extend(self.name.map(|name| ("name", name.to_owned())));
        lines.push(("ident", self.ident));
        lines
    }
}

impl Success {
    /// What is known after a start on this port, with a sign-on or without one.
    pub fn new(
        port: &str,
        signed_on: Option<&SignedOn>,
        settings: Settings,
        link: Option<Link>,
        remarks: &[String],
        elapsed: Duration,
        ident_only: bool,
    ) -> Self {
        let checked = link.is_some();
        let notes =
            signed_on.map_or(&[][..], |done| &done.notes).iter().map(|note| notes::note(note, checked));
        Self {
            port: text::escaped(port.as_bytes()),
            meter: signed_on
                .map(|done| Meter { who: Who::of(&done.identification), mode: done.mode.letter() }),
            baud: signed_on.map_or(settings.baud, |done| done.baud),
            course: signed_on.map(|done| Course {
                baud_offered: done.identification.baud(),
                confirmed: done.confirmed,
                attempts: done.attempts,
            }),
            elapsed_ms: elapsed.as_millis() as u64,
            link,
            notes: notes.chain(remarks.iter().cloned()).collect(),
            ident_only,
        }
    }

    /// The report in this form.
    pub fn report(self, form: Form) -> String {
        match form {
            Form::Text => self.text(),
            Form::Json => json(&self),
            Form::Shell => form::shell(0, &self),
        }
    }

    /// The report as variables in the environment of a command; without a sign-on there is only a status.
    pub fn variables(&self) -> Vec<(String, String)> {
        let mut variables = form::variables(0, self);
        if self.meter.is_none() {
            variables.retain(|(name, _)| name == "IECPROBE_STATUS");
        }
        variables
    }

    fn text(self) -> String {
        let mut lines = vec![("port", self.port)];
        let mut confirmed = None;
        if let Some(Meter { who, mode }) = self.meter {
            lines.extend(who.lines());
            lines.push(("mode", mode.to_owned()));
            confirmed = self.course.as_ref().and_then(|course| course.confirmed);
        }
        if self.ident_only {
            let offered = self.course.as_ref().and_then(|course| course.baud_offered);
            lines.extend(offered.map(|baud| ("baud offered", baud.to_string())));
        } else {
            lines.push(("baud", self.baud.to_string()));
        }
        lines.extend(confirmed.map(|confirmed| ("confirmed", confirmed.to_string())));
        lines.extend(self.link.map(|link| ("link", link.text())));
        lines.extend(self.notes.into_iter().map(|note| ("note", note)));
        lines.iter().fold(String::new(), |mut all, (key, value)| {
            let _ = writeln!(all, "{key}: {value}");
            all
        })
    }
}

/// What is said about a failure to people.
pub fn words(problem: &Problem, look: Look) -> String {
    let message = look.wrapped(Piece::Error, "iecprobe: ", &problem.message);
    let hint = problem.hint.iter().map(|hint| look.wrapped(Piece::Hint, "hint: ", hint));
    // Whole, however long: it is to be pasted.
    let tries = problem.tries.iter().take(TRIES_MAX);
    let tries = tries.map(|command| {
        format!("  {} {}\n", look.paint(Piece::Hint, "try:"), look.paint(Piece::Command, command))
    });
    message + &hint.chain(tries).collect::<String>()
}

/// Commands that are proposed to people.
const TRIES_MAX: usize = 3;

/// The report of a failure, for programs.
pub fn failure(form: Form, port: &str, problem: &Problem, trouble: &Trouble) -> String {
    let port = text::escaped(port.as_bytes());
    let report = Failing {
        port: &port,
        who: trouble.identification().map(Who::of),
        found: trouble.found(),
        error: ErrorObject {
            code: problem.kind.status(),
            kind: problem.kind.name(),
            message: &problem.message,
            hint: problem.hint.as_deref(),
            received: text::hex(trouble.received()),
            r#try: &problem.tries,
        },
    };
    match form {
        Form::Shell => form::shell(problem.kind.status(), &report),
        Form::Json | Form::Text => json(&report),
    }
}
