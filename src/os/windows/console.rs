//! The console, where we were started in one.

use std::env;
use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle};

use windows_sys::Win32::Foundation::FALSE;
use windows_sys::Win32::System::Console::{
    ENABLE_VIRTUAL_TERMINAL_PROCESSING, GetConsoleMode, SetConsoleMode,
};

/// Makes the console understand escape sequences; one that cannot (before Windows 10, or in its legacy mode) is told from
/// then on as elsewhere, by TERM. To be called before there is a second thread.
pub fn prepare_console() {
    let streams = (io::stdout(), io::stderr());
    let understood = [streams.0.as_handle(), streams.1.as_handle()].map(understands_escapes);
    if understood.contains(&false) {
        // SAFETY: no other thread reads the environment yet.
        unsafe { env::set_var("TERM", "dumb") };
    }
}

/// Whether a stream is no console, or one that understands escape sequences now.
fn understands_escapes(stream: BorrowedHandle<'_>) -> bool {
    let (handle, mut mode) = (stream.as_raw_handle(), 0);
    // SAFETY: the handle is that of a stream of ours, and the address outlives the call.
    unsafe {
        GetConsoleMode(handle, &mut mode) == FALSE
            || SetConsoleMode(handle, mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING) != FALSE
    }
}
