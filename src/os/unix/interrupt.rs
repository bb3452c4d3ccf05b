//! Signals as something to wait for: a wait ends when one comes, the port is restored, and only then the process dies
//! of it.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Handle;
use signal_hook::consts::{SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGTERM};

/// What to die of when whoever read our output has gone.
pub const BROKEN_PIPE: i32 = SIGPIPE;

/// The signals that end us.
const SIGNALS: [i32; 4] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM];

/// Signals that have come.
pub struct Interrupt {
    pipe: UnixStream,
    last: Arc<AtomicUsize>,
}

impl Interrupt {
    /// Takes the ending signals over from the system. One that was ignored when we started (`nohup`) stays ignored.
    pub fn register() -> io::Result<Self> {
        let (read, write) = UnixStream::pair()?;
        let last = Arc::new(AtomicUsize::new(0));
        for signal in SIGNALS.into_iter().filter(|&signal| !is_ignored(signal)) {
            signal_hook::flag::register_usize(signal, Arc::clone(&last), signal as usize)?;
            signal_hook::low_level::pipe::register(signal, write.try_clone()?)?;
        }
        Ok(Self { pipe: read, last })
    }

    /// What becomes readable with a signal.
    pub fn handle(&self) -> Handle<'_> {
        Handle::of(&self.pipe)
    }

    /// The signal that has come, if one has.
    pub fn signal(&self) -> Option<i32> {
        // What woke us stays in the pipe: other threads are to wake as well, and nobody waits again.
        let signal = self.last.load(Ordering::SeqCst);
        (signal != 0).then_some(signal as i32)
    }
}

/// Whether the process was started with this signal ignored.
fn is_ignored(signal: i32) -> bool {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return false };
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal - 1) & 1 == 1
}

/// Dies of `signal`, as if it had never been caught.
pub fn die_of(signal: i32) -> ! {
    let _ = signal_hook::low_level::emulate_default_handler(signal);
    std::process::exit(128 + signal)
}
