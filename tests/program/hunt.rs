//! `--hunt` and `--watch`: the meter that does not answer, as the built programs see it.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::*;

#[test]
fn a_hunt_reports_what_works_and_the_command_line_to_use() {
    // Who it is, the options beside the port, and the found of each.
    let cases: &[(&str, &str, &[&str])] = &[
        ("book", "sign-on", &[]),
        ("slow", "sign-on", &[]),
        ("hung", "hung", &["--parity", "software"]),
        ("direct", "direct-hdlc", &["--direct", "-b", "9600", "--pipe"]),
        ("hung-unlinked", "hung", &["--parity", "software"]),
        ("start-rate", "sign-on", &["--start-baud", "9600", "--parity", "software"]),
    ];
    all_at_once(cases, |(scenario, found, options)| {
        let meter = VirtualMeter::start(&["--real-time", "--scenario", scenario]);
        let report = run(&mut probe(meter.port(), ["--hunt", "--json"])).succeeded().json();
        assert_eq!(report["found"], json!(found), "{scenario}");
        assert!(*found == "direct-hdlc" || report["ident"] == "MT382-1000", "{report}");
        let command: Vec<&str> = report["use"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert_eq!(command, [&["iecprobe", "-p", meter.port()], *options].concat(), "{scenario}");
        if *found == "direct-hdlc" {
            assert_eq!((&report["server"], &report["client"]), (&json!("1"), &json!(16)));
            return;
        }
        // It works: one request is enough, but for a meter that hangs anew with each reader.
        let again = run(&mut probe(meter.port(), [&command[3..], &["--json"]].concat())).succeeded();
        assert!(*found == "hung" || again.json()["attempts"] == 1, "{scenario}: {again:?}");
    });
}

#[test]
fn what_this_program_does_not_read_is_an_error_that_names_it() {
    let cases: &[(&str, u8, &str, Option<&str>)] = &[
        ("mode-c", 8, "no-mode-e", Some("sign-on")),
        ("push", 7, "push", Some("push")),
        ("sml", 7, "sml", Some("sml")),
    ];
    all_at_once(cases, |(scenario, status, kind, found)| {
        let meter = VirtualMeter::play(scenario);
        let report = run(&mut probe(meter.port(), ["--hunt", "--json"])).problem(*status, kind);
        assert_eq!(report["found"], json!(found), "{report}");
    });
}

#[test]
fn text_and_shell_have_the_same() {
    let outcome = run(&mut probe("sim:", ["--hunt"])).succeeded();
    let text = outcome.text();
    assert!(text.contains("found: sign-on at 300 Bd 8N1\nuse: iecprobe -p sim:\n"), "{text}");
    let outcome = run(&mut probe("sim:", ["--hunt", "-o", "shell"])).succeeded();
    assert!(outcome.text().contains("IECPROBE_FOUND='sign-on'\n"), "{outcome:?}");
    for other in [&["--pipe"][..], &["--watch"], &["--direct"], &["--ident-only"], &["--disconnect"]] {
        run(probe("sim:", ["--hunt"]).args(other)).with_status(2);
    }
}

#[test]
fn a_hunt_that_a_signal_ends_leaves_the_port_as_it_was() {
    let meter = VirtualMeter::play("silent");
    let mut running = Running::start(&mut probe(meter.port(), ["--hunt", "-v"]));
    running.wait_for_stderr("line set to 9600");
    running.signal(Signal::INT);
    running.ended().killed_by(Signal::INT);
}

#[test]
fn a_watch_tells_of_each_request_and_sums_up_when_a_signal_ends_it() {
    let cases: &[(&str, Value, Value)] = &[
        ("book", json!([true, true, false, 0, 0, 100]), json!({"asked": 2, "answered": 2, "clean": 2})),
        ("noise", json!([true, false, false, 0, 3, 0]), json!({"asked": 2, "answered": 2, "clean": 0})),
        (
            "bad-parity-always+echo",
            json!([true, false, true, 1, 0, 0]),
            json!({"asked": 2, "answered": 2, "clean": 0}),
        ),
        ("silent", json!([false, false, false, 0, 0, 0]), json!({"asked": 2, "answered": 0, "clean": 0})),
    ];
    all_at_once(cases, |(scenario, each, summary)| {
        let meter = VirtualMeter::play(scenario);
        let running = Running::start(&mut probe(meter.port(), ["--watch", "--json"]));
        eventually("two requests", || {
            (running.stdout().iter().filter(|&&byte| byte == b'\n').count() == 2).then_some(())
        });
        running.signal(Signal::TERM);
        let outcome = running.ended();
        let text = outcome.text();
        outcome.killed_by(Signal::TERM);
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        for line in &lines[..2] {
            let keys = ["answered", "clean", "echo", "wrong_parity", "strays", "quality"];
            assert_eq!(json!(keys.map(|key| &line[key])), *each, "{scenario}");
        }
        assert!(lines[1]["at_ms"].as_u64() > lines[0]["at_ms"].as_u64());
        assert_eq!((lines.len(), &lines[2]), (3, summary), "{scenario}");
    });
}

#[test]
fn a_watch_in_words_has_a_line_each_time_and_the_sum_at_the_end() {
    let running = Running::start(&mut probe("sim:", ["--watch"]));
    eventually("a request", || running.stdout().ends_with(b"answered\n").then_some(()));
    running.signal(Signal::INT);
    let outcome = running.ended();
    let text = outcome.text();
    outcome.killed_by(Signal::INT);
    assert_eq!(text, "  1 100 %  answered\nasked 1, answered 1, clean 1\n");
}
