//! A Python with gurux-dlms in it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The version that the scripts beside it are written for: its server lacks methods that the scripts add.
const LIBRARY: &str = "gurux-dlms==1.0.203";

/// The Python that has the library; made once, and kept in the target folder for the next run.
pub fn python() -> Option<&'static Path> {
    static PYTHON: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    match PYTHON.get_or_init(prepare) {
        Ok(python) => Some(python),
        Err(why) if env::var("CI").is_ok_and(|ci| ci == "true") => panic!("{LIBRARY} cannot be had: {why}"),
        Err(why) => {
            eprintln!("skipped: {LIBRARY} cannot be had: {why}");
            None
        }
    }
}

fn prepare() -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dlms");
    let python = folder.join("bin/python");
    let ready = folder.join(LIBRARY);
    if !ready.exists() {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", LIBRARY];
        run(Command::new(&python).args(pip))?;
        // Written last: a set-up that was cut short is done again.
        fs::write(&ready, "").map_err(|error| error.to_string())?;
    }
    Ok(python)
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!(
        "{command:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    ))
}
