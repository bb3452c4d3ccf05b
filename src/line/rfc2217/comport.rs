//! The commands of COM port control (RFC 2217) and their values, as both sides write and read them.

use super::telnet::{self, COM_PORT};
use crate::protocol::settings::{Framing, Settings};

/// What a server adds to the code of a command in its answer.
const ANSWER: u8 = 100;

/// SET-PARITY's value for even parity.
pub const EVEN: u8 = 3;

/// SET-PARITY's value for no parity.
pub const NO_PARITY: u8 = 1;

/// A command, or the answer to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Who are you?
    Signature,
    /// The rate in Bd; 0 is the question for it.
    BaudRate(u32),
    /// The number of data bits; 0 is the question for it.
    DataSize(u8),
    /// 1 is none, 2 odd, 3 even; 0 is the question for it.
    Parity(u8),
    /// 1 is one stop bit; 0 is the question for it.
    StopSize(u8),
    /// DTR, RTS, BREAK and flow control; see [`control`].
    Control(u8),
    /// Send no more data.
    Suspend,
    /// Send data again.
    Resume,
    /// Throw away what is buffered: 1 received, 2 to be sent, 3 both.
    Purge(u8),
    /// What has no meaning for a meter: notifications, their masks, and codes of somebody else's.
    Other(u8),
}

/// Values of [`Command::Control`].
pub mod control {
    /// No flow control in either direction.
    pub const NO_FLOW: u8 = 1;
    /// BREAK begins.
    pub const BREAK_ON: u8 = 5;
    /// BREAK ends.
    pub const BREAK_OFF: u8 = 6;
    /// DTR is raised.
    pub const DTR_ON: u8 = 8;
    /// DTR is dropped.
    pub const DTR_OFF: u8 = 9;
    /// RTS is raised.
    pub const RTS_ON: u8 = 11;
    /// RTS is dropped.
    pub const RTS_OFF: u8 = 12;
}

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// The side that asks.
    Client,
    /// The side with the port.
    Server,
}

impl Command {
    /// Appends the command to `to`, as `from` sends it.
    pub fn write(self, from: From, to: &mut Vec<u8>) {
        let (code, value) = match self {
            Self::Signature => (0, Vec::new()),
            Self::BaudRate(rate) => (1, rate.to_be_bytes().to_vec()),
            Self::DataSize(value) => (2, vec![value]),
            Self::Parity(value) => (3, vec![value]),
            Self::StopSize(value) => (4, vec![value]),
            Self::Control(value) => (5, vec![value]),
            Self::Suspend => (8, Vec::new()),
            Self::Resume => (9, Vec::new()),
            Self::Purge(value) => (12, vec![value]),
            Self::Other(code) => (code, Vec::new()),
        };
        let code = if from == From::Server { code.wrapping_add(ANSWER) } else { code };
        telnet::subnegotiation(&[&[COM_PORT, code], &value[..]].concat(), to);
    }

    /// Reads a subnegotiation; `None` where it is about another option, or no command. SUSPEND and RESUME have the same
    /// meaning with either code.
    pub fn read(content: &[u8]) -> Option<(From, Self)> {
        let [COM_PORT, code, value @ ..] = content else { return None };
        let (from, code) =
            if *code >= ANSWER { (From::Server, code - ANSWER) } else { (From::Client, *code) };
        // Some servers shorten a rate to the bytes that it needs.
        let number = value.iter().take(4).fold(0, |number, &byte| number << 8 | u32::from(byte));
        let small = value.first().copied().unwrap_or(0);
        let command = match code {
            0 => Self::Signature,
            1 => Self::BaudRate(number),
            2 => Self::DataSize(small),
            3 => Self::Parity(small),
            4 => Self::StopSize(small),
            5 => Self::Control(small),
            8 => Self::Suspend,
            9 => Self::Resume,
            12 => Self::Purge(small),
            other => Self::Other(other),
        };
        Some((from, command))
    }
}

/// The four commands that set a line: rate, data bits, parity, one stop bit.
pub fn settings(settings: Settings) -> [Command; 4] {
    let (bits, parity) = match settings.framing {
        Framing::SevenEven => (7, EVEN),
        Framing::EightNone => (8, NO_PARITY),
        Framing::EightEven => (8, EVEN),
    };
    [Command::BaudRate(settings.baud), Command::DataSize(bits), Command::Parity(parity), Command::StopSize(1)]
}

#[cfg(test)]
mod tests {
    use super::super::telnet::{Decoder, Item};
    use super::*;

    #[test]
    fn the_vectors_of_the_standard() {
        let cases: &[(Command, From, &[u8])] = &[
            (Command::BaudRate(300), From::Client, b"\xFF\xFA\x2C\x01\x00\x00\x01\x2C\xFF\xF0"),
            (Command::BaudRate(9600), From::Server, b"\xFF\xFA\x2C\x65\x00\x00\x25\x80\xFF\xF0"),
            // 0xFF in a value is doubled.
            (Command::BaudRate(0xFF), From::Client, b"\xFF\xFA\x2C\x01\x00\x00\x00\xFF\xFF\xFF\xF0"),
            (Command::DataSize(7), From::Client, b"\xFF\xFA\x2C\x02\x07\xFF\xF0"),
            (Command::Parity(EVEN), From::Server, b"\xFF\xFA\x2C\x67\x03\xFF\xF0"),
            (Command::Control(control::BREAK_ON), From::Client, b"\xFF\xFA\x2C\x05\x05\xFF\xF0"),
            (Command::Suspend, From::Server, b"\xFF\xFA\x2C\x6C\xFF\xF0"),
        ];
        for (command, from, bytes) in cases {
            let mut written = Vec::new();
            command.write(*from, &mut written);
            assert_eq!(written, *bytes, "{command:?}");
            let mut input = *bytes;
            let Some(Item::Subnegotiation(content)) = Decoder::default().next(&mut input) else { panic!() };
            assert_eq!(Command::read(&content), Some((*from, *command)));
        }
        assert_eq!(Command::read(&[24, 1]), None);
        assert_eq!(Command::read(&[44]), None);
        assert_eq!(Command::read(&[44, 107, 0x10]), Some((From::Server, Command::Other(7))));
        assert_eq!(Command::read(&[44, 101, 0x25, 0x80]), Some((From::Server, Command::BaudRate(9600))));
    }
}
