//! What can go wrong in a run, as facts. What is said about it is [`crate::explain`]'s to say.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use iecprobe::hunt::{self, Hunted};
use iecprobe::line::{Loss, NetworkError, OpenError, Refused};
use iecprobe::machine::exchange::Says;
use iecprobe::os;
use iecprobe::os::ports::{Port, State};
use iecprobe::protocol::hdlc::Addresses;
use iecprobe::protocol::identification::Identification;
use iecprobe::protocol::settings::Settings;
use iecprobe::signon::{Config, Failed};

use crate::finding;
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
    /// A hunt has found no way that this program can go.
    Hunt(Box<Sought>),
    /// The HDLC link did not open.
    Link(Box<NoLink>),
    /// The line was lost.
    LineLost,
    /// The server closed the connection before a meter was identified, or is none for this kind of line.
    Lost(Loss),
    /// The server did not change the rate.
    Refused {
        /// What it did not do.
        refused: Refused,
        /// Who the meter is.
        identification: Box<Identification>,
    },
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

/// A hunt that is over.
#[derive(Debug)]
pub struct Sought {
    /// What it has found and tried.
    pub hunted: Hunted,
    /// What it was to do.
    pub config: hunt::Config,
    /// How long it took.
    pub took: Duration,
}

impl Trouble {
    /// What kind of failure it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Usage(_) | Self::Open(OpenError::Scenario(_)) => Kind::Usage,
            Self::Internal(_)
            | Self::Open(OpenError::Rate { .. } | OpenError::Port(os::OpenError::Io(_))) => Kind::Internal,
            Self::Open(OpenError::Signal(_)) => Kind::Internal,
            Self::Open(OpenError::Network(error)) => of_network(error),
            Self::NoPort(_) | Self::Open(OpenError::Port(os::OpenError::Missing)) => Kind::NoPort,
            Self::Open(OpenError::Port(os::OpenError::NotSerial(_))) => Kind::NotSerial,
            Self::Open(OpenError::Port(os::OpenError::Permission { .. })) => Kind::Permission,
            Self::Open(OpenError::Port(os::OpenError::Busy(_))) => Kind::Busy,
            Self::SignOn { failed, .. } => Kind::from(&failed.failure),
            Self::Hunt(sought) => finding::kind(sought),
            Self::Link(link) if link.says.is_some() => Kind::HdlcRefused,
            Self::Link(_) => Kind::NoHdlc,
            Self::LineLost => Kind::LineLost,
            Self::Lost(loss) => of_loss(loss),
            Self::Refused { .. } => Kind::RateRefused,
            Self::Output(_) | Self::File { .. } => Kind::Output,
        }
    }

    /// Who answered, where somebody did.
    pub fn identification(&self) -> Option<&Identification> {
        match self {
            Self::SignOn { failed, .. } => failed.identification.as_ref(),
            Self::Hunt(sought) => sought.hunted.found.as_ref()?.identification(),
            Self::Link(link) => link.identification.as_ref(),
            Self::Refused { identification, .. } => Some(identification),
            _ => None,
        }
    }

    /// What a hunt has found, where it has found something.
    pub fn found(&self) -> Option<&'static str> {
        match self {
            Self::Hunt(sought) => Some(sought.hunted.found.as_ref()?.name()),
            _ => None,
        }
    }

    /// What was received.
    pub fn received(&self) -> &[u8] {
        match self {
            Self::SignOn { failed, .. } => &failed.received,
            Self::Hunt(sought) => sought.hunted.furthest.as_ref().map_or(&[], |failed| &failed.received),
            Self::Link(link) => &link.received,
            _ => &[],
        }
    }
}

fn of_network(error: &NetworkError) -> Kind {
    match error {
        NetworkError::NoHost(_) => Kind::NoHost,
        NetworkError::NotListening => Kind::NotListening,
        NetworkError::Unreachable(_) => Kind::Unreachable,
        NetworkError::NoRfc2217(_) => Kind::NoRfc2217,
        NetworkError::NotSettable { .. } => Kind::NotSettable,
        NetworkError::Lost(loss) => of_loss(loss),
    }
}

fn of_loss(loss: &Loss) -> Kind {
    match loss {
        Loss::Closed { .. } => Kind::LineLost,
        Loss::Busy { .. } => Kind::Busy,
        Loss::Telnet => Kind::Telnet,
    }
}
