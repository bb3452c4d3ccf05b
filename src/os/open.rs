//! Why a port cannot be opened, and who has it.

use std::fmt;
use std::io;

/// Why a port cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is nothing by that name.
    #[error("there is no such port")]
    Missing,
    /// It is something, but no serial port: what it is instead.
    #[error("it is {0}, not a serial port")]
    NotSerial(&'static str),
    /// We may not open it.
    #[error("no permission")]
    Permission {
        /// The name of the group that may, where there is one.
        group: Option<String>,
    },
    /// Somebody else has it.
    #[error("it is in use")]
    Busy(Option<Holder>),
    /// Anything else.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Whether the group list names the user as a member of this group: who joins one after logging in is not in it yet.
pub fn has_joined(group: &str) -> bool {
    let user = ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
    let (Some(user), Ok(groups)) = (user, std::fs::read_to_string("/etc/group")) else { return false };
    groups.lines().map(|line| line.split(':').collect::<Vec<_>>()).any(|fields| {
        fields.first() == Some(&group)
            && fields.last().is_some_and(|all| all.split(',').any(|one| one == user))
    })
}

/// A process that has a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its id.
    pub pid: u32,
    /// Its name, where it could be read, in printable ASCII: a process may call itself anything.
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
