//! Shapes and words as SVG. All text is printable ASCII when it comes here; it is escaped for XML.

use std::fmt::Write as _;

/// Width of the picture in pixels.
pub(super) const WIDTH: f64 = 1000.0;

/// Width of a character, rounded up over the usual monospaced fonts.
pub(super) const CHARACTER: f64 = 6.75;

/// How words are written.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ink {
    Heading,
    Plain,
    Faint,
    Coloured(&'static str),
    Strong(&'static str),
}

/// A picture that grows downwards.
#[derive(Debug, Default)]
pub(super) struct Canvas {
    body: String,
    y: f64,
}

impl Canvas {
    /// How far down it has grown.
    pub(super) fn y(&self) -> f64 {
        self.y
    }

    pub(super) fn down(&mut self, by: f64) {
        self.y += by;
    }

    pub(super) fn rectangle(&mut self, x: f64, y: f64, width: f64, height: f64, fill: &str) {
        let _ = writeln!(
            self.body,
            r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" fill="{fill}"/>"#
        );
    }

    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), stroke: &str) {
        self.path(&[from, to], stroke, "");
    }

    /// A line through these points; `dashes` as SVG has them, or nothing.
    pub(super) fn path(&mut self, points: &[(f64, f64)], stroke: &str, dashes: &str) {
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let dashes =
            if dashes.is_empty() { String::new() } else { format!(r#" stroke-dasharray="{dashes}""#) };
        let _ = writeln!(
            self.body,
            r#"<polyline points="{}" fill="none" stroke="{stroke}"{dashes}/>"#,
            points.join(" ")
        );
    }

    /// Words that begin at `x`.
    pub(super) fn text(&mut self, x: f64, y: f64, ink: Ink, words: &str) {
        self.words(x, y, ink, "start", words);
    }

    /// Words that end at `x`.
    pub(super) fn text_to(&mut self, x: f64, y: f64, ink: Ink, words: &str) {
        self.words(x, y, ink, "end", words);
    }

    /// Words around `x`.
    pub(super) fn text_at(&mut self, x: f64, y: f64, ink: Ink, words: &str) {
        self.words(x, y, ink, "middle", words);
    }

    fn words(&mut self, x: f64, y: f64, ink: Ink, anchor: &str, words: &str) {
        let look = match ink {
            Ink::Heading => r##"fill="#1a1a1a" font-size="14" font-weight="bold""##.to_owned(),
            Ink::Plain => r##"fill="#1a1a1a""##.to_owned(),
            Ink::Faint => r##"fill="#6b6b66""##.to_owned(),
            Ink::Coloured(colour) => format!(r#"fill="{colour}""#),
            Ink::Strong(colour) => format!(r#"fill="{colour}" font-weight="bold""#),
        };
        let anchor = if anchor == "start" { String::new() } else { format!(r#" text-anchor="{anchor}""#) };
        let _ = writeln!(
            self.body,
            r#"<text x="{x:.1}" y="{y:.1}" {look}{anchor} xml:space="preserve">{}</text>"#,
            escaped(words)
        );
    }

    /// The whole picture.
    pub(super) fn finish(self, title: &str) -> String {
        let (height, title) = (self.y + 16.0, escaped(title));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{WIDTH}\" height=\"{height:.0}\" \
             viewBox=\"0 0 {WIDTH} {height:.0}\" font-size=\"11\" font-family=\"ui-monospace, 'DejaVu Sans Mono', \
             Menlo, Consolas, monospace\">\n<title>{title}</title>\n<desc>What happened on the line between the \
             reader and the meter, in time.</desc>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n{}</svg>\n",
            self.body
        )
    }
}

fn escaped(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
