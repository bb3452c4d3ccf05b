//! What precedes a request, as lists of steps: warming up, waking the meter, freeing it from an earlier session or
//! attempt. [`crate::signon::prelude`] carries them out; only a [`Task::Listen`] can cut them short, when the meter has
//! given the answer that makes the rest needless.

use std::collections::VecDeque;
use std::time::Duration;

use crate::protocol::baud;
use crate::protocol::message;
use crate::protocol::settings::Settings;
use crate::protocol::timing;
use crate::signon::config::{Config, WakeUp};

/// One step on the way to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// Begin the next step of freeing a meter.
    Step,
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
    /// Listen for this answer, which has to begin within this time.
    Listen(Duration, Wanted),
}

/// The answer that is listened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// UA to a DISC: the meter that was deaf is free now. With DM it is not.
    Disconnected,
    /// UA to an SNRM: now a DISC will free it.
    Linked,
    /// The ACK of a meter that is awake, or that has signed off.
    Acknowledgement,
}

/// What an attempt that has failed leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    /// A meter that has said nothing, in the first attempt: it may be deaf in an earlier session.
    PerhapsDeaf,
    /// Nothing that has to be ended.
    Nothing,
    /// A meter that has answered something unusable, and would go on with a readout.
    Talking,
    /// A meter that was acknowledged, and may be in HDLC at this rate.
    Acknowledged(Settings),
}

/// Before the first request.
pub(super) fn first(config: &Config) -> VecDeque<Task> {
    let mut tasks =
        vec![Task::Configure(Settings::seven_even(config.start_baud)), Task::WarmUp(config.warm_up)];
    tasks.extend(before_request(config));
    tasks.into()
}

/// Before a request that follows an attempt in which nothing usable came.
pub(super) fn again(config: &Config, left: Left) -> VecDeque<Task> {
    let start = Settings::seven_even(config.start_baud);
    // A meter counts its reaction time too: tr after its last character, and tr before the request.
    let stop = [
        Task::Silence(timing::REACTION_MIN),
        Task::Transmit(message::BREAK.to_vec()),
        Task::Wait(timing::REACTION_MIN),
    ];
    let mut tasks = Vec::new();
    match left {
        Left::PerhapsDeaf if config.recover => {
            tasks.extend(recovery(config));
            tasks.push(Task::Wait(timing::REACTION_MIN));
        }
        Left::Talking if config.recover => {
            tasks.push(Task::Configure(start));
            tasks.extend(stop);
        }
        Left::Acknowledged(settings) if config.recover => {
            tasks.extend(disconnect(config, settings, timing::HDLC_WAIT));
            tasks.push(Task::Configure(start));
            tasks.extend(stop);
        }
        Left::Talking => tasks.extend([Task::Configure(start), Task::Wait(timing::REACTION_MIN)]),
        _ => tasks.push(Task::Configure(start)),
    }
    tasks.push(Task::Silence(timing::REACTION_MIN));
    tasks.extend(before_request(config));
    tasks.into()
}

/// Free a meter that is deaf at the start rate: it hangs in an earlier session, in HDLC or at the sign-on's settings.
/// The BREAK comes early, since it is for every rate and address where the meter keeps to the standard (Annex E.5).
fn recovery(config: &Config) -> Vec<Task> {
    let start = Settings::seven_even(config.start_baud);
    let likely = if config.fixed_rate { config.start_baud } else { config.forced_baud.unwrap_or(9600) };
    let mut tasks = vec![Task::Step];
    tasks.extend(disconnect(config, Settings::eight_none(likely), timing::RECOVERY_LISTEN));
    if !config.fixed_rate {
        // Time for an echo of it, which would be junk at the next rate.
        tasks.extend([Task::Step, Task::Break, Task::Wait(timing::AFTER_BREAK)]);
        // The slow rates are as unlikely as the fast ones, and take longer.
        let mut others: Vec<u32> = baud::all().filter(|&rate| rate != likely).collect();
        others.sort_by_key(|&rate| rate.abs_diff(9600));
        for rate in others {
            tasks.push(Task::Step);
            tasks.extend(disconnect(config, Settings::eight_none(rate), timing::RECOVERY_GLANCE));
        }
    }
    tasks.extend([Task::Step, Task::Configure(start), Task::Transmit(message::BREAK.to_vec())]);
    tasks
}

/// A DISC on a line with these settings, and the time for its answer.
fn disconnect(config: &Config, settings: Settings, listen: Duration) -> [Task; 3] {
    [
        Task::Configure(settings),
        Task::Transmit(config.addresses.disc()),
        Task::Listen(listen + config.round_trip, Wanted::Disconnected),
    ]
}

/// To a meter that has answered a DISC with DM: it is in HDLC, and was never linked. The first SNRM may get lost.
pub(super) fn link(config: &Config) -> [Task; 4] {
    let snrm = Task::Transmit(config.addresses.snrm());
    let listen = Task::Listen(timing::RECOVERY_LINK + config.round_trip, Wanted::Linked);
    [snrm.clone(), listen.clone(), snrm, listen]
}

/// To a meter that has just been linked.
pub(super) fn unlink(config: &Config) -> [Task; 2] {
    [
        Task::Transmit(config.addresses.disc()),
        Task::Listen(timing::RECOVERY_LINK + config.round_trip, Wanted::Disconnected),
    ]
}

/// Directly before every request.
fn before_request(config: &Config) -> Vec<Task> {
    let mut tasks = match config.wake_up {
        None => Vec::new(),
        Some(WakeUp::Normal) => {
            vec![Task::Transmit(vec![0; timing::WAKE_UP_NULS]), Task::Wait(timing::WAKE_UP_SILENCE)]
        }
        Some(WakeUp::Fast) => {
            let burst = [
                Task::Transmit(vec![0; timing::FAST_WAKE_UP_NULS]),
                Task::Listen(timing::FAST_WAKE_UP_PAUSE, Wanted::Acknowledgement),
            ];
            let bursts = burst.into_iter().cycle().take(2 * timing::FAST_WAKE_UP_BURSTS as usize);
            bursts.chain([Task::Wait(timing::REACTION_MIN)]).collect()
        }
    };
    tasks.push(Task::Silence(timing::SILENCE_BEFORE_REQUEST));
    tasks
}

/// What is left to do when the answer has come: tr of silence, nothing else.
pub(super) fn after_answer(config: &Config) -> VecDeque<Task> {
    [
        Task::Configure(Settings::seven_even(config.start_baud)),
        Task::Wait(timing::REACTION_MIN),
        Task::Silence(timing::SILENCE_BEFORE_REQUEST),
    ]
    .into()
}

/// The end of a session that the fast wake-up has opened and that goes no further (Annex B.2).
pub(super) fn sign_off(config: &Config) -> VecDeque<Task> {
    [
        Task::Configure(Settings::seven_even(config.start_baud)),
        Task::Silence(timing::REACTION_MIN),
        Task::Transmit(message::SIGN_OFF.to_vec()),
        Task::Listen(timing::REACTION_MAX + config.round_trip, Wanted::Acknowledgement),
    ]
    .into()
}
