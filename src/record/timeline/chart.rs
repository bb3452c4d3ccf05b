//! The upper part of the SVG: rows of two lanes on a time axis, with a flag on every message.

use std::time::Duration;

use crate::protocol::baud;
use crate::protocol::settings::{Framing, Settings};
use crate::record::timeline::axis::{self, Axis};
use crate::record::timeline::canvas::{CHARACTER, Canvas, Ink, WIDTH};
use crate::record::timeline::{Kind, Message, Side, Span, Timeline, length};

/// Left edge of everything.
pub(super) const LEFT: f64 = 16.0;

/// Where the axis begins, and its length; behind it is room for the flags of the last messages.
const AXIS: f64 = 72.0;
const PLOT: f64 = 750.0;

/// Seconds on a row, about: what is longer goes on in the next, and all rows are full.
const SECONDS: f64 = 2.5;

/// Rows at most; a longer record is drawn smaller.
const ROWS_MAX: f64 = 6.0;

/// Most pixels a second.
const SCALE_MAX: f64 = 900.0;

const BAND: f64 = 18.0;
const LANE: f64 = 20.0;
const BETWEEN: f64 = 30.0;
const FLAG: f64 = 30.0;
const LEVELS_MAX: usize = 6;

/// Characters on a flag.
const FLAG_TEXT: usize = 21;

/// Narrower pauses are not dimensioned.
const PAUSE_MIN: f64 = 5.0;

/// Narrower bars could not be seen.
const BAR_MIN: f64 = 3.0;

const READER: &str = "#1b5fa7";
const METER: &str = "#2a7a3b";
const ECHO: &str = "#8a8a84";
/// What is wrong.
pub(super) const WRONG: &str = "#b3261e";
const RULE: &str = "#8a8a84";

/// Background of the sign-on's framing.
const TINT: &str = "#fdf0d0";

/// Backgrounds of the data's, one after the other from 300 Bd on, so that neighbours differ.
const TINTS: [&str; 6] = ["#e6e0f5", "#dff2e3", "#fbe1e1", "#e4eeee", "#f0e6dc", "#dceafa"];

fn tint(settings: Settings) -> &'static str {
    let place = baud::all().position(|rate| rate == settings.baud).unwrap_or_default();
    match settings.framing {
        Framing::SevenEven => TINT,
        Framing::EightNone | Framing::EightEven => TINTS[place % TINTS.len()],
    }
}

/// The colour of a message.
pub(super) fn colour(message: &Message) -> &'static str {
    match (message.said.kind, message.side) {
        (Kind::Junk, _) => WRONG,
        (Kind::Echo, _) => ECHO,
        (_, Side::Reader) => READER,
        (_, Side::Meter) => METER,
    }
}

/// A part of the axis on one row.
struct Part<'a> {
    timeline: &'a Timeline,
    axis: &'a Axis,
    /// Where it begins and ends, on the axis.
    from: f64,
    to: f64,
    scale: f64,
}

/// A message with the levels of its flag.
struct Flag<'a> {
    number: usize,
    message: &'a Message,
    x: f64,
    level: Option<usize>,
}

/// Draws all rows.
pub(super) fn draw(timeline: &Timeline, axis: &Axis, canvas: &mut Canvas) {
    if axis.length() <= 0.0 {
        return;
    }
    let rows = (axis.length() / SECONDS).round().clamp(1.0, ROWS_MAX);
    let scale = (rows * PLOT / axis.length()).min(SCALE_MAX);
    let (rows, on_a_row) = (rows as usize, PLOT / scale);
    let silences = timeline.silences();
    let mut messages = vec![Vec::new(); rows];
    for (number, message) in (1..).zip(&timeline.messages) {
        let row = (axis.place(message.start()) / on_a_row) as usize;
        messages[row.min(rows - 1)].push((number, message));
    }
    for (row, messages) in messages.iter().enumerate() {
        let from = row as f64 * on_a_row;
        let to = (from + on_a_row).min(axis.length());
        Part { timeline, axis, from, to, scale }.draw(messages, &silences, canvas);
    }
}

impl Part<'_> {
    fn x(&self, place: f64) -> f64 {
        AXIS + (place.clamp(self.from, self.to) - self.from) * self.scale
    }

    fn at(&self, time: Duration) -> f64 {
        self.x(self.axis.place(time))
    }

    /// Where a stretch of time is on this row, if it is.
    fn extent(&self, from: Duration, to: Duration) -> Option<(f64, f64)> {
        let (from, to) = (self.axis.place(from), self.axis.place(to));
        (from < self.to && to >= self.from).then(|| (self.x(from), self.x(to)))
    }

    fn draw(&self, messages: &[(usize, &Message)], silences: &[Span], canvas: &mut Canvas) {
        let flags = |side| self.flags(messages.iter().filter(|(_, message)| message.side == side));
        let (above, below) = (flags(Side::Reader), flags(Side::Meter));
        let levels =
            |flags: &[Flag<'_>]| flags.iter().filter_map(|flag| flag.level).max().map_or(0, |top| top + 1);
        let top = canvas.y();
        let reader = top + BAND + FLAG * levels(&above) as f64 + 8.0;
        let meter = reader + LANE + BETWEEN;
        let bottom = meter + LANE + FLAG * levels(&below) as f64 + 8.0;
        self.bands(top, bottom, (reader - 8.0, meter + LANE + 4.0), canvas);
        for (flags, lane, name) in [(&above, reader, "reader"), (&below, meter, "meter")] {
            canvas.line((AXIS, lane + LANE / 2.0), (self.x(self.to), lane + LANE / 2.0), "#c9c9c2");
            let colour = if name == "reader" { READER } else { METER };
            canvas.text(LEFT, lane + 14.0, Ink::Strong(colour), name);
            flags.iter().for_each(|flag| self.flag(flag, lane, canvas));
        }
        for (number, message) in (1..).zip(&self.timeline.messages) {
            self.bars(number, message, if message.side == Side::Reader { reader } else { meter }, canvas);
        }
        self.silences(silences, (reader, meter), canvas);
        self.ruler(bottom, canvas);
        canvas.down(bottom + 34.0 - top);
    }

    /// Gives every flag a level. From right to left, so that no pole goes through the words of another flag.
    fn flags<'m>(
        &self,
        messages: impl DoubleEndedIterator<Item = &'m (usize, &'m Message)>,
    ) -> Vec<Flag<'m>> {
        let mut free = [f64::INFINITY; LEVELS_MAX];
        let place = |&(number, message): &(usize, &'m Message)| {
            let x = self.at(message.start());
            let gist = message.said.gist.len().min(FLAG_TEXT + 2);
            let width = (message.said.what.len() + 3).max(gist) as f64 * CHARACTER + 8.0;
            let level = free.iter().position(|&free| x + width <= free);
            free[..level.map_or(0, |level| level + 1)].fill(x);
            Flag { number, message, x, level }
        };
        messages.rev().map(place).collect()
    }

    fn flag(&self, flag: &Flag<'_>, lane: f64, canvas: &mut Canvas) {
        let Some(level) = flag.level.map(|level| level as f64) else { return };
        let said = &flag.message.said;
        let colour = if said.faults.is_empty() { colour(flag.message) } else { WRONG };
        let (foot, top) = match flag.message.side {
            Side::Reader => (lane, lane - FLAG * (level + 1.0)),
            Side::Meter => (lane + LANE, lane + LANE + FLAG * level + 6.0),
        };
        let tip = if flag.message.side == Side::Reader { top } else { top + FLAG - 6.0 };
        canvas.line((flag.x + 0.5, foot), (flag.x + 0.5, tip), colour);
        canvas.text(flag.x + 5.0, top + 9.0, Ink::Strong(colour), &format!("{} {}", flag.number, said.what));
        let gist: String = said.gist.chars().take(FLAG_TEXT).collect();
        let more = if said.gist.len() > FLAG_TEXT { ".." } else { "" };
        canvas.text(flag.x + 5.0, top + 21.0, Ink::Plain, &(gist + more));
    }

    fn bars(&self, number: usize, message: &Message, lane: f64, canvas: &mut Canvas) {
        let colour = colour(message);
        let Some((from, to)) = self.extent(message.start(), message.end()) else { return };
        canvas.line((from, lane + LANE / 2.0), (to, lane + LANE / 2.0), colour);
        let spans = message.spans.iter().filter_map(|span| self.extent(span.start, span.end));
        for (place, (from, to)) in spans.enumerate() {
            canvas.rectangle(from, lane, (to - from).max(BAR_MIN), LANE, colour);
            let number = number.to_string();
            if place == 0 && to - from >= (number.len() + 1) as f64 * CHARACTER {
                canvas.text(from + 4.0, lane + 14.0, Ink::Strong("#ffffff"), &number);
            }
        }
    }

    fn bands(&self, top: f64, bottom: f64, lanes: (f64, f64), canvas: &mut Canvas) {
        let bands = &self.timeline.bands;
        for (index, band) in bands.iter().enumerate() {
            let until = bands.get(index + 1).map_or(self.timeline.end, |next| next.from);
            let Some((from, to)) = self.extent(band.from, until) else { continue };
            canvas.rectangle(from, top, (to - from).max(1.0), bottom - top, tint(band.settings));
            if index > 0 && self.at(band.from) > AXIS {
                // Not through the flags.
                for (top, bottom) in [(top, top + BAND), lanes] {
                    canvas.path(&[(from, top), (from, bottom)], RULE, "4 3");
                }
            }
            let labels = [band.settings.to_string(), band.settings.baud.to_string()];
            // Behind the last one is room.
            let room = if to < AXIS + PLOT - 0.5 { to - from } else { WIDTH - from };
            let fits = |label: &&String| (label.len() as f64 * CHARACTER) + 6.0 <= room;
            if let Some(label) = labels.iter().find(fits) {
                canvas.text(from + 4.0, top + 13.0, Ink::Strong("#5c5c57"), label);
            }
        }
    }

    /// The pauses, with their lengths; a squeezed one is broken.
    fn silences(&self, silences: &[Span], (reader, meter): (f64, f64), canvas: &mut Canvas) {
        let (above, below) = (reader + LANE, meter);
        let mut free = AXIS;
        let mut rest = silences.iter().peekable();
        while let Some(silence) = rest.next() {
            let Some((from, to)) = self.extent(silence.start, silence.end) else { continue };
            let middle = (from + to) / 2.0;
            if axis::is_squeezed(silence) {
                for (lane, x) in [(reader, -3.0), (reader, 3.0), (meter, -3.0), (meter, 3.0)] {
                    let x = middle + x;
                    canvas.line((x - 3.0, lane + LANE - 3.0), (x + 3.0, lane + 3.0), RULE);
                }
            }
            let label = length(silence.end - silence.start);
            let half = label.len() as f64 * CHARACTER / 2.0;
            // A label may be wider than its pause where that disturbs no other.
            let next = rest.peek().and_then(|next| self.extent(next.start, next.end));
            let room = next.map_or(WIDTH, |(next, _)| next.max(to));
            if to - from < PAUSE_MIN || middle - half < free || middle + half > room {
                continue;
            }
            free = (middle + half).max(to);
            let y = (above + below) / 2.0 + 6.0;
            canvas.text_at(middle, y - 5.0, Ink::Plain, &label);
            for (end, inward) in [(from, 5.0), (to, -5.0)] {
                canvas.line((end, y - 3.0), (end, below - 3.0), RULE);
                if to - from > 12.0 {
                    canvas.path(&[(end + inward, y - 3.0), (end, y), (end + inward, y + 3.0)], RULE, "");
                }
            }
            canvas.line((from, y), (to, y), RULE);
        }
    }

    fn ruler(&self, y: f64, canvas: &mut Canvas) {
        canvas.line((AXIS, y), (self.x(self.to), y), RULE);
        let step = axis::step(60.0 / self.scale);
        let on_this_row = |&(_, place): &(f64, f64)| place >= self.from && place <= self.to;
        for (seconds, place) in self.axis.ticks(step).into_iter().filter(on_this_row) {
            let x = self.x(place);
            canvas.line((x, y), (x, y + 4.0), RULE);
            canvas.text_at(x, y + 15.0, Ink::Faint, &axis::label(seconds, step));
        }
    }
}
