//! Machines beside the sign-on.

pub mod exchange;
