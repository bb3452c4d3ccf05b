//! The rooms of the house, as the sources have them: who may name an operating system.

use std::fs;
use std::path::{Path, PathBuf};

/// What only `src/os` may name.
const SYSTEM: [&str; 8] =
    ["std::os", "rustix", "libc::", "signal_hook", "serialport::", "windows_sys", "/proc/", "cfg(unix"];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

/// The lines of every source outside `src/os` that name one of these.
fn naming(names: &[&str]) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    for path in sources(&root).iter().filter(|path| !path.starts_with(root.join("os"))) {
        let source = fs::read_to_string(path).unwrap();
        for (number, line) in source.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if names.iter().any(|name| code.contains(name)) {
                found.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
            }
        }
    }
    found
}

#[test]
fn nothing_outside_its_room_names_an_operating_system() {
    let found = naming(&SYSTEM);
    assert!(found.is_empty(), "{found:#?}");
    // The same search finds a name that is there.
    assert!(!naming(&["crate::os::"]).is_empty());
}

#[test]
fn the_top_of_the_house_shows_at_a_glance() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let entries = fs::read_dir(root).unwrap().count();
    assert!(entries <= 12, "{entries}");
}
