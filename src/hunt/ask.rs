//! One attempt of a hunt to make a meter identify itself, and the break message after whatever it has said.

use std::time::{Duration, Instant};

use crate::hunt::config::Config;
use crate::hunt::found::{Found, Pushed, Way};
use crate::hunt::script::{Script, Task};
use crate::machine::{Action, Machine, Step};
use crate::protocol::hdlc;
use crate::protocol::message::{self, STX};
use crate::protocol::parity;
use crate::protocol::settings::Settings;
use crate::protocol::timing;
use crate::signon::{self, Failed, Failure, Note, SignOn, WakeUp};

/// An identification that began in time may take this much longer than a wait in which nothing comes.
const LONGER: Duration = Duration::from_millis(2900);

/// How long a line that does not fall silent holds the break message up, before it is left out.
const SILENCE_PATIENCE: Duration = Duration::from_millis(600);

/// How an attempt ended.
#[derive(Debug)]
pub(super) enum Asked {
    Found(Box<Found>),
    Failed(Box<Failed>),
}

/// One attempt.
#[derive(Debug)]
pub(super) struct Ask {
    way: Way,
    recover: bool,
    lines: Option<(bool, bool)>,
    sign_on: SignOn,
    /// When it is given up, however much is still coming.
    end: Instant,
    received: Vec<u8>,
    notes: Vec<Note>,
    last_received: Option<Instant>,
    stopping: Option<Stopping>,
}

/// The break message, when the line has been silent for tr, and what is done after it.
#[derive(Debug)]
struct Stopping {
    by: Instant,
    script: Option<Script>,
    then: Option<Asked>,
}

impl Ask {
    /// Asks in this way with this wait, after this much quiet; gives up at `end` at the latest.
    pub(super) fn new(
        config: &Config,
        way: Way,
        wait: Duration,
        quiet: Duration,
        now: Instant,
        end: Instant,
    ) -> Self {
        let settings = Settings::seven_even(way.baud);
        let woken = if way.wakes {
            settings.wire_time(timing::WAKE_UP_NULS) + timing::WAKE_UP_SILENCE
        } else {
            Duration::ZERO
        };
        let nominal =
            config.round_trip + quiet + woken + settings.wire_time(way.request.as_bytes().len()) + wait;
        let sign_on = SignOn::new(
            signon::Config {
                start_baud: way.baud,
                warm_up: quiet,
                parities: [way.parity; 2],
                lag: config.lag,
                fixed_rate: config.fixed_baud.is_some(),
                round_trip: config.round_trip,
                request: way.request.clone(),
                attempts: 1,
                wait: Some(wait),
                recover: false,
                wake_up: way.wakes.then_some(WakeUp::Normal),
                ident_only: true,
                ..signon::Config::default()
            },
            now,
        );
        Self {
            lines: way.modem_lines,
            recover: config.recover,
            sign_on,
            end: (now + nominal + LONGER).min(end),
            received: Vec::new(),
            notes: Vec::new(),
            last_received: None,
            stopping: None,
            way,
        }
    }

    /// What was out of the ordinary about an identification.
    pub(super) fn notes(&self) -> &[Note] {
        &self.notes
    }

    pub(super) fn receive(&mut self, bytes: &[u8], now: Instant) {
        self.last_received = Some(now);
        if self.stopping.is_none() {
            self.received.extend(bytes);
            self.sign_on.receive(bytes, now);
        }
    }

    pub(super) fn sent(&mut self, at: Instant) {
        match &mut self.stopping {
            Some(Stopping { script: Some(script), .. }) => script.sent(at),
            Some(_) => {}
            None => self.sign_on.sent(at),
        }
    }

    pub(super) fn poll(&mut self, now: Instant) -> Step<Asked> {
        if let Some((dtr, rts)) = self.lines.take() {
            return Step::Do(Action::ModemLines { dtr, rts });
        }
        if self.stopping.is_none() {
            let ended = match self.sign_on.poll(now) {
                Step::Done(outcome) => outcome,
                _ if now >= self.end => Err(self.given_up()),
                Step::Do(action) => return Step::Do(action),
                Step::Wait(until) => return Step::Wait(until.min(self.end)),
            };
            let is_quiet = ended.is_ok();
            if let Ok(done) = &ended {
                self.notes.clone_from(&done.notes);
            }
            let (asked, broken_off) = self.judged(ended);
            if !broken_off || !self.recover {
                return Step::Done(asked);
            }
            // The silence behind an identification has been waited for: its own tr, which is short with some.
            if is_quiet {
                self.last_received = None;
            }
            let by = now + timing::REACTION_MIN + SILENCE_PATIENCE;
            self.stopping = Some(Stopping { by, script: None, then: Some(asked) });
        }
        self.stop(now)
    }

    /// What the attempt has come to, and whether the meter has to be told to stop.
    fn judged(&self, ended: Result<signon::SignedOn, Failed>) -> (Asked, bool) {
        let settings = Settings::seven_even(self.way.baud);
        let found = |found| Asked::Found(Box::new(found));
        let failed = match ended {
            Ok(done) => return (found(Found::SignOn(self.way.clone(), done.identification)), true),
            Err(failed) => failed,
        };
        let is_readout = self.received.iter().any(|&byte| parity::strip(byte) == STX);
        match (&failed.failure, &failed.identification) {
            (Failure::Readout(_) | Failure::NoModeE, Some(identification)) => {
                (found(Found::SignOn(self.way.clone(), identification.clone())), true)
            }
            (Failure::Push, _) if !is_readout => (found(Found::Push(settings, Pushed::Telegrams)), false),
            (Failure::Sml, _) => (found(Found::Sml(settings)), false),
            (Failure::Hdlc, _) if hdlc::find(&self.received).is_some() => {
                (found(Found::Push(settings, Pushed::Frames)), false)
            }
            (Failure::Silent | Failure::EchoOnly | Failure::Garbled, _) => {
                (Asked::Failed(Box::new(failed)), false)
            }
            _ => (Asked::Failed(Box::new(failed)), true),
        }
    }

    fn given_up(&self) -> Failed {
        Failed {
            failure: if self.received.is_empty() { Failure::Silent } else { Failure::Unfinished },
            identification: None,
            attempts: 1,
            received: self.received.clone(),
            echo: false,
        }
    }

    /// Waits for tr of silence, then breaks off whatever the meter has in mind.
    fn stop(&mut self, now: Instant) -> Step<Asked> {
        let Some(stopping) = &mut self.stopping else { return Step::Wait(now) };
        if stopping.script.is_none() {
            let silent = self.last_received.map_or(now, |last| last + timing::REACTION_MIN);
            if now < silent.min(stopping.by) {
                return Step::Wait(silent.min(stopping.by));
            }
            let settings = Settings::seven_even(self.way.baud);
            let tasks = [Task::Configure(settings, self.way.parity), Task::Transmit(message::BREAK.to_vec())];
            stopping.script = Some(Script::new(tasks.into_iter().filter(|_| now >= silent)));
        }
        if let Some(script) = &mut stopping.script {
            match script.poll(now) {
                Step::Do(action) => return Step::Do(action),
                Step::Wait(until) => return Step::Wait(until),
                Step::Done(()) => {}
            }
        }
        match stopping.then.take() {
            Some(asked) => Step::Done(asked),
            None => Step::Done(Asked::Failed(Box::new(self.given_up()))),
        }
    }
}
