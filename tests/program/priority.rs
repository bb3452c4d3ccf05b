//! A place in front of whatever else the machine is busy with.
//!
//! A meter of which a test plays the part has to answer within tens of milliseconds, as a real one does. Beside other
//! work it cannot be relied on for that, so this process and all that it starts run at real-time priority where we may
//! ask for it. Where we may not, the tests are right as well, on a machine that has the time for them.

use std::process::{Command, Stdio};
use std::sync::Once;

/// Asks for real-time priority for every thread of this process, and so for the threads and programs started later.
pub fn ask() {
    static ASKED: Once = Once::new();
    ASKED.call_once(|| {
        let pid = std::process::id().to_string();
        let mut chrt = Command::new("chrt");
        chrt.args(["--all-tasks", "--rr", "--pid", "1", &pid]);
        // It may not be there, or not be permitted.
        let _ = chrt.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    });
}
