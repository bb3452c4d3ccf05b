//! What the bytes are, where no identification came.
//!
//! A pure judgement over everything that was heard, so that a failure can name what is on the line rather than say
//! "timeout". Messages and hints are the binary's; here are facts.

use crate::protocol::hdlc;
use crate::protocol::message;
use crate::protocol::parity::{self, ParityCheck};

/// The escape sequence and version that open an SML transport frame (BSI TR-03109-1, SML 1.04).
const SML_START: [u8; 8] = [0x1B, 0x1B, 0x1B, 0x1B, 0x01, 0x01, 0x01, 0x01];

/// Fewer characters than this prove nothing about what a line carries, unless they are letters.
const TEXT_MIN: usize = 3;

/// Different characters that make a text.
const DIVERSE: usize = 6;

/// What a line carries instead of an identification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// No 7-bit text: another rate or framing, an inverting head, noise.
    Garbled,
    /// Text, but no identification in it.
    Text,
    /// Text with values in brackets: the telegram or readout of a meter that was not asked for it.
    Telegram,
    /// SML.
    Sml,
    /// HDLC frames.
    Hdlc,
}

/// Judges received bytes, parity bits and all.
pub fn of(bytes: &[u8]) -> Content {
    if bytes.windows(SML_START.len()).any(|window| window == SML_START) {
        return Content::Sml;
    }
    if hdlc::find(bytes).is_some() || bytes.strip_prefix(&[hdlc::FLAG]).and_then(hdlc::begins_frame).is_some()
    {
        return Content::Hdlc;
    }
    let text = if ParityCheck::of(bytes).has_parity() { parity::stripped(bytes) } else { bytes.to_vec() };
    let few_letters = !text.is_empty()
        && text.len() < TEXT_MIN
        && text.iter().all(|&byte| byte == b'/' || byte.is_ascii_alphanumeric());
    if !is_mostly_text(&text) && !few_letters {
        return Content::Garbled;
    }
    if has_values(&text, 0) { Content::Telegram } else { Content::Text }
}

/// Whether a byte without its parity bit is text: printable, or the end of a line.
pub fn is_text(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\r' | b'\n')
}

/// Whether at least three in four characters are text or frame a data message, and the rest could be noise.
pub fn is_mostly_text(bytes: &[u8]) -> bool {
    let text =
        bytes.iter().filter(|&&byte| is_text(byte) || matches!(byte, message::STX | message::ETX)).count();
    text >= TEXT_MIN && text * 4 >= bytes.len() * 3
}

/// Whether a value in brackets, as readouts and telegrams have them, stands in a run of at least this many characters of
/// text.
pub fn has_values(plain: &[u8], least: usize) -> bool {
    plain.split(|&byte| !is_text(byte)).filter(|run| run.len() >= least).any(|run| {
        let opened = run.iter().position(|&byte| byte == b'(');
        opened.is_some_and(|at| run[at..].contains(&b')'))
    })
}

/// Whether text without parity bits says something, as the middle of a readout does and an endless row of blanks does
/// not: it has a bracket, or `DIVERSE` different characters.
pub fn says_something(plain: &[u8]) -> bool {
    let mut graphic: Vec<u8> = plain.iter().copied().filter(u8::is_ascii_graphic).collect();
    graphic.sort_unstable();
    graphic.dedup();
    is_mostly_text(plain)
        && (graphic.len() >= DIVERSE || graphic.iter().any(|byte| matches!(byte, b'(' | b')')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_line_is_told_by_its_bytes() {
        assert_eq!(of(&[0x80, 0xC0, 0x00, 0x80, 0xFE]), Content::Garbled);
        assert_eq!(of(b""), Content::Garbled);
        assert_eq!(of(b"\x00"), Content::Garbled);
        for few in [&b"K"[..], b"KJ", &parity::all_with_even(b"KJ"), b"/", b"/K"] {
            assert_eq!(of(few), Content::Text, "{few:x?}");
        }
        for few in [&b"\x80"[..], b"\x06", b"\r", b"~", b"\x00K"] {
            assert_eq!(of(few), Content::Garbled, "{few:x?}");
        }
        for cut in 1..11 {
            assert_eq!(of(&b"/ISK5\\2MT3"[..cut]), Content::Text);
        }
        assert_eq!(of(b"1-0:1.8.0*255(00123.4*kWh)\r\n!\r\n"), Content::Telegram);
        assert_eq!(of(&[&[0x00][..], &SML_START, &[0x76, 0x05]].concat()), Content::Sml);
        assert_eq!(of(&hdlc::SNRM), Content::Hdlc);
        assert_eq!(of(&hdlc::SNRM[..5]), Content::Hdlc);
    }

    #[test]
    fn text_is_text_with_its_parity_bits_too() {
        assert_eq!(of(&parity::all_with_even(b"/ISK5\\2MT3")), Content::Text);
    }
}
