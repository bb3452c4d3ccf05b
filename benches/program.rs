//! The program: from start to report beyond the floor of the line, start to `--version`, size, memory.
//!
//! `cargo bench --bench program` prints what came out; nothing here passes or fails.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const RUNS: usize = 5;

/// What the line and the meter take, whoever reads: request, reaction, identification, our 200 ms, acknowledgement,
/// reaction, confirmation at 9600 Bd.
fn floor() -> Duration {
    let at_300 = Duration::from_secs(1) / 30;
    at_300 * (5 + 19 + 6) + Duration::from_millis(250 + 200 + 250) + Duration::from_secs(1) / 960 * 6
}

fn median(mut call: impl FnMut() -> Duration) -> Duration {
    let mut times: Vec<Duration> = (0..RUNS).map(|_| call()).collect();
    times.sort();
    times[RUNS / 2]
}

fn main() {
    let iecprobe = env!("CARGO_BIN_EXE_iecprobe");
    let mut meter = Command::new(env!("CARGO_BIN_EXE_iecmeter"))
        .arg("--real-time")
        .stdout(Stdio::piped())
        .spawn()
        .expect("iecmeter starts");
    let mut port = String::new();
    BufReader::new(meter.stdout.take().expect("piped")).read_line(&mut port).expect("a path");
    let measured = median(|| {
        let began = Instant::now();
        let output = Command::new(iecprobe).args(["-p", port.trim()]).output().expect("iecprobe starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        began.elapsed()
    });
    let _ = meter.kill();
    let _ = meter.wait();
    let floor = floor();
    println!(
        "start to report: floor {floor:.1?}, measured {measured:.1?}, difference {:.1?} (aim: < 20 ms)",
        measured.saturating_sub(floor)
    );

    let version = median(|| {
        let began = Instant::now();
        Command::new(iecprobe).arg("--version").output().expect("iecprobe starts");
        began.elapsed()
    });
    println!("start to --version: {version:.1?} (aim: < 5 ms)");
    let size = std::fs::metadata(iecprobe).expect("it is there").len();
    println!("binary: {:.2} MB (aim: < 1.5 MB)", size as f64 / 1e6);
    let mut child =
        Command::new(iecprobe).args(["-p", "sim:"]).stdout(Stdio::null()).spawn().expect("iecprobe starts");
    let mut peak = String::new();
    while child.try_wait().expect("it is ours").is_none() {
        if let Ok(status) = std::fs::read_to_string(format!("/proc/{}/status", child.id())) {
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            peak = line.map_or(peak, |line| line.trim().to_owned());
        }
        std::thread::yield_now();
    }
    println!("peak memory: {peak} (aim: < 6 MB)");
}
