//! `--check-link`: SNRM, UA, DISC after the sign-on.

use iecprobe::protocol::hdlc::{Addresses, Command, frames};
use serde_json::json;

use crate::support::*;

/// The HDLC commands that a trace shows on their way to the meter.
fn sent(trace: &str) -> Vec<Command> {
    let entries = iecprobe::record::trace::parse(trace).unwrap();
    let sent = entries.into_iter().filter_map(|entry| match entry.event {
        iecprobe::record::Event::Sent(bytes) => Some(bytes),
        _ => None,
    });
    let all: Vec<u8> = sent.flatten().collect();
    frames(&all).map(|frame| frame.command).collect()
}

/// The rows of a trace on stderr, without what else is said there.
fn trace_of(stderr: &str) -> String {
    stderr.lines().filter(|row| row.starts_with("    ")).map(|row| format!("{row}\n")).collect()
}

#[test]
fn a_link_that_opens_is_reported_with_its_parameters_and_closed_again() {
    let usual = json!({"client": 16, "server": "1", "max_info_transmit": 128, "max_info_receive": 128,
        "window_transmit": 1, "window_receive": 1});
    let other = json!({"client": 1, "server": "1/17", "max_info_transmit": 256, "max_info_receive": 256,
        "window_transmit": 1, "window_receive": 7});
    // Who answered, and not whom we asked.
    let found = json!({"client": 16, "server": "1/17:4", "max_info_transmit": 128, "max_info_receive": 128,
        "window_transmit": 1, "window_receive": 1});
    let cases: &[(&str, &[&str], _)] = &[
        ("book", &[], &usual),
        ("no-confirm", &[], &usual),
        ("echo", &[], &usual),
        ("all-stations", &["--hdlc-server", "16383/16383"], &found),
        ("link-params+fast", &["--hdlc-client", "1", "--hdlc-server", "1/17"], &other),
    ];
    all_at_once(cases, |(scenario, args, link)| {
        let meter = VirtualMeter::play(scenario);
        let outcome = run(probe(meter.port(), *args).args(["--check-link", "--json", "--trace", "-"]));
        let outcome = outcome.succeeded();
        assert_eq!(&outcome.json()["link"], *link, "{scenario}");
        assert_eq!(sent(&outcome.stderr), [Command::Snrm, Command::Disc], "{scenario}");
    });
}

#[test]
fn a_meter_that_hears_is_asked_once_more_before_it_is_given_up() {
    let meter = VirtualMeter::play("link-dead");
    let outcome = run(&mut probe(meter.port(), ["--check-link", "--json", "--trace", "-"]));
    assert_eq!(sent(&outcome.stderr), [Command::Snrm, Command::Snrm]);
    let report = outcome.with_status(8).json();
    assert_eq!((&report["error"]["kind"], &report["manufacturer"]), (&json!("no-hdlc"), &json!("ISK")));
}

#[test]
fn a_line_that_is_lost_is_noticed_while_the_meter_settles() {
    let mut meter = VirtualMeter::play("book");
    let args = ["--check-link", "--confirm", "skip", "--settle", "1h", "-v"];
    let mut running = Running::start(&mut probe(meter.port(), args));
    running.wait_for_stderr("line set to 9600");
    meter.child.kill().unwrap();
    running.ended().with_status(10);
}

#[test]
fn a_meter_that_was_never_linked_is_freed_and_signs_on_twice_in_a_row() {
    let meter = VirtualMeter::play("hung-unlinked");
    // It hangs anew with each reader.
    for _ in 0..2 {
        let outcome = run(&mut probe(meter.port(), ["--disconnect", "--trace", "-"])).succeeded();
        // DM to the DISC does not free it: a link is opened and closed.
        let sent = sent(&trace_of(&outcome.stderr));
        assert!(sent.ends_with(&[Command::Disc, Command::Snrm, Command::Disc]), "{sent:?}");
    }
}

#[test]
fn a_link_without_a_sign_on_is_reported_without_an_identification() {
    let meter = VirtualMeter::play("direct");
    let report = run(&mut probe(meter.port(), ["--direct", "--check-link", "--json"])).succeeded().json();
    assert_eq!((&report["baud"], &report["link"]["server"]), (&json!(9600), &json!("1")), "{report}");
    assert!(report.get("ident").is_none() && report.get("confirmed").is_none(), "{report}");
    let meter = VirtualMeter::play("book");
    let report = run(&mut probe(meter.port(), ["--direct", "--check-link", "--json"])).problem(8, "no-hdlc");
    let error = &report["error"];
    assert!(!error["message"].as_str().unwrap().contains("sign-on"), "{report}");
    let tries: Vec<&str> = error["try"].as_array().unwrap().iter().filter_map(|line| line.as_str()).collect();
    assert!(tries.iter().any(|line| line.ends_with("--hunt")), "{report}");
}

#[test]
fn a_link_that_does_not_open_says_why() {
    let meter = VirtualMeter::play("link-refused");
    let report = run(&mut probe(meter.port(), ["--check-link", "--json"])).problem(8, "hdlc-refused");
    let dm = report["error"]["received"].as_str().unwrap();
    assert!(dm.starts_with("7ea00721031f") && dm.ends_with("7e"), "{report}");
    // A DISC that was asked for goes out all the same.
    let meter = VirtualMeter::play("link-refused");
    let outcome = run(&mut probe(meter.port(), ["--check-link", "--disconnect", "--trace", "-"]));
    assert_eq!(sent(&trace_of(&outcome.stderr)), [Command::Snrm, Command::Disc]);
    // Bytes that come in place of an answer are shown.
    let meter = VirtualMeter::start(&["--app", "echo"]);
    let report = run(&mut probe(meter.port(), ["--check-link", "--json"])).problem(8, "no-hdlc");
    let twice = Addresses::default().snrm().repeat(2);
    assert_eq!(report["error"]["received"], iecprobe::protocol::text::hex(&twice), "{report}");
}

#[test]
fn addresses_that_cannot_be_are_usage_errors() {
    for (option, value) in [("--hdlc-client", "0"), ("--hdlc-client", "128"), ("--hdlc-server", "1/x")] {
        let outcome = run(&mut probe("sim:", ["--check-link", option, value])).with_status(2);
        assert!(outcome.stderr.contains(option) && outcome.stderr.contains(value), "{outcome:?}");
    }
    for other in ["--pipe", "--ident-only"] {
        run(&mut probe("sim:", ["--check-link", other])).with_status(2);
    }
}

#[test]
fn disconnect_goes_to_the_address_that_was_named() {
    let outcome =
        run(&mut probe("sim:", ["--disconnect", "--hdlc-server", "1/17", "--trace", "-"])).succeeded();
    let server = "1/17".parse().unwrap();
    let disc = iecprobe::protocol::text::dump(&Addresses { server, ..Addresses::default() }.disc(), 16);
    assert!(outcome.stderr.contains(&disc), "{disc}: {outcome:?}");
}

#[test]
fn a_disc_without_an_answer_is_a_warning_and_a_quiet_run_has_none() {
    for (quiet, warned) in [(&["-q"][..], false), (&[], true)] {
        let outcome = run(probe("sim:link-dead", ["--disconnect"]).args(quiet)).succeeded();
        assert_eq!(outcome.stderr.contains("did not answer the DISC"), warned, "{outcome:?}");
        assert!(warned || outcome.stderr.is_empty(), "{outcome:?}");
    }
}
