//! Console control events as something to wait for: a wait ends when one comes, the port is restored, and only then the
//! process ends as Windows would have ended it.

use std::io;
use std::process;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};
use std::thread;

use windows_sys::Win32::Foundation::{FALSE, STATUS_CONTROL_C_EXIT, TRUE};
use windows_sys::Win32::System::Console::{CTRL_BREAK_EVENT, CTRL_C_EVENT, SetConsoleCtrlHandler};
use windows_sys::core::BOOL;

use super::event::Event;
use super::wait::Handle;

/// What to end with when whoever read our output has gone: a status of its own, since no system call ends a process so.
pub const BROKEN_PIPE: i32 = 13;

/// The status of output that cannot be written.
const OUTPUT_CLOSED: i32 = 11;

/// Ctrl-C and Ctrl-Break, by the number of the signal that stands for them elsewhere.
const INTERRUPTED: i32 = 2;

/// The console is closed, or its user logs off, or Windows shuts down.
const TERMINATED: i32 = 15;

/// Who asks three times is not answered any more, and does not want the port restored.
const MOST: usize = 2;

/// The first event that has come; 0 is none.
static FIRST: AtomicI32 = AtomicI32::new(0);

/// How many have come.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// Set with the first event.
static CAME: OnceLock<Event> = OnceLock::new();

/// Control events that have come.
#[derive(Clone, Copy, Debug)]
pub struct Interrupt(&'static Event);

impl Interrupt {
    /// Takes the control events over from the system, once in a process. Ctrl-C that was switched off when we started
    /// stays so.
    pub fn register() -> io::Result<Self> {
        if let Some(registered) = Self::registered() {
            return Ok(registered);
        }
        let fresh = Event::new(false)?;
        let came = CAME.get_or_init(|| fresh);
        // SAFETY: the handler is a function that is there as long as the program is.
        if unsafe { SetConsoleCtrlHandler(Some(handler), TRUE) } == FALSE {
            return Err(io::Error::last_os_error());
        }
        Ok(Self(came))
    }

    /// The events of this process, if they have been taken over.
    pub fn registered() -> Option<Self> {
        CAME.get().map(Self)
    }

    /// What becomes readable with an event, and stays so.
    pub fn handle(&self) -> Handle<'_> {
        Handle::readable(self.0)
    }

    /// What has come first, if anything has: 2 for Ctrl-C and Ctrl-Break, 15 for an end of the console.
    pub fn signal(&self) -> Option<i32> {
        let signal = FIRST.load(Ordering::SeqCst);
        (signal != 0).then_some(signal)
    }

    /// Whether a second one has come: whoever sent it has waited long enough.
    pub fn insists(&self) -> bool {
        COUNT.load(Ordering::SeqCst) > 1
    }
}

/// Windows calls this on a thread of its own.
unsafe extern "system" fn handler(event: u32) -> BOOL {
    let signal = match event {
        CTRL_C_EVENT | CTRL_BREAK_EVENT => INTERRUPTED,
        _ => TERMINATED,
    };
    let _ = FIRST.compare_exchange(0, signal, Ordering::SeqCst, Ordering::SeqCst);
    let before = COUNT.fetch_add(1, Ordering::SeqCst);
    if let Some(came) = CAME.get() {
        came.set();
    }
    if signal == TERMINATED {
        // The process ends when this returns, or after five seconds: the port is restored before.
        loop {
            thread::park();
        }
    }
    // The next handler is that of the system.
    if before < MOST { TRUE } else { FALSE }
}

/// Ends the process as Windows would have ended it.
pub fn die_of(signal: i32) -> ! {
    match signal {
        BROKEN_PIPE => process::exit(OUTPUT_CLOSED),
        _ => process::exit(STATUS_CONTROL_C_EXIT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::{Interest, wait};

    #[test]
    fn an_event_wakes_whoever_waits_and_stays() {
        let interrupt = Interrupt::register().unwrap();
        assert_eq!(interrupt.signal(), None);
        // SAFETY: this is an ordinary function for whoever calls it.
        assert_eq!(unsafe { handler(CTRL_C_EVENT) }, TRUE);
        for _ in 0..2 {
            let [found] = wait([Interest::read(Some(interrupt.handle()))], None).unwrap();
            assert!(found.read);
        }
        assert_eq!(interrupt.signal(), Some(INTERRUPTED));
        assert!(!interrupt.insists());
        // SAFETY: as above.
        assert_eq!(unsafe { handler(CTRL_BREAK_EVENT) }, TRUE);
        assert!(interrupt.insists());
        // SAFETY: as above.
        assert_eq!(unsafe { handler(CTRL_C_EVENT) }, FALSE, "the third one ends the process");
    }
}
