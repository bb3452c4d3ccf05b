//! The strip at the head of the text picture: the whole sign-on to scale in four rows.

use std::time::Duration;

use crate::record::timeline::axis::{self, Axis};
use crate::record::timeline::text::{Row, Style};
use crate::record::timeline::{Kind, Message, Side, Timeline};

/// Columns before the scale.
const LEFT: usize = 8;

/// Columns of the scale.
const COLUMNS: usize = 72;

/// Columns that a tick needs.
const TICK: f64 = 9.0;

type Lane = [char; COLUMNS];

/// Draws it.
pub(super) fn rows(timeline: &Timeline) -> Vec<Row> {
    let axis = Axis::new(timeline);
    let length = axis.length();
    if length <= 0.0 {
        return Vec::new();
    }
    let per_column = length / COLUMNS as f64;
    let column = |place: f64| ((place / per_column + 0.001) as usize).min(COLUMNS - 1);
    let mut lanes = [[' '; COLUMNS]; 2];
    for (number, message) in (1..).zip(&timeline.messages) {
        let lane = &mut lanes[usize::from(message.side == Side::Meter)];
        bar(lane, number, message, &|time| column(axis.place(time)));
    }
    let mut scale = [' '; COLUMNS];
    let step = axis::step(per_column * TICK);
    for (seconds, place) in axis.ticks(step) {
        let label = format!("|{}", axis::label(seconds, step));
        if column(place) + label.len() <= COLUMNS {
            write(&mut scale, column(place), &label);
        }
    }
    let mut bands = [' '; COLUMNS];
    let mut shown = timeline.bands.iter().filter(|band| !timeline.is_in_series(band.from)).peekable();
    while let Some(band) = shown.next() {
        let from = column(axis.place(band.from));
        let to = shown.peek().map_or(COLUMNS, |next| column(axis.place(next.from))).max(from + 1);
        bands[from..to].fill('-');
        let rate = band.settings.baud;
        let series = timeline.is_in_series(band.from + Duration::from_nanos(1));
        let whole = if series { "|several rates".into() } else { format!("|{}", band.settings) };
        let labels = [whole, format!("|{rate} Bd"), format!("|{rate}")];
        let label = labels.iter().find(|label| label.len() <= to - from);
        write(&mut bands, from, label.map_or("|", String::as_str));
    }
    for silence in timeline.silences().into_iter().filter(axis::is_squeezed) {
        let middle = axis.place(silence.start + (silence.end - silence.start) / 2);
        for lane in lanes.iter_mut().chain([&mut scale]) {
            write(lane, column(middle).saturating_sub(1), "//");
        }
    }
    let row = |head: &str, lane: &Lane, style| {
        let cells: String = lane.iter().collect();
        Row::default().put(Style::Faint, format!("{head:LEFT$}")).put(style, cells.trim_end())
    };
    vec![
        row("seconds", &scale, Style::Faint),
        row("reader", &lanes[0], Style::Reader),
        row("meter", &lanes[1], Style::Meter),
        row("line", &bands, Style::Band),
    ]
}

fn bar(lane: &mut Lane, number: usize, message: &Message, column: &dyn Fn(Duration) -> usize) {
    let from = column(message.start());
    let cells = |start, end| column(start)..column(end).max(column(start) + 1);
    lane[cells(message.start(), message.end())].fill('.');
    let fill = match message.said.kind {
        Kind::Echo => '~',
        Kind::Junk => '?',
        Kind::Step | Kind::Serial => '=',
    };
    for span in &message.spans {
        lane[cells(span.start, span.end)].fill(fill);
    }
    write(lane, from, &number.to_string());
}

fn write(lane: &mut Lane, at: usize, text: &str) {
    for (cell, character) in lane[at..].iter_mut().zip(text.chars()) {
        *cell = character;
    }
}
