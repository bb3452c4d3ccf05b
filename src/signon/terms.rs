//! On what terms an identification is acknowledged: by whom it may be, at which rate, or why not at all; and what it is
//! called when none came.

use crate::baud;
use crate::diagnosis::{self, Content};
use crate::identification::{IDENT_MAX, Identification};
use crate::signon::config::Config;
use crate::signon::outcome::{Failure, Note};

/// Why the acknowledgement must not be sent, if there is a reason.
pub(super) fn refusal(config: &Config, identification: &Identification) -> Option<Failure> {
    let accepted = &config.manufacturers;
    if !accepted.is_empty() && !accepted.contains(&identification.flag_id()) {
        return Some(Failure::WrongManufacturer);
    }
    if config.ident_only {
        return None;
    }
    if !identification.offers_mode_e() && !config.force {
        return Some(Failure::NoModeE);
    }
    data_rate(config, identification).is_none().then_some(Failure::UnknownBaud)
}

/// The rate for HDLC in Bd: the one asked for, or the one offered.
pub(super) fn data_rate(config: &Config, identification: &Identification) -> Option<u32> {
    let offered =
        if has_blank_rate(identification) { Some(9600) } else { baud::of_digit(identification.z()) };
    config.forced_baud.or(offered)
}

/// Whether the baud character is a blank beside an offer of mode E: one maker's way to say 9600.
fn has_blank_rate(identification: &Identification) -> bool {
    identification.z() == b' ' && identification.offers_mode_e()
}

/// What is out of the ordinary about an identification that is accepted.
pub(super) fn notes(
    config: &Config,
    identification: &Identification,
    parity_in_sight: bool,
) -> impl Iterator<Item = Note> {
    let length = identification.ident().len();
    let guessed = has_blank_rate(identification) && config.forced_baud.is_none() && !config.ident_only;
    [
        (parity_in_sight && !config.expects_parity).then_some(Note::ParityInSight),
        (length > IDENT_MAX).then_some(Note::LongIdent(length)),
        guessed.then_some(Note::BlankBaudCharacter),
    ]
    .into_iter()
    .flatten()
}

/// What an attempt failed with that heard this, and no identification in it.
pub(super) fn unusable(heard: &[u8], echo: bool) -> Failure {
    if heard.is_empty() {
        return if echo { Failure::EchoOnly } else { Failure::Silent };
    }
    match diagnosis::content(heard) {
        Content::Garbled => Failure::Garbled,
        Content::Text => Failure::NoIdentification,
        Content::Telegram => Failure::Push,
        Content::Sml => Failure::Sml,
        Content::Hdlc => Failure::Hdlc,
    }
}
