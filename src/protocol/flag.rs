//! FLAG manufacturer ids: the three letters that open an identification, and whose they are.
//!
//! The ids are assigned by the DLMS User Association, which publishes them at <https://www.dlms.com/flag-id/flag-id-list>
//! for anybody to look up. `flag-ids.csv` has 1590 of them, as the published list stood in November 2026. It is a list of
//! facts, namely which three letters a manufacturer has, and no text of the association is in it; the association makes
//! no promise for it. The names are ours to spell: the legal form and "formerly .." are left out, the letters are ASCII.
//! Whoever needs a binding answer asks the association.
//!
//! Real meters use ids that are not on the list, and that is no error.

use std::fmt;
use std::str::FromStr;

/// `CODE,Name` lines in order of the code, under one heading; names with a comma are quoted.
const LIST: &str = include_str!("flag-ids.csv");

/// A FLAG id folded to upper case, as ids are compared (a lower-case third letter only means a fast meter).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FlagId([u8; 3]);

/// What is not a FLAG id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a FLAG id: three letters, as in LGZ")]
pub struct NotAFlagId(String);

impl FlagId {
    /// Folds the three characters of an identification.
    pub fn folded(letters: [u8; 3]) -> Self {
        Self(letters.map(|letter| letter.to_ascii_uppercase()))
    }

    /// The manufacturer's name from the FLAG list, if the id is on it.
    pub fn name(self) -> Option<&'static str> {
        LIST.lines().skip(1).find_map(|line| {
            let (code, name) = line.split_once(',')?;
            (code.as_bytes() == self.0).then(|| name.trim_matches('"'))
        })
    }
}

impl FromStr for FlagId {
    type Err = NotAFlagId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        <[u8; 3]>::try_from(text.as_bytes())
            .ok()
            .filter(|letters| letters.iter().all(u8::is_ascii_alphabetic))
            .map(Self::folded)
            .ok_or_else(|| NotAFlagId(text.to_owned()))
    }
}

impl fmt::Display for FlagId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|&letter| write!(f, "{}", char::from(letter)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_whatever_the_case() {
        assert_eq!("ISK".parse::<FlagId>().unwrap().name(), Some("Iskraemeco, Slovenia"));
        assert_eq!("isk".parse::<FlagId>().unwrap().name(), Some("Iskraemeco, Slovenia"));
        assert_eq!(FlagId::folded(*b"LGz").name(), Some("Landis+Gyr"));
        assert_eq!("VMQ".parse::<FlagId>().unwrap().name(), None);
    }

    #[test]
    fn an_id_is_three_letters() {
        for bad in ["", "LG", "LGZ5", "L1Z", "ÄB", "   "] {
            assert!(bad.parse::<FlagId>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn every_line_of_the_list_is_an_id_and_a_name() {
        let codes: Vec<&str> = LIST.lines().skip(1).map(|line| &line[..3]).collect();
        assert!(codes.is_sorted_by(|one, next| one < next));
        assert_eq!(codes.len(), 1590, "the module's text names the number");
        for line in LIST.lines().skip(1) {
            let (code, name) = line.split_once(',').unwrap();
            assert!(code.parse::<FlagId>().is_ok(), "{line}");
            let name = name.trim_matches('"');
            assert!(!name.is_empty() && !name.contains('"'), "{line}");
            assert!(name.trim() == name && !name.contains("  ") && name.is_ascii(), "{line}");
            assert!(!name.to_lowercase().contains("formerly") && !name.contains(" / "), "{line}");
        }
    }
}
