//! `-- COMMAND`: a program whose stdin and stdout are the line.

use std::env;
use std::ffi::OsString;
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{Access, access};

use iecprobe::line::Line;
use iecprobe::os::interrupt::{self, Interrupt};
use iecprobe::os::{Interest, wait};
use iecprobe::pipe::{self, End};
use iecprobe::record::observer::Observer;

/// How long a command may take to end when its line has been lost, before it is told to.
const GRACE: Duration = Duration::from_millis(300);

/// How long one may take that was told to, before it is killed: it may have something to put in order.
const PARTING: Duration = Duration::from_secs(2);

/// How often it is asked whether it has ended.
const ASK: Duration = Duration::from_millis(5);

/// A command that runs on the line.
pub struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    /// Whether it has to be told to end.
    unwanted: bool,
}

/// Says why the command cannot be started, before a meter is signed on for it.
pub fn check(command: &[OsString]) -> Result<(), String> {
    let Some(program) = command.first() else { return Ok(()) };
    let name = Path::new(program);
    let places: Vec<PathBuf> = if name.components().count() > 1 || name.is_absolute() {
        vec![name.into()]
    } else {
        // Without a PATH the system has one of its own.
        let Some(path) = env::var_os("PATH") else { return Ok(()) };
        env::split_paths(&path).map(|folder| folder.join(name)).collect()
    };
    let mut files = places.iter().filter(|place| place.is_file()).peekable();
    let why = if files.peek().is_none() { "there is no such program" } else { "it may not be executed" };
    if files.any(|file| access(file, Access::EXEC_OK).is_ok()) {
        return Ok(());
    }
    Err(format!("{}: {why}", name.display()))
}

/// Starts the command.
pub fn start(command: &[OsString]) -> Result<Running, String> {
    let [program, arguments @ ..] = command else { return Err("no command".into()) };
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{}: {error}", program.to_string_lossy()))?;
    Ok(Running { stdin: child.stdin.take(), stdout: child.stdout.take(), child, unwanted: false })
}

impl Running {
    /// Carries bytes between it and the line until one of the two ends.
    pub fn carry(
        &mut self,
        line: &mut dyn Line,
        plan: pipe::Plan,
        interrupt: &Interrupt,
        observer: &mut dyn Observer,
    ) -> End {
        let (Some(stdin), Some(stdout)) = (&self.stdin, &self.stdout) else { return End::Input };
        let (input, output) = (pipe::Raw(stdout.as_fd()), pipe::Raw(stdin.as_fd()));
        let end = pipe::carry(line, input, output, plan, interrupt, observer);
        self.unwanted = !matches!(end, End::Input | End::OutputClosed);
        end
    }

    /// Its status, once its line is closed: it sees the end of its input, and is ended if it does not act on it.
    pub fn finish(mut self, interrupt: &Interrupt) -> Option<ExitStatus> {
        drop(self.stdin.take());
        drop(self.stdout.take());
        let deadline = Instant::now() + GRACE;
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            let signalled = interrupt.signal();
            if signalled.is_some() || (self.unwanted && Instant::now() >= deadline) {
                interrupt::end(self.child.id());
                return self.end();
            }
            let _ = wait([Interest::read(Some(interrupt.handle()))], Some(Instant::now() + ASK));
        }
    }

    /// The status of one that was told to end.
    fn end(mut self) -> Option<ExitStatus> {
        let deadline = Instant::now() + PARTING;
        while Instant::now() < deadline {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            thread::sleep(ASK);
        }
        let _ = self.child.kill();
        self.child.wait().ok()
    }
}

/// The status to leave with: the command's own, as a shell would say it.
pub fn status(status: Option<ExitStatus>) -> Result<(), u8> {
    let code = status.map_or(1, |status| {
        status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1)
    });
    match u8::try_from(code).unwrap_or(1) {
        0 => Ok(()),
        code => Err(code),
    }
}
