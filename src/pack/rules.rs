//! Changes of rules, program and sources: each rule with its values, and one row for each group of equal runs.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use super::deviations::{Deviation, Deviations};
use super::effect::{GRACE, effect};
use super::items::RunAt;
use super::period::{LedgerEntry, Period, Phase};
use super::runs::rules_sha256;
use super::sources::Sources;
use super::table::{cell, count, instant, text};
use super::{Column, DeviationType, Effect, RunVerified, Table};
use crate::evidence::{Manifest, Tool};
use crate::judgement::{Change, ChangeKind};
use crate::model::{Mapping, counted};

#[derive(Clone, Debug)]
struct RuleChange {
    run: RunAt,
    /// Whether the run is later than the period.
    is_after: bool,
    rule: String,
    before: String,
    after: String,
    effect: Effect,
}

/// What must be equal in all runs of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
struct GroupKey {
    tool: Tool,
    judgement: u32,
    rules_sha256: String,
    /// Blank if the mapping was not reported.
    mapping: String,
    sources: Sources,
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

/// What the newest run that could be read had. A run that could not be read hides no change.
#[derive(Clone, Debug)]
struct Newest {
    rules: BTreeMap<String, String>,
    key: GroupKey,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    changes: Vec<RuleChange>,
    groups: Vec<Group>,
    newest: Option<Newest>,
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
    text("hr_feed"),
    text("hr_columns"),
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

/// An item with a deadline.
#[derive(Clone, Copy, Debug)]
pub(super) struct DueItem<'a> {
    pub(super) item_id: &'a str,
    pub(super) deadline: Timestamp,
    /// The run that fixed the deadline.
    pub(super) rule_run: Option<Timestamp>,
    /// If it is in time: the first complete run without access.
    pub(super) in_time_at: Option<Timestamp>,
}

impl DueItem<'_> {
    /// Whether it is in time only because the grace is longer by this many seconds.
    fn needs(&self, longer: i64) -> bool {
        let deadline = self.deadline.as_second() - longer;
        self.in_time_at.is_some_and(|at| at.as_second() > deadline)
    }
}

/// A rule, and its values before and after.
type ChangedRule = (String, String, String);

/// The rules of a run: its policy and its schedule.
fn rules_of(manifest: &Manifest) -> BTreeMap<String, String> {
    let policy = serde_json::to_value(&manifest.policy);
    let fields = match policy {
        Ok(Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    let rules = fields
        .into_iter()
        .map(|(rule, value)| (rule, text_of(&value)));
    let schedule = manifest.schedule.as_ref();
    let schedule = schedule.map(|schedule| ("schedule".to_owned(), schedule.to_string()));
    rules.chain(schedule).collect()
}

/// Every rule with another value. A rule that is unset has a blank value.
fn changed_rules(
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
) -> Vec<ChangedRule> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let value = |of: &BTreeMap<String, String>, name: &String| cell(of.get(name));
    let rules = names.into_iter();
    rules
        .map(|name| (name.clone(), value(before, name), value(after, name)))
        .filter(|(_, before, after)| before != after)
        .collect()
}

fn shown(value: &str) -> &str {
    match value {
        "" => "unset",
        value => value,
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

impl GroupKey {
    fn of(of: &RulesOfRun<'_>, before: Option<&Self>) -> Self {
        let sources = Sources::of(of.manifest, of.mapping);
        Self {
            tool: of.manifest.tool.clone(),
            judgement: of.judgement,
            rules_sha256: cell(rules_sha256(of.manifest)),
            mapping: match of.mapping {
                Mapping::Reported { sha256 } => sha256.clone(),
                Mapping::NotReported { .. } => String::new(),
            },
            sources: match before {
                Some(before) => sources.or_before(&before.sources),
                None => sources,
            },
            key_sha256: of.at.entry.key_sha256.clone(),
        }
    }
}

impl Rules {
    pub(super) fn take(&mut self, period: &Period, of: &RulesOfRun<'_>) {
        let phase = period.phase(of.run.at);
        let before = self.newest.take();
        let rules = rules_of(of.manifest);
        let key = GroupKey::of(of, before.as_ref().map(|before| &before.key));
        if phase == Phase::Within {
            self.within(of, before.as_ref(), &rules, &key);
        } else if let (Phase::After, Some(before)) = (phase, &before) {
            // An item of the period can be due under a rule that was loosened after it.
            let mut changes = changed_rules(&before.rules, &rules);
            changes.retain(|(rule, before, after)| effect(rule, before, after) == Effect::Loosened);
            self.add(of.run, true, changes);
        }
        self.newest = Some(Newest { rules, key });
    }

    fn within(
        &mut self,
        of: &RulesOfRun<'_>,
        before: Option<&Newest>,
        rules: &BTreeMap<String, String>,
        key: &GroupKey,
    ) {
        if self.groups.is_empty() {
            self.in_force(of.run, rules);
        }
        // Before the first run, no rule was in force.
        if let Some(before) = before {
            self.add(of.run, false, changed_rules(&before.rules, rules));
        }
        // The files of aliases and exceptions, by their hashes, are no rules of the manifest.
        let files = of.changes.iter().filter(|of| {
            let is_rule = |name: &String| {
                rules.contains_key(name)
                    || before.is_some_and(|before| before.rules.contains_key(name))
            };
            of.change == ChangeKind::PolicyChanged && !of.name.as_ref().is_some_and(is_rule)
        });
        let files = files.map(|of| (cell(of.name.as_ref()), of.before.clone(), of.after.clone()));
        self.add(of.run, false, files.collect());
        if let Some(Newest { key: before, .. }) = before {
            let mut changed = |kind, what: String| {
                self.deviations.push(Deviation {
                    run: of.at.entry.run.clone(),
                    opened: Some((of.run.at, Some(of.run.entry))),
                    what,
                    ..Deviation::of(kind, &of.at.entry.run)
                });
            };
            let sources = key.sources.changes_since(&before.sources);
            if !sources.is_empty() {
                changed(DeviationType::MappingChanged, sources.join("; "));
            }
            if before.tool != key.tool {
                let shown = |of: &Tool| format!("{} {} ({})", of.name, of.version, of.commit);
                let what = format!("from {} to {}", shown(&before.tool), shown(&key.tool));
                changed(DeviationType::VersionChanged, what);
            }
        }
        let is_recomputed = u64::from(of.at.verified == RunVerified::Recomputed);
        match self.groups.last_mut() {
            Some(group) if group.key == *key => {
                group.last = of.run;
                group.runs += 1;
                group.recomputed += is_recomputed;
            }
            _ => self.groups.push(Group {
                key: key.clone(),
                first: of.run,
                last: of.run,
                runs: 1,
                recomputed: is_recomputed,
            }),
        }
    }

    fn add(&mut self, run: RunAt, is_after: bool, changes: Vec<ChangedRule>) {
        for (rule, before, after) in changes {
            self.changes.push(RuleChange {
                run,
                is_after,
                effect: effect(&rule, &before, &after),
                rule,
                before,
                after,
            });
        }
    }

    /// The rules of the first run of the period.
    fn in_force(&mut self, run: RunAt, rules: &BTreeMap<String, String>) {
        for (rule, after) in rules {
            self.changes.push(RuleChange {
                run,
                is_after: false,
                rule: rule.clone(),
                before: String::new(),
                after: after.clone(),
                effect: Effect::InForce,
            });
        }
    }

    /// The tables `rules` and `tools`. `items` are those of the population that have a deadline.
    pub(super) fn tables(&self, items: &[DueItem<'_>], deviations: &mut Deviations) -> [Table; 2] {
        let mut rules = Table::new("rules", "Rules and their changes", RULES);
        for (place, of) in self.changes.iter().enumerate() {
            let is_loosened = of.effect == Effect::Loosened;
            let later = &self.changes[place + 1..];
            let until = later.iter().find(|later| later.rule == of.rule);
            let until = until.map(|later| later.run);
            let is_in_force =
                |at: Timestamp| of.run.at <= at && until.is_none_or(|until| at < until.at);
            // The grace is that of the run that fixed the deadline. Other rules act until the deadline.
            let is_grace = of.rule == GRACE;
            let due = items.iter().filter(|item| {
                let fixed = item.rule_run.filter(|_| is_grace);
                is_loosened && is_in_force(fixed.unwrap_or(item.deadline))
            });
            // Against the shortest grace up to here: a grace may be loosened step by step.
            let earlier = self.changes[..=place].iter().filter(|of| of.rule == GRACE);
            let earlier = earlier.filter_map(|of| of.before.parse::<i64>().ok());
            let after = of.after.parse::<i64>().ok().filter(|_| is_grace);
            let longer = earlier
                .min()
                .zip(after)
                .map(|(before, after)| after - before);
            let needs = |item: &&DueItem<'_>| longer.is_some_and(|longer| item.needs(longer));
            let in_time_by_it = due
                .clone()
                .filter(needs)
                .map(|item| item.item_id.to_owned());
            let in_time_by_it: Vec<String> = in_time_by_it.collect();
            let due: Vec<&str> = due.map(|item| item.item_id).collect();
            if of.is_after && due.is_empty() {
                continue;
            }
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
                    closed: until.map(|until| (until.at, Some(until.entry))),
                    how_closed: cell(until.map(|_| "rule_changed")),
                    what: format!(
                        "{rule} changed from {before} to {after}; {} due under it: rules.csv lists them{}",
                        counted(due.len(), "item was", "items were"),
                        match in_time_by_it.len() {
                            0 => String::new(),
                            count => format!(
                                "; {} not in time under the earlier grace",
                                counted(count, "of them is", "of them are")
                            ),
                        },
                        before = shown(before),
                        after = shown(after),
                    ),
                    item_ids: in_time_by_it,
                    ..Deviation::of(DeviationType::RuleLoosened, rule)
                });
            }
        }
        for deviation in &self.deviations {
            deviations.push(deviation.clone());
        }
        let mut tools = Table::new("tools", "Program, sources and key", TOOLS);
        for of in &self.groups {
            tools.push([
                of.first.entry.to_string(),
                of.first.at.to_string(),
                of.last.entry.to_string(),
                of.last.at.to_string(),
                of.runs.to_string(),
                of.recomputed.to_string(),
                of.key.tool.name.clone(),
                of.key.tool.version.clone(),
                of.key.tool.commit.clone(),
                of.key.judgement.to_string(),
                of.key.rules_sha256.clone(),
                of.key.mapping.clone(),
                of.key.sources.hr_feed.clone(),
                of.key.sources.hr_columns(),
                of.key.key_sha256.clone(),
            ]);
        }
        [rules, tools]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grace_of_record_decides_who_was_due_under_a_loosened_grace() {
        let at = |day: &str| -> Timestamp {
            format!("2026-09-{day}T22:00:00Z")
                .parse()
                .expect("an instant")
        };
        let mut rules = Rules::default();
        let grace = |before: &str, after: &str| {
            vec![(GRACE.to_owned(), before.to_owned(), after.to_owned())]
        };
        let run = |entry, day| RunAt { entry, at: at(day) };
        rules.add(run(1, "07"), false, grace("86400", "259200"));
        rules.add(run(2, "15"), false, grace("259200", "86400"));
        let item = |item_id, rule_run: &str, deadline: &str| DueItem {
            item_id,
            deadline: at(deadline),
            rule_run: Some(at(rule_run)),
            in_time_at: Some(at("16")),
        };
        let items = [
            item("before", "06", "08"),
            // Its deadline is later than the end of the loosened rule.
            item("within", "14", "17"),
            item("later", "16", "17"),
        ];
        let mut deviations = Deviations::default();
        let [table, _] = rules.tables(&items, &mut deviations);
        let due: Vec<&str> = table.cells("due_items").collect();
        assert_eq!(due, ["within", ""]);
    }
}
