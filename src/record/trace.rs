//! The text form of what happened on a line: one row an event, to read, to grep, and to read back.
//!
//! ```text
//!     0.0001 == 300 Bd 7E1
//!     0.0002 -> 300 Bd 7E1     2F 3F 21 0D 0A                                  /?!..
//!     0.4171 <- 300 Bd 7E1     2F                                              /
//!     2.7000 -> BREAK 300ms
//! ```
//!
//! Seconds, direction (`->` to the meter, `<-` from it, `==` a change of settings), settings in force, at most sixteen
//! bytes, and the same as text with bit 7 left out. Empty rows and rows that begin with `#` say nothing.

use std::io::{self, Write};
use std::time::Duration;

use crate::protocol::settings::Settings;
use crate::protocol::text;
use crate::record::{Entry, Event};

/// Bytes in one row.
const WIDTH: usize = 16;

/// Where the bytes of a row begin, counted from its direction on: behind the settings.
const SETTINGS_WIDTH: usize = 14;

/// Writes a trace.
#[derive(Debug)]
pub struct Writer<W> {
    to: W,
    settings: Option<Settings>,
}

impl<W: Write> Writer<W> {
    /// A trace that goes to `to`.
    pub fn new(to: W) -> Self {
        Self { to, settings: None }
    }

    /// Writes one event; settings that are in force already are not repeated.
    pub fn write(&mut self, entry: &Entry) -> io::Result<()> {
        let time = entry.at.as_secs_f64();
        match &entry.event {
            Event::Configured(settings) if self.settings == Some(*settings) => Ok(()),
            Event::Configured(settings) => {
                self.settings = Some(*settings);
                writeln!(self.to, "{time:10.4} == {settings}")
            }
            Event::Broke(length) => writeln!(self.to, "{time:10.4} -> BREAK {}ms", length.as_millis()),
            Event::Sent(bytes) => self.rows(time, "->", bytes),
            Event::Received(bytes) => self.rows(time, "<-", bytes),
        }
    }

    fn rows(&mut self, time: f64, direction: &str, bytes: &[u8]) -> io::Result<()> {
        let settings = self.settings.map_or_else(String::new, |settings| settings.to_string());
        for row in bytes.chunks(WIDTH) {
            let hex = text::dump(row, WIDTH);
            let shown: String = row.iter().map(|&byte| text::shown(byte)).collect();
            writeln!(self.to, "{time:10.4} {direction} {settings:<SETTINGS_WIDTH$} {hex:<47} {shown}")?;
        }
        Ok(())
    }

    /// Hands over everything that was written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// A row of a trace that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {row}: {what}")]
pub struct BadRow {
    /// Its number, from 1.
    pub row: usize,
    /// What is wrong with it.
    pub what: &'static str,
}

/// Reads a trace back.
pub fn parse(trace: &str) -> Result<Vec<Entry>, BadRow> {
    let rows = trace.lines().enumerate();
    let meant = rows.filter(|(_, row)| !row.trim().is_empty() && !row.starts_with('#'));
    meant.map(|(number, row)| entry(row).map_err(|what| BadRow { row: number + 1, what })).collect()
}

fn entry(row: &str) -> Result<Entry, &'static str> {
    let (time, rest) = row.trim_start().split_once(' ').ok_or("neither a time nor an event")?;
    let seconds: f64 = time.parse().map_err(|_| "it does not begin with a time in seconds")?;
    let at = Duration::try_from_secs_f64(seconds).map_err(|_| "a time that cannot be")?;
    let (direction, rest) = rest.split_once(' ').ok_or("no event behind the time")?;
    let event = match direction {
        "==" => Event::Configured(settings(rest)?),
        "->" if rest.starts_with("BREAK ") => {
            let length = rest["BREAK ".len()..].trim_end().strip_suffix("ms");
            let length = length.and_then(|length| length.parse().ok()).ok_or("a BREAK without its length")?;
            Event::Broke(Duration::from_millis(length))
        }
        "->" => Event::Sent(bytes(rest)?),
        "<-" => Event::Received(bytes(rest)?),
        _ => return Err("the direction is none of `->`, `<-` and `==`"),
    };
    Ok(Entry { at, event })
}

fn settings(text: &str) -> Result<Settings, &'static str> {
    const WRONG: &str = "settings that are not like `300 Bd 7E1`";
    let [baud, "Bd", framing] = text.split_whitespace().collect::<Vec<_>>()[..] else { return Err(WRONG) };
    let baud = baud.parse().ok().filter(|&baud| baud > 0).ok_or(WRONG)?;
    match framing {
        "7E1" => Ok(Settings::seven_even(baud)),
        "8N1" => Ok(Settings::eight_none(baud)),
        "8E1" => Ok(Settings::eight_even(baud)),
        _ => Err(WRONG),
    }
}

/// The bytes of a row: behind its settings, and before the text, which could look like bytes as well.
fn bytes(rest: &str) -> Result<Vec<u8>, &'static str> {
    const NONE: &str = "no bytes in hexadecimal";
    let hex = rest.get(SETTINGS_WIDTH + 1..).ok_or(NONE)?;
    let hex = hex.get(..3 * WIDTH - 1).unwrap_or(hex);
    let bytes: Result<Vec<u8>, _> =
        hex.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).map_err(|_| NONE)).collect();
    bytes.and_then(|bytes| if bytes.is_empty() { Err(NONE) } else { Ok(bytes) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(entries: &[Entry]) -> String {
        let mut trace = Vec::new();
        let mut writer = Writer::new(&mut trace);
        entries.iter().for_each(|entry| writer.write(entry).unwrap());
        String::from_utf8(trace).unwrap()
    }

    fn at(milliseconds: u64, event: Event) -> Entry {
        Entry { at: Duration::from_millis(milliseconds), event }
    }

    #[test]
    fn what_was_written_reads_back() {
        let entries = [
            at(0, Event::Configured(Settings::seven_even(300))),
            at(1, Event::Sent(b"/?!\r\n".to_vec())),
            at(417, Event::Received(b"AB CD EF 01 02 03".to_vec()[..16].to_vec())),
            at(2700, Event::Broke(Duration::from_millis(300))),
            at(3000, Event::Configured(Settings::eight_none(115_200))),
            at(123_456_789, Event::Received((0xF0..=0xFF).collect())),
        ];
        assert_eq!(parse(&written(&entries)).unwrap(), entries);
    }

    #[test]
    fn long_messages_take_several_rows_and_settings_are_not_repeated() {
        let settings = Event::Configured(Settings::seven_even(300));
        let trace = written(&[at(0, settings.clone()), at(1, settings), at(2, Event::Sent(vec![0x41; 17]))]);
        assert_eq!(trace.lines().count(), 3);
        assert!(
            trace.ends_with(
                "    0.0020 -> 300 Bd 7E1     41                                              A\n"
            )
        );
    }

    #[test]
    fn rows_that_say_nothing_are_passed_over_and_others_are_named() {
        assert_eq!(parse("# a remark\n\n"), Ok(Vec::new()));
        for (trace, row) in [
            ("0.1 == 300 Bd 7E1\nx == 300 Bd 7E1", 2),
            ("0.1 == 300 Bd 6E1", 1),
            ("0.1 == 0 Bd 7E1", 1),
            ("0.1 ?? 300 Bd 7E1", 1),
            ("0.1 -> 300 Bd 7E1     /?!", 1),
            ("0.1 <- 300 Bd", 1),
            ("-1 == 300 Bd 7E1", 1),
            ("0.1 -> BREAK long", 1),
            ("0.1", 1),
        ] {
            assert_eq!(parse(trace).map_err(|bad| bad.row), Err(row), "{trace}");
        }
    }
}
