//! The head's echo: optical heads return what the reader sends, at once or late, once or twice, with parity bits or
//! without, glued to the meter's answer or broken off.
//!
//! An identification opens with the same `/` as a request, so a match counts only from its second character on; one
//! that breaks off before is given back. What the echo of a request has shown, [`Head`], tells which copies of our
//! acknowledgement can be echoes: nobody else sends a request, but a meter does send the acknowledgement back.

use std::time::Duration;

use crate::protocol::parity;

/// Matched characters from which on a match is an echo.
const CERTAIN: usize = 2;

/// Copies of a message that a head returns at most.
const COPIES_MAX: usize = 3;

/// The last characters of a message that show an echo whose beginning was damaged.
const END: usize = 3;

/// What the echo of a request has shown about the head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// How many copies of a message it returns; 0 where it returns none.
    pub(super) copies: usize,
    /// From the last bit of a message to the last character of its echo.
    pub(super) late: Duration,
}

impl Head {
    /// Whether it returns what we send.
    pub(super) fn echoes(self) -> bool {
        self.copies > 0
    }

    /// What an earlier and this later message have shown together.
    pub(super) fn and(self, later: Self) -> Self {
        Self { copies: self.copies.max(later.copies), late: self.late.max(later.late) }
    }
}

/// Takes the echo of one sent message out of a stream of received characters.
#[derive(Clone, Debug)]
pub(super) struct EchoFilter {
    sent: Vec<u8>,
    matched: usize,
    /// What came as the first character of a match that may still break off.
    held: Option<u8>,
    copies: usize,
    /// The last characters received, parity bits taken off.
    recent: [u8; END],
}

/// What a character turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sifted {
    /// Echo, or not yet known.
    Nothing,
    /// Not echo: pass it on.
    One(u8),
    /// Nor was the one before it.
    Two(u8, u8),
}

impl EchoFilter {
    /// A filter for the echo of `sent`, as it was given to the line: parity bits may come on top.
    pub(super) fn new(sent: &[u8]) -> Self {
        Self { sent: sent.to_vec(), matched: 0, held: None, copies: 0, recent: [0; END] }
    }

    /// How many copies have been heard, whole or in part.
    pub(super) fn copies(&self) -> usize {
        self.copies
    }

    /// How many characters of the message the current copy has, while it is certainly one; all of them after the last.
    pub(super) fn returned(&self) -> Option<usize> {
        match self.matched {
            0 if self.copies > 0 => Some(self.sent.len()),
            matched => (matched >= self.certain()).then_some(matched),
        }
    }

    fn certain(&self) -> usize {
        CERTAIN.min(self.sent.len())
    }

    /// Sifts one received character.
    pub(super) fn sift(&mut self, byte: u8) -> Sifted {
        self.recent.rotate_left(1);
        self.recent[END - 1] = parity::strip(byte);
        let sifted = self.compare(byte);
        if self.copies == 0 && self.sent.len() > END && self.sent.ends_with(&self.recent) {
            self.copies = 1;
        }
        sifted
    }

    fn compare(&mut self, byte: u8) -> Sifted {
        if self.sent.get(self.matched).is_some_and(|&sent| sent == byte || sent == parity::strip(byte)) {
            self.matched += 1;
            if self.matched == self.certain() {
                self.copies += 1;
            }
            self.held = (self.matched < self.certain()).then_some(byte);
            if self.matched == self.sent.len() && self.copies < COPIES_MAX {
                self.matched = 0;
            }
            return Sifted::Nothing;
        }
        match self.held.take() {
            Some(first) => {
                self.matched = 0;
                match self.compare(byte) {
                    Sifted::Nothing => Sifted::One(first),
                    _ => Sifted::Two(first, byte),
                }
            }
            // Broken off in the middle: another copy can begin, but no part of this one.
            None if self.matched > 0 && self.copies < COPIES_MAX => {
                self.matched = 0;
                self.compare(byte)
            }
            None => Sifted::One(byte),
        }
    }

    /// Whether a character is held back that may be the meter's.
    pub(super) fn is_undecided(&self) -> bool {
        self.held.is_some()
    }

    /// Gives back what is still undecided: no more is to come.
    pub(super) fn release(&mut self) -> Option<u8> {
        self.held.take().inspect(|_| self.matched = 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sift(sent: &[u8], received: &[u8]) -> (Vec<u8>, usize) {
        let mut filter = EchoFilter::new(sent);
        let mut rest = Vec::new();
        for &byte in received {
            match filter.sift(byte) {
                Sifted::Nothing => {}
                Sifted::One(byte) => rest.push(byte),
                Sifted::Two(first, second) => rest.extend([first, second]),
            }
        }
        rest.extend(filter.release());
        (rest, filter.copies())
    }

    #[test]
    fn an_echo_is_taken_out_in_every_form() {
        let request = b"/?!\r\n";
        assert_eq!(sift(request, b"/?!\r\n/ISK5"), (b"/ISK5".to_vec(), 1));
        assert_eq!(sift(request, b"\xAF?!\x8D\n/ISK5"), (b"/ISK5".to_vec(), 1));
        assert_eq!(sift(request, b"\x00/?!\r\n/ISK5"), (b"\x00/ISK5".to_vec(), 1));
        assert_eq!(sift(request, b"/?/ISK5"), (b"/ISK5".to_vec(), 1));
        assert_eq!(sift(request, b"//?!\r\n/ISK5"), (b"//ISK5".to_vec(), 1));
        assert_eq!(sift(request, b"/?!\r\n/?!\r\n/ISK5"), (b"/ISK5".to_vec(), 2));
        assert_eq!(sift(request, b"/IS/?!\r\nK5"), (b"/ISK5".to_vec(), 1));
    }

    #[test]
    fn an_identification_is_no_echo() {
        assert_eq!(sift(b"/?!\r\n", b"/ISK5\\2"), (b"/ISK5\\2".to_vec(), 0));
        assert_eq!(sift(b"/?!\r\n", b"/"), (b"/".to_vec(), 0));
    }

    #[test]
    fn an_echo_with_one_character_lost_or_damaged_is_known() {
        let request = b"/?!\r\n";
        for place in 0..request.len() {
            let mut lost = request.to_vec();
            lost.remove(place);
            let mut damaged = request.to_vec();
            damaged[place] ^= 0x10;
            for echo in [lost, damaged] {
                assert_eq!(sift(request, &[&echo[..], b"/ISK5"].concat()).1, 1, "{echo:x?}");
            }
        }
    }

    #[test]
    fn a_break_comes_back_as_a_nul() {
        assert_eq!(sift(&[0], b"\x00/ISK5"), (b"/ISK5".to_vec(), 1));
        assert_eq!(sift(&[], b"/ISK5"), (b"/ISK5".to_vec(), 0));
    }
}
