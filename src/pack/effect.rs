//! What a change of one rule does.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, civil};

use super::Effect;
use crate::schedule::RunSchedule;

pub(super) const GRACE: &str = "offboarding_grace_seconds";

/// What a change of a rule does. An unset rule has a blank value.
pub(super) fn effect(rule: &str, before: &str, after: &str) -> Effect {
    match rule {
        GRACE
        | "hr_feed_max_age_seconds"
        | "max_drop_percent"
        | "review_every_seconds"
        | "revocation_grace_seconds" => by_order(limit(before), limit(after)),
        "hr_feed_allow_empty" => by_order(before == "true", after == "true"),
        // A narrower scope names fewer people.
        "hr_feed_scope" => {
            let rank = |scope: &str| match scope {
                "roster" => 0,
                "leavers" => 1,
                _ => 2,
            };
            by_order(rank(before), rank(after))
        }
        // A word that does not mean "has left".
        "hr_feed_statuses" => {
            let weak = |text: &str| {
                let words = pairs(text).into_iter();
                let words = words.filter(|(_, meaning)| meaning != "left");
                words.map(|(word, _)| word).collect()
            };
            by_weak(&weak(before), &weak(after))
        }
        "hr_feed_columns" => by_columns(&pairs(before), &pairs(after)),
        "hr_feed_no_address" => by_weak(&list(before), &list(after)),
        // Without a setting, the feed decides which lists are read, and a setting may leave one out.
        "hr_feed_records" if list(before).is_empty() => Effect::Loosened,
        // Fewer lists have fewer people, and fewer domains match fewer accounts.
        "hr_feed_records" | "internal_domains" | "email_domain_aliases" => {
            by_weak(&list(after), &list(before))
        }
        // Narrow permissions show neither roles nor states.
        "asana_permissions" => by_order(before != "full", after != "full"),
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

/// An unset limit asks for nothing.
fn limit(text: &str) -> i64 {
    text.parse().unwrap_or(i64::MAX)
}

/// A greater value asks for less.
fn by_order<T: Ord>(before: T, after: T) -> Effect {
    match after.cmp(&before) {
        Ordering::Greater => Effect::Loosened,
        Ordering::Less => Effect::Tightened,
        Ordering::Equal => Effect::Changed,
    }
}

/// An added value that weakens the rule loosens it, even if another value is removed.
fn by_weak(before: &BTreeSet<String>, after: &BTreeSet<String>) -> Effect {
    if !after.is_subset(before) {
        Effect::Loosened
    } else if before == after {
        Effect::Changed
    } else {
        Effect::Tightened
    }
}

/// A rule with several parts is loosened if one part is.
fn strongest(effects: impl IntoIterator<Item = Effect>) -> Effect {
    let effects: Vec<Effect> = effects.into_iter().collect();
    let order = [Effect::Loosened, Effect::Tightened];
    let strongest = order.into_iter().find(|of| effects.contains(of));
    strongest.unwrap_or(Effect::Changed)
}

/// The values of each key that has another value, before and after.
fn changed_keys<'a>(
    before: &'a BTreeMap<String, String>,
    after: &'a BTreeMap<String, String>,
) -> impl Iterator<Item = (&'a str, Option<&'a String>, Option<&'a String>)> {
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let values = keys
        .into_iter()
        .map(|key| (key.as_str(), before.get(key), after.get(key)));
    values.filter(|(_, before, after)| before != after)
}

/// The setting does not show which dates and addresses its columns have. So it is loosened if another column decides, or
/// if a column that was read because of its name or the setting may no longer be read.
fn by_columns(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Effect {
    let columns = |names: Option<&String>| -> BTreeSet<String> {
        let names = names.into_iter().flat_map(|names| names.split('+'));
        names.map(|name| name.trim().to_owned()).collect()
    };
    strongest(changed_keys(before, after).map(|(key, before, after)| {
        let (before, after) = (columns(before), columns(after));
        match key {
            // These keys keep a column from being read as something that decides.
            "ignore" | "department" | "title" => by_weak(&before, &after),
            // Each column that the setting named is still read.
            "name" | "other_email" | "status" if !before.is_empty() && before.is_subset(&after) => {
                Effect::Changed
            }
            _ => Effect::Loosened,
        }
    }))
}

/// A place that only one value names has an unknown zone in the other, which may be further west.
fn by_place(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Effect {
    strongest(changed_keys(before, after).map(|(_, before, after)| {
        let zones = before.zip(after);
        zones.map_or(Effect::Loosened, |(before, after)| by_zone(before, after))
    }))
}

/// A day ends later in a zone further west, and so does the deadline.
fn by_zone(before: &str, after: &str) -> Effect {
    // A winter and a summer.
    let offsets = |name: &str| {
        let zone = TimeZone::get(name).ok()?;
        let offset = |second| {
            let at = Timestamp::from_second(second).ok()?;
            Some(Reverse(zone.to_offset(at).seconds()))
        };
        Some([offset(1_768_435_200)?, offset(1_784_073_600)?])
    };
    let (Some(before), Some(after)) = (offsets(before), offsets(after)) else {
        return Effect::Changed;
    };
    let offsets = before.into_iter().zip(after);
    strongest(offsets.map(|(before, after)| by_order(before, after)))
}

/// Fewer runs ask for less, and so does a longer gap between two runs.
fn by_schedule(before: &str, after: &str) -> Effect {
    let none = (0, SignedDuration::MAX);
    let (runs_before, gap_before) = runs(before).unwrap_or(none);
    let (runs_after, gap_after) = runs(after).unwrap_or(none);
    strongest([
        by_order(Reverse(runs_before), Reverse(runs_after)),
        by_order(gap_before, gap_after),
    ])
}

/// The number of runs, and the longest gap between two, in 28 years. In these, every date has every weekday equally often,
/// and every leap day too, so no result depends on the day of the change.
///
/// The gap is measured by the local clock. So a clock change makes a gap longer only if it skips a run.
fn runs(schedule: &str) -> Option<(usize, SignedDuration)> {
    let (cron, zone) = schedule.strip_suffix(')')?.rsplit_once(" (")?;
    let schedule = RunSchedule {
        cron: cron.to_owned(),
        zone: zone.to_owned(),
    };
    let schedule = schedule.parse().ok()?;
    let zone = schedule.zone();
    let new_year = |year| {
        zone.to_timestamp(civil::date(year, 1, 1).at(0, 0, 0, 0))
            .ok()
    };
    let (mut runs, mut gap, mut last) = (0, SignedDuration::ZERO, None);
    for year in 2026..2026 + 28 {
        let until = new_year(year + 1)? - SignedDuration::from_secs(1);
        for at in schedule.between(new_year(year)?, until) {
            let at = zone.to_datetime(at);
            if let Some(last) = last.replace(at) {
                gap = gap.max(at.duration_since(last));
            }
            runs += 1;
        }
    }
    Some((runs, gap))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each line has a rule, its values before and after, and the effect.
    fn assert_effects(cases: &str) {
        for case in cases.trim().lines() {
            let cells: Vec<&str> = case.split('|').map(str::trim).collect();
            let [rule, before, after, expected] = cells[..] else {
                panic!("{case}");
            };
            assert_eq!(effect(rule, before, after).as_str(), expected, "{case}");
        }
    }

    #[test]
    fn a_change_that_asks_for_less_is_loosened() {
        assert_effects(
            r#"
            offboarding_grace_seconds | 86400 | 172800 | loosened
            offboarding_grace_seconds | 86400 | 3600 | tightened
            hr_feed_max_age_seconds | 172800 | | loosened
            review_every_seconds | | 86400 | tightened
            max_drop_percent | 30 | 90 | loosened
            hr_feed_allow_empty | false | true | loosened
            hr_feed_allow_empty | true | false | tightened
            hr_feed_scope | roster | recent-leavers | loosened
            hr_feed_scope | leavers | roster | tightened
            hr_feed_statuses | {} | {"gone":"on_leave"} | loosened
            hr_feed_statuses | {} | {"gone":"left"} | changed
            hr_feed_statuses | {"gone":"left","away":"on_leave"} | {"gone":"on_leave","away":"left"} | loosened
            hr_feed_no_address | [] | ["keine"] | loosened
            internal_domains | ["a.example","b.example"] | ["a.example"] | loosened
            internal_domains | ["a.example","b.example"] | ["a.example","c.example"] | loosened
            asana_permissions | full | narrow | loosened
            asana_permissions | narrow | full | tightened
            hr_feed_date_order | dmy | mdy | changed
            "#,
        );
    }

    #[test]
    fn a_list_of_people_that_may_be_unread_is_loosened() {
        assert_effects(
            r#"
            hr_feed_records | ["employees","contractors"] | ["employees"] | loosened
            hr_feed_records | ["employees"] | ["employees","contractors"] | tightened
            hr_feed_records | | ["employees"] | loosened
            hr_feed_records | ["employees"] | | loosened
            "#,
        );
    }

    #[test]
    fn a_day_that_may_end_later_is_loosened() {
        assert_effects(
            r#"
            hr_time_zone | Etc/UTC | Europe/Berlin | tightened
            hr_time_zone | Europe/Berlin | America/Los_Angeles | loosened
            hr_time_zone | Europe/Berlin | Europe/Paris | changed
            hr_location_zones | {"berlin":"Europe/Berlin"} | {"berlin":"Pacific/Honolulu"} | loosened
            hr_location_zones | {"berlin":"Pacific/Honolulu","oslo":"Europe/Oslo"} | {"berlin":"Europe/Berlin","oslo":"America/New_York"} | loosened
            hr_location_zones | {"berlin":"Etc/UTC"} | {"berlin":"Europe/Berlin"} | tightened
            hr_location_zones | {} | {"berlin":"Europe/Berlin"} | loosened
            hr_location_zones | {"berlin":"Europe/Berlin"} | {} | loosened
            "#,
        );
    }

    #[test]
    fn a_column_that_may_hide_a_leaver_is_loosened() {
        assert_effects(
            r#"
            hr_feed_columns | {"last_day":"Last day"} | {"last_day":"Payroll end"} | loosened
            hr_feed_columns | {"end":"Left","last_day":"Last day"} | {"end":"Last day","last_day":"Left"} | loosened
            hr_feed_columns | {"end":"Left"} | {"last_day":"Left"} | loosened
            hr_feed_columns | {} | {"end":"Payroll end"} | loosened
            hr_feed_columns | {"end":"Left"} | {} | loosened
            hr_feed_columns | {"email":"Work mail"} | {"email":"Private mail"} | loosened
            hr_feed_columns | {"email":"Mail"} | {"email":"Mail+Alias"} | loosened
            hr_feed_columns | {"other_email":"Mail+Alias"} | {"other_email":"Mail"} | loosened
            hr_feed_columns | {"other_email":"Mail"} | {"other_email":"Mail + Alias"} | changed
            hr_feed_columns | {} | {"other_email":"Alias"} | loosened
            hr_feed_columns | {"status":"State"} | {"status":"Badge"} | loosened
            hr_feed_columns | {"status":"State"} | {"status":"State+Detail"} | changed
            hr_feed_columns | {"start":"Hired"} | {"start":"Contract"} | loosened
            hr_feed_columns | {"person_id":"Id"} | {"person_id":"Company+Id"} | loosened
            hr_feed_columns | {"name":"First"} | {"name":"First+Last"} | changed
            hr_feed_columns | {"location":"Site"} | {"location":"City"} | loosened
            hr_feed_columns | {"zone":"Zone"} | {} | loosened
            hr_feed_columns | {} | {"ignore":"Last day"} | loosened
            hr_feed_columns | {"ignore":"A+B"} | {"ignore":"B+A"} | changed
            hr_feed_columns | {"ignore":"A+B"} | {"ignore":"A"} | tightened
            hr_feed_columns | {"ignore":"A"} | {} | tightened
            hr_feed_columns | {} | {"title":"Last day"} | loosened
            hr_feed_columns | {"ignore":"A","end":"Left"} | {"end":"Payroll end"} | loosened
            "#,
        );
    }

    #[test]
    fn a_schedule_with_fewer_runs_or_a_longer_gap_is_loosened() {
        assert_effects(
            "
            schedule | 30 23 * * * (Etc/UTC) | | loosened
            schedule | | 30 23 * * * (Etc/UTC) | tightened
            schedule | 30 0,23 * * * (Etc/UTC) | 30 23 * * * (Etc/UTC) | loosened
            schedule | 0 0 * * 1,2,3 (Etc/UTC) | 0 0 * * 1,3 (Etc/UTC) | loosened
            schedule | 0 0 * * 1,3 (Etc/UTC) | 0 0 * * 1,2,3 (Etc/UTC) | tightened
            schedule | 0 0 * * * (Etc/UTC) | */10 * * 1 * (Etc/UTC) | loosened
            schedule | 0 0 * * 1,4 (Etc/UTC) | 0 0 * * 1,2 (Etc/UTC) | loosened
            schedule | 0 0 1,15 * * (Etc/UTC) | 0 0 1,2 * * (Etc/UTC) | loosened
            schedule | 0 0 1 3 * (Etc/UTC) | 0 0 29 2 * (Etc/UTC) | loosened
            schedule | 0 0 29 2 * (Etc/UTC) | 0 0 1 3 * (Etc/UTC) | tightened
            ",
        );
    }

    #[test]
    fn a_schedule_at_another_time_or_in_another_zone_is_changed() {
        assert_effects(
            "
            schedule | 30 23 * * * (Etc/UTC) | 30 11 * * * (Etc/UTC) | changed
            schedule | 0 0 * * 1 (Etc/UTC) | 0 0 * * 2 (Etc/UTC) | changed
            schedule | 0 0 1 * * (Etc/UTC) | 0 0 15 * * (Etc/UTC) | changed
            schedule | 30 23 * * * (Etc/UTC) | 30 23 * * * (Europe/Berlin) | changed
            schedule | 30 23 * * * (Europe/Berlin) | 30 23 * * * (Pacific/Kiritimati) | changed
            schedule | 30 3 * * * (Europe/Berlin) | 30 2 * * * (Europe/Berlin) | loosened
            ",
        );
    }
}
