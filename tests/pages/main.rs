//! The pages, the pictures, the completions and the man pages: what is printed there is what the programs do.

#![cfg(unix)]

mod docs;
mod generated;
mod pictures;
#[path = "../program/priority.rs"]
mod priority;
#[path = "../program/dlms/python.rs"]
mod python;
