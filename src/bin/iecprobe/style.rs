//! How text for people looks on a terminal: colours, and lines no wider than it is. Elsewhere text is left as it is.

use std::io::{self, IsTerminal};

use anstyle::{AnsiColor, Style};
use terminal_size::{Height, Width, terminal_size_of};

/// `--color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Color {
    /// On a terminal that takes colours, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// The name of the program before what is wrong.
    Error,
    /// The word before what can be done.
    Hint,
    /// A command to paste.
    Command,
    /// The head of a table.
    Head,
}

/// The look of a stream.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    colour: bool,
    width: Option<usize>,
}

impl Look {
    /// The look of our stderr.
    pub fn stderr(color: Color) -> Self {
        Self::of(color, &io::stderr())
    }

    /// The look of our stdout.
    pub fn stdout(color: Color) -> Self {
        Self::of(color, &io::stdout())
    }

    fn of(color: Color, stream: &(impl IsTerminal + TerminalSize)) -> Self {
        let terminal = stream.is_terminal();
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let colour = match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && !refused && !is_dumb(),
        };
        Self { colour, width: terminal.then(|| stream.columns()).flatten() }
    }

    /// The text of a help: headings and the names of options stand out.
    pub fn help(self, text: &str) -> String {
        let line = |line: &str| match (line.trim_start(), line.split_once(':')) {
            (option, _) if option.starts_with('-') => {
                let indent = line.len() - option.len();
                let end = option.find("  ").unwrap_or(option.len());
                format!("{}{}{}", &line[..indent], self.paint(Piece::Command, &option[..end]), &option[end..])
            }
            (_, Some(("error", rest))) => self.paint(Piece::Error, "error:") + rest,
            (_, Some((heading, rest)))
                if heading == "Usage" || (rest.is_empty() && !line.starts_with(' ')) =>
            {
                self.paint(Piece::Head, &format!("{heading}:")) + rest
            }
            _ => line.to_owned(),
        };
        text.lines().map(|text| line(text) + "\n").collect()
    }

    /// Whether it has colours.
    pub fn has_colour(self) -> bool {
        self.colour
    }

    /// The columns of the terminal, if it is one.
    pub fn width(self) -> Option<usize> {
        self.width
    }

    /// A piece of text as it looks here.
    pub fn paint(self, piece: Piece, text: &str) -> String {
        if !self.colour {
            return text.to_owned();
        }
        let style = match piece {
            Piece::Error => Style::new().bold().fg_color(Some(AnsiColor::Red.into())),
            Piece::Hint => Style::new().bold().fg_color(Some(AnsiColor::Yellow.into())),
            Piece::Command => Style::new().fg_color(Some(AnsiColor::Cyan.into())),
            Piece::Head => Style::new().bold(),
        };
        format!("{style}{text}{style:#}")
    }

    /// Text behind a label, in lines that fit, the further ones indented. Lines that it has are kept.
    pub fn wrapped(self, piece: Piece, label: &str, text: &str) -> String {
        let mut lines = text.lines();
        let first = format!("{label}{}", lines.next().unwrap_or_default());
        let rows = self.rows(&first, "  ").into_iter();
        let rows = rows.chain(lines.flat_map(|line| self.rows(line, "    ")));
        let all: String = rows.map(|row| row + "\n").collect();
        match all.strip_prefix(label) {
            Some(rest) => self.paint(piece, label.trim_end()) + &label[label.trim_end().len()..] + rest,
            None => all,
        }
    }

    /// A line as rows that fit, where that can be.
    fn rows(self, line: &str, indent: &str) -> Vec<String> {
        let width = self.width.unwrap_or(usize::MAX).max(20);
        let mut rows = vec![String::new()];
        for word in line.split_inclusive(' ') {
            let row = rows
                .last_mut()
                .filter(|row| row.trim().is_empty() || row.len() + word.trim_end().len() <= width);
            match row {
                Some(row) => row.push_str(word),
                None => rows.push(format!("{indent}{word}")),
            }
        }
        rows.into_iter().map(|row| row.trim_end().to_owned()).collect()
    }
}

/// Whether the terminal can do nothing but show characters.
pub fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// A stream that may have columns.
trait TerminalSize {
    fn columns(&self) -> Option<usize>;
}

impl TerminalSize for io::Stderr {
    fn columns(&self) -> Option<usize> {
        terminal_size_of(self).map(columns)
    }
}

impl TerminalSize for io::Stdout {
    fn columns(&self) -> Option<usize> {
        terminal_size_of(self).map(columns)
    }
}

fn columns((Width(columns), Height(_)): (Width, Height)) -> usize {
    columns.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(width: usize) -> Look {
        Look { colour: false, width: Some(width) }
    }

    #[test]
    fn no_row_is_wider_than_the_terminal_and_no_word_is_cut_or_lost() {
        let text = "no answer to 3 requests at 300 Bd: not a single byte came";
        for width in 20..100 {
            let wrapped = look(width).wrapped(Piece::Error, "iecprobe: ", text);
            assert!(wrapped.lines().all(|line| line.len() <= width), "{wrapped}");
            let words: Vec<&str> = wrapped.split_whitespace().skip(1).collect();
            assert_eq!(words, text.split(' ').collect::<Vec<_>>());
        }
        assert_eq!(Look::default().wrapped(Piece::Hint, "hint: ", text), format!("hint: {text}\n"));
    }

    #[test]
    fn lines_of_a_message_are_kept() {
        let wrapped = look(30).wrapped(Piece::Error, "iecprobe: ", "two ports:\n  /dev/ttyUSB0, an adapter");
        assert_eq!(wrapped, "iecprobe: two ports:\n  /dev/ttyUSB0, an adapter\n");
    }

    #[test]
    fn colours_change_no_letter() {
        let bright = Look { colour: true, width: None };
        let painted = bright.wrapped(Piece::Error, "iecprobe: ", "a message");
        assert_eq!(painted, "\x1B[1m\x1B[31miecprobe:\x1B[0m a message\n");
    }
}
