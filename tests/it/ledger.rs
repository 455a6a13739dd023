//! The ledger under everything that may happen to it: kills, races, lost answers, tampering.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::support::company::{
    Company, Place, Run, Tampering, below, built_on, ensure_clean, ensure_fault, ensure_intact,
    entry, entry_name, instant, kill_at_put, ledger_check, rewritten, run_file, sha256,
};
use crate::support::job::LEFT_AND_ACTIVE;
use crate::support::s3::{Action, Fault, Rule, S3Server};
use asana_access_review::cli::exit::Exit;
use asana_access_review::clock::Clock;
use asana_access_review::evidence::{Entry, EntryKind};
use asana_access_review::judgement::{CheckId, CheckStatus, Outcome, Verdict};
use asana_access_review::ledger::{self, Ledger};
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use truto_simulator::{CONNECTION_ID, World};

// ---- What is written ----

#[tokio::test]
async fn the_first_entry_links_to_64_zeros_and_each_next_to_the_one_before() {
    let company = Company::new();
    for place in Place::both() {
        let store = place.store().await;
        let first = company.quiet_run(&store, 1).await;
        assert_eq!(ledger_check(&first).status, CheckStatus::Warn);
        let one = place.objects();
        assert_eq!(entry(&one, 1).previous_sha256, "0".repeat(64));
        assert_eq!(
            first.committed.head_sha256,
            sha256(&one[&entry_name(1)]),
            "the committed head is the hash of the entry"
        );
        for snapshot in 2..=3 {
            ensure_clean(&company.quiet_run(&store, snapshot).await);
        }
        let three = place.objects();
        assert_eq!(ensure_intact(&three).len(), 3);
        assert_eq!(built_on(&three, 1), (None, None));
        assert_eq!(built_on(&three, 3), (Some(2), Some(2)));
        for (name, bytes) in one {
            assert_eq!(three[&name], bytes, "{name} was replaced");
        }
    }
}

#[tokio::test]
async fn the_entry_is_written_last_after_data_report_manifest_and_sums() {
    let company = Company::new();
    let place = Place::bucket();
    let (store, server) = (place.store().await, place.server());
    company.quiet_run(&store, 1).await;
    company.quiet_run(&store, 2).await;

    let actions = server.actions();
    // The second run's requests follow those of the first.
    let wrote_first = actions
        .iter()
        .position(|action| action.method == "PUT" && action.key == entry_name(1))
        .expect("entry 1");
    let steps: Vec<u8> = actions[wrote_first + 1..]
        .iter()
        .map(|action| match action.key.rsplit('/').next() {
            _ if action.method == "GET" => 0,
            _ if action.key.contains("/ledger/") => 5,
            Some("SHA256SUMS") => 4,
            Some("manifest.json") => 3,
            Some("report.html") => 2,
            _ => 1,
        })
        .collect();
    assert!(steps.is_sorted(), "{steps:?}");
    assert_eq!(&steps[steps.len() - 5..], [1, 2, 3, 4, 5]);
    assert_eq!(server.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn an_entry_records_the_end_of_the_retention() {
    let company = Company::new();
    let place = Place::folder();
    let store = place.store().await;
    company.set_world(World::generated(12), instant(1));
    let kept = |days| Run {
        retention_days: days,
        ..Run::at(instant(1))
    };
    company.run(&store, kept("400")).await.expect("a run");
    company
        .run(
            &store,
            Run {
                suffix: "other1",
                ..kept("")
            },
        )
        .await
        .expect("a run");
    let objects = place.objects();
    let until = instant(1) + SignedDuration::from_hours(24 * 400);
    assert_eq!(entry(&objects, 1).retain_until, Some(until));
    assert_eq!(entry(&objects, 2).retain_until, None);
}

// ---- Kills, races, lost answers ----

#[tokio::test]
async fn a_run_killed_after_any_store_request_leaves_an_intact_ledger() {
    let company = Company::new();
    let template = Place::folder();
    company.quiet_run(&template.store().await, 1).await;
    let place = Place::bucket();
    for (name, bytes) in template.objects() {
        place.put(&name, &bytes);
    }
    let (store, server) = (place.store().await, place.server());
    let killed_run = format!("run={}", instant(2).strftime("%Y%m%dT%H%M%SZ"));
    let mut killed = 0;
    for answered in 0.. {
        // From the next request on, the store does not answer. The test stops the run while it
        // waits.
        company.set_world(World::generated(12), instant(2));
        let before = server.actions().len();
        let silence = Fault::Slow(Duration::from_secs(3600));
        server.inject(Rule::on("", "", silence).nth(answered + 1).always());
        let suffix = format!("kill{answered}");
        let run = Run {
            suffix: &suffix,
            ..Run::at(instant(2))
        };
        let is_over = tokio::select! {
            done = company.run(&store, run) => {
                done.map_err(|failed| failed.error.chain()).expect("a run");
                true
            }
            () = asked_more(server, before + answered as usize) => false,
        };
        server.heal();
        if is_over {
            break;
        }
        killed += 1;
        assert_eq!(ensure_intact(&place.objects()).len(), 1, "after {answered}");

        // Files without an entry are not read.
        let before = server.actions().len();
        let ledger = Ledger::new(
            store.clone(),
            CONNECTION_ID,
            ledger::Settings::default(),
            None,
        );
        let past = ledger
            .open(&Clock::at(instant(3)))
            .await
            .expect("a ledger")
            .past;
        assert_eq!(past.ledger_faults, Vec::<String>::new());
        assert_eq!(past.previous.expect("a previous run").at.sequence, 1);
        assert_eq!(past.baseline.expect("a baseline").at.sequence, 1);
        let read = &server.actions()[before..];
        // Pending puts may still arrive.
        let is_read = |action: &Action| action.method == "GET" && action.key.contains(&killed_run);
        assert!(!read.iter().any(is_read));
    }
    assert!(killed > 20, "{killed}");
    ensure_clean(&company.quiet_run(&store, 3).await);
    let objects = place.objects();
    assert_eq!(ensure_intact(&objects).len(), 3);
    assert_eq!(built_on(&objects, 3), (Some(2), Some(2)));
    assert_eq!(server.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_run_killed_after_its_sums_is_not_counted_by_the_next_run() {
    let company = Company::new();
    let place = Place::bucket();
    let (store, server) = (place.store().await, place.server());
    company.quiet_run(&store, 1).await;
    company.set_world(World::generated(12), instant(2));
    let run = company.run(&store, Run::at(instant(2)));
    kill_at_put(server, "/ledger/", run).await;
    let sums = format!(
        "run={}-7f3a9c/SHA256SUMS",
        instant(2).strftime("%Y%m%dT%H%M%SZ")
    );
    assert!(place.objects().keys().any(|name| name.ends_with(&sums)));

    ensure_clean(&company.quiet_run(&store, 3).await);
    let objects = place.objects();
    assert_eq!(ensure_intact(&objects).len(), 2);
    assert_eq!(built_on(&objects, 2), (Some(1), Some(1)));
}

async fn asked_more(server: &S3Server, than: usize) {
    while server.actions().len() <= than {
        tokio::time::sleep(Duration::from_micros(500)).await;
    }
}

#[tokio::test]
async fn concurrent_runs_keep_one_chain_without_gaps() {
    let company = Company::new();
    for racers in [2_u64, 8] {
        let place = Place::bucket();
        let store = place.store().await;
        company.set_world(World::generated(12), instant(1));
        let suffixes: Vec<String> = (0..racers).map(|racer| format!("racer{racer}")).collect();
        let runs = suffixes.iter().map(|suffix| {
            let as_of = instant(1);
            let run = Run {
                suffix,
                ..Run::at(as_of)
            };
            company.run(&store, run)
        });
        let mut numbers = BTreeSet::new();
        for done in join_all(runs).await {
            let done = done.map_err(|failed| failed.error.chain());
            numbers.insert(done.expect("a run").committed.sequence);
        }
        assert_eq!(numbers, (1..=racers).collect());
        assert_eq!(ensure_intact(&place.objects()).len() as u64, racers);
        ensure_clean(&company.quiet_run(&store, 2).await);
        if let Place::Bucket(server) = &place {
            assert_eq!(server.violations(), Vec::<String>::new());
        }
    }
}

#[tokio::test]
async fn an_entry_with_a_lost_answer_is_recognised_and_not_added_twice() {
    let company = Company::new();
    let place = Place::bucket();
    let (store, server) = (place.store().await, place.server());
    for snapshot in 1..=2_u64 {
        server.inject(Rule::on("PUT", "/ledger/", Fault::LostAnswer));
        let done = company.quiet_run(&store, snapshot as i64).await;
        assert_eq!(done.committed.sequence, snapshot);
    }
    let statuses: Vec<_> = server
        .actions()
        .into_iter()
        .filter(|action| action.method == "PUT" && action.key == entry_name(2))
        .map(|action| action.status)
        .collect();
    assert_eq!(statuses, [Some(500), Some(412)]);
    assert_eq!(ensure_intact(&place.objects()).len(), 2);
}

#[tokio::test]
async fn every_lost_answer_is_recognised() {
    let company = Company::new();
    let folder = Place::folder();
    company.quiet_run(&folder.store().await, 1).await;
    let names = folder.objects();
    let place = Place::bucket();
    let (store, server) = (place.store().await, place.server());
    // Each put succeeds, is answered with 500, and finds its own object when it is retried.
    for name in names.keys() {
        server.inject(Rule::on("PUT", name.as_str(), Fault::LostAnswer));
    }
    let done = company.quiet_run(&store, 1).await;
    assert_eq!(done.committed.sequence, 1);
    // One more, because the run also proves that the store refuses to create the first file twice.
    assert_eq!(server.count("PUT", ""), 2 * names.len() + 1);
    assert_eq!(ensure_intact(&place.objects()).len(), 1);
}

// ---- Tampering ----

const RUN_FILES: [&str; 4] = [
    "manifest.json",
    "SHA256SUMS",
    "result.json",
    "inputs/facts.json",
];

const TAMPERINGS: &[Tampering] = &[
    Tampering {
        what: "the last entry has another verdict than its run",
        done: |place, objects| {
            rewritten(place, objects, 3, |entry| entry.verdict = "fail".to_owned());
        },
        fault: "entry 3: it and its manifest disagree: verdict",
        built_on: 2,
        stays: false,
    },
    Tampering {
        what: "the last entry names another run",
        done: |place, objects| {
            let other = entry(objects, 1).run;
            rewritten(place, objects, 3, |entry| entry.run = other);
        },
        fault: "entry 3: SHA256SUMS was modified",
        built_on: 2,
        stays: false,
    },
    Tampering {
        what: "the last entry follows something else",
        done: |place, objects| {
            rewritten(place, objects, 3, |entry| {
                entry.previous_sha256 = "ab".repeat(32)
            });
        },
        fault: "entry 3: its previous_sha256 is not the hash of entry 2",
        built_on: 3,
        stays: true,
    },
    Tampering {
        what: "an entry in the middle is modified",
        done: |place, objects| {
            rewritten(place, objects, 2, |entry| entry.verdict = "fail".to_owned());
        },
        fault: "entry 3: its previous_sha256 is not the hash of entry 2",
        built_on: 3,
        stays: true,
    },
    Tampering {
        what: "an entry in the middle is deleted",
        done: |place, _| place.remove(&entry_name(2)),
        fault: "1 ledger entry is missing from 2 on",
        built_on: 3,
        stays: true,
    },
    Tampering {
        what: "the first entry is deleted",
        done: |place, _| place.remove(&entry_name(1)),
        fault: "1 ledger entry is missing from 1 on",
        built_on: 3,
        stays: true,
    },
    Tampering {
        what: "the last entry has another form",
        done: |place, objects| {
            place.edit(objects, &entry_name(3), |text| text.replace('\n', ""));
        },
        fault: "entry 3: it does not have the exact form of an entry",
        built_on: 2,
        stays: true,
    },
    Tampering {
        what: "the last entry is not an entry",
        done: |place, _| place.put(&entry_name(3), b"{}"),
        fault: "entry 3: it is not an entry",
        built_on: 2,
        stays: true,
    },
    Tampering {
        what: "the last entry is a copy of another",
        done: |place, objects| place.put(&entry_name(3), &objects[&entry_name(2)]),
        fault: "entry 3: its content is that of entry 2",
        built_on: 2,
        stays: true,
    },
    Tampering {
        what: "the last entry is of another connection",
        done: |place, objects| {
            rewritten(place, objects, 3, |entry| {
                entry.connection = "other".to_owned()
            });
        },
        fault: "entry 3: it belongs to another connection",
        built_on: 2,
        stays: true,
    },
    Tampering {
        what: "the last entry is too large",
        done: |place, _| place.put(&entry_name(3), &[b' '; 5000]),
        fault: "entry 3: it is larger than 4096 bytes",
        built_on: 2,
        stays: true,
    },
    Tampering {
        what: "a file has the name of the next entry",
        done: |place, _| place.put(&entry_name(4), b"garbage"),
        fault: "entry 4: it is not an entry",
        built_on: 3,
        stays: true,
    },
    Tampering {
        what: "unknown files are beside the entries",
        done: |place, _| {
            place.put(&below("ledger/notes.txt"), b"garbage");
            place.put(&below("ledger/0000000000.json"), b"garbage");
            place.put(&below("ledger/9999999999.json"), b"garbage");
        },
        fault: "3 files in ledger/ are not entries, such as “0000000000.json”",
        built_on: 3,
        stays: true,
    },
    Tampering {
        what: "an entry has a far higher number",
        done: |place, objects| place.put(&entry_name(8_000_000_000), &objects[&entry_name(3)]),
        fault: "7999999996 ledger entries are missing from 4 on; entry 8000000000: its content is that of entry 3",
        built_on: 3,
        stays: true,
    },
];

#[tokio::test]
async fn a_fault_in_a_run_is_recorded_and_the_run_before_it_is_used() {
    let company = Company::new();
    for place in Place::both() {
        let store = place.store().await;
        for snapshot in 1..=3 {
            company.quiet_run(&store, snapshot).await;
        }
        let three = place.objects();
        for (number, file) in RUN_FILES.into_iter().enumerate() {
            for (kind, how) in ["is missing", "was modified"].into_iter().enumerate() {
                // In a bucket, each file and each kind only once, because the code is the same.
                if place.is_bucket() && kind != number % 2 {
                    continue;
                }
                let name = run_file(&three, 3, file);
                match how {
                    "is missing" => place.remove(&name),
                    _ => place.edit(&three, &name, |text| format!("{text} ")),
                }
                let fault = format!(
                    "entry 3: {file} {how}; entry 3 may be the previous run, and has a fault: \
                     leavers are carried from entry 2"
                );
                ensure_fault(&company.quiet_run(&store, 4).await, &fault);
                let four = place.objects();
                assert_eq!(built_on(&four, 4), (Some(2), Some(2)), "{file} {how}");
                let before = sha256(&four[&entry_name(3)]);
                assert_eq!(entry(&four, 4).previous_sha256, before);

                ensure_clean(&company.quiet_run(&store, 5).await);
                let five = place.objects();
                assert_eq!(built_on(&five, 5), (Some(4), Some(4)));
                place.restore(&three, &five);
            }
        }
    }
}

#[tokio::test]
async fn a_fault_in_the_ledger_is_recorded_and_the_last_intact_run_is_used() {
    let company = Company::new();
    for place in Place::both() {
        let store = place.store().await;
        for snapshot in 1..=3 {
            company.quiet_run(&store, snapshot).await;
        }
        let three = place.objects();
        // In a bucket, only every fourth, because the code is the same.
        let step = if place.is_bucket() { 4 } else { 1 };
        for tampering in TAMPERINGS.iter().step_by(step) {
            let run = async |snapshot| company.quiet_run(&store, snapshot).await;
            let (five, _) = tampering.walk(&place, &three, run).await;
            place.restore(&three, &five);
        }
    }
}

#[tokio::test]
async fn an_unreadable_entry_is_reported_while_the_walk_reaches_it() {
    let company = Company::new();
    let place = Place::folder();
    let store = place.store().await;
    company.quiet_run(&store, 1).await;
    company.quiet_run(&store, 2).await;
    place.put(&entry_name(2), b"garbage");
    let mut reported = Vec::new();
    for snapshot in 3..=13 {
        let done = company.quiet_run(&store, snapshot).await;
        reported.push(ledger_check(&done).status);
    }
    // It fails the run that finds it. Later runs warn as long as the walk reaches it.
    let (fails, rest) = reported.split_first().expect("snapshots");
    assert_eq!(*fails, CheckStatus::Fail);
    let warned = rest
        .iter()
        .take_while(|status| **status == CheckStatus::Warn)
        .count();
    assert_eq!(warned, 8, "{reported:?}");
    assert!(
        rest[warned..]
            .iter()
            .all(|status| *status == CheckStatus::Pass),
        "{reported:?}"
    );
}

#[tokio::test]
async fn a_leaver_with_access_is_a_fail_even_after_a_fault() {
    let company = Company::new();
    let place = Place::folder();
    let store = place.store().await;
    company.hr_feed(LEFT_AND_ACTIVE);
    company.quiet_run(&store, 1).await;
    place.put(&entry_name(1), b"garbage");
    let done = company.quiet_run(&store, 2).await;
    assert_eq!(ledger_check(&done).status, CheckStatus::Fail);
    assert_eq!(done.judgement.verdict, Verdict::Fail);
}

#[tokio::test]
async fn harmless_extra_files_are_not_a_fault() {
    let company = Company::new();
    for place in Place::both() {
        let store = place.store().await;
        company.quiet_run(&store, 1).await;
        let one = place.objects();
        place.put(".tmp/.tmpAbCdEf", b"half a fi");
        place.put(&run_file(&one, 1, "notes.txt"), b"seen by the auditor");
        place.put(&below("ledger/0000000002.json.tmp"), b"half an ent");
        let signature = format!("ledger/{}.sig", sha256(&one[&entry_name(1)]));
        place.put(&below(&signature), b"stray");
        ensure_clean(&company.quiet_run(&store, 2).await);
    }
}

#[tokio::test]
async fn the_chain_alone_does_not_show_a_cut_tail() {
    let company = Company::new();
    let place = Place::folder();
    let store = place.store().await;
    for snapshot in 1..=3 {
        company.quiet_run(&store, snapshot).await;
    }
    place.remove(&entry_name(3));
    // This is the limit of every chain. `verify --head` needs a head that was noted elsewhere.
    let done = company.quiet_run(&store, 4).await;
    ensure_clean(&done);
    assert_eq!(done.committed.sequence, 3);
}

#[tokio::test]
async fn a_run_without_a_key_stops_if_any_earlier_entry_was_signed() {
    let company = Company::new();
    let place = Place::folder();
    let store = place.store().await;
    company.quiet_run(&store, 1).await;
    let one = place.objects();
    rewritten(&place, &one, 1, |entry| entry.key_sha256 = "ab".repeat(32));
    let mut unsigned = entry(&one, 1);
    unsigned.sequence = 2;
    unsigned.previous_sha256 = sha256(&place.objects()[&entry_name(1)]);
    for last in [unsigned.to_bytes(), b"garbage".to_vec()] {
        place.put(&entry_name(2), &last);
        company.set_world(World::generated(12), instant(2));
        let run = company.run(&store, Run::at(instant(2))).await;
        let failed = run.map(|_| ()).expect_err("the run should fail");
        assert_eq!(failed.error.exit(), Exit::Configuration);
        assert_eq!(failed.record, None);
    }
    assert!(!place.objects().contains_key(&entry_name(3)));
}

// ---- What a run builds on ----

#[tokio::test]
async fn a_failure_record_is_neither_previous_nor_baseline_nor_a_pass() {
    let company = Company::new();
    for place in Place::both() {
        let store = place.store().await;
        company.quiet_run(&store, 1).await;
        let failed = company.failed_run(&store, 2).await;
        assert_eq!(failed.record.expect("a record").sequence, 2);
        let two = place.objects();
        let record = entry(&two, 2);
        assert_eq!(record.kind, EntryKind::Failure);
        assert_eq!(
            (record.verdict.as_str(), record.complete),
            ("inconclusive", false)
        );
        ensure_intact(&two);

        let done = company.quiet_run(&store, 3).await;
        assert_eq!(ledger_check(&done).status, CheckStatus::Pass);
        let three = place.objects();
        assert_eq!(built_on(&three, 3), (Some(1), Some(1)));
        let cadence = |done: &asana_access_review::commands::run::Done| {
            let mut checks = done.judgement.checks.iter();
            let check = checks.find(|check| check.id == CheckId::Cadence);
            check.expect("the check").detail.clone()
        };
        assert_eq!(
            cadence(&done),
            "48 h since the last complete run; in between, 1 run failed"
        );
        let next = company.quiet_run(&store, 4).await;
        assert_eq!(cadence(&next), "24 h since the last complete run");
        place.restore(&three, &place.objects());

        // This also holds if an attacker rewrites it into a run that passed.
        place.restore(&two, &three);
        rewritten(&place, &two, 2, |entry| {
            entry.kind = EntryKind::Run;
            entry.verdict = "pass".to_owned();
            entry.complete = true;
        });
        let done = company.quiet_run(&store, 3).await;
        ensure_fault(&done, "entry 2: SHA256SUMS does not list result.json");
        assert_eq!(built_on(&place.objects(), 3), (Some(1), Some(1)));
    }
}

#[tokio::test]
async fn the_baseline_is_the_newest_earlier_run_by_its_instant() {
    let company = Company::new();
    let place = Place::folder();
    let store = place.store().await;
    // Two runs that raced: the one that began later was committed first.
    company.quiet_run(&store, 2).await;
    company.quiet_run(&store, 1).await;
    let two = place.objects();
    assert_eq!(
        built_on(&two, 2),
        (Some(1), None),
        "no baseline from the future"
    );

    let done = company.quiet_run(&store, 3).await;
    assert_eq!(built_on(&place.objects(), 3), (Some(2), Some(1)));
    // A wrong clock is a fault, but hash and signature are still valid.
    ensure_fault(&done, "entry 2: it was committed at 2026");
}

#[tokio::test]
async fn many_runs_with_a_fast_clock_do_not_hide_the_baseline() {
    let company = Company::new();
    let place = Place::folder();
    let store = place.store().await;
    company.quiet_run(&store, 1).await;
    for ahead in 101..=112 {
        company.quiet_run(&store, ahead).await;
    }
    company.quiet_run(&store, 2).await;
    assert_eq!(built_on(&place.objects(), 14), (Some(13), Some(1)));
}

#[tokio::test]
async fn absence_counts_from_a_complete_run_and_presence_from_any() {
    let company = Company::new();
    let place = Place::folder();
    let store = place.store().await;
    company.hr_feed(LEFT_AND_ACTIVE);
    company.quiet_run(&store, 1).await;
    let incomplete = World::scenario("vanished-viewer").expect("a scenario");
    let second = company.run_in(&store, incomplete, 2).await;
    assert!(!second.judgement.complete);

    let gone = World::generated(12).with(|world| {
        world.people.remove(1);
    });
    let third = company.run_in(&store, gone, 3).await;
    let objects = place.objects();
    assert!(!entry(&objects, 2).complete);
    assert_eq!(built_on(&objects, 3), (Some(2), Some(1)));
    let leaver = &third.judgement.leavers[0];
    assert_eq!(leaver.outcome, Outcome::Removed);
    assert_eq!(leaver.last_seen_with_access, Some(instant(2)));
    assert_eq!(leaver.first_seen_without_access, Some(instant(3)));
}

#[tokio::test]
async fn an_incomplete_run_marked_as_complete_is_not_a_baseline() {
    let company = Company::new();
    let place = Place::folder();
    let store = place.store().await;
    company.quiet_run(&store, 1).await;
    let incomplete = World::scenario("vanished-viewer").expect("a scenario");
    company.run_in(&store, incomplete, 2).await;
    let two = place.objects();
    rewritten(&place, &two, 2, |entry| entry.complete = true);
    let done = company.quiet_run(&store, 3).await;
    ensure_fault(&done, "entry 2: it and its manifest disagree: completeness");
    assert_eq!(built_on(&place.objects(), 3), (Some(1), Some(1)));
}

#[tokio::test]
async fn a_deleted_run_is_expired_after_its_retention_and_missing_before() {
    let company = Company::new();
    for (next, is_fault) in [(2, true), (40, false)] {
        let place = Place::folder();
        let store = place.store().await;
        company.set_world(World::generated(12), instant(1));
        let kept = Run {
            retention_days: "30",
            ..Run::at(instant(1))
        };
        company.run(&store, kept).await.expect("a run");
        for name in place.objects().keys() {
            if name.contains("/run=") {
                place.remove(name);
            }
        }
        let done = company.quiet_run(&store, next).await;
        let check = ledger_check(&done);
        let status = if is_fault {
            CheckStatus::Fail
        } else {
            CheckStatus::Pass
        };
        assert_eq!(check.status, status, "{}", check.detail);
        assert_eq!(built_on(&place.objects(), 2), (None, None));
    }
}

#[tokio::test]
async fn the_walk_for_a_complete_run_is_limited_and_reports_that() {
    let company = Company::new();
    for (failures, reported, baseline) in
        [(999, None, Some(1)), (1000, Some("older entries"), None)]
    {
        let place = Place::folder();
        let store = place.store().await;
        company.quiet_run(&store, 1).await;
        let mut last = entry(&place.objects(), 1);
        last.kind = EntryKind::Failure;
        last.complete = false;
        let mut previous = sha256(&place.objects()[&entry_name(1)]);
        for failure in 1..=failures {
            last.sequence = 1 + failure;
            last.previous_sha256 = previous;
            place.put(&entry_name(last.sequence), &last.to_bytes());
            previous = sha256(&last.to_bytes());
        }
        let done = company.quiet_run(&store, 2).await;
        match reported {
            Some(reported) => ensure_fault(&done, reported),
            None => ensure_clean(&done),
        }
        let objects = place.objects();
        assert_eq!(built_on(&objects, failures + 2), (baseline, baseline));
    }
}

// ---- Entries ----

fn any_instant() -> impl Strategy<Value = Timestamp> {
    (-2_000_000_000_i64..9_000_000_000).prop_map(|s| Timestamp::from_second(s).expect("in range"))
}

fn any_entry() -> impl Strategy<Value = Entry> {
    let kind = prop_oneof![
        Just(EntryKind::Run),
        Just(EntryKind::Failure),
        Just(EntryKind::ReviewOpen),
        Just(EntryKind::ReviewClose),
    ];
    let hash = || "[0-9a-f]{64}";
    let names = (".{0,40}", ".{0,60}", ".{0,60}", ".{0,20}");
    let hashes = (
        hash(),
        hash(),
        hash(),
        prop_oneof![Just("none".to_owned()), hash()],
    );
    let instants = (any_instant(), proptest::option::of(any_instant()));
    (any::<u64>(), kind, names, hashes, instants, any::<bool>()).prop_map(
        |(sequence, kind, names, hashes, (committed_at, retain_until), complete)| Entry {
            schema: Entry::schema(),
            sequence,
            kind,
            connection: names.0,
            origin: names.1,
            run: names.2,
            manifest_sha256: hashes.0,
            sums_sha256: hashes.1,
            previous_sha256: hashes.2,
            verdict: names.3,
            complete,
            committed_at,
            retain_until,
            key_sha256: hashes.3,
        },
    )
}

proptest! {
    #[test]
    fn every_entry_survives_a_round_trip(entry in any_entry()) {
        let bytes = entry.to_bytes();
        prop_assert!(bytes.len() < 4096);
        prop_assert_eq!(Entry::from_bytes(&bytes).expect("an entry"), entry);
    }

    #[test]
    fn changed_bytes_are_another_entry_or_invalid(entry in any_entry(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let bytes = entry.to_bytes();
        let mut other = bytes.clone();
        *at.get_mut(&mut other) = byte;
        if other != bytes && let Ok(read) = Entry::from_bytes(&other) {
            prop_assert_ne!(read, entry);
        }
    }
}
