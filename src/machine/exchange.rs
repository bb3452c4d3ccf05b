//! One HDLC command to a meter in HDLC, and the wait for its answer: SNRM to see whether the link opens, DISC to close
//! it. Pure, as the sign-on is; it is driven in the same way.

use std::time::{Duration, Instant};

use crate::machine::{Action, Doing, Machine, Progress, Step};
use crate::protocol::hdlc::{self, Command, Parameters};
use crate::protocol::parity::Parity;
use crate::protocol::settings::Settings;

/// Received bytes that are kept: a UA with parameters has some 32, and an echo may precede it.
const RECEIVED_MAX: usize = 1024;

/// Longest pause within a frame (IEC 62056-46, inter-octet time-out: 25 ms, and more where a USB adapter lags).
const BETWEEN_BYTES: Duration = Duration::from_millis(100);

/// A meter's answer to a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
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
    /// The answer, if one came.
    pub answer: Option<Answer>,
    /// What was received, as it came; its beginning.
    pub received: Vec<u8>,
}

/// A command and the wait for its answer: the smallest machine.
#[derive(Debug)]
pub struct Exchange {
    frame: Vec<u8>,
    settings: Settings,
    wait: Duration,
    tries: u32,
    stage: Stage,
    received: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    /// The line is not set yet.
    Beginning,
    /// The frame is to go out.
    Sending,
    /// It was handed over; an answer has to begin by then.
    Listening(Instant),
}

impl Exchange {
    /// Sets the line and sends `frame`, up to `tries` times, each time with this wait for the answer's beginning.
    pub fn new(frame: Vec<u8>, settings: Settings, wait: Duration, tries: u32) -> Self {
        Self { frame, settings, wait, tries, stage: Stage::Beginning, received: Vec::new() }
    }

    fn done(&self, answer: Option<Answer>) -> Step<Exchanged> {
        Step::Done(Exchanged { answer, received: self.received.clone() })
    }

    /// The first frame that is an answer; the head's echo of our own is none.
    fn answer(&self) -> Option<Answer> {
        hdlc::frames(&self.received).find_map(|frame| match frame.command {
            Command::Ua => Some(Answer::Accepted(Parameters::parse(frame.information))),
            Command::Dm => Some(Answer::Disconnected),
            Command::Frmr => Some(Answer::Rejected),
            Command::Snrm | Command::Disc | Command::Other => None,
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
            Stage::Listening(until) if now < until => Step::Wait(until),
            _ if self.tries == 0 => self.done(None),
            _ => {
                self.tries -= 1;
                self.stage = Stage::Listening(now + self.settings.wire_time(self.frame.len()) + self.wait);
                Step::Do(Action::Transmit(self.frame.clone()))
            }
        }
    }

    fn receive(&mut self, bytes: &[u8], now: Instant) {
        let room = RECEIVED_MAX - self.received.len();
        self.received.extend(bytes.iter().take(room));
        // An answer that has begun may come to its end: each byte gives it the time of a few more.
        let more = now + self.settings.wire_time(4) + BETWEEN_BYTES;
        if let Stage::Listening(until) = &mut self.stage
            && room > 0
        {
            *until = more.max(*until);
        }
    }

    fn progress(&self) -> Option<Progress> {
        Some(Progress { doing: Doing::Exchanging, attempt: 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::hdlc::{Addresses, SNRM};

    const WAIT: Duration = Duration::from_millis(1000);

    fn exchange() -> (Exchange, Instant) {
        let mut exchange = Exchange::new(SNRM.to_vec(), Settings::eight_none(9600), WAIT, 2);
        let now = Instant::now();
        assert!(matches!(exchange.poll(now), Step::Do(Action::Configure { .. })));
        (exchange, now)
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
        let ua = hdlc::unnumbered_acknowledgement(&hdlc::find(&SNRM).unwrap(), &[]);
        let dm = hdlc::disconnected_mode(&hdlc::find(&SNRM).unwrap());
        for (frame, answer) in [(ua, Answer::Accepted(Parameters::default())), (dm, Answer::Disconnected)] {
            let bytes = [&SNRM[..], &frame].concat();
            for size in 1..=bytes.len() {
                let (mut exchange, now) = exchange();
                exchange.poll(now);
                for chunk in bytes.chunks(size) {
                    assert!(matches!(exchange.poll(now), Step::Wait(_)), "{size}");
                    exchange.receive(chunk, now);
                }
                assert_eq!(
                    exchange.poll(now),
                    Step::Done(Exchanged { answer: Some(answer), received: bytes.clone() })
                );
            }
        }
    }

    #[test]
    fn an_answer_that_has_begun_is_heard_to_its_end_but_junk_does_not_go_on_for_ever() {
        let (mut exchange, start) = exchange();
        exchange.poll(start);
        let Step::Wait(until) = exchange.poll(start) else { panic!() };
        exchange.receive(&Addresses::default().disc()[..4], until);
        assert!(matches!(exchange.poll(until), Step::Wait(later) if later > until));
        let mut now = until;
        for _ in 0..4000 {
            exchange.receive(&[0x55], now);
            match exchange.poll(now) {
                Step::Wait(later) => now = later.min(now + Duration::from_millis(1)),
                Step::Do(_) => {}
                Step::Done(_) => return,
            }
        }
        panic!("it goes on");
    }
}
