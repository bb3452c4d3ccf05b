//! The serial ports of a computer. No port is opened to list them, since that alone raises DTR and RTS.

use super::Holder;
pub use super::system::ports::Computer;

/// A serial port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// The name that opens it, as `/dev/ttyUSB0` or `COM3`.
    pub node: String,
    /// Its name below /dev/serial that outlives plugging: that of the adapter (by-id), or of the socket (by-path) where
    /// two adapters have the same id.
    pub stable: Option<String>,
    /// The kernel's driver, as `ftdi_sio`.
    pub driver: Option<String>,
    /// Where it is attached.
    pub bus: Bus,
}

/// Where a port is attached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bus {
    /// To USB, by an adapter.
    Usb(Adapter),
    /// To another bus: the kernel's name for it, as `pnp`, `platform`, `pci`.
    Other(Option<String>),
}

/// What a USB adapter says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adapter {
    /// Its maker.
    pub manufacturer: Option<String>,
    /// Its name.
    pub product: Option<String>,
    /// The number of its maker, four hexadecimal digits.
    pub vendor_id: String,
    /// Its maker's number for it, four hexadecimal digits.
    pub product_id: String,
    /// Its serial number; cheap ones have none, or all the same.
    pub serial: Option<String>,
    /// The number of the interface, where the adapter has more than one port.
    pub interface: Option<u8>,
}

/// Whether a port can be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Nobody is seen to have it. Only root sees every process; of those of others, the ones that lock it are seen.
    Free,
    /// A process has it.
    Busy(Holder),
    /// We may not open it.
    NotPermitted {
        /// The name of the group that may, where there is one.
        group: Option<String>,
    },
    /// It has no node in /dev, as in a container.
    NoNode,
    /// The system tells that only to those who open it.
    Unknown,
}

impl Port {
    /// Whether it is on USB, as optical heads are.
    pub fn is_usb(&self) -> bool {
        matches!(self.bus, Bus::Usb(_))
    }

    /// Its place in a list: USB first, then by name, with numbers as numbers.
    pub(super) fn order(&self) -> (bool, String, Option<u32>) {
        let name = self.node.trim_end_matches(|c: char| c.is_ascii_digit());
        (!self.is_usb(), name.to_owned(), self.node[name.len()..].parse().ok())
    }
}

impl Adapter {
    /// Maker and name in one, as far as they are known.
    pub fn name(&self) -> Option<String> {
        let parts: Vec<&str> =
            [&self.manufacturer, &self.product].into_iter().flatten().map(|s| &**s).collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    }
}
