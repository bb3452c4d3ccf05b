//! The pipe: bytes of the line and nothing else, all of them, until somebody has had enough.

use std::process::Stdio;
use std::time::Instant;

use iecprobe::meter::{Meter, scenario};
use iecprobe::protocol::hdlc;
use iecprobe::signon::Config;
use rustix::process::Signal;

use crate::simulated::Reader;
use crate::support::*;

#[test]
fn a_dlms_program_gets_its_answer_and_nothing_else() {
    for form in ["text", "json", "shell"] {
        let meter = VirtualMeter::start(&["--ident", MT382]);
        let args = ["--pipe", "-o", form, "--linger", "400ms"];
        let mut running = Running::start(&mut probe(meter.port(), args));
        running.send(&hdlc::SNRM);
        let outcome = running.finish().succeeded();
        let frame = hdlc::find(&outcome.stdout).unwrap_or_else(|| panic!("{outcome:?}"));
        assert_eq!((frame.command, frame.end), (hdlc::Command::Ua, outcome.stdout.len()));
        assert!(outcome.stderr.contains("ISK") && outcome.stderr.contains("MT382-1000"), "{outcome:?}");
        if form == "json" {
            // The report and nothing else, for the program that reads it.
            let report: serde_json::Value = serde_json::from_str(&outcome.stderr).unwrap();
            assert_eq!(report["confirmed"], true);
        }
    }
}

#[test]
fn the_answer_to_our_own_disconnect_is_not_passed_on() {
    let meter = VirtualMeter::start(&["--ident", MT382]);
    let args = ["--pipe", "--disconnect", "--linger", "400ms"];
    let mut running = Running::start(&mut probe(meter.port(), args));
    running.send(&hdlc::SNRM);
    let outcome = running.finish().succeeded();
    assert_eq!(hdlc::frames(&outcome.stdout).count(), 1, "{outcome:?}");
}

#[test]
fn every_value_passes_after_a_sign_on() {
    let meter = VirtualMeter::start(&["--app", "echo"]);
    let bytes: Vec<u8> = (0..=255).collect();
    let mut running = Running::start(&mut probe(meter.port(), ["--pipe", "--linger", "1s"]));
    running.send(&bytes);
    assert_eq!(running.finish().succeeded().stdout, bytes);
}

#[test]
fn a_line_that_hangs_up_ends_with_10_soon() {
    let pty = Pty::new();
    let mut running = Running::start(&mut probe(&pty.path, ["--direct", "--pipe", "-o", "json"]));
    running.send(b"x");
    pty.read_until("the input", |seen| seen == b"x");
    let Pty { master, slave, .. } = pty;
    rustix::io::write(&master, b"unread").unwrap();
    drop(slave);
    drop(master);
    let began = Instant::now();
    let outcome = running.ended().with_status(10);
    assert!(began.elapsed() < ms(2000), "{:?}", began.elapsed());
    let report: serde_json::Value = serde_json::from_str(&outcome.stderr).unwrap();
    assert_eq!(report["error"]["kind"], "line-lost");
    assert!(b"unread".starts_with(&outcome.stdout), "{outcome:?}");
}

#[test]
fn a_line_that_hangs_up_ends_a_command_too() {
    let pty = Pty::new();
    let mut running = Running::start(&mut probe(&pty.path, ["--direct", "--", "sleep", "60"]));
    running.wait_for_stderr("is open at");
    drop(pty);
    let began = Instant::now();
    running.ended().with_status(10);
    assert!(began.elapsed() < ms(2500), "{:?}", began.elapsed());
}

#[test]
fn a_command_gets_the_line_and_its_status_is_ours() {
    let script = |text: &'static str| ["--direct", "-q", "--", "sh", "-c", text];
    let cases: [(&'static str, i32, &[u8]); 5] = [
        ("exit 0", 0, b""),
        ("exit 7", 7, b""),
        ("printf ping; test \"$(head -c 4)\" = ping && exit 42", 42, b"ping"),
        ("kill -9 $$", 137, b""),
        ("exec >&-; sleep 0.3; exit 5", 5, b""),
    ];
    all_at_once(&cases, |&(text, status, line)| {
        let echo = EchoLine::start();
        let outcome = run(&mut probe(&echo.path, script(text))).with_status(status);
        assert_eq!(outcome.stdout, b"", "a command's stdout is the line");
        assert_eq!(*echo.seen.lock().unwrap(), line);
    });
}

#[test]
fn a_command_that_will_not_end_holds_nobody_up() {
    let script = "trap '' TERM; echo deaf; while :; do sleep 0.1; done";
    for end in ["a signal", "the line's loss"] {
        let pty = Pty::new();
        let running = Running::start(&mut probe(&pty.path, ["--direct", "--", "sh", "-c", script]));
        pty.read_until("its word", |seen| seen.ends_with(b"deaf\n"));
        if end == "a signal" {
            running.signal(Signal::TERM);
            running.ended().killed_by(Signal::TERM);
        } else {
            drop(pty);
            running.ended().with_status(10);
        }
    }
}

#[test]
fn a_signal_counts_whatever_a_command_that_has_closed_its_stdout_makes_of_it() {
    let pty = Pty::new();
    // Its stdin ends when nothing but its own end is waited for.
    let script = "trap 'exit 0' TERM; exec >&-; read line; echo over >&2; while :; do sleep 0.1; done";
    let mut running = Running::start(&mut probe(&pty.path, ["--direct", "--", "sh", "-c", script]));
    running.wait_for_stderr("over");
    running.signal(Signal::TERM);
    running.ended().killed_by(Signal::TERM);
}

#[test]
fn what_a_command_sends_last_is_there_for_a_slow_reader() {
    let pty = Pty::new();
    // More than the master's side takes at once, less than the pseudo-terminal holds.
    run(&mut probe(&pty.path, ["--direct", "--", "head", "-c", "10000", "/dev/zero"])).succeeded();
    assert_eq!(pty.read_until("all of it", |seen| seen.len() >= 10_000), [0; 10_000]);
}

#[test]
fn what_a_command_sent_before_it_closed_its_stdin_reaches_the_line() {
    let pty = Pty::new();
    let script = "exec <&-; head -c 5000 /dev/zero; sleep 0.2; head -c 5000 /dev/zero; exit 3";
    let mut command = probe(&pty.path, ["--direct", "--linger", "0s", "--", "sh", "-c", script]);
    let running = Running::start(&mut command);
    // An answer that the command does not want any more.
    pty.write(b"answer");
    assert_eq!(pty.read_until("all of it", |seen| seen.len() >= 10_000), [0; 10_000]);
    running.ended().with_status(3);
}

#[test]
fn a_command_that_cannot_be_started_is_named_before_the_line_is_touched() {
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("plain");
    std::fs::write(&plain, "text").unwrap();
    let cases = [
        ("/nowhere/reader", "there is no such program"),
        ("no-such-reader", "there is no such program"),
        (folder.path().to_str().unwrap(), "there is no such program"),
        (plain.to_str().unwrap(), "it may not be executed"),
    ];
    for (program, why) in cases {
        let pty = Pty::new();
        let before = pty.settings();
        let outcome = run(&mut probe(&pty.path, ["--", program])).with_status(1);
        assert_eq!(outcome.stderr, format!("iecprobe: {program}: {why}\n"));
        assert_eq!((pty.read(), pty.settings()), (Vec::new(), before), "{program}");
    }
}

#[test]
fn a_terminal_on_stdout_that_nobody_reads_holds_nobody_up() {
    let bytes: Vec<u8> = (0..=255).cycle().take(60_000).collect();
    for end in ["a signal", "the line's loss", "a reader that comes back"] {
        let (line, terminal) = (Pty::new(), Pty::new());
        let mut command = probe(&line.path, ["--direct", "--pipe", "--linger", "100ms"]);
        command.stdin(Stdio::piped()).stdout(terminal.slave.try_clone().unwrap());
        let mut running = Running::start_as_is(&mut command);
        running.wait_for_stderr("is open at");
        line.write(&bytes);
        eventually("an empty line and a full terminal", || {
            let left = rustix::io::ioctl_fionread(&line.slave).unwrap();
            let shown = rustix::io::ioctl_fionread(&terminal.master).unwrap();
            (left == 0 && shown > 0).then_some(())
        });
        let flags = rustix::fs::fcntl_getfl(&terminal.slave).unwrap();
        assert!(
            !flags.contains(rustix::fs::OFlags::NONBLOCK),
            "the flag belongs to whoever shares the terminal"
        );
        let began = Instant::now();
        match end {
            "a signal" => {
                running.signal(Signal::TERM);
                running.ended().killed_by(Signal::TERM);
            }
            "the line's loss" => {
                drop(line);
                running.ended().with_status(10);
            }
            _ => {
                assert!(terminal.read_until("all of it", |seen| seen.len() >= bytes.len()) == bytes);
                running.finish().succeeded();
                continue;
            }
        }
        assert!(began.elapsed() < ms(1500), "{end}: {:?}", began.elapsed());
    }
}

/// What the meter of a scenario sends after a sign-on to a reader that sends SNRM, in simulated time; nothing where
/// the sign-on fails.
fn carried(scenario: &str) -> Vec<u8> {
    let began = Instant::now();
    let meter = Meter::new(scenario::behaviour(scenario).unwrap(), began);
    let mut reader = Reader::new(meter, began);
    let Some(Ok(done)) = reader.sign_on(&Config::default()) else { return Vec::new() };
    let settling = reader.listen(ms(300));
    reader.send(&hdlc::SNRM);
    [done.rest, settling, reader.listen(ms(2000))].concat()
}

#[test]
fn stdout_has_nothing_but_bytes_of_the_line_in_every_scenario_at_every_verbosity() {
    let verbosities: [&[&str]; 5] = [&[], &["-q"], &["-v"], &["-vv"], &["--trace", "-"]];
    let delivered = std::sync::atomic::AtomicUsize::new(0);
    // Processes that wait for a simulated line: many fit beside each other.
    for some in scenario::ALL.chunks(16) {
        std::thread::scope(|scope| {
            // A stream without an end is cut where the machine has the time.
            let finite = some.iter().filter(|it| !it.name.starts_with("for-ever"));
            for (scenario, verbosity) in finite.flat_map(|it| verbosities.map(|v| (it.name, v))) {
                let delivered = &delivered;
                scope.spawn(move || {
                    let mut command = probe(&format!("sim:{scenario}"), ["--pipe", "--linger", "500ms"]);
                    let mut running = Running::start(command.args(verbosity));
                    // One that has failed already does not take it.
                    running.offer(&hdlc::SNRM);
                    let outcome = running.finish();
                    // Whether a sign-on succeeds is a matter of other tests, and of how busy the machine is.
                    let mut wanted = if outcome.status.success() { carried(scenario) } else { Vec::new() };
                    if scenario == "confirm-extra-lf" && !wanted.is_empty() {
                        // Part of the confirmation, in the meter's opinion.
                        wanted.remove(0);
                    }
                    assert_eq!(outcome.stdout, wanted, "{scenario} {verbosity:?}: {}", outcome.stderr);
                    delivered.fetch_add(wanted.len(), std::sync::atomic::Ordering::Relaxed);
                });
            }
        });
    }
    assert!(delivered.into_inner() > scenario::ALL.len() * hdlc::SNRM.len(), "most sign-ons succeed");
}

#[test]
fn the_command_reads_a_meter_after_the_sign_on() {
    let meter = VirtualMeter::start(&["--ident", MT382]);
    let script = "printf '\\176\\240\\007\\003\\041\\223\\017\\001\\176'; head -c 9 | od -An -tx1 >&2";
    let outcome = run(&mut probe(meter.port(), ["--", "sh", "-c", script])).succeeded();
    assert!(outcome.stderr.contains("7e a0"), "{outcome:?}");
    assert_eq!(outcome.stdout, b"");
}

#[test]
fn a_meter_and_a_reader_meet_on_a_pair_of_socat() {
    if !program("socat").arg("-V").stdout(std::process::Stdio::null()).status().is_ok_and(|s| s.success()) {
        println!("skipped: no socat");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let [ours, theirs] = ["ours", "theirs"].map(|name| folder.path().join(name));
    let end = |path: &std::path::Path| format!("pty,raw,echo=0,link={}", path.display());
    let _socat = Running::start(program("socat").args([end(&ours), end(&theirs)]));
    for path in [&ours, &theirs] {
        eventually("socat's pseudo-terminal", || path.exists().then_some(()));
    }
    let (meter, _) = meter(&["--port", theirs.to_str().unwrap(), "--ident", MT382]);
    let _meter = KillOnDrop(meter);
    let mut running =
        Running::start(&mut probe(ours.to_str().unwrap(), ["--pipe", "--linger", "500ms", "-o", "json"]));
    running.send(&hdlc::SNRM);
    let outcome = running.finish().succeeded();
    assert_eq!(
        hdlc::frames(&outcome.stdout).map(|frame| frame.command).collect::<Vec<_>>(),
        [hdlc::Command::Ua],
        "{outcome:?}"
    );
    assert!(outcome.stderr.contains("\"confirmed\":true"), "{outcome:?}");
    // Nobody has told the meter that the reader has gone: it is in HDLC still, and a DISC frees it.
    let report = run(&mut probe(ours.to_str().unwrap(), ["--json", "--disconnect"])).succeeded().json();
    assert_eq!(report["attempts"], 2, "{report}");
    let report = run(&mut probe(ours.to_str().unwrap(), ["--json"])).succeeded().json();
    assert_eq!(report["attempts"], 1, "{report}");
}

struct KillOnDrop(std::process::Child);

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
