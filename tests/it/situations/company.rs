//! A company over several days: its accounts, its HR files and settings, and the results of each
//! run.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde_json::Value;
use truto_simulator::{Person, Viewer, World};

use crate::support::job::Job;

/// The day of the first run. `{D-20}` in a feed is the day twenty days earlier.
const FIRST_DAY: Date = jiff::civil::date(2026, 11, 23);
/// The time at which runs start, UTC.
const TIME_OF_RUNS: &str = "22:40";
/// The mail domain of the company. Names of accounts are shown without it.
const DOMAIN: &str = "@acme.example";

/// A company with a folder for its files and evidence.
pub(crate) struct Company {
    pub(crate) people: Vec<Person>,
    pub(crate) world: World,
    job: Job,
}

/// The results of one run.
pub(crate) struct Run {
    pub(crate) code: i32,
    /// The reason why the run failed.
    pub(crate) failure: Option<String>,
    pub(crate) result: Value,
    pub(crate) manifest: Value,
    pub(crate) leavers: Vec<Value>,
    pub(crate) hr: Vec<Value>,
}

/// The account id of `user<number>@acme.example`.
pub(crate) fn gid(number: usize) -> String {
    (1_200_000_000_000_000 + number).to_string()
}

/// An account in addition to those of [`Company::new`].
pub(crate) fn account(number: usize, name: &str, email: &str) -> Person {
    Person::member(gid(number), name, email)
}

impl Company {
    /// Sixteen active accounts, `user0@acme.example` to `user15@acme.example`. Account 0 is an
    /// admin.
    pub(crate) fn new() -> Self {
        Self::of_size(16)
    }

    /// A company with this number of accounts.
    pub(crate) fn of_size(accounts: usize) -> Self {
        Self::of((0..accounts).map(|number| {
            let email = format!("user{number}{DOMAIN}");
            let person = account(number, &format!("User {number}"), &email);
            if number == 0 { person.admin() } else { person }
        }))
    }

    /// A company with these accounts. The first of them connected Asana.
    pub(crate) fn of(people: impl IntoIterator<Item = Person>) -> Self {
        // A run syncs every file that it writes, so hundreds of runs are fast only in memory.
        let memory = Path::new("/dev/shm");
        if memory.is_dir() {
            tempfile::env::override_temp_dir(memory).ok();
        }
        let people: Vec<Person> = people.into_iter().collect();
        let world = World::new().with(|world| {
            world.viewer = Viewer::Person(people[0].gid.clone());
        });
        let job = Job::new(world.clone(), "").env("EVIDENCE_RAW", "none");
        Self { people, world, job }
    }

    /// Replaces the account of this number by another person's, or adds it.
    pub(crate) fn account(mut self, number: usize, name: &str, email: &str) -> Self {
        let gid = gid(number);
        self.people.retain(|person| person.gid != gid);
        self.people.push(account(number, name, email));
        self
    }

    /// Changes the account of this number.
    pub(crate) fn change(&mut self, number: usize, change: impl FnOnce(Person) -> Person) {
        let gid = gid(number);
        let place = self.people.iter().position(|person| person.gid == gid);
        let place = place.expect("an account of this number");
        let person = self.people.remove(place);
        self.people.insert(place, change(person));
    }

    /// Removes the account of this number from Asana.
    pub(crate) fn remove(&mut self, number: usize) {
        let gid = gid(number);
        self.people.retain(|person| person.gid != gid);
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.job = self.job.env(name, value);
        self
    }

    pub(crate) fn roster(self) -> Self {
        self.env("HR_FEED_SCOPE", "roster")
    }

    /// Writes the file of aliases: lines in the columns of [`ALIAS_COLUMNS`].
    pub(crate) fn aliases(self, lines: &[String]) -> Self {
        self.manual("ALIASES_URL", "aliases.csv", ALIAS_COLUMNS, lines)
    }

    /// Writes the file of exceptions: lines in the columns of [`EXCEPTION_COLUMNS`].
    pub(crate) fn exceptions(self, lines: &[String]) -> Self {
        self.manual("EXCEPTIONS_URL", "exceptions.csv", EXCEPTION_COLUMNS, lines)
    }

    fn manual(self, variable: &str, file: &str, columns: &str, lines: &[String]) -> Self {
        let mut text = format!("{columns}\n");
        for line in lines {
            text.push_str(&filled(line));
            text.push('\n');
        }
        fs::write(self.job.place().join(file), text).expect("a file");
        self.env(variable, file)
    }

    pub(crate) fn run(&self, feed: &str) -> Run {
        self.run_on(0, feed)
    }

    /// Runs the program this number of days after the first day.
    pub(crate) fn run_on(&self, day: i64, feed: &str) -> Run {
        let date = FIRST_DAY.checked_add(day.days()).expect("a day");
        self.run_at(&format!("{date}T{TIME_OF_RUNS}:00Z"), feed)
    }

    /// Runs the program at an instant.
    pub(crate) fn run_at(&self, as_of: &str, feed: &str) -> Run {
        self.run_bytes_at(as_of, filled(feed).as_bytes())
    }

    /// Runs the program on the first day with a feed of these bytes.
    pub(crate) fn run_bytes(&self, feed: &[u8]) -> Run {
        self.run_bytes_at(&format!("{FIRST_DAY}T{TIME_OF_RUNS}:00Z"), feed)
    }

    fn run_bytes_at(&self, as_of: &str, feed: &[u8]) -> Run {
        self.job.hr_file(feed);
        let mut world = self.world.clone();
        world.people.clone_from(&self.people);
        let (ended, exit) = self.job.try_run_at(as_of, world, |_| ());
        let code = exit.code().into();
        match ended {
            Ok(_) => self.last_run(code),
            Err(failed) => Run {
                code,
                failure: Some(failed.error.chain()),
                result: Value::Null,
                manifest: Value::Null,
                leavers: Vec::new(),
                hr: Vec::new(),
            },
        }
    }

    fn last_run(&self, code: i32) -> Run {
        let sequence = self.job.entries() as u64;
        Run {
            code,
            failure: None,
            result: self.job.json(sequence, "result.json"),
            manifest: self.job.json(sequence, "manifest.json"),
            leavers: self.job.records(sequence, "leavers.jsonl.gz"),
            hr: self.job.records(sequence, "inputs/hr.jsonl.gz"),
        }
    }

    /// Starts the real binary with this company's settings. Returns its exit code and output.
    pub(crate) fn start(&self, feed: &str) -> (i32, String) {
        self.job.hr_file(filled(feed).as_bytes());
        let ended = self.job.run();
        (ended.code, ended.stderr)
    }
}

pub(crate) const ALIAS_COLUMNS: &str =
    "email,account_id,person_id,relation,owner,reason,approved_by,expires_on";
pub(crate) const EXCEPTION_COLUMNS: &str =
    "email,person_id,account_id,check,reason,approved_by,approved_on,expires_on";

/// Fills in the days of a text: `{D-20}`, `{D}`, `{D+30}`, or in another form `{D-20|%d.%m.%Y}`,
/// `{D-20|excel}`, `{D-20|seconds}`.
pub(crate) fn filled(text: &str) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{D") {
        let (inside, behind) = after.split_once('}').expect("a closing brace");
        let (days, form) = inside.split_once('|').unwrap_or((inside, "%Y-%m-%d"));
        let days: i64 = match days {
            "" => 0,
            days => days.parse().expect("a number of days"),
        };
        filled.push_str(before);
        filled.push_str(&day(days, form));
        rest = behind;
    }
    filled.push_str(rest);
    filled
}

/// The day this number of days after the first run, in a form.
fn day(days: i64, form: &str) -> String {
    let date = FIRST_DAY.checked_add(days.days()).expect("a day");
    let since = |start: Date| date.since(start).expect("a span").get_days();
    match form {
        "excel" => since(jiff::civil::date(1899, 12, 30)).to_string(),
        "seconds" => (i64::from(since(jiff::civil::date(1970, 1, 1))) * 86_400).to_string(),
        form => date.strftime(form).to_string(),
    }
}

/// An instant as evidence writes it, from the opening midnight (UTC) of a day.
pub(crate) fn midnight(days: i64) -> String {
    let at: Timestamp = format!("{FIRST_DAY}T00:00:00Z")
        .parse()
        .expect("an instant");
    (at + SignedDuration::from_hours(24 * days)).to_string()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The name of an account in a test: its address without the company's domain, or its id.
fn shown(finding: &Value) -> String {
    match finding["email"].as_str() {
        Some(email) => email.trim_end_matches(DOMAIN).to_owned(),
        None => text(&finding["account_id"]).to_owned(),
    }
}

impl Run {
    pub(crate) fn verdict(&self) -> &str {
        text(&self.result["verdict"])
    }

    pub(crate) fn findings(&self) -> &[Value] {
        list(&self.result["findings"])
    }

    pub(crate) fn checks(&self) -> &[Value] {
        list(&self.result["checks"])
    }

    /// The accounts in findings of a kind.
    pub(crate) fn accounts(&self, kind: &str) -> BTreeSet<String> {
        let of_kind = self
            .findings()
            .iter()
            .filter(|finding| finding["kind"] == kind);
        of_kind.map(shown).collect()
    }

    /// The accounts that are reported to belong to a leaver.
    pub(crate) fn accused(&self) -> BTreeSet<String> {
        self.accounts("offboarded_access")
    }

    /// The accounts that may belong to a leaver.
    pub(crate) fn suspected(&self) -> BTreeSet<String> {
        self.accounts("possible_offboarded_access")
    }

    /// Outcomes of a person's offboardings.
    pub(crate) fn outcomes(&self, person_id: &str) -> Vec<&str> {
        let of_person = |leaver: &&Value| {
            leaver["person_id"] == person_id
                || list(&leaver["other_person_ids"])
                    .iter()
                    .any(|id| id == person_id)
        };
        let leavers = self.leavers.iter().filter(of_person);
        leavers.map(|leaver| text(&leaver["outcome"])).collect()
    }

    /// The leaver of this id.
    pub(crate) fn leaver(&self, person_id: &str) -> Result<&Value, String> {
        let found = self
            .leavers
            .iter()
            .find(|leaver| leaver["person_id"] == person_id);
        found.ok_or_else(|| format!("no leaver {person_id}"))
    }

    /// Whether any leaver could not be judged.
    pub(crate) fn has_not_evaluable(&self) -> bool {
        self.leavers
            .iter()
            .any(|leaver| leaver["outcome"] == "not_evaluable")
    }

    /// Ids of the checks that ended in this way.
    pub(crate) fn checks_that(&self, status: &str) -> Vec<&str> {
        let checks = self
            .checks()
            .iter()
            .filter(|check| check["status"] == status);
        checks.map(|check| text(&check["id"])).collect()
    }

    /// A check's status, detail and numbers in one text.
    pub(crate) fn check(&self, id: &str) -> String {
        let check = self.checks().iter().find(|check| check["id"] == id);
        check.map_or_else(
            || format!("no check {id}"),
            |check| {
                format!(
                    "{}: {} {}",
                    text(&check["status"]),
                    text(&check["detail"]),
                    check["numbers"]
                )
            },
        )
    }

    /// Every text in which a run may name the line that closes an open case.
    pub(crate) fn notes(&self) -> Vec<&str> {
        let of_findings = self.findings().iter().map(|finding| &finding["note"]);
        let of_leavers = self.leavers.iter().map(|leaver| &leaver["note"]);
        let of_checks = self.checks().iter().map(|check| &check["detail"]);
        of_findings
            .chain(of_leavers)
            .chain(of_checks)
            .map(text)
            .collect()
    }

    /// A short form of the run, for failure messages.
    pub(crate) fn summary(&self) -> String {
        if let Some(failure) = &self.failure {
            return format!("exit {}: {failure}", self.code);
        }
        let mut lines = vec![format!(
            "exit {}, verdict {}, {} HR rows",
            self.code,
            self.verdict(),
            self.hr.len()
        )];
        for check in self
            .checks()
            .iter()
            .filter(|check| check["status"] == "fail")
        {
            lines.push(format!(
                "check {} fails: {}",
                text(&check["id"]),
                text(&check["detail"])
            ));
        }
        for leaver in self.leavers.iter().take(4) {
            lines.push(format!(
                "leaver {} {}: {}",
                text(&leaver["person_id"]),
                text(&leaver["outcome"]),
                text(&leaver["note"])
            ));
        }
        let about_hr = |finding: &&Value| finding["kind"] != "account_without_hr_record";
        for finding in self.findings().iter().filter(about_hr) {
            lines.push(format!(
                "finding {} {}: {}",
                text(&finding["kind"]),
                shown(finding),
                text(&finding["note"])
            ));
        }
        for row in self
            .hr
            .iter()
            .filter(|row| row["kind"] == "rejected")
            .take(4)
        {
            lines.push(format!(
                "rejected line {}: {}",
                row["line"],
                text(&row["reason"])
            ));
        }
        lines.truncate(16);
        lines.join("\n    ")
    }
}
