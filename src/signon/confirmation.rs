//! What a meter says after the acknowledgement, as received at the new rate.
//!
//! Hoped for is the confirmation, the acknowledgement sent back. In the field come also: the same without parity bits,
//! HDLC at once, NAK, the break message, a readout; and, before or instead of all that, junk: the tail of an echo, an
//! answer that crossed ours, a confirmation at the old rate. The judgement is always over everything received so far,
//! so that it cannot depend on how the bytes were cut into reads.

use crate::protocol::content;
use crate::protocol::hdlc;
use crate::protocol::message::{ACK, BREAK, ETX, NAK, STX};
use crate::protocol::parity::{self, ParityCheck};

/// Printable characters after an STX that make a readout.
const READOUT_EVIDENCE: usize = 4;

/// Characters of text in a row, a value among them, that make a readout.
const TEXT_EVIDENCE: usize = 12;

/// Bytes that a line can make by itself when its rate changes; more are somebody's.
const GLITCH_MAX: usize = 2;

/// Characters of a confirmation.
const CONFIRMATION_MAX: usize = 6;

/// What a meter confirms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confirmed {
    /// Protocol control, baud and mode control character, parity bits taken off.
    pub says: [u8; 3],
    /// What the parity bits of the whole say about that.
    pub parity: ParityCheck,
}

/// The judgement over the bytes received after the acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// Nothing has come.
    Nothing,
    /// Nothing of any meaning so far.
    Junk,
    /// A confirmation, or a break message, begins at `start`; its end has not come.
    Begun {
        /// Index of its first byte.
        start: usize,
    },
    /// A confirmation; the pipe begins at `end`.
    Confirmed {
        /// What it says.
        what: Confirmed,
        /// Index of its first byte.
        start: usize,
        /// Index of the first byte behind it.
        end: usize,
    },
    /// An HDLC frame begins at `start`.
    Hdlc {
        /// Index of its opening flag.
        start: usize,
    },
    /// NAK before anything else of meaning.
    Nak,
    /// The break message.
    Break,
    /// A data readout.
    Readout,
}

/// Judges everything received since the acknowledgement. What decides first decides, whatever follows.
pub(super) fn judge(bytes: &[u8]) -> Judgement {
    if bytes.is_empty() {
        return Judgement::Nothing;
    }
    let plain = parity::stripped(bytes);
    // A frame may carry any bytes, so nothing behind its start is looked at.
    let frame = frame_start(bytes);
    let before_frame = &plain[..frame.unwrap_or(plain.len())];
    if is_refused(&bytes[..before_frame.len()]) {
        return Judgement::Nak;
    }
    for start in 0..before_frame.len() {
        let rest = &before_frame[start..];
        if let Some(length) = confirmation_length(rest, frame.is_some()) {
            let end = start + length;
            if start > 0 && plain[start - 1] == NAK {
                return Judgement::Nak;
            }
            return Judgement::Confirmed { what: confirmed(&bytes[start..end]), start, end };
        }
        if rest.starts_with(&BREAK) {
            return Judgement::Break;
        }
        if rest[0] == STX {
            let printable = rest[1..].iter().take_while(|&&byte| content::is_text(byte)).count();
            let is_empty_one = printable > 0 && rest.get(1 + printable) == Some(&ETX);
            if printable >= READOUT_EVIDENCE || is_empty_one {
                return Judgement::Readout;
            }
        }
    }
    if let Some(start) = frame {
        return Judgement::Hdlc { start };
    }
    if content::has_values(&plain, TEXT_EVIDENCE) {
        return Judgement::Readout;
    }
    // No beginning is longer than a confirmation.
    let tail = plain.len().saturating_sub(CONFIRMATION_MAX);
    match (tail..plain.len()).find(|&start| begins_confirmation(&plain[start..])) {
        Some(start) => Judgement::Begun { start },
        None => Judgement::Junk,
    }
}

/// Whether NAK is the first that was said, alone or before something that a refusal does not take back.
fn is_refused(bytes: &[u8]) -> bool {
    let mut said = bytes.iter().filter(|&&byte| !is_glitch(byte)).map(|&byte| parity::strip(byte));
    said.next() == Some(NAK)
        && said
            .find(|byte| !matches!(*byte, NAK | b'\r' | b'\n'))
            .is_none_or(|then| then == ACK || then == BREAK[0])
}

/// The confirmation that opens `bytes`, if its end alone is missing: the meter says what was `sent`.
pub(super) fn unended(bytes: &[u8], sent: [u8; 3]) -> Option<Confirmed> {
    let what = confirmed(Some(bytes).filter(|rest| rest.len() >= 4)?);
    (what.says == sent).then_some(what)
}

/// How many of the bytes that came in place of a confirmation are somebody's.
pub(super) fn unreadable(bytes: &[u8]) -> usize {
    let is_nothing = bytes.len() <= GLITCH_MAX && bytes.iter().all(|&byte| is_glitch(byte));
    if is_nothing { 0 } else { bytes.len() }
}

/// Whether an answer can begin with this byte.
pub(super) fn opens_answer(byte: u8) -> bool {
    byte == hdlc::FLAG || [ACK, NAK, BREAK[0], STX].contains(&parity::strip(byte))
}

fn is_glitch(byte: u8) -> bool {
    matches!(byte, 0x00 | 0xFF)
}

/// Length of the confirmation that opens `plain`: it ends with CR LF, with LF, or with CR before a frame.
fn confirmation_length(plain: &[u8], frame_follows: bool) -> Option<usize> {
    let (head, end) = plain.split_at_checked(4)?;
    if head[0] != ACK || !head[1..].iter().all(u8::is_ascii_graphic) {
        return None;
    }
    match *end {
        [b'\r', b'\n', ..] => Some(6),
        [b'\n', ..] => Some(5),
        [b'\r'] if frame_follows => Some(5),
        _ => None,
    }
}

fn confirmed(bytes: &[u8]) -> Confirmed {
    Confirmed { says: [1, 2, 3].map(|at| parity::strip(bytes[at])), parity: ParityCheck::of(bytes) }
}

/// Index of the first flag that opens a frame, or that may: only flags follow.
pub(super) fn open_flag(bytes: &[u8]) -> Option<usize> {
    let end = bytes.iter().rposition(|&byte| byte != hdlc::FLAG).map_or(0, |last| last + 1);
    (end < bytes.len()).then_some(end)
}

/// Index of the first of the flags that stand before a frame's format field.
fn frame_start(bytes: &[u8]) -> Option<usize> {
    let flag = (0..bytes.len())
        .find(|&at| bytes[at] == hdlc::FLAG && hdlc::begins_frame(&bytes[at + 1..]).is_some())?;
    Some(bytes[..flag].iter().rposition(|&byte| byte != hdlc::FLAG).map_or(0, |last| last + 1))
}

/// Whether all of `plain` is the beginning of a confirmation, or of the break message.
fn begins_confirmation(plain: &[u8]) -> bool {
    if BREAK.starts_with(plain) {
        return true;
    }
    plain.len() < CONFIRMATION_MAX
        && plain.iter().enumerate().all(|(place, byte)| match place {
            0 => *byte == ACK,
            1..=3 => byte.is_ascii_graphic(),
            _ => *byte == b'\r',
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says_252(bytes: &[u8]) -> Option<usize> {
        match judge(bytes) {
            Judgement::Confirmed { what, end, .. } if what.says == *b"252" => Some(end),
            _ => None,
        }
    }

    #[test]
    fn a_confirmation_comes_with_parity_bits_and_without_and_behind_junk() {
        for junk in [&b""[..], b"\x00", b"\xF8\x0A", b"SK5\\2MT\r\n"] {
            for confirmation in [&b"\x06\xB2\x35\xB2\x8D\x0A"[..], b"\x06252\r\n"] {
                let bytes = [junk, confirmation].concat();
                assert_eq!(says_252(&bytes), Some(bytes.len()), "{bytes:x?}");
                for cut in junk.len() + 1..bytes.len() {
                    assert_eq!(
                        judge(&bytes[..cut]),
                        Judgement::Begun { start: junk.len() },
                        "{:x?}",
                        &bytes[..cut]
                    );
                }
            }
        }
    }

    #[test]
    fn what_is_glued_to_a_confirmation_is_left() {
        let bytes = [&b"\x06\xB2\x35\xB2\x8D\x0A"[..], &hdlc::SNRM].concat();
        assert_eq!(says_252(&bytes), Some(6));
        for end in [&b"\r"[..], b"\n"] {
            assert_eq!(says_252(&[b"\x06252", end, &hdlc::SNRM].concat()), Some(5));
        }
    }

    #[test]
    fn a_flipped_bit_of_a_confirmation_is_seen_by_its_parity() {
        let what = |bytes: &[u8]| match judge(bytes) {
            Judgement::Confirmed { what, .. } => what,
            other => panic!("{other:?}"),
        };
        assert_eq!(what(b"\x06\xB2\x35\xB2\x8D\x0A").parity, ParityCheck::Right);
        assert_eq!(what(b"\x06252\r\n").parity, ParityCheck::Absent);
        let damaged = what(b"\x06\xB2\x37\xB2\x8D\x0A");
        assert_eq!((damaged.says, damaged.parity), (*b"272", ParityCheck::Wrong { first: 2, count: 1 }));
    }

    #[test]
    fn a_confirmation_without_an_end_is_one_if_it_says_what_was_sent() {
        assert!(unended(b"\x06\xB2\x35\xB2\x8D", *b"252").is_some());
        assert!(unended(b"\x06252", *b"252").is_some());
        assert!(unended(b"\x06232\r", *b"252").is_none());
        assert!(unended(b"\x06\xB2\x35", *b"252").is_none());
    }

    #[test]
    fn hdlc_at_once_is_seen_from_its_first_flag() {
        let bytes = [&b"\x00\x7E"[..], &hdlc::SNRM].concat();
        assert_eq!(judge(&bytes), Judgement::Hdlc { start: 1 });
        assert_eq!(judge(b"\x7E"), Judgement::Junk);
        assert_eq!(open_flag(b"\x00\x7E\x7E"), Some(1));
        assert_eq!(open_flag(b"\x7E\x00"), None);
    }

    #[test]
    fn refusals_count_with_parity_bits_and_without() {
        assert_eq!(judge(b"\x15"), Judgement::Nak);
        assert_eq!(judge(b"\x95"), Judgement::Nak);
        // What follows a NAK does not take it back.
        let copy = [&b"\x15"[..], b"\x06252\r\n"].concat();
        for again in [&copy, &copy[..4], &b"\x15\x15"[..], b"\x95\x8D\x0A", b"\x00\x15", b"\xFF\x15\r\n"] {
            assert_eq!(judge(again), Judgement::Nak, "{again:x?}");
        }
        assert_eq!(judge(b"\x15\x30"), Judgement::Junk);
        assert_eq!(judge(b"\xF8\x15"), Judgement::Junk);
        assert_eq!(judge(b"\x01B0\x03\x71"), Judgement::Break);
        assert_eq!(judge(b"\x81B0\x03\x71"), Judgement::Break);
    }

    #[test]
    fn a_readout_is_known_by_its_stx_or_its_brackets() {
        assert_eq!(judge(b"\x020-0:"), Judgement::Readout);
        assert_eq!(judge(b"\x820-0:"), Judgement::Readout);
        assert_eq!(judge(b"\x02!\r\n\x03"), Judgement::Readout);
        assert_eq!(judge(b"0-0:C.1.0(12345678)\r\n"), Judgement::Readout);
        assert_eq!(judge(b"/ISK5\\2MT382-1000\r\n"), Judgement::Junk);
    }
}
