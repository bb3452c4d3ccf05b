//! The side of RFC 2217 that has the port: what a virtual meter on the network speaks. Pure, as [`super::client`] is.

use std::collections::VecDeque;

use super::comport::{Command, EVEN, From, NO_PARITY, control};
use super::telnet::{self, Decoder, Item};
use crate::protocol::settings::Settings;

/// The rate of a port that nobody has set, in Bd.
const DEFAULT_RATE: u32 = 9600;

/// What a client did, in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// It sent this.
    Data(Vec<u8>),
    /// It has set the port to this.
    Set(Settings),
    /// It has begun a BREAK.
    Break,
    /// It has set DTR and RTS to these levels.
    ModemLines(bool, bool),
}

/// A serial server with one port, for one client.
#[derive(Debug)]
pub struct Server {
    decoder: Decoder,
    options: telnet::Options,
    output: Vec<u8>,
    events: VecDeque<Event>,
    rate: u32,
    bits: u8,
    parity: u8,
    modem_lines: (bool, bool),
}

impl Default for Server {
    fn default() -> Self {
        Self {
            decoder: Decoder::default(),
            options: telnet::Options::default(),
            output: Vec::new(),
            events: VecDeque::new(),
            rate: DEFAULT_RATE,
            bits: 8,
            parity: NO_PARITY,
            modem_lines: (true, true),
        }
    }
}

impl Server {
    /// What the port is set to; a framing other than 7E1 counts as 8N1.
    pub fn settings(&self) -> Settings {
        if (self.bits, self.parity) == (7, EVEN) {
            Settings::seven_even(self.rate)
        } else {
            Settings::eight_none(self.rate)
        }
    }

    /// Takes what came from the client.
    pub fn receive(&mut self, mut bytes: &[u8]) {
        while let Some(item) = self.decoder.next(&mut bytes) {
            match item {
                Item::Data(data) => match self.events.back_mut() {
                    Some(Event::Data(last)) => last.extend_from_slice(data),
                    _ => self.events.push_back(Event::Data(data.to_vec())),
                },
                Item::Negotiation(verb, option) => self.options.negotiate(verb, option, &mut self.output),
                Item::Subnegotiation(content) => {
                    if let Some((From::Client, command)) = Command::read(&content) {
                        self.carry_out(command);
                    }
                }
            }
        }
    }

    /// Carries a command out and answers what is in force then; 0 is a question.
    fn carry_out(&mut self, command: Command) {
        let before = (self.settings(), self.modem_lines);
        let answer = match command {
            Command::BaudRate(rate) => {
                self.rate = if rate == 0 { self.rate } else { rate };
                Command::BaudRate(self.rate)
            }
            Command::DataSize(bits) => {
                self.bits = if matches!(bits, 7 | 8) { bits } else { self.bits };
                Command::DataSize(self.bits)
            }
            Command::Parity(parity) => {
                self.parity = if matches!(parity, NO_PARITY | EVEN) { parity } else { self.parity };
                Command::Parity(self.parity)
            }
            Command::StopSize(_) => Command::StopSize(1),
            Command::Control(value) => {
                match value {
                    control::BREAK_ON => self.events.push_back(Event::Break),
                    control::DTR_ON | control::DTR_OFF => self.modem_lines.0 = value == control::DTR_ON,
                    control::RTS_ON | control::RTS_OFF => self.modem_lines.1 = value == control::RTS_ON,
                    _ => {}
                }
                Command::Control(value)
            }
            // Nothing is ever held back here, nothing is buffered, and nobody has to know more.
            Command::Purge(_) | Command::Signature => command,
            Command::Suspend | Command::Resume | Command::Other(_) => return,
        };
        answer.write(From::Server, &mut self.output);
        if self.settings() != before.0 {
            self.events.push_back(Event::Set(self.settings()));
        }
        if self.modem_lines != before.1 {
            self.events.push_back(Event::ModemLines(self.modem_lines.0, self.modem_lines.1));
        }
    }

    /// Takes what the client did next.
    pub fn happened(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Gives data back that could not be taken.
    pub fn put_back(&mut self, data: &[u8]) {
        if !data.is_empty() {
            self.events.push_front(Event::Data(data.to_vec()));
        }
    }

    /// Hands over data of the port for the client.
    pub fn send(&mut self, data: &[u8]) {
        telnet::escape(data, &mut self.output);
    }

    /// What is to be sent to the client.
    pub fn output(&self) -> &[u8] {
        &self.output
    }

    /// That many bytes of the output have been sent.
    pub fn sent(&mut self, length: usize) {
        self.output.drain(..length);
    }
}

#[cfg(test)]
mod tests {
    use super::super::client::{Client, ComPort};
    use super::*;

    /// Lets both sides talk until neither has more to say, in pieces of one byte.
    fn converse(client: &mut Client, server: &mut Server) {
        while !client.output().is_empty() || !server.output().is_empty() {
            if let Some(&byte) = client.output().first() {
                client.sent(1);
                server.receive(&[byte]);
            }
            if let Some(&byte) = server.output().first() {
                server.sent(1);
                client.receive(&[byte]);
            }
        }
    }

    #[test]
    fn a_client_and_a_server_come_to_terms() {
        let (mut client, mut server) = (Client::new(), Server::default());
        converse(&mut client, &mut server);
        assert_eq!(client.com_port(), ComPort::Agreed);
        client.ask();
        client.set(Settings::seven_even(300));
        client.control(control::DTR_OFF);
        client.send(b"/?!\r\n\xFF");
        client.ask();
        converse(&mut client, &mut server);
        assert_eq!((client.first_rate(), client.questions_answered()), (Some(DEFAULT_RATE), 2));
        assert!(client.has_seven_even() && client.other_rate().is_none());
        let events: Vec<Event> = std::iter::from_fn(|| server.happened()).collect();
        assert_eq!(
            events,
            [
                Event::Set(Settings::eight_none(300)),
                Event::Set(Settings::seven_even(300)),
                Event::ModemLines(false, true),
                Event::Data(b"/?!\r\n\xFF".to_vec()),
            ]
        );
        client.control(control::BREAK_ON);
        client.control(control::BREAK_OFF);
        converse(&mut client, &mut server);
        assert_eq!(server.happened(), Some(Event::Break));
        assert_eq!(server.happened(), None);
    }
}
