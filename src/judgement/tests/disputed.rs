//! Where code and contract differ: each test states the contract (§5 of the design) and fails today. The first
//! ones end in a wrong pass. `model/skipped.rs` leaves these shapes out of the model's worlds.

use super::world::*;
use crate::judgement::{FindingKind, Judgement, Outcome, Verdict};
use crate::people::{FeedColumn, Meaning, Status, UnreadCell};

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";

fn left(id: &str) -> Row {
    row(id).ended().end(date(2026, 11, 2))
}

fn outcome_of(judged: &Judgement, id: &str) -> Outcome {
    let mut leavers = judged.leavers.iter();
    let leaver = leavers.find(|leaver| leaver.person_id.as_deref() == Some(id));
    leaver.expect("a leaver with this id").outcome
}

// ---- Wrong passes ----

/// identity.rs, `Finder::closest`: a row without a name agrees with anything, also when its person has a name.
#[test]
fn a_nameless_row_makes_no_two_names_of_one_id_one_person() {
    let judged = world()
        .account(ADA)
        .hr(left("E1").mail(ADA).name("Ada Diaz"))
        .hr(row("E1").mail(ADA).ended().end(date(2026, 11, 1)))
        .hr(row("E1")
            .mail(BOB)
            .name("Bob Roe")
            .active()
            .start(date(2026, 11, 5)))
        .judge();
    assert_eq!(outcome(&judged, ADA), Outcome::StillActive);
    assert_eq!(judged.verdict, Verdict::Fail);
}

/// identity.rs, `Finder::by_email`: only rows with the address are compared, not the names of their people.
#[test]
fn a_nameless_row_with_an_address_has_the_name_of_its_id() {
    let judged = world()
        .account(ADA)
        .hr(left("E1").mail(ADA))
        .hr(left("E1").name("Ada Diaz"))
        .hr(row("E2")
            .mail(ADA)
            .name("Bob Roe")
            .active()
            .start(date(2026, 11, 5)))
        .judge();
    assert_eq!(outcome_of(&judged, "E1"), Outcome::StillActive);
    assert_eq!(judged.verdict, Verdict::Fail);
}

/// ends.rs, `standing`: `began_before` is asked without `is_unclear_rehire`.
#[test]
fn overlapping_tenures_that_only_an_id_ties_are_not_evaluable() {
    let judged = world()
        .account(ADA)
        .account(BOB)
        .hr(left("E1").mail(ADA).start(date(2026, 9, 15)))
        .hr(row("E1").mail(BOB).active().start(date(2020, 1, 1)))
        .judge();
    assert_eq!(outcome_of(&judged, "E1"), Outcome::NotEvaluable);
}

/// ends.rs, `last_day`: a start that is after all ends of its row is ignored, and so is not compared with.
#[test]
fn an_ignored_start_hides_no_last_day() {
    let past = row("E1").mail(ADA).ended().last_day(date(2025, 5, 31));
    let odd = past.end(date(2026, 12, 24)).start(date(2027, 1, 4));
    let judged = world().account(ADA).hr(odd).judge();
    assert_eq!(outcome(&judged, ADA), Outcome::StillActive);

    let active = row("E1").mail(ADA).active().last_day(date(2026, 11, 2));
    let judged = world()
        .account(ADA)
        .hr(active.start(date(2026, 11, 5)))
        .judge();
    assert_eq!(outcome(&judged, ADA), Outcome::NotEvaluable);
}

/// ends.rs, `says`, status employed: only the last day is compared with 60 days, not the termination date.
#[test]
fn an_old_last_day_makes_no_recent_termination_date_old() {
    let judged = world()
        .account(ADA)
        .hr(row("E1")
            .mail(ADA)
            .active()
            .last_day(date(2025, 5, 31))
            .end(date(2026, 11, 21)))
        .judge();
    assert_eq!(outcome(&judged, ADA), Outcome::NotEvaluable);
}

/// matching.rs, `compare_with_owners`: an account that began later is excused whoever else has it. The contract
/// excuses it only for the same work address and unlike names.
#[test]
fn a_related_person_does_not_excuse_an_account_that_began_later() {
    let judged = world()
        .account(ADA)
        .set("ada", |account| {
            account.joined_at = Some(at("2026-11-23T08:00:00Z"))
        })
        .hr(left("E1").mail(ADA).name("Ada Roe"))
        .hr(row("E2")
            .mail(ADA)
            .name("Ada Diaz")
            .active()
            .start(date(2026, 11, 9)))
        .judge();
    assert_eq!(outcome_of(&judged, "E1"), Outcome::NotEvaluable);
}

/// The same function: the leaver's own further address.
#[test]
fn a_further_address_is_not_handed_on() {
    let judged = world()
        .account(BOB)
        .set("bob", |account| {
            account.joined_at = Some(at("2026-11-23T08:00:00Z"))
        })
        .hr(left("E1").other(BOB).name("Ada Roe"))
        .hr(row("E2").mail(BOB).name("Eve").active())
        .judge();
    assert_eq!(outcome_of(&judged, "E1"), Outcome::StillActive);
}

/// people.rs, `Person::is_employed`: a tenure that has not begun is `Working`, so its owner "works here".
#[test]
fn somebody_who_has_not_begun_excuses_no_account() {
    let judged = world()
        .account(ADA)
        .set("ada", |account| {
            account.joined_at = Some(at("2026-11-23T08:00:00Z"))
        })
        .hr(left("E1").mail(ADA).name("Ada Diaz"))
        .hr(row("E2")
            .mail(ADA)
            .name("Bob Roe")
            .active()
            .start(date(2027, 1, 4)))
        .judge();
    assert_eq!(outcome_of(&judged, "E1"), Outcome::StillActive);
}

/// outcomes.rs, `doubts`: `covers_account` compares the approver with the account alone.
#[test]
fn a_leaver_accepts_no_suspicion_about_themselves() {
    let suspected = world()
        .account_as("1", "nick@example.com")
        .set("1", |account| account.name = text("Ada Diaz"))
        .hr(left("E1").mail(ADA).name("Ada Diaz"));
    for approver in ["E1", ADA] {
        let judged = suspected
            .clone()
            .exception(|of| {
                of.account_id = text("1");
                of.approved_by = text(approver);
            })
            .judge();
        assert_eq!(outcome(&judged, ADA), Outcome::NotEvaluable, "{approver}");
    }
}

/// identity.rs, `Finder::is_employed`: a status of leaving with a date to come counts as gone already.
#[test]
fn an_address_passes_on_only_to_somebody_who_left_later() {
    let judged = world()
        .account(ADA)
        .hr(left("E1").mail(ADA).name("Ada Diaz"))
        .hr(row("E2")
            .mail(ADA)
            .name("Bob Roe")
            .ended()
            .end(date(2026, 12, 24)))
        .judge();
    assert_eq!(outcome_of(&judged, "E1"), Outcome::StillActive);
}

/// people.rs, `has_shared_id`: one id that is somebody else's too disables all ids of the person.
#[test]
fn an_id_of_two_people_disables_no_other_id() {
    let judged = world()
        .account_as("1", "nick@partner.example")
        .set("1", |account| account.external_id = text("E1"))
        .hr(left("E1").mail(ADA).name("Ada Diaz"))
        .hr(row("E2")
            .mail(ADA)
            .name("Ada Diaz")
            .ended()
            .end(date(2026, 10, 1)))
        .hr(row("E2").mail(BOB).name("Bob Roe").active())
        .judge();
    assert_eq!(outcome(&judged, ADA), Outcome::StillActive);
}

/// identity.rs, `Finder::is_transfer`: the latest start of the other is compared, not the first.
#[test]
fn a_new_tenure_of_a_colleague_is_no_transfer() {
    let judged = world()
        .account(ADA)
        .hr(left("E1").mail(ADA).name("Ada Roe"))
        .hr(row("E2")
            .mail(ADA)
            .name("Ada Diaz")
            .ended()
            .start(date(2020, 1, 1))
            .end(date(2026, 11, 1)))
        .hr(row("E2")
            .mail(ADA)
            .name("Ada Diaz")
            .active()
            .start(date(2026, 11, 2)))
        .judge();
    assert_eq!(outcome_of(&judged, "E1"), Outcome::NotEvaluable);
}

/// columns.rs, `mark`: who will leave works here today, and counts among the people who are employed.
#[test]
fn a_column_is_mostly_blank_among_everybody_who_works_here() {
    let column = FeedColumn {
        name: "Exit".to_owned(),
        meaning: Meaning::Unread,
    };
    let mut dated = row("E1").mail(ADA).active();
    dated.0.unread = vec![UnreadCell {
        column: 0,
        date: Some(at("2026-11-03T00:00:00Z")),
        emails: Vec::new(),
    }];
    let judged = world()
        .change(|inputs| inputs.hr.origin.columns = vec![column])
        .account(ADA)
        .hr(dated)
        .hr(row("E2").active().end(date(2026, 12, 24)))
        .hr(row("E3").active().end(date(2026, 12, 24)))
        .judge();
    assert_eq!(outcome_of(&judged, "E1"), Outcome::NotEvaluable);
}

/// directives.rs, `covers_person`: the approver is compared with what HR gives, not with the accounts in question.
#[test]
fn the_address_of_an_account_accepts_no_doubt_about_its_person() {
    let judged = world()
        .account_as("1", ADA)
        .set("1", |account| account.external_id = text("E1"))
        .status("1", Status::Unknown(None))
        .hr(left("E1").name("Ada Diaz"))
        .exception(|of| {
            of.person_id = text("E1");
            of.approved_by = text(ADA);
        })
        .judge();
    assert_eq!(outcome_of(&judged, "E1"), Outcome::NotEvaluable);
}

/// identity.rs, `Finder::by_decision`: nobody compares the approver with the two people.
#[test]
fn nobody_approves_that_they_are_somebody_who_works_here() {
    let judged = world()
        .account(ADA)
        .hr(left("E1").mail(ADA))
        .hr(row("E2").mail(BOB).active().start(date(2026, 11, 5)))
        .alias(|alias| {
            alias.person_id = text("E1=E2");
            alias.relation = text("same_person");
            alias.approved_by = text(ADA);
        })
        .judge();
    assert_eq!(outcome_of(&judged, "E1"), Outcome::StillActive);
    assert_eq!(judged.verdict, Verdict::Fail);
}

// ---- Wrong findings ----

/// identity.rs, `Finder::is_employed`: the status alone decides, so that garden leave counts as working here.
#[test]
fn an_address_of_somebody_in_garden_leave_is_not_shared() {
    let garden = row("E1").mail(ADA).name("Ada Diaz").active();
    let judged = world()
        .account(ADA)
        .hr(garden.last_day(date(2026, 11, 2)).end(date(2026, 12, 24)))
        .hr(row("E2")
            .mail(ADA)
            .name("Bob Roe")
            .active()
            .start(date(2026, 11, 5)))
        .judge();
    assert_eq!(outcome_of(&judged, "E1"), Outcome::StillActive);
}

/// findings.rs, `offboarded_access`: accounts that are a doubt are listed as found.
#[test]
fn an_account_in_doubt_is_no_finding_beside_one_that_is_none() {
    let judged = world()
        .account(ADA)
        .account(BOB)
        .hr(left("E1").mail(ADA).other(BOB).name("Ada Roe"))
        .hr(row("E2").mail(ADA).name("Ada Diaz").active())
        .judge();
    let found = judged
        .findings
        .iter()
        .filter(|of| of.kind == FindingKind::OffboardedAccess);
    let found: Vec<_> = found.filter_map(|of| of.account_id.as_deref()).collect();
    assert_eq!(found, ["bob"]);
}

/// ends.rs, `last_day`: the day before the start passes for a day of the tenure, since it closes as the start
/// opens.
#[test]
fn a_last_day_before_the_start_is_none() {
    let judged = world()
        .account(ADA)
        .status("ada", Status::Active)
        .hr(row("E1")
            .mail(ADA)
            .ended()
            .start(date(2026, 11, 3))
            .last_day(date(2026, 11, 2))
            .end(date(2026, 12, 24)))
        .judge();
    assert_eq!(outcome(&judged, ADA), Outcome::Upcoming);
}
