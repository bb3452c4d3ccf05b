//! A name for a pseudo-terminal that does not change: a symlink, which takes the place of nothing but one that a meter
//! has left behind.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// What a program that makes such links is called.
const METER: &str = "iecmeter";

/// The link, taken away when it is dropped.
#[derive(Debug)]
pub(super) struct Link {
    path: PathBuf,
    terminal: PathBuf,
}

impl Link {
    /// Makes a link at `path` to a pseudo-terminal of ours.
    pub(super) fn make(path: &Path, terminal: &str) -> io::Result<Self> {
        match fs::symlink_metadata(path) {
            Ok(old) if !old.file_type().is_symlink() => {
                return Err(refused("there is something else by this name"));
            }
            Ok(_) => {
                let target = fs::read_link(path)?;
                let Some(number) = terminal_number(&target) else {
                    return Err(refused("it is a link to something that is no pseudo-terminal"));
                };
                if let Some(process) = meter_at(number) {
                    return Err(refused(&format!("it belongs to a meter that runs, process {process}")));
                }
                fs::remove_file(path)?;
            }
            Err(_) => {}
        }
        symlink(terminal, path)?;
        Ok(Self { path: path.to_owned(), terminal: terminal.into() })
    }
}

fn refused(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::AlreadyExists, why)
}

impl Drop for Link {
    fn drop(&mut self) {
        // Somebody may have taken it away and put another in its place.
        if fs::read_link(&self.path).is_ok_and(|target| target == self.terminal) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// The number of a pseudo-terminal, by the name of its slave.
fn terminal_number(name: &Path) -> Option<u32> {
    let name = name.to_str()?;
    name.strip_prefix("/dev/pts/").or_else(|| name.strip_prefix("/dev/ttys"))?.parse().ok()
}

/// The living meter that has the master of this pseudo-terminal, as Linux tells.
fn meter_at(number: u32) -> Option<u32> {
    let processes = fs::read_dir("/proc").ok()?.flatten();
    processes
        .filter_map(|process| process.file_name().to_str()?.parse().ok())
        .find(|&process: &u32| is_meter(process) && has_master(process, number))
}

fn is_meter(process: u32) -> bool {
    fs::read_to_string(format!("/proc/{process}/comm")).is_ok_and(|name| name.trim_end() == METER)
}

fn has_master(process: u32, number: u32) -> bool {
    let Ok(descriptors) = fs::read_dir(format!("/proc/{process}/fdinfo")) else { return false };
    descriptors.flatten().any(|descriptor| {
        let Ok(facts) = fs::read_to_string(descriptor.path()) else { return false };
        let index = facts.lines().find_map(|line| line.strip_prefix("tty-index:"));
        index.is_some_and(|index| index.trim().parse() == Ok(number))
    })
}
