//! What is wrong with a line behind the network, in words.

use iecprobe::line::{Address, Loss, NetworkError, Refusal, Refused};
use iecprobe::protocol::text;

use crate::explain::{Words, words};

/// Why it cannot be had.
pub fn problem(port: &str, error: &NetworkError) -> Words {
    match error {
        NetworkError::NoHost(error) => words(
            format!("{port}: the name of the host is not resolved ({error})"),
            "check the name, or give the address as numbers",
        ),
        NetworkError::NotListening => words(
            format!("{port}: the host refuses the connection: nothing listens at this port"),
            "is the serial server running, and is the number of the port right?",
        ),
        NetworkError::Unreachable(error) => words(
            format!("{port}: the host does not answer ({error})"),
            "is the host switched on and in this network, and does no firewall drop the connection?",
        ),
        NetworkError::NoRfc2217(refusal) => words(
            format!(
                "{port}: the server {}",
                match refusal {
                    Refusal::Said => "refuses to control its serial port (RFC 2217)",
                    Refusal::Silence =>
                        "does not answer in RFC 2217: a raw port, or another client is being served",
                    Refusal::Echo => "sends back what it is sent: a raw port with an echo behind it",
                }
            ),
            format!("try it as a raw port: `-p {}`", with_scheme(port, "tcp")),
        ),
        NetworkError::NotSettable { wanted, kept } => words(
            match kept {
                Some(kept) => {
                    format!("{port}: the server was asked for {wanted} Bd and says that it has {kept} Bd")
                }
                None => {
                    format!("{port}: the server was asked for {wanted} Bd and does not say which rate it has")
                }
            },
            "allow the rate in the settings of the server, or name the one that it has with --start-baud",
        ),
        NetworkError::Lost(loss) => lost(port, loss),
    }
}

/// Why it was lost before a meter was identified.
pub fn lost(port: &str, loss: &Loss) -> Words {
    match loss {
        Loss::Telnet => words(
            format!("{port}: the server speaks Telnet, and raw bytes were expected"),
            format!("it may control its port: `-p {}`", with_scheme(port, "rfc2217")),
        ),
        Loss::Busy { words: bytes } => words(
            format!("{port}: the server says \"{}\"", said(bytes)),
            "end the other client first; a server may take some seconds to notice that one has gone",
        ),
        Loss::Closed { words: bytes } => {
            let said = said(bytes);
            let said = if said.is_empty() { said } else { format!("; it said \"{said}\"") };
            words(
                format!("{port}: the server closed the connection{said}"),
                "many servers do so while another client is connected, or when their own port cannot be opened",
            )
        }
    }
}

/// What the server did not set at the change of rate.
pub fn refused(who: &str, refused: Refused) -> Words {
    let what = match refused {
        Refused::Rate { wanted, kept } => format!("was asked for {wanted} Bd and says that it has {kept} Bd"),
        Refused::EighthBit => "says that it keeps seven data bits, and HDLC needs eight".to_owned(),
    };
    words(
        format!("{who} answered, but at the change of rate the server {what}"),
        "allow the rate in the settings of the server, or stay at one that it has: `--baud 300`",
    )
}

/// The words of a server, on one line.
fn said(bytes: &[u8]) -> String {
    text::escaped(bytes.trim_ascii())
}

/// The same place by another kind of line.
fn with_scheme(port: &str, scheme: &str) -> String {
    match port.parse() {
        Ok(Address::Tcp(endpoint) | Address::Rfc2217(endpoint)) => format!("{scheme}://{endpoint}"),
        _ => format!("{scheme}://HOST:PORT"),
    }
}
