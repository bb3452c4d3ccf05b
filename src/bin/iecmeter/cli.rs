//! The command line of iecmeter, as it is typed.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

/// A virtual smart meter to test against: mode E of IEC 62056-21, with the faults and quirks of real ones.
#[derive(Parser, Debug)]
#[command(name = "iecmeter", version, max_term_width = 100, after_help = AFTER_HELP)]
pub struct Args {
    /// Also make a symlink to the pseudo-terminal here
    #[arg(long, value_name = "PATH", conflicts_with = "port")]
    pub link: Option<PathBuf>,
    /// Play on this device instead of a pseudo-terminal
    #[arg(long, value_name = "DEVICE")]
    pub port: Option<PathBuf>,
    /// Listen at tcp://HOST:PORT or rfc2217://HOST:PORT instead; a PORT of 0 is the system's to pick
    #[arg(long, value_name = "URL", conflicts_with_all = ["port", "link"])]
    pub listen: Option<String>,
    /// The identification line, from `/` on and without CR LF
    #[arg(long, value_name = "LINE")]
    pub ident: Option<String>,
    /// Faults and quirks to play, joined by `+`; see --list-scenarios
    #[arg(long, value_name = "NAME", default_value = "book")]
    pub scenario: String,
    /// Answer as the meter in this file of `iecprobe --trace` did
    #[arg(long, value_name = "TRACE", conflicts_with_all = ["ident", "scenario", "app"])]
    pub replay: Option<PathBuf>,
    /// Pace bytes at the line rate in both directions
    #[arg(long)]
    pub real_time: bool,
    /// End after this many readers have come and gone [default: never]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub sessions: Option<u32>,
    /// End after this time, with status 1, if nothing else has ended it
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub timeout: Option<Duration>,
    /// What answers in HDLC: UA to SNRM and DISC, or every byte back
    #[arg(long, value_name = "APP", default_value = "hdlc", value_parser = ["hdlc", "echo"])]
    pub app: String,
    /// List the scenarios and end
    #[arg(long)]
    pub list_scenarios: bool,
    /// Print the completion script for a shell
    #[arg(long, value_name = "SHELL")]
    pub completions: Option<clap_complete::Shell>,

    /// Program to start with the meter's name in IECPROBE_PORT; the meter ends with it, with its status
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// A duration with its unit.
fn duration(text: &str) -> Result<Duration, String> {
    let form = "it has a number and a unit, as `250ms`, `2s` or `1m 30s`";
    humantime::parse_duration(text).map_err(|error| format!("{error}; {form}"))
}

const AFTER_HELP: &str = "\
The path of the terminal, or the URL, is the first line on stdout, unless COMMAND has stdout.

Examples:
  iecmeter --link /tmp/meter                       then: iecprobe -p /tmp/meter
  iecmeter --link /tmp/meter --scenario echo+slow --real-time
  iecmeter --listen tcp://127.0.0.1:4001           then: iecprobe -p tcp://127.0.0.1:4001
  iecmeter -- iecprobe --json                      a test without anything left behind
  iecmeter --link /tmp/meter --replay field.trace  then: iecprobe -p /tmp/meter";
