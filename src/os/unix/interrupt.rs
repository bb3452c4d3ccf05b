//! Signals as something to wait for: a wait ends when one comes, the port is restored, and only then the process dies
//! of it.
//!
//! Signals belong to the process, so what is known of them is kept once in it, whoever asks.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

use super::Handle;

/// What to die of when whoever read our output has gone.
pub const BROKEN_PIPE: i32 = libc::SIGPIPE;

/// The signals that end a process, but for those that say that its code is wrong, and SIGKILL.
const SIGNALS: [i32; 11] = [
    libc::SIGHUP,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGTERM,
    libc::SIGALRM,
    libc::SIGUSR1,
    libc::SIGUSR2,
    libc::SIGVTALRM,
    libc::SIGPROF,
    libc::SIGXCPU,
    libc::SIGXFSZ,
];

/// The first signal that has come; 0 is none.
static FIRST: AtomicI32 = AtomicI32::new(0);

/// How many have come.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// What becomes readable with a signal, and what makes it so.
static WAKE: OnceLock<[UnixStream; 2]> = OnceLock::new();

/// Signals that have come.
#[derive(Clone, Copy, Debug)]
pub struct Interrupt(&'static UnixStream);

impl Interrupt {
    /// Takes the ending signals over from the system, once in a process. One that was ignored when we started (`nohup`)
    /// stays ignored.
    pub fn register() -> io::Result<Self> {
        if let Some(registered) = Self::registered() {
            return Ok(registered);
        }
        let (read, write) = UnixStream::pair()?;
        write.set_nonblocking(true)?;
        let [read, write] = WAKE.get_or_init(|| [read, write]);
        for signal in SIGNALS.into_iter().chain(more()).filter(|&signal| !is_ignored(signal)) {
            let came = move || {
                let _ = FIRST.compare_exchange(0, signal, Ordering::SeqCst, Ordering::SeqCst);
                COUNT.fetch_add(1, Ordering::SeqCst);
                // If it is full, it is readable already.
                let _ = rustix::io::write(write, &[0]);
            };
            // SAFETY: atomics and write(2) are allowed in a signal handler.
            #[allow(unsafe_code)]
            unsafe { signal_hook::low_level::register(signal, came) }?;
        }
        Ok(Self(read))
    }

    /// The signals of this process, if they have been taken over.
    pub fn registered() -> Option<Self> {
        WAKE.get().map(|[read, _]| Self(read))
    }

    /// What becomes readable with a signal, and stays so: other threads are to wake as well, and nobody waits again.
    pub fn handle(&self) -> Handle<'_> {
        Handle::of(self.0)
    }

    /// The signal that has come first, if one has.
    pub fn signal(&self) -> Option<i32> {
        let signal = FIRST.load(Ordering::SeqCst);
        (signal != 0).then_some(signal)
    }

    /// Whether a second one has come: whoever sent it has waited long enough.
    pub fn insists(&self) -> bool {
        COUNT.load(Ordering::SeqCst) > 1
    }
}

/// Those that not every system has, or that do not end a process on every system.
#[cfg(target_os = "linux")]
fn more() -> impl Iterator<Item = i32> {
    [libc::SIGIO, libc::SIGPWR, libc::SIGSTKFLT].into_iter().chain(libc::SIGRTMIN()..=libc::SIGRTMAX())
}

#[cfg(not(target_os = "linux"))]
fn more() -> impl Iterator<Item = i32> {
    std::iter::empty()
}

/// Whether the process was started with this signal ignored.
fn is_ignored(signal: i32) -> bool {
    let mut old = std::mem::MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: without a new action, sigaction only fills in the old one, and says whether it has.
    #[allow(unsafe_code)]
    unsafe {
        libc::sigaction(signal, std::ptr::null(), old.as_mut_ptr()) == 0
            && old.assume_init().sa_sigaction == libc::SIG_IGN
    }
}

/// Dies of `signal`, as if it had never been caught.
pub fn die_of(signal: i32) -> ! {
    // SAFETY: an action and a signal set of zeros are valid ones (SIG_DFL, the empty set); nothing here outlives the
    // calls.
    #[allow(unsafe_code)]
    unsafe {
        let action: libc::sigaction = std::mem::zeroed();
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigaction(signal, &action, std::ptr::null_mut());
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, signal);
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &set, std::ptr::null_mut());
        libc::raise(signal);
    }
    std::process::exit(128 + signal)
}
