//! `--list` on the machine that the test runs on, whatever its ports are. The rest is in the module of the list.

use std::fs::File;
use std::process::{Command, Stdio};

use iecprobe::os::ports::Computer;

use crate::support::*;

/// iecprobe without a port.
fn list(args: &[&str]) -> Command {
    let mut command = bare_probe();
    command.arg("--list").args(args);
    command
}

#[test]
fn the_ports_of_this_machine_are_listed_in_both_forms() {
    let ports: Vec<String> = Computer::this().ports().into_iter().map(|port| port.node).collect();
    let json = run(&mut list(&["--json"])).succeeded().json();
    let listed: Vec<&str> =
        json.as_array().unwrap().iter().map(|row| row["port"].as_str().unwrap()).collect();
    assert_eq!(listed, ports);

    let outcome = run(&mut list(&[])).succeeded();
    let text = outcome.text();
    let rows = text.lines().skip(1).filter(|line| !line.starts_with(' '));
    let listed: Vec<&str> = rows.filter_map(|row| row.split_whitespace().next()).collect();
    assert_eq!(listed, ports);
    let told = if ports.is_empty() { "iecprobe: this machine has no serial port\n" } else { "" };
    assert_eq!(outcome.stderr, told);
}

#[test]
fn a_port_in_the_environment_does_not_stop_a_list() {
    run(list(&["-q"]).env("IECPROBE_PORT", "/dev/nowhere")).succeeded();
}

#[test]
fn a_list_is_no_sign_on_and_has_no_shell_form() {
    let refused: &[&[&str]] = &[
        &["--pipe"],
        &["--ident-only"],
        &["--trace", "-"],
        &["--", "true"],
        &["--all"],
        &["--timeline"],
        &["--check-link"],
        &["--attempts", "3"],
        &["--wait", "2s"],
        &["--hdlc-client", "16"],
    ];
    for args in refused {
        let outcome = run(&mut list(args));
        assert_eq!(outcome.status.code(), Some(2), "{args:?}: {}", outcome.stderr);
        assert_eq!(outcome.text(), "");
    }
    let outcome = run(&mut list(&["-o", "shell"])).with_status(2);
    assert!(outcome.text().contains("IECPROBE_ERROR_KIND='usage'"), "{outcome:?}");
}

#[test]
fn a_list_that_cannot_be_written_ends_with_11() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let status = list(&["--json"]).stdout(full).stderr(Stdio::null()).status().unwrap();
    assert_eq!(status.code(), Some(11));
}
