//! The picture as one SVG that needs nothing else: both lanes on a time axis that is true to scale, and a table of what
//! was said.
//!
//! It paints its own background, and every attribute stands where it is used: viewers that take style sheets out, or
//! are dark, show the same. A long sign-on goes on in further rows, as music does.

use crate::protocol::text;
use crate::record::timeline::axis::Axis;
use crate::record::timeline::canvas::{CHARACTER, Canvas, Ink, WIDTH};
use crate::record::timeline::{Kind, Message, Side, Timeline, chart, length};

/// Where the words of the table begin.
const WORDS: f64 = 410.0;

/// Bytes in a row of hexadecimal, and rows of it.
const BYTES: usize = 28;
const HEX_ROWS: usize = 3;

/// Height of a row of the table.
const ROW: f64 = 15.0;

/// Draws a timeline; `outcome` is the sentence that stands above it.
pub fn draw(timeline: &Timeline, outcome: &str) -> String {
    let outcome = text::escaped(outcome.as_bytes());
    let mut canvas = Canvas::default();
    for row in super::wrapped(&outcome, 108) {
        canvas.down(20.0);
        canvas.text(chart::LEFT, canvas.y(), Ink::Heading, &row);
    }
    canvas.down(18.0);
    let count: usize = timeline.messages.iter().map(|message| message.count).sum();
    let summary = format!("{count} messages in {}; times in seconds", length(timeline.end));
    canvas.text(chart::LEFT, canvas.y(), Ink::Faint, &summary);
    canvas.down(14.0);
    chart::draw(timeline, &Axis::new(timeline), &mut canvas);
    table(timeline, &mut canvas);
    canvas.finish(&outcome)
}

fn table(timeline: &Timeline, canvas: &mut Canvas) {
    for (number, message) in (1..).zip(&timeline.messages) {
        let words = words(message);
        let height = ROW * words.len().max(1) as f64 + 7.0;
        let (top, colour) = (canvas.y(), chart::colour(message));
        if number % 2 == 1 {
            canvas.rectangle(chart::LEFT, top, WIDTH - 2.0 * chart::LEFT, height, "#f5f5f2");
        }
        canvas.rectangle(chart::LEFT, top, 4.0, height, colour);
        let base = top + ROW;
        let arrow = if message.side == Side::Reader { "reader ->" } else { "meter  <-" };
        canvas.text_to(chart::LEFT + 30.0, base, Ink::Strong(colour), &number.to_string());
        canvas.text_to(
            chart::LEFT + 90.0,
            base,
            Ink::Plain,
            &format!("{:.3}", message.start().as_secs_f64()),
        );
        canvas.text(chart::LEFT + 104.0, base, Ink::Coloured(colour), arrow);
        canvas.text(chart::LEFT + 176.0, base, Ink::Strong(colour), &message.said.what);
        let taken = length(message.end().saturating_sub(message.start()));
        canvas.text_to(WORDS - 16.0, base, Ink::Faint, &taken);
        for (row, (ink, words)) in words.iter().enumerate() {
            canvas.text(WORDS, base + ROW * row as f64, *ink, words);
        }
        canvas.down(height);
    }
}

/// What the table says of a message.
fn words(message: &Message) -> Vec<(Ink, String)> {
    let said = &message.said;
    let columns = ((WIDTH - chart::LEFT - WORDS) / CHARACTER) as usize;
    let in_rows = |text: &str, ink| super::wrapped(text, columns).into_iter().map(move |row| (ink, row));
    let mut rows: Vec<_> = in_rows(&said.gist, Ink::Plain).collect();
    if said.kind != Kind::Echo {
        let hexadecimal = super::hexadecimal(&message.bytes, BYTES, HEX_ROWS);
        rows.extend(hexadecimal.into_iter().map(|row| (Ink::Faint, row)));
    }
    rows.extend(in_rows(&said.facts.join("; "), Ink::Plain));
    rows.extend(said.faults.iter().flat_map(|fault| in_rows(fault, Ink::Strong(chart::WRONG))));
    rows
}
