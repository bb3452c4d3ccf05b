//! Every link of a page leads to a file that is there, and to a heading that it has.

use std::fs;
use std::path::{Path, PathBuf};

use clap::CommandFactory;

/// The pages: those on the top level, in docs/ and in docs/dev/.
fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = [root.to_owned(), root.join("docs"), root.join("docs/dev")];
    let files = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap());
    files
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "md"))
        .collect()
}

/// The name by which a heading is linked to.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

fn has_heading(page: &str, wanted: &str) -> bool {
    let headings = page.lines().filter(|line| line.starts_with('#'));
    headings.map(|line| anchor(line.trim_start_matches('#').trim())).any(|name| name == wanted)
}

#[test]
fn every_link_leads_somewhere() {
    let mut count = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") || link.contains(' ') {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { page.clone() } else { page.with_file_name(file) };
            assert!(target.exists(), "{}: {link} leads nowhere", page.display());
            let found = heading.is_empty() || has_heading(&fs::read_to_string(&target).unwrap(), heading);
            assert!(found, "{}: {link}: there is no such heading", page.display());
            count += 1;
        }
    }
    assert!(count > 50, "only {count} links were found");
}

/// The design page describes the tree as it is: each path that it names is there, and each room has its place on it.
#[test]
fn the_page_on_the_design_names_the_rooms_that_there_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/dev/design.md")).unwrap();
    for named in page.split('`').filter(|it| it.starts_with("src/") || it.starts_with("tests/")) {
        assert!(root.join(named).exists(), "{named} is not there");
    }
    for entry in fs::read_dir(root.join("src")).unwrap().map(|entry| entry.unwrap().path()) {
        let name = format!("src/{}", entry.file_name().unwrap().to_string_lossy());
        assert!(page.contains(&name) || name == "src/lib.rs", "{name} has no place on the page");
    }
}

#[test]
fn every_option_has_its_row() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/options.md")).unwrap();
    for command in [crate::cli::Args::command(), crate::meter_cli::Args::command()] {
        for option in command.get_arguments().filter_map(|argument| argument.get_long()) {
            let row =
                page.lines().any(|line| line.starts_with("| ") && line.contains(&format!("--{option}")));
            assert!(row, "--{option} of {} is not in docs/options.md", command.get_name());
        }
    }
}
