//! A connection as a line has it: bytes to and fro, and the words that a server had for us before it hung up.

use std::io;
use std::time::{Duration, Instant};

use super::connect;
use super::{Endpoint, OpenError};
use crate::os::{Interrupt, Socket};

/// Longest time by which a slow network can lengthen the waits of a sign-on.
const ROUND_TRIP_MAX: Duration = Duration::from_secs(2);

/// Bytes from the beginning of a connection that are kept, in case they are all that the server has to say.
const WORDS_MAX: usize = 200;

/// Why a network line cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// The name of the host is not resolved.
    #[error("the name is not resolved: {0}")]
    NoHost(io::Error),
    /// The host refuses the connection.
    #[error("the connection is refused")]
    NotListening,
    /// The host does not answer, or there is no route to it.
    #[error("no connection: {0}")]
    Unreachable(io::Error),
    /// The server does not control its port for us.
    #[error("no control of the port")]
    NoRfc2217(Refusal),
    /// The server does not set the rate of the sign-on.
    #[error("it cannot be set to {wanted} Bd")]
    NotSettable {
        /// The rate asked for, in Bd.
        wanted: u32,
        /// The rate that the server says it has, if it says anything.
        kept: Option<u32>,
    },
    /// The server has closed the connection.
    #[error(transparent)]
    Lost(#[from] Loss),
}

/// How a server refuses to control its port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It says so.
    Said,
    /// It does not answer.
    Silence,
    /// Something behind it sends back what we send.
    Echo,
}

/// Why a network line was lost. It is inside the [`io::Error`] of a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Loss {
    /// The connection was closed.
    #[error("the connection was closed")]
    Closed {
        /// The first bytes that came over it.
        words: Vec<u8>,
    },
    /// The connection was closed with the words that the port is in use.
    #[error("the server says that the port is in use")]
    Busy {
        /// These words.
        words: Vec<u8>,
    },
    /// The first bytes are a Telnet negotiation, on a line that carries raw bytes.
    #[error("the server speaks Telnet")]
    Telnet,
}

impl Loss {
    /// The loss that an error of a line is about.
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    fn closed(words: &[u8]) -> Self {
        let text = String::from_utf8_lossy(words).to_lowercase();
        let busy = ["in use", "busy", "already connected"].iter().any(|sign| text.contains(sign));
        let words = words.to_vec();
        if busy { Self::Busy { words } } else { Self::Closed { words } }
    }
}

impl From<Loss> for io::Error {
    fn from(loss: Loss) -> Self {
        Self::new(io::ErrorKind::ConnectionAborted, loss)
    }
}

/// A connection to a server.
pub(super) struct Connection {
    pub(super) socket: Socket,
    /// How long a byte and its answer took on the way, when the connection was made.
    pub(super) round_trip: Duration,
    words: Vec<u8>,
}

impl Connection {
    pub(super) fn open(to: &Endpoint, interrupt: &Interrupt) -> Result<Self, OpenError> {
        let (socket, took) = connect::connect(to, interrupt)?;
        Ok(Self { socket, round_trip: took.min(ROUND_TRIP_MAX), words: Vec::new() })
    }

    /// Takes a better measurement of the round trip.
    pub(super) fn measured(&mut self, since: Instant) {
        self.round_trip = since.elapsed().min(ROUND_TRIP_MAX);
    }

    /// Keeps the first bytes of the line.
    pub(super) fn note(&mut self, bytes: &[u8]) {
        let room = WORDS_MAX - self.words.len();
        self.words.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// Reads what is there, without waiting; its end is an error.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.socket.read(buffer) {
            Ok(0) => Err(self.loss()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(io::ErrorKind::WouldBlock.into()),
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(self.loss()),
            read => read,
        }
    }

    /// Writes what fits, without waiting.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.write(bytes).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => io::ErrorKind::WouldBlock.into(),
            _ => error,
        })
    }

    /// The error of a connection that has ended.
    pub(super) fn loss(&self) -> io::Error {
        Loss::closed(&self.words).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_busy_server_are_told_from_others() {
        for (words, busy) in [
            (&b"Port already in use\r\n"[..], true),
            (b"Device busy", true),
            (b"Device open failure: No such file or directory", false),
            (b"", false),
        ] {
            let error = io::Error::from(Loss::closed(words));
            let loss = Loss::of(&error).unwrap();
            assert_eq!(matches!(loss, Loss::Busy { .. }), busy, "{loss:?}");
        }
        assert_eq!(Loss::of(&io::ErrorKind::UnexpectedEof.into()), None);
    }
}
