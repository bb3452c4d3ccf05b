//! What is asked for at the cabinet, where a meter does not answer.

/// The two goals that need no answer to begin with.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "At the cabinet")]
pub struct Cabinet {
    /// The meter does not answer: try every sensible way, at most 60 s, and say which one works
    ///
    /// No password is sent, and no session is left open. With --address, that meter is looked for.
    #[arg(long, conflicts_with_all = NOT_WITH)]
    pub hunt: bool,
    /// Ask again and again while the head is turned, and show how well it sits
    #[arg(long, conflicts_with_all = NOT_WITH, conflicts_with = "hunt")]
    pub watch: bool,
}

/// Goals and ways of a sign-on that are another matter.
const NOT_WITH: [&str; 9] = [
    "pipe",
    "command",
    "ident_only",
    "direct",
    "check_link",
    "disconnect",
    "wake_up",
    "attempts",
    "timeline",
];
