//! Several ports at once.

use std::collections::HashMap;

use rustix::process::Signal;
use serde_json::Value;

use crate::support::*;

fn on<'a>(ports: impl IntoIterator<Item = &'a str>) -> std::process::Command {
    let mut command = bare_probe();
    for port in ports {
        command.args(["-p", port]);
    }
    command
}

#[test]
fn each_port_has_its_report_and_the_worst_status_counts() {
    let meters = [VirtualMeter::play("book"), VirtualMeter::play("fast"), VirtualMeter::play("mode-c")];
    let ports: Vec<&str> = meters.iter().map(VirtualMeter::port).collect();
    let outcome = run(on(ports.iter().copied().chain(["no-such-port"])).arg("--json")).with_status(8);
    let reports: HashMap<String, Value> = outcome
        .text()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|report| (report["port"].as_str().unwrap().to_owned(), report))
        .collect();
    assert_eq!(reports.len(), 4);
    assert_eq!(reports[ports[0]]["manufacturer"], "ISK");
    assert_eq!(reports[ports[1]]["manufacturer"], "ISk");
    assert_eq!(reports[ports[2]]["error"]["kind"], "no-mode-e");
    assert_eq!(reports["no-such-port"]["error"]["kind"], "no-port");
    assert_eq!(outcome.stderr, "");
}

#[test]
fn a_report_comes_when_its_port_is_done_not_in_order() {
    let text = run(&mut on(["sim:slow", "sim:mode-c", "sim:fast"])).with_status(8);
    let fast = text.text().find("port: sim:fast").unwrap();
    let slow = text.text().find("port: sim:slow").unwrap();
    assert!(fast < slow && text.text().contains("\n\nport: sim:slow"), "{text:?}");
    assert!(text.stderr.starts_with("iecprobe: sim:mode-c: Landis+Gyr"), "{text:?}");
}

#[test]
fn ten_ports_take_as_long_as_the_slowest() {
    // Side by side they all talk at the same time: no report is older than the youngest sign-on is long.
    let text = run(on(["sim:"; 10]).arg("--json")).succeeded().text();
    assert_eq!(text.lines().count(), 10);
    let trace = run(on(["sim:"; 10]).arg("-v")).succeeded();
    let lines: Vec<&str> = trace.stderr.lines().collect();
    let last_begun = lines.iter().rposition(|line| line.contains("300 Bd 7E1")).unwrap();
    let first_done = lines.iter().position(|line| line.contains("bytes sent")).unwrap();
    assert!(last_begun < first_done, "{trace:?}");
    // They end at the same time, and a blank line stands between every two reports all the same.
    assert!(
        trace.text().starts_with("port: ") && trace.text().matches("\n\nport: ").count() == 9,
        "{trace:?}"
    );
}

#[test]
fn a_signal_ends_all_and_every_port_is_as_it_was() {
    let ptys = [Pty::new(), Pty::new(), Pty::new()];
    let before: Vec<String> = ptys.iter().map(Pty::settings).collect();
    let running = Running::start(&mut on(ptys.iter().map(|pty| &*pty.path)));
    for pty in &ptys {
        pty.read_until("a request", |seen| seen.ends_with(b"\n"));
    }
    running.signal(Signal::TERM);
    running.ended().killed_by(Signal::TERM);
    assert_eq!(ptys.iter().map(Pty::settings).collect::<Vec<_>>(), before);
}

#[test]
fn what_is_about_one_port_is_refused_for_several() {
    let shell = run(on(["sim:", "sim:fast"]).args(["-o", "shell"])).with_status(2);
    assert!(shell.text().contains("one port") && shell.stderr.is_empty(), "{shell:?}");
    for args in [&["--pipe"][..], &["--trace", "-"], &["--", "cat"]] {
        let outcome = run(on(["sim:", "sim:fast"]).args(args)).with_status(2);
        assert!(outcome.stderr.contains("one port"), "{outcome:?}");
        run(bare_probe().arg("--all").args(args)).with_status(2);
    }
    run(&mut on(["/dev/ttyUSB0", "/dev/ttyUSB0"])).with_status(2);
    // One port under two names is one port.
    let meter = VirtualMeter::play("book");
    let report = run(on([meter.port(), &*meter.path]).arg("--json")).problem(2, "usage");
    assert!(report["error"]["message"].as_str().unwrap().contains("are the same port"), "{report}");
    run(bare_probe().arg("--all")).with_status(3);
}
