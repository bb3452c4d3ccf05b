//! How things are told: the form of reports, how much goes to stderr, and whether there are colours.
//!
//! A command line that clap refuses has a manner too, as far as it says so: [`crate::usage`] finds it out.

use crate::again::Again;
use crate::cli::Args;
use crate::form::Form;
use crate::style::Color;

/// How things are told.
#[derive(Clone, Debug, Default)]
pub struct Manner {
    /// The form of reports.
    pub form: Form,
    /// Whether reports go to stderr, because stdout belongs to the line.
    pub aside: bool,
    /// Whether stderr gets failures only.
    pub quiet: bool,
    /// How much more than usual stderr gets.
    pub verbose: u8,
    /// Whether there are colours.
    pub color: Color,
    /// The command line, for one that is proposed.
    pub again: Again,
    /// Whether there are several ports, so that a failure has to name its own.
    pub several: bool,
}

impl Manner {
    /// How things are told with `args`.
    pub fn of(args: &Args) -> Self {
        Self {
            form: args.report.form(),
            aside: args.pipe.pipe || args.pipe.listen.is_some() || !args.command.is_empty(),
            quiet: args.report.quiet,
            verbose: args.report.verbose,
            color: args.report.color,
            again: Again::of(std::env::args_os().skip(1)),
            several: args.all || args.place.iter().chain(&args.port).count() > 1,
        }
    }
}
