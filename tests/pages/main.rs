//! The pages, the pictures, the completions and the man pages: what is printed there is what the programs do.

#![cfg(unix)]

#[allow(dead_code)]
#[path = "../../src/bin/iecprobe/cli/mod.rs"]
mod cli;
mod docs;
#[allow(dead_code)]
#[path = "../../src/bin/iecprobe/form.rs"]
mod form;
mod generated;
#[path = "../../src/bin/iecprobe/kind.rs"]
mod kind;
mod links;
#[allow(dead_code)]
#[path = "../../src/bin/iecmeter/cli.rs"]
mod meter_cli;
mod pictures;
#[path = "../program/priority.rs"]
mod priority;
#[path = "../program/dlms/python.rs"]
mod python;
#[allow(dead_code)]
#[path = "../../src/bin/iecprobe/style.rs"]
mod style;
#[allow(dead_code)]
#[path = "../../src/bin/iecprobe/words.rs"]
mod words;
