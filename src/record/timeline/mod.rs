//! The picture of what happened on a line: both directions in time, the settings in force, the pauses, and every
//! message in words.
//!
//! [`Timeline`] is the model, made from a record; [`text`] and [`svg`] draw it. Nothing here judges a sign-on: whether
//! it went well is a sentence that the caller brings along.

mod axis;
mod canvas;
mod chart;
mod decode;
mod runs;
mod strip;
pub mod svg;
pub mod text;

use std::time::Duration;

use crate::protocol::settings::Settings;
use crate::protocol::text::dump;
use crate::record::Entry;

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// We.
    Reader,
    /// The meter, or a head that echoes.
    Meter,
}

/// What a message is, as far as its look depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A step of a sign-on.
    Step,
    /// One of many that are alike: wake-ups, frames, telegrams.
    Serial,
    /// Our own bytes, come back.
    Echo,
    /// Bytes that say nothing.
    Junk,
}

/// A message in words. All of it is printable ASCII.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// What it is, as far as its look depends on it.
    pub kind: Kind,
    /// Its name: `identification`.
    pub what: String,
    /// What it says, in short: its text, where it is text.
    pub gist: String,
    /// What that means.
    pub facts: Vec<String>,
    /// What is wrong with it.
    pub faults: Vec<String>,
}

/// An uninterrupted stretch of a message on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First start bit.
    pub start: Duration,
    /// Last stop bit.
    pub end: Duration,
}

/// A message, or several that are alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Who sent it.
    pub side: Side,
    /// What the line was set to, where that is known.
    pub settings: Option<Settings>,
    /// When it was on the wire; never empty. Ours take the time that their characters need, however fast they were
    /// handed over.
    pub spans: Vec<Span>,
    /// Its bytes; those of the first, where there are several messages.
    pub bytes: Vec<u8>,
    /// How many messages it stands for.
    pub count: usize,
    /// It in words.
    pub said: Said,
}

impl Message {
    /// First start bit.
    pub fn start(&self) -> Duration {
        self.spans.first().map_or(Duration::ZERO, |span| span.start)
    }

    /// Last stop bit.
    pub fn end(&self) -> Duration {
        self.spans.last().map_or(Duration::ZERO, |span| span.end)
    }
}

/// From when on the line was set to something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Band {
    /// The change.
    pub from: Duration,
    /// What it was set to.
    pub settings: Settings,
}

/// What happened on a line, in messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeline {
    /// The settings, in their order; each differs from the one before.
    pub bands: Vec<Band>,
    /// The messages, in the order of their beginning.
    pub messages: Vec<Message>,
    /// When the record ended.
    pub end: Duration,
}

/// Messages of one kind from which on they are shown as one.
const SERIES_MIN: usize = 3;

/// Faults that are listed of such a series.
const FAULTS_MAX: usize = 3;

impl Timeline {
    /// Makes the model of a record that ended at `until`.
    pub fn new(record: &[Entry], until: Duration) -> Self {
        let (runs, bands) = runs::group(record);
        let mut messages: Vec<Message> = runs.into_iter().map(decode::message).collect();
        messages.sort_by_key(Message::start);
        let last = messages.iter().map(Message::end).max().unwrap_or_default();
        let end = record.last().map_or(until, |entry| until.max(entry.at)).max(last);
        Self { bands, messages: fold(messages), end }
    }

    /// Whether a change of settings belongs to messages that are shown as one.
    fn is_in_series(&self, change: Duration) -> bool {
        let before = self.messages.partition_point(|message| message.start() < change);
        let last = before.checked_sub(1).map(|last| &self.messages[last]);
        last.is_some_and(|message| message.count > 1 && change < message.end())
    }

    /// The times in which neither side speaks, from the beginning to the end of the record.
    pub fn silences(&self) -> Vec<Span> {
        let mut silences = Vec::new();
        let mut spans: Vec<Span> = self.messages.iter().flat_map(|message| message.spans.clone()).collect();
        spans.sort_by_key(|span| span.start);
        let mut silent_from = Duration::ZERO;
        for span in spans {
            if span.start > silent_from {
                silences.push(Span { start: silent_from, end: span.start });
            }
            silent_from = silent_from.max(span.end);
        }
        if self.end > silent_from {
            silences.push(Span { start: silent_from, end: self.end });
        }
        silences
    }
}

/// Puts what is alike and comes in a row into one message; echoes in between go with it.
fn fold(messages: Vec<Message>) -> Vec<Message> {
    let mut folded: Vec<Message> = Vec::new();
    let mut series: Vec<Message> = Vec::new();
    for message in messages {
        let continues = series.first().is_some_and(|first| {
            message.said.kind == Kind::Echo
                || (message.side == first.side && message.said.what == first.said.what)
        });
        if !continues {
            close(&mut series, &mut folded);
        }
        if continues || message.said.kind == Kind::Serial {
            series.push(message);
        } else {
            folded.push(message);
        }
    }
    close(&mut series, &mut folded);
    folded
}

fn close(series: &mut Vec<Message>, folded: &mut Vec<Message>) {
    let all = std::mem::take(series);
    let count = all.iter().filter(|message| message.said.kind == Kind::Serial).count();
    if count < SERIES_MIN {
        return folded.extend(all);
    }
    let mut all = all.into_iter();
    let Some(mut one) = all.next() else { return };
    let mut rates: Vec<u32> = one.settings.iter().map(|settings| settings.baud).collect();
    let mut echoes = 0;
    for message in all {
        if message.said.kind == Kind::Echo {
            echoes += 1;
            continue;
        }
        one.spans.extend(message.spans);
        one.said.faults.extend(message.said.faults);
        rates.extend(message.settings.map(|settings| settings.baud).filter(|rate| !rates.contains(rate)));
    }
    one.said.faults.truncate(FAULTS_MAX);
    one.count = count;
    one.said.what = format!("{} x {count}", one.said.what);
    if let [_, _, ..] = rates[..] {
        let rates: Vec<String> = rates.iter().map(u32::to_string).collect();
        one.said.facts.push(format!("at {} Bd", rates.join(", ")));
    }
    if echoes > 0 {
        one.said.facts.push("the head returned them".into());
    }
    folded.push(one);
}

/// A length of time for people: three digits, as far as they mean something.
fn length(of: Duration) -> String {
    let milliseconds = of.as_secs_f64() * 1000.0;
    match milliseconds {
        ..9.95 => format!("{milliseconds:.1} ms"),
        ..999.5 => format!("{milliseconds:.0} ms"),
        ..99_995.0 => format!("{:.2} s", milliseconds / 1000.0),
        _ => format!("{:.0} s", milliseconds / 1000.0),
    }
}

/// Bytes in rows of hexadecimal of at most `rows` times `width`; longer ones end in an ellipsis.
fn hexadecimal(bytes: &[u8], width: usize, rows: usize) -> Vec<String> {
    if let [one, _, ..] = bytes
        && bytes.len() > width.min(10)
        && bytes.iter().all(|byte| byte == one)
    {
        return vec![format!("{one:02X} x {}", bytes.len())];
    }
    let mut shown: Vec<String> = bytes.chunks(width).take(rows).map(|row| dump(row, width)).collect();
    if let (Some(last), true) = (shown.last_mut(), bytes.len() > width * rows) {
        last.truncate(3 * (width - 1) - 1);
        last.push_str(" ..");
    }
    shown
}

/// A text in rows of at most `width` columns, broken at blanks where there are any. Blanks within a row stay.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut rows = Vec::new();
    let mut rest = text;
    while rest.len() > width {
        let at = rest[..=width].rfind(' ').filter(|&at| at > 0).unwrap_or(width);
        rows.push(rest[..at].to_owned());
        rest = rest[at..].strip_prefix(' ').unwrap_or(&rest[at..]);
    }
    if !rest.is_empty() {
        rows.push(rest.to_owned());
    }
    rows
}
