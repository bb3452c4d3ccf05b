//! A DLMS library of somebody else's reads a meter object over HDLC through the pipe.
//!
//! Both ends are gurux-dlms from PyPI: its client is the program on the pipe, its server stands behind a mode-E sign-on.
//! Where neither Python nor PyPI can be had the tests are skipped and say so; with CI=true they fail instead.
#![cfg(unix)]
#![allow(missing_docs)]

mod python;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use self::python::python;

/// What the object holds, as the client says it.
const READING: &str = "1.0.1.8.0.255 = 12345678";

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/program/dlms").join(name)
}

/// The meter, and the port that it is on.
struct Meter {
    child: Child,
    port: String,
}

impl Meter {
    fn start(python: &Path) -> Self {
        let mut child =
            Command::new(python).arg(script("meter.py")).stdout(Stdio::piped()).spawn().expect("it starts");
        let mut port = String::new();
        let stdout = child.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut port).expect("the name of its port");
        Self { child, port: port.trim().into() }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_dlms_client_started_on_the_line_reads_an_object() {
    let Some(python) = python() else { return };
    let meter = Meter::start(python);
    let output = Command::new(env!("CARGO_BIN_EXE_iecprobe"))
        .args(["-q", "-p", &meter.port, "--"])
        .arg(python)
        .arg(script("read.py"))
        .output()
        .expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", output.status);
    assert_eq!(said.trim(), READING);
    assert_eq!(output.stdout, b"");
}

#[test]
fn a_dlms_client_that_starts_the_pipe_itself_reads_an_object() {
    let Some(python) = python() else { return };
    let meter = Meter::start(python);
    crate::priority::ask();
    let output = Command::new(python)
        .arg(script("read.py"))
        .arg(env!("CARGO_BIN_EXE_iecprobe"))
        .args(["-q", "--linger", "100ms", "--pipe", "-p", &meter.port])
        .output()
        .expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", output.status);
    assert_eq!(said.trim(), READING);
}
