//! `--list`: the serial ports of the machine, as a table and as JSON.

use std::fmt::Write as _;

use serde::{Serialize, Serializer};

use iecprobe::os::Holder;
use iecprobe::os::ports::{Bus, Computer, Port, State};
use iecprobe::protocol::text;

use crate::form::{self, Form};
use crate::style::{Look, Piece};

#[derive(Serialize)]
struct Row<'a> {
    port: &'a str,
    stable: Option<&'a str>,
    bus: Option<&'a str>,
    adapter: Option<String>,
    driver: Option<&'a str>,
    vendor_id: Option<&'a str>,
    product_id: Option<&'a str>,
    serial: Option<String>,
    interface: Option<u8>,
    state: &'static str,
    #[serde(serialize_with = "process")]
    holder: Option<&'a Holder>,
    group: Option<&'a str>,
}

fn process<S: Serializer>(holder: &Option<&Holder>, to: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Process<'a> {
        pid: u32,
        name: Option<&'a str>,
    }
    holder.map(|holder| Process { pid: holder.pid, name: holder.name.as_deref() }).serialize(to)
}

impl<'a> Row<'a> {
    fn of((port, state): &'a (Port, State)) -> Self {
        let (bus, adapter) = match &port.bus {
            Bus::Usb(adapter) => (Some("usb"), Some(adapter)),
            Bus::Other(bus) => (bus.as_deref(), None),
        };
        let (state, holder, group) = match state {
            State::Free => ("free", None, None),
            State::Busy(holder) => ("busy", Some(holder), None),
            State::NotPermitted { group } => ("not-permitted", None, group.as_deref()),
            State::NoNode => ("no-node", None, None),
            State::Unknown => ("unknown", None, None),
        };
        // What an adapter says of itself may be anything.
        let plain = |said: &String| text::escaped(said.as_bytes());
        Self {
            port: &port.node,
            stable: port.stable.as_deref(),
            bus,
            adapter: adapter.and_then(|adapter| adapter.name()).as_ref().map(plain),
            driver: port.driver.as_deref(),
            vendor_id: adapter.map(|adapter| &*adapter.vendor_id),
            product_id: adapter.map(|adapter| &*adapter.product_id),
            serial: adapter.and_then(|adapter| adapter.serial.as_ref()).map(plain),
            interface: adapter.and_then(|adapter| adapter.interface),
            state,
            holder,
            group,
        }
    }

    /// What stands in the columns of [`HEADER`].
    fn cells(&self) -> [String; 5] {
        let ids = self.vendor_id.zip(self.product_id).map(|(vendor, product)| format!("{vendor}:{product}"));
        let known = |cell: Option<&str>| cell.unwrap_or("-").to_owned();
        [
            self.port.to_owned(),
            self.state.to_owned(),
            known(self.driver),
            known(ids.as_deref()),
            known(self.serial.as_deref()),
        ]
    }

    /// What stands below them, a line each: it is too long for a column.
    fn details(&self) -> Vec<String> {
        let interface = self.interface.map_or_else(String::new, |number| format!(", interface {number}"));
        let attached = match (&self.adapter, self.bus) {
            (Some(adapter), _) => Some(format!("{adapter}{interface}")),
            (None, Some("usb")) => Some(format!("USB adapter without a name{interface}")),
            (None, bus) => bus.map(|bus| format!("on the {bus} bus")),
        };
        let holder = self.holder.map(|holder| format!("in use by {holder}"));
        let group = self.group.map(|group| format!("the group `{group}` may open it"));
        [attached, self.stable.map(str::to_owned), holder, group].into_iter().flatten().collect()
    }
}

const HEADER: [&str; 5] = ["PORT", "STATE", "DRIVER", "USB ID", "SERIAL"];

/// Whether each of these ports of a machine can be had.
pub fn with_states(machine: &Computer, ports: Vec<Port>) -> Vec<(Port, State)> {
    let state = |port: Port| {
        let state = machine.state(&port);
        (port, state)
    };
    ports.into_iter().map(state).collect()
}

/// The list: nothing in a table without ports.
pub fn report(form: Form, ports: &[(Port, State)], look: Look) -> String {
    let rows: Vec<Row<'_>> = ports.iter().map(Row::of).collect();
    match form {
        Form::Json => form::json(&rows),
        Form::Text | Form::Shell if rows.is_empty() => String::new(),
        Form::Text | Form::Shell => table(&rows, look),
    }
}

fn table(rows: &[Row<'_>], look: Look) -> String {
    let cells: Vec<[String; 5]> = rows.iter().map(Row::cells).collect();
    let width = |column: usize| {
        let cells = cells.iter().map(|cells| cells[column].len());
        cells.chain([HEADER[column].len()]).max().unwrap_or_default()
    };
    let widths: [usize; 5] = std::array::from_fn(width);
    let line = |cells: &[String; 5]| {
        let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut table = look.paint(Piece::Head, &line(&HEADER.map(str::to_owned))) + "\n";
    for (row, cells) in rows.iter().zip(&cells) {
        let _ = writeln!(table, "{}", line(cells));
        for detail in row.details() {
            let _ = writeln!(table, "  {detail}");
        }
    }
    table
}

/// The ports in one line each, for a message.
pub fn lines(ports: &[(Port, State)]) -> String {
    ports.iter().map(Row::of).fold(String::new(), |mut lines, row| {
        let _ = write!(lines, "\n  {}", row.port);
        for detail in row.details() {
            let _ = write!(lines, ", {detail}");
        }
        lines
    })
}

#[cfg(all(test, target_os = "linux"))]
#[path = "../../../tests/program/faked/mod.rs"]
mod faked;

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::faked::{self, Faked};
    use super::*;
    use crate::explain::explain;
    use crate::report::words;
    use crate::trouble::Trouble;
    use serde_json::json;

    const OPTIONS: &str = include_str!("../../../docs/options.md");
    const FAILURES: &str = include_str!("../../../docs/failures.md");

    fn listed(faked: &Faked) -> Vec<(Port, State)> {
        with_states(&faked.machine(), faked.machine().ports())
    }

    /// The machine of the example in the documentation.
    fn example() -> Vec<(Port, State)> {
        let faked = Faked::new();
        faked.uart("ttyS0", "pnp0/00:04", "pnp", "serial", "4");
        faked.usb("1-1", faked::FT232R, &["ttyUSB0"]);
        faked.usb("1-2", faked::CP2102, &["ttyUSB1"]);
        faked.usb("1-3", faked::CH340, &["ttyUSB2"]);
        faked.stable("by-id", "usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0", "ttyUSB0");
        faked.stable(
            "by-id",
            "usb-Silicon_Labs_CP2102_USB_to_UART_Bridge_Controller_0001-if00-port0",
            "ttyUSB1",
        );
        faked.stable("by-id", "usb-1a86_USB_Serial-if00-port0", "ttyUSB2");
        let mut ports = listed(&faked);
        ports[1].1 = State::Busy(Holder { pid: 812, name: Some("ModemManager".into()) });
        ports[2].1 = State::NotPermitted { group: Some("dialout".into()) };
        ports
    }

    #[test]
    fn the_table_is_the_one_in_the_documentation() {
        let table = report(Form::Text, &example(), Look::default());
        assert!(OPTIONS.contains(&table), "docs/options.md does not show this:\n{table}");
        assert!(table.lines().filter(|line| !line.contains("/dev/serial/")).all(|line| line.len() <= 80));
    }

    #[test]
    fn the_json_is_the_one_in_the_documentation() {
        let json = report(Form::Json, &example()[1..2], Look::default());
        assert!(OPTIONS.contains(&json), "docs/options.md does not show this:\n{json}");
        assert_eq!(report(Form::Json, &example(), Look::default()).lines().count(), 1);
    }

    #[test]
    fn what_is_not_known_is_null() {
        let json: serde_json::Value =
            serde_json::from_str(&report(Form::Json, &example(), Look::default())).unwrap();
        let port = json![{"port": "/dev/ttyS0", "stable": null, "bus": "pnp", "adapter": null, "driver": "serial",
            "vendor_id": null, "product_id": null, "serial": null, "interface": null, "state": "free",
            "holder": null, "group": null}];
        assert_eq!(json[3], port);
        assert_eq!(json[2]["group"], "dialout");
    }

    #[test]
    fn a_machine_without_ports_has_an_empty_list() {
        let none = listed(&Faked::new());
        assert_eq!(report(Form::Text, &none, Look::default()), "");
        assert_eq!(report(Form::Json, &none, Look::default()), "[]\n");
    }

    #[test]
    fn interfaces_are_numbered_where_an_adapter_has_several() {
        let all = report(Form::Text, &listed(&Faked::with_one_of_each()), Look::default());
        let numbered: Vec<&str> = all.lines().filter(|line| line.contains("interface")).collect();
        assert_eq!(numbered, [0, 1, 2, 3].map(|n| format!("  FTDI Quad RS232-HS, interface {n}")));
    }

    #[test]
    fn what_an_adapter_says_of_itself_does_no_harm() {
        let faked = Faked::new();
        faked.usb("1-1", ("ch341-uart", "1a86", "7523", ["", "\x1b[2Jx", "\u{e9}"]), &["ttyUSB0"]);
        let ports = listed(&faked);
        assert!(report(Form::Text, &ports, Look::default()).contains("\n  \\x1B[2Jx\n"));
        assert!(report(Form::Json, &ports, Look::default()).contains(r#""serial":"\\xC3\\xA9""#));
    }

    #[test]
    fn several_ports_are_offered_with_all_that_tells_them_apart() {
        let problem = explain(&Trouble::NoPort(example()[..3].to_vec()), "", &Default::default());
        let shown = format!("{}status {}\n", words(&problem, Look::default()), problem.kind.status());
        assert!(FAILURES.contains(&shown), "docs/failures.md does not show this:\n{shown}");
    }
}
