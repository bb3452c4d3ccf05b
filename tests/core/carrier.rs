//! The pipe as a machine: every end, and what decides it, under a clock of the test's own.

use std::time::{Duration, Instant};

use iecprobe::pipe::{Carrier, End, Plan, User};

const LINGER: u64 = 2000;

/// Something that happens to a pipe; times are in milliseconds since it began.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// The line gives these bytes.
    Line(&'static [u8]),
    LineLost,
    /// The input gives these bytes; none is its end.
    Input(&'static [u8]),
    /// The line takes everything there is, which will have left it at this time.
    LineTook(Option<u64>),
    /// The line was asked and has sent everything.
    Drained,
    /// The output takes everything there is.
    OutputTook,
    OutputClosed,
    CommandEnded,
}

use Event::*;

struct Played {
    carrier: Carrier,
    began: Instant,
}

impl Played {
    fn new(user: User) -> Self {
        Self::with(user, |_| {})
    }

    fn with(user: User, change: impl FnOnce(&mut Plan)) -> Self {
        let began = Instant::now();
        let mut plan = Plan { first: Vec::new(), skip_lf: false, settled: began, idle: None, user };
        change(&mut plan);
        Self { carrier: Carrier::new(&plan, began), began }
    }

    fn at(&self, at: u64) -> Instant {
        self.began + Duration::from_millis(at)
    }

    fn happens(&mut self, at: u64, event: Event) {
        let now = self.at(at);
        let carrier = &mut self.carrier;
        match event {
            Line(bytes) => {
                carrier.line_room().unwrap()[..bytes.len()].copy_from_slice(bytes);
                carrier.line_gave(bytes.len(), now);
            }
            LineLost => carrier.line_lost(now),
            Input(bytes) => {
                carrier.input_room().unwrap()[..bytes.len()].copy_from_slice(bytes);
                carrier.input_gave(bytes.len(), now);
            }
            LineTook(leaves) => {
                let leaves = leaves.map(|leaves| self.began + Duration::from_millis(leaves));
                carrier.line_took(carrier.for_line().len(), leaves, now);
            }
            Drained => carrier.drained(now),
            OutputTook => carrier.output_took(carrier.for_output().len(), now),
            OutputClosed => carrier.output_closed(),
            CommandEnded => carrier.command_ended(),
        }
    }

    /// How it has ended by this time.
    fn ended(&self, at: u64) -> &'static str {
        match self.carrier.end(self.at(at)) {
            None => "not",
            Some(End::Input) => "input",
            Some(End::Idle) => "idle",
            Some(End::OutputClosed) => "output closed",
            Some(End::LineLost) => "line lost",
            Some(End::Output(_) | End::Signal(_)) => "as only a loop can",
        }
    }
}

/// Plays a row of a table: the events, and the first time at which it has ended, and how.
fn row(user: User, change: impl Fn(&mut Plan), events: &[(u64, Event)], end: Option<(u64, &str)>) {
    let mut played = Played::with(user, change);
    for &(at, event) in events {
        assert_eq!(played.ended(at), "not", "{user:?}: before {event:?} at {at} of {events:?}");
        played.happens(at, event);
    }
    let last = events.last().map_or(0, |(at, _)| *at);
    let Some((at, how)) = end else {
        assert_eq!(played.ended(last + 86_400_000), "not", "{user:?}: {events:?}");
        return;
    };
    if at > last {
        assert_eq!(played.ended(at - 1), "not", "{user:?}: a millisecond before {at} of {events:?}");
        // Whoever waits is told to look again by then.
        let until = played.carrier.wants(played.at(at - 1)).until;
        assert_eq!(until, Some(played.at(at)), "{user:?}: {events:?}");
    }
    assert_eq!(played.ended(at), how, "{user:?}: at {at} of {events:?}");
}

const STREAMS: User = User::Streams { linger: Duration::from_millis(LINGER) };
const PEER: User = User::Peer { linger: Duration::from_millis(LINGER) };

#[test]
fn streams_end_when_the_line_has_been_silent_after_the_end_of_the_input() {
    let is = |events: &[(u64, Event)], end| row(STREAMS, |_| {}, events, end);
    is(&[], None);
    is(&[(10, Line(b"x")), (10, OutputTook)], None);
    is(&[(10, Input(b""))], None);
    is(&[(10, Input(b"")), (11, Drained)], Some((2011, "input")));
    is(&[(10, Input(b"abc")), (20, Input(b"")), (30, LineTook(None)), (31, Drained)], Some((2031, "input")));
    // What is still in the queue has not left, whatever the driver says.
    is(&[(10, Input(b"abc")), (20, Input(b"")), (31, Drained)], None);
    // An answer begins the silence anew, and it has to be delivered before the end.
    let answered = [(10, Input(b"")), (11, Drained), (1500, Line(b"answer"))];
    is(&answered, None);
    is(&[&answered[..], &[(9000, OutputTook)]].concat(), Some((9000, "input")));
    is(&[&answered[..], &[(1600, OutputTook)]].concat(), Some((3500, "input")));
}

#[test]
fn silence_counts_from_when_the_last_bit_has_left() {
    let is = |user, events: &[(u64, Event)], end| row(user, |_| {}, events, end);
    let written = [(0, Input(b"123456789")), (0, LineTook(Some(300))), (0, Input(b""))];
    for user in [STREAMS, PEER] {
        let mut played = Played::new(user);
        for (at, event) in written {
            played.happens(at, event);
        }
        // The driver is not even asked before: it may say anything.
        for (at, asked) in [(0, false), (299, false), (300, true)] {
            let wants = played.carrier.wants(played.at(at));
            assert_eq!(wants.drained, asked, "at {at}");
            assert!(asked || wants.until == Some(played.at(300)), "at {at}");
        }
        is(user, &[&written[..], &[(300, Drained)]].concat(), Some((2300, "input")));
    }
    let mut command = written.to_vec();
    command.push((1, CommandEnded));
    is(User::Command, &command, None);
    command.push((300, Drained));
    is(User::Command, &command, Some((300, "input")));
}

#[test]
fn silence_counts_only_while_somebody_listens() {
    let mut played = Played::new(STREAMS);
    played.happens(0, Input(b""));
    played.happens(0, Drained);
    // Until the queue is full; what the line would say then, nobody hears.
    static CHUNK: [u8; 1024] = [b'x'; 1024];
    while played.carrier.line_room().is_some_and(|room| room.len() >= CHUNK.len()) {
        played.happens(10, Line(&CHUNK));
    }
    assert!(!played.carrier.wants(played.at(10)).line_read);
    played.happens(50_000, OutputTook);
    assert!(played.carrier.wants(played.at(50_000)).line_read);
    assert_eq!(played.ended(50_000 + LINGER - 1), "not");
    assert_eq!(played.ended(50_000 + LINGER), "input");
}

#[test]
fn a_closed_output_ends_streams_at_once_and_lets_others_finish() {
    row(STREAMS, |_| {}, &[(5, OutputClosed)], Some((5, "output closed")));
    // What a peer had sent before it closed its socket is read first and goes to the line.
    row(PEER, |_| {}, &[(5, OutputClosed)], None);
    let closed = [(5, OutputClosed), (6, Input(b"abc")), (7, Input(b"")), (8, LineTook(None)), (8, Drained)];
    row(PEER, |_| {}, &closed, Some((8, "input")));
    let closed = [(5, OutputClosed), (6, Line(b"abc")), (7, Input(b"")), (8, Drained)];
    row(User::Command, |_| {}, &closed, None);
    row(User::Command, |_| {}, &[&closed[..], &[(90_000, CommandEnded)]].concat(), Some((90_000, "input")));
}

#[test]
fn a_command_ends_the_pipe_when_it_has_ended_itself() {
    let is = |events: &[(u64, Event)], end| row(User::Command, |_| {}, events, end);
    is(&[(0, Input(b"")), (0, Drained)], None);
    is(&[(0, CommandEnded)], None);
    is(&[(0, Input(b"")), (0, Drained), (700, CommandEnded)], Some((700, "input")));
    is(
        &[(0, CommandEnded), (1, Input(b"last")), (2, Input(b"")), (3, LineTook(None)), (3, Drained)],
        Some((3, "input")),
    );
    // Its line is watched to its end.
    is(&[(0, Input(b"")), (0, Drained), (700, LineLost)], Some((700, "line lost")));
}

#[test]
fn a_command_that_has_said_all_sees_the_end_of_its_input_once_it_has_its_answers() {
    let mut played = Played::new(User::Command);
    let mut open = |at, event| {
        played.happens(at, event);
        played.carrier.wants(played.at(at)).output
    };
    assert!(open(0, Line(b"answer")));
    assert!(open(1, Input(b"")));
    assert!(open(2, Drained));
    assert!(!open(3, OutputTook));
}

#[test]
fn a_lost_line_ends_the_pipe_when_what_it_gave_has_been_delivered() {
    for user in [STREAMS, PEER, User::Command] {
        let is = |events: &[(u64, Event)], end| row(user, |_| {}, events, end);
        is(&[(10, LineLost)], Some((10, "line lost")));
        is(&[(9, Line(b"last")), (10, LineLost), (200, OutputTook)], Some((200, "line lost")));
        // A reader that stands still has its time.
        is(&[(9, Line(b"last")), (10, LineLost)], Some((910, "line lost")));
        is(&[(9, Input(b"never sent")), (10, LineLost)], Some((10, "line lost")));
        is(&[(9, Input(b"")), (9, Drained), (10, LineLost)], Some((10, "line lost")));
    }
    let mut played = Played::new(STREAMS);
    played.happens(0, Input(b"x"));
    played.happens(0, Line(b"y"));
    played.happens(1, LineLost);
    let wants = played.carrier.wants(played.at(1));
    assert!(!wants.line && !wants.line_read && !wants.line_write && !wants.input && wants.output_write);
}

#[test]
fn idleness_counts_every_byte_either_way_and_those_on_the_wire() {
    let idle = |plan: &mut Plan| plan.idle = Some(Duration::from_millis(500));
    for user in [STREAMS, PEER, User::Command] {
        let is = |events: &[(u64, Event)], end| row(user, idle, events, end);
        is(&[], Some((500, "idle")));
        is(&[(400, Line(b"x"))], Some((900, "idle")));
        is(&[(400, Line(b"x")), (450, OutputTook)], Some((950, "idle")));
        is(&[(400, Input(b"x"))], Some((900, "idle")));
        is(&[(400, Input(b"x")), (450, LineTook(None))], Some((950, "idle")));
        is(&[(400, Input(b"x")), (450, LineTook(Some(2000)))], Some((2500, "idle")));
        is(&[(400, Input(b"")), (450, Drained)], Some((500, "idle")));
    }
    row(
        STREAMS,
        |plan| plan.idle = Some(Duration::from_millis(5000)),
        &[(0, Input(b"")), (0, Drained)],
        Some((2000, "input")),
    );
}

#[test]
fn a_single_lf_behind_a_confirmation_is_not_passed_on() {
    let given = |skip_lf, settled, lines: &[(u64, &'static [u8])]| {
        let mut played = Played::with(STREAMS, |plan| {
            plan.skip_lf = skip_lf;
            plan.settled += Duration::from_millis(settled);
        });
        for &(at, bytes) in lines {
            played.happens(at, Line(bytes));
        }
        played.carrier.for_output().to_vec()
    };
    assert_eq!(given(true, 300, &[(10, b"\n~frame")]), b"~frame");
    assert_eq!(given(true, 300, &[(10, b"\x8A")]), b"");
    assert_eq!(given(true, 300, &[(10, b"\n"), (11, b"\n~")]), b"\n~");
    assert_eq!(given(true, 300, &[(10, b"~"), (11, b"\n")]), b"~\n");
    assert_eq!(given(false, 300, &[(10, b"\n~")]), b"\n~");
    assert_eq!(given(true, 300, &[(300, b"\n~")]), b"\n~");
}

#[test]
fn the_line_gets_nothing_before_it_has_settled_and_the_output_what_came_first() {
    let mut played = Played::with(STREAMS, |plan| {
        plan.first = b"first".to_vec();
        plan.settled += Duration::from_millis(300);
    });
    assert_eq!(played.carrier.for_output(), b"first");
    played.happens(5, Input(b"request"));
    let wants = |at| played.carrier.wants(played.at(at));
    assert!(!wants(299).line_write && wants(299).until == Some(played.at(300)));
    assert!(wants(300).line_write);
    assert_eq!(played.carrier.for_line(), b"request");
}
