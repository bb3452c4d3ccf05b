//! From the acknowledgement to the answer at the new rate: the stages, and the one change of rate.
//!
//! The rate changes once, to the data rate at 8N1: after the last stop bit of the acknowledgement, before the meter
//! answers. What comes before the change is our echo, a second identification, or a meter that answers at the old
//! rate. What all of it comes to is for [`verdict`] to say.

use std::time::{Duration, Instant};

use crate::machine::{Action, Step};
use crate::protocol::content;
use crate::protocol::parity::{self, Parity};
use crate::protocol::settings::Settings;
use crate::protocol::timing;
use crate::signon::config::{Config, Confirm};
use crate::signon::echo::Head;
use crate::signon::verdict::{Answer, Run, Sent, Verdict, verdict};

/// The acknowledgement on its way, and the answer to it.
#[derive(Clone, Debug)]
pub(super) struct Acknowledge {
    sent: Sent,
    confirm: Confirm,
    /// Whether the change of rate waits for the adapter.
    drain: bool,
    /// From the hand-over to the change of rate.
    switch_after: Duration,
    run: Run,
    stage: Stage,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    /// It has to be handed over.
    Ready,
    /// It leaves, at the start rate.
    Leaving,
    /// The line is being set to the data rate.
    Switching,
    /// At the data rate since this instant.
    Listening(Instant),
    /// The line is being set to the start rate, to see whether the junk is a readout.
    Returning,
    /// At the start rate until this instant; what came from this byte on came there.
    Probing { until: Instant, from: usize },
    /// Back at the data rate, after nothing that could be read at either.
    Unreadable { from: usize },
}

impl Acknowledge {
    /// The acknowledgement `message` to a meter at the start rate, and the line behind it.
    pub(super) fn new(
        config: &Config,
        message: &[u8; 6],
        (start, data): (Settings, Settings),
        (head, asked): (Head, Instant),
        limit: Option<Instant>,
        now: Instant,
    ) -> Self {
        let computed = start.wire_time(message.len()) + timing::SWITCH_MARGIN;
        let (lag, wait) = (config.lag, config.wait_confirmation());
        Self {
            sent: Sent {
                message: *message,
                start,
                data,
                head,
                request: config.request.as_bytes().to_vec(),
                asked,
                lag,
                wait,
                limit,
                at: now,
            },
            confirm: config.confirm,
            drain: config.switch_delay.is_none(),
            switch_after: config.switch_delay.unwrap_or(computed),
            run: Run::default(),
            stage: Stage::Ready,
        }
    }

    /// The acknowledgement was handed over at this instant.
    pub(super) fn sent(&mut self, at: Instant) {
        self.sent.at = at;
    }

    /// What was received, our echo left out.
    pub(super) fn heard(&self) -> Vec<u8> {
        let since = if let Stage::Listening(since) = self.stage { since } else { self.sent.left() };
        self.run.without_echo(&self.sent, since).bytes().to_vec()
    }

    /// Takes one received byte.
    pub(super) fn receive(&mut self, byte: u8, now: Instant) {
        self.run.push(byte, now, matches!(self.stage, Stage::Ready | Stage::Leaving));
    }

    /// What to do now.
    pub(super) fn poll(&mut self, now: Instant) -> Step<Answer> {
        match self.stage {
            Stage::Ready => {
                self.sent.at = now;
                self.stage = Stage::Leaving;
                Step::Do(Action::Transmit(self.sent.message.to_vec()))
            }
            Stage::Leaving if now < self.sent.at + self.switch_after => {
                Step::Wait(self.sent.at + self.switch_after)
            }
            Stage::Leaving => {
                self.stage = Stage::Switching;
                Step::Do(configure(self.sent.data, self.drain))
            }
            // What came so far came at the start rate: nothing for the pipe.
            Stage::Switching if self.confirm == Confirm::Skip => Step::Done(Answer::NotAwaited),
            Stage::Switching => {
                self.stage = Stage::Listening(now);
                self.listen(now, now)
            }
            Stage::Listening(since) => self.listen(since, now),
            Stage::Returning => {
                let until = now + timing::READOUT_PROBE;
                self.stage = Stage::Probing { until, from: self.run.bytes().len() };
                Step::Wait(until)
            }
            Stage::Probing { until, .. } if now < until => Step::Wait(until),
            Stage::Probing { from, .. } if self.is_readout(from, now) => {
                Step::Done(Answer::Readout(self.sent.start.baud))
            }
            Stage::Probing { from, .. } => {
                self.stage = Stage::Unreadable { from };
                Step::Do(configure(self.sent.data, false))
            }
            // Whatever it was, the meter may still be at the data rate.
            Stage::Unreadable { from } => {
                Step::Done(Answer::Unconfirmed { unreadable: from, rest: Vec::new() })
            }
        }
    }

    fn listen(&mut self, since: Instant, now: Instant) -> Step<Answer> {
        match verdict(&self.sent, &self.run, since, now) {
            Verdict::Over(answer) => Step::Done(answer),
            Verdict::Open(until) => Step::Wait(until),
            Verdict::Probe => {
                self.stage = Stage::Returning;
                Step::Do(configure(self.sent.start, false))
            }
        }
    }

    /// Whether what came from this byte on, at the start rate, is a readout.
    fn is_readout(&self, from: usize, now: Instant) -> bool {
        let plain = parity::stripped(&self.run.bytes()[from..]);
        // A second identification has ended by now, and has no values.
        let goes_on = self.run.last().is_some_and(|last| now < last + self.sent.run_pause());
        content::says_something(&plain) && (goes_on || content::has_values(&plain, 0) || has_bracket(&plain))
    }
}

/// Whether a value has begun or ended: of a readout only a second or so was heard.
fn has_bracket(plain: &[u8]) -> bool {
    plain.iter().any(|byte| matches!(byte, b'(' | b')'))
}

/// The line set so. Nothing is sent at the start rate any more, so nobody computes parity.
fn configure(settings: Settings, drain: bool) -> Action {
    Action::Configure { settings, parity: Parity::None, drain }
}
