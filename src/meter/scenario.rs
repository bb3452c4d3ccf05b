//! The faults and quirks of real meters, heads and adapters by name.
//!
//! A scenario is a change to the meter of the book, so scenarios combine: `echo+noise+slow+no-confirm` is all four at
//! once.

use std::time::Duration;

use crate::meter::behaviour::{
    Acknowledged, Begins, Behaviour, Confirmation, Echo, Flip, Link, Push, Unplugged,
};
use crate::meter::vectors::{PARAMETERS, SML, TELEGRAM, readout};
use crate::protocol::hdlc;
use crate::protocol::message;
use crate::protocol::timing;

/// A scenario's name, what it plays in a few words, and the change that it makes.
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    /// What it plays.
    pub summary: &'static str,
    change: fn(&mut Behaviour),
}

/// A name that no scenario has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no scenario `{0}`")]
pub struct UnknownScenario(pub String);

/// The behaviour of the named scenarios together, joined by `+`; nothing at all is the meter of the book.
pub fn behaviour(names: &str) -> Result<Behaviour, UnknownScenario> {
    let mut behaviour = Behaviour::default();
    apply(names, &mut behaviour)?;
    Ok(behaviour)
}

/// Changes `behaviour` as the named scenarios say.
pub fn apply(names: &str, behaviour: &mut Behaviour) -> Result<(), UnknownScenario> {
    for name in names.split('+').filter(|_| !names.is_empty()) {
        let scenario = ALL.iter().find(|scenario| scenario.name == name);
        (scenario.ok_or_else(|| UnknownScenario(name.to_owned()))?.change)(behaviour);
    }
    Ok(())
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn confirms(change: impl FnOnce(&mut Confirmation)) -> Acknowledged {
    let mut confirmation = Confirmation::default();
    change(&mut confirmation);
    Acknowledged::Confirms(confirmation)
}

fn identifies(behaviour: &mut Behaviour, line: &[u8]) {
    behaviour.identification = line.to_vec();
}

fn pushes(behaviour: &mut Behaviour, telegram: &[u8]) {
    behaviour.deaf_for = u32::MAX;
    behaviour.pushes = Some(Push { telegram: telegram.to_vec(), period: ms(2000) });
}

/// All scenarios, in the order in which they are listed.
pub const ALL: &[Scenario] = &[
    Scenario { name: "book", summary: "by the book: answers after 250 ms, confirms", change: |_| {} },
    Scenario {
        name: "slow",
        summary: "reacts after 1.5 s, pauses up to 1.4 s within its identification",
        change: |b| {
            b.reaction = ms(1500);
            b.confirm_reaction = ms(1500);
            b.pauses = vec![(1, ms(1400)), (6, ms(700)), (-1, ms(400))];
        },
    },
    Scenario {
        name: "fast",
        summary: "lower-case third letter: reacts after 20 ms",
        change: |b| {
            b.identification[3..4].make_ascii_lowercase();
            b.reaction = ms(20);
            b.confirm_reaction = ms(20);
        },
    },
    Scenario {
        name: "no-confirm",
        summary: "/NIK5\\2 NIK 2104ARPx, never confirms",
        change: |b| {
            identifies(b, b"/NIK5\\2 NIK 2104ARPx");
            b.acknowledged = Acknowledged::SaysNothing;
        },
    },
    Scenario {
        name: "confirm-plain",
        summary: "confirms without parity bits",
        change: |b| b.acknowledged = confirms(|c| c.parity = false),
    },
    Scenario {
        name: "confirm-extra-lf",
        summary: "confirms with one LF too many",
        change: |b| b.acknowledged = confirms(|c| c.glued = vec![b'\n']),
    },
    Scenario {
        name: "confirm-old-rate",
        summary: "confirms at the rate of the sign-on",
        change: |b| b.acknowledged = confirms(|c| c.at_old_rate = true),
    },
    Scenario {
        name: "confirm-split",
        summary: "pauses for 120 ms within its confirmation",
        change: |b| b.acknowledged = confirms(|c| c.pause = Some((2, ms(120)))),
    },
    Scenario {
        name: "confirm-glued",
        summary: "an HDLC frame is glued to the confirmation",
        change: |b| b.acknowledged = confirms(|c| c.glued = hdlc::SNRM.to_vec()),
    },
    Scenario {
        name: "hdlc-at-once",
        summary: "an HDLC frame in place of the confirmation",
        change: |b| {
            b.acknowledged =
                Acknowledged::Refuses { answer: hdlc::SNRM.to_vec(), at_new_rate: true, stays: true };
        },
    },
    Scenario {
        name: "readout-at-z",
        summary: "/APA5\\2NORAX30, sends a readout at the new rate",
        change: |b| {
            identifies(b, b"/APA5\\2NORAX30");
            b.acknowledged = Acknowledged::Refuses { answer: readout(), at_new_rate: true, stays: false };
        },
    },
    Scenario {
        name: "readout-at-300",
        summary: "/APA5\\2NORAX30, sends a readout at the rate of the sign-on",
        change: |b| {
            identifies(b, b"/APA5\\2NORAX30");
            b.acknowledged = Acknowledged::Refuses { answer: readout(), at_new_rate: false, stays: false };
        },
    },
    Scenario {
        name: "nak",
        summary: "answers the acknowledgement with NAK",
        change: |b| {
            b.acknowledged =
                Acknowledged::Refuses { answer: vec![message::NAK], at_new_rate: true, stays: false };
        },
    },
    Scenario {
        name: "nak-break",
        summary: "answers the acknowledgement with the break message",
        change: |b| {
            let answer = message::BREAK.to_vec();
            b.acknowledged = Acknowledged::Refuses { answer, at_new_rate: true, stays: false };
        },
    },
    Scenario {
        name: "mode-c",
        summary: "/LGZ4ZMF100AC.M23, no mode E",
        change: |b| identifies(b, b"/LGZ4ZMF100AC.M23"),
    },
    Scenario {
        name: "two-escapes",
        summary: "/EMH5\\@\\201LZQJL0013F",
        change: |b| identifies(b, b"/EMH5\\@\\201LZQJL0013F"),
    },
    Scenario {
        name: "odd-z",
        summary: "offers Z = 7, that is 38400 Bd",
        change: |b| b.identification[4] = b'7',
    },
    Scenario {
        name: "odd-z-blank",
        summary: "offers Z = blank, that is 9600 Bd",
        change: |b| b.identification[4] = b' ',
    },
    Scenario {
        name: "odd-z-letter",
        summary: "offers mode E with Z = D, which names no rate there",
        change: |b| b.identification[4] = b'D',
    },
    Scenario {
        name: "empty-ident",
        summary: "??/VMQ5\\2, nothing behind it",
        change: |b| {
            identifies(b, b"/VMQ5\\2");
            b.junk = b"??".to_vec();
        },
    },
    Scenario {
        name: "long-ident",
        summary: "an ident of 26 characters",
        change: |b| identifies(b, b"/ISK5\\2ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    },
    Scenario {
        name: "endless-ident",
        summary: "an ident of 200 characters without an end",
        change: |b| {
            b.identification.resize(205, b'x');
            b.end.clear();
        },
    },
    Scenario {
        name: "drip",
        summary: "a character of its identification every 1.2 s",
        change: |b| b.pauses = (1..20).map(|place| (place, ms(1167))).collect(),
    },
    Scenario {
        name: "lf-only",
        summary: "the identification ends with LF alone",
        change: |b| b.end = b"\n".to_vec(),
    },
    Scenario {
        name: "cr-only",
        summary: "the identification ends with CR alone",
        change: |b| b.end = b"\r".to_vec(),
    },
    Scenario {
        name: "double-answer",
        summary: "misses the first request, answers the second twice",
        change: |b| {
            b.deaf_for = 1;
            b.repeats_after = Some(ms(220));
        },
    },
    Scenario {
        name: "echo",
        summary: "the head returns every byte at once",
        change: |b| b.echo = Some(Echo { late: 0 }),
    },
    Scenario {
        name: "echo-late",
        summary: "the head returns every byte a character late",
        change: |b| b.echo = Some(Echo { late: 1 }),
    },
    Scenario {
        name: "noise",
        summary: "00 FF 7F before the identification",
        change: |b| b.junk = b"\x00\xFF\x7F".to_vec(),
    },
    Scenario {
        name: "noise-line",
        summary: "a junk line with a `/` in it before the identification",
        change: |b| b.junk = b"x/junk\r\n".to_vec(),
    },
    Scenario {
        name: "high-bits",
        summary: "the parity bits of the identification are in sight",
        change: |b| b.parity_in_sight = true,
    },
    Scenario {
        name: "bad-parity",
        summary: "one bit of the first identification is flipped",
        change: |b| {
            b.parity_in_sight = true;
            b.flip = Some(Flip { place: 9, bit: 2, times: 1 });
        },
    },
    Scenario {
        name: "bad-parity-always",
        summary: "one bit of every identification is flipped",
        change: |b| {
            b.parity_in_sight = true;
            b.flip = Some(Flip { place: 9, bit: 2, times: u32::MAX });
        },
    },
    Scenario {
        name: "wrong-rate",
        summary: "answers with the bytes of another rate",
        change: |b| b.raw = Some(b"\x80\xC0\x00\x80\xFE\x00\xE0\x80\xC0\xF8".to_vec()),
    },
    Scenario {
        name: "push",
        summary: "/LOG5LK13BE.. telegrams every 2 s, hears nothing",
        change: |b| pushes(b, TELEGRAM),
    },
    Scenario { name: "sml", summary: "SML telegrams every 2 s, hears nothing", change: |b| pushes(b, SML) },
    Scenario {
        name: "hdlc-push",
        summary: "HDLC frames every 2 s, hears nothing",
        change: |b| pushes(b, &hdlc::SNRM),
    },
    Scenario { name: "asleep", summary: "does not hear the first request", change: |b| b.deaf_for = 1 },
    Scenario { name: "wake-up", summary: "answers after a wake-up only", change: |b| b.sleeps = true },
    Scenario {
        name: "addressed",
        summary: "answers to /?12345678! only",
        change: |b| b.address = Some(b"12345678".to_vec()),
    },
    Scenario {
        name: "hung",
        summary: "in HDLC at 9600 Bd, deaf to anything but DISC",
        change: |b| b.begins = Begins::InHdlc(9600, timing::INACTIVITY),
    },
    Scenario {
        name: "hung-session",
        summary: "in an older session at 300 Bd, deaf to anything but the break message",
        change: |b| b.begins = Begins::InSession,
    },
    Scenario {
        name: "start-rate",
        summary: "hears requests at 2400, 4800 and 9600 Bd only",
        change: |b| b.start_bauds = vec![2400, 4800, 9600],
    },
    Scenario {
        name: "forced",
        summary: "offers 9600 Bd, follows the acknowledgement",
        change: |b| b.identification[4] = b'5',
    },
    Scenario {
        name: "forced-ignored",
        summary: "offers 9600 Bd, goes there whatever the acknowledgement says",
        change: |b| {
            b.identification[4] = b'5';
            b.insists_on = Some(9600);
        },
    },
    Scenario {
        name: "link-params",
        summary: "opens the HDLC link with parameters of its own",
        change: |b| b.link = Link::Opens(PARAMETERS.to_vec()),
    },
    Scenario {
        name: "link-refused",
        summary: "confirms, and answers SNRM with DM",
        change: |b| b.link = Link::Refuses,
    },
    Scenario {
        name: "link-dead",
        summary: "confirms, and says nothing in HDLC",
        change: |b| b.link = Link::Deaf,
    },
    Scenario { name: "silent", summary: "nothing ever", change: |b| b.deaf_for = u32::MAX },
    Scenario { name: "cut", summary: "the identification stops in the middle", change: |b| b.cut = Some(9) },
    Scenario {
        name: "unplugged",
        summary: "the port goes away during the identification",
        change: |b| b.unplugged = Some(Unplugged::InIdentification(8)),
    },
    Scenario {
        name: "unplugged-early",
        summary: "the port goes away 400 ms after the first byte",
        change: |b| b.unplugged = Some(Unplugged::After(ms(400))),
    },
    Scenario {
        name: "unplugged-late",
        summary: "the port goes away after the acknowledgement",
        change: |b| b.unplugged = Some(Unplugged::AfterAcknowledgement),
    },
    Scenario {
        name: "late-drain",
        summary: "the adapter says that all is sent, and lags 5 ms",
        change: |b| b.adapter_lag = Some(ms(5)),
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenarios_combine() {
        let both = behaviour("echo+noise+slow+no-confirm").unwrap();
        assert!(both.echo.is_some() && !both.junk.is_empty() && !both.pauses.is_empty());
        assert_eq!(both.acknowledged, Acknowledged::SaysNothing);
        assert_eq!(behaviour("").unwrap(), Behaviour::default());
        assert_eq!(behaviour("echo+nose"), Err(UnknownScenario("nose".into())));
    }

    #[test]
    fn names_are_used_once() {
        for (place, scenario) in ALL.iter().enumerate() {
            assert!(ALL[..place].iter().all(|other| other.name != scenario.name), "{}", scenario.name);
        }
    }
}
