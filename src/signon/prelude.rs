//! Carrying out what precedes a request, step by step: see [`tasks`] for the steps.
//!
//! What is received meanwhile is evidence, for nobody has asked: at the start rate a meter that sends by itself or
//! answers late; at other rates one that hangs in an earlier session.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::machine::{Action, Doing, Step};
use crate::protocol::hdlc::{self, Command};
use crate::protocol::message;
use crate::protocol::parity::{self, Parity};
use crate::protocol::settings::Settings;
use crate::protocol::timing;
use crate::signon::config::Config;
use crate::signon::echo::{EchoFilter, Sifted};
use crate::signon::tasks::{self, Task, Wanted};

/// Unasked characters that are kept as evidence.
const UNASKED_MAX: usize = 512;

/// Characters of the longest answer that is listened for: a UA with parameters.
const ANSWER_MAX: usize = 40;

/// Longest pause within a frame (IEC 62056-46, inter-octet time-out: 25 ms, and more where an adapter lags).
const BETWEEN_BYTES: Duration = Duration::from_millis(50);

/// How a prelude ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// All is done.
    Done,
    /// A DISC at this rate in Bd has freed the meter.
    Freed(u32),
    /// The meter was in HDLC at this rate in Bd without a link: SNRM and DISC have freed it.
    Unlinked(u32),
    /// The meter has answered a wake-up, or a sign-off.
    Acknowledged,
}

/// Carries out the steps of a prelude.
#[derive(Debug)]
pub(super) struct Prelude {
    config: Config,
    tasks: VecDeque<Task>,
    parity: Parity,
    waiting: Option<Waiting>,
    /// The step of freeing a meter that is under way, and their number.
    step: (usize, usize),
    /// The message that was sent last, and its echo.
    sent: Vec<u8>,
    echo: EchoFilter,
    /// Whether the meter has answered an SNRM.
    linked: bool,
    settings: Settings,
    last_received: Option<Instant>,
    /// Until when silence is waited for on a line that does not fall silent.
    patience: Option<Instant>,
    /// What came while an answer was listened for.
    answer: Vec<u8>,
    /// What came unasked at the start rate.
    unasked: Vec<u8>,
    /// What came at others: answers, and how a character of the start rate looks there.
    at_other_rates: Vec<u8>,
}

/// What the current step waits for.
#[derive(Clone, Copy, Debug)]
enum Waiting {
    WarmUp(Instant),
    Until(Instant),
    /// A message, which takes this long on the wire.
    Leaving {
        takes: Duration,
        until: Instant,
    },
    Silence {
        length: Duration,
        latest: Instant,
    },
    Answer {
        until: Instant,
        /// However many bytes come.
        latest: Instant,
        wanted: Wanted,
    },
}

impl Prelude {
    /// A prelude of these tasks to a request with this parity, on a line that has last received something then.
    pub(super) fn new(
        config: &Config,
        tasks: VecDeque<Task>,
        parity: Parity,
        last_received: Option<Instant>,
    ) -> Self {
        let steps = tasks.iter().filter(|task| **task == Task::Step).count();
        Self {
            settings: Settings::seven_even(config.start_baud),
            config: config.clone(),
            tasks,
            parity,
            waiting: None,
            step: (0, steps),
            sent: Vec::new(),
            echo: EchoFilter::new(&[]),
            linked: false,
            last_received,
            patience: None,
            answer: Vec::new(),
            unasked: Vec::new(),
            at_other_rates: Vec::new(),
        }
    }

    /// What came unasked and is no echo, at the start rate and at others; to be taken at its end.
    pub(super) fn seen(&mut self) -> (Vec<u8>, Vec<u8>) {
        (std::mem::take(&mut self.unasked), std::mem::take(&mut self.at_other_rates))
    }

    /// What it is busy with.
    pub(super) fn doing(&self) -> Doing {
        match self.step {
            (step @ 1.., of) => Doing::Freeing { step, of },
            _ => Doing::Preparing,
        }
    }

    /// The message that it is waiting for to leave was handed over at this instant.
    pub(super) fn sent(&mut self, at: Instant) {
        if let Some(Waiting::Leaving { takes, until }) = &mut self.waiting {
            *until = at + *takes;
        }
    }

    /// Takes one received character.
    pub(super) fn receive(&mut self, byte: u8, now: Instant) {
        self.last_received = Some(now);
        let more = now + self.settings.wire_time(4) + BETWEEN_BYTES + self.config.lag;
        match &mut self.waiting {
            // A line that was idle or at break for ten bits, as a head without power leaves it: nobody has said
            // anything.
            Some(Waiting::WarmUp(_)) if matches!(parity::strip(byte), 0 | 0x7F) => {}
            // Unsifted: a UA opens like the DISC that it answers.
            Some(Waiting::Answer { until, latest, .. }) => {
                keep(&mut self.answer, &[byte]);
                if self.answer.contains(&hdlc::FLAG) {
                    *until = more.clamp(*until, *latest);
                }
            }
            _ => match self.echo.sift(byte) {
                Sifted::Nothing => {}
                Sifted::One(byte) => self.keep_unasked(&[byte]),
                Sifted::Two(first, second) => self.keep_unasked(&[first, second]),
            },
        }
    }

    fn keep_unasked(&mut self, bytes: &[u8]) {
        let at_start = self.settings == Settings::seven_even(self.config.start_baud);
        keep(if at_start { &mut self.unasked } else { &mut self.at_other_rates }, bytes);
    }

    /// Puts what came while an answer was listened for to the rest, but for our echo.
    fn end_listening(&mut self) {
        let answer = std::mem::take(&mut self.answer);
        let echo = answer.strip_prefix(&self.sent[..]).map(<[u8]>::len);
        let is_part = answer.iter().all(|byte| self.sent.contains(byte)) && answer.len() < self.sent.len();
        let rest = if is_part { &[] } else { &answer[echo.map_or(0, |rest| answer.len() - rest)..] };
        self.keep_unasked(rest);
    }

    /// What to do now; at its end, how it ended.
    pub(super) fn poll(&mut self, now: Instant) -> Step<Ended> {
        match self.waiting {
            Some(Waiting::WarmUp(until) | Waiting::Until(until) | Waiting::Leaving { until, .. })
                if now < until =>
            {
                return Step::Wait(until);
            }
            Some(Waiting::Silence { length, latest }) => {
                let until = self.last_received.map_or(now, |last| (last + length).min(latest));
                if now < until {
                    return Step::Wait(until);
                }
            }
            Some(Waiting::Answer { until, wanted, .. }) => {
                if let Some(ended) = self.answered(wanted) {
                    self.waiting = None;
                    self.tasks.clear();
                    // The answer to a wake-up is none to a request; one in HDLC is a sign of life.
                    if ended != Ended::Acknowledged {
                        self.end_listening();
                    }
                    return Step::Done(ended);
                }
                if let (true, Some(Waiting::Answer { .. })) = (now < until, self.waiting) {
                    return Step::Wait(until);
                }
                self.end_listening();
            }
            _ => {}
        }
        self.waiting = None;
        self.begin_next(now)
    }

    fn begin_next(&mut self, now: Instant) -> Step<Ended> {
        let Some(task) = self.tasks.pop_front() else { return Step::Done(Ended::Done) };
        match task {
            Task::Step => {
                self.step.0 += 1;
                self.begin_next(now)
            }
            Task::Configure(settings) => {
                self.settings = settings;
                Step::Do(Action::Configure { settings, parity: self.parity, drain: true })
            }
            Task::Transmit(message) => {
                self.sent.clone_from(&message);
                self.echo = EchoFilter::new(&message);
                let takes = self.settings.wire_time(message.len());
                self.waiting = Some(Waiting::Leaving { takes, until: now + takes });
                Step::Do(Action::Transmit(message))
            }
            Task::Break => {
                // A head that echoes returns it as a NUL.
                self.echo = EchoFilter::new(&[0]);
                Step::Do(Action::Break(timing::LINE_BREAK))
            }
            Task::WarmUp(length) => {
                self.waiting = Some(Waiting::WarmUp(now + length));
                Step::Wait(now + length)
            }
            Task::Wait(length) => {
                self.waiting = Some(Waiting::Until(now + length));
                Step::Wait(now + length)
            }
            Task::Silence(length) => {
                // All silences of a prelude share one patience.
                let latest = *self.patience.get_or_insert(now + timing::SILENCE_PATIENCE);
                self.waiting = Some(Waiting::Silence { length, latest });
                self.poll(now)
            }
            Task::Listen(length, wanted) => {
                self.answer.clear();
                let until = now + length;
                let latest = until + self.settings.wire_time(ANSWER_MAX);
                self.waiting = Some(Waiting::Answer { until, latest, wanted });
                Step::Wait(until)
            }
        }
    }

    /// What the answer so far ends the prelude with, if it does. An answer that asks for other steps begins them.
    fn answered(&mut self, wanted: Wanted) -> Option<Ended> {
        let baud = self.settings.baud;
        let has = |answer: Command| hdlc::frames(&self.answer).any(|frame| frame.command == answer);
        match wanted {
            Wanted::Acknowledgement => {
                let acknowledged = self.answer.iter().any(|&byte| parity::strip(byte) == message::ACK);
                acknowledged.then_some(Ended::Acknowledged)
            }
            Wanted::Disconnected if has(Command::Ua) => {
                Some(if self.linked { Ended::Unlinked(baud) } else { Ended::Freed(baud) })
            }
            Wanted::Disconnected if has(Command::Dm) && !self.linked => {
                self.instead(&tasks::link(&self.config));
                None
            }
            Wanted::Linked if has(Command::Ua) => {
                self.linked = true;
                let again = Task::Transmit(self.config.addresses.snrm());
                while self
                    .tasks
                    .front()
                    .is_some_and(|task| *task == again || matches!(task, Task::Listen(_, Wanted::Linked)))
                {
                    self.tasks.pop_front();
                }
                self.instead(&tasks::unlink(&self.config));
                None
            }
            Wanted::Disconnected | Wanted::Linked => None,
        }
    }

    /// Goes on with these tasks in place of listening.
    fn instead(&mut self, tasks: &[Task]) {
        self.waiting = None;
        for task in tasks.iter().rev() {
            self.tasks.push_front(task.clone());
        }
    }
}

fn keep(kept: &mut Vec<u8>, bytes: &[u8]) {
    let room = UNASKED_MAX.saturating_sub(kept.len());
    kept.extend(bytes.iter().take(room));
}
