//! A command line that cannot be carried out, and what is said about it: in the form that was asked for.

use clap::error::{ContextKind, ErrorKind};
use clap::{CommandFactory, ValueEnum};

use iecprobe::protocol::text;

use crate::again::Again;
use crate::cli::Args;
use crate::ending;
use crate::form::Form;
use crate::job;
use crate::kind::Kind;
use crate::manner::Manner;
use crate::style::Look;
use crate::trouble::Trouble;

/// Says what clap has to say: help and version on stdout, an error where its form belongs. The status to leave with, or
/// the signal to die of.
pub fn answer(mut error: clap::Error) -> Result<u8, i32> {
    let manner = typed_manner();
    if !error.use_stderr() {
        let text = Look::stdout(manner.color).help(&error.render().to_string());
        return ending::tell(&manner, "", ending::print(&text));
    }
    if let (ErrorKind::UnknownArgument, Some(stray)) = (error.kind(), manner.again.stray_command()) {
        return refuse(&manner, job::missing_dashes(stray));
    }
    // What clap proposes for a stray argument would start it as a program.
    error.remove(ContextKind::Suggested);
    let text = plain(&error.render().to_string());
    if manner.form == Form::Text {
        ending::say(&Look::stderr(manner.color).help(&text));
        return Ok(Kind::Usage.status());
    }
    let message = text.split("\n\n").next().unwrap_or_default();
    refuse(&manner, message.trim_start_matches("error: ").to_owned())
}

/// Says what is wrong with a command line that clap takes.
pub fn refuse(manner: &Manner, message: String) -> Result<u8, i32> {
    if manner.form == Form::Text {
        let error = Args::command().error(ErrorKind::ValueValidation, message);
        ending::say(&Look::stderr(manner.color).help(&plain(&error.render().to_string())));
        return Ok(Kind::Usage.status());
    }
    ending::tell(manner, "", Err(Trouble::Usage(message).into()))
}

/// Text in which nothing but line ends moves the cursor: what was typed may be anything.
fn plain(text: &str) -> String {
    text.lines().map(|line| text::escaped(line.as_bytes()) + "\n").collect()
}

/// How to tell it, as far as a command line with errors says so: clap does not parse it to its end.
fn typed_manner() -> Manner {
    let mut manner = Manner { again: Again::of(std::env::args_os().skip(1)), ..Manner::default() };
    let mut words = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    while let Some(word) = words.next() {
        if word == "--" {
            manner.aside = true;
            break;
        }
        manner.aside |= word == "--pipe" || word.starts_with("--listen");
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None if word.starts_with("-o") && word.len() > 2 => ("-o".to_owned(), Some(word[2..].to_owned())),
            None => (word, None),
        };
        match &*name {
            "--json" => manner.form = Form::Json,
            "-o" | "--output" => manner.form = parsed(value.or_else(|| words.next())).unwrap_or(manner.form),
            "--color" => manner.color = parsed(value.or_else(|| words.next())).unwrap_or(manner.color),
            _ => {}
        }
    }
    manner
}

fn parsed<T: ValueEnum>(value: Option<String>) -> Option<T> {
    value.and_then(|value| T::from_str(&value, false).ok())
}
