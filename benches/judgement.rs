//! Times the judgement of a first run and of a later run, with as many leavers as accounts. Twice as
//! many people should take about twice as long.
//!
//! `cargo bench --bench judgement`

use std::collections::BTreeMap;
use std::sync::Arc;

use asana_access_review::judgement::{
    Baseline, FeedScope, FollowUps, Inputs, Past, Policy, Previous, RunRef, for_later_runs, judge,
};
use asana_access_review::model::{
    Account, AgeBasis, Connection, DerivationRecord, EmailAddress, Employment, FeedOrigin,
    GapFilling, HrDate, HrFeed, HrRow, Listing, ManualDecisions, Mapping, Memberships, Permissions,
    Population, RawPages, Role, Status, Viewer, Workspace,
};
use jiff::{SignedDuration, Timestamp};

fn main() {
    divan::main();
}

const SIZES: [usize; 4] = [12_500, 25_000, 50_000, 100_000];

#[divan::bench(args = SIZES, sample_count = 10, sample_size = 1)]
fn first_run(bencher: divan::Bencher<'_, '_>, people: usize) {
    let inputs = snapshot(people);
    bencher.bench_local(|| judge(&inputs));
}

#[divan::bench(args = SIZES, sample_count = 10, sample_size = 1)]
fn next_run(bencher: divan::Bencher<'_, '_>, people: usize) {
    let inputs = run_after(&snapshot(people));
    bencher.bench_local(|| judge(&inputs));
}

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).expect("an address")
}

fn account(number: usize) -> Account {
    // Nine of ten accounts are listed as inactive, because most leavers have lost access.
    let status = if number.is_multiple_of(10) {
        Status::Active
    } else {
        Status::Inactive
    };
    Account {
        id: format!("{}", 1_204_556_770_000_000 + number),
        emails: vec![address(&format!("person{number}@example.com"))],
        name: Some(format!("Person Number{number}")),
        status,
        role: Role::Member,
        view_only: Some(false),
        external_id: None,
        joined_at: None,
        last_login_at: None,
    }
}

fn row(number: usize, end: Timestamp) -> HrRow {
    HrRow {
        line: number as u64 + 2,
        person_id: Some(format!("E{number}")),
        name: Some(format!("Person Number{number}")),
        email: Some(address(&format!("Person{number}@example.com"))),
        status: Employment::Ended,
        end: Some(HrDate {
            written: "2026-10-31".into(),
            at: end,
            zone: "Etc/UTC".into(),
        }),
        ..HrRow::default()
    }
}

/// The inputs of a run with this many accounts, and as many leavers.
fn snapshot(people: usize) -> Inputs {
    let as_of: Timestamp = "2026-11-23T22:40:00Z".parse().expect("an instant");
    let end: Timestamp = "2026-11-01T00:00:00Z".parse().expect("an instant");
    let mut accounts: Vec<Account> = (0..people).map(account).collect();
    accounts.sort_by(|a, b| a.id.cmp(&b.id));
    accounts[0].role = Role::Admin;
    let viewer = accounts[0].id.clone();
    Inputs {
        as_of,
        run: "dt=2026-11-23/run=20261123T224000Z-7f3a9c".into(),
        policy: Policy {
            asana_permissions: Permissions::Full,
            offboarding_grace_seconds: 86400,
            hr_time_zone: "Etc/UTC".to_owned(),
            hr_location_zones: BTreeMap::new(),
            hr_feed_scope: FeedScope::Leavers,
            hr_feed_max_age_seconds: None,
            hr_feed_allow_empty: false,
            hr_feed_date_order: None,
            hr_feed_columns: BTreeMap::new(),
            hr_feed_records: Vec::new(),
            hr_feed_statuses: BTreeMap::new(),
            hr_feed_no_address: Vec::new(),
            internal_domains: Vec::new(),
            email_domain_aliases: Vec::new(),
            max_drop_percent: 30,
            review_every_seconds: None,
            revocation_grace_seconds: None,
        },
        schedule: None,
        population: Population {
            connection: Connection {
                id: "conn".to_owned(),
                status: "active".to_owned(),
                ..Connection::default()
            },
            origin: "https://api.truto.one".to_owned(),
            workspace: Workspace::default(),
            workspaces_visible: 1,
            viewer: Viewer::Account {
                id: viewer,
                role: Role::Admin,
                has_address: true,
            },
            listing: Listing {
                rows: people as u64,
                unique: people as u64,
                last_page_reached: true,
                ..Listing::default()
            },
            memberships: Memberships::Read {
                rows: people as u64,
                rejected: 0,
                active: people as u64,
                inactive: 0,
                unknown: 0,
                active_not_listed: Vec::new(),
                listed_without_membership: Vec::new(),
            },
            gaps: GapFilling::default(),
            derivation: DerivationRecord {
                version: 1,
                kept: RawPages::Full,
            },
            mapping: Mapping::Reported {
                sha256: "ab".repeat(32),
            },
            clock_skew_minutes: Some(0),
            requests: Vec::new(),
            accounts,
        },
        hr: HrFeed {
            origin: FeedOrigin {
                modified_at: Some(as_of),
                age_basis: AgeBasis::FileMtime,
                ..FeedOrigin::default()
            },
            rows: (0..people).map(|number| row(number, end)).collect(),
            ..HrFeed::default()
        },
        manual: ManualDecisions::default(),
        follow_ups: FollowUps::starting(as_of),
        past: Past::default(),
        store: None,
    }
}

/// The inputs of the next run: the same people a day later.
fn run_after(first: &Inputs) -> Inputs {
    let judged = judge(first);
    assert!(judged.complete, "{:?}", judged.reasons);
    let at = RunRef {
        sequence: 1,
        run: first.run.to_string(),
        manifest_sha256: "00".repeat(32),
    };
    let mut inputs = first.clone();
    inputs.as_of += SignedDuration::from_hours(24);
    inputs.run = "dt=2026-11-24/run=20261124T224000Z-7f3a9c".into();
    inputs.past = Past {
        clock_behind_seconds: 0,
        ledger_faults: Vec::new(),
        ledger_head: Some(1),
        failed_since_baseline: 0,
        baseline: Some(Baseline {
            at: at.clone(),
            workspace_id: first.population.workspace.id.clone(),
            as_of: first.as_of,
            accounts: first.population.accounts.clone(),
            former_emails: judged.former_emails,
            gone: judged.gone,
            mapping: first.population.mapping.clone(),
        }),
        previous: Some(Previous {
            schedule: None,
            at,
            workspace_id: Some(first.population.workspace.id.clone()),
            policy: first.policy.clone(),
            findings_first_seen: judged
                .findings
                .iter()
                .map(|finding| (finding.finding_id.clone(), finding.first_seen))
                .collect(),
            leavers: {
                let leavers = judged.leavers.into_iter();
                let leavers = leavers.map(|of| Arc::new(for_later_runs(of, first.as_of)));
                leavers.chain(judged.concluded).collect()
            },
            trend: judged.trend,
            ledger_faults: Vec::new(),
            manual: BTreeMap::new(),
            links: judged.links,
            feed_url: String::new(),
            exceptions_since: BTreeMap::new(),
            feed_since: judged.feed_since,
            follow_ups: judged.follow_ups,
        }),
    };
    inputs
}
