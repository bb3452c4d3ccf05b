//! A serial port or a pseudo-terminal as a line. The only file that knows the serialport crate: modem lines, BREAK and
//! the output queue are its; the descriptor, its lock and its settings are the platform's, because they have to be
//! right before anything is touched and restored after everything.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use serialport::{SerialPort, TTYPort};

use crate::line::{Line, Nature, OpenError, Options};
use crate::os::Handle;
use crate::os::serial::{self as platform, Port};
use crate::protocol::baud;
use crate::protocol::parity::{self, Parity};
use crate::protocol::settings::{Framing, Settings};
use crate::protocol::timing;

/// A serial port or a pseudo-terminal.
pub(super) struct SerialLine {
    /// Dropped before `port`, which restores the settings while the descriptor is still ours.
    control: Option<TTYPort>,
    port: Port,
    nature: Nature,
    /// Whether we compute parity at the moment.
    computes: bool,
    remarks: Vec<String>,
}

impl SerialLine {
    pub(super) fn open(name: &str, options: Options) -> Result<Self, OpenError> {
        let mut port = Port::open(name)?;
        let mut remarks = port.remarks();
        // A pseudo-terminal has no modem lines, and its exclusive mode would outlive us if we were killed.
        let control = if port.is_pty() { None } else { Some(control(&port)?) };
        let pty = port.is_pty();
        let mut parities = match options.parity {
            None if pty => [Parity::None; 2],
            None => [Parity::Hardware, Parity::Software],
            Some(asked) => [asked; 2],
        };
        let seven_bits = options.settings.framing == Framing::SevenEven && parities[0] == Parity::Hardware;
        let kept = port.configure(options.settings.baud, seven_bits)?;
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
        let nature = Nature { parities, warm_up, lag: timing::ADAPTER_LAG };
        let mut line = Self { control, port, nature, computes: false, remarks };
        if let Some(control) = &mut line.control {
            // Two-wire adapters have no such lines: not having them is no reason to stop.
            let _ = control.write_data_terminal_ready(options.dtr);
            let _ = control.write_request_to_send(options.rts);
        }
        line.configure(options.settings, parities[0])?;
        line.port.discard_input();
        Ok(line)
    }
}

/// The serialport crate's view of the port, on a descriptor of its own for the same open file.
fn control(port: &Port) -> io::Result<TTYPort> {
    Ok(platform::adopt(port.as_fd().try_clone_to_owned()?))
}

impl Line for SerialLine {
    fn nature(&self) -> Nature {
        self.nature
    }

    fn configure(&mut self, settings: Settings, parity: Parity) -> io::Result<()> {
        let seven_even = settings.framing == Framing::SevenEven;
        self.computes = seven_even && parity == Parity::Software;
        self.port.configure(settings.baud, seven_even && parity == Parity::Hardware).map(|_| ())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.computes {
            return self.port.write(&parity::all_with_even(bytes));
        }
        self.port.write(bytes)
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.port.read(buffer)
    }

    fn drained(&mut self) -> io::Result<bool> {
        let Some(control) = &self.control else { return Ok(true) };
        // A driver that cannot tell has told all that it knows.
        if control.bytes_to_write().is_ok_and(|queued| queued > 0) {
            return Ok(false);
        }
        self.port.drain();
        Ok(true)
    }

    fn set_break(&mut self, on: bool) -> io::Result<()> {
        if let Some(control) = &self.control {
            // Adapters without BREAK say so; it was worth a try.
            let _ = if on { control.set_break() } else { control.clear_break() };
        }
        Ok(())
    }

    fn handle(&self) -> Option<Handle<'_>> {
        Some(self.port.handle())
    }

    fn remarks(&self) -> Vec<String> {
        self.remarks.clone()
    }
}
