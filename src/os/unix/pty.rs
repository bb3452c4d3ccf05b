//! Pseudo-terminals: which terminal is one, and how a new one is made.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// Whether an open terminal is the slave of a pseudo-terminal, by its major number.
#[cfg(target_os = "linux")]
pub(super) fn is_pty(terminal: impl AsFd) -> bool {
    const UNIX98: std::ops::RangeInclusive<u32> = 136..=143;
    rustix::fs::fstat(terminal).is_ok_and(|stat| UNIX98.contains(&rustix::fs::major(stat.st_rdev)))
}

/// Whether an open terminal is the slave of a pseudo-terminal, by its name: `/dev/pts/N`, and on macOS `/dev/ttysNNN`.
#[cfg(not(target_os = "linux"))]
pub(super) fn is_pty(terminal: impl AsFd) -> bool {
    let name = rustix::termios::ttyname(terminal, Vec::new()).unwrap_or_default();
    let name = name.to_string_lossy();
    let number = name.strip_prefix("/dev/pts/").or_else(|| name.strip_prefix("/dev/ttys"));
    number.is_some_and(|number| number.bytes().all(|digit| digit.is_ascii_digit()))
}

/// A new pseudo-terminal: its master, and the name of its slave.
pub(super) fn create() -> io::Result<(OwnedFd, String)> {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
    // Not every system can do this while opening.
    rustix::io::fcntl_setfd(&master, rustix::io::FdFlags::CLOEXEC)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let name = ptsname(&master, Vec::new())?.to_string_lossy().into_owned();
    Ok((master, name))
}

/// Whether an open terminal is the master of a pseudo-terminal.
pub(super) fn is_master(terminal: impl AsFd) -> bool {
    ptsname(terminal, Vec::new()).is_ok()
}
