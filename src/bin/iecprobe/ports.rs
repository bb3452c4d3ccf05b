//! Which ports a job is about: those that the command line means, and their names on this computer.

use std::path::{Path, PathBuf};

use iecprobe::os::ports::{Bus, Computer, Port};
use iecprobe::protocol::text;

use crate::ending;
use crate::list;
use crate::trouble::Trouble;

/// The ports of a job.
#[derive(Clone, Debug)]
pub enum Ports {
    /// These, at least one.
    Named(Vec<String>),
    /// These, and all USB serial ports of this computer.
    AllUsb(Vec<String>),
    /// The only USB serial port of this computer.
    OnlyUsb,
}

impl Ports {
    /// The ports that are named, in one way or the other.
    pub fn of(place: Option<String>, named: Vec<String>, all: bool) -> Self {
        // An empty variable of the shell names no port.
        let typed: Vec<String> = place.into_iter().chain(named).filter(|port| !port.is_empty()).collect();
        let from_environment = || std::env::var("IECPROBE_PORT").ok().filter(|port| !port.is_empty());
        let ports = if typed.is_empty() { from_environment().into_iter().collect() } else { typed };
        match &ports[..] {
            _ if all => Self::AllUsb(ports),
            [] => Self::OnlyUsb,
            _ => Self::Named(ports),
        }
    }

    /// Whether this is about several ports, one report each.
    pub fn are_several(&self) -> bool {
        match self {
            Self::Named(ports) => ports.len() > 1,
            Self::AllUsb(_) => true,
            Self::OnlyUsb => false,
        }
    }
}

/// Their names, at least one: those named, all USB serial ports, or the only one of this computer, which is said
/// unless `quiet`.
pub fn resolve(ports: &Ports, quiet: bool) -> Result<Vec<String>, Trouble> {
    let computer = Computer::this();
    let usb = || computer.ports().into_iter().filter(Port::is_usb).collect::<Vec<_>>();
    match ports {
        Ports::Named(ports) => check_apart(ports).map(|()| ports.clone()),
        Ports::AllUsb(named) => {
            check_apart(named)?;
            let places: Vec<_> = named.iter().map(|port| place(port)).collect();
            let others =
                usb().into_iter().map(|port| port.node).filter(|node| !places.contains(&place(node)));
            let all: Vec<String> = named.iter().cloned().chain(others).collect();
            if all.is_empty() { Err(Trouble::NoPort(Vec::new())) } else { Ok(all) }
        }
        Ports::OnlyUsb => match &usb()[..] {
            [port] => {
                if !quiet {
                    say_which(port);
                }
                Ok(vec![port.node.clone()])
            }
            found => Err(Trouble::NoPort(list::with_states(&computer, found.to_vec()))),
        },
    }
}

/// Refuses one port under two names: it would be in use by ourselves.
fn check_apart(ports: &[String]) -> Result<(), Trouble> {
    for (at, port) in ports.iter().enumerate() {
        if let Some(other) = ports[..at].iter().find(|other| is_same(other, port)) {
            let names = [other, port].map(|name| text::escaped(name.as_bytes()));
            return Err(Trouble::Usage(if names[0] == names[1] {
                format!("{}: named twice", names[0])
            } else {
                format!("{} and {} are the same port", names[0], names[1])
            }));
        }
    }
    Ok(())
}

fn is_same(one: &str, other: &str) -> bool {
    match (place(one), place(other)) {
        (None, None) => one == other && !one.starts_with("sim:"),
        (one, other) => one == other,
    }
}

/// Where a port is, whatever it is called; nowhere if it is no file, as the built-in meter, of which there are as many
/// as are asked for.
fn place(port: &str) -> Option<PathBuf> {
    Path::new(port).canonicalize().ok()
}

fn say_which(port: &Port) {
    let adapter = match &port.bus {
        Bus::Usb(adapter) => adapter.name(),
        Bus::Other(_) => None,
    };
    let adapter = adapter.map_or_else(String::new, |name| format!(" ({})", text::escaped(name.as_bytes())));
    ending::say(&format!("iecprobe: taking {}{adapter}, the only USB serial port\n", port.node));
}
