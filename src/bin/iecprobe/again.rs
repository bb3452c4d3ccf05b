//! The command line once more, changed in one place: what a failure proposes to try, ready to be pasted.

use std::ffi::OsString;

use clap::{Arg, ArgAction, Command, CommandFactory};

use iecprobe::protocol::text;

use crate::cli::Args;

/// A command line, by its options.
#[derive(Clone, Debug, Default)]
pub struct Again {
    options: Vec<Typed>,
    /// The words that are no options.
    places: Vec<String>,
    /// Whether a port was named by an option.
    names_port: bool,
    port: Option<String>,
    command: Vec<String>,
}

/// An option as it was typed: which one, and its words.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Typed {
    id: String,
    words: Vec<String>,
}

impl Typed {
    /// Its value, however it was typed.
    fn value(&self) -> &str {
        match &self.words[..] {
            [_, value] => value,
            [word] if word.starts_with("--") => word.split_once('=').map_or("", |(_, value)| value),
            [word] => word.get(2..).unwrap_or_default(),
            _ => "",
        }
    }
}

impl Again {
    /// The command line that these arguments are; its ports are left out.
    pub fn of(arguments: impl Iterator<Item = OsString>) -> Self {
        let known = Args::command();
        let mut words = arguments.map(|word| word.to_string_lossy().into_owned());
        let (mut options, mut places) = (Vec::new(), Vec::new());
        while let Some(word) = words.next() {
            if word == "--" {
                break;
            }
            if word.starts_with('-') {
                options.extend(typed(&known, &word, &mut words));
            } else {
                places.push(word);
            }
        }
        let names_port = options.iter().any(|option| option.id == "port");
        options.retain(|option| !matches!(&*option.id, "port" | "all"));
        Self { options, places, names_port, port: None, command: words.collect() }
    }

    /// The first word that is neither an option nor a port: it can only be meant as a command.
    pub fn stray_command(&self) -> Option<&str> {
        let place = usize::from(!self.names_port);
        self.places.get(place).map(String::as_str).filter(|word| !is_like_a_port(word))
    }

    /// The same on this port.
    pub fn on(&self, port: &str) -> Self {
        Self { port: Some(port.to_owned()), ..self.clone() }
    }

    /// The port.
    pub fn port(&self) -> &str {
        self.port.as_deref().unwrap_or_default()
    }

    /// The command with these options, as `--baud 300`, in place of what they were; none if there is no such option, or
    /// if that is what was typed.
    pub fn with(&self, options: &str) -> Option<String> {
        let mut known = Args::command();
        known.build();
        let mut words = options.split(' ').map(str::to_owned);
        let mut again = self.clone();
        let mut is_new = false;
        while let Some(word) = words.next() {
            let option = typed(&known, &word, &mut words).pop()?;
            let is_same = |typed: &Typed| typed.id == option.id && typed.value() == option.value();
            is_new |= !self.options.iter().any(is_same);
            let stands_in_the_way = |id: &str| {
                known
                    .get_arguments()
                    .filter(|arg| arg.get_id() == &*option.id)
                    .any(|arg| known.get_arg_conflicts_with(arg).iter().any(|other| other.get_id() == id))
            };
            again.options.retain(|typed| typed.id != option.id && !stands_in_the_way(&typed.id));
            if stands_in_the_way("command") {
                again.command.clear();
            }
            again.options.push(option);
        }
        is_new.then(|| again.line())
    }

    /// The command without this option; none if it was not typed.
    pub fn without(&self, id: &str) -> Option<String> {
        let mut again = self.clone();
        again.options.retain(|typed| typed.id != id);
        (again.options != self.options).then(|| again.line())
    }

    /// The command as it is.
    pub fn line(&self) -> String {
        let port = self.port.iter().flat_map(|port| ["-p", port]);
        let options = self.options.iter().flat_map(|option| option.words.iter().map(String::as_str));
        let behind = if self.command.is_empty() { None } else { Some("--") };
        let command = behind.into_iter().chain(self.command.iter().map(String::as_str));
        let words = ["iecprobe"].into_iter().chain(port).chain(options).chain(command);
        words.map(quoted).collect::<Vec<_>>().join(" ")
    }
}

/// The options in a word, with the values that follow it. A word that is no option is a port.
fn typed(known: &Command, word: &str, rest: &mut impl Iterator<Item = String>) -> Vec<Typed> {
    if let Some(long) = word.strip_prefix("--") {
        let name = long.split_once('=').map_or(long, |(name, _)| name);
        let Some(found) = known.get_arguments().find(|option| option.get_long() == Some(name)) else {
            return Vec::new();
        };
        let value = if takes_value(found) && name == long { rest.next() } else { None };
        let words = [word.to_owned()].into_iter().chain(value).collect();
        return vec![Typed { id: found.get_id().to_string(), words }];
    }
    let Some(shorts) = word.strip_prefix('-') else { return Vec::new() };
    let by_letter = |letter| known.get_arguments().find(move |option| option.get_short() == Some(letter));
    let mut letters = shorts.chars();
    let mut all = Vec::new();
    while let Some(letter) = letters.next() {
        let Some(found) = by_letter(letter) else { break };
        let value = if takes_value(found) { letters.as_str() } else { "" };
        let mut option = Typed { id: found.get_id().to_string(), words: vec![format!("-{letter}{value}")] };
        if takes_value(found) {
            if value.is_empty() {
                option.words.extend(rest.next());
            }
            letters = "".chars();
        }
        all.push(option);
    }
    all
}

fn is_like_a_port(word: &str) -> bool {
    word.contains(['/', ':', '\\']) || word.get(..3).is_some_and(|name| name.eq_ignore_ascii_case("com"))
}

/// Whether the word behind an option is its value.
fn takes_value(option: &Arg) -> bool {
    matches!(option.get_action(), ArgAction::Set | ArgAction::Append) && !option.is_require_equals_set()
}

/// A word as a shell takes it.
pub fn quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=,@%+\\".contains(&byte);
    let shown = text::escaped(word.as_bytes());
    if !word.is_empty() && word.bytes().all(|byte| is_plain(byte) && byte != b'\\') {
        return shown;
    }
    format!("'{}'", shown.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(line: &str) -> Again {
        Again::of(line.split(' ').map(OsString::from)).on("/dev/ttyUSB0")
    }

    #[test]
    fn an_option_takes_the_place_of_what_it_was() {
        let cases = [
            ("--json", "--baud 300", "--json --baud 300"),
            ("-b 9600 --json", "--baud 300", "--json --baud 300"),
            ("-qb9600 --wait=2s", "--baud 300", "-q --wait=2s --baud 300"),
            ("/dev/x --baud=9600 -p y --all", "--baud 300", "--baud 300"),
            ("-q --timeline x -- cat -b 9600", "--baud 300", "-q --timeline --baud 300 -- cat -b 9600"),
        ];
        for (typed, option, line) in cases {
            assert_eq!(again(typed).with(option).unwrap(), format!("iecprobe -p /dev/ttyUSB0 {line}"));
        }
    }

    #[test]
    fn what_cannot_stand_beside_an_option_gives_way() {
        let hunt = again("-q --attempts 1 --wake-up fast --pipe -v").with("--hunt").unwrap();
        assert_eq!(hunt, "iecprobe -p /dev/ttyUSB0 -q -v --hunt");
        assert_eq!(again("-- cat").with("--hunt").unwrap(), "iecprobe -p /dev/ttyUSB0 --hunt");
    }

    #[test]
    fn what_was_typed_just_now_or_is_not_there_is_not_proposed() {
        assert_eq!(again("-b 300").with("--baud 300"), None);
        assert_eq!(again("--force").with("--force"), None);
        assert_eq!(again("-q").with("--no-such-option"), None);
        assert_eq!(again("-q").without("attempts"), None);
        assert_eq!(again("--attempts 1 -q").without("attempts").unwrap(), "iecprobe -p /dev/ttyUSB0 -q");
    }

    #[test]
    fn a_command_without_dashes_is_seen() {
        let stray = |line| again(line).stray_command().map(str::to_owned);
        assert_eq!(stray("-p sim: sh -c x").unwrap(), "sh");
        assert_eq!(stray("sim: cat").unwrap(), "cat");
        assert_eq!(stray("-p sim: /dev/ttyUSB0"), None);
        assert_eq!(stray("ttyUSB0 -q -- cat"), None);
    }

    #[test]
    fn words_are_quoted_for_a_shell() {
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted("a\x1bb"), r"'a\x1Bb'");
        assert_eq!(Again::default().on("my port").line(), "iecprobe -p 'my port'");
    }
}
