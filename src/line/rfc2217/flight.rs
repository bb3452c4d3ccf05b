//! Which characters the server's port may still hold: what is known of it by the clock and by the server's answers.
//!
//! A server applies settings at once, before characters that it still holds. None tells when its port is empty, but each
//! answers a question about the rate in its turn: the answer to one that follows data says that the server has all of
//! them, and from then on they take their time on the wire.

use std::time::{Duration, Instant};

use crate::protocol::timing;

/// A question that is not answered within this time will not be.
const ANSWER_MAX: Duration = Duration::from_secs(1);

/// Beside the round trip: what a network may take longer than it took when the line was opened.
const SPREAD: Duration = Duration::from_millis(50);

/// A question behind data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fence {
    /// Its number.
    question: u64,
    /// When it was asked.
    asked: Instant,
    /// Time on the wire that the characters before it still needed then.
    needed: Duration,
}

/// What has become of the last question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing is under way.
    Empty,
    /// Data have been sent, and no question behind them.
    Open,
    /// A question is under way.
    Asked(Fence),
    /// The server has had everything; it is on the wire until this instant.
    OnTheWire(Instant),
}

/// Characters on their way out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flight {
    /// When the last of them would have left if the network took no time.
    leaves: Instant,
    state: State,
}

impl Flight {
    pub(super) fn new(now: Instant) -> Self {
        Self { leaves: now, state: State::Empty }
    }

    /// Characters were sent that take this long on the wire.
    pub(super) fn sent(&mut self, length: Duration, now: Instant) {
        self.leaves = self.leaves.max(now) + length;
        self.state = State::Open;
    }

    /// Whether data have been sent with no question behind them.
    pub(super) fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// A question was sent.
    pub(super) fn asked(&mut self, question: u64, now: Instant) {
        let needed = self.leaves.saturating_duration_since(now);
        self.state = State::Asked(Fence { question, asked: now, needed });
    }

    /// That many questions have been answered by `now`.
    pub(super) fn answered(&mut self, questions: u64, now: Instant) {
        if let State::Asked(fence) = self.state
            && questions >= fence.question
        {
            self.state = State::OnTheWire(now + fence.needed + timing::SWITCH_MARGIN);
        }
    }

    /// Whether everything has left by `now`, on a network with this round trip.
    pub(super) fn has_landed(&self, round_trip: Duration, now: Instant) -> bool {
        match self.state {
            State::Empty => true,
            State::Open => false,
            State::Asked(fence) => now >= (fence.asked + ANSWER_MAX).max(self.leaves + round_trip + SPREAD),
            State::OnTheWire(until) => now >= until,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUND_TRIP: Duration = Duration::from_millis(20);

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    /// The instant at which everything has landed, in milliseconds.
    fn lands(flight: &Flight, zero: Instant) -> u64 {
        (0..10_000).find(|&at| flight.has_landed(ROUND_TRIP, zero + ms(at))).unwrap()
    }

    #[test]
    fn an_acknowledgement_has_its_time_on_the_wire_after_the_answer() {
        let zero = Instant::now();
        for answer in [0, 20, 250, 900] {
            let mut flight = Flight::new(zero);
            assert!(flight.has_landed(ROUND_TRIP, zero));
            flight.sent(ms(200), zero);
            assert!(flight.is_open() && !flight.has_landed(ROUND_TRIP, zero + ms(5000)));
            flight.asked(7, zero);
            flight.answered(6, zero);
            assert!(!flight.has_landed(ROUND_TRIP, zero + ms(250)), "an older question proves nothing");
            flight.answered(7, zero + ms(answer));
            assert_eq!(lands(&flight, zero), answer + 210);
        }
    }

    #[test]
    fn without_an_answer_the_clock_decides_and_not_before_a_second() {
        let zero = Instant::now();
        for (length, landed) in [(200, 1000), (2000, 2070)] {
            let mut flight = Flight::new(zero);
            flight.sent(ms(length), zero);
            flight.asked(1, zero);
            assert_eq!(lands(&flight, zero), landed);
        }
    }

    #[test]
    fn what_is_sent_in_pieces_adds_up() {
        let zero = Instant::now();
        let mut flight = Flight::new(zero);
        flight.sent(ms(100), zero);
        flight.sent(ms(100), zero + ms(10));
        flight.asked(1, zero + ms(50));
        flight.answered(1, zero + ms(60));
        assert_eq!(lands(&flight, zero), 60 + 150 + 10);
    }
}
