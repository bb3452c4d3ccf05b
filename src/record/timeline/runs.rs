//! From single bytes to messages: what belongs together on a line, by time, direction and settings.
//!
//! A pause, a change of direction or of settings ends a message. An answer that has begun may pause for as long as the
//! standard allows (clause 6.4.3: 1.5 s between two characters) and is one message all the same.

use std::time::Duration;

use crate::protocol::identification::{Identification, LENGTH_LIMIT};
use crate::protocol::message::ACK;
use crate::protocol::parity::{strip, stripped};
use crate::protocol::settings::{Framing, Settings};
use crate::protocol::timing;
use crate::record::timeline::{Band, Side, Span};
use crate::record::{Entry, Event};

/// A pause this long ends a message, whatever the rate: a program that answers takes less.
const PAUSE: Duration = Duration::from_millis(120);

/// Characters of an acknowledgement and of a confirmation.
pub(super) const ACKNOWLEDGEMENT: usize = 6;

/// What a run is known to be from where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// Nothing is known.
    Unknown,
    /// The beginning of what we had sent, come back: of so many bytes.
    Echo(usize),
    /// A line BREAK of ours; it has no bytes.
    Break,
    /// The rate was changed when this much of it had not left.
    Cut(Duration),
}

/// Bytes that belong together.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) side: Side,
    pub(super) settings: Option<Settings>,
    pub(super) bytes: Vec<u8>,
    /// When each byte was on the wire.
    pub(super) times: Vec<Span>,
    pub(super) origin: Origin,
}

impl Run {
    fn new(side: Side, settings: Option<Settings>) -> Self {
        Self { side, settings, bytes: Vec::new(), times: Vec::new(), origin: Origin::Unknown }
    }

    fn end(&self) -> Duration {
        self.times.last().map_or(Duration::ZERO, |time| time.end)
    }

    /// The longest pause that does not end it.
    fn patience(&self) -> Duration {
        if is_unfinished(&self.bytes) {
            return timing::INTER_CHARACTER_MAX + timing::ADAPTER_LAG;
        }
        let characters = self.settings.map_or(Duration::ZERO, |settings| settings.wire_time(3));
        PAUSE.max(characters)
    }

    fn split_off(&mut self, at: usize) -> Self {
        let (bytes, times) = (self.bytes.split_off(at), self.times.split_off(at));
        Self { bytes, times, ..Self::new(self.side, self.settings) }
    }
}

/// Whether an identification or a confirmation has begun and not ended.
fn is_unfinished(bytes: &[u8]) -> bool {
    let recent = &bytes[bytes.len().saturating_sub(LENGTH_LIMIT)..];
    let line = recent.iter().rposition(|&byte| strip(byte) == b'/').map(|at| &recent[at..]);
    let identifying = line.is_some_and(|line| {
        line.len() < LENGTH_LIMIT
            && line.iter().skip(1).take(3).all(|&byte| strip(byte).is_ascii_alphabetic())
            && line.iter().all(|&byte| strip(byte) != b'\n')
    });
    let confirming = bytes.len() < ACKNOWLEDGEMENT && bytes.first().is_some_and(|&byte| strip(byte) == ACK);
    identifying || confirming
}

/// Groups a record, and lists its settings.
pub(super) fn group(record: &[Entry]) -> (Vec<Run>, Vec<Band>) {
    let mut grouper = Grouper::default();
    for Entry { at, event } in joined(record) {
        match event {
            Event::Configured(settings) => grouper.configured(at, settings),
            Event::Sent(bytes) => grouper.sent(at, bytes),
            Event::Received(bytes) => grouper.received(at, &bytes),
            Event::Broke(length) => grouper.broke(at, length),
        }
    }
    grouper.close();
    (grouper.runs, grouper.bands)
}

/// The record with what was one write or one read in one entry: the rows of a trace have at most sixteen bytes.
fn joined(record: &[Entry]) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::with_capacity(record.len());
    for entry in record {
        match (entries.last_mut(), &entry.event) {
            (Some(Entry { at, event: Event::Sent(bytes) }), Event::Sent(more))
            | (Some(Entry { at, event: Event::Received(bytes) }), Event::Received(more))
                if *at == entry.at =>
            {
                bytes.extend_from_slice(more);
            }
            _ => entries.push(entry.clone()),
        }
    }
    entries
}

/// What we sent last, as long as it can come back.
#[derive(Debug)]
struct Echo {
    bytes: Vec<u8>,
    /// It cannot come before what it returns.
    from: Duration,
    /// A head returns characters at once or a character late, and an adapter holds them back.
    until: Duration,
}

#[derive(Debug, Default)]
struct Grouper {
    runs: Vec<Run>,
    bands: Vec<Band>,
    /// The meter's, still open.
    current: Option<Run>,
    echo: Option<Echo>,
    /// When the last character of ours will have left.
    free: Duration,
}

impl Grouper {
    fn settings(&self) -> Option<Settings> {
        self.bands.last().map(|band| band.settings)
    }

    fn configured(&mut self, at: Duration, settings: Settings) {
        if self.settings() == Some(settings) {
            return;
        }
        self.close();
        self.echo = None;
        self.bands.push(Band { from: at, settings });
        let ours = self.runs.iter_mut().rev().find(|run| run.side == Side::Reader);
        if let Some(cut) = ours.filter(|run| run.origin == Origin::Unknown && run.end() > at) {
            cut.origin = Origin::Cut(cut.end() - at);
        }
        self.free = self.free.min(at);
    }

    fn sent(&mut self, at: Duration, bytes: Vec<u8>) {
        self.close();
        let settings = self.settings();
        let start = at.max(self.free);
        let length = settings.map_or(Duration::ZERO, |settings| settings.wire_time(bytes.len()));
        self.free = start + length;
        let slack = settings.map_or(Duration::ZERO, |settings| settings.wire_time(2)) + timing::ADAPTER_LAG;
        self.echo = Some(Echo { bytes: bytes.clone(), from: start, until: self.free + slack });
        let times = vec![Span { start, end: self.free }];
        self.runs.push(Run { bytes, times, ..Run::new(Side::Reader, settings) });
    }

    fn broke(&mut self, at: Duration, length: Duration) {
        self.close();
        let times = vec![Span { start: at, end: at + length }];
        self.echo = Some(Echo { bytes: vec![0], from: at, until: at + length + PAUSE });
        self.runs.push(Run { times, origin: Origin::Break, ..Run::new(Side::Reader, self.settings()) });
    }

    /// `at` is when the last of the bytes had come; the others came before it, one by one.
    fn received(&mut self, at: Duration, bytes: &[u8]) {
        let settings = self.settings();
        let length = settings.map_or(Duration::ZERO, |settings| settings.wire_time(bytes.len()));
        let free = self.current.as_ref().or(self.runs.last()).filter(|run| run.side == Side::Meter);
        // A character that was on its way when the settings changed counts from the change on.
        let free = free
            .map_or(Duration::ZERO, Run::end)
            .max(self.bands.last().map_or(Duration::ZERO, |band| band.from));
        let start = at.saturating_sub(length).max(free).min(at);
        let one = (at - start) / u32::try_from(bytes.len()).unwrap_or(u32::MAX).max(1);
        if self.current.as_ref().is_some_and(|run| start > run.end() + run.patience()) {
            self.close();
        }
        for (place, &byte) in (0..).zip(bytes) {
            let start = start + one * place;
            self.receive(byte, Span { start, end: start + one });
        }
    }

    fn receive(&mut self, byte: u8, time: Span) {
        let settings = self.settings();
        // Where one identification has ended and another begins, nothing else shows it.
        let ended =
            self.current.as_ref().is_some_and(|run| run.bytes.last().map(|&last| strip(last)) == Some(b'\n'));
        if ended && strip(byte) == b'/' {
            self.close();
        }
        let run = self.current.get_or_insert_with(|| Run::new(Side::Meter, settings));
        run.bytes.push(byte);
        run.times.push(time);
        if self.echo.as_ref().is_some_and(|echo| echo.bytes.len() == run.bytes.len() && echo.is_in(run)) {
            self.close();
            self.echo = None;
        }
    }

    /// Ends what the meter was saying.
    fn close(&mut self) {
        let Some(mut run) = self.current.take() else { return };
        if let Some(echo) = self.echo.as_ref().filter(|echo| echo.is_in(&run)) {
            run.origin = Origin::Echo(echo.bytes.len());
            for time in &mut run.times {
                *time = Span { start: time.start.max(echo.from), end: time.end.max(echo.from) };
            }
            return self.runs.push(run);
        }
        let parts = parts(&run.bytes);
        for at in parts.into_iter().rev() {
            let behind = run.split_off(at);
            self.runs.push(behind);
        }
        self.runs.push(run);
    }
}

impl Echo {
    /// Whether a run is this echo, or its beginning.
    fn is_in(&self, run: &Run) -> bool {
        let seven = run.settings.is_some_and(|settings| settings.framing == Framing::SevenEven);
        let same = |(&came, &sent): (&u8, &u8)| came == sent || (seven && strip(came) == strip(sent));
        run.times.first().is_some_and(|first| first.start <= self.until)
            && run.bytes.len() <= self.bytes.len()
            && run.bytes.iter().zip(&self.bytes).all(same)
    }
}

/// Where noise before an identification or a confirmation ends, and where something follows a confirmation at once.
fn parts(bytes: &[u8]) -> Vec<usize> {
    let plain = stripped(bytes);
    let confirms = |window: &[u8]| matches!(window, [ACK, _, _, _, b'\r', b'\n']);
    if let Some(at) = plain.windows(ACKNOWLEDGEMENT).position(confirms) {
        let inside = |&at: &usize| at > 0 && at < bytes.len();
        return [at, at + ACKNOWLEDGEMENT].into_iter().filter(inside).collect();
    }
    // Telegrams have many a slash: only the first few lines can be noise.
    let slashes = plain.iter().enumerate().take(2 * LENGTH_LIMIT).filter(|&(_, &byte)| byte == b'/');
    let mut identifications = slashes.map(|(at, _)| at).filter(|&at| {
        let line = &plain[at..plain.len().min(at + LENGTH_LIMIT)];
        let end = line.iter().position(|&byte| byte == b'\n');
        end.is_some_and(|end| Identification::parse(&line[..=end]).is_ok())
    });
    identifications.next().filter(|&at| at > 0).into_iter().collect()
}
