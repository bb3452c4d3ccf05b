//! A meter in HDLC: the addresses that it answers to, and whether it has a link.

use std::time::Duration;

use crate::meter::behaviour::{Behaviour, Hears, Link};
use crate::protocol::hdlc::{self, Command, Frame, Server};

/// A meter's stay in HDLC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Station {
    /// Its rate in Bd.
    pub(super) baud: u32,
    /// It is back at the sign-on after this much silence; never, where there is none.
    pub(super) inactivity: Option<Duration>,
    /// Whether a link is open.
    pub(super) linked: bool,
}

/// What a meter does with a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reaction {
    /// The frame that it answers with.
    pub(super) answer: Vec<u8>,
    /// Whether it leaves HDLC for that.
    pub(super) leaves: bool,
}

impl Station {
    /// What it does with `frame`; nothing where it does not answer.
    pub(super) fn take(&mut self, behaviour: &Behaviour, frame: &Frame<'_>) -> Option<Reaction> {
        let own = own_field(behaviour, frame)?;
        let accepts = |parameters: &[u8]| hdlc::unnumbered_acknowledgement_from(frame, &own, parameters);
        let refuses = || hdlc::disconnected_mode_from(frame, &own);
        match (frame.command, &behaviour.link) {
            (Command::Snrm, Link::Opens(parameters)) => {
                self.linked = true;
                Some(Reaction { answer: accepts(parameters), leaves: false })
            }
            (Command::Snrm, Link::Refuses) => Some(Reaction { answer: refuses(), leaves: false }),
            (Command::Disc, Link::Opens(_) | Link::Refuses | Link::Closes) => {
                let is_for_good = self.inactivity.is_none();
                if !self.linked && (behaviour.stays_unlinked || is_for_good) {
                    return Some(Reaction { answer: refuses(), leaves: false });
                }
                self.linked = false;
                Some(Reaction { answer: accepts(&[]), leaves: !is_for_good })
            }
            _ => None,
        }
    }
}

/// The address field that a meter answers from, if the frame is for it.
fn own_field(behaviour: &Behaviour, frame: &Frame<'_>) -> Option<Vec<u8>> {
    let (destination, source) = frame.addresses;
    let Some(station) = &behaviour.station else { return Some(destination.to_vec()) };
    let asked = Server::from_field(destination)?;
    let is_ours = match station.hears {
        Hears::Own => asked == station.server,
        Hears::AllStations => asked == Server::ALL_STATIONS,
        Hears::Both => asked == station.server || asked == Server::ALL_STATIONS,
    };
    let is_client = station.client.is_none_or(|client| source == [client << 1 | 1]);
    (is_ours && is_client).then(|| station.server.field())
}
