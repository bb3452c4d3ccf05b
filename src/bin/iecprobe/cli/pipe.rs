//! The options of the pipe.

use std::time::Duration;

use iecprobe::line::Endpoint;

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
    /// Carry them for TCP clients, one after the other; HOST is 127.0.0.1 unless named, a PORT of 0 is the system's to pick
    #[arg(long, value_name = "[HOST:]PORT", group = "goals", value_parser = place, conflicts_with_all = ["pipe", "command", "check_link", "ident_only"])]
    pub listen: Option<Endpoint>,
    /// With --listen: end after this many clients
    #[arg(long, value_name = "N", requires = "listen", value_parser = clap::value_parser!(u32).range(1..), hide_short_help = true)]
    pub sessions: Option<u32>,
    /// End when no byte has passed in either direction for this long
    #[arg(long, value_name = "DURATION", value_parser = duration, hide_short_help = true)]
    pub idle: Option<Duration>,
}

/// A place to listen at; without a host only this computer can come.
fn place(text: &str) -> Result<Endpoint, String> {
    let whole = if text.contains(':') { text.to_owned() } else { format!("127.0.0.1:{text}") };
    whole.parse().map_err(|_| "a port from 0 to 65535, with `HOST:` before it if need be".to_owned())
}
