//! Lines to a meter: what the driver needs of one, and how one is opened.
//!
//! A line carries the eight bits between start and stop bit. During the sign-on (7E1) these are seven data bits and a
//! parity bit, or plain characters where a pseudo-terminal or an adapter leaves parity out; see [`Parity`].

mod address;
mod connect;
mod connection;
pub mod rfc2217;
mod serial;
mod sim;
mod tcp;
pub mod transmitter;

use std::io;
use std::time::{Duration, Instant};

use crate::meter::scenario::UnknownScenario;
use crate::os::{self, Handle, Interest, Interrupt};
use crate::protocol::parity::Parity;
use crate::protocol::settings::Settings;
pub use address::{Address, AddressError, Endpoint};
pub use connection::{Loss, NetworkError, Refusal};

/// How to open a line.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Who computes parity, where that was said.
    pub parity: Option<Parity>,
    /// The level of DTR.
    pub dtr: bool,
    /// The level of RTS.
    pub rts: bool,
    /// What the line is set to at first.
    pub settings: Settings,
}

/// Why a line cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The port by this name cannot be had.
    #[error(transparent)]
    Port(#[from] os::OpenError),
    /// The line behind the network cannot be had.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// A signal came.
    #[error("signal {0}")]
    Signal(i32),
    /// No such scenario of the built-in meter.
    #[error(transparent)]
    Scenario(#[from] UnknownScenario),
    /// The port cannot be set to this rate in Bd; it went to the other one.
    #[error("it cannot be set to {wanted} Bd")]
    Rate {
        /// The rate asked for.
        wanted: u32,
        /// The rate that the driver chose.
        kept: u32,
    },
}

/// What a line is, whatever its name: what a sign-on has to know of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nature {
    /// Who computes the parity bit in the first attempt, and in every second one after it.
    pub parities: [Parity; 2],
    /// How long to be quiet between opening and the first byte: a head behind it has to come up.
    pub warm_up: Duration,
    /// Longest time for which it can hold received bytes back.
    pub lag: Duration,
    /// Whether it has one rate, which is not ours to change.
    pub fixed_rate: bool,
    /// How much longer than on a wire an answer takes.
    pub round_trip: Duration,
}

/// What a line was asked for and does not do, as its other end says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It is at another rate.
    Rate {
        /// The rate asked for, in Bd.
        wanted: u32,
        /// The rate that it has, in Bd.
        kept: u32,
    },
    /// It keeps seven data bits where eight were asked for.
    EighthBit,
}

/// An open line. Dropping it puts the port back into its old settings.
///
/// An error of [`Line::read`], [`Line::write`] or [`Line::configure`] means that the line is lost, but for
/// [`io::ErrorKind::WouldBlock`].
pub trait Line {
    /// What it is.
    fn nature(&self) -> Nature;
    /// Sets rate, framing, and who computes the parity of 7E1, at once.
    fn configure(&mut self, settings: Settings, parity: Parity) -> io::Result<()>;
    /// Writes as much as fits without waiting: 7-bit characters at 7E1, bytes at 8N1.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;
    /// Reads what is there without waiting; end of file is an error.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize>;
    /// Whether everything written has left, as far as the driver knows.
    fn drained(&mut self) -> io::Result<bool>;
    /// When everything written will have left by its time on the wire, with a margin: nothing is closed, and no modem
    /// line dropped, before. `None` where characters take no time, or where [`Line::drained`] knows.
    fn leaves(&self) -> Option<Instant> {
        None
    }
    /// Starts or ends a BREAK.
    fn set_break(&mut self, on: bool) -> io::Result<()>;
    /// Sets the levels of DTR and RTS, where there are such lines.
    fn set_modem_lines(&mut self, _dtr: bool, _rts: bool) {}
    /// What to wait for, if it can be waited for.
    fn handle(&self) -> Option<Handle<'_>>;
    /// What to wait for before it is read, or written.
    fn interest(&self, read: bool, write: bool) -> Interest<'_> {
        Interest { handle: self.handle(), read, write }
    }
    /// Moves on what it holds itself, when it can be written.
    fn move_on(&mut self) -> io::Result<()> {
        Ok(())
    }
    /// When to look for received bytes that its handle does not tell of.
    fn poll_at(&self) -> Option<Instant> {
        None
    }
    /// What the last [`Line::configure`] asked for in vain, as far as that is known by now.
    fn refused(&self) -> Option<Refused> {
        None
    }
    /// Why it is lost, after its handle has said that it is.
    fn loss(&mut self) -> io::Error {
        io::ErrorKind::UnexpectedEof.into()
    }
    /// Facts about the line that the user may want to hear.
    fn remarks(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Opens the line that this names. An interrupt ends whatever takes its time.
pub fn open(address: &Address, options: Options, interrupt: &Interrupt) -> Result<Box<dyn Line>, OpenError> {
    Ok(match address {
        Address::Device(name) => Box::new(serial::SerialLine::open(name, options)?),
        Address::Sim(scenario) => Box::new(sim::SimLine::open(scenario, options)?),
        Address::Tcp(endpoint) => Box::new(tcp::TcpLine::open(endpoint, options, interrupt)?),
        Address::Rfc2217(endpoint) => Box::new(rfc2217::Rfc2217Line::open(endpoint, options, interrupt)?),
    })
}
