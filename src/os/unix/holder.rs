//! Who has a port, and who may have it: what `/proc`, lock files and the group list say.

use std::fs;
use std::path::Path;

use rustix::fs::{Access, AtFlags, CWD, FileType, Mode, OFlags, Stat, accessat, fstat, stat};

use crate::os::Holder;
use crate::protocol::text;

/// A lock file has a process id in ten characters and a line feed; some have a name behind it.
const LOCK_MAX: usize = 64;

/// The process with this id, and its name.
fn holder(pid: u32) -> Holder {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok();
    Holder { pid, name: name.map(|name| text::escaped(name.trim_end().as_bytes())) }
}

/// The process, other than this one, that locks this node, or has it open.
pub(super) fn of(node: &Stat) -> Option<Holder> {
    let pids = fs::read_dir("/proc").ok()?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let has_it = |pid: &u32| {
        let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
        descriptors.filter_map(Result::ok).any(|entry| {
            stat(entry.path()).is_ok_and(|open| open.st_rdev == node.st_rdev && open.st_rdev != 0)
        })
    };
    // The descriptors of other users are hidden from us, their locks are not.
    let locks = || locker(&fs::read_to_string("/proc/locks").ok()?, node.st_dev, node.st_ino);
    let lives = |pid: &u32| Path::new(&format!("/proc/{pid}")).exists();
    let opens = || pids.filter(|&pid| pid != std::process::id()).find(has_it);
    // Who locks it is in our way; others may have it open as well.
    locks().filter(lives).or_else(opens).or_else(locks).map(holder)
}

/// The process, other than this one, that has a lock on the file with this number on this device, as `/proc/locks` says.
fn locker(locks: &str, device: rustix::fs::Dev, inode: u64) -> Option<u32> {
    let file = format!("{:02x}:{:02x}:{inode}", rustix::fs::major(device), rustix::fs::minor(device));
    let pid = |line: &str| {
        // Those who wait have an arrow before the kind.
        let [_, "FLOCK" | "POSIX", _, _, pid, locked, ..] = line.split_whitespace().collect::<Vec<_>>()[..]
        else {
            return None;
        };
        pid.parse().ok().filter(|&pid| locked == file && pid != 0 && pid != std::process::id())
    };
    locks.lines().find_map(pid)
}

/// The living process that a UUCP lock file names as user of this port.
pub(super) fn uucp(name: &str) -> Option<Holder> {
    uucp_in(Path::new("/var/lock"), Path::new(name))
}

/// The same, with the lock files in this folder.
pub(super) fn uucp_in(locks: &Path, node: &Path) -> Option<Holder> {
    let device = node.canonicalize().ok()?;
    let lock = small_file(&locks.join(format!("LCK..{}", device.file_name()?.to_str()?)))?;
    let pid = lock.split_whitespace().next()?.parse().ok()?;
    (pid != std::process::id() && Path::new(&format!("/proc/{pid}")).exists()).then(|| holder(pid))
}

/// What a small plain file says. Anybody may write to the folder of the locks: what is there may be a FIFO, on which an
/// open would wait, a link to anywhere, or larger than the memory.
fn small_file(path: &Path) -> Option<String> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::NOCTTY | OFlags::CLOEXEC;
    let fd = rustix::fs::open(path, flags, Mode::empty()).ok()?;
    let is_plain = FileType::from_raw_mode(fstat(&fd).ok()?.st_mode).is_file();
    let mut bytes = [0; LOCK_MAX];
    let length = if is_plain { rustix::io::read(&fd, &mut bytes[..]).ok()? } else { return None };
    Some(String::from_utf8_lossy(&bytes[..length]).into_owned())
}

/// Whether we may read and write this node, without opening it.
pub(super) fn may_open(node: &Path) -> bool {
    let both = Access::READ_OK | Access::WRITE_OK;
    accessat(CWD, node, both, AtFlags::EACCESS).is_ok()
}

/// The name of the node's group, if that may read and write it.
pub(super) fn group_of(node: &Stat) -> Option<String> {
    (node.st_mode & 0o060 == 0o060).then(|| group(node.st_gid)).flatten()
}

/// The name of the group with this id.
fn group(id: u32) -> Option<String> {
    let groups = fs::read_to_string("/etc/group").ok()?;
    groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(id)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_of_another_process_is_found() {
        let locks = "1: POSIX  ADVISORY  READ 77 00:1a:1036 0 EOF\n\
                     2: FLOCK  ADVISORY  WRITE 10786 00:05:1036 0 EOF\n\
                     2: -> FLOCK  ADVISORY  WRITE 10787 00:05:1037 0 EOF\n\
                     3: FLOCK  ADVISORY  WRITE 0 103:05:1038 0 EOF\n";
        let device = rustix::fs::makedev(0, 5);
        assert_eq!(locker(locks, device, 1036), Some(10786));
        assert_eq!(locker(locks, device, 1037), None);
        assert_eq!(locker(locks, rustix::fs::makedev(0x103, 5), 1038), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_process_does_no_harm_by_its_name() {
        fs::write("/proc/thread-self/comm", "\x1B[2J").unwrap();
        let us = fs::read_link("/proc/thread-self").unwrap();
        let thread = us.file_name().unwrap().to_str().unwrap().parse().unwrap();
        assert_eq!(holder(thread).to_string(), format!("\\x1B[2J (process {thread})"));
    }
}
