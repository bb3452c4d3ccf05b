//! Every row of meters.md, with parity bits on the line and without, in several ways of cutting what comes into reads:
//! each ends as its last column says, within the windows of the standard.

use iecprobe::meter::behaviour::{Acknowledged, Begins, Behaviour};
use iecprobe::meter::scenario::ALL;
use iecprobe::protocol::flag::FlagId;
use iecprobe::protocol::hdlc;
use iecprobe::protocol::message::{BREAK, Request};
use iecprobe::signon::{Confirm, Failure, Note, WakeUp};

use crate::simulated::{End, PARITIES, Parity, Reads, Run, Simulation, ms};

const READS: [Reads; 3] = [Reads::Each, Reads::Every(ms(1)), Reads::Every(ms(16))];

/// Runs a simulation in every parity mode and every way to cut reads, and holds `check` against each.
fn every_way(make: impl Fn(Parity) -> Simulation, check: impl Fn(&Run, Parity)) {
    for parity in PARITIES {
        for reads in READS {
            let simulation = make(parity).reads(reads);
            let ident = &simulation.behaviour.identification;
            let fast = ident.get(3).is_some_and(u8::is_ascii_lowercase);
            let run = simulation.run();
            run.assert_windows(fast);
            check(&run, parity);
        }
    }
}

fn scenario(names: &'static str, check: impl Fn(&Run, Parity)) {
    every_way(|parity| Simulation::of(names, parity), check);
}

/// A sign-on at this rate with this line, and nothing to note but what is given.
fn succeeds(run: &Run, line: &[u8], baud: u32, confirmed: Option<bool>, notes: &[Note]) {
    let done = run.signed_on();
    assert_eq!(done.identification.line(), line, "{}", run.what);
    assert_eq!((done.baud, done.confirmed), (baud, confirmed), "{done:?} {}", run.what);
    assert_eq!(done.notes, notes, "{}", run.what);
    assert!(run.meter_in_hdlc, "{}", run.what);
    assert_eq!(run.configured.last().map(|(_, settings)| settings.baud), Some(baud), "{}", run.what);
    let z = iecprobe::protocol::baud::digit(baud).unwrap();
    assert_eq!(run.acknowledgements()[0].bytes, [0x06, b'2', z, b'2', b'\r', b'\n']);
    assert_eq!(run.acknowledgements().len(), 1, "{}", run.what);
}

const BOOK: &[u8] = b"/ISK5\\2MT382-1000";

fn confirmed(run: &Run) {
    succeeds(run, BOOK, 9600, Some(true), &[]);
    assert_eq!(run.signed_on().attempts, 1);
    assert_eq!(run.signed_on().rest, b"");
}

fn fails(names: &'static str, failure: Failure) {
    scenario(names, |run, _| assert_eq!(*run.failure(), failure, "{}", run.what));
}

#[test]
fn the_meter_of_the_book_and_its_slow_and_odd_cousins_confirm() {
    for names in
        ["book", "slow", "confirm-plain", "confirm-split", "forced", "lf-only", "cr-only", "late-drain"]
    {
        scenario(names, |run, _| confirmed(run));
    }
}

#[test]
fn a_fast_meter_is_acknowledged_fast_and_loses_no_first_byte() {
    scenario("fast", |run, _| succeeds(run, b"/ISk5\\2MT382-1000", 9600, Some(true), &[]));
    scenario("fast+late-drain", |run, _| succeeds(run, b"/ISk5\\2MT382-1000", 9600, Some(true), &[]));
}

#[test]
fn a_meter_that_never_confirms_is_signed_on_to_unconfirmed() {
    scenario("no-confirm", |run, _| {
        succeeds(run, b"/NIK5\\2 NIK 2104ARPx", 9600, Some(false), &[Note::Unconfirmed]);
        assert_eq!(run.signed_on().identification.ident(), b" NIK 2104ARPx");
    });
}

#[test]
fn an_extra_lf_behind_the_confirmation_is_nothing_worse() {
    scenario("confirm-extra-lf", |run, _| {
        succeeds(run, BOOK, 9600, Some(true), &[]);
        // Whether it has come by then is a matter of reads; the shell takes it off the pipe's beginning.
        assert!(run.signed_on().rest.is_empty() || run.signed_on().rest == b"\n");
    });
}

#[test]
fn a_confirmation_at_the_old_rate_is_noted_and_its_junk_kept_from_the_pipe() {
    scenario("confirm-old-rate", |run, _| {
        let done = run.signed_on();
        assert_eq!(done.identification.line(), BOOK);
        assert_eq!((done.baud, &done.rest[..]), (9600, &b""[..]), "{}", run.what);
        assert!(
            matches!(done.notes[..], [Note::Unreadable(_)] | [Note::ConfirmedAtOldRate(300)]),
            "{:?} {}",
            done.notes,
            run.what
        );
    });
}

#[test]
fn what_is_glued_to_the_confirmation_opens_the_pipe() {
    scenario("confirm-glued", |run, _| {
        succeeds(run, BOOK, 9600, Some(true), &[]);
        assert!(hdlc::SNRM.starts_with(&run.signed_on().rest), "{:?}", run.signed_on().rest);
    });
}

#[test]
fn hdlc_in_place_of_a_confirmation_reaches_the_pipe_from_its_first_flag() {
    scenario("hdlc-at-once", |run, _| {
        succeeds(run, BOOK, 9600, Some(false), &[Note::Unconfirmed]);
        let rest = &run.signed_on().rest;
        assert!(rest.len() >= 3 && hdlc::SNRM.starts_with(rest), "{rest:x?} {}", run.what);
    });
}

#[test]
fn a_readout_in_place_of_hdlc_is_told_by_its_rate() {
    fails("readout-at-z", Failure::Readout(9600));
    fails("readout-at-300", Failure::Readout(300));
}

#[test]
fn a_refusal_is_one() {
    fails("nak", Failure::RefusedByNak);
    fails("nak-break", Failure::RefusedByBreak);
}

#[test]
fn a_meter_without_mode_e_is_shown_and_not_acknowledged() {
    for line in ["/LGZ4ZMF100AC.M23", "/ISk5MT174-0001", "/ELS5\\@V9.36"] {
        let make = |parity| {
            Simulation::of("mode-c", parity).behaviour(|b| b.identification = line.as_bytes().to_vec())
        };
        every_way(make, |run, _| {
            assert_eq!(*run.failure(), Failure::NoModeE);
            assert_eq!(run.failed().identification.as_ref().unwrap().line(), line.as_bytes());
            assert!(run.acknowledgements().is_empty() && run.requests().len() == 1);
        });
    }
}

#[test]
fn a_second_escape_pair_offers_mode_e_as_well() {
    scenario("two-escapes", |run, _| succeeds(run, b"/EMH5\\@\\201LZQJL0013F", 9600, Some(true), &[]));
}

fn with_z(z: u8, parity: Parity) -> Simulation {
    Simulation::of("book", parity).behaviour(|b| b.identification[4] = z)
}

#[test]
fn every_digit_is_a_rate() {
    let rates = [300, 600, 1200, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200];
    for (z, baud) in (b'0'..).zip(rates) {
        every_way(
            |parity| with_z(z, parity),
            |run, _| {
                assert_eq!(
                    (run.signed_on().baud, run.signed_on().confirmed),
                    (baud, Some(true)),
                    "{}",
                    run.what
                );
                assert_eq!(run.acknowledgements()[0].bytes[2], z);
                assert_eq!(run.notes(), []);
            },
        );
    }
}

#[test]
fn a_blank_baud_character_is_taken_for_9600() {
    scenario("odd-z-blank", |run, _| {
        succeeds(run, b"/ISK \\2MT382-1000", 9600, Some(true), &[Note::BlankBaudCharacter]);
    });
}

#[test]
fn a_baud_character_that_names_no_rate_is_not_acknowledged_unless_one_is_forced() {
    for z in *b"ABCDEF:;?Zz~" {
        every_way(
            |parity| with_z(z, parity),
            |run, _| {
                assert_eq!(*run.failure(), Failure::UnknownBaud);
                assert!(run.acknowledgements().is_empty());
            },
        );
        every_way(
            |parity| with_z(z, parity).config(|c| c.forced_baud = Some(9600)),
            |run, _| assert_eq!((run.signed_on().baud, run.signed_on().confirmed), (9600, Some(true))),
        );
    }
}

#[test]
fn stray_characters_and_an_empty_ident_are_no_hindrance() {
    scenario("empty-ident", |run, _| {
        succeeds(run, b"/VMQ5\\2", 9600, Some(true), &[Note::StrayCharacters(2)]);
        assert_eq!(run.signed_on().identification.ident(), b"");
    });
}

#[test]
fn a_long_ident_is_noted_and_an_endless_one_is_none() {
    scenario("long-ident", |run, _| {
        succeeds(run, b"/ISK5\\2ABCDEFGHIJKLMNOPQRSTUVWXYZ", 9600, Some(true), &[Note::LongIdent(26)]);
    });
    every_way(
        |parity| Simulation::of("endless-ident", parity).config(|c| c.attempts = 1),
        |run, _| {
            assert_eq!(*run.failure(), Failure::NoIdentification);
            let decided = ms(167 + 250) + ms(10_000) / 300 * 82;
            assert!(run.elapsed < decided, "decided after {:?}: {}", run.elapsed, run.what);
        },
    );
    fails("endless-ident", Failure::NoIdentification);
}

#[test]
fn a_second_answer_is_no_confirmation() {
    scenario("double-answer", |run, _| {
        let done = run.signed_on();
        assert_eq!((done.identification.line(), done.baud, done.attempts), (BOOK, 9600, 2), "{}", run.what);
        assert!(done.rest.is_empty(), "{:x?} {}", done.rest, run.what);
    });
}

#[test]
fn an_echo_is_noted_and_otherwise_ignored() {
    for names in ["echo", "echo-late"] {
        scenario(names, |run, _| succeeds(run, BOOK, 9600, Some(true), &[Note::Echo]));
    }
    scenario("echo+no-confirm", |run, _| {
        let notes = [Note::Echo, Note::Unconfirmed];
        succeeds(run, b"/NIK5\\2 NIK 2104ARPx", 9600, Some(false), &notes);
        assert!(run.signed_on().rest.is_empty());
    });
    for names in ["echo+silent", "echo-late+silent"] {
        fails(names, Failure::EchoOnly);
    }
}

#[test]
fn noise_before_the_identification_is_counted() {
    scenario("noise", |run, _| succeeds(run, BOOK, 9600, Some(true), &[Note::StrayCharacters(3)]));
    scenario("noise-line", |run, _| succeeds(run, BOOK, 9600, Some(true), &[Note::StrayCharacters(8)]));
}

#[test]
fn parity_bits_in_sight_are_noted_where_none_belong() {
    scenario("high-bits", |run, parity| {
        let notes: &[Note] = if parity == Parity::None { &[Note::ParityInSight] } else { &[] };
        succeeds(run, BOOK, 9600, Some(true), notes);
    });
}

#[test]
fn wrong_parity_is_tried_again_and_named_in_the_end() {
    scenario("bad-parity", |run, _| {
        assert_eq!(run.signed_on().attempts, 2);
        assert!(run.notes().contains(&Note::Attempts(2)));
        assert_eq!(run.signed_on().confirmed, Some(true), "{}", run.what);
    });
    scenario("bad-parity-always", |run, _| {
        let Failure::Parity(damage) = run.failure() else { panic!("{:?}", run.failure()) };
        assert_eq!((damage.place, damage.count), (9, 1));
        assert_eq!(damage.line[9], iecprobe::protocol::parity::with_even(b'3') ^ 4);
        assert!(run.acknowledgements().is_empty());
    });
}

#[test]
fn what_is_no_sign_on_at_all_is_named() {
    fails("wrong-rate", Failure::Garbled);
    fails("push", Failure::Push);
    fails("sml", Failure::Sml);
    fails("hdlc-push", Failure::Hdlc);
    for names in ["push", "sml", "hdlc-push"] {
        scenario(names, |run, _| assert!(run.acknowledgements().is_empty(), "{}", run.what));
    }
}

#[test]
fn a_meter_asleep_answers_the_second_request() {
    scenario("asleep", |run, _| {
        succeeds(run, BOOK, 9600, Some(true), &[Note::Attempts(2)]);
        assert_eq!(run.signed_on().attempts, 2);
    });
}

#[test]
fn a_battery_meter_answers_after_its_wake_up_only() {
    fails("wake-up", Failure::Silent);
    for wake_up in [WakeUp::Normal, WakeUp::Fast] {
        let make = |parity| Simulation::of("wake-up", parity).config(|c| c.wake_up = Some(wake_up));
        every_way(make, |run, _| confirmed(run));
    }
    let normal =
        Simulation::of("wake-up", Parity::Software).config(|c| c.wake_up = Some(WakeUp::Normal)).run();
    let nuls = &normal.sent[0];
    assert!(nuls.bytes.iter().all(|&byte| byte == 0));
    let length = nuls.settings.wire_time(nuls.bytes.len());
    assert!((ms(2100)..=ms(2300)).contains(&length));
    let pause = normal.requests()[0].at - nuls.at - length;
    assert!((ms(1500)..=ms(1700)).contains(&pause), "{pause:?}");
}

#[test]
fn an_address_reaches_the_meter_that_has_it() {
    fails("addressed", Failure::Silent);
    for address in ["12345678", "0012345678"] {
        every_way(
            |parity| {
                Simulation::of("addressed", parity)
                    .config(|c| c.request = Request::to_address(address).unwrap())
            },
            |run, _| {
                confirmed(run);
                assert_eq!(run.requests()[0].bytes, format!("/?{address}!\r\n").as_bytes());
            },
        );
    }
}

#[test]
fn a_request_of_the_users_own_goes_out_as_it_is() {
    every_way(
        |parity| {
            Simulation::of("silent", parity).config(|c| {
                c.request = Request::verbatim("/2!").unwrap();
                c.attempts = 1;
            })
        },
        |run, _| assert_eq!(run.requests()[0].bytes, b"/2!\r\n"),
    );
}

#[test]
fn a_meter_in_an_earlier_session_is_freed() {
    scenario("hung", |run, _| {
        let notes = [Note::FreedByDisc(9600), Note::Attempts(2)];
        succeeds(run, BOOK, 9600, Some(true), &notes);
    });
    for rate in [300, 2400, 19_200, 115_200] {
        every_way(
            |parity| {
                Simulation::of("book", parity).behaviour(|b| b.begins = Begins::InHdlc(rate, ms(120_000)))
            },
            |run, _| {
                assert_eq!(run.signed_on().confirmed, Some(true));
                assert!(run.notes().contains(&Note::FreedByDisc(rate)), "{:?}", run.notes());
            },
        );
    }
    scenario("hung-session", |run, _| {
        assert_eq!(run.signed_on().attempts, 2);
        assert_eq!(run.signed_on().confirmed, Some(true));
    });
}

#[test]
fn a_meter_in_hdlc_without_a_link_is_linked_and_freed() {
    scenario("hung-unlinked", |run, _| {
        let notes = [Note::FreedByLink(9600), Note::Attempts(2)];
        succeeds(run, BOOK, 9600, Some(true), &notes);
    });
    // Whoever knows it leaves nothing behind that the next run cannot free.
    every_way(
        |parity| Simulation::of("hung-unlinked+silent", parity),
        |run, _| {
            assert_eq!(*run.failure(), Failure::OnlyDuringRecovery, "{}", run.what);
            assert!(!run.failed().received.is_empty());
        },
    );
}

#[test]
fn what_can_be_an_echo_confirms_nothing() {
    for names in ["echo-cut", "echo-packed"] {
        scenario(names, |run, _| succeeds(run, BOOK, 9600, Some(true), &[Note::Echo]));
    }
    // The confirmation comes when the second copy of our acknowledgement could.
    scenario("echo-twice", |run, _| succeeds(run, BOOK, 9600, Some(false), &[Note::Echo, Note::Unconfirmed]));
    every_way(
        |parity| Simulation::of("echo-twice", parity).behaviour(|b| b.confirm_reaction = ms(500)),
        |run, _| succeeds(run, BOOK, 9600, Some(true), &[Note::Echo]),
    );
    for names in ["echo-twice", "echo-cut", "echo-packed"] {
        every_way(
            |parity| Simulation::of(names, parity).behaviour(|b| b.acknowledged = Acknowledged::SaysNothing),
            |run, _| succeeds(run, BOOK, 9600, Some(false), &[Note::Echo, Note::Unconfirmed]),
        );
    }
}

#[test]
fn a_confirmation_says_what_was_acknowledged() {
    for (names, says, confirmed) in [
        ("confirm-other", b"050", false),
        ("confirm-other-mode", b"251", false),
        ("confirm-other-rate", b"202", true),
    ] {
        scenario(names, |run, _| {
            assert_eq!(run.signed_on().confirmed, Some(confirmed), "{}", run.what);
            let [Note::ConfirmedOther { confirmed, sent }] = run.notes() else { panic!("{:?}", run.notes()) };
            assert_eq!((&confirmed.says, sent), (says, b"252"));
        });
        every_way(
            |parity| Simulation::of(names, parity).config(|c| c.confirm = Confirm::Require),
            |run, _| match &run.end {
                End::SignedOn(_) => assert!(confirmed),
                _ => assert!(!confirmed && *run.failure() == Failure::Unconfirmed(6), "{:?}", run.end),
            },
        );
    }
    fails("nak-copy", Failure::RefusedByNak);
}

#[test]
fn nothing_goes_on_for_ever() {
    for (names, failure) in [
        ("for-ever-zeros", Failure::Garbled),
        ("for-ever-text", Failure::NoIdentification),
        ("for-ever-ends", Failure::NoIdentification),
        ("for-ever-drip", Failure::Garbled),
        ("for-ever-idents", Failure::Push),
        ("for-ever-nak", Failure::RefusedByNak),
        ("two-letters", Failure::NoIdentification),
    ] {
        fails(names, failure);
    }
    for names in ["for-ever-ack", "for-ever-soh", "for-ever-ones"] {
        scenario(names, |run, _| {
            assert_eq!(run.signed_on().confirmed, Some(false));
            assert!(run.elapsed < ms(7000), "{:?}", run.elapsed);
        });
    }
}

#[test]
fn a_few_damaged_characters_are_wrong_parity_and_not_late() {
    scenario("many-flips", |run, _| {
        let Failure::Parity(damage) = run.failure() else { panic!("{:?} {}", run.failure(), run.what) };
        assert_eq!((damage.place, damage.count), (6, 5));
    });
}

#[test]
fn a_meter_that_wants_to_stay_at_300_is_confirmed_there() {
    scenario("z-zero", |run, _| succeeds(run, b"/ISK0\\2MT382-1000", 300, Some(true), &[]));
    every_way(
        |parity| Simulation::of("book", parity).config(|c| c.forced_baud = Some(300)),
        |run, _| succeeds(run, BOOK, 300, Some(true), &[]),
    );
}

#[test]
fn without_recovery_nothing_but_requests_goes_out() {
    for names in ["hung", "hung-session"] {
        every_way(
            |parity| Simulation::of(names, parity).config(|c| c.recover = false),
            |run, _| {
                assert_eq!(*run.failure(), Failure::Silent);
                assert_eq!((run.sent.len(), run.requests().len(), run.breaks), (3, 3, 0));
            },
        );
    }
    // Something unusable was heard: no break message either.
    every_way(
        |parity| Simulation::of("bad-parity-always", parity).config(|c| c.recover = false),
        |run, _| assert!(run.sent.iter().all(|sent| sent.bytes != BREAK) && run.breaks == 0),
    );
}

#[test]
fn one_attempt_is_one_request_and_nothing_else() {
    for names in ["silent", "hung", "hung-session", "bad-parity-always", "wrong-rate", "cut", "asleep"] {
        every_way(
            |parity| Simulation::of(names, parity).config(|c| c.attempts = 1),
            |run, _| {
                assert_eq!((run.sent.len(), run.requests().len(), run.breaks), (1, 1, 0), "{}", run.what);
                assert_eq!(run.failed().attempts, 1);
            },
        );
    }
}

#[test]
fn the_start_rate_can_be_another() {
    for rate in [2400, 4800, 9600] {
        every_way(
            |parity| Simulation::of("start-rate", parity).config(|c| c.start_baud = rate),
            |run, _| {
                assert_eq!(run.signed_on().confirmed, Some(true), "{}", run.what);
                assert_eq!((run.signed_on().baud, run.notes()), (9600, &[][..]), "{}", run.what);
            },
        );
    }
}

#[test]
fn a_forced_rate_goes_into_the_acknowledgement_and_onto_the_line() {
    every_way(
        |parity| Simulation::of("forced", parity).config(|c| c.forced_baud = Some(2400)),
        |run, _| succeeds(run, BOOK, 2400, Some(true), &[]),
    );
    every_way(
        |parity| Simulation::of("forced-ignored", parity).config(|c| c.forced_baud = Some(2400)),
        |run, _| {
            assert_eq!(run.signed_on().baud, 2400);
            assert!(run.notes().contains(&Note::ForcedUnconfirmed(2400)), "{:?} {}", run.notes(), run.what);
            assert_ne!(run.signed_on().confirmed, Some(true));
        },
    );
}

#[test]
fn nothing_at_all_is_silence() {
    fails("silent", Failure::Silent);
    fails("key-first", Failure::Silent);
    scenario("silent", |run, _| {
        assert!(run.failed().received.is_empty());
        assert_eq!((run.failed().attempts, run.breaks), (3, 1));
    });
}

#[test]
fn an_identification_that_stops_is_shown() {
    scenario("cut", |run, _| {
        assert_eq!(*run.failure(), Failure::NoIdentification);
        let plain = iecprobe::protocol::parity::stripped(&run.failed().received);
        assert_eq!(plain, &BOOK[..9], "{}", run.what);
    });
}

#[test]
fn a_port_that_goes_away_ends_it_within_a_second() {
    for names in ["unplugged", "unplugged-early", "unplugged-late"] {
        scenario(names, |run, _| match run.end {
            End::LineLost(late) => assert!(late < ms(1000), "{late:?}"),
            _ => panic!("{:?}", run.end),
        });
    }
}

#[test]
fn a_worse_adapter_is_helped_by_a_switch_delay() {
    for parity in PARITIES {
        let lagging = |b: &mut Behaviour| b.adapter_lag = Some(ms(60));
        let run = Simulation::of("book", parity)
            .behaviour(lagging)
            .config(|c| c.switch_delay = Some(ms(280)))
            .run();
        assert_eq!(run.signed_on().confirmed, Some(true));
        let (switched, _) = run.configured.last().unwrap();
        assert_eq!(*switched - run.acknowledgements()[0].at, ms(280));
    }
}

#[test]
fn another_manufacturer_is_not_acknowledged() {
    let accept = |ids: &[&str]| -> Vec<FlagId> { ids.iter().map(|id| id.parse().unwrap()).collect() };
    every_way(
        |parity| Simulation::of("book", parity).config(|c| c.manufacturers = accept(&["LGZ", "EMH"])),
        |run, _| {
            assert_eq!(*run.failure(), Failure::WrongManufacturer);
            assert!(run.acknowledgements().is_empty() && run.requests().len() == 1);
        },
    );
    every_way(
        |parity| Simulation::of("fast", parity).config(|c| c.manufacturers = accept(&["LGZ", "isk"])),
        |run, _| assert_eq!(run.signed_on().confirmed, Some(true)),
    );
}

#[test]
fn the_identification_alone_is_enough_where_that_was_asked_for() {
    for names in ["book", "mode-c", "odd-z-letter", "fast"] {
        every_way(
            |parity| Simulation::of(names, parity).config(|c| c.ident_only = true),
            |run, _| {
                let done = run.signed_on();
                assert_eq!((done.baud, done.confirmed, &done.notes[..]), (300, None, &[][..]));
                assert!(run.acknowledgements().is_empty());
            },
        );
    }
}

#[test]
fn mode_e_can_be_forced_on_a_meter_that_does_not_offer_it() {
    every_way(
        |parity| Simulation::of("mode-c", parity).config(|c| c.force = true),
        |run, _| succeeds(run, b"/LGZ4ZMF100AC.M23", 4800, Some(true), &[]),
    );
}

#[test]
fn a_confirmation_can_be_demanded_or_done_without() {
    every_way(
        |parity| Simulation::of("no-confirm", parity).config(|c| c.confirm = Confirm::Require),
        |run, _| assert_eq!(*run.failure(), Failure::Unconfirmed(0)),
    );
    every_way(
        |parity| Simulation::of("book", parity).config(|c| c.confirm = Confirm::Require),
        |run, _| confirmed(run),
    );
    for names in ["book", "no-confirm"] {
        every_way(
            |parity| Simulation::of(names, parity).config(|c| c.confirm = Confirm::Skip),
            |run, _| {
                assert_eq!((run.signed_on().baud, run.signed_on().confirmed), (9600, None));
                assert!(run.notes().is_empty(), "{:?}", run.notes());
            },
        );
    }
}

#[test]
fn a_longer_wait_is_kept_and_a_shorter_one_too() {
    for wait in [ms(500), ms(2000), ms(6000)] {
        every_way(
            |parity| Simulation::of("silent", parity).config(|c| (c.wait, c.attempts) = (Some(wait), 1)),
            |run, _| {
                let waited = run.elapsed - run.requests()[0].at - ms(10_000) / 300 * 5;
                assert!(waited >= wait - ms(1) && waited <= wait + ms(50), "{waited:?}");
            },
        );
    }
    every_way(
        |parity| {
            let late = |b: &mut Behaviour| (b.reaction, b.confirm_reaction) = (ms(3500), ms(3500));
            Simulation::of("book", parity).behaviour(late).config(|c| c.wait = Some(ms(4000)))
        },
        |run, _| confirmed(run),
    );
}

#[test]
fn the_line_has_been_silent_before_every_request() {
    for scenario in ALL {
        for parity in PARITIES {
            let run = Simulation::of(scenario.name, parity).run();
            for request in run.requests() {
                let before = run.received.iter().map(|&(at, _)| at).rfind(|at| *at < request.at);
                let pushes = scenario.name.starts_with("for-ever")
                    || matches!(run.end, End::Failed(ref failed) if failed.failure.to_string().contains("telegram"));
                assert!(pushes || before.is_none_or(|at| request.at - at >= ms(100)), "{}", run.what);
            }
        }
    }
}
