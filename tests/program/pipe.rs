//! The pipe: bytes of the line and nothing else, all of them, until somebody has had enough.

use std::time::{Duration, Instant};

use iecprobe::hdlc;

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

/// Every value next to every other kind of value, more than any buffer in between takes at once.
fn all_values() -> Vec<u8> {
    (0..=255_u8)
        .chain((0..=255).rev())
        .chain((0..=255).map(|b: u8| b.wrapping_mul(37)))
        .cycle()
        .take(100_000)
        .collect()
}

#[test]
fn every_value_passes_both_ways() {
    let echo = EchoLine::start();
    let bytes = all_values();
    let mut running = Running::start(&mut probe(&echo.path, ["--direct", "--pipe", "--linger", "1s"]));
    running.send(&bytes);
    let outcome = running.finish().succeeded();
    assert!(*echo.seen.lock().unwrap() == bytes, "the line got {} bytes", echo.seen.lock().unwrap().len());
    assert!(outcome.stdout == bytes, "stdout got {} of {} bytes", outcome.stdout.len(), bytes.len());
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
fn an_answer_long_after_the_end_of_input_is_delivered() {
    let pty = Pty::new();
    let mut running = Running::start(&mut probe(&pty.path, ["--direct", "--pipe"]));
    running.send(b"question");
    running.close_stdin();
    pty.read_until("the question", |seen| seen == b"question");
    std::thread::sleep(ms(1200));
    pty.write(b"answer");
    let outcome = running.ended().succeeded();
    assert_eq!(outcome.stdout, b"answer");
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
fn what_a_command_sends_last_is_there_for_a_slow_reader() {
    let pty = Pty::new();
    // More than the master's side takes at once, less than the pseudo-terminal holds.
    run(&mut probe(&pty.path, ["--direct", "--", "head", "-c", "10000", "/dev/zero"])).succeeded();
    assert_eq!(pty.read_until("all of it", |seen| seen.len() >= 10_000), [0; 10_000]);
}

#[test]
fn a_command_that_cannot_be_started_is_named() {
    let pty = Pty::new();
    let outcome = run(&mut probe(&pty.path, ["--direct", "--", "/nowhere/reader"]));
    assert!(!outcome.status.success() && outcome.stderr.contains("/nowhere/reader"), "{outcome:?}");
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

#[test]
fn an_idle_pipe_costs_no_processor_time() {
    let pty = Pty::new();
    let mut running = Running::start(&mut probe(&pty.path, ["--direct", "--pipe"]));
    running.wait_for_stderr("is open at");
    let ticks = || -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", running.pid())).unwrap_or_default();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        fields.get(11..13).map_or(0, |fields| fields.iter().filter_map(|f| f.parse::<u64>().ok()).sum())
    };
    let before = ticks();
    std::thread::sleep(Duration::from_secs(1));
    assert!(ticks() - before < 10, "{} ticks in a second", ticks() - before);
}
