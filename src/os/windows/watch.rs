//! How a socket is waited for: the system sets an event when something happens to it, but not for as long as there is
//! something to do about it. So each wait looks at the socket first.

use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle, AsRawSocket, AsSocket, BorrowedSocket};
use std::time::Duration;

use windows_sys::Win32::Networking::WinSock::{
    FD_ACCEPT, FD_CLOSE, FD_CONNECT, FD_READ, FD_SET, FD_WRITE, SOCKET, TIMEVAL, WSAEVENT, WSAEWOULDBLOCK,
    WSAEventSelect, select,
};

use super::event::Event;
use super::wait::Handle;
use crate::os::Readiness;

/// Everything that can happen to a socket.
const EVERYTHING: u32 = FD_ACCEPT | FD_CLOSE | FD_CONNECT | FD_READ | FD_WRITE;

/// What a socket needs beside itself to be waited for.
#[derive(Debug)]
pub(in crate::os) struct Watch(Event);

impl Watch {
    /// Begins to watch a socket, which does not wait for anything from then on.
    pub(in crate::os) fn of(socket: &impl AsSocket) -> io::Result<Self> {
        let event = Event::new(false)?;
        let socket = socket.as_socket().as_raw_socket() as SOCKET;
        // SAFETY: socket and event are open.
        let selected = unsafe {
            WSAEventSelect(socket, event.as_handle().as_raw_handle() as WSAEVENT, EVERYTHING as i32)
        };
        if selected == 0 { Ok(Self(event)) } else { Err(io::Error::last_os_error()) }
    }

    pub(in crate::os) fn handle<'a>(&'a self, socket: &'a impl AsSocket) -> Handle<'a> {
        Handle { socket: Some((socket.as_socket(), &self.0)), ..Handle::default() }
    }
}

/// Whether a connection has only begun.
pub(in crate::os) fn is_in_progress(error: &io::Error) -> bool {
    error.raw_os_error() == Some(WSAEWOULDBLOCK)
}

/// What a socket is ready for, once it is ready for one of these or the time is over. A connection that could not be made
/// is an error; one that has ended can be read.
pub(super) fn look(socket: BorrowedSocket<'_>, read: bool, write: bool, time: Duration) -> Readiness {
    let set =
        |asked: bool| FD_SET { fd_count: u32::from(asked), fd_array: [socket.as_raw_socket() as SOCKET; 64] };
    let (mut readable, mut writable, mut failed) = (set(read), set(write), set(true));
    let time = TIMEVAL { tv_sec: time.as_secs() as i32, tv_usec: time.subsec_micros() as i32 };
    // SAFETY: the socket is open, and all addresses outlive the call.
    let found = unsafe { select(0, &mut readable, &mut writable, &mut failed, &time) };
    if found <= 0 {
        // A socket that cannot be looked at has an error, which reading or writing will tell.
        return Readiness { error: found < 0, ..Readiness::default() };
    }
    let is_in = |set: FD_SET| set.fd_count > 0;
    Readiness { read: is_in(readable), write: is_in(writable), error: is_in(failed) }
}
