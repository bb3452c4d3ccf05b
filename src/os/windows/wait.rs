//! Waiting on events.

use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, BorrowedSocket};
use std::ptr;
use std::time::{Duration, Instant};

use windows_sys::Win32::Foundation::{FALSE, HANDLE, WAIT_FAILED};
use windows_sys::Win32::System::SystemServices::MAXIMUM_WAIT_OBJECTS;
use windows_sys::Win32::System::Threading::{INFINITE, WaitForMultipleObjects};

use super::event::{Event, is_set};
use super::timer::Timer;
use super::watch::look;
use crate::os::{Interest, Readiness};

/// The longest wait without an end of its own.
const LONGEST: Duration = Duration::from_secs(86_400);

/// How often a socket is looked at that cannot be written: the system only tells of it whose last write has failed.
const WRITABLE_POLL: Duration = Duration::from_millis(10);

thread_local! {
    /// Each thread waits for one thing at a time, so one timer serves all its waits.
    static TIMER: Option<Timer> = Timer::new().ok();
}

/// Something that can be waited for: an event each for reading, for writing, and for its loss, where it has them; or a
/// socket with one event for all of that.
#[derive(Clone, Copy, Debug, Default)]
pub struct Handle<'a> {
    pub(super) read: Option<BorrowedHandle<'a>>,
    pub(super) write: Option<BorrowedHandle<'a>>,
    pub(super) lost: Option<BorrowedHandle<'a>>,
    pub(super) socket: Option<(BorrowedSocket<'a>, &'a Event)>,
}

impl<'a> Handle<'a> {
    /// Something that can only be read, when this event is set.
    pub(super) fn readable(event: &'a impl AsHandle) -> Self {
        Self { read: Some(event.as_handle()), ..Self::default() }
    }
}

/// The events to wait for.
struct Awaited {
    events: [HANDLE; MAXIMUM_WAIT_OBJECTS as usize],
    count: usize,
}

impl Awaited {
    fn push(&mut self, event: BorrowedHandle<'_>) -> io::Result<()> {
        let place = self.events.get_mut(self.count).ok_or(io::ErrorKind::InvalidInput)?;
        *place = event.as_raw_handle();
        self.count += 1;
        Ok(())
    }
}

/// The events of an interest: to read, to write, and of its loss, which is always watched.
fn events<'a>(interest: &Interest<'a>) -> [Option<BorrowedHandle<'a>>; 3] {
    let handle = interest.handle.unwrap_or_default();
    let lost = handle.lost.or(handle.socket.map(|(_, event)| event.as_handle()));
    [handle.read.filter(|_| interest.read), handle.write.filter(|_| interest.write), lost]
}

/// What an interest has come to.
fn readiness(interest: &Interest<'_>) -> Readiness {
    if let Some((socket, _)) = interest.handle.and_then(|handle| handle.socket) {
        return look(socket, interest.read, interest.write, Duration::ZERO);
    }
    let [read, write, error] = events(interest).map(|event| event.is_some_and(is_set));
    Readiness { read, write, error }
}

/// How long to wait for this interest at the most: not at all where a socket is ready.
fn patience(interest: &Interest<'_>) -> Option<Duration> {
    let (_, event) = interest.handle?.socket?;
    // What happens from here on sets it again.
    event.reset();
    match readiness(interest).any() {
        true => Some(Duration::ZERO),
        false => interest.write.then_some(WRITABLE_POLL),
    }
}

/// Waits until one of these is ready for a use asked for, or has an error, or the instant has come.
pub fn wait<const N: usize>(
    interests: [Interest<'_>; N],
    until: Option<Instant>,
) -> io::Result<[Readiness; N]> {
    let mut awaited = Awaited { events: [ptr::null_mut(); MAXIMUM_WAIT_OBJECTS as usize], count: 0 };
    for event in interests.iter().flat_map(events).flatten() {
        awaited.push(event)?;
    }
    if awaited.count == 0 && until.is_none() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let left = until.map(|until| until.saturating_duration_since(Instant::now()).min(LONGEST));
    let left = interests.iter().filter_map(patience).chain(left).min();
    TIMER.with(|timer| wait_for(&mut awaited, timer.as_ref(), left))?;
    Ok(interests.map(|interest| readiness(&interest)))
}

/// Waits for one of these events, or until the time is over.
fn wait_for(awaited: &mut Awaited, timer: Option<&Timer>, left: Option<Duration>) -> io::Result<()> {
    let milliseconds = match (left, timer) {
        (None, _) => INFINITE,
        (Some(Duration::ZERO), _) => 0,
        (Some(left), Some(timer)) => {
            timer.start(left)?;
            awaited.push(timer.as_handle())?;
            INFINITE
        }
        // Late rather than early: who waits looks at the clock again.
        (Some(left), None) => left.as_millis() as u32 + 1,
    };
    if awaited.count == 0 {
        return Ok(());
    }
    // SAFETY: the first `count` handles are borrowed by the caller, or the timer's, and so open.
    let ended =
        unsafe { WaitForMultipleObjects(awaited.count as u32, awaited.events.as_ptr(), FALSE, milliseconds) };
    if ended == WAIT_FAILED { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::super::event::Event;
    use super::*;

    #[test]
    fn what_is_set_is_found_as_often_as_somebody_looks() {
        let event = Event::new(true).unwrap();
        for _ in 0..2 {
            let [found] = wait([Interest::read(Some(Handle::readable(&event)))], None).unwrap();
            assert_eq!(found, Readiness { read: true, ..Readiness::default() });
        }
        event.reset();
        let [found] = wait([Interest::read(Some(Handle::readable(&event)))], Some(Instant::now())).unwrap();
        assert!(!found.any());
    }

    #[test]
    fn a_loss_is_seen_by_who_asks_for_nothing() {
        let lost = Event::new(true).unwrap();
        let handle = Handle { lost: Some(lost.as_handle()), ..Handle::default() };
        let [found] = wait([Interest { handle: Some(handle), ..Interest::default() }], None).unwrap();
        assert!(found.error && !found.read && !found.write);
    }

    #[test]
    fn a_wait_does_not_end_before_its_time() {
        let event = Event::new(false).unwrap();
        for length in [Duration::from_micros(300), Duration::from_millis(7)] {
            let until = Instant::now() + length;
            wait([Interest::read(Some(Handle::readable(&event)))], Some(until)).unwrap();
            assert!(Instant::now() >= until, "{length:?}");
        }
    }

    #[test]
    fn without_anything_to_wait_for_time_passes() {
        let until = Instant::now() + Duration::from_millis(2);
        wait([Interest::default()], Some(until)).unwrap();
        assert!(Instant::now() >= until);
        assert!(wait([Interest::default()], None).is_err());
    }
}
