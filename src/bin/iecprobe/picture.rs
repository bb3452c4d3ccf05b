//! `--timeline`: the picture of a sign-on, where it goes, and the sentence that stands with it.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use iecprobe::os::Stderr;
use iecprobe::protocol::text::escaped;
use iecprobe::record::Entry;
use iecprobe::record::timeline::text::Colour;
use iecprobe::record::timeline::{Timeline, svg, text};
use iecprobe::signon::SignedOn;

use crate::ending::Ending;
use crate::files::Drawing;
use crate::style::Look;
use crate::trouble::Trouble;

/// A picture that is wanted, and what has happened so far.
pub struct Picture {
    entries: Vec<Entry>,
    to: To,
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
        Ok(Self { entries: Vec::new(), to })
    }

    /// Takes note of something that happened.
    pub fn keep(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    /// Draws what happened until now.
    pub fn draw(self, now: Duration, outcome: &str) -> io::Result<()> {
        let timeline = Timeline::new(&self.entries, now);
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
