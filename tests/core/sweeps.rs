//! Streams without an end, echoes with a lag of their own, and a computer that is stopped: in every phase a sign-on ends
//! within its bound, says nothing that the meter has not said, and sends nothing where it must not.

use std::time::Duration;

use iecprobe::meter::behaviour::Acknowledged;
use iecprobe::protocol::parity;
use iecprobe::signon::{Config, Failure};

use crate::simulated::{End, PARITIES, PHASES, Phase, Returns, Run, Simulation, Stream, ms};

/// Longest sign-on with the defaults that comes to an end as a failure.
const BOUND: Duration = ms(15_000);

/// `IECPROBE_LONG_SWEEPS=1` runs every case rather than a part that is spread over all of them.
fn every(usual: usize) -> usize {
    if std::env::var_os("IECPROBE_LONG_SWEEPS").is_some() { 1 } else { usual }
}

/// What is true of every run: no acknowledgement but in its window, none sent twice within an attempt, and nothing but the
/// messages of the next attempt after one.
fn keeps_to_its_windows(run: &Run, stopped: bool) {
    for acknowledgement in run.acknowledgements() {
        let before = run.received.iter().filter(|(at, _)| *at <= acknowledgement.at);
        let end = before.filter(|(_, byte)| parity::strip(*byte) == b'\n').map(|&(at, _)| at).next_back();
        let late = acknowledgement.at - end.unwrap_or_else(|| panic!("no identification: {}", run.what));
        assert!(
            (ms(200)..=ms(1200)).contains(&late),
            "ACK {late:?} after LF: {:?} {}",
            run.sent,
            &run.what[run.what.len() - 220..]
        );
    }
    let last = run.sent.last().map(|sent| sent.bytes[0]);
    assert!(
        stopped || run.acknowledgements().is_empty() || last == Some(0x06),
        "{:?} {}",
        run.sent,
        run.what
    );
}

fn offers(rate: u32) -> impl Fn(&mut iecprobe::meter::Behaviour) {
    let z = iecprobe::protocol::baud::digit(rate).unwrap();
    move |behaviour| behaviour.identification[4] = z
}

/// The longest time that a sign-on took, and how it ended.
fn longest(worst: &mut Duration, run: &Run) {
    let bound = if matches!(run.end, End::Failed(_)) { BOUND } else { BOUND + ms(1900) };
    assert!(run.elapsed <= bound, "{:?} {:?}: {}", run.elapsed, run.end, run.what);
    *worst = run.elapsed.max(*worst);
}

#[test]
fn no_stream_of_bytes_is_endless_for_a_sign_on() {
    let (mut count, mut worst) = (0, ms(0));
    let mut case = 0;
    for value in 0..=255u8 {
        for phase in PHASES {
            for (rate, acknowledged) in [(300, true), (300, false), (9600, true), (9600, false)] {
                for period in [ms(1), ms(34), ms(121), ms(490), ms(1400)] {
                    case += 1;
                    if case % every(5) != 0 {
                        continue;
                    }
                    let stream = Stream { bytes: vec![value], period, from: phase };
                    let run = Simulation::of("book", PARITIES[case % 2])
                        .behaviour(offers(rate))
                        .behaviour(|b| {
                            if !acknowledged {
                                b.acknowledged = Acknowledged::SaysNothing;
                            }
                            if phase == Phase::SecondRequest {
                                b.deaf_for = 1;
                            }
                        })
                        .stream(stream)
                        .run();
                    if let End::SignedOn(done) = &run.end {
                        assert!(acknowledged || done.confirmed == Some(false), "{:?} {}", run.end, run.what);
                    }
                    longest(&mut worst, &run);
                    count += 1;
                }
            }
        }
    }
    println!("{count} sessions with a stream of one byte, at most {worst:?}");
    assert!(count >= 5000);
}

#[test]
fn no_stream_of_lines_is_endless_for_a_sign_on() {
    let lines: [&[u8]; 6] = [
        b"/ISK5\\2MT382-1000\r\n",
        b"/ISK0\\2MT382-1000\r\n",
        b"\x06252\r",
        b"\x15\x06",
        b"\x01B0\x03",
        b"/?!\r\n",
    ];
    let (mut count, mut worst) = (0, ms(0));
    for line in lines {
        for phase in PHASES {
            for rate in [300, 9600] {
                for parity in PARITIES {
                    for period in [ms(1), ms(5), ms(34), ms(121), ms(490), ms(1400)] {
                        let stream = Stream { bytes: line.to_vec(), period, from: phase };
                        let run = Simulation::of("silent", parity).stream(stream.clone()).run();
                        longest(&mut worst, &run);
                        let run = Simulation::of("no-confirm", parity)
                            .behaviour(offers(rate))
                            .behaviour(|b| b.deaf_for = u32::from(phase == Phase::SecondRequest))
                            .stream(stream)
                            .run();
                        longest(&mut worst, &run);
                        count += 2;
                    }
                }
            }
        }
    }
    println!("{count} sessions with a stream of lines, at most {worst:?}");
    assert!(count >= 1000);
}

#[test]
fn no_echo_is_a_confirmation() {
    let (mut count, mut confirmed, mut genuine) = (0, 0, 0);
    let mut case = 0;
    for lag in (0..=600).step_by(10) {
        for cut in 0..=5 {
            for copies in 1..=3 {
                for packed in [true, false] {
                    for parity in PARITIES {
                        for (says, fast) in [(true, false), (false, false), (true, true), (false, true)] {
                            case += 1;
                            if case % every(3) != 0 {
                                continue;
                            }
                            let run = Simulation::of(if fast { "fast" } else { "book" }, parity)
                                .behaviour(|b| {
                                    if !says {
                                        b.acknowledged = Acknowledged::SaysNothing;
                                    }
                                })
                                .returns(Returns { lag: ms(lag), cut, copies, packed })
                                .run();
                            count += 1;
                            if let End::SignedOn(done) = &run.end {
                                assert!(
                                    says || done.confirmed == Some(false),
                                    "{lag} {cut} {copies} {packed} {parity:?} {fast} {:?} {:?}",
                                    run.received,
                                    run.configured
                                );
                                // Light that comes back after the change of rate cannot be read.
                                if says && cut == 0 && (packed || lag <= 30) {
                                    genuine += 1;
                                    confirmed += usize::from(done.confirmed == Some(true));
                                }
                            }
                        }
                    }
                }
            }
        }
    }
    println!(
        "{count} sessions with an echo; {confirmed} of {genuine} confirmations beside a whole echo recognised"
    );
    assert!(count >= 4000 && confirmed * 10 >= genuine * 9, "{count} {confirmed} of {genuine}");
}

#[test]
fn a_computer_that_is_stopped_blames_no_meter() {
    let (mut count, mut too_slow, mut again) = (0, 0, 0);
    let mut case = 0;
    for names in ["book", "fast", "no-confirm", "cr-only", "echo", "slow"] {
        let clean = Simulation::of(names, PARITIES[0]).run();
        let end = clean.elapsed.as_millis() as u64;
        for at in (0..end).step_by(25) {
            for length in [100, 300, 700, 1000, 1300, 1900, 2500, 4000] {
                for attempts in [1, 3] {
                    case += 1;
                    if case % every(2) != 0 {
                        continue;
                    }
                    let run = Simulation::of(names, PARITIES[case % 2])
                        .config(|c: &mut Config| c.attempts = attempts)
                        .stop(ms(at), ms(length))
                        .run();
                    count += 1;
                    if names != "cr-only" && names != "fast" {
                        keeps_to_its_windows(&run, true);
                    }
                    match &run.end {
                        End::SignedOn(done) => {
                            again += usize::from(done.attempts > 1);
                            let right = done.confirmed == clean.signed_on().confirmed;
                            assert!(right || length <= 300, "{at} {length} {done:?}: {}", run.what);
                        }
                        End::Failed(failed) => {
                            let slow = matches!(failed.failure, Failure::TooSlow(_));
                            assert!(slow, "{at} {length} {failed:?}: {:?} {}", run.sent, run.what);
                            too_slow += 1;
                        }
                        End::LineLost(_) => panic!("{}", run.what),
                    }
                    assert!(run.elapsed <= BOUND + ms(length) + ms(1900), "{:?} {}", run.elapsed, run.what);
                }
            }
        }
    }
    println!("{count} sessions with a stop: {again} signed on again, {too_slow} too slow");
    assert!(count >= 1500);
}

#[test]
fn after_a_final_refusal_nothing_is_sent() {
    let mut count = 0;
    for names in ["nak", "nak-break", "readout-at-z", "readout-at-300", "mode-c", "odd-z-letter", "push"] {
        for parity in PARITIES {
            for value in [0x00, 0x06, 0x15, 0x55, 0x7E, 0xFF] {
                for period in [ms(34), ms(300)] {
                    let stream = Stream { bytes: vec![value], period, from: Phase::Change };
                    let run = Simulation::of(names, parity).stream(stream).run();
                    keeps_to_its_windows(&run, false);
                    assert!(run.acknowledgements().len() <= 1);
                    count += 1;
                }
            }
        }
    }
    println!("{count} refusals");
}
