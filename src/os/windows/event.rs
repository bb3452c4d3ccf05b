//! A manual-reset event: it stays set until somebody resets it, so that who comes late sees it as well.

use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle};
use std::ptr;

use windows_sys::Win32::Foundation::{FALSE, TRUE, WAIT_OBJECT_0};
use windows_sys::Win32::System::Threading::{CreateEventW, ResetEvent, SetEvent, WaitForSingleObject};

/// Something that is so, or is not so yet.
#[derive(Debug)]
pub(super) struct Event(OwnedHandle);

impl Event {
    /// A new event, set or not.
    pub(super) fn new(set: bool) -> io::Result<Self> {
        // SAFETY: neither security attributes nor a name are given, and null stands for both.
        let event = unsafe { CreateEventW(ptr::null(), TRUE, if set { TRUE } else { FALSE }, ptr::null()) };
        if event.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the handle is fresh, and nobody else owns it.
        Ok(Self(unsafe { OwnedHandle::from_raw_handle(event) }))
    }

    pub(super) fn set(&self) {
        // SAFETY: the handle is an event's for as long as `self` lives.
        unsafe { SetEvent(self.0.as_raw_handle()) };
    }

    pub(super) fn reset(&self) {
        // SAFETY: the handle is an event's for as long as `self` lives.
        unsafe { ResetEvent(self.0.as_raw_handle()) };
    }
}

impl AsHandle for Event {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.0.as_handle()
    }
}

/// Whether something that can be waited for is set at the moment.
pub(super) fn is_set(event: BorrowedHandle<'_>) -> bool {
    // SAFETY: the handle is borrowed, and so open.
    unsafe { WaitForSingleObject(event.as_raw_handle(), 0) == WAIT_OBJECT_0 }
}
