//! Freeing a meter from HDLC: DISC, and what it takes where that is not enough.
//!
//! UA means freed. DM does not: a meter that was signed on and never linked is in HDLC's disconnected state, answers every
//! DISC with DM and stays at its rate. It leaves by a link that is opened and closed again: SNRM, UA, DISC, UA.

use std::time::{Duration, Instant};

use crate::machine::exchange::{Answer, Ask, Exchange, Exchanged, Says};
use crate::machine::{Machine, Progress, Step};
use crate::protocol::hdlc::{Addresses, Server};
use crate::protocol::settings::Settings;

/// SNRMs sent to a meter that has answered DISC with DM: the first one may get lost behind junk.
const SNRM_TRIES: u32 = 2;

/// Whether a meter was freed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parting {
    /// It answered the DISC with UA: its link is closed.
    Closed(Server),
    /// It had no link; one was opened and closed again, which frees it.
    OpenedAndClosed(Server),
    /// It answered, but it is not free: it opens no link, or does not close it.
    Stays(Server),
    /// Nothing answered.
    Unanswered,
}

impl Parting {
    /// Whether the meter is free, as far as HDLC is concerned.
    pub fn is_free(self) -> bool {
        matches!(self, Self::Closed(_) | Self::OpenedAndClosed(_))
    }
}

/// How a disconnection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parted {
    /// Whether the meter was freed.
    pub parting: Parting,
    /// What was received, as it came; of each of its exchanges the beginning.
    pub received: Vec<u8>,
}

/// DISC; after DM: SNRM and DISC once more.
///
/// It takes the bound of an [`Exchange`] where nothing answers, and at most four of them.
#[derive(Debug)]
pub struct Disconnect {
    addresses: Addresses,
    settings: Settings,
    wait: Duration,
    stage: Stage,
    exchange: Exchange,
    received: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The first DISC.
    Closing,
    /// SNRM, after this meter has said DM.
    Opening(Server),
    /// DISC, after that meter has opened a link.
    ClosingAgain(Server),
    Over(Parting),
}

impl Disconnect {
    /// Sets the line and closes the link between these addresses, with this wait for the beginning of each answer.
    pub fn new(addresses: Addresses, settings: Settings, wait: Duration) -> Self {
        let exchange = Exchange::new(Ask::Close, addresses, settings, wait, 1);
        Self { addresses, settings, wait, stage: Stage::Closing, exchange, received: Vec::new() }
    }

    fn ask(&mut self, ask: Ask, tries: u32, stage: Stage) {
        self.exchange = Exchange::new(ask, self.addresses, self.settings, self.wait, tries);
        self.stage = stage;
    }

    /// After an exchange: the next one, or the end.
    fn go_on(&mut self, exchanged: Exchanged) {
        self.received.extend(exchanged.received);
        match (self.stage, exchanged.answer) {
            (Stage::Closing, None) => self.stage = Stage::Over(Parting::Unanswered),
            (Stage::Closing, Some(Answer { from, says: Says::Accepted(_) })) => {
                self.stage = Stage::Over(Parting::Closed(from));
            }
            (Stage::Closing, Some(Answer { from, says: Says::Disconnected | Says::Rejected })) => {
                self.ask(Ask::Open, SNRM_TRIES, Stage::Opening(from));
            }
            (Stage::Opening(_), Some(Answer { from, says: Says::Accepted(_) })) => {
                self.ask(Ask::Close, 1, Stage::ClosingAgain(from));
            }
            (Stage::ClosingAgain(_), Some(Answer { from, says: Says::Accepted(_) })) => {
                self.stage = Stage::Over(Parting::OpenedAndClosed(from));
            }
            (Stage::Opening(from) | Stage::ClosingAgain(from), _) => {
                self.stage = Stage::Over(Parting::Stays(from));
            }
            (Stage::Over(_), _) => {}
        }
    }
}

impl Machine for Disconnect {
    type Outcome = Parted;

    fn poll(&mut self, now: Instant) -> Step<Parted> {
        loop {
            if let Stage::Over(parting) = self.stage {
                return Step::Done(Parted { parting, received: self.received.clone() });
            }
            match self.exchange.poll(now) {
                Step::Do(action) => return Step::Do(action),
                Step::Wait(until) => return Step::Wait(until),
                Step::Done(exchanged) => self.go_on(exchanged),
            }
        }
    }

    fn receive(&mut self, bytes: &[u8], now: Instant) {
        self.exchange.receive(bytes, now);
    }

    fn sent(&mut self, at: Instant) {
        self.exchange.sent(at);
    }

    fn progress(&self) -> Option<Progress> {
        self.exchange.progress()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Action;
    use crate::protocol::hdlc::{self, Command};

    /// Carries a disconnection through against a meter that answers so, and says what was sent.
    fn part(answers: &[Option<Command>]) -> (Parting, Vec<Command>) {
        let mut now = Instant::now();
        let addresses = Addresses::default();
        let mut machine = Disconnect::new(addresses, Settings::eight_none(9600), Duration::from_millis(150));
        let (mut sent, mut answers) = (Vec::new(), answers.iter());
        loop {
            match machine.poll(now) {
                Step::Do(Action::Transmit(frame)) => {
                    machine.sent(now);
                    let frame = hdlc::find(&frame).unwrap();
                    sent.push(frame.command);
                    match answers.next().unwrap() {
                        Some(Command::Ua) => {
                            machine.receive(&hdlc::unnumbered_acknowledgement(&frame, &[]), now);
                        }
                        Some(_) => machine.receive(&hdlc::disconnected_mode(&frame), now),
                        None => {}
                    }
                }
                Step::Do(_) => {}
                Step::Wait(until) => now = until,
                Step::Done(parted) => {
                    assert_eq!(answers.next(), None);
                    return (parted.parting, sent);
                }
            }
        }
    }

    #[test]
    fn every_answer_leads_to_its_end() {
        use Command::{Disc, Dm, Snrm, Ua};
        let server = Addresses::default().server;
        assert_eq!(part(&[Some(Ua)]), (Parting::Closed(server), vec![Disc]));
        assert_eq!(part(&[None]), (Parting::Unanswered, vec![Disc]));
        let freed = Parting::OpenedAndClosed(server);
        assert_eq!(part(&[Some(Dm), Some(Ua), Some(Ua)]), (freed, vec![Disc, Snrm, Disc]));
        assert_eq!(part(&[Some(Dm), None, Some(Ua), Some(Ua)]), (freed, vec![Disc, Snrm, Snrm, Disc]));
        let stays = Parting::Stays(server);
        assert_eq!(part(&[Some(Dm), Some(Dm)]), (stays, vec![Disc, Snrm]));
        assert_eq!(part(&[Some(Dm), None, None]), (stays, vec![Disc, Snrm, Snrm]));
        assert_eq!(part(&[Some(Dm), Some(Ua), None]), (stays, vec![Disc, Snrm, Disc]));
        assert_eq!(part(&[Some(Dm), Some(Ua), Some(Dm)]), (stays, vec![Disc, Snrm, Disc]));
    }
}
