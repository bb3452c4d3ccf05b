//! What a hunt tries, in this order: by the expected time to success, from the causes of silence that people report.

use std::fmt;
use std::time::Duration;

use crate::hunt::config::Config;
use crate::hunt::found::Way;
use crate::protocol::hdlc::{Addresses, Server};
use crate::protocol::message::{self, Request};
use crate::protocol::parity::Parity;
use crate::protocol::settings::Settings;
use crate::protocol::timing;

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// After the request of a meter that has answered in HDLC.
pub(super) const VERIFICATION_WAIT: Duration = ms(2000);

/// Silence between HDLC and the request.
pub(super) const VERIFICATION_QUIET: Duration = timing::REACTION_MIN;

/// Longest time that a verification may take at the end of a hunt: an identification that has begun is heard.
pub(super) const VERIFICATION_TIME: Duration = ms(3000);

/// Waits for the answer to a request at 300 Bd, at 9600 Bd, and at the rates that are less likely.
const WAIT: Duration = ms(2000);
const WAIT_FAST: Duration = ms(1590);
const WAIT_OTHER: Duration = ms(1600);

/// Waits for the answer to an SNRM at 9600 Bd and at other rates.
const WAIT_LIKELY: Duration = ms(390);
const WAIT_UNLIKELY: Duration = ms(340);

/// One thing that a hunt tries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// A request, and this wait for the identification.
    Ask {
        /// How it is asked.
        way: Way,
        /// The wait for its first character.
        wait: Duration,
    },
    /// SNRM from and to each of these addresses.
    Knock {
        /// What the line is set to.
        settings: Settings,
        /// From whom and to whom.
        addresses: Vec<Addresses>,
        /// The wait for each answer.
        wait: Duration,
    },
    /// Everything that frees a meter from an earlier session: DISC with these settings, a line BREAK, the break message.
    Release(Settings),
    /// Listening to what comes by itself.
    Listen {
        /// What the line is set to.
        settings: Settings,
        /// For how long.
        time: Duration,
    },
}

impl Row {
    /// How long it takes when nothing answers.
    pub fn time(&self) -> Duration {
        match self {
            Self::Ask { way, wait } => {
                let wake_up =
                    Settings::seven_even(way.baud).wire_time(timing::WAKE_UP_NULS) + timing::WAKE_UP_SILENCE;
                let wake_up = if way.wakes { wake_up } else { Duration::ZERO };
                wake_up + Settings::seven_even(way.baud).wire_time(way.request.as_bytes().len()) + *wait
            }
            Self::Knock { settings, addresses, wait } => {
                addresses.iter().map(|addresses| *wait + settings.wire_time(addresses.snrm().len())).sum()
            }
            Self::Release(settings) => {
                let disc = settings.wire_time(Addresses::default().disc().len()) + timing::RECOVERY_LISTEN;
                disc + timing::LINE_BREAK
                    + Settings::seven_even(300).wire_time(message::BREAK.len())
                    + timing::REACTION_MIN
            }
            Self::Listen { time, .. } => *time,
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ask { way, .. } => write!(f, "request {way}"),
            Self::Knock { settings, .. } => write!(f, "HDLC at {settings}"),
            Self::Release(settings) => write!(f, "DISC at {settings}, line BREAK, break message"),
            Self::Listen { settings, .. } => write!(f, "listening at {settings}"),
        }
    }
}

/// The other kind of parity: plain characters where it has parity bits.
fn other(parity: Parity) -> Parity {
    if parity == Parity::None { Parity::Software } else { Parity::None }
}

/// The same with parity bits, whoever computes them.
fn with_bits(parity: Parity) -> Parity {
    if parity == Parity::None { Parity::Software } else { parity }
}

/// The request that is meant: to the address that was named, or to every meter.
fn request(config: &Config) -> Request {
    config.address.clone().unwrap_or_else(Request::general)
}

fn way(config: &Config, baud: u32, parity: Parity) -> Way {
    Way { baud, parity, request: request(config), wakes: false, modem_lines: None }
}

/// The rate of a sign-on in Bd on this line.
fn start(config: &Config) -> u32 {
    config.fixed_baud.unwrap_or(300)
}

/// How a meter that has answered in HDLC is asked to sign on; the last one first.
pub(super) fn verification(config: &Config) -> Vec<Way> {
    [config.parity, other(config.parity)].map(|parity| way(config, start(config), parity)).into()
}

/// Everything that is tried.
pub fn rows(config: &Config) -> Vec<Row> {
    match config.fixed_baud {
        None => all(config),
        Some(baud) => at_one_rate(config, baud),
    }
}

fn all(config: &Config) -> Vec<Row> {
    let ask = |baud, parity, wait| Row::Ask { way: way(config, baud, parity), wait };
    let listen = |settings, time| Row::Listen { settings, time };
    let (first, bits) = (config.parity, with_bits(config.parity));
    let mut rows = vec![ask(300, first, WAIT), knock(likely(config), 9600, WAIT_LIKELY)];
    rows.extend(release(config, 9600));
    rows.push(ask(300, other(first), WAIT));
    rows.extend(unaddressed(config));
    rows.push(ask(9600, bits, WAIT_FAST));
    rows.push(listen(Settings::eight_none(9600), ms(2500)));
    rows.push(Row::Ask { way: Way { wakes: true, ..way(config, 300, bits) }, wait: WAIT });
    rows.push(ask(9600, Parity::None, WAIT_FAST));
    rows.push(ask(300, Parity::None, WAIT));
    rows.extend(
        [19_200, 38_400, 115_200, 57_600, 4800, 2400]
            .map(|baud| knock(unlikely(config), baud, WAIT_UNLIKELY)),
    );
    rows.extend([2400, 4800, 19_200, 1200, 600].map(|baud| ask(baud, bits, WAIT_OTHER)));
    rows.push(listen(Settings::eight_none(115_200), ms(11_000)));
    rows.push(listen(Settings::eight_even(2400), ms(10_500)));
    let (dtr, rts) = config.modem_lines;
    let turned = Way { modem_lines: Some((!dtr, !rts)), ..way(config, 300, first) };
    rows.push(Row::Ask { way: turned, wait: ms(1550) });
    rows
}

/// What can be tried on a line whose rate is not ours to change.
fn at_one_rate(config: &Config, baud: u32) -> Vec<Row> {
    let ask = |parity, wait| Row::Ask { way: way(config, baud, parity), wait };
    let mut rows = vec![ask(config.parity, WAIT), knock(likely(config), baud, WAIT_LIKELY)];
    rows.extend(release(config, baud));
    rows.push(ask(other(config.parity), WAIT));
    rows.extend(unaddressed(config));
    rows.push(Row::Listen { settings: Settings::eight_none(baud), time: ms(11_000) });
    let woken = way(config, baud, with_bits(config.parity));
    rows.push(Row::Ask { way: Way { wakes: true, ..woken }, wait: WAIT });
    rows
}

/// Where an address was named: one request that every meter answers.
fn unaddressed(config: &Config) -> Option<Row> {
    config.address.as_ref()?;
    let way = Way { request: Request::general(), ..way(config, start(config), config.parity) };
    Some(Row::Ask { way, wait: WAIT })
}

fn release(config: &Config, baud: u32) -> Option<Row> {
    config.recover.then_some(Row::Release(Settings::eight_none(baud)))
}

fn knock(mut addresses: Vec<Addresses>, baud: u32, wait: Duration) -> Row {
    let mut place = 0;
    while place < addresses.len() {
        if addresses[..place].contains(&addresses[place]) {
            addresses.remove(place);
        } else {
            place += 1;
        }
    }
    Row::Knock { settings: Settings::eight_none(baud), addresses, wait }
}

/// The addresses that are likely, those that were named first.
fn likely(config: &Config) -> Vec<Addresses> {
    let usual = Addresses::default();
    let one_seventeen = |field: &[u8]| Server::from_field(field).map(|server| Addresses { server, ..usual });
    let mut all = vec![config.addresses, usual];
    all.extend(all_stations(config));
    all.extend([&[0x02, 0x23][..], &[0x00, 0x02, 0x00, 0x23]].into_iter().filter_map(one_seventeen));
    all.push(Addresses { client: 1, ..usual });
    all
}

/// Those that are tried at rates that are not likely.
fn unlikely(config: &Config) -> Vec<Addresses> {
    let usual = Addresses::default();
    let mut all = vec![usual];
    all.extend(all_stations(config));
    all.push(Addresses { client: 1, ..usual });
    all
}

/// To all stations; not where an address was named, for on a bus their answers collide.
fn all_stations(config: &Config) -> Option<Addresses> {
    let all = Addresses { server: Server::ALL_STATIONS, ..Addresses::default() };
    config.address.is_none().then_some(all)
}
