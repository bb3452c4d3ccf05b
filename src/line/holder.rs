//! Who has a port, and who may have it: what `/proc`, lock files and the group list say.

use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A process that has a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its id.
    pub pid: u32,
    /// Its name, where it could be read.
    pub name: Option<String>,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} (process {})", self.pid),
            None => write!(f, "process {}", self.pid),
        }
    }
}

impl Holder {
    fn new(pid: u32) -> Self {
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok();
        Self { pid, name: name.map(|name| name.trim_end().to_owned()) }
    }
}

/// The process, other than this one, that has the device with this number open.
pub(super) fn of(rdev: u64) -> Option<Holder> {
    let pids = fs::read_dir("/proc").ok()?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let has_it = |pid: &u32| {
        let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
        descriptors.filter_map(Result::ok).any(|entry| {
            fs::metadata(entry.path()).is_ok_and(|metadata| metadata.rdev() == rdev && metadata.rdev() != 0)
        })
    };
    pids.filter(|&pid| pid != std::process::id()).find(has_it).map(Holder::new)
}

/// The living process that a UUCP lock file names as user of this port.
pub(super) fn uucp(name: &str) -> Option<Holder> {
    let device = Path::new(name).canonicalize().ok()?;
    let lock = format!("/var/lock/LCK..{}", device.file_name()?.to_str()?);
    let pid = fs::read_to_string(lock).ok()?.split_whitespace().next()?.parse().ok()?;
    (pid != std::process::id() && Path::new(&format!("/proc/{pid}")).exists()).then(|| Holder::new(pid))
}

/// The name of the group with this id.
pub(super) fn group(id: u32) -> Option<String> {
    let groups = fs::read_to_string("/etc/group").ok()?;
    groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(id)).then(|| name.to_owned())
    })
}
