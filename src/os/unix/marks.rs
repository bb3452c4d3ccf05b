//! PARMRK: how a driver that computes parity marks the characters in which it was wrong.

use crate::protocol::parity;

/// PARMRK marks a character with wrong parity by these two before it, and doubles the first where it is data.
const MARK: u8 = 0xFF;

/// The marks read so far of a character that is still to come.
#[derive(Debug, Default)]
pub(super) struct Marks(Vec<u8>);

impl Marks {
    /// Turns marked characters, in place, into what an 8N1 receiver would see; how many there are.
    pub(super) fn remove(&mut self, bytes: &mut [u8]) -> usize {
        let mut length = 0;
        for at in 0..bytes.len() {
            if let Some(byte) = self.unmark(bytes[at]) {
                bytes[length] = byte;
                length += 1;
            }
        }
        length
    }

    /// Puts the driver's verdict on a 7E1 character back into bit 7.
    fn unmark(&mut self, byte: u8) -> Option<u8> {
        match (&self.0[..], byte) {
            ([], MARK) | ([MARK], 0) => {
                self.0.push(byte);
                None
            }
            ([], byte) => Some(parity::with_even(byte)),
            ([MARK, 0], byte) => {
                self.0.clear();
                Some(parity::with_even(byte) ^ 0x80)
            }
            (_, byte) => {
                self.0.clear();
                Some(parity::with_even(byte))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marked_characters_get_wrong_parity_and_others_right() {
        let mut marks = Marks::default();
        let mut read = [b'/', MARK, 0, b'I', b'S', MARK, MARK, MARK, 0, 0];
        let length = marks.remove(&mut read);
        assert_eq!(read[..length], [0xAF, parity::with_even(b'I') ^ 0x80, b'S', 0xFF, 0x80]);
        assert!(marks.0.is_empty());
    }
}
