//! The sign-on to a smart meter's optical port (IEC 62056-21, mode E), and a virtual meter to test it against.
//!
//! The programs `iecprobe` and `iecmeter` are made of this crate. Its core does no input and no output, and it reads no
//! clock: bytes and [`std::time::Instant`]s go in, actions come out. The same sign-on therefore runs on a serial port, on
//! an executor of your own, and in a test that takes microseconds.
//!
//! # A sign-on with both ends
//!
//! [`meter::simulate()`] joins a sign-on to a virtual meter under a clock that jumps. The line takes its 1.5 s at 300 Bd,
//! the test does not.
//!
//! ```
//! use std::time::{Duration, Instant};
//!
//! use iecprobe::meter::{scenario, simulate};
//! use iecprobe::signon::{Config, Failure, SignOn};
//!
//! let began = Instant::now();
//! let mut machine = SignOn::new(Config::default(), began);
//! let meter = scenario::behaviour("echo+slow")?;
//! let (outcome, ended) = simulate(&mut machine, meter, began).expect("nobody unplugs this port");
//!
//! let signed_on = outcome?;
//! assert_eq!(signed_on.identification.flag_id().name(), Some("Iskraemeco, Slovenia"));
//! assert_eq!((signed_on.baud, signed_on.confirmed), (9600, Some(true)));
//! assert!(ended - began > Duration::from_secs(5) && began.elapsed() < Duration::from_secs(1));
//!
//! // A meter for plain readout is a failure that says who answered.
//! let mut machine = SignOn::new(Config::default(), began);
//! let (outcome, _) = simulate(&mut machine, scenario::behaviour("mode-c")?, began).expect("nobody unplugs");
//! let failed = outcome.unwrap_err();
//! assert_eq!(failed.failure, Failure::NoModeE);
//! assert_eq!(failed.identification.unwrap().ident(), b"ZMF100AC.M23");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! `examples/sign_on.rs` does the same on a real port, and is where a reader of your own can begin.
//!
//! # The rooms
//!
//! | module | what is in it |
//! |---|---|
//! | [`protocol`] | what messages are: identification, request, HDLC frame, rate, parity, times |
//! | [`machine`] | the contract between a protocol machine and its driver |
//! | [`signon`] | the machine that signs on |
//! | [`meter`] | the virtual meter with the faults and quirks of real ones |
//! | [`record`] | what happened on a line, as a trace and as a picture |
//! | `line`, `driver`, `pipe`, `os` | lines to real ports, and the loops that run on them |
//!
//! # Features
//!
//! Both are on by default. Without them the crate is the pure core, and `thiserror` is all that it needs.
//!
//! - `port`: `line`, `driver`, `pipe` and `os`.
//! - `cli`: the two programs. A library user takes
//!   `iecprobe = { version = "0.1", default-features = false, features = ["port"] }`.

#[cfg(feature = "port")]
pub mod driver;
pub mod hunt;
#[cfg(feature = "port")]
pub mod line;
pub mod machine;
pub mod meter;
#[cfg(feature = "port")]
pub mod os;
#[cfg(feature = "port")]
pub mod pipe;
pub mod protocol;
pub mod record;
pub mod signon;
