//! A trace of iecprobe in the hands of iecmeter.

use std::fs;

use crate::support::*;

/// A report without what differs from run to run.
fn settled(outcome: &Outcome) -> serde_json::Value {
    let mut report = outcome.json();
    for key in ["port", "elapsed_ms"] {
        report.as_object_mut().unwrap().remove(key);
    }
    report
}

#[test]
fn a_traced_sign_on_is_played_back_to_every_reader() {
    let cases: &[(&str, &[&str])] = &[
        ("echo+noise-line", &[]),
        ("echo+noise-line", &["--real-time"]),
        ("hung", &["--real-time"]),
        ("readout-at-300", &["--real-time"]),
        ("push", &[]),
        ("high-bits+no-confirm", &[]),
    ];
    all_at_once(cases, |(scenario, args)| {
        let folder = tempfile::tempdir().unwrap();
        let trace = folder.path().join("trace");
        let trace = trace.to_str().unwrap();
        let port = format!("sim:{scenario}");
        let first = settled(&run(&mut probe(&port, ["--json", "--trace", trace])));
        let meter = VirtualMeter::start(&[&["--replay", trace], *args].concat());
        // What a late machine hands over late can be an echo of ours: two of four readers have to see the same.
        let again = (0..4).map(|_| settled(&run(&mut probe(meter.port(), ["--json"]))));
        let is_same = |again: &serde_json::Value| {
            let (mut again, mut first) = (again.clone(), first.clone());
            if let Some(error) = first.get_mut("error") {
                // A character that the change of rate or the end of the sign-on cuts, and the name of the port.
                for key in ["received", "message", "try"] {
                    error[key].take();
                    again["error"][key].take();
                }
            }
            again == first
        };
        assert!(again.filter(is_same).nth(1).is_some(), "two of four readers: {scenario}: {first}");
    });
}

#[test]
fn frames_of_the_pipe_are_answered_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    let trace = trace.to_str().unwrap();
    let talk = |port: &str, more: &[&str]| {
        let mut reader = Running::start(&mut probe(port, [&["--pipe"], more].concat()));
        for (frame, length) in [(iecprobe::protocol::hdlc::SNRM, 9), (iecprobe::protocol::hdlc::DISC, 18)] {
            reader.send(&frame);
            eventually("an answer", || (reader.stdout().len() == length).then_some(()));
        }
        reader.finish().succeeded().stdout
    };
    let first = talk("sim:", &["--linger", "300ms", "--trace", trace]);
    let meter = VirtualMeter::start(&["--replay", trace]);
    assert_eq!(talk(meter.port(), &["--linger", "300ms"]), first);
}

#[test]
fn a_trace_that_cannot_be_played_is_named_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let bad = folder.path().join("bad");
    fs::write(&bad, "# a remark\n    0.0001 == 300 Bd 6E1\n").unwrap();
    let missing = folder.path().join("missing");
    // A trace that is none is a bad value; one that cannot be read is not the command line's fault.
    for (path, what, status) in [
        (&bad, "line 2: settings that are not like `300 Bd 7E1`", 2),
        (&missing, "No such file or directory (os error 2)", 1),
    ] {
        let mut command = program(env!("CARGO_BIN_EXE_iecmeter"));
        let outcome = run(command.arg("--replay").arg(path)).with_status(status);
        assert_eq!(outcome.stderr, format!("iecmeter: --replay {}: {what}\n", path.display()));
        assert_eq!(outcome.stdout, b"");
    }
    for other in [["--scenario", "book"], ["--ident", "/X"], ["--app", "echo"]] {
        run(program(env!("CARGO_BIN_EXE_iecmeter")).arg("--replay").arg(&bad).args(other)).with_status(2);
    }
}
