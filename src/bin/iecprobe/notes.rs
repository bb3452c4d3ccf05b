//! What was out of the ordinary about a sign-on that worked, in words.

use iecprobe::protocol::parity::ParityCheck;
use iecprobe::protocol::text;
use iecprobe::signon::Note;

/// A note, as it is reported. What a link that was `checked` has answered is not asked any more.
pub fn note(note: &Note, checked: bool) -> String {
    let doubt = if checked { "" } else { "; --check-link finds out" };
    match note {
        Note::Echo => "the head returns what we send".into(),
        Note::ParityInSight => {
            "the identification came with its parity bits in sight (an 8N1 line to a 7E1 meter)".into()
        }
        Note::StrayCharacters(count) => {
            format!("{} of noise came before the identification", text::count(*count, "byte"))
        }
        Note::LongIdent(length) => format!("the ident has {length} characters, the standard allows 16"),
        Note::BlankBaudCharacter => "the baud character is a blank; taken for 9600 Bd".into(),
        Note::Attempts(count) => format!("the meter answered request {count}"),
        Note::ControlCharacters(count) => {
            format!("the identification has {} in it", text::count(*count, "control character"))
        }
        Note::FreedByLink(rate) => {
            format!("the meter was in HDLC at {rate} Bd without a link: SNRM and DISC freed it")
        }
        Note::FreedByDisc(rate) => format!("a DISC at {rate} Bd freed the meter from an earlier session"),
        Note::ConfirmedAtOldRate(rate) => {
            format!("the confirmation came before the change of rate, at {rate} Bd")
        }
        Note::ConfirmedOther { confirmed, sent } => {
            let says = format!("`{}` for `{}`", text::escaped(&confirmed.says), text::escaped(sent));
            match confirmed.parity {
                ParityCheck::Right => {
                    format!("the confirmation says {says}: rate or mode may not be in force{doubt}")
                }
                ParityCheck::Wrong { .. } => {
                    format!("the confirmation could not be read well: {says}, with wrong parity")
                }
                ParityCheck::Absent => format!(
                    "the confirmation says {says}: rate or mode may not be in force, or a character was damaged{doubt}"
                ),
            }
        }
        Note::Unconfirmed => "the meter did not confirm; many never do".into(),
        Note::Unreadable(count) => format!(
            "{} came in place of a confirmation and could not be read: perhaps a confirmation or a NAK at another rate",
            text::count(*count, "byte")
        ),
        Note::ForcedUnconfirmed(rate) => {
            format!(
                "{rate} Bd is not what the meter offered, and it did not confirm: the rate may not be in force{doubt}"
            )
        }
    }
}
