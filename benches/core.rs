//! The protocol core: a whole sign-on under a simulated clock, and the identification parser.
//!
//! `cargo bench --bench core` prints what came out; nothing here passes or fails.

use std::hint::black_box;
use std::time::{Duration, Instant};

use iecprobe::meter::{Behaviour, simulate};
use iecprobe::protocol::identification::Identification;
use iecprobe::signon::{Config, SignOn};

/// A sign-on with the meter of the book, in no time.
fn sign_on(began: Instant) -> Duration {
    let mut machine = SignOn::new(Config::default(), began);
    let (outcome, ended) = simulate(&mut machine, Behaviour::default(), began).expect("nobody unplugs");
    assert!(outcome.is_ok());
    ended - began
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
