//! The hunt: a meter that does not answer is tried in every sensible way, one after the other, for at most a minute.
//!
//! A machine over machines. [`plan`] says what is tried, in the order of the expected time to success; a row of it is an
//! attempt to sign on, a handful of SNRMs, or a time of listening. The first valid identification, HDLC answer or
//! telegram ends the hunt, and [`Found`] says what works from now on.
//!
//! It does no harm: no password, no AARQ and no fast wake-up is ever sent; an identification is answered with the break
//! message, because a meter that is left alone starts a readout of up to 90 s; a link that was opened is closed.

mod ask;
mod config;
mod found;
mod knock;
mod listen;
pub mod plan;
mod script;
pub mod watch;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::machine::{Doing, Machine, Progress, Step};
use crate::signon::{Failed, Failure};

use ask::{Ask, Asked};
pub use config::Config;
pub use found::{Found, Pushed, Way};
use knock::{Knock, Met, Release};
use listen::Listen;
use plan::Row;

/// The end of a hunt, from its beginning.
pub const LIMIT: Duration = Duration::from_secs(60);

/// Kept free before [`LIMIT`] for the break message and the report.
const RESERVE: Duration = Duration::from_millis(400);

/// Received bytes that are kept as evidence of a line on which nothing was found.
const EVIDENCE_MAX: usize = 1024;

/// How a hunt ended.
#[derive(Clone, Debug)]
pub struct Hunted {
    /// What was found.
    pub found: Option<Found>,
    /// The attempt to sign on that got furthest, where nothing was found.
    pub furthest: Option<Failed>,
    /// What was tried, in this order.
    pub tried: Vec<Row>,
}

/// A hunt. See [`crate::machine`] for how it is driven.
#[derive(Debug)]
pub struct Hunt {
    config: Config,
    /// No row is begun that would outlast it.
    end: Instant,
    rows: VecDeque<Row>,
    of: usize,
    tried: Vec<Row>,
    heard: bool,
    /// What came in answer to HDLC frames and while listening.
    at_other_rates: Vec<u8>,
    furthest: Option<Failed>,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// Between two rows.
    Choosing,
    Asking(Box<Ask>),
    Knocking(Knock),
    Releasing(Release),
    Listening(Listen),
    /// A meter has answered in HDLC: does it sign on now, this way or those?
    Verifying(Box<Ask>, Met, Vec<Way>),
    Over(Option<Box<Found>>),
}

impl Hunt {
    /// A hunt that begins at `now`.
    pub fn new(config: Config, now: Instant) -> Self {
        let rows = plan::rows(&config);
        Self {
            end: now + LIMIT - RESERVE,
            of: rows.len(),
            rows: rows.into(),
            config,
            tried: Vec::new(),
            heard: false,
            at_other_rates: Vec::new(),
            furthest: None,
            stage: Stage::Choosing,
        }
    }

    /// The next row that has the time to be tried.
    fn choose(&mut self, now: Instant) -> Stage {
        while let Some(row) = self.rows.pop_front() {
            let is_for_silence = matches!(&row, Row::Ask { way, .. } if way.modem_lines.is_some());
            if now + row.time() + self.config.round_trip > self.end || (is_for_silence && self.heard) {
                continue;
            }
            self.tried.push(row.clone());
            return match row {
                Row::Ask { way, wait } => {
                    let first = if self.tried.len() == 1 { self.config.warm_up } else { Duration::ZERO };
                    Stage::Asking(Box::new(Ask::new(&self.config, way, wait, first, now, self.end)))
                }
                Row::Knock { settings, addresses, wait } => {
                    Stage::Knocking(Knock::new(settings, addresses, wait + self.config.round_trip))
                }
                Row::Release(settings) => Stage::Releasing(Release::new(&self.config, settings)),
                Row::Listen { settings, time } => Stage::Listening(Listen::new(settings, now + time)),
            };
        }
        Stage::Over(None)
    }

    /// After an attempt to sign on that is a row.
    fn asked(&mut self, asked: Asked) -> Stage {
        let failed = match asked {
            Asked::Found(found) => return Stage::Over(Some(found)),
            Asked::Failed(failed) => *failed,
        };
        let is_junk = !matches!(failed.failure, Failure::Silent | Failure::EchoOnly | Failure::Parity(_));
        if self.tried.len() == 1 && is_junk {
            // Somebody talks: listen first.
            self.rows.make_contiguous().sort_by_key(|row| !matches!(row, Row::Listen { .. }));
        }
        self.keep(failed);
        Stage::Choosing
    }

    /// Keeps the attempt that got furthest.
    fn keep(&mut self, failed: Failed) {
        let furthest = self.furthest.as_ref().map(|furthest| furthest.failure.progress());
        if furthest.is_none_or(|furthest| furthest < failed.failure.progress()) {
            self.furthest = Some(failed);
        }
    }

    /// After HDLC frames were sent.
    fn knocked(&mut self, met: Option<Met>, received: &[u8], now: Instant) -> Stage {
        self.evidence(received);
        let Some(met) = met else { return Stage::Choosing };
        let ways = plan::verification(&self.config);
        self.verify(met, ways, now)
    }

    /// Asks a meter that has answered in HDLC in the next of these ways to sign on.
    fn verify(&mut self, met: Met, mut ways: Vec<Way>, now: Instant) -> Stage {
        let Some(way) = ways.pop() else {
            return Stage::Over(Some(Box::new(Found::DirectHdlc(met))));
        };
        let (wait, quiet) = (plan::VERIFICATION_WAIT, plan::VERIFICATION_QUIET);
        let end = self.end.max(now + plan::VERIFICATION_TIME);
        Stage::Verifying(Box::new(Ask::new(&self.config, way, wait, quiet, now, end)), met, ways)
    }

    fn evidence(&mut self, received: &[u8]) {
        let room = EVIDENCE_MAX.saturating_sub(self.at_other_rates.len());
        self.at_other_rates.extend(received.iter().take(room));
    }

    /// How it ended.
    fn hunted(&self, found: Option<&Found>) -> Hunted {
        let mut furthest = self.furthest.clone();
        if let Some(failed) = &mut furthest
            && matches!(failed.failure, Failure::Silent)
            && !self.at_other_rates.is_empty()
        {
            failed.failure = Failure::Garbled;
            failed.received.clone_from(&self.at_other_rates);
        }
        Hunted { found: found.cloned(), furthest, tried: self.tried.clone() }
    }
}

impl Machine for Hunt {
    type Outcome = Hunted;

    fn poll(&mut self, now: Instant) -> Step<Hunted> {
        loop {
            let next = match &mut self.stage {
                Stage::Over(found) => {
                    let found = found.clone();
                    return Step::Done(self.hunted(found.as_deref()));
                }
                Stage::Choosing => self.choose(now),
                Stage::Asking(ask) => match ask.poll(now) {
                    Step::Do(action) => return Step::Do(action),
                    Step::Wait(until) => return Step::Wait(until),
                    Step::Done(asked) => self.asked(asked),
                },
                Stage::Knocking(knock) => match knock.poll(now) {
                    Step::Do(action) => return Step::Do(action),
                    Step::Wait(until) => return Step::Wait(until),
                    Step::Done((met, received)) => self.knocked(met, &received, now),
                },
                Stage::Releasing(release) => match release.poll(now) {
                    Step::Do(action) => return Step::Do(action),
                    Step::Wait(until) => return Step::Wait(until),
                    Step::Done((met, received)) => self.knocked(met, &received, now),
                },
                Stage::Listening(listen) => match listen.poll(now) {
                    Step::Do(action) => return Step::Do(action),
                    Step::Wait(until) => return Step::Wait(until),
                    Step::Done((Some(found), _)) => Stage::Over(Some(Box::new(found))),
                    Step::Done((None, received)) => {
                        self.evidence(&received);
                        Stage::Choosing
                    }
                },
                Stage::Verifying(ask, met, ways) => match ask.poll(now) {
                    Step::Do(action) => return Step::Do(action),
                    Step::Wait(until) => return Step::Wait(until),
                    Step::Done(Asked::Found(found)) => {
                        Stage::Over(Some(Box::new(found.after_hdlc(met.clone()))))
                    }
                    Step::Done(Asked::Failed(_)) => {
                        let (met, ways) = (met.clone(), std::mem::take(ways));
                        self.verify(met, ways, now)
                    }
                },
            };
            self.stage = next;
        }
    }

    fn receive(&mut self, bytes: &[u8], now: Instant) {
        self.heard |= !bytes.is_empty();
        match &mut self.stage {
            Stage::Asking(ask) | Stage::Verifying(ask, ..) => ask.receive(bytes, now),
            Stage::Knocking(knock) => knock.receive(bytes, now),
            Stage::Releasing(release) => release.receive(bytes, now),
            Stage::Listening(listen) => listen.receive(bytes, now),
            Stage::Choosing | Stage::Over(_) => {}
        }
    }

    fn sent(&mut self, at: Instant) {
        match &mut self.stage {
            Stage::Asking(ask) | Stage::Verifying(ask, ..) => ask.sent(at),
            Stage::Knocking(knock) => knock.sent(at),
            Stage::Releasing(release) => release.sent(at),
            Stage::Listening(_) | Stage::Choosing | Stage::Over(_) => {}
        }
    }

    fn progress(&self) -> Option<Progress> {
        let step = self.tried.len();
        let what = match &self.stage {
            Stage::Verifying(_, met, _) => format!("does server {} sign on", met.from),
            _ => self.tried.last().map(Row::to_string).unwrap_or_default(),
        };
        Some(Progress { doing: Doing::Hunting { step, of: self.of, what }, attempt: 1 })
    }
}
