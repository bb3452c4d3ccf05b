//! `--timeline`: where the picture goes, what stands beside it, and what it does not keep.

use std::fs;
use std::process::Stdio;

use rustix::process::Signal;

use crate::support::{Pty, Running, VirtualMeter, all_at_once, eventually, probe, run};

/// The heading of the lanes.
const LANES: &str = "READER                              METER";

#[test]
fn without_a_file_it_goes_to_stderr_and_takes_no_other_argument_for_one() {
    let cases: &[(&[&str], &str)] = &[
        (&["--timeline"], "port: "),
        (&["--timeline=-"], "port: "),
        (&["--timeline", "--json"], "{\"port\""),
        (&["--timeline", "-o", "shell"], "unset IECPROBE_"),
        (&["--timeline", "--", "echo", "from the command"], ""),
    ];
    all_at_once(cases, |(args, report)| {
        let meter = VirtualMeter::play("book");
        let outcome = run(&mut probe(meter.port(), *args)).succeeded();
        assert!(outcome.text().starts_with(report), "{args:?}: {outcome:?}");
        assert!(!outcome.text().contains(LANES));
        assert_eq!(outcome.stderr.matches(LANES).count(), 1, "{args:?}: {}", outcome.stderr);
        assert!(outcome.stderr.contains("300 Bd 7E1 >>> 9600 Bd 8N1"), "{}", outcome.stderr);
        assert!(
            outcome.stderr.replace('\n', " ").contains("- signed on to ISK MT382-1000 at 9600 Bd, confirmed")
        );
        assert!(!outcome.stderr.contains('\x1B'));
    });
}

#[test]
fn a_file_gets_text_or_svg_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    for (name, begins) in
        [("a.txt", "seconds |0.0"), ("b", "seconds |0.0"), ("c.svg", "<svg "), ("d.SVG", "<svg ")]
    {
        let meter = VirtualMeter::play("book");
        let file = folder.path().join(name);
        let outcome = run(&mut probe(meter.port(), [format!("--timeline={}", file.display())])).succeeded();
        assert_eq!(outcome.stderr, "");
        let picture = fs::read_to_string(&file).unwrap();
        assert!(picture.starts_with(begins) && picture.contains("identification"), "{picture}");
    }
}

#[test]
fn a_failed_sign_on_has_a_picture_too() {
    let cases: &[(&[&str], i32, &str)] = &[
        (&["--scenario", "mode-c"], 8, "does not offer mode E"),
        (&["--scenario", "unplugged"], 10, "- the port went away"),
        (&["--scenario", "push"], 7, "telegram"),
    ];
    all_at_once(cases, |(meter, status, says)| {
        let meter = VirtualMeter::start(meter);
        let outcome = run(&mut probe(meter.port(), ["--timeline"])).with_status(*status);
        let picture = outcome.stderr.split("iecprobe: ").next().unwrap();
        assert!(picture.contains(LANES) && picture.contains(says), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("\niecprobe: "), "{}", outcome.stderr);
    });
}

#[test]
fn a_signal_leaves_the_picture_of_what_there_was() {
    let pty = Pty::new();
    let running = Running::start(&mut probe(&pty.path, ["--timeline"]));
    pty.read_until("a request", |bytes| bytes == b"/?!\r\n");
    running.signal(Signal::TERM);
    let outcome = running.ended().killed_by(Signal::TERM);
    assert!(
        outcome.stderr.contains("1   0.0") && outcome.stderr.contains("ended by signal 15"),
        "{outcome:?}"
    );
}

#[test]
fn a_file_that_cannot_be_written_ends_with_11_before_or_after_the_sign_on() {
    let pty = Pty::new();
    let nowhere = ["--json", "--timeline=/nowhere/picture.svg"];
    let report = run(&mut probe(&pty.path, nowhere)).problem(11, "output");
    assert!(report["error"]["message"].as_str().unwrap().contains("--timeline /nowhere/picture.svg"));
    assert_eq!(pty.read(), b"", "nothing was sent");
}

#[test]
fn what_is_no_file_for_a_picture_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (trace, link) = (folder.path().join("a"), folder.path().join("b"));
    fs::write(&trace, "kept").unwrap();
    std::os::unix::fs::symlink(&trace, &link).unwrap();
    let both = [format!("--trace={}", trace.display()), format!("--timeline={}", link.display())];
    let cases = [
        vec!["--timeline=/dev/null".to_owned()],
        vec!["--timeline=/dev/full".into()],
        vec!["--timeline=/tmp".into()],
        vec![format!("--timeline={}", folder.path().join("c.png").display())],
        vec![format!("--trace={}", folder.path().display())],
        both.to_vec(),
    ];
    for args in cases {
        let report = run(probe("sim:", &args).arg("--json")).problem(2, "usage");
        assert!(report["error"]["message"].as_str().unwrap().contains("--t"), "{report}");
    }
    assert_eq!(fs::read_to_string(&trace).unwrap(), "kept");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn what_the_pipe_carries_is_not_in_it() {
    let meter = VirtualMeter::start(&["--app", "echo"]);
    let mut running = Running::start(&mut probe(meter.port(), ["--timeline", "--pipe", "--linger", "300ms"]));
    running.send(b"carried");
    let outcome = running.finish().succeeded();
    assert_eq!(outcome.stdout, b"carried");
    let (picture, _) = outcome.stderr.split_once("port: ").expect("the report follows the picture");
    assert!(picture.contains(LANES) && picture.contains("confirmation"), "{picture}");
}

#[test]
fn there_is_none_without_a_sign_on() {
    let outcome = run(&mut probe("sim:", ["--direct", "--pipe", "--timeline"])).with_status(2);
    assert!(outcome.stderr.contains("cannot be used"), "{outcome:?}");
}

/// What stands on a terminal that is stderr.
fn on_a_terminal(variables: &[(&str, &str)]) -> String {
    let meter = VirtualMeter::play("book");
    let terminal = Pty::new();
    let stderr = fs::File::options().write(true).open(&terminal.path).unwrap();
    let mut command = probe(meter.port(), ["--timeline", "-q"]);
    command.env_remove("NO_COLOR").env("TERM", "xterm").envs(variables.iter().copied());
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr).spawn().unwrap();
    let mut picture = Vec::new();
    let status = eventually("the end of a program", || {
        picture.extend(terminal.read());
        child.try_wait().unwrap()
    });
    picture.extend(terminal.read());
    assert!(status.success());
    String::from_utf8(picture).unwrap()
}

#[test]
fn a_terminal_gets_colours_unless_it_must_not() {
    let picture = on_a_terminal(&[]);
    assert!(picture.contains("\x1B[36m") && picture.contains("METER\x1B[0m"), "{picture:?}");
    assert!(on_a_terminal(&[("NO_COLOR", "")]).contains('\x1B'), "an empty NO_COLOR says nothing");
    for refusal in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let picture = on_a_terminal(&[refusal]);
        assert!(picture.contains(LANES) && !picture.contains('\x1B'), "{picture:?}");
    }
}
