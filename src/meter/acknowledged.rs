//! What the virtual meter does from an acknowledgement on: its answer to it, and its answers in HDLC.

use std::time::{Duration, Instant};

use crate::meter::behaviour::{Acknowledged, Unplugged};
use crate::meter::station::Station;
use crate::meter::{HDLC_REACTION, Meter, State, in_hdlc, vectors};
use crate::protocol::baud;
use crate::protocol::hdlc;
use crate::protocol::message;
use crate::protocol::parity;
use crate::protocol::settings::Settings;
use crate::protocol::timing;

impl Meter {
    pub(super) fn receive_acknowledgement(&mut self, start: u32, now: Instant) {
        let plain = parity::stripped(&std::mem::take(&mut self.inbox));
        let old = Settings::seven_even(start);
        let at = now + self.behaviour.confirm_reaction;
        let Some(&[message::ACK, control, z, mode, ..]) = plain.last_chunk::<6>() else { return };
        if self.behaviour.unplugged == Some(Unplugged::AfterAcknowledgement) {
            self.unplugged_at = Some(now + Duration::from_millis(50));
        }
        let named = self.behaviour.insists_on.or_else(|| baud::of_digit(z));
        let (Some(rate), b'2', b'2') = (named, control, mode) else {
            self.state = State::Ready;
            return self.send(&vectors::readout(), old, at);
        };
        let new = Settings::seven_even(rate);
        match self.behaviour.acknowledged.clone() {
            Acknowledged::SaysNothing => self.state = after_sign_on(rate),
            Acknowledged::Refuses { answer, at_new_rate, stays } => {
                self.state = if stays { after_sign_on(rate) } else { State::Ready };
                let settings = match (at_new_rate, stays) {
                    (false, _) => old,
                    (true, false) => new,
                    (true, true) => Settings::eight_none(rate),
                };
                self.send(&answer, settings, at);
            }
            Acknowledged::Confirms(confirmation) => {
                self.state = after_sign_on(rate);
                let settings = if confirmation.at_old_rate { old } else { new };
                let z = self.behaviour.insists_on.and_then(baud::digit).unwrap_or(z);
                let mut bytes = message::acknowledgement(control, z);
                if confirmation.parity {
                    bytes = bytes.map(parity::with_even);
                }
                let (pause_at, pause) = confirmation.pause.unwrap_or_default();
                let (first, second) = bytes.split_at(pause_at);
                let settings_8n1 = Settings::eight_none(settings.baud);
                self.send(first, settings_8n1, at);
                self.send(second, settings_8n1, at + settings.wire_time(pause_at) + pause);
                self.send(&confirmation.glued, settings_8n1, at + pause);
            }
        }
    }

    pub(super) fn receive_frame(&mut self, mut station: Station, now: Instant) {
        let inbox = std::mem::take(&mut self.inbox);
        let Some(frame) = hdlc::find(&inbox) else {
            self.inbox = inbox;
            return;
        };
        // A closing flag may open the next frame.
        self.inbox = inbox[frame.end - 1..].to_vec();
        let Some(reaction) = station.take(&self.behaviour, &frame) else { return };
        if reaction.leaves {
            self.inbox.clear();
        }
        self.state = if reaction.leaves { State::Ready } else { State::Hdlc(station) };
        self.send(&reaction.answer, Settings::eight_none(station.baud), now + HDLC_REACTION);
    }
}

fn after_sign_on(baud: u32) -> State {
    in_hdlc(baud, Some(timing::INACTIVITY), false)
}
