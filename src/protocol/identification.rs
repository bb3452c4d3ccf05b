//! The identification message `/ X X X Z [\W ..] Ident CR LF` (IEC 62056-21, clauses 6.3.2 and 6.3.14, Annex E).
//!
//! Real meters are looser than the standard: idents of up to 26 characters, empty ones, blanks inside, characters
//! outside the alphabet. All of that parses. What does not parse is no identification: no FLAG id, no baud character,
//! or no end within [`LENGTH_LIMIT`] characters.

use crate::protocol::baud;
use crate::protocol::flag::FlagId;

/// A line that reaches this many characters without an end is no identification.
pub const LENGTH_LIMIT: usize = 80;

/// Longest ident of the standard; longer ones are worth a note.
pub const IDENT_MAX: usize = 16;

/// Characters before the ident: `/`, the FLAG id, the baud character.
const HEAD: usize = 5;

/// The protocol modes that an identification can offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Readout at the start rate, at once.
    A,
    /// Readout after a change of rate that is not negotiated.
    B,
    /// Negotiated rate, readout and programming.
    C,
    /// Negotiated rate, then HDLC.
    E,
}

impl Mode {
    /// The letter of the standard.
    pub fn letter(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::E => "E",
        }
    }
}

/// An identification, as the meter sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identification {
    /// From `/` to the last character before CR LF, without parity bits; longer than [`HEAD`] minus one.
    line: Vec<u8>,
}

/// Why a line is no identification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoIdentification {
    /// It does not begin with `/`.
    #[error("it does not begin with `/`")]
    NoSlash,
    /// No three letters follow the `/`.
    #[error("no FLAG id follows the `/`")]
    NoFlagId,
    /// No printable baud character follows the FLAG id.
    #[error("no baud character follows the FLAG id")]
    NoBaudCharacter,
    /// It has [`LENGTH_LIMIT`] characters or more.
    #[error("it has {0} characters; fewer than {LENGTH_LIMIT} can be an identification")]
    TooLong(usize),
}

impl Identification {
    /// Parses a line of characters without parity bits; CRs, an LF or both at its end do not count.
    ///
    /// The first letter of the FLAG id must be upper case: both lower-case forms seen in the field (`Ene`, `Lux`, and
    /// the fast meters' third letter) keep it, and junk that contains a `/` rarely does.
    pub fn parse(line: &[u8]) -> Result<Self, NoIdentification> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = &line[..line.iter().rposition(|&byte| byte != b'\r').map_or(0, |last| last + 1)];
        if line.first() != Some(&b'/') {
            return Err(NoIdentification::NoSlash);
        }
        let flag_id = line.get(1..4).ok_or(NoIdentification::NoFlagId)?;
        if !flag_id[0].is_ascii_uppercase() || !flag_id.iter().all(u8::is_ascii_alphabetic) {
            return Err(NoIdentification::NoFlagId);
        }
        if !line.get(4).is_some_and(|z| (b' '..=b'~').contains(z)) {
            return Err(NoIdentification::NoBaudCharacter);
        }
        if line.len() >= LENGTH_LIMIT {
            return Err(NoIdentification::TooLong(line.len()));
        }
        Ok(Self { line: line.to_vec() })
    }

    /// The whole line without CR LF.
    pub fn line(&self) -> &[u8] {
        &self.line
    }

    /// The three letters of the FLAG id, case kept.
    pub fn manufacturer(&self) -> [u8; 3] {
        [self.line[1], self.line[2], self.line[3]]
    }

    /// The FLAG id, folded for comparison and look-up.
    pub fn flag_id(&self) -> FlagId {
        FlagId::folded(self.manufacturer())
    }

    /// Whether the meter reacts within 20 ms rather than 200 ms: its third letter is lower case.
    pub fn is_fast(&self) -> bool {
        self.line[3].is_ascii_lowercase()
    }

    /// The baud character.
    pub fn z(&self) -> u8 {
        self.line[4]
    }

    /// The characters W of all escape pairs `\W`, in order.
    pub fn escapes(&self) -> impl Iterator<Item = u8> {
        let mut rest = &self.line[HEAD..];
        std::iter::from_fn(move || {
            let at = rest.iter().position(|&byte| byte == b'\\')?;
            let &w = rest.get(at + 1)?;
            rest = &rest[at + 2..];
            Some(w)
        })
    }

    /// What follows the leading escape pairs, blanks kept.
    pub fn ident(&self) -> &[u8] {
        let mut ident = &self.line[HEAD..];
        while let [b'\\', _, rest @ ..] = ident {
            ident = rest;
        }
        ident
    }

    /// Whether the escape pair `\2` offers HDLC, that is mode E.
    pub fn offers_mode_e(&self) -> bool {
        self.escapes().any(|w| w == b'2')
    }

    /// The best mode offered.
    pub fn mode(&self) -> Mode {
        match self.z() {
            _ if self.offers_mode_e() => Mode::E,
            b'0'..=b'9' => Mode::C,
            b'A'..=b'I' => Mode::B,
            _ => Mode::A,
        }
    }

    /// The rate in Bd that the baud character names in the best mode offered.
    pub fn baud(&self) -> Option<u32> {
        match self.mode() {
            Mode::E | Mode::C => baud::of_digit(self.z()),
            Mode::B => baud::of_letter(self.z()),
            Mode::A => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Identification {
        Identification::parse(line.as_bytes()).unwrap()
    }

    #[test]
    fn the_parts_of_a_plain_identification() {
        let parsed = parse("/LGZ5\\2ZMD3104407.B32\r\n");
        assert_eq!(parsed.line(), b"/LGZ5\\2ZMD3104407.B32");
        assert_eq!(parsed.manufacturer(), *b"LGZ");
        assert_eq!(parsed.z(), b'5');
        assert_eq!(parsed.baud(), Some(9600));
        assert_eq!(parsed.escapes().collect::<Vec<_>>(), b"2");
        assert_eq!(parsed.ident(), b"ZMD3104407.B32");
        assert_eq!(parsed.mode(), Mode::E);
        assert!(!parsed.is_fast());
    }

    #[test]
    fn escape_pairs_go_by_the_letter() {
        let two = parse("/EMH5\\@\\201LZQJL0013F");
        assert_eq!((two.escapes().collect::<Vec<_>>(), two.ident()), (b"@2".to_vec(), &b"01LZQJL0013F"[..]));
        assert_eq!(two.mode(), Mode::E);
        let odd = parse("/ISk5\\MT382-1003");
        assert_eq!((odd.escapes().collect::<Vec<_>>(), odd.ident()), (b"M".to_vec(), &b"T382-1003"[..]));
        assert_eq!(odd.mode(), Mode::C);
        assert!(odd.is_fast());
        let inside = parse("/ABC5M\\2X\\");
        assert_eq!((inside.escapes().collect::<Vec<_>>(), inside.ident()), (b"2".to_vec(), &b"M\\2X\\"[..]));
    }

    #[test]
    fn modes_follow_from_the_baud_character() {
        assert_eq!((parse("/KAM MC").mode(), parse("/KAM MC").baud()), (Mode::A, None));
        assert_eq!((parse("/YTL:346189321378").mode(), parse("/YTL:3").baud()), (Mode::A, None));
        assert_eq!((parse("/ABCE").mode(), parse("/ABCE").baud()), (Mode::B, Some(9600)));
        assert_eq!((parse("/KAM0MCC").mode(), parse("/KAM0MCC").baud()), (Mode::C, Some(300)));
        assert_eq!((parse("/ABCA\\2X").mode(), parse("/ABCA\\2X").baud()), (Mode::E, None));
        assert_eq!(parse("/ABC9\\2X").baud(), Some(115_200));
    }

    #[test]
    fn loose_idents_are_kept_to_the_letter() {
        assert_eq!(parse("/VMQ5\\2").ident(), b"");
        assert_eq!(parse("/NIK5\\2 NIK 2104ARPx").ident(), b" NIK 2104ARPx");
        assert_eq!(parse("/ELS5\\@V9.30 ").ident(), b"V9.30 ");
        let long = format!("/ABC5\\2{}", "x".repeat(72));
        assert_eq!(parse(&long).ident().len(), 72);
        assert_eq!(Identification::parse(b"/ABC5\\2X\r\r\n").unwrap().ident(), b"X");
        assert_eq!(Identification::parse(b"/ABC5\\2\xE9\x00").unwrap().ident(), b"\xE9\x00");
    }

    #[test]
    fn what_is_no_identification_says_why() {
        let why = |line: &[u8]| Identification::parse(line).unwrap_err();
        assert_eq!(why(b""), NoIdentification::NoSlash);
        assert_eq!(why(b"LGZ5"), NoIdentification::NoSlash);
        assert_eq!(why(b"/?!"), NoIdentification::NoFlagId);
        assert_eq!(why(b"/abc5"), NoIdentification::NoFlagId);
        assert_eq!(why(b"/LG"), NoIdentification::NoFlagId);
        assert_eq!(why(b"/LGZ\r\n"), NoIdentification::NoBaudCharacter);
        assert_eq!(why(b"/LGZ\x05"), NoIdentification::NoBaudCharacter);
        assert_eq!(why(&[b"/LGZ5", &[b'x'; 75][..]].concat()), NoIdentification::TooLong(80));
    }
}
