//! Folds verified runs into the pack, one after another. No run stays in memory.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::accounts::Admins;
use super::deviations::{Deviation, Deviations, Moment};
use super::findings::Findings;
use super::hr::{self, HrRuns};
use super::items::{Items, ItemsOfRun, RunAt};
use super::manual::{ManualLines, used_exceptions};
use super::period::{Entries, LedgerEntry, Period, Phase};
use super::reviews::Reviews;
use super::rules::{Rules, RulesOfRun};
use super::runs::{self, PeriodSchedule, Runs};
use super::sample::{self, SampleRequest, SampledRunFolder};
use super::table::cell;
use super::{
    Cover, DeviationType, Fact, FindingClosed, Flag, NO_CONCLUSION, Pack, PopulationItem, Reliance,
    RunVerified, SampleReason, ScheduleBasis, Totals, ipe,
};
use crate::evidence::{
    AccountLine, Entry, EntryKind, Facts, Manifest, OwnControl, RunResult, Tool, sha256_hex,
};
use crate::judgement::{CheckId, CheckStatus, Leaver, Mark};
use crate::model::{HrFeed, Permissions, counted, quoted};
use crate::review::{ReviewClosed, ReviewManifest};

/// The files of a run that the pack reads.
#[derive(Debug)]
pub struct RunFiles {
    pub manifest: Manifest,
    /// None for a failed run.
    pub judged: Option<JudgedFiles>,
}

/// The files of a judged run.
#[derive(Debug)]
pub struct JudgedFiles {
    pub result: RunResult<'static>,
    pub facts: Facts<'static>,
    pub leavers: Vec<Leaver>,
    /// Offboardings that were concluded long ago. Needed only for the first run that is read, and after a gap.
    pub concluded: Vec<Leaver>,
    pub accounts: Vec<AccountLine>,
}

/// A deviation that lasts over several runs: its beginning, and what it is.
#[derive(Clone, Debug)]
struct Lasting {
    since: Moment,
    what: String,
    /// How many ledger entries show it.
    entries: u64,
}

/// What the runs up to now have shown.
#[derive(Debug)]
pub struct Fold {
    period: Period,
    connection: String,
    entries: Entries,
    items: Items,
    runs: Runs,
    findings: Findings,
    manual: ManualLines,
    rules: Rules,
    admins: Admins,
    hr: HrRuns,
    reviews: Reviews,
    deviations: Deviations,
    lasting: BTreeMap<DeviationType, Lasting>,
    about: About,
    expired: Option<u64>,
    /// Whether a run of the period had narrow permissions.
    has_unknown_roles: bool,
    limits: Vec<String>,
}

/// What the newest run of the period says about the system.
#[derive(Debug, Default)]
struct About {
    entity: Option<String>,
    workspace_id: Option<String>,
    criticality: String,
    own_controls: Vec<OwnControl>,
    mark: Option<String>,
}

/// What the pack needs in addition to the runs.
#[derive(Debug)]
pub struct Ending {
    pub schedule: PeriodSchedule,
    pub sample: SampleRequest,
    /// The auditor's own HR export.
    pub expected: Option<HrFeed>,
    pub tool: Tool,
    pub reliance: Reliance,
    /// What was verified, as rows of the section on integrity.
    pub integrity: Vec<Fact>,
}

/// The pack, and what is needed to write the folders of the sample.
#[derive(Debug)]
pub struct Folded {
    pub pack: Pack,
    /// `population-ids.txt`.
    pub population_ids: Vec<u8>,
    pub leavers: Vec<LeaverToSample>,
    pub runs: Vec<SampledRunFolder>,
}

/// A leaver of the sample, before the folder is made.
#[derive(Clone, Debug)]
pub struct LeaverToSample {
    pub folder: String,
    pub why: SampleReason,
    pub leaver: Leaver,
    pub item_id: String,
    pub last_seen_with_access: Option<Timestamp>,
    pub first_seen_without_access: Option<Timestamp>,
    pub exception: Option<super::SampledException>,
}

impl Fold {
    pub fn new(period: Period, connection: &str, entries: Entries) -> Self {
        Self {
            period,
            connection: connection.to_owned(),
            entries,
            items: Items::default(),
            runs: Runs::default(),
            findings: Findings::default(),
            manual: ManualLines::default(),
            rules: Rules::default(),
            admins: Admins::default(),
            hr: HrRuns::default(),
            reviews: Reviews::default(),
            deviations: Deviations::default(),
            lasting: BTreeMap::new(),
            about: About::default(),
            expired: None,
            has_unknown_roles: false,
            limits: Vec::new(),
        }
    }

    /// Takes a run, in the order of the ledger. Without `files`, they have expired or have faults.
    pub fn run(&mut self, at: &LedgerEntry, files: Option<RunFiles>) {
        let Some(began) = at.run_instant() else {
            return;
        };
        let run = RunAt {
            entry: at.entry.sequence,
            at: began,
        };
        let phase = self.period.phase(began);
        if self.period.shows(began) {
            let shown = files.as_ref().map(|files| {
                let counts = files.judged.as_ref().map(|judged| judged.result.counts());
                (&files.manifest, counts)
            });
            self.runs.take(at, began, shown);
        }
        if phase == Phase::Within {
            self.signed(&at.entry, run);
            if at.verified == RunVerified::Expired {
                self.expired = self.expired.max(Some(run.entry));
            }
        }
        let Some(RunFiles { manifest, judged }) = files else {
            return;
        };
        if phase == Phase::Within {
            self.about = About::of(&manifest);
            let policy = manifest.policy.as_ref();
            self.has_unknown_roles |=
                policy.is_some_and(|of| of.asana_permissions == Permissions::Narrow);
        }
        let Some(judged) = judged else {
            return;
        };
        self.judged(at, run, &manifest, judged);
    }

    fn judged(&mut self, at: &LedgerEntry, run: RunAt, manifest: &Manifest, judged: JudgedFiles) {
        let JudgedFiles {
            result,
            facts,
            mut leavers,
            concluded,
            accounts,
        } = judged;
        let (phase, complete) = (self.period.phase(run.at), manifest.complete);
        let exceptions = facts
            .exceptions
            .as_ref()
            .map_or(&[][..], |file| &file.lines);
        let aliases = facts.aliases.as_ref().map_or(&[][..], |file| &file.lines);
        self.rules.take(
            &self.period,
            &RulesOfRun {
                at,
                run,
                manifest,
                judgement: result.judgement,
                mapping: &facts.population.mapping,
                changes: &result.changes,
            },
        );
        self.admins
            .take(run, complete, &self.period, &accounts, &result.changes);
        let used = used_exceptions(exceptions, &result.manual);
        let known = (&self.period, &self.entries);
        self.findings
            .take(run, complete, &result.findings, &used, known);
        if phase != Phase::After {
            let grace = manifest
                .policy
                .as_ref()
                .and_then(|of| of.revocation_grace_seconds);
            self.reviews.follow(&result.follow_ups.decisions, grace);
        }
        if phase == Phase::Within {
            self.manual.take(run, exceptions, aliases, &result.manual);
            self.hr.take(run, manifest, &leavers);
            let rejected = manifest
                .sources
                .hr_feed
                .as_ref()
                .map_or(0, |hr| hr.rejected);
            self.lasts(
                DeviationType::HrRowsRejected,
                run,
                (rejected > 0).then(|| {
                    format!(
                        "{} of the HR feed could not be read",
                        counted(rejected, "row", "rows")
                    )
                }),
            );
            let review = result
                .checks
                .iter()
                .find(|check| check.id == CheckId::ReviewDue && check.status != CheckStatus::Pass);
            self.lasts(
                DeviationType::ReviewOverdue,
                run,
                review.map(|check| check.detail.clone()),
            );
        }
        leavers.extend(concluded);
        self.items.take(
            leavers,
            &ItemsOfRun {
                run,
                complete,
                findings: &result.findings,
                exceptions: &used,
                accounts: &accounts,
                entries: &self.entries,
            },
        );
    }

    /// Takes an entry of an access review. `closed` is its `review.json`, if it closed one.
    pub fn review(&mut self, at: &Entry, manifest: &ReviewManifest, closed: Option<&ReviewClosed>) {
        self.reviews.take(at, manifest, closed, &self.period);
    }

    /// Takes an entry of an access review, whether or not its files can be read.
    pub fn review_entry(&mut self, at: &Entry) {
        if self.period.phase(at.committed_at) == Phase::Within {
            let run = RunAt {
                entry: at.sequence,
                at: at.committed_at,
            };
            self.signed(at, run);
        }
    }

    /// A sentence about something that the pack could not read.
    pub fn limit(&mut self, text: String) {
        self.limits.push(text);
    }

    fn signed(&mut self, entry: &Entry, run: RunAt) {
        let what = "a ledger entry is not signed".to_owned();
        let is_unsigned = !entry.is_signed();
        self.lasts(
            DeviationType::UnsignedEntry,
            run,
            is_unsigned.then_some(what),
        );
    }

    /// Begins, continues or ends a deviation that lasts over several runs.
    fn lasts(&mut self, kind: DeviationType, run: RunAt, what: Option<String>) {
        let moment = (run.at, Some(run.entry));
        match what {
            Some(what) => {
                let new = Lasting {
                    since: moment,
                    what,
                    entries: 0,
                };
                self.lasting.entry(kind).or_insert(new).entries += 1;
            }
            None => {
                if let Some(of) = self.lasting.remove(&kind) {
                    self.deviations.push(of.deviation(kind, Some(moment)));
                }
            }
        }
    }

    /// The pack.
    pub fn finish(mut self, ending: Ending) -> Folded {
        for (kind, of) in std::mem::take(&mut self.lasting) {
            self.deviations.push(of.deviation(kind, None));
        }
        let Ending {
            schedule,
            sample,
            expected,
            tool,
            reliance,
            integrity,
        } = ending;
        let period = &self.period;
        let mut deviations = self.deviations;
        let mut runs = self.runs.table(period, &schedule, &mut deviations);
        let due_items = self.items.due(period);
        let [rules, tools] = self.rules.tables(&due_items, &mut deviations);
        let population = self
            .items
            .population(period, &self.entries, &runs.gaps, &mut deviations);
        let items = &population.items;
        runs.gaps.fill(items.iter().map(|of| &of.bar));
        let covering = items.iter().filter_map(|of| of.exception.as_ref());
        let covering = covering.map(|of| of.exception_id.as_str()).collect();
        let [exceptions, aliases] = self.manual.tables(&covering, &mut deviations);
        let (findings, finding_totals) = self.findings.table();
        let left = self.items.left_by_email();
        let [admins, changes] = self.admins.tables(self.reviews.reviewed());
        let [reviews, decisions, follow_up] =
            self.reviews
                .tables(period, &self.findings, &left, items, &mut deviations);
        let (hr_by_run, hr_totals) = self.hr.table();
        let ([deviations, types], deviation_counts) = deviations.tables(&self.connection);
        let unread = expected.iter();
        let unread = unread.flat_map(|export| hr::unread_columns(period, export));
        self.limits.extend(unread.map(|column| {
            let column = quoted(column);
            format!("Days of the period in column {column} of the auditor's HR export were not compared.")
        }));
        let tieout = expected.map(|export| hr::tieout(period, &export, self.items.leavers(period)));
        let population_ids = sample::population_ids(items);
        let population_sha256 = sha256_hex(&population_ids);
        let (sampled, drawn) = sample::items(items, &sample);
        let (sampled_runs, run_folders) = sample::runs(&runs.table, &sample);
        let calendar = runs::calendar(
            period,
            &runs.calendar,
            due_items.iter().map(|of| of.deadline),
        );
        let extent = self.runs.extent(period);
        let cover = Cover {
            entity: self.about.entity,
            workspace_id: self.about.workspace_id,
            connection: self.connection,
            criticality: self.about.criticality,
            own_controls: self.about.own_controls,
            mark: self.about.mark,
            from: period.first.to_string(),
            to: period.last.to_string(),
            zone: period.zone_name.clone(),
            from_instant: period.from,
            to_instant: period.to,
            population_sha256,
            seed: sample.seed.clone(),
            sample_size: sample.items as u64,
            sample_runs: sample.runs as u64,
            schedule_basis: schedule.basis,
            schedule: schedule.text,
            complete_from_entry: self.expired.map(|entry| entry + 1),
            first_run: extent.map(|(first, _)| first),
            last_run: extent.map(|(_, last)| last),
            tool,
            reliance,
            items_on_faults: items
                .iter()
                .filter(|of| of.bar.flags.contains(&Flag::RestsOnFault))
                .count() as u64,
            redacted: false,
            has_expected: tieout.is_some(),
            statement: NO_CONCLUSION,
        };
        let mut facts = integrity;
        for (verified, count) in self.runs.verified(period) {
            let name = match verified {
                RunVerified::Recomputed => "runs recomputed",
                RunVerified::HashesOnly => "runs with hashes only",
                RunVerified::Expired => "runs expired",
                RunVerified::Fault => "runs with faults",
            };
            facts.push(Fact {
                name,
                value: count.to_string(),
            });
        }
        let missing = runs.totals.by_state.get(&super::RunState::Missing);
        facts.push(Fact {
            name: "runs missing",
            value: missing.copied().unwrap_or_default().to_string(),
        });
        let (tieout, tieout_totals) = tieout.unzip();
        let totals = Totals {
            runs: runs.totals,
            items: population.totals.clone(),
            hr: hr_totals,
            findings: finding_totals,
            deviations: deviation_counts,
            hr_tieout: tieout_totals,
        };
        let mut limits = self.limits;
        if self.has_unknown_roles {
            limits.push(NO_ROLES.to_owned());
        }
        limits.extend(limits_of(&cover, &totals));
        let leavers = drawn.into_iter().map(to_sample).collect();
        let bars = items.iter().map(|of| of.bar.clone()).collect();
        let ipe = ipe::table(&ipe::Counted {
            cover: &cover,
            totals: &totals,
            runs: &runs.table,
            decisions: &decisions,
        });
        let mut tables = vec![
            population.table,
            runs.table,
            deviations,
            types,
            findings,
            exceptions,
            aliases,
            admins,
            changes,
            rules,
            tools,
            reviews,
            decisions,
            follow_up,
            hr_by_run,
        ];
        tables.extend(tieout);
        tables.extend([sampled, sampled_runs, ipe]);
        Folded {
            pack: Pack {
                ask_for: ask_for(&cover),
                cover,
                totals,
                tables,
                days: calendar,
                items: bars,
                gaps: runs.gaps.list,
                sample: Vec::new(),
                integrity: facts,
                limits,
            },
            population_ids,
            leavers,
            runs: run_folders,
        }
    }
}

fn to_sample((of, why, folder): (&PopulationItem, SampleReason, String)) -> LeaverToSample {
    let due = of
        .leaver
        .verdict_deadline()
        .max(of.leaver.deadline_from_notice);
    LeaverToSample {
        folder,
        why,
        item_id: of.bar.item_id.clone(),
        last_seen_with_access: of.bar.last_seen_with_access,
        first_seen_without_access: of.bar.first_seen_without_access,
        exception: of.exception.as_ref().map(|of| of.sampled(due)),
        leaver: of.leaver.clone(),
    }
}

impl Lasting {
    fn deviation(self, kind: DeviationType, closed: Option<Moment>) -> Deviation {
        Deviation {
            opened: Some(self.since),
            closed,
            how_closed: cell(closed.map(|_| FindingClosed::NotFound)),
            what: match self.entries {
                1 => self.what,
                entries => format!("{}: {entries} entries in a row", self.what),
            },
            ..Deviation::of(kind, "")
        }
    }
}

impl About {
    fn of(manifest: &Manifest) -> Self {
        let workspace = manifest.connection.workspace.as_ref();
        let is_sandbox = manifest.connection.is_sandbox == Some(true);
        let mark = Mark::of(&manifest.sources.truto.origin, is_sandbox);
        Self {
            entity: workspace.map(|of| of.name_or_id().to_owned()),
            workspace_id: workspace.map(|of| of.id.clone()),
            criticality: manifest.connection.criticality.clone(),
            own_controls: manifest.own_controls.clone(),
            mark: mark.map(|mark| mark.to_string()),
        }
    }
}

const NO_ROLES: &str = "Runs with narrow permissions show no roles: administrators may be missing from section 10, and from \
    the items that are always tested.";

/// What the pack does not show.
fn limits_of(cover: &Cover, totals: &Totals) -> Vec<String> {
    let reliance = &cover.reliance;
    let mut limits = vec![
        "The runs detect access that remains. They do not remove it, and they see Asana only at the instants of the runs."
            .to_owned(),
        "People whom HR never names cannot be in the population. Compare it with HR's own list of terminations."
            .to_owned(),
    ];
    let mut add = |applies: bool, text: String| limits.extend(applies.then_some(text));
    add(
        cover.schedule_basis == ScheduleBasis::Unknown,
        "No schedule was given, and the evidence records none: missing runs are found only by gaps between runs."
            .to_owned(),
    );
    add(
        reliance.public_keys.is_empty(),
        "Signatures are not relied on, because no public key was given.".to_owned(),
    );
    match reliance.head_given {
        None => add(
            true,
            "No ledger head was given, so the end of the ledger may have been cut off.".to_owned(),
        ),
        Some(entry) => add(
            entry < reliance.last_entry,
            format!(
                "The newest ledger head that was given is that of entry {entry}. Entries after entry {} may have been cut off.",
                reliance.last_entry
            ),
        ),
    }
    add(
        reliance.faults > 0,
        "The evidence has faults of integrity. The pack was made despite them.".to_owned(),
    );
    add(
        !reliance.is_period_over,
        "The period is not over: later runs can change its rows, so a later pack can differ from this one."
            .to_owned(),
    );
    add(
        cover.complete_from_entry.is_some(),
        "The files of some runs have expired. The population is complete only from the entry that page one names."
            .to_owned(),
    );
    add(
        totals
            .hr_tieout
            .as_ref()
            .is_none_or(|of| of.compared() == 0),
        "No row of an auditor's export was compared with the population.".to_owned(),
    );
    add(
        cover.seed.is_some(),
        "The pack does not show who chose the seed of the sample, or when.".to_owned(),
    );
    add(
        reliance.further_connections > 0,
        format!(
            "The evidence has {}. This pack does not cover {}.",
            counted(
                reliance.further_connections,
                "further connection",
                "further connections"
            ),
            match reliance.further_connections {
                1 => "it",
                _ => "them",
            }
        ),
    );
    limits
}

/// What to ask the entity for.
fn ask_for(cover: &Cover) -> Vec<String> {
    let mut questions = vec![
        "HR's own list of terminations of the period, exported while you watch.".to_owned(),
        "The ledger head that a notification or log of the period's last run shows.".to_owned(),
        "The public key, from the person who keeps the private one.".to_owned(),
        "The ticket and the management response of each deviation.".to_owned(),
        "The approval of each exception, from its approver.".to_owned(),
    ];
    if cover.schedule_basis == ScheduleBasis::Unknown {
        questions.push("When runs were due in the period.".to_owned());
    }
    questions
}

/// Whether an entry is of a run.
pub fn is_of_a_run(kind: EntryKind) -> bool {
    match kind {
        EntryKind::Run | EntryKind::Failure => true,
        EntryKind::ReviewOpen | EntryKind::ReviewClose | EntryKind::ReviewAcknowledge => false,
    }
}
