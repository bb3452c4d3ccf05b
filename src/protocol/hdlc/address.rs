//! Who talks to whom in HDLC (IEC 62056-46, clause 6.4.2): a reader has a number, a meter has a logical device and a
//! physical station, in an address field of one, two or four bytes.
//!
//! A meter hears only the length that it was built for, so the length is a part of what a user names.

use std::fmt;
use std::str::FromStr;

use super::{control, frame};

/// The largest part of an address in two or four bytes, and the broadcast of four: all logical devices, or all stations.
const ALL: u16 = 0x3FFF;

/// The largest part of an address in one or two bytes, and their broadcast.
const ALL_SHORT: u16 = 0x7F;

/// Who talks to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// The reader: 1 to 127.
    pub client: u8,
    /// The meter.
    pub server: Server,
}

impl Default for Addresses {
    /// Client 16 (public), server 1 (the management device).
    fn default() -> Self {
        Self { client: 16, server: Server { logical: 1, physical: 0, length: Length::One } }
    }
}

/// The address of a meter. As text it is `N` or `LOGICAL/PHYSICAL`, with `:1`, `:2` or `:4` behind it for its length in
/// bytes where that is not the shortest: `1`, `1/17`, `1/17:4`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Server {
    /// The logical device: up to 127, and up to 16383 in four bytes.
    logical: u16,
    /// The station, with the same limits; 0, no station, in one byte.
    physical: u16,
    length: Length,
}

/// Bytes of a server's address field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Length {
    One,
    Two,
    Four,
}

/// A text that is no address of a meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a number from 1 to 127, or LOGICAL/PHYSICAL from 0 to 16383 each, as `1/17`; behind it `:1`, `:2` or `:4` for a \
     length in bytes that is not the shortest, as `1/17:4`"
)]
pub struct NoServer;

impl Server {
    /// Every meter on the line: `FE FE FE FF`.
    pub const ALL_STATIONS: Self = Self { logical: ALL, physical: ALL, length: Length::Four };

    /// Reads an address field; none where it has a length that a server's field cannot have.
    pub fn from_field(field: &[u8]) -> Option<Self> {
        let part = |high: u8, low: u8| u16::from(high >> 1) << 7 | u16::from(low >> 1);
        let (logical, physical, length) = match *field {
            [one] => (part(0, one), 0, Length::One),
            [logical, physical] => (part(0, logical), part(0, physical), Length::Two),
            [upper, logical, lower, physical] => (part(upper, logical), part(lower, physical), Length::Four),
            _ => return None,
        };
        Some(Self { logical, physical, length })
    }

    /// Its address field: seven bits a byte, the last byte odd.
    pub fn field(self) -> Vec<u8> {
        let (high, low) = (|part: u16| (part >> 7 << 1) as u8, |part: u16| ((part & 0x7F) << 1) as u8);
        match self.length {
            Length::One => vec![low(self.logical) | 1],
            Length::Two => vec![low(self.logical), low(self.physical) | 1],
            Length::Four => {
                vec![high(self.logical), low(self.logical), high(self.physical), low(self.physical) | 1]
            }
        }
    }

    /// Whether a frame to this address may be answered by `other`: it is the same one, whatever the length of its
    /// field, or this one is a broadcast in the parts in which they differ.
    pub fn covers(self, other: Self) -> bool {
        let all = if self.length == Length::Four { ALL } else { ALL_SHORT };
        let is_for = |asked: u16, own: u16| asked == all || asked == own;
        let everybody = self.length == Length::One && self.logical == all;
        everybody || (is_for(self.logical, other.logical) && is_for(self.physical, other.physical))
    }

    /// Whether it addresses more than one meter, whose answers can collide.
    pub fn is_broadcast(self) -> bool {
        let all = if self.length == Length::Four { ALL } else { ALL_SHORT };
        self.physical == all || (self.length == Length::One && self.logical == all)
    }

    /// The fewest bytes that this address fits into.
    fn shortest(logical: u16, physical: Option<u16>) -> Length {
        match physical {
            None if logical <= ALL_SHORT => Length::One,
            Some(physical) if logical <= ALL_SHORT && physical <= ALL_SHORT => Length::Two,
            _ => Length::Four,
        }
    }
}

impl FromStr for Server {
    type Err = NoServer;

    fn from_str(text: &str) -> Result<Self, NoServer> {
        let part = |text: &str| text.parse().ok().filter(|&part: &u16| part <= ALL).ok_or(NoServer);
        let (numbers, length) = match text.split_once(':') {
            None => (text, None),
            Some((numbers, "1")) => (numbers, Some(Length::One)),
            Some((numbers, "2")) => (numbers, Some(Length::Two)),
            Some((numbers, "4")) => (numbers, Some(Length::Four)),
            Some(_) => return Err(NoServer),
        };
        let (logical, physical) = match numbers.split_once('/') {
            Some((logical, physical)) => (part(logical)?, Some(part(physical)?)),
            None => (part(numbers)?, None),
        };
        let shortest = Self::shortest(logical, physical);
        let length = length.unwrap_or(shortest);
        if length < shortest || (physical.is_none() && !(1..=ALL_SHORT).contains(&logical)) {
            return Err(NoServer);
        }
        Ok(Self { logical, physical: physical.unwrap_or(0), length })
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { logical, physical, length } = *self;
        match length {
            Length::One => write!(f, "{logical}"),
            Length::Two => write!(f, "{logical}/{physical}"),
            Length::Four if Self::shortest(logical, Some(physical)) == Length::Four => {
                write!(f, "{logical}/{physical}")
            }
            Length::Four => write!(f, "{logical}/{physical}:4"),
        }
    }
}

/// The address field of a reader.
pub(super) fn client_field(client: u8) -> [u8; 1] {
    [client << 1 | 1]
}

impl Addresses {
    /// SNRM without parameters: opens the link.
    pub fn snrm(self) -> Vec<u8> {
        frame(&self.server.field(), &client_field(self.client), control::SNRM, &[])
    }

    /// DISC: closes it.
    pub fn disc(self) -> Vec<u8> {
        frame(&self.server.field(), &client_field(self.client), control::DISC, &[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::hdlc::{DISC, SNRM, find, unnumbered_acknowledgement};

    fn server(text: &str) -> Server {
        text.parse().unwrap()
    }

    #[test]
    fn frames_are_made_for_every_address() {
        assert_eq!(Addresses::default().snrm(), SNRM);
        assert_eq!(Addresses::default().disc(), DISC);
        for (text, field) in [
            ("1", &[0x03][..]),
            ("127", &[0xFF]),
            ("1/17", &[0x02, 0x23]),
            ("1/0", &[0x02, 0x01]),
            ("1/17:4", &[0x00, 0x02, 0x00, 0x23]),
            ("1/8191", &[0x00, 0x02, 0x7E, 0xFF]),
            ("16383/16383", &[0xFE, 0xFE, 0xFE, 0xFF]),
        ] {
            let addresses = Addresses { client: 1, server: server(text) };
            assert_eq!(addresses.server.to_string(), text);
            assert_eq!(Server::from_field(field), Some(addresses.server));
            let snrm = addresses.snrm();
            let found = find(&snrm).unwrap();
            assert_eq!((found.addresses, found.end), ((field, &[0x03][..]), snrm.len()), "{text}");
        }
        assert_eq!(server("16383/16383"), Server::ALL_STATIONS);
    }

    #[test]
    fn an_address_reads_as_it_is_shown() {
        for (typed, shown) in [("1:1", "1"), ("1/17:2", "1/17"), ("1:2", "1/0"), ("1:4", "1/0:4")] {
            assert_eq!(server(typed).to_string(), shown);
        }
        for bytes in [1, 2, 4] {
            for seed in 0..4000_u32 {
                let mut field = (seed.wrapping_mul(2_654_435_761) & 0xFEFE_FEFE).to_be_bytes();
                field[bytes - 1] |= 1;
                let read = Server::from_field(&field[..bytes]).unwrap();
                assert_eq!(read.field(), &field[..bytes]);
                if read.to_string() != "0" {
                    assert_eq!(server(&read.to_string()), read);
                }
            }
        }
        assert_eq!(Server::from_field(&[2, 2, 3]), None);
        for wrong in [
            "", "0", "128", "-1", "1/", "/1", "1/16384", "1/2/3", "x", "1:", "1:3", "1/17:1", "1/128:2",
            "200/1:2", "0:4", "1/17:44", "1:4/17",
        ] {
            assert_eq!(wrong.parse::<Server>(), Err(NoServer), "{wrong}");
        }
    }

    #[test]
    fn an_answer_comes_from_the_server_asked_or_to_a_broadcast_from_anybody() {
        let covers = |asked, other| server(asked).covers(server(other));
        assert!(covers("1", "1") && covers("1/17", "1/17:4") && covers("1", "1/0"));
        assert!(!covers("1", "2") && !covers("1/17", "1/18") && !covers("1", "1/17"));
        for other in ["1", "1/17", "1/17:4", "16/8191"] {
            assert!(covers("16383/16383", other) && covers("127", other), "{other}");
            assert!(!covers(other, "16383/16383"), "{other}");
        }
        assert!(covers("1/127", "1/17") && !covers("1/127", "2/17"));
        let of = |text: &str| server(text).is_broadcast();
        assert!(of("127") && of("1/127") && of("1/16383") && of("16383/16383"));
        assert!(!of("1") && !of("127/1") && !of("1/127:4"));
    }

    #[test]
    fn a_frame_says_who_has_sent_it_and_to_whom() {
        let addresses = Addresses { client: 16, server: server("1/17:4") };
        let snrm = addresses.snrm();
        let ua = unnumbered_acknowledgement(&find(&snrm).unwrap(), &[]);
        let ua = find(&ua).unwrap();
        assert_eq!(ua.server_to(16), Some(addresses.server));
        assert_eq!(ua.server_to(1), None);
        assert_eq!(find(&snrm).unwrap().server_to(16), None, "our own echo");
    }
}
