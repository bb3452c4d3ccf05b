//! A command line that cannot be carried out, and what is said about it: in the form that was asked for.

use clap::error::{ContextKind, ErrorKind};
use clap::{CommandFactory, ValueEnum};

use crate::cli::Args;
use crate::ending;
use crate::form::Form;
use crate::job::Manner;
use crate::kind::Kind;
use crate::trouble::Trouble;

/// Says what clap has to say: help and version on stdout, an error where its form belongs. The status to leave with, or
/// the signal to die of.
pub fn answer(mut error: clap::Error) -> Result<u8, i32> {
    let manner = typed_manner();
    if !error.use_stderr() {
        return ending::tell(&manner, "", ending::print(&error.render().to_string()));
    }
    // What clap proposes for a stray argument would start it as a program.
    error.remove(ContextKind::Suggested);
    if manner.form == Form::Text {
        ending::say(&error.render().to_string());
        return Ok(Kind::Usage.status());
    }
    let text = error.render().to_string();
    let message = text.split("\n\n").next().unwrap_or_default();
    refuse(&manner, message.trim_start_matches("error: ").to_owned())
}

/// Says what is wrong with a command line that clap takes.
pub fn refuse(manner: &Manner, message: String) -> Result<u8, i32> {
    if manner.form == Form::Text {
        let error = Args::command().error(ErrorKind::ValueValidation, message);
        ending::say(&error.render().to_string());
        return Ok(Kind::Usage.status());
    }
    ending::tell(manner, "", Err(Trouble::Usage(message).into()))
}

/// How to tell it, as far as a command line with errors says so: clap does not parse it to its end.
fn typed_manner() -> Manner {
    let mut manner = Manner::default();
    let mut words = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    while let Some(word) = words.next() {
        let named = word
            .strip_prefix("--output=")
            .or_else(|| word.strip_prefix("-o").filter(|name| !name.is_empty()));
        let name = match &*word {
            "--" => {
                manner.aside = true;
                break;
            }
            "--json" => Some("json".to_owned()),
            "-o" | "--output" => words.next(),
            _ => named.map(str::to_owned),
        };
        manner.aside |= word == "--pipe" || word.starts_with("--listen");
        manner.form = name.and_then(|name| Form::from_str(&name, false).ok()).unwrap_or(manner.form);
    }
    manner
}
