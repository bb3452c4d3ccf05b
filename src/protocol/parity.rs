//! Even parity in bit 7, the eighth bit of a 7E1 character as an 8N1 receiver sees it.
//!
//! During the sign-on a line hands over characters in one of two forms: with their parity bit in bit 7 (an 8N1
//! receiver; a 7E1 receiver's verdict is put back into bit 7 by the line), or without it (a pseudo-terminal, or an
//! adapter that has stripped it). [`ParityCheck`] tells which, and where the parity is wrong.

/// Who computes the parity bit of a 7E1 character.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Parity {
    /// The port: it is set to 7E1.
    Hardware,
    /// We, on a line that is set to 8N1: the same ten bits.
    Software,
    /// Nobody: plain ASCII at 8N1, as on a pseudo-terminal.
    #[default]
    None,
}

/// `byte` with bit 7 set so that the number of ones is even.
pub fn with_even(byte: u8) -> u8 {
    let data = strip(byte);
    data | (((data.count_ones() as u8) & 1) << 7)
}

/// `byte` without its parity bit.
pub fn strip(byte: u8) -> u8 {
    byte & 0x7F
}

/// `bytes` with even parity in bit 7, see [`with_even`].
pub fn all_with_even(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|&byte| with_even(byte)).collect()
}

/// `bytes` without their parity bits.
pub fn stripped(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|&byte| strip(byte)).collect()
}

/// Whether the number of ones in `byte` is even.
pub fn is_even(byte: u8) -> bool {
    byte.count_ones().is_multiple_of(2)
}

/// What a run of received characters says about their parity bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParityCheck {
    /// No parity bits: bit 7 is data, and nothing can be said about errors.
    Absent,
    /// Parity bits are in sight, and all of them are right.
    Right,
    /// Parity bits are in sight; `count` of them are wrong, the first at index `first`.
    Wrong {
        /// Index of the first wrong character.
        first: usize,
        /// How many are wrong, at least 1.
        count: usize,
    },
}

impl ParityCheck {
    /// Surveys characters as they came.
    ///
    /// Two readings compete: "bit 7 is parity", which every character with an odd number of ones contradicts, and
    /// "there is no parity bit", which every character with bit 7 set contradicts. The one with fewer contradictions
    /// wins; plain ASCII wins a tie, because then nothing is lost by taking it as it is. No plain text has an odd
    /// number of ones in every single character: that is a line with odd parity.
    pub fn of(characters: &[u8]) -> Self {
        let high = characters.iter().filter(|&&byte| byte >= 0x80).count();
        let odd = characters.iter().filter(|&&byte| !is_even(byte)).count();
        if high == 0 || (high <= odd && odd < characters.len()) {
            return Self::Absent;
        }
        Self::of_even(characters)
    }

    /// Surveys characters that are known to carry even parity.
    pub fn of_even(characters: &[u8]) -> Self {
        match characters.iter().position(|&byte| !is_even(byte)) {
            None => Self::Right,
            Some(first) => {
                let count = characters.iter().filter(|&&byte| !is_even(byte)).count();
                Self::Wrong { first, count }
            }
        }
    }

    /// Whether bit 7 carries parity.
    pub fn has_parity(self) -> bool {
        self != Self::Absent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_the_standard() {
        let plain = b"/?!\r\n\x06";
        assert_eq!(all_with_even(plain), [0xAF, 0x3F, 0x21, 0x8D, 0x0A, 0x06]);
    }

    #[test]
    fn a_flipped_bit_is_found_in_place() {
        let mut line = all_with_even(b"/ISK5\\2MT382-1000\r\n");
        assert_eq!(ParityCheck::of(&line), ParityCheck::Right);
        for place in 0..line.len() {
            for bit in 0..8 {
                line[place] ^= 1 << bit;
                assert_eq!(ParityCheck::of(&line), ParityCheck::Wrong { first: place, count: 1 });
                line[place] ^= 1 << bit;
            }
        }
    }

    #[test]
    fn odd_parity_is_wrong_everywhere() {
        let line: Vec<u8> = b"/ISK5\\2MT\r\n".iter().map(|&byte| with_even(byte) ^ 0x80).collect();
        assert_eq!(ParityCheck::of(&line), ParityCheck::Wrong { first: 0, count: line.len() });
    }

    #[test]
    fn plain_ascii_has_no_parity_bits_even_with_a_stray_eighth_bit() {
        assert_eq!(ParityCheck::of(b"/ISK5\\2MT382-1000\r\n"), ParityCheck::Absent);
        assert_eq!(ParityCheck::of(b"/ISK5\\2MT\xE9382-1000\r\n"), ParityCheck::Absent);
        assert_eq!(ParityCheck::of(b""), ParityCheck::Absent);
    }
}
