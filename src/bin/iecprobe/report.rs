//! The report in its three forms, of a success and of a failure.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use iecprobe::protocol::hdlc::{Parameters, Server};
use iecprobe::protocol::identification::Identification;
use iecprobe::protocol::text;
use iecprobe::signon::SignedOn;

use crate::cli::Output;
use crate::ending::Evidence;
use crate::explain::{self, Problem};

/// Who answered.
#[derive(Serialize)]
struct Who {
    manufacturer: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'static str>,
    ident: String,
    line: String,
    escapes: Vec<String>,
}

#[derive(Serialize)]
struct Success<'a> {
    port: &'a str,
    #[serde(flatten)]
    who: Who,
    mode: &'static str,
    baud: u32,
    baud_offered: Option<u32>,
    confirmed: Option<bool>,
    attempts: u32,
    elapsed_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<Link>,
    notes: Vec<String>,
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
}

impl Who {
    fn of(identification: &Identification) -> Self {
        Self {
            manufacturer: text::escaped(&identification.manufacturer()),
            name: identification.flag_id().name(),
            ident: text::escaped(identification.ident()),
            line: text::escaped(identification.line()),
            escapes: identification.escapes().map(|w| text::escaped(&[w])).collect(),
        }
    }
}

/// The report of a success.
pub fn success(
    form: Output,
    port: &str,
    signed_on: &SignedOn,
    link: Option<Link>,
    remarks: &[String],
    elapsed: Duration,
) -> String {
    let identification = &signed_on.identification;
    let notes = signed_on.notes.iter().map(explain::note).chain(remarks.iter().cloned());
    let report = Success {
        port,
        who: Who::of(identification),
        mode: signed_on.mode.letter(),
        baud: signed_on.baud,
        baud_offered: identification.baud(),
        confirmed: signed_on.confirmed,
        attempts: signed_on.attempts,
        elapsed_ms: elapsed.as_millis() as u64,
        link,
        notes: notes.collect(),
    };
    match form {
        Output::Text => {
            let mut lines = vec![
                ("port", report.port.to_owned()),
                ("manufacturer", report.who.manufacturer),
                ("ident", report.who.ident),
                ("mode", report.mode.to_owned()),
                ("baud", report.baud.to_string()),
            ];
            lines.extend(report.confirmed.map(|confirmed| ("confirmed", confirmed.to_string())));
            lines.extend(report.link.map(|link| ("link", link.text())));
            if let Some(name) = report.who.name {
                lines.insert(2, ("name", name.to_owned()));
            }
            lines.extend(report.notes.into_iter().map(|note| ("note", note)));
            lines.iter().fold(String::new(), |mut all, (key, value)| {
                let _ = writeln!(all, "{key}: {value}");
                all
            })
        }
        Output::Json => json(&report),
        Output::Shell => shell("", &serde_json::to_value(&report).unwrap_or_default()),
    }
}

/// The report of a failure, in the forms that have one.
pub fn failure(form: Output, port: &str, problem: &Problem, evidence: &Evidence) -> String {
    let report = Failing {
        port,
        who: evidence.identification.as_ref().map(Who::of),
        error: ErrorObject {
            code: problem.code,
            kind: problem.kind,
            message: &problem.message,
            hint: problem.hint.as_deref(),
            received: text::hex(&evidence.received),
        },
    };
    match form {
        Output::Json => json(&report),
        Output::Shell => shell("", &serde_json::to_value(&report).unwrap_or_default()),
        Output::Text => {
            let hint = problem.hint.as_ref().map_or_else(String::new, |hint| format!("hint: {hint}\n"));
            format!("iecprobe: {}\n{hint}", problem.message)
        }
    }
}

/// A report on one line.
pub fn json(report: &impl Serialize) -> String {
    // Strings and numbers only: it cannot fail.
    serde_json::to_string(report).unwrap_or_default() + "\n"
}

/// `IECPROBE_KEY='value'` lines; keys of objects within objects are joined by `_`, items of lists by line ends (escape
/// characters, which are one character each, by nothing).
fn shell(prefix: &str, value: &Value) -> String {
    let Value::Object(entries) = value else { return String::new() };
    entries.iter().fold(String::new(), |mut all, (key, value)| {
        let key = format!("{prefix}{}", key.to_uppercase());
        let text = match value {
            Value::Object(_) => {
                all.push_str(&shell(&format!("{key}_"), value));
                return all;
            }
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            Value::Array(items) => {
                let items: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
                items.join(if key == "ESCAPES" { "" } else { "\n" })
            }
            other => other.to_string(),
        };
        let _ = writeln!(all, "IECPROBE_{key}='{}'", text.replace('\'', "'\\''"));
        all
    })
}
