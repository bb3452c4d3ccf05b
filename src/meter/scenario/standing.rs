//! Where a meter stands when it is asked, whom it hears, and what its head and its adapter do.

use super::{Scenario, ms};
use crate::meter::behaviour::{Begins, Behaviour, Echo, Flip, Hears, Link, Push, Station, Unplugged};
use crate::meter::vectors::{PARAMETERS, SML, TELEGRAM};
use crate::protocol::hdlc::{self, Server};
use crate::protocol::timing;

fn pushes(behaviour: &mut Behaviour, telegram: &[u8]) {
    behaviour.deaf_for = u32::MAX;
    behaviour.pushes = Some(Push { telegram: telegram.to_vec(), settings: None, period: ms(2000) });
}

pub(super) const ALL: &[Scenario] = &[
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
        change: |b| b.echo = Some(Echo::default()),
    },
    Scenario {
        name: "echo-late",
        summary: "the head returns every byte a character late",
        change: |b| b.echo = Some(Echo { late: 1, ..Echo::default() }),
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
        name: "hung-unlinked",
        summary: "signed on at 9600 Bd and never linked: answers DISC with DM, leaves on SNRM, UA, DISC",
        change: |b| {
            b.begins = Begins::Unlinked(9600, timing::INACTIVITY);
            b.stays_unlinked = true;
        },
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
    Scenario {
        name: "key-first",
        summary: "the port is dead until a key is pressed, after 20 s",
        change: |b| b.key_after = Some(ms(20_000)),
    },
    Scenario {
        name: "direct",
        summary: "in HDLC at 9600 Bd for good: there is no sign-on",
        change: |b| b.begins = Begins::Direct(9600),
    },
    Scenario {
        name: "all-stations",
        summary: "answers SNRM only to FE FE FE FF, as 1/17 in four bytes",
        change: |b| {
            b.station = Server::from_field(&[0x00, 0x02, 0x00, 0x23]).map(|server| Station {
                server,
                hears: Hears::AllStations,
                client: None,
            });
        },
    },
];
