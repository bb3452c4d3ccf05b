//! A serial port or a pseudo-terminal as a line: who computes parity on it, and what it has to be given time for.

use std::io;
use std::time::{Duration, Instant};

use crate::line::transmitter::Transmitter;
use crate::line::{Line, Nature, OpenError, Options};
use crate::os::{self, Handle, Serial};
use crate::protocol::baud;
use crate::protocol::parity::{self, Parity};
use crate::protocol::settings::{Framing, Settings};
use crate::protocol::timing;

/// A serial port or a pseudo-terminal.
pub(super) struct SerialLine {
    port: Serial,
    nature: Nature,
    /// Whether we compute parity at the moment.
    computes: bool,
    settings: Settings,
    /// There where characters take their time.
    transmitter: Option<Transmitter>,
    remarks: Vec<String>,
}

impl SerialLine {
    pub(super) fn open(name: &str, options: Options) -> Result<Self, OpenError> {
        let mut port = Serial::open(name)?;
        let mut remarks = port.remarks();
        let pty = port.is_pty();
        let mut parities = match options.parity {
            None if pty => [Parity::None; 2],
            None => [Parity::Software, Parity::Hardware],
            Some(asked) => [asked; 2],
        };
        let framing = framing_of_the_port(options.settings, parities[0]);
        let seven_bits = framing == Framing::SevenEven;
        let kept = port.configure(options.settings.baud, framing).map_err(os::OpenError::Io)?;
        if !baud::agree(options.settings.baud, kept.baud) {
            return Err(OpenError::Rate { wanted: options.settings.baud, kept: kept.baud });
        }
        if seven_bits && !kept.seven_even {
            if options.parity.is_some() {
                remarks.push("the driver does not keep 7E1; plain characters are sent instead".into());
            }
            let instead = if pty { Parity::None } else { Parity::Software };
            parities = parities.map(|parity| if parity == Parity::Hardware { instead } else { parity });
        }
        let warm_up = if pty { Duration::ZERO } else { timing::WARM_UP };
        let lag = if pty { timing::PTY_LAG } else { timing::ADAPTER_LAG };
        let nature = Nature { parities, warm_up, lag, fixed_rate: false, round_trip: Duration::ZERO };
        let transmitter = (!pty).then(Transmitter::default);
        let settings = options.settings;
        let mut line = Self { port, nature, computes: false, settings, transmitter, remarks };
        line.port.set_modem_lines(options.dtr, options.rts);
        line.configure(options.settings, parities[0]).map_err(os::OpenError::Io)?;
        line.port.discard_input();
        Ok(line)
    }
}

/// What the driver is set to: 7E1 only where it is the one that computes parity.
fn framing_of_the_port(settings: Settings, parity: Parity) -> Framing {
    match settings.framing {
        Framing::SevenEven if parity != Parity::Hardware => Framing::EightNone,
        framing => framing,
    }
}

impl Line for SerialLine {
    fn nature(&self) -> Nature {
        self.nature
    }

    fn configure(&mut self, settings: Settings, parity: Parity) -> io::Result<()> {
        self.settings = settings;
        self.computes = settings.framing == Framing::SevenEven && parity == Parity::Software;
        let framing = framing_of_the_port(settings, parity);
        let kept = self.port.configure(settings.baud, framing)?;
        if framing == Framing::SevenEven && !kept.seven_even && !self.port.is_pty() {
            // The same ten bits, on a chip that cannot do it.
            return self.configure(settings, Parity::Software);
        }
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = if self.computes {
            self.port.write(&parity::all_with_even(bytes))
        } else {
            self.port.write(bytes)
        }?;
        if let Some(transmitter) = &mut self.transmitter {
            transmitter.wrote(written, self.settings, Instant::now());
        }
        Ok(written)
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.port.read(buffer)
    }

    fn drained(&mut self) -> io::Result<bool> {
        Ok(self.port.drained())
    }

    fn leaves(&self) -> Option<Instant> {
        Some(self.transmitter?.leaves()? + timing::TAIL_MARGIN)
    }

    fn set_break(&mut self, on: bool) -> io::Result<()> {
        self.port.set_break(on);
        Ok(())
    }

    fn set_modem_lines(&mut self, dtr: bool, rts: bool) {
        self.port.set_modem_lines(dtr, rts);
    }

    fn handle(&self) -> Option<Handle<'_>> {
        Some(self.port.handle())
    }

    fn remarks(&self) -> Vec<String> {
        self.remarks.clone()
    }
}
