//! The options that few meters need.

use std::time::Duration;

use iecprobe::protocol::hdlc::Server;
use iecprobe::protocol::message::Request;
use iecprobe::protocol::parity::Parity;
use iecprobe::signon::Confirm;

use super::value::{Choice, choice, duration, printable};

/// Who is asked to compute parity; nobody where the program is to find out.
pub type Asked = Option<Parity>;

const PARITIES: &[Choice<Asked>] = &[
    ("auto", "Hardware where the driver keeps 7E1, none on a pseudo-terminal, else software", None),
    ("hardware", "7E1 by the driver", Some(Parity::Hardware)),
    ("software", "8N1 with parity computed into bit 7", Some(Parity::Software)),
    ("none", "Plain ASCII at 8N1", Some(Parity::None)),
];

const CONFIRMS: &[Choice<Confirm>] = &[
    ("auto", "Wait, go on without", Confirm::Auto),
    ("require", "Wait, fail without", Confirm::Require),
    ("skip", "Do not wait", Confirm::Skip),
];

/// What is typed for meters, heads and adapters that are out of the ordinary.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Advanced")]
pub struct Advanced {
    /// Who computes the parity of 7E1
    #[arg(long, value_name = "HOW", value_parser = choice(PARITIES), default_value = "auto", hide_short_help = true)]
    pub parity: Asked,
    /// Quiet time before the first byte [default: 200ms, 0s on a pseudo-terminal]
    #[arg(long, value_name = "DURATION", value_parser = duration, hide_short_help = true)]
    pub warm_up: Option<Duration>,
    /// The whole request without CR LF, for meters outside the standard
    #[arg(long, value_name = "TEXT", value_parser = Request::verbatim, conflicts_with = "address", hide_short_help = true)]
    pub request: Option<Request>,
    /// The V character of the acknowledgement
    #[arg(long, value_name = "CHAR", default_value = "2", value_parser = printable, hide_short_help = true)]
    pub control: u8,
    /// Wait for the meter's confirmation, demand it, or do not wait
    #[arg(long, value_name = "HOW", value_parser = choice(CONFIRMS), default_value = "auto", hide_short_help = true)]
    pub confirm: Confirm,
    /// From the first byte of the acknowledgement to the change of rate [default: computed]
    #[arg(long, value_name = "DURATION", value_parser = duration, hide_short_help = true)]
    pub switch_delay: Option<Duration>,
    /// From the confirmation to the first byte of the DLMS program
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "300ms", hide_short_help = true)]
    pub settle: Duration,
    /// The reader's HDLC address, in --check-link and in every DISC
    #[arg(long, value_name = "N", default_value = "16", value_parser = clap::value_parser!(u8).range(1..=127), hide_short_help = true)]
    pub hdlc_client: u8,
    /// The meter's HDLC address: N or LOGICAL/PHYSICAL, with :1, :2 or :4 for its length in bytes
    ///
    /// LOGICAL is the device within the meter, mostly 1. PHYSICAL is the meter's own: on many the last two to four digits
    /// of the number on its label, on some those + 1000 or 16. `1/17:4` is 1/17 in four bytes, `16383/16383` all meters.
    #[arg(long, value_name = "ADDRESS", default_value = "1", hide_short_help = true)]
    pub hdlc_server: Server,
}
