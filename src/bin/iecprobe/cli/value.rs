//! What the values of options may be: durations, rates, and names that stand for something.

use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

/// A value of an option: its name, its help, and what it means.
pub type Choice<T> = (&'static str, &'static str, T);

/// One of these names, for what it means.
pub fn choice<T: Copy + Send + Sync>(choices: &'static [Choice<T>]) -> impl TypedValueParser<Value = T> {
    let values = choices.iter().map(|(name, help, _)| PossibleValue::new(*name).help(*help));
    let meaning =
        |name: String| choices.iter().find(|(known, ..)| *known == name).map(|(.., meaning)| *meaning);
    PossibleValuesParser::new(values).try_map(move |name| meaning(name).ok_or("not one of the values"))
}

/// The level of a modem line.
pub fn level() -> impl TypedValueParser<Value = bool> {
    PossibleValuesParser::new(["on", "off"]).map(|level| level == "on")
}

/// A duration with its unit, of at most a day.
pub fn duration(text: &str) -> Result<Duration, String> {
    let is_bare = text.ends_with(|last: char| last.is_ascii_digit());
    if is_bare && humantime::parse_duration(&format!("{text}s")).is_ok() {
        return Err(format!("a unit is missing: `{text}ms` or `{text}s`"));
    }
    let duration = humantime::parse_duration(text)
        .map_err(|error| format!("{error}; it has a number and a unit, as `250ms`, `2s` or `1m 30s`"))?;
    if duration > Duration::from_secs(86_400) {
        return Err("more than a day".into());
    }
    Ok(duration)
}

/// A rate in Bd that a UART can have.
pub fn rate(text: &str) -> Result<u32, String> {
    const RANGE: std::ops::RangeInclusive<u32> = 50..=4_000_000;
    let rate = text.parse().ok().filter(|rate| RANGE.contains(rate));
    rate.ok_or_else(|| {
        format!("not a rate that a UART has: a number of Bd from {} to {}", RANGE.start(), RANGE.end())
    })
}

/// A printable character.
pub fn printable(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        &[byte] if byte.is_ascii_graphic() => Ok(byte),
        _ => Err("one printable ASCII character is wanted".into()),
    }
}
