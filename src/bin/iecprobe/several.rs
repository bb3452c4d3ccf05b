//! Several ports side by side: one report each, as it comes. Each has a thread of its own, so that ten ports take as
//! long as the slowest one.

use std::sync::{Mutex, PoisonError};
use std::thread;

use iecprobe::os::Interrupt;

use crate::ending;
use crate::form::Form;
use crate::job::Job;
use crate::session::Session;
use crate::trouble::Trouble;

/// Does on each port what was asked for: the worst of the statuses, which is the highest, or the signal to die of.
pub fn run(job: &Job, ports: &[String], interrupt: &Interrupt) -> Result<u8, i32> {
    let printed = Mutex::new(false);
    thread::scope(|scope| {
        let start = |port| {
            let printed = &printed;
            // The name is what the log shows.
            let thread = thread::Builder::new().name(String::clone(port));
            thread.spawn_scoped(scope, move || one(&Session { job, port, interrupt, client: None }, printed))
        };
        let started: Vec<_> = ports.iter().map(|port| (port, start(port))).collect();
        // All of them are closed before any ends the process.
        let ended: Vec<_> = started
            .into_iter()
            .map(|(port, thread)| match thread {
                Ok(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
                Err(error) => {
                    ending::tell(&job.manner, port, Err(Trouble::Internal(error.to_string()).into()))
                }
            })
            .collect();
        ended.into_iter().try_fold(0, |worst: u8, status| status.map(|status| worst.max(status)))
    })
}

/// One of them. `printed` tells whether another one has printed its report.
fn one(session: &Session<'_>, printed: &Mutex<bool>) -> Result<u8, i32> {
    let manner = &session.job.manner;
    let ended = session.run().and_then(|report| {
        // A blank line between two reports of several lines each: who looks first has to print first.
        let mut printed = printed.lock().unwrap_or_else(PoisonError::into_inner);
        let between = manner.form == Form::Text && std::mem::replace(&mut *printed, true);
        ending::print(&format!("{}{}", if between { "\n" } else { "" }, report.unwrap_or_default()))
    });
    ending::tell(manner, session.port, ended)
}
