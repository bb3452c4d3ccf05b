//! The pipe beside socat and beside the kernel's own floor, on pseudo-terminals, interleaved in one run.
//!
//! `cargo bench --bench pipe` prints what came out; nothing here passes or fails. The floor is this binary itself,
//! started again as a loop of poll(2), read(2) and write(2) that can do nothing else. A shared machine is three times
//! as fast in one minute as in the next, so a ratio is the median of the ratios within each turn, with its quartiles.
#![cfg(target_os = "linux")]
#![allow(missing_docs)]

use std::env;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

/// Asks this binary to be the floor, on the port that follows.
const FLOOR: &str = "--as-floor";

/// Times each measurement is taken of each program, in turns.
const ROUNDS: usize = 61;

const TRIPS: usize = 500;
const VOLUME: usize = 4 << 20;
const MIB: f64 = 1024.0 * 1024.0;

fn main() {
    let arguments: Vec<String> = env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == FLOOR) {
        be_floor(&arguments[at + 1]);
        return;
    }
    let mut programs = vec!["floor", "iecprobe"];
    if Command::new("socat").arg("-V").stdout(Stdio::null()).status().is_ok() {
        programs.push("socat");
    } else {
        println!("socat is left out: it is not installed");
    }
    println!(
        "median of {ROUNDS} interleaved runs\n{:<34}{}",
        "",
        columns(&programs, |name| name.to_string())
    );
    for size in [1, 64, 1024] {
        let values = interleaved(&programs, ONE_CPU, |rig| rig.round_trip(size));
        report(&format!("round trip of {size} bytes, µs"), &programs, &values, 0);
        report("  CPU of the program, µs", &programs, &values, 1);
    }
    for (name, out, back) in [("out", true, false), ("back", false, true), ("both ways", true, true)] {
        let values = interleaved(&programs, OWN_CPU, |rig| rig.throughput(out, back));
        report(&format!("{name}, MiB/s"), &programs, &values, 0);
        report("  CPU of the program, ms/MiB", &programs, &values, 1);
    }
}

/// The CPUs of the program and of the bench. On one CPU a trip costs what it costs, and not what waking another CPU
/// happens to cost.
const ONE_CPU: (&str, &str) = ("0", "0");

/// A stream keeps both sides busy. Where the scheduler is free to place them, a run comes out at one of two speeds, one
/// twice the other, whatever the program.
const OWN_CPU: (&str, &str) = ("1", "0");

/// Keeps this process, and what it starts, to these CPUs.
fn pin(cpus: &str) {
    let done = Command::new("taskset").args(["-cp", cpus, &std::process::id().to_string()]).output();
    if !done.is_ok_and(|done| done.status.success()) {
        println!("on whatever CPU: taskset does not work here");
    }
}

fn columns(programs: &[&str], mut cell: impl FnMut(&str) -> String) -> String {
    programs.iter().map(|name| format!("{:>12}", cell(name))).collect()
}

/// Medians of one of the two figures of each program, and what iecprobe's is of socat's.
fn report(what: &str, programs: &[&str], values: &[Vec<[f64; 2]>], figure: usize) {
    let mut medians = values.iter().map(|runs| quartiles(runs.iter().map(|run| run[figure]))[1]);
    let row = columns(programs, |_| medians.next().map_or_else(String::new, |value| format!("{value:.2}")));
    let ratio = values.get(2).map_or_else(String::new, |socat| {
        let turns = values[1].iter().zip(socat).map(|(ours, theirs)| ours[figure] / theirs[figure]);
        let [low, median, high] = quartiles(turns);
        format!("   {median:.2} of socat ({low:.2} to {high:.2})")
    });
    println!("{what:<34}{row}{ratio}");
}

fn quartiles(values: impl Iterator<Item = f64>) -> [f64; 3] {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| values[values.len() * quarter / 4])
}

fn interleaved(
    programs: &[&str],
    (program, bench): (&str, &str),
    measure: impl Fn(&Rig) -> [f64; 2],
) -> Vec<Vec<[f64; 2]>> {
    let mut values = vec![Vec::new(); programs.len()];
    for round in 0..ROUNDS {
        // Each goes first in turn.
        for place in (0..programs.len()).map(|at| (at + round) % programs.len()) {
            pin(program);
            let rig = Rig::new(programs[place]);
            pin(bench);
            values[place].push(measure(&rig));
        }
    }
    values
}

/// A program between a pair of pipes and a pseudo-terminal.
struct Rig {
    master: OwnedFd,
    _slave: File,
    child: Child,
    stdin: OwnedFd,
    stdout: OwnedFd,
}

impl Drop for Rig {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Rig {
    fn new(program: &str) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a pty");
        grantpt(&master).expect("ours");
        unlockpt(&master).expect("unlocked");
        let path = ptsname(&master, Vec::new()).expect("a name").into_string().expect("ASCII");
        let slave = File::options().read(true).write(true).open(&path).expect("its port");
        let mut raw = tcgetattr(&slave).expect("settings");
        raw.make_raw();
        tcsetattr(&slave, OptionalActions::Now, &raw).expect("raw");
        let mut command = match program {
            "floor" => {
                let mut command = Command::new(env::current_exe().expect("this binary"));
                command.args([FLOOR, &path]);
                command
            }
            "iecprobe" => {
                let mut command = Command::new(env!("CARGO_BIN_EXE_iecprobe"));
                command.args(["--direct", "--pipe", "-p", &path]);
                command
            }
            _ => {
                let mut command = Command::new("socat");
                command.args(["STDIO", &format!("{path},rawer")]);
                command
            }
        };
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        if program == "iecprobe" {
            let mut stderr = BufReader::new(child.stderr.take().expect("piped"));
            stderr.read_line(&mut String::new()).expect("it says that the pipe is open");
            child.stderr = Some(stderr.into_inner());
        }
        let stdin = OwnedFd::from(child.stdin.take().expect("piped"));
        let stdout = OwnedFd::from(child.stdout.take().expect("piped"));
        let rig = Self { master, _slave: slave, child, stdin, stdout };
        // Whatever it does at first is done once it has carried something.
        rig.trips(1, 100);
        rig
    }

    fn trips(&self, size: usize, count: usize) {
        let (message, mut buffer) = (vec![0x55; size], vec![0; size]);
        for _ in 0..count {
            write_all(&self.stdin, &message);
            read_exact(&self.master, &mut buffer);
            write_all(&self.master, &message);
            read_exact(&self.stdout, &mut buffer);
        }
    }

    /// Microseconds each, on the clock and of the program's CPU time.
    fn round_trip(&self, size: usize) -> [f64; 2] {
        let (cpu, began) = (self.cpu(), Instant::now());
        self.trips(size, TRIPS);
        [began.elapsed(), self.cpu() - cpu].map(|time| time.as_secs_f64() * 1e6 / TRIPS as f64)
    }

    /// MiB/s of the slower direction, and milliseconds of the program's CPU time for each MiB carried.
    fn throughput(&self, out: bool, back: bool) -> [f64; 2] {
        let (cpu, began) = (self.cpu(), Instant::now());
        thread::scope(|scope| {
            if out {
                scope.spawn(|| pour(&self.stdin));
                scope.spawn(|| scoop(&self.master));
            }
            if back {
                scope.spawn(|| pour(&self.master));
                scope.spawn(|| scoop(&self.stdout));
            }
        });
        let mib = VOLUME as f64 / MIB;
        let carried = mib * f64::from(u8::from(out) + u8::from(back));
        [mib / began.elapsed().as_secs_f64(), (self.cpu() - cpu).as_secs_f64() * 1e3 / carried]
    }

    /// CPU time of the program so far, to the nanosecond.
    fn cpu(&self) -> Duration {
        let path = format!("/proc/{}/schedstat", self.child.id());
        let schedstat = fs::read_to_string(path).expect("it runs");
        let time = schedstat.split_whitespace().next().and_then(|time| time.parse().ok());
        Duration::from_nanos(time.expect("a number"))
    }
}

fn pour(fd: &OwnedFd) {
    let chunk = vec![0x55; 65_536];
    for _ in 0..VOLUME / chunk.len() {
        write_all(fd, &chunk);
    }
}

fn scoop(fd: &OwnedFd) {
    read_exact(fd, &mut vec![0; VOLUME]);
}

fn write_all(fd: impl AsFd, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        bytes = &bytes[rustix::io::write(&fd, bytes).expect("write")..];
    }
}

fn read_exact(fd: impl AsFd, buffer: &mut [u8]) {
    let mut at = 0;
    while at < buffer.len() {
        at += rustix::io::read(&fd, &mut buffer[at..]).expect("read");
    }
}

/// What no pipe can be faster than: wait, read, write, with no signal, no end, no clock and no buffer to keep.
fn be_floor(path: &str) {
    let line = File::options().read(true).write(true).open(path).expect("the port");
    let (stdin, stdout) = (io::stdin(), io::stdout());
    // O_NONBLOCK on stdout is allowed here: the pipe is this benchmark's own.
    for fd in [line.as_fd(), stdout.as_fd()] {
        let flags = fcntl_getfl(fd).expect("flags");
        fcntl_setfl(fd, flags | OFlags::NONBLOCK).expect("non-blocking");
    }
    let ways = [(stdin.as_fd(), line.as_fd()), (line.as_fd(), stdout.as_fd())];
    let mut buffers = [vec![0; 65_536], vec![0; 65_536]];
    let mut pending = [(0, 0); 2];
    loop {
        let wanted: [PollFd<'_>; 2] = std::array::from_fn(|way| {
            let (from, to) = ways[way];
            let (start, end) = pending[way];
            if start == end {
                PollFd::from_borrowed_fd(from, PollFlags::IN)
            } else {
                PollFd::from_borrowed_fd(to, PollFlags::OUT)
            }
        });
        let mut wanted = wanted;
        poll(&mut wanted, None).expect("poll");
        for way in 0..2 {
            if wanted[way].revents().is_empty() {
                continue;
            }
            let ((from, to), (start, end)) = (ways[way], &mut pending[way]);
            if start == end {
                match rustix::io::read(from, &mut buffers[way][..]) {
                    Ok(0) | Err(_) => return,
                    Ok(length) => (*start, *end) = (0, length),
                }
            }
            *start += rustix::io::write(to, &buffers[way][*start..*end]).unwrap_or(0);
        }
    }
}
