//! The head's echo: optical heads return what the reader sends, at once or a character late, with parity bits or
//! without, glued to the meter's answer or broken off.
//!
//! An identification opens with the same `/` as a request, so a match counts only from its second character on; one
//! that breaks off before is given back.

use crate::protocol::parity;

/// Matched characters from which on a match is an echo.
const CERTAIN: usize = 2;

/// Takes the echo of one sent message out of a stream of received characters.
#[derive(Clone, Debug)]
pub(super) struct EchoFilter {
    sent: Vec<u8>,
    matched: usize,
    /// What came as the first character of a match that may still break off.
    held: Option<u8>,
    heard: bool,
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
        Self { sent: sent.to_vec(), matched: 0, held: None, heard: false }
    }

    /// Whether an echo was heard, whole or in part.
    pub(super) fn heard(&self) -> bool {
        self.heard
    }

    /// How many characters of an echo that was heard are still to come.
    pub(super) fn missing(&self) -> usize {
        if self.heard { self.sent.len() - self.matched } else { 0 }
    }

    /// Sifts one received character.
    pub(super) fn sift(&mut self, byte: u8) -> Sifted {
        if self.sent.get(self.matched).is_some_and(|&sent| sent == byte || sent == parity::strip(byte)) {
            self.matched += 1;
            if self.matched < CERTAIN {
                self.held = Some(byte);
            } else {
                self.held = None;
                self.heard = true;
            }
            return Sifted::Nothing;
        }
        match self.held.take() {
            Some(first) => {
                self.matched = 0;
                match self.sift(byte) {
                    Sifted::Nothing => Sifted::One(first),
                    _ => Sifted::Two(first, byte),
                }
            }
            // Broken off in the middle, or complete: all that follows is the meter's, whatever it looks like.
            None => {
                if self.matched >= CERTAIN {
                    self.matched = self.sent.len();
                }
                Sifted::One(byte)
            }
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

    fn sift(sent: &[u8], received: &[u8]) -> (Vec<u8>, bool) {
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
        (rest, filter.heard())
    }

    #[test]
    fn an_echo_is_taken_out_in_every_form() {
        let request = b"/?!\r\n";
        assert_eq!(sift(request, b"/?!\r\n/ISK5"), (b"/ISK5".to_vec(), true));
        assert_eq!(sift(request, b"\xAF?!\x8D\n/ISK5"), (b"/ISK5".to_vec(), true));
        assert_eq!(sift(request, b"\x00/?!\r\n/ISK5"), (b"\x00/ISK5".to_vec(), true));
        assert_eq!(sift(request, b"/?/ISK5"), (b"/ISK5".to_vec(), true));
        assert_eq!(sift(request, b"//?!\r\n/ISK5"), (b"//ISK5".to_vec(), true));
    }

    #[test]
    fn an_identification_is_no_echo() {
        assert_eq!(sift(b"/?!\r\n", b"/ISK5\\2"), (b"/ISK5\\2".to_vec(), false));
        assert_eq!(sift(b"/?!\r\n", b"/"), (b"/".to_vec(), false));
    }

    #[test]
    fn an_echo_that_broke_off_takes_nothing_from_an_answer_like_it() {
        let acknowledgement = b"\x06252\r\n";
        let cut = [&acknowledgement[..5], b"\x00", acknowledgement].concat();
        assert_eq!(sift(acknowledgement, &cut), ([b"\x00", &acknowledgement[..]].concat(), true));
    }

    #[test]
    fn a_second_copy_is_not_an_echo() {
        let acknowledgement = b"\x06252\r\n";
        let twice = [&acknowledgement[..], &acknowledgement[..]].concat();
        assert_eq!(sift(acknowledgement, &twice), (acknowledgement.to_vec(), true));
    }
}
