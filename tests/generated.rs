//! The completions and man pages in the repository are those of the command line as it is.
//!
//! `UPDATE_GENERATED=1 cargo test --test generated` writes them anew.

use std::fs;
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use clap_complete::Shell;

#[allow(dead_code)]
#[path = "../src/bin/iecmeter/cli.rs"]
mod iecmeter_cli;
#[allow(dead_code)]
#[path = "../src/bin/iecprobe/cli.rs"]
mod iecprobe_cli;

fn check(path: &str, fresh: &[u8]) {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, fresh).unwrap();
    }
    let kept = fs::read(&path).unwrap_or_default();
    assert!(kept == fresh, "{} is stale: UPDATE_GENERATED=1 cargo test --test generated", path.display());
}

#[test]
fn completions_are_up_to_date() {
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::PowerShell, Shell::Elvish] {
        for (name, mut command) in
            [("iecprobe", iecprobe_cli::Args::command()), ("iecmeter", iecmeter_cli::Args::command())]
        {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut command, name, &mut script);
            check(&format!("completions/{name}.{shell}"), &script);
        }
    }
}

#[test]
fn man_pages_are_up_to_date() {
    for (name, command) in
        [("iecprobe", iecprobe_cli::Args::command()), ("iecmeter", iecmeter_cli::Args::command())]
    {
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page).unwrap();
        check(&format!("docs/man/{name}.1"), &page);
    }
}
