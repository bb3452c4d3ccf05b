//! The command line of iecmeter, as it is typed.

use std::path::PathBuf;

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
    #[arg(long, value_name = "N")]
    pub sessions: Option<u32>,
    /// What answers in HDLC: UA to SNRM and DISC, or every byte back
    #[arg(long, value_name = "APP", default_value = "hdlc", value_parser = ["hdlc", "echo"])]
    pub app: String,
    /// List the scenarios and end
    #[arg(long)]
    pub list_scenarios: bool,
}

const AFTER_HELP: &str = "\
The path of the terminal is the first line on stdout.

Examples:
  iecmeter --link /tmp/meter                       then: iecprobe -p /tmp/meter
  iecmeter --link /tmp/meter --scenario echo+slow --real-time
  iecmeter --link /tmp/meter --replay field.trace  then: iecprobe -p /tmp/meter";
