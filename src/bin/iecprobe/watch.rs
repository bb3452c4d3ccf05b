//! What people see of a running sign-on: log events, the trace, a live line while they wait, and its picture.

use std::io::{self, BufWriter, LineWriter, Write};
use std::time::{Duration, Instant};

use iecprobe::machine::{Doing, Progress};
use iecprobe::os::{Output, Spool, Stderr};
use iecprobe::protocol::settings::Settings;
use iecprobe::record::observer::Observer;
use iecprobe::record::trace;
use iecprobe::record::{Entry, Event};

use crate::ending;
use crate::files::Tracing;
use crate::job::{Job, Start};
use crate::picture::Picture;
use crate::story::Story;
use crate::style::{self, Color, Look};
use crate::trouble::Trouble;

/// How often the live line is written anew.
const LIVE_INTERVAL: Duration = Duration::from_millis(100);

/// Back to the start of the line, and clear it.
const CLEAR: &str = "\r\x1B[K";

/// Writes to the log, and to a trace if there is one.
pub struct Watch {
    began: Instant,
    story: Story,
    trace: Option<trace::Writer<Box<dyn Write>>>,
    /// The first error of the trace or of the picture.
    broken: Option<io::Error>,
    /// The picture that is wanted of the sign-on.
    picture: Option<Picture>,
    sent: u64,
    received: u64,
    live: Live,
    color: Color,
}

/// The live line.
#[derive(PartialEq, Eq)]
enum Live {
    Off,
    /// Not on the screen at the moment.
    Hidden,
    Shown,
}

impl Watch {
    /// Begins to watch; `-` as trace is stderr. A live line is shown if nothing else goes there and it is a terminal.
    pub fn new(job: &Job) -> Result<Self, Trouble> {
        let look = Look::stderr(job.manner.color);
        let shared = matches!(job.trace, Some(Tracing::Stderr))
            || log::log_enabled!(log::Level::Info)
            || job.ports.are_several()
            // It has a line of its own.
            || matches!(job.start, Start::Watch(_));
        let wanted = !job.manner.quiet && !shared && !style::is_dumb();
        let live = if wanted && look.width().is_some() { Live::Hidden } else { Live::Off };
        let trace: Option<Box<dyn Write>> = match &job.trace {
            None => None,
            Some(Tracing::Stderr) => Some(Box::new(LineWriter::new(Stderr))),
            Some(Tracing::File(path)) => {
                let file = Output::create(path).map_err(|error| Trouble::File {
                    option: "--trace",
                    file: path.clone(),
                    error,
                })?;
                Some(Box::new(BufWriter::new(Spool::new(file))))
            }
        };
        let trace = trace.map(trace::Writer::new);
        Ok(Self {
            began: Instant::now(),
            story: Story::default(),
            trace,
            broken: None,
            picture: job.drawing.as_ref().map(|drawing| Picture::new(drawing, look)).transpose()?,
            sent: 0,
            received: 0,
            live,
            color: job.manner.color,
        })
    }

    /// Takes the live line off the screen.
    pub fn clear(&mut self) {
        if self.live == Live::Shown {
            ending::say(CLEAR);
            self.live = Live::Hidden;
        }
    }

    /// Draws what has happened so far, if that is wanted; nothing is kept from then on.
    pub fn draw(&mut self, outcome: impl FnOnce() -> String) {
        self.clear();
        let Some(picture) = self.picture.take() else { return };
        if let Err(error) = picture.draw(self.began.elapsed(), &outcome()) {
            self.broken.get_or_insert(error);
        }
    }

    /// Ends the trace.
    pub fn finish(&mut self) -> io::Result<()> {
        self.clear();
        self.story.tell_incoming();
        log::info!("{} bytes sent, {} received", self.sent, self.received);
        if let Some(trace) = &mut self.trace {
            trace.flush()?;
        }
        self.broken.take().map_or(Ok(()), Err)
    }

    fn trace(&mut self, now: Instant, event: impl FnOnce() -> Event) {
        if self.trace.is_none() && self.picture.is_none() && !log::log_enabled!(log::Level::Info) {
            return;
        }
        let entry = Entry { at: now.duration_since(self.began), event: event() };
        self.story.take(&entry);
        if let Some(Err(error)) = self.trace.as_mut().map(|trace| trace.write(&entry)) {
            self.broken = Some(error);
            self.trace = None;
        }
        if let Some(picture) = &mut self.picture {
            picture.keep(entry);
        }
    }
}

impl Observer for Watch {
    fn configured(&mut self, settings: Settings, now: Instant) {
        self.trace(now, || Event::Configured(settings));
    }

    fn transmitted(&mut self, bytes: &[u8], now: Instant) {
        self.sent += bytes.len() as u64;
        self.trace(now, || Event::Sent(bytes.to_vec()));
    }

    fn received(&mut self, bytes: &[u8], now: Instant) {
        self.received += bytes.len() as u64;
        self.trace(now, || Event::Received(bytes.to_vec()));
    }

    fn broke(&mut self, length: Duration, now: Instant) {
        self.trace(now, || Event::Broke(length));
    }

    fn waiting(&mut self, progress: &Progress, now: Instant) {
        if self.live == Live::Off || Stderr.is_behind() {
            return;
        }
        let phase = match &progress.doing {
            Doing::Preparing => "preparing the line",
            Doing::Identifying => "waiting for the identification",
            Doing::Confirming => "waiting for the confirmation",
            Doing::Freeing { step, of } => {
                &format!("no answer; freeing the meter from an earlier session, {step} of {of}")
            }
            Doing::Exchanging => "waiting for HDLC",
            Doing::Hunting { step, of, what } => &format!("step {step} of {of}: {what}"),
        };
        let attempt = match progress.doing {
            Doing::Hunting { .. } | Doing::Freeing { .. } => String::new(),
            _ => format!(", attempt {}", progress.attempt),
        };
        let (seconds, received) = (now.duration_since(self.began).as_secs_f64(), self.received);
        let line = format!("{phase}{attempt}, {seconds:.1} s, {received} bytes ");
        // A terminal can be resized at any time. Its last column stays free: some wrap there already.
        let width = Look::stderr(self.color).width().unwrap_or_default();
        let line: String = line.chars().take(width.saturating_sub(1)).collect();
        ending::say(&format!("{CLEAR}{line}"));
        self.live = Live::Shown;
    }

    fn interval(&self) -> Option<Duration> {
        (self.live != Live::Off).then_some(LIVE_INTERVAL)
    }
}
