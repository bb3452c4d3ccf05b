//! A few actions in a row, with the time that they take.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::machine::{Action, Step};
use crate::protocol::parity::Parity;
use crate::protocol::settings::Settings;
use crate::protocol::timing;

/// Carries out actions one by one; a message is waited for until it has left.
#[derive(Debug)]
pub(super) struct Script {
    tasks: VecDeque<Task>,
    settings: Settings,
    /// When the next one is due, and how long that is after a message which is under way was handed over.
    due: Option<Instant>,
    leaves_in: Option<Duration>,
}

/// One of them.
#[derive(Debug)]
pub(super) enum Task {
    /// Set the line; parity is computed so.
    Configure(Settings, Parity),
    /// Send a message.
    Transmit(Vec<u8>),
    /// Hold the line at break.
    Break,
    /// Let time pass.
    Wait(Duration),
}

impl Script {
    pub(super) fn new(tasks: impl IntoIterator<Item = Task>) -> Self {
        let settings = Settings::seven_even(300);
        Self { tasks: tasks.into_iter().collect(), settings, due: None, leaves_in: None }
    }

    /// The message was handed over at this instant.
    pub(super) fn sent(&mut self, at: Instant) {
        self.due = self.leaves_in.map(|time| at + time);
    }

    pub(super) fn poll(&mut self, now: Instant) -> Step<()> {
        loop {
            if let Some(due) = self.due.filter(|&due| now < due) {
                return Step::Wait(due);
            }
            (self.due, self.leaves_in) = (None, None);
            match self.tasks.pop_front() {
                None => return Step::Done(()),
                Some(Task::Configure(settings, parity)) => {
                    self.settings = settings;
                    return Step::Do(Action::Configure { settings, parity, drain: true });
                }
                Some(Task::Transmit(message)) => {
                    let time = self.settings.wire_time(message.len()) + timing::SWITCH_MARGIN;
                    self.leaves_in = Some(time);
                    self.due = Some(now + time);
                    return Step::Do(Action::Transmit(message));
                }
                Some(Task::Break) => return Step::Do(Action::Break(timing::LINE_BREAK)),
                Some(Task::Wait(time)) => self.due = Some(now + time),
            }
        }
    }
}
