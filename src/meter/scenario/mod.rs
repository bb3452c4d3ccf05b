//! The faults and quirks of real meters, heads and adapters by name.
//!
//! A scenario is a change to the meter of the book, so scenarios combine: `echo+noise+slow+no-confirm` is all four at
//! once.

mod acknowledging;
mod identifying;
mod standing;
mod stubborn;

use crate::meter::behaviour::Behaviour;

/// A scenario's name, what it plays in a few words, and the change that it makes.
#[derive(Clone, Copy)]
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    /// What it plays.
    pub summary: &'static str,
    change: fn(&mut Behaviour),
}

/// A name that no scenario has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no scenario `{0}`")]
pub struct UnknownScenario(pub String);

/// The behaviour of the named scenarios together, joined by `+`; nothing at all is the meter of the book.
pub fn behaviour(names: &str) -> Result<Behaviour, UnknownScenario> {
    let mut behaviour = Behaviour::default();
    apply(names, &mut behaviour)?;
    Ok(behaviour)
}

/// Changes `behaviour` as the named scenarios say.
pub fn apply(names: &str, behaviour: &mut Behaviour) -> Result<(), UnknownScenario> {
    for name in names.split('+').filter(|_| !names.is_empty()) {
        let scenario = ALL.iter().find(|scenario| scenario.name == name);
        (scenario.ok_or_else(|| UnknownScenario(name.to_owned()))?.change)(behaviour);
    }
    Ok(())
}

/// All scenarios, in the order in which they are listed.
pub const ALL: &[Scenario] = &{
    const PARTS: [&[Scenario]; 4] = [acknowledging::ALL, identifying::ALL, standing::ALL, stubborn::ALL];
    const COUNT: usize = PARTS[0].len() + PARTS[1].len() + PARTS[2].len() + PARTS[3].len();
    let mut all = [PARTS[0][0]; COUNT];
    let (mut part, mut place, mut at) = (0, 0, 0);
    while part < PARTS.len() {
        while place < PARTS[part].len() {
            all[at] = PARTS[part][place];
            (place, at) = (place + 1, at + 1);
        }
        (part, place) = (part + 1, 0);
    }
    all
};

const fn ms(milliseconds: u64) -> std::time::Duration {
    std::time::Duration::from_millis(milliseconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meter::behaviour::Acknowledged;

    #[test]
    fn scenarios_combine() {
        let both = behaviour("echo+noise+slow+no-confirm").unwrap();
        assert!(both.echo.is_some() && !both.junk.is_empty() && !both.pauses.is_empty());
        assert_eq!(both.acknowledged, Acknowledged::SaysNothing);
        assert_eq!(behaviour("").unwrap(), Behaviour::default());
        assert_eq!(behaviour("echo+nose"), Err(UnknownScenario("nose".into())));
    }

    #[test]
    fn names_are_used_once() {
        for (place, scenario) in ALL.iter().enumerate() {
            assert!(ALL[..place].iter().all(|other| other.name != scenario.name), "{}", scenario.name);
        }
    }
}
