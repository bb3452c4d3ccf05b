//! The vectors of `telnet`, in every chunking.

use super::*;

/// What comes out of input in these pieces; data joined, so that pieces cannot be told.
fn decoded<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<Item<'static>> {
    let mut decoder = Decoder::default();
    let mut items: Vec<(Option<Item<'static>>, Vec<u8>)> = vec![(None, Vec::new())];
    for mut piece in pieces {
        while let Some(item) = decoder.next(&mut piece) {
            match item {
                Item::Data(data) => items.last_mut().unwrap().1.extend_from_slice(data),
                Item::Negotiation(verb, option) => {
                    items.push((Some(Item::Negotiation(verb, option)), Vec::new()));
                }
                Item::Subnegotiation(content) => {
                    items.push((Some(Item::Subnegotiation(content)), Vec::new()));
                }
            }
        }
    }
    let leak = |data: Vec<u8>| Item::Data(data.leak());
    let flat = items.into_iter().flat_map(|(item, data)| {
        let data = (!data.is_empty()).then(|| leak(data));
        item.into_iter().chain(data)
    });
    flat.collect()
}

#[test]
fn every_chunking_of_every_vector_gives_the_same() {
    use Verb::{Do, Will};
    let vectors: &[(&[u8], &[Item<'static>])] = &[
        (b"/ISK5\\2MT\r\n", &[Item::Data(b"/ISK5\\2MT\r\n")]),
        (b"\xFF\xFF", &[Item::Data(b"\xFF")]),
        (b"a\xFF\xFF\xFF\xFFb", &[Item::Data(b"a\xFF\xFFb")]),
        (b"a\xFF\xFD\x2Cb", &[Item::Data(b"a"), Item::Negotiation(Do, 44), Item::Data(b"b")]),
        (b"\xFF\xFB\xFF\x00", &[Item::Negotiation(Will, 255), Item::Data(b"\0")]),
        // NOP, AYT and DM are nothing.
        (b"x\xFF\xF1\xFF\xF6\xFF\xF2y", &[Item::Data(b"xy")]),
        (
            b"\xFF\xFA\x2C\x65\x00\x00\x01\x2C\xFF\xF0z",
            &[Item::Subnegotiation(vec![44, 101, 0, 0, 1, 44]), Item::Data(b"z")],
        ),
        (b"\xFF\xFA\x2C\x65\xFF\xFF\x00\xFF\xF0", &[Item::Subnegotiation(vec![44, 101, 255, 0])]),
        // An empty one says nothing.
        (b"\xFF\xFA\xFF\xF0k", &[Item::Data(b"k")]),
        // The end of the first was lost.
        (b"\xFF\xFA\x2C\x01\xFF\xFA\x2C\x02\xFF\xF0", &[Item::Subnegotiation(vec![44, 2])]),
        (b"\xFF\xFA\x2C\x01\xFF\xFD\x03q", &[Item::Negotiation(Do, 3), Item::Data(b"q")]),
    ];
    for (input, expected) in vectors {
        assert_eq!(decoded([*input].into_iter()), *expected, "{input:x?}");
        assert_eq!(decoded(input.chunks(1)), *expected, "{input:x?} a byte at a time");
        for first in 0..=input.len() {
            for second in first..=input.len() {
                let pieces = [&input[..first], &input[first..second], &input[second..]];
                assert_eq!(decoded(pieces.into_iter()), *expected, "{input:x?} at {first} and {second}");
            }
        }
    }
}

#[test]
fn a_subnegotiation_without_end_is_not_kept() {
    let mut decoder = Decoder::default();
    let mut input: &[u8] = &[&[IAC, SB, COM_PORT][..], &[7; 1_000_000]].concat();
    assert_eq!(decoder.next(&mut input), None);
    assert!(decoder.inside.capacity() <= 2 * SUBNEGOTIATION_MAX, "{}", decoder.inside.capacity());
    let mut input: &[u8] = &[IAC, SE, b'a'];
    assert_eq!(decoder.next(&mut input), Some(Item::Data(b"a")), "a long one is skipped");
}

#[test]
fn every_byte_survives_the_way_there_and_back() {
    let all: Vec<u8> = (0..=255).chain((0..=255).rev()).collect();
    let mut escaped = Vec::new();
    escape(&all, &mut escaped);
    assert_eq!(escaped.len(), all.len() + 2);
    assert_eq!(decoded(escaped.chunks(7)), [Item::Data(all.leak())]);
    let mut subnegotiated = Vec::new();
    subnegotiation(&[44, 1, 255, 240, 255, 255], &mut subnegotiated);
    assert_eq!(decoded(subnegotiated.chunks(1)), [Item::Subnegotiation(vec![44, 1, 255, 240, 255, 255])]);
}

#[test]
fn an_option_is_answered_once_and_refused_where_it_is_of_no_use() {
    use Verb::{Do, Dont, Will, Wont};
    let mut options = Options::default();
    let mut said = Vec::new();
    options.open(Will, COM_PORT, &mut said);
    options.open(Will, COM_PORT, &mut said);
    assert_eq!(std::mem::take(&mut said), [IAC, 251, 44]);
    // The answer to an offer is not answered.
    options.negotiate(Do, COM_PORT, &mut said);
    assert!(said.is_empty() && options.ours(COM_PORT) && !options.theirs(COM_PORT));
    let cases: &[(Verb, u8, &[u8])] = &[
        (Do, 1, &[IAC, 252, 1]),
        (Will, 1, &[IAC, 254, 1]),
        (Will, 3, &[IAC, 253, 3]),
        (Do, 0, &[IAC, 251, 0]),
        (Wont, 24, &[IAC, 254, 24]),
        (Dont, 24, &[IAC, 252, 24]),
        // It was on, and goes off.
        (Dont, 0, &[IAC, 252, 0]),
        (Dont, 44, &[IAC, 252, 44]),
    ];
    for (verb, option, answer) in cases {
        options.negotiate(*verb, *option, &mut said);
        assert_eq!(std::mem::take(&mut said), *answer, "{verb:?} {option}");
    }
    assert!(!options.ours(COM_PORT) && options.refused(COM_PORT));
    for _ in 0..3 {
        for verb in [Will, Wont, Do, Dont] {
            for option in 0..=255 {
                options.negotiate(verb, option, &mut said);
            }
        }
    }
    assert!(said.len() <= 2 * 256 * 3 * 2, "{}", said.len());
    let before = said.len();
    for option in 0..=255 {
        for verb in [Do, Dont, Will, Wont] {
            options.negotiate(verb, option, &mut said);
        }
    }
    assert_eq!(said.len(), before, "nothing is left to be said");
}
