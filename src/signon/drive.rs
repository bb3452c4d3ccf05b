//! How a driver meets a sign-on: each poll, each read goes to the state that it is in.

use std::time::Instant;

use crate::machine::{Doing, Machine, Progress, Step};
use crate::protocol::timing;
use crate::signon::{Acknowledged, Outcome, SignOn, State};

impl Machine for SignOn {
    type Outcome = Outcome;

    fn poll(&mut self, now: Instant) -> Step<Outcome> {
        self.punctuality.look(now);
        loop {
            self.state = match &mut self.state {
                State::Prelude(prelude) => match prelude.poll(now) {
                    Step::Do(action) => return Step::Do(action),
                    Step::Wait(until) => return Step::Wait(until),
                    Step::Done(ended) => {
                        let (unasked, at_other_rates) = prelude.seen();
                        self.unasked.extend(unasked);
                        self.at_other_rates.extend(at_other_rates);
                        self.prepared(ended, now)
                    }
                },
                State::Identify(identify) => match identify.poll(now) {
                    Step::Do(action) => return Step::Do(action),
                    Step::Wait(until) => return Step::Wait(self.punctuality.ask(until, now)),
                    Step::Done(ended) => {
                        let seen = identify.seen();
                        self.identified(ended, seen, now)
                    }
                },
                State::Acknowledge(acknowledged) => match acknowledged.exchange.poll(now) {
                    Step::Do(action) => return Step::Do(action),
                    Step::Wait(until) => return Step::Wait(self.punctuality.ask(until, now)),
                    Step::Done(answer) => {
                        let acknowledged = Acknowledged::clone(acknowledged);
                        self.answered(answer, acknowledged, now)
                    }
                },
                State::SignOff(prelude, outcome) => match prelude.poll(now) {
                    Step::Do(action) => return Step::Do(action),
                    Step::Wait(until) => return Step::Wait(until),
                    Step::Done(_) => State::Done(outcome.clone()),
                },
                State::Done(outcome) => return Step::Done(*outcome.clone()),
            };
        }
    }

    fn receive(&mut self, bytes: &[u8], now: Instant) {
        let since = self.punctuality.look(now);
        if !bytes.is_empty() {
            self.last_received = Some(now);
        }
        for &byte in bytes {
            match &mut self.state {
                State::Prelude(prelude) | State::SignOff(prelude, _) => prelude.receive(byte, now),
                State::Identify(identify) => identify.receive(byte, since, now),
                State::Acknowledge(acknowledged) => acknowledged.exchange.receive(byte, now),
                State::Done(outcome) => {
                    if let Ok(signed_on) = &mut **outcome {
                        signed_on.rest.push(byte);
                    }
                }
            }
        }
    }

    fn sent(&mut self, at: Instant) {
        match &mut self.state {
            State::Prelude(prelude) | State::SignOff(prelude, _) => prelude.sent(at),
            State::Identify(identify) => identify.sent(at),
            State::Acknowledge(acknowledged) => {
                acknowledged.exchange.sent(at);
                if at > acknowledged.latest {
                    self.punctuality.overslept(at - (acknowledged.latest - timing::ACKNOWLEDGEMENT_LATEST));
                }
            }
            State::Done(_) => {}
        }
    }

    fn progress(&self) -> Option<Progress> {
        let (doing, attempt) = match &self.state {
            State::Prelude(prelude) => (prelude.doing(), self.attempts + 1),
            State::Identify(_) => (Doing::Identifying, self.attempts),
            State::Acknowledge(_) | State::SignOff(..) | State::Done(_) => (Doing::Confirming, self.attempts),
        };
        Some(Progress { doing, attempt })
    }
}
