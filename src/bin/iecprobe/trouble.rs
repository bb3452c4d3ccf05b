//! What can go wrong in a run, as facts. What is said about it is [`crate::explain`]'s to say.

use std::io;
use std::path::PathBuf;

use iecprobe::line::OpenError;
use iecprobe::machine::exchange::Says;
use iecprobe::os;
use iecprobe::os::ports::{Port, State};
use iecprobe::protocol::hdlc::Addresses;
use iecprobe::protocol::identification::Identification;
use iecprobe::protocol::settings::Settings;
use iecprobe::signon::{Config, Failed};

use crate::kind::Kind;

/// Why a run has failed.
#[derive(Debug)]
pub enum Trouble {
    /// The command line cannot be carried out, for a reason that clap cannot find by itself.
    Usage(String),
    /// Something that has no kind of its own.
    Internal(String),
    /// No port was named, and there is not exactly one to take: those that there are.
    NoPort(Vec<(Port, State)>),
    /// The port cannot be opened.
    Open(OpenError),
    /// The sign-on failed.
    SignOn {
        /// How.
        failed: Box<Failed>,
        /// What it was to do.
        config: Box<Config>,
    },
    /// The HDLC link did not open.
    Link(Box<NoLink>),
    /// The line was lost.
    LineLost,
    /// The output cannot be written.
    Output(io::Error),
    /// A file that an option names cannot be written.
    File {
        /// The option.
        option: &'static str,
        /// The file.
        file: PathBuf,
        /// Why not.
        error: io::Error,
    },
}

/// An HDLC link that did not open.
#[derive(Debug)]
pub struct NoLink {
    /// How the meter answered, if it did.
    pub says: Option<Says>,
    /// What was received.
    pub received: Vec<u8>,
    /// Who was to talk to whom.
    pub addresses: Addresses,
    /// How the line was set.
    pub settings: Settings,
    /// Who the meter is, after a sign-on.
    pub identification: Option<Identification>,
}

impl Trouble {
    /// What kind of failure it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Usage(_) | Self::Open(OpenError::Scenario(_)) => Kind::Usage,
            Self::Internal(_)
            | Self::Open(OpenError::Rate { .. } | OpenError::Port(os::OpenError::Io(_))) => Kind::Internal,
            Self::NoPort(_) | Self::Open(OpenError::Port(os::OpenError::Missing)) => Kind::NoPort,
            Self::Open(OpenError::Port(os::OpenError::NotSerial(_))) => Kind::NotSerial,
            Self::Open(OpenError::Port(os::OpenError::Permission { .. })) => Kind::Permission,
            Self::Open(OpenError::Port(os::OpenError::Busy(_))) => Kind::Busy,
            Self::SignOn { failed, .. } => Kind::from(&failed.failure),
            Self::Link(link) if link.says.is_some() => Kind::HdlcRefused,
            Self::Link(_) => Kind::NoHdlc,
            Self::LineLost => Kind::LineLost,
            Self::Output(_) | Self::File { .. } => Kind::Output,
        }
    }

    /// Who answered, where somebody did.
    pub fn identification(&self) -> Option<&Identification> {
        match self {
            Self::SignOn { failed, .. } => failed.identification.as_ref(),
            Self::Link(link) => link.identification.as_ref(),
            _ => None,
        }
    }

    /// What was received.
    pub fn received(&self) -> &[u8] {
        match self {
            Self::SignOn { failed, .. } => &failed.received,
            Self::Link(link) => &link.received,
            _ => &[],
        }
    }
}
