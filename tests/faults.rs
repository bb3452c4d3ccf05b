//! The meter of the book on a bad line, and scenarios in each other's company: whatever happens to any one character,
//! the sign-on ends, and what it reports is right or is called a failure.

mod simulated;

use iecprobe::meter::behaviour::{Acknowledged, Confirmation};
use iecprobe::meter::scenario::ALL;
use iecprobe::signon::{Note, WakeUp};
use proptest::prelude::*;

use simulated::{End, Fault, Faults, PARITIES, Parity, Reads, Run, Simulation, ms};

/// Longest end of an identification that has begun within the limit for failures: it may be finished.
const IN_PROGRESS: std::time::Duration = ms(1600);

const DELAYS: [u64; 7] = [5, 100, 300, 450, 900, 1400, 1600];

fn all_faults() -> impl Iterator<Item = Fault> {
    [Fault::Drop, Fault::Double]
        .into_iter()
        .chain((0..8).map(Fault::Flip))
        .chain(DELAYS.map(|delay| Fault::Delay(ms(delay))))
}

/// What is true of every run, whatever the line does.
fn ends_honestly(run: &Run, parity: Parity, fault: Fault) {
    match &run.end {
        End::Failed(_) => {
            assert!(run.elapsed <= ms(15_000) + IN_PROGRESS, "{:?}: {}", run.elapsed, run.what);
        }
        End::SignedOn(done) => {
            let detectable = parity == Parity::Software || !matches!(fault, Fault::Flip(_));
            let right = &done.identification.manufacturer() == b"ISK" && done.baud == 9600;
            assert!(right || !detectable, "{done:?}: {}", run.what);
            let sure = done.confirmed == Some(true)
                && !done.notes.iter().any(|note| matches!(note, Note::ConfirmedOther { .. }));
            // Confirmed without a reservation: then both ends are where the report says.
            assert!(!sure || (run.meter_in_hdlc && run.meter_rate == done.baud), "{done:?}: {}", run.what);
        }
        End::LineLost(_) => panic!("nobody unplugged it: {}", run.what),
    }
}

#[test]
fn a_fault_in_any_received_character_is_survived_or_reported() {
    // 19 characters of the identification, 6 of the confirmation.
    for parity in PARITIES {
        for place in 0..25 {
            for fault in all_faults() {
                let faults = Faults { received: Some((place, fault)), sent: None };
                let run = Simulation::of("book", parity).faults(faults).run();
                ends_honestly(&run, parity, fault);
            }
        }
    }
}

#[test]
fn a_fault_in_any_sent_character_is_survived_or_reported() {
    // 5 characters of the request, 6 of the acknowledgement.
    for parity in PARITIES {
        for place in 0..11 {
            for fault in all_faults() {
                let faults = Faults { received: None, sent: Some((place, fault)) };
                let run = Simulation::of("book", parity).faults(faults).run();
                ends_honestly(&run, parity, fault);
            }
        }
    }
}

#[test]
fn one_flipped_bit_of_the_identification_costs_one_attempt() {
    for place in 0..19 {
        for bit in 0..8 {
            let faults = Faults { received: Some((place, Fault::Flip(bit))), sent: None };
            let run = Simulation::of("book", Parity::Software).faults(faults).run();
            let done = run.signed_on();
            assert_eq!(done.identification.line(), b"/ISK5\\2MT382-1000", "{place} {bit} {}", run.what);
            // The bits of its end do not count.
            assert!(done.attempts == 2 || place >= 17, "{place} {bit} {}", run.what);
            assert_eq!(done.confirmed, Some(true), "{place} {bit} {}", run.what);
        }
    }
}

#[test]
fn a_meter_may_pause_before_any_of_its_characters() {
    for parity in PARITIES {
        for place in 0..19 {
            for delay in DELAYS.into_iter().filter(|&delay| delay <= 1400 && (place < 18 || delay < 500)) {
                let run =
                    Simulation::of("book", parity).behaviour(|b| b.pauses = vec![(place, ms(delay))]).run();
                let done = run.signed_on();
                assert_eq!((done.attempts, done.confirmed), (1, Some(true)), "{place} {delay} {}", run.what);
            }
        }
        for place in 0..6 {
            for delay in DELAYS.into_iter().filter(|&delay| delay <= 1400) {
                let pause = Some((place, ms(delay)));
                let confirmation = Confirmation { pause, ..Confirmation::default() };
                let run = Simulation::of("book", parity)
                    .behaviour(|b| b.acknowledged = Acknowledged::Confirms(confirmation))
                    .run();
                assert_eq!(run.signed_on().confirmed, Some(true), "{place} {delay} {}", run.what);
            }
        }
    }
}

#[test]
fn every_two_scenarios_together_keep_to_the_windows_and_to_the_truth() {
    for (place, one) in ALL.iter().enumerate() {
        for other in &ALL[place..] {
            for parity in PARITIES {
                let simulation = Simulation::of(&format!("{}+{}", one.name, other.name), parity);
                let behaviour = simulation.behaviour.clone();
                let fast = behaviour.identification[3].is_ascii_lowercase();
                let run = simulation.run();
                // A second answer without LF is not waited for: the first one's patience comes first.
                if behaviour.repeats_after.is_some() && behaviour.end == b"\r" {
                    continue;
                }
                for acknowledgement in run.acknowledgements() {
                    run.assert_acknowledgement(acknowledgement, fast);
                }
                if let End::SignedOn(done) = &run.end {
                    let true_rate = run.meter_in_hdlc && run.meter_rate == done.baud;
                    assert!(done.confirmed != Some(true) || true_rate, "{} {}", one.name, other.name);
                }
            }
        }
    }
}

#[test]
fn every_two_scenarios_together_come_to_an_end() {
    for (place, one) in ALL.iter().enumerate() {
        for other in &ALL[place..] {
            for parity in PARITIES {
                let run = Simulation::of(&format!("{}+{}", one.name, other.name), parity).run();
                if let End::Failed(_) = run.end {
                    // Only an identification with pauses is in progress for so long.
                    let slow = [one.name, other.name].contains(&"slow");
                    let limit = ms(15_000) + if slow { IN_PROGRESS } else { ms(0) };
                    assert!(run.elapsed <= limit, "{} {} {:?}", one.name, other.name, run.elapsed);
                }
            }
        }
    }
}

fn fault() -> impl Strategy<Value = Option<(usize, Fault)>> {
    let kind = prop_oneof![
        Just(Fault::Drop),
        Just(Fault::Double),
        (0u8..8).prop_map(Fault::Flip),
        (0u64..1700).prop_map(|delay| Fault::Delay(ms(delay))),
    ];
    proptest::option::of((0usize..60, kind))
}

/// `PROPTEST_CASES=1000000 cargo test --release --test faults` is the long run; `PROPTEST_RNG_SEED` repeats one.
fn sessions() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(1500);
    ProptestConfig { cases, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(sessions())]

    #[test]
    fn any_scenarios_with_any_faults_come_to_an_end(
        picked in proptest::collection::vec(0..ALL.len(), 1..5),
        none in any::<bool>(),
        (received, sent) in (fault(), fault()),
        tick in 0u64..40,
        options in (any::<bool>(), any::<bool>(), 0u8..3),
    ) {
        let names = picked.iter().map(|&at| ALL[at].name).collect::<Vec<_>>().join("+");
        let parity = if none { Parity::None } else { Parity::Software };
        let reads = if tick == 0 { Reads::Each } else { Reads::Every(ms(tick)) };
        let (recover, force, wake_up) = options;
        Simulation::of(&names, parity)
            .config(|c| {
                c.recover = recover;
                c.force = force;
                c.wake_up = [None, Some(WakeUp::Normal), Some(WakeUp::Fast)][usize::from(wake_up)];
            })
            .faults(Faults { received, sent })
            .reads(reads)
            .run();
    }

    #[test]
    fn any_bytes_for_an_answer_come_to_an_end(
        answer in proptest::collection::vec(any::<u8>(), 0..300),
        junk in proptest::collection::vec(any::<u8>(), 0..100),
        confirmation in proptest::collection::vec(any::<u8>(), 0..300),
        raw in any::<bool>(),
        at_new_rate in any::<bool>(),
        none in any::<bool>(),
    ) {
        let parity = if none { Parity::None } else { Parity::Software };
        let run = Simulation::of("book", parity)
            .behaviour(|b| {
                b.raw = raw.then_some(answer);
                b.junk = junk;
                b.acknowledged = Acknowledged::Refuses { answer: confirmation, at_new_rate, stays: false };
            })
            .run();
        if let End::Failed(_) = run.end {
            prop_assert!(run.elapsed <= ms(15_000) + ms(3000), "{:?}", run.elapsed);
        }
    }
}
