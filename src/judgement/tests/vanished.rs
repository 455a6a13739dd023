//! Leavers whom the feed names no more: followed, so that deleting a row hides nobody.

use super::world::*;
use crate::judgement::{ChangeKind, CheckId, CheckStatus, Outcome, Verdict};

const ADA: &str = "ada@example.com";

fn left() -> World {
    world().account(ADA).leaver(ADA, date(2026, 11, 2)).next()
}

#[test]
fn a_vanished_leaver_is_not_dropped_by_an_incomplete_run() {
    let night = left().no_rows().without("ada").cut();
    assert_eq!(outcome(&night.judge(), ADA), Outcome::NotEvaluable);
    let night = night.next();
    assert_eq!(outcome(&night.judge(), ADA), Outcome::Removed);
}

#[test]
fn a_vanished_upcoming_leaver_leaves_on_the_day() {
    let night = world()
        .account(ADA)
        .leaver(ADA, date(2026, 11, 24))
        .next()
        .no_rows();
    assert_eq!(outcome(&night.judge(), ADA), Outcome::Upcoming);
    assert_eq!(outcome(&night.nights(3).judge(), ADA), Outcome::StillActive);
}

#[test]
fn a_vanished_leaver_without_a_date_still_counts_from_first_sight() {
    let night = world()
        .account(ADA)
        .hr(row("E1").mail(ADA).ended())
        .next()
        .no_rows()
        .nights(2);
    assert_eq!(outcome(&night.judge(), ADA), Outcome::StillActive);
}

#[test]
fn an_unusable_feed_vanishes_nobody_and_is_inconclusive() {
    let removed = left().without("ada");
    let night = removed.unusable();
    for night in [night.clone(), night.nights(3)] {
        let judged = night.judge();
        assert_eq!(outcome(&judged, ADA), Outcome::Removed);
        assert!(leaver(&judged, ADA).in_feed);
        assert_eq!(judged.verdict, Verdict::Inconclusive);
        assert!(
            judged
                .changes
                .iter()
                .all(|change| change.change != ChangeKind::LeaverVanished)
        );
        assert_eq!(status(&judged, CheckId::HrRowsAccounted), CheckStatus::Fail);
        assert_eq!(status(&judged, CheckId::HrNotEmpty), CheckStatus::Fail);
    }
}

#[test]
fn an_unusable_feed_still_lets_access_be_found() {
    let judged = left().unusable().judge();
    assert_eq!(outcome(&judged, ADA), Outcome::StillActive);
    assert_eq!(judged.verdict, Verdict::Fail);
}

#[test]
fn somebody_whose_row_was_rejected_is_followed_and_has_not_vanished() {
    for (id, email) in [(Some("E-ada"), None), (None, Some(" ADA@example.com"))] {
        let night = left().no_rows().rejected(id, email);
        let judged = night.judge();
        assert_eq!(outcome(&judged, ADA), Outcome::StillActive);
        assert!(leaver(&judged, ADA).in_feed);
        assert!(judged.changes.is_empty());
    }
}

#[test]
fn a_rescinded_leaver_is_dropped_with_the_row() {
    let judged = left()
        .no_rows()
        .hr(row("E-ada").mail(ADA).active())
        .next()
        .no_rows()
        .judge();
    assert!(judged.leavers.is_empty());
    assert_eq!(changes(&judged), ["leaver_vanished E-ada: rescinded -> "]);
}
