//! Meters, heads and noise that a sign-on must not be deceived by, nor held up for ever.

use super::{Scenario, ms};
use crate::meter::behaviour::{Acknowledged, Behaviour, Echo, Push};
use crate::protocol::parity;

/// More bytes than anybody waits for.
const ENDLESS: usize = 4000;

/// Sends these bytes again and again, and hears nothing.
fn repeats(behaviour: &mut Behaviour, bytes: &[u8], period: u64) {
    behaviour.deaf_for = u32::MAX;
    behaviour.pushes = Some(Push { telegram: bytes.to_vec(), settings: None, period: ms(period) });
}

/// Answers the acknowledgement with these bytes, and is in HDLC.
fn answers(behaviour: &mut Behaviour, bytes: &[u8]) {
    behaviour.acknowledged = Acknowledged::Refuses { answer: bytes.to_vec(), at_new_rate: true, stays: true };
}

pub(super) const ALL: &[Scenario] = &[
    Scenario {
        name: "echo-twice",
        summary: "the head returns every message twice",
        change: |b| b.echo = Some(Echo { copies: 2, ..Echo::default() }),
    },
    Scenario {
        name: "echo-cut",
        summary: "the head returns every message, the acknowledgement without its end",
        change: |b| b.echo = Some(Echo { cut: 2, ..Echo::default() }),
    },
    Scenario {
        name: "echo-packed",
        summary: "every message comes back as one piece, 250 ms late",
        change: |b| b.echo = Some(Echo { packed: Some(ms(250)), ..Echo::default() }),
    },
    Scenario {
        name: "confirm-other",
        summary: "answers the acknowledgement with ACK 0 5 0",
        change: |b| answers(b, b"\x06050\r\n"),
    },
    Scenario {
        name: "confirm-other-mode",
        summary: "answers the acknowledgement with ACK 2 5 1",
        change: |b| answers(b, b"\x06251\r\n"),
    },
    Scenario {
        name: "confirm-other-rate",
        summary: "answers the acknowledgement with ACK 2 0 2",
        change: |b| answers(b, b"\x06202\r\n"),
    },
    Scenario {
        name: "nak-copy",
        summary: "answers with NAK, and with a copy of the acknowledgement behind it",
        change: |b| {
            let answer = b"\x15\x06252\r\n".to_vec();
            b.acknowledged = Acknowledged::Refuses { answer, at_new_rate: true, stays: false };
        },
    },
    Scenario {
        name: "many-flips",
        summary: "five characters of every identification are damaged",
        change: |b| {
            let mut line = parity::all_with_even(&[&b.identification[..], b"\r\n"].concat());
            line.iter_mut().skip(6).step_by(2).take(5).for_each(|byte| *byte ^= 0x80);
            b.raw = Some(line);
        },
    },
    Scenario { name: "two-letters", summary: "KJ, then nothing", change: |b| b.raw = Some(b"KJ".to_vec()) },
    Scenario {
        name: "z-zero",
        summary: "offers Z = 0, that is 300 Bd",
        change: |b| b.identification[4] = b'0',
    },
    Scenario {
        name: "for-ever-zeros",
        summary: "00 without an end, hears nothing",
        change: |b| repeats(b, &[0; 30], 1000),
    },
    Scenario {
        name: "for-ever-text",
        summary: "55 without an end, hears nothing",
        change: |b| repeats(b, &[0x55; 30], 1000),
    },
    Scenario {
        name: "for-ever-ends",
        summary: "CR without an end, hears nothing",
        change: |b| repeats(b, &[b'\r'; 30], 1000),
    },
    Scenario {
        name: "for-ever-drip",
        summary: "00 every 1.4 s, hears nothing",
        change: |b| repeats(b, &[0], 1400),
    },
    Scenario {
        name: "for-ever-idents",
        summary: "its identification every 100 ms, hears nothing",
        change: |b| repeats(b, b"/ISK5\\2MT382-1000\r\n", 733),
    },
    Scenario {
        name: "for-ever-ack",
        summary: "06 without an end in place of the confirmation",
        change: |b| answers(b, &[0x06; ENDLESS]),
    },
    Scenario {
        name: "for-ever-nak",
        summary: "NAK without an end in place of the confirmation",
        change: |b| answers(b, &[0x15; ENDLESS]),
    },
    Scenario {
        name: "for-ever-soh",
        summary: "01 without an end in place of the confirmation",
        change: |b| answers(b, &[0x01; ENDLESS]),
    },
    Scenario {
        name: "for-ever-ones",
        summary: "FF without an end in place of the confirmation",
        change: |b| answers(b, &[0xFF; ENDLESS]),
    },
];
