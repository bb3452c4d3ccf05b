//! The completions and man pages in the repository are those of the command line as it is.
//!
//! `UPDATE_GENERATED=1 cargo test --test generated` writes them anew.

use std::fs;
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use clap_complete::Shell;

#[allow(dead_code)]
#[path = "../../src/bin/iecmeter/cli.rs"]
mod iecmeter_cli;
#[allow(dead_code)]
#[path = "../../src/bin/iecprobe/cli.rs"]
mod iecprobe_cli;

fn check(path: &str, fresh: &[u8]) {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, fresh).unwrap();
    }
    let kept = fs::read(&path).unwrap_or_default();
    assert!(kept == fresh, "{} is stale: UPDATE_GENERATED=1 cargo test --test generated", path.display());
}

#[test]
fn completions_are_up_to_date() {
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::PowerShell, Shell::Elvish] {
        for (name, mut command) in
            [("iecprobe", iecprobe_cli::Args::command()), ("iecmeter", iecmeter_cli::Args::command())]
        {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut command, name, &mut script);
            check(&format!("completions/{name}.{shell}"), &script);
        }
    }
}

/// What clap does not know of iecprobe: its forms, and the sections of its man page behind the options.
const IECPROBE: (&str, &str) = (
    "[OPTIONS]
[OPTIONS] --pipe
[OPTIONS] -- COMMAND [ARG..]
--list [--json]
--completions SHELL",
    "\
.PP
A DURATION has a number and a unit: 250ms, 2s, 1m 30s.
#EXIT STATUS
=0
Done.
=1
Anything else.
=2
The command line cannot be carried out.
=3
There is no such port, it is no serial port, or none was named and there is not exactly one USB serial port.
=4
No permission to open the port.
=5
Another program has the port.
=6
Nothing came, or nothing but our own echo.
=7
Bytes came that are no identification.
=8
The meter was identified, but does not enter mode E; with --check-link, HDLC does not answer.
=9
Another manufacturer than --manufacturer allows.
=10
The port went away.
=11
The output cannot be written.
=128+n
Ended by signal n, with the settings of the port put back.
.PP
With COMMAND, the exit status is that of COMMAND once it runs.
#ENVIRONMENT
=IECPROBE_PORT
The port where --port is not given.
=RUST_LOG
What is logged on stderr, in place of --verbose: error, warn, info, debug or trace.
=NO_COLOR
Where set and not empty, --timeline has no colours. TERM=dumb does the same.
#FILES
=/dev/serial/by-id
Names of ports that stay the same when an adapter is plugged in again.
=/usr/lib/udev/rules.d/70-iecprobe.rules
Makes FTDI adapters fast for every program.
=/usr/share/doc/iecprobe
Every option, every failure, recipes.
#EXAMPLES
=iecprobe -p sim:
Signs on to the built-in meter.
=iecprobe -p /dev/ttyUSB0 --ident-only
Asks who is there, and opens no session.
=iecprobe -p /dev/ttyUSB0 --json
The report as one JSON object; of a failure too.
=iecprobe -p /dev/ttyUSB0 --timeline sign-on.svg
Draws what happened on the line.
=iecprobe -p /dev/ttyUSB0 -q -- COMMAND
Starts a program with the line as its stdin and stdout.
#SEE ALSO
.BR iecmeter (1)",
);

/// The same of iecmeter.
const IECMETER: (&str, &str) = (
    "[OPTIONS]
--list-scenarios",
    "\
#EXIT STATUS
=0
All --sessions were played.
=1
The terminal, the device or the trace cannot be used.
=2
The command line cannot be carried out, or there is no such scenario.
=128+n
Ended by signal n.
#EXAMPLES
=iecmeter --link /tmp/meter
Plays a meter by the book; then: iecprobe -p /tmp/meter
=iecmeter --link /tmp/meter --scenario echo+slow --real-time
A slow meter with an echoing head, at the pace of a real line.
=iecmeter --link /tmp/meter --replay field.trace
Answers as the meter did of which iecprobe --trace made the file.
#SEE ALSO
.BR iecprobe (1)",
);

/// Our sections as roff: `#` is a heading, `=` a term, `.` roff already.
fn roff(text: &str) -> String {
    let line = |line: &str| {
        let escaped = line.replace('\\', "\\e").replace('-', "\\-");
        match line.split_at_checked(1) {
            Some(("#", heading)) => format!(".SH \"{heading}\"\n"),
            Some(("=", _)) => format!(".TP\n\\fB{}\\fR\n", &escaped[1..]),
            Some((".", _)) => format!("{line}\n"),
            _ => escaped + "\n",
        }
    };
    text.lines().map(line).collect()
}

fn man_page(command: clap::Command, (forms, sections): (&str, &str)) -> Vec<u8> {
    let name = command.get_name().to_owned();
    let man = clap_mangen::Man::new(command);
    let mut page = Vec::new();
    man.render_title(&mut page).unwrap();
    man.render_name_section(&mut page).unwrap();
    page.extend(b".SH SYNOPSIS\n");
    for form in forms.lines() {
        page.extend(format!("\\fB{name}\\fR {}\n.br\n", form.replace('-', "\\-")).bytes());
    }
    man.render_description_section(&mut page).unwrap();
    man.render_options_section(&mut page).unwrap();
    page.extend(roff(sections).bytes());
    page
}

#[test]
fn man_pages_are_up_to_date() {
    check("docs/man/iecprobe.1", &man_page(iecprobe_cli::Args::command(), IECPROBE));
    check("docs/man/iecmeter.1", &man_page(iecmeter_cli::Args::command(), IECMETER));
}
