//! A trace played back: the meter's side of a conversation that was recorded at the reader's.
//!
//! A [`Script`] is a trace cut into turns: a message of the reader, and what the reader received from then until its
//! next message. A [`Replay`] hears a reader and plays the turns.
//!
//! - A message is known by its bytes and its rate (at 7E1 without bit 7). It is looked up ahead of the turn that was
//!   played last, then among the turns that were passed over. One that is nowhere, or was played already, is met with
//!   silence; so the n-th request gets the n-th answer, and none that the trace does not have.
//! - What came after a message comes as long after its last stop bit. What came while it was under way (a head's echo)
//!   comes as long after its first start bit, as far as the message has come. What came before any message comes as
//!   long after the opening of the port.
//! - Bytes are sent at the rate that the reader had then, so what was junk is the same junk; a reader at another rate
//!   sees them as its own rate makes them appear.
//!
//! A BREAK is no message: not every line carries one.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::meter::{Emission, Responder};
use crate::protocol::parity;
use crate::protocol::settings::{Framing, Settings};
use crate::record::{Entry, Event};

/// A reader that says nothing for this long has ended what it was saying.
const PAUSE: Duration = Duration::from_millis(50);

/// What a line is set to where a trace does not say it.
const UNSAID: Settings = Settings::seven_even(300);

/// A trace, cut into turns.
#[derive(Clone, Debug)]
pub struct Script {
    /// What came before any message.
    opening: Vec<Reply>,
    turns: Vec<Turn>,
}

/// A message of the reader and what it received from then on. Times are counted from the first row of the trace.
#[derive(Clone, Debug)]
struct Turn {
    message: Vec<u8>,
    settings: Settings,
    /// The first start bit.
    start: Duration,
    /// The last stop bit.
    end: Duration,
    replies: Vec<Reply>,
}

/// A character that the reader received.
#[derive(Clone, Copy, Debug)]
struct Reply {
    /// Its start bit, at the latest.
    at: Duration,
    byte: u8,
    settings: Settings,
}

impl Script {
    /// The script that a trace gives.
    pub fn new(trace: &[Entry]) -> Self {
        let began = trace.first().map_or(Duration::ZERO, |entry| entry.at);
        let mut script = Self { opening: Vec::new(), turns: Vec::new() };
        let mut settings = UNSAID;
        // A long read takes several rows of a trace.
        let is_one = |a: &Entry, b: &Entry| {
            a.at == b.at && matches!((&a.event, &b.event), (Event::Received(_), Event::Received(_)))
        };
        for entries in trace.chunk_by(is_one) {
            let at = entries[0].at.saturating_sub(began);
            let read = entries.iter().filter_map(|entry| match &entry.event {
                Event::Received(bytes) => Some(&bytes[..]),
                _ => None,
            });
            match &entries[0].event {
                Event::Configured(new) => settings = *new,
                Event::Sent(bytes) => script.sent(bytes, settings, at),
                Event::Received(_) => script.received(&read.collect::<Vec<_>>().concat(), settings, at),
                Event::Broke(_) => {}
            }
        }
        script
    }

    fn sent(&mut self, bytes: &[u8], settings: Settings, at: Duration) {
        let took = settings.wire_time(bytes.len());
        match self.turns.last_mut() {
            // A long message takes several rows, and a busy port several writes.
            Some(turn) if turn.settings == settings && at <= turn.end && turn.replies.is_empty() => {
                turn.message.extend_from_slice(bytes);
                turn.end = turn.end.saturating_add(took);
            }
            _ if bytes.is_empty() => {}
            _ => self.turns.push(Turn {
                message: bytes.to_vec(),
                settings,
                start: at,
                end: at.saturating_add(took),
                replies: Vec::new(),
            }),
        }
    }

    /// Characters that had been read by `at`: the last of them came then, and the others right before it.
    fn received(&mut self, bytes: &[u8], settings: Settings, at: Duration) {
        let (replies, earliest) = match self.turns.last_mut() {
            Some(turn) => (&mut turn.replies, turn.start),
            None => (&mut self.opening, Duration::ZERO),
        };
        let mut earliest = replies.last().map_or(earliest, |last| last.at);
        for (place, &byte) in bytes.iter().enumerate() {
            earliest = earliest.max(at.saturating_sub(settings.wire_time(bytes.len() - place)));
            replies.push(Reply { at: earliest, byte, settings });
        }
    }
}

impl Turn {
    /// Whether its message, or the beginning of it, is `heard` at `rate` Bd.
    fn begins_with(&self, heard: &[u8], rate: u32) -> bool {
        let plain = |byte: u8| match self.settings.framing {
            Framing::SevenEven => parity::strip(byte),
            Framing::EightNone | Framing::EightEven => byte,
        };
        self.settings.baud == rate
            && heard.len() <= self.message.len()
            && heard.iter().zip(&self.message).all(|(&heard, &sent)| plain(heard) == plain(sent))
    }
}

/// A meter that answers as the one in a trace did.
#[derive(Debug)]
pub struct Replay<'a> {
    script: &'a Script,
    /// The turn behind the furthest that was played.
    next: usize,
    /// Turns before that one which were not played.
    skipped: Vec<usize>,
    hearing: Hearing,
    /// When the last character came, and at what rate in Bd.
    heard: Option<(Instant, u32)>,
    outbox: VecDeque<Emission>,
}

/// What the reader is saying.
#[derive(Debug)]
enum Hearing {
    /// Nothing, or all of it was a message.
    Nothing,
    /// The beginning of a turn's message.
    Begun {
        turn: usize,
        heard: Vec<u8>,
        start: Instant,
        /// Replies of the turn that are in the outbox.
        played: usize,
    },
    /// Something that is not in the trace.
    Stranger,
}

impl<'a> Replay<'a> {
    /// A meter that plays `script` on a line that is opened at `now`.
    pub fn new(script: &'a Script, now: Instant) -> Self {
        let mut replay = Self {
            script,
            next: 0,
            skipped: Vec::new(),
            hearing: Hearing::Nothing,
            heard: None,
            outbox: VecDeque::new(),
        };
        replay.play(&script.opening, Duration::ZERO, now);
        replay
    }

    /// The turn whose message begins like this.
    fn find(&self, heard: &[u8], rate: u32) -> Option<usize> {
        let ahead = self.next..self.script.turns.len();
        let skipped = self.skipped.iter().copied();
        ahead.chain(skipped).find(|&turn| self.script.turns[turn].begins_with(heard, rate))
    }

    fn advance(&mut self, turn: usize) {
        self.skipped.retain(|&skipped| skipped != turn);
        self.skipped.extend(self.next..turn);
        self.next = self.next.max(turn + 1);
    }

    /// Puts replies into the outbox; the instant `now` is `then` in the trace.
    fn play(&mut self, replies: &[Reply], then: Duration, now: Instant) {
        self.outbox.extend(replies.iter().filter_map(|reply| {
            // What lies beyond all time never comes.
            let at = match reply.at.checked_sub(then) {
                Some(later) => now.checked_add(later),
                None => now.checked_sub(then - reply.at),
            };
            at.map(|at| Emission { at, byte: reply.byte, settings: reply.settings })
        }));
        self.outbox.make_contiguous().sort_by_key(|emission| emission.at);
    }

    /// What it hears when `byte` follows what was heard so far.
    fn hears(&mut self, byte: u8, rate: u32, now: Instant) -> Hearing {
        let character = Settings::eight_none(rate).character();
        let goes_on = self.heard.is_some_and(|(last, last_rate)| {
            last_rate == rate && now.saturating_duration_since(last) <= character + PAUSE
        });
        let begin = now.checked_sub(character).unwrap_or(now);
        let (mut heard, start, played) = match std::mem::replace(&mut self.hearing, Hearing::Stranger) {
            Hearing::Begun { heard, start, played, .. } => (heard, start, played),
            Hearing::Stranger if goes_on => return Hearing::Stranger,
            Hearing::Nothing | Hearing::Stranger => (Vec::new(), begin, 0),
        };
        heard.push(byte);
        if let Some(turn) = self.find(&heard, rate) {
            return Hearing::Begun { turn, heard, start, played };
        }
        // After a pause it can be the beginning of something else.
        match self.find(&[byte], rate).filter(|_| !goes_on) {
            Some(turn) => Hearing::Begun { turn, heard: vec![byte], start: begin, played: 0 },
            None => Hearing::Stranger,
        }
    }
}

impl Responder for Replay<'_> {
    /// It hears at any rate, and knows a message by it.
    fn rate(&self, sent: u32) -> u32 {
        sent
    }

    fn receive(&mut self, byte: u8, sent: u32, now: Instant) {
        self.hearing = self.hears(byte, sent, now);
        self.heard = Some((now, sent));
        let Hearing::Begun { turn: place, heard, start, played } = &mut self.hearing else { return };
        let (place, start) = (*place, *start);
        let turn = &self.script.turns[place];
        let rest = turn.replies.get(*played..).unwrap_or_default();
        if heard.len() == turn.message.len() {
            self.hearing = Hearing::Nothing;
            self.advance(place);
            return self.play(rest, turn.end, now);
        }
        // A character of an echo begins when that of the reader has come, or later.
        let passed = turn.settings.wire_time(heard.len()) - turn.settings.character() / 2;
        let until = turn.start.saturating_add(passed);
        let due = &rest[..rest.partition_point(|reply| reply.at < until)];
        *played += due.len();
        self.play(due, turn.start, start);
    }

    fn next_emission(&self) -> Option<Instant> {
        self.outbox.front().map(|emission| emission.at)
    }

    fn emit(&mut self) -> Option<Emission> {
        self.outbox.pop_front()
    }

    fn own_rate(&self) -> u32 {
        let awaited = || self.script.turns.get(self.next).or(self.script.turns.last());
        let sent = self.outbox.front().map(|emission| emission.settings);
        sent.or_else(|| awaited().map(|turn| turn.settings)).unwrap_or(UNSAID).baud
    }
}
