//! The options of the sign-on.

use std::time::Duration;

use iecprobe::protocol::flag::FlagId;
use iecprobe::protocol::message::Request;
use iecprobe::signon::WakeUp;

use super::value::{Choice, choice, duration};

const WAKE_UPS: &[Choice<WakeUp>] = &[
    ("normal", "One run of NULs, then silence", WakeUp::Normal),
    ("fast", "Bursts of NULs until the meter answers", WakeUp::Fast),
];

/// What is typed about the sign-on.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Sign-on")]
pub struct SignOn {
    /// Longest wait for the first byte of each answer [default: 2s, confirmation 1.7s]
    #[arg(short, long, value_name = "DURATION", value_parser = duration)]
    pub wait: Option<Duration>,
    /// Accept only these manufacturers, by FLAG id
    ///
    /// As `LGZ`, upper or lower case. Any other ends with status 9, before an acknowledgement is sent.
    #[arg(short, long, value_name = "ID[,ID..]", value_delimiter = ',')]
    pub manufacturer: Vec<FlagId>,
    /// Device address in the request
    ///
    /// Mostly from the label of the meter: at most 32 of 0-9, A-Z, a-z and space.
    #[arg(short, long, value_name = "TEXT", value_parser = Request::to_address)]
    pub address: Option<Request>,
    /// Requests in all
    ///
    /// A meter from an earlier session is freed between the first and the second; 1 means one request, and freeing none.
    #[arg(long, value_name = "N", default_value = "3", value_parser = clap::value_parser!(u32).range(1..), hide_short_help = true)]
    pub attempts: u32,
    /// Wake a battery meter first
    #[arg(long, value_name = "HOW", value_parser = choice(WAKE_UPS))]
    pub wake_up: Option<WakeUp>,
    /// Acknowledge mode E even if it is not offered
    #[arg(long, hide_short_help = true)]
    pub force: bool,
    /// Send no DISC and no break to free a meter from an earlier session
    #[arg(long, hide_short_help = true)]
    pub no_recover: bool,
    /// Stop after the identification: no session is opened
    #[arg(long, conflicts_with_all = ["direct", "pipe", "command", "listen", "disconnect"])]
    pub ident_only: bool,
    /// No sign-on: open at --baud (9600) 8N1, with --pipe, COMMAND or --check-link
    #[arg(long, requires = "goals")]
    pub direct: bool,
    /// See whether HDLC answers at the new rate: SNRM, UA, DISC
    #[arg(long, group = "goals", conflicts_with_all = ["pipe", "command", "ident_only"])]
    pub check_link: bool,
    /// Send an HDLC DISC before leaving: the meter is free at once
    #[arg(long)]
    pub disconnect: bool,
}
