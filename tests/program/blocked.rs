//! Output that nobody reads: it holds no sign-on up, and nothing of it is lost once somebody does.

use std::process::Stdio;

use crate::support::*;

#[test]
fn a_full_stderr_does_not_delay_the_sign_on() {
    for args in [&["-vv"][..], &["--trace", "-"], &["--timeline"], &["-vv", "--trace", "-", "--timeline"]] {
        let meter = VirtualMeter::play("book");
        let full = FullPipe::new();
        let mut command = probe(meter.port(), ["--json"]);
        let running = Running::start_with_stderr(command.args(args), full.end());
        // stdout first: nobody has read a byte of stderr by then.
        let report = eventually("a report", || running.stdout().ends_with(b"\n").then(|| running.stdout()));
        let report: serde_json::Value = serde_json::from_slice(&report).unwrap();
        assert_eq!(
            (&report["confirmed"], &report["attempts"]),
            (&true.into(), &1.into()),
            "{args:?}: {report}"
        );
        let said = full.read_to_end();
        assert!(said.contains("300"), "{args:?}: {said}");
        running.ended().succeeded();
    }
}

#[test]
fn a_stopped_terminal_does_not_delay_the_sign_on() {
    let meter = VirtualMeter::play("book");
    let terminal = Terminal::new();
    terminal.stop();
    let running = Running::start_with_stderr(&mut probe(meter.port(), ["--json"]), terminal.end());
    let report = eventually("a report", || running.stdout().ends_with(b"\n").then(|| running.stdout()));
    let report: serde_json::Value = serde_json::from_slice(&report).unwrap();
    assert_eq!((&report["confirmed"], &report["attempts"]), (&true.into(), &1.into()), "{report}");
    assert_eq!(terminal.shown(), b"");
    terminal.go_on();
    running.ended().succeeded();
}

#[test]
fn a_fifo_gets_the_trace_as_soon_as_somebody_reads_it() {
    let meter = VirtualMeter::play("book");
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("fifo");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    let running = Running::start(probe(meter.port(), ["--json", "--trace"]).arg(&fifo));
    let trace = std::fs::read_to_string(&fifo).unwrap();
    assert!(trace.contains("2F 3F 21 0D 0A"), "{trace}");
    assert_eq!(running.ended().succeeded().json()["confirmed"], true);
}

#[test]
fn a_report_waits_for_its_reader() {
    let meter = VirtualMeter::play("book");
    let full = FullPipe::new();
    let mut command = probe(meter.port(), ["--json"]);
    let running = Running::start_as_is(command.stdin(Stdio::null()).stdout(full.end()));
    drop(command);
    let report: serde_json::Value = serde_json::from_str(&full.read_to_end()).unwrap();
    assert_eq!(report["confirmed"], true);
    running.ended().succeeded();
}

#[test]
fn stdout_is_written_where_a_write_that_does_not_wait_is_refused() {
    if !program("strace").arg("-V").stdout(Stdio::null()).status().is_ok_and(|status| status.success()) {
        println!("skipped: there is no strace");
        return;
    }
    for error in ["EPERM", "EINVAL", "ENOSYS"] {
        let pty = Pty::new();
        let mut command = program("strace");
        let injection = format!("inject=pwritev2:error={error}");
        command.args(["-f", "-o", "/dev/null", "-e", "trace=pwritev2", "-e", &injection]);
        command.arg(env!("CARGO_BIN_EXE_iecprobe")).args(["--direct", "--pipe", "--linger", "100ms"]);
        let mut running = Running::start(command.args(["-p", &pty.path]));
        running.send(b"x");
        pty.read_until("the input", |seen| seen == b"x");
        pty.write(b"answer");
        assert_eq!(running.finish().succeeded().stdout, b"answer", "{error}");
    }
}
