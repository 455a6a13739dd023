//! Changes of rules and of the program: each rule with its values, and one row for each group of equal runs.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::deviations::{Deviation, Deviations};
use super::items::RunAt;
use super::period::{LedgerEntry, Period, Phase};
use super::runs::rules_sha256;
use super::table::{cell, count, instant, text};
use super::{Column, DeviationType, Effect, RunVerified, Table};
use crate::evidence::Manifest;
use crate::judgement::{Change, ChangeKind};
use crate::model::{Mapping, counted};
use crate::schedule::RunSchedule;

#[derive(Clone, Debug)]
struct RuleChange {
    run: RunAt,
    rule: String,
    before: String,
    after: String,
    effect: Effect,
}

/// What must be equal in all runs of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
struct GroupKey {
    tool: String,
    version: String,
    commit: String,
    judgement: Option<u32>,
    rules_sha256: String,
    mapping: String,
    key_sha256: String,
}

#[derive(Clone, Debug)]
struct Group {
    key: GroupKey,
    first: RunAt,
    last: RunAt,
    runs: u64,
    recomputed: u64,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    changes: Vec<RuleChange>,
    groups: Vec<Group>,
    /// The newest run before the period, for the comparison.
    before: Option<GroupKey>,
    /// The first run of the period with rules.
    has_first: bool,
    mapping: Option<String>,
    version: Option<(String, String, String)>,
    deviations: Vec<Deviation>,
}

const RULES: &[Column] = &[
    count("entry"),
    instant("as_of"),
    text("rule"),
    text("before"),
    text("after"),
    text("effect"),
    text("due_items"),
];

const TOOLS: &[Column] = &[
    count("first_entry"),
    instant("first_run"),
    count("last_entry"),
    instant("last_run"),
    count("runs"),
    count("recomputed"),
    text("tool"),
    text("version"),
    text("commit"),
    count("judgement"),
    text("rules_sha256"),
    text("mapping_sha256"),
    text("key_sha256"),
];

/// A judged run, for the rules.
pub(super) struct RulesOfRun<'a> {
    pub(super) at: &'a LedgerEntry,
    pub(super) run: RunAt,
    pub(super) manifest: &'a Manifest,
    pub(super) judgement: u32,
    pub(super) mapping: &'a Mapping,
    pub(super) changes: &'a [Change],
}

fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

impl Rules {
    pub(super) fn take(&mut self, period: &Period, of: &RulesOfRun<'_>) {
        let phase = period.phase(of.run.at);
        if phase == Phase::After {
            return;
        }
        let tool = &of.manifest.tool;
        let mapping = match of.mapping {
            Mapping::Reported { sha256 } => Some(sha256.clone()),
            Mapping::NotReported { .. } => None,
        };
        let key = GroupKey {
            tool: tool.name.clone(),
            version: tool.version.clone(),
            commit: tool.commit.clone(),
            judgement: Some(of.judgement),
            rules_sha256: cell(rules_sha256(of.manifest)),
            mapping: cell(mapping.as_ref()),
            key_sha256: of.at.entry.key_sha256.clone(),
        };
        let version = (tool.name.clone(), tool.version.clone(), tool.commit.clone());
        let version_before = self.version.replace(version.clone());
        // A run that could not read the mapping shows no change.
        let mapping_before = match &mapping {
            Some(mapping) => self.mapping.replace(mapping.clone()),
            None => None,
        };
        if phase == Phase::Before {
            self.before = Some(key);
            return;
        }
        if !self.has_first {
            self.has_first = true;
            self.in_force(of);
        }
        for change in of
            .changes
            .iter()
            .filter(|of| of.change == ChangeKind::PolicyChanged)
        {
            let rule = change.name.clone().unwrap_or_default();
            self.changes.push(RuleChange {
                run: of.run,
                effect: effect(&rule, &change.before, &change.after),
                rule,
                before: change.before.clone(),
                after: change.after.clone(),
            });
        }
        let mut changed = |kind, what: String| {
            self.deviations.push(Deviation {
                run: of.at.entry.run.clone(),
                opened: Some((of.run.at, Some(of.run.entry))),
                what,
                ..Deviation::of(kind, &of.at.entry.run)
            });
        };
        if let (Some(before), Some(mapping)) = (mapping_before, &mapping)
            && before != *mapping
        {
            let what = format!("the hash of the mapping changed from {before} to {mapping}");
            changed(DeviationType::MappingChanged, what);
        }
        if let Some(before) = version_before.filter(|before| *before != version) {
            let shown = |(name, version, commit): &(String, String, String)| {
                format!("{name} {version} ({commit})")
            };
            let what = format!("from {} to {}", shown(&before), shown(&version));
            changed(DeviationType::VersionChanged, what);
        }
        let is_recomputed = u64::from(of.at.verified == RunVerified::Recomputed);
        match self.groups.last_mut() {
            Some(group) if group.key == key => {
                group.last = of.run;
                group.runs += 1;
                group.recomputed += is_recomputed;
            }
            _ => self.groups.push(Group {
                key,
                first: of.run,
                last: of.run,
                runs: 1,
                recomputed: is_recomputed,
            }),
        }
    }

    /// The rules of the first run of the period.
    fn in_force(&mut self, of: &RulesOfRun<'_>) {
        let rules = serde_json::to_value(&of.manifest.policy);
        let Ok(Value::Object(rules)) = rules else {
            return;
        };
        let schedule = of.manifest.schedule.as_ref();
        let rules = rules
            .into_iter()
            .map(|(rule, value)| (rule, text_of(&value)));
        let schedule = schedule.map(|schedule| ("schedule".to_owned(), schedule.to_string()));
        for (rule, after) in rules.chain(schedule) {
            self.changes.push(RuleChange {
                run: of.run,
                rule,
                before: String::new(),
                after,
                effect: Effect::InForce,
            });
        }
    }

    /// The tables `rules` and `tools`. `deadlines` are the items of the population with their deadlines.
    pub(super) fn tables(
        &self,
        deadlines: &[(String, Timestamp)],
        deviations: &mut Deviations,
    ) -> [Table; 2] {
        let mut rules = Table::new("rules", "Rules and their changes", RULES);
        for (place, of) in self.changes.iter().enumerate() {
            let is_loosened = of.effect == Effect::Loosened;
            let later = &self.changes[place + 1..];
            let until = later
                .iter()
                .find(|later| later.rule == of.rule)
                .map(|later| later.run.at);
            let was_due = |at: Timestamp| of.run.at <= at && until.is_none_or(|until| at < until);
            let due = deadlines
                .iter()
                .filter(|(_, at)| is_loosened && was_due(*at));
            let due: Vec<&str> = due.map(|(item, _)| item.as_str()).collect();
            rules.push([
                of.run.entry.to_string(),
                of.run.at.to_string(),
                of.rule.clone(),
                of.before.clone(),
                of.after.clone(),
                of.effect.to_string(),
                due.join(";"),
            ]);
            if is_loosened {
                let (rule, before, after) = (&of.rule, &of.before, &of.after);
                deviations.push(Deviation {
                    opened: Some((of.run.at, Some(of.run.entry))),
                    closed: until.and_then(|until| {
                        let change = later.iter().find(|of| of.run.at == until)?;
                        Some((until, Some(change.run.entry)))
                    }),
                    what: format!(
                        "{rule} changed from {before} to {after}; {} due under it: rules.csv lists them",
                        counted(due.len(), "item was", "items were")
                    ),
                    ..Deviation::of(DeviationType::RuleLoosened, rule)
                });
            }
        }
        for deviation in &self.deviations {
            deviations.push(deviation.clone());
        }
        let mut tools = Table::new("tools", "Program, mapping and key", TOOLS);
        for of in &self.groups {
            tools.push([
                of.first.entry.to_string(),
                of.first.at.to_string(),
                of.last.entry.to_string(),
                of.last.at.to_string(),
                of.runs.to_string(),
                of.recomputed.to_string(),
                of.key.tool.clone(),
                of.key.version.clone(),
                of.key.commit.clone(),
                cell(of.key.judgement),
                of.key.rules_sha256.clone(),
                of.key.mapping.clone(),
                of.key.key_sha256.clone(),
            ]);
        }
        [rules, tools]
    }
}

/// What a change of a rule does.
fn effect(rule: &str, before: &str, after: &str) -> Effect {
    let number = |text: &str| text.parse::<i64>().ok();
    // More seconds or percent ask for less; an unset limit asks for nothing.
    let by_limit = || match (number(before), number(after)) {
        (Some(before), Some(after)) if after > before => Effect::Loosened,
        (Some(before), Some(after)) if after < before => Effect::Tightened,
        (Some(_), None) => Effect::Loosened,
        (None, Some(_)) => Effect::Tightened,
        (Some(_), Some(_)) | (None, None) => Effect::Changed,
    };
    let by_words = |of: fn(&BTreeMap<String, String>) -> usize| match of(&pairs(after))
        .cmp(&of(&pairs(before)))
    {
        std::cmp::Ordering::Greater => Effect::Loosened,
        std::cmp::Ordering::Less => Effect::Tightened,
        std::cmp::Ordering::Equal => Effect::Changed,
    };
    match rule {
        "offboarding_grace_seconds"
        | "hr_feed_max_age_seconds"
        | "max_drop_percent"
        | "review_every_seconds"
        | "revocation_grace_seconds" => by_limit(),
        "hr_feed_allow_empty" => match (before, after) {
            (_, "true") => Effect::Loosened,
            (_, "false") => Effect::Tightened,
            _ => Effect::Changed,
        },
        "hr_feed_scope" => {
            // A narrower scope names fewer people.
            let rank = |scope: &str| match scope {
                "roster" => 2,
                "leavers" => 1,
                _ => 0,
            };
            match rank(after).cmp(&rank(before)) {
                std::cmp::Ordering::Less => Effect::Loosened,
                std::cmp::Ordering::Greater => Effect::Tightened,
                std::cmp::Ordering::Equal => Effect::Changed,
            }
        }
        // A word that no longer means "has left".
        "hr_feed_statuses" => {
            by_words(|words| words.values().filter(|meaning| *meaning != "left").count())
        }
        // A column that is deliberately unread.
        "hr_feed_columns" => by_words(|columns| {
            let ignored = columns
                .get("ignore")
                .map(String::as_str)
                .unwrap_or_default();
            ignored
                .split('+')
                .filter(|column| !column.is_empty())
                .count()
        }),
        "hr_feed_no_address" => match list(after).len().cmp(&list(before).len()) {
            std::cmp::Ordering::Greater => Effect::Loosened,
            std::cmp::Ordering::Less => Effect::Tightened,
            std::cmp::Ordering::Equal => Effect::Changed,
        },
        // Fewer domains match fewer accounts.
        "internal_domains" | "email_domain_aliases" => {
            match list(after).len().cmp(&list(before).len()) {
                std::cmp::Ordering::Less => Effect::Loosened,
                std::cmp::Ordering::Greater => Effect::Tightened,
                std::cmp::Ordering::Equal => Effect::Changed,
            }
        }
        "schedule" => by_schedule(before, after),
        _ => Effect::Changed,
    }
}

fn pairs(text: &str) -> BTreeMap<String, String> {
    serde_json::from_str(text).unwrap_or_default()
}

fn list(text: &str) -> Vec<String> {
    serde_json::from_str(text).unwrap_or_default()
}

/// Fewer runs in a year ask for less.
fn by_schedule(before: &str, after: &str) -> Effect {
    let runs = |text: &str| {
        let (cron, zone) = text.strip_suffix(')')?.rsplit_once(" (")?;
        let schedule = RunSchedule {
            cron: cron.to_owned(),
            zone: zone.to_owned(),
        };
        let schedule = schedule.parse().ok()?;
        let year = Timestamp::UNIX_EPOCH..=Timestamp::from_second(365 * 24 * 3600).ok()?;
        Some(schedule.between(*year.start(), *year.end()).len())
    };
    match (runs(before), runs(after)) {
        (Some(before), Some(after)) if after < before => Effect::Loosened,
        (Some(_), None) => Effect::Loosened,
        (Some(before), Some(after)) if after > before => Effect::Tightened,
        (None, Some(_)) => Effect::Tightened,
        (Some(_), Some(_)) | (None, None) => Effect::Changed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_that_asks_for_less_is_loosened() {
        let cases = [
            (
                "offboarding_grace_seconds",
                "86400",
                "172800",
                Effect::Loosened,
            ),
            (
                "offboarding_grace_seconds",
                "86400",
                "3600",
                Effect::Tightened,
            ),
            ("hr_feed_max_age_seconds", "172800", "", Effect::Loosened),
            ("review_every_seconds", "", "86400", Effect::Tightened),
            ("max_drop_percent", "30", "90", Effect::Loosened),
            ("hr_feed_allow_empty", "false", "true", Effect::Loosened),
            (
                "hr_feed_scope",
                "roster",
                "recent-leavers",
                Effect::Loosened,
            ),
            ("hr_feed_scope", "leavers", "roster", Effect::Tightened),
            (
                "hr_feed_statuses",
                "{}",
                r#"{"gone":"on_leave"}"#,
                Effect::Loosened,
            ),
            (
                "hr_feed_statuses",
                "{}",
                r#"{"gone":"left"}"#,
                Effect::Changed,
            ),
            (
                "hr_feed_columns",
                "{}",
                r#"{"ignore":"Last day"}"#,
                Effect::Loosened,
            ),
            ("hr_feed_no_address", "[]", r#"["keine"]"#, Effect::Loosened),
            (
                "internal_domains",
                r#"["a.example","b.example"]"#,
                r#"["a.example"]"#,
                Effect::Loosened,
            ),
            (
                "schedule",
                "30 0,23 * * * (Etc/UTC)",
                "30 23 * * * (Etc/UTC)",
                Effect::Loosened,
            ),
            ("schedule", "30 23 * * * (Etc/UTC)", "", Effect::Loosened),
            ("schedule", "", "30 23 * * * (Etc/UTC)", Effect::Tightened),
            ("hr_time_zone", "Etc/UTC", "Europe/Berlin", Effect::Changed),
        ];
        for (rule, before, after, expected) in cases {
            assert_eq!(
                effect(rule, before, after),
                expected,
                "{rule}: {before} to {after}"
            );
        }
    }
}
