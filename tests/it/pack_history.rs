//! What an audit pack keeps when HR, rules, exceptions and aliases change afterwards, and from one pack to the next.

use std::fs;

use crate::report::{EXCEPTIONS, Pack, gid, pack_of_month};
use crate::support::job::Job;
use crate::support::review;
use asana_access_review::cli::arguments::{CloseArguments, DecisionArguments, OpenArguments};
use asana_access_review::commands::review as command;
use asana_access_review::model::EmailAddress;
use tempfile::TempDir;
use truto_simulator::{Person, World};

/// A row that keeps the feed from being empty.
const OLD: &str = "N99,Old One,old@example.com,Terminated,2025-01-31\n";

/// Enough accounts that one removal does not fail the drop checks.
fn world(without: &[usize], admins: &[usize]) -> World {
    let numbers = (1..=20).chain(101..=140);
    let numbers = numbers.filter(|number| !without.contains(number));
    numbers.fold(World::new(), |world, number| {
        let email = format!("person{number}@example.com");
        let person = Person::member(gid(number), format!("Person {number}"), &email);
        world.person(match number == 1 || admins.contains(&number) {
            true => person.admin(),
            false => person,
        })
    })
}

/// Runs on days of a month, and a pack of any month.
struct Story {
    job: Job,
    folder: TempDir,
}

impl Story {
    fn new() -> Self {
        let job = Job::new(world(&[], &[]), OLD)
            .env("RUN_SCHEDULE", "40 22 * * *")
            .env("RUN_SCHEDULE_ZONE", "Etc/UTC")
            .env("EXCEPTIONS_URL", "exceptions.csv");
        let folder = tempfile::tempdir().expect("a folder");
        let story = Self { job, folder };
        story.exceptions("");
        story
    }

    fn set(mut self, name: &str, value: &str) -> Self {
        self.job = self.job.env(name, value);
        self
    }

    fn exceptions(&self, lines: &str) {
        let path = self.job.folder.path().join("exceptions.csv");
        fs::write(path, format!("{EXCEPTIONS}{lines}")).expect("exceptions");
    }

    /// HR gives person 2 this end of work; `None`: no row.
    fn hr(&self, end: Option<&str>) {
        let row = end.map(|end| format!("N2,Person 2,person2@example.com,Terminated,{end}\n"));
        self.job
            .hr_feed(&format!("{OLD}{}", row.unwrap_or_default()));
    }

    fn run(&self, month: u8, days: &[u8], world: impl Fn() -> World) {
        for day in days {
            let at = format!("2026-{month:02}-{day:02}T22:40:00Z");
            self.job.run_at(&at, world());
        }
    }

    /// Runs in which person 2 has access, and runs in which the account is gone.
    fn with(&self, month: u8, days: &[u8]) {
        self.run(month, days, || world(&[], &[]));
    }

    fn without(&self, month: u8, days: &[u8]) {
        self.run(month, days, || world(&[2], &[]));
    }

    fn pack(&self, month: u8) -> Pack {
        let made = fs::read_dir(self.folder.path()).expect("packs").count();
        let out = self.folder.path().join(made.to_string());
        pack_of_month(&self.job, month, &out)
    }

    /// Opens and closes a review in which one person decides each row.
    fn open_review(&self, at: &str, name: &str, due: &str) {
        let asked = OpenArguments {
            name: name.to_owned(),
            due: due.parse().expect("a day"),
            reason_for: Vec::new(),
            ..OpenArguments::default()
        };
        review::at(&self.job, at, async |settings, moment, clock| {
            command::open(settings, &asked, moment, clock).await
        });
    }

    fn close_review(&self, at: &str, revoked: usize) {
        let rows = review::filled(&self.job, |number, row| {
            let decision = match number == revoked {
                true => "revoke",
                false => "keep",
            };
            row[review::DECISION] = decision.to_owned();
            row[review::DECIDED_BY] = "boss@example.net".to_owned();
            row[review::NOTE] = "as was agreed".to_owned();
        });
        let decisions = review::saved(&self.job, "decisions.csv", &rows, b',');
        let asked = CloseArguments {
            of: DecisionArguments {
                decisions: vec![decisions],
                accept_reviewer: EmailAddress::parse("boss@example.net")
                    .into_iter()
                    .collect(),
                ..DecisionArguments::default()
            },
            ..CloseArguments::default()
        };
        review::at(&self.job, at, async |settings, moment, clock| {
            command::close(settings, &asked, moment, clock).await
        });
    }
}

fn exception(on: &str, until: &str) -> String {
    format!(",N2,,,hands over open projects,ciso@example.com,{on},{until},SEC-1\n")
}

#[test]
fn a_date_that_comes_late_takes_no_item_out_of_its_period() {
    let story = Story::new();
    story.with(10, &[1]);
    story.hr(Some(""));
    story.with(10, &[5, 6, 7, 31]);
    story.hr(Some("2026-12-20"));
    story.with(11, &[5, 30]);
    let (october, november) = (story.pack(10), story.pack(11));
    assert_eq!(october.item(2)["part"], "in_period");
    assert_eq!(october.deviations("access_after_deadline").len(), 1);
    assert_eq!(november.item(2)["part"], "carried_in");
}

#[test]
fn a_later_time_zone_of_hr_moves_no_period() {
    let story = Story::new().set("HR_TIME_ZONE", "Europe/Berlin");
    story.with(10, &[30, 31]);
    let story = story.set("HR_TIME_ZONE", "America/Los_Angeles");
    story.with(11, &[2]);
    let zone = |month: u8| story.pack(month).json()["cover"]["zone"].clone();
    assert_eq!(zone(10), "Europe/Berlin");
    assert_eq!(zone(11), "America/Los_Angeles");
}

#[test]
fn an_end_moved_before_and_after_its_deadline_is_carried_into_the_next_pack() {
    let story = Story::new();
    story.hr(Some("2026-12-20"));
    story.with(10, &[3]);
    story.hr(Some("2026-10-10"));
    story.with(10, &[5, 10, 12]);
    story.hr(Some("2026-11-14"));
    story.with(10, &[13, 31]);
    story.with(11, &[1, 30]);
    let item = story.pack(11).item(2);
    assert_eq!(item["part"], "carried_in");
    assert_eq!(item["result"], "late");
}

#[test]
fn the_same_event_has_the_same_deviation_in_adjacent_packs() {
    let story = Story::new();
    story.hr(Some("2026-10-10"));
    story.with(10, &[9, 10, 12, 20, 31]);
    story.with(11, &[1]);
    story.without(11, &[2]);
    let of = |month: u8| {
        let rows = story.pack(month).deviations("removal_late");
        (
            rows[0]["deviation_id"].clone(),
            rows[0]["opened_at"].clone(),
        )
    };
    assert_eq!(of(10), of(11));
    assert_eq!(of(11).1, "2026-10-12T22:40:00Z");
}

#[test]
fn access_after_a_conclusion_counts_without_a_row_and_under_an_exception() {
    let story = Story::new();
    story.hr(Some("2026-10-10"));
    story.with(10, &[10]);
    story.without(10, &[11]);
    // A leavers feed drops its row, so that no run can judge the access.
    story.hr(None);
    story.without(10, &[12]);
    story.with(10, &[13, 14]);
    let pack = story.pack(10);
    assert_eq!(
        pack.deviations("access_after_conclusion").len(),
        1,
        "{:?}",
        pack.rows("population")
    );
    assert_eq!(pack.json()["totals"]["items"]["still_with_access"], 1);

    // An exception from before the deadline accepts it, and hides nothing.
    let story = Story::new();
    story.hr(Some("2026-10-10"));
    story.exceptions(&exception("2026-10-09", "2026-12-01"));
    story.with(10, &[9, 10]);
    story.without(10, &[11]);
    story.with(10, &[20, 21]);
    let pack = story.pack(10);
    let again: Vec<_> = pack
        .rows("population")
        .into_iter()
        .filter(|row| row["result"] == "access_after_conclusion")
        .collect();
    assert_eq!(again.len(), 1);
    assert!(!again[0]["exception"].is_empty(), "{again:?}");
    assert_eq!(pack.deviations("access_after_conclusion").len(), 0);
    assert_eq!(pack.json()["totals"]["items"]["still_with_access"], 1);
}

#[test]
fn a_reviewer_whose_end_is_moved_afterwards_stays_ineligible() {
    let story = Story::new();
    story.with(10, &[1]);
    story.open_review("2026-10-02T09:00:00Z", "Q4", "2026-10-15");
    story.close_review("2026-10-05T09:00:00Z", 0);
    for (end, days) in [("2026-10-02", [5, 6]), ("2026-10-06", [8, 9])] {
        let row = format!("E8,Boss,boss@example.net,Terminated,{end}\n");
        story.job.hr_feed(&format!("{OLD}{row}"));
        story.with(10, &days);
    }
    assert!(!story.pack(10).deviations("reviewer_ineligible").is_empty());
}

#[test]
fn a_decision_about_the_account_of_a_leaver_names_the_item() {
    let story = Story::new();
    story.hr(Some("2026-10-01"));
    story.with(10, &[1]);
    story.open_review("2026-10-02T09:00:00Z", "Q4", "2026-10-15");
    story.close_review("2026-10-03T09:00:00Z", 0);
    story.with(10, &[3]);
    // A member in the review becomes an administrator after it.
    story.run(10, &[4], || world(&[], &[3]));
    let pack = story.pack(10);
    let decisions = pack.rows("decisions");
    let named = decisions.iter().filter(|row| !row["item_id"].is_empty());
    let named: Vec<(&str, &str)> = named
        .map(|row| (row["account_id"].as_str(), row["item_id"].as_str()))
        .collect();
    let (id, item) = (gid(2), pack.item(2));
    assert_eq!(named, [(id.as_str(), item["item_id"].as_str())]);
    let admins = pack.rows("admins");
    let term = |number: usize| {
        let id = gid(number);
        let mut terms = admins.iter().filter(|row| row["account_id"] == id);
        let row = terms.next().expect("a term");
        (row["how_began"].as_str(), row["review_decision"].as_str())
    };
    assert_eq!(term(1), ("first_seen", "keep"));
    assert_eq!(term(3), ("role_changed", ""));
}

#[test]
fn a_longer_grace_for_revocations_hides_no_late_one() {
    let story = Story::new().set("REVOCATION_GRACE", "24h");
    story.with(10, &[1]);
    story.open_review("2026-10-02T09:00:00Z", "Q4", "2026-10-15");
    story.close_review("2026-10-03T09:00:00Z", 3);
    story.with(10, &[3]);
    let story = story.set("REVOCATION_GRACE", "720h");
    story.with(10, &[4, 5, 12]);
    story.run(10, &[13], || world(&[2, 3], &[]));
    let pack = story.pack(10);
    let late = pack.deviations("revocation_late");
    assert_eq!(late.len(), 1);
    assert_eq!(late[0]["opened_at"], "2026-10-04T09:00:00Z");
    assert_eq!(late[0]["closed_at"], "2026-10-13T22:40:00Z");
}

#[test]
fn an_overdue_review_is_not_hidden_by_an_earlier_one() {
    let story = Story::new().set("REVIEW_EVERY", "5d");
    story.with(10, &[1, 8]);
    story.open_review("2026-10-09T09:00:00Z", "Q4", "2026-10-12");
    story.close_review("2026-10-09T12:00:00Z", 0);
    story.with(10, &[9]);
    story.open_review("2026-10-11T09:00:00Z", "Q4b", "2026-10-15");
    story.with(10, &[11, 13]);
    let pack = story.pack(10);
    let overdue = pack.deviations("review_overdue");
    let opened: Vec<&str> = overdue
        .iter()
        .map(|row| row["opened_at"].as_str())
        .collect();
    assert!(opened.contains(&"2026-10-16T00:00:00Z"), "{opened:?}");
}

#[test]
fn a_grace_loosened_step_by_step_is_compared_with_the_shortest() {
    let story = Story::new();
    story.hr(Some("2026-10-13"));
    story.with(10, &[11, 12]);
    let story = story.set("OFFBOARDING_GRACE", "47h");
    story.job.run_at("2026-10-13T12:00:00Z", world(&[], &[]));
    let story = story.set("OFFBOARDING_GRACE", "48h");
    story.with(10, &[14]);
    story.job.run_at("2026-10-15T16:00:00Z", world(&[2], &[]));
    let item = story.pack(10).item(2);
    assert_eq!(item["result"], "in_time");
    assert!(
        item["flags"].contains("in_time_by_loosened_grace"),
        "{item:?}"
    );
}

#[test]
fn an_administrator_at_the_end_stays_one_whatever_account_follows() {
    let story = Story::new().set("ALIASES_URL", "aliases.csv");
    let alias = format!(
        "email,account_id,person_id,relation,owner,reason,approved_by,expires_on\n,{},N2,same,,second account,ciso@example.com,\n",
        gid(500)
    );
    let path = story.job.folder.path().join("aliases.csv");
    fs::write(&path, alias.lines().next().expect("a header")).expect("aliases");
    story.hr(Some("2026-10-10"));
    story.run(10, &[10], || world(&[], &[2]));
    fs::write(&path, &alias).expect("aliases");
    let second = Person::member(gid(500), "P Alt".to_owned(), "alt@other.example");
    let world_of_two = world(&[], &[]).person(second);
    story.job.run_at("2026-10-11T12:00:00Z", world_of_two);
    story.without(10, &[11]);
    let pack = story.pack(10);
    let item = pack.item(2);
    assert!(item["role_at_end"].contains("admin"), "{item:?}");
    let ids = pack.text("population-ids.txt");
    let line = ids.lines().find(|line| line.starts_with(&item["item_id"]));
    assert!(
        line.is_some_and(|line| line.ends_with("all_admins")),
        "{ids}"
    );
}

#[test]
fn an_exception_for_people_without_an_address_counts_from_its_first_run() {
    let story = Story::new();
    let row = "N50,Fred Foe,,Terminated,2026-10-10\n";
    story.job.hr_feed(&format!("{OLD}{row}"));
    story.with(10, &[9, 10, 12, 13]);
    story.exceptions(
        ",,,leavers_without_address,they have no mailbox,ciso@example.com,2026-10-14,2026-12-31,\n",
    );
    story.with(10, &[14, 15]);
    let item = story.pack(10).item(50);
    assert_eq!(item["result"], "not_evaluable");
    assert!(
        item["flags"].contains("exception_after_the_fact"),
        "{item:?}"
    );
}
