//! A program that is started by us, with its streams.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::windows::io::AsHandle;
use std::path::{Path, PathBuf};
use std::process::{self, Command};

use super::wait::Handle;
use super::{Input, Output};

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
    streams: Option<(Input, Output)>,
}

/// Says why a program cannot be started, without starting it: it is looked for as the standard library does.
pub fn check_program(program: &OsStr) -> Result<(), &'static str> {
    let name = Path::new(program);
    let folders: Vec<PathBuf> = if name.components().count() > 1 || name.is_absolute() {
        vec![PathBuf::new()]
    } else {
        let ours = env::current_exe().ok().and_then(|ours| Some(ours.parent()?.to_owned()));
        let path = env::var_os("PATH").unwrap_or_default();
        ours.into_iter().chain(env::split_paths(&path)).collect()
    };
    let exists = |name: &Path| folders.iter().any(|folder| folder.join(name).is_file());
    let with = |extension: &str| {
        let mut name = program.to_owned();
        name.push(extension);
        PathBuf::from(name)
    };
    let is_batch = |name: &Path| {
        let extension = name.extension().unwrap_or_default();
        extension.eq_ignore_ascii_case("bat") || extension.eq_ignore_ascii_case("cmd")
    };
    if is_batch(name) && exists(name) {
        return Err("it is a batch file; start it with `cmd /c`");
    }
    if exists(&with(".exe")) || name.extension().is_some() && exists(name) {
        return Ok(());
    }
    if exists(&with(".bat")) || exists(&with(".cmd")) {
        return Err("there is only a batch file of this name; start it with `cmd /c`");
    }
    Err("there is no such program")
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
        if streams == Streams::Ours {
            return Ok(Self { child: command.spawn()?, streams: None });
        }
        // Not the pipes of the standard library: reading those cannot be broken off.
        let (stdin, ours_out) = io::pipe()?;
        let (ours_in, stdout) = io::pipe()?;
        let child = command.stdin(stdin).stdout(stdout).spawn()?;
        // The child's ends, which the command holds, are closed with it: only then the child's end is the end of a stream.
        drop(command);
        Ok(Self { child, streams: Some((Input::of(ours_in)?, Output::of(ours_out)?)) })
    }

    /// What it writes and what it reads, the first time that they are asked for, if they are piped.
    pub fn streams(&mut self) -> Option<(Input, Output)> {
        self.streams.take()
    }

    /// What becomes readable when it ends.
    pub fn handle(&self) -> Option<Handle<'_>> {
        Some(Handle { read: Some(self.child.as_handle()), ..Handle::default() })
    }

    /// Its status once it has ended; 1 stands for one that is greater than 255, as Windows' own are.
    pub fn status(&mut self) -> Option<u8> {
        let Ok(status) = self.child.try_wait() else { return Some(1) };
        Some(status?.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
    }

    /// Asks it to end. Windows has no way to: the end of its input is all that it sees.
    pub fn terminate(&self) {}

    /// Ends it.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn programs_are_found_as_they_are_started_and_batch_files_are_not() {
        let folder = env::temp_dir().join(format!("iecprobe-{}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        for file in ["a.exe", "b.bat", "c.CMD", "d.txt"] {
            fs::write(folder.join(file), "").unwrap();
        }
        let check = |name: &str| check_program(folder.join(name).as_os_str());
        assert_eq!(check("a"), Ok(()));
        assert_eq!(check("a.exe"), Ok(()));
        for batch in ["b", "b.bat", "c.cmd"] {
            assert!(check(batch).unwrap_err().contains("cmd /c"), "{batch}");
        }
        assert_eq!(check("e"), Err("there is no such program"));
        assert_eq!(check_program(OsStr::new("cmd")), Ok(()));
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_child_reads_writes_and_ends_with_its_status() {
        let command: Vec<OsString> = ["cmd", "/c", "echo hello& exit 7"].map(OsString::from).into();
        let mut child = Child::spawn(&command, &[], Streams::Piped).unwrap();
        let (mut input, output) = child.streams().unwrap();
        assert!(child.streams().is_none());
        let (mut came, mut buffer) = (Vec::new(), [0; 100]);
        loop {
            crate::os::wait([crate::os::Interest::read(Some(input.handle()))], None).unwrap();
            match input.read(&mut buffer).unwrap() {
                0 => break,
                length => came.extend_from_slice(&buffer[..length]),
            }
        }
        assert_eq!(came, b"hello\r\n");
        drop(output);
        crate::os::wait([crate::os::Interest::read(child.handle())], None).unwrap();
        assert_eq!(child.status(), Some(7));
    }
}
