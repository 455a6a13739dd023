//! Four runs at a company that does not exist, and the audit pack of a quarter, through the real program.
//!
//! A simulator answers in place of Truto, on a loopback port. The HR exports, an alias and an exception are in the
//! folder next to this file. The evidence goes to `target/demo/`, signed with a key that is created for the demo and
//! not kept. All other code is the code of production: settings from variables, HTTP, the judgement, the ledger. Only
//! the instants are fixed, so that every demo is the same.
//!
//! Priya Raman loses access on the third day, after her deadline. On the fourth day the grace is ten days and she is
//! rehired, but the record of the late removal does not change.
//!
//! The quarter has its own evidence, in `target/demo/quarter`; `demo/quarter.rs` lists what happens in it.

#[path = "demo/quarter.rs"]
mod quarter;

use std::error::Error;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use asana_access_review::cli::terminal;
use asana_access_review::clock::Clock;
use asana_access_review::commands::{report, run};
use asana_access_review::config::{self, Judged};
use asana_access_review::evidence::{RunIdentity, Tool, Trigger};
use asana_access_review::signing::PrivateKey;

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use truto_simulator::{CONNECTION_ID, Simulator, TOKEN, World};

/// One run: its instant, the accounts at that time, the HR export, and the grace.
struct Step {
    as_of: &'static str,
    world: fn() -> World,
    hr_feed: &'static str,
    grace: &'static str,
}

const STEPS: [Step; 4] = [
    Step {
        as_of: "2026-11-22T22:40:00Z",
        world: World::story_first_run,
        hr_feed: "hr-1.csv",
        grace: "24h",
    },
    Step {
        as_of: "2026-11-23T22:40:00Z",
        world: World::story_second_run,
        hr_feed: "hr-2.csv",
        grace: "24h",
    },
    Step {
        as_of: "2026-11-24T22:40:00Z",
        world: || World::story_second_run().without_person(PRIYA),
        hr_feed: "hr-2.csv",
        grace: "24h",
    },
    Step {
        as_of: "2026-11-25T22:40:00Z",
        world: World::story_second_run,
        hr_feed: "hr-4.csv",
        grace: "10d",
    },
];

/// The account of Priya Raman.
const PRIYA: &str = "1204556770001005";

/// The last part of each run's id. In production it is random.
const SUFFIX: &str = "5a3c1e";

#[expect(clippy::print_stdout, reason = "people read the output of a demo")]
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = here.join("target/demo");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;

    let key = quarter::signing_key()?;
    let public = PrivateKey::from_pem(&key)?.public().to_pem();
    let public_key = folder.join("signing.pub.pem");
    fs::write(&public_key, public)?;

    let simulator = Simulator::start(World::new()).await?;
    let mut last_report = PathBuf::new();
    for (number, step) in STEPS.iter().enumerate() {
        let as_of: Timestamp = step.as_of.parse()?;
        simulator.set_world((step.world)().at(as_of));
        let sample = here.join("examples/demo").join(step.hr_feed);
        let hr_feed = export(&sample, &folder, as_of)?;

        let environment = environment(&simulator, &hr_feed, step.grace, &folder, &key);
        let Judged { settings, .. } = config::load(environment, |path| fs::read_to_string(path))?;
        let identity = RunIdentity {
            as_of,
            trigger: Trigger::Unknown,
            suffix: SUFFIX.to_owned(),
            tool: Tool {
                name: "asana-access-review (demo)".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                commit: "unknown".to_owned(),
            },
            executor: settings.executor.clone(),
        };
        let done = run::run(&settings, identity, Clock::at(as_of))
            .await
            .map_err(|failed| failed.error)?;
        println!("Run {}, {}\n", number + 1, step.as_of);
        terminal::print_with_names(&format!("{}\n", run::summary(&done, true)));
        last_report = PathBuf::from(done.committed.report);
    }
    let made = quarter::quarter(&folder.join("quarter")).await?;
    println!(
        "The audit pack of a quarter with one run a day\n\n{}",
        report::summary(&made)
    );
    println!(
        "Open the report of the last run:\n  file://{}\n\n\
         Open the audit pack of the quarter:\n  file://{}\n\n\
         Check the evidence as an auditor would, with sh, awk, sha256sum and openssl:\n  \
         sh docs/verify.sh --public-key {} {}",
        last_report.display(),
        made.folder.join("index.html").display(),
        public_key.display(),
        folder.join("evidence").display()
    );
    Ok(())
}

/// Copies the export to where the job reads it, with a file time of three hours before the run.
fn export(sample: &Path, folder: &Path, as_of: Timestamp) -> Result<PathBuf, Box<dyn Error>> {
    let path = folder.join("hr.csv");
    fs::copy(sample, &path)?;
    let changed =
        Duration::from_secs(as_of.as_second().try_into()?) - Duration::from_secs(3 * 3600);
    File::options()
        .write(true)
        .open(&path)?
        .set_modified(UNIX_EPOCH + changed)?;
    Ok(path)
}

/// The variables that an operator would set.
fn environment(
    simulator: &Simulator,
    hr_feed: &Path,
    grace: &str,
    folder: &Path,
    key: &SecretString,
) -> config::Environment {
    let by_hand = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/demo");
    let variables: [(&str, OsString); 11] = [
        ("TRUTO_BASE_URL", simulator.url().into()),
        ("TRUTO_API_TOKEN", TOKEN.into()),
        ("TRUTO_INTEGRATED_ACCOUNT_ID", CONNECTION_ID.into()),
        ("HR_FEED_URL", hr_feed.into()),
        ("HR_TIME_ZONE", "Europe/Berlin".into()),
        ("OFFBOARDING_GRACE", grace.into()),
        ("ALIASES_URL", by_hand.join("aliases.csv").into()),
        ("EXCEPTIONS_URL", by_hand.join("exceptions.csv").into()),
        ("EVIDENCE_URL", folder.join("evidence").into()),
        ("EVIDENCE_SIGNING_KEY", key.expose_secret().into()),
        (
            "CONTROL_IDS",
            "NW-IAM-07: Leavers lose access within a day".into(),
        ),
    ];
    variables
        .into_iter()
        .map(|(name, value)| (name.into(), value))
        .collect()
}
