//! Looking for a meter in HDLC: SNRM from and to several addresses, and what is done when one answers.
//!
//! UA opens a link, which is closed again at once. DM means that the meter is there and has no link: another SNRM may
//! open one, and that one is closed, too.

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

use crate::hunt::config::Config;
use crate::hunt::script::{Script, Task};
use crate::machine::disconnect::{Disconnect, Parting};
use crate::machine::exchange::{Answer, Ask, Exchange, Says};
use crate::machine::{Machine, Step};
use crate::protocol::hdlc::{Addresses, Parameters, Server};
use crate::protocol::message;
use crate::protocol::settings::Settings;
use crate::protocol::timing;

/// A meter that has answered in HDLC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Met {
    /// At which rate.
    pub settings: Settings,
    /// Who asked, and who was asked.
    pub asked: Addresses,
    /// Who answered, by its own address.
    pub from: Server,
    /// The parameters of the link that it opened; none where it opened none.
    pub parameters: Option<Parameters>,
}

impl fmt::Display for Met {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { settings, asked, from, .. } = self;
        write!(f, "at {settings}, server {from} ({}), client {}", bytes(from.field().len()), asked.client)
    }
}

fn bytes(length: usize) -> &'static str {
    match length {
        1 => "1 byte",
        2 => "2 bytes",
        _ => "4 bytes",
    }
}

/// The meter that was met, and what was received, without our own frames.
pub(super) type Knocked = (Option<Met>, Vec<u8>);

/// SNRM from and to each of several addresses, until one is answered.
#[derive(Debug)]
pub(super) struct Knock {
    settings: Settings,
    wait: Duration,
    addresses: VecDeque<Addresses>,
    stage: Option<(Addresses, Exchange, Stage)>,
    /// A meter that opens no link for the client that asked; another client may be welcome.
    refused: Option<Met>,
    received: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    Opening,
    /// It was answered with DM by this meter.
    OpeningAgain(Server),
    Closing(Server, Parameters),
    /// The link is closed under the meter's own address, for it did not hear the one it opened it under.
    ClosingByName(Server, Parameters),
}

impl Knock {
    pub(super) fn new(settings: Settings, addresses: Vec<Addresses>, wait: Duration) -> Self {
        let addresses = addresses.into();
        Self { settings, wait, addresses, stage: None, refused: None, received: Vec::new() }
    }

    fn begin(&mut self, ask: Ask, addresses: Addresses, asked: Addresses, stage: Stage) {
        self.stage = Some((asked, Exchange::new(ask, addresses, self.settings, self.wait, 1), stage));
    }

    fn met(&self, asked: Addresses, from: Server, parameters: Option<Parameters>) -> Met {
        Met { settings: self.settings, asked, from, parameters }
    }

    /// After an exchange; the meter, where it has come to its end with one.
    fn go_on(&mut self, asked: Addresses, stage: Stage, answer: Option<Answer>) -> Option<Met> {
        match (stage, answer) {
            (Stage::Opening | Stage::OpeningAgain(_), Some(Answer { from, says: Says::Accepted(link) })) => {
                self.begin(Ask::Close, asked, asked, Stage::Closing(from, link));
            }
            (Stage::Opening, Some(Answer { from, .. })) => {
                self.begin(Ask::Open, asked, asked, Stage::OpeningAgain(from));
            }
            (Stage::OpeningAgain(from), _) => {
                let refused = self.met(asked, from, None);
                self.refused.get_or_insert(refused);
            }
            (Stage::Opening, None) => {}
            (Stage::Closing(from, link), None) if from != asked.server => {
                let by_name = Addresses { server: from, ..asked };
                self.begin(Ask::Close, by_name, asked, Stage::ClosingByName(from, link));
            }
            (Stage::Closing(from, link) | Stage::ClosingByName(from, link), _) => {
                return Some(self.met(asked, from, Some(link)));
            }
        }
        None
    }

    pub(super) fn receive(&mut self, bytes: &[u8], now: Instant) {
        if let Some((_, exchange, _)) = &mut self.stage {
            exchange.receive(bytes, now);
        }
    }

    pub(super) fn sent(&mut self, at: Instant) {
        if let Some((_, exchange, _)) = &mut self.stage {
            exchange.sent(at);
        }
    }

    pub(super) fn poll(&mut self, now: Instant) -> Step<Knocked> {
        loop {
            let Some((asked, exchange, stage)) = &mut self.stage else {
                let Some(next) = self.addresses.pop_front() else {
                    return Step::Done((self.refused.clone(), self.received.clone()));
                };
                self.begin(Ask::Open, next, next, Stage::Opening);
                continue;
            };
            let exchanged = match exchange.poll(now) {
                Step::Do(action) => return Step::Do(action),
                Step::Wait(until) => return Step::Wait(until),
                Step::Done(exchanged) => exchanged,
            };
            let (asked, stage) = (*asked, *stage);
            self.stage = None;
            self.received.extend(without(&exchanged.received, &asked.snrm()));
            if let Some(met) = self.go_on(asked, stage, exchanged.answer) {
                return Step::Done((Some(met), self.received.clone()));
            }
        }
    }
}

/// What was received, but for the echo of our own frame.
fn without<'a>(received: &'a [u8], frame: &[u8]) -> &'a [u8] {
    let mut rest = received;
    while let Some(after) = rest.strip_prefix(frame) {
        rest = after;
    }
    rest
}

/// Everything that frees a meter which ignores SNRM: DISC, a line BREAK, the break message.
#[derive(Debug)]
pub(super) struct Release {
    settings: Settings,
    addresses: Addresses,
    disconnect: Option<Disconnect>,
    script: Script,
    received: Vec<u8>,
}

impl Release {
    pub(super) fn new(config: &Config, settings: Settings) -> Self {
        let start = Settings::seven_even(config.fixed_baud.unwrap_or(300));
        let breaks = config.fixed_baud.is_none().then_some(Task::Break);
        let script = breaks.into_iter().chain([
            Task::Configure(start, config.parity),
            Task::Transmit(message::BREAK.to_vec()),
            Task::Wait(timing::REACTION_MIN),
        ]);
        Self {
            settings,
            addresses: config.addresses,
            disconnect: Some(Disconnect::new(
                config.addresses,
                settings,
                timing::RECOVERY_LISTEN + config.round_trip,
            )),
            script: Script::new(script),
            received: Vec::new(),
        }
    }

    pub(super) fn receive(&mut self, bytes: &[u8], now: Instant) {
        if let Some(disconnect) = &mut self.disconnect {
            disconnect.receive(bytes, now);
        }
    }

    pub(super) fn sent(&mut self, at: Instant) {
        match &mut self.disconnect {
            Some(disconnect) => disconnect.sent(at),
            None => self.script.sent(at),
        }
    }

    pub(super) fn poll(&mut self, now: Instant) -> Step<Knocked> {
        if let Some(disconnect) = &mut self.disconnect {
            let parted = match disconnect.poll(now) {
                Step::Do(action) => return Step::Do(action),
                Step::Wait(until) => return Step::Wait(until),
                Step::Done(parted) => parted,
            };
            self.disconnect = None;
            self.received = without(&parted.received, &self.addresses.disc()).to_vec();
            let met =
                |from, parameters| Met { settings: self.settings, asked: self.addresses, from, parameters };
            match parted.parting {
                Parting::Unanswered => {}
                Parting::Closed(from) | Parting::OpenedAndClosed(from) => {
                    return Step::Done((Some(met(from, Some(Parameters::default()))), Vec::new()));
                }
                Parting::Stays(from) => return Step::Done((Some(met(from, None)), Vec::new())),
            }
        }
        match self.script.poll(now) {
            Step::Do(action) => Step::Do(action),
            Step::Wait(until) => Step::Wait(until),
            Step::Done(()) => Step::Done((None, std::mem::take(&mut self.received))),
        }
    }
}
