//! One port, from its opening to its closing: the start, and what was asked for after it.

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use iecprobe::driver::{Driver, Stopped};
use iecprobe::line::{self, AddressError, Line, Loss, OpenError};
use iecprobe::machine::disconnect::{Disconnect, Parting};
use iecprobe::machine::exchange::{Answer, Ask, Exchange, Says};
use iecprobe::os::{Input, Interrupt, Output, Socket};
use iecprobe::pipe::{self, End, Far, User};
use iecprobe::protocol::settings::Settings;
use iecprobe::protocol::timing;
use iecprobe::signon::{Config, SignOn, SignedOn};

use crate::ending::{self, Ending};
use crate::form::{self, Form};
use crate::job::{Carry, Job, Seek, Serving, Start, Then};
use crate::picture;
use crate::report::{Link, Success};
use crate::trouble::{NoLink, Trouble};
use crate::watch::Watch;
use crate::{cabinet, command};

/// SNRMs sent before a link is given up: the first one may come while the meter still changes over.
const SNRM_TRIES: u32 = 2;

/// What is to be done on a port.
pub struct Session<'a> {
    /// What was asked for.
    pub job: &'a Job,
    /// Where.
    pub port: &'a str,
    /// What can interrupt it.
    pub interrupt: &'a Interrupt,
    /// The client that it is served to, if it is.
    pub client: Option<&'a Socket>,
}

/// A line after the start, whichever it was.
struct Open {
    /// Who answered, where there was a sign-on.
    signed_on: Option<SignedOn>,
    /// How the line is set.
    settings: Settings,
    /// When the first byte may go out.
    settled: Instant,
}

impl Session<'_> {
    /// Does it; the report of a success, where that is still to be printed. The line is closed, and so restored, by
    /// then.
    pub fn run(&self) -> Result<Option<String>, Ending> {
        let began = Instant::now();
        let job = self.job;
        if let Then::Carry(Carry::Command { command, .. }) = &job.then {
            command::check(command).map_err(Trouble::Internal)?;
        }
        let address = self.port.parse().map_err(|error: AddressError| Trouble::Usage(error.to_string()))?;
        let mut line = line::open(&address, job.line, self.interrupt).map_err(|error| match error {
            OpenError::Signal(signal) => Ending::Signal(signal),
            error => Trouble::Open(error).into(),
        })?;
        // Only now: a run that cannot open its port leaves no file behind.
        let mut watch = Watch::new(job)
            .map_err(|trouble| self.interrupt.signal().map_or(trouble.into(), Ending::Signal))?;
        let driven = self.drive(began, &mut *line, &mut watch);
        let driven = self.depart(driven, &mut *line, &mut watch);
        drop(line);
        let traced = watch.finish().map_err(|error| match self.interrupt.signal() {
            Some(signal) => Ending::Signal(signal),
            None => Trouble::Output(error).into(),
        });
        driven.and_then(|report| traced.map(|()| report))
    }

    /// Lets what was written leave the line, unless there is no line to leave or nobody waits for that.
    fn depart<T>(
        &self,
        ended: Result<T, Ending>,
        line: &mut dyn Line,
        watch: &mut Watch,
    ) -> Result<T, Ending> {
        if matches!(ended, Err(Ending::Signal(_) | Ending::Failed(Trouble::LineLost))) {
            return ended;
        }
        let mut driver = Driver { line, interrupt: self.interrupt, observer: watch };
        match driver.depart() {
            Err(Stopped::Signal(signal)) => Err(Ending::Signal(signal)),
            // A line that is lost only now has done its work.
            Ok(()) | Err(Stopped::LineLost(_)) => ended,
        }
    }

    /// Everything that happens while the line is open.
    fn drive(
        &self,
        began: Instant,
        line: &mut dyn Line,
        watch: &mut Watch,
    ) -> Result<Option<String>, Ending> {
        let job = self.job;
        if let Start::Hunt(seek) | Start::Watch(seek) = &job.start {
            return self.seek(seek, began, line, watch);
        }
        let remarks = line.remarks();
        let open = self.start(line, watch).inspect_err(|ending| self.draw(watch, Err(ending)))?;
        let success = |link: Option<Link>| {
            let signed_on = open.signed_on.as_ref();
            let (elapsed, ident_only) = (began.elapsed(), job.is_ident_only());
            Success::new(self.port, signed_on, open.settings, link, &remarks, elapsed, ident_only)
        };
        let link = match &job.then {
            Then::Carry(carry) => {
                self.draw(watch, Ok(open.signed_on.as_ref()));
                self.carry_and_disconnect(carry, success(None), &open, line, watch)?;
                return Ok(None);
            }
            Then::CheckLink => {
                let mut driver = Driver { line, interrupt: self.interrupt, observer: watch };
                let link = self.check_link(&mut driver, &open).map(Some);
                if job.disconnect || matches!(link, Ok(_) | Err(Ending::Signal(_))) {
                    self.disconnect(link, &mut driver, &open)
                } else {
                    link
                }
            }
            Then::Report if job.disconnect => {
                let mut driver = Driver { line, interrupt: self.interrupt, observer: watch };
                self.disconnect(Ok(None), &mut driver, &open)
            }
            Then::Report => Ok(None),
        };
        self.draw(watch, link.as_ref().map(|_| open.signed_on.as_ref()));
        Ok(Some(success(link?).report(job.manner.form)))
    }

    /// Looks for a way to the meter, or watches it.
    fn seek(
        &self,
        seek: &Seek,
        began: Instant,
        line: &mut dyn Line,
        watch: &mut Watch,
    ) -> Result<Option<String>, Ending> {
        let manner = &self.job.manner;
        let config = seek.config(line.nature());
        let is_hunt = matches!(self.job.start, Start::Hunt(_));
        let mut driver = Driver { line, interrupt: self.interrupt, observer: watch };
        if !is_hunt {
            return cabinet::watch(&mut driver, &config, &seek.way(&config), manner).map(|()| None);
        }
        let hunted = cabinet::hunt(&mut driver, self.port, config, manner.form, began);
        watch.clear();
        hunted.map(Some)
    }

    fn draw(&self, watch: &mut Watch, ended: Result<Option<&SignedOn>, &Ending>) {
        watch.draw(|| picture::outcome(self.port, self.job.is_ident_only(), ended));
    }

    /// Brings the line to where HDLC begins, or to the identification where that is all that was asked for.
    fn start(&self, line: &mut dyn Line, watch: &mut Watch) -> Result<Open, Ending> {
        let job = self.job;
        let Some(config) = job.start.config(line.nature()) else {
            return Ok(Open { signed_on: None, settings: job.line.settings, settled: Instant::now() });
        };
        let signed_on = self.sign_on(config, line, watch)?;
        let settings =
            if job.is_ident_only() { job.line.settings } else { Settings::eight_none(signed_on.baud) };
        Ok(Open { signed_on: Some(signed_on), settings, settled: Instant::now() + job.settle })
    }

    fn sign_on(&self, config: Config, line: &mut dyn Line, watch: &mut Watch) -> Result<SignedOn, Ending> {
        let mut machine = SignOn::new(config.clone(), Instant::now());
        let mut driver = Driver { line, interrupt: self.interrupt, observer: watch };
        let ended = driver.run(&mut machine);
        watch.clear();
        let ended = match ended {
            // A connection that is closed on a meter has nothing to say about itself.
            Err(Stopped::LineLost(_)) if machine.identification().is_some() => {
                return Err(Trouble::LineLost.into());
            }
            ended => ended.map_err(stopped)?,
        };
        let identification = match &ended {
            Ok(signed_on) => Some(&signed_on.identification),
            Err(failed) => failed.identification.as_ref(),
        };
        if let (Some(refused), Some(identification)) = (line.refused(), identification) {
            let identification = Box::new(identification.clone());
            return Err(Trouble::Refused { refused, identification }.into());
        }
        ended.map_err(|failed| Trouble::SignOn { failed: Box::new(failed), config: Box::new(config) }.into())
    }

    /// `--check-link`: SNRM and UA.
    fn check_link(&self, driver: &mut Driver<'_>, open: &Open) -> Result<Link, Ending> {
        let addresses = self.job.addresses;
        let mut exchange = Exchange::new(Ask::Open, addresses, open.settings, timing::HDLC_WAIT, SNRM_TRIES);
        let opened = driver.pause(open.settled).and_then(|()| driver.run(&mut exchange)).map_err(stopped)?;
        match opened.answer {
            Some(Answer { from, says: Says::Accepted(parameters) }) => {
                Ok(Link::new(addresses.client, from, parameters))
            }
            answer => Err(Trouble::Link(Box::new(NoLink {
                says: answer.map(|answer| answer.says),
                received: opened.received,
                addresses,
                settings: open.settings,
                identification: open.signed_on.as_ref().map(|done| done.identification.clone()),
            }))
            .into()),
        }
    }

    /// The DISC before leaving, however things have gone: at once where a signal wants us to end, and none where the
    /// line is lost.
    fn disconnect<T>(
        &self,
        ended: Result<T, Ending>,
        driver: &mut Driver<'_>,
        open: &Open,
    ) -> Result<T, Ending> {
        let addresses = self.job.addresses;
        let parted = match &ended {
            Err(Ending::Signal(signal)) => Err(Ending::Signal(*signal)),
            Err(Ending::Failed(Trouble::LineLost | Trouble::Lost(_))) => return ended,
            _ => {
                let mut machine = Disconnect::new(addresses, open.settings, timing::HDLC_WAIT);
                driver.pause(open.settled).and_then(|()| driver.run(&mut machine)).map_err(stopped)
            }
        };
        match parted.as_ref().map(|parted| &parted.parting) {
            Ok(Parting::Closed(_)) => log::info!("the meter answered the DISC"),
            Ok(Parting::OpenedAndClosed(_)) => {
                log::info!("the meter had no link: one was opened and closed again, which frees it");
            }
            Ok(Parting::Stays(_)) => {
                log::warn!("the meter answered the DISC, but it opens no link and may stay")
            }
            Ok(Parting::Unanswered) => log::warn!("the meter did not answer the DISC"),
            Err(Ending::Signal(_)) => driver.send_at_once(&addresses.disc(), open.settings),
            Err(_) => {}
        }
        ended.and_then(|value| parted.map(|_| value))
    }

    /// The report, the pipe, and `--disconnect` after them.
    fn carry_and_disconnect(
        &self,
        carry: &Carry,
        success: Success,
        open: &Open,
        line: &mut dyn Line,
        watch: &mut Watch,
    ) -> Result<(), Ending> {
        let manner = &self.job.manner;
        let environment = form::environment(self.port, success.variables());
        let wanted = !manner.quiet && open.signed_on.is_some();
        let report = if wanted { success.report(manner.form) } else { String::new() };
        let ended = ending::print_aside(&report).and_then(|()| {
            // Nothing but the report where a program reads it.
            if !manner.quiet && manner.form == Form::Text {
                let typed = matches!(carry, Carry::Streams { .. }) && io::stdin().is_terminal();
                let leave = if typed { "; Ctrl-D or Ctrl-C leaves" } else { "" };
                ending::say(&format!("iecprobe: {} is open at {}{leave}\n", self.port, open.settings));
            }
            self.carry(carry, &environment, open, line, watch)
        });
        if !self.job.disconnect {
            return ended;
        }
        let mut driver = Driver { line, interrupt: self.interrupt, observer: watch };
        self.disconnect(ended, &mut driver, open)
    }

    fn carry(
        &self,
        carry: &Carry,
        environment: &[(OsString, OsString)],
        open: &Open,
        line: &mut dyn Line,
        watch: &mut Watch,
    ) -> Result<(), Ending> {
        let (mut far, user, idle) = match carry {
            Carry::Streams { linger, idle } => {
                let input = Input::stdin().map_err(|error| Trouble::Internal(error.to_string()))?;
                let output = Output::stdout().map_err(Trouble::Output)?;
                let linger = *linger;
                let user =
                    if input.is_joined(&output) { User::Peer { linger } } else { User::Streams { linger } };
                (Far { input, output: Some(output), child: None }, user, *idle)
            }
            Carry::Client(Serving { linger, idle, .. }) => {
                let client = self.client.ok_or_else(|| Trouble::Internal("there is no client".into()))?;
                let (input, output) = client.streams().map_err(Trouble::Output)?;
                (Far { input, output: Some(output), child: None }, User::Peer { linger: *linger }, *idle)
            }
            Carry::Command { command, idle } => {
                (command::start(command, environment).map_err(Trouble::Internal)?, User::Command, *idle)
            }
        };
        let end = pipe::carry(line, &mut far, &plan(open, user, idle), self.interrupt, watch);
        let status = command::finish(far, self.interrupt);
        match (end, self.interrupt.signal()) {
            (End::LineLost, _) => Err(Trouble::LineLost.into()),
            (End::Output(error), _) => Err(Trouble::Output(error).into()),
            (End::Signal(signal), _) | (_, Some(signal)) => Err(Ending::Signal(signal)),
            (End::OutputClosed, _) => Err(Ending::OutputClosed),
            (End::Input, _) if status != 0 => Err(Ending::Command(status)),
            (End::Input | End::Idle, _) => Ok(()),
        }
    }
}

/// What a run ends with that a driver has stopped.
pub fn stopped(stopped: Stopped) -> Ending {
    match stopped {
        Stopped::Signal(signal) => Ending::Signal(signal),
        Stopped::LineLost(error) => match Loss::of(&error) {
            Some(loss) => Trouble::Lost(loss.clone()).into(),
            None => Trouble::LineLost.into(),
        },
    }
}

/// What the pipe begins with: what came behind the confirmation, but for the single LF that some meters add to it.
fn plan(open: &Open, user: User, idle: Option<Duration>) -> pipe::Plan {
    let signed_on = open.signed_on.as_ref();
    let rest = signed_on.map_or(&[][..], |done| &done.rest);
    let confirmed = signed_on.is_some_and(|done| done.confirmed == Some(true));
    let first = match rest {
        [b'\n' | 0x8A, rest @ ..] if confirmed => rest,
        rest => rest,
    };
    let skip_lf = confirmed && rest.is_empty();
    pipe::Plan { skip_lf, first: first.to_vec(), settled: open.settled, idle, user }
}
