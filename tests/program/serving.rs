//! `--listen`: the line served to TCP clients.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use crate::support::*;

/// iecprobe that serves, and where.
fn serve(port: &str, args: &[&str]) -> (Running, String) {
    let running = Running::start(&mut probe(port, [&["--listen", "0"], args].concat()));
    let place = eventually("the address", || {
        let out = String::from_utf8(running.stdout()).unwrap();
        out.strip_suffix('\n').map(str::to_owned)
    });
    assert!(place.starts_with("127.0.0.1:"), "{place}");
    (running, place)
}

fn client(place: &str) -> TcpStream {
    let client = TcpStream::connect(place).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client
}

#[test]
fn each_client_has_a_session_of_its_own_and_a_report_on_stderr() {
    let meter = VirtualMeter::start(&["--app", "echo"]);
    let (running, place) = serve(meter.port(), &["--sessions", "2", "--linger", "100ms", "--no-recover"]);
    // The meter is in its session after the first one, and echoes at once what the second one sends.
    let all: Vec<u8> = (0..=255).collect();
    let mut first = client(&place);
    first.write_all(&all).unwrap();
    let mut got = vec![0; all.len()];
    first.read_exact(&mut got).unwrap();
    assert_eq!(got, all);
    first.shutdown(Shutdown::Write).unwrap();
    assert_eq!(first.read(&mut got).unwrap(), 0, "an end in good order");
    let mut second = client(&place);
    let error = second.read(&mut got).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "a sign-on that failed");
    let outcome = running.ended().with_status(7);
    assert_eq!(outcome.stderr.matches("manufacturer: ISK").count(), 1, "{outcome:?}");
    assert_eq!(outcome.stdout, format!("{place}\n").into_bytes());
}

#[test]
fn a_second_client_is_closed_at_once_and_the_first_is_not_disturbed() {
    let (running, place) = serve("sim:", &["--sessions", "1", "--linger", "100ms", "--disconnect", "-v"]);
    let mut first = client(&place);
    let snrm = iecprobe::protocol::hdlc::Addresses::default().snrm();
    first.write_all(&snrm).unwrap();
    let mut buffer = [0; 64];
    let mut second = client(&place);
    assert!(matches!(second.read(&mut buffer), Ok(0) | Err(_)));
    first.read_exact(&mut buffer[..2]).unwrap();
    assert_eq!(buffer[..2], [0x7E, 0xA0]);
    drop(first);
    let outcome = running.ended().succeeded();
    assert!(outcome.stderr.contains("answered the DISC"), "{outcome:?}");
}

#[test]
fn a_signal_ends_it_while_nobody_is_there() {
    let (running, _) = serve("sim:", &[]);
    running.signal(rustix::process::Signal::TERM);
    running.ended().killed_by(rustix::process::Signal::TERM);
}

#[test]
fn what_cannot_be_served_is_a_usage_error() {
    for args in [
        &["--listen", "x:y"][..],
        &["--listen", "70000"],
        &["--listen", "0", "--pipe"],
        &["--listen", "0", "--ident-only"],
        &["--listen", "0", "-p", "sim:echo"],
        &["--sessions", "1"],
        &["--listen", "0", "--sessions", "0"],
    ] {
        run(&mut probe("sim:", args)).with_status(2);
    }
}
