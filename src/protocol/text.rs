//! Bytes as text: what is printable ASCII stands for itself, everything else is `\xNN`.
//!
//! A backslash is not doubled: it is an ordinary character of an identification (`/LGZ5\2..`), and people compare what
//! they see with the meter's label.

use std::fmt::Write as _;

/// `bytes` with everything but printable ASCII as `\xNN`.
pub fn escaped(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len()), |mut text, &byte| {
        if byte == b' ' || byte.is_ascii_graphic() {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "\\x{byte:02X}");
        }
        text
    })
}

/// `bytes` as lower-case hexadecimal without blanks.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// `bytes` as upper-case hexadecimal in pairs, for people: at most `most` of them, then an ellipsis.
pub fn dump(bytes: &[u8], most: usize) -> String {
    let mut text = bytes.iter().take(most).map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(" ");
    if bytes.len() > most {
        text.push_str(" ..");
    }
    text
}

/// A number of things in words: `1 byte`, `2 bytes`.
pub fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// A character as it is shown beside its hexadecimal: without its eighth bit, and a dot where it is not printable.
pub fn shown(byte: u8) -> char {
    match byte & 0x7F {
        plain @ b' '..=b'~' => char::from(plain),
        _ => '.',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_printable_ascii_stands_for_itself() {
        assert_eq!(escaped(b"a \\\x00\x7f\xff\r"), "a \\\\x00\\x7F\\xFF\\x0D");
        assert_eq!(hex(b"\x00\xfa"), "00fa");
        assert_eq!(dump(b"\x01\x02\x03", 2), "01 02 ..");
    }
}
