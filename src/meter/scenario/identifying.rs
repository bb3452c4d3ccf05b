//! What meters identify themselves with.

use super::{Scenario, ms};
use crate::meter::behaviour::Behaviour;

pub(super) fn identifies(behaviour: &mut Behaviour, line: &[u8]) {
    behaviour.identification = line.to_vec();
}

pub(super) const ALL: &[Scenario] = &[
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
];
