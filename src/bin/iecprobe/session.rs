//! One port, from its opening to its closing: the sign-on, and what was asked for after it.

use std::time::Instant;

use iecprobe::driver::{Driver, Stopped};
use iecprobe::line::{self, Line};
use iecprobe::machine::disconnect::{Disconnect, Parting};
use iecprobe::machine::exchange::{Answer, Ask, Exchange, Says};
use iecprobe::os::{Input, Interrupt, Output as Stream};
use iecprobe::pipe::{self, End, User};
use iecprobe::protocol::settings::Settings;
use iecprobe::protocol::timing;
use iecprobe::signon::{SignOn, SignedOn};

use crate::cli::{Args, Output};
use crate::command;
use crate::ending::{self, Evidence, Exit};
use crate::explain::{self, Problem};
use crate::picture;
use crate::report::{self, Link};
use crate::watch::Watch;

/// `--direct` without `--baud`.
const DIRECT_BAUD: u32 = 9600;

/// SNRMs sent before a link is given up: the first one may come while the meter still changes over.
const SNRM_TRIES: u32 = 2;

/// What is to be done on a port.
pub struct Session<'a> {
    /// What was asked for.
    pub args: &'a Args,
    /// Where.
    pub port: &'a str,
    /// What can interrupt it.
    pub interrupt: &'a Interrupt,
}

impl Session<'_> {
    /// Does it; the report of a success, where that is still to be printed. The line is closed, and so restored, by
    /// then.
    pub fn run(&self) -> Result<Option<String>, Exit> {
        let began = Instant::now();
        let args = self.args;
        command::check(&args.command).map_err(Problem::internal)?;
        let start = if args.direct {
            Settings::eight_none(args.baud.unwrap_or(DIRECT_BAUD))
        } else {
            Settings::seven_even(args.start_baud)
        };
        let options = line::Options { parity: args.parity, dtr: args.dtr, rts: args.rts, settings: start };
        let mut line = line::open(self.port, options).map_err(|error| explain::open(self.port, &error))?;
        // Only now: a run that cannot open its port leaves no file behind.
        let mut watch = Watch::new(args)?;
        let driven = self.drive(began, start, &mut *line, &mut watch);
        drop(line);
        let traced = watch.finish().map_err(|error| Problem::output(&error).into());
        driven.and_then(|report| traced.map(|()| report))
    }

    /// Everything that happens while the line is open.
    fn drive(
        &self,
        began: Instant,
        start: Settings,
        line: &mut dyn Line,
        watch: &mut Watch,
    ) -> Result<Option<String>, Exit> {
        let args = self.args;
        if args.direct {
            self.carry_and_part(None, start, Instant::now(), line, watch)?;
            return Ok(None);
        }
        let remarks = line.remarks();
        let signed_on = self.sign_on(line, watch).inspect_err(|exit| self.draw(watch, Err(exit)))?;
        let settled = Instant::now() + args.settle;
        let settings = if args.ident_only { start } else { Settings::eight_none(signed_on.baud) };
        let report = |link: Option<Link>| {
            report::success(args.form(), self.port, &signed_on, link, &remarks, began.elapsed())
        };
        if args.carries() {
            self.draw(watch, Ok(&signed_on));
            let report = (!args.quiet).then(|| report(None));
            self.carry_and_part(Some((&signed_on, report)), settings, settled, line, watch)?;
            return Ok(None);
        }
        let mut driver = Driver { line, interrupt: self.interrupt, observer: watch };
        let mut link = Ok(None);
        if args.check_link {
            link = self.check_link(&mut driver, &signed_on, settings, settled).map(Some);
        }
        if args.disconnect || matches!(link, Ok(Some(_)) | Err(Exit::Signal(_))) {
            link = self.part(link, &mut driver, settings, settled);
        }
        self.draw(watch, link.as_ref().map(|_| &signed_on));
        Ok(Some(report(link?)))
    }

    fn draw(&self, watch: &mut Watch, ended: Result<&SignedOn, &Exit>) {
        watch.draw(|| picture::outcome(self.args, self.port, ended));
    }

    fn sign_on(&self, line: &mut dyn Line, watch: &mut Watch) -> Result<SignedOn, Exit> {
        let config = self.args.sign_on(line);
        let mut machine = SignOn::new(config.clone(), Instant::now());
        let mut driver = Driver { line, interrupt: self.interrupt, observer: watch };
        let ended = driver.run(&mut machine);
        watch.clear();
        match ended {
            Ok(Ok(signed_on)) => Ok(signed_on),
            Ok(Err(failed)) => {
                let problem = explain::failed(&failed, &config);
                Err(Exit::Problem(problem, failed.into()))
            }
            Err(stopped) => Err(self.stopped(stopped)),
        }
    }

    fn stopped(&self, stopped: Stopped) -> Exit {
        match stopped {
            Stopped::Signal(signal) => Exit::Signal(signal),
            Stopped::LineLost(_) => Problem::line_lost(self.port).into(),
        }
    }

    /// `--check-link`: SNRM and UA.
    fn check_link(
        &self,
        driver: &mut Driver<'_>,
        signed_on: &SignedOn,
        settings: Settings,
        settled: Instant,
    ) -> Result<Link, Exit> {
        let addresses = self.args.addresses();
        let opened = driver
            .pause(settled)
            .and_then(|()| {
                let wait = timing::HDLC_WAIT;
                driver.run(&mut Exchange::new(Ask::Open, addresses, settings, wait, SNRM_TRIES))
            })
            .map_err(|stopped| self.stopped(stopped))?;
        match opened.answer {
            Some(Answer { from, says: Says::Accepted(parameters) }) => {
                Ok(Link::new(addresses.client, from, parameters))
            }
            answer => {
                let says = answer.map(|answer| answer.says);
                let problem = explain::link(says, &opened.received, addresses, settings);
                let identification = Some(signed_on.identification.clone());
                Err(Exit::Problem(problem, Evidence { identification, received: opened.received }))
            }
        }
    }

    /// The DISC before leaving, however things have gone: at once where a signal wants us to end, and none where the
    /// line is lost.
    fn part<T>(
        &self,
        ended: Result<T, Exit>,
        driver: &mut Driver<'_>,
        settings: Settings,
        settled: Instant,
    ) -> Result<T, Exit> {
        let addresses = self.args.addresses();
        let parted = match &ended {
            Err(Exit::Signal(signal)) => Err(Exit::Signal(*signal)),
            Err(Exit::Problem(problem, _)) if problem.kind == "line-lost" => return ended,
            _ => driver
                .pause(settled)
                .and_then(|()| driver.run(&mut Disconnect::new(addresses, settings, timing::HDLC_WAIT)))
                .map(|parted| parted.parting)
                .map_err(|stopped| self.stopped(stopped)),
        };
        match &parted {
            Ok(Parting::Closed(_)) => log::info!("the meter answered the DISC"),
            Ok(Parting::OpenedAndClosed(_)) => {
                log::info!("the meter had no link: one was opened and closed again, which frees it");
            }
            Ok(Parting::Stays(_)) => {
                log::warn!("the meter answered the DISC, but it opens no link and may stay")
            }
            Ok(Parting::Unanswered) => log::warn!("the meter did not answer the DISC"),
            Err(Exit::Signal(_)) => driver.send_at_once(&addresses.disc(), settings),
            Err(_) => {}
        }
        ended.and_then(|value| parted.map(|_| value))
    }

    /// The report, the pipe, and `--disconnect` after them.
    fn carry_and_part(
        &self,
        signed_on: Option<(&SignedOn, Option<String>)>,
        settings: Settings,
        settled: Instant,
        line: &mut dyn Line,
        watch: &mut Watch,
    ) -> Result<(), Exit> {
        let args = self.args;
        let user =
            if args.command.is_empty() { User::Streams { linger: args.linger } } else { User::Command };
        let (signed_on, report) = signed_on.unzip();
        let ended = ending::print_aside(&report.flatten().unwrap_or_default()).and_then(|()| {
            // Nothing but the report where a program reads it.
            if !args.quiet && args.form() == Output::Text {
                ending::say(&format!("iecprobe: {} is open at {settings}\n", self.port));
            }
            self.carry(plan(signed_on, settled, user), line, watch)
        });
        if !args.disconnect {
            return ended;
        }
        let mut driver = Driver { line, interrupt: self.interrupt, observer: watch };
        self.part(ended, &mut driver, settings, settled)
    }

    fn carry(&self, plan: pipe::Plan, line: &mut dyn Line, watch: &mut Watch) -> Result<(), Exit> {
        let end = if self.args.command.is_empty() {
            let mut stdin = Input::stdin().map_err(|error| Problem::internal(error.to_string()))?;
            let mut stdout = Stream::stdout().map_err(|error| Problem::output(&error))?;
            pipe::carry(line, &mut stdin, &mut stdout, plan, self.interrupt, watch)
        } else {
            let mut child = command::start(&self.args.command).map_err(Problem::internal)?;
            let end = child.carry(line, plan, self.interrupt, watch);
            match (end, child.finish(self.interrupt)) {
                (End::Input | End::OutputClosed, status) => match self.interrupt.signal() {
                    Some(signal) => End::Signal(signal),
                    None if status == 0 => return Ok(()),
                    None => return Err(Exit::Command(status)),
                },
                (end, _) => end,
            }
        };
        match end {
            End::Input => Ok(()),
            End::OutputClosed => Err(Exit::OutputClosed),
            End::Output(error) => Err(Problem::output(&error).into()),
            End::LineLost => Err(Problem::line_lost(self.port).into()),
            End::Signal(signal) => Err(Exit::Signal(signal)),
        }
    }
}

/// What the pipe begins with: what came behind the confirmation, but for the single LF that some meters add to it.
fn plan(signed_on: Option<&SignedOn>, settled: Instant, user: User) -> pipe::Plan {
    let rest = signed_on.map_or(&[][..], |done| &done.rest);
    let confirmed = signed_on.is_some_and(|done| done.confirmed == Some(true));
    let first = match rest {
        [b'\n' | 0x8A, rest @ ..] if confirmed => rest,
        rest => rest,
    };
    pipe::Plan { skip_lf: confirmed && rest.is_empty(), first: first.to_vec(), settled, user }
}
