//! Telnet (RFC 854, RFC 855), as far as a serial server needs it: a pure codec for either side.
//!
//! Bytes go in as they come from the network, in pieces of any size; runs of data, negotiations and subnegotiations come
//! out. Nothing here grows with the input: a subnegotiation is kept up to 64 bytes, and each option is
//! answered once a direction, so that a peer that negotiates for ever is not answered for ever (the loop that RFC 1143
//! warns of).

/// Interpret as command.
pub const IAC: u8 = 255;

/// Bytes of a subnegotiation that are kept, the option's number included. A longer one is skipped.
const SUBNEGOTIATION_MAX: usize = 64;

const SB: u8 = 250;
const SE: u8 = 240;

/// Binary transmission (RFC 856).
pub const BINARY: u8 = 0;
/// Suppress go-ahead (RFC 858).
pub const SUPPRESS_GO_AHEAD: u8 = 3;
/// COM port control (RFC 2217).
pub const COM_PORT: u8 = 44;

/// What a negotiation says about an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// The sender has it, or wants to.
    Will,
    /// The sender does not have it.
    Wont,
    /// The sender asks the other side to have it.
    Do,
    /// The sender asks the other side not to have it.
    Dont,
}

impl Verb {
    fn of(byte: u8) -> Option<Self> {
        Some(match byte {
            251 => Self::Will,
            252 => Self::Wont,
            253 => Self::Do,
            254 => Self::Dont,
            _ => return None,
        })
    }

    fn byte(self) -> u8 {
        match self {
            Self::Will => 251,
            Self::Wont => 252,
            Self::Do => 253,
            Self::Dont => 254,
        }
    }
}

/// Whether bytes begin as a Telnet negotiation does.
pub fn begins_negotiation(bytes: &[u8]) -> bool {
    matches!(bytes, [IAC, verb, ..] if Verb::of(*verb).is_some())
}

/// What was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// Data, unescaped; never empty.
    Data(&'a [u8]),
    /// A negotiation of this option.
    Negotiation(Verb, u8),
    /// A subnegotiation, unescaped, from the option's number on.
    Subnegotiation(Vec<u8>),
}

/// Where in the grammar the next byte stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Data,
    /// Behind an IAC.
    Command,
    /// Behind an IAC and a verb.
    Option(Verb),
    /// In a subnegotiation.
    Inside,
    /// Behind an IAC in a subnegotiation.
    InsideCommand,
}

/// The way in.
#[derive(Debug, Default)]
pub struct Decoder {
    state: State,
    inside: Vec<u8>,
}

impl Decoder {
    /// Takes the next item off the front of `input`; `None` when `input` is used up.
    pub fn next<'a>(&mut self, input: &mut &'a [u8]) -> Option<Item<'a>> {
        while !input.is_empty() {
            if let Some(item) = self.step(input) {
                return Some(item);
            }
        }
        None
    }

    /// Takes one byte, or a whole run of data.
    fn step<'a>(&mut self, input: &mut &'a [u8]) -> Option<Item<'a>> {
        let run = match self.state {
            State::Data => input.iter().position(|&byte| byte == IAC).unwrap_or(input.len()),
            _ => 0,
        };
        let (taken, rest) = input.split_at(run.max(1));
        let byte = taken[0];
        *input = rest;
        match self.state {
            State::Data if run > 0 => return Some(Item::Data(taken)),
            State::Data => self.state = State::Command,
            State::Command => return self.command(taken),
            State::Option(verb) => {
                self.state = State::Data;
                return Some(Item::Negotiation(verb, byte));
            }
            State::Inside if byte == IAC => self.state = State::InsideCommand,
            State::Inside => self.keep(byte),
            State::InsideCommand if byte == IAC => {
                self.keep(IAC);
                self.state = State::Inside;
            }
            State::InsideCommand if byte == SE => {
                self.state = State::Data;
                let inside = std::mem::take(&mut self.inside);
                return Some(inside)
                    .filter(|inside| (1..=SUBNEGOTIATION_MAX).contains(&inside.len()))
                    .map(Item::Subnegotiation);
            }
            // Its end was lost; what follows is a command of its own.
            State::InsideCommand => return self.command(taken),
        }
        None
    }

    /// Takes the byte behind an IAC.
    fn command<'a>(&mut self, byte: &'a [u8]) -> Option<Item<'a>> {
        self.state = match byte[0] {
            SB => {
                self.inside.clear();
                State::Inside
            }
            other => Verb::of(other).map_or(State::Data, State::Option),
        };
        // The other commands (NOP, AYT, GA ..) mean nothing to a serial line.
        (byte[0] == IAC).then_some(Item::Data(byte))
    }

    fn keep(&mut self, byte: u8) {
        // One more than fits says that it was too long.
        if self.inside.len() <= SUBNEGOTIATION_MAX {
            self.inside.push(byte);
        }
    }
}

/// Appends data to `to`, escaped.
pub fn escape(data: &[u8], to: &mut Vec<u8>) {
    for run in data.split_inclusive(|&byte| byte == IAC) {
        to.extend_from_slice(run);
        if run.last() == Some(&IAC) {
            to.push(IAC);
        }
    }
}

/// Appends a subnegotiation to `to`: the option's number and what follows it.
pub fn subnegotiation(content: &[u8], to: &mut Vec<u8>) {
    to.extend([IAC, SB]);
    escape(content, to);
    to.extend([IAC, SE]);
}

/// A set of options; a bit each.
#[derive(Debug, Default)]
struct Set([u64; 4]);

impl Set {
    fn has(&self, option: u8) -> bool {
        self.0[usize::from(option / 64)] >> (option % 64) & 1 == 1
    }

    /// Adds an option; whether it was not there.
    fn add(&mut self, option: u8) -> bool {
        let new = !self.has(option);
        self.0[usize::from(option / 64)] |= 1 << (option % 64);
        new
    }
}

/// One direction of every option. An option goes on at most once, and off at most once.
#[derive(Debug, Default)]
struct Side {
    /// What we have offered, asked for, or answered.
    spoken: Set,
    /// What was agreed on.
    agreed: Set,
    /// What the peer has refused, or given up.
    closed: Set,
}

impl Side {
    fn is_on(&self, option: u8) -> bool {
        self.agreed.has(option) && !self.closed.has(option)
    }
}

/// The options of a connection. BINARY, SUPPRESS-GO-AHEAD and COM-PORT-OPTION are had, all others are refused.
#[derive(Debug, Default)]
pub struct Options {
    ours: Side,
    theirs: Side,
}

impl Options {
    /// Offers an option of ours, or asks for one of theirs, where nothing has been said about it yet.
    pub fn open(&mut self, verb: Verb, option: u8, to: &mut Vec<u8>) {
        let side = if verb == Verb::Will { &mut self.ours } else { &mut self.theirs };
        if side.spoken.add(option) {
            to.extend([IAC, verb.byte(), option]);
        }
    }

    /// Takes a negotiation of the peer's, and appends the answer to `to` where there is one.
    pub fn negotiate(&mut self, verb: Verb, option: u8, to: &mut Vec<u8>) {
        let known = matches!(option, BINARY | SUPPRESS_GO_AHEAD | COM_PORT);
        let (side, yes, no) = match verb {
            Verb::Do | Verb::Dont => (&mut self.ours, Verb::Will, Verb::Wont),
            Verb::Will | Verb::Wont => (&mut self.theirs, Verb::Do, Verb::Dont),
        };
        let first = side.spoken.add(option);
        let answer = match verb {
            Verb::Do | Verb::Will => {
                if known {
                    side.agreed.add(option);
                }
                first.then_some(if known { yes } else { no })
            }
            // A refusal of our own offer is the answer to it already.
            Verb::Dont | Verb::Wont => {
                let ends = side.closed.add(option) && side.agreed.has(option);
                (first || ends).then_some(no)
            }
        };
        to.extend(answer.into_iter().flat_map(|answer| [IAC, answer.byte(), option]));
    }

    /// Whether the peer lets us have this option.
    pub fn ours(&self, option: u8) -> bool {
        self.ours.is_on(option)
    }

    /// Whether the peer has this option.
    pub fn theirs(&self, option: u8) -> bool {
        self.theirs.is_on(option)
    }

    /// Whether the peer has refused to let us have this option.
    pub fn refused(&self, option: u8) -> bool {
        self.ours.closed.has(option)
    }
}

#[cfg(test)]
mod tests;
