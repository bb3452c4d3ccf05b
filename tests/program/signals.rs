//! Signals: iecprobe dies of them, soon, with the port as it was.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::time::Instant;

use rustix::process::Signal;
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

use crate::support::*;

#[derive(Clone, Copy, Debug)]
enum Phase {
    Request,
    Identification,
    Recovery,
    CheckLink,
    Several,
    Pipe,
    Linger,
    Command,
    CommandWithoutStdout,
    /// Nobody reads what these write.
    FullStdout,
    FullStderr,
    FullStderrOfAPipe,
    TraceOnFullStderr,
    TraceIntoAFifo,
    StoppedTerminal,
}

const PHASES: [Phase; 15] = [
    Phase::Request,
    Phase::Identification,
    Phase::Recovery,
    Phase::CheckLink,
    Phase::Several,
    Phase::Pipe,
    Phase::Linger,
    Phase::Command,
    Phase::CommandWithoutStdout,
    Phase::FullStdout,
    Phase::FullStderr,
    Phase::FullStderrOfAPipe,
    Phase::TraceOnFullStderr,
    Phase::TraceIntoAFifo,
    Phase::StoppedTerminal,
];

/// Every signal that ends a process, but for those that say that its code is wrong, and SIGKILL.
const SIGNALS: [Signal; 14] = [
    Signal::HUP,
    Signal::INT,
    Signal::QUIT,
    Signal::TERM,
    Signal::ALARM,
    Signal::USR1,
    Signal::USR2,
    Signal::VTALARM,
    Signal::PROF,
    Signal::XCPU,
    Signal::XFSZ,
    Signal::IO,
    Signal::POWER,
    Signal::STKFLT,
];

/// iecprobe, with no signal ignored, as whoever runs the tests in the background may have it, and without a core file.
fn plain_probe() -> std::process::Command {
    let mut command = program("sh");
    let script = "ulimit -c 0; exec env --default-signal \"$@\"";
    command.args(["-c", script, "sh", env!("CARGO_BIN_EXE_iecprobe")]);
    command
}

/// A port with settings that iecprobe would not choose.
fn odd_pty() -> Pty {
    let pty = Pty::new();
    let mut odd = tcgetattr(&pty.slave).unwrap();
    odd.set_speed(1200).unwrap();
    odd.input_modes |= rustix::termios::InputModes::ICRNL;
    odd.local_modes |= rustix::termios::LocalModes::ISIG;
    tcsetattr(&pty.slave, OptionalActions::Now, &odd).unwrap();
    pty
}

fn dies(signal: Signal, phase: Phase) {
    let pty = odd_pty();
    let other = odd_pty();
    let before = pty.settings();
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("fifo");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    let fifo = fifo.to_str().unwrap();

    let args: &[&str] = match phase {
        Phase::Request => &["--wake-up", "normal"],
        Phase::Identification | Phase::StoppedTerminal => &[],
        Phase::Recovery => &["--wait", "200ms"],
        Phase::CheckLink => &["--direct", "--check-link"],
        Phase::Several => &["-p", &other.path],
        Phase::Pipe => &["--direct", "--pipe"],
        Phase::Linger => &["--direct", "--pipe", "--linger", "1m"],
        Phase::Command => &["--direct", "--", "sleep", "60"],
        Phase::CommandWithoutStdout => &["--direct", "--", "sh", "-c", "printf x; exec >&-; exec sleep 60"],
        Phase::FullStdout => &["--direct", "--pipe"],
        Phase::FullStderr => &["-vv"],
        Phase::FullStderrOfAPipe => &["-vv", "--direct", "--pipe"],
        Phase::TraceOnFullStderr => &["--trace", "-"],
        Phase::TraceIntoAFifo => &["--trace", fifo],
    };
    let mut command = plain_probe();
    command.args(["-p", &pty.path]).args(args);
    let full = FullPipe::new();
    let terminal = Terminal::new();
    let mut running = match phase {
        Phase::FullStdout => Running::start_as_is(command.stdin(Stdio::piped()).stdout(full.end())),
        Phase::FullStderr | Phase::FullStderrOfAPipe | Phase::TraceOnFullStderr => {
            Running::start_with_stderr(&mut command, full.end())
        }
        Phase::StoppedTerminal => {
            terminal.stop();
            Running::start_with_stderr(&mut command, terminal.end())
        }
        _ => Running::start(&mut command),
    };
    match phase {
        Phase::Request => drop(pty.read_until("a wake-up", |seen| seen.starts_with(b"\0"))),
        Phase::Identification | Phase::FullStderr | Phase::TraceOnFullStderr | Phase::StoppedTerminal => {
            pty.read_until("a request", |seen| seen.ends_with(b"\n"));
        }
        Phase::Several => {
            pty.read_until("a request", |seen| seen.ends_with(b"\n"));
            other.read_until("a request", |seen| seen.ends_with(b"\n"));
        }
        Phase::Recovery => drop(pty.read_until("a DISC", |seen| seen.contains(&0x7E))),
        Phase::CheckLink => drop(pty.read_until("an SNRM", |seen| seen.ends_with(&[0x7E]))),
        Phase::Pipe | Phase::Command => running.wait_for_stderr("is open at"),
        Phase::Linger => {
            running.send(b"x");
            running.close_stdin();
            pty.read_until("the input", |seen| seen == b"x");
        }
        Phase::CommandWithoutStdout => drop(pty.read_until("the output", |seen| seen == b"x")),
        Phase::FullStdout => {
            running.wait_for_stderr("is open at");
            pty.write(b"nobody reads this");
            running.send(b"but this");
            pty.read_until("the input", |seen| seen == b"but this");
        }
        Phase::FullStderrOfAPipe => {
            running.send(b"x");
            pty.read_until("the input", |seen| seen == b"x");
        }
        Phase::TraceIntoAFifo => {
            eventually("the port is set", || (pty.settings() != before).then_some(()));
        }
    }
    assert_ne!(pty.settings(), before);
    let began = Instant::now();
    running.signal(signal);
    let outcome = running.ended().killed_by(signal);
    let took = began.elapsed();
    println!("{signal:?} in {phase:?}: {took:?}");
    assert!(took < ms(1500), "{signal:?} in {phase:?}: {took:?}");
    assert_eq!(pty.settings(), before, "{signal:?} in {phase:?}");
    assert_eq!(other.settings(), before, "{signal:?} in {phase:?}");
    assert!(!outcome.stderr.contains("panicked"), "{outcome:?}");
    // Nor is the lock left behind.
    let flock = rustix::fs::FlockOperation::NonBlockingLockExclusive;
    rustix::fs::flock(&pty.slave, flock).unwrap_or_else(|error| panic!("{signal:?} in {phase:?}: {error}"));
}

#[test]
fn every_signal_that_ends_a_process_does_so_in_every_phase_with_the_port_restored() {
    let cases: Vec<_> =
        PHASES.into_iter().flat_map(|phase| SIGNALS.into_iter().map(move |signal| (signal, phase))).collect();
    println!("{} cases", cases.len());
    all_at_once(&cases, |&(signal, phase)| dies(signal, phase));
}

#[test]
fn a_second_signal_waits_for_nobody() {
    let pty = odd_pty();
    let before = pty.settings();
    let mut command = plain_probe();
    command.args(["-p", &pty.path, "--direct", "--", "sh", "-c", "trap '' TERM; printf x; exec sleep 60"]);
    let running = Running::start(&mut command);
    pty.read_until("the command", |seen| seen == b"x");
    let began = Instant::now();
    running.signal(Signal::TERM);
    running.signal(Signal::INT);
    running.ended().killed_by(Signal::TERM);
    assert!(began.elapsed() < ms(1500), "{:?}", began.elapsed());
    assert_eq!(pty.settings(), before);
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
