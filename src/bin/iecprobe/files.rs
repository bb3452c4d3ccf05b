//! The files that a run writes beside its report: the trace and the picture.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// Where the trace goes.
#[derive(Clone, Debug)]
pub enum Tracing {
    /// To stderr.
    Stderr,
    /// To this file.
    File(PathBuf),
}

/// Where the picture goes, and in which form.
#[derive(Clone, Debug)]
pub enum Drawing {
    /// To stderr, as text.
    Stderr,
    /// To this file, as text.
    Text(PathBuf),
    /// To this file, as SVG.
    Svg(PathBuf),
}

impl Tracing {
    /// What `--trace` names, or why it is refused.
    pub fn of(file: PathBuf) -> Result<Self, String> {
        if file.as_os_str() == "-" {
            return Ok(Self::Stderr);
        }
        if file.is_dir() {
            return Err(format!("--trace {}: this is a folder, not a file", file.display()));
        }
        Ok(Self::File(file))
    }

    fn file(&self) -> Option<&Path> {
        match self {
            Self::Stderr => None,
            Self::File(file) => Some(file),
        }
    }
}

impl Drawing {
    /// What `--timeline` names, or why it is refused. Only a plain file is written over: a picture in a port or a pipe
    /// helps nobody.
    pub fn of(file: PathBuf) -> Result<Self, String> {
        if file.as_os_str() == "-" {
            return Ok(Self::Stderr);
        }
        let shown = file.display();
        if fs::metadata(&file).is_ok_and(|there| !there.is_file()) {
            return Err(format!("--timeline={shown}: this is no plain file"));
        }
        let extension = file.extension().map(OsStr::to_ascii_lowercase);
        match extension.as_ref().map(|extension| extension.to_string_lossy()).as_deref() {
            Some("svg") => Ok(Self::Svg(file)),
            Some("txt") | None => Ok(Self::Text(file)),
            Some(_) => Err(format!(
                "--timeline={shown}: the picture is an SVG in a FILE.svg, or text in a FILE.txt or a name without \
                 extension"
            )),
        }
    }

    /// The file, if it goes to one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Stderr => None,
            Self::Text(file) | Self::Svg(file) => Some(file),
        }
    }
}

/// Refuses one file for both: the one would overwrite the other.
pub fn check_apart(trace: Option<&Tracing>, drawing: Option<&Drawing>) -> Result<(), String> {
    let (Some(trace), Some(drawing)) = (trace.and_then(Tracing::file), drawing.and_then(Drawing::file))
    else {
        return Ok(());
    };
    if place(trace) == place(drawing) {
        return Err(format!("--trace and --timeline name the same file, {}", drawing.display()));
    }
    Ok(())
}

/// The place of a file that may not be there yet.
fn place(file: &Path) -> PathBuf {
    file.canonicalize()
        .ok()
        .or_else(|| {
            let folder =
                file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            Some(folder.canonicalize().ok()?.join(file.file_name()?))
        })
        .unwrap_or_else(|| file.into())
}
