//! TCP connections: never waited for but with [`super::wait`].
//!
//! What differs between systems is only how a socket is waited for, and that is the system's `Watch`.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, TcpKeepalive, Type};

use super::system::{Watch, is_in_progress};
use super::{Handle, Input, Output};

/// A peer that does not acknowledge what it was sent for this long is dead.
#[cfg(any(target_os = "linux", target_os = "android"))]
const DEAD_AFTER: Duration = Duration::from_secs(60);

/// A silent connection is asked whether it still stands after this long, ..
const KEEP_ALIVE_AFTER: Duration = Duration::from_secs(30);

/// .. and again after each of these, ..
const KEEP_ALIVE_EVERY: Duration = Duration::from_secs(10);

/// .. this often: a dead peer is noticed within a minute.
const KEEP_ALIVE_TRIES: u32 = 3;

/// A connection.
#[derive(Debug)]
pub struct Socket {
    watch: Watch,
    stream: TcpStream,
}

impl Socket {
    /// Begins to connect. Wait until it can be written, then ask [`Socket::is_connected`].
    pub fn connect(to: SocketAddr) -> io::Result<Self> {
        let socket = socket2::Socket::new(Domain::for_address(to), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        let watch = Watch::of(&socket)?;
        match socket.connect(&to.into()) {
            Err(error) if !is_in_progress(&error) => return Err(error),
            _ => {}
        }
        Self::new(socket.into(), watch)
    }

    /// A connection that has begun.
    fn new(stream: TcpStream, watch: Watch) -> io::Result<Self> {
        // A sign-on is a few bytes to and fro: each of them counts from when it is handed over.
        stream.set_nodelay(true)?;
        let keep_alive = TcpKeepalive::new().with_time(KEEP_ALIVE_AFTER).with_interval(KEEP_ALIVE_EVERY);
        let socket = SockRef::from(&stream);
        socket.set_tcp_keepalive(&keep_alive.with_retries(KEEP_ALIVE_TRIES))?;
        #[cfg(any(target_os = "linux", target_os = "android"))]
        socket.set_tcp_user_timeout(Some(DEAD_AFTER))?;
        Ok(Self { watch, stream })
    }

    /// Whether the connection stands; an error says why it never will.
    pub fn is_connected(&self) -> io::Result<bool> {
        match self.stream.take_error()? {
            Some(error) => Err(error),
            None => Ok(self.stream.peer_addr().is_ok()),
        }
    }

    /// What to wait for.
    pub fn handle(&self) -> Handle<'_> {
        self.watch.handle(&self.stream)
    }

    /// Reads what is there, and 0 at the end of what the peer sends.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buffer)
    }

    /// Writes what fits without waiting. No signal is raised where the peer has gone.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    /// Says that nothing more is sent.
    pub fn finish(&self) {
        // A peer that has gone does not need to be told.
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Breaks the connection off, so that the peer sees an error and not an end.
    pub fn reset(self) {
        let _ = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
    }

    /// The connection as a pair of streams.
    pub fn streams(&self) -> io::Result<(Input, Output)> {
        Ok((Input::of_socket(self.stream.try_clone()?)?, Output::of_socket(self.stream.try_clone()?)?))
    }
}

/// A place where clients are waited for.
#[derive(Debug)]
pub struct Listener {
    watch: Watch,
    listener: TcpListener,
}

impl Listener {
    /// Listens at the first of these addresses that can be had.
    pub fn bind(addresses: &[SocketAddr]) -> io::Result<Self> {
        let listener = TcpListener::bind(addresses)?;
        listener.set_nonblocking(true)?;
        Ok(Self { watch: Watch::of(&listener)?, listener })
    }

    /// Where it listens: with the port that was picked where 0 was asked for.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Takes a client that is waiting.
    pub fn accept(&self) -> io::Result<Option<Socket>> {
        let stream = match self.listener.accept() {
            Ok((stream, _)) => stream,
            // One that has gone before it was taken is no failure of the listener's.
            Err(error) if matches!(error.kind(), WouldBlock | ConnectionAborted | Interrupted) => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        stream.set_nonblocking(true)?;
        let watch = Watch::of(&stream)?;
        Socket::new(stream, watch).map(Some)
    }

    /// What to wait for.
    pub fn handle(&self) -> Handle<'_> {
        self.watch.handle(&self.listener)
    }
}

use io::ErrorKind::{ConnectionAborted, Interrupted, WouldBlock};
