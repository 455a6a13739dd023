//! Which nights there should have been.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{FaultKind, Verified};
use crate::schedule::Schedule;

/// How often a review was to run.
#[derive(Clone, Debug)]
pub enum Rhythm {
    /// Once in such a time.
    Interval(Duration),
    /// At the instants of a schedule.
    Schedule(Schedule),
}

/// A clock that is behind starts a run a little before its time.
const EARLY: SignedDuration = SignedDuration::from_mins(5);

/// A run may start late: a cluster that was down catches up, and a run that failed is tried again. But
/// what comes later than this was not started by the schedule.
const LATE: SignedDuration = SignedDuration::from_hours(12);

/// So many missing nights are told one by one, then how many more there are.
const TOLD: usize = 1000;

/// Nights that are missing, of those that a rhythm promises: between the first and the last there is, and
/// on to `until`. Every night that left an entry is there, also one that could not be judged.
pub(super) fn check(
    nights: &[(Timestamp, u64)],
    rhythm: Option<&Rhythm>,
    until: Option<Timestamp>,
    folder: &str,
    verified: &mut Verified,
) {
    match rhythm {
        None => {}
        Some(Rhythm::Interval(every)) => silences(nights, *every, until, folder, verified),
        Some(Rhythm::Schedule(schedule)) => {
            let instants: Vec<Timestamp> = nights.iter().map(|(at, _)| *at).collect();
            let missing = missing(schedule, &instants, until);
            for at in missing.iter().take(TOLD) {
                let place = format!("{folder}, scheduled at {at}");
                let local = schedule.zone().to_datetime(*at);
                let zone = schedule.zone().iana_name().unwrap_or_default();
                let text = format!(
                    "no review began at {} {zone}, or up to half of the way to the next",
                    local.strftime("%Y-%m-%d %H:%M")
                );
                verified.fault(FaultKind::MissingNight, place, text);
            }
            if missing.len() > TOLD {
                let text = format!("{} more nights are missing", missing.len() - TOLD);
                verified.fault(FaultKind::MissingNight, folder, text);
            }
        }
    }
}

/// Silences of more than half as long again as the interval that was promised.
fn silences(
    nights: &[(Timestamp, u64)],
    every: Duration,
    until: Option<Timestamp>,
    folder: &str,
    verified: &mut Verified,
) {
    let Some(every) = SignedDuration::try_from(every)
        .ok()
        .filter(|every| every.is_positive())
    else {
        return;
    };
    let missing = |earlier: Timestamp, later: Timestamp| {
        let silence = later.duration_since(earlier);
        let is_long = silence > every + every / 2;
        is_long.then(|| (silence.as_secs() + every.as_secs() / 2) / every.as_secs() - 1)
    };
    for pair in nights.windows(2) {
        let (earlier, later) = (pair[0].0, pair[1].0);
        if let Some(count) = missing(earlier, later) {
            let place = format!(
                "{folder}, between ledger entries {} and {}",
                pair[0].1, pair[1].1
            );
            let text = format!("{count} night(s) between {earlier} and {later} left nothing");
            verified.fault(FaultKind::MissingNight, place, text);
        }
    }
    if let (Some((last, sequence)), Some(until)) = (nights.last(), until)
        && let Some(count) = missing(*last, until)
    {
        let place = format!("{folder}, after ledger entry {sequence}");
        let text = format!("{count} night(s) between {last} and {until} left nothing");
        verified.fault(FaultKind::MissingNight, place, text);
    }
}

/// The scheduled instants, from the first night to the last and on to `until`, at which no night began:
/// from a little before to half of the way to the next, at most [`LATE`].
fn missing(schedule: &Schedule, nights: &[Timestamp], until: Option<Timestamp>) -> Vec<Timestamp> {
    let (Some(first), Some(last)) = (nights.first(), nights.last()) else {
        return Vec::new();
    };
    let end = until.map_or(*last, |until| until.max(*last));
    // One beyond the end says how late the last may be.
    let beyond = end.saturating_add(SignedDuration::from_hours(24 * 32));
    let scheduled = schedule.between(*first, beyond.unwrap_or(end));
    let gap = |place: usize| {
        let pair = (scheduled.get(place), scheduled.get(place + 1));
        let (Some(one), Some(next)) = pair else {
            return LATE * 2;
        };
        next.duration_since(*one)
    };
    let mut nights = nights.iter().peekable();
    let mut missing = Vec::new();
    for (place, at) in scheduled.iter().enumerate() {
        let before = place.checked_sub(1).map_or(EARLY * 2, gap);
        let from = at.saturating_sub(EARLY.min(before / 2)).unwrap_or(*at);
        let latest = at.saturating_add(LATE.min(gap(place) / 2)).unwrap_or(*at);
        // After the last night, one that may still begin is not missing yet.
        if at > last && latest > end {
            break;
        }
        while nights.next_if(|night| **night < from).is_some() {}
        if nights.peek().is_none_or(|night| **night >= latest) {
            missing.push(*at);
        }
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::Pattern;

    fn schedule(pattern: &str, zone: &str) -> Schedule {
        let pattern = Pattern::parse(pattern).expect("a schedule");
        pattern.in_zone(zone).expect("a zone")
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    fn missing(schedule: &Schedule, nights: &[&str]) -> Vec<String> {
        let nights: Vec<Timestamp> = nights.iter().map(|night| at(night)).collect();
        let missing = super::missing(schedule, &nights, None);
        missing.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_night_that_ran_is_there_however_the_clocks_were_set() {
        for zone in [
            "Europe/Berlin",
            "America/New_York",
            "Africa/Cairo",
            "Australia/Lord_Howe",
            "Etc/UTC",
        ] {
            for pattern in ["40 23 * * *", "30 0 * * *", "30 2 * * *", "15 1 * * 1-5"] {
                let schedule = schedule(pattern, zone);
                let all = schedule.between(at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z"));
                assert!(all.len() > 250, "{zone} {pattern}: {}", all.len());
                for late in [-4, 0, 1, 50, 6 * 60] {
                    let late = SignedDuration::from_mins(late);
                    let mut ran: Vec<Timestamp> = all.iter().map(|at| *at + late).collect();
                    assert_eq!(
                        super::missing(&schedule, &ran, None),
                        [],
                        "{zone} {pattern} {late}"
                    );
                    let gone = ran.remove(100);
                    assert_eq!(
                        super::missing(&schedule, &ran, None),
                        [gone - late],
                        "{zone} {pattern}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_run_counts_for_the_night_it_is_late_for_and_for_no_other() {
        let nightly = schedule("40 23 * * *", "Etc/UTC");
        let first = "2026-11-20T23:40:02Z";
        let last = "2026-11-23T23:40:02Z";
        let gone = ["2026-11-21T23:40:00Z", "2026-11-22T23:40:00Z"];
        assert_eq!(missing(&nightly, &[first, last]), gone);
        // One by hand in the afternoon is none of them, one in the morning is late.
        let by_hand = "2026-11-22T15:00:00Z";
        assert_eq!(missing(&nightly, &[first, by_hand, last]), gone);
        let late = "2026-11-22T09:00:00Z";
        assert_eq!(missing(&nightly, &[first, late, last]), gone[1..]);
        // Before the first night and after the last nothing was promised.
        assert_eq!(missing(&nightly, &[first]), [""; 0]);
        assert_eq!(missing(&nightly, &[]), [""; 0]);
        // Two runs in one night are no second night.
        let again = "2026-11-21T01:00:00Z";
        assert_eq!(missing(&nightly, &[first, again, last]), gone);
        // A week's run that comes two days late was not started by the schedule.
        let weekly = schedule("0 4 * * 1", "Etc/UTC");
        let nights = [
            "2026-11-02T04:00:00Z",
            "2026-11-11T04:00:00Z",
            "2026-11-16T04:00:00Z",
        ];
        assert_eq!(missing(&weekly, &nights), ["2026-11-09T04:00:00Z"]);
    }

    #[test]
    fn a_schedule_goes_on_after_the_last_night_up_to_where_it_is_asked_for() {
        let nightly = schedule("40 23 * * *", "Etc/UTC");
        let nights = [at("2026-11-01T23:40:02Z"), at("2026-11-02T23:40:02Z")];
        let missing = |until: &str| {
            let missing = super::missing(&nightly, &nights, Some(at(until)));
            missing.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(missing("2026-10-01T00:00:00Z"), [""; 0]);
        // The night of the third may still begin, up to noon of the fourth.
        assert_eq!(missing("2026-11-04T11:39:59Z"), [""; 0]);
        assert_eq!(missing("2026-11-04T11:40:00Z"), ["2026-11-03T23:40:00Z"]);
        assert_eq!(missing("2026-11-06T00:00:00Z").len(), 2);
    }

    #[test]
    fn a_silence_goes_on_after_the_last_night_up_to_where_it_is_asked_for() {
        let nights = [
            (at("2026-11-01T23:40:02Z"), 1),
            (at("2026-11-02T23:40:02Z"), 2),
        ];
        let every = Rhythm::Interval(Duration::from_secs(24 * 3600));
        let faults = |until: Option<&str>| {
            let mut verified = Verified::default();
            let until = until.map(at);
            check(&nights, Some(&every), until, "c", &mut verified);
            verified.faults
        };
        assert_eq!(faults(None), []);
        assert_eq!(faults(Some("2026-11-04T11:00:00Z")), []);
        let missing = faults(Some("2026-11-05T23:00:00Z"));
        assert_eq!(missing.len(), 1);
        assert_eq!(missing[0].place, "c, after ledger entry 2");
        assert!(
            missing[0].text.starts_with("2 night(s)"),
            "{}",
            missing[0].text
        );
    }
}
