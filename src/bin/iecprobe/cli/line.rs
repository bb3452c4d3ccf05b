//! The options of the line.

use super::value::{level, rate};

/// What is typed about the line, beside the port.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Line")]
pub struct Line {
    /// Force the data rate, whatever the meter offers
    ///
    /// Without --direct it must be 300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600 or 115200.
    #[arg(short, long, value_name = "BPS", value_parser = rate)]
    pub baud: Option<u32>,
    /// Rate of the sign-on [default: 300]
    #[arg(long, value_name = "BPS", value_parser = rate, conflicts_with = "direct")]
    pub start_baud: Option<u32>,
    /// Level of DTR; many heads draw their power from it [default: on]
    #[arg(long, value_name = "on|off", value_parser = level(), hide_possible_values = true, hide_short_help = true)]
    pub dtr: Option<bool>,
    /// Level of RTS [default: on]
    #[arg(long, value_name = "on|off", value_parser = level(), hide_possible_values = true, hide_short_help = true)]
    pub rts: Option<bool>,
}
