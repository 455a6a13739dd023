//! What a change of one rule does.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Effect;
use crate::schedule::RunSchedule;

pub(super) const GRACE: &str = "offboarding_grace_seconds";

/// What a change of a rule does.
pub(super) fn effect(rule: &str, before: &str, after: &str) -> Effect {
    let number = |text: &str| text.parse::<i64>().ok();
    // More seconds or percent ask for less; an unset limit asks for nothing.
    let by_limit = || match (number(before), number(after)) {
        (Some(before), Some(after)) if after > before => Effect::Loosened,
        (Some(before), Some(after)) if after < before => Effect::Tightened,
        (Some(_), None) => Effect::Loosened,
        (None, Some(_)) => Effect::Tightened,
        (Some(_), Some(_)) | (None, None) => Effect::Changed,
    };
    // One more of what weakens the rule loosens it, even if another is removed.
    let by_weak = |before: BTreeSet<String>, after: BTreeSet<String>| {
        if !after.is_subset(&before) {
            Effect::Loosened
        } else if before == after {
            Effect::Changed
        } else {
            Effect::Tightened
        }
    };
    match rule {
        GRACE
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
        // A word that does not mean "has left".
        "hr_feed_statuses" => {
            let weak = |text: &str| {
                let words = pairs(text).into_iter();
                let words = words.filter(|(_, meaning)| meaning != "left");
                words.map(|(word, _)| word).collect()
            };
            by_weak(weak(before), weak(after))
        }
        // A column that is deliberately unread.
        "hr_feed_columns" => {
            let weak = |text: &str| {
                let columns = pairs(text);
                let ignored = columns.get("ignore").map(String::as_str);
                let ignored = ignored.unwrap_or_default().split('+');
                let ignored = ignored.filter(|column| !column.is_empty());
                ignored.map(str::to_owned).collect()
            };
            by_weak(weak(before), weak(after))
        }
        "hr_feed_no_address" => by_weak(list(before), list(after)),
        "hr_feed_records" => by_records(&list(before), &list(after)),
        // Fewer domains match fewer accounts.
        "internal_domains" | "email_domain_aliases" => by_weak(list(after), list(before)),
        // Narrow permissions show neither roles nor states.
        "asana_permissions" => match (before, after) {
            ("full", _) => Effect::Loosened,
            (_, "full") => Effect::Tightened,
            _ => Effect::Changed,
        },
        "hr_time_zone" => by_zone(before, after),
        "hr_location_zones" => by_place(&pairs(before), &pairs(after)),
        "schedule" => by_schedule(before, after),
        _ => Effect::Changed,
    }
}

fn pairs(text: &str) -> BTreeMap<String, String> {
    serde_json::from_str(text).unwrap_or_default()
}

fn list(text: &str) -> BTreeSet<String> {
    serde_json::from_str(text).unwrap_or_default()
}

/// A list that is no longer read hides its people. Without a setting, the feed decides which list is read, so a setting
/// that comes or goes may leave one unread.
fn by_records(before: &BTreeSet<String>, after: &BTreeSet<String>) -> Effect {
    if before == after {
        Effect::Changed
    } else if before.is_empty() || !before.is_subset(after) {
        Effect::Loosened
    } else {
        Effect::Tightened
    }
}

/// A place whose day ends later loosens the rule, whatever the other places do. A place that only one value names has an
/// unknown zone in the other, which may be further west.
fn by_place(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Effect {
    let places: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed = places
        .into_iter()
        .map(|place| (before.get(place), after.get(place)));
    let changed = changed.filter(|(before, after)| before != after);
    let effects: Vec<Effect> = changed
        .map(|(before, after)| match before.zip(after) {
            Some((before, after)) => by_zone(before, after),
            None => Effect::Loosened,
        })
        .collect();
    let strongest = [Effect::Loosened, Effect::Tightened];
    let strongest = strongest.into_iter().find(|of| effects.contains(of));
    strongest.unwrap_or(Effect::Changed)
}

/// A day ends later in a zone further west, and so does the deadline.
fn by_zone(before: &str, after: &str) -> Effect {
    // A winter and a summer.
    let offsets = |name: &str| {
        let zone = TimeZone::get(name).ok()?;
        let offset = |second| {
            let at = Timestamp::from_second(second).ok()?;
            Some(zone.to_offset(at).seconds())
        };
        Some([offset(1_768_435_200)?, offset(1_784_073_600)?])
    };
    let (Some(before), Some(after)) = (offsets(before), offsets(after)) else {
        return Effect::Changed;
    };
    let differences = [after[0] - before[0], after[1] - before[1]];
    if differences.iter().any(|seconds| *seconds < 0) {
        Effect::Loosened
    } else if differences.iter().any(|seconds| *seconds > 0) {
        Effect::Tightened
    } else {
        Effect::Changed
    }
}

/// Fewer runs in a year ask for less, and so does a longer gap between two runs, however many there are.
fn by_schedule(before: &str, after: &str) -> Effect {
    // The number of runs, and the longest time without one in seconds.
    let runs = |text: &str| {
        let (cron, zone) = text.strip_suffix(')')?.rsplit_once(" (")?;
        let schedule = RunSchedule {
            cron: cron.to_owned(),
            zone: zone.to_owned(),
        };
        let schedule = schedule.parse().ok()?;
        let (from, to) = (
            Timestamp::UNIX_EPOCH,
            Timestamp::from_second(365 * 24 * 3600).ok()?,
        );
        let due = schedule.between(from, to);
        let ends = std::iter::once(from).chain(due.iter().copied());
        let ends: Vec<i64> = ends.chain([to]).map(Timestamp::as_second).collect();
        let gap = ends.windows(2).map(|pair| pair[1] - pair[0]).max()?;
        Some((due.len(), gap))
    };
    match (runs(before), runs(after)) {
        (Some((before, gap_before)), Some((after, gap_after))) => {
            if after < before || gap_after > gap_before {
                Effect::Loosened
            } else if after > before || gap_after < gap_before {
                Effect::Tightened
            } else {
                Effect::Changed
            }
        }
        (Some(_), None) => Effect::Loosened,
        (None, Some(_)) => Effect::Tightened,
        (None, None) => Effect::Changed,
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
            // As many as before, but not the same.
            (
                "internal_domains",
                r#"["a.example","b.example"]"#,
                r#"["a.example","c.example"]"#,
                Effect::Loosened,
            ),
            (
                "hr_feed_statuses",
                r#"{"gone":"left","away":"on_leave"}"#,
                r#"{"gone":"on_leave","away":"left"}"#,
                Effect::Loosened,
            ),
            ("asana_permissions", "full", "narrow", Effect::Loosened),
            ("asana_permissions", "narrow", "full", Effect::Tightened),
            (
                "hr_time_zone",
                "Etc/UTC",
                "Europe/Berlin",
                Effect::Tightened,
            ),
            (
                "hr_time_zone",
                "Europe/Berlin",
                "America/Los_Angeles",
                Effect::Loosened,
            ),
            (
                "hr_time_zone",
                "Europe/Berlin",
                "Europe/Paris",
                Effect::Changed,
            ),
            // A list of people that is no longer read.
            (
                "hr_feed_records",
                r#"["employees","contractors"]"#,
                r#"["employees"]"#,
                Effect::Loosened,
            ),
            (
                "hr_feed_records",
                r#"["employees"]"#,
                r#"["employees","contractors"]"#,
                Effect::Tightened,
            ),
            ("hr_feed_records", "", r#"["employees"]"#, Effect::Loosened),
            ("hr_feed_records", r#"["employees"]"#, "", Effect::Loosened),
            (
                "hr_location_zones",
                r#"{"berlin":"Europe/Berlin"}"#,
                r#"{"berlin":"Pacific/Honolulu"}"#,
                Effect::Loosened,
            ),
            (
                "hr_location_zones",
                r#"{"berlin":"Pacific/Honolulu","oslo":"Europe/Oslo"}"#,
                r#"{"berlin":"Europe/Berlin","oslo":"America/New_York"}"#,
                Effect::Loosened,
            ),
            (
                "hr_location_zones",
                r#"{"berlin":"Etc/UTC"}"#,
                r#"{"berlin":"Europe/Berlin"}"#,
                Effect::Tightened,
            ),
            (
                "hr_location_zones",
                "{}",
                r#"{"berlin":"Europe/Berlin"}"#,
                Effect::Loosened,
            ),
            (
                "hr_location_zones",
                r#"{"berlin":"Europe/Berlin"}"#,
                "{}",
                Effect::Loosened,
            ),
            // More runs in a year, and none in eleven months of it.
            (
                "schedule",
                "0 0 * * * (Etc/UTC)",
                "*/10 * * 1 * (Etc/UTC)",
                Effect::Loosened,
            ),
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
