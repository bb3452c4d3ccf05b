//! Waiting on descriptors.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::os::{Interest, Readiness};

/// Something that can be waited for: here a descriptor.
#[derive(Clone, Copy, Debug)]
pub struct Handle<'a>(BorrowedFd<'a>);

impl<'a> Handle<'a> {
    /// The handle of something that has a descriptor.
    pub fn of(source: &'a impl AsFd) -> Self {
        Self(source.as_fd())
    }
}

/// Waits until one of these is ready for a use asked for, or has an error, or the instant has come.
pub fn wait<const N: usize>(
    interests: [Interest<'_>; N],
    until: Option<Instant>,
) -> io::Result<[Readiness; N]> {
    // No allocation: this is called for every few bytes. Places left over hold a descriptor that is not looked at.
    let Some(spare) = interests.iter().find_map(|interest| interest.handle) else {
        std::thread::sleep(
            until.ok_or(io::ErrorKind::InvalidInput)?.saturating_duration_since(Instant::now()),
        );
        return Ok([Readiness::default(); N]);
    };
    let mut places = [0; N];
    let mut polled: [PollFd<'_>; N] =
        std::array::from_fn(|_| PollFd::from_borrowed_fd(spare.0, PollFlags::empty()));
    let mut count = 0;
    for (place, interest) in interests.into_iter().enumerate() {
        let Some(handle) = interest.handle else { continue };
        let mut flags = PollFlags::empty();
        flags.set(PollFlags::IN, interest.read);
        flags.set(PollFlags::OUT, interest.write);
        places[count] = place;
        polled[count] = PollFd::from_borrowed_fd(handle.0, flags);
        count += 1;
    }
    let polled = &mut polled[..count];
    let timeout = until.map(|until| {
        let left = until.saturating_duration_since(Instant::now()).min(Duration::from_secs(86_400));
        Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) }
    });
    let mut found = [Readiness::default(); N];
    match poll(polled, timeout.as_ref()) {
        Ok(_) => {}
        Err(Errno::INTR) => return Ok(found),
        Err(error) => return Err(error.into()),
    }
    for (place, polled) in places.into_iter().zip(&*polled) {
        let events = polled.revents();
        found[place] = Readiness {
            read: events.contains(PollFlags::IN),
            write: events.contains(PollFlags::OUT),
            error: events.intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL),
        };
    }
    Ok(found)
}
