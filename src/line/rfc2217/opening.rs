//! From the connection to a port that is ours and set as it should be.

use std::io;
use std::time::{Duration, Instant};

use super::client::{Client, ComPort};
use super::comport::control;
use super::{Flight, Rfc2217Line};
use crate::line::connect::pause;
use crate::line::connection::{Connection, Loss, NetworkError, Refusal};
use crate::line::{Endpoint, Line, Nature, OpenError, Options};
use crate::os::Interrupt;
use crate::protocol::parity::Parity;
use crate::protocol::settings::Framing;
use crate::protocol::timing;

/// Longest wait for the server to say whether it controls its port, and again for its answer about the rate.
const ANSWER_MAX: Duration = Duration::from_secs(3);

/// Longest wait for the framing once the rate is answered: some servers say nothing about it.
const FRAMING_MAX: Duration = Duration::from_secs(1);

impl Rfc2217Line {
    pub(in crate::line) fn open(
        to: &Endpoint,
        options: Options,
        interrupt: &Interrupt,
    ) -> Result<Self, OpenError> {
        let connection = Connection::open(to, interrupt)?;
        let parity = options.parity.unwrap_or(Parity::Hardware);
        let nature = Nature {
            parities: [parity; 2],
            warm_up: timing::WARM_UP,
            lag: timing::ADAPTER_LAG,
            fixed_rate: false,
            round_trip: connection.round_trip,
        };
        let mut line = Self {
            connection,
            client: Client::new(),
            nature,
            settings: options.settings,
            computes: false,
            flight: Flight::new(Instant::now()),
            lost: false,
            remarks: Vec::new(),
        };
        line.negotiate(interrupt)?;
        line.set_up(options, interrupt)?;
        // An answer to somebody else.
        line.client.discard();
        Ok(line)
    }

    /// Waits until the server has said that it controls its port for us.
    fn negotiate(&mut self, interrupt: &Interrupt) -> Result<(), OpenError> {
        let until = Instant::now() + ANSWER_MAX;
        self.wait_for(until, interrupt, |client| client.com_port() != ComPort::Asked)?;
        self.check_control()
    }

    fn check_control(&self) -> Result<(), OpenError> {
        let refusal = match self.client.com_port() {
            ComPort::Agreed => return Ok(()),
            ComPort::Asked => Refusal::Silence,
            ComPort::Refused => Refusal::Said,
            ComPort::Echoes => Refusal::Echo,
        };
        Err(NetworkError::NoRfc2217(refusal).into())
    }

    /// Sets the port, and holds the server's answers against what was asked for.
    fn set_up(&mut self, options: Options, interrupt: &Interrupt) -> Result<(), OpenError> {
        let (wanted, parity) = (options.settings, self.nature.parities[0]);
        let asked = Instant::now();
        // The rate that it has, to be put back in the end.
        self.client.ask();
        self.set(wanted, parity);
        for value in [
            control::NO_FLOW,
            if options.dtr { control::DTR_ON } else { control::DTR_OFF },
            if options.rts { control::RTS_ON } else { control::RTS_OFF },
        ] {
            self.client.control(value);
        }
        let answered =
            |client: &Client| client.com_port() == ComPort::Echoes || client.questions_answered() > 0;
        if self.wait_for(asked + ANSWER_MAX, interrupt, answered)? {
            self.connection.measured(asked);
            self.nature.round_trip = self.connection.round_trip;
        }
        self.check_control()?;
        self.wait_for(asked + ANSWER_MAX, interrupt, |client| client.answered().rate.is_some())?;
        let kept = self.client.answered().rate;
        if kept.is_none() || self.client.other_rate().is_some() {
            return Err(NetworkError::NotSettable { wanted: wanted.baud, kept }.into());
        }
        if wanted.framing == Framing::EightNone || parity != Parity::Hardware {
            return Ok(());
        }
        let all = |client: &Client| client.answered().bits.is_some() && client.answered().parity.is_some();
        self.wait_for(Instant::now() + FRAMING_MAX, interrupt, all)?;
        if !self.client.has_seven_even() {
            if options.parity.is_some() {
                self.remarks
                    .push("the server does not keep 7E1; parity is computed by iecprobe instead".into());
            }
            self.nature.parities = [Parity::Software; 2];
            self.set(wanted, Parity::Software);
        }
        Ok(())
    }

    /// Waits until this holds, but not longer than until the instant; whether it does.
    fn wait_for(
        &mut self,
        until: Instant,
        interrupt: &Interrupt,
        holds: impl Fn(&Client) -> bool,
    ) -> Result<bool, OpenError> {
        loop {
            self.flush().map_err(closed)?;
            if holds(&self.client) {
                return Ok(true);
            }
            if Instant::now() >= until {
                return Ok(false);
            }
            pause(interrupt, self.interest(true, false), until)?;
            match self.take_in() {
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(closed(error)),
                _ => {}
            }
        }
    }
}

/// A connection that was lost before the port was ours, with the words that the server had.
fn closed(error: io::Error) -> OpenError {
    match Loss::of(&error) {
        Some(loss) => NetworkError::Lost(loss.clone()).into(),
        None => NetworkError::Unreachable(error).into(),
    }
}
