//! From the request to the moment at which the acknowledgement can go out: the echo, the identification, and tr of
//! silence in which a meter that was not asked, or that answers twice, gives itself away.

use std::time::{Duration, Instant};

use crate::machine::Step;
use crate::protocol::identification::Identification;
use crate::protocol::message::STX;
use crate::protocol::parity;
use crate::protocol::settings::Settings;
use crate::protocol::timing;
use crate::signon::echo::{EchoFilter, Sifted};
use crate::signon::listen::{Damage, Heard, Listener};

/// Received characters that are kept as evidence.
const HEARD_MAX: usize = 1024;

/// Characters of text behind an identification that make it the head of a telegram.
const TELEGRAM_EVIDENCE: usize = 4;

/// Waiting for an identification.
#[derive(Debug)]
pub(super) struct Identify {
    settings: Settings,
    lag: Duration,
    echo: EchoFilter,
    listener: Listener,
    /// From the first bit of the request to the first character of the answer, at most.
    first_within: Duration,
    /// When that character has to be there.
    first_by: Instant,
    /// When the whole sign-on has to have failed, if it has not come further.
    limit: Option<Instant>,
    last: Option<Instant>,
    /// When the last character came that may be our echo or the meter's `/`.
    undecided: Option<Instant>,
    heard: Vec<u8>,
    /// The same, our echo included.
    received: Vec<u8>,
    found: Option<Found>,
    ended: Option<Ended>,
}

#[derive(Debug)]
struct Found {
    identification: Identification,
    has_parity: bool,
    strays: usize,
    at: Instant,
    /// What came behind it.
    after: Vec<u8>,
}

/// How the waiting ended.
#[derive(Clone, Debug)]
pub(super) enum Ended {
    /// With an identification, and tr of silence after it.
    Identified {
        /// Who answered.
        identification: Identification,
        /// Whether bit 7 carried parity.
        has_parity: bool,
        /// Characters before it that belong to nothing.
        strays: usize,
    },
    /// With one that goes on as a telegram.
    Telegram(Identification),
    /// With one that goes on as a data message.
    Readout(Identification),
    /// With one whose parity was wrong.
    Damaged(Damage),
    /// With a line that has no end.
    Endless,
    /// With one that was still coming when the time was up.
    Unfinished,
    /// Without any.
    Nothing,
}

impl Identify {
    /// Waits for the answer to `request`, whose first character leaves at `now`.
    pub(super) fn new(
        request: &[u8],
        settings: Settings,
        lag: Duration,
        wait: Duration,
        limit: Option<Instant>,
        now: Instant,
    ) -> Self {
        let first_within = settings.wire_time(request.len()) + wait;
        Self {
            settings,
            lag,
            echo: EchoFilter::new(request),
            listener: Listener::new(settings, lag),
            first_within,
            first_by: now + first_within,
            limit,
            last: None,
            undecided: None,
            heard: Vec::new(),
            received: Vec::new(),
            found: None,
            ended: None,
        }
    }

    /// What was received, our echo left out.
    pub(super) fn heard(&self) -> &[u8] {
        &self.heard
    }

    /// What was received, our echo included.
    pub(super) fn received(&self) -> &[u8] {
        &self.received
    }

    /// Whether our echo was heard.
    pub(super) fn echo_heard(&self) -> bool {
        self.echo.heard()
    }

    /// The request was handed over at this instant.
    pub(super) fn sent(&mut self, at: Instant) {
        self.first_by = at + self.first_within;
    }

    /// Takes one received character.
    pub(super) fn receive(&mut self, byte: u8, now: Instant) {
        if self.received.len() < HEARD_MAX {
            self.received.push(byte);
        }
        match self.echo.sift(byte) {
            Sifted::Nothing => {}
            Sifted::One(byte) => self.take(byte, now),
            Sifted::Two(first, second) => {
                self.take(first, now);
                self.take(second, now);
            }
        }
        self.undecided = self.echo.is_undecided().then_some(now);
    }

    fn take(&mut self, byte: u8, now: Instant) {
        self.last = Some(now);
        if self.heard.len() < HEARD_MAX {
            self.heard.push(byte);
        }
        if let Some(found) = &mut self.found
            && found.after.len() < HEARD_MAX
        {
            found.after.push(parity::strip(byte));
        }
        if let Some(heard) = self.listener.push(byte, now) {
            self.hear(heard, now);
        }
    }

    fn hear(&mut self, heard: Heard, at: Instant) {
        match heard {
            Heard::Identification { identification, has_parity } => {
                // A second answer, after a retry, is as good as the first; another line before it was none.
                let strays = match &self.found {
                    Some(found) if found.identification == identification => found.strays,
                    _ => strays(&self.heard, identification.line()),
                };
                self.found = Some(Found { identification, has_parity, strays, at, after: Vec::new() });
            }
            Heard::Damaged(damage) if self.found.is_none() => self.ended = Some(Ended::Damaged(damage)),
            Heard::Endless if self.found.is_none() => self.ended = Some(Ended::Endless),
            _ => {}
        }
    }

    /// How it ended, or until when to wait.
    pub(super) fn poll(&mut self, now: Instant) -> Step<Ended> {
        if let Some((heard, at)) = self.listener.handle_timeout(now) {
            self.hear(heard, at);
        }
        if let Some(ended) = &self.ended {
            return Step::Done(ended.clone());
        }
        let until = match &self.found {
            Some(found) => self.decision(found),
            None => self.patience(),
        };
        if now < until {
            return Step::Wait(self.listener.deadline().map_or(until, |deadline| deadline.min(until)));
        }
        match self.found.take() {
            Some(found) => Step::Done(found.judged(self.listener.in_progress())),
            None if self.limit.is_some_and(|limit| now >= limit) && self.listener.has_begun() => {
                Step::Done(Ended::Unfinished)
            }
            None => {
                // The only character of a reset echo that never went on.
                self.heard.extend(self.echo.release());
                Step::Done(Ended::Nothing)
            }
        }
    }

    /// When the acknowledgement can go out: after tr of silence, but before the meter gives up on us.
    fn decision(&self, found: &Found) -> Instant {
        let latest = found.at + timing::ACKNOWLEDGEMENT_LATEST;
        if self.listener.in_progress() {
            return latest;
        }
        let reaction = if found.identification.is_fast() {
            // One character more than the standard's 20 ms shows whether a telegram goes on.
            timing::REACTION_MIN_FAST + self.settings.character() + self.lag
        } else {
            timing::REACTION_MIN
        };
        let quiet_since = if found.after.is_empty() { found.at } else { self.last.unwrap_or(found.at) };
        (quiet_since + reaction).min(latest)
    }

    /// When to give up on an identification.
    fn patience(&self) -> Instant {
        let next_by = |last| last + timing::INTER_CHARACTER_MAX + self.settings.character() + self.lag;
        if let Some(undecided) = self.undecided {
            return self.capped(next_by(undecided).max(self.first_by));
        }
        let Some(last) = self.last else { return self.capped(self.first_by) };
        if self.listener.in_progress() {
            return self.capped(next_by(last));
        }
        let until = self.first_by.max(last + timing::JUNK_PATIENCE);
        self.capped(until.min(self.first_by + timing::REACTION_MAX))
    }

    fn capped(&self, until: Instant) -> Instant {
        self.limit.map_or(until, |limit| until.min(limit))
    }
}

impl Found {
    fn judged(self, another_begun: bool) -> Ended {
        let text: Vec<u8> =
            self.after.iter().copied().skip_while(|byte| matches!(byte, 0 | b'\r' | b'\n')).collect();
        if text.first() == Some(&STX) {
            return Ended::Readout(self.identification);
        }
        let graphic = text.iter().filter(|byte| byte.is_ascii_graphic()).count();
        if graphic >= TELEGRAM_EVIDENCE && !another_begun {
            return Ended::Telegram(self.identification);
        }
        Ended::Identified {
            identification: self.identification,
            has_parity: self.has_parity,
            strays: self.strays,
        }
    }
}

/// How many of the characters in `heard` come before `line`, its end at the end of `heard`.
fn strays(heard: &[u8], line: &[u8]) -> usize {
    let plain = parity::stripped(heard);
    plain.windows(line.len()).rposition(|window| window == line).unwrap_or(0)
}
