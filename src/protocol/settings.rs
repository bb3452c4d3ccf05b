//! What a port is set to: rate and framing, and the times on the wire that follow from them.

use std::fmt;
use std::time::Duration;

/// How a character's ten bits are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Seven data bits, even parity, one stop bit: the sign-on (IEC 62056-21, clause 5.1).
    SevenEven,
    /// Eight data bits, no parity, one stop bit: HDLC.
    EightNone,
    /// Eight data bits, even parity, one stop bit: some meters that send by themselves (HAN).
    EightEven,
}

impl Framing {
    /// Bits on the wire for one character: 7E1 and 8N1 both have a start bit, eight more, and a stop bit.
    const fn bits(self) -> u32 {
        match self {
            Self::SevenEven | Self::EightNone => 10,
            Self::EightEven => 11,
        }
    }
}

/// Rate and framing of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Rate in Bd. 0 is no rate, and its times are those of 1 Bd.
    pub baud: u32,
    /// Framing of a character.
    pub framing: Framing,
}

impl Settings {
    /// `baud` Bd 7E1.
    pub const fn seven_even(baud: u32) -> Self {
        Self { baud, framing: Framing::SevenEven }
    }

    /// `baud` Bd 8N1.
    pub const fn eight_none(baud: u32) -> Self {
        Self { baud, framing: Framing::EightNone }
    }

    /// `baud` Bd 8E1.
    pub const fn eight_even(baud: u32) -> Self {
        Self { baud, framing: Framing::EightEven }
    }

    /// Time that `characters` take on the wire, to the nanosecond; at most some 580 years.
    pub fn wire_time(self, characters: usize) -> Duration {
        let nanoseconds = u128::from(self.framing.bits()) * characters as u128 * 1_000_000_000;
        let time = nanoseconds / u128::from(self.baud.max(1));
        Duration::from_nanos(u64::try_from(time).unwrap_or(u64::MAX))
    }

    /// Time of one character on the wire.
    pub fn character(self) -> Duration {
        self.wire_time(1)
    }

    /// Time of one bit on the wire.
    pub fn bit(self) -> Duration {
        Duration::from_nanos(1_000_000_000 / u64::from(self.baud.max(1)))
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let framing = match self.framing {
            Framing::SevenEven => "7E1",
            Framing::EightNone => "8N1",
            Framing::EightEven => "8E1",
        };
        write!(f, "{} Bd {framing}", self.baud)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_takes_167_ms_at_300_bd() {
        assert_eq!(Settings::seven_even(300).wire_time(5).as_millis(), 166);
        assert_eq!(Settings::seven_even(300).to_string(), "300 Bd 7E1");
    }

    #[test]
    fn no_rate_and_no_length_panics() {
        assert_eq!(Settings::seven_even(0).wire_time(1), Settings::seven_even(1).wire_time(1));
        assert_eq!(Settings::eight_none(0).bit().as_secs(), 1);
        assert!(Settings::eight_none(1).wire_time(usize::MAX) > Settings::eight_none(300).wire_time(1));
    }
}
