//! The pictures of terminals in README.md and docs/: each is what the programs print on a terminal, drawn as SVG.
//!
//! `UPDATE_GENERATED=1 cargo test --release --test pictures` draws them anew. Without it the committed ones are
//! compared, times aside.
#![cfg(target_os = "linux")]

use std::fmt::Write as _;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// Each picture: its name, its title, and the commands that are typed.
const PICTURES: &[(&str, &str, &[&str])] = &[
    ("terminal", "Two sign-ons with iecprobe", &["iecprobe -p sim:echo+noise", "iecprobe -p sim:nak"]),
    ("timeline", "A sign-on drawn by --timeline", &["iecprobe -p sim:nak --timeline"]),
];

/// Columns of the terminal.
const COLUMNS: u16 = 84;

/// Width of a character and height of a line, in pixels.
const CELL: (f64, f64) = (8.4, 18.0);

/// A character on the screen: what it is, and the attributes that were in force (as SGR numbers).
#[derive(Clone, Copy, PartialEq, Eq)]
struct Cell {
    shown: char,
    bold: bool,
    dim: bool,
    colour: u8,
}

impl Cell {
    const BLANK: Self = Self { shown: ' ', bold: false, dim: false, colour: 0 };

    fn fill(self) -> &'static str {
        match (self.colour, self.dim) {
            (31 | 91, _) => "#ff7b72",
            (32 | 92, _) => "#7ee787",
            (33 | 93, _) => "#e3b341",
            (34 | 94, _) => "#79c0ff",
            (35 | 95, _) => "#d2a8ff",
            (36 | 96, _) => "#76e3ea",
            (90, _) | (_, true) => "#8b949e",
            _ => "#e6edf3",
        }
    }
}

/// As much of a terminal as the programs use: lines, carriage return, clearing of a line, colours.
#[derive(Default)]
struct Screen {
    lines: Vec<Vec<Cell>>,
    column: usize,
}

impl Screen {
    fn show(&mut self, output: &str) {
        let mut pen = Cell::BLANK;
        let mut characters = output.chars();
        while let Some(character) = characters.next() {
            match character {
                '\n' => self.lines.push(Vec::new()),
                '\r' => self.column = 0,
                '\x1B' => {
                    let sequence: String =
                        characters.by_ref().skip(1).take_while(|c| c.is_ascii_digit() || *c == ';').collect();
                    // `take_while` has eaten the letter that ends the sequence: K where nothing precedes it.
                    match sequence.as_str() {
                        "" => self.line().clear(),
                        codes => codes.split(';').for_each(|code| match code.parse().unwrap_or(0) {
                            0 => pen = Cell::BLANK,
                            1 => pen.bold = true,
                            2 => pen.dim = true,
                            colour => pen.colour = colour,
                        }),
                    }
                }
                shown => self.put(Cell { shown, ..pen }),
            }
        }
    }

    fn line(&mut self) -> &mut Vec<Cell> {
        if self.lines.is_empty() {
            self.lines.push(Vec::new());
        }
        self.lines.last_mut().unwrap()
    }

    fn put(&mut self, cell: Cell) {
        if self.column == usize::from(COLUMNS) {
            self.lines.push(Vec::new());
            self.column = 0;
        }
        let column = self.column;
        let line = self.line();
        line.resize(line.len().max(column + 1), Cell::BLANK);
        line[column] = cell;
        self.column += 1;
    }

    fn svg(&self, title: &str) -> String {
        let (width, height) = (f64::from(COLUMNS) * CELL.0 + 32.0, self.lines.len() as f64 * CELL.1 + 62.0);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
             viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\">\n<title>{title}</title>\n\
             <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#0d1117\"/>\n"
        );
        for (place, colour) in ["#ff5f56", "#ffbd2e", "#27c93f"].iter().enumerate() {
            let _ = writeln!(svg, "<circle cx=\"{}\" cy=\"18\" r=\"6\" fill=\"{colour}\"/>", 22 + 20 * place);
        }
        svg.push_str(
            "<g font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\" font-size=\"14\" \
             xml:space=\"preserve\">\n",
        );
        for (row, line) in self.lines.iter().enumerate() {
            let y = 54.0 + row as f64 * CELL.1;
            let mut column = 0;
            for run in line.chunk_by(|a, b| Cell { shown: b.shown, ..*a } == *b) {
                let x = 16.0 + column as f64 * CELL.0;
                column += run.len();
                let text: String = run.iter().map(|cell| cell.shown).collect();
                if text.trim().is_empty() {
                    continue;
                }
                let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
                let _ = writeln!(
                    svg,
                    "<text x=\"{x:.1}\" y=\"{y:.0}\" textLength=\"{:.1}\" fill=\"{}\"{}>{escaped}</text>",
                    run.len() as f64 * CELL.0,
                    run[0].fill(),
                    if run[0].bold { " font-weight=\"bold\"" } else { "" },
                );
            }
        }
        svg + "</g>\n</svg>\n"
    }
}

/// What a command prints on a terminal of its own.
fn printed(command: &str) -> String {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let size = Winsize { ws_row: 50, ws_col: COLUMNS, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&master, size).unwrap();
    let slave = ioctl_tiocgptpeer(&master, OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    let programs = Path::new(env!("CARGO_BIN_EXE_iecprobe")).parent().unwrap();
    crate::priority::ask();
    let mut child = Command::new("sh")
        .args(["-c", command])
        .env("PATH", format!("{}:{}", programs.display(), std::env::var("PATH").unwrap_or_default()))
        .env("TERM", "xterm-256color")
        .env_remove("NO_COLOR")
        .env_remove("RUST_LOG")
        .env_remove("IECPROBE_PORT")
        .stdin(Stdio::null())
        .stdout(slave.try_clone().unwrap())
        .stderr(slave)
        .spawn()
        .unwrap();
    let mut bytes = Vec::new();
    // The end is EIO.
    let _ = fs::File::from(master).read_to_end(&mut bytes);
    child.wait().unwrap();
    String::from_utf8(bytes).unwrap()
}

/// Without the times, which differ from run to run, and the lengths that follow from them.
fn settled(svg: &str) -> String {
    let number = regex_lite::Regex::new(r"\d+(\.\d+)?").unwrap();
    let drawn = regex_lite::Regex::new(r"(?m)^<text [^>]*>").unwrap();
    // A strip to scale rounds to whole columns.
    let stretch = regex_lite::Regex::new(r"={2,}| {2,}|-{2,}").unwrap();
    let untimed = number.replace_all(&drawn.replace_all(svg, ""), "N").into_owned();
    stretch.replace_all(&untimed, "..").into_owned()
}

#[test]
fn the_pictures_show_what_the_programs_print() {
    for (name, title, commands) in PICTURES {
        let outputs: Vec<String> = std::thread::scope(|scope| {
            let runs: Vec<_> = commands.iter().map(|command| scope.spawn(|| printed(command))).collect();
            runs.into_iter().map(|run| run.join().unwrap()).collect()
        });
        let mut screen = Screen::default();
        for (command, output) in commands.iter().zip(outputs) {
            screen.show(&format!("\x1B[32m$\x1B[0m \x1B[1m{command}\x1B[0m\r\n{output}\r\n"));
        }
        while screen.lines.last().is_some_and(Vec::is_empty) {
            screen.lines.pop();
        }
        let svg = screen.svg(title);
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/pictures/{name}.svg"));
        let kept = fs::read_to_string(&path).unwrap_or_default();
        if settled(&kept) == settled(&svg) {
            continue;
        }
        assert!(
            std::env::var_os("UPDATE_GENERATED").is_some(),
            "docs/pictures/{name}.svg is not what is printed: \
             UPDATE_GENERATED=1 cargo test --release --test pictures draws it"
        );
        fs::write(path, svg).unwrap();
    }
}
