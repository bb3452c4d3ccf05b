//! What is said to people: messages in words, commands to paste, on terminals of any width, in colours only there.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::termios::{Winsize, tcsetwinsize};

use crate::support::*;

/// What stands on a terminal of this width that is stderr of a program, and its status.
fn on_a_terminal(columns: u16, command: &mut Command) -> (String, Option<i32>) {
    let terminal = Pty::new();
    let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&terminal.master, size).unwrap();
    let stderr = fs::File::options().write(true).open(&terminal.path).unwrap();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr).spawn().unwrap();
    let mut screen = Vec::new();
    let status = eventually("the end of a program", || {
        screen.extend(terminal.read());
        child.try_wait().unwrap()
    });
    eventually("the rest of what it said", || {
        let more = terminal.read();
        screen.extend(&more);
        more.is_empty().then_some(())
    });
    (String::from_utf8(screen).unwrap(), status.code())
}

/// A screen without colours and without what was rewritten.
fn plain(screen: &str) -> String {
    let colours = regex_lite::Regex::new("\x1B\\[[0-9;]*m").unwrap();
    let rewritten = regex_lite::Regex::new("\r[^\n]*\x1B\\[K").unwrap();
    colours.replace_all(&rewritten.replace_all(screen, ""), "").into_owned()
}

#[test]
fn messages_and_hints_are_no_wider_than_the_terminal() {
    let outcome = run(bare_probe().args(["sim:nak-break", "-q"])).with_status(8);
    for columns in [50, 80, 132] {
        let mut command = bare_probe();
        let (screen, status) =
            on_a_terminal(columns, command.args(["sim:nak-break", "-q"]).env("TERM", "xterm"));
        assert_eq!(status, Some(8));
        let screen = plain(&screen);
        let mut rows = screen.lines().filter(|row| !row.starts_with("  try: "));
        assert!(rows.all(|row| row.trim_end().len() <= usize::from(columns)), "{columns}: {screen}");
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(words(&screen), words(&outcome.stderr), "{columns}");
    }
    assert_eq!(outcome.stderr.lines().count(), 3, "elsewhere nothing is wrapped: {outcome:?}");
}

#[test]
fn the_live_line_is_narrower_than_the_terminal() {
    let mut command = bare_probe();
    let (screen, _) = on_a_terminal(30, command.args(["sim:silent", "--attempts", "1"]).env("TERM", "xterm"));
    let rows: Vec<&str> = screen.split("\r\x1B[K").filter(|row| row.contains("waiting for the id")).collect();
    assert!(!rows.is_empty() && rows.iter().all(|row| row.len() < 30), "{rows:?}");
}

#[test]
fn the_story_has_a_sentence_with_its_time_for_each_event() {
    let time = regex_lite::Regex::new(r"^\d+\.\d\d s ").unwrap();
    let told = |verbosity: &str| {
        let outcome = run(bare_probe().args(["sim:", verbosity])).succeeded();
        let lines: Vec<String> = outcome.stderr.lines().map(str::to_owned).collect();
        assert!(lines[..lines.len() - 1].iter().all(|line| time.is_match(line)), "{outcome:?}");
        lines.iter().map(|line| time.replace(line, "").into_owned()).collect::<Vec<_>>()
    };
    let begins = [
        "line set to 300 Bd 7E1",
        "request at 300 Bd",
        "identification: ISK Iskraemeco",
        "acknowledgement at 300 Bd",
        "line set to 9600 Bd 8N1",
        "confirmation: ",
        "11 bytes sent, 25 received",
    ];
    let story = told("-v");
    assert!(story.iter().zip(begins).all(|(line, begin)| line.starts_with(begin)), "{story:?}");
    assert_eq!(story.len(), begins.len(), "{story:?}");
    let bytes = told("-vv");
    for message in ["sent 2F 3F 21 0D 0A", "sent 06 32 35 32 0D 0A", "received 06 B2 35 B2 8D 0A"] {
        assert!(bytes.iter().any(|line| line == message), "{message}: {bytes:?}");
    }
    assert_eq!(bytes.len(), begins.len() + 4, "a line for each message: {bytes:?}");
}

#[test]
fn colours_are_for_terminals_and_for_who_asks() {
    let coloured = |args: &[&str], variables: &[(&str, &str)]| {
        let mut command = bare_probe();
        command.args(["/nowhere/port"]).args(args).env_remove("NO_COLOR").env("TERM", "xterm");
        on_a_terminal(80, command.envs(variables.iter().copied())).0.contains("\x1B[1m")
    };
    assert!(coloured(&[], &[]));
    assert!(!coloured(&["--color", "never"], &[]));
    assert!(!coloured(&[], &[("NO_COLOR", "1")]));
    assert!(!coloured(&[], &[("TERM", "dumb")]));
    assert!(coloured(&["--color=always"], &[("NO_COLOR", "1")]));
    for args in [&["/nowhere/port"][..], &["--help"], &["sim:", "--wait", "5"]] {
        let never = run(bare_probe().args(args));
        assert!(!(never.text() + &never.stderr).contains('\x1B'), "{never:?}");
        let always = run(bare_probe().args(["--color", "always"]).args(args));
        assert!((always.text() + &always.stderr).contains('\x1B'), "{always:?}");
    }
}

#[test]
fn a_command_without_dashes_is_not_taken_for_a_port() {
    for args in [&["-p", "sim:", "sh", "-c", "x"][..], &["sim:", "cat"], &["-p", "sim:", "cat"]] {
        let outcome = run(bare_probe().args(args)).with_status(2);
        assert!(outcome.stderr.contains("stands behind `--`"), "{args:?}: {outcome:?}");
        assert!(!outcome.stderr.contains("tip"), "{outcome:?}");
    }
}

#[test]
fn a_port_with_a_typo_is_guessed() {
    let first = |port: &str, status: u8, kind: &str| {
        let report = run(bare_probe().args([port, "--json"])).problem(status, kind);
        report["error"]["try"][0].as_str().map(str::to_owned)
    };
    assert_eq!(first("sim:eco", 2, "usage").unwrap(), "iecprobe -p sim:echo --json");
    assert_eq!(first("ttyUSB77", 3, "no-port").unwrap(), "iecprobe -p /dev/ttyUSB77 --json");
    assert_eq!(first("sim", 3, "no-port").unwrap(), "iecprobe -p sim: --json");
    assert!(first("COM77", 3, "no-port").unwrap().starts_with("iecprobe -"));
}

#[test]
fn a_failure_after_the_identification_says_who_answered() {
    let cases = [
        ("mode-c", "Landis+Gyr ZMF100AC.M23 answered, but it does not offer mode E"),
        ("nak", "Iskraemeco MT382-1000 answered, but"),
        ("odd-z-letter", "Iskraemeco MT382-1000 answered, and"),
        ("readout-at-z", "Apator NORAX30 answered, but"),
    ];
    all_at_once(&cases, |(scenario, says)| {
        let outcome = run(bare_probe().arg(format!("sim:{scenario}"))).with_status(8);
        assert!(outcome.stderr.starts_with(&format!("iecprobe: {says}")), "{outcome:?}");
    });
}

#[test]
fn commands_to_try_can_be_pasted_and_end_somewhere() {
    let folder = Path::new(env!("CARGO_BIN_EXE_iecprobe")).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let mut command = "iecprobe -p sim:nak".to_owned();
    let mut seen = Vec::new();
    loop {
        assert!(!seen.contains(&command), "{command} was tried");
        seen.push(command.clone());
        let outcome = run(program("sh").args(["-c", &command]).env("PATH", &path)).with_status(8);
        let next = outcome.stderr.lines().find_map(|line| line.strip_prefix("  try: ")).map(str::to_owned);
        let Some(next) = next else { break };
        command = next;
    }
    assert_eq!(seen.len(), 3, "{seen:?}");
}

#[test]
fn with_ident_only_the_rate_is_the_one_that_is_offered() {
    let text = run(bare_probe().args(["sim:", "--ident-only"])).succeeded().text();
    assert!(text.contains("\nbaud offered: 9600\n") && !text.contains("\nbaud: "), "{text}");
    let report = run(bare_probe().args(["sim:", "--ident-only", "--json"])).succeeded().json();
    assert_eq!((report["baud"].as_u64(), report["baud_offered"].as_u64()), (Some(300), Some(9600)));
}

#[test]
fn names_do_no_harm_to_a_terminal() {
    let outcome = run(bare_probe().arg("/nowhere/\x1B[2J\n")).with_status(3);
    let says = "iecprobe: /nowhere/\\x1B[2J\\x0A: there is no such port\n";
    assert!(outcome.stderr.starts_with(says), "{outcome:?}");
    let report = run(bare_probe().args(["/nowhere/\x1B", "--json"])).problem(3, "no-port");
    assert_eq!(report["port"], "/nowhere/\\x1B");
    let usage = run(bare_probe().arg("--no\x1B[2Jx")).with_status(2);
    assert!(!usage.stderr.contains('\x1B'), "{usage:?}");
}
