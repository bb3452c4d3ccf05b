//! Every exit status with its kind, message and hint.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use iecprobe::os::ports::{Computer, Port};
use rustix::process::Signal;

use crate::support::*;

#[test]
fn what_is_no_serial_port_ends_with_3_and_creates_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "kept").unwrap();
    let missing = folder.path().join("missing");
    let below = file.join("below");
    let cases = [
        (missing.to_str().unwrap(), "no-port"),
        (below.to_str().unwrap(), "no-port"),
        (file.to_str().unwrap(), "not-serial"),
        (folder.path().to_str().unwrap(), "not-serial"),
        ("/dev/null", "not-serial"),
        ("", "no-port"),
    ];
    for (port, kind) in cases {
        let report = run(&mut probe(port, ["--json"])).problem(3, kind);
        assert_eq!(report["port"], port);
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "kept");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn no_port_named_ends_with_3_or_takes_the_only_one() {
    if Computer::this().ports().iter().any(Port::is_usb) {
        println!("skipped: this machine has USB serial ports");
        return;
    }
    run(bare_probe().arg("--json")).problem(3, "no-port");
}

#[test]
fn a_port_without_permission_ends_with_4() {
    let pty = Pty::new();
    fs::set_permissions(&pty.path, fs::Permissions::from_mode(0o600)).unwrap();
    let folder = tempfile::tempdir_in("/tmp").unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let copy = folder.path().join("iecprobe");
    fs::copy(env!("CARGO_BIN_EXE_iecprobe"), &copy).unwrap();
    let mut command = if rustix::process::geteuid().is_root() {
        let setpriv = ["setpriv", "--reuid=65534", "--clear-groups"];
        if !program("setpriv").args(&setpriv[1..]).arg("true").status().is_ok_and(|status| status.success()) {
            println!("skipped: root, and no setpriv");
            return;
        }
        launched_probe(&setpriv, &copy)
    } else {
        fs::set_permissions(&pty.path, fs::Permissions::from_mode(0o000)).unwrap();
        launched_probe(&["env"], &copy)
    };
    let report = run(command.args(["-p", &pty.path, "--json"])).problem(4, "permission");
    // Nor has its group a right to it that would be worth joining for.
    let message = report["error"]["message"].as_str().unwrap();
    assert_eq!(message, format!("{}: no permission to open it", pty.path), "{report}");
}

#[test]
fn a_second_instance_ends_with_5_and_does_not_disturb_the_first() {
    let meter = VirtualMeter::play("book");
    let mut first = Running::start(&mut probe(meter.port(), ["--pipe", "--linger", "300ms"]));
    first.wait_for_stderr("is open at");
    let report = run(&mut probe(meter.port(), ["--json"])).problem(5, "busy");
    let message = report["error"]["message"].as_str().unwrap();
    assert!(message.contains(&first.pid().to_string()), "{message} names {}", first.pid());
    run(&mut probe(&meter.path, ["--json", "--direct", "--pipe"])).with_status(5);
    first.send(&iecprobe::protocol::hdlc::SNRM);
    eventually("an answer to the first instance", || (!first.stdout().is_empty()).then_some(()));
    let outcome = first.finish().succeeded();
    let commands: Vec<_> =
        iecprobe::protocol::hdlc::frames(&outcome.stdout).map(|frame| frame.command).collect();
    assert_eq!(commands, [iecprobe::protocol::hdlc::Command::Ua]);
}

#[test]
fn the_program_that_locks_a_port_is_named_not_another_that_has_it_open() {
    let pty = Pty::new();
    let mut first = Running::start(&mut probe(&pty.path, ["--direct", "--pipe"]));
    first.wait_for_stderr("is open at");
    let report = run(&mut probe(&pty.path, ["--json"])).problem(5, "busy");
    let process = format!("process {})", first.pid());
    assert!(report["error"]["message"].as_str().unwrap().contains(&process), "{report}, not {process}");
}

#[test]
fn a_line_that_only_returns_what_we_send_ends_with_6() {
    let echo = EchoLine::start();
    let args = ["--json", "--attempts", "1", "--wait", "500ms"];
    run(&mut probe(&echo.path, args)).problem(6, "echo-only");
}

#[test]
fn a_report_that_cannot_be_written_ends_with_11() {
    let full = || Stdio::from(File::options().write(true).open("/dev/full").unwrap());
    let sim = |form: &str| {
        let mut command = probe("sim:", ["-o", form]);
        Running::start_as_is(command.stdin(Stdio::null()).stdout(full())).ended().with_status(11)
    };
    for form in ["text", "json", "shell"] {
        let outcome = sim(form);
        assert!(outcome.stderr.contains("No space left"), "{outcome:?}");
    }
}

/// What iecprobe ends with when it has no stdout at all, or a full one.
fn without_stdout(args: &[&str], redirection: &str) -> Outcome {
    let script = format!("exec \"$@\" {redirection}");
    let iecprobe = env!("CARGO_BIN_EXE_iecprobe");
    run(program("sh").args(["-c", &script, "sh", iecprobe]).args(args))
}

#[test]
fn whatever_is_printed_a_closed_or_full_stdout_is_11() {
    let cases: &[&[&str]] = &[
        &["sim:"],
        &["sim:", "--json"],
        &["sim:", "-o", "shell"],
        &["sim:mode-c", "--json"],
        &["/nowhere/port", "-o", "shell"],
        &["--list", "--json"],
        &["--completions", "bash"],
        &["--help"],
        &["--version"],
        &["sim:", "--wait", "5", "--json"],
    ];
    all_at_once(cases, |args| {
        for redirection in [">&-", ">/dev/full"] {
            let outcome = without_stdout(args, redirection).with_status(11);
            assert!(outcome.stderr.contains("iecprobe: "), "{args:?} {redirection}: {outcome:?}");
        }
    });
    // A failure in text needs no stdout, nor does one that is told on stderr.
    without_stdout(&["sim:mode-c"], ">&-").with_status(8);
    without_stdout(&["sim:"], ">/dev/null").with_status(0);
}

#[test]
fn a_pipe_that_cannot_be_written_ends_with_11() {
    let echo = EchoLine::start();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut command = probe(&echo.path, ["--direct", "--pipe"]);
    let mut running = Running::start_as_is(command.stdin(Stdio::piped()).stdout(full));
    running.send(b"x");
    let outcome = running.ended().with_status(11);
    assert!(outcome.stderr.contains("No space left"), "{outcome:?}");
}

#[test]
fn a_report_on_stderr_is_output_too() {
    let ended = |mut command: Command, stderr: Stdio| {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr).status().unwrap()
    };
    let full = || File::options().write(true).open("/dev/full").unwrap().into();
    assert_eq!(ended(probe("sim:", ["--pipe", "--json"]), full()).code(), Some(11));
    let (read, write) = std::io::pipe().unwrap();
    drop(read);
    let signal = ended(probe("sim:", ["--pipe"]), write.into()).signal();
    assert_eq!(signal, Some(Signal::PIPE.as_raw()));
    // The meter is not left in HDLC where that was asked for.
    let trace = tempfile::NamedTempFile::new().unwrap();
    let args = ["--pipe", "--disconnect", "--trace", trace.path().to_str().unwrap()];
    assert_eq!(ended(probe("sim:", args), full()).code(), Some(11));
    let trace = fs::read_to_string(trace.path()).unwrap();
    assert!(trace.contains(&iecprobe::protocol::text::dump(&iecprobe::protocol::hdlc::DISC, 16)), "{trace}");
    // What is said by the way is not.
    let echo = EchoLine::start();
    let direct = probe(&echo.path, ["--direct", "--pipe", "--linger", "0s"]);
    assert_eq!(ended(direct, full()).code(), Some(0));
}

#[test]
fn a_closed_stdout_ends_quietly_as_if_by_sigpipe() {
    let closed = || {
        let (read, write) = std::io::pipe().unwrap();
        drop(read);
        write
    };
    let mut command = probe("sim:", ["--json"]);
    let outcome = Running::start_as_is(command.stdin(Stdio::null()).stdout(closed())).ended();
    assert_eq!(outcome.killed_by(Signal::PIPE).stderr, "");

    // In a pipe it is noticed although nothing is ever written.
    for linger in ["0s", "2s"] {
        let pty = Pty::new();
        let mut command = probe(&pty.path, ["--direct", "--pipe", "-q", "--linger", linger]);
        let outcome = Running::start_as_is(command.stdin(Stdio::piped()).stdout(closed())).ended();
        assert_eq!(outcome.killed_by(Signal::PIPE).stderr, "", "{linger}");
    }
}

#[test]
fn completions_are_written_whole_or_end_with_11_or_as_if_by_sigpipe() {
    let completions = || {
        let mut command = bare_probe();
        // A port in the environment is no argument.
        command.args(["--completions", "bash"]).env("IECPROBE_PORT", "/nowhere").stdin(Stdio::null());
        command
    };
    assert!(run(&mut completions()).succeeded().text().contains("iecprobe"));
    let full = File::options().write(true).open("/dev/full").unwrap();
    let outcome = Running::start_as_is(completions().stdout(full)).ended().with_status(11);
    assert!(!outcome.stderr.contains("panicked"), "{outcome:?}");
    let (read, write) = std::io::pipe().unwrap();
    drop(read);
    Running::start_as_is(completions().stdout(write)).ended().killed_by(Signal::PIPE);
}
