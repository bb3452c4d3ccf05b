//! The loop of the virtual meter: it moves characters between the place where the meter is and the wire, until one of the
//! ends that [`Ended`] names.

use std::io;
use std::time::{Duration, Instant};

use iecprobe::meter::Responder;
use iecprobe::meter::wire::{Pace, Wire};
use iecprobe::os::{Child, Interest, Interrupt, Seen, wait};
use iecprobe::protocol::message;
use iecprobe::protocol::settings::Settings;

use crate::place::Place;

/// How often the settings of the other side are looked at while something is under way: it can change them at any
/// moment, and nobody tells.
const LOOK: Duration = Duration::from_millis(1);

/// Characters that may be under way before no more are read: a reader that sends without a pause has to wait.
const BACKLOG: usize = 4096;

/// How often a seat that nobody has opened is looked at, and a command that cannot be waited for.
const IDLE_LOOK: Duration = Duration::from_millis(5);

/// How the meter ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// As many readers have come and gone as were asked for, or the scenario has taken the port away.
    Done,
    /// The command ended, with this status.
    Command(u8),
    /// The time was up.
    TimedOut,
    /// A signal came.
    Signal(i32),
}

/// What ends a meter beside its readers.
pub struct Ends<'a> {
    /// Signals.
    pub interrupt: &'a Interrupt,
    /// The command that the meter was started for.
    pub child: Option<&'a mut Child>,
    /// When the time is up.
    pub deadline: Option<Instant>,
}

impl Ends<'_> {
    /// How the meter is to end now, if it is.
    pub fn reached(&mut self, now: Instant) -> Option<Ended> {
        if let Some(signal) = self.interrupt.signal() {
            return Some(Ended::Signal(signal));
        }
        if let Some(status) = self.child.as_mut().and_then(|child| child.status()) {
            return Some(Ended::Command(status));
        }
        self.deadline.filter(|&deadline| now >= deadline).map(|_| Ended::TimedOut)
    }

    /// Waits for these, for the ends, or until the instant.
    pub fn wait(&self, [first, second]: [Interest<'_>; 2], until: Option<Instant>) -> io::Result<()> {
        let child = self.child.as_ref();
        let polled = child.filter(|child| child.handle().is_none()).map(|_| Instant::now() + IDLE_LOOK);
        let until = [until, self.deadline, polled].into_iter().flatten().min();
        let child = Interest::read(child.and_then(|child| child.handle()));
        wait([Interest::read(Some(self.interrupt.handle())), child, first, second], until).map(drop)
    }
}

/// How the service of one reader ended.
pub enum Served {
    /// No reader has come for a while: the line is not open yet.
    Nobody,
    /// The reader has come and gone.
    Session,
    /// The meter is to end.
    Ended(Ended),
}

/// Plays until a reader has come and gone.
pub fn serve<M: Responder>(
    place: &mut Place,
    wire: &mut Wire<M>,
    pace: Pace,
    ends: &mut Ends<'_>,
) -> io::Result<Served> {
    let mut buffer = [0; 4096];
    let mut came = false;
    // When we looked last, if a wait for something to read has not come between.
    let mut looked: Option<Instant> = None;
    loop {
        let now = Instant::now();
        if let Some(ended) = ends.reached(now) {
            return Ok(Served::Ended(ended));
        }
        let full = wire.under_way(now) >= BACKLOG || place.is_backed_up();
        let read = if full { Seen::Nothing } else { place.read(&mut buffer)? };
        let set = place.peer_settings();
        if let Seen::Bytes(length) = read {
            came = true;
            // A busy machine lets us look late. The reader counts from when it wrote, which may have been any time
            // since our last look: it has the benefit of the doubt.
            let since = looked.filter(|_| !place.tells_settings()).unwrap_or(now);
            take(wire, &buffer[..length], set, place.tells_settings(), pace, since, now);
        }
        match set {
            Some(set) => wire.configure(set, now),
            None => {
                // The line of a device, and one of raw bytes, runs at the meter's own rate.
                let rate = wire.meter_rate();
                if rate != wire.settings().baud {
                    place.set_rate(rate)?;
                    wire.configure(Settings::eight_none(rate), now);
                }
            }
        }
        let (broke, modem_lines) = place.take_signals();
        if let Some(levels) = modem_lines {
            wire.set_modem_lines(levels, now);
        }
        if broke {
            wire.send_break(now);
        }
        let sent = wire.receive(now);
        if wire.is_gone(now) {
            return Ok(Served::Ended(Ended::Done));
        }
        place.write(&sent)?;
        match read {
            Seen::Bytes(_) => continue,
            Seen::Nothing => came = came || place.is_open(),
            Seen::NobodyThere if came => return Ok(Served::Session),
            Seen::NobodyThere => {
                match place.arrivals() {
                    Some(arrivals) => ends.wait(arrivals, soonest([wire.next_event(), place.poll_at()]))?,
                    None => ends.wait(Default::default(), Some(now + IDLE_LOOK))?,
                }
                return Ok(Served::Nobody);
            }
        }
        let next = wire.next_event();
        let busy = next.is_some_and(|at| at < now + Duration::from_secs(3)) && !place.tells_settings();
        let until = if busy { next.map(|at| at.max(now).min(now + LOOK)) } else { next };
        looked = busy.then_some(now);
        // A reader that takes nothing is waited for, and the wire with it.
        let until = if place.is_backed_up() { None } else { until };
        ends.wait(place.interests(!full), soonest([until, place.poll_at()]))?;
    }
}

/// Puts characters of the reader on the wire.
fn take<M: Responder>(
    wire: &mut Wire<M>,
    bytes: &[u8],
    set: Option<Settings>,
    told: bool,
    pace: Pace,
    since: Instant,
    now: Instant,
) {
    // The rate may have been set just before the bytes were written. Behind an acknowledgement it is set afterwards,
    // which has happened already where we come so late that its characters have left meanwhile.
    let paced = told || (pace == Pace::Real && now < since + wire.settings().wire_time(bytes.len()));
    match set {
        Some(set) if paced || bytes[0] != message::ACK => wire.configure(set, since),
        _ => {}
    }
    wire.transmit(bytes, since);
}

fn soonest<const N: usize>(instants: [Option<Instant>; N]) -> Option<Instant> {
    instants.into_iter().flatten().min()
}
