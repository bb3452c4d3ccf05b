//! From the request to the moment at which the acknowledgement can go out: the echo, the identification, and tr of
//! silence in which a meter that was not asked, or that answers twice, gives itself away.
//!
//! Characters are handed over some time after they came, most of it in a computer that was stopped. So an end of line
//! has come since the driver was last here, not before: from there on the time of the acknowledgement counts.

use std::time::{Duration, Instant};

use crate::machine::{Action, Step};
use crate::protocol::identification::Identification;
use crate::protocol::message::STX;
use crate::protocol::parity;
use crate::protocol::settings::Settings;
use crate::protocol::timing;
use crate::signon::config::Config;
use crate::signon::echo::{EchoFilter, Head, Sifted};
use crate::signon::listen::{Damage, Heard, Listener};

/// Received characters that are kept as evidence.
const HEARD_MAX: usize = 1024;

/// Characters of text behind an identification that make it the head of a telegram.
const TELEGRAM_EVIDENCE: usize = 4;

/// Identifications to one request that show a meter which sends by itself: three answers to three requests may be late.
const ENDLESS: usize = 4;

/// Kept free before the last moment for an acknowledgement, so that a driver that is a little late is not too late.
const HASTE: Duration = Duration::from_millis(50);

/// Waiting for an identification.
#[derive(Debug)]
pub(super) struct Identify {
    request: Vec<u8>,
    /// When the request was handed over; nothing before that.
    sent: Option<Instant>,
    settings: Settings,
    lag: Duration,
    echo: EchoFilter,
    /// From the last bit of the request to the last character of its echo.
    echo_late: Duration,
    listener: Listener,
    /// From the last bit of the request to the first character of the answer, at most.
    wait: Duration,
    /// When the whole sign-on has to have failed, if it has not come further.
    limit: Option<Instant>,
    last: Option<Instant>,
    /// How long before it was handed over the last end of a line may have come.
    end_uncertain: Duration,
    /// When the last character came that may be our echo or the meter's `/`.
    undecided: Option<Instant>,
    heard: Vec<u8>,
    /// The same, our echo included.
    received: Vec<u8>,
    found: Option<Found>,
    /// Identifications so far.
    count: usize,
    ended: Option<Ended>,
}

#[derive(Debug)]
struct Found {
    identification: Identification,
    has_parity: bool,
    strays: usize,
    /// When its end was handed over, and how long before that it may have come.
    at: Instant,
    uncertain: Duration,
    /// What came behind it.
    after: Vec<u8>,
}

/// What was seen of the head and of the meter meanwhile.
#[derive(Debug)]
pub(super) struct Seen {
    /// What the echo of the request has shown.
    pub(super) head: Head,
    /// What was received, our echo left out.
    pub(super) heard: Vec<u8>,
    /// What was received, our echo included.
    pub(super) received: Vec<u8>,
    /// When the request was handed over.
    pub(super) asked: Option<Instant>,
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
        /// Characters of noise before it.
        strays: usize,
        /// Until when it can be acknowledged.
        latest: Instant,
    },
    /// With one that goes on as a telegram, or that is sent again and again.
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
    /// Sends the request and waits for the answer to it.
    pub(super) fn new(config: &Config, settings: Settings, limit: Option<Instant>) -> Self {
        let request = config.request.as_bytes();
        Self {
            request: request.to_vec(),
            sent: None,
            settings,
            lag: config.lag,
            echo: EchoFilter::new(request),
            echo_late: Duration::ZERO,
            listener: Listener::new(settings, config.lag),
            wait: config.wait_identification(),
            limit,
            last: None,
            end_uncertain: Duration::ZERO,
            undecided: None,
            heard: Vec::new(),
            received: Vec::new(),
            found: None,
            count: 0,
            ended: None,
        }
    }

    /// What it has seen; to be taken at its end.
    pub(super) fn seen(&mut self) -> Seen {
        let copies = if self.echo_late > timing::ECHO_LATEST { 0 } else { self.echo.copies() };
        Seen {
            head: Head { copies, late: self.echo_late },
            heard: std::mem::take(&mut self.heard),
            received: std::mem::take(&mut self.received),
            asked: self.sent,
        }
    }

    /// The request was handed over at this instant.
    pub(super) fn sent(&mut self, at: Instant) {
        self.sent = Some(at);
    }

    /// When the answer has to have begun.
    fn first_by(&self, now: Instant) -> Instant {
        self.sent.unwrap_or(now) + self.settings.wire_time(self.request.len()) + self.wait
    }

    /// Takes one character that was received by `now`, since the driver was last here.
    pub(super) fn receive(&mut self, byte: u8, since: Instant, now: Instant) {
        if self.received.len() < HEARD_MAX {
            self.received.push(byte);
        }
        if matches!(parity::strip(byte), b'\r' | b'\n') {
            self.end_uncertain = now - since;
        }
        let copies = self.echo.copies();
        match self.echo.sift(byte) {
            Sifted::Nothing => {
                if let (Some(returned), Some(sent)) = (self.echo.returned(), self.sent) {
                    let left = sent + self.settings.wire_time(returned);
                    let late = now.saturating_duration_since(left);
                    // Of several copies the last one.
                    let same = copies == self.echo.copies() && copies == 1;
                    self.echo_late = if same { late } else { late.max(self.echo_late) };
                }
            }
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
                self.count += 1;
                if self.count >= ENDLESS {
                    self.ended = Some(Ended::Telegram(identification.clone()));
                }
                let (uncertain, after) = (self.end_uncertain, Vec::new());
                self.found = Some(Found { identification, has_parity, strays, at, uncertain, after });
            }
            Heard::Damaged(damage) if self.found.is_none() => self.ended = Some(Ended::Damaged(damage)),
            Heard::Endless if self.found.is_none() => self.ended = Some(Ended::Endless),
            _ => {}
        }
    }

    /// How it ended, or until when to wait.
    pub(super) fn poll(&mut self, now: Instant) -> Step<Ended> {
        if self.sent.is_none() {
            self.sent = Some(now);
            return Step::Do(Action::Transmit(self.request.clone()));
        }
        if let Some((heard, at)) = self.listener.handle_timeout(now) {
            self.hear(heard, at);
        }
        if let Some(ended) = &self.ended {
            return Step::Done(ended.clone());
        }
        let until = match &self.found {
            Some(found) => self.decision(found),
            None => self.patience(now),
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
        let latest = found.latest() - HASTE;
        if self.listener.in_progress() {
            return latest;
        }
        let reaction = if found.identification.is_fast() {
            // One character more than the standard's 20 ms shows whether a telegram goes on.
            timing::REACTION_MIN_FAST + self.settings.character() + self.lag
        } else {
            timing::REACTION_MIN + timing::REACTION_MARGIN
        };
        let quiet_since = if found.after.is_empty() { found.at } else { self.last.unwrap_or(found.at) };
        // tr is the meter's, however late we are.
        (quiet_since + reaction).min(latest).max(found.at + reaction)
    }

    /// When to give up on an identification.
    fn patience(&self, now: Instant) -> Instant {
        let first_by = self.first_by(now);
        let next_by = |last| last + timing::INTER_CHARACTER_MAX + self.settings.character() + self.lag;
        if let Some(undecided) = self.undecided {
            return self.capped(next_by(undecided).max(first_by));
        }
        let Some(last) = self.last else { return self.capped(first_by) };
        if self.listener.in_progress() {
            return self.capped(next_by(last));
        }
        let until = first_by.max(last + timing::JUNK_PATIENCE);
        self.capped(until.min(first_by + timing::REACTION_MAX))
    }

    fn capped(&self, until: Instant) -> Instant {
        self.limit.map_or(until, |limit| until.min(limit))
    }
}

impl Found {
    /// Until when it can be acknowledged.
    fn latest(&self) -> Instant {
        self.at - self.uncertain + timing::ACKNOWLEDGEMENT_LATEST
    }

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
            latest: self.latest(),
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
