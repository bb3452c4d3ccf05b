//! The settings of a COM port, as Windows has them: a DCB, and the time-outs.

use std::io;
use std::mem::size_of;
use std::os::windows::io::AsRawHandle;
use std::os::windows::io::BorrowedHandle;

use windows_sys::Win32::Devices::Communication::{
    COMMTIMEOUTS, COMSTAT, ClearCommError, DCB, EVENPARITY, GetCommState, GetCommTimeouts, NOPARITY,
    ONESTOPBIT, PurgeComm, SetCommState, SetCommTimeouts,
};
use windows_sys::core::BOOL;

use crate::os::Kept;
use crate::protocol::settings::Framing;

/// Fields of one bit in a DCB.
const BINARY: u32 = 1;
const PARITY: u32 = 1 << 1;
const ERROR_CHAR: u32 = 1 << 10;
/// The two bits of DTR, and the value of them that keeps it on.
const DTR_MASK: u32 = 0b11 << 4;
const DTR_ON: u32 = 1 << 4;
/// The same of RTS.
const RTS_MASK: u32 = 0b11 << 12;
const RTS_ON: u32 = 1 << 12;

/// What a driver puts in place of a character with wrong parity at 7E1, where no character has bit 7.
pub(super) const WRONG_PARITY: u8 = 0xFF;

/// A read waits this long for its first byte, in milliseconds, then ends without one and is begun again.
const READ_LIMIT: u32 = 3_600_000;

/// The levels of the two lines that many heads draw their power from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Levels {
    pub(super) dtr: bool,
    pub(super) rts: bool,
}

/// Everything of a port that is changed by us.
#[derive(Clone, Copy)]
pub(super) struct Saved {
    state: DCB,
    timeouts: COMMTIMEOUTS,
}

/// The settings of a port before we change any.
pub(super) fn save(port: BorrowedHandle<'_>) -> io::Result<Saved> {
    let mut timeouts = COMMTIMEOUTS::default();
    let state = state(port)?;
    // SAFETY: the handle is open, and the address is one of ours.
    checked(unsafe { GetCommTimeouts(port.as_raw_handle(), &mut timeouts) })?;
    Ok(Saved { state, timeouts })
}

/// Puts a port back as it was.
pub(super) fn restore(port: BorrowedHandle<'_>, saved: &Saved) -> io::Result<()> {
    // SAFETY: the handle is open, and both addresses are ours.
    unsafe {
        let timeouts = checked(SetCommTimeouts(port.as_raw_handle(), &saved.timeouts));
        checked(SetCommState(port.as_raw_handle(), &saved.state)).and(timeouts)
    }
}

/// Makes a read end with the first byte, and a write with its last.
pub(super) fn set_timeouts(port: BorrowedHandle<'_>) -> io::Result<()> {
    // Windows reads the first two as: take what is there, else wait for one byte.
    let timeouts = COMMTIMEOUTS {
        ReadIntervalTimeout: u32::MAX,
        ReadTotalTimeoutMultiplier: u32::MAX,
        ReadTotalTimeoutConstant: READ_LIMIT,
        WriteTotalTimeoutMultiplier: 0,
        WriteTotalTimeoutConstant: 0,
    };
    // SAFETY: the handle is open, and the address is one of ours.
    checked(unsafe { SetCommTimeouts(port.as_raw_handle(), &timeouts) })
}

/// Sets rate, framing and modem lines in one step; what the driver has made of it.
pub(super) fn configure(
    port: BorrowedHandle<'_>,
    saved: &Saved,
    levels: Option<Levels>,
    baud: u32,
    framing: Framing,
) -> io::Result<Kept> {
    let wanted = wanted(&saved.state, levels, baud, framing);
    // SAFETY: the handle is open, and the address is one of ours.
    checked(unsafe { SetCommState(port.as_raw_handle(), &wanted) })?;
    let kept = state(port)?;
    Ok(Kept { baud: kept.BaudRate, seven_even: kept.ByteSize == 7 && kept.Parity == EVENPARITY })
}

/// Raw characters at this rate, without flow control, and with nothing that stops after an error.
fn wanted(saved: &DCB, levels: Option<Levels>, baud: u32, framing: Framing) -> DCB {
    // The driver would set the lines to what stands here with every change of the rate, and a head would lose its power.
    let lines = match levels {
        None => saved._bitfield & (DTR_MASK | RTS_MASK),
        Some(levels) => (u32::from(levels.dtr) * DTR_ON) | (u32::from(levels.rts) * RTS_ON),
    };
    let (size, parity, checks) = match framing {
        Framing::SevenEven => (7, EVENPARITY, PARITY | ERROR_CHAR),
        Framing::EightEven => (8, EVENPARITY, 0),
        Framing::EightNone => (8, NOPARITY, 0),
    };
    DCB {
        BaudRate: baud,
        _bitfield: BINARY | lines | checks,
        ByteSize: size,
        Parity: parity,
        StopBits: ONESTOPBIT,
        ErrorChar: WRONG_PARITY as i8,
        ..*saved
    }
}

fn state(port: BorrowedHandle<'_>) -> io::Result<DCB> {
    let mut state = DCB { DCBlength: size_of::<DCB>() as u32, ..DCB::default() };
    // SAFETY: the handle is open, and the address is one of ours.
    checked(unsafe { GetCommState(port.as_raw_handle(), &mut state) })?;
    Ok(state)
}

/// How many bytes the driver holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Queued {
    /// Received and not read.
    pub(super) received: usize,
    /// Written and not sent.
    pub(super) unsent: usize,
}

/// What the driver holds. It forgets its errors at that, so that none of them stops it.
pub(super) fn queued(port: BorrowedHandle<'_>) -> io::Result<Queued> {
    let (mut errors, mut status) = (0, COMSTAT::default());
    // SAFETY: the handle is open, and both addresses are ours.
    checked(unsafe { ClearCommError(port.as_raw_handle(), &mut errors, &mut status) })?;
    Ok(Queued { received: status.cbInQue as usize, unsent: status.cbOutQue as usize })
}

/// Throws away what the driver holds, as these flags of `PurgeComm` say.
pub(super) fn purge(port: BorrowedHandle<'_>, what: u32) {
    // A driver that cannot do so has nothing that could be thrown away.
    // SAFETY: the handle is open.
    unsafe { PurgeComm(port.as_raw_handle(), what) };
}

fn checked(done: BOOL) -> io::Result<()> {
    if done == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_of_the_rate_keeps_the_lines() {
        // RTS as a handshake, and flow control by characters, left there by somebody else.
        let saved = DCB { _bitfield: DTR_ON | (2 << 12) | (1 << 8) | (1 << 14), ..DCB::default() };
        let lines = |levels| wanted(&saved, levels, 9600, Framing::EightNone)._bitfield;
        assert_eq!(lines(None), BINARY | DTR_ON | (2 << 12));
        assert_eq!(lines(Some(Levels { dtr: true, rts: true })), BINARY | DTR_ON | RTS_ON);
        assert_eq!(lines(Some(Levels { dtr: true, rts: false })), BINARY | DTR_ON);
        assert_eq!(lines(Some(Levels { dtr: false, rts: true })), BINARY | RTS_ON);
    }

    #[test]
    fn seven_bits_come_with_a_mark_for_wrong_parity() {
        let seven = wanted(&DCB::default(), None, 300, Framing::SevenEven);
        assert_eq!((seven.ByteSize, seven.Parity, seven.StopBits), (7, EVENPARITY, ONESTOPBIT));
        assert_eq!(seven._bitfield, BINARY | PARITY | ERROR_CHAR);
        let eight = wanted(&seven, None, 300, Framing::EightNone);
        assert_eq!((eight.ByteSize, eight.Parity, eight._bitfield), (8, NOPARITY, BINARY));
    }
}
