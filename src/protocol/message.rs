//! The messages that a reader sends during a sign-on, in 7-bit characters (IEC 62056-21, clauses 5.5 and 6.3).
//!
//! Parity is the line's business: it is added where the characters go out.

/// ACK: opens an acknowledgement, and a meter's confirmation.
pub const ACK: u8 = 0x06;
/// NAK: the meter could not use our acknowledgement.
pub const NAK: u8 = 0x15;
/// STX: opens a data message.
pub const STX: u8 = 0x02;
/// ETX: closes one, but for its check character.
pub const ETX: u8 = 0x03;

/// The break message `SOH B 0 ETX BCC`: ends whatever session the meter is in, at the rate it listens at (clause 6.3.5).
pub const BREAK: [u8; 5] = [0x01, b'B', b'0', 0x03, 0x71];

/// The message `SOH B 1 ETX BCC`: ends a session that was opened by the fast wake-up, which the meter answers with ACK
/// (Annex B.2).
pub const SIGN_OFF: [u8; 5] = [0x01, b'B', b'1', 0x03, 0x70];

/// The protocol control character of the acknowledgement for HDLC (Annex E).
pub const CONTROL_HDLC: u8 = b'2';

/// The mode control character of the acknowledgement for HDLC (Annex E).
pub const MODE_HDLC: u8 = b'2';

/// Longest device address in a request.
pub const ADDRESS_MAX: usize = 32;

/// Longest request outside the standard: as long as an identification may be, and 2.7 s at 300 Bd.
pub const REQUEST_MAX: usize = 80;

/// A request message, CR LF included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request(Vec<u8>);

/// Why a text cannot be a request or an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// A character that the field must not contain.
    #[error("{0:?} cannot stand there")]
    Character(char),
    /// More characters than the field takes, and how many it does.
    #[error("{0} characters are too many: {1} at most")]
    TooLong(usize, usize),
    /// Nothing at all.
    #[error("nothing to send")]
    Empty,
}

impl Request {
    /// `/?!`: the request that every meter answers.
    pub fn general() -> Self {
        Self(b"/?!\r\n".to_vec())
    }

    /// `/?ADDRESS!`: the request to the meter with this address, of at most 32 of `0-9A-Za-z` and space.
    pub fn to_address(address: &str) -> Result<Self, RequestError> {
        if let Some(bad) = address.chars().find(|&c| !c.is_ascii_alphanumeric() && c != ' ') {
            return Err(RequestError::Character(bad));
        }
        if address.len() > ADDRESS_MAX {
            return Err(RequestError::TooLong(address.len(), ADDRESS_MAX));
        }
        Ok(Self(format!("/?{address}!\r\n").into_bytes()))
    }

    /// A request outside the standard, of at most 80 of printable ASCII, without its CR LF.
    pub fn verbatim(text: &str) -> Result<Self, RequestError> {
        if let Some(bad) = text.chars().find(|&c| !c.is_ascii_graphic() && c != ' ') {
            return Err(RequestError::Character(bad));
        }
        if text.is_empty() {
            return Err(RequestError::Empty);
        }
        if text.len() > REQUEST_MAX {
            return Err(RequestError::TooLong(text.len(), REQUEST_MAX));
        }
        Ok(Self(format!("{text}\r\n").into_bytes()))
    }

    /// The device address in it, where it has one.
    pub fn address(&self) -> Option<&str> {
        let address = self.0.strip_prefix(b"/?")?.strip_suffix(b"!\r\n")?;
        std::str::from_utf8(address).ok().filter(|address| !address.is_empty())
    }

    /// The characters to send.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Whether two device addresses are the same: leading zeros do not count (clause 6.3.1).
pub fn is_same_address(one: &[u8], other: &[u8]) -> bool {
    one.iter().skip_while(|&&byte| byte == b'0').eq(other.iter().skip_while(|&&byte| byte == b'0'))
}

/// The acknowledgement `ACK V Z 2 CR LF` that selects HDLC (Annex E): `control` is V, `z` the baud character.
pub fn acknowledgement(control: u8, z: u8) -> [u8; 6] {
    [ACK, control, z, MODE_HDLC, b'\r', b'\n']
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_the_standard() {
        assert_eq!(Request::general().as_bytes(), [0x2F, 0x3F, 0x21, 0x0D, 0x0A]);
        assert_eq!(Request::to_address("12345678").unwrap().as_bytes(), b"/?12345678!\r\n");
        assert_eq!(Request::verbatim("/2!").unwrap().as_bytes(), b"/2!\r\n");
        assert_eq!(acknowledgement(CONTROL_HDLC, b'5'), [0x06, 0x32, 0x35, 0x32, 0x0D, 0x0A]);
        assert_eq!(BREAK[1..].iter().fold(0, |bcc, byte| bcc ^ byte), 0, "the BCC covers what follows SOH");
    }

    #[test]
    fn leading_zeros_of_an_address_do_not_count() {
        assert!(is_same_address(b"0012", b"12"));
        assert!(!is_same_address(b"120", b"12"));
    }

    #[test]
    fn an_address_has_its_alphabet_and_its_length() {
        assert_eq!(Request::to_address("12!"), Err(RequestError::Character('!')));
        assert_eq!(Request::to_address("ä"), Err(RequestError::Character('ä')));
        assert_eq!(Request::to_address(&"1".repeat(33)), Err(RequestError::TooLong(33, 32)));
        assert!(Request::to_address(&"1".repeat(32)).is_ok());
        assert!(Request::to_address("abc XYZ 09").is_ok());
        assert_eq!(Request::verbatim("/?\r!"), Err(RequestError::Character('\r')));
        assert_eq!(Request::verbatim(""), Err(RequestError::Empty));
        assert_eq!(Request::verbatim(&"x".repeat(81)), Err(RequestError::TooLong(81, 80)));
        assert!(Request::verbatim(&"x".repeat(80)).is_ok());
    }
}
