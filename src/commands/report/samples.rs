//! The folders of the sample: the evidence of each sampled leaver and run.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};
use tracing::info;

use super::ReportError;
use super::evidence::{Bundle, Evidence};
use super::output::PackFiles;
use crate::evidence::{AccountLine, EntryKind, Manifest, packed, unpacked};
use crate::judgement::Leaver;
use crate::model::HrRow;
use crate::pack::{
    Entries, LeaverToSample, LedgerEntry, SampleTables, SampledLeaver, SampledRun, SampledRunFolder,
};

/// How many runs after the conclusion `access.csv` shows.
const AFTER: usize = 3;

/// The folder of the run that fixed the deadline.
const RULE: &str = "rule";

/// The largest unpacked size of a raw file that is searched, in bytes.
const MOST_BYTES: u64 = 1 << 30;

/// A sampled leaver, and the runs that the tables show.
struct Window {
    sampled: LeaverToSample,
    /// The first and the last run, by their places among the judged runs.
    first: usize,
    last: usize,
    /// The first run whose accounts are shown.
    first_access: usize,
    tables: SampleTables,
}

/// Adds the folders of the sampled leavers.
pub(super) async fn leavers(
    evidence: &Evidence<'_>,
    entries: &[LedgerEntry],
    sampled: Vec<LeaverToSample>,
    files: &mut PackFiles,
) -> Result<Vec<SampledLeaver>, ReportError> {
    let mut judged: Vec<(Timestamp, &LedgerEntry)> = entries
        .iter()
        .filter(|of| of.entry.kind == EntryKind::Run)
        .filter_map(|of| Some((of.run_instant()?, of)))
        .collect();
    judged.sort_by_key(|(at, of)| (*at, of.entry.sequence));
    let last = judged.last().map_or(0, |(_, of)| of.entry.sequence);
    let mut windows: Vec<Window> = sampled.into_iter().map(|of| window(of, &judged)).collect();
    for (place, (at, of)) in judged.iter().enumerate() {
        let is_in = |window: &Window| (window.first..=window.last).contains(&place);
        if !windows.iter().any(is_in) {
            continue;
        }
        let Some((rows, accounts)) = evidence.people(of).await? else {
            continue;
        };
        let accounts: BTreeMap<&str, &AccountLine> = accounts
            .iter()
            .map(|line| (line.account_id.as_str(), line))
            .collect();
        for window in windows.iter_mut().filter(|window| is_in(window)) {
            let leaver = &window.sampled.leaver;
            let row = rows
                .iter()
                .filter(|row| is_about(row, leaver))
                .collect::<Vec<_>>();
            let run = (of.entry.sequence, *at, of.entry.complete);
            window.tables.hr(run, &row);
            if place >= window.first_access {
                window.tables.access(run, leaver, &accounts);
            }
        }
        let sequence = of.entry.sequence;
        info!(target: "progress", sequence, head = last, "Read the sample up to entry {sequence} of {last}");
    }
    let index = Entries::of(entries);
    let by_sequence: BTreeMap<u64, &LedgerEntry> =
        entries.iter().map(|of| (of.entry.sequence, of)).collect();
    let mut folders = Vec::new();
    for Window {
        sampled, tables, ..
    } in windows
    {
        let folder = format!("samples/{}", sampled.folder);
        let (hr, access) = tables.finish();
        files.add(format!("{folder}/hr.csv"), hr.to_csv());
        files.add(format!("{folder}/access.csv"), access.to_csv());
        let mut run_of = async |at: Option<Timestamp>, name: &str| {
            let of = at
                .and_then(|at| index.at(at))
                .and_then(|of| by_sequence.get(&of));
            let (Some(at), Some(of)) = (at, of) else {
                return Ok::<_, ReportError>(None);
            };
            // The run that fixed the deadline proves the rule, not the access.
            let with_raw = name != RULE;
            let Some(bundle) = evidence.bundle(of, with_raw).await? else {
                return Ok(None);
            };
            let below = format!("{folder}/{name}");
            let mut written = add_bundle(files, &below, &bundle);
            if with_raw {
                let records = raw_records(&bundle, &sampled.leaver.account_id);
                files.add(format!("{below}/raw.jsonl"), records);
                written.push("raw.jsonl".to_owned());
            }
            Ok(Some(SampledRun {
                sequence: of.entry.sequence,
                run: of.entry.run.clone(),
                as_of: at,
                entry_sha256: of.sha256.clone(),
                files: written,
            }))
        };
        let before = run_of(sampled.last_seen_with_access, "before").await?;
        let after = run_of(sampled.first_seen_without_access, "after").await?;
        let rule_run = sampled.leaver.deadline_rule_run.as_deref();
        let rule_entry = rule_run.and_then(|run| index.of_run(run));
        let rule = match rule_entry.and_then(|of| by_sequence.get(&of)) {
            Some(of) => run_of(of.run_instant(), RULE).await?,
            None => None,
        };
        folders.push(SampledLeaver {
            folder: sampled.folder,
            item_id: sampled.item_id,
            why: sampled.why,
            hr,
            access,
            before,
            after,
            rule,
            exception: sampled.exception,
            grace_seconds: sampled.leaver.grace_seconds,
            rule_run: rule_run.map(str::to_owned),
        });
    }
    Ok(folders)
}

/// Adds the folders of the sampled runs.
pub(super) async fn runs(
    evidence: &Evidence<'_>,
    entries: &[LedgerEntry],
    sampled: &[SampledRunFolder],
    files: &mut PackFiles,
) -> Result<(), ReportError> {
    for of in sampled {
        let at = entries.iter().find(|entry| entry.entry.run == of.run);
        let Some(at) = at else {
            continue;
        };
        if let Some(bundle) = evidence.bundle(at, false).await? {
            add_bundle(files, &format!("samples/{}", of.folder), &bundle);
        }
    }
    Ok(())
}

/// HR's rows: from the run before the first one that named the leaver. Accounts: from the run before the end of work, also
/// as first reported, and before the last one that saw access. Both: to three runs after the conclusion.
fn window(sampled: LeaverToSample, judged: &[(Timestamp, &LedgerEntry)]) -> Window {
    let leaver = &sampled.leaver;
    let end = leaver.end_of_work.unwrap_or(leaver.first_seen_in_feed);
    let end = leaver.moved_from.map_or(end, |from| from.min(end));
    let from = sampled
        .last_seen_with_access
        .map_or(end, |seen| seen.min(end));
    let run_before = |instant: Timestamp| {
        let place = judged.partition_point(|(at, _)| *at < instant);
        place.saturating_sub(1)
    };
    let first_access = run_before(from);
    let first = first_access.min(run_before(leaver.first_seen_in_feed));
    let ended = sampled.first_seen_without_access.max(leaver.concluded_at);
    let end = judged.len().saturating_sub(1);
    let last = match ended {
        Some(ended) => judged.partition_point(|(at, _)| *at < ended) + AFTER,
        None => end,
    };
    Window {
        first,
        last: last.min(end),
        first_access,
        tables: SampleTables::default(),
        sampled,
    }
}

/// Whether a row of the feed is about a person: by the id, else by an address, else by the name.
fn is_about(row: &HrRow, leaver: &Leaver) -> bool {
    let mut ids = leaver.person_id.iter().chain(&leaver.other_person_ids);
    if let Some(id) = &row.person_id
        && ids.any(|known| known == id)
    {
        return true;
    }
    let by_email = row.emails().any(|email| leaver.emails.contains(email));
    let has_keys = row.person_id.is_some() || row.emails().next().is_some();
    by_email || !has_keys && row.name.is_some() && row.name == leaver.name
}

/// Adds entry, signature, manifest and sums. Returns their names.
fn add_bundle(files: &mut PackFiles, folder: &str, bundle: &Bundle) -> Vec<String> {
    let Bundle {
        entry,
        signature,
        manifest,
        sums,
        raw: _,
    } = bundle;
    // A manifest lists every page of the run, so it would be most of the pack.
    let parts = [
        ("entry.json", Some(entry.clone())),
        ("entry.sig", signature.clone()),
        ("manifest.json.gz", Some(packed(manifest))),
        ("SHA256SUMS", Some(sums.clone())),
    ];
    let mut names = Vec::new();
    for (name, bytes) in parts {
        if let Some(bytes) = bytes {
            files.add(format!("{folder}/{name}"), bytes);
            names.push(name.to_owned());
        }
    }
    names
}

/// The records of these accounts in the raw files, each with its file, page and hashes: one a line.
fn raw_records(bundle: &Bundle, accounts: &[String]) -> Vec<u8> {
    let manifest: Option<Manifest> = serde_json::from_slice(&bundle.manifest).ok();
    let pages = manifest.map_or_else(Vec::new, |of| of.sources.truto.pages);
    let mut lines = Vec::new();
    for (file, (sha256, bytes)) in &bundle.raw {
        let content = unpacked(bytes, MOST_BYTES).unwrap_or_default();
        let mut of_file = pages.iter().filter(|page| page.file.as_ref() == Some(file));
        for line in content
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            let page = of_file.next().map(|page| &page.page);
            let Ok(value) = serde_json::from_slice::<Value>(line) else {
                continue;
            };
            let mut found = Vec::new();
            records_of(&value, accounts, &mut found);
            for record in found {
                let line = json!({
                    "file": file,
                    "file_sha256": sha256,
                    "list": page.map(|page| &page.list),
                    "page": page.map(|page| page.page),
                    "page_sha256": page.map(|page| &page.sha256),
                    "record": record,
                });
                lines.extend_from_slice(line.to_string().as_bytes());
                lines.push(b'\n');
            }
        }
    }
    lines
}

/// The outermost objects that are about one of these accounts: by their own id, or by that of their `user`.
fn records_of<'v>(value: &'v Value, accounts: &[String], found: &mut Vec<&'v Value>) {
    match value {
        Value::Array(values) => {
            for value in values {
                records_of(value, accounts, found);
            }
        }
        Value::Object(fields) => {
            let id = |of: &Value| {
                ["id", "gid"].iter().any(|key| {
                    let id = of.get(key).and_then(Value::as_str);
                    id.is_some_and(|id| accounts.iter().any(|account| account == id))
                })
            };
            if id(value) || fields.get("user").is_some_and(id) {
                found.push(value);
                return;
            }
            for value in fields.values() {
                records_of(value, accounts, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
