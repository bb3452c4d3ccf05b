//! The serial ports of a machine, as its /sys and /dev name them. No port is opened, since that alone raises DTR and
//! RTS. Linux only: elsewhere there is no /sys, and so no port.
//!
//! A port is a terminal with a device behind it. Pseudo-terminals, consoles and ttyprintk have none; the kernel's spare
//! 8250 ports have one, of type 0.

use std::fs;
use std::path::{Path, PathBuf};

use super::holder;
use crate::os::ports::{Adapter, Bus, Port, State};

/// A machine, by the folder that its /sys and /dev are in.
#[derive(Clone, Debug)]
pub struct Computer {
    root: PathBuf,
}

/// A port, and the folder of its USB device in /sys.
struct Found {
    port: Port,
    device: Option<PathBuf>,
}

impl Computer {
    /// The machine that we run on.
    pub fn this() -> Self {
        Self::below("/")
    }

    /// The machine whose `sys`, `dev` and `var/lock` are in `root`.
    pub fn below(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Its serial ports, those on USB first, in the order of their numbers.
    pub fn ports(&self) -> Vec<Port> {
        let Ok(entries) = fs::read_dir(self.root.join("sys/class/tty")) else { return Vec::new() };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut found: Vec<Found> = names.filter_map(|name| self.look(&name)).collect();
        let siblings: Vec<_> = found.iter().map(|port| shares_adapter(port, &found)).collect();
        let twins: Vec<_> = found.iter().map(|port| has_twin(port, &found)).collect();
        for ((found, sibling), twin) in found.iter_mut().zip(siblings).zip(twins) {
            let folders = if twin { ["by-path", "by-id"] } else { ["by-id", "by-path"] };
            found.port.stable = folders.iter().find_map(|folder| self.link(folder, &found.port));
            if let (Bus::Usb(adapter), false) = (&mut found.port.bus, sibling) {
                adapter.interface = None;
            }
        }
        let mut ports: Vec<Port> = found.into_iter().map(|found| found.port).collect();
        ports.sort_by_cached_key(Port::order);
        ports
    }

    /// Whether one of its ports can be had.
    pub fn state(&self, port: &Port) -> State {
        let node = self.path(&port.node);
        let Ok(stat) = rustix::fs::stat(&node) else { return State::NoNode };
        if !holder::may_open(&node) {
            return State::NotPermitted { group: holder::group_of(&stat) };
        }
        let lock = || holder::uucp_in(&self.root.join("var/lock"), &node);
        holder::of(&stat).or_else(lock).map_or(State::Free, State::Busy)
    }

    fn path(&self, absolute: &str) -> PathBuf {
        self.root.join(absolute.trim_start_matches('/'))
    }

    /// The port with this name in /sys, if it is one.
    fn look(&self, name: &str) -> Option<Found> {
        let tty = self.root.join("sys/class/tty").join(name);
        if attribute(&tty, "type").is_some_and(|uart| uart == "0") {
            return None;
        }
        let behind = tty.join("device").canonicalize().ok()?;
        // Since Linux 6.5 a UART's terminal hangs on two helper devices, which hang on the UART.
        let device =
            behind.ancestors().find(|path| linked(path, "subsystem").as_deref() != Some("serial-base"))?;
        // A CDC terminal hangs on its interface, others on a port below it.
        let usb = device.ancestors().take(2).find_map(|path| Some((path.parent()?, adapter(path)?)));
        let (folder, bus) = match usb {
            Some((folder, adapter)) => (Some(folder.to_owned()), Bus::Usb(adapter)),
            None => (None, Bus::Other(linked(device, "subsystem"))),
        };
        let port = Port { node: format!("/dev/{name}"), stable: None, driver: linked(device, "driver"), bus };
        Some(Found { port, device: folder })
    }

    /// The link to a port in a folder of /dev/serial.
    fn link(&self, folder: &str, port: &Port) -> Option<String> {
        let node = self.path(&port.node).canonicalize().ok()?;
        let entries = fs::read_dir(self.root.join("dev/serial").join(folder)).ok()?;
        let leads_there = |entry: &fs::DirEntry| entry.path().canonicalize().is_ok_and(|path| path == node);
        let links = entries.filter_map(Result::ok).filter(leads_there);
        let name = links.filter_map(|entry| entry.file_name().into_string().ok()).min()?;
        Some(format!("/dev/serial/{folder}/{name}"))
    }
}

/// The adapter with this interface, if it is one of USB.
fn adapter(interface: &Path) -> Option<Adapter> {
    let number = attribute(interface, "bInterfaceNumber")?;
    let device = interface.parent()?;
    Some(Adapter {
        manufacturer: attribute(device, "manufacturer"),
        product: attribute(device, "product"),
        vendor_id: attribute(device, "idVendor")?,
        product_id: attribute(device, "idProduct")?,
        serial: attribute(device, "serial"),
        interface: u8::from_str_radix(&number, 16).ok(),
    })
}

/// Whether another port is on the same adapter.
fn shares_adapter(port: &Found, all: &[Found]) -> bool {
    all.iter().any(|other| other.port.node != port.port.node && other.device == port.device)
}

/// Whether another adapter has the same id, so that /dev/serial/by-id has one name for both.
fn has_twin(port: &Found, all: &[Found]) -> bool {
    let id = |found: &Found| match &found.port.bus {
        Bus::Usb(adapter) => {
            Some((adapter.vendor_id.clone(), adapter.product_id.clone(), adapter.serial.clone()))
        }
        Bus::Other(_) => None,
    };
    all.iter().any(|other| other.device != port.device && id(other).is_some() && id(other) == id(port))
}

/// What a file in /sys says, if it says anything.
fn attribute(folder: &Path, name: &str) -> Option<String> {
    let bytes = fs::read(folder.join(name)).ok()?;
    let text = String::from_utf8_lossy(&bytes).trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// The last part of where a link in /sys leads.
fn linked(folder: &Path, name: &str) -> Option<String> {
    Some(fs::read_link(folder.join(name)).ok()?.file_name()?.to_string_lossy().into_owned())
}
