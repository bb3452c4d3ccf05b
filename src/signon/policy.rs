//! Whether to acknowledge, and at which rate: whom, or why not at all; and what it is called when no identification came.

use crate::protocol::baud;
use crate::protocol::content::{self, Content};
use crate::protocol::identification::{IDENT_MAX, Identification};
use crate::protocol::message;
use crate::protocol::parity::{self, Parity};
use crate::signon::config::Config;
use crate::signon::outcome::{Failed, Failure, Note};

/// The baud character to acknowledge with, and the rate in Bd that it names; nothing where the identification alone was
/// asked for. Or the reason why not.
pub(super) fn terms(config: &Config, identification: &Identification) -> Result<Option<(u8, u32)>, Failure> {
    let accepted = &config.manufacturers;
    if !accepted.is_empty() && !accepted.contains(&identification.flag_id()) {
        return Err(Failure::WrongManufacturer);
    }
    if config.ident_only {
        return Ok(None);
    }
    if !identification.offers_mode_e() && !config.force {
        return Err(Failure::NoModeE);
    }
    let rate = config.forced_baud.or(offered_rate(identification)).ok_or(Failure::UnknownBaud)?;
    Ok(Some((baud::digit(rate).ok_or(Failure::UnknownBaud)?, rate)))
}

/// The rate for HDLC in Bd that the meter offers.
pub(super) fn offered_rate(identification: &Identification) -> Option<u32> {
    if has_blank_rate(identification) { Some(9600) } else { baud::of_digit(identification.z()) }
}

/// Whether the baud character is a blank beside an offer of mode E: one maker's way to say 9600.
fn has_blank_rate(identification: &Identification) -> bool {
    identification.z() == b' ' && identification.offers_mode_e()
}

/// What is out of the ordinary about an identification that is accepted, on a line where this side computes parity so.
pub(super) fn notes(
    config: &Config,
    identification: &Identification,
    parity: Parity,
    has_parity: bool,
) -> impl Iterator<Item = Note> {
    let length = identification.ident().len();
    let controls = identification.line().iter().filter(|byte| byte.is_ascii_control()).count();
    let guessed = has_blank_rate(identification) && config.forced_baud.is_none() && !config.ident_only;
    [
        (has_parity && parity == Parity::None).then_some(Note::ParityInSight),
        (length > IDENT_MAX).then_some(Note::LongIdent(length)),
        (controls > 0).then_some(Note::ControlCharacters(controls)),
        guessed.then_some(Note::BlankBaudCharacter),
    ]
    .into_iter()
    .flatten()
}

/// What an attempt failed with that heard this, not empty, and no identification in it; and how an `earlier` one did.
pub(super) fn unusable(heard: &[u8], request: &[u8], earlier: Option<&Failed>) -> Failure {
    if is_broken_echo(heard, request) {
        return Failure::EchoOnly;
    }
    match content::of(heard) {
        Content::Garbled => Failure::Garbled,
        Content::Text => Failure::NoIdentification,
        Content::Telegram if is_our_doing(heard, earlier) => Failure::NoIdentification,
        Content::Telegram => Failure::Push,
        Content::Sml => Failure::Sml,
        Content::Hdlc => Failure::Hdlc,
    }
}

/// Whether text with values is a readout that our own earlier request has brought about: it opens with STX, or an
/// identification came before, which was left unacknowledged.
fn is_our_doing(heard: &[u8], earlier: Option<&Failed>) -> bool {
    earlier.is_some_and(|earlier| {
        matches!(earlier.failure, Failure::Parity(_) | Failure::TooSlow(_))
            || heard.iter().any(|&byte| parity::strip(byte) == message::STX)
    })
}

/// Whether all of it is our request with characters missing, perhaps behind what is left of our break message.
fn is_broken_echo(heard: &[u8], request: &[u8]) -> bool {
    (0..heard.len()).any(|at| {
        let (before, echo) = heard.split_at(at);
        // A meter's line can open with `/`, too.
        let says_something =
            echo.iter().any(|&byte| matches!(parity::strip(byte), b'!'..=b'.' | b'0'..=b'~'));
        echo.len() >= 2 && says_something && is_rest_of(echo, request) && is_rest_of(before, &message::BREAK)
    })
}

/// Whether `heard` is `sent` with characters missing.
fn is_rest_of(heard: &[u8], sent: &[u8]) -> bool {
    let mut sent = sent.iter();
    heard.iter().all(|&byte| sent.any(|&sent| sent == parity::strip(byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_head_returns_in_part_is_an_echo() {
        for heard in [&b"/?"[..], b"!\r\n", b"0\x03q!\r\n", b"\x01B/?", b"\x81B0\x03q?!\r\n"] {
            assert_eq!(unusable(heard, b"/?!\r\n", None), Failure::EchoOnly, "{heard:x?}");
        }
        for heard in [&b"/"[..], b"\r\n", b"/\r\n", b"/?!x\r\n", b"/?!\r\nq", &message::BREAK] {
            assert_ne!(unusable(heard, b"/?!\r\n", None), Failure::EchoOnly, "{heard:x?}");
        }
    }
}
