//! One HDLC command to a meter in HDLC, and the wait for its answer: SNRM to see whether the link opens, DISC to close
//! it. Pure, as the sign-on is; it is driven in the same way.

use std::time::{Duration, Instant};

use crate::machine::{Action, Doing, Machine, Progress, Step};
use crate::protocol::hdlc::{self, Addresses, Command, Parameters, Server};
use crate::protocol::parity::Parity;
use crate::protocol::settings::Settings;

/// Received bytes that are kept as evidence: the first ones.
const RECEIVED_MAX: usize = 1024;

/// Received bytes in which an answer is looked for: the last ones. A UA with parameters has some 35.
const WINDOW: usize = 256;

/// Longest pause within a frame (IEC 62056-46, inter-octet time-out: 25 ms, and more where a USB adapter lags).
const BETWEEN_BYTES: Duration = Duration::from_millis(100);

/// Bytes that an answer can have, and an echo before it: a wait that has begun in time goes on for as long as these take.
const ANSWER_MAX: usize = 64;

/// What is asked of a meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// To open the link: SNRM.
    Open,
    /// To close it: DISC.
    Close,
}

/// A meter's answer to a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Who answered: its own address, where a broadcast was asked.
    pub from: Server,
    /// What it said.
    pub says: Says,
}

/// What a meter answers to a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// UA, with the parameters of the link.
    Accepted(Parameters),
    /// DM: there is no link, and none is opened.
    Disconnected,
    /// FRMR: it does not take this frame.
    Rejected,
}

/// How an exchange ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchanged {
    /// The answer, if one came from the server asked to the client that asked.
    pub answer: Option<Answer>,
    /// What was received, as it came; its beginning.
    pub received: Vec<u8>,
}

/// A command and the wait for its answer: the smallest machine.
///
/// Whatever the line carries, a wait ends at its hard end: the time of the command and of 64 bytes on the wire, the wait
/// asked for and 100 ms after the command was handed over.
#[derive(Debug)]
pub struct Exchange {
    frame: Vec<u8>,
    addresses: Addresses,
    settings: Settings,
    wait: Duration,
    tries: u32,
    stage: Stage,
    received: Vec<u8>,
    window: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    /// The line is not set yet.
    Beginning,
    /// The frame is to go out.
    Sending,
    /// It was handed over. The answer has to begin, or to go on, by `until`; in any case the wait is over at `end`.
    Listening { until: Instant, end: Instant },
}

impl Exchange {
    /// Sets the line and asks, up to `tries` times, each time with this wait for the answer's beginning.
    pub fn new(ask: Ask, addresses: Addresses, settings: Settings, wait: Duration, tries: u32) -> Self {
        Self {
            frame: match ask {
                Ask::Open => addresses.snrm(),
                Ask::Close => addresses.disc(),
            },
            addresses,
            settings,
            wait,
            tries,
            stage: Stage::Beginning,
            received: Vec::new(),
            window: Vec::new(),
        }
    }

    fn done(&self, answer: Option<Answer>) -> Step<Exchanged> {
        Step::Done(Exchanged { answer, received: self.received.clone() })
    }

    fn listening(&self, from: Instant) -> Stage {
        let until = from + self.settings.wire_time(self.frame.len()) + self.wait;
        Stage::Listening { until, end: until + self.settings.wire_time(ANSWER_MAX) + BETWEEN_BYTES }
    }

    /// The first frame that is an answer; the head's echo of our own is none, and what others say to others.
    fn answer(&self) -> Option<Answer> {
        hdlc::frames(&self.window).find_map(|frame| {
            let from = frame.server_to(self.addresses.client)?;
            let says = match frame.command {
                Command::Ua => Says::Accepted(Parameters::parse(frame.information)),
                Command::Dm => Says::Disconnected,
                Command::Frmr => Says::Rejected,
                Command::Snrm | Command::Disc | Command::Other => return None,
            };
            self.addresses.server.covers(from).then_some(Answer { from, says })
        })
    }
}

impl Machine for Exchange {
    type Outcome = Exchanged;

    fn poll(&mut self, now: Instant) -> Step<Exchanged> {
        if let Some(answer) = self.answer() {
            return self.done(Some(answer));
        }
        match self.stage {
            Stage::Beginning => {
                self.stage = Stage::Sending;
                Step::Do(Action::Configure { settings: self.settings, parity: Parity::None, drain: true })
            }
            Stage::Listening { until, .. } if now < until => Step::Wait(until),
            _ if self.tries == 0 => self.done(None),
            _ => {
                self.tries -= 1;
                self.stage = self.listening(now);
                Step::Do(Action::Transmit(self.frame.clone()))
            }
        }
    }

    fn receive(&mut self, bytes: &[u8], now: Instant) {
        let room = RECEIVED_MAX - self.received.len();
        self.received.extend(bytes.iter().take(room));
        self.window.extend(bytes);
        // An answer that has begun may come to its end: each byte gives it the time of a few more.
        let more = now + self.settings.wire_time(4) + BETWEEN_BYTES;
        if let Stage::Listening { until, end } = &mut self.stage {
            *until = more.max(*until).min(*end);
        }
        // Only what no answer was found in may be forgotten.
        if self.window.len() > WINDOW && self.answer().is_none() {
            self.window.drain(..self.window.len() - WINDOW);
        }
    }

    fn sent(&mut self, at: Instant) {
        self.stage = self.listening(at);
    }

    fn progress(&self) -> Option<Progress> {
        Some(Progress { doing: Doing::Exchanging, attempt: 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::hdlc::SNRM;

    const WAIT: Duration = Duration::from_millis(1000);

    fn asked(addresses: Addresses) -> (Exchange, Instant) {
        let mut exchange = Exchange::new(Ask::Open, addresses, Settings::eight_none(9600), WAIT, 2);
        let now = Instant::now();
        assert!(matches!(exchange.poll(now), Step::Do(Action::Configure { .. })));
        (exchange, now)
    }

    fn exchange() -> (Exchange, Instant) {
        asked(Addresses::default())
    }

    /// The UA of `server` to `client`.
    fn ua(client: u8, server: &str) -> Vec<u8> {
        let snrm = Addresses { client, server: server.parse().unwrap() }.snrm();
        hdlc::unnumbered_acknowledgement(&hdlc::find(&snrm).unwrap(), &[])
    }

    #[test]
    fn silence_is_met_with_a_second_try_and_then_with_the_end() {
        let (mut exchange, now) = exchange();
        assert_eq!(exchange.poll(now), Step::Do(Action::Transmit(SNRM.to_vec())));
        let Step::Wait(until) = exchange.poll(now) else { panic!() };
        assert_eq!(exchange.poll(until), Step::Do(Action::Transmit(SNRM.to_vec())));
        let Step::Wait(until) = exchange.poll(until) else { panic!() };
        assert_eq!(exchange.poll(until), Step::Done(Exchanged { answer: None, received: Vec::new() }));
    }

    #[test]
    fn an_answer_is_found_behind_an_echo_however_it_is_cut() {
        let dm = hdlc::disconnected_mode(&hdlc::find(&SNRM).unwrap());
        for (frame, says) in [(ua(16, "1"), Says::Accepted(Parameters::default())), (dm, Says::Disconnected)]
        {
            let bytes = [&SNRM[..], &frame].concat();
            for size in 1..=bytes.len() {
                let (mut exchange, now) = exchange();
                exchange.poll(now);
                for chunk in bytes.chunks(size) {
                    assert!(matches!(exchange.poll(now), Step::Wait(_)), "{size}");
                    exchange.receive(chunk, now);
                }
                let answer = Some(Answer { from: "1".parse().unwrap(), says });
                assert_eq!(exchange.poll(now), Step::Done(Exchanged { answer, received: bytes.clone() }));
            }
        }
    }

    #[test]
    fn what_others_say_to_others_is_no_answer() {
        let others = [ua(1, "1"), ua(16, "2"), ua(16, "1/17"), ua(17, "16")].concat();
        for (own, from) in [("1", "1"), ("16383/16383", "1/17:4"), ("127", "5"), ("1/17", "1/17:4")] {
            let server: Server = own.parse().unwrap();
            let (mut exchange, now) = asked(Addresses { client: 32, server });
            exchange.poll(now);
            exchange.receive(&others, now);
            assert!(matches!(exchange.poll(now), Step::Wait(_)), "{own}");
            exchange.receive(&ua(32, from), now);
            let Step::Done(Exchanged { answer: Some(answer), .. }) = exchange.poll(now) else {
                panic!("{own}")
            };
            assert_eq!(answer.from, from.parse().unwrap());
        }
    }

    #[test]
    fn an_answer_is_found_behind_any_amount_of_junk() {
        let (mut exchange, now) = exchange();
        exchange.poll(now);
        for _ in 0..20 {
            exchange.receive(&[0x7E; 100], now);
        }
        exchange.receive(&[&ua(16, "1"), &[0x7E; 1000][..]].concat(), now);
        assert!(matches!(exchange.poll(now), Step::Done(Exchanged { answer: Some(_), .. })));
    }

    #[test]
    fn an_answer_that_has_begun_is_heard_to_its_end() {
        let (mut exchange, start) = exchange();
        exchange.poll(start);
        let Step::Wait(until) = exchange.poll(start) else { panic!() };
        exchange.receive(&Addresses::default().disc()[..4], until);
        assert!(matches!(exchange.poll(until), Step::Wait(later) if later > until));
    }

    #[test]
    fn no_stream_of_bytes_moves_the_end_of_the_wait_beyond_its_bound() {
        for (rate, every_ms) in [(9600, 1), (9600, 95), (300, 1), (300, 190)] {
            let settings = Settings::eight_none(rate);
            for byte in 0..=255 {
                let start = Instant::now();
                let mut exchange = Exchange::new(Ask::Close, Addresses::default(), settings, WAIT, 1);
                exchange.poll(start);
                exchange.poll(start);
                let bound = settings.wire_time(9 + 64) + WAIT + Duration::from_millis(100);
                let mut now = start;
                while let Step::Wait(_) = exchange.poll(now) {
                    exchange.receive(&[byte], now);
                    now += Duration::from_millis(every_ms);
                    assert!(now - start <= bound + Duration::from_millis(every_ms), "{byte:#04x}");
                }
                assert!(matches!(exchange.poll(now), Step::Done(Exchanged { answer: None, .. })));
            }
        }
    }
}
