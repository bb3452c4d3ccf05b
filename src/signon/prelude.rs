//! What precedes a request: warming up, waking the meter, freeing it from an earlier session.
//!
//! All of it is lists of steps. The sign-on carries them out one by one; only a [`Task::Listen`] can cut them short,
//! when the meter has given the answer that makes the rest needless.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::machine::{Action, Step};
use crate::protocol::baud;
use crate::protocol::hdlc;
use crate::protocol::message;
use crate::protocol::parity::{self, Parity};
use crate::protocol::settings::Settings;
use crate::protocol::timing;
use crate::signon::config::{Config, WakeUp};
use crate::signon::echo::{EchoFilter, Sifted};

/// Unasked characters that are kept as evidence.
const UNASKED_MAX: usize = 512;

/// One step on the way to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// Set the line.
    Configure(Settings),
    /// Send a message and wait until it has left.
    Transmit(Vec<u8>),
    /// Send a line BREAK.
    Break,
    /// Let the head come up, which may flicker.
    WarmUp(Duration),
    /// Let time pass.
    Wait(Duration),
    /// Wait until nothing has been received for this long, but with limited patience.
    Silence(Duration),
    /// Listen for an answer that ends the prelude.
    Listen(Duration, Answer),
}

/// The answer that makes the rest of a prelude needless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// An HDLC frame: the meter that was deaf is free now.
    Frame,
    /// The ACK of a meter that is awake.
    Acknowledgement,
}

/// Before the first request.
pub(super) fn first(config: &Config) -> VecDeque<Task> {
    let mut steps =
        vec![Task::Configure(Settings::seven_even(config.start_baud)), Task::WarmUp(config.warm_up)];
    steps.extend(before_request(config));
    steps.into()
}

/// Before a request that follows an attempt in which nothing usable came. `heard` tells whether anything came at all:
/// a meter that is awake is told to stop, one that may be deaf is freed, but only once.
pub(super) fn again(config: &Config, attempt: u32, heard: bool) -> VecDeque<Task> {
    let start = Settings::seven_even(config.start_baud);
    let mut steps = Vec::new();
    match (config.recover, heard, attempt) {
        (true, true, _) => {
            steps.extend([Task::Configure(start), Task::Transmit(message::BREAK.to_vec())]);
        }
        (true, false, 1) => steps.extend(recovery(config)),
        _ => steps.push(Task::Configure(start)),
    }
    steps.extend([Task::Wait(timing::REACTION_MIN), Task::Silence(timing::REACTION_MIN)]);
    steps.extend(before_request(config));
    steps.into()
}

/// Free a meter that is deaf at the start rate: it hangs in an earlier session, in HDLC or at the sign-on's settings.
fn recovery(config: &Config) -> Vec<Task> {
    let start = Settings::seven_even(config.start_baud);
    let likely = config.forced_baud.into_iter().chain([9600]);
    let mut rates: Vec<u32> = Vec::new();
    for rate in likely.chain(baud::all()) {
        if !rates.contains(&rate) {
            rates.push(rate);
        }
    }
    let disc = config.addresses.disc();
    let disconnects = rates.into_iter().flat_map(|rate| {
        let settings = Settings::eight_none(rate);
        // A UA is as long as a DISC, which counts at the slow rates.
        let listen = timing::RECOVERY_LISTEN + settings.wire_time(disc.len());
        [Task::Configure(settings), Task::Transmit(disc.clone()), Task::Listen(listen, Answer::Frame)]
    });
    disconnects
        .chain([
            Task::Configure(start),
            Task::Transmit(message::BREAK.to_vec()),
            Task::Wait(timing::RECOVERY_LISTEN),
            Task::Break,
        ])
        .collect()
}

/// Directly before every request.
fn before_request(config: &Config) -> Vec<Task> {
    let mut steps = match config.wake_up {
        None => Vec::new(),
        Some(WakeUp::Normal) => {
            vec![Task::Transmit(vec![0; timing::WAKE_UP_NULS]), Task::Wait(timing::WAKE_UP_SILENCE)]
        }
        Some(WakeUp::Fast) => {
            let burst = [
                Task::Transmit(vec![0; timing::FAST_WAKE_UP_NULS]),
                Task::Listen(timing::FAST_WAKE_UP_PAUSE, Answer::Acknowledgement),
            ];
            let bursts = burst.into_iter().cycle().take(2 * timing::FAST_WAKE_UP_BURSTS as usize);
            bursts.chain([Task::Wait(timing::REACTION_MIN)]).collect()
        }
    };
    steps.push(Task::Silence(timing::SILENCE_BEFORE_REQUEST));
    steps
}

/// What is left to do when `answer` has come: tr of silence, nothing else.
pub(super) fn after_answer(config: &Config) -> VecDeque<Task> {
    [
        Task::Configure(Settings::seven_even(config.start_baud)),
        Task::Wait(timing::REACTION_MIN),
        Task::Silence(timing::SILENCE_BEFORE_REQUEST),
    ]
    .into()
}

/// Carries out the steps of a prelude.
#[derive(Debug)]
pub(super) struct Prelude {
    tasks: VecDeque<Task>,
    parity: Parity,
    waiting: Option<Waiting>,
    echo: EchoFilter,
    start: Settings,
    settings: Settings,
    last_received: Option<Instant>,
    /// What came while an answer was listened for.
    answer: Vec<u8>,
    /// What came unasked at the start rate.
    unasked: Vec<u8>,
    /// What came at others, and is no answer: how a character of the start rate looks there, mostly.
    elsewhere: Vec<u8>,
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
        answer: Answer,
    },
}

impl Prelude {
    /// A prelude of these tasks, on a line with these settings, to a request with this parity.
    pub(super) fn new(tasks: VecDeque<Task>, settings: Settings, parity: Parity) -> Self {
        Self {
            tasks,
            parity,
            waiting: None,
            echo: EchoFilter::new(&[]),
            start: settings,
            settings,
            last_received: None,
            answer: Vec::new(),
            unasked: Vec::new(),
            elsewhere: Vec::new(),
        }
    }

    /// What came unasked at the start rate, and is no echo.
    pub(super) fn unasked(&self) -> &[u8] {
        &self.unasked
    }

    /// What came at other rates, and is no echo.
    pub(super) fn elsewhere(&self) -> &[u8] {
        &self.elsewhere
    }

    /// The rate in Bd that the line is set to.
    pub(super) fn baud(&self) -> u32 {
        self.settings.baud
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
        // A line that was idle or at break for ten bits, as a head without power leaves it: nobody has said anything.
        if matches!(self.waiting, Some(Waiting::WarmUp(_))) && matches!(parity::strip(byte), 0 | 0x7F) {
            return;
        }
        let sifted = self.echo.sift(byte);
        if matches!(self.waiting, Some(Waiting::Answer { .. })) {
            // Unsifted: a UA opens like the DISC that it answers.
            return keep(&mut self.answer, &[byte]);
        }
        let kept = if self.settings == self.start { &mut self.unasked } else { &mut self.elsewhere };
        match sifted {
            Sifted::Nothing => {}
            Sifted::One(byte) => keep(kept, &[byte]),
            Sifted::Two(first, second) => keep(kept, &[first, second]),
        }
    }

    /// What to do now; at its end, the answer that has cut it short, if one has.
    pub(super) fn poll(&mut self, now: Instant) -> Step<Option<Answer>> {
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
            Some(Waiting::Answer { until, answer }) => {
                if answer.is_in(&self.answer) {
                    self.waiting = None;
                    self.tasks.clear();
                    return Step::Done(Some(answer));
                }
                if now < until {
                    return Step::Wait(until);
                }
            }
            _ => {}
        }
        self.waiting = None;
        let Some(task) = self.tasks.pop_front() else { return Step::Done(None) };
        match task {
            Task::Configure(settings) => {
                self.settings = settings;
                Step::Do(Action::Configure { settings, parity: self.parity, drain: true })
            }
            Task::Transmit(message) => {
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
                self.waiting = Some(Waiting::Silence { length, latest: now + timing::SILENCE_PATIENCE });
                self.poll(now)
            }
            Task::Listen(length, answer) => {
                self.answer.clear();
                self.waiting = Some(Waiting::Answer { until: now + length, answer });
                Step::Wait(now + length)
            }
        }
    }
}

fn keep(kept: &mut Vec<u8>, bytes: &[u8]) {
    let room = UNASKED_MAX.saturating_sub(kept.len());
    kept.extend(bytes.iter().take(room));
}

impl Answer {
    fn is_in(self, received: &[u8]) -> bool {
        match self {
            Self::Frame => hdlc::frames(received).any(|frame| frame.command != hdlc::Command::Disc),
            Self::Acknowledgement => received.iter().any(|&byte| parity::strip(byte) == message::ACK),
        }
    }
}
