//! One overlapped read or write: the system works on a buffer of ours until it is done or has been broken off, so the
//! buffer stays where it is as long as that takes.

use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, OwnedHandle};
use std::ptr;
use std::sync::Arc;

use windows_sys::Win32::Foundation::{ERROR_IO_INCOMPLETE, ERROR_IO_PENDING, FALSE, TRUE};
use windows_sys::Win32::Storage::FileSystem::{ReadFile, WriteFile};
use windows_sys::Win32::System::IO::{CancelIoEx, GetOverlappedResult, OVERLAPPED};
use windows_sys::Win32::System::Threading::WaitForSingleObject;

use super::event::Event;

/// How long an operation may take that should be done at once, in milliseconds.
const MOMENT: u32 = 100;

/// A read or a write that is under way, or a place for the next one.
pub(super) struct Operation {
    /// The file that is read or written.
    file: Arc<OwnedHandle>,
    /// Set whenever nothing is under way.
    done: Event,
    overlapped: Box<OVERLAPPED>,
    buffer: Box<[u8]>,
    under_way: bool,
}

// SAFETY: the system keeps addresses into the two boxes, which do not move with it, and no thread's.
unsafe impl Send for Operation {}

/// Which way the bytes go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    In,
    Out,
}

impl Operation {
    /// A place for operations of up to `most` bytes on a file that was opened for them.
    pub(super) fn new(file: &Arc<OwnedHandle>, most: usize) -> io::Result<Self> {
        Ok(Self {
            file: Arc::clone(file),
            done: Event::new(true)?,
            overlapped: Box::default(),
            buffer: vec![0; most].into_boxed_slice(),
            under_way: false,
        })
    }

    /// Set whenever nothing is under way, and so as soon as an operation is done.
    pub(super) fn done(&self) -> BorrowedHandle<'_> {
        self.done.as_handle()
    }

    pub(super) fn is_under_way(&self) -> bool {
        self.under_way
    }

    /// Begins to read up to this many bytes.
    pub(super) fn read(&mut self, length: usize) -> io::Result<()> {
        self.begin(length, Way::In)
    }

    /// Begins to write as many of these bytes as there is a place for; how many that are.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = bytes.len().min(self.buffer.len());
        self.buffer[..length].copy_from_slice(&bytes[..length]);
        self.begin(length, Way::Out).map(|()| length)
    }

    fn begin(&mut self, length: usize, way: Way) -> io::Result<()> {
        debug_assert!(!self.under_way);
        *self.overlapped = OVERLAPPED { hEvent: self.done.as_handle().as_raw_handle(), ..Default::default() };
        let (length, buffer) = (length.min(self.buffer.len()) as u32, self.buffer.as_mut_ptr());
        let (file, overlapped) = (self.file.as_raw_handle(), &raw mut *self.overlapped);
        // SAFETY: buffer and state are boxes of ours, and neither moves nor is touched until `finish` or `cancel` has
        // seen the end of the operation, which `drop` waits for as well.
        let begun = unsafe {
            match way {
                Way::In => ReadFile(file, buffer, length, ptr::null_mut(), overlapped),
                Way::Out => WriteFile(file, buffer, length, ptr::null_mut(), overlapped),
            }
        };
        let error = io::Error::last_os_error();
        // One that is done at once has set the event, and is taken like any other.
        if begun == FALSE && error.raw_os_error() != Some(ERROR_IO_PENDING as i32) {
            self.done.set();
            return Err(error);
        }
        self.under_way = true;
        Ok(())
    }

    /// What has become of it: the bytes that were read or written, once it is done.
    pub(super) fn finish(&mut self) -> Option<io::Result<&[u8]>> {
        self.result(false).map(|length| length.map(|length| &self.buffer[..length]))
    }

    /// The same for one that should be done by now: it gets a moment, and is broken off then.
    pub(super) fn finish_soon(&mut self) -> Option<io::Result<&[u8]>> {
        if self.under_way {
            // SAFETY: the event is open. However the wait ends, what has become of the operation is asked next.
            unsafe { WaitForSingleObject(self.done.as_handle().as_raw_handle(), MOMENT) };
        }
        self.cancel()
    }

    /// Breaks it off, if it is not done yet, and waits until that has happened; what it has done until then.
    pub(super) fn cancel(&mut self) -> Option<io::Result<&[u8]>> {
        if self.under_way {
            // SAFETY: the handle is open, and the state is that of the operation under way.
            unsafe { CancelIoEx(self.file.as_raw_handle(), &raw const *self.overlapped) };
        }
        self.result(true).map(|length| length.map(|length| &self.buffer[..length]))
    }

    fn result(&mut self, wait: bool) -> Option<io::Result<usize>> {
        if !self.under_way {
            return None;
        }
        let mut length = 0;
        let wait = if wait { TRUE } else { FALSE };
        // SAFETY: the state is that of the operation under way, and both addresses outlive the call.
        let done = unsafe {
            GetOverlappedResult(self.file.as_raw_handle(), &raw const *self.overlapped, &mut length, wait)
        };
        let error = io::Error::last_os_error();
        if done == FALSE && error.raw_os_error() == Some(ERROR_IO_INCOMPLETE as i32) {
            return None;
        }
        self.under_way = false;
        // A driver may have forgotten the event over an error.
        self.done.set();
        Some(if done == FALSE { Err(error) } else { Ok(length as usize) })
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        // The system must not write into memory that is not ours any more.
        let _ = self.cancel();
    }
}
