//! From the acknowledgement to the answer at the new rate.
//!
//! The rate changes once, to the data rate at 8N1: after the last stop bit of the acknowledgement, before the meter
//! answers. What comes before the change is our echo, a second identification, or a meter that answers at the old
//! rate; what comes after it is for [`confirmation::judge`].

use std::time::{Duration, Instant};

use crate::machine::{Action, Step};
use crate::protocol::content;
use crate::protocol::parity::{self, Parity};
use crate::protocol::settings::Settings;
use crate::protocol::timing;
use crate::signon::config::{Config, Confirm};
use crate::signon::confirmation::{self, Confirmed, Judgement};
use crate::signon::echo::{EchoFilter, Sifted};

/// Received bytes that are kept: more than any answer has.
const KEPT_MAX: usize = 1024;

/// The acknowledgement on its way, and the answer to it.
#[derive(Debug)]
pub(super) struct Acknowledge {
    start: Settings,
    data: Settings,
    message: [u8; 6],
    confirm: Confirm,
    wait: Duration,
    lag: Duration,
    drain: bool,
    /// When the acknowledgement was handed over.
    sent: Instant,
    /// From then to the change of rate.
    switch_after: Duration,
    /// Present once the head is known to echo.
    echo: Option<EchoFilter>,
    /// Until when the tail of a late echo can come, at a rate that is over.
    tail_until: Option<Instant>,
    bytes: Vec<u8>,
    /// How many of `bytes` came before the change of rate.
    early: usize,
    /// When the current run of characters began, and its last character.
    run: Option<(Instant, Instant)>,
    stage: Stage,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    /// At the start rate.
    Sending,
    /// At the data rate since, but for the time that the change itself takes.
    Switching,
    /// At the data rate since this instant.
    Listening(Instant),
    /// Back at the start rate, to see whether the junk is a readout: until this instant, from this byte on.
    Probing { until: Option<Instant>, from: usize },
}

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
    NotAwaited {
        /// What belongs to the pipe.
        rest: Vec<u8>,
    },
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

impl Acknowledge {
    /// The acknowledgement `message`, whose first character leaves at `now`.
    pub(super) fn new(
        config: &Config,
        message: &[u8; 6],
        start: Settings,
        data: Settings,
        head_echoes: bool,
        now: Instant,
    ) -> Self {
        let computed = start.wire_time(message.len()) + timing::SWITCH_MARGIN;
        Self {
            start,
            data,
            message: *message,
            confirm: config.confirm,
            wait: config.wait_confirmation(),
            lag: config.lag,
            drain: config.switch_delay.is_none(),
            sent: now,
            echo: head_echoes.then(|| EchoFilter::new(message)),
            tail_until: None,
            bytes: Vec::new(),
            early: 0,
            run: None,
            switch_after: config.switch_delay.unwrap_or(computed),
            stage: Stage::Sending,
        }
    }

    /// The acknowledgement was handed over at this instant.
    pub(super) fn sent(&mut self, at: Instant) {
        self.sent = at;
    }

    /// When its last character has left a line that takes its time.
    fn left(&self) -> Instant {
        self.sent + self.start.wire_time(self.message.len())
    }

    /// What was received, our echo left out.
    pub(super) fn heard(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether our echo was heard.
    pub(super) fn echo_heard(&self) -> bool {
        self.echo.as_ref().is_some_and(EchoFilter::heard)
    }

    /// Takes one received byte.
    pub(super) fn receive(&mut self, byte: u8, now: Instant) {
        // An echo begins while we send, or is read when the adapter has drained at last; a first copy that comes later
        // is the meter's.
        let can_begin = match self.stage {
            Stage::Sending | Stage::Switching => true,
            Stage::Listening(since) => {
                let drained_late = self.drain && since > self.left() + 2 * timing::SWITCH_MARGIN;
                drained_late && now < since + self.lag
            }
            Stage::Probing { .. } => false,
        };
        let sifted = match &mut self.echo {
            None => Sifted::One(byte),
            Some(echo) if !can_begin && !echo.heard() => Sifted::One(byte),
            Some(echo) => echo.sift(byte),
        };
        match sifted {
            Sifted::Nothing => {}
            Sifted::One(byte) => self.take(&[byte], now),
            Sifted::Two(first, second) => self.take(&[first, second], now),
        }
    }

    fn take(&mut self, bytes: &[u8], now: Instant) {
        let answer_begun =
            self.bytes.len() > self.early || bytes.iter().any(|&b| confirmation::opens_answer(b));
        if self.tail_until.is_some_and(|until| now < until) && !answer_begun {
            return;
        }
        let room = KEPT_MAX.saturating_sub(self.bytes.len());
        self.bytes.extend(bytes.iter().take(room));
        self.run = match self.run {
            Some((began, last)) if now < last + self.run_pause() => Some((began, now)),
            _ => Some((now, now)),
        };
        if matches!(self.stage, Stage::Sending) {
            self.early = self.bytes.len();
        }
    }

    /// What to do now.
    pub(super) fn poll(&mut self, now: Instant) -> Step<Answer> {
        match self.stage {
            Stage::Sending if now < self.sent + self.switch_after => {
                Step::Wait(self.sent + self.switch_after)
            }
            Stage::Sending => {
                self.stage = Stage::Switching;
                Step::Do(configure(self.data, self.drain))
            }
            Stage::Switching => {
                self.stage = Stage::Listening(now);
                if self.confirm == Confirm::Skip {
                    // What came so far came at the start rate: nothing for the pipe.
                    return Step::Done(Answer::NotAwaited { rest: Vec::new() });
                }
                if let Some(missing) =
                    self.echo.as_ref().map(EchoFilter::missing).filter(|&missing| missing > 0)
                {
                    self.tail_until = Some(now + self.start.wire_time(missing + 1) + self.lag);
                }
                self.listen(now, now)
            }
            Stage::Listening(since) => self.listen(since, now),
            Stage::Probing { until, from } => self.probe(until, from, now),
        }
    }

    fn listen(&mut self, since: Instant, now: Instant) -> Step<Answer> {
        let late = self.bytes.get(self.early..).unwrap_or_default();
        let judgement = match confirmation::judge(&self.bytes) {
            // Junk of the old rate does not make a NAK at the new one unreadable.
            Judgement::Junk if confirmation::judge(late) == Judgement::Nak => Judgement::Nak,
            judgement => judgement,
        };
        let (began, last) = self.run.unwrap_or((since, since));
        // A meter that was still talking when we sent reacts to us only after that.
        let crossing = began < since;
        let base = if crossing { last.max(since) } else { since } + self.wait;
        let until = match judgement {
            Judgement::Confirmed { start, end, .. } if start < self.early && self.can_be_echo(last) => {
                let mut echo = EchoFilter::new(&self.message);
                for byte in self.bytes.drain(..end).skip(start) {
                    echo.sift(byte);
                }
                self.echo = Some(echo);
                self.early = self.early.saturating_sub(end);
                return self.listen(since, now);
            }
            Judgement::Confirmed { what, start, end } => {
                let came = if start < self.early { ConfirmedAt::OldRate } else { ConfirmedAt::NewRate };
                return Step::Done(Answer::Confirmed { what, came, rest: self.bytes.split_off(end) });
            }
            Judgement::Hdlc { start } => {
                let rest = self.bytes.split_off(start);
                return Step::Done(Answer::Unconfirmed { unreadable: 0, rest });
            }
            Judgement::Break => return Step::Done(Answer::Break),
            Judgement::Readout if self.early_telegram() => return Step::Done(Answer::Telegram),
            Judgement::Readout => return Step::Done(Answer::Readout(self.data.baud)),
            Judgement::Nak if now >= last + timing::NAK_SILENCE => return Step::Done(Answer::Nak),
            Judgement::Nak => last + timing::NAK_SILENCE,
            Judgement::Begun => {
                base.max(last + timing::INTER_CHARACTER_MAX + self.start.character() + self.lag)
            }
            Judgement::Nothing => base,
            Judgement::Junk => {
                let talking = self.run.is_some() && now < last + self.run_pause();
                let longest = if crossing { timing::CROSSING_CHARACTERS } else { timing::JUNK_CHARACTERS };
                let longest = self.start.character() * longest + self.lag;
                if talking && now >= began + longest && self.start.baud != self.data.baud {
                    self.stage = Stage::Probing { until: None, from: self.bytes.len() };
                    return Step::Do(configure(self.start, false));
                }
                // While it talks, its end or its excess decides.
                if talking { base.max((last + self.run_pause()).min(began + longest)) } else { base }
            }
        };
        if now < until {
            // A run that grows too long is noticed when it happens, not when the wait is over.
            let check = began + self.start.character() * timing::JUNK_CHARACTERS + self.lag;
            return Step::Wait(if now < check { until.min(check) } else { until });
        }
        if self.early_telegram() {
            return Step::Done(Answer::Telegram);
        }
        let sent = [self.message[1], self.message[2], self.message[3]];
        if let (Judgement::Begun, Some(what)) = (judgement, confirmation::unended(&self.bytes, sent)) {
            return Step::Done(Answer::Confirmed { what, came: ConfirmedAt::NewRate, rest: Vec::new() });
        }
        let rest =
            confirmation::open_flag(&self.bytes).map_or_else(Vec::new, |flag| self.bytes.split_off(flag));
        let unreadable = confirmation::unreadable(self.bytes.get(self.early..).unwrap_or_default());
        Step::Done(Answer::Unconfirmed { unreadable, rest })
    }

    /// Whether a copy of our message whose last character came then can be an echo: that is not complete before the
    /// message has left, where somebody answers on a pseudo-terminal, which takes no time; nor when an answer can be.
    fn can_be_echo(&self, last: Instant) -> bool {
        last + self.start.character() / 2 >= self.left()
            && last < self.left() + self.start.wire_time(self.message.len())
    }

    /// A pause this long ends a run of characters.
    fn run_pause(&self) -> Duration {
        self.start.character() * timing::RUN_PAUSE_CHARACTERS + self.lag
    }

    /// Listens at the start rate for text, then returns to the data rate.
    fn probe(&mut self, until: Option<Instant>, from: usize, now: Instant) -> Step<Answer> {
        let heard = &self.bytes[from.min(self.bytes.len())..];
        let Some(until) = until else {
            let until = now + timing::READOUT_PROBE;
            self.stage = Stage::Probing { until: Some(until), from };
            return Step::Wait(until);
        };
        if now < until {
            return Step::Wait(until);
        }
        let plain = parity::stripped(heard);
        // A second identification has ended by now, and has no values.
        let goes_on = self.run.is_some_and(|(_, last)| now < last + self.run_pause());
        let has_values = plain.iter().any(|byte| matches!(byte, b'(' | b')'));
        if content::is_mostly_text(&plain) && (goes_on || has_values) {
            return Step::Done(Answer::Readout(self.start.baud));
        }
        // Whatever it is, the meter may still be at the data rate.
        self.bytes.truncate(from);
        self.stage = Stage::Listening(now);
        self.run = None;
        self.wait = Duration::ZERO;
        Step::Do(configure(self.data, false))
    }

    /// Whether text that is no second identification was received while we sent.
    fn early_telegram(&self) -> bool {
        let plain = parity::stripped(&self.bytes[..self.early]);
        plain.iter().filter(|byte| byte.is_ascii_graphic()).count() >= 4
            && content::is_mostly_text(&plain)
            && !plain.contains(&b'/')
    }
}

/// The line set so. Nothing is sent at the start rate any more, so nobody computes parity.
fn configure(settings: Settings, drain: bool) -> Action {
    Action::Configure { settings, parity: Parity::None, drain }
}
