//! What each fuzzer holds against its input. `cargo fuzz run NAME` grows `corpus/NAME`, `cargo test --test fuzz` replays
//! it on stable through the very same functions.

// Each target uses one of them.
#![allow(dead_code)]

use std::time::{Duration, Instant};

use iecprobe::machine::{Action, Machine, Step};
use iecprobe::protocol::baud;
use iecprobe::protocol::content;
use iecprobe::protocol::hdlc::{self, Parameters};
use iecprobe::protocol::identification::{Identification, LENGTH_LIMIT};
use iecprobe::protocol::message::{self, BREAK, Request};
use iecprobe::protocol::parity::{self, Parity, ParityCheck};
use iecprobe::protocol::settings::Settings;
use iecprobe::protocol::timing;
use iecprobe::signon::{Config, Confirm, SignOn, WakeUp};

/// Polls at one instant after which a sign-on counts as hung.
const SPINNING: u32 = 100;

/// Longest sign-on: every character of an identification may take 1.6 s, in each attempt.
const HUNG: Duration = Duration::from_secs(1200);

/// An identification is cut into its parts without a gap and without an overlap.
pub fn identification(data: &[u8]) {
    let Ok(parsed) = Identification::parse(data) else { return };
    let line = parsed.line();
    assert!(data.starts_with(line) && line.len() < LENGTH_LIMIT);
    assert!(data[line.len()..].iter().all(|byte| matches!(byte, b'\r' | b'\n')));
    let leading = line.len() - 5 - parsed.ident().len();
    assert!(leading.is_multiple_of(2) && line.ends_with(parsed.ident()));
    assert!(parsed.escapes().count() >= leading / 2);
    if !matches!(line.last(), Some(b'\r' | b'\n')) {
        assert_eq!(Identification::parse(line).as_ref(), Ok(&parsed));
    }
    let (_, _, _) = (parsed.mode(), parsed.baud(), parsed.flag_id());
}

/// Frames are found within the input, in order, and each can be answered.
pub fn hdlc(data: &[u8]) {
    let commands = hdlc::frames(data).count();
    // A closing flag may open the next frame.
    assert!(commands * 8 <= data.len());
    if let Some(frame) = hdlc::find(data) {
        assert!(commands > 0 && frame.end <= data.len() && data[frame.end - 1] == hdlc::FLAG);
        let answer = hdlc::unnumbered_acknowledgement(&frame, &[]);
        let answered = hdlc::find(&answer).expect("an answer is a frame");
        assert_eq!((answered.command, answered.end), (hdlc::Command::Ua, answer.len()));
        assert_eq!(answered.addresses, (frame.addresses.1, frame.addresses.0));
        let parameters = Parameters::parse(frame.information);
        assert!(!frame.information.is_empty() || parameters == Parameters::default());
    }
}

/// Parity is found where it was put, and every run of bytes is something.
pub fn parity(data: &[u8]) {
    match ParityCheck::of(data) {
        ParityCheck::Absent | ParityCheck::Right => {}
        ParityCheck::Wrong { first, count } => {
            assert!(count > 0 && first + count <= data.len() && !parity::is_even(data[first]));
        }
    }
    let with = parity::all_with_even(data);
    assert!(matches!(ParityCheck::of(&with), ParityCheck::Right | ParityCheck::Absent));
    assert!(with.iter().zip(data).all(|(with, byte)| parity::strip(*with) == parity::strip(*byte)));
    content::of(data);
}

/// Bytes from the front of the input; zeros behind its end.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn next(&mut self) -> u8 {
        let (&first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        first
    }
}

fn config(input: &mut Input<'_>) -> Config {
    let [attempts, flags, choice, rates] = [0; 4].map(|_: u8| input.next());
    let bit = |bit: u8| flags >> bit & 1 == 1;
    Config {
        attempts: 1 + u32::from(attempts % 4),
        recover: !bit(0),
        force: bit(1),
        ident_only: bit(2),
        parities: [if bit(3) { Parity::Software } else { Parity::None }; 2],
        control: if bit(4) { b'0' } else { b'2' },
        wait: bit(5).then_some(Duration::from_millis(700)),
        switch_delay: bit(6).then_some(Duration::from_millis(300)),
        request: if bit(7) { Request::to_address("12").expect("an address") } else { Request::general() },
        confirm: [Confirm::Auto, Confirm::Require, Confirm::Skip][usize::from(choice % 3)],
        wake_up: [None, None, Some(WakeUp::Normal), Some(WakeUp::Fast)][usize::from(choice / 3 % 4)],
        manufacturers: if choice > 200 { vec!["ISK".parse().expect("an id")] } else { Vec::new() },
        start_baud: [300, 300, 2400, 9600][usize::from(rates % 4)],
        forced_baud: baud::of_digit(b'0' + rates / 4),
        ..Config::default()
    }
}

/// What was sent and received so far, to judge what is sent next.
struct Judge {
    config: Config,
    now: Instant,
    settings: Settings,
    requests: u32,
    /// When the acknowledgement went out.
    acknowledged: Option<Instant>,
    switched: bool,
    line_ends: Vec<Instant>,
}

impl Judge {
    fn transmits(&mut self, bytes: &[u8]) {
        assert!(self.acknowledged.is_none(), "{bytes:x?} behind the acknowledgement");
        let start = Settings::seven_even(self.config.start_baud);
        match bytes {
            [message::ACK, control, z, b'2', b'\r', b'\n'] => {
                assert!(z.is_ascii_digit() && *control == self.config.control && !self.config.ident_only);
                assert_eq!(self.settings, start);
                assert!(self.requests > 0);
                // An end of line that leaves the meter its reaction time, and does not keep it waiting.
                let late =
                    timing::ACKNOWLEDGEMENT_LATEST + timing::END_WITHOUT_LF + Duration::from_millis(60);
                let window = timing::REACTION_MIN_FAST..=late;
                assert!(self.line_ends.iter().any(|&end| window.contains(&(self.now - end))));
                self.acknowledged = Some(self.now);
            }
            bytes if bytes == self.config.request.as_bytes() => {
                assert_eq!(self.settings, start);
                self.requests += 1;
                assert!(self.requests <= self.config.attempts);
            }
            bytes if *bytes == BREAK => assert!(self.config.recover && self.settings == start),
            bytes if *bytes == hdlc::DISC => {
                assert!(self.config.recover && self.settings == Settings::eight_none(self.settings.baud));
            }
            bytes => assert!(self.config.wake_up.is_some() && bytes.iter().all(|&byte| byte == 0)),
        }
    }

    fn configures(&mut self, settings: Settings) {
        if let (Some(at), false) = (self.acknowledged, self.switched) {
            let computed = self.settings.wire_time(6) + timing::SWITCH_MARGIN;
            assert_eq!(self.now, at + self.config.switch_delay.unwrap_or(computed));
            assert_eq!(settings, Settings::eight_none(settings.baud));
            self.switched = true;
        }
        self.settings = settings;
    }
}

/// A sign-on on a line that does anything at all ends in time, and sends nothing outside its windows.
pub fn sign_on(data: &[u8]) {
    let mut input = Input(data);
    let config = config(&mut input);
    let began = Instant::now();
    let mut sign_on = SignOn::new(config.clone(), began);
    let mut judge = Judge {
        now: began,
        settings: Settings::seven_even(config.start_baud),
        config,
        requests: 0,
        acknowledged: None,
        switched: false,
        line_ends: Vec::new(),
    };
    let mut received = 0;
    let mut pause = None;
    let mut spins = 0;
    let outcome = loop {
        let before = judge.now;
        match sign_on.poll(judge.now) {
            Step::Done(outcome) => break outcome,
            Step::Do(Action::Configure { settings, .. }) => judge.configures(settings),
            Step::Do(Action::Transmit(bytes)) => judge.transmits(&bytes),
            Step::Do(Action::ModemLines { .. }) => panic!("a sign-on leaves DTR and RTS alone"),
            Step::Do(Action::Break(length)) => {
                assert!(judge.config.recover && judge.acknowledged.is_none());
                judge.now += length;
            }
            Step::Wait(until) => {
                assert!(until >= judge.now, "waits for what is over");
                // The input goes on with a pause in units of 4 ms, the length of a read, and its bytes.
                let at = *pause
                    .get_or_insert_with(|| judge.now + Duration::from_millis(4) * u32::from(input.next()));
                if input.0.is_empty() || at > until {
                    judge.now = until;
                } else {
                    pause = None;
                    judge.now = at.max(judge.now);
                    let length = usize::from(input.next() % 32).min(input.0.len());
                    let (read, rest) = input.0.split_at(length);
                    input.0 = rest;
                    received += length;
                    if read.iter().any(|&byte| matches!(parity::strip(byte), b'\r' | b'\n')) {
                        judge.line_ends.push(judge.now);
                    }
                    sign_on.receive(read, judge.now);
                }
            }
        }
        spins = if judge.now > before { 0 } else { spins + 1 };
        assert!(spins < SPINNING + data.len() as u32, "spins");
        assert!(judge.now - began < HUNG, "hangs");
    };
    let config = judge.config;
    match outcome {
        Ok(done) => {
            assert!(config.ident_only == judge.acknowledged.is_none());
            assert_eq!(done.confirmed.is_none(), config.ident_only || config.confirm == Confirm::Skip);
            assert_eq!(done.baud, judge.settings.baud);
            assert!(done.rest.len() <= received && done.attempts == judge.requests);
            assert!(config.ident_only || config.forced_baud.is_none_or(|forced| forced == done.baud));
        }
        Err(failed) => {
            // Bounded, however much came.
            assert!(failed.received.len() <= (2 + 4) * 1024 && failed.received.len() <= received + 256);
            assert_eq!(failed.attempts, judge.requests);
        }
    }
}
