//! How a pipe ends: with the command's own end, with a peer that has gone, with idleness, never before the last bit.

use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::time::Instant;

use iecprobe::line::{Line, Nature};
use iecprobe::os::{Child, Handle, Interrupt, Streams};
use iecprobe::pipe::{self, End, Far, Plan, User};
use iecprobe::protocol::parity::Parity;
use iecprobe::protocol::settings::Settings;
use iecprobe::record::observer::Observer;

use crate::support::*;

#[test]
fn a_program_left_behind_by_the_command_holds_nobody_up() {
    let pty = Pty::new();
    let began = Instant::now();
    let script = "sleep 60 & echo $! >&2; printf last; exit 7";
    let mut running = Running::start(&mut probe(&pty.path, ["--direct", "--", "sh", "-c", script]));
    pty.read_until("what the command wrote", |seen| seen == b"last");
    let pid = eventually("its number", || running.stderr().lines().find_map(|line| line.parse::<i32>().ok()));
    eventually("the end of iecprobe", || (!running.runs()).then_some(()));
    assert!(began.elapsed() < ms(20_000), "{:?}", began.elapsed());
    // It holds our stderr, too.
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(pid).unwrap(),
        rustix::process::Signal::KILL,
    )
    .unwrap();
    running.ended().with_status(7);
}

#[test]
fn the_line_is_watched_while_a_command_without_stdout_runs() {
    let pty = Pty::new();
    let script = "printf x; exec >&-; exec sleep 60";
    let running = Running::start(&mut probe(&pty.path, ["--direct", "--", "sh", "-c", script]));
    pty.read_until("what the command wrote", |seen| seen == b"x");
    drop(pty);
    running.ended().with_status(10);
}

#[test]
fn a_command_that_has_closed_its_stdout_sees_the_end_of_its_input_and_has_its_own_status() {
    let pty = Pty::new();
    let script = "printf x; exec >&-; cat >/dev/null; exit 5";
    let running = Running::start(&mut probe(&pty.path, ["--direct", "--", "sh", "-c", script]));
    pty.read_until("what the command wrote", |seen| seen == b"x");
    running.ended().with_status(5);
}

#[test]
fn what_a_peer_wrote_to_its_socket_before_it_closed_it_reaches_the_line() {
    for length in [100, 10_000] {
        let pty = Pty::new();
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (mut ours, theirs) = (ours, OwnedFd::from(theirs));
        let bytes: Vec<u8> = (0..length).map(|at| at as u8).collect();
        ours.write_all(&bytes).unwrap();
        drop(ours);
        let mut command = probe(&pty.path, ["--direct", "--pipe"]);
        command.stdin(Stdio::from(theirs.try_clone().unwrap())).stdout(Stdio::from(theirs));
        let running = Running::start_as_is(&mut command);
        drop(command);
        pty.read_until("all of it", |seen| seen == bytes);
        running.ended().succeeded();
    }
}

#[test]
fn an_idle_pipe_ends_with_status_0() {
    let pty = Pty::new();
    let mut running = Running::start(&mut probe(&pty.path, ["--direct", "--pipe", "--idle", "300ms"]));
    running.send(b"question");
    pty.read_until("the question", |seen| seen == b"question");
    pty.write(b"answer");
    // Its stdin is still open.
    assert_eq!(running.ended().succeeded().stdout, b"answer");

    let args =
        ["--direct", "--idle", "300ms", "--", "sh", "-c", "printf x; trap 'exit 9' TERM; sleep 60 & wait"];
    let pty = Pty::new();
    let running = Running::start_with_stderr(&mut probe(&pty.path, args), Stdio::null());
    pty.read_until("the command", |seen| seen == b"x");
    running.ended().succeeded();
}

/// A line on which a byte takes a tenth of a second, and whose driver says at once that all has left.
struct Slow {
    leaves: Option<Instant>,
    asked: Vec<Instant>,
}

impl Line for Slow {
    fn nature(&self) -> Nature {
        Nature {
            parities: [Parity::None; 2],
            warm_up: ms(0),
            lag: ms(0),
            fixed_rate: false,
            round_trip: ms(0),
        }
    }

    fn configure(&mut self, _settings: Settings, _parity: Parity) -> std::io::Result<()> {
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.leaves = Some(Instant::now() + ms(100) * bytes.len() as u32);
        Ok(bytes.len())
    }

    fn read(&mut self, _buffer: &mut [u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::WouldBlock.into())
    }

    fn drained(&mut self) -> std::io::Result<bool> {
        self.asked.push(Instant::now());
        Ok(true)
    }

    fn leaves(&self) -> Option<Instant> {
        self.leaves
    }

    fn set_break(&mut self, _on: bool) -> std::io::Result<()> {
        Ok(())
    }

    fn handle(&self) -> Option<Handle<'_>> {
        None
    }
}

struct Nobody;

impl Observer for Nobody {}

#[test]
fn a_pipe_ends_when_the_last_bit_has_left_whatever_the_driver_says() {
    let interrupt = Interrupt::register().unwrap();
    let mut line = Slow { leaves: None, asked: Vec::new() };
    let command = ["printf".into(), "123".into()];
    let mut child = Child::spawn(&command, &[], Streams::Piped).unwrap();
    let (input, output) = child.streams().unwrap();
    let mut far = Far { input, output: Some(output), child: Some(child) };
    let began = Instant::now();
    let plan = Plan { first: Vec::new(), skip_lf: false, settled: began, idle: None, user: User::Command };
    let end = pipe::carry(&mut line, &mut far, &plan, &interrupt, &mut Nobody);
    assert!(matches!(end, End::Input), "{end:?}");
    let leaves = line.leaves.unwrap();
    assert!(leaves >= began + ms(300) && Instant::now() >= leaves);
    assert!(!line.asked.is_empty() && line.asked.iter().all(|&asked| asked >= leaves));
}
