//! The virtual meter: a pure responder, the other end of [`crate::signon`].
//!
//! It takes characters and instants and puts characters with their earliest instants into an outbox. Who moves them
//! (a simulated clock, `sim:`, or `iecmeter` on a terminal) is [`crate::meter::wire`]'s business, as is everything that the
//! rates on both sides do to them.

pub mod behaviour;
mod nuls;
pub mod replay;
mod responder;
pub mod scenario;
pub mod simulate;
mod vectors;
pub mod wire;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::protocol::baud;
use crate::protocol::hdlc::{self, Command};
use crate::protocol::message;
use crate::protocol::parity;
use crate::protocol::settings::Settings;
use crate::protocol::timing;

use behaviour::{Acknowledged, Begins, Echo, Link, Unplugged};
pub use behaviour::{App, Behaviour};
use nuls::Nuls;
pub use replay::Replay;
pub use responder::Responder;
pub use simulate::simulate;

/// Received characters that are looked at for a message.
const INBOX_MAX: usize = 256;

/// A meter takes this long without an acknowledgement for a wish to be read out (1.5..2.2 s).
const READOUT_AFTER: Duration = Duration::from_millis(2000);

/// Reaction time in HDLC.
const HDLC_REACTION: Duration = Duration::from_millis(20);

/// A character that the meter sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Emission {
    /// Not before this instant.
    pub at: Instant,
    /// The eight bits between start and stop bit.
    pub byte: u8,
    /// Rate and framing.
    pub settings: Settings,
}

/// A virtual meter.
#[derive(Debug)]
pub struct Meter {
    behaviour: Behaviour,
    state: State,
    inbox: Vec<u8>,
    outbox: VecDeque<Emission>,
    /// Whether the reader sends parity bits: it is answered likewise.
    parity: bool,
    /// Requests heard, answered or not.
    requests: u32,
    /// Identifications sent.
    identified: u32,
    nuls: Nuls,
    next_push: Option<Instant>,
    last_heard: Option<Instant>,
    unplugged_at: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Waiting for a request.
    Ready,
    /// Identified at this rate in Bd; waiting for the acknowledgement until this instant.
    Identified(u32, Instant),
    /// In HDLC at this rate in Bd; back at the start after this much silence.
    Hdlc(u32, Duration),
    /// In an older session.
    Session,
}

impl Meter {
    /// A meter that behaves so, on a line that is opened at `now`.
    pub fn new(behaviour: Behaviour, now: Instant) -> Self {
        let state = match behaviour.begins {
            Begins::Ready => State::Ready,
            Begins::InHdlc(rate, inactivity) => State::Hdlc(rate, inactivity),
            Begins::InSession => State::Session,
        };
        Self {
            next_push: behaviour.pushes.as_ref().map(|_| now + timing::WARM_UP),
            behaviour,
            state,
            inbox: Vec::new(),
            outbox: VecDeque::new(),
            parity: false,
            requests: 0,
            identified: 0,
            nuls: Nuls::default(),
            last_heard: Some(now),
            unplugged_at: None,
        }
    }

    /// Whether it is in HDLC.
    pub fn in_hdlc(&self) -> bool {
        matches!(self.state, State::Hdlc(..))
    }

    /// Whether what came last is the break message.
    fn breaks(&self) -> bool {
        parity::stripped(&self.inbox).ends_with(&message::BREAK)
    }

    fn receive_request(&mut self, rate: u32, now: Instant) {
        let line = std::mem::take(&mut self.inbox);
        let plain = parity::stripped(&line);
        let Some(start) = plain.windows(2).rposition(|pair| pair == b"/?") else { return };
        let Some(address) = plain[start + 2..].strip_suffix(b"!\r\n") else { return };
        if self.behaviour.address.as_deref().is_some_and(|own| !message::is_same_address(own, address)) {
            return;
        }
        self.requests = self.requests.saturating_add(1);
        if self.requests <= self.behaviour.deaf_for || (self.behaviour.sleeps && !self.nuls.woke(now)) {
            return;
        }
        self.parity = line.iter().any(|&byte| byte >= 0x80);
        self.outbox.clear();
        let settings = Settings::seven_even(rate);
        let at = now + self.behaviour.reaction;
        if let Some(raw) = self.behaviour.raw.clone() {
            return self.send(&raw, settings, at);
        }
        let end = self.identify(settings, at);
        self.state = State::Identified(rate, end + READOUT_AFTER);
    }

    /// Sends the identification; when its last character will have left.
    fn identify(&mut self, settings: Settings, at: Instant) -> Instant {
        self.identified += 1;
        let junk = self.behaviour.junk.clone();
        self.send(&junk, settings, at);
        let mut line = [&self.behaviour.identification[..], &self.behaviour.end].concat();
        let length = line.len() as isize;
        if self.parity || self.behaviour.parity_in_sight {
            line.iter_mut().for_each(|byte| *byte = parity::with_even(*byte));
        }
        if let Some(flip) = self.behaviour.flip.filter(|flip| self.identified <= flip.times)
            && let Some(byte) = line.get_mut(flip.place)
        {
            *byte ^= 1 << flip.bit;
        }
        let sent = self.behaviour.cut.unwrap_or(line.len()).min(line.len());
        let mut at = at;
        let copies = if self.behaviour.repeats_after.is_some() { 2 } else { 1 };
        for copy in 0..copies {
            if copy > 0 {
                at += self.behaviour.repeats_after.unwrap_or_default();
            }
            for (place, &byte) in line[..sent].iter().enumerate() {
                let place = place as isize;
                let pauses = self.behaviour.pauses.iter();
                let pause = pauses.filter(|(before, _)| *before == place || *before + length == place);
                at += pause.map(|(_, pause)| *pause).sum::<Duration>();
                if let Some(Unplugged::InIdentification(after)) = self.behaviour.unplugged
                    && place == after as isize
                {
                    self.unplugged_at = Some(at);
                }
                self.outbox.push_back(Emission { at, byte, settings });
                at += settings.character();
            }
        }
        at + settings.wire_time(junk.len())
    }

    fn receive_acknowledgement(&mut self, start: u32, now: Instant) {
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
            Acknowledged::SaysNothing => self.state = State::Hdlc(rate, timing::INACTIVITY),
            Acknowledged::Refuses { answer, at_new_rate, stays } => {
                self.state = if stays { State::Hdlc(rate, timing::INACTIVITY) } else { State::Ready };
                let settings = match (at_new_rate, stays) {
                    (false, _) => old,
                    (true, false) => new,
                    (true, true) => Settings::eight_none(rate),
                };
                self.send(&answer, settings, at);
            }
            Acknowledged::Confirms(confirmation) => {
                self.state = State::Hdlc(rate, timing::INACTIVITY);
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

    fn receive_frame(&mut self, rate: u32, now: Instant) {
        let inbox = std::mem::take(&mut self.inbox);
        let Some(frame) = hdlc::find(&inbox) else {
            self.inbox = inbox;
            return;
        };
        // A closing flag may open the next frame.
        self.inbox = inbox[frame.end - 1..].to_vec();
        let answer = match (frame.command, &self.behaviour.link) {
            (_, Link::Deaf) => return,
            (Command::Snrm, Link::Opens(parameters)) => hdlc::unnumbered_acknowledgement(&frame, parameters),
            (Command::Snrm, Link::Refuses) => hdlc::disconnected_mode(&frame),
            (Command::Disc, _) => {
                self.inbox.clear();
                self.state = State::Ready;
                hdlc::unnumbered_acknowledgement(&frame, &[])
            }
            _ => return,
        };
        self.send(&answer, Settings::eight_none(rate), now + HDLC_REACTION);
    }

    /// Sends characters; where the framing is 7E1, with parity bits if the reader can see them.
    fn send(&mut self, characters: &[u8], settings: Settings, at: Instant) {
        let with_parity = settings == Settings::seven_even(settings.baud)
            && (self.parity || !self.behaviour.start_bauds.contains(&settings.baud))
            && self.behaviour.raw.is_none()
            && characters.is_ascii();
        self.outbox.extend(characters.iter().map(|&byte| Emission {
            at,
            byte: if with_parity { parity::with_even(byte) } else { byte },
            settings,
        }));
    }
}

impl Responder for Meter {
    fn rate(&self, sent: u32) -> u32 {
        match self.state {
            State::Hdlc(rate, _) | State::Identified(rate, _) => rate,
            State::Ready | State::Session if self.behaviour.start_bauds.contains(&sent) => sent,
            State::Ready | State::Session => self.behaviour.start_bauds[0],
        }
    }

    fn receive(&mut self, byte: u8, sent: u32, now: Instant) {
        let rate = self.rate(sent);
        self.last_heard = Some(now);
        if let (Some(Unplugged::After(after)), None) = (self.behaviour.unplugged, self.unplugged_at) {
            self.unplugged_at = Some(now + after);
        }
        self.inbox.push(byte);
        if self.inbox.len() > INBOX_MAX {
            self.inbox.drain(..INBOX_MAX / 2);
        }
        match self.state {
            State::Hdlc(rate, _) if self.behaviour.app == App::Echo => {
                self.inbox.clear();
                self.send(&[byte], Settings::eight_none(rate), now);
            }
            State::Hdlc(rate, _) => self.receive_frame(rate, now),
            State::Ready => {
                self.nuls.receive(byte, now);
                if self.breaks() {
                    self.inbox.clear();
                } else if parity::strip(byte) == b'\n' {
                    self.receive_request(rate, now);
                }
            }
            State::Identified(start, _) => {
                if self.breaks() {
                    self.outbox.clear();
                    self.inbox.clear();
                    self.state = State::Ready;
                } else if parity::strip(byte) == b'\n' {
                    self.receive_acknowledgement(start, now);
                }
            }
            State::Session => {
                if self.breaks() {
                    self.inbox.clear();
                    self.state = State::Ready;
                }
            }
        }
    }

    fn next_emission(&self) -> Option<Instant> {
        self.outbox.front().map(|emission| emission.at)
    }

    fn emit(&mut self) -> Option<Emission> {
        self.outbox.pop_front()
    }

    fn own_rate(&self) -> u32 {
        self.outbox.front().map_or_else(|| self.rate(0), |emission| emission.settings.baud)
    }

    fn deadline(&self) -> Option<Instant> {
        let state = match self.state {
            State::Identified(_, until) => Some(until),
            State::Hdlc(_, inactivity) => self.last_heard.map(|heard| heard + inactivity),
            State::Ready | State::Session => None,
        };
        [state, self.next_push, self.nuls.deadline()].into_iter().flatten().min()
    }

    fn poll(&mut self, now: Instant) {
        match self.state {
            State::Identified(start, until) if now >= until => {
                self.state = State::Ready;
                if self.behaviour.cut.is_none() && !self.behaviour.end.is_empty() {
                    self.send(&vectors::readout(), Settings::seven_even(start), now);
                }
            }
            State::Hdlc(_, inactivity) if self.last_heard.is_some_and(|heard| now >= heard + inactivity) => {
                self.state = State::Ready;
            }
            _ => {}
        }
        if let (Some(at), Some(push)) =
            (self.next_push.filter(|&at| now >= at), self.behaviour.pushes.clone())
        {
            self.next_push = Some(at + push.period);
            self.send(&push.telegram, Settings::seven_even(self.behaviour.start_bauds[0]), at);
        }
        if self.nuls.deadline().is_some_and(|deadline| now >= deadline) && self.nuls.end_burst() {
            let settings = Settings::seven_even(self.behaviour.start_bauds[0]);
            self.send(&[message::ACK], settings, now);
        }
    }

    fn unplugged_at(&self) -> Option<Instant> {
        self.unplugged_at
    }

    fn echo(&self) -> Option<Echo> {
        self.behaviour.echo
    }

    fn adapter_lag(&self) -> Option<Duration> {
        self.behaviour.adapter_lag
    }
}
