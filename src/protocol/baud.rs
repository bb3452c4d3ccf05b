//! The rates that a baud character names (IEC 62056-21, clause 6.3.14, item 13c).
//!
//! The character `Z` stands in the identification and in the acknowledgement. Its meaning depends on the mode: digits
//! in the modes C and E, letters in mode B, anything else in mode A, where no change of rate is offered at all.

/// Rates in Bd of `Z` = `0`..=`9`. The standard reserves `7`..`9`; meters use them as given here.
const DIGITS: [u32; 10] = [300, 600, 1200, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200];

/// Rates in Bd of `Z` = `A`..=`F` in mode B.
const LETTERS: [u32; 6] = [600, 1200, 2400, 4800, 9600, 19_200];

/// The rate in Bd that a modes C and E baud character names, if it names one.
pub fn of_digit(z: u8) -> Option<u32> {
    DIGITS.get(usize::from(z.checked_sub(b'0')?)).copied()
}

/// The rate in Bd that a mode B baud character names, if it names one.
pub fn of_letter(z: u8) -> Option<u32> {
    LETTERS.get(usize::from(z.checked_sub(b'A')?)).copied()
}

/// The modes C and E baud character of a rate in Bd, if there is one.
pub fn digit(rate: u32) -> Option<u8> {
    (b'0'..).zip(DIGITS).find_map(|(z, known)| (known == rate).then_some(z))
}

/// All rates in Bd that a mode E acknowledgement can name, slowest first.
pub fn all() -> impl Iterator<Item = u32> {
    DIGITS.into_iter()
}

/// Whether a receiver at one of these rates in Bd understands a sender at the other: up to 2.5 % of difference, as every
/// UART takes.
pub fn agree(one: u32, other: u32) -> bool {
    u64::from(one.abs_diff(other)) * 40 <= u64::from(one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_digit_names_a_rate_and_back() {
        for z in b'0'..=b'9' {
            assert_eq!(of_digit(z).and_then(digit), Some(z));
        }
    }

    #[test]
    fn letters_are_one_step_faster_than_digits() {
        assert_eq!(of_letter(b'A'), Some(600));
        assert_eq!(of_letter(b'F'), Some(19_200));
        assert_eq!(of_letter(b'G'), None);
    }

    #[test]
    fn anything_else_names_none() {
        for z in (0..=255).filter(|z: &u8| !z.is_ascii_digit()) {
            assert_eq!(of_digit(z), None, "{z:#04x}");
        }
        assert_eq!(digit(12_345), None);
    }
}
