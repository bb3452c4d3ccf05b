//! How a virtual meter and its head behave: everything that a scenario can say, as data.

use std::time::Duration;

use crate::protocol::hdlc::Server;
use crate::protocol::settings::Settings;

/// A virtual meter, its optical head and its adapter. The default is the meter of the book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behaviour {
    /// The identification line without its end; may hold any bytes.
    pub identification: Vec<u8>,
    /// What ends it.
    pub end: Vec<u8>,
    /// Rates in Bd at which it hears a request; never empty.
    pub start_bauds: Vec<u32>,
    /// From the request to the identification.
    pub reaction: Duration,
    /// From the acknowledgement to the answer.
    pub confirm_reaction: Duration,
    /// Pauses within the identification: before the character at this index (from the end where negative).
    pub pauses: Vec<(isize, Duration)>,
    /// Characters before the identification, sent as they are.
    pub junk: Vec<u8>,
    /// Characters of the identification after which it stops for good.
    pub cut: Option<usize>,
    /// Whether its parity bits are in sight on a line that carries plain characters.
    pub parity_in_sight: bool,
    /// A bit of the identification that arrives wrong.
    pub flip: Option<Flip>,
    /// Requests that it does not hear.
    pub deaf_for: u32,
    /// The address that a request must name, if it must name one.
    pub address: Option<Vec<u8>>,
    /// Whether a request must come with parity bits, or without them, if not either.
    pub insists_on_parity: Option<bool>,
    /// The levels of DTR and RTS at which its head has power, if it has not always.
    pub powered_by: Option<(bool, bool)>,
    /// From the opening of the line to the key that somebody presses on the meter; it is dead before.
    pub key_after: Option<Duration>,
    /// Whether a wake-up must precede a request.
    pub sleeps: bool,
    /// From the end of an identification to the start of a second copy of it.
    pub repeats_after: Option<Duration>,
    /// What it does with an acknowledgement.
    pub acknowledged: Acknowledged,
    /// The rate in Bd at which it goes on, whatever the acknowledgement says.
    pub insists_on: Option<u32>,
    /// Where it is when the line is opened.
    pub begins: Begins,
    /// What it sends without being asked.
    pub pushes: Option<Push>,
    /// Bytes that it answers a request with in place of everything else.
    pub raw: Option<Vec<u8>>,
    /// The head's echo.
    pub echo: Option<Echo>,
    /// When the port goes away.
    pub unplugged: Option<Unplugged>,
    /// How long the reader's adapter lets characters wait, while it says that they have been sent.
    pub adapter_lag: Option<Duration>,
    /// What it does once it is in HDLC.
    pub app: App,
    /// Who it is in HDLC; nothing in particular: it answers to every address.
    pub station: Option<Station>,
    /// What it does with an SNRM.
    pub link: Link,
    /// Whether it answers a DISC without a link with DM, and stays in HDLC.
    pub stays_unlinked: bool,
    /// Whether a line BREAK ends its HDLC session.
    pub heeds_break: bool,
}

/// What a meter does with a good acknowledgement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acknowledged {
    /// It changes to the new rate and sends these bytes there, then is in HDLC.
    Confirms(Confirmation),
    /// It changes to the new rate and is in HDLC without a word.
    SaysNothing,
    /// It sends something else.
    Refuses {
        /// What it sends.
        answer: Vec<u8>,
        /// Whether that comes at the new rate.
        at_new_rate: bool,
        /// Whether it is in HDLC all the same, rather than back at the start.
        stays: bool,
    },
}

/// The form of a confirmation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmation {
    /// With parity bits (7E1) or without (8N1).
    pub parity: bool,
    /// At the rate of the sign-on rather than the new one.
    pub at_old_rate: bool,
    /// A pause after this many characters.
    pub pause: Option<(usize, Duration)>,
    /// Bytes glued to it.
    pub glued: Vec<u8>,
}

/// Where a meter is when the line is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begins {
    /// Ready for a request.
    Ready,
    /// In HDLC at this rate in Bd, deaf to anything else, for this long after it last heard something.
    InHdlc(u32, Duration),
    /// The same without a link.
    Unlinked(u32, Duration),
    /// In HDLC at this rate in Bd, for good: there is no sign-on.
    Direct(u32),
    /// In an older session at the start rate, deaf to anything but the break message.
    InSession,
}

/// A bit of an identification that arrives wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flip {
    /// Index of the character.
    pub place: usize,
    /// Number of the bit; 7 is the parity bit.
    pub bit: u8,
    /// In how many identifications, from the first on.
    pub times: u32,
}

/// Telegrams that nobody asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// One of them.
    pub telegram: Vec<u8>,
    /// What it is sent at; nothing in particular: as a sign-on.
    pub settings: Option<Settings>,
    /// From the start of one to the start of the next.
    pub period: Duration,
}

/// A head that returns what the reader sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Echo {
    /// By how many characters late.
    pub late: u32,
    /// How many copies of each message.
    pub copies: u32,
    /// How many characters are missing from the end of the acknowledgement's.
    pub cut: usize,
    /// As one piece this long after the message, as software does, rather than character by character, as light does.
    pub packed: Option<Duration>,
}

impl Default for Echo {
    fn default() -> Self {
        Self { late: 0, copies: 1, cut: 0, packed: None }
    }
}

/// When a port goes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unplugged {
    /// This long after the first byte was received.
    After(Duration),
    /// After this many characters of the identification.
    InIdentification(usize),
    /// When the acknowledgement has come.
    AfterAcknowledgement,
}

/// What answers once a meter is in HDLC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum App {
    /// UA to SNRM and DISC; a DISC ends the session.
    Hdlc,
    /// Every byte comes back.
    Echo,
}

/// Who a meter is in HDLC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Station {
    /// Its own address; it is heard in this length only.
    pub server: Server,
    /// The addresses that it hears.
    pub hears: Hears,
    /// The only client that it answers, if it does not answer every one.
    pub client: Option<u8>,
}

/// The addresses that a meter hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hears {
    /// Its own.
    Own,
    /// That of all stations.
    AllStations,
    /// Either.
    Both,
}

/// What a meter in HDLC does with an SNRM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// It opens the link: UA with these parameters, or with none.
    Opens(Vec<u8>),
    /// DM: it does not open one.
    Refuses,
    /// It says nothing to it, but takes a DISC.
    Closes,
    /// It says nothing to any frame.
    Deaf,
}

impl Default for Confirmation {
    fn default() -> Self {
        Self { parity: true, at_old_rate: false, pause: None, glued: Vec::new() }
    }
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            identification: b"/ISK5\\2MT382-1000".to_vec(),
            end: b"\r\n".to_vec(),
            start_bauds: vec![300],
            reaction: Duration::from_millis(250),
            confirm_reaction: Duration::from_millis(250),
            pauses: Vec::new(),
            junk: Vec::new(),
            cut: None,
            parity_in_sight: false,
            flip: None,
            deaf_for: 0,
            address: None,
            insists_on_parity: None,
            powered_by: None,
            key_after: None,
            sleeps: false,
            repeats_after: None,
            acknowledged: Acknowledged::Confirms(Confirmation::default()),
            insists_on: None,
            begins: Begins::Ready,
            pushes: None,
            raw: None,
            echo: None,
            unplugged: None,
            adapter_lag: None,
            app: App::Hdlc,
            station: None,
            link: Link::Opens(Vec::new()),
            stays_unlinked: false,
            heeds_break: false,
        }
    }
}
