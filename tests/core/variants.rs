//! Many more of the kind: meters, heads and adapters beyond those that have a scenario, one a line, each with what it
//! has to come to.

use std::time::Instant;

use iecprobe::machine::{Action, Machine, Step};
use iecprobe::meter::behaviour::{Acknowledged, Begins, Behaviour, Confirmation, Echo, Flip, Push};
use iecprobe::protocol::hdlc;
use iecprobe::protocol::message::Request;
use iecprobe::protocol::parity::ParityCheck;
use iecprobe::signon::{Config, Confirm, Failure, Note, SignOn, WakeUp};

use crate::simulated::{End, Fault, Faults, PARITIES, Reads, Run, Simulation, ms};

type B = Behaviour;
type C = Config;

struct Case {
    name: &'static str,
    scenarios: &'static str,
    behaviour: fn(&mut B),
    config: fn(&mut C),
    outcome: &'static str,
}

const fn case(
    name: &'static str,
    scenarios: &'static str,
    behaviour: fn(&mut B),
    config: fn(&mut C),
    outcome: &'static str,
) -> Case {
    Case { name, scenarios, behaviour, config, outcome }
}

fn note(note: &Note) -> String {
    match note {
        Note::Echo => "echo".into(),
        Note::ParityInSight => "parity-in-sight".into(),
        Note::StrayCharacters(count) => format!("strays-{count}"),
        Note::LongIdent(length) => format!("long-{length}"),
        Note::BlankBaudCharacter => "blank".into(),
        Note::Attempts(count) => format!("attempts-{count}"),
        Note::ControlCharacters(count) => format!("controls-{count}"),
        Note::FreedByDisc(rate) => format!("freed-{rate}"),
        Note::FreedByLink(rate) => format!("unlinked-{rate}"),
        Note::ConfirmedAtOldRate(_) => "early".into(),
        Note::ConfirmedOther { confirmed, .. } => match confirmed.parity {
            ParityCheck::Wrong { .. } => "other-damaged".into(),
            parity => format!("other-{parity:?}"),
        },
        Note::Unconfirmed => "unconfirmed".into(),
        Note::Unreadable(_) => "unreadable".into(),
        Note::ForcedUnconfirmed(_) => "forced-unconfirmed".into(),
    }
}

/// A run in a few words. What depends on how bytes are cut into reads, or on parity bits in sight, is left out.
fn outcome(run: &Run) -> String {
    match &run.end {
        End::SignedOn(done) => {
            let confirmed = match done.confirmed {
                Some(true) => "yes",
                Some(false) => "no",
                None => "-",
            };
            let notes = done.notes.iter().filter(|note| **note != Note::ParityInSight);
            let notes: Vec<String> = notes.map(note).collect();
            let junk = done.rest.first().is_some_and(|&byte| byte != hdlc::FLAG);
            let rest = if junk { format!(" rest {:02X?}", done.rest) } else { String::new() };
            let elsewhere = !run.meter_in_hdlc || run.meter_rate != done.baud;
            let hdlc = if elsewhere { " elsewhere" } else { "" };
            format!("{} {confirmed} [{}]{rest}{hdlc}", done.baud, notes.join(" "))
        }
        End::Failed(failed) => {
            let what = match &failed.failure {
                Failure::Parity(damage) => format!("Parity({}, {})", damage.place, damage.count),
                Failure::Unconfirmed(1..) => "Unconfirmed(some)".into(),
                other => format!("{other:?}"),
            };
            format!("{what} after {}", failed.attempts)
        }
        End::LineLost(_) => "lost".into(),
    }
}

fn none<T>(_: &mut T) {}

fn ident(b: &mut B, line: &[u8]) {
    b.identification = line.to_vec();
}

fn answers(b: &mut B, answer: &[u8]) {
    b.acknowledged = Acknowledged::Refuses { answer: answer.to_vec(), at_new_rate: true, stays: false };
}

fn answers_old(b: &mut B, answer: &[u8]) {
    b.acknowledged = Acknowledged::Refuses { answer: answer.to_vec(), at_new_rate: false, stays: false };
}

fn stays(b: &mut B, answer: &[u8]) {
    b.acknowledged = Acknowledged::Refuses { answer: answer.to_vec(), at_new_rate: true, stays: true };
}

fn confirms(b: &mut B, pause: usize, length: u64) {
    b.acknowledged =
        Acknowledged::Confirms(Confirmation { pause: Some((pause, ms(length))), ..Confirmation::default() });
}

fn pushes(b: &mut B, telegram: &[u8], period: u64) {
    b.deaf_for = u32::MAX;
    b.pushes = Some(Push { telegram: telegram.to_vec(), settings: None, period: ms(period) });
}

const P1: &[u8] = b"/ISk5\\2MT382-1000\r\n\r\n0-0:96.1.1(4B384547303034303436333935353037)\r\n1-0:1.8.1(12345.678*kWh)\r\n!1234\r\n";

/// Fewer than this, and some were lost.
const COUNT: usize = 268;

#[rustfmt::skip]
const CASES: &[Case] = &[
    case("tr 200", "", |b| (b.reaction, b.confirm_reaction) = (ms(200), ms(200)), none, "9600 yes []"),
    case("tr 1500", "", |b| (b.reaction, b.confirm_reaction) = (ms(1500), ms(1500)), none, "9600 yes []"),
    case("fast tr 20", "fast", none, none, "9600 yes []"),
    case("fast but slow", "fast+slow", |b| (b.reaction, b.confirm_reaction) = (ms(1500), ms(1500)), none, "9600 yes []"),
    case("fast with gaps", "fast", |b| b.pauses = vec![(3, ms(1490)), (10, ms(1490)), (-2, ms(1490))], none, "9600 yes []"),
    case("all gaps 100ms", "", |b| b.pauses = (0..19).map(|at| (at, ms(100))).collect(), none, "9600 yes []"),
    case("gap 1490 at /", "", |b| b.pauses = vec![(1, ms(1490)), (2, ms(1490)), (17, ms(1490))], none, "9600 yes []"),
    case("LF 490 late", "", |b| b.pauses = vec![(-1, ms(490))], none, "9600 yes []"),
    case("LF 600 late", "", |b| b.pauses = vec![(-1, ms(600))], none, "9600 yes []"),
    case("LF 490 late fast", "fast", |b| b.pauses = vec![(-1, ms(490))], none, "9600 yes []"),
    case("LF 400 late echo", "echo", |b| b.pauses = vec![(-1, ms(400))], none, "9600 yes [echo]"),
    case("LF 700 late echo", "echo-late", |b| b.pauses = vec![(-1, ms(700))], none, "9600 yes [echo]"),
    case("confirm 1500 gap 140", "", |b| { b.confirm_reaction = ms(1500); confirms(b, 1, 140) }, none, "9600 yes []"),
    case("confirm 1500 gap 1490", "", |b| { b.confirm_reaction = ms(1500); confirms(b, 5, 1490) }, none, "9600 yes []"),
    case("confirm 1650", "", |b| b.confirm_reaction = ms(1650), none, "9600 yes []"),
    case("confirm 1500 at 300", "", |b| { b.confirm_reaction = ms(1500); ident(b, b"/ISK0\\2MT382-1000") }, none, "300 yes []"),
    case("nak parity", "", |b| answers(b, b"\x95"), none, "RefusedByNak after 1"),
    case("nak 1500", "nak", |b| b.confirm_reaction = ms(1500), none, "RefusedByNak after 1"),
    case("nak twice", "", |b| answers(b, b"\x15\x15"), none, "RefusedByNak after 1"),
    case("nak crlf", "", |b| answers(b, b"\x15\r\n"), none, "RefusedByNak after 1"),
    case("nak crlf parity", "", |b| answers(b, b"\x95\x8d\x0a"), none, "RefusedByNak after 1"),
    case("00 nak", "", |b| answers(b, b"\x00\x15"), none, "RefusedByNak after 1"),
    case("FF nak", "", |b| answers(b, b"\xFF\x15"), none, "RefusedByNak after 1"),
    case("nak old", "", |b| answers_old(b, b"\x15"), none, "9600 no [unreadable] elsewhere"),
    case("break old", "", |b| answers_old(b, b"\x01B0\x03\x71"), none, "9600 no [unreadable] elsewhere"),
    case("break parity", "", |b| answers(b, b"\x81\x42\x30\x03\x71"), none, "RefusedByBreak after 1"),
    case("break glued", "", |b| answers(b, b"\x01B0\x03\x71\r\n"), none, "RefusedByBreak after 1"),
    case("break after 00", "", |b| answers(b, b"\x00\x01B0\x03\x71"), none, "RefusedByBreak after 1"),
    case("break twice", "", |b| answers(b, b"\x01B0\x03\x71\x01B0\x03\x71"), none, "RefusedByBreak after 1"),
    case("nak z0", "nak", |b| ident(b, b"/ISK0\\2MT382-1000"), none, "RefusedByNak after 1"),
    case("echo nak", "echo+nak", none, none, "RefusedByNak after 1"),
    case("echo-late nak", "echo-late+nak", none, none, "RefusedByNak after 1"),
    case("echo nak-break", "echo-late+nak-break", none, none, "RefusedByBreak after 1"),
    case("echo readout z", "echo-late+readout-at-z", none, none, "Readout(9600) after 1"),
    case("echo readout 300", "echo-late+readout-at-300", none, none, "Readout(300) after 1"),
    case("echo no-confirm", "echo+no-confirm", none, none, "9600 no [echo unconfirmed]"),
    case("echo-late no-confirm", "echo-late+no-confirm", none, none, "9600 no [echo unconfirmed]"),
    case("echo 2 late", "no-confirm", |b| b.echo = Some(Echo { late: 2, ..Echo::default() }), none, "9600 no [echo unconfirmed]"),
    case("echo 3 late", "", |b| b.echo = Some(Echo { late: 3, ..Echo::default() }), none, "9600 yes [echo]"),
    case("echo-late hdlc", "echo-late+hdlc-at-once", none, none, "9600 no [echo unconfirmed]"),
    case("echo-late glued", "echo-late+confirm-glued", none, none, "9600 yes [echo]"),
    case("echo-late old", "echo-late+confirm-old-rate", none, none, "9600 no [echo unreadable]"),
    case("echo-late fast", "echo-late+fast", none, none, "9600 yes [echo]"),
    case("echo-late fast 20 no", "echo-late+fast", |b| b.acknowledged = Acknowledged::SaysNothing, none, "9600 no [echo unconfirmed]"),
    case("echo z0", "echo", |b| ident(b, b"/ISK0\\2MT382-1000"), none, "300 yes [echo]"),
    case("echo-late z0", "echo-late", |b| ident(b, b"/ISK0\\2MT382-1000"), none, "300 yes [echo]"),
    case("echo-late z0 no-confirm", "echo-late", |b| { ident(b, b"/ISK0\\2MT382-1000"); b.acknowledged = Acknowledged::SaysNothing }, none, "300 no [echo unconfirmed]"),
    case("z0 no-confirm", "", |b| { ident(b, b"/ISK0\\2MT382-1000"); b.acknowledged = Acknowledged::SaysNothing }, none, "300 no [unconfirmed]"),
    case("z0 readout", "readout-at-z", |b| ident(b, b"/ISK0\\2MT382-1000"), none, "Readout(300) after 1"),
    case("z0 double", "double-answer", |b| ident(b, b"/ISK0\\2MT382-1000"), none, "300 yes [attempts-2]"),
    case("z1 readout 300", "readout-at-300", |b| ident(b, b"/ISK1\\2MT382-1000"), none, "Readout(300) after 1"),
    case("z2 readout 300", "readout-at-300", |b| ident(b, b"/ISK2\\2MT382-1000"), none, "Readout(300) after 1"),
    case("z3 readout 300", "readout-at-300", |b| ident(b, b"/ISK3\\2MT382-1000"), none, "Readout(300) after 1"),
    case("z4 readout 300", "readout-at-300", |b| ident(b, b"/ISK4\\2MT382-1000"), none, "Readout(300) after 1"),
    case("z6 readout 300", "readout-at-300", |b| ident(b, b"/ISK6\\2MT382-1000"), none, "Readout(300) after 1"),
    case("z9 readout 300", "readout-at-300", |b| ident(b, b"/ISK9\\2MT382-1000"), none, "Readout(300) after 1"),
    case("z1 old", "confirm-old-rate", |b| ident(b, b"/ISK1\\2MT382-1000"), none, "600 no [unreadable]"),
    case("z2 old", "confirm-old-rate", |b| ident(b, b"/ISK2\\2MT382-1000"), none, "1200 no [unreadable]"),
    case("z3 old", "confirm-old-rate", |b| ident(b, b"/ISK3\\2MT382-1000"), none, "2400 no [unreadable]"),
    case("z0 old", "confirm-old-rate", |b| ident(b, b"/ISK0\\2MT382-1000"), none, "300 yes []"),
    case("z1 readout z", "readout-at-z", |b| ident(b, b"/ISK1\\2MT382-1000"), none, "Readout(600) after 1"),
    case("z9 readout z", "readout-at-z", |b| ident(b, b"/ISK9\\2MT382-1000"), none, "Readout(115200) after 1"),
    case("readout z late", "readout-at-z", |b| b.confirm_reaction = ms(1600), none, "Readout(9600) after 1"),
    case("readout 300 late", "readout-at-300", |b| b.confirm_reaction = ms(1600), none, "Readout(300) after 1"),
    case("readout 300 1.75", "readout-at-300", |b| b.confirm_reaction = ms(1750), none, "9600 no [unconfirmed] elsewhere"),
    case("readout 00 STX", "", |b| answers(b, b"\x00\x02\x30-0:C.1.0(123)\r\n!\r\n\x03\x12"), none, "Readout(9600) after 1"),
    case("readout short", "", |b| answers(b, b"\x02F.F(00)\r\n!\r\n\x03\x12"), none, "Readout(9600) after 1"),
    case("readout without brackets", "", |b| answers(b, b"\x02!\r\n\x03\x12"), none, "Readout(9600) after 1"),
    case("confirm cr only", "cr-only", |b| stays(b, b"\x06\xB2\x35\xB2\x8D"), none, "9600 yes []"),
    case("confirm lf only", "lf-only", |b| stays(b, b"\x06\xB2\x35\xB2\x0A"), none, "9600 yes []"),
    case("confirm cr only plain", "cr-only", |b| stays(b, b"\x06252\r"), none, "9600 yes []"),
    case("confirm no end", "", |b| stays(b, b"\x06252"), none, "9600 yes []"),
    case("confirm mode 0", "", |b| stays(b, b"\x06050\r\n"), none, "9600 no [other-Absent]"),
    case("confirm other z", "", |b| stays(b, b"\x06232\r\n"), none, "9600 yes [other-Absent]"),
    case("confirm flipped z", "", |b| stays(b, b"\x06\xB2\x37\xB2\x8D\x0A"), none, "9600 yes [other-damaged]"),
    case("confirm flipped v", "", |b| stays(b, b"\x06\xB0\x35\xB2\x8D\x0A"), none, "9600 no [other-damaged]"),
    case("confirm after flags", "", |b| stays(b, b"\x7E\x7E\x06\xB2\x35\xB2\x8D\x0A"), none, "9600 yes []"),
    case("confirm crlf first", "", |b| stays(b, b"\r\n\x06\xB2\x35\xB2\x8D\x0A"), none, "9600 yes []"),
    case("confirm bare ack", "", |b| stays(b, b"\x06"), none, "9600 no [unreadable]"),
    case("glitch 00", "", |b| stays(b, b"\x00"), none, "9600 no [unconfirmed]"),
    case("glitch FF", "", |b| stays(b, b"\xFF"), none, "9600 no [unconfirmed]"),
    case("flags only", "", |b| stays(b, b"\x7E\x7E\x7E"), none, "9600 no [unconfirmed]"),
    case("skip", "double-answer", none, |c| c.confirm = Confirm::Skip, "9600 - [attempts-2]"),
    case("skip echo", "echo-late", none, |c| c.confirm = Confirm::Skip, "9600 - [echo]"),
    case("require old", "confirm-old-rate", none, |c| c.confirm = Confirm::Require, "Unconfirmed(some) after 1"),
    case("require hdlc", "hdlc-at-once", none, |c| c.confirm = Confirm::Require, "Unconfirmed(0) after 1"),
    case("require echo-late no", "echo-late+no-confirm", none, |c| c.confirm = Confirm::Require, "Unconfirmed(0) after 1"),
    case("require nak", "nak", none, |c| c.confirm = Confirm::Require, "RefusedByNak after 1"),
    case("force readout", "mode-c+readout-at-z", |b| ident(b, b"/LGZ4ZMF100AC.M23"), |c| c.force = true, "Readout(4800) after 1"),
    case("force nak", "mode-c+nak", none, |c| c.force = true, "RefusedByNak after 1"),
    case("force mode-a", "", |b| ident(b, b"/KAM MC"), |c| c.force = true, "UnknownBaud after 1"),
    case("force mode-b", "", |b| ident(b, b"/ABCE123"), |c| c.force = true, "UnknownBaud after 1"),
    case("force mode-b baud", "", |b| ident(b, b"/ABCE123"), |c| { c.force = true; c.forced_baud = Some(9600) }, "9600 yes []"),
    case("control 0", "", none, |c| c.control = b'0', "Readout(300) after 1"),
    case("forced plain", "confirm-plain", none, |c| c.forced_baud = Some(2400), "2400 yes []"),
    case("forced split", "confirm-split", none, |c| c.forced_baud = Some(2400), "2400 yes []"),
    case("forced glued", "confirm-glued", none, |c| c.forced_baud = Some(19200), "19200 yes []"),
    case("forced old", "confirm-old-rate", none, |c| c.forced_baud = Some(2400), "2400 no [unreadable forced-unconfirmed]"),
    case("forced no", "no-confirm", none, |c| c.forced_baud = Some(2400), "2400 no [unconfirmed forced-unconfirmed]"),
    case("forced same no", "no-confirm", none, |c| c.forced_baud = Some(9600), "9600 no [unconfirmed]"),
    case("forced blank no", "no-confirm", |b| ident(b, b"/NIK \\2NIK"), |c| c.forced_baud = Some(9600), "9600 no [unconfirmed]"),
    case("forced blank 2400 no", "no-confirm", |b| ident(b, b"/NIK \\2NIK"), |c| c.forced_baud = Some(2400), "2400 no [unconfirmed forced-unconfirmed]"),
    case("forced letter no", "no-confirm", |b| ident(b, b"/NIKD\\2NIK"), |c| c.forced_baud = Some(9600), "9600 no [unconfirmed forced-unconfirmed]"),
    case("forced hdlc", "hdlc-at-once", none, |c| c.forced_baud = Some(2400), "2400 no [unconfirmed forced-unconfirmed]"),
    case("forced nak", "nak", none, |c| c.forced_baud = Some(2400), "RefusedByNak after 1"),
    case("forced 300", "", none, |c| c.forced_baud = Some(300), "300 yes []"),
    case("forced ignored 300", "forced-ignored", none, |c| c.forced_baud = Some(300), "300 no [unreadable forced-unconfirmed] elsewhere"),
    case("forced ignored 19200", "forced-ignored", none, |c| c.forced_baud = Some(19200), "19200 no [unreadable forced-unconfirmed] elsewhere"),
    case("forced ignored 4800", "forced-ignored", none, |c| c.forced_baud = Some(4800), "4800 no [unreadable forced-unconfirmed] elsewhere"),
    case("79", "", |b| b.identification.resize(77, b'x'), none, "9600 yes [long-70]"),
    case("78", "", |b| b.identification.resize(78, b'x'), none, "9600 yes [long-71]"),
    case("79 real", "", |b| b.identification.resize(79, b'x'), none, "9600 yes [long-72]"),
    case("80", "", |b| b.identification.resize(80, b'x'), none, "NoIdentification after 3"),
    case("79 cr only", "cr-only", |b| b.identification.resize(79, b'x'), none, "9600 yes [long-72]"),
    case("lookalike line", "", |b| b.junk = b"/ABC5\\2junk\r\n".to_vec(), none, "9600 yes [strays-13]"),
    case("lookalike glued", "", |b| b.junk = b"/ABC5\\2junk".to_vec(), none, "9600 yes [strays-11]"),
    case("lookalike cr", "", |b| b.junk = b"/ABC5\\2junk\r".to_vec(), none, "9600 yes [strays-12]"),
    case("lookalike lower", "", |b| b.junk = b"/abc5\\2junk\r\n".to_vec(), none, "9600 yes [strays-13]"),
    case("slash inside", "", |b| ident(b, b"/ISK5\\2MT/382"), none, "9600 yes []"),
    case("long junk", "", |b| b.junk = vec![0; 30], none, "9600 yes [strays-30]"),
    case("long text junk", "", |b| b.junk = b"hello world this is a meter\r\n".to_vec(), none, "9600 yes [strays-29]"),
    case("p1", "", |b| pushes(b, P1, 10_000), none, "Push after 1"),
    case("p1 2s", "", |b| pushes(b, P1, 2000), none, "Push after 1"),
    case("p1 echo", "echo", |b| pushes(b, P1, 5000), none, "Push after 1"),
    case("push echo", "push+echo-late", none, none, "Push after 1"),
    case("push 3.1", "push", |b| b.pushes.as_mut().unwrap().period = ms(3100), none, "Push after 1"),
    case("push 4.9", "push", |b| b.pushes.as_mut().unwrap().period = ms(4900), none, "Push after 1"),
    case("push 9.9", "push", |b| b.pushes.as_mut().unwrap().period = ms(9900), none, "Push after 1"),
    case("push mode-e tail", "push", |b| pushes(b, b"5\\2M(123)\r\n1.8.0(123*kWh)\r\n!\r\n", 9000), none, "Push after 1"),
    case("sml 9600 at 300", "sml", |b| b.start_bauds = vec![9600], none, "Garbled after 3"),
    case("hdlc 9600 at 300", "hdlc-push", |b| b.start_bauds = vec![9600], none, "Garbled after 3"),
    case("push 9600 at 300", "push", |b| b.start_bauds = vec![9600], none, "Garbled after 3"),
    case("sml start 9600", "sml", |b| b.start_bauds = vec![9600], |c| c.start_baud = 9600, "Sml after 1"),
    case("push start 9600", "push", |b| b.start_bauds = vec![9600], |c| c.start_baud = 9600, "Push after 1"),
    case("p1 start 9600", "", |b| { pushes(b, P1, 10_000); b.start_bauds = vec![9600] }, |c| c.start_baud = 9600, "Push after 1"),
    case("sml echo", "sml+echo", none, none, "Sml after 1"),
    case("hdlc echo", "hdlc-push+echo-late", none, none, "Hdlc after 1"),
    case("late ident 2.1", "", |b| b.reaction = ms(2100), none, "9600 yes [attempts-3]"),
    case("late ident 2.5", "", |b| b.reaction = ms(2500), none, "9600 yes [attempts-3]"),
    case("late ident 3.5", "", |b| b.reaction = ms(3500), none, "NoIdentification after 3"),
    case("late ident 2.5 norec", "", |b| b.reaction = ms(2500), |c| c.recover = false, "9600 yes [attempts-2]"),
    case("late ident 2.5 one", "", |b| b.reaction = ms(2500), |c| c.attempts = 1, "Silent after 1"),
    case("third", "asleep", |b| b.deaf_for = 2, none, "9600 yes [attempts-3]"),
    case("third slow", "slow", |b| b.deaf_for = 2, none, "9600 yes [attempts-3]"),
    case("third norec", "slow", |b| b.deaf_for = 2, |c| c.recover = false, "9600 yes [attempts-3]"),
    case("parity twice", "bad-parity", |b| b.flip = Some(Flip { place: 5, bit: 7, times: 2 }), none, "9600 yes [attempts-3]"),
    case("parity one attempt", "bad-parity", none, |c| c.attempts = 1, "Parity(9, 1) after 1"),
    case("parity norec", "bad-parity", none, |c| { c.recover = false; c.attempts = 2 }, "Parity(9, 1) after 2"),
    case("parity slow", "bad-parity+slow", none, none, "9600 yes [attempts-2]"),
    case("parity lf", "", |b| { b.parity_in_sight = true; b.flip = Some(Flip { place: 18, bit: 7, times: 9 }) }, none, "Parity(18, 1) after 3"),
    case("parity cr", "", |b| { b.parity_in_sight = true; b.flip = Some(Flip { place: 17, bit: 7, times: 9 }) }, none, "Parity(17, 1) after 3"),
    case("parity slash", "", |b| { b.parity_in_sight = true; b.flip = Some(Flip { place: 0, bit: 0, times: 9 }) }, none, "Parity(0, 1) after 3"),
    case("odd parity", "", |b| { let line: Vec<u8> = b.identification.iter().map(|&c| iecprobe::protocol::parity::with_even(c) ^ 0x80).collect(); b.raw = Some([&line[..], b"\x0D\x8A"].concat()) }, none, "Parity(0, 19) after 3"),
    case("mark parity", "", |b| b.raw = Some([&b.identification[..], b"\r\n"].concat().iter().map(|&c| c | 0x80).collect()), none, "Parity(2, 11) after 3"),
    case("hung echo", "hung+echo", none, none, "9600 yes [freed-9600 attempts-2 echo]"),
    case("hung echo-late", "hung+echo-late", none, none, "9600 yes [freed-9600 attempts-2 echo]"),
    case("hung 2400 forced", "", |b| b.begins = Begins::InHdlc(2400, ms(120_000)), |c| c.forced_baud = Some(2400), "2400 yes [freed-2400 attempts-2]"),
    case("hung session echo", "hung-session+echo", none, none, "9600 yes [attempts-2 echo]"),
    case("hung one attempt", "hung", none, |c| c.attempts = 1, "Silent after 1"),
    case("hung 2 attempts", "hung", none, |c| c.attempts = 2, "9600 yes [freed-9600 attempts-2]"),
    case("hung slow", "hung+slow", none, none, "9600 yes [freed-9600 attempts-2]"),
    case("hung fast", "hung+fast", none, none, "9600 yes [freed-9600 attempts-2]"),
    case("hung start 9600", "hung+start-rate", none, |c| c.start_baud = 9600, "9600 yes [freed-9600 attempts-2]"),
    case("hung no-confirm", "hung+no-confirm", none, none, "9600 no [freed-9600 attempts-2 unconfirmed]"),
    case("hung short inactivity", "", |b| b.begins = Begins::InHdlc(9600, ms(3000)), |c| c.recover = false, "Silent after 3"),
    case("wake echo normal", "wake-up+echo", none, |c| c.wake_up = Some(WakeUp::Normal), "9600 yes [echo]"),
    case("wake echo fast", "wake-up+echo", none, |c| c.wake_up = Some(WakeUp::Fast), "9600 yes [echo]"),
    case("wake echo-late fast", "wake-up+echo-late", none, |c| c.wake_up = Some(WakeUp::Fast), "9600 yes [echo]"),
    case("wake not needed", "", none, |c| c.wake_up = Some(WakeUp::Fast), "9600 yes []"),
    case("wake silent", "silent", none, |c| c.wake_up = Some(WakeUp::Normal), "Silent after 3"),
    case("address wrong", "addressed", none, |c| c.request = Request::to_address("87654321").unwrap(), "Silent after 3"),
    case("address zeros", "addressed", |b| b.address = Some(b"0".to_vec()), |c| c.request = Request::to_address("000").unwrap(), "9600 yes []"),
    case("address echo", "addressed+echo-late", none, |c| c.request = Request::to_address("0012345678").unwrap(), "9600 yes [echo]"),
    case("address 32", "addressed", |b| b.address = Some(b"12345678901234567890123456789012".to_vec()), |c| c.request = Request::to_address("12345678901234567890123456789012").unwrap(), "9600 yes []"),
    case("manufacturer push", "push", none, |c| c.manufacturers = vec!["LGZ".parse().unwrap()], "Push after 1"),
    case("manufacturer mode-c", "mode-c", none, |c| c.manufacturers = vec!["ISK".parse().unwrap()], "WrongManufacturer after 1"),
    case("ident-only push", "push", none, |c| c.ident_only = true, "Push after 1"),
    case("ident-only blank", "odd-z-blank", none, |c| c.ident_only = true, "300 - [] elsewhere"),
    case("ident-only echo noise", "echo-late+noise-line", none, |c| c.ident_only = true, "300 - [echo strays-8] elsewhere"),
    case("ident-only double", "double-answer", none, |c| c.ident_only = true, "300 - [attempts-2] elsewhere"),
    case("readout after ident", "", |b| b.end = b"\r\n\x021.8.0(123)\r\n!\r\n\x03\x11".to_vec(), none, "Readout(300) after 1"),
    case("readout after ident mode-a", "", |b| { ident(b, b"/KAM MC"); b.end = b"\r\n\x021.8.0(123)\r\n!\r\n\x03\x11".to_vec() }, none, "NoModeE after 1"),
    case("endless zeros", "", |b| b.raw = Some(vec![0; 1000]), none, "Garbled after 3"),
    case("endless text", "", |b| b.raw = Some(vec![b'x'; 1000]), none, "NoIdentification after 3"),
    case("endless slashes", "", |b| b.raw = Some(vec![b'/'; 1000]), none, "NoIdentification after 2"),
    case("endless lines", "", |b| b.raw = Some(b"hello\r\n".repeat(200)), none, "NoIdentification after 3"),
    case("one byte", "", |b| b.raw = Some(vec![b'/']), none, "NoIdentification after 3"),
    case("one zero", "", |b| b.raw = Some(vec![0]), none, "Garbled after 3"),
    case("ack for ident", "", |b| b.raw = Some(vec![6]), none, "Garbled after 3"),
    case("nak for ident", "", |b| b.raw = Some(vec![0x15]), none, "Garbled after 3"),
    case("break for ident", "", |b| b.raw = Some(b"\x01B0\x03\x71".to_vec()), none, "NoIdentification after 3"),
    case("p0 prompt", "", |b| b.raw = Some(b"\x01P0\x02(12345678)\x03\x11".to_vec()), none, "Push after 1"),
    case("echo cut", "echo+cut", none, none, "NoIdentification after 3"),
    case("echo wrong-rate", "echo-late+wrong-rate", none, none, "Garbled after 3"),
    case("echo parity", "echo+bad-parity-always", none, none, "Parity(9, 1) after 3"),
    case("echo mode-c", "echo+mode-c", none, none, "NoModeE after 1"),
    case("echo endless", "echo+endless-ident", none, none, "NoIdentification after 3"),
    case("echo asleep", "echo-late+asleep", none, none, "9600 yes [attempts-2 echo]"),
    case("echo asleep third", "echo+asleep", |b| b.deaf_for = 2, none, "9600 yes [attempts-3 echo]"),
    case("echo double", "echo+double-answer", none, none, "9600 yes [attempts-2 echo]"),
    case("echo-late double", "echo-late+double-answer", none, none, "9600 yes [attempts-2 echo]"),
    case("double fast", "double-answer+fast", |b| b.deaf_for = 0, none, "9600 yes []"),
    case("double at once", "", |b| b.repeats_after = Some(ms(0)), none, "9600 yes []"),
    case("double 190", "", |b| b.repeats_after = Some(ms(190)), none, "9600 yes []"),
    case("double 300", "", |b| b.repeats_after = Some(ms(300)), none, "9600 yes []"),
    case("double 500", "", |b| b.repeats_after = Some(ms(500)), none, "9600 no [unreadable]"),
    case("double 300 no-confirm", "no-confirm", |b| b.repeats_after = Some(ms(300)), none, "9600 no [unreadable]"),
    case("double 410 no-confirm", "no-confirm", |b| b.repeats_after = Some(ms(410)), none, "9600 no [unreadable]"),
    case("double 300 nak", "nak", |b| b.repeats_after = Some(ms(300)), none, "RefusedByNak after 1"),
    case("double 190 nak", "nak", |b| b.repeats_after = Some(ms(190)), none, "RefusedByNak after 1"),
    case("double 0 nak", "nak", |b| b.repeats_after = Some(ms(0)), none, "RefusedByNak after 1"),
    case("double 300 nak-break", "nak-break", |b| b.repeats_after = Some(ms(300)), none, "RefusedByBreak after 1"),
    case("lag fast echo", "late-drain+fast+echo-late", none, none, "9600 yes [echo]"),
    case("lag 9 fast", "fast", |b| b.adapter_lag = Some(ms(9)), none, "9600 yes []"),
    case("start 4800 readout", "start-rate+readout-at-300", none, |c| c.start_baud = 4800, "Readout(4800) after 1"),
    case("start 9600 echo", "start-rate+echo-late", none, |c| c.start_baud = 9600, "9600 yes [echo]"),
    case("start 9600 no-confirm echo", "start-rate+echo-late+no-confirm", none, |c| c.start_baud = 9600, "9600 no [echo unconfirmed]"),
    case("wrong start", "start-rate", none, |c| c.start_baud = 600, "Silent after 3"),
    case("null ident bytes", "", |b| ident(b, b"/ISK5\\2\x00\x01"), none, "9600 yes [controls-2]"),
    case("escape at end", "", |b| ident(b, b"/ISK5MT382\\2"), none, "9600 yes []"),
    case("two lower", "", |b| ident(b, b"/Ene5\\2X"), none, "9600 yes []"),
    case("switch early", "", none, |c| c.switch_delay = Some(ms(100)), "9600 no [unconfirmed] elsewhere"),
    case("switch 2s", "", none, |c| c.switch_delay = Some(ms(2000)), "9600 no [unconfirmed]"),
    case("switch 390", "", none, |c| c.switch_delay = Some(ms(390)), "9600 yes []"),
    case("wait 300ms", "", none, |c| c.wait = Some(ms(300)), "9600 yes []"),
    case("cut after 1", "cut", |b| b.cut = Some(1), none, "NoIdentification after 3"),
    case("cut after 2", "cut", |b| b.cut = Some(2), none, "NoIdentification after 3"),
    case("cut after 5", "cut", |b| b.cut = Some(5), none, "NoIdentification after 3"),
    case("cut before CR", "cut", |b| b.cut = Some(17), none, "NoIdentification after 3"),
    case("cut before LF", "cut", |b| b.cut = Some(18), none, "9600 yes []"),
    case("cut one attempt", "cut", none, |c| c.attempts = 1, "NoIdentification after 1"),
    case("cut norec", "cut", none, |c| c.recover = false, "NoIdentification after 3"),
    case("cut push", "cut+asleep", none, none, "NoIdentification after 3"),
    case("confirm with parity other", "", |b| stays(b, b"\x06\xB2\x33\xB2\x8D\x0A"), none, "9600 yes [other-Right]"),
    case("confirm cr then frame", "", |b| stays(b, &[&b"\x06252\r"[..], &hdlc::SNRM].concat()), none, "9600 yes []"),
    case("echo only at the ack", "no-confirm", |b| { b.junk = b"".to_vec(); b.echo = Some(Echo { late: 1, ..Echo::default() }) }, none, "9600 no [echo unconfirmed]"),
    case("echo confirm 1500", "echo-late", |b| b.confirm_reaction = ms(1500), none, "9600 yes [echo]"),
    case("echo slow", "echo-late+slow", none, none, "9600 yes [echo]"),
    case("echo cr-only", "echo-late+cr-only", none, none, "9600 yes [echo]"),
    case("echo hdlc fast", "echo-late+fast+hdlc-at-once", none, none, "9600 no [echo unconfirmed]"),
    case("echo nak fast", "echo-late+fast+nak", none, none, "RefusedByNak after 1"),
    case("echo break fast", "echo-late+fast+nak-break", none, none, "RefusedByBreak after 1"),
    case("fast nak", "fast+nak", none, none, "RefusedByNak after 1"),
    case("fast readout 300", "fast+readout-at-300", |b| ident(b, b"/APa5\\2NORAX30"), none, "Readout(300) after 1"),
    case("fast no-confirm", "fast", |b| b.acknowledged = Acknowledged::SaysNothing, none, "9600 no [unconfirmed]"),
    case("fast cr-only", "fast+cr-only", none, none, "9600 yes []"),
    case("fast double", "fast", |b| b.repeats_after = Some(ms(15)), none, "9600 yes []"),
    case("wait 10s slow meter", "", |b| b.reaction = ms(8000), |c| c.wait = Some(ms(10_000)), "9600 yes []"),
    case("wait 1s slow confirm", "", |b| b.confirm_reaction = ms(1300), |c| c.wait = Some(ms(1000)), "9600 no [unconfirmed]"),
    case("one attempt push", "push", none, |c| c.attempts = 1, "Push after 1"),
    case("one attempt echo", "echo+silent", none, |c| c.attempts = 1, "EchoOnly after 1"),
    case("norec echo", "echo-late+silent", none, |c| c.recover = false, "EchoOnly after 3"),
    case("two attempts asleep", "asleep", none, |c| c.attempts = 2, "9600 yes [attempts-2]"),
    case("request verbatim", "", none, |c| c.request = Request::verbatim("/?!").unwrap(), "9600 yes []"),
    case("request odd", "", none, |c| c.request = Request::verbatim("/2!").unwrap(), "Silent after 3"),
    case("ident-only readout", "readout-at-300", none, |c| c.ident_only = true, "300 - [] elsewhere"),
    case("ident-only manufacturer", "", none, |c| { c.ident_only = true; c.manufacturers = vec!["LGZ".parse().unwrap()] }, "WrongManufacturer after 1"),
    case("ident-only unknown baud", "odd-z-letter", none, |c| c.ident_only = true, "300 - [] elsewhere"),
    case("force offers", "", none, |c| c.force = true, "9600 yes []"),
    case("force letter baud", "odd-z-letter", none, |c| c.force = true, "UnknownBaud after 1"),
    case("control Y", "", none, |c| c.control = b'Y', "Readout(300) after 1"),
    case("bracket junk", "", |b| b.junk = b"1.8.0(123)\r\n".to_vec(), none, "9600 yes [strays-12]"),
    case("FF junk run", "", |b| b.junk = vec![0xFF; 60], none, "9600 yes [strays-60]"),
    case("sml junk", "", |b| b.junk = b"\x1b\x1b\x1b\x1b\x01\x01\x01\x01".to_vec(), none, "9600 yes [strays-8]"),
    case("drip", "endless-ident", |b| b.pauses = (0..200).map(|at| (at, ms(1400))).collect(), none, "Unfinished after 1"),
    case("slow drip", "", |b| b.pauses = (0..19).map(|at| (at, ms(900))).collect(), none, "Unfinished after 1"),
    case("slow drip and time", "", |b| b.pauses = (0..18).map(|at| (at, ms(900))).collect(), |c| c.wait = Some(ms(4000)), "9600 yes []"),
    case("attempts 10 silent", "silent", none, |c| c.attempts = 10, "Silent after 10"),
];

#[test]
fn each_comes_to_what_it_has_to() {
    assert!(CASES.len() >= COUNT, "{}", CASES.len());
    let mut wrong = Vec::new();
    for case in CASES {
        for parity in PARITIES {
            for reads in [Reads::Each, Reads::Every(ms(1)), Reads::Every(ms(16))] {
                let mut simulation = Simulation::of(case.scenarios, parity).reads(reads);
                (case.behaviour)(&mut simulation.behaviour);
                (case.config)(&mut simulation.config);
                let fast = simulation.behaviour.identification[3].is_ascii_lowercase();
                let own_times = simulation.config.switch_delay.is_some();
                let patient = simulation.config.attempts > 3 || simulation.config.wake_up.is_some();
                let run = simulation.run();
                if outcome(&run) != case.outcome {
                    wrong.push(format!(
                        "{} {parity:?} {reads:?}: {} for {}",
                        case.name,
                        outcome(&run),
                        case.outcome
                    ));
                }
                if !own_times {
                    let acknowledgements = run.acknowledgements();
                    acknowledgements.iter().for_each(|sent| run.assert_acknowledgement(sent, fast));
                }
                if let (End::Failed(_), false) = (&run.end, patient) {
                    assert!(run.elapsed <= ms(15_000), "{} {:?}", case.name, run.elapsed);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_meter_that_hangs_at_any_rate_is_freed_there() {
    for rate in iecprobe::protocol::baud::all() {
        for forced in [None, Some(2400)] {
            let run = Simulation::of("echo-late", PARITIES[0])
                .behaviour(|b| b.begins = Begins::InHdlc(rate, ms(120_000)))
                .config(|c| c.forced_baud = forced)
                .run();
            let expected = format!("{} yes [freed-{rate} attempts-2 echo]", forced.unwrap_or(9600));
            assert_eq!(outcome(&run), expected);
        }
    }
}

#[test]
fn an_echo_that_was_damaged_at_the_request_is_no_confirmation() {
    for place in 0..5 {
        for fault in [Fault::Drop, Fault::Flip(3)] {
            let faults = Faults { received: Some((place, fault)), sent: None };
            let run = Simulation::of("echo", PARITIES[0]).faults(faults).run();
            let done = run.signed_on();
            assert_eq!((done.confirmed, &done.rest[..]), (Some(true), &b""[..]), "{place} {fault:?}");
            assert!(done.notes.contains(&Note::Echo), "{place} {fault:?} {:?}", done.notes);
            // An adapter that holds characters back hands over the end of the echo after the change of rate.
            for tick in [1, 15, 16] {
                let simulation = Simulation::of("echo+fast+nak", PARITIES[0]).reads(Reads::Every(ms(tick)));
                let run = simulation.faults(faults).run();
                assert_eq!(*run.failure(), Failure::RefusedByNak, "{place} {fault:?} {tick}");
            }
            let run =
                Simulation::of("echo+silent", PARITIES[0]).config(|c| c.attempts = 1).faults(faults).run();
            assert!(*run.failure() != Failure::NoIdentification || fault != Fault::Drop, "{place} {fault:?}");
        }
    }
}

#[test]
fn an_answer_that_takes_no_time_is_no_echo() {
    let mut now = Instant::now();
    let mut sign_on = SignOn::new(Config::default(), now);
    let mut acknowledged = None;
    let done = loop {
        let answer: &[u8] = match sign_on.poll(now) {
            Step::Done(outcome) => break outcome.unwrap(),
            Step::Do(Action::Transmit(bytes)) if bytes[0] == b'/' => b"/ISK5\\2MT382-1000\r\n",
            Step::Do(Action::Transmit(_)) => {
                acknowledged = Some(now);
                b"\x06252\r\n\x7E\xA0"
            }
            Step::Wait(until) => {
                now = until;
                continue;
            }
            _ => continue,
        };
        now += ms(5);
        sign_on.receive(answer, now);
    };
    assert_eq!((done.confirmed, &done.rest[..]), (Some(true), &b"\x7E\xA0"[..]));
    assert_eq!(done.notes, [Note::ConfirmedAtOldRate(300)]);
    assert_eq!(now - acknowledged.unwrap(), ms(210));
}

#[test]
fn a_head_that_flickers_while_it_warms_up_has_said_nothing() {
    for (early, failure) in [
        (&b"\x00\x80\xFF\x00"[..], Failure::Silent),
        // Something else is somebody.
        (&b"\x1B\x1B\x1B\x1B\x01\x01\x01\x01"[..], Failure::Sml),
    ] {
        let mut now = Instant::now();
        let mut sign_on = SignOn::new(Config { warm_up: ms(200), ..Config::default() }, now);
        let mut early = Some(early);
        let failed = loop {
            match sign_on.poll(now) {
                Step::Done(outcome) => break outcome.unwrap_err(),
                Step::Wait(until) => match early.take() {
                    Some(bytes) => sign_on.receive(bytes, now + ms(50)),
                    None => now = until,
                },
                _ => {}
            }
        };
        assert_eq!(failed.failure, failure);
    }
}

#[test]
fn the_change_of_rate_counts_from_when_the_acknowledgement_was_handed_over() {
    let mut now = Instant::now();
    let mut sign_on = SignOn::new(Config::default(), now);
    let (asked, changed) = loop {
        match sign_on.poll(now) {
            Step::Do(Action::Transmit(bytes)) if bytes[0] == b'/' => {
                sign_on.receive(b"/ISK5\\2MT382-1000\r\n", now + ms(400));
            }
            Step::Do(Action::Transmit(_)) => {
                sign_on.sent(now + ms(50));
                now += ms(50);
                let asked = now;
                while let Step::Wait(until) = sign_on.poll(now) {
                    now = until;
                }
                break (asked, now);
            }
            Step::Wait(until) => now = until,
            _ => {}
        }
    };
    assert_eq!(changed - asked, ms(210));
}
