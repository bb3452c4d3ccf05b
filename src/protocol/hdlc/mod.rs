//! As much of HDLC (IEC 62056-46) as a sign-on needs: SNRM to see whether the link answers, DISC to free a meter, UA and
//! DM as their answers, and the recognition of frames on a line that should not carry any.

mod address;
mod parameters;

pub use address::{Addresses, NoServer, Server};
pub use parameters::Parameters;

/// The flag that opens and closes a frame.
pub const FLAG: u8 = 0x7E;

/// DISC from client 16 to server 1.
pub const DISC: [u8; 9] = [0x7E, 0xA0, 0x07, 0x03, 0x21, 0x53, 0x03, 0xC7, 0x7E];

/// SNRM from client 16 to server 1, without parameters.
pub const SNRM: [u8; 9] = [0x7E, 0xA0, 0x07, 0x03, 0x21, 0x93, 0x0F, 0x01, 0x7E];

/// Control fields, poll/final bit set.
mod control {
    pub(super) const SNRM: u8 = 0x93;
    pub(super) const DISC: u8 = 0x53;
    pub(super) const UA: u8 = 0x73;
    pub(super) const DM: u8 = 0x1F;
    pub(super) const FRMR: u8 = 0x97;
}

/// A frame with its flags and check sequences; `information` of up to 2000 bytes.
fn frame(destination: &[u8], source: &[u8], control: u8, information: &[u8]) -> Vec<u8> {
    let header = 2 + destination.len() + source.len() + 1;
    // The header has a check sequence of its own only where information follows.
    let checked = if information.is_empty() { 0 } else { 2 };
    let length = header + checked + information.len() + 2;
    let mut body = vec![0xA0 | (length >> 8) as u8, length as u8];
    body.extend_from_slice(destination);
    body.extend_from_slice(source);
    body.push(control);
    if !information.is_empty() {
        body.extend_from_slice(&fcs(&body).to_le_bytes());
        body.extend_from_slice(information);
    }
    let check = fcs(&body).to_le_bytes();
    [&[FLAG], &body[..], &check, &[FLAG]].concat()
}

/// Frame check sequence: CRC-16/X-25, sent low byte first.
fn fcs(bytes: &[u8]) -> u16 {
    !bytes.iter().fold(0xFFFF, |crc: u16, &byte| {
        (0..8).fold(crc ^ u16::from(byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0x8408 } else { crc >> 1 })
    })
}

/// What a frame wants, as far as a sign-on cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Set normal response mode: opens the link.
    Snrm,
    /// Disconnect: closes it.
    Disc,
    /// Unnumbered acknowledgement: the answer to both.
    Ua,
    /// Disconnected mode: the answer of a meter that does not open the link, or has none to close.
    Dm,
    /// Frame reject.
    Frmr,
    /// Anything else.
    Other,
}

/// A frame found among received bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Destination and source address fields, in this order, as sent.
    pub addresses: (&'a [u8], &'a [u8]),
    /// Its control field.
    pub control: u8,
    /// What it wants.
    pub command: Command,
    /// What it carries.
    pub information: &'a [u8],
    /// Bytes from the start of the searched input to the end of the closing flag.
    pub end: usize,
}

/// The first whole frame (format type 3, right length, right check sequence) in `bytes`.
pub fn find(bytes: &[u8]) -> Option<Frame<'_>> {
    bytes.iter().enumerate().filter(|&(_, &byte)| byte == FLAG).find_map(|(start, _)| {
        let body = &bytes[start + 1..];
        let length = begins_frame(body)?;
        if body.get(length) != Some(&FLAG) {
            return None;
        }
        let (frame, check) = body[..length].split_at(length.checked_sub(2)?);
        if fcs(frame).to_le_bytes() != check {
            return None;
        }
        let (destination, rest) = split_address(frame.get(2..)?)?;
        let (source, rest) = split_address(rest)?;
        let (&control, rest) = rest.split_first()?;
        let command = match control {
            control::SNRM => Command::Snrm,
            control::DISC => Command::Disc,
            control::UA => Command::Ua,
            control::DM => Command::Dm,
            control::FRMR => Command::Frmr,
            _ => Command::Other,
        };
        // Behind the check sequence of the header.
        let information = rest.get(2..).unwrap_or_default();
        let end = start + 1 + length + 1;
        Some(Frame { addresses: (destination, source), control, command, information, end })
    })
}

impl Frame<'_> {
    /// The server that has sent this frame to `client`, if it is such a frame.
    pub fn server_to(&self, client: u8) -> Option<Server> {
        let (destination, source) = self.addresses;
        (destination == address::client_field(client)).then(|| Server::from_field(source)).flatten()
    }
}

/// All whole frames in `bytes`, in order; a closing flag may open the next one.
pub fn frames(mut bytes: &[u8]) -> impl Iterator<Item = Frame<'_>> {
    std::iter::from_fn(move || {
        let frame = find(bytes)?;
        bytes = &bytes[frame.end - 1..];
        Some(frame)
    })
}

/// Length in bytes, without flags, of the frame whose format field opens `body`, if it is one of type 3.
pub fn begins_frame(body: &[u8]) -> Option<usize> {
    let &[high, low, ..] = body else { return None };
    let length = usize::from(u16::from_be_bytes([high & 0x07, low]));
    (high & 0xF0 == 0xA0 && length >= 7).then_some(length)
}

/// Splits off an address field: up to four bytes, the last one odd.
fn split_address(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let last = bytes.iter().take(4).position(|byte| byte & 1 == 1)?;
    Some(bytes.split_at(last + 1))
}

/// The UA that answers a frame, with these parameters or none.
pub fn unnumbered_acknowledgement(to: &Frame<'_>, parameters: &[u8]) -> Vec<u8> {
    unnumbered_acknowledgement_from(to, to.addresses.0, parameters)
}

/// The same from a station with this address field, which a frame to all stations does not name.
pub fn unnumbered_acknowledgement_from(to: &Frame<'_>, own: &[u8], parameters: &[u8]) -> Vec<u8> {
    frame(to.addresses.1, own, control::UA, parameters)
}

/// The DM that answers a frame.
pub fn disconnected_mode(to: &Frame<'_>) -> Vec<u8> {
    disconnected_mode_from(to, to.addresses.0)
}

/// The same from a station with this address field.
pub fn disconnected_mode_from(to: &Frame<'_>, own: &[u8]) -> Vec<u8> {
    frame(to.addresses.1, own, control::DM, &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_the_standard_are_frames() {
        let snrm = find(&SNRM).unwrap();
        assert_eq!((snrm.command, snrm.end), (Command::Snrm, 9));
        assert_eq!(find(&DISC).unwrap().command, Command::Disc);
        let ua = unnumbered_acknowledgement(&snrm, &[]);
        assert_eq!(ua, [0x7E, 0xA0, 0x07, 0x21, 0x03, 0x73, 0x01, 0x40, 0x7E]);
        assert_eq!(find(&ua).unwrap().command, Command::Ua);
    }

    #[test]
    fn a_frame_is_found_behind_junk_and_shared_flags() {
        let bytes = [b"\x00\x7E\xFF\x7E", &SNRM[..], &DISC[1..]].concat();
        let first = find(&bytes).unwrap();
        assert_eq!(first.command, Command::Snrm);
        let second = find(&bytes[first.end - 1..]).unwrap();
        assert_eq!(second.command, Command::Disc);
    }

    #[test]
    fn a_flipped_bit_makes_it_none() {
        for place in 0..SNRM.len() {
            for bit in 0..8 {
                let mut frame = SNRM;
                frame[place] ^= 1 << bit;
                assert_eq!(find(&frame), None, "byte {place}, bit {bit}");
            }
        }
    }
}
