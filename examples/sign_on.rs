//! Signs on to a meter and says who answered: `cargo run --example sign_on -- /dev/ttyUSB0`.
//!
//! Without a name it talks to the built-in meter. A reader of your own takes the line over at the end.

use std::error::Error;
use std::time::{Duration, Instant};

use iecprobe::driver::Driver;
use iecprobe::line::{self, Options};
use iecprobe::os::Interrupt;
use iecprobe::protocol::settings::Settings;
use iecprobe::protocol::text;
use iecprobe::record::observer::Observer;
use iecprobe::signon::{Config, SignOn};

/// Prints every message that goes out.
struct Printer;

impl Observer for Printer {
    fn transmitted(&mut self, bytes: &[u8], _now: Instant) {
        println!("sent: {bytes:02X?}");
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let name = std::env::args().nth(1).unwrap_or_else(|| "sim:".to_owned());
    let interrupt = Interrupt::register()?;
    let settings = Settings::seven_even(300);
    let options = Options { parity: None, dtr: true, rts: true, settings };
    let mut line = line::open(&name.parse()?, options, &interrupt)?;
    let nature = line.nature();
    let config =
        Config { parities: nature.parities, warm_up: nature.warm_up, lag: nature.lag, ..Config::default() };
    let mut driver = Driver { line: &mut *line, interrupt: &interrupt, observer: &mut Printer };
    let signed_on = driver.run(&mut SignOn::new(config, Instant::now()))??;

    let identification = &signed_on.identification;
    println!("manufacturer: {}", identification.flag_id().name().unwrap_or("not on the list"));
    println!("ident: {}", text::escaped(identification.ident()));
    println!("rate: {} Bd", signed_on.baud);
    // Most meters want a pause before the first byte at the new rate; after it `line.write` and `line.read` are HDLC.
    driver.pause(Instant::now() + Duration::from_millis(300))?;
    Ok(())
}
