//! What the library makes of machines with all kinds of ports and terminals, each faked in a folder.

#![cfg(target_os = "linux")]

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::mem::MaybeUninit;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::{Command, Stdio};

use iecprobe::os::ports::{Bus, Port, State};
use rustix::fs::inotify;
use rustix::io::Errno;

use crate::faked::{CH340, CP2102, FT232R, Faked, PL2303};

fn nodes(ports: &[Port]) -> Vec<&str> {
    ports.iter().map(|port| port.node.as_str()).collect()
}

fn stable(faked: &Faked) -> Vec<Option<String>> {
    faked.machine().ports().into_iter().map(|port| port.stable).collect()
}

#[test]
fn terminals_without_a_port_are_not_listed() {
    assert_eq!(Faked::new().machine().ports(), []);
    assert_eq!(iecprobe::os::ports::Computer::below("/nowhere").ports(), []);
}

#[test]
fn usb_ports_come_first_and_numbers_are_numbers() {
    let ports = Faked::with_one_of_each().machine().ports();
    assert_eq!(
        nodes(&ports),
        [
            "/dev/ttyACM0",
            "/dev/ttyUSB0",
            "/dev/ttyUSB1",
            "/dev/ttyUSB2",
            "/dev/ttyUSB3",
            "/dev/ttyUSB4",
            "/dev/ttyUSB5",
            "/dev/ttyUSB6",
            "/dev/ttyUSB10",
            "/dev/ttyS0"
        ]
    );
}

#[test]
fn each_kind_of_adapter_is_described() {
    let ports = Faked::with_one_of_each().machine().ports();
    let described: Vec<String> = ports
        .iter()
        .map(|port| match &port.bus {
            Bus::Usb(adapter) => format!(
                "{} {} {}:{} {} {:?} {:?}",
                port.node.trim_start_matches("/dev/tty"),
                port.driver.as_deref().unwrap_or("-"),
                adapter.vendor_id,
                adapter.product_id,
                adapter.name().unwrap_or_default(),
                adapter.serial.as_deref().unwrap_or(""),
                adapter.interface,
            ),
            Bus::Other(bus) => format!("{} {:?} {bus:?}", port.node, port.driver),
        })
        .collect();
    assert_eq!(
        described,
        [
            r#"ACM0 cdc_acm 2341:0043 Arduino (www.arduino.cc) "7543932383535141F0E1" None"#,
            r#"USB0 ftdi_sio 0403:6001 FTDI FT232R USB UART "A50285BI" None"#,
            r#"USB1 ftdi_sio 0403:6011 FTDI Quad RS232-HS "" Some(0)"#,
            r#"USB2 ftdi_sio 0403:6011 FTDI Quad RS232-HS "" Some(1)"#,
            r#"USB3 ftdi_sio 0403:6011 FTDI Quad RS232-HS "" Some(2)"#,
            r#"USB4 ftdi_sio 0403:6011 FTDI Quad RS232-HS "" Some(3)"#,
            r#"USB5 cp210x 10c4:ea60 Silicon Labs CP2102 USB to UART Bridge Controller "0001" None"#,
            r#"USB6 ch341-uart 1a86:7523 USB Serial "" None"#,
            r#"USB10 pl2303 067b:2303 Prolific Technology Inc. USB-Serial Controller "" None"#,
            r#"/dev/ttyS0 Some("serial") Some("pnp")"#,
        ]
    );
}

#[test]
fn the_stable_name_is_the_adapters() {
    let faked = Faked::new();
    faked.usb("1-1", FT232R, &["ttyUSB0"]);
    faked.usb("1-2", CH340, &["ttyUSB1"]);
    faked.usb("1-3", PL2303, &["ttyUSB2"]);
    faked.stable("by-path", "pci-0000:00:14.0-usb-0:1:1.0-port0", "ttyUSB0");
    faked.stable("by-id", "usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0", "ttyUSB0");
    faked.stable("by-id", "usb-gone", "ttyUSB9");
    faked.stable("by-path", "pci-0000:00:14.0-usbv2-0:2:1.0-port0", "ttyUSB1");
    faked.stable("by-path", "pci-0000:00:14.0-usb-0:2:1.0-port0", "ttyUSB1");
    let expected = [
        Some("/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0".to_owned()),
        Some("/dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.0-port0".to_owned()),
        None,
    ];
    assert_eq!(stable(&faked), expected);
}

#[test]
fn where_two_adapters_have_one_id_the_socket_names_them() {
    let faked = Faked::new();
    faked.usb("1-1", CP2102, &["ttyUSB0"]);
    faked.usb("1-2", CP2102, &["ttyUSB1"]);
    // udev has one name for both; it leads to whichever came last.
    faked.stable("by-id", "usb-Silicon_Labs_CP2102_USB_to_UART_Bridge_Controller_0001-if00-port0", "ttyUSB1");
    faked.stable("by-path", "pci-0000:00:14.0-usb-0:1:1.0-port0", "ttyUSB0");
    faked.stable("by-path", "pci-0000:00:14.0-usb-0:2:1.0-port0", "ttyUSB1");
    let expected = [1, 2].map(|n| Some(format!("/dev/serial/by-path/pci-0000:00:14.0-usb-0:{n}:1.0-port0")));
    assert_eq!(stable(&faked), expected);
}

#[test]
fn a_port_of_an_older_kernel_has_its_driver_too() {
    let faked = Faked::new();
    faked.uart("ttyAMA0", "platform/fe201000.serial", "amba", "uart-pl011", "32");
    let tty = faked.path("sys/devices/platform/fe201000.serial/ttyAMA0:0/ttyAMA0:0.0/tty/ttyAMA0");
    fs::remove_file(tty.join("device")).unwrap();
    symlink("../../../..", tty.join("device")).unwrap();
    let ports = faked.machine().ports();
    assert_eq!(nodes(&ports), ["/dev/ttyAMA0"]);
    assert_eq!(ports[0].driver.as_deref(), Some("uart-pl011"));
    assert_eq!(ports[0].bus, Bus::Other(Some("amba".into())));
}

#[test]
fn a_port_that_nobody_has_is_free_and_one_without_a_node_is_not() {
    let faked = Faked::with_one_of_each();
    let ports = faked.machine().ports();
    assert!(ports.iter().all(|port| faked.machine().state(port) == State::Free));
    fs::remove_file(faked.path("dev/ttyACM0")).unwrap();
    assert_eq!(faked.machine().state(&ports[0]), State::NoNode);
}

#[test]
fn whoever_has_a_port_is_named() {
    let faked = Faked::new();
    faked.usb("1-1", FT232R, &["ttyUSB0"]);
    let port = &faked.machine().ports()[0];
    // A pseudo-terminal stands for the port: its node can be made without being root.
    let pty = rustix::pty::openpt(rustix::pty::OpenptFlags::RDWR | rustix::pty::OpenptFlags::NOCTTY).unwrap();
    rustix::pty::unlockpt(&pty).unwrap();
    let slave = rustix::pty::ptsname(&pty, Vec::new()).unwrap().into_string().unwrap();
    fs::remove_file(faked.path("dev/ttyUSB0")).unwrap();
    symlink(&slave, faked.path("dev/ttyUSB0")).unwrap();
    assert_eq!(faked.machine().state(port), State::Free);

    let slave = fs::File::options().read(true).write(true).open(&slave).unwrap();
    let mut child = Command::new("sh")
        .args(["-c", "echo ready; read line"])
        .stdin(slave)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let state = faked.machine().state(port);
    child.kill().unwrap();
    let State::Busy(holder) = state else { panic!("{state:?}") };
    assert_eq!((holder.pid, holder.name.as_deref()), (child.id(), Some("sh")));
    child.wait().unwrap();
    assert_eq!(faked.machine().state(port), State::Free);
}

#[test]
fn a_lock_file_makes_a_port_busy_while_its_process_lives() {
    let faked = Faked::new();
    faked.usb("1-1", FT232R, &["ttyUSB0"]);
    let port = &faked.machine().ports()[0];
    let mut child = Command::new("sh").args(["-c", "read line"]).stdin(Stdio::piped()).spawn().unwrap();
    faked.write("var/lock/LCK..ttyUSB0", &format!("{:>10}\n", child.id()));
    let state = faked.machine().state(port);
    drop(child.stdin.take());
    child.wait().unwrap();
    assert!(matches!(state, State::Busy(holder) if holder.pid == child.id()));
    assert_eq!(faked.machine().state(port), State::Free);
}

#[test]
fn a_lock_file_that_is_none_is_passed_over_at_once() {
    let us = format!("{:>10}\n", std::os::unix::process::parent_id());
    let state = |make: &dyn Fn(&std::path::Path)| {
        let faked = Faked::new();
        faked.usb("1-1", FT232R, &["ttyUSB0"]);
        faked.write("var/lock/plain", &us);
        make(&faked.path("var/lock/LCK..ttyUSB0"));
        faked.machine().state(&faked.machine().ports()[0])
    };
    let fifo = |path: &std::path::Path| {
        let fifo = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, path, fifo, 0o600.into(), 0).unwrap();
    };
    assert_eq!(state(&fifo), State::Free);
    assert_eq!(state(&|path| fs::File::create(path).unwrap().set_len(3 << 30).unwrap()), State::Free);
    assert_eq!(state(&|path| symlink("plain", path).unwrap()), State::Free);
    assert_eq!(state(&|path| fs::create_dir(path).unwrap()), State::Free);
    // The same file is one where it is no link.
    let copied = state(&|path| {
        fs::copy(path.with_file_name("plain"), path).unwrap();
    });
    assert!(matches!(copied, State::Busy(_)), "{copied:?}");
}

#[test]
fn a_port_of_another_group_is_not_permitted() {
    if rustix::process::geteuid().is_root() {
        return as_nobody("a_port_of_another_group_is_not_permitted");
    }
    let faked = Faked::new();
    faked.usb("1-1", FT232R, &["ttyUSB0"]);
    let port = &faked.machine().ports()[0];
    let state = |mode| {
        fs::set_permissions(faked.path("dev/ttyUSB0"), Permissions::from_mode(mode)).unwrap();
        faked.machine().state(port)
    };
    let group = Command::new("id").arg("-gn").output().unwrap().stdout;
    let group = String::from_utf8(group).unwrap().trim().to_owned();
    // The owner's rights are looked at first, so our own group is one that may where we may not.
    assert_eq!(state(0o060), State::NotPermitted { group: Some(group) });
    assert_eq!(state(0o040), State::NotPermitted { group: None });
    assert_eq!(state(0o400), State::NotPermitted { group: None });
    assert_eq!(state(0o600), State::Free);
}

/// Runs a test of this file again, as a user who is not root.
fn as_nobody(test: &str) {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let copy = folder.path().join("ports");
    fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
    let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    match Command::new("setpriv").args(nobody).arg(copy).args(["--exact", test]).output() {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout)),
        Err(_) => println!("skipped: root, and no setpriv"),
    }
}

#[test]
fn no_port_is_opened() {
    let faked = Faked::with_one_of_each();
    let watch = inotify::init(inotify::CreateFlags::NONBLOCK | inotify::CreateFlags::CLOEXEC).unwrap();
    let ports = faked.machine().ports();
    for port in &ports {
        let node = faked.path(port.node.trim_start_matches('/'));
        inotify::add_watch(&watch, node, inotify::WatchFlags::OPEN).unwrap();
    }
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut events = inotify::Reader::new(&watch, &mut buffer);
    for port in faked.machine().ports() {
        faked.machine().state(&port);
    }
    assert_eq!(events.next().map(|event| event.events()), Err(Errno::AGAIN));
    fs::File::open(faked.path("dev/ttyUSB0")).unwrap();
    assert!(events.next().is_ok(), "the watch sees an open");
}
