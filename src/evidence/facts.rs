//! `inputs/facts.json` and `inputs/hr.jsonl.gz`. With these files and the two runs that they name, `verify` can
//! recompute a judgement.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Serialize};

use super::data_file::{DataFile, Lines, lines};
use super::read::each_line;
use super::{AccountLine, RunFile, Snapshot, json};
use crate::judgement::{
    Baseline, FollowUps, FormerEmails, GoneAccount, Inputs, Past, Policy, RunRef,
};
use crate::model::{
    Alias, Exception, FeedOrigin, HrFeed, HrRow, ManualDecisions, ManualFile, Memberships,
    Population, Protection, RejectedRow, Status,
};
use crate::schedule::RunSchedule;

/// `inputs/facts.json`: the inputs of the checks. The accounts are in `accounts.jsonl.gz`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Facts<'a> {
    schema: Cow<'a, str>,
    pub as_of: Timestamp,
    pub run: Cow<'a, str>,
    policy: Cow<'a, Policy>,
    schedule: Option<Cow<'a, RunSchedule>>,
    pub past: PastFacts<'a>,
    hr: HrFacts<'a>,
    organization_domains: Cow<'a, [String]>,
    pub former_emails: Cow<'a, FormerEmails>,
    pub gone: Cow<'a, BTreeMap<String, GoneAccount>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aliases: Option<Cow<'a, ManualFile<Alias>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exceptions: Option<Cow<'a, ManualFile<Exception>>>,
    follow_ups: Cow<'a, FollowUps>,
    #[serde(skip_serializing_if = "Option::is_none")]
    store: Option<Cow<'a, Protection>>,
    pub population: Cow<'a, Population>,
}

/// The ledger at the start of the run, and the runs that it builds on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PastFacts<'a> {
    ledger_head: Option<u64>,
    clock_behind_seconds: u64,
    failed_since_baseline: u64,
    ledger_faults: Cow<'a, [String]>,
    pub baseline: Option<Cow<'a, RunRef>>,
    pub previous: Option<Cow<'a, RunRef>>,
}

/// The HR feed without its rows.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct HrFacts<'a> {
    origin: Cow<'a, FeedOrigin>,
    rows: usize,
    rejected: usize,
    blank_rows: u64,
    duplicate_rows: u64,
    unusable: Option<Cow<'a, str>>,
}

/// A line of `inputs/hr.jsonl.gz`.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(
    clippy::large_enum_variant,
    reason = "lives for one line, so a box would cost more"
)]
enum HrLine<'a> {
    Row(Cow<'a, HrRow>),
    Rejected(Cow<'a, RejectedRow>),
}

impl<'a> Facts<'a> {
    fn of(snapshot: &Snapshot<'a>) -> Self {
        let (inputs, judgement) = (snapshot.inputs, snapshot.judgement);
        let (past, hr) = (&inputs.past, &inputs.hr);
        Self {
            schema: "asana-access-review/facts/v1".into(),
            as_of: inputs.as_of,
            run: Cow::Borrowed(&inputs.run),
            policy: Cow::Borrowed(&inputs.policy),
            schedule: inputs.schedule.as_ref().map(Cow::Borrowed),
            past: PastFacts {
                ledger_head: past.ledger_head,
                clock_behind_seconds: past.clock_behind_seconds,
                failed_since_baseline: past.failed_since_baseline,
                ledger_faults: Cow::Borrowed(&past.ledger_faults),
                baseline: past.baseline.as_ref().map(|of| Cow::Borrowed(&of.at)),
                previous: past.previous.as_ref().map(|of| Cow::Borrowed(&of.at)),
            },
            hr: HrFacts {
                origin: Cow::Borrowed(&hr.origin),
                rows: hr.rows.len(),
                rejected: hr.rejected.len(),
                blank_rows: hr.blank_rows,
                duplicate_rows: hr.duplicate_rows,
                unusable: hr.unusable.as_deref().map(Cow::Borrowed),
            },
            organization_domains: Cow::Borrowed(&judgement.organization_domains),
            former_emails: Cow::Borrowed(&judgement.former_emails),
            gone: Cow::Borrowed(&judgement.gone),
            aliases: inputs.manual.aliases.as_ref().map(Cow::Borrowed),
            exceptions: inputs.manual.exceptions.as_ref().map(Cow::Borrowed),
            follow_ups: Cow::Borrowed(&inputs.follow_ups),
            store: inputs.store.as_ref().map(Cow::Borrowed),
            population: Cow::Borrowed(&inputs.population),
        }
    }

    /// The baseline for a later run. `accounts` is the content of `accounts.jsonl.gz`.
    ///
    /// # Errors
    /// If `accounts` cannot be parsed.
    pub fn into_baseline(self, at: RunRef, accounts: &[u8]) -> Result<Baseline, serde_json::Error> {
        Ok(Baseline::of(
            at,
            self.as_of,
            with_accounts(self.population.into_owned(), accounts)?,
            self.former_emails.into_owned(),
            self.gone.into_owned(),
        ))
    }

    /// The inputs of the run, without the two runs that it builds on. `accounts` and `hr_rows` are the contents of
    /// `accounts.jsonl.gz` and `inputs/hr.jsonl.gz`; without the former, the inputs have no accounts.
    ///
    /// # Errors
    /// If the files cannot be parsed, or if the facts have no `store`.
    pub fn into_inputs(
        self,
        accounts: Option<&[u8]>,
        hr_rows: &[u8],
    ) -> Result<Inputs, serde_json::Error> {
        let missing = || serde_json::Error::missing_field("store");
        let store = self.store.ok_or_else(missing)?;
        let mut hr = HrFeed {
            origin: self.hr.origin.into_owned(),
            blank_rows: self.hr.blank_rows,
            duplicate_rows: self.hr.duplicate_rows,
            unusable: self.hr.unusable.map(Cow::into_owned),
            ..HrFeed::default()
        };
        each_line(RunFile::InputHr, hr_rows, |line| match line {
            HrLine::Row(row) => hr.rows.push(row.into_owned()),
            HrLine::Rejected(row) => hr.rejected.push(row.into_owned()),
        })?;
        Ok(Inputs {
            as_of: self.as_of,
            run: self.run.into(),
            policy: self.policy.into_owned(),
            schedule: self.schedule.map(Cow::into_owned),
            population: match accounts {
                Some(accounts) => with_accounts(self.population.into_owned(), accounts)?,
                None => self.population.into_owned(),
            },
            hr,
            manual: ManualDecisions {
                aliases: self.aliases.map(Cow::into_owned),
                exceptions: self.exceptions.map(Cow::into_owned),
            },
            follow_ups: self.follow_ups.into_owned(),
            past: Past {
                ledger_faults: self.past.ledger_faults.into_owned(),
                ledger_head: self.past.ledger_head,
                clock_behind_seconds: self.past.clock_behind_seconds,
                failed_since_baseline: self.past.failed_since_baseline,
                baseline: None,
                previous: None,
            },
            store: Some(store.into_owned()),
        })
    }
}

fn with_accounts(
    mut population: Population,
    accounts: &[u8],
) -> Result<Population, serde_json::Error> {
    let is_narrow = population.memberships == Memberships::NotRequested;
    each_line(RunFile::AccountsJsonl, accounts, |line: AccountLine| {
        let mut account = line.into_account();
        // Both statuses have the word `unknown`; the facts distinguish them.
        if is_narrow && account.status == Status::Unknown(None) {
            account.status = Status::Listed;
        }
        population.accounts.push(account);
    })?;
    population.accounts.shrink_to_fit();
    Ok(population)
}

pub(super) fn input_facts(snapshot: &Snapshot<'_>) -> DataFile {
    // With three levels, each page and each request is one line.
    let bytes = json::document(&Facts::of(snapshot), 3);
    DataFile::of(RunFile::InputFacts, bytes)
}

/// The rows of an `inputs/hr.jsonl.gz` that could be read.
///
/// # Errors
/// If the bytes cannot be parsed.
pub fn hr_rows(bytes: &[u8]) -> Result<Vec<HrRow>, serde_json::Error> {
    let mut rows = Vec::new();
    each_line(RunFile::InputHr, bytes, |line| match line {
        HrLine::Row(row) => rows.push(row.into_owned()),
        HrLine::Rejected(_) => {}
    })?;
    Ok(rows)
}

/// `inputs/hr.jsonl.gz`: rows and rejected rows. It depends only on the feed, so it can be stored before the judgement.
pub fn input_hr(hr: &HrFeed) -> DataFile {
    hr_lines(hr).packed()
}

pub(super) fn hr_lines(hr: &HrFeed) -> Lines<'_> {
    let rows = hr.rows.iter().map(Cow::Borrowed).map(HrLine::Row);
    let rejected = hr.rejected.iter().map(Cow::Borrowed);
    lines(RunFile::InputHr, rows.chain(rejected.map(HrLine::Rejected)))
}
