//! What precedes a request: warming up, waking the meter, freeing it from an earlier session.
//!
//! All of it is lists of steps. The sign-on carries them out one by one; only a [`Step::Listen`] can cut them short,
//! when the meter has given the answer that makes the rest needless.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::protocol::baud;
use crate::protocol::hdlc;
use crate::protocol::message;
use crate::protocol::parity;
use crate::protocol::settings::Settings;
use crate::protocol::timing;
use crate::signon::Action;
use crate::signon::config::{Config, WakeUp};
use crate::signon::echo::{EchoFilter, Sifted};

/// Unasked characters that are kept as evidence.
const UNASKED_MAX: usize = 512;

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
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
pub(super) fn first(config: &Config) -> VecDeque<Step> {
    let mut steps =
        vec![Step::Configure(Settings::seven_even(config.start_baud)), Step::WarmUp(config.warm_up)];
    steps.extend(before_request(config));
    steps.into()
}

/// Before a request that follows an attempt in which nothing usable came. `heard` tells whether anything came at all:
/// a meter that is awake is told to stop, one that may be deaf is freed, but only once.
pub(super) fn again(config: &Config, attempt: u32, heard: bool) -> VecDeque<Step> {
    let start = Settings::seven_even(config.start_baud);
    let mut steps = Vec::new();
    match (config.recover, heard, attempt) {
        (true, true, _) => {
            steps.extend([Step::Configure(start), Step::Transmit(message::BREAK.to_vec())]);
        }
        (true, false, 1) => steps.extend(recovery(config)),
        _ => steps.push(Step::Configure(start)),
    }
    steps.extend([Step::Wait(timing::REACTION_MIN), Step::Silence(timing::REACTION_MIN)]);
    steps.extend(before_request(config));
    steps.into()
}

/// Free a meter that is deaf at the start rate: it hangs in an earlier session, in HDLC or at the sign-on's settings.
fn recovery(config: &Config) -> Vec<Step> {
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
        [Step::Configure(settings), Step::Transmit(disc.clone()), Step::Listen(listen, Answer::Frame)]
    });
    disconnects
        .chain([
            Step::Configure(start),
            Step::Transmit(message::BREAK.to_vec()),
            Step::Wait(timing::RECOVERY_LISTEN),
            Step::Break,
        ])
        .collect()
}

/// Directly before every request.
fn before_request(config: &Config) -> Vec<Step> {
    let mut steps = match config.wake_up {
        None => Vec::new(),
        Some(WakeUp::Normal) => {
            vec![Step::Transmit(vec![0; timing::WAKE_UP_NULS]), Step::Wait(timing::WAKE_UP_SILENCE)]
        }
        Some(WakeUp::Fast) => {
            let burst = [
                Step::Transmit(vec![0; timing::FAST_WAKE_UP_NULS]),
                Step::Listen(timing::FAST_WAKE_UP_PAUSE, Answer::Acknowledgement),
            ];
            let bursts = burst.into_iter().cycle().take(2 * timing::FAST_WAKE_UP_BURSTS as usize);
            bursts.chain([Step::Wait(timing::REACTION_MIN)]).collect()
        }
    };
    steps.push(Step::Silence(timing::SILENCE_BEFORE_REQUEST));
    steps
}

/// What is left to do when `answer` has come: tr of silence, nothing else.
pub(super) fn after_answer(config: &Config) -> VecDeque<Step> {
    [
        Step::Configure(Settings::seven_even(config.start_baud)),
        Step::Wait(timing::REACTION_MIN),
        Step::Silence(timing::SILENCE_BEFORE_REQUEST),
    ]
    .into()
}

/// Carries out the steps of a prelude.
#[derive(Debug)]
pub(super) struct Prelude {
    steps: VecDeque<Step>,
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
    Silence { length: Duration, latest: Instant },
    Answer { until: Instant, answer: Answer },
}

/// What a prelude wants next.
#[derive(Debug)]
pub(super) enum Next {
    /// An action.
    Act(Action),
    /// Time to pass, or characters.
    Wait(Instant),
    /// Nothing more: the request can go out.
    Ready,
}

impl Prelude {
    /// A prelude of these steps, on a line with these settings.
    pub(super) fn new(steps: VecDeque<Step>, settings: Settings) -> Self {
        Self {
            steps,
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

    /// The message that it is waiting for to leave was handed over this much later.
    pub(super) fn delayed(&mut self, by: Duration) {
        if let Some(Waiting::Until(left)) = &mut self.waiting {
            *left += by;
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

    /// What to do now. `Some(answer)` beside it tells that an answer has cut the prelude short.
    pub(super) fn poll(&mut self, now: Instant) -> (Next, Option<Answer>) {
        match self.waiting {
            Some(Waiting::WarmUp(until) | Waiting::Until(until)) if now < until => {
                return (Next::Wait(until), None);
            }
            Some(Waiting::Silence { length, latest }) => {
                let until = self.last_received.map_or(now, |last| (last + length).min(latest));
                if now < until {
                    return (Next::Wait(until), None);
                }
            }
            Some(Waiting::Answer { until, answer }) => {
                if answer.is_in(&self.answer) {
                    self.waiting = None;
                    self.steps.clear();
                    return (Next::Ready, Some(answer));
                }
                if now < until {
                    return (Next::Wait(until), None);
                }
            }
            _ => {}
        }
        self.waiting = None;
        let Some(step) = self.steps.pop_front() else { return (Next::Ready, None) };
        let next = match step {
            Step::Configure(settings) => {
                self.settings = settings;
                Next::Act(Action::Configure { settings, drain: true })
            }
            Step::Transmit(message) => {
                self.echo = EchoFilter::new(&message);
                self.waiting = Some(Waiting::Until(now + self.settings.wire_time(message.len())));
                Next::Act(Action::Transmit(message))
            }
            Step::Break => {
                // A head that echoes returns it as a NUL.
                self.echo = EchoFilter::new(&[0]);
                Next::Act(Action::Break(timing::LINE_BREAK))
            }
            Step::WarmUp(length) => {
                self.waiting = Some(Waiting::WarmUp(now + length));
                Next::Wait(now + length)
            }
            Step::Wait(length) => {
                self.waiting = Some(Waiting::Until(now + length));
                Next::Wait(now + length)
            }
            Step::Silence(length) => {
                self.waiting = Some(Waiting::Silence { length, latest: now + timing::SILENCE_PATIENCE });
                return self.poll(now);
            }
            Step::Listen(length, answer) => {
                self.answer.clear();
                self.waiting = Some(Waiting::Answer { until: now + length, answer });
                Next::Wait(now + length)
            }
        };
        (next, None)
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
