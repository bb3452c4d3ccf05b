//! What README.md and the pages of docs/ show is what the programs print: every `console` block is run as it stands.
//!
//! A line that begins with `$ ` is a command, one with `> ` its continuation; the lines up to the next command are its
//! output, stdout and stderr as they come. Times, process numbers and pseudo-terminal numbers may differ. A block that
//! is not to be run has another tag.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// A command and the output that the page shows.
struct Step {
    command: String,
    output: String,
}

fn blocks(page: &str) -> Vec<Vec<Step>> {
    let mut blocks = Vec::new();
    let mut block: Option<Vec<Step>> = None;
    for line in page.lines() {
        match (&mut block, line) {
            (None, "```console") => block = Some(Vec::new()),
            (None, _) => {}
            (Some(_), "```") => blocks.extend(block.take()),
            (Some(steps), line) => {
                if let Some(command) = line.strip_prefix("$ ") {
                    steps.push(Step { command: command.to_owned(), output: String::new() });
                } else if let Some(step) = steps.last_mut() {
                    match line.strip_prefix(">").filter(|_| step.output.is_empty()) {
                        Some(more) => {
                            step.command += &format!("\n{}", more.strip_prefix(' ').unwrap_or(more))
                        }
                        None => step.output += &format!("{line}\n"),
                    }
                }
            }
        }
    }
    blocks
}

/// What may differ from run to run, made equal.
fn settled(output: &str) -> String {
    let plain = [
        (r#""elapsed_ms":\d+"#, r#""elapsed_ms":0"#),
        (r"(?m)^ *\d+\.\d{4} ", "TIME "),
        (r"process \d+", "process N"),
        (r"/dev/pts/\d+", "/dev/pts/N"),
        (r"127\.0\.0\.1:\d{5}\b", "127.0.0.1:N"),
        (r"(?m)[ \t]+$", ""),
        // Blank lines between commands are for the eye.
        (r"\n\n+", "\n"),
    ]
    .iter()
    .fold(output.trim().to_owned(), |text, (pattern, plain)| {
        regex_lite::Regex::new(pattern).unwrap().replace_all(&text, *plain).into_owned()
    });
    joined(&plain)
}

/// A trace in which neighbours of one direction and one setting are one: how received bytes are cut into reads is the
/// machine's affair. Columns: direction and settings, hex, text.
fn joined(text: &str) -> String {
    let mut lines: Vec<[String; 3]> = Vec::new();
    for line in text.lines() {
        let (head, rest) =
            line.split_at_checked(23).filter(|_| line.starts_with("TIME")).unwrap_or((line, ""));
        let (hex, shown) = rest.split_at_checked(48).unwrap_or((rest, ""));
        match lines.last_mut().filter(|last| last[0] == head && !rest.is_empty()) {
            Some(last) => {
                last[1] += &format!(" {}", hex.trim());
                last[2] += shown;
            }
            None => lines.push([head, hex.trim(), shown].map(str::to_owned)),
        }
    }
    lines.iter().map(|line| line.join(" ")).collect::<Vec<_>>().join("\n")
}

fn run(steps: &[Step], directory: &Path) -> String {
    let programs = Path::new(env!("CARGO_BIN_EXE_iecprobe")).parent().unwrap();
    let library = if needs(steps, "gurux") { crate::python::python().and_then(Path::parent) } else { None };
    let path = [Some(programs), library].into_iter().flatten().map(|folder| format!("{}:", folder.display()));
    let path = path.collect::<String>() + &std::env::var("PATH").unwrap_or_default();
    let commands: Vec<String> = steps.iter().map(|step| with_wait(&step.command)).collect();
    // Blocks run side by side, each in a place of its own.
    let own = format!("{}/", directory.display());
    let script = commands.join("\n").replace("cargo run -q -- ", "iecprobe ").replace("/tmp/", &own);
    crate::priority::ask();
    let output = Command::new("bash")
        .args(["-c", &format!("exec 2>&1; trap 'kill $(jobs -p) 2>/dev/null' EXIT\n{script}")])
        .current_dir(directory)
        .env("PATH", path)
        .env("HOME", directory)
        .env_remove("RUST_BACKTRACE")
        .env_remove("RUST_LOG")
        .env_remove("IECPROBE_PORT")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).replace(&own, "/tmp/")
}

/// A command, and the moment that passes until the next one is typed: its meter is there then.
fn with_wait(command: &str) -> String {
    match command.split_once("--link ").and_then(|(_, rest)| rest.split_whitespace().next()) {
        Some(link) if command.ends_with('&') => {
            format!("{command}\nuntil [ -e {link} ]; do sleep 0.01; done")
        }
        _ => command.to_owned(),
    }
}

fn needs(steps: &[Step], what: &str) -> bool {
    steps.iter().any(|step| step.command.contains(what))
}

/// The program that a block needs beside ours, and that this machine does not have.
fn missing(steps: &[Step]) -> Option<&'static str> {
    if needs(steps, "gurux") && crate::python::python().is_none() {
        return Some("gurux-dlms");
    }
    ["jq", "socat", "python3"].into_iter().find(|program| {
        needs(steps, program)
            && Command::new(program)
                .arg("--version")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .is_err()
    })
}

/// Runs all blocks of a page side by side: most of their time is the line's.
fn check(page: &str) {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
    assert!(text.contains("```console"), "{page} has no block to run");
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let runs: Vec<_> = blocks(&text)
            .into_iter()
            .filter(|steps| match missing(steps) {
                Some(program) => {
                    eprintln!("skipped a block of {page}: there is no {program}");
                    false
                }
                None => true,
            })
            .map(|steps| {
                scope.spawn(move || {
                    let directory = tempfile::tempdir().unwrap();
                    let expected: String = steps.iter().map(|step| step.output.as_str()).collect();
                    let found = run(&steps, directory.path());
                    let first = steps.first().map_or("", |step| step.command.as_str());
                    (settled(&expected) != settled(&found))
                        .then(|| format!("$ {first}\n--- the page\n{expected}--- the program\n{found}"))
                })
            })
            .collect();
        runs.into_iter().filter_map(|run| run.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{page} shows what is not so:\n\n{}", wrong.join("\n"));
}

/// Commands on pages that are not in a block to run, because they need a port that this machine does not have: indented
/// lines, and text between backticks.
fn loose_commands(page: &str) -> Vec<&str> {
    let mut fenced = false;
    let outside = page.lines().filter(|line| {
        fenced ^= line.trim_start().starts_with("```");
        !fenced
    });
    let commands = outside.flat_map(|line| {
        let indented = line.starts_with("    ").then(|| line.trim());
        indented.into_iter().chain(line.split('`').skip(1).step_by(2))
    });
    let is_whole = |command: &&str| {
        (command.starts_with("iecprobe -")
            || command.starts_with("iecprobe /dev")
            || *command == "iecmeter --list-scenarios")
            && !["]", "..", "|"].iter().any(|form| command.contains(form))
            && command.chars().all(|c| !c.is_ascii_uppercase() || command.contains("USB"))
    };
    commands.filter(is_whole).collect()
}

#[test]
fn commands_that_need_a_real_port_are_understood() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let mut count = 0;
    for path in
        docs.chain([root.join("README.md")]).filter(|path| path.extension().is_some_and(|it| it == "md"))
    {
        let page = fs::read_to_string(&path).unwrap();
        for command in loose_commands(&page) {
            let directory = tempfile::tempdir().unwrap();
            fs::write(directory.path().join("requests"), "").unwrap();
            let there = command.replace("/dev/ttyUSB0", "/dev/no-such-port");
            let step = Step { command: format!("{there}\necho \"status $?\""), output: String::new() };
            let printed = run(&[step], directory.path());
            let understood = printed.ends_with("status 0\n") || printed.ends_with("status 3\n");
            assert!(understood, "{}: {command}\n{printed}", path.display());
            count += 1;
        }
    }
    assert!(count > 10, "only {count} commands were found");
}

/// The scripts of a job: what stands below each `run: |`, without its indentation.
fn job_scripts(page: &str) -> Vec<String> {
    let job = page.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let steps = job.split("run: |\n").skip(1);
    let script = |step: &str| {
        let indent = step.len() - step.trim_start().len();
        let lines = step.lines().take_while(|line| line.len() > indent && line[..indent].trim().is_empty());
        lines.map(|line| &line[indent..]).collect::<Vec<_>>().join("\n")
    };
    steps.map(script).collect()
}

#[test]
fn the_job_for_ci_does_what_its_page_says() {
    check("docs/ci.md");
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ci.md")).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let steps = job_scripts(&page).into_iter();
    // As the runners do it: bash, which ends with the first command that fails.
    let steps = steps.map(|script| Step { command: format!("(set -e; {script}\n)"), output: String::new() });
    let steps: Vec<Step> = steps.collect();
    if let Some(program) = missing(&steps) {
        return eprintln!("skipped the job: there is no {program}");
    }
    let printed = page.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert_eq!(run(&steps, directory.path()), printed);
}

/// A row of the index leads to a section of that name and status, and one of its messages is shown there.
#[test]
fn the_index_of_failures_is_whole() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/failures.md")).unwrap();
    let sections: Vec<(&str, &str)> =
        page.split("\n## ").skip(1).filter_map(|it| it.split_once('\n')).collect();
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter(|line| line.contains("](#"))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect();
    for (title, text) in sections.iter().filter(|(title, _)| title.ends_with('`')) {
        let (status, kind) = title.split_once(' ').unwrap();
        let link = format!("[{kind}](#{status}-{})", kind.trim_matches('`'));
        let row = rows.iter().find(|row| row[1] == link && row[2] == status);
        let row = row.unwrap_or_else(|| panic!("{title} is not in the index"));
        let shown = |message: &str| message.split("..").all(|part| text.contains(part.trim()));
        assert!(row[0] == "anything else" || row[0].split('`').skip(1).step_by(2).any(shown), "{row:?}");
    }
    let kinds = sections.iter().filter(|(title, _)| title.ends_with('`')).count();
    assert_eq!(rows.len(), kinds + 1, "a row of the index has no section");
}

macro_rules! pages {
    ($($name:ident: $page:literal,)*) => {
        $(#[test]
        fn $name() {
            check($page);
        })*

        #[test]
        fn no_page_is_left_out() {
            let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
            let folders = [docs.join("dev"), docs];
            let pages = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap());
            for path in pages.map(|entry| entry.unwrap().path()) {
                let name = path.file_name().unwrap().to_string_lossy();
                let runs = path.is_file() && fs::read_to_string(&path).unwrap().contains("```console");
                let known = [$($page),*, "docs/ci.md"].contains(&&*format!("docs/{name}"));
                assert!(known || !runs, "{name} has blocks that nobody runs");
            }
        }
    };
}

pages! {
    the_readme_shows_what_is_so: "README.md",
    the_page_of_options_shows_what_is_so: "docs/options.md",
    the_page_for_scripts_shows_what_is_so: "docs/scripts.md",
    the_page_for_technicians_shows_what_is_so: "docs/technician.md",
    the_page_of_failures_shows_what_is_so: "docs/failures.md",
    the_recipes_show_what_is_so: "docs/recipes.md",
}
