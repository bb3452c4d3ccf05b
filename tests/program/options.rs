//! What the options of the sign-on do, seen in the report of a sign-on with iecmeter, or on the line itself.

use std::time::Instant;

use iecprobe::protocol::hdlc::{Addresses, DISC};
use serde_json::{Value, json};

use crate::support::*;

/// Signs on to a scenario; the report has to have these values.
fn reports(scenario: &str, args: &[&str], values: &Value) {
    let meter = VirtualMeter::play(scenario);
    let report = run(probe(meter.port(), args).arg("--json")).succeeded().json();
    for (key, value) in values.as_object().unwrap() {
        assert_eq!(&report[key], value, "{scenario} {args:?}: {report}");
    }
}

#[test]
fn options_change_what_is_reported() {
    let cases: &[(&str, &[&str], Value)] = &[
        (
            "forced",
            &["--baud", "2400"],
            json!({"baud": 2400, "baud_offered": 9600, "confirmed": true, "mode": "E"}),
        ),
        ("addressed", &["--address", "12345678"], json!({"attempts": 1})),
        ("start-rate", &["--start-baud", "9600"], json!({"attempts": 1, "mode": "E"})),
        ("start-rate", &["--start-baud", "2400"], json!({"attempts": 1, "mode": "E"})),
        ("mode-c", &["--force"], json!({"mode": "E", "baud": 4800})),
        ("mode-c", &["--ident-only"], json!({"mode": "C", "baud": 300, "confirmed": null})),
        ("no-confirm", &["--confirm", "skip"], json!({"confirmed": null})),
        ("book", &["--confirm", "require"], json!({"confirmed": true, "notes": []})),
        ("no-confirm", &["--wait", "700ms"], json!({"confirmed": false})),
        ("asleep", &["--wait", "600ms"], json!({"attempts": 2})),
        ("wake-up", &["--wake-up", "normal"], json!({"mode": "E", "attempts": 1})),
        ("odd-z", &[], json!({"baud": 38400, "baud_offered": 38400})),
        ("odd-z-letter", &["--baud", "9600"], json!({"baud": 9600, "baud_offered": null})),
        ("fast", &[], json!({"notes": []})),
        ("echo", &[], json!({"mode": "E", "confirmed": true})),
    ];
    all_at_once(cases, |(scenario, args, values)| reports(scenario, args, values));
}

#[test]
fn manufacturers_are_accepted_in_any_case_and_number() {
    let cases = [("ISK", true), ("isk", true), ("LGZ,ISK", true), ("LGZ,EMH", false), ("LGZ", false)];
    all_at_once(&cases, |&(wanted, accepted)| {
        let meter = VirtualMeter::start(&["--ident", MT382]);
        let outcome = run(&mut probe(meter.port(), ["--json", "-m", wanted]));
        if accepted {
            outcome.succeeded();
        } else {
            let report = outcome.problem(9, "wrong-manufacturer");
            assert_eq!(report["manufacturer"], "ISK");
            assert_eq!(report["ident"], "MT382-1000");
        }
    });
}

#[test]
fn one_attempt_sends_one_request_and_nothing_else() {
    let cases: &[(&[&str], &[u8])] = &[
        (&[], b"/?!\r\n"),
        (&["--request", "/?!!"], b"/?!!\r\n"),
        (&["--request", "/2!"], b"/2!\r\n"),
        (&["--address", "00 1a"], b"/?00 1a!\r\n"),
        (&["--parity", "software"], b"\xAF\x3F\x21\x8D\x0A"),
        (&["--parity", "none"], b"/?!\r\n"),
        (&["--parity", "hardware"], b"/?!\r\n"),
    ];
    all_at_once(cases, |(args, bytes)| {
        let pty = Pty::new();
        let mut command = probe(&pty.path, ["--json", "--attempts", "1", "--wait", "400ms"]);
        let began = Instant::now();
        run(command.args(*args)).problem(6, "silent");
        let took = began.elapsed();
        assert!(took >= ms(400), "{took:?}");
        assert_eq!(pty.read(), *bytes, "{args:?}");
    });
}

#[test]
fn without_recovery_requests_are_all_that_is_sent() {
    let pty = Pty::new();
    let args = ["--json", "--attempts", "2", "--wait", "300ms", "--no-recover"];
    run(&mut probe(&pty.path, args)).problem(6, "silent");
    assert_eq!(pty.read(), b"/?!\r\n/?!\r\n");
}

#[test]
fn recovery_frees_a_meter_at_the_address_that_was_named() {
    let pty = Pty::new();
    let args =
        ["--json", "--attempts", "2", "--wait", "300ms", "--hdlc-client", "1", "--hdlc-server", "1/17"];
    run(&mut probe(&pty.path, args)).problem(6, "silent");
    let disc = Addresses { client: 1, server: "1/17".parse().unwrap() }.disc();
    let sent = pty.read();
    let count = |wanted: &[u8]| sent.windows(wanted.len()).filter(|seen| *seen == wanted).count();
    assert_eq!((count(&disc), count(&DISC)), (10, 0), "{sent:X?}");
}

#[test]
fn the_port_can_come_from_the_environment() {
    let meter = VirtualMeter::play("book");
    let report = run(bare_probe().env("IECPROBE_PORT", meter.port()).arg("--json")).succeeded().json();
    assert_eq!(report["port"], meter.port());
    // An empty one names none.
    let outcome = run(bare_probe().env("IECPROBE_PORT", "").args(["-p", "", "-p", "sim:", "--json"]));
    assert_eq!(outcome.succeeded().json()["port"], "sim:");
}

#[test]
fn usage_errors_end_with_2_and_say_what_is_right() {
    let cases: &[(&[&str], &str)] = &[
        (&["--wait", "5"], "5s"),
        (&["--wait", "2m 5"], "2m 5s"),
        (&["--wait", "1e3"], "250ms"),
        (&["--wait", "inf"], "250ms"),
        (&["--linger", "x"], "250ms"),
        (&["--baud", "1234"], "9600"),
        (&["--start-baud", "12"], "50"),
        (&["--attempts", "0"], "--attempts"),
        (&["-m", "LGZX"], "LGZX"),
        (&["--address", "1", "--request", "/?!"], "cannot be used"),
        (&["--address", "a!b"], "'!'"),
        (&["--ident-only", "--pipe"], "cannot be used"),
        (&["--direct"], "required"),
        (&["--no-such-option"], "--no-such-option"),
    ];
    all_at_once(cases, |(args, says)| {
        let outcome = run(&mut probe("sim:", *args)).with_status(2);
        assert!(outcome.stderr.contains(says), "{args:?}: {}", outcome.stderr);
        assert_eq!(outcome.text(), "");
    });
    let outcome = run(&mut probe("sim:nonsense", [""; 0])).with_status(2);
    assert!(outcome.stderr.contains("nonsense"), "{outcome:?}");
}

#[test]
fn usage_errors_come_in_the_form_that_was_asked_for() {
    let cases: &[(&[&str], &str)] = &[
        (&["--json", "--wait", "5"], "5s"),
        (&["--no-such-option", "-o", "json"], "--no-such-option"),
        (&["--output=json", "--baud", "1234"], "9600"),
        (&["-ojson", "--timeline=x.png"], ".svg"),
        (&["--json", "-p", "sim:nonsense"], "nonsense"),
    ];
    all_at_once(cases, |(args, says)| {
        let report = run(bare_probe().args(*args)).problem(2, "usage");
        let message = report["error"]["message"].as_str().unwrap();
        assert!(message.contains(says) && !message.starts_with("error"), "{args:?}: {report}");
    });
}

#[test]
fn the_built_in_meter_needs_no_port() {
    let report = run(&mut probe("sim:", ["--json"])).succeeded().json();
    assert_eq!(report["mode"], "E");
    assert_eq!(report["notes"], json!([]));
}
