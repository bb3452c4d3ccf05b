//! Every time of the sign-on, with its reason (IEC 62056-21, clause 6.4.3 and Annex E; field evidence).
//!
//! "tr" is the reaction time between the end of a message and the start of the answer, "ta" the time between two
//! characters of one message.

use std::time::Duration;

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// Longest time that a caller can ask for; anything above it counts as this much.
pub const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Shortest tr: no side answers sooner, so a sender has this long to turn round to listening.
pub const REACTION_MIN: Duration = ms(200);

/// Shortest tr of a meter whose FLAG id ends in a lower-case letter.
pub const REACTION_MIN_FAST: Duration = ms(20);

/// Longest tr.
pub const REACTION_MAX: Duration = ms(1500);

/// Longest ta. A character is only seen when it is complete; see [`ADAPTER_LAG`] for what comes on top.
pub const INTER_CHARACTER_MAX: Duration = ms(1500);

/// Longest time for which a USB adapter holds received characters back (FTDI's latency timer), rounded up.
pub const ADAPTER_LAG: Duration = ms(20);

/// Longest time for which a pseudo-terminal, which has no adapter, holds received characters back: a turn of whoever
/// feeds it.
pub const PTY_LAG: Duration = ms(5);

/// Default wait for the first character of the identification: tr at its longest, plus a character and slack.
pub const WAIT: Duration = ms(2000);

/// Default wait for the confirmation: tr at its longest plus its six characters at 300 Bd. Longer waits cost time with
/// the many meters that never confirm; the identification of a slow one has shown its speed already.
pub const WAIT_CONFIRMATION: Duration = ms(1700);

/// A CR without LF ends the identification after this long; an LF that has begun by then is heard to its end.
pub const END_WITHOUT_LF: Duration = ms(500);

/// Between the computed end of the acknowledgement and the change of rate: adapters lag up to 5 ms, and the window of
/// a fast meter closes 20 ms after the last stop bit.
pub const SWITCH_MARGIN: Duration = ms(10);

/// Between the computed end of the last character and the closing of a port: there is no window to miss, and the way
/// into a USB adapter takes its time too.
pub const TAIL_MARGIN: Duration = ms(30);

/// Default quiet time of a hardware port between opening and the first character: heads are fed from DTR and RTS.
pub const WARM_UP: Duration = ms(200);

/// Silence that a meter needs before a request (Energomera CE102).
pub const SILENCE_BEFORE_REQUEST: Duration = ms(100);

/// How long a line that never falls silent can hold up a request.
pub const SILENCE_PATIENCE: Duration = ms(1500);

/// Default time from the confirmation to the first byte of the DLMS tool: tr at least, and some meters need more.
pub const SETTLE: Duration = ms(300);

/// What a sender adds to tr before its answer: a line without latency leaves no other margin.
pub const REACTION_MARGIN: Duration = ms(10);

/// Longest time from the end of an identification to the acknowledgement, whatever keeps us from it; after 1.5 s a meter
/// takes the missing acknowledgement for a wish to be read out.
pub const ACKNOWLEDGEMENT_LATEST: Duration = ms(1200);

/// Longest wait that a sign-on asks for while a meter may be talking: it tells a computer that was stopped from a meter
/// that was slow.
pub const TICK: Duration = ms(100);

/// A driver that comes back this long after the instant that was asked for was stopped or starved.
pub const OVERSLEPT: Duration = ms(250);

/// The echoes of two messages can differ in their lag by this much, and by the adapter's.
pub const ECHO_JITTER: Duration = ms(100);

/// An echo that comes later than this after its message is none.
pub const ECHO_LATEST: Duration = ms(1000);

/// A lone NAK is an answer, not the start of something longer, when nothing follows for this long.
pub const NAK_SILENCE: Duration = ms(100);

/// A line that still carries junk this many characters of the start rate after it began is not confirming at that rate,
/// which takes six. It may be a readout.
pub const JUNK_CHARACTERS: u32 = 12;

/// How long to listen at the old rate for the readable characters of a readout.
pub const READOUT_PROBE: Duration = ms(1200);

/// After a DISC at the rate that is most likely: the answer of a meter that was in a session has to begin within this
/// time. Meters react within some 100 ms in HDLC.
pub const RECOVERY_LISTEN: Duration = ms(150);

/// The same after a DISC at any other rate, of which there are many. A meter that is slower is freed, too; only its
/// answer is not heard.
pub const RECOVERY_GLANCE: Duration = ms(90);

/// The same after an SNRM, of which there are few.
pub const RECOVERY_LINK: Duration = ms(300);

/// Longest wait for the answer to an HDLC command: meters take up to some hundred milliseconds.
pub const HDLC_WAIT: Duration = ms(1000);

/// Length of a line BREAK: that of several characters at 300 Bd, so that no receiver can miss it.
pub const LINE_BREAK: Duration = ms(150);

/// Between a line BREAK and the next message.
pub const AFTER_BREAK: Duration = ms(50);

/// Normal wake-up: NULs for 2.1..2.3 s at 300 Bd. 66 of them take 2.2 s.
pub const WAKE_UP_NULS: usize = 66;

/// Silence after the NULs of a normal wake-up, 1.5..1.7 s.
pub const WAKE_UP_SILENCE: Duration = ms(1600);

/// Fast wake-up: bursts of 0.5..0.6 s. 17 NULs take 0.567 s.
pub const FAST_WAKE_UP_NULS: usize = 17;

/// Fast wake-up: pause between two bursts, two characters at 300 Bd and 20..40 ms.
pub const FAST_WAKE_UP_PAUSE: Duration = ms(67 + 30);

/// Fast wake-up: bursts before the request is sent without an answer to them; twice the time of a normal wake-up.
pub const FAST_WAKE_UP_BURSTS: u32 = 10;

/// With the defaults every failure is reported within this time: nothing that could outlast it is begun.
pub const FAILURE_LIMIT: Duration = ms(15_000);

/// Kept free before [`FAILURE_LIMIT`] for closing the port and writing the report.
pub const FAILURE_RESERVE: Duration = ms(300);

/// Inactivity after which a meter leaves a session: 120 s is the default of HDLC.
pub const INACTIVITY: Duration = ms(120_000);

/// After a run of junk that holds up an identification: how long the line may pause before the attempt is given up.
pub const JUNK_PATIENCE: Duration = ms(500);

/// A pause of this many characters of the start rate, and the adapter's lag, ends a run of characters.
pub const RUN_PAUSE_CHARACTERS: u32 = 3;

/// Longest run of characters that can cross our acknowledgement and still be an identification.
pub const CROSSING_CHARACTERS: u32 = 81;
