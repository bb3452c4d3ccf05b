//! A virtual meter on the network: one reader at a time, at `tcp://` or `rfc2217://`.

use std::collections::VecDeque;
use std::io;
use std::net::ToSocketAddrs;
use std::time::{Duration, Instant};

use iecprobe::line::rfc2217::server::{Event, Server};
use iecprobe::line::{Address, Endpoint};
use iecprobe::os::{Interest, Listener, Seen, Socket};
use iecprobe::protocol::parity;
use iecprobe::protocol::settings::{Framing, Settings};

/// What a reader is told that comes while another one is there.
const IN_USE: &[u8] = b"Port already in use\r\n";

/// How long one that was told so may take to read it.
const FAREWELL: Duration = Duration::from_secs(1);

/// Bytes that may wait for a slow reader before no more are taken from it.
const OUTPUT_MAX: usize = 16 * 1024;

/// Where the meter is to be had, and who has it.
pub struct Network {
    listener: Listener,
    name: String,
    rfc2217: bool,
    reader: Option<Reader>,
    /// Readers that were told that the port is in use.
    turned_away: Vec<(Socket, Instant)>,
}

/// A reader.
struct Reader {
    socket: Socket,
    server: Option<Server>,
    /// What the port was set to when the data came that were taken last.
    settings: Settings,
    /// What came and was not taken, on a line of raw bytes.
    raw: VecDeque<u8>,
    /// What could not be sent yet, on a line of raw bytes.
    output: Vec<u8>,
    broke: bool,
    modem_lines: Option<(bool, bool)>,
    gone: bool,
}

impl Network {
    /// Listens at an address of the network.
    pub fn listen(address: &Address) -> io::Result<Self> {
        let (endpoint, rfc2217) = match address {
            Address::Rfc2217(endpoint) => (endpoint, true),
            Address::Tcp(endpoint) => (endpoint, false),
            Address::Device(_) | Address::Sim(_) => return Err(io::ErrorKind::InvalidInput.into()),
        };
        let places: Vec<_> = (endpoint.host.as_str(), endpoint.port).to_socket_addrs()?.collect();
        let listener = Listener::bind(&places)?;
        let port = listener.address()?.port();
        let endpoint = Endpoint { port, ..endpoint.clone() };
        let named = if rfc2217 { Address::Rfc2217(endpoint) } else { Address::Tcp(endpoint) };
        Ok(Self { listener, name: named.to_string(), rfc2217, reader: None, turned_away: Vec::new() })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the reader has set the port to; nothing where it cannot.
    pub fn peer_settings(&self) -> Option<Settings> {
        self.reader.as_ref().filter(|_| self.rfc2217).map(|reader| reader.settings)
    }

    pub fn is_open(&self) -> bool {
        self.reader.is_some()
    }

    /// Whether the reader takes less than it is sent.
    pub fn is_backed_up(&self) -> bool {
        self.reader.as_ref().is_some_and(|reader| reader.output().len() > OUTPUT_MAX)
    }

    /// Whether a BREAK has come.
    pub fn take_break(&mut self) -> bool {
        self.reader.as_mut().is_some_and(|reader| std::mem::take(&mut reader.broke))
    }

    /// Levels of DTR and RTS that have been set.
    pub fn take_modem_lines(&mut self) -> Option<(bool, bool)> {
        self.reader.as_mut()?.modem_lines.take()
    }

    /// Reads without waiting, up to the next change of settings.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<Seen> {
        self.accept()?;
        let Some(reader) = &mut self.reader else { return Ok(Seen::NobodyThere) };
        let seen = reader.read(buffer);
        if seen == Seen::NobodyThere {
            self.reader = None;
        }
        Ok(seen)
    }

    /// Takes a reader that is waiting; others are told that the port is in use.
    fn accept(&mut self) -> io::Result<()> {
        let now = Instant::now();
        let mut buffer = [0; 256];
        // What they send is read, so that the connection is not reset before the words have arrived.
        self.turned_away.retain_mut(|(socket, until)| match socket.read(&mut buffer) {
            Ok(0) => false,
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => false,
            _ => now < *until,
        });
        while let Some(mut socket) = self.listener.accept()? {
            if self.reader.is_none() {
                self.reader = Some(Reader::new(socket, self.rfc2217));
            } else {
                // If even this does not fit, nobody is reading.
                let _ = socket.write(IN_USE);
                socket.finish();
                self.turned_away.push((socket, now + FAREWELL));
            }
        }
        Ok(())
    }

    /// Sends characters of the meter, as the port of the reader shows them.
    pub fn write(&mut self, bytes: &[u8]) {
        if let Some(reader) = &mut self.reader {
            reader.write(bytes);
        }
    }

    /// What to wait for: a reader that comes, and the one that is there.
    pub fn interests(&self, reads: bool) -> [Interest<'_>; 2] {
        let reader = self.reader.as_ref().map_or(Interest::default(), |reader| Interest {
            handle: Some(reader.socket.handle()).filter(|_| reads || !reader.output().is_empty()),
            read: reads,
            write: !reader.output().is_empty(),
        });
        [Interest::read(Some(self.listener.handle())), reader]
    }

    /// When somebody that was turned away has to be looked at.
    pub fn poll_at(&self) -> Option<Instant> {
        self.turned_away.iter().map(|(_, until)| *until).min()
    }
}

impl Reader {
    fn new(socket: Socket, rfc2217: bool) -> Self {
        Self {
            socket,
            server: rfc2217.then(Server::default),
            settings: Server::default().settings(),
            raw: VecDeque::new(),
            output: Vec::new(),
            broke: false,
            modem_lines: None,
            gone: false,
        }
    }

    fn output(&self) -> &[u8] {
        self.server.as_ref().map_or(&self.output, Server::output)
    }

    fn read(&mut self, buffer: &mut [u8]) -> Seen {
        self.flush();
        let length = self.take(buffer);
        if length > 0 {
            return Seen::Bytes(length);
        }
        let mut received = [0; 4096];
        match self.socket.read(&mut received) {
            Ok(0) => self.gone = true,
            Ok(length) => match &mut self.server {
                Some(server) => server.receive(&received[..length]),
                None => self.raw.extend(&received[..length]),
            },
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            Err(_) => self.gone = true,
        }
        self.flush();
        match self.take(buffer) {
            0 if self.gone => Seen::NobodyThere,
            0 => Seen::Nothing,
            length => Seen::Bytes(length),
        }
    }

    /// Takes data up to the next change of settings, which is in force after the call.
    fn take(&mut self, buffer: &mut [u8]) -> usize {
        let Some(server) = &mut self.server else {
            let length = self.raw.len().min(buffer.len());
            buffer.iter_mut().zip(self.raw.drain(..length)).for_each(|(to, byte)| *to = byte);
            return length;
        };
        while let Some(event) = server.happened() {
            match event {
                Event::Data(data) => {
                    let length = data.len().min(buffer.len());
                    buffer[..length].copy_from_slice(&data[..length]);
                    if self.settings.framing == Framing::SevenEven {
                        // The port adds the parity bit.
                        buffer[..length].iter_mut().for_each(|byte| *byte = parity::with_even(*byte));
                    }
                    server.put_back(&data[length..]);
                    return length;
                }
                Event::Set(settings) => self.settings = settings,
                Event::Break => self.broke = true,
                Event::ModemLines(dtr, rts) => self.modem_lines = Some((dtr, rts)),
            }
        }
        0
    }

    fn write(&mut self, bytes: &[u8]) {
        match &mut self.server {
            Some(server) if self.settings.framing == Framing::SevenEven => {
                // A port at 7E1 keeps the parity bit to itself; a character with a wrong one is read as NUL.
                let seen = |&byte: &u8| if parity::is_even(byte) { parity::strip(byte) } else { 0 };
                server.send(&bytes.iter().map(seen).collect::<Vec<u8>>());
            }
            Some(server) => server.send(bytes),
            None => self.output.extend_from_slice(bytes),
        }
        self.flush();
    }

    fn flush(&mut self) {
        while !self.output().is_empty() {
            let output = self.server.as_ref().map_or(&self.output[..], Server::output);
            match self.socket.write(output) {
                Ok(length) => match &mut self.server {
                    Some(server) => server.sent(length),
                    None => drop(self.output.drain(..length)),
                },
                Err(error)
                    if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) =>
                {
                    return;
                }
                Err(_) => {
                    self.gone = true;
                    self.output.clear();
                    return;
                }
            }
        }
    }
}
