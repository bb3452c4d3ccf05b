//! A meter with a clock at the master of a pseudo-terminal: what iecprobe sends, and when.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use iecprobe::protocol::hdlc;

use crate::support::*;

/// An instant that lies between two observations.
#[derive(Clone, Copy, Debug)]
pub struct When {
    after: Instant,
    before: Instant,
}

impl When {
    /// Certainly at least this much later than `other`, if it is not less.
    fn at_most_since(self, other: Self) -> Duration {
        self.before.saturating_duration_since(other.after)
    }

    /// Certainly no more than this.
    fn at_least_since(self, other: Self) -> Duration {
        self.after.saturating_duration_since(other.before)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    Speed(u32),
    Bytes(Vec<u8>),
    /// The last character of our identification.
    Identified,
}

pub struct WireMeter {
    pub path: String,
    end: Arc<AtomicBool>,
    thread: JoinHandle<Vec<(When, Seen)>>,
}

fn parity(bytes: &[u8], on: bool) -> Vec<u8> {
    bytes.iter().map(|&b| if on && b.count_ones() % 2 == 1 { b | 0x80 } else { b }).collect()
}

impl WireMeter {
    pub fn start(identification: &str, with_parity: bool) -> Self {
        let pty = Pty::new();
        let path = pty.path.clone();
        let end = Arc::<AtomicBool>::default();
        let stop = Arc::clone(&end);
        let identification = parity(format!("{identification}\r\n").as_bytes(), with_parity);
        let thread = thread::spawn(move || {
            let mut log: Vec<(When, Seen)> = Vec::new();
            let mut speed = pty.speed();
            let mut last = Instant::now();
            let mut heard: Vec<u8> = Vec::new();
            let mut outbox: Vec<(Instant, Vec<u8>, bool)> = Vec::new();
            while !stop.load(SeqCst) {
                let after = last;
                let start = Instant::now();
                let now_speed = pty.speed();
                let bytes = pty.read();
                let before = Instant::now();
                last = start;
                let when = When { after, before };
                if !bytes.is_empty() {
                    heard.extend(&bytes);
                    log.push((when, Seen::Bytes(bytes)));
                }
                if now_speed != speed {
                    speed = now_speed;
                    log.push((when, Seen::Speed(speed)));
                    // A confirmation waits for the change.
                    for entry in outbox.iter_mut().filter(|entry| !entry.2) {
                        entry.0 = entry.0.min(before + ms(40));
                    }
                }
                if heard.ends_with(b"!\r\n") || heard.ends_with(&parity(b"!\r\n", true)) {
                    for (place, &byte) in identification.iter().enumerate() {
                        let at = before + ms(250) + Duration::from_micros(33_333) * (place as u32 + 1);
                        outbox.push((at, vec![byte], place + 1 == identification.len()));
                    }
                    heard.clear();
                } else if heard.first() == Some(&0x06) && heard.len() >= 6 {
                    outbox.push((before + ms(1000), heard.clone(), false));
                    heard.clear();
                } else if let Some(answer) =
                    hdlc::find(&heard).map(|frame| hdlc::unnumbered_acknowledgement(&frame, &[]))
                {
                    outbox.push((before, answer, false));
                    heard.clear();
                }
                let now = Instant::now();
                let (due, later): (Vec<_>, Vec<_>) = outbox.into_iter().partition(|entry| entry.0 <= now);
                outbox = later;
                for (_, bytes, is_last) in due {
                    let after = Instant::now();
                    pty.write(&bytes);
                    if is_last {
                        log.push((When { after, before: Instant::now() }, Seen::Identified));
                    }
                }
                thread::sleep(Duration::from_micros(200));
            }
            log
        });
        Self { path, end, thread }
    }

    /// What it has seen.
    pub fn log(self) -> Vec<(When, Seen)> {
        self.end.store(true, SeqCst);
        self.thread.join().unwrap()
    }
}

/// The times of the acknowledgement: identification to it, and it to the change of rate, each as (at least, at most).
struct Times {
    reaction: (Duration, Duration),
    switch: (Duration, Duration),
}

fn times(log: &[(When, Seen)], acknowledgement: &[u8], baud: u32) -> Times {
    let identified = log.iter().find(|(_, seen)| *seen == Seen::Identified).expect("an identification").0;
    let place = log
        .iter()
        .position(|(when, seen)| matches!(seen, Seen::Bytes(_)) && when.before > identified.after)
        .unwrap_or_else(|| panic!("no acknowledgement in {log:?}"));
    let mut sent: Vec<u8> = Vec::new();
    let mut switched = None;
    for (when, seen) in &log[place..] {
        match seen {
            Seen::Bytes(bytes) => sent.extend(bytes),
            Seen::Speed(speed) => {
                assert_eq!(*speed, baud);
                switched = Some(*when);
                break;
            }
            Seen::Identified => panic!("two identifications"),
        }
    }
    assert_eq!(sent, acknowledgement);
    let (first, switched) = (log[place].0, switched.expect("a change of rate"));
    Times {
        reaction: (first.at_least_since(identified), first.at_most_since(identified)),
        switch: (switched.at_least_since(first), switched.at_most_since(first)),
    }
}

/// Never too early; too late only if it is so three times in a row, for a loaded machine.
#[track_caller]
fn keeps_the_windows(
    ident: &str,
    args: &[&str],
    with_parity: bool,
    reaction: (u64, u64),
    switch: (u64, u64),
) {
    let acknowledgement = parity(b"\x06252\r\n", with_parity);
    for last in [false, false, true] {
        let meter = WireMeter::start(ident, with_parity);
        let outcome = run(probe(&meter.path, args).arg("--json")).succeeded();
        let report = outcome.json();
        assert_eq!(report["baud"], 9600);
        assert_eq!(report["confirmed"], true);
        assert_eq!(report["notes"], serde_json::json!([]));
        let times = times(&meter.log(), &acknowledgement, 9600);
        println!("{ident}: reaction {:?}, change of rate {:?}", times.reaction, times.switch);
        assert!(times.reaction.1 >= ms(reaction.0), "acknowledged too early: {:?}", times.reaction);
        assert!(times.switch.1 >= ms(switch.0), "rate changed too early: {:?}", times.switch);
        if times.reaction.0 <= ms(reaction.1) && times.switch.0 <= ms(switch.1) {
            return;
        }
        assert!(!last, "too late: {:?}, {:?}", times.reaction, times.switch);
    }
}

#[test]
fn the_acknowledgement_and_the_change_of_rate_keep_to_their_windows() {
    keeps_the_windows(MT382, &[], false, (200, 400), (200, 260));
}

#[test]
fn a_meter_with_a_lower_case_letter_is_acknowledged_at_once() {
    keeps_the_windows("/ISk5\\2MT382-1000", &[], false, (20, 220), (200, 260));
}

#[test]
fn software_parity_goes_into_bit_7_of_the_acknowledgement() {
    keeps_the_windows(MT382, &["--parity", "software"], true, (200, 400), (200, 260));
}

#[test]
fn the_switch_delay_is_the_users() {
    keeps_the_windows(MT382, &["--switch-delay", "350ms"], false, (200, 400), (350, 410));
}

#[test]
fn a_meter_of_which_only_the_identification_is_wanted_hears_no_acknowledgement() {
    let meter = WireMeter::start(MT382, false);
    let report = run(&mut probe(&meter.path, ["--json", "--ident-only"])).succeeded().json();
    assert_eq!(report["mode"], "E");
    assert_eq!(report["baud"], 300);
    assert_eq!(report["confirmed"], serde_json::Value::Null);
    let sent = sent(&meter.log());
    assert_eq!(sent, b"/?!\r\n");
}

fn sent(log: &[(When, Seen)]) -> Vec<u8> {
    let bytes =
        log.iter().filter_map(|(_, seen)| if let Seen::Bytes(bytes) = seen { Some(bytes) } else { None });
    bytes.flatten().copied().collect()
}

#[test]
fn a_meter_is_disconnected_at_the_new_rate_on_demand() {
    let meter = WireMeter::start(MT382, false);
    run(&mut probe(&meter.path, ["--disconnect"])).succeeded();
    let log = meter.log();
    assert_eq!(sent(&log), [b"/?!\r\n\x06252\r\n", &hdlc::DISC[..]].concat());
    let disc = log.iter().position(|(_, seen)| *seen == Seen::Bytes(hdlc::DISC.to_vec())).unwrap();
    let rate = log[..disc].iter().rev().find_map(|(_, seen)| match seen {
        Seen::Speed(speed) => Some(*speed),
        _ => None,
    });
    assert_eq!(rate, Some(9600));
}

#[test]
fn a_signal_lets_a_last_disc_out() {
    let meter = WireMeter::start(MT382, false);
    let mut running = Running::start(&mut probe(&meter.path, ["--pipe", "--disconnect"]));
    running.wait_for_stderr("is open at");
    let began = Instant::now();
    running.signal(rustix::process::Signal::TERM);
    running.ended().killed_by(rustix::process::Signal::TERM);
    let took = began.elapsed();
    // Nine characters at 9600 Bd take 9.4 ms: a port that is flushed sooner keeps them.
    assert!(took >= ms(9), "it did not wait for the way out: {took:?}");
    assert!(took < ms(1000), "{took:?}");
    let pause = Instant::now() + ms(100);
    eventually("time for the meter to read", || (Instant::now() > pause).then_some(()));
    assert!(sent(&meter.log()).ends_with(&hdlc::DISC));
}
