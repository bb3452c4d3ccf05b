//! The sign-on machine: from the first request to mode E, or to the reason why not. See [`crate::machine`] for how it is driven.

mod acknowledge;
mod config;
mod confirmation;
mod echo;
mod identify;
mod listen;
mod outcome;
mod policy;
mod prelude;

use std::time::{Duration, Instant};

use crate::machine::{Action, Doing, Machine, Progress, Step};
use crate::protocol::identification::{Identification, Mode};
use crate::protocol::message::{self, MODE_HDLC};
use crate::protocol::settings::Settings;
use crate::protocol::timing;

use acknowledge::{Acknowledge, Answer, ConfirmedAt};
use identify::{Ended, Identify};
use prelude::Prelude;

pub use config::{Config, Confirm, WakeUp};
pub use confirmation::Confirmed;
pub use listen::Damage;
pub use outcome::{Failed, Failure, Note, SignedOn};

/// A sign-on. See the module's text for how to drive it.
#[derive(Debug)]
pub struct SignOn {
    config: Config,
    start: Settings,
    limit: Option<Instant>,
    /// Requests sent.
    attempts: u32,
    /// When the last of them went out.
    asked: Option<Instant>,
    echo_heard: bool,
    /// What came before the last of them at the start rate, and at others.
    unasked: Vec<u8>,
    elsewhere: Vec<u8>,
    notes: Vec<Note>,
    /// The attempt that got furthest.
    best: Option<Failed>,
    state: State,
}

#[derive(Debug)]
enum State {
    Prelude(Prelude),
    Identify(Identify),
    Acknowledge(Box<Acknowledged>),
    Done(Box<Result<SignedOn, Failed>>),
}

/// An identification that was acknowledged, and how.
#[derive(Debug)]
struct Acknowledged {
    identification: Identification,
    z: u8,
    baud: u32,
    exchange: Acknowledge,
}

impl SignOn {
    /// A sign-on that begins at `now`.
    pub fn new(config: Config, now: Instant) -> Self {
        let config = config.in_range();
        let start = Settings::seven_even(config.start_baud);
        Self {
            start,
            limit: config.limit().map(|limit| now + limit),
            attempts: 0,
            asked: None,
            echo_heard: false,
            unasked: Vec::new(),
            elsewhere: Vec::new(),
            notes: Vec::new(),
            best: None,
            state: State::Prelude(Prelude::new(prelude::first(&config), start, config.parity(0))),
            config,
        }
    }

    fn request(&mut self, now: Instant) -> Action {
        let request = self.config.request.as_bytes();
        let wait = self.config.wait_identification();
        self.attempts += 1;
        self.asked = Some(now);
        self.state =
            State::Identify(Identify::new(request, self.start, self.config.lag, wait, self.limit, now));
        Action::Transmit(request.to_vec())
    }

    /// After the wait for an identification.
    fn identified(
        &mut self,
        ended: Ended,
        heard: Vec<u8>,
        received: Vec<u8>,
        now: Instant,
    ) -> Option<Action> {
        let (identification, has_parity, strays) = match ended {
            Ended::Identified { identification, has_parity, strays } => (identification, has_parity, strays),
            Ended::Telegram(identification) => {
                return self.fail(Failure::Push, Some(identification), heard, now);
            }
            Ended::Readout(identification) => {
                let failure = if identification.offers_mode_e() {
                    Failure::Readout(self.start.baud)
                } else {
                    Failure::NoModeE
                };
                return self.fail(failure, Some(identification), heard, now);
            }
            Ended::Damaged(damage) => return self.fail(Failure::Parity(damage), None, heard, now),
            Ended::Endless => return self.fail(Failure::NoIdentification, None, heard, now),
            Ended::Unfinished => return self.fail(Failure::Unfinished, None, heard, now),
            Ended::Nothing => {
                let heard = [&std::mem::take(&mut self.unasked)[..], &heard].concat();
                let elsewhere = std::mem::take(&mut self.elsewhere);
                let request = self.config.request.as_bytes();
                let failure = match (&heard[..], &elsewhere[..]) {
                    ([], []) if self.echo_heard => Failure::EchoOnly,
                    ([], []) => Failure::Silent,
                    ([], _) => Failure::Between,
                    _ => policy::unusable(&heard, request, self.best.as_ref()),
                };
                let evidence = match failure {
                    Failure::EchoOnly => received,
                    Failure::Between => elsewhere,
                    _ => heard,
                };
                return self.fail(failure, None, evidence, now);
            }
        };
        if let Some(failure) = policy::refusal(&self.config, &identification) {
            return self.fail(failure, Some(identification), heard, now);
        }
        if self.attempts > 1 {
            self.notes.push(Note::Attempts(self.attempts));
        }
        if self.echo_heard {
            self.notes.push(Note::Echo);
        }
        if strays > 0 {
            self.notes.push(Note::StrayCharacters(strays));
        }
        let parity = self.config.parity(self.attempts - 1);
        self.notes.extend(policy::notes(&self.config, &identification, parity, has_parity));
        if self.config.ident_only {
            let (mode, baud) = (identification.mode(), self.start.baud);
            self.succeed(identification, mode, baud, None, Vec::new());
            return None;
        }
        let Some((z, baud)) = policy::data_rate(&self.config, &identification) else {
            return self.fail(Failure::UnknownBaud, Some(identification), heard, now);
        };
        let message = message::acknowledgement(self.config.control, z);
        let data = Settings::eight_none(baud);
        let exchange = Acknowledge::new(&self.config, &message, self.start, data, self.echo_heard, now);
        self.state = State::Acknowledge(Box::new(Acknowledged { identification, z, baud, exchange }));
        Some(Action::Transmit(message.to_vec()))
    }

    /// After the answer to the acknowledgement.
    fn answered(&mut self, answer: Answer) {
        let State::Acknowledge(acknowledged) = &self.state else { return };
        let identification = acknowledged.identification.clone();
        let (baud, z) = (acknowledged.baud, acknowledged.z);
        let sent = [self.config.control, z, MODE_HDLC];
        let heard = [identification.line(), b"\r\n", acknowledged.exchange.heard()].concat();
        if acknowledged.exchange.echo_heard() && !self.echo_heard {
            self.echo_heard = true;
            self.notes.push(Note::Echo);
        }
        let failure = match answer {
            Answer::Confirmed { what, came, rest } => {
                if came == ConfirmedAt::OldRate {
                    self.notes.push(Note::ConfirmedAtOldRate(self.start.baud));
                }
                if what.says != sent {
                    self.notes.push(Note::ConfirmedOther { confirmed: what, sent });
                }
                return self.succeed(identification, Mode::E, baud, Some(true), rest);
            }
            Answer::NotAwaited { rest } => {
                return self.succeed(identification, Mode::E, baud, None, rest);
            }
            Answer::Unconfirmed { unreadable, .. } if self.config.confirm == Confirm::Require => {
                Failure::Unconfirmed(unreadable)
            }
            Answer::Unconfirmed { unreadable, rest } => {
                let unread = Note::Unreadable(unreadable);
                self.notes.push(if unreadable > 0 { unread } else { Note::Unconfirmed });
                if policy::offered_rate(&identification) != Some(baud) {
                    self.notes.push(Note::ForcedUnconfirmed(baud));
                }
                return self.succeed(identification, Mode::E, baud, Some(false), rest);
            }
            Answer::Nak => Failure::RefusedByNak,
            Answer::Break => Failure::RefusedByBreak,
            Answer::Readout(rate) => Failure::Readout(rate),
            Answer::Telegram => Failure::Push,
        };
        self.end(self.failed(failure, Some(identification), heard));
    }

    fn succeed(
        &mut self,
        identification: Identification,
        mode: Mode,
        baud: u32,
        confirmed: Option<bool>,
        rest: Vec<u8>,
    ) {
        self.state = State::Done(Box::new(Ok(SignedOn {
            identification,
            mode,
            baud,
            confirmed,
            attempts: self.attempts,
            notes: std::mem::take(&mut self.notes),
            rest,
        })));
    }

    fn failed(&self, failure: Failure, identification: Option<Identification>, received: Vec<u8>) -> Failed {
        Failed { failure, identification, attempts: self.attempts, received, echo: self.echo_heard }
    }

    /// Ends with the attempt that got furthest, this one or an earlier one.
    fn end(&mut self, failed: Failed) {
        let furthest = match self.best.take() {
            Some(best) if best.failure.progress() > failed.failure.progress() => best,
            _ => failed,
        };
        self.state = State::Done(Box::new(Err(Failed { attempts: self.attempts, ..furthest })));
    }

    /// An attempt has failed: the end, or the way to the next one.
    fn fail(
        &mut self,
        failure: Failure,
        identification: Option<Identification>,
        received: Vec<u8>,
        now: Instant,
    ) -> Option<Action> {
        let heard = !matches!(failure, Failure::Silent | Failure::EchoOnly | Failure::Between);
        let is_final = failure.is_final();
        let failed = self.failed(failure, identification, received);
        let too_late = self.limit.is_some_and(|limit| now + self.next_attempt(now) > limit);
        if is_final || too_late || self.attempts >= self.config.attempts {
            self.end(failed);
            return None;
        }
        if self.best.as_ref().is_none_or(|best| best.failure.progress() <= failed.failure.progress()) {
            self.best = Some(failed);
        }
        let tasks = prelude::again(&self.config, self.attempts, heard);
        self.state = State::Prelude(Prelude::new(tasks, self.start, self.config.parity(self.attempts)));
        None
    }

    /// How long a further attempt has to be given: as long as the last one, for a slow meter stays slow.
    fn next_attempt(&self, now: Instant) -> Duration {
        let request = self.start.wire_time(self.config.request.as_bytes().len());
        let last = self.asked.map_or(Duration::ZERO, |asked| now - asked);
        let prelude = self.start.wire_time(message::BREAK.len()) + timing::REACTION_MIN;
        (request + self.config.wait_identification()).max(last + prelude)
    }
}

impl SignOn {
    /// Who the meter is, while its acknowledgement is under way.
    pub fn identification(&self) -> Option<&Identification> {
        match &self.state {
            State::Acknowledge(acknowledged) => Some(&acknowledged.identification),
            _ => None,
        }
    }
}

impl Machine for SignOn {
    type Outcome = Result<SignedOn, Failed>;

    fn poll(&mut self, now: Instant) -> Step<Self::Outcome> {
        loop {
            match &mut self.state {
                State::Prelude(prelude) => match prelude.poll(now) {
                    Step::Do(action) => return Step::Do(action),
                    Step::Wait(until) => return Step::Wait(until),
                    Step::Done(None) => {
                        self.unasked = prelude.unasked().to_vec();
                        self.elsewhere = prelude.elsewhere().to_vec();
                        return Step::Do(self.request(now));
                    }
                    Step::Done(Some(answer)) => {
                        if answer == prelude::Answer::Frame {
                            self.notes.push(Note::FreedByDisc(prelude.baud()));
                        }
                        let tasks = prelude::after_answer(&self.config);
                        let parity = self.config.parity(self.attempts);
                        self.state = State::Prelude(Prelude::new(tasks, self.start, parity));
                    }
                },
                State::Identify(identify) => {
                    let ended = match identify.poll(now) {
                        Step::Do(action) => return Step::Do(action),
                        Step::Wait(until) => return Step::Wait(until),
                        Step::Done(ended) => ended,
                    };
                    self.echo_heard |= identify.echo_heard();
                    let heard = identify.heard().to_vec();
                    let received = identify.received().to_vec();
                    if let Some(action) = self.identified(ended, heard, received, now) {
                        return Step::Do(action);
                    }
                }
                State::Acknowledge(acknowledged) => match acknowledged.exchange.poll(now) {
                    Step::Do(action) => return Step::Do(action),
                    Step::Wait(until) => return Step::Wait(until),
                    Step::Done(answer) => self.answered(answer),
                },
                State::Done(outcome) => return Step::Done(*outcome.clone()),
            }
        }
    }

    fn receive(&mut self, bytes: &[u8], now: Instant) {
        for &byte in bytes {
            match &mut self.state {
                State::Prelude(prelude) => prelude.receive(byte, now),
                State::Identify(identify) => identify.receive(byte, now),
                State::Acknowledge(acknowledged) => acknowledged.exchange.receive(byte, now),
                State::Done(outcome) => {
                    if let Ok(signed_on) = &mut **outcome {
                        signed_on.rest.push(byte);
                    }
                }
            }
        }
    }

    fn sent(&mut self, at: Instant) {
        match &mut self.state {
            State::Prelude(prelude) => prelude.sent(at),
            State::Identify(identify) => identify.sent(at),
            State::Acknowledge(acknowledged) => acknowledged.exchange.sent(at),
            State::Done(_) => {}
        }
    }

    fn progress(&self) -> Option<Progress> {
        let (doing, attempt) = match &self.state {
            State::Prelude(_) => (Doing::Preparing, self.attempts + 1),
            State::Identify(_) => (Doing::Identifying, self.attempts),
            State::Acknowledge(_) | State::Done(_) => (Doing::Confirming, self.attempts),
        };
        Some(Progress { doing, attempt })
    }
}
