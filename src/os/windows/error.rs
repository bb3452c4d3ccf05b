//! What the system's error numbers mean to us.

use std::io;

use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_BAD_PATHNAME, ERROR_BROKEN_PIPE, ERROR_DEV_NOT_EXIST, ERROR_FILE_NOT_FOUND,
    ERROR_INVALID_FUNCTION, ERROR_INVALID_HANDLE, ERROR_INVALID_NAME, ERROR_INVALID_PARAMETER, ERROR_NO_DATA,
    ERROR_NO_SUCH_DEVICE, ERROR_OPERATION_ABORTED, ERROR_PATH_NOT_FOUND, ERROR_PIPE_NOT_CONNECTED,
    ERROR_SHARING_VIOLATION,
};

use crate::os::OpenError;

/// The number of an error, where it is the system's.
fn number(error: &io::Error) -> Option<u32> {
    error.raw_os_error().map(|number| number as u32)
}

/// Why a port could not be opened. Windows does not tell a port that is in use from one that we may not open.
pub(super) fn opening(error: io::Error) -> OpenError {
    match number(&error) {
        Some(
            ERROR_FILE_NOT_FOUND | ERROR_PATH_NOT_FOUND | ERROR_DEV_NOT_EXIST | ERROR_INVALID_NAME
            | ERROR_BAD_PATHNAME | ERROR_NO_SUCH_DEVICE,
        ) => OpenError::Missing,
        Some(ERROR_ACCESS_DENIED | ERROR_SHARING_VIOLATION) => OpenError::Busy(None),
        _ => OpenError::Io(error),
    }
}

/// Whether something that was opened has no notion of the settings of a serial port.
pub(super) fn is_not_serial(error: &io::Error) -> bool {
    matches!(number(error), Some(ERROR_INVALID_FUNCTION | ERROR_INVALID_HANDLE | ERROR_INVALID_PARAMETER))
}

/// Whether an operation was broken off, by us or by a driver that does so without losing its device.
pub(super) fn is_aborted(error: &io::Error) -> bool {
    number(error) == Some(ERROR_OPERATION_ABORTED)
}

/// Whether whoever reads a stream has gone. The standard library does not know one of the three numbers for it.
pub(super) fn is_reader_gone(error: &io::Error) -> bool {
    matches!(number(error), Some(ERROR_BROKEN_PIPE | ERROR_NO_DATA | ERROR_PIPE_NOT_CONNECTED))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(number: i32) -> OpenError {
        opening(io::Error::from_raw_os_error(number))
    }

    #[test]
    fn each_number_has_its_kind() {
        for number in [2, 3, 55, 123, 161, 433] {
            assert!(matches!(of(number), OpenError::Missing), "{number}");
        }
        for number in [5, 32] {
            assert!(matches!(of(number), OpenError::Busy(None)), "{number}");
        }
        assert!(matches!(of(31), OpenError::Io(_)));
        for number in [1, 6, 87] {
            assert!(is_not_serial(&io::Error::from_raw_os_error(number)), "{number}");
        }
        for number in [109, 232, 233] {
            assert!(is_reader_gone(&io::Error::from_raw_os_error(number)), "{number}");
        }
        assert!(is_aborted(&io::Error::from_raw_os_error(995)));
    }
}
