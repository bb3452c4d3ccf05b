//! The forms in which something is told: text for people, JSON and shell variables for programs.

use std::ffi::OsString;
use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;

/// `--output`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// `key: value`, one a line.
    #[default]
    Text,
    /// One object on one line.
    Json,
    /// Lines to `eval`.
    Shell,
}

/// A report on one line.
pub fn json(report: &impl Serialize) -> String {
    // Strings and numbers only: it cannot fail.
    serde_json::to_string(report).unwrap_or_default() + "\n"
}

/// The variables that a report can set, without their prefix. `IECPROBE_PORT` is input and none of them.
#[rustfmt::skip]
const VARIABLES: [&str; 29] = [
    "STATUS", "MANUFACTURER", "NAME", "IDENT", "LINE", "ESCAPES", "MODE", "BAUD", "BAUD_OFFERED", "CONFIRMED", "ATTEMPTS",
    "ELAPSED_MS", "LINK_CLIENT", "LINK_SERVER", "LINK_MAX_INFO_TRANSMIT", "LINK_MAX_INFO_RECEIVE", "LINK_WINDOW_TRANSMIT",
    "LINK_WINDOW_RECEIVE", "FOUND", "USE", "CLIENT", "SERVER", "NOTES", "ERROR_CODE", "ERROR_KIND", "ERROR_MESSAGE", "ERROR_HINT", "ERROR_RECEIVED",
    "ERROR_TRY",
];

/// A report as lines that are safe to `eval`: nothing is left of the variables of an earlier one.
pub fn shell(status: u8, report: &impl Serialize) -> String {
    let unset = VARIABLES.iter().fold("unset".to_owned(), |all, name| all + " IECPROBE_" + name);
    variables(status, report).iter().fold(unset + "\n", |mut all, (name, value)| {
        let _ = writeln!(all, "{name}='{}'", value.replace('\'', "'\\''"));
        all
    })
}

/// A report as shell variables, names and values.
pub fn variables(status: u8, report: &impl Serialize) -> Vec<(String, String)> {
    let mut all = vec![("IECPROBE_STATUS".to_owned(), status.to_string())];
    collect("IECPROBE", &serde_json::to_value(report).unwrap_or_default(), &mut all);
    all.retain(|(name, _)| name != "IECPROBE_PORT");
    all
}

/// The environment of a command that is started on a port: a report as shell variables, nothing of an earlier report, and
/// the port.
pub fn environment(port: &str, variables: Vec<(String, String)>) -> Vec<(OsString, OsString)> {
    let earlier = VARIABLES.iter().map(|name| format!("IECPROBE_{name}"));
    let earlier = earlier.filter(|name| std::env::var_os(name).is_some()).map(|name| (name, String::new()));
    let all = earlier.chain(variables).chain([("IECPROBE_PORT".to_owned(), port.to_owned())]);
    all.map(|(name, value)| (name.into(), value.into())).collect()
}

/// Keys of objects within objects are joined by `_`, items of lists by line ends (escape characters, which are one
/// character each, by nothing).
fn collect(name: &str, value: &Value, into: &mut Vec<(String, String)>) {
    let text = match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                collect(&format!("{name}_{}", key.to_uppercase()), value, into);
            }
            return;
        }
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            items.join(if name.ends_with("_ESCAPES") { "" } else { "\n" })
        }
        other => other.to_string(),
    };
    into.push((name.to_owned(), text));
}
