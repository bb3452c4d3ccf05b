//! The parameters of a link, which SNRM and UA carry (IEC 62056-46, clause 6.4.4.4.3.2).

/// What two sides have agreed on for a link; as the meter puts it, so that "transmit" is what the meter sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// Longest information field that it sends, in bytes.
    pub max_info_transmit: u32,
    /// Longest information field that it takes, in bytes.
    pub max_info_receive: u32,
    /// Frames that it sends before it wants an acknowledgement.
    pub window_transmit: u32,
    /// Frames that it takes before it acknowledges.
    pub window_receive: u32,
}

impl Default for Parameters {
    /// What holds where nothing is said (clause 6.4.4.4.3.2).
    fn default() -> Self {
        Self { max_info_transmit: 128, max_info_receive: 128, window_transmit: 1, window_receive: 1 }
    }
}

impl Parameters {
    /// Reads the information field of a UA: `81 80 length`, then for each parameter its number, its length and its
    /// value. What is not there, or not to be read, has its default.
    pub fn parse(information: &[u8]) -> Self {
        let mut parameters = Self::default();
        let [0x81, 0x80, _, rest @ ..] = information else { return parameters };
        let mut rest = rest;
        while let [number, length, value @ ..] = rest {
            let Some((value, others)) = value.split_at_checked(usize::from(*length)) else { break };
            rest = others;
            if value.is_empty() || value.len() > 4 {
                continue;
            }
            let value = value.iter().fold(0, |all, &byte| all << 8 | u32::from(byte));
            match number {
                5 => parameters.max_info_transmit = value,
                6 => parameters.max_info_receive = value,
                7 => parameters.window_transmit = value,
                8 => parameters.window_receive = value,
                _ => {}
            }
        }
        parameters
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::hdlc::{SNRM, find, unnumbered_acknowledgement};

    #[test]
    fn the_parameters_of_a_link_are_read() {
        let said = [
            0x81, 0x80, 0x14, 0x05, 0x02, 0x00, 0x80, 0x06, 0x02, 0x01, 0x00, 0x07, 0x04, 0, 0, 0, 1, 0x08,
            0x04, 0, 0, 0, 7,
        ];
        let read = Parameters::parse(&said);
        let wanted = Parameters {
            max_info_transmit: 128,
            max_info_receive: 256,
            window_transmit: 1,
            window_receive: 7,
        };
        assert_eq!(read, wanted);
        let snrm = find(&SNRM).unwrap();
        let ua = unnumbered_acknowledgement(&snrm, &said);
        assert_eq!(Parameters::parse(find(&ua).unwrap().information), wanted);
        for length in 0..said.len() {
            Parameters::parse(&said[..length]);
        }
        assert_eq!(Parameters::parse(&[]), Parameters::default());
    }
}
