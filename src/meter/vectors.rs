//! What the meters of the scenarios say, byte for byte.

use crate::protocol::message;

/// A data readout: `STX data ! CR LF ETX BCC` (clause 6.3.3).
pub(super) fn readout() -> Vec<u8> {
    let data = b"0-0:C.1.0(12345678)\r\n0.0.0(12345678)\r\n1.8.0(004711.42*kWh)\r\n2.8.0(000000.00*kWh)\r\n\
        31.7.0(000.97*A)\r\n32.7.0(229.8*V)\r\nF.F(00000000)\r\n!\r\n\x03";
    let check = data.iter().fold(0, |bcc, byte| bcc ^ byte);
    [&[message::STX], &data[..], &[check]].concat()
}

/// Parameters of a link: up to 256 bytes of information either way, and a window of 7 towards the meter.
pub(super) const PARAMETERS: &[u8] =
    b"\x81\x80\x14\x05\x02\x01\x00\x06\x02\x01\x00\x07\x04\x00\x00\x00\x01\x08\x04\x00\x00\x00\x07";

/// A telegram of a push interface.
pub(super) const TELEGRAM: &[u8] = b"/LOG5LK13BE803039\r\n\r\n1-0:96.1.0*255(001LOG0065800041)\r\n\
    1-0:1.8.0*255(000000.0000*kWh)\r\n1-0:16.7.0*255(000000*W)\r\n!\r\n";

/// An SML file of a meter that sends by itself, shortened.
pub(super) const SML: &[u8] =
    b"\x1B\x1B\x1B\x1B\x01\x01\x01\x01\x76\x05\x03\x2B\x18\x0F\x62\x00\x62\x00\x72\x63\x01\x01\x76\x01\x01\
    \x05\x01\x0E\x5D\x5B\x1B\x1B\x1B\x1B\x1A\x01\x7D\x4E";
