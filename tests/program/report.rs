//! The report in its forms, of a sign-on on iecmeter's pseudo-terminal.

use crate::support::*;

#[test]
fn two_sign_ons_in_a_row_on_one_pseudo_terminal_report_the_same() {
    let meter = VirtualMeter::start(&["--ident", MT382]);
    for _ in 0..2 {
        // A meter that is left in its session has to be freed first, which is worth a note.
        let outcome = run(&mut probe(meter.port(), ["--json", "--disconnect"])).succeeded();
        assert_eq!(outcome.stderr, "");
        let text = outcome.text();
        let mut report = outcome.json();
        let places: Vec<usize> = [
            "port",
            "manufacturer",
            "name",
            "ident",
            "line",
            "escapes",
            "mode",
            "baud",
            "baud_offered",
            "confirmed",
            "attempts",
            "elapsed_ms",
            "notes",
        ]
        .iter()
        .map(|key| text.find(&format!("\"{key}\":")).unwrap_or_else(|| panic!("{key}: {text}")))
        .collect();
        assert!(places.is_sorted(), "{text}");
        let elapsed = report["elapsed_ms"].take().as_u64().unwrap();
        assert!((300..20_000).contains(&elapsed), "{elapsed}");
        assert!(report["name"].take().as_str().unwrap().contains("skra"));
        let expected = serde_json::json!({
            "port": meter.port(), "manufacturer": "ISK", "name": null, "ident": "MT382-1000",
            "line": "/ISK5\\2MT382-1000", "escapes": ["2"], "mode": "E", "baud": 9600, "baud_offered": 9600,
            "confirmed": true, "attempts": 1, "elapsed_ms": null, "notes": [],
        });
        assert_eq!(report, expected);
    }
}

#[test]
fn the_link_names_the_pseudo_terminal_that_is_printed_and_goes_with_the_meter() {
    let mut meter = VirtualMeter::start(&[]);
    assert_eq!(std::fs::read_link(&meter.link).unwrap().to_str().unwrap(), meter.path);
    let pid = rustix::process::Pid::from_child(&meter.child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    meter.child.wait().unwrap();
    assert!(std::fs::symlink_metadata(&meter.link).is_err());
}

#[test]
fn text_goes_to_stdout_and_nothing_to_stderr() {
    let meter = VirtualMeter::start(&["--ident", "/LGZ5\\2ZMD3104407.B32"]);
    let outcome = run(&mut probe(meter.port(), [""; 0])).succeeded();
    let text = outcome.text();
    let keys: Vec<&str> = text.lines().filter_map(|line| Some(line.split_once(": ")?.0)).collect();
    assert_eq!(keys, ["port", "manufacturer", "name", "ident", "mode", "baud", "confirmed"], "{text}");
    for line in ["manufacturer: LGZ", "ident: ZMD3104407.B32", "mode: E", "baud: 9600", "confirmed: true"] {
        assert!(text.lines().any(|have| have == line), "{line} in {text}");
    }
    assert_eq!(outcome.stderr, "");
}

#[test]
fn shell_lines_can_be_evaluated_whatever_the_meter_sends() {
    let ident = "it's$(>hacked)`>hacked`\"";
    let meter = VirtualMeter::start(&["--ident", &format!("/ISK5\\2{ident}")]);
    let lines = run(&mut probe(meter.port(), ["-o", "shell"])).succeeded().text();
    let folder = tempfile::tempdir().unwrap();
    let script = "eval \"$1\"; printf '%s|%s|%s|%s|%s' \"$IECPROBE_IDENT\" \"$IECPROBE_MANUFACTURER\" \
                  \"$IECPROBE_BAUD\" \"$IECPROBE_MODE\" \"$IECPROBE_CONFIRMED\"";
    let shell = run(program("sh").args(["-c", script, "sh", &lines]).current_dir(folder.path())).succeeded();
    assert_eq!(shell.text(), format!("{ident}|ISK|9600|E|true"), "{lines}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "something in it was run");
}

#[test]
fn a_failure_can_be_evaluated_too_and_leaves_the_port_as_it_was() {
    let lines = run(&mut probe("/nowhere/it's", ["-o", "shell"])).with_status(3).text();
    let script = "IECPROBE_PORT=mine; eval \"$1\"; printf '%s|%s|%s|%s' \"$IECPROBE_STATUS\" \"$IECPROBE_ERROR_CODE\" \
                  \"$IECPROBE_ERROR_KIND\" \"$IECPROBE_PORT\"; \
                  test -n \"$IECPROBE_ERROR_MESSAGE\" && test -n \"$IECPROBE_ERROR_HINT\"";
    let shell = run(program("sh").args(["-c", script, "sh", &lines])).succeeded();
    assert_eq!(shell.text(), "3|3|no-port|mine", "{lines}");
}

/// A report of every sort, in the form of shell lines.
fn shell_reports() -> Vec<(i32, String)> {
    let cases: &[(&[&str], i32)] = &[
        (&["sim:"], 0),
        (&["sim:link-params", "--check-link"], 0),
        (&["sim:mode-c"], 8),
        (&["sim:no-confirm", "--ident-only"], 0),
        (&["/nowhere/port"], 3),
        (&["sim:", "--wait", "5"], 2),
        (&["sim:", "--baud", "1234"], 2),
        (&["sim:nonsense"], 2),
    ];
    let reports = std::sync::Mutex::new(Vec::new());
    all_at_once(cases, |(args, status)| {
        let lines = run(bare_probe().args(*args).args(["-o", "shell"])).with_status(*status).text();
        reports.lock().unwrap().push((*status, lines));
    });
    reports.into_inner().unwrap()
}

#[test]
fn no_variable_of_an_earlier_report_is_left() {
    let reports = shell_reports();
    let script = "eval \"$1\"; eval \"$2\"; set | grep ^IECPROBE_ | sort";
    let alone = |lines: &str| run(program("sh").args(["-c", script, "sh", "", lines])).succeeded().text();
    for (_, earlier) in &reports {
        for (status, later) in &reports {
            let both = run(program("sh").args(["-c", script, "sh", earlier, later])).succeeded().text();
            assert_eq!(both, alone(later), "after {earlier}");
            assert!(
                both.contains(&format!("IECPROBE_STATUS='{status}'\n"))
                    || both.contains(&format!("IECPROBE_STATUS={status}\n")),
                "{both}"
            );
            assert!(!later.contains("IECPROBE_PORT"), "{later}");
        }
    }
}

#[test]
fn a_command_finds_the_report_in_its_environment() {
    let environment = |args: &[&str]| {
        let mut command = bare_probe();
        command.args(args).args(["--", "sh", "-c", "env | grep ^IECPROBE_ | grep -v ELAPSED | sort >&2"]);
        let outcome = run(command.env("IECPROBE_ERROR_KIND", "stale")).succeeded();
        let lines = outcome.stderr.lines().filter(|line| line.starts_with("IECPROBE_"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let signed_on = environment(&["-q", "sim:"]);
    for line in ["IECPROBE_STATUS=0", "IECPROBE_MANUFACTURER=ISK", "IECPROBE_BAUD=9600", "IECPROBE_PORT=sim:"]
    {
        assert!(signed_on.iter().any(|have| have == line), "{line} in {signed_on:?}");
    }
    assert!(signed_on.contains(&"IECPROBE_ERROR_KIND=".to_owned()), "{signed_on:?}");
    let direct = environment(&["-q", "sim:", "--direct"]);
    assert_eq!(direct, ["IECPROBE_ERROR_KIND=", "IECPROBE_PORT=sim:", "IECPROBE_STATUS=0"]);
}

#[test]
fn a_failure_in_text_goes_to_stderr_with_its_hint() {
    let outcome = run(&mut probe("/nowhere/port", [""; 0])).with_status(3);
    assert_eq!(outcome.text(), "");
    let lines: Vec<&str> = outcome.stderr.lines().collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    let begins = ["iecprobe: /nowhere/port", "hint: ", "  try: iecprobe --list"];
    assert!(lines.iter().zip(begins).all(|(line, begin)| line.starts_with(begin)), "{lines:?}");
}

#[test]
fn a_trace_has_every_byte_with_its_direction() {
    let meter = VirtualMeter::start(&["--ident", MT382]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trace");
    run(&mut probe(meter.port(), ["--trace", file.to_str().unwrap()])).succeeded();
    let trace = std::fs::read_to_string(file).unwrap();
    assert!(
        trace.contains("->")
            && trace.contains("<-")
            && trace.contains("/?!")
            && trace.contains("06 32 35 32"),
        "{trace}"
    );
    let to_stderr = run(&mut probe(meter.port(), ["--trace", "-"])).succeeded();
    assert!(to_stderr.stderr.contains("06 32 35 32") && !to_stderr.text().contains("06 32"));
}
