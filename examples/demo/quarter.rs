//! The third quarter of 2026 at Northwind Instruments, with one run a day, and the audit pack of that quarter.
//!
//! | when | what happens |
//! |---|---|
//! | 2 July | Rita Kaur loses access, six days after she left: late, and carried in from the quarter before |
//! | 21 July | a run fails, because Truto refuses the API token |
//! | 29 July | an exception for Devon Clarke comes three days after the deadline |
//! | 3 to 14 August | an access review; Victor Hale's account is revoked, and removed on 17 August |
//! | 11 August | Ines Ferreira loses access three days after she left: late |
//! | 15 August | a run is missing, on the day of Jonas Weber's deadline: not demonstrated |
//! | 1 September | Claire Dubois, who left in July, is rehired; Sofia Marchetti becomes an administrator |
//! | 2 September | a run is inconclusive, because the HR export is five days old |
//! | 7 to 14 September | the grace is 72 h instead of 24 h, and Eva Horvat is due under it |
//! | 15 September | an exception for Nora Petersen, before her last day |
//! | 24 September | Karin Holm leaves, and keeps her access: late, and not concluded |
//! | 29 September | Hugo Meyer leaves; his deadline is after the last run: not due |

use std::error::Error;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use asana_access_review::cli::arguments::{CloseArguments, DecisionArguments, OpenArguments};
use asana_access_review::cli::{self, CommandRequest};
use asana_access_review::clock::Clock;
use asana_access_review::commands::report::{self, Made};
use asana_access_review::commands::{review, run};
use asana_access_review::config::{self, Environment};
use asana_access_review::evidence::{RunIdentity, Tool, Trigger};
use asana_access_review::signing::{PrivateKey, PublicKey};
use asana_access_review::store::Store;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::civil::{Date, DateTime, date};
use jiff::{Timestamp, ToSpan as _};
use ring::rand::SystemRandom;
use ring::signature::Ed25519KeyPair;
use secrecy::{ExposeSecret as _, SecretString};
use truto_simulator::{CONNECTION_ID, Person, Simulator, TOKEN, World};

const ZONE: &str = "Europe/Berlin";
const SCHEDULE: &str = "30 23 * * *";

/// The seed of the sample. In reality, the auditor chooses it after the population is fixed.
const SEED: &str = "northwind-2026-Q3";

/// The first run is before the quarter, so that it shows who is carried in.
const FIRST_DAY: Date = date(2026, 6, 29);
const LAST_DAY: Date = date(2026, 9, 30);

/// No run starts on this day.
const MISSING: Date = date(2026, 8, 15);
const FAILED: &str = "2026-07-21T23:30";
const OLD_EXPORT: &str = "2026-09-02T23:30";

struct Leaver {
    number: u64,
    name: &'static str,
    /// The last day of work.
    last_day: &'static str,
    /// From this day on, HR's export names the last day.
    named: &'static str,
    access: Access,
}

enum Access {
    /// Until this instant, by the clock of the company.
    Until(&'static str),
    Kept,
    NoAccount,
}

const fn leaver(
    number: u64,
    name: &'static str,
    last_day: &'static str,
    named: &'static str,
    until: &'static str,
) -> Leaver {
    Leaver {
        number,
        name,
        last_day,
        named,
        access: Access::Until(until),
    }
}

const LEAVERS: [Leaver; 24] = [
    leaver(
        30,
        "Rita Kaur",
        "2026-06-26",
        "2026-06-22",
        "2026-07-02T11:00",
    ),
    leaver(
        31,
        "Anna Lindgren",
        "2026-07-03",
        "2026-06-29",
        "2026-07-03T17:30",
    ),
    leaver(
        32,
        "Marco Bianchi",
        "2026-07-10",
        "2026-06-30",
        "2026-07-10T18:00",
    ),
    leaver(
        33,
        "Sven Olsen",
        "2026-07-15",
        "2026-07-06",
        "2026-07-16T09:15",
    ),
    leaver(
        50,
        "Adam Fischer",
        "2026-07-24",
        "2026-07-10",
        "2026-07-24T16:00",
    ),
    leaver(
        34,
        "Claire Dubois",
        "2026-07-31",
        "2026-07-13",
        "2026-07-31T17:00",
    ),
    leaver(
        35,
        "Peter Novak",
        "2026-07-31",
        "2026-07-15",
        "2026-07-31T16:00",
    ),
    leaver(
        36,
        "Ines Ferreira",
        "2026-08-07",
        "2026-07-27",
        "2026-08-11T10:00",
    ),
    leaver(
        37,
        "Jonas Weber",
        "2026-08-14",
        "2026-08-03",
        "2026-08-15T15:00",
    ),
    leaver(
        51,
        "Bruno Costa",
        "2026-08-14",
        "2026-08-03",
        "2026-08-14T15:30",
    ),
    leaver(
        38,
        "Lucia Romano",
        "2026-08-21",
        "2026-08-10",
        "2026-08-21T17:00",
    ),
    leaver(
        52,
        "Daria Ivanova",
        "2026-08-25",
        "2026-08-17",
        "2026-08-26T08:40",
    ),
    leaver(
        39,
        "Omar Haddad",
        "2026-08-28",
        "2026-08-17",
        "2026-08-28T18:30",
    ),
    leaver(
        40,
        "Grace Okafor",
        "2026-08-31",
        "2026-08-17",
        "2026-08-31T17:45",
    ),
    leaver(
        41,
        "Tim Jansen",
        "2026-09-04",
        "2026-08-24",
        "2026-09-04T16:20",
    ),
    leaver(
        42,
        "Eva Horvat",
        "2026-09-09",
        "2026-08-31",
        "2026-09-12T10:00",
    ),
    leaver(
        43,
        "Felix Brandt",
        "2026-09-11",
        "2026-08-31",
        "2026-09-11T18:00",
    ),
    leaver(
        53,
        "Emil Berg",
        "2026-09-15",
        "2026-09-07",
        "2026-09-15T17:10",
    ),
    leaver(
        54,
        "Freja Dahl",
        "2026-09-22",
        "2026-09-14",
        "2026-09-23T09:00",
    ),
    leaver(
        45,
        "Devon Clarke",
        "2026-07-24",
        "2026-07-20",
        "2026-08-28T18:00",
    ),
    Leaver {
        number: 44,
        name: "Nora Petersen",
        last_day: "2026-09-18",
        named: "2026-09-07",
        access: Access::Kept,
    },
    Leaver {
        number: 46,
        name: "Nils Aaberg",
        last_day: "2026-07-17",
        named: "2026-07-06",
        access: Access::NoAccount,
    },
    Leaver {
        number: 47,
        name: "Hugo Meyer",
        last_day: "2026-09-29",
        named: "2026-09-21",
        access: Access::Kept,
    },
    Leaver {
        number: 49,
        name: "Karin Holm",
        last_day: "2026-09-24",
        named: "2026-09-14",
        access: Access::Kept,
    },
];

/// Of the people of the simulator's story, those whose accounts take no part in this one.
const OF_ANOTHER_STORY: [u64; 9] = [3, 4, 5, 6, 7, 13, 16, 19, 20];

const JENKINS: u64 = 10;
const SOFIA: u64 = 11;
const GUESTS: [u64; 2] = [14, VICTOR];
const VICTOR: u64 = 15;
const GRACE: u64 = 40;
const CLAIRE: u64 = 34;
const KENJI: u64 = 26;

/// The evidence of the quarter, and its pack, below a folder that is empty or missing.
///
/// # Errors
/// If a step fails other than by the story.
pub(crate) async fn quarter(folder: &Path) -> Result<Made, Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    let key = signing_key()?;
    let public_key = folder.join("signing.pub.pem");
    fs::write(&public_key, PrivateKey::from_pem(&key)?.public().to_pem())?;
    let simulator = Simulator::start(World::new()).await?;
    let company = Company {
        simulator,
        folder: folder.to_owned(),
        key: key.expose_secret().to_owned(),
    };
    fs::write(folder.join("aliases.csv"), ALIASES)?;
    fs::write(folder.join("reviewers.csv"), REVIEWERS)?;
    let mut day = FIRST_DAY;
    while day <= LAST_DAY {
        if day == date(2026, 8, 3) {
            company.open_review(day.at(9, 0, 0, 0)).await?;
        } else if day == date(2026, 8, 14) {
            company.close_review(day.at(15, 0, 0, 0)).await?;
        }
        if day != MISSING {
            company.run(day.at(23, 30, 0, 0)).await?;
        }
        day = day.checked_add(1.day())?;
    }
    company.pack(&public_key).await
}

struct Company {
    simulator: Simulator,
    folder: PathBuf,
    key: String,
}

impl Company {
    async fn run(&self, now: DateTime) -> Result<(), Box<dyn Error>> {
        let as_of = instant(now)?;
        self.simulator.set_world(world(now).at(as_of));
        let age = if now == local(OLD_EXPORT) { 120 } else { 3 };
        self.write_inputs(now, as_of, age)?;
        let token = if now == local(FAILED) {
            "revoked"
        } else {
            TOKEN
        };
        let environment = self.environment(now, token);
        let settings = config::load(environment, |path| fs::read_to_string(path))?.settings;
        let identity = RunIdentity {
            as_of,
            trigger: Trigger::Unknown,
            suffix: SUFFIX.to_owned(),
            tool: tool(),
            executor: settings.executor.clone(),
        };
        match run::run(&settings, identity, Clock::at(as_of)).await {
            Err(failed) if now != local(FAILED) => Err(failed.error.into()),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// The files that the company writes: HR's export, exported so many hours before, and the exceptions.
    fn write_inputs(
        &self,
        now: DateTime,
        as_of: Timestamp,
        age: u64,
    ) -> Result<(), Box<dyn Error>> {
        let export = self.folder.join("hr.csv");
        fs::write(&export, hr_export(now))?;
        let exported =
            Duration::from_secs(as_of.as_second().try_into()?) - Duration::from_secs(age * 3600);
        let file = File::options().write(true).open(&export)?;
        file.set_modified(UNIX_EPOCH + exported)?;
        fs::write(self.folder.join("exceptions.csv"), exceptions(now.date()))?;
        Ok(())
    }

    fn environment(&self, now: DateTime, token: &str) -> Environment {
        let place = |name: &str| self.folder.join(name).display().to_string();
        let grace = if LOOSE.contains(&now.date()) {
            "72h"
        } else {
            "24h"
        };
        let variables = [
            ("TRUTO_BASE_URL", self.simulator.url().to_owned()),
            ("TRUTO_API_TOKEN", token.to_owned()),
            ("TRUTO_INTEGRATED_ACCOUNT_ID", CONNECTION_ID.to_owned()),
            ("HR_FEED_URL", place("hr.csv")),
            ("HR_FEED_SCOPE", "roster".to_owned()),
            ("HR_TIME_ZONE", ZONE.to_owned()),
            ("OFFBOARDING_GRACE", grace.to_owned()),
            ("ALIASES_URL", place("aliases.csv")),
            ("EXCEPTIONS_URL", place("exceptions.csv")),
            ("EVIDENCE_URL", place("evidence")),
            ("EVIDENCE_SIGNING_KEY", self.key.clone()),
            ("RUN_SCHEDULE", SCHEDULE.to_owned()),
            ("RUN_SCHEDULE_ZONE", ZONE.to_owned()),
            ("REVIEW_EVERY", "off".to_owned()),
            (
                "CONTROL_IDS",
                "NW-IAM-07: Leavers lose access within a day".to_owned(),
            ),
        ];
        let variables = variables.into_iter();
        variables
            .map(|(name, value)| (name.into(), value.into()))
            .collect()
    }

    async fn open_review(&self, now: DateTime) -> Result<(), Box<dyn Error>> {
        let asked = OpenArguments {
            name: "2026-Q3".to_owned(),
            due: date(2026, 8, 14),
            reviewers: Some(self.folder.join("reviewers.csv")),
            ..OpenArguments::default()
        };
        let settings = config::load_review(self.environment(now, TOKEN), tool(), |path| {
            fs::read_to_string(path)
        })?
        .settings;
        let moment = moment(now)?;
        review::open(&settings, &asked, &moment, &Clock::at(moment.as_of)).await?;
        Ok(())
    }

    /// The reviewers keep every account except that of Victor Hale.
    async fn close_review(&self, now: DateTime) -> Result<(), Box<dyn Error>> {
        let connection = self
            .folder
            .join(format!("evidence/system=asana/connection={CONNECTION_ID}"));
        let first_in = |folder: PathBuf| -> Result<PathBuf, Box<dyn Error>> {
            let first = fs::read_dir(folder)?.next();
            Ok(first.ok_or("no review is open")??.path())
        };
        let opened = first_in(first_in(connection.join("reviews"))?)?;
        let worksheet = fs::read(opened.join("worksheet.csv"))?;
        let mut reader = csv::Reader::from_reader(worksheet.trim_ascii_start());
        let header = reader.headers()?.clone();
        let place = |name: &str| {
            header
                .iter()
                .position(|of| of.trim_start_matches('\u{feff}') == name)
        };
        let place =
            |name: &str| place(name).ok_or_else(|| format!("the worksheet has no column {name}"));
        let (account, role, reviewer) = (place("account_id")?, place("role")?, place("reviewer")?);
        let (decision, note, decided_by) =
            (place("decision")?, place("note")?, place("decided_by")?);
        let decisions = self.folder.join("decisions.csv");
        let mut writer = csv::Writer::from_path(&decisions)?;
        writer.write_record(&header)?;
        for row in reader.records() {
            let mut row: Vec<String> = row?.iter().map(str::to_owned).collect();
            let (word, reason) = match () {
                () if row[account] == gid(VICTOR) => ("revoke", "the audit of 2025 is finished"),
                () if row[role] == "admin" => ("keep", "runs Asana for the company"),
                () => ("keep", "still needs it for work"),
            };
            (row[decision], row[note]) = (word.to_owned(), reason.to_owned());
            row[decided_by] = row[reviewer].clone();
            writer.write_record(&row)?;
        }
        writer.flush()?;
        let asked = CloseArguments {
            of: DecisionArguments {
                decisions: vec![decisions],
                ..DecisionArguments::default()
            },
            accept_incomplete: None,
            ..CloseArguments::default()
        };
        let settings = config::load_review(self.environment(now, TOKEN), tool(), |path| {
            fs::read_to_string(path)
        })?
        .settings;
        let moment = moment(now)?;
        review::close(&settings, &asked, &moment, &Clock::at(moment.as_of)).await?;
        Ok(())
    }

    /// The pack, with the same arguments as on the command line.
    async fn pack(&self, public_key: &Path) -> Result<Made, Box<dyn Error>> {
        let place = |name: &str| self.folder.join(name).display().to_string();
        let line = [
            "asana-access-review".to_owned(),
            "report".to_owned(),
            place("evidence"),
            "--from=2026-07-01".to_owned(),
            "--to=2026-09-30".to_owned(),
            "--sample=6".to_owned(),
            "--sample-runs=6".to_owned(),
            format!("--seed={SEED}"),
            format!("--public-key={}", public_key.display()),
            format!("--out={}", place("audit-pack")),
        ];
        let CommandRequest::Report(asked) = cli::parse(line.map(Into::into))? else {
            return Err("this is not the command report".into());
        };
        let now = local("2026-10-01T09:00");
        let environment = self.environment(now, TOKEN);
        let settings = config::load_store(environment, asked.url.clone(), |path| {
            fs::read_to_string(path)
        })?
        .settings;
        let store = Store::open(&settings).await?;
        let keys = vec![PublicKey::from_pem(&fs::read(public_key)?)?];
        Ok(report::make(&store, &asked, keys, Clock::at(instant(now)?), tool()).await?)
    }
}

/// The last part of each run's id. In production it is random.
const SUFFIX: &str = "5a3c1e";

fn tool() -> Tool {
    Tool {
        name: "asana-access-review (demo)".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: Tool::NO_COMMIT.to_owned(),
    }
}

fn moment(now: DateTime) -> Result<review::Moment, Box<dyn Error>> {
    Ok(review::Moment {
        as_of: instant(now)?,
        suffix: SUFFIX.to_owned(),
    })
}

fn local(text: &str) -> DateTime {
    text.parse().expect("a date and a time")
}

fn day(text: &str) -> Date {
    text.parse().expect("a day")
}

fn instant(local: DateTime) -> Result<Timestamp, Box<dyn Error>> {
    Ok(local.in_tz(ZONE)?.timestamp())
}

fn gid(number: u64) -> String {
    (1_204_556_770_001_000 + number).to_string()
}

fn address(name: &str) -> String {
    format!(
        "{}@northwind.example",
        name.to_lowercase().replace(' ', ".")
    )
}

impl Leaver {
    fn account(&self) -> Person {
        let person = Person::member(gid(self.number), self.name, &address(self.name));
        if self.number == GRACE {
            person.admin()
        } else {
            person
        }
    }

    fn has_access(&self, now: DateTime) -> bool {
        let rehired = self.number == CLAIRE && now >= local(REHIRED);
        rehired
            || match self.access {
                Access::Until(until) => now < local(until),
                Access::Kept => true,
                Access::NoAccount => false,
            }
    }
}

const REHIRED: &str = "2026-09-01T08:00";
const JOINED: &str = "2026-08-03T08:00";
const PROMOTED: &str = "2026-09-01T10:00";
const REVOKED: &str = "2026-08-17T10:00";

/// The accounts at a time.
fn world(now: DateTime) -> World {
    let mut world = World::story_first_run();
    for number in OF_ANOTHER_STORY {
        world = world.without_person(&gid(number));
    }
    let leavers = LEAVERS.iter().filter(|of| of.has_access(now));
    world = world.people(leavers.map(Leaver::account));
    if now >= local(JOINED) {
        let name = "Kenji Watanabe";
        let kenji = Person::member(gid(KENJI), name, &address(name));
        world = world.person(kenji.joined_at("2026-08-03T06:00:00.000Z"));
    }
    if now >= local(PROMOTED) {
        world = world.with_person(&gid(SOFIA), Person::admin);
    }
    if now >= local(REVOKED) {
        world = world.without_person(&gid(VICTOR));
    }
    world
}

/// HR's export of everybody at a time.
fn hr_export(now: DateTime) -> String {
    let mut rows = String::from("Employee ID,Name,Work Email,Status,Start Date,Termination Date\n");
    let mut row = |number: u64, name: &str, email: &str, rest: &str| {
        rows.push_str(&format!("N-1{number:03},{name},{email},{rest}\n"));
    };
    let without_hr = [&GUESTS[..], &[JENKINS]].concat();
    for person in world(now).people {
        let number = person.gid.parse::<u64>().unwrap_or_default() % 1000;
        let leaves = LEAVERS.iter().any(|of| of.number == number);
        if !leaves && !without_hr.contains(&number) {
            row(
                number,
                &person.name,
                person.email.as_deref().unwrap_or_default(),
                "Active,2021-03-01,",
            );
        }
    }
    for leaver in &LEAVERS {
        let email = address(leaver.name);
        let last_day = day(leaver.last_day);
        let rest = match now.date() {
            today if today < day(leaver.named) => "Active,2022-05-02,".to_owned(),
            today if today <= last_day => format!("Active,2022-05-02,{last_day}"),
            _ => format!("Terminated,2022-05-02,{last_day}"),
        };
        row(leaver.number, leaver.name, &email, &rest);
        if leaver.number == CLAIRE && now >= local(REHIRED) {
            row(leaver.number, leaver.name, &email, "Active,2026-09-01,");
        }
    }
    rows
}

/// In force for runs of these days.
const LOOSE: std::ops::RangeInclusive<Date> = date(2026, 9, 7)..=date(2026, 9, 14);

const ALIASES: &str = "\
email,relation,owner,reason,approved_by,expires_on
jenkins@northwind.example,service,daniel.reyes@northwind.example,mirrors builds into tasks,amara.nwosu@northwind.example,2027-03-31
";

const REVIEWERS: &str = "\
rule,value,reviewer
role,admin,emily.carter@northwind.example
person,jenkins@northwind.example,amara.nwosu@northwind.example
default,,daniel.reyes@northwind.example
";

/// The approved exceptions of a day: for Devon Clarke after his deadline, for Nora Petersen before hers.
fn exceptions(day: Date) -> String {
    let mut rows = String::from("person_id,reason,approved_by,approved_on,expires_on,ticket\n");
    if day >= date(2026, 7, 29) {
        rows.push_str("N-1045,hands over the test bench,daniel.reyes@northwind.example,2026-07-28,2026-08-31,SEC-118\n");
    }
    if day >= date(2026, 9, 15) {
        rows.push_str("N-1044,closes the audit of suppliers,daniel.reyes@northwind.example,2026-09-14,2026-11-30,SEC-131\n");
    }
    rows
}

/// A key that signs all runs, in the format of `openssl genpkey -algorithm ed25519`.
pub(crate) fn signing_key() -> Result<SecretString, Box<dyn Error>> {
    let made = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new());
    let pkcs8 = made.map_err(|_| "the system gives no randomness")?;
    let text = BASE64_STANDARD.encode(pkcs8);
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap_or_default())
        .collect();
    let lines = lines.join("\n");
    Ok(format!("-----BEGIN PRIVATE KEY-----\n{lines}\n-----END PRIVATE KEY-----\n").into())
}
