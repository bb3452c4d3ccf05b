//! Child processes that do not outlive a test, and pseudo-terminals to put them on.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

/// Nothing here takes this long, on a loaded machine either.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub const MT382: &str = "/ISK5\\2MT382-1000";

pub const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// Waits until `found` finds something.
pub fn eventually<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(Instant::now() < deadline, "it did not happen: {what}");
        thread::sleep(ms(1));
    }
}

/// Runs cases side by side: most of their time is waiting.
pub fn all_at_once<T: Sync>(cases: &[T], test: impl Fn(&T) + Sync) {
    let cases = Mutex::new(cases.iter());
    let next = || cases.lock().unwrap().next();
    thread::scope(|scope| {
        // Few enough at a time that each meter gets the processor within its times.
        for _ in 0..12 {
            scope.spawn(|| {
                while let Some(case) = next() {
                    test(case);
                }
            });
        }
    });
}

fn clean(program: impl AsRef<OsStr>) -> Command {
    crate::priority::ask();
    let mut command = Command::new(program);
    for variable in ["RUST_BACKTRACE", "IECPROBE_PORT", "RUST_LOG"] {
        command.env_remove(variable);
    }
    command
}

/// iecprobe on a port.
pub fn probe<A: AsRef<OsStr>>(port: &str, args: impl IntoIterator<Item = A>) -> Command {
    let mut command = bare_probe();
    command.arg("-p").arg(port).args(args);
    command
}

/// iecprobe without arguments.
pub fn bare_probe() -> Command {
    clean(env!("CARGO_BIN_EXE_iecprobe"))
}

/// A copy of iecprobe that anybody may run, started through `launcher`.
pub fn launched_probe(launcher: &[&str], copy: &Path) -> Command {
    let mut command = clean(launcher[0]);
    command.args(&launcher[1..]).arg(copy);
    command
}

/// Another program.
pub fn program(name: &str) -> Command {
    clean(name)
}

/// A child process that ends with its test.
pub struct Running {
    child: Child,
    out: Arc<Mutex<Vec<u8>>>,
    err: Arc<Mutex<Vec<u8>>>,
    readers: Vec<JoinHandle<()>>,
}

/// How a child ended.
#[derive(Debug)]
pub struct Outcome {
    pub status: ExitStatus,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

fn collect(mut from: impl Read + Send + 'static, into: &Arc<Mutex<Vec<u8>>>) -> JoinHandle<()> {
    let into = Arc::clone(into);
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            into.lock().unwrap().extend_from_slice(&buffer[..length]);
        }
    })
}

impl Running {
    /// Starts with an open stdin; stdout and stderr are collected.
    pub fn start(command: &mut Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        Self::start_as_is(command)
    }

    /// Starts with the stdin and stdout that the command has.
    pub fn start_as_is(command: &mut Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let (out, err) = (Arc::default(), Arc::default());
        let mut readers = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            readers.push(collect(stdout, &out));
        }
        readers.push(collect(child.stderr.take().unwrap(), &err));
        Self { child, out, err, readers }
    }

    /// Starts with an open stdin and this as stderr, which nobody collects.
    pub fn start_with_stderr(command: &mut Command, stderr: Stdio) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(stderr).spawn().unwrap();
        // The command's own copy would keep a pipe open.
        command.stderr(Stdio::null());
        let (out, err) = (Arc::default(), Arc::default());
        let readers = vec![collect(child.stdout.take().unwrap(), &out)];
        Self { child, out, err, readers }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn send(&mut self, bytes: &[u8]) {
        let stdin = self.child.stdin.as_mut().unwrap();
        stdin.write_all(bytes).unwrap();
        stdin.flush().unwrap();
    }

    /// Sends to one that may have gone.
    pub fn offer(&mut self, bytes: &[u8]) {
        let _ = self.child.stdin.as_mut().unwrap().write_all(bytes);
    }

    pub fn close_stdin(&mut self) {
        drop(self.child.stdin.take());
    }

    pub fn stdout(&self) -> Vec<u8> {
        self.out.lock().unwrap().clone()
    }

    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.err.lock().unwrap()).into_owned()
    }

    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Waits until its stderr has this text.
    pub fn wait_for_stderr(&mut self, text: &str) {
        eventually(text, || {
            if let Ok(Some(status)) = self.child.try_wait() {
                assert!(self.stderr().contains(text), "{status}: {}", self.stderr());
            }
            self.stderr().contains(text).then_some(())
        });
    }

    /// Whether it is still there.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for its end, its stdin closed.
    pub fn finish(mut self) -> Outcome {
        self.close_stdin();
        self.ended()
    }

    /// Waits for its end.
    pub fn ended(mut self) -> Outcome {
        let status = eventually("the end of a program", || self.child.try_wait().unwrap());
        for reader in self.readers.drain(..) {
            reader.join().unwrap();
        }
        Outcome { status, stdout: self.stdout(), stderr: self.stderr() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a program to its end, with nothing on its stdin.
pub fn run(command: &mut Command) -> Outcome {
    Running::start(command).finish()
}

impl Outcome {
    pub fn text(&self) -> String {
        String::from_utf8(self.stdout.clone()).unwrap()
    }

    /// The report, which has to be one line of JSON and the only thing on stdout.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        let text = self.text();
        assert_eq!(text.matches('\n').count(), 1, "not one line: {self:?}");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    #[track_caller]
    pub fn succeeded(self) -> Self {
        assert!(self.status.success(), "{self:?}");
        self
    }

    #[track_caller]
    pub fn with_status(self, status: i32) -> Self {
        assert_eq!(self.status.code(), Some(status), "{self:?}");
        self
    }

    #[track_caller]
    pub fn killed_by(self, signal: Signal) -> Self {
        assert_eq!(self.status.signal(), Some(signal.as_raw()), "{self:?}");
        self
    }

    /// The error object, checked for what every one has.
    #[track_caller]
    pub fn problem(self, code: u8, kind: &str) -> serde_json::Value {
        let outcome = self.with_status(i32::from(code));
        let report = outcome.json();
        let error = &report["error"];
        assert_eq!(error["code"], code, "{report}");
        assert_eq!(error["kind"], kind, "{report}");
        assert!(error["message"].as_str().is_some_and(|text| text.len() > 10), "{report}");
        assert_eq!(error["hint"].is_string(), (3..=10).contains(&code), "{report}");
        let received = error["received"].as_str().unwrap();
        assert!(received.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f')), "{report}");
        assert!(report["port"].is_string(), "{report}");
        assert_eq!(outcome.stderr, "", "an object on stdout needs no text on stderr");
        report
    }
}

/// iecmeter on a pseudo-terminal of its own.
pub struct VirtualMeter {
    pub path: String,
    pub link: PathBuf,
    pub child: Child,
    _folder: tempfile::TempDir,
}

impl VirtualMeter {
    pub fn start(args: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("meter");
        let (child, path) = meter(&[&["--link", link.to_str().unwrap()], args].concat());
        Self { path, link, child, _folder: folder }
    }

    pub fn play(scenario: &str) -> Self {
        Self::start(&["--scenario", scenario])
    }

    pub fn port(&self) -> &str {
        self.link.to_str().unwrap()
    }
}

impl Drop for VirtualMeter {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts iecmeter and reads where it listens.
pub fn meter(args: &[&str]) -> (Child, String) {
    let mut child = clean(env!("CARGO_BIN_EXE_iecmeter")).args(args).stdout(Stdio::piped()).spawn().unwrap();
    let mut path = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut path).unwrap();
    assert!(path.ends_with('\n'), "iecmeter says where it listens: {path:?}");
    (child, path.trim_end().to_owned())
}

/// The master of a pseudo-terminal, raw and without O_NONBLOCK's opposite: it never waits.
pub struct Pty {
    pub master: OwnedFd,
    pub path: String,
    /// Keeps the slave and its settings alive.
    pub slave: OwnedFd,
}

impl Pty {
    pub fn new() -> Self {
        crate::priority::ask();
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        rustix::io::ioctl_fionbio(&master, true).unwrap();
        let path = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let slave = rustix::fs::open(&path, flags, Mode::empty()).unwrap();
        let mut raw = tcgetattr(&master).unwrap();
        raw.make_raw();
        tcsetattr(&slave, OptionalActions::Now, &raw).unwrap();
        Self { master, path, slave }
    }

    /// What can be read now.
    pub fn read(&self) -> Vec<u8> {
        let mut buffer = [0; 4096];
        match rustix::io::read(&self.master, &mut buffer[..]) {
            Ok(length) => buffer[..length].to_vec(),
            Err(_) => Vec::new(),
        }
    }

    /// Reads until what was read satisfies `enough`.
    pub fn read_until(&self, what: &str, enough: impl Fn(&[u8]) -> bool) -> Vec<u8> {
        let mut all = Vec::new();
        eventually(what, || {
            all.extend(self.read());
            enough(&all).then_some(())
        });
        all
    }

    /// Writes everything; the other side has to read.
    pub fn write(&self, mut bytes: &[u8]) {
        eventually("room on the line", || {
            if let Ok(written) = rustix::io::write(&self.master, bytes) {
                bytes = &bytes[written..];
            }
            bytes.is_empty().then_some(())
        });
    }

    pub fn speed(&self) -> u32 {
        tcgetattr(&self.master).unwrap().output_speed()
    }

    /// All settings of the slave, comparable.
    pub fn settings(&self) -> String {
        format!("{:?}", tcgetattr(&self.slave).unwrap())
    }
}

/// A pipe that is full.
pub struct FullPipe {
    read: std::io::PipeReader,
    write: std::io::PipeWriter,
}

impl FullPipe {
    pub fn new() -> Self {
        let (read, mut write) = std::io::pipe().unwrap();
        rustix::io::ioctl_fionbio(&write, true).unwrap();
        while write.write(&[b'.'; 4096]).is_ok() {}
        // The flag belongs to the pipe's end, which the child shares.
        rustix::io::ioctl_fionbio(&write, false).unwrap();
        Self { read, write }
    }

    /// Its end to write to.
    pub fn end(&self) -> Stdio {
        Stdio::from(self.write.try_clone().unwrap())
    }

    /// Reads what is in it and what comes, to its end.
    pub fn read_to_end(self) -> String {
        let Self { mut read, write } = self;
        drop(write);
        let mut all = String::new();
        read.read_to_string(&mut all).unwrap();
        all.trim_start_matches('.').to_owned()
    }
}

/// A terminal that somebody sits at.
pub struct Terminal(Pty);

impl Terminal {
    pub fn new() -> Self {
        let pty = Pty::new();
        let mut cooked = tcgetattr(&pty.slave).unwrap();
        cooked.input_modes |= rustix::termios::InputModes::IXON;
        tcsetattr(&pty.slave, OptionalActions::Now, &cooked).unwrap();
        Self(pty)
    }

    /// Ctrl-S.
    pub fn stop(&self) {
        self.0.write(&[0x13]);
    }

    /// Ctrl-Q.
    pub fn go_on(&self) {
        self.0.write(&[0x11]);
    }

    /// Its end for a program.
    pub fn end(&self) -> Stdio {
        Stdio::from(self.0.slave.try_clone().unwrap())
    }

    /// What it shows that was not read yet.
    pub fn shown(&self) -> Vec<u8> {
        self.0.read()
    }
}

/// A loop that returns every byte, until it is dropped.
pub struct EchoLine {
    pub path: String,
    pub seen: Arc<Mutex<Vec<u8>>>,
    end: Arc<std::sync::atomic::AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl EchoLine {
    pub fn start() -> Self {
        use std::sync::atomic::Ordering::SeqCst;
        let pty = Pty::new();
        let path = pty.path.clone();
        let (seen, end) = (Arc::<Mutex<Vec<u8>>>::default(), Arc::<std::sync::atomic::AtomicBool>::default());
        let (log, stop) = (Arc::clone(&seen), Arc::clone(&end));
        let thread = thread::spawn(move || {
            let mut back = Vec::new();
            while !stop.load(SeqCst) {
                let bytes = pty.read();
                log.lock().unwrap().extend_from_slice(&bytes);
                back.extend(bytes);
                if let Ok(written) = rustix::io::write(&pty.master, &back) {
                    back.drain(..written);
                }
                thread::sleep(Duration::from_micros(500));
            }
        });
        Self { path, seen, end, thread: Some(thread) }
    }
}

impl Drop for EchoLine {
    fn drop(&mut self) {
        self.end.store(true, std::sync::atomic::Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
