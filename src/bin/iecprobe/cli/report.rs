//! The options of what is told, and where.

use std::path::PathBuf;

use clap::ValueEnum;
use clap::builder::PossibleValue;

use crate::form::Form;
use crate::style::Color;

/// What is typed about the report.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Report")]
pub struct Report {
    /// Form of the report
    #[arg(short, long, value_name = "FORM", default_value = "text")]
    output: Form,
    /// The same as --output json
    #[arg(long, conflicts_with = "output")]
    json: bool,
    /// Less on stderr: in pipe modes no report, but failures
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// More on stderr: the story with its times, and with -vv every message in bytes
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Colours of messages, help, list and pictures
    #[arg(long, value_name = "WHEN", default_value = "auto", hide_short_help = true)]
    pub color: Color,
}

/// What is typed about records of the line.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Report")]
pub struct Records {
    /// Write every byte of the line to FILE, with its time (`-` is stderr)
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
    /// Draw the sign-on when it is over: to stderr, or to FILE.svg or FILE.txt
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = "-", conflicts_with = "direct")]
    pub timeline: Option<PathBuf>,
}

impl Report {
    /// The form of the report.
    pub fn form(&self) -> Form {
        if self.json { Form::Json } else { self.output }
    }
}

impl ValueEnum for Color {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Auto, Self::Always, Self::Never]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let (name, help) = match self {
            Self::Auto => ("auto", "On a terminal, unless NO_COLOR is set"),
            Self::Always => ("always", "Everywhere"),
            Self::Never => ("never", "Nowhere"),
        };
        Some(PossibleValue::new(name).help(help))
    }
}

impl ValueEnum for Form {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Text, Self::Json, Self::Shell]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let (name, help) = match self {
            Self::Text => ("text", "`key: value`, one a line"),
            Self::Json => ("json", "One object on one line"),
            Self::Shell => ("shell", "Lines to `eval`"),
        };
        Some(PossibleValue::new(name).help(help))
    }
}
