//! The completions, the man pages and the tables of exit statuses in the repository are those of the program as it is.
//!
//! `UPDATE_GENERATED=1 cargo test --test pages generated` writes them anew.

use std::fs;
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use clap_complete::Shell;

use crate::kind::{Kind, STATUSES};
use crate::{cli, meter_cli};

fn check(path: &str, fresh: &[u8]) {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, fresh).unwrap();
    }
    let kept = fs::read(&path).unwrap_or_default();
    assert!(
        kept == fresh,
        "{} is stale: UPDATE_GENERATED=1 cargo test --test pages generated",
        path.display()
    );
}

#[test]
fn completions_are_up_to_date() {
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::PowerShell, Shell::Elvish] {
        for (name, mut command) in
            [("iecprobe", cli::Args::command()), ("iecmeter", meter_cli::Args::command())]
        {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut command, name, &mut script);
            check(&format!("completions/{name}.{shell}"), &script);
        }
    }
}

/// What clap does not know of iecprobe: its forms, and the sections of its man page behind the options.
const IECPROBE: (&str, &str) = (
    "[OPTIONS] [PORT]
[OPTIONS] [PORT] --pipe
[OPTIONS] [PORT] -- COMMAND [ARG..]
--list [--json]
--completions SHELL",
    "\
.PP
A DURATION has a number and a unit: 250ms, 2s, 1m 30s.
#EXIT STATUS
@
#ENVIRONMENT
=IECPROBE_PORT
The port where none is named.
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
=iecprobe sim:
Signs on to the built-in meter.
=iecprobe /dev/ttyUSB0 --ident-only
Asks who is there, and opens no session.
=iecprobe /dev/ttyUSB0 --json
The report as one JSON object; of a failure too.
=iecprobe /dev/ttyUSB0 --timeline=sign-on.svg
Draws what happened on the line.
=iecprobe /dev/ttyUSB0 -q -- COMMAND
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

/// The exit statuses, each with the kinds of failure that end so, in the form of our sections.
fn statuses() -> String {
    let status = |status: &crate::kind::Status| {
        let kinds: Vec<String> =
            status.kinds().map(|kind| format!("{}: {}", kind.name(), kind.summary())).collect();
        let kinds = if kinds.len() > 1 { format!("\n.br\n{}", kinds.join("\n.br\n")) } else { String::new() };
        format!("={}\n{}.{kinds}", status.code, status.when)
    };
    STATUSES.iter().map(status).collect::<Vec<_>>().join("\n")
}

/// The table of exit statuses, as the pages have it.
fn table() -> String {
    let row = |status: &crate::kind::Status| {
        let kinds: Vec<String> = status.kinds().map(|kind| format!("`{}`", kind.name())).collect();
        format!("| {} | {} | {} |\n", status.code, status.when, kinds.join(", "))
    };
    TABLE_HEAD.to_owned() + &STATUSES.iter().map(row).collect::<String>()
}

const TABLE_HEAD: &str = "| status | when | `kind` |\n|---|---|---|\n";

#[test]
fn the_tables_of_exit_statuses_are_up_to_date() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let mut count = 0;
    for path in
        docs.chain([root.join("README.md")]).filter(|path| path.extension().is_some_and(|it| it == "md"))
    {
        let page = fs::read_to_string(&path).unwrap();
        let Some((before, rest)) = page.split_once(TABLE_HEAD) else { continue };
        let after = rest.split_inclusive('\n').skip_while(|line| line.starts_with('|'));
        let fresh = format!("{before}{}{}", table(), after.collect::<String>());
        check(path.strip_prefix(root).unwrap().to_str().unwrap(), fresh.as_bytes());
        count += 1;
    }
    assert!(count > 0, "no page has the table");
}

#[test]
fn the_sections_of_the_page_of_failures_are_kinds_with_their_statuses() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/failures.md")).unwrap();
    for title in page.lines().filter_map(|line| line.strip_prefix("## ")).filter(|title| title.ends_with('`'))
    {
        let known = |kind: &&Kind| title == format!("{} `{}`", kind.status(), kind.name());
        assert!(Kind::ALL.iter().any(|kind| known(&kind)), "{title} is no kind of failure");
    }
}

/// Our sections as roff: `#` is a heading, `=` a term, `.` roff already, `@` the exit statuses.
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
    text.replace('@', &statuses()).lines().map(line).collect()
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
    check("docs/man/iecprobe.1", &man_page(cli::Args::command(), IECPROBE));
    check("docs/man/iecmeter.1", &man_page(meter_cli::Args::command(), IECMETER));
}
