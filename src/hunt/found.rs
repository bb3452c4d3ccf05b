//! What a hunt has found, and the options with which it is reached from now on.

use std::fmt;

use crate::hunt::config::Config;
use crate::hunt::knock::Met;
use crate::protocol::hdlc::Addresses;
use crate::protocol::identification::Identification;
use crate::protocol::message::Request;
use crate::protocol::parity::Parity;
use crate::protocol::settings::Settings;

/// How a meter is asked to identify itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// Rate of the sign-on in Bd.
    pub baud: u32,
    /// Who computes the parity bit.
    pub parity: Parity,
    /// The request.
    pub request: Request,
    /// Whether the normal wake-up precedes it.
    pub wakes: bool,
    /// The levels of DTR and RTS, where they are not those that the line was opened with.
    pub modem_lines: Option<(bool, bool)>,
}

/// What a hunt has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A meter that identifies itself.
    SignOn(Way, Identification),
    /// A meter that speaks HDLC without a sign-on.
    DirectHdlc(Met),
    /// A meter that was in HDLC, and identifies itself now.
    Hung(Met, Way, Identification),
    /// A meter that sends by itself, on a line with these settings.
    Push(Settings, Pushed),
    /// A meter that sends SML.
    Sml(Settings),
    /// A P1 port.
    P1(Settings),
}

/// What a meter sends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// Text with values.
    Telegrams,
    /// HDLC frames.
    Frames,
}

impl Found {
    /// Its name in reports, on which scripts rely.
    pub fn name(&self) -> &'static str {
        match self {
            Self::SignOn(..) => "sign-on",
            Self::DirectHdlc(_) => "direct-hdlc",
            Self::Hung(..) => "hung",
            Self::Push(..) => "push",
            Self::Sml(_) => "sml",
            Self::P1(_) => "p1",
        }
    }

    /// Who answered, where that is known.
    pub fn identification(&self) -> Option<&Identification> {
        match self {
            Self::SignOn(_, identification) | Self::Hung(_, _, identification) => Some(identification),
            Self::DirectHdlc(_) | Self::Push(..) | Self::Sml(_) | Self::P1(_) => None,
        }
    }

    /// How it is asked to identify itself, where that is known.
    pub fn way(&self) -> Option<&Way> {
        match self {
            Self::SignOn(way, _) | Self::Hung(_, way, _) => Some(way),
            Self::DirectHdlc(_) | Self::Push(..) | Self::Sml(_) | Self::P1(_) => None,
        }
    }

    /// Who answered in HDLC, where somebody did.
    pub fn met(&self) -> Option<&Met> {
        match self {
            Self::DirectHdlc(met) | Self::Hung(met, ..) => Some(met),
            Self::SignOn(..) | Self::Push(..) | Self::Sml(_) | Self::P1(_) => None,
        }
    }

    /// The options of the command line with which it is read from now on, on a line with the `config` of the hunt; none
    /// where this program does not read it.
    pub fn options(&self, config: &Config) -> Option<Vec<String>> {
        match self {
            Self::SignOn(way, identification) | Self::Hung(_, way, identification) => {
                identification.offers_mode_e().then(|| way.options(config))
            }
            Self::DirectHdlc(met) if met.parameters.is_none() => None,
            Self::DirectHdlc(met) => Some(direct(met)),
            Self::Push(..) | Self::Sml(_) | Self::P1(_) => None,
        }
    }

    /// The same after the meter has answered in HDLC, if it is one.
    pub(super) fn after_hdlc(self, met: Met) -> Self {
        match self {
            Self::SignOn(way, identification) => Self::Hung(met, way, identification),
            other => other,
        }
    }
}

impl Way {
    fn options(&self, config: &Config) -> Vec<String> {
        let mut options = Vec::new();
        let mut add = |option: &str, value: &str| options.extend([option.to_owned(), value.to_owned()]);
        if self.baud != 300 {
            add("--start-baud", &self.baud.to_string());
        }
        if self.parity != config.parity {
            add("--parity", if self.parity == Parity::None { "none" } else { "software" });
        }
        if let Some(address) = self.request.address() {
            add("--address", address);
        }
        if self.wakes {
            add("--wake-up", "normal");
        }
        if let Some((dtr, rts)) = self.modem_lines {
            let level = |on: bool| if on { "on" } else { "off" };
            add("--dtr", level(dtr));
            add("--rts", level(rts));
        }
        options
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let framing = if self.parity == Parity::None { "8N1" } else { "7E1" };
        write!(f, "at {} Bd {framing}", self.baud)?;
        if let Some(address) = self.request.address() {
            write!(f, " to address {address}")?;
        }
        if self.wakes {
            f.write_str(" after a wake-up")?;
        }
        if let Some((dtr, rts)) = self.modem_lines {
            let level = |on: bool| if on { "on" } else { "off" };
            write!(f, " with DTR {} and RTS {}", level(dtr), level(rts))?;
        }
        Ok(())
    }
}

/// The options for a meter that speaks HDLC without a sign-on.
fn direct(met: &Met) -> Vec<String> {
    let mut options: Vec<String> =
        ["--direct", "-b", &met.settings.baud.to_string()].map(str::to_owned).into();
    let usual = Addresses::default();
    if met.asked.client != usual.client {
        options.extend(["--hdlc-client".to_owned(), met.asked.client.to_string()]);
    }
    if met.from != usual.server {
        options.extend(["--hdlc-server".to_owned(), met.from.to_string()]);
    }
    options.push("--pipe".to_owned());
    options
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SignOn(way, _) => write!(f, "sign-on {way}"),
            Self::DirectHdlc(met) => write!(f, "direct HDLC {met}"),
            Self::Hung(met, way, _) => {
                write!(f, "a meter that hung in HDLC {met}; it is free now, and signs on {way}")
            }
            Self::Push(settings, Pushed::Telegrams) => write!(f, "telegrams at {settings}, not asked for"),
            Self::Push(settings, Pushed::Frames) => write!(f, "HDLC frames at {settings}, not asked for"),
            Self::Sml(settings) => write!(f, "SML at {settings}"),
            Self::P1(settings) => write!(f, "P1 telegrams at {settings}"),
        }
    }
}
