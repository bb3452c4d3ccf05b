//! Listening for an identification among whatever else a line carries.
//!
//! Characters go in one by one; out comes an identification, a damaged one, or the word that there is no end to it.
//! A line ends with LF, or with CR and half a second without LF. Within a line the identification begins at the last
//! `/` that makes sense, since a `/` cannot stand inside one (clause 6.3.14) but does stand in junk.

use std::time::{Duration, Instant};

use crate::protocol::identification::{Identification, LENGTH_LIMIT};
use crate::protocol::parity::{self, ParityCheck};
use crate::protocol::settings::Settings;
use crate::protocol::timing;

/// A line is forgotten beyond this many characters; one that has a `/` is no identification by then.
const LINE_MEMORY: usize = 512;

/// Characters from the first `/` of a line on after which no end of it is waited for, whatever `/` came later.
const SLASH_MEMORY: usize = 2 * LENGTH_LIMIT;

/// What a line turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// An identification.
    Identification {
        /// As the meter sent it.
        identification: Identification,
        /// Whether bit 7 carried parity.
        has_parity: bool,
    },
    /// An identification with a wrong parity bit.
    Damaged(Damage),
    /// As many characters as no identification has.
    Endless,
}

/// Where the parity of an identification was wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The line as it came, from `/`, parity bits included.
    pub line: Vec<u8>,
    /// Index of the first wrong character in `line`.
    pub place: usize,
    /// How many characters are wrong, at least 1.
    pub count: usize,
}

/// The line that is being received.
#[derive(Clone, Debug)]
pub(super) struct Listener {
    /// From its CR to its end, where no LF comes.
    end_without_lf: Duration,
    line: Vec<u8>,
    /// Length of the line up to its first CR, and when that CR came.
    carriage_return: Option<(usize, Instant)>,
}

impl Listener {
    /// A listener on a line with these settings, which can hold characters back for `lag`.
    pub(super) fn new(settings: Settings, lag: Duration) -> Self {
        // A character is only seen when it is complete.
        let end_without_lf = timing::END_WITHOUT_LF + settings.character() + lag;
        Self { end_without_lf, line: Vec::new(), carriage_return: None }
    }

    /// Takes one character that was received at `now`.
    pub(super) fn push(&mut self, byte: u8, now: Instant) -> Option<Heard> {
        if self.line.len() < LINE_MEMORY || self.carriage_return.is_none() {
            self.line.push(byte);
        }
        match parity::strip(byte) {
            b'\n' => return self.end_line(self.line.len()),
            b'\r' if self.carriage_return.is_none() => self.carriage_return = Some((self.line.len(), now)),
            _ => {}
        }
        if self.carriage_return.is_some() {
            return None;
        }
        let mut slashes = (0..self.line.len()).filter(|&at| parity::strip(self.line[at]) == b'/');
        let (first, last) = (slashes.next(), slashes.next_back());
        let begun = |start: Option<usize>| start.map_or(0, |start| self.line.len() - start);
        if begun(last.or(first)) >= LENGTH_LIMIT || begun(first) >= SLASH_MEMORY {
            self.line.clear();
            return Some(Heard::Endless);
        }
        if self.line.len() > LINE_MEMORY {
            self.line.clear();
        }
        None
    }

    /// When a line that has its CR but no LF counts as ended.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.carriage_return.map(|(_, at)| at + self.end_without_lf)
    }

    /// What the line was, and when it had ended. To be called at [`Self::deadline`].
    pub(super) fn handle_timeout(&mut self, now: Instant) -> Option<(Heard, Instant)> {
        let (length, at) = self.carriage_return?;
        if now < at + self.end_without_lf {
            return None;
        }
        self.end_line(length).map(|heard| (heard, at))
    }

    /// Whether what has come of the line so far can be the beginning of an identification.
    pub(super) fn in_progress(&self) -> bool {
        self.begun().is_some_and(|begun| begun[1..].iter().take(3).all(u8::is_ascii_alphabetic))
    }

    /// Whether it is one, as far as its end is not needed to tell.
    pub(super) fn has_begun(&self) -> bool {
        self.begun().is_some_and(|begun| Identification::parse(&begun).is_ok())
    }

    /// What has come from the last `/` on.
    fn begun(&self) -> Option<Vec<u8>> {
        let start = self.line.iter().rposition(|&byte| parity::strip(byte) == b'/')?;
        Some(parity::stripped(&self.line[start..]))
    }

    /// Judges the first `length` characters and forgets them.
    fn end_line(&mut self, length: usize) -> Option<Heard> {
        self.carriage_return = None;
        let rest = self.line.split_off(length);
        judge(&std::mem::replace(&mut self.line, rest))
    }
}

/// The identification in a line, if there is one.
fn judge(line: &[u8]) -> Option<Heard> {
    let slashes = (0..line.len()).rev().filter(|&at| parity::strip(line[at]) == b'/');
    let mut damaged = None;
    for start in slashes {
        let candidate = &line[start..];
        // A `/` with its parity bit proves parity; and it can open no UTF-8, which has none.
        let check = match std::str::from_utf8(candidate) {
            Ok(_) => ParityCheck::Absent,
            Err(_) if candidate[0] == parity::with_even(b'/') => ParityCheck::of_even(candidate),
            Err(_) => ParityCheck::of(candidate),
        };
        let parsed = if check.has_parity() {
            Identification::parse(&parity::stripped(candidate))
        } else {
            Identification::parse(candidate)
        };
        match (parsed, check) {
            (Ok(identification), ParityCheck::Absent | ParityCheck::Right) => {
                return Some(Heard::Identification { identification, has_parity: check.has_parity() });
            }
            (parsed, ParityCheck::Wrong { first, count }) if is_damage(count, candidate, parsed.is_ok()) => {
                damaged = Some(Heard::Damaged(Damage { line: candidate.to_vec(), place: first, count }));
            }
            _ => {}
        }
    }
    damaged.or_else(|| damaged_slash(line))
}

/// Whether a line with this many wrong characters is a damaged identification rather than one without parity bits, or
/// junk: few are wrong; or the rest of it is an identification, and fewer than half are wrong, or all are, as with odd
/// parity, or all bits are set, as with mark.
fn is_damage(count: usize, candidate: &[u8], parses: bool) -> bool {
    let all = count == candidate.len() || candidate.iter().all(|&byte| byte >= 0x80);
    is_slight(count, candidate) || parses && (all || count * 2 < candidate.len())
}

/// Whether so few characters are wrong that the others prove bit 7 to carry parity.
fn is_slight(count: usize, candidate: &[u8]) -> bool {
    count <= candidate.len() / 4
}

/// The identification whose `/` has a wrong bit.
fn damaged_slash(line: &[u8]) -> Option<Heard> {
    let slash = parity::with_even(b'/');
    let start = line.iter().rposition(|&byte| (byte ^ slash).count_ones() == 1)?;
    let candidate = &line[start..];
    let ParityCheck::Wrong { first: 0, count } = ParityCheck::of(candidate) else { return None };
    let mut plain = parity::stripped(candidate);
    plain[0] = b'/';
    let is_one = is_slight(count, candidate) && Identification::parse(&plain).is_ok();
    is_one.then(|| Heard::Damaged(Damage { line: candidate.to_vec(), place: 0, count }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listen(bytes: &[u8]) -> (Vec<Heard>, Listener) {
        let now = Instant::now();
        let mut listener = Listener::new(Settings::seven_even(300), timing::ADAPTER_LAG);
        let mut heard: Vec<_> = bytes.iter().filter_map(|&byte| listener.push(byte, now)).collect();
        let end = listener.deadline().unwrap_or(now);
        heard.extend(listener.handle_timeout(end).map(|(heard, _)| heard));
        (heard, listener)
    }

    fn only_line(bytes: &[u8]) -> Vec<u8> {
        match &listen(bytes).0[..] {
            [Heard::Identification { identification, .. }] => identification.line().to_vec(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_identification_is_found_behind_junk() {
        for junk in
            [&b""[..], b"\x00\xFF\x7F", b"junk\r\n", b"a/b", b"/x/", b"/\r\n/?!\r\n", b"??", b"\xAF\xFF"]
        {
            assert_eq!(
                only_line(&[junk, b"/ISK5\\2MT382-1000\r\n"].concat()),
                b"/ISK5\\2MT382-1000",
                "{junk:?}"
            );
        }
    }

    #[test]
    fn many_wrong_characters_are_damage_as_long_as_the_rest_is_an_identification() {
        let right = parity::all_with_even(b"/ISK5\\2MT382-1000\r\n");
        for count in 1..=9 {
            let mut line = right.clone();
            line[5..5 + count].iter_mut().for_each(|byte| *byte ^= 0x80);
            let (heard, _) = listen(&line);
            let [Heard::Damaged(damage)] = &heard[..] else { panic!("{count}: {heard:?}") };
            assert_eq!((damage.place, damage.count), (5, count));
        }
    }

    #[test]
    fn letters_beyond_ascii_are_letters() {
        for ident in ["Zähler", "ÄÖÜäöüßÄÖÜ"] {
            let line = format!("/ISK5\\2{ident}");
            assert_eq!(only_line(format!("{line}\r\n").as_bytes()), line.as_bytes());
        }
    }

    #[test]
    fn a_line_ends_with_lf_or_with_cr_and_silence() {
        assert_eq!(only_line(b"/ISK5\\2A\n"), b"/ISK5\\2A");
        assert_eq!(only_line(b"/ISK5\\2A\r"), b"/ISK5\\2A");
        assert_eq!(only_line(b"/ISK5\\2A\r\x8B"), b"/ISK5\\2A");
        assert!(listen(b"/ISK5\\2A").0.is_empty());
    }

    #[test]
    fn parity_bits_are_taken_off_and_checked() {
        let mut line = parity::all_with_even(b"/ISK5\\2MT382-1000\r\n");
        assert_eq!(only_line(&line), b"/ISK5\\2MT382-1000");
        line[9] ^= 4;
        let Heard::Damaged(damage) = &listen(&line).0[0] else { panic!() };
        assert_eq!((damage.place, damage.count, &damage.line), (9, 1, &line));
    }

    #[test]
    fn eighty_characters_are_too_many() {
        let endless = [&b"/ISK5\\2"[..], &[b'x'; 200]].concat();
        let now = Instant::now();
        let mut listener = Listener::new(Settings::seven_even(300), timing::ADAPTER_LAG);
        let at = endless.iter().position(|&byte| listener.push(byte, now).is_some());
        assert_eq!(at, Some(79));
        for length in [78, 79] {
            let line = &endless[..length];
            assert_eq!(only_line(&[line, b"\r\n"].concat()), line);
        }
        assert_eq!(listen(&[b'/'; 200]).0, [Heard::Endless]);
    }

    #[test]
    fn a_slash_with_a_wrong_bit_is_damage_too() {
        for bit in 0..8 {
            let mut line = parity::all_with_even(b"x/ISK5\\2MT382-1000\r\n");
            line[1] ^= 1 << bit;
            let (heard, _) = listen(&line);
            let [Heard::Damaged(damage)] = &heard[..] else { panic!("{bit}: {heard:?}") };
            assert_eq!((damage.place, damage.count, damage.line.len()), (0, 1, 19));
        }
    }

    #[test]
    fn the_beginning_of_an_identification_is_in_progress() {
        assert!(listen(b"xx/").1.in_progress());
        assert!(listen(b"/ISK5\\2MT").1.in_progress());
        assert!(!listen(b"/?!").1.in_progress());
        assert!(!listen(b"\x00\xFF").1.in_progress());
    }
}
