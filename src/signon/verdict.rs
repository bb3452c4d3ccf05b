//! What the bytes after the acknowledgement come to: a pure function of what was received and when.
//!
//! Every wait counts from its own beginning. An answer has to begin within the wait for a confirmation, counted from the
//! change of rate (or from the end of what crossed our acknowledgement); one that has begun has six characters, and may
//! pause between them. No stream of bytes makes that longer.

use std::time::{Duration, Instant};

use crate::protocol::content;
use crate::protocol::parity;
use crate::protocol::settings::Settings;
use crate::protocol::timing;
use crate::signon::confirmation::{self, Confirmed, Judgement};
use crate::signon::echo::Head;

/// Received bytes that are kept: more than any answer has.
const KEPT_MAX: usize = 1024;

/// Pauses within a confirmation.
const PAUSES: u32 = 5;

/// Printable characters that came while we sent, and make a telegram.
const TELEGRAM_EVIDENCE: usize = 4;

/// How the meter answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// With a confirmation.
    Confirmed {
        /// What it says.
        what: Confirmed,
        /// When it came.
        came: ConfirmedAt,
        /// What came behind it.
        rest: Vec<u8>,
    },
    /// Without one: with HDLC, with nothing, or with this much that could not be read.
    Unconfirmed {
        /// Bytes that could not be read.
        unreadable: usize,
        /// What belongs to the pipe.
        rest: Vec<u8>,
    },
    /// Nobody waited for it.
    NotAwaited,
    /// With NAK.
    Nak,
    /// With the break message.
    Break,
    /// With its data, at this rate in Bd.
    Readout(u32),
    /// It went on with a telegram that it had begun before.
    Telegram,
}

/// When a confirmation came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ConfirmedAt {
    /// After the change of rate.
    NewRate,
    /// Before it.
    OldRate,
}

/// What follows from what was received so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The meter has answered, or will not any more.
    Over(Answer),
    /// The line carries junk for too long: it has to be seen at the rate of the sign-on.
    Probe,
    /// Nothing follows before this instant, unless more is received.
    Open(Instant),
}

/// An acknowledgement that was sent.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    /// Its characters.
    pub(super) message: [u8; 6],
    /// The line before the change of rate, and after it.
    pub(super) start: Settings,
    pub(super) data: Settings,
    /// What the echo of the request has shown of the head so far.
    pub(super) head: Head,
    /// The request, and when it was handed over: more of its echo may come.
    pub(super) request: Vec<u8>,
    pub(super) asked: Instant,
    /// Longest time for which the line can hold received characters back.
    pub(super) lag: Duration,
    /// Longest wait for the answer to begin.
    pub(super) wait: Duration,
    /// When all has to be over.
    pub(super) limit: Option<Instant>,
    /// When it was handed over.
    pub(super) at: Instant,
}

impl Sent {
    /// When its last character has left a line that takes its time.
    pub(super) fn left(&self) -> Instant {
        self.at + self.start.wire_time(self.message.len())
    }

    /// A pause this long ends a run of characters.
    pub(super) fn run_pause(&self) -> Duration {
        self.start.character() * timing::RUN_PAUSE_CHARACTERS + self.lag
    }

    /// What is known of the head, the rest of the request's echo included.
    fn head(&self, run: &Run) -> Head {
        let late_copies = run.bytes.windows(self.request.len()).enumerate().filter(|(_, window)| {
            window.iter().zip(&self.request).all(|(&byte, &sent)| parity::strip(byte) == sent)
        });
        let asked = self.asked + self.start.wire_time(self.request.len());
        late_copies.fold(self.head, |head, (place, _)| {
            let late = run.times[place + self.request.len() - 1].saturating_duration_since(asked);
            Head { copies: head.copies + 1, late: late.max(head.late) }
        })
    }

    /// Until when a copy of it can be the echo of this head, on a line that was read again at `since`.
    fn echo_until(&self, head: Head, since: Instant) -> Instant {
        (self.left() + head.late + timing::ECHO_JITTER).max(since) + self.lag
    }
}

/// What was received since the acknowledgement was handed over.
#[derive(Clone, Debug, Default)]
pub(super) struct Run {
    bytes: Vec<u8>,
    times: Vec<Instant>,
    /// How many of them came before the change of rate.
    early: usize,
}

impl Run {
    /// Takes one byte.
    pub(super) fn push(&mut self, byte: u8, now: Instant, before_change: bool) {
        if self.bytes.len() < KEPT_MAX {
            self.bytes.push(byte);
            self.times.push(now);
        }
        if before_change {
            self.early = self.bytes.len();
        }
    }

    /// All of it.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// When the last byte came.
    pub(super) fn last(&self) -> Option<Instant> {
        self.times.last().copied()
    }

    /// The same from one byte on.
    fn from(&self, place: usize) -> Self {
        Self {
            bytes: self.bytes[place..].to_vec(),
            times: self.times[place..].to_vec(),
            early: self.early.saturating_sub(place),
        }
    }

    /// The same without what can be an echo of `sent`: as many copies as the head returns, whole or in part, and what
    /// is left of them. From the first byte that can be no echo on all is the meter's.
    pub(super) fn without_echo(&self, sent: &Sent, since: Instant) -> Self {
        let head = sent.head(self);
        if !head.echoes() {
            return self.clone();
        }
        let until = sent.echo_until(head, since);
        let mut copies = 0;
        let mut place = 0;
        let mut kept = Self::default();
        while place < self.bytes.len() && self.times[place] <= until {
            let plain = parity::strip(self.bytes[place]);
            let is_first = plain == sent.message[0];
            if is_first && copies < head.copies {
                copies += 1;
            } else if is_first
                || (confirmation::opens_answer(self.bytes[place]) && !sent.message.contains(&plain))
            {
                break;
            } else if place < self.early && !sent.message.contains(&plain) {
                // Nobody's echo, and not yet an answer: a meter that talks while we send.
                kept.push(self.bytes[place], self.times[place], true);
            }
            // At the new rate the tail of an echo is junk.
            place += 1;
        }
        let rest = self.from(place);
        kept.early += rest.early;
        kept.bytes.extend(rest.bytes);
        kept.times.extend(rest.times);
        kept
    }

    /// What came after the change of rate; but for what an adapter handed over late, which can be text of the old rate.
    fn at_new_rate(&self, certain_from: Instant) -> &[u8] {
        let rest = &self.bytes[self.early..];
        let of_old_rate = |place: usize| {
            self.times[self.early + place] <= certain_from && !confirmation::opens_answer(rest[place])
        };
        let skipped = (0..rest.len()).take_while(|&place| of_old_rate(place)).count();
        &rest[skipped..]
    }

    /// When the run of characters that is under way at this place began.
    fn began(&self, place: usize, pause: Duration) -> Instant {
        let mut first = place;
        while first > 0 && self.times[first] < self.times[first - 1] + pause {
            first -= 1;
        }
        self.times[first]
    }

    /// When the last character came of a run that was under way at this instant.
    fn crossing(&self, since: Instant, pause: Duration) -> Option<Instant> {
        let mut place = self.times.iter().rposition(|&at| at < since)?;
        while self.times.get(place + 1).is_some_and(|&next| next < self.times[place] + pause) {
            place += 1;
        }
        Some(self.times[place])
    }

    /// Whether text that is no second identification was received while we sent.
    fn early_telegram(&self) -> bool {
        let plain = parity::stripped(&self.bytes[..self.early]);
        plain.iter().filter(|byte| byte.is_ascii_graphic()).count() >= TELEGRAM_EVIDENCE
            && content::is_mostly_text(&plain)
            && !plain.contains(&b'/')
    }
}

/// Judges what was received by `now`, at the data rate since `since`.
pub(super) fn verdict(sent: &Sent, run: &Run, since: Instant, now: Instant) -> Verdict {
    let heard = run.without_echo(sent, since);
    let judgement = match confirmation::judge(&heard.bytes) {
        // Junk of the old rate does not make a NAK at the new one unreadable.
        Judgement::Junk if confirmation::judge(heard.at_new_rate(since + sent.lag)) == Judgement::Nak => {
            Judgement::Nak
        }
        judgement => judgement,
    };
    let last = heard.last().unwrap_or(since);
    let pause = sent.run_pause();
    // A meter that was still talking when we sent reacts to us only after that.
    let crossing = heard.crossing(since, pause).map(|end| {
        let longest = since + sent.start.character() * timing::CROSSING_CHARACTERS + sent.lag;
        end.clamp(since, longest)
    });
    let begin_by = crossing.unwrap_or(since) + sent.wait;
    let next_by = timing::INTER_CHARACTER_MAX + sent.start.character() + sent.lag;
    let until = match judgement {
        Judgement::Confirmed { what, start, end } => {
            let early = start < heard.early && sent.start.baud != sent.data.baud;
            let came = if early { ConfirmedAt::OldRate } else { ConfirmedAt::NewRate };
            return Verdict::Over(Answer::Confirmed { what, came, rest: heard.bytes[end..].to_vec() });
        }
        Judgement::Hdlc { start } => {
            let rest = heard.bytes[start..].to_vec();
            return Verdict::Over(Answer::Unconfirmed { unreadable: 0, rest });
        }
        Judgement::Break => return Verdict::Over(Answer::Break),
        Judgement::Readout if heard.early_telegram() => return Verdict::Over(Answer::Telegram),
        Judgement::Readout => return Verdict::Over(Answer::Readout(sent.data.baud)),
        Judgement::Nak => (last + timing::NAK_SILENCE).min(begin_by + timing::NAK_SILENCE),
        Judgement::Begun { start } if heard.times[start] <= begin_by => {
            begin_by.max((last + next_by).min(begin_by + next_by * PAUSES))
        }
        Judgement::Begun { .. } | Judgement::Nothing => begin_by,
        Judgement::Junk => {
            let began = heard.began(heard.bytes.len() - 1, pause);
            let characters =
                if began < since { timing::CROSSING_CHARACTERS } else { timing::JUNK_CHARACTERS };
            let too_long = began + sent.start.character() * characters + sent.lag;
            let talking = now < last + pause && sent.start.baud != sent.data.baud;
            let in_time = sent.limit.is_none_or(|limit| now + timing::READOUT_PROBE <= limit);
            if talking && now >= too_long && in_time {
                return Verdict::Probe;
            }
            // While it talks, its end or its excess decides.
            if talking && began <= begin_by { begin_by.max((last + pause).min(too_long)) } else { begin_by }
        }
    };
    let until = sent.limit.map_or(until, |limit| until.min(limit));
    if now < until {
        // A run that grows too long is noticed when it happens, not when the wait is over.
        let check = last + sent.start.character() * timing::JUNK_CHARACTERS + sent.lag;
        return Verdict::Open(if now < check { until.min(check) } else { until });
    }
    Verdict::Over(heard.in_the_end(sent, judgement))
}

impl Run {
    /// What it comes to when nothing more is waited for.
    fn in_the_end(&self, sent: &Sent, judgement: Judgement) -> Answer {
        if judgement == Judgement::Nak {
            return Answer::Nak;
        }
        if self.early_telegram() {
            return Answer::Telegram;
        }
        let says = [sent.message[1], sent.message[2], sent.message[3]];
        if let Judgement::Begun { start } = judgement
            && start >= self.early
            && let Some(what) = confirmation::unended(&self.bytes[start..], says)
        {
            return Answer::Confirmed { what, came: ConfirmedAt::NewRate, rest: Vec::new() };
        }
        let flag = confirmation::open_flag(&self.bytes).unwrap_or(self.bytes.len());
        let (before, rest) = self.bytes.split_at(flag);
        let unreadable = confirmation::unreadable(before.get(self.early..).unwrap_or_default());
        Answer::Unconfirmed { unreadable, rest: rest.to_vec() }
    }
}
