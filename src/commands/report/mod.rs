//! `report`: the audit pack of a period. [`crate::pack`] has its rules.

mod due;
mod evidence;
mod expected;
mod output;
mod samples;
mod verification;

use std::collections::BTreeSet;
use std::path::PathBuf;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use tracing::{info, warn};

use super::verify::with_evidence;
use super::{Session, error_text, row, tool};
use crate::cli::arguments::ReportArguments;
use crate::cli::exit::Exit;
use crate::cli::terminal;
use crate::clock::Clock;
use crate::evidence::{ConnectionFolder, EntryKind, Tool};
use crate::judgement::Leaver;
use crate::model::counted;
use crate::pack::{
    self, Ending, Entries, Fold, Folded, LedgerEntry, Pack, Period, Reliance, RunFiles,
    RunVerified, SampleRequest,
};
use crate::signing::PublicKey;
use crate::store::{Store, StoreError};
use crate::verify::{self, Expectations, Fault, VerifyError};
use evidence::Evidence;
use output::PackFiles;

/// Why no pack was made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    #[error(transparent)]
    Verify(#[from] VerifyError),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The command line is wrong.
    #[error("{0}")]
    Asked(String),
    #[error("the evidence has {} connections: {}", .0.len(), .0.join(", "))]
    SeveralConnections(Vec<String>),
    #[error("the evidence has no connection `{asked}`; it has {}", known.join(", "))]
    UnknownConnection { asked: String, known: Vec<String> },
    #[error("the period has no run: the runs of the evidence began from {first} to {last}")]
    NoRun { first: String, last: String },
    #[error("the evidence has {}; nothing was written", counted(.0.len(), "fault of integrity", "faults of integrity"))]
    Faults(Vec<Fault>),
    #[error("`{0}` changed while the pack was made")]
    Changed(String),
    #[error("the folder `{}` is not empty", .0.display())]
    NotEmpty(PathBuf),
    #[error("`{}` is not a folder", .0.display())]
    NotAFolder(PathBuf),
    #[error("the folder `{}` is part of the evidence", .0.display())]
    WithinEvidence(PathBuf),
    #[error("cannot write `{}`", path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the file of --expect cannot be used: {0}")]
    Expected(String),
    /// A bug.
    #[error("cannot make the spreadsheet")]
    Spreadsheet(#[from] rust_xlsxwriter::XlsxError),
    #[error("the key of the pseudonyms, `{}`, cannot be used: {reason}", path.display())]
    Key { path: PathBuf, reason: String },
}

impl ReportError {
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Verify(error) => error.hint().map(str::to_owned),
            Self::Store(error) => error.hint().map(str::to_owned),
            Self::Asked(_) => None,
            Self::SeveralConnections(ids) => {
                let first = ids.first().map(String::as_str).unwrap_or_default();
                Some(format!("select one, such as --connection {first}"))
            }
            Self::UnknownConnection { known, .. } => {
                let first = known.first().map(String::as_str).unwrap_or_default();
                Some(format!("correct it, such as --connection {first}; `verify` finds deleted connections"))
            }
            Self::NoRun { .. } => {
                Some("correct --from and --to, or select another connection".to_owned())
            }
            Self::Faults(_) => Some(
                "`verify` shows all faults; --despite-faults makes a pack that says so on page one".to_owned(),
            ),
            Self::Changed(_) => Some("run the command again, and then `verify`".to_owned()),
            Self::NotEmpty(_) | Self::NotAFolder(_) | Self::WithinEvidence(_) => {
                Some("name a new folder with --out: a pack is never mixed with other files".to_owned())
            }
            Self::Write { .. } => Some(
                "use --out to name a new folder where this user may write and the disk has room".to_owned(),
            ),
            Self::Spreadsheet(_) => None,
            Self::Expected(_) => Some(
                "correct the export: docs/hr-feed.md lists the column names; write dates as 2026-12-31; \
                 the settings of the HR feed do not apply to it".to_owned(),
            ),
            Self::Key { .. } => Some(
                "delete the file to get a new key; the pseudonyms of earlier packs then differ".to_owned(),
            ),
        }
    }

    pub fn exit(&self) -> Exit {
        match self {
            Self::Verify(error) => error.exit(),
            Self::Store(error) => error.kind().into(),
            Self::Asked(_)
            | Self::SeveralConnections(_)
            | Self::UnknownConnection { .. }
            | Self::NoRun { .. } => Exit::Usage,
            Self::Faults(_) | Self::Changed(_) => Exit::IntegrityFault,
            Self::Spreadsheet(_) => Exit::Unexpected,
            Self::NotEmpty(_)
            | Self::NotAFolder(_)
            | Self::WithinEvidence(_)
            | Self::Write { .. }
            | Self::Expected(_)
            | Self::Key { .. } => Exit::Configuration,
        }
    }
}

/// A pack that was written.
#[derive(Debug)]
pub struct Made {
    pub pack: Pack,
    pub folder: PathBuf,
    /// The file with the key of the pseudonyms, if the pack is redacted.
    pub key_file: Option<PathBuf>,
    /// SHA-256 of `SHA256SUMS`, in hex.
    pub sums_sha256: String,
}

/// # Errors
/// The exit code, if no pack was made.
pub fn start(arguments: ReportArguments, session: Session) -> Result<Exit, Exit> {
    let Session {
        clock,
        environment,
        progress,
    } = session;
    let evidence = (arguments.url.clone(), arguments.public_keys.clone());
    let made = with_evidence(environment, progress, evidence, async |store, keys| {
        make(&store, &arguments, keys, clock, tool()).await
    });
    let made = made?.map_err(|error| {
        let mut text = error_text(&error, error.hint());
        if let ReportError::Faults(faults) = &error {
            for fault in faults.iter().take(MOST_FAULTS) {
                text.push_str(&format!("  {}: {}\n", fault.place, fault.text));
            }
        }
        terminal::print_error(&text);
        error.exit()
    })?;
    terminal::print(&summary(&made));
    Ok(Exit::Pass)
}

/// The most faults that the error lists. `verify` lists all.
const MOST_FAULTS: usize = 10;

/// What was written, for people.
pub fn summary(made: &Made) -> String {
    let mut text = String::new();
    let (cover, totals) = (&made.pack.cover, &made.pack.totals);
    row(&mut text, "pack", made.folder.display());
    row(
        &mut text,
        "period",
        format!("{} to {} ({})", cover.from, cover.to, cover.zone),
    );
    let items = &totals.items;
    let deviations: u64 = totals.deviations.values().sum();
    row(
        &mut text,
        "content",
        format!(
            "runs due: {}, leavers: {}, deviations: {deviations}",
            totals.runs.due, items.total
        ),
    );
    row(&mut text, "population", &cover.population_sha256);
    match &cover.seed {
        Some(seed) => row(&mut text, "seed", seed),
        None => row(
            &mut text,
            "sample",
            "none: note the hash of the population, then choose a seed and use --seed",
        ),
    }
    for warning in &cover.reliance.warnings {
        row(&mut text, "warning", warning);
    }
    if !cover.reliance.is_period_over {
        let what = "the period is not over: a later pack differs from this one";
        row(&mut text, "warning", what);
    }
    if let Some(key) = &made.key_file {
        row(&mut text, "key", key.display());
    }
    row(&mut text, "sums", &made.sums_sha256);
    text
}

/// Makes a pack from the evidence in a store, and writes it.
///
/// # Errors
/// If the request is wrong, if the evidence has faults, or if a file cannot be read or written. Nothing is written
/// then.
pub async fn make(
    store: &Store,
    asked: &ReportArguments,
    keys: Vec<PublicKey>,
    clock: Clock,
    tool: Tool,
) -> Result<Made, ReportError> {
    // Wrong requests are reported before the long check of the evidence.
    let (from, to) = days(asked, clock)?;
    let zone = asked.zone.as_deref().unwrap_or("Etc/UTC");
    Period::of(from, to, zone).map_err(ReportError::Asked)?;
    let out = asked
        .out
        .clone()
        .unwrap_or_else(|| format!("audit-pack-{from}-{to}").into());
    output::ensure_empty(&out)?;
    if let Some(evidence) = store.folder_path() {
        output::ensure_outside(&out, evidence)?;
    }
    let (connection, further_connections) = chosen_connection(store, asked).await?;
    let expected = Expectations {
        now: clock.as_of(),
        connection: connection.clone(),
        heads: asked.heads.clone(),
        every: None,
        period: verify::Period::default(),
        keys: keys.clone(),
    };
    let verified = verify::verify(store, &expected).await?;
    if !verified.integrity_holds() && !asked.despite_faults {
        return Err(ReportError::Faults(verified.faults));
    }
    let Some(chain) = verified.chains.first() else {
        return Err(VerifyError::NoEvidence(verified.location).into());
    };
    let folder = ConnectionFolder::containing(&format!("{}/ledger", chain.folder));
    let Some(folder) = folder else {
        return Err(VerifyError::NoEvidence(verified.location.clone()).into());
    };
    let evidence = Evidence {
        store,
        folder: &folder,
    };
    let entries = evidence.entries(chain).await?;
    let zone = match &asked.zone {
        Some(zone) => zone.clone(),
        None => zone_of_period(&evidence, &entries, to).await?,
    };
    let period = Period::of(from, to, &zone).map_err(ReportError::Asked)?;
    ensure_has_runs(&entries, &period)?;
    let rhythm = asked.rhythm(&zone).map_err(ReportError::Asked)?;
    let schedule = due::schedule(
        chain,
        rhythm,
        asked.every_as_given().map(str::to_owned),
        &period,
        clock.as_of(),
    );
    let may_still_start = schedule.due.as_ref().map_or(0, |due| due.may_still_start);
    let is_period_over = clock.as_of() >= period.to && may_still_start == 0;
    let expected_rows = match &asked.expect {
        Some(path) => Some(expected::read(path, &zone).await?),
        None => None,
    };

    let connection = entries.first().map(|of| of.entry.connection.clone());
    let connection = connection.unwrap_or_default();
    let fold = Fold::new(period.clone(), &connection, Entries::of(&entries));
    let fold = folded(&evidence, &entries, &period, fold).await?;
    let Folded {
        mut pack,
        population_ids,
        leavers,
        runs,
    } = fold.finish(Ending {
        schedule,
        sample: SampleRequest {
            seed: asked.seed.clone(),
            items: asked.sample,
            runs: asked.sample_runs,
        },
        expected: expected_rows,
        tool,
        reliance: Reliance {
            replaced_schedule: due::replaced(chain, asked.every_as_given(), &zone),
            further_connections,
            is_period_over,
            ..verification::reliance(&verified, chain, &keys, asked, &period)
        },
        integrity: verification::facts(&verified, chain, &entries, asked),
    });
    let mut files = PackFiles::default();
    let mut key_file = None;
    if asked.redact {
        let (key, path) = output::redaction_key(&out)?;
        pack = pack.redact(&key);
        key_file = Some(path);
    } else {
        pack.sample = samples::leavers(&evidence, &entries, leavers, &mut files).await?;
        samples::runs(&evidence, &entries, &runs, &mut files).await?;
    }
    files.add("population-ids.txt", population_ids);
    files.add_pack(&pack)?;
    let text = verification::text(&verified, &pack, clock.as_of(), asked);
    let sums_sha256 = files.write(&out, text)?;
    Ok(Made {
        pack,
        folder: out,
        key_file,
        sums_sha256,
    })
}

/// The first and the last day of the period.
fn days(asked: &ReportArguments, clock: Clock) -> Result<(Date, Date), ReportError> {
    let is_relative = asked.from.is_relative() || asked.to.is_relative();
    let zone = match &asked.zone {
        None if is_relative => {
            let text = "last-month and last-quarter need a time zone: add --zone Europe/Berlin";
            return Err(ReportError::Asked(text.to_owned()));
        }
        zone => zone.as_deref().unwrap_or("Etc/UTC"),
    };
    // A wrong zone is reported with the period.
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let today = zone.to_datetime(clock.as_of()).date();
    Ok((asked.from.first(today), asked.to.last(today)))
}

/// The connection to verify, and how many others there are. None if the store has one or none: `verify` then reports
/// missing evidence.
async fn chosen_connection(
    store: &Store,
    asked: &ReportArguments,
) -> Result<(Option<String>, u64), ReportError> {
    if !store.exists().await {
        return Err(VerifyError::NotThere(store.location()).into());
    }
    let folders = verify::connections(store).await?;
    let known: Vec<String> = folders.iter().map(ConnectionFolder::id).collect();
    match &asked.connection {
        // A noted head proves that evidence existed, so its absence is a fault that `verify` reports.
        Some(id) if known.is_empty() || known.contains(id) || !asked.heads.is_empty() => {
            let others = known.iter().filter(|known| *known != id).count();
            Ok((Some(id.clone()), others as u64))
        }
        Some(id) => Err(ReportError::UnknownConnection {
            asked: id.clone(),
            known,
        }),
        None if known.len() > 1 => Err(ReportError::SeveralConnections(known)),
        None => Ok((None, 0)),
    }
}

/// The zone of HR's dates in the last run of the period that can be read, so that a later setting moves no period. Without
/// one, that of the first run after it.
async fn zone_of_period(
    evidence: &Evidence<'_>,
    entries: &[LedgerEntry],
    to: Date,
) -> Result<String, ReportError> {
    // The zone is not known yet. Anywhere on earth, the day is over then.
    let end = Period::of(to, to, "Etc/GMT+12")
        .map_err(ReportError::Asked)?
        .to;
    let judged = entries.iter().filter(|of| of.entry.kind == EntryKind::Run);
    let is_early = |of: &&&LedgerEntry| of.run_instant().is_some_and(|at| at < end);
    let early: Vec<&LedgerEntry> = judged.clone().filter(|of| is_early(&of)).collect();
    let later = judged.filter(|of| !is_early(&of));
    for at in early.into_iter().rev().chain(later) {
        if let Some(RunFiles { manifest, .. }) = evidence.run(at, false).await?
            && let Some(policy) = manifest.policy
        {
            return Ok(policy.hr_time_zone);
        }
    }
    Ok("Etc/UTC".to_owned())
}

/// The runs before the period that the pack reads: the last one, and those since HR first named a leaver whose offboarding
/// was open then.
async fn context(
    evidence: &Evidence<'_>,
    entries: &[LedgerEntry],
    period: &Period,
) -> Result<BTreeSet<u64>, ReportError> {
    let is_before = |of: &&LedgerEntry| {
        let is_there = match of.verified {
            RunVerified::Recomputed | RunVerified::HashesOnly => true,
            RunVerified::Expired | RunVerified::Fault => false,
        };
        let is_early = of.run_instant().is_some_and(|at| at < period.from);
        is_there && is_early && of.entry.kind == EntryKind::Run
    };
    let before: Vec<&LedgerEntry> = entries.iter().filter(is_before).collect();
    let Some(last) = before.last() else {
        return Ok(BTreeSet::new());
    };
    let files = evidence.run(last, false).await?;
    let judged = files.and_then(|files| files.judged);
    let leavers = judged.map_or_else(Vec::new, |judged| judged.leavers);
    let is_open = |leaver: &&Leaver| leaver.concluded_at.is_none_or(|at| at >= period.from);
    let named = leavers
        .iter()
        .filter(is_open)
        .map(|of| of.first_seen_in_feed);
    let oldest = named.min();
    let is_since = |of: &&&LedgerEntry| {
        let is_last = of.entry.sequence == last.entry.sequence;
        is_last || oldest.is_some_and(|oldest| of.run_instant() >= Some(oldest))
    };
    let context = before.iter().filter(is_since);
    Ok(context.map(|of| of.entry.sequence).collect())
}

fn ensure_has_runs(entries: &[LedgerEntry], period: &Period) -> Result<(), ReportError> {
    let mut instants: Vec<_> = entries
        .iter()
        .filter_map(LedgerEntry::run_instant)
        .collect();
    instants.sort();
    let is_within = |at: &&jiff::Timestamp| period.from <= **at && **at < period.to;
    if instants.iter().any(|at| is_within(&at)) {
        return Ok(());
    }
    let day = |at: Option<&jiff::Timestamp>| at.map_or_else(|| "-".to_owned(), ToString::to_string);
    Err(ReportError::NoRun {
        first: day(instants.first()),
        last: day(instants.last()),
    })
}

/// Folds the runs of the period and later, those before it that have the history of open offboardings, and every access
/// review.
async fn folded(
    evidence: &Evidence<'_>,
    entries: &[LedgerEntry],
    period: &Period,
    mut fold: Fold,
) -> Result<Fold, ReportError> {
    let context = context(evidence, entries, period).await?;
    let last = entries.last().map_or(0, |of| of.entry.sequence);
    let mut needs_concluded = true;
    for at in entries {
        let sequence = at.entry.sequence;
        if !pack::is_of_a_run(at.entry.kind) {
            fold.review_entry(&at.entry);
            match evidence.review(at).await? {
                Some((manifest, closed)) => fold.review(&at.entry, &manifest, closed.as_ref()),
                None => fold.limit(format!(
                    "The access review of entry {sequence} cannot be read."
                )),
            }
            continue;
        }
        let is_since = at.run_instant().is_some_and(|at| period.shows(at));
        if !is_since && !context.contains(&sequence) {
            continue;
        }
        let files = evidence.run(at, needs_concluded).await?;
        let has_leavers = files.as_ref().is_some_and(|files| files.judged.is_some());
        needs_concluded = match at.entry.kind {
            EntryKind::Failure => needs_concluded,
            _ => !has_leavers,
        };
        if files.is_none() {
            warn!(sequence, "The files of a run cannot be read");
            fold.limit(format!(
                "The files of the run of entry {sequence} cannot be read."
            ));
        }
        fold.run(at, files);
        info!(target: "progress", sequence, head = last, "Read entry {sequence} of {last}");
    }
    Ok(fold)
}
