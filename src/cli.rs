//! The command line: which command, and the help, made from the tables of commands, variables and
//! exit codes.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgGroup};
use jiff::civil::Date;

use crate::config::{self, Command, Default, VARIABLES};
use crate::connect::{self, Wanted};
use crate::exit::Exit;
use crate::review::Scope;
use crate::review::command::{CloseAsked, OpenAsked, StatusAsked};
use crate::schedule::Pattern;
use crate::verify::{Anchor, Bound, Period, Rhythm};

/// What the command line asks for.
#[derive(Debug)]
pub enum Asked {
    /// A review.
    Run,
    /// To try everything a run needs.
    Check(Check),
    /// To make a connection.
    Connect(Connect),
    /// To check evidence.
    Verify(Verify),
    /// A periodic access review.
    Review(Review),
    /// A text for stdout: help or version.
    Print(String),
    /// It cannot be understood: a text for stderr.
    Wrong(String),
}

/// What is to be tried.
#[derive(Debug)]
pub struct Check {
    /// The job's cron schedule, and its zone if one is given.
    pub schedule: Option<(String, Option<String>)>,
    /// One object may be created.
    pub write_probe: bool,
    /// For machines.
    pub json: bool,
}

/// Which connection is to be made, and how it is told.
#[derive(Debug)]
pub struct Connect {
    /// Which.
    pub wanted: Wanted,
    /// Nobody is asked.
    pub yes: bool,
    /// For machines.
    pub json: bool,
    /// How long the admin may take.
    pub timeout: Duration,
}

/// What is to be done with a periodic access review.
#[derive(Debug)]
pub enum Review {
    /// To open one.
    Open(OpenAsked),
    /// How far it is.
    Status(Status),
    /// To close it.
    Close(CloseAsked),
}

impl Review {
    /// Whether names are asked for, whoever reads them.
    pub fn names(&self) -> bool {
        match self {
            Self::Status(status) => status.names,
            Self::Open(_) | Self::Close(_) => false,
        }
    }
}

/// How it is to be told how far a review is.
#[derive(Debug, Default)]
pub struct Status {
    /// Of which review, by which decisions.
    pub of: StatusAsked,
    /// For machines.
    pub json: bool,
    /// Reviewers are named, also where nobody reads along.
    pub names: bool,
    /// Others are told, too.
    pub notify: bool,
}

/// How evidence is to be checked.
#[derive(Debug)]
pub struct Verify {
    /// Where it lies; none: where `EVIDENCE_URL` says.
    pub url: Option<String>,
    /// Only this connection.
    pub connection: Option<String>,
    /// Entries somebody noted elsewhere.
    pub heads: Vec<Anchor>,
    /// Files of public keys that are trusted.
    pub public_keys: Vec<PathBuf>,
    /// How often runs were due.
    pub every: Option<Rhythm>,
    /// In which period.
    pub period: Period,
    /// For machines.
    pub json: bool,
}

/// Reads the command line.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Asked {
    let matches = match command_line().try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) if error.use_stderr() => return Asked::Wrong(error.to_string()),
        Err(help) => return Asked::Print(help.to_string()),
    };
    match matches.subcommand() {
        None => Asked::Run,
        Some((name, _)) if name == Command::Run.as_str() => Asked::Run,
        Some((name, given)) if name == Command::Check.as_str() => Asked::Check(Check {
            schedule: given
                .get_one::<String>("schedule")
                .map(|cron| (cron.clone(), given.get_one::<String>("zone").cloned())),
            write_probe: given.get_flag("write-probe"),
            json: given.get_flag("json"),
        }),
        Some((name, given)) if name == Command::Connect.as_str() => match wanted(given) {
            Some(wanted) => Asked::Connect(Connect {
                wanted,
                yes: given.get_flag("yes"),
                json: given.get_flag("json"),
                timeout: given
                    .get_one::<Duration>("timeout")
                    .copied()
                    .unwrap_or_default(),
            }),
            None => Asked::Wrong("error: connect needs --tenant-id or --reconnect\n".to_owned()),
        },
        Some((name, given)) if name == Command::Verify.as_str() => {
            match rhythm(given).and_then(|every| Ok((every, period(given)?))) {
                Ok((every, period)) => Asked::Verify(Verify {
                    url: given.get_one::<String>("url").cloned(),
                    connection: given.get_one::<String>("connection").cloned(),
                    heads: given
                        .get_many::<Anchor>("head")
                        .unwrap_or_default()
                        .cloned()
                        .collect(),
                    public_keys: given
                        .get_many::<PathBuf>("public-key")
                        .unwrap_or_default()
                        .cloned()
                        .collect(),
                    every,
                    period,
                    json: given.get_flag("json"),
                }),
                Err(wrong) => Asked::Wrong(wrong),
            }
        }
        Some((name, given)) if name == Command::Review.as_str() => Asked::Review(review(given)),
        Some((name, _)) => Asked::Wrong(format!("error: there is no command `{name}`\n")),
    }
}

/// What `--every` is given: `24h`, or a schedule, which holds in a zone.
#[derive(Clone)]
enum Every {
    Interval(Duration),
    Schedule(Pattern),
}

impl Every {
    fn parse(text: &str) -> Result<Self, String> {
        let is_schedule = text.trim().contains([' ', '\t', '*', '@']);
        match is_schedule {
            true => Pattern::parse(text).map(Self::Schedule),
            false => config::interval(text).map(Self::Interval),
        }
    }
}

/// One end of a period, as `--from` and `--to` take it.
fn bound(text: &str) -> Result<Bound, &'static str> {
    let text = text.trim();
    let day = |text: &str| text.parse().map(Bound::Day);
    match text {
        "now" => Ok(Bound::Now),
        // A date of jiff's takes the day of a time without a zone, too.
        _ if text.len() == "2026-12-31".len() => day(text).map_err(|_| BOUND),
        _ => text.parse().map(Bound::At).map_err(|_| BOUND),
    }
}

const BOUND: &str =
    "write a day as 2026-12-31, an instant with its zone as 2026-12-31T23:59:59Z, or `now`";

fn period(given: &clap::ArgMatches) -> Result<Period, String> {
    let bound = |name| given.get_one::<Bound>(name).copied();
    let (from, to) = (bound("from"), bound("to"));
    let is_reversed = match (from, to) {
        (Some(Bound::Day(from)), Some(Bound::Day(to))) => from > to,
        (Some(Bound::At(from)), Some(Bound::At(to))) => from >= to,
        _ => false,
    };
    match is_reversed {
        true => Err("error: --from is after --to\n".to_owned()),
        false => Ok(Period { from, to }),
    }
}

/// How often runs were due, from `--every` and `--zone`.
fn rhythm(given: &clap::ArgMatches) -> Result<Option<Rhythm>, String> {
    let zone = given.get_one::<String>("zone").map(String::as_str);
    match (given.get_one::<Every>("every").cloned(), zone) {
        (None, _) => Ok(None),
        (Some(Every::Interval(every)), None) => Ok(Some(Rhythm::Interval(every))),
        (Some(Every::Interval(_)), Some(_)) => Err(
            "error: --zone is for a schedule, as --every \"30 0,23 * * *\"; an interval has none\n"
                .to_owned(),
        ),
        (Some(Every::Schedule(pattern)), zone) => {
            let schedule = pattern.in_zone(zone.unwrap_or("Etc/UTC"));
            let schedule = schedule.map_err(|wrong| format!("error: --zone: {wrong}\n"))?;
            Ok(Some(Rhythm::Schedule(schedule)))
        }
    }
}

/// Which connection is meant; the command line takes exactly one of the two.
fn wanted(given: &clap::ArgMatches) -> Option<Wanted> {
    let text = |name| given.get_one::<String>(name).cloned();
    let new = text("tenant-id").map(|tenant_id| Wanted::New { tenant_id });
    let again = text("reconnect").map(|connection_id| Wanted::Again { connection_id });
    new.or(again)
}

/// What is there or not.
fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .action(ArgAction::SetTrue)
        .help(help)
}

/// What `connect` is given.
fn of_connect(command: clap::Command) -> clap::Command {
    let tenant_id = |text: &str| {
        let is_plain = !text.trim().is_empty() && !text.chars().any(char::is_control);
        is_plain
            .then(|| text.trim().to_owned())
            .ok_or("is empty, or holds what cannot be read")
    };
    command
        .arg(
            Arg::new("tenant-id")
                .long("tenant-id")
                .value_name("ID")
                .value_parser(tenant_id)
                .help("Make a new connection, of this tenant: a name of your own for whose Asana it is"),
        )
        .arg(
            Arg::new("reconnect")
                .long("reconnect")
                .value_name("ID")
                .value_parser(config::connection_id)
                .help("Make this connection again: its id and its context stay"),
        )
        .group(
            ArgGroup::new("which")
                .args(["tenant-id", "reconnect"])
                .required(true),
        )
        .arg(
            flag("yes", "Do not ask; needed where nobody sits at a terminal"),
        )
        .arg(
            Arg::new("timeout")
                .long("timeout")
                .value_name("DURATION")
                .value_parser(config::interval)
                .default_value(connect::Settings::TIMEOUT)
                .help("How long the admin may take"),
        )
        .arg(
            flag("json", "For machines: one JSON object a line, the link first"),
        )
}

/// What `check` is given.
fn of_check(command: clap::Command) -> clap::Command {
    command
        .arg(
            Arg::new("schedule")
                .long("schedule")
                .value_name("SCHEDULE")
                .value_parser(|text: &str| Pattern::parse(text).map(|_| text.to_owned()))
                .help("The job's cron schedule, as \"30 0,23 * * *\": whether two runs lie close around each deadline [default: RUN_SCHEDULE]"),
        )
        .arg(
            Arg::new("zone")
                .long("zone")
                .value_name("ZONE")
                .requires("schedule")
                .help("The time zone of that schedule, as Europe/Berlin [default: HR_TIME_ZONE]"),
        )
        .arg(
            flag("write-probe", "Create one object, `.probe`, to see that creates are final, deletes refused, and which lock and encryption it gets"),
        )
        .arg(
            flag("json", "For machines"),
        )
}

fn review(given: &clap::ArgMatches) -> Review {
    let text = |given: &clap::ArgMatches, name: &str| given.get_one::<String>(name).cloned();
    let status = |given: &clap::ArgMatches| StatusAsked {
        review: text(given, "review"),
        decisions: given
            .get_many::<PathBuf>("decisions")
            .unwrap_or_default()
            .cloned()
            .collect(),
        reassigned: given.get_one::<PathBuf>("reviewers").cloned(),
    };
    match given.subcommand() {
        Some(("open", given)) => Review::Open(OpenAsked {
            name: text(given, "name").unwrap_or_default(),
            due: given.get_one::<Date>("due").copied().unwrap_or_default(),
            scope: given
                .get_one::<Scope>("scope")
                .copied()
                .unwrap_or(Scope::All),
            reviewers: given.get_one::<PathBuf>("reviewers").cloned(),
            run: text(given, "run").unwrap_or_else(|| "latest".to_owned()),
        }),
        Some(("close", given)) => Review::Close(CloseAsked {
            of: status(given),
            accept_incomplete: text(given, "accept-incomplete"),
        }),
        Some((_, given)) => Review::Status(Status {
            of: status(given),
            json: given.get_flag("json"),
            names: given.get_flag("names"),
            notify: given.get_flag("notify"),
        }),
        None => Review::Status(Status::default()),
    }
}

/// What `review` is given: one of its three steps.
fn of_review(command: clap::Command) -> clap::Command {
    let file = |name: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name("FILE")
            .value_parser(clap::value_parser!(PathBuf))
            .help(help)
    };
    let day = |text: &str| {
        text.parse::<Date>()
            .map_err(|_| "write a day as 2026-12-31")
    };
    let scope = |text: &str| match text {
        "all" => Ok(Scope::All),
        "admins" => Ok(Scope::Admins),
        "guests" => Ok(Scope::Guests),
        _ => Err("it is all, admins or guests"),
    };
    let reason = |text: &str| match text.trim() {
        "" => Err("say why"),
        reason => Ok(reason.to_owned()),
    };
    let which = || {
        Arg::new("review")
            .long("review")
            .value_name("NAME")
            .help("The review, by name or id [default: the newest that is open]")
    };
    let decisions = || {
        file(
            "decisions",
            "What reviewers sent back: worksheet.csv, worksheet.xlsx or the page's file; of a folder every file, but for names that begin with a dot. Several, or repeated",
        )
        .value_name("FILE|FOLDER")
        .num_args(1..)
        .action(ArgAction::Append)
    };
    let given_on = || {
        file(
            "reviewers",
            "CSV rule,value,reviewer,note of `reassign` lines: rows given to somebody else since",
        )
    };
    command
        .subcommand_required(true)
        .disable_help_subcommand(true)
        .subcommand(
            clap::Command::new("open")
                .about("Freeze the population of a committed night into a worksheet")
                .arg(
                    Arg::new("name")
                        .long("name")
                        .value_name("NAME")
                        .required(true)
                        .help("What people call it, as 2026-Q4"),
                )
                .arg(
                    Arg::new("due")
                        .long("due")
                        .value_name("DAY")
                        .required(true)
                        .value_parser(day)
                        .help("The last day for decisions, as 2026-12-31"),
                )
                .arg(file(
                    "reviewers",
                    "CSV rule,value,reviewer,note: who decides which row; without it, anybody but the owner",
                ))
                .arg(
                    Arg::new("scope")
                        .long("scope")
                        .value_name("SCOPE")
                        .value_parser(scope)
                        .help("all, admins or guests [default: all]"),
                )
                .arg(
                    Arg::new("run")
                        .long("run")
                        .value_name("RUN")
                        .help("The night: its id, folder or ledger number [default: latest, the newest complete one]"),
                ),
        )
        .subcommand(
            clap::Command::new("status")
                .about("How far a review is, by the decisions received so far")
                .arg(which())
                .arg(decisions())
                .arg(given_on())
                .arg(flag("json", "For machines: one JSON document"))
                .arg(flag(
                    "names",
                    "Name the reviewers, and the files, also where the output goes to a file or a log",
                ))
                .arg(flag(
                    "notify",
                    "Tell the receivers of notifications, too; nobody is named there",
                )),
        )
        .subcommand(
            clap::Command::new("close")
                .about("Hold every decision against the worksheet, and seal them")
                .arg(which())
                .arg(decisions().required(true))
                .arg(given_on())
                .arg(
                    Arg::new("accept-incomplete")
                        .long("accept-incomplete")
                        .value_name("REASON")
                        .value_parser(reason)
                        .help("Close it though rows are not decided; the reason is printed on page one"),
                ),
        )
}

/// What `verify` is given.
fn of_verify(command: clap::Command) -> clap::Command {
    let anchor =
        |text: &str| Anchor::parse(text).ok_or("write it as a run prints it: 42:<64 hex digits>");
    command
        .arg(
            Arg::new("url")
                .value_name("URL")
                .help("Where the evidence lies: a folder, a downloaded copy, or s3://bucket/prefix [default: EVIDENCE_URL]"),
        )
        .arg(
            Arg::new("connection")
                .long("connection")
                .value_name("ID")
                .help("Check only this connection"),
        )
        .arg(
            Arg::new("head")
                .long("head")
                .value_name("SEQ:HASH")
                .action(ArgAction::Append)
                .value_parser(anchor)
                .help("A ledger entry as a run printed it: the ledger must have it. May be repeated"),
        )
        .arg(
            Arg::new("public-key")
                .long("public-key")
                .value_name("FILE")
                .action(ArgAction::Append)
                .value_parser(clap::value_parser!(PathBuf))
                .help("A public key (PEM) that is trusted: the last entry must be signed with it. May be repeated"),
        )
        .arg(
            Arg::new("every")
                .long("every")
                .value_name("DURATION|SCHEDULE")
                .value_parser(Every::parse)
                .help("When runs were due: the five fields of the cron schedule, as \"30 0,23 * * *\", and a run is missing if none started before the next instant; or an interval, as 24h, and a run is missing if half as much again passes without one [default: each schedule that the evidence records (RUN_SCHEDULE), for as long as it was in force]"),
        )
        .arg(
            Arg::new("zone")
                .long("zone")
                .value_name("ZONE")
                .requires("every")
                .help("The time zone of that schedule and of the days of --from and --to, as Europe/Berlin [default: Etc/UTC]"),
        )
        .arg(
            Arg::new("from")
                .long("from")
                .value_name("DAY|INSTANT")
                .value_parser(bound)
                .help("Look for missing and failed runs from this day or instant on [default: the first run]"),
        )
        .arg(
            Arg::new("to")
                .long("to")
                .value_name("DAY|INSTANT|now")
                .value_parser(bound)
                .help("Look for them up to the end of this day, or before this instant [default: the last run]"),
        )
        .arg(
            flag("json", "For machines"),
        )
}

fn command_line() -> clap::Command {
    let mut line = clap::Command::new(env!("CARGO_PKG_NAME"))
        .version(concat!(
            env!("CARGO_PKG_VERSION"),
            " (commit ",
            env!("BUILD_COMMIT"),
            ")"
        ))
        .about(env!("CARGO_PKG_DESCRIPTION"))
        .disable_help_subcommand(true)
        .after_help(after_help(Command::Run));
    for command in Command::ALL {
        let mut subcommand = clap::Command::new(command.as_str()).about(about(command));
        subcommand = subcommand.after_help(after_help(command));
        subcommand = match command {
            Command::Connect => of_connect(subcommand),
            Command::Verify => of_verify(subcommand),
            Command::Check => of_check(subcommand),
            Command::Review => of_review(subcommand),
            Command::Run => subcommand,
        };
        line = line.subcommand(subcommand);
    }
    line
}

fn about(command: Command) -> &'static str {
    match command {
        Command::Run => "One review: fetch, judge, store evidence (also without a command)",
        Command::Check => "Try every setting and endpoint",
        Command::Connect => {
            "Make a Truto connection to Asana: a link for its admin, and the wait until it works"
        }
        Command::Verify => {
            "Check evidence: integrity (hashes, chain, signatures, recomputation) and operation (missing runs)"
        }
        Command::Review => "The periodic access review: open, status, close",
    }
}

fn after_help(command: Command) -> String {
    let mut text = String::from(
        "Environment (an empty variable is unset; a secret X may come as X_FILE, a path):\n",
    );
    for variable in VARIABLES.iter().filter(|v| v.commands.contains(&command)) {
        let default = match variable.default {
            Default::Required => "required".to_owned(),
            Default::Unset => "unset".to_owned(),
            Default::Value(value) => format!("default {value}"),
            Default::Depends(words) => format!("default: {words}"),
        };
        let secret = if variable.secret { ", secret" } else { "" };
        let _ = writeln!(text, "  {}  ({default}{secret})", variable.name);
        let _ = writeln!(text, "      {}", variable.meaning);
    }
    text.push_str("\nExit codes:\n");
    for exit in Exit::ALL {
        let _ = writeln!(text, "  {:>3}  {}", exit.code(), exit.meaning());
    }
    text
}
