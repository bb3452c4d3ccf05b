//! Both ends of a sign-on in one test, with a clock that jumps: whole sign-ons in microseconds.
//!
//! It does what the driver does, on the wire of the library at its real pace, and writes down when which bit left and
//! arrived, so that the windows of the standard can be held against it.

// Each test crate uses a part of it.
#![allow(dead_code, unreachable_pub)]

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use iecprobe::machine::{Action, Machine, Step};
use iecprobe::meter::behaviour::Behaviour;
use iecprobe::meter::simulate::Simulated;
use iecprobe::meter::wire::{Pace, Wire};
use iecprobe::meter::{Meter, Responder, scenario};
use iecprobe::protocol::parity;
pub use iecprobe::protocol::parity::Parity;
use iecprobe::protocol::settings::{Framing, Settings};
use iecprobe::record::observer::Observer;
use iecprobe::record::{Entry, Event};
use iecprobe::signon::{Config, Failed, Failure, Note, SignOn, SignedOn};

/// Simulated time after which a sign-on counts as hung.
const HUNG: Duration = Duration::from_secs(120);

/// Polls at one instant after which a sign-on counts as hung.
const SPINNING: u32 = 2000;

pub const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

pub const PARITIES: [Parity; 2] = [Parity::Software, Parity::None];

/// What a bad line does to one character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Drop,
    Double,
    Flip(u8),
    /// It, and what follows it, comes later by this.
    Delay(Duration),
}

/// A fault of the character at an index.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// Counted over everything received.
    pub received: Option<(usize, Fault)>,
    /// Counted over everything sent.
    pub sent: Option<(usize, Fault)>,
}

/// When something begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// With the line.
    Opening,
    /// With the first request.
    Request,
    /// With the second request.
    SecondRequest,
    /// With the acknowledgement.
    Acknowledgement,
    /// With the change of rate.
    Change,
}

pub const PHASES: [Phase; 5] =
    [Phase::Opening, Phase::Request, Phase::SecondRequest, Phase::Acknowledgement, Phase::Change];

/// Bytes that come without an end, whatever is sent and at whatever rate.
#[derive(Clone, Debug)]
pub struct Stream {
    pub bytes: Vec<u8>,
    pub period: Duration,
    pub from: Phase,
}

/// A head, or an adapter, that returns what is sent with a lag of its own.
#[derive(Clone, Copy, Debug)]
pub struct Returns {
    /// From the last bit of a character, or of the message, to the reader.
    pub lag: Duration,
    /// Characters of the acknowledgement that are missing from the end of its echo.
    pub cut: usize,
    pub copies: usize,
    /// As one piece, as software does, rather than character by character, as light does.
    pub packed: bool,
}

/// How received bytes are cut into reads.
#[derive(Clone, Copy, Debug)]
pub enum Reads {
    /// As they come.
    Each,
    /// What has come by every such tick of the adapter, at once.
    Every(Duration),
}

/// An observer that keeps everything.
#[derive(Debug)]
pub struct Recorder {
    began: Instant,
    entries: Vec<Entry>,
}

impl Recorder {
    /// A record that begins at `now`.
    pub fn new(now: Instant) -> Self {
        Self { began: now, entries: Vec::new() }
    }

    /// What has happened so far.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn keep(&mut self, event: Event, now: Instant) {
        self.entries.push(Entry { at: now.saturating_duration_since(self.began), event });
    }
}

impl Observer for Recorder {
    fn configured(&mut self, settings: Settings, now: Instant) {
        self.keep(Event::Configured(settings), now);
    }

    fn transmitted(&mut self, bytes: &[u8], now: Instant) {
        self.keep(Event::Sent(bytes.to_vec()), now);
    }

    fn received(&mut self, bytes: &[u8], now: Instant) {
        self.keep(Event::Received(bytes.to_vec()), now);
    }

    fn broke(&mut self, length: Duration, now: Instant) {
        self.keep(Event::Broke(length), now);
    }
}

/// A reader with a clock that jumps, on a line that it opens, and what it has seen.
pub struct Reader<M> {
    pub line: Simulated<M>,
    pub recorder: Recorder,
}

/// How a sign-on ended.
pub type Ended = Result<SignedOn, Failed>;

impl<M: Responder> Reader<M> {
    pub fn new(meter: M, began: Instant) -> Self {
        Self { line: Simulated::new(meter, began), recorder: Recorder::new(began) }
    }

    /// Signs on; nothing if the port goes away.
    pub fn sign_on(&mut self, config: &Config) -> Option<Ended> {
        let began = self.line.now;
        let ended = self.line.run(&mut SignOn::new(config.clone(), began), &mut self.recorder);
        assert!(self.line.now - began < HUNG, "hangs");
        ended
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.line.send(bytes, &mut self.recorder);
    }

    /// What has come at the next event, or at `until`.
    pub fn receive(&mut self, until: Instant) -> Vec<u8> {
        self.line.receive(until, &mut self.recorder)
    }

    /// What comes within this time.
    pub fn listen(&mut self, time: Duration) -> Vec<u8> {
        let until = self.line.now + time;
        let mut heard = Vec::new();
        while self.line.now < until {
            heard.extend(self.receive(until));
        }
        heard
    }
}

/// A simulation before it runs.
#[derive(Clone, Debug)]
pub struct Simulation {
    pub config: Config,
    pub behaviour: Behaviour,
    pub parity: Parity,
    pub faults: Faults,
    pub reads: Reads,
    pub stream: Option<Stream>,
    pub returns: Option<Returns>,
    /// When the computer is stopped, and for how long.
    pub stop: Option<(Duration, Duration)>,
}

/// A message that went out.
#[derive(Clone, Debug)]
pub struct Sent {
    /// First bit, from the beginning of the sign-on.
    pub at: Duration,
    /// In characters as the sign-on gave them out.
    pub bytes: Vec<u8>,
    pub settings: Settings,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub enum End {
    SignedOn(Box<SignedOn>),
    Failed(Box<Failed>),
    /// The port went away this long before anybody noticed.
    LineLost(Duration),
}

/// A simulation that has run.
#[derive(Debug)]
pub struct Run {
    pub what: String,
    pub end: End,
    pub elapsed: Duration,
    pub sent: Vec<Sent>,
    pub configured: Vec<(Duration, Settings)>,
    /// When the last stop bit of a character came, and the character.
    pub received: Vec<(Duration, u8)>,
    /// What an observer saw: reads as they were handed over, unlike `received`.
    pub record: Vec<Entry>,
    pub breaks: usize,
    pub lag: Duration,
    pub meter_in_hdlc: bool,
    pub meter_rate: u32,
}

impl Simulation {
    /// The named scenarios with the default options.
    pub fn of(names: &str, parity: Parity) -> Self {
        Self::with(scenario::behaviour(names).expect("the scenario exists"), parity)
    }

    pub fn with(behaviour: Behaviour, parity: Parity) -> Self {
        let config = Config { parities: [parity; 2], ..Config::default() };
        let (faults, reads) = (Faults::default(), Reads::Each);
        Self { config, behaviour, parity, faults, reads, stream: None, returns: None, stop: None }
    }

    pub fn config(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self
    }

    pub fn behaviour(mut self, change: impl FnOnce(&mut Behaviour)) -> Self {
        change(&mut self.behaviour);
        self
    }

    pub fn faults(mut self, faults: Faults) -> Self {
        self.faults = faults;
        self
    }

    pub fn reads(mut self, reads: Reads) -> Self {
        self.reads = reads;
        self
    }

    pub fn stream(mut self, stream: Stream) -> Self {
        self.stream = Some(stream);
        self
    }

    pub fn returns(mut self, returns: Returns) -> Self {
        self.returns = Some(returns);
        self
    }

    pub fn stop(mut self, at: Duration, length: Duration) -> Self {
        self.stop = Some((at, length));
        self
    }

    pub fn run(self) -> Run {
        Bench::new(self).run()
    }
}

/// A simulation that is running.
struct Bench {
    simulation: Simulation,
    what: String,
    wire: Wire,
    sign_on: SignOn,
    began: Instant,
    now: Instant,
    /// What a fault holds back, and until when; in order.
    inward: VecDeque<(Instant, u8)>,
    outward: VecDeque<(Instant, u8)>,
    sent_count: usize,
    /// When the next byte of the stream comes, and its place.
    streaming: Option<(Instant, usize)>,
    /// What the head returns, and when; whether the rate matters.
    returned: VecDeque<(Instant, u8, Option<u32>)>,
    sent: Vec<Sent>,
    configured: Vec<(Duration, Settings)>,
    received: Vec<(Duration, u8)>,
    recorder: Recorder,
    breaks: usize,
}

impl Bench {
    fn new(simulation: Simulation) -> Self {
        let began = Instant::now();
        let meter = Meter::new(simulation.behaviour.clone(), began);
        let settings = Settings::eight_none(9600);
        Self {
            what: format!("{simulation:?}"),
            wire: Wire::new(meter, Pace::Real, settings, began),
            sign_on: SignOn::new(simulation.config.clone(), began),
            simulation,
            began,
            now: began,
            inward: VecDeque::new(),
            outward: VecDeque::new(),
            sent_count: 0,
            streaming: None,
            returned: VecDeque::new(),
            sent: Vec::new(),
            configured: Vec::new(),
            received: Vec::new(),
            recorder: Recorder::new(began),
            breaks: 0,
        }
    }

    fn run(mut self) -> Run {
        let mut spins = 0;
        self.begins(Phase::Opening);
        loop {
            let before = self.now;
            let end = match self.sign_on.poll(self.now) {
                Step::Done(outcome) => Some(match outcome {
                    Ok(signed_on) => End::SignedOn(Box::new(signed_on)),
                    Err(failed) => End::Failed(Box::new(failed)),
                }),
                Step::Wait(until) => self.wait(until),
                Step::Do(action) => self.act(action),
            };
            if let Some(end) = end {
                return self.over(end);
            }
            spins = if self.now > before { 0 } else { spins + 1 };
            assert!(spins < SPINNING, "spins: {}", self.what);
            assert!(self.now - self.began < HUNG, "hangs: {}", self.what);
        }
    }

    /// A phase begins: the stream may begin with it.
    fn begins(&mut self, phase: Phase) {
        if self.streaming.is_none() && self.simulation.stream.as_ref().is_some_and(|it| it.from == phase) {
            self.streaming = Some((self.now, 0));
        }
    }

    /// Receives what streams in or is returned by now; when the next of it comes.
    fn extra(&mut self) -> Option<Instant> {
        while let (Some((at, place)), Some(stream)) = (self.streaming, &self.simulation.stream) {
            if at > self.now {
                break;
            }
            self.inward.push_back((self.now, stream.bytes[place % stream.bytes.len()]));
            self.streaming = Some((at + stream.period, place + 1));
        }
        while let Some(&(_, byte, rate)) = self.returned.front().filter(|(at, ..)| *at <= self.now) {
            self.returned.pop_front();
            let agrees = rate.is_none_or(|rate| rate == self.wire.settings().baud);
            self.inward.push_back((self.now, if agrees { byte } else { 0 }));
        }
        let returned = self.returned.front().map(|&(at, ..)| at);
        [returned, self.streaming.map(|(at, _)| at)].into_iter().flatten().min()
    }

    fn act(&mut self, action: Action) -> Option<End> {
        match action {
            Action::Configure { settings, drain, .. } => {
                let mut end = None;
                while drain && end.is_none() && !(self.wire.drained(self.now) && self.outward.is_empty()) {
                    end = self.pass(self.now + ms(1), false);
                }
                self.wire.configure(settings, self.now);
                if self.sent.last().is_some_and(|sent| sent.bytes[0] == 0x06) {
                    self.begins(Phase::Change);
                }
                self.configured.push((self.now - self.began, settings));
                self.recorder.configured(settings, self.now);
                end
            }
            Action::Transmit(bytes) => {
                self.transmit(&bytes);
                None
            }
            Action::ModemLines { dtr, rts } => {
                self.wire.set_modem_lines((dtr, rts), self.now);
                None
            }
            Action::Break(length) => {
                self.breaks += 1;
                self.recorder.broke(length, self.now);
                self.wire.send_break(self.now);
                let until = self.now + length;
                let mut end = None;
                while end.is_none() && self.now < until {
                    end = self.pass(until, false);
                }
                end
            }
        }
    }

    fn transmit(&mut self, bytes: &[u8]) {
        let settings = self.wire.settings();
        let at = self.now - self.began;
        self.sent.push(Sent { at, bytes: bytes.to_vec(), settings });
        self.recorder.transmitted(bytes, self.now);
        match (bytes[0], self.sent.iter().filter(|sent| sent.bytes[0] == b'/').count()) {
            (b'/', 1) => self.begins(Phase::Request),
            (b'/', 2) => self.begins(Phase::SecondRequest),
            (0x06, _) => self.begins(Phase::Acknowledgement),
            _ => {}
        }
        let with_parity =
            self.simulation.parity == Parity::Software && settings.framing == Framing::SevenEven;
        for &byte in bytes {
            let byte = if with_parity { parity::with_even(byte) } else { byte };
            let fault = fault_at(self.simulation.faults.sent, self.sent_count);
            self.sent_count += 1;
            hold(&mut self.outward, byte, fault, self.now);
        }
        self.release_outward();
        self.echo(bytes, with_parity);
    }

    fn echo(&mut self, bytes: &[u8], with_parity: bool) {
        let Some(returns) = self.simulation.returns else { return };
        let settings = self.wire.settings();
        let cut = if bytes[0] == 0x06 { returns.cut } else { 0 };
        for copy in 0..returns.copies {
            for (place, &byte) in bytes[..bytes.len() - cut].iter().enumerate() {
                let left = if returns.packed { bytes.len() } else { place + 1 };
                let at = self.now + settings.wire_time(left + copy * bytes.len()) + returns.lag;
                let byte = if with_parity { parity::with_even(byte) } else { byte };
                self.returned.push_back((at, byte, (!returns.packed).then_some(settings.baud)));
            }
        }
        self.returned.make_contiguous().sort_by_key(|&(at, ..)| at);
    }

    fn release_outward(&mut self) {
        let message: Vec<u8> = std::iter::from_fn(|| due(&mut self.outward, self.now)).collect();
        if !message.is_empty() {
            self.wire.transmit(&message, self.now);
        }
    }

    /// Waits until the instant given, or until something was received; gives that to the sign-on.
    fn wait(&mut self, until: Instant) -> Option<End> {
        if let Some((at, length)) = self.simulation.stop.filter(|(at, _)| self.now - self.began >= *at) {
            self.simulation.stop = None;
            self.stopped_until(self.began + at + length);
        }
        // A stop begins when it is due, and not with the next byte.
        let stop = self.simulation.stop.map(|(at, _)| self.began + at);
        let end = self.pass(stop.map_or(until, |stop| stop.min(until)), true);
        if end.is_none() {
            self.hand_over();
        }
        end
    }

    /// The line goes on, and nobody reads.
    fn stopped_until(&mut self, until: Instant) {
        while self.now < until {
            self.pass(until, false);
        }
    }

    fn hand_over(&mut self) {
        let mut read = Vec::new();
        while let Some(byte) = due(&mut self.inward, self.now) {
            read.push(byte);
        }
        if !read.is_empty() {
            self.recorder.received(&read, self.now);
            self.sign_on.receive(&read, self.now);
        }
    }

    /// Jumps to the next event, or to `until` where that comes first. A driver that is busy leaves what is received
    /// on the line.
    fn pass(&mut self, until: Instant, reading: bool) -> Option<End> {
        let held = self.inward.front().filter(|_| reading).map(|&(at, _)| at);
        let sending = self.outward.front().map(|&(at, _)| at);
        let extra = self.extra();
        let next = [Some(until), self.wire.next_event(), held, sending, extra].into_iter().flatten().min();
        self.now = next.map_or(self.now, |next| next.max(self.now));
        self.release_outward();
        self.extra();
        for byte in self.wire.receive(self.now) {
            let fault = fault_at(self.simulation.faults.received, self.received.len());
            self.received.push((self.now - self.began, byte));
            let at = match self.simulation.reads {
                Reads::Each => self.now,
                Reads::Every(tick) => {
                    let ticks = (self.now - self.began).as_nanos().div_ceil(tick.as_nanos());
                    self.began + tick * ticks as u32
                }
            };
            hold(&mut self.inward, byte, fault, at);
        }
        let gone = self.wire.is_gone(self.now);
        let at = self.wire.meter().unplugged_at();
        gone.then(|| End::LineLost(at.map_or(Duration::ZERO, |at| self.now - at)))
    }

    fn over(self, end: End) -> Run {
        Run {
            what: self.what,
            end,
            elapsed: self.now - self.began,
            sent: self.sent,
            configured: self.configured,
            received: self.received,
            record: self.recorder.entries().to_vec(),
            breaks: self.breaks,
            lag: self.simulation.behaviour.adapter_lag.unwrap_or_default(),
            meter_in_hdlc: self.wire.meter().in_hdlc(),
            meter_rate: self.wire.meter().rate(0),
        }
    }
}

fn fault_at(fault: Option<(usize, Fault)>, count: usize) -> Option<Fault> {
    fault.filter(|&(place, _)| place == count).map(|(_, fault)| fault)
}

fn due(queue: &mut VecDeque<(Instant, u8)>, now: Instant) -> Option<u8> {
    queue.front().filter(|(at, _)| *at <= now)?;
    queue.pop_front().map(|(_, byte)| byte)
}

/// Puts a character with its fault into a queue that keeps its order.
fn hold(queue: &mut VecDeque<(Instant, u8)>, byte: u8, fault: Option<Fault>, at: Instant) {
    let at = queue.back().map_or(at, |&(last, _)| last.max(at));
    match fault {
        None => queue.push_back((at, byte)),
        Some(Fault::Drop) => {}
        Some(Fault::Double) => queue.extend([(at, byte), (at, byte)]),
        Some(Fault::Flip(bit)) => queue.push_back((at, byte ^ 1 << bit)),
        Some(Fault::Delay(delay)) => queue.push_back((at + delay, byte)),
    }
}

impl Run {
    pub fn signed_on(&self) -> &SignedOn {
        match &self.end {
            End::SignedOn(signed_on) => signed_on,
            other => panic!("{other:?}\n{}\n{:?}", self.what, self.sent),
        }
    }

    pub fn failed(&self) -> &Failed {
        match &self.end {
            End::Failed(failed) => failed,
            other => panic!("{other:?}\n{}\n{:?}", self.what, self.sent),
        }
    }

    pub fn failure(&self) -> &Failure {
        &self.failed().failure
    }

    pub fn notes(&self) -> &[Note] {
        &self.signed_on().notes
    }

    pub fn acknowledgements(&self) -> Vec<&Sent> {
        self.sent.iter().filter(|sent| sent.bytes.first() == Some(&0x06)).collect()
    }

    pub fn requests(&self) -> Vec<&Sent> {
        self.sent.iter().filter(|sent| sent.bytes.first() == Some(&b'/')).collect()
    }

    /// Holds everything that is true of every run against this one: the windows of the acknowledgement and of the
    /// change of rate, and the limit for failures.
    pub fn assert_windows(&self, fast: bool) {
        for acknowledgement in self.acknowledgements() {
            self.assert_acknowledgement(acknowledgement, fast);
        }
        if matches!(self.end, End::Failed(_)) {
            assert!(self.elapsed <= Duration::from_secs(15), "{:?}: {}", self.elapsed, self.what);
        }
    }

    pub fn assert_acknowledgement(&self, sent: &Sent, fast: bool) {
        let &[0x06, _, z, b'2', b'\r', b'\n'] = &sent.bytes[..] else { panic!("{sent:?}: {}", self.what) };
        assert!(z.is_ascii_digit() && sent.settings.framing == Framing::SevenEven, "{sent:?}: {}", self.what);
        let before = || self.received.iter().filter(|(at, _)| *at <= sent.at);
        let last =
            |end: u8| before().filter(|(_, byte)| parity::strip(*byte) == end).map(|&(at, _)| at).next_back();
        let left = sent.at + self.lag;
        let (line_feed, carriage_return) = (last(b'\n'), last(b'\r'));
        match line_feed.filter(|at| carriage_return.is_none_or(|cr| *at + ms(500) > cr)) {
            Some(end) if line_feed >= carriage_return => {
                let window = if fast { ms(20)..=ms(220) } else { ms(200)..=ms(400) };
                assert!(window.contains(&(left - end)), "ACK after {:?}: {}", left - end, self.what);
            }
            _ => {
                let wait = left - carriage_return.expect("the identification has an end");
                assert!((ms(500)..=ms(700)).contains(&wait), "ACK {wait:?} after CR: {}", self.what);
            }
        }
        let free = left + sent.settings.wire_time(6);
        let change = self.configured.iter().find(|(at, _)| *at > sent.at);
        if let Some(&(at, settings)) = change {
            assert!(
                at >= free && at <= free + ms(30),
                "rate changed {at:?}, ACK left {free:?}: {}",
                self.what
            );
            assert_eq!(settings.framing, Framing::EightNone, "{}", self.what);
        }
    }
}
