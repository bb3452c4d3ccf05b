//! Meters of the book, and what they do with an acknowledgement.

use super::identifying::identifies;
use super::{Scenario, ms};
use crate::meter::behaviour::{Acknowledged, Confirmation};
use crate::meter::vectors::readout;
use crate::protocol::hdlc;
use crate::protocol::message;

fn confirms(change: impl FnOnce(&mut Confirmation)) -> Acknowledged {
    let mut confirmation = Confirmation::default();
    change(&mut confirmation);
    Acknowledged::Confirms(confirmation)
}

pub(super) const ALL: &[Scenario] = &[
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
];
