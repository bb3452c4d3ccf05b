//! What people see of a running sign-on: log events, and the trace.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use iecprobe::observer::Observer;
use iecprobe::settings::Settings;
use iecprobe::signon::SignOn;
use iecprobe::text;

/// Bytes on one line of a trace.
const TRACE_WIDTH: usize = 16;

/// Writes to the log, and to a trace if there is one.
pub struct Watch {
    began: Instant,
    settings: Option<Settings>,
    trace: Option<Box<dyn Write>>,
    /// The first error of the trace.
    broken: Option<io::Error>,
    sent: u64,
    received: u64,
}

impl Watch {
    /// Begins to watch; `-` as trace is stderr.
    pub fn new(trace: Option<&Path>) -> io::Result<Self> {
        let trace: Option<Box<dyn Write>> = match trace {
            None => None,
            Some(path) if path.as_os_str() == "-" => Some(Box::new(io::stderr())),
            Some(path) => Some(Box::new(BufWriter::new(File::create(path)?))),
        };
        Ok(Self { began: Instant::now(), settings: None, trace, broken: None, sent: 0, received: 0 })
    }

    /// Ends the trace.
    pub fn finish(&mut self) -> io::Result<()> {
        log::info!("{} bytes sent, {} received", self.sent, self.received);
        if let Some(trace) = &mut self.trace {
            trace.flush()?;
        }
        self.broken.take().map_or(Ok(()), Err)
    }

    fn trace(&mut self, now: Instant, what: &str) {
        let Some(trace) = &mut self.trace else { return };
        let time = now.duration_since(self.began).as_secs_f64();
        if let Err(error) = writeln!(trace, "{time:10.4} {what}") {
            self.broken = Some(error);
            self.trace = None;
        }
    }

    fn trace_bytes(&mut self, now: Instant, direction: &str, bytes: &[u8]) {
        if self.trace.is_none() {
            return;
        }
        let settings = self.settings.map_or_else(String::new, |settings| settings.to_string());
        for row in bytes.chunks(TRACE_WIDTH) {
            let hex = text::dump(row, TRACE_WIDTH);
            let plain: Vec<u8> = row.iter().map(|byte| byte & 0x7F).collect();
            let shown: String = plain
                .iter()
                .map(|&byte| if (b' '..=b'~').contains(&byte) { char::from(byte) } else { '.' })
                .collect();
            self.trace(now, &format!("{direction} {settings:<14} {hex:<47} {shown}"));
        }
    }
}

impl Observer for Watch {
    fn configured(&mut self, settings: Settings, now: Instant) {
        if self.settings != Some(settings) {
            log::info!("line set to {settings}");
            self.trace(now, &format!("== {settings}"));
        }
        self.settings = Some(settings);
    }

    fn transmitted(&mut self, bytes: &[u8], now: Instant) {
        self.sent += bytes.len() as u64;
        log::debug!("sent {}", text::dump(bytes, 64));
        self.trace_bytes(now, "->", bytes);
    }

    fn received(&mut self, bytes: &[u8], now: Instant) {
        self.received += bytes.len() as u64;
        log::debug!("received {}", text::dump(bytes, 64));
        self.trace_bytes(now, "<-", bytes);
    }

    fn broke(&mut self, length: Duration, now: Instant) {
        log::info!("line BREAK for {length:?}");
        self.trace(now, &format!("-> BREAK {length:?}"));
    }

    fn waiting(&mut self, sign_on: &SignOn, _now: Instant) {
        log::trace!("{:?}, request {}", sign_on.phase(), sign_on.attempts());
    }
}
