//! Reading back what an earlier run wrote, for the run that builds on it and for whoever judges again.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::files::sums_line;
use super::gzip::unpacked;
use super::layout::is_sha256;
use super::{AccountLine, Manifest, RunFile};
use crate::judgement::{
    Baseline, CheckStatus, DirectiveUse, FormerEmails, GoneAccount, Inputs, Leaver, LeaverCounts,
    Night, Outcome, Past, PersonLinks, Policy, Previous, RunRef,
};
use crate::model::{
    Account, Alias, DirectiveFile, Directives, Exception, FeedOrigin, HrFeed, HrRow, Mapping,
    Population, Protection, RejectedRow, Workspace,
};
use crate::review::FollowUps;
use crate::schedule::RunSchedule;

/// The largest file of links or offboardings that is read, in bytes after unpacking.
const MOST_CARRIED_BYTES: u64 = 1 << 30;

/// The night that a later one was compared with, from its `inputs/facts.json`.
///
/// # Errors
/// Where the bytes are not those of such a file.
pub fn baseline(at: RunRef, facts: &[u8]) -> Result<Baseline, serde_json::Error> {
    #[derive(Deserialize)]
    struct Facts {
        as_of: Timestamp,
        former_emails: FormerEmails,
        gone: BTreeMap<String, GoneAccount>,
        population: Population,
    }
    #[derive(Deserialize)]
    struct Population {
        workspace: Workspace,
        accounts: Vec<Account>,
        mapping: Mapping,
    }
    let Facts {
        as_of,
        former_emails,
        gone,
        population,
    } = serde_json::from_slice(facts)?;
    Ok(Baseline {
        at,
        workspace_id: population.workspace.id,
        as_of,
        accounts: population.accounts,
        former_emails,
        gone,
        mapping: population.mapping,
    })
}

/// The files of a run that a later one carries from.
#[derive(Clone, Copy, Debug)]
pub struct CarriedFiles<'a> {
    /// `result.json`.
    pub result: &'a [u8],
    /// `inputs/links.jsonl.gz`.
    pub links: &'a [u8],
    /// `concluded.jsonl.gz`.
    pub concluded: &'a [u8],
}

/// The run that a later one carries from; none if the manifest has no rules, as that of a failure.
///
/// # Errors
/// If the bytes are not those of such files.
pub fn previous(
    at: RunRef,
    manifest: &Manifest,
    files: CarriedFiles<'_>,
) -> Result<Option<Previous>, serde_json::Error> {
    #[derive(Deserialize)]
    struct ResultFile {
        summary: Summary,
        findings: Vec<Finding>,
        leavers: Vec<Leaver>,
        #[serde(default)]
        directives: Vec<DirectiveUse>,
        feed_since: Option<Timestamp>,
        follow_ups: FollowUps,
        #[serde(default)]
        ledger_faults: Vec<String>,
    }
    #[derive(Deserialize)]
    struct Summary {
        trend: Vec<Night>,
    }
    #[derive(Deserialize)]
    struct Finding {
        finding_id: String,
        first_seen: Timestamp,
    }
    let ResultFile {
        summary,
        findings,
        mut leavers,
        directives,
        feed_since,
        follow_ups,
        ledger_faults,
    } = serde_json::from_slice(files.result)?;
    let links: Vec<PersonLinks> = lines(RunFile::InputLinks, files.links)?;
    leavers.extend(lines::<Leaver>(RunFile::Concluded, files.concluded)?);
    let findings_first_seen = findings
        .into_iter()
        .map(|finding| (finding.finding_id, finding.first_seen))
        .collect();
    let exceptions_since = directives
        .into_iter()
        .filter_map(|line| Some((line.exception_id?, line.in_force_since?)))
        .collect();
    Ok(manifest.policy.clone().map(|policy| Previous {
        at,
        workspace_id: manifest
            .connection
            .workspace
            .as_ref()
            .map(|workspace| workspace.id.clone()),
        policy,
        schedule: manifest.schedule.clone(),
        leavers,
        findings_first_seen,
        trend: summary.trend,
        ledger_faults,
        directives: manifest.sources.directives(),
        exceptions_since,
        links,
        feed_url: manifest
            .sources
            .hr_feed
            .as_ref()
            .map(|hr| hr.url.clone())
            .unwrap_or_default(),
        feed_since,
        follow_ups,
    }))
}

/// The records of a file with one a line.
fn lines<T: DeserializeOwned>(file: RunFile, bytes: &[u8]) -> Result<Vec<T>, serde_json::Error> {
    let unpacked = unpacked(bytes, MOST_CARRIED_BYTES)
        .ok_or_else(|| serde::de::Error::custom(format!("{} cannot be unpacked", file.name())))?;
    let lines = unpacked.split(|byte| *byte == b'\n');
    let lines = lines.filter(|line| !line.is_empty());
    lines.map(serde_json::from_slice).collect()
}

/// The accounts of a run, from its `accounts.jsonl.gz`.
///
/// # Errors
/// If the bytes are not those of such a file.
pub fn account_lines(bytes: &[u8]) -> Result<Vec<AccountLine>, serde_json::Error> {
    lines(RunFile::AccountsJsonl, bytes)
}

/// How an earlier night came out: what tonight's news is told against. Words stay as they are written,
/// also those of a version that has others.
#[derive(Clone, Debug)]
pub struct EarlierNight {
    /// Which run it is.
    pub at: RunRef,
    /// Its instant.
    pub as_of: Timestamp,
    /// Its verdict.
    pub verdict: String,
    /// The checks that failed.
    pub failed_checks: BTreeSet<String>,
    /// Leavers that could not be judged.
    pub not_evaluable: u64,
    /// Its findings, the gravest first.
    pub findings: Vec<EarlierFinding>,
}

/// A finding of an earlier night.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct EarlierFinding {
    /// Its id.
    pub finding_id: String,
    /// What it was about.
    pub kind: String,
    /// How grave it was.
    pub severity: String,
    /// The account.
    pub account_id: Option<String>,
}

/// How an earlier night came out, from its `result.json`.
///
/// # Errors
/// Where the bytes are not those of such a file.
pub fn earlier_night(at: RunRef, result: &[u8]) -> Result<EarlierNight, serde_json::Error> {
    #[derive(Deserialize)]
    struct ResultFile {
        as_of: Timestamp,
        verdict: String,
        checks: Vec<Check>,
        summary: Summary,
        findings: Vec<EarlierFinding>,
    }
    #[derive(Deserialize)]
    struct Check {
        id: String,
        status: String,
    }
    #[derive(Deserialize)]
    struct Summary {
        leavers: LeaverCounts,
    }
    let ResultFile {
        as_of,
        verdict,
        checks,
        summary,
        findings,
    } = serde_json::from_slice(result)?;
    let failed = checks
        .into_iter()
        .filter(|check| check.status == CheckStatus::Fail.as_str());
    let not_evaluable = summary
        .leavers
        .by_outcome
        .get(Outcome::NotEvaluable.as_str());
    Ok(EarlierNight {
        at,
        as_of,
        verdict,
        failed_checks: failed.map(|check| check.id).collect(),
        not_evaluable: not_evaluable.copied().unwrap_or_default(),
        findings,
    })
}

/// A night's inputs as they were stored, all but the runs it built on.
#[derive(Debug)]
pub struct StoredInputs {
    /// The inputs; their past knows the ledger only.
    pub inputs: Inputs,
    /// The run it was compared with, if there was one.
    pub baseline: Option<RunRef>,
    /// The run it carried from, if there was one.
    pub previous: Option<RunRef>,
}

/// Reads `inputs/facts.json` and the unpacked `inputs/hr.jsonl.gz`: with the two runs they name, the
/// night can be judged again.
///
/// # Errors
/// Where the bytes are not those of such files.
pub fn stored_inputs(facts: &[u8], hr_lines: &[u8]) -> Result<StoredInputs, serde_json::Error> {
    #[derive(Deserialize)]
    struct Facts {
        as_of: Timestamp,
        run: String,
        policy: Policy,
        schedule: Option<RunSchedule>,
        past: PastFacts,
        hr: HrFacts,
        aliases: Option<DirectiveFile<Alias>>,
        exceptions: Option<DirectiveFile<Exception>>,
        follow_ups: FollowUps,
        store: Protection,
        population: Population,
    }
    #[derive(Deserialize)]
    struct PastFacts {
        ledger_head: Option<u64>,
        clock_behind_seconds: u64,
        failed_since_baseline: u64,
        ledger_faults: Vec<String>,
        baseline: Option<RunRef>,
        previous: Option<RunRef>,
    }
    #[derive(Deserialize)]
    struct HrFacts {
        origin: FeedOrigin,
        blank_rows: u64,
        duplicate_rows: u64,
        unusable: Option<String>,
    }
    #[derive(Deserialize)]
    #[serde(tag = "kind", rename_all = "snake_case")]
    #[expect(
        clippy::large_enum_variant,
        reason = "lives for one line; a box for each would cost more"
    )]
    enum HrLine {
        Row(HrRow),
        Rejected(RejectedRow),
    }
    let facts: Facts = serde_json::from_slice(facts)?;
    let mut hr = HrFeed {
        origin: facts.hr.origin,
        blank_rows: facts.hr.blank_rows,
        duplicate_rows: facts.hr.duplicate_rows,
        unusable: facts.hr.unusable,
        ..HrFeed::default()
    };
    for line in hr_lines.split(|byte| *byte == b'\n') {
        if line.is_empty() {
            continue;
        }
        match serde_json::from_slice(line)? {
            HrLine::Row(row) => hr.rows.push(row),
            HrLine::Rejected(row) => hr.rejected.push(row),
        }
    }
    Ok(StoredInputs {
        baseline: facts.past.baseline,
        previous: facts.past.previous,
        inputs: Inputs {
            as_of: facts.as_of,
            run: facts.run.into(),
            policy: facts.policy,
            schedule: facts.schedule,
            population: facts.population,
            hr,
            directives: Directives {
                aliases: facts.aliases,
                exceptions: facts.exceptions,
            },
            follow_ups: facts.follow_ups,
            past: Past {
                ledger_faults: facts.past.ledger_faults,
                ledger_head: facts.past.ledger_head,
                clock_behind_seconds: facts.past.clock_behind_seconds,
                failed_since_baseline: facts.past.failed_since_baseline,
                baseline: None,
                previous: None,
            },
            store: Some(facts.store),
        },
    })
}

/// The hash of each file that a `SHA256SUMS` lists, or none where these are not exactly the bytes we would
/// write: what is listed twice, or in another form, can be read two ways.
pub fn sums_of(bytes: &[u8]) -> Option<BTreeMap<String, String>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let sums: BTreeMap<String, String> = text
        .lines()
        .map(|line| {
            let (sha256, name) = line.split_once("  ")?;
            let is_odd = |c: char| c.is_ascii_control() || c == '\\';
            let is_name = !name.is_empty() && !name.contains(is_odd);
            (is_sha256(sha256) && is_name).then(|| (name.to_owned(), sha256.to_owned()))
        })
        .collect::<Option<_>>()?;
    let written: String = sums
        .iter()
        .map(|(name, sha256)| sums_line(name, sha256))
        .collect();
    (written == text).then_some(sums)
}
