//! Watching how well the head sits: the same request again and again, while somebody turns it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::hunt::ask::{Ask, Asked};
use crate::hunt::config::Config;
use crate::hunt::found::{Found, Way};
use crate::machine::{Doing, Machine, Progress, Step};
use crate::protocol::identification::Identification;
use crate::protocol::timing;
use crate::signon::{Failure, Note};

/// From one request to the next; longer where the meter takes longer.
pub const INTERVAL: Duration = Duration::from_millis(2500);

/// Longest time for one request, however slowly its answer comes.
const PATIENCE: Duration = Duration::from_secs(8);

/// Requests over which the quality is counted.
const RECENT: usize = 10;

/// What came in answer to one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// Who answered, where that could be read.
    pub identification: Option<Identification>,
    /// Whether an identification came, damaged or with strays or not.
    pub answered: bool,
    /// Whether one came with neither.
    pub clean: bool,
    /// Whether the head returns what we send.
    pub echo: bool,
    /// Characters with wrong parity.
    pub wrong_parity: usize,
    /// Characters that belong to no identification.
    pub strays: usize,
}

/// One request, its answer, and the time until the next one: an answer is broken off with the break message.
#[derive(Debug)]
pub struct Look {
    ask: Ask,
    until: Instant,
    done: Option<Looked>,
}

impl Look {
    /// Asks in this way, after this much quiet.
    pub fn new(config: &Config, way: Way, quiet: Duration, now: Instant) -> Self {
        let ask = Ask::new(config, way, timing::WAIT, quiet, now, now + PATIENCE);
        Self { ask, until: now + INTERVAL, done: None }
    }
}

impl Machine for Look {
    type Outcome = Looked;

    fn poll(&mut self, now: Instant) -> Step<Looked> {
        if self.done.is_none() {
            let asked = match self.ask.poll(now) {
                Step::Do(action) => return Step::Do(action),
                Step::Wait(until) => return Step::Wait(until),
                Step::Done(asked) => asked,
            };
            self.done = Some(looked(&asked, self.ask.notes()));
            // The meter has to hear the break message, and needs tr after it.
            self.until = self.until.max(now + timing::REACTION_MIN);
        }
        match &self.done {
            Some(looked) if now >= self.until => Step::Done(looked.clone()),
            _ => Step::Wait(self.until),
        }
    }

    fn receive(&mut self, bytes: &[u8], now: Instant) {
        self.ask.receive(bytes, now);
    }

    fn sent(&mut self, at: Instant) {
        self.ask.sent(at);
    }

    fn progress(&self) -> Option<Progress> {
        Some(Progress { doing: Doing::Identifying, attempt: 1 })
    }
}

fn looked(asked: &Asked, notes: &[Note]) -> Looked {
    match asked {
        Asked::Found(found) => match &**found {
            Found::SignOn(_, identification) | Found::Hung(_, _, identification) => {
                let strays = notes.iter().map(|note| match note {
                    Note::StrayCharacters(count) => *count,
                    _ => 0,
                });
                let strays = strays.sum();
                Looked {
                    identification: Some(identification.clone()),
                    answered: true,
                    clean: strays == 0,
                    echo: notes.contains(&Note::Echo),
                    wrong_parity: 0,
                    strays,
                }
            }
            Found::DirectHdlc(_) | Found::Push(..) | Found::Sml(_) | Found::P1(_) => Looked::default(),
        },
        Asked::Failed(failed) => {
            let (wrong_parity, answered) = match &failed.failure {
                Failure::Parity(damage) => (damage.count, true),
                _ => (0, false),
            };
            let is_echo = matches!(failed.failure, Failure::EchoOnly);
            let strays = if answered || is_echo { 0 } else { failed.received.len() };
            let echo = failed.echo || is_echo;
            Looked { identification: None, answered, clean: false, echo, wrong_parity, strays }
        }
    }
}

/// How all requests went so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Requests.
    pub asked: u32,
    /// Identifications that came, damaged ones too.
    pub answered: u32,
    /// Identifications that came without damage and strays.
    pub clean: u32,
    recent: VecDeque<bool>,
}

impl Tally {
    /// Counts one more.
    pub fn add(&mut self, looked: &Looked) {
        self.asked += 1;
        self.answered += u32::from(looked.answered);
        self.clean += u32::from(looked.clean);
        self.recent.push_back(looked.clean);
        if self.recent.len() > RECENT {
            self.recent.pop_front();
        }
    }

    /// How many of the last ten requests were answered without damage and strays, in percent.
    pub fn quality(&self) -> u32 {
        let clean = self.recent.iter().filter(|&&clean| clean).count();
        (100 * clean / self.recent.len().max(1)) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quality_is_that_of_the_last_ten() {
        let mut tally = Tally::default();
        assert_eq!(tally.quality(), 0);
        let clean = Looked { answered: true, clean: true, ..Looked::default() };
        for _ in 0..10 {
            tally.add(&Looked::default());
        }
        for share in 1..=10 {
            tally.add(&clean);
            assert_eq!(tally.quality(), share * 10);
        }
        assert_eq!((tally.asked, tally.answered, tally.clean), (20, 10, 10));
    }
}
