//! The side of RFC 2217 that asks: a pure state machine between a line and a connection.
//!
//! Bytes of the network go in with [`Client::receive`] and come out of [`Client::output`]; bytes of the line go in with
//! [`Client::send`] and come out of [`Client::take`]. It keeps what was asked for beside what the server answered, so that
//! whoever owns the clock can tell what the server's port is set to, and which characters it has.

use std::collections::VecDeque;

use super::comport::{self, Command, EVEN, From};
use super::telnet::{self, BINARY, COM_PORT, Decoder, Item, SUPPRESS_GO_AHEAD, Verb};
use crate::protocol::baud;
use crate::protocol::settings::{Framing, Settings};

/// Requests without an answer that are remembered. A server that never answers is not waited for longer for it.
const UNANSWERED_MAX: usize = 32;

/// Whether the server controls its port for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComPort {
    /// It has not said yet.
    Asked,
    /// It does.
    Agreed,
    /// It does not.
    Refused,
    /// It sends our own commands back: a raw port, with something behind it that echoes.
    Echoes,
}

/// What the server says that its port is set to, as far as it has said anything since it was asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answered {
    /// The rate in Bd.
    pub rate: Option<u32>,
    /// The number of data bits.
    pub bits: Option<u8>,
    /// The parity, as SET-PARITY has it.
    pub parity: Option<u8>,
}

/// The client.
#[derive(Debug)]
pub struct Client {
    decoder: Decoder,
    options: telnet::Options,
    output: Vec<u8>,
    inward: VecDeque<u8>,
    /// What the port was last asked to be.
    wanted: Option<Settings>,
    /// Rates that were asked for and not answered; 0 is a question. Answers come in the order of the requests, and one
    /// that is taken for an older request than it answers proves more than it has to.
    rates: VecDeque<u32>,
    bits_unanswered: u32,
    parity_unanswered: u32,
    answered: Answered,
    /// The rate that the first answer names: the one before we came.
    first_rate: Option<u32>,
    /// Questions for the rate, and those of them that have been answered.
    questions: u64,
    questions_answered: u64,
    suspended: bool,
    echoes: bool,
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

impl Client {
    /// A client that speaks first: some servers take a connection for a raw one unless it begins with a negotiation.
    pub fn new() -> Self {
        let mut client = Self {
            decoder: Decoder::default(),
            options: telnet::Options::default(),
            output: Vec::new(),
            inward: VecDeque::new(),
            wanted: None,
            rates: VecDeque::new(),
            bits_unanswered: 0,
            parity_unanswered: 0,
            answered: Answered::default(),
            first_rate: None,
            questions: 0,
            questions_answered: 0,
            suspended: false,
            echoes: false,
        };
        for (verb, option) in [
            (Verb::Will, COM_PORT),
            (Verb::Will, BINARY),
            (Verb::Do, BINARY),
            (Verb::Will, SUPPRESS_GO_AHEAD),
            (Verb::Do, SUPPRESS_GO_AHEAD),
        ] {
            client.options.open(verb, option, &mut client.output);
        }
        client
    }

    /// Whether the server controls its port for us.
    pub fn com_port(&self) -> ComPort {
        match () {
            () if self.echoes => ComPort::Echoes,
            () if self.options.refused(COM_PORT) => ComPort::Refused,
            () if self.options.ours(COM_PORT) || self.options.theirs(COM_PORT) => ComPort::Agreed,
            () => ComPort::Asked,
        }
    }

    /// What the port was last asked to be.
    pub fn wanted(&self) -> Option<Settings> {
        self.wanted
    }

    /// Asks for a rate and a framing.
    pub fn set(&mut self, settings: Settings) {
        self.wanted = Some(settings);
        self.answered = Answered::default();
        self.ask_rate(settings.baud);
        self.bits_unanswered = self.bits_unanswered.saturating_add(1);
        self.parity_unanswered = self.parity_unanswered.saturating_add(1);
        for command in comport::settings(settings) {
            command.write(From::Client, &mut self.output);
        }
    }

    /// Asks what the rate is: behind data, the answer says that the server has all of it. The number of the question,
    /// from 1.
    pub fn ask(&mut self) -> u64 {
        self.ask_rate(0);
        Command::BaudRate(0).write(From::Client, &mut self.output);
        self.questions += 1;
        self.questions
    }

    fn ask_rate(&mut self, rate: u32) {
        if self.rates.len() == UNANSWERED_MAX {
            self.rates.pop_front();
        }
        self.rates.push_back(rate);
    }

    /// Questions for the rate that have been answered.
    pub fn questions_answered(&self) -> u64 {
        self.questions_answered
    }

    /// Sets DTR, RTS, BREAK or flow control; nobody waits for the answer, which many servers do not give.
    pub fn control(&mut self, value: u8) {
        Command::Control(value).write(From::Client, &mut self.output);
    }

    /// Hands over data for the port.
    pub fn send(&mut self, data: &[u8]) {
        telnet::escape(data, &mut self.output);
    }

    /// Whether the server wants no data for now.
    pub fn is_suspended(&self) -> bool {
        self.suspended
    }

    /// What is to be sent to the server.
    pub fn output(&self) -> &[u8] {
        &self.output
    }

    /// That many bytes of the output have been sent.
    pub fn sent(&mut self, length: usize) {
        self.output.drain(..length);
    }

    /// Data from the port that has not been taken yet.
    pub fn received(&self) -> &VecDeque<u8> {
        &self.inward
    }

    /// Takes data from the port; how many bytes.
    pub fn take(&mut self, buffer: &mut [u8]) -> usize {
        let length = buffer.len().min(self.inward.len());
        let (front, back) = self.inward.as_slices();
        let split = length.min(front.len());
        buffer[..split].copy_from_slice(&front[..split]);
        buffer[split..length].copy_from_slice(&back[..length - split]);
        self.inward.drain(..length);
        length
    }

    /// Forgets data from the port that nobody has asked for.
    pub fn discard(&mut self) {
        self.inward.clear();
    }

    /// Takes what came from the server.
    pub fn receive(&mut self, mut bytes: &[u8]) {
        while let Some(item) = self.decoder.next(&mut bytes) {
            match item {
                Item::Data(data) => self.inward.extend(data),
                Item::Negotiation(verb, option) => {
                    self.options.negotiate(verb, option, &mut self.output);
                }
                Item::Subnegotiation(content) => match Command::read(&content) {
                    Some((_, Command::Suspend)) => self.suspended = true,
                    Some((_, Command::Resume)) => self.suspended = false,
                    Some((From::Server, answer)) => self.answer(answer),
                    Some((From::Client, Command::BaudRate(_) | Command::DataSize(_))) => self.echoes = true,
                    _ => {}
                },
            }
        }
    }

    fn answer(&mut self, answer: Command) {
        match answer {
            Command::BaudRate(rate) => {
                let Some(asked) = self.rates.pop_front() else { return };
                self.first_rate.get_or_insert(rate);
                if asked == 0 {
                    self.questions_answered += 1;
                } else if self.rates.iter().all(|&later| later == 0) {
                    self.answered.rate = Some(rate);
                }
            }
            Command::DataSize(bits) if self.bits_unanswered > 0 => {
                self.bits_unanswered -= 1;
                self.answered.bits = (self.bits_unanswered == 0).then_some(bits);
            }
            Command::Parity(parity) if self.parity_unanswered > 0 => {
                self.parity_unanswered -= 1;
                self.answered.parity = (self.parity_unanswered == 0).then_some(parity);
            }
            _ => {}
        }
    }

    /// What the server has answered to the last request for settings.
    pub fn answered(&self) -> Answered {
        self.answered
    }

    /// The rate in Bd that the port had before we came, where the server told.
    pub fn first_rate(&self) -> Option<u32> {
        self.first_rate.filter(|&rate| rate > 0)
    }

    /// Whether the server has answered with another rate than the one asked for; that rate in Bd.
    pub fn other_rate(&self) -> Option<u32> {
        let wanted = self.wanted?.baud;
        self.answered.rate.filter(|&rate| rate == 0 || !baud::agree(wanted, rate))
    }

    /// Whether the server has answered that it keeps seven data bits where eight were asked for.
    pub fn lacks_eighth_bit(&self) -> bool {
        self.wanted.is_some_and(|wanted| wanted.framing == Framing::EightNone)
            && self.answered.bits == Some(7)
    }

    /// Whether the server has answered that its port is at 7E1.
    pub fn has_seven_even(&self) -> bool {
        self.answered.bits == Some(7) && self.answered.parity == Some(EVEN)
    }
}

#[cfg(test)]
mod tests;
