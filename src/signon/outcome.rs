//! How a sign-on ends: the facts of a success, of a failure, and what is worth a note.

use std::time::Duration;

use crate::protocol::identification::{Identification, Mode};
use crate::signon::confirmation::Confirmed;
use crate::signon::listen::Damage;

/// A sign-on that reached its goal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedOn {
    /// Who answered.
    pub identification: Identification,
    /// The mode entered; with `ident_only` the best one offered.
    pub mode: Mode,
    /// Rate in force in Bd.
    pub baud: u32,
    /// Whether the meter confirmed; `None` where that was not waited for.
    pub confirmed: Option<bool>,
    /// Requests sent.
    pub attempts: u32,
    /// What was out of the ordinary.
    pub notes: Vec<Note>,
    /// Bytes that came behind the confirmation: the beginning of the pipe.
    pub rest: Vec<u8>,
}

/// Something out of the ordinary that did not stop the sign-on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// The head returns what we send.
    Echo,
    /// The identification came with parity bits on a line that should not show them.
    ParityInSight,
    /// This many characters of noise came before the identification.
    StrayCharacters(usize),
    /// The ident has this many characters, more than the standard allows.
    LongIdent(usize),
    /// The baud character is a blank; taken for 9600 Bd.
    BlankBaudCharacter,
    /// The meter took more than one request to answer.
    Attempts(u32),
    /// The identification has this many control characters in it.
    ControlCharacters(usize),
    /// The meter was freed from an earlier session by a DISC at this rate in Bd.
    FreedByDisc(u32),
    /// The meter was in HDLC at this rate in Bd, but had no link to be ended by a DISC: it was linked first.
    FreedByLink(u32),
    /// The confirmation came before the change of rate: at the start rate in Bd.
    ConfirmedAtOldRate(u32),
    /// The confirmation does not say what the acknowledgement said.
    ConfirmedOther {
        /// What the meter said.
        confirmed: Confirmed,
        /// Protocol control, baud and mode control character that we sent.
        sent: [u8; 3],
    },
    /// No confirmation came.
    Unconfirmed,
    /// No confirmation could be read, but this many bytes came in its place.
    Unreadable(usize),
    /// A rate in Bd other than the offered one was asked for and not confirmed.
    ForcedUnconfirmed(u32),
}

/// A sign-on that did not reach its goal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{failure} (requests sent: {attempts})")]
pub struct Failed {
    /// What went wrong in the attempt that got furthest.
    pub failure: Failure,
    /// Who answered, where somebody did.
    pub identification: Option<Identification>,
    /// Requests sent.
    pub attempts: u32,
    /// What was received in the attempt that got furthest, as it came; its beginning. Our own echo is left out, unless
    /// nothing else came.
    pub received: Vec<u8>,
    /// Whether the head returns what we send.
    pub echo: bool,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Nothing came.
    #[error("no answer")]
    Silent,
    /// Nothing but our own echo came.
    #[error("no answer but our own echo")]
    EchoOnly,
    /// What came is no 7-bit text.
    #[error("bytes that are no text")]
    Garbled,
    /// Something came only while the line was at other rates, to free a meter from an earlier session.
    #[error("bytes at other rates only")]
    OnlyDuringRecovery,
    /// What came is text without an identification.
    #[error("text without an identification")]
    NoIdentification,
    /// An identification was still coming when the time was up.
    #[error("an identification that takes too long")]
    Unfinished,
    /// The identification had wrong parity.
    #[error("wrong parity at character {} of the identification", .0.place + 1)]
    Parity(Damage),
    /// A meter that sends its telegrams by itself.
    #[error("telegrams that nobody asked for")]
    Push,
    /// A meter that speaks SML.
    #[error("SML")]
    Sml,
    /// A meter that is in HDLC already.
    #[error("HDLC frames")]
    Hdlc,
    /// A manufacturer that was not asked for.
    #[error("another manufacturer")]
    WrongManufacturer,
    /// The meter does not offer mode E.
    #[error("mode E is not offered")]
    NoModeE,
    /// The baud character names no rate.
    #[error("the baud character names no rate")]
    UnknownBaud,
    /// The meter answered the acknowledgement with NAK.
    #[error("the acknowledgement was answered with NAK")]
    RefusedByNak,
    /// The meter answered the acknowledgement with the break message.
    #[error("the acknowledgement was answered with a break message")]
    RefusedByBreak,
    /// The meter sent its data instead, at this rate in Bd.
    #[error("a readout at {0} Bd")]
    Readout(u32),
    /// This computer was stopped or starved for so long in the middle of the sign-on, and what followed is its doing.
    #[error("a computer that was stopped for {:.1} s", .0.as_secs_f64())]
    TooSlow(Duration),
    /// The meter did not confirm, and that was required; this many bytes came that could not be read.
    #[error("no confirmation")]
    Unconfirmed(usize),
}

impl Failure {
    /// How far an attempt got that ended so: the attempt that got furthest decides.
    pub(crate) fn progress(&self) -> u8 {
        match self {
            Self::Silent => 0,
            Self::EchoOnly => 1,
            Self::Garbled | Self::OnlyDuringRecovery => 2,
            Self::NoIdentification | Self::Unfinished => 3,
            // A meter may be deaf after an attempt that we have spoiled, or talk of something else.
            Self::TooSlow(_) => 4,
            Self::Parity(_) | Self::Push | Self::Sml | Self::Hdlc => 5,
            Self::WrongManufacturer | Self::NoModeE | Self::UnknownBaud => 6,
            Self::RefusedByNak | Self::RefusedByBreak | Self::Readout(_) | Self::Unconfirmed(_) => 6,
        }
    }

    /// Whether a further attempt can change it.
    pub(super) fn is_final(&self) -> bool {
        match self {
            Self::Silent | Self::EchoOnly | Self::Garbled | Self::OnlyDuringRecovery => false,
            Self::NoIdentification | Self::Unfinished | Self::Parity(_) | Self::TooSlow(_) => false,
            Self::Push | Self::Sml | Self::Hdlc => true,
            Self::WrongManufacturer | Self::NoModeE | Self::UnknownBaud => true,
            Self::RefusedByNak | Self::RefusedByBreak | Self::Readout(_) | Self::Unconfirmed(_) => true,
        }
    }

    /// Whether a meter comes to it by itself when our side of the exchange is late.
    pub(super) fn follows_from_lateness(&self) -> bool {
        match self {
            Self::Push | Self::Hdlc | Self::Readout(_) | Self::Unfinished | Self::Unconfirmed(_) => true,
            Self::RefusedByNak | Self::RefusedByBreak => true,
            Self::Silent | Self::EchoOnly | Self::Garbled | Self::OnlyDuringRecovery => false,
            Self::NoIdentification | Self::Parity(_) | Self::Sml | Self::TooSlow(_) => false,
            Self::WrongManufacturer | Self::NoModeE | Self::UnknownBaud => false,
        }
    }

    /// Whether a meter that was woken is to be signed off after it: it was identified, and nothing else is to come.
    pub(super) fn leaves_awake(&self) -> bool {
        matches!(self, Self::WrongManufacturer | Self::NoModeE | Self::UnknownBaud)
    }

    /// Whether not a byte of the meter came in answer.
    pub(super) fn is_silence(&self) -> bool {
        matches!(self, Self::Silent | Self::EchoOnly | Self::OnlyDuringRecovery)
    }
}
