//! The clock of a wait. Windows' own time-outs tick at 15.6 ms, and the window in which the rate has to change is 10 ms
//! wide; a high-resolution timer keeps to half a millisecond, and changes nothing for other programs.

use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle};
use std::ptr;
use std::time::Duration;

use windows_sys::Win32::Foundation::FALSE;
use windows_sys::Win32::System::Threading::{
    CREATE_WAITABLE_TIMER_HIGH_RESOLUTION, CreateWaitableTimerExW, SetWaitableTimer, TIMER_ALL_ACCESS,
};

/// The unit of a timer, in nanoseconds.
const TICK: u128 = 100;

/// A timer that is set once it has run out.
#[derive(Debug)]
pub(super) struct Timer(OwnedHandle);

impl Timer {
    /// A timer of the best kind that this version of Windows has: high resolution came with Windows 10 1803.
    pub(super) fn new() -> io::Result<Self> {
        Self::with(CREATE_WAITABLE_TIMER_HIGH_RESOLUTION).or_else(|_| Self::with(0))
    }

    fn with(flags: u32) -> io::Result<Self> {
        // SAFETY: neither security attributes nor a name are given, and null stands for both.
        let timer = unsafe { CreateWaitableTimerExW(ptr::null(), ptr::null(), flags, TIMER_ALL_ACCESS) };
        if timer.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the handle is fresh, and nobody else owns it.
        Ok(Self(unsafe { OwnedHandle::from_raw_handle(timer) }))
    }

    /// Starts anew, to run out in this time.
    pub(super) fn start(&self, length: Duration) -> io::Result<()> {
        // A negative time counts from now.
        let due = -i64::try_from(length.as_nanos().div_ceil(TICK)).unwrap_or(i64::MAX);
        // SAFETY: the handle is a timer's for as long as `self` lives, `due` outlives the call, and there is no routine to
        // be called.
        let started = unsafe { SetWaitableTimer(self.0.as_raw_handle(), &due, 0, None, ptr::null(), FALSE) };
        if started == FALSE { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}

impl AsHandle for Timer {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.0.as_handle()
    }
}
