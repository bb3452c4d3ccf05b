//! What the user's system calls things: how ports are named, who takes them, where to look. All other words are the same
//! everywhere.

#[cfg(not(windows))]
pub use elsewhere::*;
#[cfg(windows)]
pub use windows::*;

#[cfg(not(windows))]
mod elsewhere {
    /// Examples on a port.
    pub const EXAMPLES: &str = "  iecprobe /dev/ttyUSB0                 who is there, and at what rate
  iecprobe /dev/ttyUSB0 --pipe          sign on, then be the line
  iecprobe /dev/ttyUSB0 -- COMMAND ARG  the same, for a program of yours";

    /// How to find out about a port that is not there.
    pub const MISSING: &str = "is the adapter plugged in? `iecprobe --list` shows the ports";

    /// How serial ports are called.
    pub const NAMES: &str = "serial ports are called /dev/ttyUSB0, /dev/ttyACM0 or /dev/serial/by-id/..; \
                             `iecprobe --list` shows them";

    /// What is known of a port that cannot be had and whose user is not known.
    pub const BUSY: &str = "in use by another program";

    /// What to do about a port that cannot be had.
    pub const FREE_IT: &str =
        "end that program first; ModemManager and brltty take fresh ports for some 30 s by themselves";

    /// Programs that take ports by themselves.
    pub const TAKERS: &str = " (ModemManager, brltty)";

    /// What may have happened to a port that has gone.
    pub const LOST: &str =
        "was the adapter unplugged, or the other end of the pseudo-terminal closed? plug it in and try again";
}

#[cfg(windows)]
mod windows {
    pub const EXAMPLES: &str = "  iecprobe COM3                         who is there, and at what rate
  iecprobe COM3 --pipe                  sign on, then be the line
  iecprobe COM3 -- COMMAND ARG          the same, for a program of yours";

    pub const MISSING: &str = "is the adapter plugged in? `iecprobe --list` shows the ports, and the Device Manager the \
                               adapters that have no driver";

    pub const NAMES: &str = "serial ports are called COM3 or \\\\.\\COM12; `iecprobe --list` shows them, and the Device \
                             Manager does, under Ports (COM & LPT)";

    pub const BUSY: &str = "in use, or you may not open it";

    pub const FREE_IT: &str = "end the program that has it (a terminal, the software of the adapter or of the meter); the \
                               Device Manager shows whether it is the right port";

    pub const TAKERS: &str = "";

    pub const LOST: &str =
        "was the adapter unplugged, or switched off to save power? plug it in again and try again";
}
