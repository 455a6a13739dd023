//! The manifest: which connection was checked, from which sources, by which rules, with what result, and in which
//! files.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::controls::{self, Control, ControlClaim, OwnControl};
use super::entry::{marked, sha256_hex};
use super::{
    DataFile, Entry, EntryKind, Executor, FailedSnapshot, FileRecord, Frame, RunFile, RunFolder,
    RunIdentity, Snapshot, Tool, Trigger, json,
};
use crate::judgement::{Check, Counts, HrPeople, ManualKind, ManualState, Policy, RunRef, Verdict};
use crate::model::{
    AgeBasis, FeedColumn, GapFilling, ManualFile, Memberships, PageRecord, Permissions, Population,
    RawPages, RejectedRecord, RequestRecord, Viewer, Workspace, raw_file_of_each,
};
use crate::schedule::RunSchedule;

/// The `schema` of a manifest.
const SCHEMA: &str = "asana-access-review/manifest/v1";

/// `manifest.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "the keys of the file, described in docs/evidence.md and docs/schema/"
)]
pub struct Manifest {
    pub schema: String,
    pub tool: Tool,
    pub run: Run,
    pub connection: ManifestConnection,
    pub controls: Vec<Control>,
    pub own_controls: Vec<OwnControl>,
    pub previous: Option<RunRef>,
    pub baseline: Option<RunRef>,
    pub sources: Sources,
    pub policy: Option<Policy>,
    pub schedule: Option<RunSchedule>,
    pub checks: Vec<Check>,
    pub verdict: Verdict,
    pub complete: bool,
    pub reasons: Vec<String>,
    pub summary: Option<Counts>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub failure: Option<Failure>,
    pub files: Vec<FileRecord>,
}

/// The run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Run {
    pub id: String,
    pub as_of: Timestamp,
    pub trigger: Trigger,
    pub executor: Executor,
}

/// The checked connection.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ManifestConnection {
    pub id: String,
    pub workspace: Option<Workspace>,
    pub criticality: String,
    pub tenant_id: Option<String>,
    pub environment_id: Option<String>,
    pub is_sandbox: Option<bool>,
    pub region: Option<String>,
}

/// The sources of the data.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Sources {
    pub truto: TrutoSource,
    pub hr_feed: Option<HrSource>,
    pub aliases: Option<ManualSource>,
    pub exceptions: Option<ManualSource>,
}

impl Sources {
    /// SHA-256 of each file of manual decisions, by its name.
    pub fn manual(&self) -> BTreeMap<String, String> {
        [("aliases", &self.aliases), ("exceptions", &self.exceptions)]
            .into_iter()
            .filter_map(|(name, source)| Some((name.to_owned(), source.as_ref()?.sha256.clone())))
            .collect()
    }
}

/// A file of manual decisions, and the states of its lines.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ManualSource {
    pub url: String,
    pub sha256: String,
    pub bytes: u64,
    pub lines: u64,
    /// The number of lines in each state. Every state is listed, even with 0.
    pub by_state: BTreeMap<ManualState, u64>,
}

/// The data that was read through Truto.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct TrutoSource {
    pub origin: String,
    pub connection_status: Option<String>,
    pub authentication_method: Option<String>,
    pub scopes: Vec<String>,
    pub viewer: Option<Viewer>,
    pub requests: Vec<RequestRecord>,
    pub pages: Vec<ListedPage>,
    pub rows: u64,
    pub duplicates: u64,
    pub rejected: Vec<RejectedRecord>,
    pub accounts: u64,
    pub memberships: Option<Memberships>,
    pub gaps: GapFilling,
    /// What the permissions of the connection do not show.
    pub not_shown: Vec<String>,
}

/// A page of a list, and the file that keeps it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListedPage {
    #[serde(flatten)]
    pub page: PageRecord,
    /// The file in the run's folder. None if pages are not kept.
    pub file: Option<String>,
}

/// The data that was read from HR.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HrSource {
    pub url: String,
    pub sha256: String,
    pub bytes: u64,
    pub rows: u64,
    pub rows_read: u64,
    pub rejected: u64,
    pub blank: u64,
    pub duplicates: u64,
    pub people: HrPeople,
    pub modified_at: Option<Timestamp>,
    pub age_basis: AgeBasis,
    pub format: String,
    pub encoding: String,
    pub gzip: bool,
    pub columns: Vec<FeedColumn>,
    pub end_of_work: String,
    pub notes: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pages: Vec<PageRecord>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<RequestRecord>,
}

/// Why a run could not be judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The step of the run that failed.
    pub stage: String,
    /// The exit code.
    pub code: u8,
    /// The error as in the log, without names and secrets.
    pub message: String,
}

fn not_shown(permissions: Permissions) -> Vec<String> {
    let not_shown = permissions.not_shown().iter();
    not_shown.map(|what| (*what).to_owned()).collect()
}

/// The rule for the end of work, as the evidence states it.
const END_OF_WORK: &str = "last day of work if the feed has it, else termination date; a date without a time ends with \
                           the midnight that closes the day in the row's zone";

impl Manifest {
    /// The names of the fields in which the manifest and its entry disagree.
    pub fn apart_from(&self, entry: &Entry) -> Vec<&'static str> {
        let run = RunFolder::parse(&entry.run);
        let instant = run.as_ref().and_then(RunFolder::instant);
        let is_of_its_kind = match entry.kind {
            EntryKind::Run => self.failure.is_none(),
            EntryKind::Failure => self.is_of_a_failure(),
            // The folder of a run cannot contain a review.
            EntryKind::ReviewOpen | EntryKind::ReviewClose | EntryKind::ReviewAcknowledge => false,
        };
        [
            ("verdict", self.verdict.as_str() == entry.verdict),
            ("completeness", self.complete == entry.complete),
            ("kind", is_of_its_kind),
            ("connection", self.connection.id == entry.connection),
            ("run", run.is_some_and(|run| run.id() == self.run.id)),
            (
                "instant",
                instant.map(Timestamp::as_second) == Some(self.run.as_of.as_second()),
            ),
            ("origin", self.marked_origin() == entry.origin),
        ]
        .into_iter()
        .filter_map(|(what, agree)| (!agree).then_some(what))
        .collect()
    }

    /// Whether the manifest is that of a failed run, which has no checks and supports no control.
    fn is_of_a_failure(&self) -> bool {
        let failure = self.failure.as_ref();
        failure.is_some_and(|failure| failure.code != 0)
            && self.controls.is_empty()
            && self.checks.is_empty()
            && self.summary.is_none()
    }

    pub fn marked_origin(&self) -> String {
        let is_sandbox = self.connection.is_sandbox == Some(true);
        marked(&self.sources.truto.origin, is_sandbox)
    }

    /// The frame of the run, without its signer, which the manifest does not have.
    pub fn frame(&self) -> Frame {
        let (_, suffix) = self.run.id.split_once('-').unwrap_or_default();
        Frame {
            identity: RunIdentity {
                as_of: self.run.as_of,
                suffix: suffix.to_owned(),
                tool: self.tool.clone(),
                trigger: self.run.trigger,
                executor: self.run.executor.clone(),
            },
            criticality: self.connection.criticality.clone(),
            own_controls: self.own_controls.clone(),
            signer: None,
        }
    }

    /// The file, and the hash that the ledger entry names.
    pub fn to_file(&self) -> (DataFile, String) {
        let bytes = json::document(self, usize::MAX);
        let sha256 = sha256_hex(&bytes);
        (DataFile::of(RunFile::Manifest, bytes), sha256)
    }
}

fn run(frame: &Frame) -> Run {
    let identity = &frame.identity;
    Run {
        id: identity.run_id(),
        as_of: identity.as_of,
        trigger: identity.trigger,
        executor: identity.executor.clone(),
    }
}

/// The pages of all lists, each with the file that keeps it.
fn listed_pages(population: &Population) -> Vec<ListedPage> {
    let is_kept = population.derivation.kept != RawPages::None;
    raw_file_of_each(&population.listing.pages)
        .map(|(number, page)| ListedPage {
            page: page.clone(),
            file: is_kept.then(|| RunFile::RawPages(number).name()),
        })
        .collect()
}

fn origin_of<L>(file: &ManualFile<L>) -> (&str, &str, u64) {
    (&file.url, &file.sha256, file.bytes)
}

impl Snapshot<'_> {
    /// The manifest, with these files.
    pub fn manifest(&self, mut files: Vec<FileRecord>) -> Manifest {
        let Snapshot {
            frame,
            inputs,
            judgement,
        } = self;
        let (population, past) = (&inputs.population, &inputs.past);
        files.sort_by(|a, b| a.name.cmp(&b.name));
        Manifest {
            schema: SCHEMA.to_owned(),
            tool: frame.identity.tool.clone(),
            run: run(frame),
            connection: ManifestConnection {
                id: population.connection.id.clone(),
                workspace: Some(population.workspace.clone()),
                criticality: frame.criticality.clone(),
                tenant_id: population.connection.tenant_id.clone(),
                environment_id: population.connection.environment_id.clone(),
                is_sandbox: population.connection.is_sandbox,
                region: population.connection.region.clone(),
            },
            controls: controls::of_a_run(
                ControlClaim {
                    permissions: inputs.policy.asana_permissions,
                    complete: judgement.complete,
                    has_open_questions: judgement.in_doubt,
                    scope: inputs.policy.hr_feed_scope,
                    has_baseline: past.baseline.is_some(),
                    has_leavers: judgement.hr_people.left > 0,
                },
                &frame.own_controls,
            ),
            own_controls: frame.own_controls.clone(),
            previous: past.previous.as_ref().map(|of| of.at.clone()),
            baseline: past.baseline.as_ref().map(|of| of.at.clone()),
            sources: Sources {
                truto: TrutoSource {
                    origin: population.origin.clone(),
                    connection_status: Some(population.connection.status.clone()),
                    authentication_method: population.connection.authentication_method.clone(),
                    scopes: population.connection.scopes.clone(),
                    viewer: Some(population.viewer.clone()),
                    requests: population.requests.clone(),
                    pages: listed_pages(population),
                    rows: population.listing.rows,
                    duplicates: population.listing.duplicates,
                    rejected: population.listing.rejected.clone(),
                    accounts: population.accounts.len() as u64,
                    memberships: Some(population.memberships.clone()),
                    gaps: population.gaps.clone(),
                    not_shown: not_shown(inputs.policy.asana_permissions),
                },
                hr_feed: Some(self.hr_source()),
                aliases: self.manual_source(ManualKind::Alias),
                exceptions: self.manual_source(ManualKind::Exception),
            },
            policy: Some(inputs.policy.clone()),
            schedule: inputs.schedule.clone(),
            checks: judgement.checks.clone(),
            verdict: judgement.verdict,
            complete: judgement.complete,
            reasons: judgement.reasons.clone(),
            summary: Some(judgement.counts.clone()),
            failure: None,
            files,
        }
    }

    fn manual_source(&self, kind: ManualKind) -> Option<ManualSource> {
        let manual = &self.inputs.manual;
        let (url, sha256, bytes) = match kind {
            ManualKind::Alias => manual.aliases.as_ref().map(origin_of)?,
            ManualKind::Exception => manual.exceptions.as_ref().map(origin_of)?,
        };
        let states = ManualState::ALL.iter();
        let mut by_state = BTreeMap::from_iter(states.map(|state| (*state, 0)));
        for line in self.judgement.lines_of(kind) {
            *by_state.entry(line.state).or_default() += 1;
        }
        Some(ManualSource {
            url: url.to_owned(),
            sha256: sha256.to_owned(),
            bytes,
            lines: by_state.values().sum(),
            by_state,
        })
    }

    fn hr_source(&self) -> HrSource {
        let hr = &self.inputs.hr;
        let origin = &hr.origin;
        HrSource {
            url: origin.url.clone(),
            sha256: origin.sha256.clone(),
            bytes: origin.bytes,
            rows: hr.rows_in_file(),
            rows_read: hr.rows.len() as u64,
            rejected: hr.rejected.len() as u64,
            blank: hr.blank_rows,
            duplicates: hr.duplicate_rows,
            people: self.judgement.hr_people,
            modified_at: origin.modified_at,
            age_basis: origin.age_basis,
            format: origin.format.clone(),
            encoding: origin.encoding.clone(),
            gzip: origin.gzip,
            columns: origin.columns.clone(),
            end_of_work: END_OF_WORK.to_owned(),
            notes: origin.notes.clone(),
            pages: origin.pages.clone(),
            requests: origin.requests.clone(),
        }
    }
}

impl FailedSnapshot<'_> {
    /// The manifest of a failed run. Its verdict is inconclusive.
    pub fn manifest(&self, files: Vec<FileRecord>) -> Manifest {
        let Self {
            frame,
            connection,
            origin,
            schedule,
            failure,
        } = self;
        Manifest {
            schema: SCHEMA.to_owned(),
            tool: frame.identity.tool.clone(),
            run: run(frame),
            connection: ManifestConnection {
                id: (*connection).to_owned(),
                criticality: frame.criticality.clone(),
                ..ManifestConnection::default()
            },
            controls: Vec::new(),
            own_controls: frame.own_controls.clone(),
            previous: None,
            baseline: None,
            sources: Sources {
                truto: TrutoSource {
                    origin: (*origin).to_owned(),
                    ..TrutoSource::default()
                },
                ..Sources::default()
            },
            policy: None,
            schedule: schedule.cloned(),
            checks: Vec::new(),
            verdict: Verdict::Inconclusive,
            complete: false,
            reasons: vec![format!("{}: {}", failure.stage, failure.message)],
            summary: None,
            failure: Some((*failure).clone()),
            files,
        }
    }
}
