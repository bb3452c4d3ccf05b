//! The options of the pipe.

use std::time::Duration;

use super::value::duration;

/// What is typed about carrying bytes, beside COMMAND.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Pipe")]
pub struct Pipe {
    /// Carry raw bytes: stdin to the line, the line to stdout
    #[arg(long, group = "goals")]
    pub pipe: bool,
    /// After the end of stdin, stay until the line has been silent this long
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "2s", hide_short_help = true)]
    pub linger: Duration,
    /// End when no byte has passed in either direction for this long
    #[arg(long, value_name = "DURATION", value_parser = duration, hide_short_help = true)]
    pub idle: Option<Duration>,
}
