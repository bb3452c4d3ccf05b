//! Listening to a meter that sends by itself: SML, telegrams of text, HDLC frames.

use std::time::Instant;

use crate::hunt::found::{Found, Pushed};
use crate::machine::{Action, Step};
use crate::protocol::content::{self, Content};
use crate::protocol::hdlc;
use crate::protocol::message::STX;
use crate::protocol::parity::{self, Parity};
use crate::protocol::settings::Settings;

/// Received bytes in which a marker is looked for: the last ones.
const WINDOW: usize = 1024;

/// The rate of P1, from DSMR 4 on, in Bd.
const P1_BAUD: u32 = 115_200;

/// A time of listening.
#[derive(Debug)]
pub(super) struct Listen {
    settings: Settings,
    until: Instant,
    is_set: bool,
    window: Vec<u8>,
    found: Option<Found>,
}

impl Listen {
    pub(super) fn new(settings: Settings, until: Instant) -> Self {
        Self { settings, until, is_set: false, window: Vec::new(), found: None }
    }

    pub(super) fn receive(&mut self, bytes: &[u8], _now: Instant) {
        self.window.extend(bytes);
        if self.found.is_none() {
            self.found = self.marker();
        }
        if self.window.len() > WINDOW {
            self.window.drain(..self.window.len() - WINDOW);
        }
    }

    /// What was found, if anything was, and what was received; its end.
    pub(super) fn poll(&mut self, now: Instant) -> Step<(Option<Found>, Vec<u8>)> {
        if !self.is_set {
            self.is_set = true;
            return Step::Do(Action::Configure {
                settings: self.settings,
                parity: Parity::None,
                drain: true,
            });
        }
        if self.found.is_none() && now < self.until {
            return Step::Wait(self.until);
        }
        Step::Done((self.found.take(), std::mem::take(&mut self.window)))
    }

    fn marker(&self) -> Option<Found> {
        if hdlc::find(&self.window).is_some() {
            return Some(Found::Push(self.settings, Pushed::Frames));
        }
        match content::of(&self.window) {
            Content::Sml => Some(Found::Sml(self.settings)),
            Content::Telegram if self.window.iter().any(|&byte| parity::strip(byte) == STX) => None,
            Content::Telegram if self.settings.baud == P1_BAUD => Some(Found::P1(self.settings)),
            Content::Telegram => Some(Found::Push(self.settings, Pushed::Telegrams)),
            Content::Garbled | Content::Text | Content::Hdlc => None,
        }
    }
}
