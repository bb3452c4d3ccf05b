//! The serial ports of a computer, as the Device Manager knows them.

use serialport::{SerialPortInfo, SerialPortType, UsbPortInfo};

use crate::os::ports::{Adapter, Bus, Port, State};

/// The computer that we run on.
#[derive(Clone, Debug)]
pub struct Computer(());

impl Computer {
    /// The computer that we run on.
    pub fn this() -> Self {
        Self(())
    }

    /// Its serial ports, those on USB first, in the order of their numbers.
    pub fn ports(&self) -> Vec<Port> {
        let mut ports: Vec<Port> =
            serialport::available_ports().unwrap_or_default().into_iter().map(port).collect();
        ports.sort_by_cached_key(Port::order);
        ports
    }

    /// Whether one of its ports can be had: Windows tells that only to those who open it, and that raises DTR and RTS.
    pub fn state(&self, _port: &Port) -> State {
        State::Unknown
    }
}

fn port(info: SerialPortInfo) -> Port {
    let bus = match info.port_type {
        SerialPortType::UsbPort(usb) => Bus::Usb(adapter(usb)),
        SerialPortType::PciPort => Bus::Other(Some("pci".into())),
        SerialPortType::BluetoothPort => Bus::Other(Some("bluetooth".into())),
        SerialPortType::Unknown => Bus::Other(None),
    };
    Port { node: info.port_name, stable: None, driver: None, bus }
}

fn adapter(usb: UsbPortInfo) -> Adapter {
    Adapter {
        // The friendly name of the Device Manager says it all.
        manufacturer: usb.manufacturer.filter(|_| usb.product.is_none()),
        product: usb.product,
        vendor_id: format!("{:04x}", usb.vid),
        product_id: format!("{:04x}", usb.pid),
        // A single digit is the number that Windows gives to an adapter without one.
        serial: usb.serial_number.filter(|serial| serial.len() > 1),
        interface: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usb(serial: &str, product: Option<&str>) -> SerialPortInfo {
        let usb = UsbPortInfo {
            vid: 0x0403,
            pid: 0x6001,
            serial_number: Some(serial.into()),
            manufacturer: Some("FTDI".into()),
            product: product.map(str::to_owned),
        };
        SerialPortInfo { port_name: "COM3".into(), port_type: SerialPortType::UsbPort(usb) }
    }

    #[test]
    fn an_adapter_is_called_what_the_device_manager_calls_it() {
        let named = |product| match port(usb("A50285BI", product)).bus {
            Bus::Usb(adapter) => (adapter.name(), adapter.serial, adapter.vendor_id),
            Bus::Other(_) => panic!("it is on USB"),
        };
        let (name, serial, vendor) = named(Some("USB Serial Port (COM3)"));
        assert_eq!(name.as_deref(), Some("USB Serial Port (COM3)"));
        assert_eq!((serial.as_deref(), &*vendor), (Some("A50285BI"), "0403"));
        assert_eq!(named(None).0.as_deref(), Some("FTDI"));
    }

    #[test]
    fn the_number_that_windows_gives_is_no_serial_number() {
        let Bus::Usb(adapter) = port(usb("6", None)).bus else { panic!("it is on USB") };
        assert_eq!(adapter.serial, None);
    }
}
