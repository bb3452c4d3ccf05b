//! A serial port or a pseudo-terminal as a line. The only file that knows the serialport crate: modem lines, BREAK and
//! the output queue are its; the descriptor, its lock and its settings are the platform's, because they have to be
//! right before anything is touched and restored after everything.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use serialport::{SerialPort, TTYPort};

use crate::line::{Line, OpenError, Options, Parity};
use crate::os::serial::{self as platform, Port};
use crate::protocol::baud;
use crate::protocol::parity;
use crate::protocol::settings::{Framing, Settings};

/// A serial port or a pseudo-terminal.
pub(super) struct SerialLine {
    /// Dropped before `port`, which restores the settings while the descriptor is still ours.
    control: Option<TTYPort>,
    port: Port,
    parity: Parity,
    /// Whether `parity` was our own choice.
    chosen: bool,
    settings: Settings,
    remarks: Vec<String>,
}

impl SerialLine {
    pub(super) fn open(name: &str, options: Options) -> Result<Self, OpenError> {
        let mut port = Port::open(name)?;
        let mut remarks = port.remarks();
        // A pseudo-terminal has no modem lines, and its exclusive mode would outlive us if we were killed.
        let control = if port.is_pty() { None } else { Some(control(&port)?) };
        let wanted = match options.parity {
            Parity::Auto if port.is_pty() => Parity::None,
            Parity::Auto => Parity::Hardware,
            asked => asked,
        };
        let seven_bits = options.settings.framing == Framing::SevenEven && wanted == Parity::Hardware;
        let kept = port.configure(options.settings.baud, seven_bits)?;
        if !baud::agree(options.settings.baud, kept.baud) {
            return Err(OpenError::Rate { wanted: options.settings.baud, kept: kept.baud });
        }
        let parity = match wanted {
            Parity::Hardware if seven_bits && !kept.seven_even => {
                if options.parity == Parity::Hardware {
                    remarks.push("the driver does not keep 7E1; plain characters are sent instead".into());
                }
                if port.is_pty() { Parity::None } else { Parity::Software }
            }
            other => other,
        };
        let mut line = Self {
            control,
            port,
            parity,
            chosen: options.parity == Parity::Auto,
            settings: options.settings,
            remarks,
        };
        if let Some(control) = &mut line.control {
            // Two-wire adapters have no such lines: not having them is no reason to stop.
            let _ = control.write_data_terminal_ready(options.dtr);
            let _ = control.write_request_to_send(options.rts);
        }
        line.configure(options.settings)?;
        line.port.discard_input();
        Ok(line)
    }

    fn computes_parity(&self) -> bool {
        self.parity == Parity::Software && self.settings.framing == Framing::SevenEven
    }

    fn driver_parity(&self) -> bool {
        self.parity == Parity::Hardware && self.settings.framing == Framing::SevenEven
    }
}

/// The serialport crate's view of the port, on a descriptor of its own for the same open file.
fn control(port: &Port) -> io::Result<TTYPort> {
    Ok(platform::adopt(port.as_fd().try_clone_to_owned()?))
}

impl Line for SerialLine {
    fn configure(&mut self, settings: Settings) -> io::Result<()> {
        self.settings = settings;
        self.port.configure(settings.baud, self.driver_parity()).map(|_| ())
    }

    fn distrust_hardware_parity(&mut self) {
        if self.chosen && self.parity == Parity::Hardware {
            self.parity = Parity::Software;
        }
    }

    fn shows_parity(&self) -> bool {
        self.parity != Parity::None
    }

    fn is_hardware(&self) -> bool {
        !self.port.is_pty()
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.computes_parity() {
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

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        Some(self.port.as_fd())
    }

    fn remarks(&self) -> Vec<String> {
        self.remarks.clone()
    }
}
