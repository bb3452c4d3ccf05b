//! Where the meter is to be had: on a terminal, or on the network.

use std::io;
use std::time::Instant;

use iecprobe::os::{Interest, Seat, Seen};
use iecprobe::protocol::settings::Settings;

use crate::network::Network;

/// A pseudo-terminal or a device, or an address of the network.
pub enum Place {
    /// A pseudo-terminal of our own, or a device.
    Terminal(Seat),
    /// An address of the network.
    Network(Box<Network>),
}

impl Place {
    /// The name under which a reader opens it.
    pub fn name(&self) -> &str {
        match self {
            Self::Terminal(seat) => seat.name(),
            Self::Network(network) => network.name(),
        }
    }

    /// What the other side is set to, where that can be seen.
    pub fn peer_settings(&self) -> Option<Settings> {
        match self {
            Self::Terminal(seat) => seat.peer_settings(),
            Self::Network(network) => network.peer_settings(),
        }
    }

    /// Sets our side to another rate, where it has one.
    pub fn set_rate(&mut self, rate: u32) -> io::Result<()> {
        match self {
            Self::Terminal(seat) => seat.set_rate(rate),
            Self::Network(_) => Ok(()),
        }
    }

    /// Whether a reader is there.
    pub fn is_open(&self) -> bool {
        match self {
            Self::Terminal(seat) => seat.is_open(),
            Self::Network(network) => network.is_open(),
        }
    }

    /// Whether the reader takes less than it is sent.
    pub fn is_backed_up(&self) -> bool {
        match self {
            Self::Terminal(_) => false,
            Self::Network(network) => network.is_backed_up(),
        }
    }

    /// Whether the other side's settings are told in their order between what it sends, and need not be looked at.
    pub fn tells_settings(&self) -> bool {
        matches!(self, Self::Network(_))
    }

    /// Whether the reader has sent a BREAK, and levels of DTR and RTS that it has set.
    pub fn take_signals(&mut self) -> (bool, Option<(bool, bool)>) {
        match self {
            Self::Terminal(_) => (false, None),
            Self::Network(network) => (network.take_break(), network.take_modem_lines()),
        }
    }

    /// Reads without waiting.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<Seen> {
        match self {
            Self::Terminal(seat) => seat.read(buffer),
            Self::Network(network) => network.read(buffer),
        }
    }

    /// Writes what fits; a reader that does not read loses the rest, as on a wire.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Terminal(seat) => seat.write(bytes),
            Self::Network(network) => {
                network.write(bytes);
                Ok(())
            }
        }
    }

    /// What to wait for, with the reader's bytes among it or not.
    pub fn interests(&self, reads: bool) -> [Interest<'_>; 2] {
        match self {
            Self::Terminal(seat) => {
                [Interest::read(Some(seat.handle()).filter(|_| reads)), Interest::default()]
            }
            Self::Network(network) => network.interests(reads),
        }
    }

    /// What to wait for while nobody is there; nothing where that has to be looked at again and again.
    pub fn arrivals(&self) -> Option<[Interest<'_>; 2]> {
        match self {
            Self::Terminal(_) => None,
            Self::Network(network) => Some(network.interests(true)),
        }
    }

    /// When to look again in any case.
    pub fn poll_at(&self) -> Option<Instant> {
        match self {
            Self::Terminal(_) => None,
            Self::Network(network) => network.poll_at(),
        }
    }
}
