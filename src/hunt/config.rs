//! What a hunt has to know of the line and of the meter that is asked for.

use std::time::Duration;

use crate::protocol::hdlc::Addresses;
use crate::protocol::message::Request;
use crate::protocol::parity::Parity;
use crate::protocol::timing;

/// Everything that a hunt needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// Quiet time before the first character.
    pub warm_up: Duration,
    /// Who computes the parity bit on this line, unless the hunt tries otherwise: it does so first.
    pub parity: Parity,
    /// Longest time for which the line can hold received characters back.
    pub lag: Duration,
    /// How much longer every wait for the meter is, for a line that takes its time.
    pub round_trip: Duration,
    /// The request to the address that was named, where one was.
    pub address: Option<Request>,
    /// Who asks, and who is asked in HDLC, before other addresses are tried.
    pub addresses: Addresses,
    /// Free a meter that may hang, and break an identification off.
    pub recover: bool,
    /// The one rate of the line in Bd, where it cannot be changed.
    pub fixed_baud: Option<u32>,
    /// The levels of DTR and RTS that the line was opened with.
    pub modem_lines: (bool, bool),
}

impl Default for Config {
    fn default() -> Self {
        Self {
            warm_up: Duration::ZERO,
            parity: Parity::None,
            lag: timing::ADAPTER_LAG,
            round_trip: Duration::ZERO,
            address: None,
            addresses: Addresses::default(),
            recover: true,
            fixed_baud: None,
            modem_lines: (true, true),
        }
    }
}
