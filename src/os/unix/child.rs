//! A program that is started by us, with its streams.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};

use rustix::fs::{Access, access};
use rustix::process::{Pid, Signal, kill_process};

use super::{Handle, Input, Output};

/// Where a child reads from and writes to; its stderr is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Streams {
    /// Our own stdin and stdout.
    Ours,
    /// Pipes that lead to us: [`Child::streams`].
    Piped,
}

/// A program that was started. Dropping this leaves it alone.
#[derive(Debug)]
pub struct Child {
    child: process::Child,
    ended: Ended,
}

/// Says why a program cannot be started, without starting it: it is looked for as the system would.
pub fn check_program(program: &OsStr) -> Result<(), &'static str> {
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
    if files.any(|file| access(file, Access::EXEC_OK).is_ok()) { Ok(()) } else { Err(why) }
}

impl Child {
    /// Starts a program with its arguments, these variables added to its environment.
    pub fn spawn(
        command: &[OsString],
        variables: &[(OsString, OsString)],
        streams: Streams,
    ) -> io::Result<Self> {
        let [program, arguments @ ..] = command else { return Err(io::ErrorKind::InvalidInput.into()) };
        let mut command = Command::new(program);
        command.args(arguments).envs(variables.iter().map(|(name, value)| (name, value)));
        if streams == Streams::Piped {
            command.stdin(Stdio::piped()).stdout(Stdio::piped());
        }
        let child = command.spawn()?;
        let ended = Ended::of(pid(&child));
        Ok(Self { child, ended })
    }

    /// What it writes and what it reads, the first time that they are asked for, if they are piped.
    pub fn streams(&mut self) -> Option<(Input, Output)> {
        let (stdout, stdin) = (self.child.stdout.take()?, self.child.stdin.take()?);
        Some((Input::of(stdout), Output::of(stdin)))
    }

    /// What becomes readable when it ends. On a system that cannot wait for that, [`Child::status`] has to be asked
    /// again and again.
    pub fn handle(&self) -> Option<Handle<'_>> {
        self.ended.handle()
    }

    /// Its status as a shell would say it, once it has ended: 128 and the number of the signal that it died of. It is 1
    /// where the system does not know.
    pub fn status(&mut self) -> Option<u8> {
        let Ok(status) = self.child.try_wait() else { return Some(1) };
        let status = status?;
        let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
        Some(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
    }

    /// Asks it to end.
    pub fn terminate(&self) {
        // It may have ended by itself meanwhile.
        let _ = pid(&self.child).map(|pid| kill_process(pid, Signal::TERM));
    }

    /// Ends it.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
    }
}

fn pid(child: &process::Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

#[cfg(target_os = "linux")]
use linux::Ended;

#[cfg(target_os = "linux")]
mod linux {
    use std::os::fd::OwnedFd;

    use rustix::process::{Pid, PidfdFlags, pidfd_open};

    use crate::os::Handle;

    /// A descriptor that becomes readable when a process ends; kernels before 5.3 have none.
    #[derive(Debug)]
    pub(super) struct Ended(Option<OwnedFd>);

    impl Ended {
        pub(super) fn of(pid: Option<Pid>) -> Self {
            Self(pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok()))
        }

        pub(super) fn handle(&self) -> Option<Handle<'_>> {
            self.0.as_ref().map(Handle::of)
        }
    }
}

#[cfg(not(target_os = "linux"))]
use elsewhere::Ended;

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use rustix::process::Pid;

    use crate::os::Handle;

    /// No descriptor says here that a process has ended.
    #[derive(Debug)]
    pub(super) struct Ended;

    impl Ended {
        pub(super) fn of(_pid: Option<Pid>) -> Self {
            Self
        }

        pub(super) fn handle(&self) -> Option<Handle<'_>> {
            None
        }
    }
}
