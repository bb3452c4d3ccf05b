//! Messages in words: what a request, an identification, a frame or junk says.
//!
//! It goes by the bytes and by who sent them, not by what the sign-on made of them: a picture that shows more than the
//! sign-on understood is the one that a bug report needs.

use std::time::Duration;

use crate::protocol::baud;
use crate::protocol::content::{self, Content};
use crate::protocol::hdlc;
use crate::protocol::identification::{Identification, Mode};
use crate::protocol::message::{ACK, BREAK, NAK, STX};
use crate::protocol::parity::{self, ParityCheck};
use crate::protocol::text;
use crate::record::timeline::runs::{Origin, Run};
use crate::record::timeline::{Kind, Message, Said, Side, Span, length};

/// A pause this long within a message is worth showing.
const PAUSE_MIN: Duration = Duration::from_millis(60);

/// Pauses that are listed one by one.
const PAUSES_LISTED: usize = 3;

/// Frames that are named one by one.
const FRAMES_LISTED: usize = 4;

/// Characters of a gist.
const GIST_MAX: usize = 80;

fn said(what: impl Into<String>, gist: impl Into<String>, facts: Vec<String>) -> Said {
    Said { kind: Kind::Step, what: what.into(), gist: gist.into(), facts, faults: Vec::new() }
}

/// The same with something that is wrong with it.
fn faulty(said: Said, fault: &str) -> Said {
    Said { faults: vec![fault.into()], ..said }
}

/// Puts a run into words.
pub(super) fn message(run: Run) -> Message {
    let plain = parity::stripped(&run.bytes);
    let mut said = match (run.origin, run.side) {
        (Origin::Echo(of), _) => echo(run.bytes.len(), of),
        (Origin::Break, _) => said("line BREAK", "", Vec::new()),
        (_, Side::Reader) => ours(&run.bytes),
        (_, Side::Meter) => theirs(&run, &plain),
    };
    if let Origin::Cut(left) = run.origin {
        said.faults.push(format!("the rate was changed {} before its end", length(left)));
    }
    let spans = spans(&run.times);
    said.facts.extend(pauses(&run.times, &spans));
    Message { side: run.side, settings: run.settings, spans, bytes: run.bytes, count: 1, said }
}

fn echo(came: usize, of: usize) -> Said {
    let gist = if came == of { String::new() } else { format!("{came} of {of} characters") };
    Said { kind: Kind::Echo, ..said("echo", gist, Vec::new()) }
}

fn spans(times: &[Span]) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for time in times {
        match spans.last_mut() {
            Some(last) if time.start < last.end + PAUSE_MIN => last.end = time.end,
            _ => spans.push(*time),
        }
    }
    spans
}

fn pauses(times: &[Span], spans: &[Span]) -> Vec<String> {
    let lengths = || spans.windows(2).map(|pair| pair[1].start - pair[0].end);
    match (lengths().count(), lengths().max()) {
        (0, _) | (_, None) => Vec::new(),
        (count, Some(longest)) if count > PAUSES_LISTED => {
            vec![format!("{count} pauses in it, up to {}", length(longest))]
        }
        _ => {
            let place = |span: &Span| times.iter().position(|time| time.start == span.start).unwrap_or(0);
            let places = spans.iter().skip(1).map(place);
            let pause = |(pause, place)| format!("a pause of {} after character {place}", length(pause));
            lengths().zip(places).map(pause).collect()
        }
    }
}

/// What we send.
fn ours(bytes: &[u8]) -> Said {
    match bytes {
        [b'/', b'?', address @ .., b'!', b'\r', b'\n'] => {
            let to = match address {
                [] => "to any meter".into(),
                address => format!("to the address {}", text::escaped(address)),
            };
            said("request", line(bytes), vec![to])
        }
        [] => said("nothing", "", Vec::new()),
        _ if bytes.iter().all(|&byte| byte == 0) => {
            Said { kind: Kind::Serial, ..said("wake-up", format!("{} NULs", bytes.len()), Vec::new()) }
        }
        &[ACK, v, z, y, b'\r', b'\n'] => acknowledgement("acknowledgement", v, z, y),
        _ if bytes == BREAK => said("break message", "SOH B0 ETX", vec!["tells the meter to stop".into()]),
        _ if hdlc::find(bytes).is_some() => frames(bytes),
        _ => said("request", line(bytes), vec!["outside the standard".into()]),
    }
}

fn acknowledgement(what: &str, v: u8, z: u8, y: u8) -> Said {
    let shown = |byte: u8| text::escaped(&[byte]);
    let rate = baud::of_digit(z).map_or("no rate".into(), |rate| format!("{rate} Bd"));
    let mode = |byte: u8| if byte == b'2' { "HDLC" } else { "not HDLC" };
    let facts =
        vec![format!("V={} {}, Z={} {rate}, Y={} {}", shown(v), mode(v), shown(z), shown(y), mode(y))];
    said(what, format!("ACK {} {} {}", shown(v), shown(z), shown(y)), facts)
}

/// What comes in.
fn theirs(run: &Run, plain: &[u8]) -> Said {
    let survey = ParityCheck::of(&run.bytes);
    let mut said = match plain {
        [ACK, v, z, y, b'\r', b'\n'] => {
            let mut said = acknowledgement("confirmation", *v, *z, *y);
            said.facts
                .push(if survey.has_parity() { "with parity bits" } else { "without parity bits" }.into());
            said
        }
        [ACK] => said("ACK", "", vec!["the meter is awake".into()]),
        [ACK, ..] if plain.len() < 6 => said("confirmation", "", vec!["not whole".into()]),
        [NAK] => faulty(said("NAK", "", Vec::new()), "refused"),
        _ if plain == BREAK => faulty(said("break message", "SOH B0 ETX", Vec::new()), "refused"),
        [b'\n'] | [b'\r'] => said("line end", "", vec!["one too many".into()]),
        _ => content(&run.bytes, plain),
    };
    if let (ParityCheck::Wrong { first, count }, Content::Text | Content::Telegram) =
        (survey, content::of(&run.bytes))
    {
        let value = run.bytes[first];
        let more = if count > 1 { format!(" and {} more", count - 1) } else { String::new() };
        said.faults.push(format!("wrong parity: character {} is {value:02X}{more}", first + 1));
    }
    said
}

fn content(bytes: &[u8], plain: &[u8]) -> Said {
    let identification = Identification::parse(plain);
    let content = content::of(bytes);
    match (content, identification) {
        (Content::Sml, _) => Said {
            kind: Kind::Serial,
            ..said("SML", format!("{} bytes", bytes.len()), vec!["a meter that sends by itself".into()])
        },
        (Content::Hdlc, _) => frames(bytes),
        (Content::Telegram | Content::Text, _) if plain.first() == Some(&STX) => {
            let readout = Said { kind: Kind::Serial, ..said("readout", line(&plain[1..]), Vec::new()) };
            faulty(readout, "data, not HDLC")
        }
        (Content::Telegram, _) => Said {
            kind: Kind::Serial,
            ..said("telegram", line(plain), vec![format!("{} bytes of data", bytes.len())])
        },
        (_, Ok(identification)) => identified(&identification, plain),
        (Content::Text, Err(error)) if plain.first() == Some(&b'/') => {
            said("text", line(plain), vec![format!("no identification: {error}")])
        }
        (Content::Text, Err(_)) => said("text", line(plain), vec!["no identification".into()]),
        (Content::Garbled, Err(_)) => Said {
            kind: Kind::Junk,
            faults: vec!["no text at this rate".into()],
            ..said("junk", text::count(bytes.len(), "byte"), Vec::new())
        },
    }
}

fn identified(identification: &Identification, plain: &[u8]) -> Said {
    let id = text::escaped(&identification.manufacturer());
    let name = identification.flag_id().name().unwrap_or("not in the FLAG list");
    let mut facts = vec![format!("{id} {}", text::escaped(name.as_bytes()))];
    if identification.is_fast() {
        facts.push("lower-case third letter: fast".into());
    }
    let z = text::escaped(&[identification.z()]);
    facts.push(match identification.baud() {
        Some(rate) => format!("Z={z} {rate} Bd"),
        None => format!("Z={z} no rate"),
    });
    facts.extend(identification.escapes().map(|w| match w {
        b'2' => "\\2 HDLC: mode E".into(),
        w => format!("\\{} the manufacturer's own", text::escaped(&[w])),
    }));
    if !plain.ends_with(b"\n") && !plain.ends_with(b"\r") {
        facts.push("not whole: no line end".into());
        return said("identification", line(plain), facts);
    }
    if identification.mode() != Mode::E {
        facts.push(format!("no \\2: mode {}", identification.mode().letter()));
    }
    let ident = identification.ident();
    facts.push(if ident.is_empty() {
        "ident empty".into()
    } else {
        format!("ident {}", text::escaped(ident))
    });
    match plain {
        [.., b'\r', b'\n'] => {}
        [.., b'\n'] => facts.push("ends with LF alone".into()),
        _ => facts.push("ends with CR alone".into()),
    }
    said("identification", line(plain), facts)
}

/// HDLC frames by their names.
fn frames(bytes: &[u8]) -> Said {
    let mut names: Vec<&str> = hdlc::frames(bytes).map(|frame| name(frame.control)).collect();
    let what = match names[..] {
        [] => "HDLC, not whole".into(),
        [one] => format!("HDLC {one}"),
        _ => "HDLC frames".into(),
    };
    let mut facts: Vec<String> = Vec::new();
    if names.len() > 1 {
        let more = names.len().saturating_sub(FRAMES_LISTED);
        names.truncate(FRAMES_LISTED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        facts.push(format!("{}{more}", names.join(", ")));
    }
    Said { kind: Kind::Serial, ..said(what, "", facts) }
}

/// The name of a frame by its control field (IEC 62056-46, clause 6.4.3).
fn name(control: u8) -> &'static str {
    match control {
        0x93 => "SNRM",
        0x53 => "DISC",
        0x73 => "UA",
        0x0F | 0x1F => "DM",
        0x87 | 0x97 => "FRMR",
        0x03 | 0x13 => "UI",
        _ if control & 1 == 0 => "I",
        _ if control & 0x0F == 0x01 => "RR",
        _ if control & 0x0F == 0x05 => "RNR",
        _ => "frame",
    }
}

/// The first line of a text that says something, without its end.
fn line(plain: &[u8]) -> String {
    let mut lines = plain.split(|&byte| byte == b'\r' || byte == b'\n');
    let line = lines.find(|line| !line.is_empty()).unwrap_or_default();
    let shown = text::escaped(&line[..line.len().min(GIST_MAX)]);
    if line.len() > GIST_MAX { shown + ".." } else { shown }
}
