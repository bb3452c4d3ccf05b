//! The sign-on machine: from the first request to mode E, or to the reason why not. See [`crate::machine`] for how it is
//! driven.
//!
//! An attempt is a prelude (`tasks`, `prelude`), a request and the wait for the identification (`identify`), and
//! the acknowledgement with the wait for its answer (`acknowledge`, `verdict`). Whether to acknowledge is for
//! `policy` to say. This module leads from one to the next, and from attempt to attempt.

mod acknowledge;
mod config;
mod confirmation;
mod drive;
mod echo;
mod identify;
mod listen;
mod outcome;
mod policy;
mod prelude;
mod punctuality;
mod tasks;
mod verdict;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::protocol::identification::{Identification, Mode};
use crate::protocol::message::{self, MODE_HDLC};
use crate::protocol::parity::Parity;
use crate::protocol::settings::Settings;
use crate::protocol::timing;

use acknowledge::Acknowledge;
use echo::Head;
use identify::{Ended, Identify, Seen};
use prelude::Prelude;
use punctuality::Punctuality;
use tasks::{Left, Task};
use verdict::{Answer, ConfirmedAt};

pub use config::{Config, Confirm, WakeUp};
pub use confirmation::Confirmed;
pub use listen::Damage;
pub use outcome::{Failed, Failure, Note, SignedOn};

/// How a sign-on ends.
type Outcome = Result<SignedOn, Failed>;

/// A sign-on. See the module's text for how to drive it.
#[derive(Debug)]
pub struct SignOn {
    config: Config,
    start: Settings,
    limit: Option<Instant>,
    /// Requests sent.
    attempts: u32,
    /// When the last of them was begun.
    asked: Option<Instant>,
    /// How many attempts have brought nothing: another side computes parity after each.
    fruitless: usize,
    head: Head,
    /// Whether the fast wake-up has opened a session.
    woken: bool,
    /// What came before the last request at the start rate, and at others.
    unasked: Vec<u8>,
    at_other_rates: Vec<u8>,
    notes: Vec<Note>,
    /// The attempt that got furthest.
    best: Option<Failed>,
    punctuality: Punctuality,
    last_received: Option<Instant>,
    state: State,
}

#[derive(Debug)]
enum State {
    Prelude(Prelude),
    Identify(Identify),
    Acknowledge(Box<Acknowledged>),
    /// A meter that was woken is signed off.
    SignOff(Prelude, Box<Outcome>),
    Done(Box<Outcome>),
}

/// An identification that was acknowledged, and how.
#[derive(Clone, Debug)]
struct Acknowledged {
    identification: Identification,
    /// Until when it had to be.
    latest: Instant,
    z: u8,
    baud: u32,
    data: Settings,
    exchange: Acknowledge,
}

impl SignOn {
    /// A sign-on that begins at `now`.
    pub fn new(config: Config, now: Instant) -> Self {
        let config = config.in_range();
        let state = State::Prelude(Prelude::new(&config, tasks::first(&config), config.parities[0], None));
        Self {
            start: Settings::seven_even(config.start_baud),
            limit: config.limit().map(|limit| now + limit),
            attempts: 0,
            asked: None,
            fruitless: 0,
            head: Head::default(),
            woken: false,
            unasked: Vec::new(),
            at_other_rates: Vec::new(),
            notes: Vec::new(),
            best: None,
            punctuality: Punctuality::new(now),
            last_received: None,
            state,
            config,
        }
    }

    /// After a prelude: the request, or silence before it.
    fn prepared(&mut self, ended: prelude::Ended, now: Instant) -> State {
        match ended {
            prelude::Ended::Done => {
                self.attempts += 1;
                self.asked = Some(now);
                self.punctuality.forget();
                return State::Identify(Identify::new(&self.config, self.start, self.limit));
            }
            // After an attempt of our own that came too late, nothing is to be said about an earlier session.
            _ if matches!(&self.best, Some(Failed { failure: Failure::TooSlow(_), .. })) => {}
            prelude::Ended::Freed(rate) => self.notes.push(Note::FreedByDisc(rate)),
            prelude::Ended::Unlinked(rate) => self.notes.push(Note::FreedByLink(rate)),
            prelude::Ended::Acknowledged => self.woken = true,
        }
        State::Prelude(self.prelude(tasks::after_answer(&self.config)))
    }

    fn parity(&self) -> Parity {
        self.config.parities[self.fruitless % 2]
    }

    fn prelude(&self, tasks: VecDeque<Task>) -> Prelude {
        Prelude::new(&self.config, tasks, self.parity(), self.last_received)
    }

    /// After the wait for an identification.
    fn identified(&mut self, ended: Ended, seen: Seen, now: Instant) -> State {
        let Seen { head, heard, received, asked } = seen;
        self.head = self.head.and(head);
        let left = Left::Talking;
        let (identification, has_parity, strays, latest) = match ended {
            Ended::Identified { identification, has_parity, strays, latest } => {
                (identification, has_parity, strays, latest)
            }
            Ended::Telegram(identification) => {
                return self.failed(Failure::Push, Some(identification), heard, left, now);
            }
            Ended::Readout(identification) => {
                let offers = identification.offers_mode_e();
                let failure = if offers { Failure::Readout(self.start.baud) } else { Failure::NoModeE };
                return self.failed(failure, Some(identification), heard, left, now);
            }
            Ended::Damaged(damage) => return self.failed(Failure::Parity(damage), None, heard, left, now),
            Ended::Endless => return self.failed(Failure::NoIdentification, None, heard, left, now),
            Ended::Unfinished => return self.failed(Failure::Unfinished, None, heard, left, now),
            Ended::Nothing => return self.unanswered(heard, received, now),
        };
        let data = match policy::terms(&self.config, &identification) {
            Ok(data) => data,
            Err(failure) => return self.failed(failure, Some(identification), heard, left, now),
        };
        let more = policy::notes(&self.config, &identification, self.parity(), has_parity);
        let usual = [
            (self.attempts > 1).then_some(Note::Attempts(self.attempts)),
            self.head.echoes().then_some(Note::Echo),
            (strays > 0).then_some(Note::StrayCharacters(strays)),
        ];
        let notes: Vec<Note> = usual.into_iter().flatten().chain(more).collect();
        let Some((z, baud)) = data else {
            self.notes.extend(notes);
            let mode = identification.mode();
            return self.succeeded(identification, mode, self.start.baud, None, Vec::new());
        };
        if now > latest {
            self.punctuality.overslept(now - (latest - timing::ACKNOWLEDGEMENT_LATEST));
            return self.failed(Failure::Unfinished, Some(identification), heard, left, now);
        }
        let acknowledgement = message::acknowledgement(self.config.control, z);
        let answered_by = now + self.start.wire_time(acknowledgement.len()) + self.config.wait_confirmation();
        if self.limit.is_some_and(|limit| answered_by > limit) {
            return self.failed(Failure::Unfinished, Some(identification), heard, left, now);
        }
        self.notes.extend(notes);
        // On a line with one rate only the framing changes.
        let data = Settings::eight_none(if self.config.fixed_rate { self.start.baud } else { baud });
        let line = (self.start, data);
        let head = (self.head, asked.unwrap_or(now));
        let exchange = Acknowledge::new(&self.config, &acknowledgement, line, head, self.limit, now);
        State::Acknowledge(Box::new(Acknowledged { identification, latest, z, baud, data, exchange }))
    }

    /// After an attempt in which no identification came.
    fn unanswered(&mut self, heard: Vec<u8>, received: Vec<u8>, now: Instant) -> State {
        let heard = [&std::mem::take(&mut self.unasked)[..], &heard].concat();
        let at_other_rates = std::mem::take(&mut self.at_other_rates);
        let (failure, evidence) = match (&heard[..], &at_other_rates[..]) {
            ([], [_, ..]) => (Failure::OnlyDuringRecovery, at_other_rates),
            ([], []) if self.head.echoes() => (Failure::EchoOnly, received),
            ([], []) => (Failure::Silent, Vec::new()),
            _ => match policy::unusable(&heard, self.config.request.as_bytes(), self.best.as_ref()) {
                Failure::EchoOnly => (Failure::EchoOnly, received),
                failure => (failure, heard),
            },
        };
        let left = match self.attempts {
            1 if failure.is_silence() => Left::PerhapsDeaf,
            _ if failure.is_silence() => Left::Nothing,
            _ => Left::Talking,
        };
        self.failed(failure, None, evidence, left, now)
    }

    /// After the answer to the acknowledgement.
    fn answered(&mut self, answer: Answer, acknowledged: Acknowledged, now: Instant) -> State {
        let Acknowledged { identification, z, baud, data, exchange, .. } = acknowledged;
        let left = Left::Acknowledged(data);
        let sent = [self.config.control, z, MODE_HDLC];
        let heard = [identification.line(), b"\r\n", &exchange.heard()].concat();
        let required = self.config.confirm == Confirm::Require;
        let overslept = self.punctuality.worst().is_some();
        let failure = match answer {
            Answer::Confirmed { what, came, rest } => {
                // Another mode than ours is no confirmation of ours, whatever the rate.
                let confirmed = what.says[0] == sent[0] && what.says[2] == sent[2];
                if confirmed || !required {
                    if came == ConfirmedAt::OldRate {
                        self.notes.push(Note::ConfirmedAtOldRate(self.start.baud));
                    }
                    if what.says != sent {
                        self.notes.push(Note::ConfirmedOther { confirmed: what, sent });
                    }
                    return self.succeeded(identification, Mode::E, baud, Some(confirmed), rest);
                }
                Failure::Unconfirmed(heard.len() - identification.line().len() - 2)
            }
            Answer::NotAwaited => return self.succeeded(identification, Mode::E, baud, None, Vec::new()),
            Answer::Unconfirmed { unreadable, rest } if required || (overslept && rest.is_empty()) => {
                Failure::Unconfirmed(unreadable)
            }
            Answer::Unconfirmed { unreadable, rest } => {
                let unread = Note::Unreadable(unreadable);
                self.notes.push(if unreadable > 0 { unread } else { Note::Unconfirmed });
                if policy::offered_rate(&identification) != Some(baud) {
                    self.notes.push(Note::ForcedUnconfirmed(baud));
                }
                return self.succeeded(identification, Mode::E, baud, Some(false), rest);
            }
            Answer::Nak => Failure::RefusedByNak,
            Answer::Break => Failure::RefusedByBreak,
            Answer::Readout(_) if self.config.fixed_rate => Failure::Readout(self.start.baud),
            Answer::Readout(rate) => Failure::Readout(rate),
            Answer::Telegram => Failure::Push,
        };
        self.failed(failure, Some(identification), heard, left, now)
    }

    fn succeeded(
        &mut self,
        identification: Identification,
        mode: Mode,
        baud: u32,
        confirmed: Option<bool>,
        rest: Vec<u8>,
    ) -> State {
        let (attempts, notes) = (self.attempts, std::mem::take(&mut self.notes));
        let done = SignedOn { identification, mode, baud, confirmed, attempts, notes, rest };
        self.over(Ok(done), self.woken && self.config.ident_only)
    }

    /// An attempt has failed, and has left a meter behind: the end, or the way to the next attempt.
    fn failed(
        &mut self,
        failure: Failure,
        identification: Option<Identification>,
        received: Vec<u8>,
        left: Left,
        now: Instant,
    ) -> State {
        let late = self.punctuality.worst().filter(|_| failure.follows_from_lateness());
        let failure = late.map_or(failure, Failure::TooSlow);
        let failed =
            Failed { failure, identification, attempts: self.attempts, received, echo: self.head.echoes() };
        let too_late = self.limit.is_some_and(|limit| now + self.next_attempt(now) > limit);
        if failed.failure.is_final() || too_late || self.attempts >= self.config.attempts {
            let sign_off = self.woken && failed.failure.leaves_awake();
            let furthest = match self.best.take() {
                Some(best) if best.failure.progress() > failed.failure.progress() => best,
                _ => failed,
            };
            return self.over(Err(Failed { attempts: self.attempts, ..furthest }), sign_off);
        }
        self.unasked.clear();
        self.at_other_rates.clear();
        self.fruitless += usize::from(failed.failure.is_silence());
        if self.best.as_ref().is_none_or(|best| best.failure.progress() <= failed.failure.progress()) {
            self.best = Some(failed);
        }
        self.notes.retain(|note| matches!(note, Note::FreedByDisc(_) | Note::FreedByLink(_)));
        State::Prelude(self.prelude(tasks::again(&self.config, left)))
    }

    /// The end, behind the sign-off of a meter that was woken.
    fn over(&self, outcome: Outcome, sign_off: bool) -> State {
        let outcome = Box::new(outcome);
        if sign_off {
            State::SignOff(self.prelude(tasks::sign_off(&self.config)), outcome)
        } else {
            State::Done(outcome)
        }
    }

    /// How long a further attempt has to be given: as long as the last one, for a slow meter stays slow.
    fn next_attempt(&self, now: Instant) -> Duration {
        let request = self.start.wire_time(self.config.request.as_bytes().len());
        let last = self.asked.map_or(Duration::ZERO, |asked| now.saturating_duration_since(asked));
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
