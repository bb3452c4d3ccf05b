//! Where an instant stands on an axis that is true to scale, but for long silences: those are squeezed, and marked.

use std::time::Duration;

use crate::record::timeline::{Span, Timeline};

/// A silence longer than this is squeezed.
const LIMIT: f64 = 0.6;

/// To this.
const SQUEEZED: f64 = 0.3;

/// A stretch of time with one scale.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    from: f64,
    to: f64,
    /// Where it begins on the axis.
    at: f64,
    length: f64,
}

/// An axis. Its unit is the second of what is not squeezed.
#[derive(Debug)]
pub(super) struct Axis {
    stretches: Vec<Stretch>,
}

impl Axis {
    /// The axis of a timeline.
    pub(super) fn new(timeline: &Timeline) -> Self {
        let mut axis = Self { stretches: Vec::new() };
        for silence in timeline.silences().iter().filter(|silence| is_squeezed(silence)) {
            axis.stretch(silence.start.as_secs_f64(), None);
            axis.stretch(silence.end.as_secs_f64(), Some(SQUEEZED));
        }
        axis.stretch(timeline.end.as_secs_f64(), None);
        axis
    }

    fn stretch(&mut self, to: f64, length: Option<f64>) {
        let (from, at) = self.stretches.last().map_or((0.0, 0.0), |last| (last.to, last.at + last.length));
        self.stretches.push(Stretch { from, to, at, length: length.unwrap_or(to - from) });
    }

    /// Its length.
    pub(super) fn length(&self) -> f64 {
        self.stretches.last().map_or(0.0, |last| last.at + last.length)
    }

    /// Where an instant stands on it.
    pub(super) fn place(&self, time: Duration) -> f64 {
        let time = time.as_secs_f64();
        let next = self.stretches.partition_point(|stretch| stretch.to < time);
        let Some(stretch) = self.stretches.get(next) else { return self.length() };
        let scale =
            if stretch.to > stretch.from { stretch.length / (stretch.to - stretch.from) } else { 0.0 };
        stretch.at + (time - stretch.from) * scale
    }

    /// Ticks every `step` seconds, as seconds and places: those that do not fall into a squeezed silence.
    pub(super) fn ticks(&self, step: f64) -> Vec<(f64, f64)> {
        let mut ticks = Vec::new();
        for stretch in self.stretches.iter().filter(|stretch| stretch.length >= stretch.to - stretch.from) {
            let (first, last) = ((stretch.from / step).ceil() as u64, (stretch.to / step).floor() as u64);
            let times = (first..=last).map(|count| count as f64 * step);
            ticks.extend(times.map(|time| (time, stretch.at + time - stretch.from)));
        }
        ticks
    }
}

/// Whether a silence is too long to be drawn to scale.
pub(super) fn is_squeezed(silence: &Span) -> bool {
    (silence.end - silence.start).as_secs_f64() > LIMIT
}

/// The shortest of the usual steps that is at least `least` seconds.
pub(super) fn step(least: f64) -> f64 {
    let decades = (-2..).map(|exponent| 10f64.powi(exponent));
    let mut steps = decades.flat_map(|decade| [decade, 2.0 * decade, 5.0 * decade]);
    steps.find(|&step| step >= least).unwrap_or(1.0)
}

/// A number of seconds beside a tick, as exact as its step.
pub(super) fn label(seconds: f64, step: f64) -> String {
    let places = if step >= 1.0 {
        0
    } else if step >= 0.1 {
        1
    } else {
        2
    };
    format!("{seconds:.places$}")
}
