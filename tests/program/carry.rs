//! The pipe from outside: the program on a pseudo-terminal of the test's own, with nothing but bytes to judge it by.
//!
//! `IECPROBE_SOAK=100x4MiB cargo test --release --test program carry` carries 100 times 4 MiB each way instead of 20 times
//! 256 KiB. `IECPROBE_SEED` chooses other bytes and other chunks.
#![cfg(target_os = "linux")]
#![allow(missing_docs)]

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;

use crate::support::{PATIENCE, Pty};

/// Whoever takes nothing for this long is taken to be full.
const STILL: Duration = Duration::from_millis(300);

/// A reproducible source of bytes and of chances (xorshift64*).
#[derive(Clone)]
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next()).expect("64 bits") % limit
    }

    /// All byte values in order, then random ones.
    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|at| if at < 256 { at as u8 } else { self.next() as u8 }).collect()
    }

    /// Often a few bytes, often a frame, at times more than any buffer holds.
    fn chunk(&mut self) -> usize {
        let limit = [16, 1024, 4096, 100_000][self.below(4)];
        1 + self.below(limit)
    }
}

fn unblocked(fd: impl AsFd) {
    let flags = fcntl_getfl(&fd).expect("its flags");
    fcntl_setfl(&fd, flags | OFlags::NONBLOCK).expect("non-blocking");
}

/// Whether it can be used within this time.
fn ready(fd: BorrowedFd<'_>, flags: PollFlags, within: Duration) -> bool {
    let left = Timespec { tv_sec: within.as_secs() as i64, tv_nsec: i64::from(within.subsec_nanos()) };
    poll(&mut [PollFd::from_borrowed_fd(fd, flags)], Some(&left)).expect("poll") > 0
}

/// Writes all of it, in one piece as far as the other side takes it.
fn write(fd: impl AsFd, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        assert!(ready(fd.as_fd(), PollFlags::OUT, PATIENCE), "{} bytes are not taken", bytes.len());
        match rustix::io::write(&fd, bytes) {
            Ok(length) => bytes = &bytes[length..],
            Err(Errno::AGAIN) => {}
            Err(error) => panic!("write: {error}"),
        }
    }
}

/// Reads up to `limit` bytes; none at the end of the file.
fn read_some(fd: impl AsFd, limit: usize) -> Vec<u8> {
    let mut buffer = vec![0; limit];
    loop {
        assert!(ready(fd.as_fd(), PollFlags::IN, PATIENCE), "nothing comes");
        match rustix::io::read(&fd, &mut buffer[..]) {
            Ok(length) => {
                buffer.truncate(length);
                return buffer;
            }
            Err(Errno::AGAIN) => {}
            Err(error) => panic!("read: {error}"),
        }
    }
}

fn read(fd: impl AsFd, length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < length {
        let some = read_some(&fd, length - bytes.len());
        assert!(!some.is_empty(), "the end after {} of {length} bytes", bytes.len());
        bytes.extend(some);
    }
    bytes
}

fn read_to_end(fd: impl AsFd) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let some = read_some(&fd, 65_536);
        if some.is_empty() {
            return bytes;
        }
        bytes.extend(some);
    }
}

/// Writes until nobody has taken anything for a while; how much was taken.
fn write_until_full(fd: impl AsFd, bytes: &[u8]) -> usize {
    let mut taken = 0;
    while taken < bytes.len() && ready(fd.as_fd(), PollFlags::OUT, STILL) {
        match rustix::io::write(&fd, &bytes[taken..]) {
            Ok(length) => taken += length,
            Err(Errno::AGAIN) => {}
            Err(error) => panic!("write: {error}"),
        }
    }
    taken
}

/// iecprobe with its pipe open.
struct Running {
    child: Child,
    stdin: Option<OwnedFd>,
    stdout: OwnedFd,
    stderr: BufReader<ChildStderr>,
}

impl Drop for Running {
    fn drop(&mut self) {
        // A test that failed must not leave one behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    fn open(pty: &Pty, arguments: &[&str]) -> Self {
        crate::priority::ask();
        let mut command = Command::new(env!("CARGO_BIN_EXE_iecprobe"));
        command.args(["--direct", "--pipe", "-p", &pty.path]).args(arguments);
        Self::start(command)
    }

    fn start(mut command: Command) -> Self {
        let quiet = command.get_args().any(|argument| argument == "-q");
        let mut child = command
            .env_remove("RUST_LOG")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let stdin = OwnedFd::from(child.stdin.take().expect("piped"));
        let stdout = OwnedFd::from(child.stdout.take().expect("piped"));
        let mut stderr = BufReader::new(child.stderr.take().expect("piped"));
        unblocked(&stdin);
        unblocked(&stdout);
        let mut line = String::new();
        while !quiet && !line.contains("is open at") {
            line.clear();
            assert!(stderr.read_line(&mut line).expect("stderr") > 0, "it ended before its pipe was open");
        }
        Self { child, stdin: Some(stdin), stdout, stderr }
    }

    fn stdin(&self) -> &OwnedFd {
        self.stdin.as_ref().expect("not closed yet")
    }

    /// One byte there and one back: from here on it does nothing but carry.
    fn exchange(&self, pty: &Pty) {
        write(self.stdin(), b"?");
        assert_eq!(read(&pty.master, 1), b"?");
        write(&pty.master, b"!");
        assert_eq!(read(&self.stdout, 1), b"!");
    }

    fn status(&mut self) -> ExitStatus {
        self.child.wait().expect("it is ours")
    }

    /// What the kernel says about it in /proc.
    fn proc(&self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).expect("it runs")
    }

    fn peak_kilobytes(&self) -> usize {
        let status = self.proc("status");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
        peak.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    /// User and system time, in ticks of 10 ms.
    fn ticks(&self) -> u64 {
        let stat = self.proc("stat");
        let (_, fields) = stat.rsplit_once(')').expect("a name in brackets");
        fields.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("ticks")).sum()
    }
}

fn send(fd: &OwnedFd, bytes: &[u8], mut chance: Chance, slow: bool) {
    let mut left = bytes;
    while !left.is_empty() {
        let (chunk, rest) = left.split_at(chance.chunk().min(left.len()));
        write(fd, chunk);
        left = rest;
        dawdle(&mut chance, slow);
    }
}

fn receive(fd: &OwnedFd, wanted: &[u8], mut chance: Chance, slow: bool, what: &str) {
    let mut at = 0;
    while at < wanted.len() {
        let some = read_some(fd, chance.chunk());
        assert!(!some.is_empty(), "{what} ended after {at} of {} bytes", wanted.len());
        assert!(wanted[at..].starts_with(&some), "{what} differs within {} bytes of {at}", some.len());
        at += some.len();
        dawdle(&mut chance, slow);
    }
}

/// Being slow is the point here, nothing is waited for.
fn dawdle(chance: &mut Chance, slow: bool) {
    if slow && chance.below(16) == 0 {
        thread::sleep(Duration::from_micros(500));
    }
}

#[test]
fn every_byte_crosses_both_ways_at_once_whoever_is_slow() {
    let soak = env::var("IECPROBE_SOAK").unwrap_or_else(|_| "20x256KiB".into());
    let (rounds, size) = soak.split_once('x').expect("like 100x4MiB");
    let size = match (size.strip_suffix("KiB"), size.strip_suffix("MiB")) {
        (Some(size), _) => size.parse::<usize>().expect("a number") << 10,
        (_, Some(size)) => size.parse::<usize>().expect("a number") << 20,
        _ => panic!("like 100x4MiB"),
    };
    let seed = env::var("IECPROBE_SEED").map_or(1, |seed| seed.parse::<u64>().expect("a number"));
    for round in 0..rounds.parse::<u64>().expect("a number") {
        let mut chance = Chance((seed << 32 | round).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let (out, back) = (chance.bytes(size), chance.bytes(size));
        let slow: [bool; 4] = std::array::from_fn(|_| chance.below(3) == 0);
        let chances: [Chance; 4] = std::array::from_fn(|_| Chance(chance.next() | 1));
        let pty = Pty::new();
        let mut running = Running::open(&pty, &["--linger", "20ms"]);
        let what = |direction: &str| format!("round {round} of seed {seed}, slow {slow:?}: {direction}");
        thread::scope(|scope| {
            let [a, b, c, d] = chances;
            scope.spawn(|| send(running.stdin(), &out, a, slow[0]));
            scope.spawn(|| receive(&pty.master, &out, b, slow[1], &what("stdin to line")));
            scope.spawn(|| send(&pty.master, &back, c, slow[2]));
            scope.spawn(|| receive(&running.stdout, &back, d, slow[3], &what("line to stdout")));
        });
        drop(running.stdin.take());
        assert_eq!(read_to_end(&running.stdout), b"", "{}", what("more than was sent"));
        assert!(running.status().success(), "{}", what("its status"));
        assert!(!ready(pty.master.as_fd(), PollFlags::IN, Duration::ZERO), "{}", what("more on the line"));
    }
}

#[test]
fn a_reader_that_stands_still_holds_the_other_side_up_and_nothing_is_lost() {
    let mut chance = Chance(3);
    let (out, back) = (chance.bytes(4 << 20), chance.bytes(4 << 20));
    let pty = Pty::new();
    let mut running = Running::open(&pty, &["--linger", "100ms"]);
    let sent = write_until_full(running.stdin(), &out);
    let answered = write_until_full(&pty.master, &back);
    // Its own buffer, a pipe and the pseudo-terminal's: no more than that may be on the way.
    for taken in [sent, answered] {
        assert!((64 << 10..512 << 10).contains(&taken), "{taken} bytes taken");
    }
    let most = if cfg!(debug_assertions) { 8000 } else { 6000 };
    assert!(running.peak_kilobytes() < most, "{} kB", running.peak_kilobytes());
    // The end of stdin must not end the pipe while answers have nowhere to go, whatever --linger says.
    drop(running.stdin.take());
    assert_eq!(read(&pty.master, sent), out[..sent]);
    thread::sleep(STILL);
    assert_eq!(read_to_end(&running.stdout), back[..answered]);
    assert!(running.status().success());
}

#[test]
fn stdout_has_the_bytes_of_the_line_and_no_others_at_every_verbosity() {
    let all: Vec<u8> = (0..=255).collect();
    for verbosity in ["--", "-q", "-v", "-vv", "-vvv"] {
        let arguments = ["--linger", "50ms", verbosity];
        let pty = Pty::new();
        let mut running = Running::open(&pty, if verbosity == "--" { &arguments[..2] } else { &arguments });
        running.exchange(&pty);
        write(&pty.master, &all);
        assert_eq!(read(&running.stdout, all.len()), all, "{verbosity}");
        drop(running.stdin.take());
        assert_eq!(read_to_end(&running.stdout), b"", "{verbosity}");
        assert!(running.status().success(), "{verbosity}");
        let mut said = String::new();
        running.stderr.read_to_string(&mut said).expect("text");
        if verbosity == "-q" {
            assert_eq!(said, "");
        }
    }
}

#[test]
fn an_idle_pipe_makes_no_system_call() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("strace");
    if Command::new("strace").arg("-V").stdout(Stdio::null()).status().is_err() {
        eprintln!("skipped: there is no strace");
        return;
    }
    let pty = Pty::new();
    let mut command = Command::new("strace");
    command.args(["-f", "-o"]).arg(&log).arg(env!("CARGO_BIN_EXE_iecprobe"));
    command.args(["--direct", "--pipe", "--linger", "50ms", "-p", &pty.path]);
    let mut running = Running::start(command);
    running.exchange(&pty);
    // The calls of the exchange itself may still be on their way into the log.
    thread::sleep(STILL);
    let before = fs::read_to_string(&log).expect("a log");
    assert!(before.contains("poll("), "strace could not trace:\n{before}");
    thread::sleep(Duration::from_secs(5));
    assert_eq!(fs::read_to_string(&log).expect("a log").strip_prefix(&before), Some(""));
    running.exchange(&pty);
    drop(running.stdin.take());
    assert!(running.status().success());
}

#[test]
fn an_answer_long_after_the_end_of_stdin_is_delivered() {
    let pty = Pty::new();
    let mut running = Running::open(&pty, &[]);
    write(running.stdin(), b"request");
    drop(running.stdin.take());
    assert_eq!(read(&pty.master, 7), b"request");
    thread::sleep(Duration::from_millis(1200));
    write(&pty.master, b"answer");
    assert_eq!(read_to_end(&running.stdout), b"answer");
    assert!(running.status().success());
}

#[test]
fn a_stdin_closed_from_the_start_still_lets_the_line_be_heard() {
    for redirection in ["<&-", "</dev/null"] {
        let pty = Pty::new();
        let mut command = Command::new("sh");
        let script = format!("exec \"$0\" --direct --pipe --linger 700ms -p \"$1\" {redirection}");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_iecprobe"), &pty.path]);
        let mut running = Running::start(command);
        write(&pty.master, b"unasked");
        assert_eq!(read_to_end(&running.stdout), b"unasked", "{redirection}");
        assert!(running.status().success(), "{redirection}");
    }
}

#[test]
fn what_was_read_of_a_port_before_it_went_away_is_delivered_and_the_status_is_10() {
    let mut chance = Chance(7);
    // More than a pipe holds, so that some of it is in the program when the port goes.
    let bytes = chance.bytes(100_000);
    let pty = Pty::new();
    let mut running = Running::open(&pty, &[]);
    write(&pty.master, &bytes);
    let began = Instant::now();
    while rustix::io::ioctl_fionread(&pty.slave).expect("a queue") > 0 {
        assert!(began.elapsed() < PATIENCE, "it does not read");
        thread::yield_now();
    }
    // The pseudo-terminal's second buffer may still be on its way into the queue just asked.
    thread::sleep(STILL);
    drop(pty);
    let gone = Instant::now();
    assert_eq!(read_to_end(&running.stdout), bytes);
    assert_eq!(running.status().code(), Some(10));
    assert!(gone.elapsed() < Duration::from_secs(1), "{:?}", gone.elapsed());
}

#[test]
fn a_port_that_goes_away_while_the_reader_stands_still_burns_no_time() {
    let bytes = Chance(9).bytes(1 << 20);
    let pty = Pty::new();
    let mut running = Running::open(&pty, &[]);
    let taken = write_until_full(&pty.master, &bytes);
    let before = running.ticks();
    drop(pty);
    let gone = Instant::now();
    thread::sleep(Duration::from_millis(700));
    let burnt = running.ticks() - before;
    assert!(burnt <= 5, "{burnt} ticks of 10 ms in 700 ms");
    let delivered = read_to_end(&running.stdout);
    assert!(bytes[..taken].starts_with(&delivered) && delivered.len() > 100_000, "{}", delivered.len());
    assert_eq!(running.status().code(), Some(10));
    assert!(gone.elapsed() < Duration::from_millis(1500));
}

#[test]
fn a_meter_that_stands_still_after_the_end_of_stdin_burns_no_time() {
    let bytes = Chance(11).bytes(1 << 20);
    let pty = Pty::new();
    let mut running = Running::open(&pty, &["--linger", "50ms"]);
    let taken = write_until_full(running.stdin(), &bytes);
    drop(running.stdin.take());
    let before = running.ticks();
    thread::sleep(Duration::from_secs(1));
    let burnt = running.ticks() - before;
    assert!(burnt <= 5, "{burnt} ticks of 10 ms in 1 s");
    assert_eq!(read(&pty.master, taken), bytes[..taken]);
    assert_eq!(read_to_end(&running.stdout), b"");
    assert!(running.status().success());
}
