//! `--timeline`: the picture of a sign-on, where it goes, and the sentence that stands with it.
//!
//! A meter that never falls silent would fill the memory of the computer, and nobody looks at a picture of it: a picture
//! keeps what fits in [`ROOM`], and says so where something is left out.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use iecprobe::os::Stderr;
use iecprobe::protocol::text::escaped;
use iecprobe::record::timeline::text::Colour;
use iecprobe::record::timeline::{Timeline, svg, text};
use iecprobe::record::{Entry, Event};
use iecprobe::signon::SignedOn;

use crate::ending::Ending;
use crate::files::Drawing;
use crate::style::Look;
use crate::trouble::Trouble;

/// What a picture keeps: bytes of the line, and one more for each event. A whole sign-on needs about a hundredth.
const ROOM: usize = 128 * 1024;

/// As much of it as the meter may fill: what we do to the line after a flood is in the picture still.
const ROOM_OF_METER: usize = ROOM / 2;

/// A picture that is wanted, and what has happened so far.
pub struct Picture {
    kept: Kept,
    to: To,
}

/// The beginning of what happened.
#[derive(Default)]
struct Kept {
    entries: Vec<Entry>,
    /// How much of [`ROOM`] the entries take.
    taken: usize,
    /// How many entries there was no room for.
    left_out: usize,
}

enum To {
    Stderr(Colour),
    Text(File),
    Svg(File),
}

impl Picture {
    /// Prepares for a picture: a file that cannot be written is found out now.
    pub fn new(drawing: &Drawing, look: Look) -> Result<Self, Trouble> {
        let create = |file: &PathBuf| {
            File::create(file).map_err(|error| Trouble::File {
                option: "--timeline",
                file: file.clone(),
                error,
            })
        };
        let to = match drawing {
            Drawing::Stderr => To::Stderr(if look.has_colour() { Colour::Ansi } else { Colour::Off }),
            Drawing::Text(file) => To::Text(create(file)?),
            Drawing::Svg(file) => To::Svg(create(file)?),
        };
        Ok(Self { kept: Kept::default(), to })
    }

    /// Takes note of something that happened, as long as there is room for it.
    pub fn keep(&mut self, entry: Entry) {
        self.kept.push(entry);
    }

    /// Draws what happened until now.
    pub fn draw(self, now: Duration, outcome: &str) -> io::Result<()> {
        let timeline = Timeline::new(&self.kept.entries, now);
        let outcome = &self.kept.qualify(outcome);
        match self.to {
            To::Stderr(colour) => {
                let picture = text::draw(&timeline, outcome, colour);
                Stderr.write_all(picture.as_bytes())
            }
            To::Text(mut file) => file.write_all(text::draw(&timeline, outcome, Colour::Off).as_bytes()),
            To::Svg(mut file) => file.write_all(svg::draw(&timeline, outcome).as_bytes()),
        }
    }
}

impl Kept {
    fn push(&mut self, entry: Entry) {
        let (bytes, room) = match &entry.event {
            Event::Received(bytes) => (bytes.len(), ROOM_OF_METER),
            Event::Sent(bytes) => (bytes.len(), ROOM),
            Event::Configured(_) | Event::Broke(_) => (0, ROOM),
        };
        let taken = self.taken + bytes + 1;
        if taken > room {
            self.left_out += 1;
            return;
        }
        self.taken = taken;
        self.entries.push(entry);
    }

    /// The outcome, and with it that something is missing in the picture.
    fn qualify(&self, outcome: &str) -> String {
        match self.left_out {
            0 => outcome.to_owned(),
            1 => format!("{outcome}; 1 later event is left out"),
            count => format!("{outcome}; {count} later events are left out"),
        }
    }
}

/// How a session ended, in one sentence.
pub fn outcome(port: &str, ident_only: bool, ended: Result<Option<&SignedOn>, &Ending>) -> String {
    let how = match ended {
        Ok(None) => "ended".into(),
        Ok(Some(done)) => {
            let identification = &done.identification;
            let who =
                format!("{} {}", escaped(&identification.manufacturer()), escaped(identification.ident()));
            match done.confirmed {
                _ if ident_only => format!("identified {who}"),
                Some(true) => format!("signed on to {who} at {} Bd, confirmed", done.baud),
                Some(false) => format!("signed on to {who} at {} Bd, not confirmed", done.baud),
                None => format!("signed on to {who} at {} Bd", done.baud),
            }
        }
        Err(Ending::Failed(trouble)) => trouble.kind().summary().into(),
        Err(Ending::Signal(signal)) => format!("ended by signal {signal}"),
        Err(Ending::OutputClosed | Ending::Command(_)) => "ended".into(),
    };
    format!("{port} - {how} (iecprobe {})", env!("CARGO_PKG_VERSION"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(kept: &mut Kept, count: u32, event: impl Fn() -> Event) {
        (0..count).for_each(|at| kept.push(Entry { at: Duration::from_millis(at.into()), event: event() }));
    }

    #[test]
    fn a_flood_is_kept_in_part_and_what_we_do_then_is_kept_too() {
        let mut kept = Kept::default();
        keep(&mut kept, 1, || Event::Sent(b"/?!\r\n".to_vec()));
        keep(&mut kept, 10_000, || Event::Received(vec![0x55; 1024]));
        keep(&mut kept, 1, || Event::Sent(b"/?!\r\n".to_vec()));
        assert!(kept.taken <= ROOM, "{}", kept.taken);
        let received = kept.entries.iter().filter(|entry| matches!(entry.event, Event::Received(_))).count();
        assert_eq!(received, ROOM_OF_METER / 1025);
        assert!(matches!(kept.entries.last().map(|last| &last.event), Some(Event::Sent(_))));
        assert_eq!(kept.qualify("ended"), format!("ended; {} later events are left out", 10_000 - received));
    }

    #[test]
    fn many_small_events_are_bounded_as_well() {
        let mut kept = Kept::default();
        keep(&mut kept, 1_000_000, || Event::Broke(Duration::ZERO));
        assert_eq!(kept.entries.len(), ROOM);
    }

    #[test]
    fn nothing_is_left_out_of_a_sign_on() {
        let mut kept = Kept::default();
        keep(&mut kept, 1_000, || Event::Received(vec![b'.']));
        assert_eq!((kept.entries.len(), kept.qualify("ended")), (1_000, "ended".to_owned()));
    }
}
