//! Several connections: the settings of the process, and those of each line of `CONNECTIONS_URL`.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::Value;

use super::judge::{Judge, nearest};
use super::values::{self, Wrong};
use super::variables::Raw;
use super::{Command, Default, Environment, Problems, Settings, executor, fail_on, hr, variable};
use crate::cli::exit::FailOn;
use crate::evidence::{Executor, Shard};
use crate::model::quoted;
use crate::net::Pacer;
use crate::truto::RateLimit;
use crate::{files, ledger, metrics, store};

/// Variables of the whole process, which a line cannot override.
pub(super) const OF_THE_PROCESS: [&str; 17] = [
    "CONNECTIONS_URL",
    "CONNECTIONS_CONCURRENCY",
    "FAIL_ON",
    "IMAGE_DIGEST",
    "JOB_COMPLETION_INDEX",
    "JOB_NAME",
    "JOB_RETRY",
    "LOG_FORMAT",
    "METRICS_FILE",
    "METRICS_PUSHGATEWAY_URL",
    "POD_UID",
    "RUN_SCHEDULE",
    "RUN_SCHEDULE_ZONE",
    "RUST_LOG",
    "SHARD_COUNT",
    "SHARD_DEADLINE",
    "TRUTO_TOKEN_RATE_LIMIT",
];

/// Variables that describe one company. Only a line may set them: a line that forgot one would be checked with the data
/// of another company.
pub(super) const OF_ONE_CONNECTION: [&str; 8] = [
    "ALIASES_URL",
    "ASANA_WORKSPACE_ID",
    "EMAIL_DOMAIN_ALIASES",
    "EXCEPTIONS_URL",
    "HR_FEED_AUTHORIZATION",
    "HR_FEED_URL",
    "INTERNAL_DOMAINS",
    "TRUTO_INTEGRATED_ACCOUNT_ID",
];

/// The lines that a problem names, before it counts the others.
const LINES_NAMED: usize = 3;

/// The settings of a run over several connections.
#[derive(Debug)]
pub struct Fleet {
    /// The list of connections.
    pub list: files::Location,
    /// How many connections are checked at the same time.
    pub concurrency: usize,
    pub shard: Shard,
    /// How often this shard has failed in its Job.
    pub retry: u32,
    /// No connection is started after this time.
    pub deadline: Duration,
    /// The verdicts with their own exit code. None if the variable is not set.
    pub fail_on: Option<FailOn>,
    /// The store and the lock of the shard's summary.
    pub store: store::Settings,
    pub ledger: ledger::Settings,
    pub executor: Executor,
    /// The file is that of this shard.
    pub metrics: metrics::Settings,
    /// The limit of the API token, over all shards.
    token_limit: Option<RateLimit>,
    inherited: Inherited,
}

/// The variables that lines inherit. Some are secrets, so debug output has none of them.
pub(super) struct Inherited(Vec<(String, String)>);

impl fmt::Debug for Inherited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} variables", self.0.len())
    }
}

/// A connection of the list.
#[derive(Debug)]
pub struct Connection {
    pub id: String,
    pub settings: Settings,
}

/// Whether the environment names a list of connections.
pub fn has_connections(environment: &Environment) -> bool {
    environment.iter().any(|(name, value)| {
        name == "CONNECTIONS_URL" && !value.to_string_lossy().trim().is_empty()
    })
}

/// The variables that lines inherit: those of this program that are text.
pub(super) fn inherited(environment: &Environment) -> Inherited {
    let text = |(name, value): &(std::ffi::OsString, std::ffi::OsString)| {
        let (name, value) = (name.to_str()?, value.to_str()?);
        let base = secret_of_file(name).unwrap_or(name);
        variable(base)?;
        Some((name.to_owned(), value.to_owned()))
    };
    Inherited(environment.iter().filter_map(text).collect())
}

/// The secret variable whose file this variable names.
fn secret_of_file(name: &str) -> Option<&str> {
    let base = name.strip_suffix("_FILE")?;
    variable(base).filter(|of| of.secret).map(|_| base)
}

impl Judge {
    pub(super) fn fleet(&mut self, mut raw: Raw, inherited: Inherited) -> Option<Fleet> {
        for value in raw.each() {
            if OF_ONE_CONNECTION.contains(&value.name) && value.is_set() {
                let name = value.name;
                self.add(
                    format!("{name} and CONNECTIONS_URL are both set"),
                    Some("set what describes one company on its line of CONNECTIONS_URL"),
                );
            }
        }
        if raw.run_schedule.is_set() && !raw.run_schedule_zone.is_set() {
            // Its default would be the zone of each company.
            let problem = "RUN_SCHEDULE is set, but RUN_SCHEDULE_ZONE is not";
            self.add(
                problem,
                Some("set RUN_SCHEDULE_ZONE to the zone of the schedule"),
            );
        }
        let http = self.http(&raw);
        let force_path_style = self.force_path_style(&raw);
        let place = self.get(&raw.connections_url, values::file);
        let concurrency = self.get(&raw.connections_concurrency, values::number(1, 64));
        let shard = self.shard(&raw);
        let retry = self.get(&raw.job_retry, values::number(0, u32::MAX));
        let deadline = self.get(&raw.shard_deadline, values::some_time);
        let fail_on = self.optional(&raw.fail_on, fail_on);
        let limit = self.get(&raw.truto_token_rate_limit, values::rate_limit);
        let evidence = self.evidence(&raw, force_path_style);
        let metrics = self.metrics(&raw);
        self.logs(&raw);
        let (shard, evidence) = (shard?, evidence?);
        let limit = limit?;
        if limit.is_some_and(|limit| limit.requests < shard.count) {
            let problem = "TRUTO_TOKEN_RATE_LIMIT leaves less than one request for each shard";
            self.add(problem, Some("lower SHARD_COUNT"));
        }
        Some(Fleet {
            list: hr::located(place?, None, http.as_ref(), force_path_style)?,
            concurrency: usize::try_from(concurrency?).ok()?,
            shard,
            retry: retry?,
            deadline: deadline?,
            fail_on: fail_on?,
            store: evidence.store,
            ledger: evidence.ledger,
            executor: executor(&raw),
            metrics: metrics?.of_shard(shard),
            token_limit: limit,
            inherited,
        })
    }

    /// Reports settings of several connections if there is only one. They would have no effect.
    pub(super) fn only_with_connections(&mut self, raw: &Raw) {
        if raw.connections_url.is_set() {
            return;
        }
        for value in [
            &raw.connections_concurrency,
            &raw.shard_count,
            &raw.shard_deadline,
            &raw.truto_token_rate_limit,
        ] {
            let name = value.name;
            let default = variable(name).map(|of| of.default);
            // The default may be set explicitly.
            let is_default = |text: &str| matches!(default, Some(Default::Value(of)) if of == text);
            if value.text.as_deref().is_some_and(|text| !is_default(text)) {
                let problem = format!("{name} is set, but CONNECTIONS_URL is not");
                self.add(
                    problem,
                    Some(&format!("set CONNECTIONS_URL, or unset {name}")),
                );
            }
        }
    }

    fn shard(&mut self, raw: &Raw) -> Option<Shard> {
        let count = self.get(&raw.shard_count, values::number(1, 100_000))?;
        let index = self.get(&raw.job_completion_index, values::number(0, 99_999))?;
        if count > 1 && !raw.job_completion_index.is_set() {
            let problem = format!("SHARD_COUNT={count} is set, but JOB_COMPLETION_INDEX is not");
            let hint = "set JOB_COMPLETION_INDEX to the number of this shard, from 0";
            self.add(problem, Some(hint));
        }
        if index >= count {
            let problem = format!("JOB_COMPLETION_INDEX={index} is not below SHARD_COUNT={count}");
            let hint = "set SHARD_COUNT to the completions of the Job";
            self.add(problem, Some(hint));
        }
        Some(Shard { index, count })
    }
}

impl Fleet {
    /// Reads every line of the list, and returns the connections of this shard with their lines, and warnings.
    ///
    /// # Errors
    /// The problems of all lines, also of those of other shards.
    pub fn connections(
        &self,
        list: &[u8],
        read_file: impl Fn(&Path) -> std::io::Result<String>,
    ) -> Result<(Vec<Connection>, Vec<String>), Problems> {
        let mut problems = LineProblems::default();
        let mut lines = Vec::new();
        for (number, line) in numbered(list) {
            let parsed = parsed(line).map_err(|wrong| vec![wrong]);
            match parsed.and_then(Line::variables) {
                Ok(variables) => lines.push((number, variables)),
                Err(wrongs) => wrongs
                    .into_iter()
                    .for_each(|wrong| problems.add(number, wrong)),
            }
        }
        let token_pace = self.token_pace(&lines).map(Arc::new);
        let mut known: HashMap<String, usize> = HashMap::new();
        let mut feeds: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let mut connections = Vec::new();
        for (number, variables) in lines {
            let get = |name: &str| variables.iter().find(|(of, _)| of == name);
            if let Some((_, url)) = get("HR_FEED_URL") {
                feeds.entry(url.clone()).or_default().push(number);
            }
            match self.settings(&variables, token_pace.clone(), &read_file) {
                Ok(settings) => {
                    let id = settings.source.truto.integrated_account_id.clone();
                    // Folders may not distinguish upper from lower case.
                    if let Some(first) = known.insert(id.to_ascii_lowercase(), number) {
                        let text = format!("the connection `{id}` is on line {first} already");
                        problems.add(number, Wrong::new(text));
                    }
                    if self.shard.owns(&id) {
                        connections.push(Connection { id, settings });
                    }
                }
                Err(of_line) => problems.add_all(number, of_line),
            }
        }
        let is_empty = known.is_empty() && problems.lines.is_empty();
        let warnings = feeds.values().filter(|lines| lines.len() > 1).map(|lines| {
            let lines = named(lines);
            format!("{lines} read the same HR feed: right only for connections of one company")
        });
        let warnings = warnings.collect();
        let problems = problems.unless_empty(is_empty);
        match problems.all() {
            [] => Ok((connections, warnings)),
            _ => Err(problems),
        }
    }

    /// The pace of all requests of this process: the token's limit in proportion to the connections of this shard, so
    /// that all shards end at about the same time.
    fn token_pace(&self, lines: &[(usize, Vec<(String, String)>)]) -> Option<Pacer> {
        let id = |(name, id): &&(String, String)| {
            name == "TRUTO_INTEGRATED_ACCOUNT_ID" && self.shard.owns(id)
        };
        let own = lines
            .iter()
            .filter(|(_, line)| line.iter().any(|of| id(&of)));
        let share = share(self.token_limit?, own.count() as u64, lines.len() as u64);
        Some(Pacer::new(share.requests, share.window))
    }

    /// The settings of a line: its variables over those of the environment.
    fn settings(
        &self,
        line: &[(String, String)],
        token_pace: Option<Arc<Pacer>>,
        read_file: impl Fn(&Path) -> std::io::Result<String>,
    ) -> Result<Settings, Problems> {
        // A file of a secret and the secret itself are one setting.
        let base = |name: &str| secret_of_file(name).unwrap_or(name).to_owned();
        let is_overridden = |name: &str| line.iter().any(|(of, _)| base(of) == base(name));
        let inherited = self.inherited.0.iter();
        let inherited = inherited.filter(|(name, _)| !is_overridden(name));
        let environment = inherited
            .chain(line)
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        let mut judge = Judge {
            token_pace,
            ..Judge::default()
        };
        let (raw, _) = judge.raw(environment, read_file);
        match judge.settings(raw) {
            Some(settings) if judge.problems.all().is_empty() => Ok(settings),
            _ => Err(judge.problems),
        }
    }
}

/// The part of a limit for `own` of `all` connections. All parts together are at most the limit.
fn share(limit: RateLimit, own: u64, all: u64) -> RateLimit {
    let wanted = u64::from(limit.requests) * own;
    match u32::try_from(wanted / all.max(1)) {
        Ok(requests @ 1..) => RateLimit { requests, ..limit },
        // Less than one request in a window is one in a longer window.
        _ => RateLimit {
            requests: 1,
            window: limit.window * u32::try_from(all.div_ceil(wanted.max(1))).unwrap_or(u32::MAX),
        },
    }
}

/// The ids of every connection in a list. Only a run judges the other variables of a line.
///
/// # Errors
/// The problems of all lines.
pub fn connection_ids(list: &[u8]) -> Result<Vec<String>, Problems> {
    let mut problems = LineProblems::default();
    let mut ids = Vec::new();
    for (number, line) in numbered(list) {
        let id = parsed(line).and_then(|Line(members)| {
            let is_elsewhere = |(name, value): &(String, Value)| {
                name == "EVIDENCE_URL" && value.as_str() != Some("")
            };
            if members.iter().any(is_elsewhere) {
                return Err(Wrong::new("EVIDENCE_URL: `status` reads one address")
                    .hint("keep the connections of each address in a list of their own"));
            }
            let name = "TRUTO_INTEGRATED_ACCOUNT_ID";
            let id = members.iter().find(|(of, _)| of == name);
            let id = id.and_then(|(_, value)| value.as_str());
            let id = id.ok_or_else(|| Wrong::new(format!("{name} is not set")))?;
            values::connection_id(id)
                .map_err(|wrong| Wrong::new(format!("{name}={} {}", quoted(id), wrong.text)))
        });
        match id {
            Ok(id) => ids.push(id),
            Err(wrong) => problems.add(number, wrong),
        }
    }
    let is_empty = ids.is_empty() && problems.lines.is_empty();
    match problems.unless_empty(is_empty) {
        problems if problems.all().is_empty() => Ok(ids),
        problems => Err(problems),
    }
}

/// The lines that are not blank, with their numbers from 1.
fn numbered(list: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let list = list.strip_prefix("\u{feff}".as_bytes()).unwrap_or(list);
    let lines = list.split(|byte| *byte == b'\n').enumerate();
    lines
        .map(|(place, line)| (place + 1, line.trim_ascii()))
        .filter(|(_, line)| !line.is_empty())
}

/// The members of the object on a line, in their order. A name may occur twice.
struct Line(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Line {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Line;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Line, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Line(members))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

/// The error gives only the place, because serde_json may quote the line.
fn parsed(line: &[u8]) -> Result<Line, Wrong> {
    serde_json::from_slice(line).map_err(|error| {
        let text = match error.is_data() {
            true => "not a JSON object".to_owned(),
            false => format!("not JSON, from column {} on", error.column()),
        };
        Wrong::new(text).hint("write each connection as one JSON object on one line")
    })
}

impl Line {
    /// The variables, or every problem.
    fn variables(self) -> Result<Vec<(String, String)>, Vec<Wrong>> {
        let mut wrongs = Vec::new();
        let mut variables: Vec<(String, String)> = Vec::new();
        for (name, value) in self.0 {
            if let Err(wrong) = ensure_allowed(&name) {
                wrongs.push(wrong);
                continue;
            }
            if variables.iter().any(|(known, _)| *known == name) {
                wrongs.push(Wrong::new(format!("{name} is set twice")));
                continue;
            }
            match value {
                Value::String(text) if text.chars().any(char::is_control) => {
                    wrongs.push(Wrong::new(format!("{name} contains a control character")));
                }
                Value::String(text) => variables.push((name, text)),
                _ => wrongs.push(Wrong::new(format!(
                    "{name} is not text: write the value in quotes"
                ))),
            }
        }
        match wrongs.is_empty() {
            true => Ok(variables),
            false => Err(wrongs),
        }
    }
}

/// Whether a line may set a variable.
fn ensure_allowed(name: &str) -> Result<(), Wrong> {
    if secret_of_file(name).is_some() {
        return Ok(());
    }
    let Some(known) = variable(name).filter(|of| of.commands.contains(&Command::Run)) else {
        let is_plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        // A log omits quoted text, but should show a misspelt name.
        let shown = match name.chars().all(is_plain) && name.len() <= 64 {
            true => format!("`{name}`"),
            false => quoted(name),
        };
        let near = nearest(name).map_or_else(String::new, |near| format!(": did you mean {near}?"));
        return Err(Wrong::new(format!(
            "{shown} is not a variable of a run{near}"
        )));
    };
    if known.secret {
        let text = format!("{name} is a secret, which the list must not contain");
        let hint = "put each secret into a file, and write its path to the variable with _FILE; replace the secrets that were in the list";
        return Err(Wrong::new(text).hint(hint));
    }
    if OF_THE_PROCESS.contains(&name) {
        let text = format!("{name} applies to the whole process: set it in the environment");
        return Err(Wrong::new(text));
    }
    Ok(())
}

/// Problems by text, each with its lines, in the order of the list.
#[derive(Default)]
struct LineProblems {
    lines: Vec<(String, Vec<usize>)>,
    places: HashMap<String, usize>,
    hints: Vec<String>,
}

impl LineProblems {
    fn add(&mut self, line: usize, wrong: Wrong) {
        let place = *self.places.entry(wrong.text.clone()).or_insert_with(|| {
            self.lines.push((wrong.text, Vec::new()));
            self.lines.len() - 1
        });
        self.lines[place].1.push(line);
        if let Some(hint) = wrong.hint.filter(|hint| !self.hints.contains(hint)) {
            self.hints.push(hint);
        }
    }

    fn add_all(&mut self, line: usize, problems: Problems) {
        for text in problems.problems {
            self.add(line, Wrong::new(text));
        }
        for hint in problems.hints {
            if !self.hints.contains(&hint) {
                self.hints.push(hint);
            }
        }
    }

    /// The problems. A list without any connection is one too.
    fn unless_empty(mut self, is_empty: bool) -> Problems {
        // Some lines were judged later than others.
        self.lines.sort_by_key(|(_, lines)| lines.first().copied());
        let problems = self.lines.iter();
        let problems = problems.map(|(text, lines)| format!("{}: {text}", named(lines)));
        let mut problems = Problems {
            problems: problems.collect(),
            hints: self.hints,
        };
        if is_empty {
            let hint = "write one JSON object a line, such as {\"TRUTO_INTEGRATED_ACCOUNT_ID\": \"…\", \"HR_FEED_URL\": \"…\"}";
            problems.add(
                "the list of CONNECTIONS_URL is empty".to_owned(),
                Some(hint.to_owned()),
            );
        }
        problems
    }
}

/// `line 3`, `lines 3 and 7`, `lines 1, 2, 3 and 40 more`.
fn named(lines: &[usize]) -> String {
    let shown = lines.iter().take(LINES_NAMED).map(ToString::to_string);
    let mut shown: Vec<String> = shown.collect();
    match lines.len().saturating_sub(LINES_NAMED) {
        0 => {}
        more => shown.push(format!("{more} more")),
    }
    match shown.split_last() {
        Some((only, [])) => format!("line {only}"),
        Some((last, first)) => format!("lines {} and {last}", first.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_of_all_shards_are_at_most_the_limit_of_the_token() {
        let window = Duration::from_secs(10);
        for (requests, all, count) in [
            (490, 5000, 16),
            (490, 500, 4),
            (490, 3, 16),
            (490, 500, 490),
            (7, 100, 7),
        ] {
            let limit = RateLimit { requests, window };
            let ids = (0..all).map(|number| format!("connection-{number}"));
            let ids = Vec::from_iter(ids);
            let mut rate = 0.0;
            let mut longest: f64 = 0.0;
            for index in 0..count {
                let shard = Shard { index, count };
                let own = ids.iter().filter(|id| shard.owns(id)).count() as u64;
                if own > 0 {
                    let share = share(limit, own, all);
                    let of_shard = f64::from(share.requests) / share.window.as_secs_f64();
                    rate += of_shard;
                    longest = longest.max(own as f64 / of_shard);
                }
            }
            let whole = f64::from(requests) / window.as_secs_f64();
            assert!(rate <= whole * 1.000_001, "{rate} of {whole}");
            // All shards end at about the same time, unless their shares are only a few requests.
            if requests / count >= 30 && all > 16 {
                let ideal = all as f64 / whole;
                assert!(
                    longest <= 1.04 * ideal,
                    "{longest} of {ideal}, {count} shards"
                );
            }
        }
    }
}
