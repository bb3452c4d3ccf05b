//! The picture for a terminal: plain ASCII, at most [`WIDTH`] columns, time runs downwards between two lanes.

use std::fmt::Write as _;
use std::time::Duration;

use crate::protocol::settings::{Framing, Settings};
use crate::protocol::text;
use crate::record::timeline::{Band, Kind, Message, Side, Timeline, length, strip};

/// Columns of the picture.
pub const WIDTH: usize = 80;

/// Columns of the number and the time of a row.
const HEAD: usize = 12;

/// Columns of a lane.
const LANE: usize = 31;

/// Bytes in a row of hexadecimal.
const BYTES: usize = 10;

/// Rows of hexadecimal; longer messages end in an ellipsis.
const HEX_ROWS: usize = 3;

/// A pause this short is not worth a row.
const PAUSE_MIN: Duration = Duration::from_millis(4);

/// Whether the picture has colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// None: nothing but ASCII and line feeds.
    Off,
    /// ANSI sequences around what has a colour.
    Ansi,
}

/// What a piece of a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Faint,
    Strong,
    Reader,
    Meter,
    Band,
    Wrong,
}

impl Style {
    fn ansi(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Faint => "2",
            Self::Strong => "1",
            Self::Reader => "36",
            Self::Meter => "32",
            Self::Band => "33",
            Self::Wrong => "1;31",
        }
    }
}

/// A row of the picture.
#[derive(Debug, Default)]
pub(super) struct Row(Vec<(Style, String)>);

impl Row {
    /// It with more behind it.
    pub(super) fn put(mut self, style: Style, text: impl Into<String>) -> Self {
        self.0.push((style, text.into()));
        self
    }

    /// Writes it without blanks at its end, cut at the right edge.
    fn write(mut self, colour: Colour, to: &mut String) {
        while let Some((_, last)) = self.0.last_mut() {
            last.truncate(last.trim_end().len());
            if !last.is_empty() {
                break;
            }
            self.0.pop();
        }
        let mut left = WIDTH;
        for (style, text) in &self.0 {
            let text = &text[..text.len().min(left)];
            left -= text.len();
            match (colour, style.ansi()) {
                (Colour::Ansi, code) if !code.is_empty() => {
                    let _ = write!(to, "\x1B[{code}m{text}\x1B[0m");
                }
                _ => to.push_str(text),
            }
        }
        to.push('\n');
    }
}

/// Draws a timeline; `outcome` is the sentence that stands below it.
pub fn draw(timeline: &Timeline, outcome: &str, colour: Colour) -> String {
    let mut rows = strip::rows(timeline);
    if !rows.is_empty() {
        rows.push(Row::default());
    }
    let mut lanes = Lanes { rows, settings: None, quiet_from: (Duration::ZERO, Duration::ZERO) };
    lanes.heading();
    let mut bands = timeline.bands.iter().peekable();
    for (number, message) in (1..).zip(&timeline.messages) {
        while let Some(band) = bands.next_if(|band| band.from <= message.start()) {
            lanes.band(band);
        }
        lanes.message(number, message);
        while let Some(hidden) = bands.next_if(|band| timeline.is_in_series(band.from)) {
            lanes.settings = Some(hidden.settings);
        }
    }
    bands.for_each(|band| lanes.band(band));
    lanes.pause(timeline.end);
    let outcome = text::escaped(outcome.as_bytes());
    let outcome =
        super::wrapped(&outcome, WIDTH).into_iter().map(|row| Row::default().put(Style::Strong, row));
    let mut picture = String::new();
    lanes
        .rows
        .into_iter()
        .chain([Row::default()])
        .chain(outcome)
        .for_each(|row| row.write(colour, &mut picture));
    picture
}

/// The two lanes, as far as they are drawn.
struct Lanes {
    rows: Vec<Row>,
    settings: Option<Settings>,
    /// Since when nobody has spoken, and since when the line has been as it is: what a pause is counted from.
    quiet_from: (Duration, Duration),
}

impl Lanes {
    /// The line between the lanes, which shows the framing in force.
    fn between(&self) -> &'static str {
        match self.settings.map(|settings| settings.framing) {
            None => "  :  ",
            Some(Framing::SevenEven) => "  |  ",
            Some(Framing::EightNone | Framing::EightEven) => "  #  ",
        }
    }

    fn heading(&mut self) {
        let head = format!("{:>10}  ", "seconds");
        let row = Row::default().put(Style::Faint, head).put(Style::Reader, format!("{:<LANE$}", "READER"));
        self.rows.push(row.put(Style::Plain, " ".repeat(5)).put(Style::Meter, "METER"));
    }

    fn band(&mut self, band: &Band) {
        self.pause(band.from);
        let (silent, _) = self.quiet_from;
        self.quiet_from = (silent, silent.max(band.from));
        let label = match self.settings {
            None => format!(" {} ", band.settings),
            Some(before) => format!(" {before} >>> {} ", band.settings),
        };
        let row = Row::default().put(Style::Faint, head(None, band.from));
        self.rows.push(row.put(Style::Band, format!("{label:=^0$}", WIDTH - HEAD)));
        self.settings = Some(band.settings);
    }

    /// The pause that ends at `until`, if it is one.
    fn pause(&mut self, until: Duration) {
        let (silent, same) = self.quiet_from;
        if until < same + PAUSE_MIN {
            return;
        }
        let mut label = format!(".. {} ..", length(until - same));
        if same > silent + PAUSE_MIN {
            let _ = write!(label, " ({} of silence)", length(until - silent));
        }
        // In the place of the line between the lanes.
        let left = HEAD + LANE + 2 - 6;
        self.rows.push(Row::default().put(Style::Faint, format!("{:left$}{label}", "")));
    }

    fn message(&mut self, number: usize, message: &Message) {
        self.pause(message.start());
        let end = self.quiet_from.0.max(message.end());
        self.quiet_from = (end, end);
        let style = match (message.said.kind, message.side) {
            (Kind::Echo, _) => Style::Faint,
            (Kind::Junk, _) => Style::Wrong,
            (_, Side::Reader) => Style::Reader,
            (_, Side::Meter) => Style::Meter,
        };
        let taken = length(message.end().saturating_sub(message.start()));
        let title = format!("{:<1$}", message.said.what, LANE - taken.len() - 1);
        let arrow = if message.side == Side::Reader { " --> " } else { " <-- " };
        let head = Row::default().put(Style::Faint, head(Some(number), message.start()));
        let row = match message.side {
            Side::Reader => head.put(style, format!("{title} {taken}")).put(style, arrow),
            Side::Meter => {
                head.put(Style::Plain, " ".repeat(LANE)).put(style, format!("{arrow}{title} {taken}"))
            }
        };
        self.rows.push(row);
        for (style, text) in body(message, style) {
            let row = Row::default().put(Style::Plain, " ".repeat(HEAD));
            let between = self.between();
            self.rows.push(match message.side {
                Side::Reader => row.put(style, format!("{text:<LANE$}")).put(Style::Faint, between),
                Side::Meter => {
                    row.put(Style::Plain, " ".repeat(LANE)).put(Style::Faint, between).put(style, text)
                }
            });
        }
    }
}

fn head(number: Option<usize>, at: Duration) -> String {
    let number = number.map_or_else(String::new, |number| number.to_string());
    format!("{:<HEAD$}", format!("{number:>2} {:>7.3}", at.as_secs_f64()))
}

/// What stands below the title of a message.
fn body(message: &Message, style: Style) -> Vec<(Style, String)> {
    let said = &message.said;
    let in_rows = |text: &str, style| super::wrapped(text, LANE).into_iter().map(move |row| (style, row));
    let mut rows: Vec<_> = in_rows(&said.gist, style).collect();
    if said.kind != Kind::Echo {
        rows.extend(
            super::hexadecimal(&message.bytes, BYTES, HEX_ROWS).into_iter().map(|row| (Style::Faint, row)),
        );
    }
    rows.extend(said.facts.iter().flat_map(|fact| in_rows(fact, Style::Plain)));
    rows.extend(said.faults.iter().flat_map(|fault| in_rows(&format!("! {fault}"), Style::Wrong)));
    rows
}
