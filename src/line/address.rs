//! What `-p` names: the only place that knows prefixes.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

/// The built-in meter: `sim:` or `sim:SCENARIO`.
const SIM: &str = "sim:";

/// What separates the kind of a network line from its host.
const SCHEME_END: &str = "://";

/// A line, by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A device of this computer: `/dev/ttyUSB0`, `COM3`.
    Device(String),
    /// The built-in meter, with the names of its scenarios; none is the meter of the book.
    Sim(String),
    /// `tcp://`: raw bytes over TCP.
    Tcp(Endpoint),
    /// `rfc2217://`: a serial server with Telnet COM port control.
    Rfc2217(Endpoint),
}

/// Where a network line is to be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// A name, an IPv4 address, or an IPv6 address without its brackets.
    pub host: String,
    /// 1..65535; 0 only where a listener may pick one.
    pub port: u16,
}

/// A name that looks like a network line's and is none. It does not repeat the name, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a network line is `tcp://HOST:PORT` or `rfc2217://HOST:PORT`, without user, path or query; HOST is a name, an IPv4 \
     address or an IPv6 address in brackets, PORT a number from 1 to 65535"
)]
pub struct AddressError;

impl Address {
    /// Whether each opening of this name is a line of its own, so that it can be named twice.
    pub fn is_shareable(&self) -> bool {
        matches!(self, Self::Sim(_))
    }

    /// The address of the network at which somebody may listen; a port of 0 is the system's to pick.
    pub fn to_listen(name: &str) -> Result<Self, AddressError> {
        match Self::read(name)? {
            address @ (Self::Tcp(_) | Self::Rfc2217(_)) => Ok(address),
            Self::Device(_) | Self::Sim(_) => Err(AddressError),
        }
    }

    /// Whether the line is behind a network.
    pub fn is_network(&self) -> bool {
        matches!(self, Self::Tcp(_) | Self::Rfc2217(_))
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(name: &str) -> Result<Self, AddressError> {
        match Self::read(name)? {
            Self::Tcp(Endpoint { port: 0, .. }) | Self::Rfc2217(Endpoint { port: 0, .. }) => {
                Err(AddressError)
            }
            address => Ok(address),
        }
    }
}

impl Address {
    fn read(name: &str) -> Result<Self, AddressError> {
        if let Some(scenario) = name.strip_prefix(SIM) {
            return Ok(Self::Sim(scenario.to_owned()));
        }
        let Some((scheme, rest)) = name.split_once(SCHEME_END) else {
            return Ok(Self::Device(name.to_owned()));
        };
        let endpoint: Endpoint = rest.parse()?;
        match scheme.to_ascii_lowercase().as_str() {
            "tcp" => Ok(Self::Tcp(endpoint)),
            "rfc2217" => Ok(Self::Rfc2217(endpoint)),
            _ => Err(AddressError),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device(name) => f.write_str(name),
            Self::Sim(scenario) => write!(f, "{SIM}{scenario}"),
            Self::Tcp(endpoint) => write!(f, "tcp{SCHEME_END}{endpoint}"),
            Self::Rfc2217(endpoint) => write!(f, "rfc2217{SCHEME_END}{endpoint}"),
        }
    }
}

impl FromStr for Endpoint {
    type Err = AddressError;

    /// `HOST:PORT`; a port of 0 is let through.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (host, port) = text.rsplit_once(':').ok_or(AddressError)?;
        let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(address) if is_ipv6(address) => address,
            None if is_name(host) => host,
            _ => return Err(AddressError),
        };
        // `+80` is a number to the standard library.
        if !port.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(AddressError);
        }
        Ok(Self { host: host.to_owned(), port: port.parse().map_err(|_| AddressError)? })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Whether this is a name or an IPv4 address, as far as its characters go: the resolver knows the rest.
fn is_name(host: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    !host.is_empty() && host.len() <= 253 && host.chars().all(allowed)
}

/// Whether this is an IPv6 address, with or without the network interface that a link-local one needs.
fn is_ipv6(host: &str) -> bool {
    let (address, zone) = host.split_once('%').map_or((host, None), |(address, zone)| (address, Some(zone)));
    address.parse::<Ipv6Addr>().is_ok() && zone.is_none_or(is_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(host: &str, port: u16) -> Endpoint {
        Endpoint { host: host.into(), port }
    }

    #[test]
    fn each_kind_of_line_has_its_form_and_is_written_as_it_was_read() {
        let cases = [
            ("/dev/ttyUSB0", Address::Device("/dev/ttyUSB0".into())),
            ("COM3", Address::Device("COM3".into())),
            (r"\\.\COM12", Address::Device(r"\\.\COM12".into())),
            ("sim", Address::Device("sim".into())),
            ("sim:", Address::Sim(String::new())),
            ("sim:echo+slow", Address::Sim("echo+slow".into())),
            ("tcp://meter.example:4001", Address::Tcp(endpoint("meter.example", 4001))),
            ("tcp://[::1]:4001", Address::Tcp(endpoint("::1", 4001))),
            ("tcp://[fe80::1%eth0]:1", Address::Tcp(endpoint("fe80::1%eth0", 1))),
            ("rfc2217://10.0.0.7:65535", Address::Rfc2217(endpoint("10.0.0.7", 65535))),
        ];
        for (name, address) in cases {
            assert_eq!(name.parse(), Ok(address.clone()), "{name}");
            assert_eq!(address.to_string(), name);
        }
        assert_eq!("RFC2217://h:1".parse(), Ok(Address::Rfc2217(endpoint("h", 1))));
    }

    #[test]
    fn who_listens_may_leave_the_port_to_the_system() {
        assert_eq!(Address::to_listen("tcp://127.0.0.1:0"), Ok(Address::Tcp(endpoint("127.0.0.1", 0))));
        for name in ["/dev/ttyUSB0", "sim:", "tcp://h", "127.0.0.1:0"] {
            assert_eq!(Address::to_listen(name), Err(AddressError), "{name}");
        }
    }

    #[test]
    fn anything_else_shows_the_form_and_repeats_no_password() {
        let wrong = [
            "tcp://",
            "tcp://host",
            "tcp://host:",
            "tcp://:4001",
            "tcp://host:0",
            "tcp://host:65536",
            "tcp://host:+1",
            "tcp://host:4001/",
            "tcp://host:4001/path",
            "tcp://host:4001?x=1",
            "tcp://user:geheim@host:4001",
            "tcp://user@host:4001",
            "tcp://::1:4001",
            "tcp://[::1]",
            "tcp://[host]:4001",
            "tcp://[::1%]:4001",
            "tcp://ho st:4001",
            "http://host:80",
            "://host:80",
            "rfc2217://host",
        ];
        for name in wrong {
            let error = name.parse::<Address>().unwrap_err().to_string();
            assert!(error.contains("rfc2217://HOST:PORT") && !error.contains("geheim"), "{name}: {error}");
        }
    }
}
