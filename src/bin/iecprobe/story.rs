//! The log on stderr.

use std::io::Write;

use env_logger::Target;

use iecprobe::os::Stderr;

use crate::job::Manner;

/// Starts it, with as much as is wanted; of several ports each line says of which it is.
pub fn start(manner: &Manner, several: bool) {
    let level = match manner.verbose {
        0 if manner.quiet => "error",
        0 => "warn",
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    let mut log = env_logger::Builder::from_env(env_logger::Env::default().default_filter_or(level));
    log.target(Target::Pipe(Box::new(Stderr))).format_timestamp(None).format_target(false);
    if several {
        // Threads are named after their ports.
        log.format(|to, record| {
            let thread = std::thread::current();
            let port = thread.name().unwrap_or_default();
            writeln!(to, "[{:<5}] {port}: {}", record.level(), record.args())
        });
    }
    log.init();
}
