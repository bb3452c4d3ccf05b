//! Lines behind the network: between our own two programs, against servers of other people's, and against hostile ones.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use iecprobe::line::rfc2217::server::{Event, Server};

use crate::support::*;

/// iecmeter on the network, until it is dropped.
struct NetworkMeter {
    child: Child,
    url: String,
}

impl NetworkMeter {
    fn start(scheme: &str, args: &[&str]) -> Self {
        let listen = format!("{scheme}://127.0.0.1:0");
        let (child, url) = meter(&[&["--listen", &listen], args].concat());
        Self { child, url }
    }
}

impl Drop for NetworkMeter {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server that does this with its only client; its URL.
fn server(scheme: &str, serve: impl FnOnce(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("{scheme}://{}", listener.local_addr().unwrap());
    thread::spawn(move || serve(listener.accept().unwrap().0));
    url
}

/// Reads until the client has gone.
fn until_gone(mut client: TcpStream) {
    let mut buffer = [0; 4096];
    while let Ok(1..) = client.read(&mut buffer) {}
}

#[test]
fn a_meter_on_the_network_is_signed_on_twice_in_a_row() {
    for scheme in ["rfc2217", "tcp"] {
        for pace in [&[][..], &["--real-time"]] {
            let meter = NetworkMeter::start(scheme, pace);
            for _ in 0..2 {
                let outcome = run(&mut probe(&meter.url, ["--json", "--check-link"])).succeeded();
                let report = outcome.json();
                assert_eq!(report["port"], meter.url.as_str());
                assert_eq!((&report["baud"], &report["confirmed"]), (&9600.into(), &true.into()), "{report}");
            }
        }
    }
}

#[test]
fn scenarios_come_to_the_same_on_the_network() {
    let cases: &[(&str, &[&str], u8, &str)] = &[
        ("no-confirm", &[], 0, ""),
        ("echo", &[], 0, ""),
        ("fast", &[], 0, ""),
        ("bad-parity", &["--parity", "software"], 0, ""),
        ("bad-parity-always", &["--parity", "software", "--attempts", "1"], 7, "parity"),
        ("mode-c", &[], 8, "no-mode-e"),
        ("silent", &["--attempts", "1"], 6, "silent"),
        ("unplugged", &[], 10, "line-lost"),
    ];
    for scheme in ["rfc2217", "tcp"] {
        all_at_once(cases, |(scenario, args, status, kind)| {
            let meter = NetworkMeter::start(scheme, &["--scenario", scenario]);
            let outcome = run(probe(&meter.url, *args).arg("--json"));
            match status {
                0 => drop(outcome.succeeded()),
                _ => drop(outcome.problem(*status, kind)),
            }
        });
    }
}

#[test]
fn a_meter_behind_rfc2217_sees_the_framing() {
    let meter = NetworkMeter::start("rfc2217", &[]);
    let args = ["--json", "--attempts", "1", "--wait", "1s"];
    // Plain characters at 8N1 have wrong parity for it, every second of them.
    run(&mut probe(&meter.url, [&args[..], &["--parity", "none"]].concat())).problem(6, "silent");
    run(&mut probe(&meter.url, [&args[..], &["--parity", "software"]].concat())).succeeded();
}

#[test]
fn all_bytes_pass_through_the_pipe_unchanged() {
    let all: Vec<u8> = (0..=255u8).cycle().take(2 * 1024).collect();
    for scheme in ["rfc2217", "tcp"] {
        let meter = NetworkMeter::start(scheme, &["--app", "echo"]);
        let mut pipe = Running::start(&mut probe(&meter.url, ["--pipe", "-q"]));
        pipe.send(&all);
        eventually("everything to come back", || (pipe.stdout().len() >= all.len()).then_some(()));
        assert!(pipe.finish().succeeded().stdout == all, "{scheme}");
    }
}

#[test]
fn a_mebibyte_passes_in_both_directions_at_once() {
    let raw = server("tcp", |mut client| {
        let mut back = client.try_clone().unwrap();
        let _ = std::io::copy(&mut client, &mut back);
    });
    let telnet = server("rfc2217", |mut client| {
        let mut port = Server::default();
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = client.read(&mut buffer) {
            port.receive(&buffer[..length]);
            while let Some(event) = port.happened() {
                if let Event::Data(data) = event {
                    port.send(&data);
                }
            }
            let output = port.output().to_vec();
            port.sent(output.len());
            if client.write_all(&output).is_err() {
                return;
            }
        }
    });
    let all: Vec<u8> = (0..1u32 << 20).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for url in [raw, telnet] {
        let mut pipe = probe(&url, ["--direct", "--baud", "4000000", "--pipe", "-q"]);
        let mut pipe = Running::start(&mut pipe);
        pipe.send(&all);
        eventually("everything to come back", || (pipe.stdout().len() >= all.len()).then_some(()));
        assert!(pipe.finish().succeeded().stdout == all, "{url}");
    }
}

#[test]
fn a_second_reader_is_told_that_the_port_is_in_use() {
    for scheme in ["rfc2217", "tcp"] {
        let meter = NetworkMeter::start(scheme, &[]);
        let mut first = Running::start(&mut probe(&meter.url, ["--pipe"]));
        first.wait_for_stderr("is open at");
        let report = run(&mut probe(&meter.url, ["--json"])).problem(5, "busy");
        let message = report["error"]["message"].as_str().unwrap();
        assert!(message.contains("Port already in use"), "{message}");
        assert!(first.runs());
    }
}

#[test]
fn what_cannot_be_had_has_a_kind_of_its_own() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let cases: Vec<(String, u8, &str)> = vec![
        (format!("tcp://{closed}"), 3, "not-listening"),
        (format!("rfc2217://{closed}"), 3, "not-listening"),
        ("tcp://no-such-host.invalid:1".into(), 3, "no-host"),
        (server("rfc2217", until_gone), 3, "no-rfc2217"),
        (
            server("rfc2217", |mut client| {
                client.write_all(b"\xFF\xFE\x2C").unwrap();
                until_gone(client);
            }),
            3,
            "no-rfc2217",
        ),
        (
            // Whatever is sent comes back.
            server("rfc2217", |mut client| {
                let mut back = client.try_clone().unwrap();
                let _ = std::io::copy(&mut client, &mut back);
            }),
            3,
            "no-rfc2217",
        ),
        (
            server("rfc2217", |mut client| {
                client.write_all(b"\xFF\xFD\x2C").unwrap();
                until_gone(client);
            }),
            3,
            "not-settable",
        ),
        (
            server("tcp", |mut client| {
                client.write_all(b"\xFF\xFD\x2C").unwrap();
                until_gone(client);
            }),
            3,
            "telnet",
        ),
        (server("tcp", drop), 10, "line-lost"),
        (server("rfc2217", drop), 10, "line-lost"),
        (
            server("rfc2217", |mut client| {
                client.write_all(b"Device open failure: No such file or directory\r\n").unwrap();
            }),
            10,
            "line-lost",
        ),
        (
            // It negotiates for ever, one byte a segment.
            server("rfc2217", |mut client| {
                client.set_nodelay(true).unwrap();
                for option in (0..=255).filter(|&option| option != 44).cycle() {
                    for byte in [255, 253, option] {
                        if client.write_all(&[byte]).is_err() {
                            return;
                        }
                    }
                }
            }),
            3,
            "no-rfc2217",
        ),
    ];
    all_at_once(&cases, |(url, status, kind)| {
        let began = std::time::Instant::now();
        run(&mut probe(url, ["--json"])).problem(*status, kind);
        assert!(began.elapsed() < Duration::from_secs(15), "{url} {kind}");
    });
}

#[test]
fn what_has_no_meaning_on_a_line_is_a_usage_error_and_no_password_is_repeated() {
    let cases: &[&[&str]] = &[
        &["-p", "tcp://user:geheim@host:1"],
        &["-p", "rfc2217://host"],
        &["-p", "tcp://host:1/path"],
        &["-p", "tcp://host:1", "--dtr", "on"],
        &["-p", "tcp://host:1", "--rts", "off"],
        &["-p", "tcp://host:1", "--parity", "hardware"],
        &["-p", "tcp://host:1", "--switch-delay", "200ms"],
        &["-p", "tcp://host:1", "--start-baud", "300", "--baud", "9600"],
    ];
    for args in cases {
        let outcome = run(bare_probe().args(*args)).with_status(2);
        assert!(outcome.stderr.contains("tcp://") && !outcome.stderr.contains("geheim"), "{outcome:?}");
    }
}

/// A proxy that holds back what the server sends, and what it is sent, for half of this each.
fn proxy(url: &str, round_trip: Duration) -> String {
    let target = url.strip_prefix("rfc2217://").unwrap().to_owned();
    server("rfc2217", move |client| {
        let server = TcpStream::connect(target).unwrap();
        let ways = [(client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client)];
        for (mut from, to) in ways {
            thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(length @ 1..) = from.read(&mut buffer) {
                    let (bytes, mut to) = (buffer[..length].to_vec(), to.try_clone().unwrap());
                    thread::spawn(move || {
                        thread::sleep(round_trip / 2);
                        let _ = to.write_all(&bytes);
                    });
                }
                thread::sleep(round_trip);
                let _ = to.shutdown(std::net::Shutdown::Both);
            });
        }
    })
}

#[test]
fn the_rate_is_never_changed_early_however_slow_the_network_is() {
    for round_trip in [0, 300] {
        // Characters take their time there: an acknowledgement that is cut by a change of rate opens no link.
        let meter = NetworkMeter::start("rfc2217", &["--real-time"]);
        let url = proxy(&meter.url, ms(round_trip));
        let outcome = run(&mut probe(&url, ["--json", "--check-link", "--attempts", "1"])).succeeded();
        assert!(outcome.json()["link"].is_object(), "{outcome:?}");
    }
}

#[test]
fn ser2net_sets_the_port_of_a_meter_behind_it() {
    if Command::new("ser2net").arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
        eprintln!("skipped: ser2net is not installed");
        return;
    }
    let meter = VirtualMeter::play("book");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    let configuration = folder.path().join("ser2net.yaml");
    let path = meter.port();
    let text = format!(
        "connection: &meter\n  accepter: telnet(rfc2217),tcp,127.0.0.1,{port}\n  connector: serialdev,{path},9600n81,local\n"
    );
    std::fs::write(&configuration, text).unwrap();
    let mut ser2net = program("ser2net");
    let _ser2net = Running::start(ser2net.arg("-n").arg("-c").arg(&configuration));
    eventually("ser2net", || TcpStream::connect(("127.0.0.1", port)).ok());
    let url = format!("rfc2217://127.0.0.1:{port}");
    for _ in 0..2 {
        // It frees its port a moment after a client has gone.
        let outcome = eventually("a free port", || {
            Some(run(&mut probe(&url, ["--json"]))).filter(|outcome| outcome.status.code() != Some(5))
        });
        assert_eq!(outcome.succeeded().json()["confirmed"], true);
    }
}
