//! The kinds of failure, on which scripts rely: name, exit status, and what each means in a few words. Help, man page and
//! the tables in the documentation are made of this list.

use iecprobe::signon::Failure;

macro_rules! kinds {
    ($($kind:ident, $name:literal, $status:literal, $summary:literal;)*) => {
        /// What kind of failure ended a run.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind {
            $(#[doc = $summary] $kind,)*
        }

        impl Kind {
            /// All of them, in the order of their statuses.
            pub const ALL: &[Self] = &[$(Self::$kind),*];

            /// Its name in reports.
            pub fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)* }
            }

            /// The exit status that it ends with.
            pub fn status(self) -> u8 {
                match self { $(Self::$kind => $status,)* }
            }

            /// What it means, in a few words.
            pub fn summary(self) -> &'static str {
                match self { $(Self::$kind => $summary,)* }
            }
        }
    };
}

kinds! {
    Internal, "internal", 1, "anything that has no kind of its own";
    Usage, "usage", 2, "the command line cannot be carried out";
    NoPort, "no-port", 3, "there is no such port, or none was named and there is not exactly one to take";
    NotSerial, "not-serial", 3, "the name is a file, a folder or a device that is no serial port";
    NoHost, "no-host", 3, "the name of the host is not resolved";
    NotListening, "not-listening", 3, "the host refuses the connection";
    Unreachable, "unreachable", 3, "the host does not answer, or no route leads to it";
    NoRfc2217, "no-rfc2217", 3, "the server does not offer control of its serial port";
    Telnet, "telnet", 3, "the server speaks Telnet where raw bytes were expected";
    NotSettable, "not-settable", 3, "the server does not set the rate of the sign-on";
    Permission, "permission", 4, "this user may not open the port";
    Busy, "busy", 5, "another program has the port";
    Silent, "silent", 6, "not a single byte came";
    EchoOnly, "echo-only", 6, "nothing came but our own echo";
    Garbled, "garbled", 7, "bytes came that are no 7-bit text: another rate or framing";
    Parity, "parity", 7, "an identification came with wrong parity";
    NoIdent, "no-ident", 7, "text came, but no identification";
    Push, "push", 7, "the meter sends telegrams by itself";
    Sml, "sml", 7, "the meter sends SML";
    Hdlc, "hdlc", 7, "the meter is in HDLC already";
    NoModeE, "no-mode-e", 8, "the meter does not offer mode E";
    Refused, "refused", 8, "the meter refused mode E with NAK or a break message";
    Readout, "readout", 8, "the meter sent its data in place of entering mode E";
    UnknownBaud, "unknown-baud", 8, "the meter offers a rate that has no name";
    Unconfirmed, "unconfirmed", 8, "the meter did not confirm, with --confirm require";
    RateRefused, "rate-refused", 8, "the server does not set the rate that the meter changed to";
    NoHdlc, "no-hdlc", 8, "nothing answered in HDLC, with --check-link";
    HdlcRefused, "hdlc-refused", 8, "the meter opens no HDLC link, with --check-link";
    WrongManufacturer, "wrong-manufacturer", 9, "another manufacturer than --manufacturer allows";
    LineLost, "line-lost", 10, "the port went away, or the connection was closed";
    Output, "output", 11, "the output cannot be written";
    TooSlow, "too-slow", 12, "this computer was stopped or starved in the middle of every attempt";
}

impl From<&Failure> for Kind {
    fn from(failure: &Failure) -> Self {
        match failure {
            Failure::Silent => Self::Silent,
            Failure::EchoOnly => Self::EchoOnly,
            Failure::Garbled | Failure::OnlyDuringRecovery => Self::Garbled,
            Failure::NoIdentification | Failure::Unfinished => Self::NoIdent,
            Failure::Parity(_) => Self::Parity,
            Failure::Push => Self::Push,
            Failure::Sml => Self::Sml,
            Failure::Hdlc => Self::Hdlc,
            Failure::WrongManufacturer => Self::WrongManufacturer,
            Failure::NoModeE => Self::NoModeE,
            Failure::UnknownBaud => Self::UnknownBaud,
            Failure::RefusedByNak | Failure::RefusedByBreak => Self::Refused,
            Failure::Readout(_) => Self::Readout,
            Failure::Unconfirmed(_) => Self::Unconfirmed,
            Failure::TooSlow(_) => Self::TooSlow,
        }
    }
}

/// An exit status, and when a run ends with it.
pub struct Status {
    /// The status, as the documentation writes it.
    pub code: &'static str,
    /// In two or three words, for the help.
    pub brief: &'static str,
    /// In a line, for tables and the man page.
    pub when: &'static str,
}

/// All exit statuses, in their order.
#[rustfmt::skip]
pub const STATUSES: &[Status] = &[
    Status { code: "0", brief: "done", when: "done" },
    Status { code: "1", brief: "anything else", when: "anything else" },
    Status { code: "2", brief: "usage", when: "the command line cannot be carried out" },
    Status { code: "3", brief: "no such port", when: "no such port; a file or a folder; none named and not exactly one found; \
        a network line that cannot be had" },
    Status { code: "4", brief: "no permission", when: "no permission to open the port" },
    Status { code: "5", brief: "port in use", when: "another program has the port" },
    Status { code: "6", brief: "no answer", when: "nothing came, or nothing but our own echo" },
    Status { code: "7", brief: "no identification", when: "bytes came, but no identification" },
    Status { code: "8", brief: "no mode E", when: "the meter was identified, but does not enter mode E; with --check-link, \
        HDLC does not answer" },
    Status { code: "9", brief: "another manufacturer", when: "another manufacturer than --manufacturer allows" },
    Status { code: "10", brief: "line lost", when: "the port went away, or the connection was closed" },
    Status { code: "11", brief: "output lost", when: "the output cannot be written" },
    Status { code: "12", brief: "computer too slow", when: "this computer was stopped or starved in the middle of every attempt" },
    Status { code: "128+n", brief: "ended by signal n", when: "ended by signal n, with the port restored" },
    Status { code: "COMMAND's own", brief: "with COMMAND its own", when: "with `-- COMMAND`, once COMMAND runs" },
];

impl Status {
    /// The kinds that end with it.
    pub fn kinds(&self) -> impl Iterator<Item = Kind> {
        let code = self.code.parse().ok();
        Kind::ALL.iter().copied().filter(move |kind| Some(kind.status()) == code)
    }
}
