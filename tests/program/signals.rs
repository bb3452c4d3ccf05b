//! Signals: iecprobe dies of them, soon, with the port as it was.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::time::Instant;

use rustix::process::Signal;
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

use crate::support::*;

#[derive(Clone, Copy, Debug)]
enum Phase {
    Request,
    Identification,
    Recovery,
    Pipe,
    Linger,
    Command,
}

fn dies(signal: Signal, phase: Phase) {
    let pty = Pty::new();
    // Settings that iecprobe would not choose.
    let mut odd = tcgetattr(&pty.slave).unwrap();
    odd.set_speed(1200).unwrap();
    odd.input_modes |= rustix::termios::InputModes::ICRNL;
    odd.local_modes |= rustix::termios::LocalModes::ISIG;
    tcsetattr(&pty.slave, OptionalActions::Now, &odd).unwrap();
    let before = pty.settings();

    let args: &[&str] = match phase {
        Phase::Request => &["--wake-up", "normal"],
        Phase::Identification => &[],
        Phase::Recovery => &["--wait", "200ms"],
        Phase::Pipe => &["--direct", "--pipe"],
        Phase::Linger => &["--direct", "--pipe", "--linger", "1m"],
        Phase::Command => &["--direct", "--", "sleep", "60"],
    };
    // Whoever runs the tests in the background may have ignored SIGINT for them.
    let mut command = program("env");
    command.args(["--default-signal", env!("CARGO_BIN_EXE_iecprobe"), "-p", &pty.path]);
    let mut running = Running::start(command.args(args));
    match phase {
        Phase::Request => drop(pty.read_until("a wake-up", |seen| seen.starts_with(b"\0"))),
        Phase::Identification => drop(pty.read_until("a request", |seen| seen.ends_with(b"\n"))),
        Phase::Recovery => drop(pty.read_until("a DISC", |seen| seen.contains(&0x7E))),
        Phase::Pipe | Phase::Command => running.wait_for_stderr("is open at"),
        Phase::Linger => {
            running.send(b"x");
            running.close_stdin();
            pty.read_until("the input", |seen| seen == b"x");
        }
    }
    assert_ne!(pty.settings(), before);
    let began = Instant::now();
    running.signal(signal);
    let outcome = running.ended().killed_by(signal);
    let took = began.elapsed();
    println!("{signal:?} in {phase:?}: {took:?}");
    assert!(took < ms(1000), "{signal:?} in {phase:?}: {took:?}");
    assert_eq!(pty.settings(), before, "{signal:?} in {phase:?}");
    assert!(!outcome.stderr.contains("panicked"), "{outcome:?}");
}

#[test]
fn a_signal_in_any_phase_ends_it_with_the_port_restored() {
    use Phase::*;
    let phases = [Request, Identification, Recovery, Pipe, Linger, Command];
    let signals = [Signal::INT, Signal::TERM, Signal::HUP];
    all_at_once(&phases, |&phase| {
        for signal in signals {
            dies(signal, phase);
        }
    });
}

#[test]
fn the_port_is_restored_after_success_and_after_failure() {
    let pty = Pty::new();
    let before = pty.settings();
    run(&mut probe(&pty.path, ["--attempts", "1", "--wait", "200ms"])).with_status(6);
    assert_eq!(pty.settings(), before);
    run(&mut probe(&pty.path, ["--direct", "--baud", "19200", "--pipe", "--linger", "10ms"])).succeeded();
    assert_eq!(pty.settings(), before);
}

#[test]
fn a_signal_that_was_ignored_stays_ignored() {
    let pty = Pty::new();
    let mut command = program("sh");
    command.args(["-c", "trap '' HUP; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_iecprobe"), "-p", &pty.path]);
    let mut running = Running::start(command.args(["--direct", "--pipe", "--linger", "100ms"]));
    running.wait_for_stderr("is open at");
    running.signal(Signal::HUP);
    running.send(b"still here");
    pty.read_until("the input", |seen| seen == b"still here");
    assert!(running.runs());
    running.finish().succeeded();
}

#[test]
fn a_killed_instance_leaves_nothing_in_the_way_of_the_next() {
    let meter = VirtualMeter::play("book");
    let mut first = Running::start(&mut probe(meter.port(), ["--pipe"]));
    first.wait_for_stderr("is open at");
    first.signal(Signal::KILL);
    first.ended().killed_by(Signal::KILL);
    run(&mut probe(meter.port(), ["--json"])).succeeded();
}

#[test]
fn an_ordinary_user_takes_the_port_after_a_killed_instance() {
    let user = ["setpriv", "--reuid=65534", "--clear-groups"];
    let able =
        || program("setpriv").args(&user[1..]).arg("true").status().is_ok_and(|status| status.success());
    if !rustix::process::geteuid().is_root() || !able() {
        println!("skipped: only root can become somebody else, with setpriv");
        return;
    }
    let folder = tempfile::tempdir_in("/tmp").unwrap();
    let copy = folder.path().join("iecprobe");
    std::fs::copy(env!("CARGO_BIN_EXE_iecprobe"), &copy).unwrap();
    let pty = Pty::new();
    for (path, mode) in [(folder.path().to_str().unwrap(), 0o755), (&pty.path, 0o666)] {
        std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }
    let mut first = Running::start(&mut probe(&pty.path, ["--direct", "--pipe"]));
    first.wait_for_stderr("is open at");
    first.signal(Signal::KILL);
    first.ended().killed_by(Signal::KILL);
    let mut command = launched_probe(&user, &copy);
    let mut second = Running::start(command.args(["-p", &pty.path, "--direct", "--pipe", "--linger", "2s"]));
    second.send(b"question");
    pty.read_until("the question", |seen| seen == b"question");
    pty.write(b"answer");
    assert_eq!(second.finish().succeeded().stdout, b"answer");
}
