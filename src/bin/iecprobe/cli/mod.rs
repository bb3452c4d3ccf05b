//! The command line of iecprobe, as it is typed. What it means is [`crate::job`]'s to say.

pub mod advanced;
pub mod cabinet;
pub mod line;
pub mod pipe;
pub mod report;
pub mod sign_on;
mod value;

use std::ffi::OsString;

use clap::Parser;

use crate::kind::{Kind, STATUSES};
use crate::words;

/// Opens a smart meter's optical port: signs on by IEC 62056-21 mode E, says who answered, and on request stays open as a raw byte pipe.
#[derive(Parser, Debug)]
#[command(name = "iecprobe", version, max_term_width = 100, override_usage = USAGE, after_help = brief_end(), after_long_help = full_end())]
pub struct Args {
    /// The port: a device, or `sim:` / `sim:SCENARIO` for the built-in virtual meter
    ///
    /// Without it, IECPROBE_PORT, or the only USB serial port of the machine.
    #[arg(value_name = "PORT")]
    pub place: Option<String>,
    /// The same as PORT; given several times, all ports are worked on side by side
    #[arg(short, long, value_name = "PORT", help_heading = "Line")]
    pub port: Vec<String>,
    /// All USB serial ports of this machine
    #[arg(long, help_heading = "Line")]
    pub all: bool,
    /// The line.
    #[command(flatten)]
    pub line: line::Line,
    /// The sign-on.
    #[command(flatten)]
    pub sign_on: sign_on::SignOn,
    /// The pipe.
    #[command(flatten)]
    pub pipe: pipe::Pipe,
    /// Where a meter does not answer.
    #[command(flatten)]
    pub cabinet: cabinet::Cabinet,
    /// The report.
    #[command(flatten)]
    pub report: report::Report,
    /// Records of the line.
    #[command(flatten)]
    pub records: report::Records,
    /// What few meters need.
    #[command(flatten)]
    pub advanced: advanced::Advanced,

    /// List the serial ports of this machine, without opening any
    #[arg(long, help_heading = "Other", conflicts_with_all = ["all", "Line", "SignOn", "Pipe", "Cabinet", "Records", "Advanced", "command"])]
    pub list: bool,
    /// Print the completion script for a shell
    #[arg(long, value_name = "SHELL", help_heading = "Other")]
    pub completions: Option<clap_complete::Shell>,

    /// Program whose stdin and stdout are put on the line
    #[arg(last = true, value_name = "COMMAND", group = "goals", conflicts_with = "pipe")]
    pub command: Vec<OsString>,
}

/// The forms of the command line.
pub const USAGE: &str = "\
iecprobe [OPTIONS] [PORT]                       sign on, report, exit
       iecprobe [OPTIONS] [PORT] --pipe                sign on, then be the line
       iecprobe [OPTIONS] [PORT] -- COMMAND [ARG..]    the same, for a program
       iecprobe [OPTIONS] [PORT] --listen [HOST:]PORT  the same, for TCP clients
       iecprobe [OPTIONS] [PORT] --hunt                no answer? try every sensible way
       iecprobe [OPTIONS] [PORT] --watch               ask again and again, turn the head
       iecprobe --list [--json]                        the serial ports
       iecprobe --completions SHELL";

const EXAMPLES: &str = "\
A DURATION has a unit: 250ms, 2s, 1m 30s.

Examples:
  iecprobe --list                       the serial ports of this machine
  iecprobe sim:                         sign on to the built-in meter";

/// What stands below the options of `-h`: examples, and the exit statuses in a few words.
fn brief_end() -> String {
    let statuses = STATUSES.iter().map(|status| match status.code.parse::<u8>() {
        Ok(code) => format!("{code} {}", status.brief),
        Err(_) => status.brief.to_owned(),
    });
    let on_a_port = words::EXAMPLES;
    format!("{EXAMPLES}\n{on_a_port}\n\nExit status: {}.", statuses.collect::<Vec<_>>().join(", "))
}

/// What stands below the options of `--help`: examples, and a line for each exit status with the kinds that end so.
fn full_end() -> String {
    let statuses = STATUSES.iter().map(|status| {
        let kinds: Vec<&str> = status.kinds().map(Kind::name).collect();
        let kinds = if kinds.is_empty() { String::new() } else { format!(" [{}]", kinds.join(", ")) };
        format!("\n  {:<14} {}{kinds}", status.code, status.when)
    });
    let on_a_port = words::EXAMPLES;
    format!(
        "{EXAMPLES}\n{on_a_port}\n\nExit status, and in brackets the kinds of failure:{}",
        statuses.collect::<String>()
    )
}
