//! The way to a host: its name is resolved, and its addresses are tried in turn. A signal ends either, and each has an
//! end of its own.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::mpsc::{self, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

use super::connection::NetworkError;
use super::{Endpoint, OpenError};
use crate::os::{Interest, Interrupt, Socket, wait};

/// Longest time for the resolution of a name.
const RESOLVE_MAX: Duration = Duration::from_secs(5);

/// Longest time for connecting, all addresses together.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// How often a resolution is asked whether it is done.
const RESOLVE_POLL: Duration = Duration::from_millis(3);

/// Connects to the host; how long the address that answered took for it.
pub(super) fn connect(to: &Endpoint, interrupt: &Interrupt) -> Result<(Socket, Duration), OpenError> {
    let addresses = in_turn(resolve(to, interrupt)?);
    let deadline = Instant::now() + CONNECT_MAX;
    let mut failure = None;
    for (place, &address) in addresses.iter().enumerate() {
        let left = deadline.saturating_duration_since(Instant::now());
        let share = left / u32::try_from(addresses.len() - place).unwrap_or(u32::MAX);
        let began = Instant::now();
        match try_one(address, began + share, interrupt) {
            Ok(socket) => return Ok((socket, began.elapsed())),
            // A refusal says more than silence.
            Err(OpenError::Network(error)) if !matches!(failure, Some(NetworkError::NotListening)) => {
                failure = Some(error)
            }
            Err(OpenError::Network(_)) => {}
            Err(other) => return Err(other),
        }
    }
    Err(failure.unwrap_or_else(|| NetworkError::NoHost(io::ErrorKind::NotFound.into())).into())
}

/// Resolves the name in a thread of its own, as the system's resolver cannot be interrupted.
fn resolve(to: &Endpoint, interrupt: &Interrupt) -> Result<Vec<SocketAddr>, OpenError> {
    let (done, found) = mpsc::channel();
    let name = (to.host.clone(), to.port);
    thread::spawn(move || {
        // Nobody may be left to hear it.
        let _ = done.send(name.to_socket_addrs().map(Iterator::collect::<Vec<_>>));
    });
    let deadline = Instant::now() + RESOLVE_MAX;
    loop {
        match found.try_recv() {
            Ok(Ok(addresses)) => return Ok(addresses),
            Ok(Err(error)) => return Err(NetworkError::NoHost(error).into()),
            Err(TryRecvError::Disconnected) => {
                return Err(NetworkError::NoHost(io::ErrorKind::Other.into()).into());
            }
            Err(TryRecvError::Empty) if Instant::now() >= deadline => {
                return Err(NetworkError::NoHost(io::ErrorKind::TimedOut.into()).into());
            }
            Err(TryRecvError::Empty) => pause(interrupt, Interest::default(), Instant::now() + RESOLVE_POLL)?,
        }
    }
}

/// The addresses with the two families taking turns, so that a host that has both and answers at one is found soon.
fn in_turn(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_ipv6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first_is_ipv6);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut mixed = Vec::new();
    loop {
        let pair = [first.next(), second.next()];
        if pair == [None, None] {
            return mixed;
        }
        mixed.extend(pair.into_iter().flatten());
    }
}

fn try_one(address: SocketAddr, until: Instant, interrupt: &Interrupt) -> Result<Socket, OpenError> {
    let socket = Socket::connect(address).map_err(of_connect)?;
    while !socket.is_connected().map_err(of_connect)? {
        if Instant::now() >= until {
            return Err(NetworkError::Unreachable(io::ErrorKind::TimedOut.into()).into());
        }
        pause(interrupt, Interest { handle: Some(socket.handle()), read: false, write: true }, until)?;
    }
    Ok(socket)
}

/// Waits for this, but not longer than until the instant.
pub(super) fn pause(interrupt: &Interrupt, what: Interest<'_>, until: Instant) -> Result<(), OpenError> {
    wait([Interest::read(Some(interrupt.handle())), what], Some(until)).map_err(NetworkError::Unreachable)?;
    interrupt.signal().map_or(Ok(()), |signal| Err(OpenError::Signal(signal)))
}

fn of_connect(error: io::Error) -> NetworkError {
    if error.kind() == io::ErrorKind::ConnectionRefused {
        NetworkError::NotListening
    } else {
        NetworkError::Unreachable(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_families_take_turns() {
        let all =
            ["[::1]:1", "[::2]:1", "1.1.1.1:1", "[::3]:1", "2.2.2.2:1"].map(|text| text.parse().unwrap());
        let turns = in_turn(all.to_vec()).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(turns, ["[::1]:1", "1.1.1.1:1", "[::2]:1", "2.2.2.2:1", "[::3]:1"]);
    }
}
