//! A COM port, from the first check to the restored settings.
//!
//! A read of one byte is always under way, and its end says that there is something to read; the rest is then taken from
//! the driver's queue. Modem lines and BREAK are the serialport crate's, on a handle of its own for the same open port:
//! what it reads and writes waits, so it never does that.

use std::io;
use std::os::windows::io::{
    AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, IntoRawHandle, OwnedHandle,
};
use std::path::Path;
use std::ptr;
use std::sync::Arc;

use serialport::{COMPort, SerialPort};
use windows_sys::Win32::Devices::Communication::{PURGE_RXCLEAR, PURGE_TXABORT, PURGE_TXCLEAR};
use windows_sys::Win32::Foundation::{GENERIC_READ, GENERIC_WRITE, INVALID_HANDLE_VALUE};
use windows_sys::Win32::Storage::FileSystem::{
    CreateFileW, FILE_FLAG_OVERLAPPED, FILE_TYPE_DISK, GetFileType, OPEN_EXISTING,
};

use super::comm::{self, Levels, Saved, WRONG_PARITY};
use super::error;
use super::event::Event;
use super::operation::Operation;
use super::wait::Handle;
use crate::os::{Kept, OpenError};
use crate::protocol::parity;
use crate::protocol::settings::Framing;

/// Most that is read or written at once, in bytes.
const MOST: usize = 4096;

/// An open port with its old settings in safe keeping; nobody else can open it meanwhile.
pub struct Serial {
    /// Dropped before `port`, as each of those after it is: the port is free once its last handle is closed.
    control: COMPort,
    waiting: Operation,
    reading: Operation,
    writing: Operation,
    port: Arc<OwnedHandle>,
    saved: Saved,
    levels: Option<Levels>,
    /// Whether characters come with the driver's verdict on their parity.
    seven_even: bool,
    /// Set when the port is lost.
    lost: Event,
    gone: bool,
}

impl Serial {
    /// Opens the port by this name, as `COM3` or `\\.\COM12`; its settings are as they were until
    /// [`Serial::configure`].
    pub fn open(name: &str) -> Result<Self, OpenError> {
        if is_folder(name) {
            return Err(OpenError::NotSerial("a folder"));
        }
        let port = Arc::new(open(name).map_err(error::opening)?);
        let saved = comm::save(port.as_handle()).map_err(|error| match error::is_not_serial(&error) {
            true if is_file(port.as_handle()) => OpenError::NotSerial("a plain file"),
            true => OpenError::NotSerial("a device of another kind"),
            false => OpenError::Io(error),
        })?;
        let serial = Self {
            control: adopted(port.try_clone()?),
            waiting: Operation::new(&port, 1)?,
            reading: Operation::new(&port, MOST)?,
            writing: Operation::new(&port, MOST)?,
            saved,
            levels: None,
            seven_even: false,
            lost: Event::new(false)?,
            gone: false,
            port,
        };
        comm::set_timeouts(serial.port.as_handle())?;
        Ok(serial)
    }

    /// What to wait for.
    pub fn handle(&self) -> Handle<'_> {
        Handle {
            read: Some(self.waiting.done()),
            write: Some(self.writing.done()),
            lost: Some(self.lost.as_handle()),
            socket: None,
        }
    }

    /// Whether it is a pseudo-terminal: Windows has none.
    pub fn is_pty(&self) -> bool {
        false
    }

    /// Facts about the port that the user may want to hear.
    pub fn remarks(&self) -> Vec<String> {
        Vec::new()
    }

    /// Sets rate and framing in one step; what the driver has made of it.
    pub fn configure(&mut self, baud: u32, framing: Framing) -> io::Result<Kept> {
        let kept = comm::configure(self.port.as_handle(), &self.saved, self.levels, baud, framing);
        let kept = kept.map_err(|error| self.lose(error))?;
        self.seven_even = framing == Framing::SevenEven && kept.seven_even;
        self.listen()?;
        Ok(kept)
    }

    /// Writes what fits without waiting: nothing, while an earlier write is under way.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.check()?;
        if let Some(Err(error)) = self.writing.finish() {
            return Err(self.lose(error));
        }
        if self.writing.is_under_way() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.writing.write(bytes).map_err(|error| self.lose(error))
    }

    /// Reads what is there without waiting. A character with wrong parity at 7E1 comes with a wrong bit 7.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.check()?;
        let first = match self.waiting.finish() {
            None => return Err(io::ErrorKind::WouldBlock.into()),
            // Windows 11's own driver for USB breaks reads off without losing its device. If it has lost it, no other
            // read can be begun.
            Some(Err(error)) if error::is_aborted(&error) => &[],
            Some(Err(error)) => return Err(self.lose(error)),
            Some(Ok(byte)) => byte,
        };
        let mut length = first.len().min(buffer.len());
        buffer[..length].copy_from_slice(&first[..length]);
        if length > 0 {
            length += self.take(&mut buffer[length..])?;
        }
        self.listen()?;
        if length == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        if self.seven_even {
            buffer[..length].iter_mut().for_each(|byte| *byte = judged(*byte));
        }
        Ok(length)
    }

    /// Takes what the driver's queue holds behind a first byte, and waits for nothing.
    fn take(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // What cannot be had now is lost with the next read at the latest, and what was read until then is worth having.
        let Ok(queued) = comm::queued(self.port.as_handle()) else { return Ok(0) };
        let length = queued.received.min(buffer.len());
        if length == 0 || self.reading.read(length).is_err() {
            return Ok(0);
        }
        // Nobody else reads, so all of it is there at once.
        match self.reading.finish_soon() {
            Some(Ok(bytes)) => {
                buffer[..bytes.len()].copy_from_slice(bytes);
                Ok(bytes.len())
            }
            _ => Ok(0),
        }
    }

    /// Begins to wait for the next byte, if that is not under way.
    fn listen(&mut self) -> io::Result<()> {
        if self.waiting.is_under_way() {
            return Ok(());
        }
        self.waiting.read(1).map_err(|error| self.lose(error))
    }

    /// Whether everything written has left, as far as the driver knows: several report an empty transmitter with
    /// hundreds of bytes unsent.
    pub fn drained(&mut self) -> bool {
        let _ = self.writing.finish();
        if self.writing.is_under_way() {
            return false;
        }
        // A driver that cannot tell has told all that it knows.
        !comm::queued(self.port.as_handle()).is_ok_and(|queued| queued.unsent > 0)
    }

    /// Sets the levels of DTR and RTS.
    pub fn set_modem_lines(&mut self, dtr: bool, rts: bool) {
        self.levels = Some(Levels { dtr, rts });
        // Two-wire adapters have no such lines: not having them is no reason to stop.
        let _ = self.control.write_data_terminal_ready(dtr);
        let _ = self.control.write_request_to_send(rts);
    }

    /// Starts or ends a BREAK, where there is one.
    pub fn set_break(&mut self, on: bool) {
        // Adapters without BREAK say so; it was worth a try.
        let _ = if on { self.control.set_break() } else { self.control.clear_break() };
    }

    /// Forgets what was received before we came: an answer to somebody else.
    pub fn discard_input(&mut self) {
        let _ = self.waiting.cancel();
        comm::purge(self.port.as_handle(), PURGE_RXCLEAR);
        // A port that is lost says so with the next read.
        let _ = self.listen();
    }

    fn check(&self) -> io::Result<()> {
        if self.gone { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    fn lose(&mut self, error: io::Error) -> io::Error {
        self.gone = true;
        self.lost.set();
        error
    }
}

impl Drop for Serial {
    fn drop(&mut self) {
        let port = self.port.as_handle();
        // Closing a port can hang on output that never leaves. Where nothing is left the purge would do harm: the other
        // end of a line without a wire may not have read the last of it.
        let _ = self.writing.finish();
        if self.writing.is_under_way() || comm::queued(port).is_ok_and(|queued| queued.unsent > 0) {
            comm::purge(port, PURGE_TXABORT | PURGE_TXCLEAR);
        }
        // Some drivers keep a port busy that is closed with an operation under way.
        for operation in [&mut self.writing, &mut self.reading, &mut self.waiting] {
            let _ = operation.cancel();
        }
        if !self.gone {
            let _ = comm::restore(port, &self.saved);
        }
    }
}

/// Opens a port for operations that do not wait, and for us alone.
fn open(name: &str) -> io::Result<OwnedHandle> {
    // Names above COM9 are known in this form only, and all others as well.
    let prefix = if name.starts_with(r"\\.\") || name.starts_with(r"\\?\") { "" } else { r"\\.\" };
    let path: Vec<u16> = prefix.encode_utf16().chain(name.encode_utf16()).chain([0]).collect();
    let access = GENERIC_READ | GENERIC_WRITE;
    // SAFETY: the path ends with 0 and outlives the call; neither security attributes nor a template are given.
    let port = unsafe {
        CreateFileW(
            path.as_ptr(),
            access,
            0,
            ptr::null(),
            OPEN_EXISTING,
            FILE_FLAG_OVERLAPPED,
            ptr::null_mut(),
        )
    };
    if port == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the handle is fresh, and nobody else owns it.
    Ok(unsafe { OwnedHandle::from_raw_handle(port) })
}

/// Whether this names a folder by a path: to open one is refused as if it were in use.
fn is_folder(name: &str) -> bool {
    let is_path = name.contains(['\\', '/', ':']) && !name.starts_with(r"\\.\");
    is_path && Path::new(name).is_dir()
}

/// Whether something that was opened is a file on a disk.
fn is_file(handle: BorrowedHandle<'_>) -> bool {
    // SAFETY: the handle is open.
    unsafe { GetFileType(handle.as_raw_handle()) == FILE_TYPE_DISK }
}

/// The serialport crate takes nothing but raw handles.
fn adopted(port: OwnedHandle) -> COMPort {
    // SAFETY: the handle is open, and nobody else owns it.
    unsafe { COMPort::from_raw_handle(port.into_raw_handle()) }
}

/// The driver's verdict on a character at 7E1, put into bit 7, where an 8N1 receiver would see it.
fn judged(byte: u8) -> u8 {
    match byte {
        // DEL has seven ones, and no parity bit that would make them even.
        WRONG_PARITY => 0x7F,
        byte => parity::with_even(byte),
    }
}
