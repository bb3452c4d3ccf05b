//! A machine in a folder: the parts of /sys and /dev that tell of serial ports, laid out as the kernel and udev do.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use iecprobe::os::ports::Computer;

/// Where the USB devices of the machine are.
const USB: &str = "sys/devices/pci0000:00/0000:00:14.0/usb1";

/// A machine in a folder of its own.
pub struct Faked {
    root: tempfile::TempDir,
}

/// A USB adapter: driver, maker's number and its own; then manufacturer, product and serial number, each empty if it
/// has none.
pub type Kind = (&'static str, &'static str, &'static str, [&'static str; 3]);

pub const FT232R: Kind = ("ftdi_sio", "0403", "6001", ["FTDI", "FT232R USB UART", "A50285BI"]);
pub const FT4232H: Kind = ("ftdi_sio", "0403", "6011", ["FTDI", "Quad RS232-HS", ""]);
pub const CP2102: Kind =
    ("cp210x", "10c4", "ea60", ["Silicon Labs", "CP2102 USB to UART Bridge Controller", "0001"]);
pub const CH340: Kind = ("ch341-uart", "1a86", "7523", ["", "USB Serial", ""]);
pub const PL2303: Kind =
    ("pl2303", "067b", "2303", ["Prolific Technology Inc.", "USB-Serial Controller", ""]);
pub const CDC: Kind = ("cdc_acm", "2341", "0043", ["Arduino (www.arduino.cc)", "", "7543932383535141F0E1"]);

impl Faked {
    /// A machine without ports: consoles, a pseudo-terminal of either kind, ttyprintk, and a spare 8250 port.
    pub fn new() -> Self {
        let faked = Self { root: tempfile::tempdir().unwrap() };
        for name in ["console", "ptmx", "ptyp0", "tty", "tty0", "tty1", "ttyp0", "ttyprintk"] {
            let tty = format!("sys/devices/virtual/tty/{name}");
            faked.write(&format!("{tty}/dev"), "5:3");
            faked.link(&format!("sys/class/tty/{name}"), &tty);
            faked.write(&format!("dev/{name}"), "");
        }
        faked.write("dev/pts/0", "");
        faked.uart("ttyS1", "platform/serial8250", "platform", "serial8250", "0");
        faked
    }

    /// A machine with one of each.
    pub fn with_one_of_each() -> Self {
        let faked = Self::new();
        faked.uart("ttyS0", "pnp0/00:04", "pnp", "serial", "4");
        faked.usb("1-1", FT232R, &["ttyUSB0"]);
        faked.usb("1-2", FT4232H, &["ttyUSB1", "ttyUSB2", "ttyUSB3", "ttyUSB4"]);
        faked.usb("1-3", CP2102, &["ttyUSB5"]);
        faked.usb("1-4.1", CH340, &["ttyUSB6"]);
        faked.usb("1-4.2", PL2303, &["ttyUSB10"]);
        faked.acm("1-5", CDC, "ttyACM0");
        for (name, node) in [
            ("usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0", "ttyUSB0"),
            ("usb-FTDI_Quad_RS232-HS-if00-port0", "ttyUSB1"),
            ("usb-FTDI_Quad_RS232-HS-if01-port0", "ttyUSB2"),
            ("usb-FTDI_Quad_RS232-HS-if02-port0", "ttyUSB3"),
            ("usb-FTDI_Quad_RS232-HS-if03-port0", "ttyUSB4"),
            ("usb-Silicon_Labs_CP2102_USB_to_UART_Bridge_Controller_0001-if00-port0", "ttyUSB5"),
            ("usb-1a86_USB_Serial-if00-port0", "ttyUSB6"),
            ("usb-Prolific_Technology_Inc._USB-Serial_Controller-if00-port0", "ttyUSB10"),
            ("usb-Arduino__www.arduino.cc__0043_7543932383535141F0E1-if00", "ttyACM0"),
        ] {
            faked.stable("by-id", name, node);
        }
        faked
    }

    pub fn machine(&self) -> Computer {
        Computer::below(self.root.path())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// A link, relative as all links in /sys and /dev are.
    fn link(&self, name: &str, target: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let up = "../".repeat(Path::new(name).components().count() - 1);
        symlink(format!("{up}{target}"), path).unwrap();
    }

    /// A link in a folder of /dev/serial.
    pub fn stable(&self, folder: &str, name: &str, node: &str) {
        let path = self.path(&format!("dev/serial/{folder}/{name}"));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(format!("../../{node}"), path).unwrap();
    }

    /// A port of the machine's own, with the two helper devices of newer kernels before it.
    pub fn uart(&self, name: &str, device: &str, bus: &str, driver: &str, kind: &str) {
        let device = format!("sys/devices/{device}");
        if !self.path(&device).exists() {
            self.link(&format!("{device}/subsystem"), &format!("sys/bus/{bus}"));
            self.link(&format!("{device}/driver"), &format!("sys/bus/{bus}/drivers/{driver}"));
        }
        let control = format!("{device}/{name}:0");
        let port = format!("{control}/{name}:0.0");
        for (helper, driver) in [(&control, "ctrl"), (&port, "port")] {
            self.link(&format!("{helper}/subsystem"), "sys/bus/serial-base");
            self.link(&format!("{helper}/driver"), &format!("sys/bus/serial-base/drivers/{driver}"));
        }
        self.tty(name, &port);
        self.write(&format!("{port}/tty/{name}/type"), &format!("{kind}\n"));
    }

    /// An adapter in this socket, with one interface for each port.
    pub fn usb(&self, socket: &str, kind: Kind, names: &[&str]) {
        for (number, name) in names.iter().enumerate() {
            let interface = self.interface(socket, kind, number, "usb");
            let port = format!("{interface}/{name}");
            self.link(&format!("{port}/subsystem"), "sys/bus/usb-serial");
            self.link(&format!("{port}/driver"), &format!("sys/bus/usb-serial/drivers/{}", kind.0));
            self.tty(name, &port);
        }
    }

    /// A CDC-ACM device in this socket: its terminal hangs on the interface itself, and it has one more for data.
    pub fn acm(&self, socket: &str, kind: Kind, name: &str) {
        let interface = self.interface(socket, kind, 0, kind.0);
        self.interface(socket, kind, 1, kind.0);
        self.tty(name, &interface);
    }

    fn interface(&self, socket: &str, kind: Kind, number: usize, driver: &str) -> String {
        let (_, vendor, product, strings) = kind;
        let device = format!("{USB}/{socket}");
        self.write(&format!("{device}/idVendor"), &format!("{vendor}\n"));
        self.write(&format!("{device}/idProduct"), &format!("{product}\n"));
        for (name, text) in ["manufacturer", "product", "serial"].iter().zip(strings) {
            if !text.is_empty() {
                self.write(&format!("{device}/{name}"), &format!("{text}\n"));
            }
        }
        let interface = format!("{device}/{socket}:1.{number}");
        self.write(&format!("{interface}/bInterfaceNumber"), &format!("{number:02x}\n"));
        self.link(&format!("{interface}/subsystem"), "sys/bus/usb");
        self.link(&format!("{interface}/driver"), &format!("sys/bus/usb/drivers/{driver}"));
        interface
    }

    /// A terminal on a device, its node, and its entry in the class.
    fn tty(&self, name: &str, device: &str) {
        let tty = format!("{device}/tty/{name}");
        self.write(&format!("{tty}/dev"), "188:0");
        self.link(&format!("{tty}/device"), device);
        self.link(&format!("sys/class/tty/{name}"), &tty);
        self.write(&format!("dev/{name}"), "");
    }
}
