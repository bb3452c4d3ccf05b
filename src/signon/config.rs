//! What a sign-on is to do: the options of the command line that concern the protocol, as values that are in range.

use std::time::Duration;

use crate::protocol::flag::FlagId;
use crate::protocol::hdlc::Addresses;
use crate::protocol::message::{CONTROL_HDLC, Request};
use crate::protocol::parity::Parity;
use crate::protocol::timing;

/// Whether to wait for the meter's confirmation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Confirm {
    /// Wait for it; go on without.
    #[default]
    Auto,
    /// Wait for it; fail without.
    Require,
    /// Do not wait.
    Skip,
}

/// How to wake a battery meter (IEC 62056-21, Annex B).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WakeUp {
    /// One long run of NULs, then silence.
    Normal,
    /// Bursts of NULs until the meter answers with an ACK.
    Fast,
}

/// Everything that a sign-on needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// Rate of the sign-on in Bd.
    pub start_baud: u32,
    /// Quiet time before the first character.
    pub warm_up: Duration,
    /// Who computes the parity bit of the first attempt; and who does where that one brought nothing, by turns.
    pub parities: [Parity; 2],
    /// Longest time for which the line can hold received characters back.
    pub lag: Duration,
    /// Whether the line has one rate for ever, which is that of the sign-on for all its waits: then only its framing
    /// changes after the acknowledgement, nothing but the messages frees a hung meter, and there is no early
    /// confirmation.
    pub fixed_rate: bool,
    /// How much longer every wait for the meter is, for a line that takes its time.
    pub round_trip: Duration,
    /// The request message.
    pub request: Request,
    /// Requests in all, at least 1.
    pub attempts: u32,
    /// Longest wait for the first character of each answer, where given.
    pub wait: Option<Duration>,
    /// Accepted manufacturers; none means any.
    pub manufacturers: Vec<FlagId>,
    /// Data rate in Bd to use whatever the meter offers; one that has a baud character.
    pub forced_baud: Option<u32>,
    /// V, the protocol control character of the acknowledgement.
    pub control: u8,
    /// Acknowledge mode E even where it is not offered.
    pub force: bool,
    /// What to do about the confirmation.
    pub confirm: Confirm,
    /// From the first bit of the acknowledgement to the change of rate, where given.
    pub switch_delay: Option<Duration>,
    /// Send DISC and break to free a meter from an earlier session or attempt.
    pub recover: bool,
    /// Who that DISC is from and for.
    pub addresses: Addresses,
    /// Wake the meter before each request.
    pub wake_up: Option<WakeUp>,
    /// Stop after the identification.
    pub ident_only: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            start_baud: 300,
            warm_up: Duration::ZERO,
            parities: [Parity::None; 2],
            lag: timing::ADAPTER_LAG,
            fixed_rate: false,
            round_trip: Duration::ZERO,
            request: Request::general(),
            attempts: 3,
            wait: None,
            manufacturers: Vec::new(),
            forced_baud: None,
            control: CONTROL_HDLC,
            force: false,
            confirm: Confirm::Auto,
            switch_delay: None,
            recover: true,
            addresses: Addresses::default(),
            wake_up: None,
            ident_only: false,
        }
    }
}

impl Config {
    /// The same with every time within a day and every rate above 0, so that no value can overflow an instant.
    pub(super) fn in_range(mut self) -> Self {
        let longest = |time: Duration| time.min(timing::LONGEST);
        self.start_baud = self.start_baud.max(1);
        self.forced_baud = self.forced_baud.map(|baud| baud.max(1));
        self.warm_up = longest(self.warm_up);
        self.lag = longest(self.lag);
        self.round_trip = longest(self.round_trip);
        self.wait = self.wait.map(longest);
        self.switch_delay = self.switch_delay.map(longest);
        self
    }

    /// The wait for the identification.
    pub(super) fn wait_identification(&self) -> Duration {
        self.wait.unwrap_or(timing::WAIT) + self.round_trip
    }

    /// The wait for the confirmation.
    pub(super) fn wait_confirmation(&self) -> Duration {
        self.wait.unwrap_or(timing::WAIT_CONFIRMATION) + self.round_trip
    }

    /// The time within which a failure has to be reported: known unless more patience than usual was asked for.
    pub(super) fn limit(&self) -> Option<Duration> {
        let usual = self.wait.is_none_or(|wait| wait <= timing::WAIT)
            && self.attempts <= Self::default().attempts
            && self.warm_up <= timing::WARM_UP
            && self.wake_up.is_none();
        usual.then_some(timing::FAILURE_LIMIT - timing::FAILURE_RESERVE)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::meter::{Behaviour, simulate};
    use crate::signon::SignOn;

    #[test]
    fn no_value_panics() {
        let extreme = Config {
            start_baud: 0,
            warm_up: Duration::MAX,
            lag: Duration::MAX,
            round_trip: Duration::MAX,
            wait: Some(Duration::MAX),
            forced_baud: Some(0),
            switch_delay: Some(Duration::MAX),
            attempts: 0,
            ..Config::default()
        };
        let began = Instant::now();
        assert!(simulate(&mut SignOn::new(extreme, began), Behaviour::default(), began).is_some());
    }
}
