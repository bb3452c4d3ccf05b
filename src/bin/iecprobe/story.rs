//! The log on stderr, and the story of a line in it: a sentence for each message, under `-vv` with its bytes.

use std::io::Write;
use std::time::Duration;

use env_logger::Target;
use log::Level;

use iecprobe::os::Stderr;
use iecprobe::protocol::settings::Settings;
use iecprobe::protocol::text;
use iecprobe::record::timeline::{Message, Side, Timeline};
use iecprobe::record::{Entry, Event};

use crate::manner::Manner;

/// Bytes of a message without an end after which it is told nevertheless.
const MESSAGE_MAX: usize = 256;

/// Bytes of a message that are shown.
const SHOWN_MAX: usize = 64;

/// Starts it, with as much as is wanted; of several ports each line says of which it is.
pub fn start(manner: &Manner, several: bool) {
    let level = match manner.verbose {
        0 if manner.quiet => "error",
        0 => "warn",
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    let mut log = env_logger::Builder::from_env(env_logger::Env::default().default_filter_or(level));
    log.target(Target::Pipe(Box::new(Stderr)));
    log.format(move |to, record| {
        if record.level() <= Level::Warn {
            write!(to, "[{:<5}] ", record.level())?;
        }
        if several {
            // Threads are named after their ports.
            write!(to, "{}: ", std::thread::current().name().unwrap_or_default())?;
        }
        writeln!(to, "{}", record.args())
    });
    log.init();
}

/// Tells what happens on a line. Nothing is kept while nobody listens.
#[derive(Debug, Default)]
pub struct Story {
    settings: Option<Settings>,
    /// What the message that comes in is understood by: the settings, what we sent last, and its bytes so far.
    entries: Vec<Entry>,
    /// Bytes of it.
    incoming: usize,
}

impl Story {
    /// Takes the next event, and tells what can be told by now.
    pub fn take(&mut self, entry: &Entry) {
        if !log::log_enabled!(Level::Info) {
            return;
        }
        let at = entry.at;
        match &entry.event {
            Event::Configured(settings) if self.settings == Some(*settings) => {}
            Event::Configured(settings) => {
                self.tell_incoming();
                tell(at, &format!("line set to {settings}"));
                self.settings = Some(*settings);
                self.entries.push(entry.clone());
            }
            Event::Sent(_) => {
                self.tell_incoming();
                self.restart(at);
                self.entries.push(entry.clone());
                self.tell_of(Side::Reader);
            }
            Event::Received(bytes) => {
                let first = self.incoming == 0;
                self.incoming += bytes.len();
                self.entries.push(entry.clone());
                if is_end(bytes, first) || self.incoming >= MESSAGE_MAX {
                    self.tell_incoming();
                }
            }
            Event::Broke(length) => {
                self.tell_incoming();
                tell(at, &format!("line BREAK for {length:?}"));
            }
        }
    }

    /// Tells what has come in since the last message, complete or not.
    pub fn tell_incoming(&mut self) {
        if self.incoming > 0 {
            self.tell_of(Side::Meter);
            self.restart(self.entries.last().map_or(Duration::ZERO, |entry| entry.at));
        }
    }

    fn tell_of(&self, side: Side) {
        let timeline = Timeline::new(&self.entries, Duration::ZERO);
        for message in timeline.messages.iter().filter(|message| message.side == side) {
            let (at, verb) = match side {
                Side::Reader => (message.start(), "sent"),
                Side::Meter => (message.end(), "received"),
            };
            tell(at, &sentence(message));
            log::debug!("{:.2} s {verb} {}", at.as_secs_f64(), text::dump(&message.bytes, SHOWN_MAX));
        }
    }

    fn restart(&mut self, at: Duration) {
        self.incoming = 0;
        self.entries.clear();
        self.entries.extend(self.settings.map(|settings| Entry { at, event: Event::Configured(settings) }));
    }
}

fn tell(at: Duration, sentence: &str) {
    log::info!("{:.2} s {sentence}", at.as_secs_f64());
}

/// Whether a message ends here: with its line, or with the flag of a frame, which also begins one.
fn is_end(bytes: &[u8], first: bool) -> bool {
    match bytes {
        [0x7E] => !first,
        [.., last] => matches!(last & 0x7F, b'\n' | 0x7E),
        [] => false,
    }
}

/// A message in words: its name, what it means, what is wrong with it.
fn sentence(message: &Message) -> String {
    let said = &message.said;
    let mut sentence = said.what.clone();
    if let (Side::Reader, Some(settings)) = (message.side, message.settings) {
        sentence += &format!(" at {} Bd", settings.baud);
    }
    let mut parts = said.facts.clone();
    if parts.is_empty() && !said.gist.is_empty() {
        parts.push(said.gist.clone());
    }
    parts.extend(said.faults.iter().cloned());
    if parts.is_empty() { sentence } else { format!("{sentence}: {}", parts.join(", ")) }
}
