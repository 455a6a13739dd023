//! `verification.txt`, and the section on integrity.

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::cli::arguments::ReportArguments;
use crate::evidence::RunFolder;
use crate::model::counted;
use crate::pack::{Fact, LedgerEntry, Pack, Period, Reliance};
use crate::signing::PublicKey;
use crate::verify::{ChainVerified, Verified, Warning, WarningKind};

/// What was verified, without the time of making.
pub(super) fn facts(
    verified: &Verified,
    chain: &ChainVerified,
    entries: &[LedgerEntry],
    asked: &ReportArguments,
) -> Vec<Fact> {
    let given = match asked.heads.is_empty() {
        true => "none: the end of the ledger may have been cut off".to_owned(),
        false => {
            let heads: Vec<String> = asked.heads.iter().map(ToString::to_string).collect();
            heads.join(", ")
        }
    };
    let head = chain.head.as_ref().map(ToString::to_string);
    let keys = match asked.public_keys.len() {
        0 => "signatures not relied on: no public key was given".to_owned(),
        1 => "1 public key given; each signature was checked with it".to_owned(),
        count => format!("{count} public keys given; each signature was checked with one of them"),
    };
    let delay = entries.iter().filter_map(|of| {
        let delay = of.stored_at?.duration_since(of.entry.committed_at);
        Some((delay.as_secs(), of.entry.sequence))
    });
    let delay = match delay.max() {
        Some((seconds, entry)) => format!("{seconds} s (entry {entry})"),
        None => "not known: only a bucket reports when it stored an object".to_owned(),
    };
    let expired = match chain.expired.len() {
        0 => "none".to_owned(),
        count => counted(count, "folder", "folders"),
    };
    let facts = [
        (
            "ledger head found",
            head.unwrap_or_else(|| "none".to_owned()),
        ),
        ("ledger heads given", given),
        ("ledger entries", chain.entries.to_string()),
        ("keys", keys),
        ("entries signed", signed(entries)),
        ("files verified", chain.files.to_string()),
        ("faults of integrity", verified.faults.len().to_string()),
        ("warnings", verified.warnings.len().to_string()),
        ("folders expired", expired),
        ("folders without entry", without_entry(chain)),
        ("locks", locks(verified)),
        ("greatest stored_at - committed_at", delay),
    ];
    let facts = facts.into_iter();
    facts.map(|(name, value)| Fact { name, value }).collect()
}

/// What the pack relies on.
pub(super) fn reliance(
    verified: &Verified,
    chain: &ChainVerified,
    keys: &[PublicKey],
    asked: &ReportArguments,
    period: &Period,
) -> Reliance {
    let is_of_period = |name: &&String| {
        let began = RunFolder::parse(name).and_then(|run| run.instant());
        began.is_some_and(|at| period.from <= at && at < period.to)
    };
    Reliance {
        faults: verified.faults.len() as u64,
        warnings: verified.warnings.iter().map(sentence).collect(),
        public_keys: keys.iter().map(|key| key.sha256().to_owned()).collect(),
        head_given: asked.heads.iter().map(|head| head.sequence).max(),
        last_entry: chain.head.as_ref().map_or(0, |head| head.sequence),
        runs_without_entry: chain
            .uncommitted
            .iter()
            .filter(is_of_period)
            .cloned()
            .collect(),
        ..Reliance::default()
    }
}

/// A warning of `verify`, for page one. The warning itself names folders, which may name people.
fn sentence(of: &Warning) -> String {
    match of.kind {
        WarningKind::NewerThanLedger => format!(
            "The end of the ledger may have been cut off: {} newer than its last entry.",
            counted(
                of.count,
                "complete folder without an entry is",
                "complete folders without an entry are"
            )
        ),
        WarningKind::DatedInTheFuture => {
            "The newest run is dated in the future, by the clock of the machine that made this pack."
                .to_owned()
        }
        WarningKind::StoredAtAnotherTime => format!(
            "{} stored at another time than stated: a restored copy, a wrong clock or backdating.",
            counted(of.count, "ledger entry was", "ledger entries were")
        ),
    }
}

/// Names of runs only: that of a review may name people.
fn without_entry(chain: &ChainVerified) -> String {
    let names = chain.uncommitted.iter();
    let runs = names.filter(|name| RunFolder::parse(name).is_some());
    let runs: Vec<&str> = runs.map(String::as_str).collect();
    match chain.uncommitted.len() {
        0 => "none".to_owned(),
        count if runs.is_empty() => counted(count, "folder of a review", "folders of reviews"),
        count => format!("{count}: {}", runs.join(", ")),
    }
}

fn locks(verified: &Verified) -> String {
    let locks = &verified.locks;
    if locks.compliance + locks.governance == 0 {
        let objects = counted(locks.objects, "object", "objects");
        return format!(
            "none found on {objects}: they are not locked, or the locks cannot be read. A copy in a folder has no locks"
        );
    }
    let until = match locks.first_until {
        Some(until) => format!("; the first lock ends at {until}"),
        None => String::new(),
    };
    format!(
        "{} read: {} locked in compliance mode, {} in governance mode{until}",
        counted(locks.objects, "object", "objects"),
        locks.compliance,
        locks.governance
    )
}

/// Which entries are signed, as ranges: `1-40, 42-90`.
fn signed(entries: &[LedgerEntry]) -> String {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for of in entries.iter().filter(|of| of.entry.is_signed()) {
        let sequence = of.entry.sequence;
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == sequence => *last = sequence,
            _ => ranges.push((sequence, sequence)),
        }
    }
    let ranges: Vec<String> = ranges
        .iter()
        .map(|(from, to)| format!("{from}-{to}"))
        .collect();
    match ranges.is_empty() {
        true => "none".to_owned(),
        false => ranges.join(", "),
    }
}

/// `verification.txt`, up to the hash of `SHA256SUMS`.
pub(super) fn text(
    verified: &Verified,
    pack: &Pack,
    now: Timestamp,
    asked: &ReportArguments,
) -> String {
    let cover = &pack.cover;
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "{name}: {value}");
    };
    line("made at", &now.to_string());
    let tool = &cover.tool;
    line(
        "made by",
        &format!("{} {} (commit {})", tool.name, tool.version, tool.commit),
    );
    line("evidence", &verified.location);
    line("connection", &cover.connection);
    line(
        "period",
        &format!("{} to {} ({})", cover.from, cover.to, cover.zone),
    );
    line("command", &command(pack, asked));
    for Fact { name, value } in &pack.integrity {
        line(name, value);
    }
    for key in &cover.reliance.public_keys {
        line("public key SHA-256", key);
    }
    // Places and texts have the names of reviews, and may have those of people.
    let details = |text: String| match cover.redacted {
        true => String::new(),
        false => format!(": {text}"),
    };
    for fault in &verified.faults {
        let of = details(format!("{}: {}", fault.place, fault.text));
        line("fault", &format!("{}{of}", fault.kind));
    }
    for warning in &verified.warnings {
        let of = details(warning.text.clone());
        line("warning", &format!("{}{of}", warning.kind));
    }
    line("population SHA-256", &cover.population_sha256);
    line("seed", cover.seed.as_deref().unwrap_or("none"));
    if let Some(why) = verified.versions_unchecked {
        line("not checked", &format!("older versions of objects: {why}"));
    }
    if asked.public_keys.is_empty() {
        line(
            "not checked",
            "who signed the ledger: no public key was given",
        );
    }
    for limit in &pack.limits {
        line("limit", limit);
    }
    text
}

/// The options that decide what the pack contains.
fn command(pack: &Pack, asked: &ReportArguments) -> String {
    let cover = &pack.cover;
    let mut text = format!(
        "report --from {} --to {} --zone {} --connection {}",
        cover.from, cover.to, cover.zone, cover.connection
    );
    if let Some(every) = asked.every_as_given() {
        let _ = write!(text, " --every '{every}'");
    }
    for head in &asked.heads {
        let _ = write!(text, " --head {head}");
    }
    if let Some(seed) = &cover.seed {
        let (items, runs) = (cover.sample_size, cover.sample_runs);
        let _ = write!(
            text,
            " --sample {items} --seed '{seed}' --sample-runs {runs}"
        );
    }
    let flags = [
        (!asked.public_keys.is_empty(), " --public-key FILE"),
        (cover.has_expected, " --expect FILE"),
        (cover.redacted, " --redact"),
        (asked.despite_faults, " --despite-faults"),
    ];
    for (_, flag) in flags.iter().filter(|(is_set, _)| *is_set) {
        text.push_str(flag);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{self, CommandRequest};

    #[test]
    fn the_keys_are_counted_in_plain_english() {
        let keys = |count: usize| {
            let line = [
                "asana-access-review",
                "report",
                "--from",
                "2026-10-01",
                "--to",
            ];
            let line = line.into_iter().chain(["2026-10-31"]);
            let keys = ["--public-key", "key.pem"].repeat(count);
            let asked = match cli::parse(line.chain(keys).map(Into::into)) {
                Ok(CommandRequest::Report(asked)) => asked,
                other => panic!("{other:?}"),
            };
            let (verified, chain) = (Verified::default(), ChainVerified::default());
            let facts = facts(&verified, &chain, &[], &asked);
            let keys = facts.into_iter().find(|fact| fact.name == "keys");
            keys.expect("the fact").value
        };
        assert_eq!(keys(0), "signatures not relied on: no public key was given");
        let (one, two) = (keys(1), keys(2));
        assert_eq!(
            one,
            "1 public key given; each signature was checked with it"
        );
        assert_eq!(
            two,
            "2 public keys given; each signature was checked with one of them"
        );
    }
}
