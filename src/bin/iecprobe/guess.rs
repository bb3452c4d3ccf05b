//! What may have been meant by a name that names nothing.

use std::path::Path;

use iecprobe::meter::scenario;
use iecprobe::os::ports::{Computer, Port};

use crate::again::Again;
use crate::hints::Advice;
use crate::words;

/// The most letters that a name and what was meant by it differ in.
const TYPOS_MAX: usize = 2;

/// What to do about a port that is not there.
pub fn missing_port(port: &str, again: &Again) -> Advice {
    let to_list = "iecprobe --list".to_owned();
    if port == "sim" {
        return Advice {
            hint: "the built-in meter has a colon: `sim:`".into(),
            tries: vec![again.on("sim:").line()],
        };
    }
    let below_dev = format!("/dev/{port}");
    if !port.contains('/') && (Path::new(&below_dev).exists() || port.starts_with("tty")) {
        let hint = format!("did you mean {below_dev}?");
        return Advice { hint, tries: vec![again.on(&below_dev).line(), to_list] };
    }
    if !cfg!(windows) && is_windows_name(port) {
        let usb = Computer::this().ports().into_iter().filter(Port::is_usb);
        let mut tries: Vec<String> = usb.map(|port| again.on(&port.node).line()).collect();
        tries.push(to_list);
        return Advice {
            hint: "this is a name of Windows; here ports are called /dev/ttyUSB0".into(),
            tries,
        };
    }
    Advice { hint: words::MISSING.into(), tries: vec![to_list] }
}

fn is_windows_name(port: &str) -> bool {
    let number = port.get(..3).filter(|name| name.eq_ignore_ascii_case("com")).map(|_| &port[3..]);
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The scenario that may have been meant by a name.
pub fn scenario(name: &str) -> Option<&'static str> {
    let name = name.to_lowercase();
    let names = scenario::ALL.iter().map(|known| known.name);
    let near = names
        .map(|known| (if known.starts_with(&name) { 1 } else { typos(known, &name) }, known))
        .filter(|(typos, _)| *typos <= TYPOS_MAX)
        .min();
    near.map(|(_, known)| known)
}

/// How many letters have to be changed, put in or taken out to make one word of the other.
fn typos(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.bytes().enumerate() {
        let mut corner = row[0];
        row[0] = at + 1;
        for (place, wanted) in other.bytes().enumerate() {
            let changed = corner + usize::from(letter != wanted);
            corner = row[place + 1];
            row[place + 1] = changed.min(corner + 1).min(row[place] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_a_typo_is_recognised() {
        for (name, known) in [
            ("eco", "echo"),
            ("ECHO", "echo"),
            ("mode-", "mode-c"),
            ("no-confrim", "no-confirm"),
            ("mod-c", "mode-c"),
        ] {
            assert_eq!(scenario(name), Some(known));
        }
        assert_eq!(scenario("nonsense"), None);
    }

    #[test]
    fn a_name_that_is_almost_a_port_is_recognised() {
        let again = Again::default();
        assert_eq!(missing_port("ttyUSB7", &again).tries[0], "iecprobe -p /dev/ttyUSB7");
        assert!(missing_port("COM3", &again).hint.contains("Windows"));
        assert_eq!(missing_port("/dev/ttyUSB7", &again).tries, ["iecprobe --list"]);
        assert_eq!(missing_port("sim", &again).tries, ["iecprobe -p sim:"]);
    }
}
