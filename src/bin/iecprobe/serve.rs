//! `--listen`: a TCP client in place of stdin and stdout, one after the other, each with a session of its own.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use iecprobe::line::Endpoint;
use iecprobe::os::{Interest, Interrupt, Listener, Socket, wait};

use crate::ending::{self, Ending};
use crate::job::{Job, Serving};
use crate::session::Session;
use crate::trouble::Trouble;

/// How soon whoever turns clients away notices that the port is free again.
const GUARD_POLL: Duration = Duration::from_millis(20);

/// Serves the port until a signal, or for as many clients as were asked for: the status of the last one.
pub fn run(job: &Job, serving: &Serving, port: &str, interrupt: &Interrupt) -> Result<u8, i32> {
    let tell = |ended| ending::tell(&job.manner, port, ended);
    let (listener, address) = match listen(&serving.at) {
        Ok(listening) => listening,
        Err(error) => {
            let message = format!("--listen {}: {error}", serving.at);
            return tell(Err(Trouble::Internal(message).into()));
        }
    };
    if !address.ip().is_loopback() {
        log::warn!("{address} can be reached by other computers, and whoever connects has the meter");
    }
    if let Err(ending) = ending::print(&format!("{address}\n")) {
        return tell(Err(ending));
    }
    let mut status = 0;
    let mut served = 0;
    while serving.sessions.is_none_or(|most| served < most) {
        let client = match await_client(&listener, interrupt) {
            Ok(client) => client,
            Err(ending) => return tell(Err(ending)),
        };
        served += 1;
        let ended = alone(&listener, || {
            let session = Session { job, port, interrupt, client: Some(&client) };
            session.run().map(drop)
        });
        match ended {
            // The client has gone without waiting for the rest, which is its own affair.
            Ok(()) | Err(Ending::OutputClosed) => status = tell(Ok(()))?,
            ended => {
                // An end in good order would look like a meter that has nothing to say.
                client.reset();
                status = tell(ended)?;
            }
        }
    }
    Ok(status)
}

fn listen(at: &Endpoint) -> io::Result<(Listener, SocketAddr)> {
    let places: Vec<SocketAddr> = (at.host.as_str(), at.port).to_socket_addrs()?.collect();
    let listener = Listener::bind(&places)?;
    let address = listener.address()?;
    Ok((listener, address))
}

fn await_client(listener: &Listener, interrupt: &Interrupt) -> Result<Socket, Ending> {
    loop {
        if let Some(signal) = interrupt.signal() {
            return Err(Ending::Signal(signal));
        }
        let failed = |error: io::Error| Ending::from(Trouble::Internal(error.to_string()));
        if let Some(client) = listener.accept().map_err(failed)? {
            return Ok(client);
        }
        let interests = [Interest::read(Some(interrupt.handle())), Interest::read(Some(listener.handle()))];
        wait(interests, None).map_err(failed)?;
    }
}

/// Does this while every further client is closed at once.
fn alone<T>(listener: &Listener, serve: impl FnOnce() -> T) -> T {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                // One that has gone by itself, or a listener that is out of descriptors, is looked at again soon.
                drop(listener.accept());
                let until = Instant::now() + GUARD_POLL;
                let _ = wait([Interest::read(Some(listener.handle()))], Some(until));
            }
        });
        let served = serve();
        done.store(true, Ordering::Relaxed);
        served
    })
}
