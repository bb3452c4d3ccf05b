//! The pure core, both ends in one test, under a clock that jumps: no port, no program, no waiting.

mod carrier;
mod corpus;
mod faults;
mod fuzz;
mod hunt;
#[allow(dead_code)]
#[path = "../../src/bin/iecprobe/kind.rs"]
mod kind;
mod replay;
mod rooms;
mod scenarios;
mod simulated;
mod sweeps;
mod timeline;
mod variants;
