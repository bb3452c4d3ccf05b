//! The protocol core: a whole sign-on under a simulated clock, and the identification parser.
//!
//! `cargo bench --bench core` prints what came out; nothing here passes or fails.

use std::hint::black_box;
use std::time::{Duration, Instant};

use iecprobe::meter::wire::{Pace, Wire};
use iecprobe::meter::{Behaviour, Meter};
use iecprobe::protocol::identification::Identification;
use iecprobe::protocol::parity;
use iecprobe::protocol::settings::{Framing, Settings};
use iecprobe::signon::{Action, Config, SignOn};

/// A sign-on with the meter of the book, in no time.
fn sign_on(began: Instant) -> Duration {
    let mut now = began;
    let start = Settings::seven_even(300);
    let mut wire = Wire::new(Meter::new(Behaviour::default(), now), Pace::Real, start, now);
    let mut machine = SignOn::new(Config::default(), now);
    loop {
        match machine.poll(now) {
            Action::Configure { settings, .. } => wire.configure(settings, now),
            Action::Transmit(mut message) => {
                if wire.settings().framing == Framing::SevenEven {
                    message.iter_mut().for_each(|byte| *byte = parity::with_even(*byte));
                }
                wire.transmit(&message, now);
            }
            Action::Wait(until) => {
                now = wire.next_event().map_or(until, |at| at.min(until)).max(now);
                machine.receive(&wire.receive(now), now);
            }
            Action::Done(outcome) => {
                assert!(outcome.is_ok());
                return now - began;
            }
            _ => {}
        }
    }
}

/// Median time of one call, over batches.
fn time(calls: u32, mut call: impl FnMut()) -> Duration {
    let mut batches: Vec<Duration> = (0..15)
        .map(|_| {
            let began = Instant::now();
            (0..calls).for_each(|_| call());
            began.elapsed() / calls
        })
        .collect();
    batches.sort();
    batches[batches.len() / 2]
}

fn main() {
    let began = Instant::now();
    let simulated = sign_on(began);
    let each = time(1000, || {
        black_box(sign_on(black_box(began)));
    });
    println!("sign-on: {simulated:.3?} on the line, {each:.1?} of computing (aim: < 50 us)");
    let lines: [&[u8]; 3] =
        [b"/LGZ5\\2ZMD3104407.B32\r\n", b"/EMH5\\@\\201LZQJL0013F\r\n", b"/NIK5\\2 NIK 2104ARPx\r\n"];
    let each = time(100_000, || {
        for line in lines {
            let parsed = Identification::parse(black_box(line)).unwrap();
            black_box((parsed.baud(), parsed.mode(), parsed.ident().len()));
        }
    }) / 3;
    println!(
        "identification: {each:.1?} a line, {:.1} million a second (aim: > 1)",
        1e3 / each.as_nanos().max(1) as f64
    );
}
