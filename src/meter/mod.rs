//! The virtual meter: a pure responder, the other end of [`crate::signon`].
//!
//! It takes characters and instants and puts characters with their earliest instants into an outbox. Who moves them
//! (a simulated clock, `sim:`, or `iecmeter` on a terminal) is [`crate::meter::wire`]'s business, as is everything that the
//! rates on both sides do to them.

mod acknowledged;
pub mod behaviour;
mod nuls;
pub mod replay;
mod responder;
pub mod scenario;
pub mod simulate;
mod station;
mod vectors;
pub mod wire;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::protocol::message;
use crate::protocol::parity;
use crate::protocol::settings::Settings;
use crate::protocol::timing;

pub use behaviour::{App, Behaviour};
use behaviour::{Begins, Echo, Unplugged};
use nuls::Nuls;
pub use replay::Replay;
pub use responder::Responder;
pub use simulate::simulate;
use station::Station;

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
    /// When somebody presses the key without which it does nothing.
    dead_until: Option<Instant>,
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
    /// In HDLC.
    Hdlc(Station),
    /// In an older session.
    Session,
}

impl Meter {
    /// A meter that behaves so, on a line that is opened at `now`.
    pub fn new(behaviour: Behaviour, now: Instant) -> Self {
        let state = match behaviour.begins {
            Begins::Ready => State::Ready,
            Begins::InHdlc(baud, time) => in_hdlc(baud, Some(time), true),
            Begins::Unlinked(baud, time) => in_hdlc(baud, Some(time), false),
            Begins::Direct(baud) => in_hdlc(baud, None, false),
            Begins::InSession => State::Session,
        };
        Self {
            next_push: behaviour.pushes.as_ref().map(|_| now + timing::WARM_UP),
            dead_until: behaviour.key_after.map(|time| now + time),
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
        let parity = parity_of(&line[start..]);
        if self.behaviour.insists_on_parity.is_some_and(|wanted| parity != Some(wanted)) {
            return;
        }
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
            State::Hdlc(Station { baud, .. }) | State::Identified(baud, _) => baud,
            State::Ready | State::Session if self.behaviour.start_bauds.contains(&sent) => sent,
            State::Ready | State::Session => self.behaviour.start_bauds[0],
        }
    }

    fn receive(&mut self, byte: u8, sent: u32, now: Instant) {
        if self.dead_until.is_some_and(|until| now < until) {
            return;
        }
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
            State::Hdlc(station) if self.behaviour.app == App::Echo => {
                self.inbox.clear();
                self.send(&[byte], Settings::eight_none(station.baud), now);
            }
            State::Hdlc(station) => self.receive_frame(station, now),
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
            State::Hdlc(station) => station.inactivity.and_then(|time| Some(self.last_heard? + time)),
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
            State::Hdlc(Station { inactivity: Some(time), .. })
                if self.last_heard.is_some_and(|heard| now >= heard + time) =>
            {
                self.state = State::Ready;
            }
            _ => {}
        }
        if let (Some(at), Some(push)) =
            (self.next_push.filter(|&at| now >= at), self.behaviour.pushes.clone())
        {
            self.next_push = Some(at + push.period);
            let usual = Settings::seven_even(self.behaviour.start_bauds[0]);
            self.send(&push.telegram, push.settings.unwrap_or(usual), at);
        }
        if self.nuls.deadline().is_some_and(|deadline| now >= deadline) && self.nuls.end_burst() {
            let settings = Settings::seven_even(self.behaviour.start_bauds[0]);
            self.send(&[message::ACK], settings, now);
        }
    }

    fn is_in_session(&self) -> bool {
        matches!(self.state, State::Hdlc(_) | State::Session)
    }

    fn line_break(&mut self, _now: Instant) {
        if self.behaviour.heeds_break && self.in_hdlc() {
            self.state = State::Ready;
        }
    }

    fn powered_by(&self) -> Option<(bool, bool)> {
        self.behaviour.powered_by
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

fn in_hdlc(baud: u32, inactivity: Option<Duration>, linked: bool) -> State {
    State::Hdlc(Station { baud, inactivity, linked })
}

/// Whether characters have parity bits or none; nothing where they are neither.
fn parity_of(characters: &[u8]) -> Option<bool> {
    if characters.iter().all(|&byte| byte < 0x80) {
        return Some(false);
    }
    characters.iter().all(|&byte| parity::is_even(byte)).then_some(true)
}
