//! The published schemas describe the files that are written, and refuse others.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::Arc;

use crate::support::schema::{ensure_as_published, schema, validator};
use asana_access_review::evidence::{
    Entry, EntryKind, Executor, FIRST_PREVIOUS, FailedSnapshot, Failure, FileRecord, Frame,
    RunFile, RunFolder, RunIdentity, Snapshot, Tool, Trigger,
};
use asana_access_review::judgement::{
    Baseline, ClosedReview, Decision, FeedScope, FollowUp, FollowUpState, FollowUps, GoneAccount,
    Inputs, Judgement, OpenReview, Past, Policy, Previous, ReviewScope, RunRef, judge,
};
use asana_access_review::model::{
    Account, AgeBasis, Alias, Connection, DerivationRecord, EmailAddress, Employment, Exception,
    FeedColumn, FeedOrigin, GapFilling, HrDate, HrFeed, HrRow, Listing, Lock, LockMode,
    ManualDecisions, ManualFile, Mapping, Meaning, Memberships, PageRecord, Permissions,
    Population, Protection, RawPages, RejectedRecord, RejectedRow, RequestRecord, Role, SecondList,
    Status, UnreadCell, Viewer, Workspace,
};
use asana_access_review::schedule::RunSchedule;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

const SCHEMAS: [&str; 8] = [
    "manifest",
    "result",
    "ledger-entry",
    "facts",
    "account",
    "leaver",
    "hr-row",
    "person-links",
];

/// Objects with free keys: any of them may be missing.
const OPEN: [&str; 7] = [
    "hr_location_zones",
    "hr_feed_columns",
    "hr_feed_statuses",
    "query",
    "numbers",
    "former_emails",
    "gone",
];

/// Keys that are omitted if they have no value.
const OPTIONAL: [&str; 42] = [
    "has_address",
    "unlisted_with_email",
    "moved_from",
    "deadline_rule_run",
    "grace_seconds",
    "corrected_deadline",
    "result",
    "concluded_run",
    "concluded_at",
    "seen_employed",
    "superseded",
    "account_role",
    "account_status",
    "hr_status",
    "hr_end",
    "hr_last_day",
    "hr_line",
    "numbers",
    "failure",
    "hr_feed_records",
    "hr_feed_statuses",
    "hr_feed_no_address",
    "unreadable_address",
    "names_setting",
    "ledger_faults",
    "aliases",
    "exceptions",
    "manual",
    "exception_id",
    "in_force_since",
    "after_the_fact",
    "ticket",
    "feed_since",
    "without_address",
    "date",
    "alias_invalid",
    "suspected_account_id",
    "more_suspected",
    "unread",
    "last_of_some",
    "review_every_seconds",
    "revocation_grace_seconds",
];

/// Keys that are omitted if HR was read from a file.
const OF_A_LIST: [(&str, &str); 4] = [
    ("/sources/hr_feed", "pages"),
    ("/sources/hr_feed", "requests"),
    ("/hr/origin", "pages"),
    ("/hr/origin", "requests"),
];

fn at(instant: &str) -> Timestamp {
    instant.parse().expect("an instant")
}

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).expect("an address")
}

fn account(id: &str, email: Option<&str>, role: Role, status: Status) -> Account {
    Account {
        id: id.to_owned(),
        emails: email.into_iter().map(address).collect(),
        name: Some(format!("Account {id}")),
        status,
        role,
        view_only: Some(false),
        external_id: None,
        joined_at: Some(at("2025-01-01T00:00:00Z")),
        last_login_at: None,
    }
}

fn left(line: u64, email: &str, end: &str) -> HrRow {
    HrRow {
        line,
        person_id: Some(format!("E{line}")),
        name: Some("Leaver".to_owned()),
        email: Some(address(email)),
        status: Employment::Ended,
        end: Some(HrDate {
            written: end[..10].into(),
            at: at(end),
            zone: "Europe/Berlin".into(),
        }),
        ..HrRow::default()
    }
}

fn identity(as_of: Timestamp) -> RunIdentity {
    RunIdentity {
        as_of,
        trigger: Trigger::Scheduled,
        suffix: "7f3a9c".to_owned(),
        tool: Tool {
            name: "asana-access-review".to_owned(),
            version: "0.1.0".to_owned(),
            commit: "0123abc".to_owned(),
        },
        executor: Executor {
            claimed_job_name: Some("review-29403".to_owned()),
            ..Executor::default()
        },
    }
}

fn frame(as_of: Timestamp) -> Frame {
    Frame {
        identity: identity(as_of),
        criticality: "critical".to_owned(),
        own_controls: vec![asana_access_review::evidence::OwnControl {
            id: "ACME-7".to_owned(),
            text: None,
        }],
        signer: None,
    }
}

/// A first run with many problems, so that every kind of record occurs.
fn first_run() -> Inputs {
    let as_of = at("2026-11-23T22:40:00Z");
    let accounts = vec![
        account("1", Some("root@example.com"), Role::Admin, Status::Active),
        account("2", Some("ada@example.com"), Role::Admin, Status::Active),
        account(
            "3",
            Some("cy+asana@example.com"),
            Role::Guest,
            Status::Invited,
        ),
        account(
            "4",
            Some("dan@example.com"),
            Role::Unknown(Some("editor".to_owned())),
            Status::Unknown(None),
        ),
        account("5", Some("eve@example.com"), Role::Member, Status::Active),
    ];
    let rows = accounts.len() as u64;
    let page = |list: &str, cursor: Option<&str>| PageRecord {
        list: list.to_owned(),
        page: 1,
        rows,
        bytes: 600,
        sha256: "ab".repeat(32),
        cursor_sha256: cursor.map(str::to_owned),
        last: true,
        status: 200,
        attempts: 2,
    };
    let cursor = "cd".repeat(32);
    let mut strange = left(5, "dan@example.com", "2026-11-10T23:00:00Z");
    strange.status = Employment::Unclassified("on leave?".to_owned());
    strange.location = Some("Berlin".into());
    strange.unreadable_address = true;
    strange.unread = vec![UnreadCell {
        column: 0,
        date: Some(at("2026-11-10T23:00:00Z")),
        emails: Vec::new(),
    }];
    let mut undated = left(6, "nobody@elsewhere.example", "2026-11-10T23:00:00Z");
    undated.end = None;
    Inputs {
        as_of,
        run: RunFolder::of(&identity(as_of)).to_string().into(),
        policy: Policy {
            asana_permissions: Permissions::Full,
            offboarding_grace_seconds: 0,
            hr_time_zone: "Europe/Berlin".to_owned(),
            hr_location_zones: BTreeMap::new(),
            hr_feed_scope: FeedScope::RecentLeavers,
            hr_feed_max_age_seconds: None,
            hr_feed_allow_empty: false,
            hr_feed_date_order: Some("dmy".to_owned()),
            hr_feed_columns: [("end".to_owned(), "Left".to_owned())].into(),
            hr_feed_records: Vec::new(),
            hr_feed_statuses: BTreeMap::new(),
            hr_feed_no_address: Vec::new(),
            internal_domains: vec!["example.org".to_owned()],
            email_domain_aliases: Vec::new(),
            max_drop_percent: 30,
            review_every_seconds: Some(90 * 86_400),
            revocation_grace_seconds: Some(7 * 86_400),
        },
        schedule: Some(RunSchedule {
            cron: "40 23 * * *".to_owned(),
            zone: "Europe/Berlin".to_owned(),
        }),
        population: Population {
            connection: Connection {
                id: "c1".to_owned(),
                status: "active".to_owned(),
                integration: Some("asana".to_owned()),
                authentication_method: Some("oauth2".to_owned()),
                scopes: vec!["users:read".to_owned()],
                tenant_id: Some("acme".to_owned()),
                environment_id: Some("e1".to_owned()),
                is_sandbox: Some(false),
                region: None,
            },
            origin: "https://api.truto.one".to_owned(),
            workspace: Workspace {
                id: "1200".to_owned(),
                name: None,
            },
            workspaces_visible: 1,
            viewer: Viewer::Account {
                id: "1".to_owned(),
                role: Role::Admin,
                has_address: true,
            },
            listing: Listing {
                pages: vec![page("users", None), page("memberships", Some(&cursor))],
                rows,
                unique: rows,
                last_page_reached: true,
                ..Listing::default()
            },
            memberships: Memberships::Read {
                rows,
                rejected: 0,
                active: rows,
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
            requests: vec![RequestRecord {
                method: "GET".to_owned(),
                path: "/unified/user-directory/users".to_owned(),
                query: BTreeMap::from([("limit".to_owned(), "100".to_owned())]),
                answers: 1,
            }],
            accounts,
        },
        hr: HrFeed {
            origin: FeedOrigin {
                url: "s3://people/leavers.csv".to_owned(),
                sha256: "ef".repeat(32),
                bytes: 512,
                modified_at: Some(at("2026-11-23T18:00:00Z")),
                age_basis: AgeBasis::S3LastModified,
                format: "csv".to_owned(),
                encoding: "UTF-8".to_owned(),
                gzip: false,
                columns: vec![FeedColumn {
                    name: "Left".to_owned(),
                    meaning: Meaning::End,
                }],
                notes: vec!["the delimiter is `;`".to_owned()],
                ..FeedOrigin::default()
            },
            rows: vec![
                left(2, "ada@example.com", "2026-11-01T23:00:00Z"),
                left(3, "cy@example.com", "2026-11-01T23:00:00Z"),
                left(4, "eve@example.com", "2026-11-22T23:00:00Z"),
                strange,
                undated,
                HrRow {
                    status: Employment::Active,
                    end: None,
                    ..left(8, "root@example.com", "2026-12-31T00:00:00Z")
                },
            ],
            rejected: vec![RejectedRow {
                line: 7,
                reason: "no such month".to_owned(),
                names_setting: true,
                person_id: None,
                email: Some("not an address".into()),
                name: Some("Fay Roe".into()),
                other_emails: vec![address("fay@example.com")],
            }],
            ..HrFeed::default()
        },
        manual: ManualDecisions::default(),
        follow_ups: FollowUps::starting(as_of),
        past: Past::default(),
        store: Some(Protection {
            create_only: true,
            lock_asked: Some(Lock {
                mode: LockMode::Compliance,
                days: 1,
            }),
            lock: Some(Lock {
                mode: LockMode::Governance,
                days: 365,
            }),
            versioned: true,
            encryption_asked: None,
            encryption: Some("AES256".to_owned()),
            unread: Some("it is silent".to_owned()),
        }),
    }
}

/// The next run builds on the first: a removal, changes, an account without an address, and sources
/// with fewer fields.
fn second_run(first: &Inputs, judged: Judgement) -> Inputs {
    let mut inputs = first.clone();
    let earlier = RunRef {
        sequence: 1,
        run: first.run.to_string(),
        manifest_sha256: "12".repeat(32),
    };
    inputs.as_of += SignedDuration::from_hours(24);
    inputs.run = RunFolder::of(&identity(inputs.as_of)).to_string().into();
    inputs.policy.max_drop_percent = 40;
    inputs.policy.hr_feed_scope = FeedScope::Roster;
    inputs.policy.hr_location_zones = [("berlin".to_owned(), "Europe/Berlin".to_owned())].into();
    inputs.policy.email_domain_aliases = vec!["example.com=example.io".to_owned()];
    inputs.population.mapping = Mapping::NotReported {
        reason: "Truto answers 404".to_owned(),
    };
    inputs.manual = manual_decisions();
    inputs.follow_ups = follow_ups();
    inputs.hr.rows.push(HrRow {
        status: Employment::Active,
        ..left(9, "here@example.com", "2026-12-31T00:00:00Z")
    });
    inputs.hr.rows.last_mut().expect("a row").end = None;
    inputs.past = Past {
        ledger_faults: vec!["entry 1 is not as it was".to_owned()],
        ledger_head: Some(1),
        clock_behind_seconds: 3,
        failed_since_baseline: 1,
        baseline: Some(Baseline {
            at: earlier.clone(),
            workspace_id: first.population.workspace.id.clone(),
            as_of: first.as_of,
            accounts: first.population.accounts.clone(),
            former_emails: [("2".to_owned(), vec![address("old@example.com")])].into(),
            gone: [(
                "9".to_owned(),
                GoneAccount {
                    last_seen_with_access: first.as_of,
                    first_seen_without_access: first.as_of,
                },
            )]
            .into(),
            mapping: first.population.mapping.clone(),
        }),
        previous: Some(Previous {
            schedule: None,
            ledger_faults: Vec::new(),
            manual: first.manual.sha256(),
            links: judged.links,
            feed_url: first.hr.origin.url.clone(),
            feed_since: judged.feed_since,
            exceptions_since: BTreeMap::new(),
            follow_ups: judged.follow_ups,
            at: earlier,
            workspace_id: Some(first.population.workspace.id.clone()),
            policy: first.policy.clone(),
            findings_first_seen: judged
                .findings
                .iter()
                .map(|finding| (finding.finding_id.clone(), finding.first_seen))
                .collect(),
            leavers: judged.leavers.into_iter().map(Arc::new).collect(),
            trend: judged.trend,
        }),
    };
    let population = &mut inputs.population;
    population.accounts.retain(|account| account.id != "5");
    population.accounts[1].role = Role::Member;
    population.listing.rows = 4;
    population.listing.unique = 4;
    population.gaps.second_list = Some(SecondList {
        last_page_reached: true,
        ..SecondList::default()
    });
    population.memberships = Memberships::Read {
        rows: 4,
        rejected: 0,
        active: 4,
        inactive: 0,
        unknown: 0,
        active_not_listed: Vec::new(),
        listed_without_membership: Vec::new(),
    };
    population.clock_skew_minutes = None;
    inputs
}

/// Manual decisions: an alias that is used, and an exception that is malformed.
fn manual_decisions() -> ManualDecisions {
    let text = |text: &str| Some(text.to_owned());
    let alias = Alias {
        line: 2,
        account_id: text("3"),
        person_id: text("E1"),
        ..Alias::default()
    };
    let exception = Exception {
        line: 2,
        person_id: text("E1"),
        approved_by: text("ciso@example.com"),
        fault: text("the line has 2 cells, but the header has 7"),
        ..Exception::default()
    };
    let in_force = Exception {
        line: 3,
        email: text("cy@example.com"),
        reason: text("hands over"),
        approved_by: text("ciso@example.com"),
        approved_on: text("2026-11-24"),
        expires_on: text("2026-12-24"),
        ticket: text("SEC-1"),
        ..Exception::default()
    };
    let mut exceptions = file_with(exception);
    exceptions.lines.push(in_force);
    ManualDecisions {
        aliases: Some(file_with(alias)),
        exceptions: Some(exceptions),
    }
}

/// A review with open revocations, one that is open, and one that could not be read.
fn follow_ups() -> FollowUps {
    FollowUps {
        through: 3,
        counted_from: at("2026-08-01T22:40:00Z"),
        last_closed: Some(ClosedReview {
            review: "2026-Q3-7f3a9c".to_owned(),
            sequence: 2,
            closed_at: at("2026-11-22T09:00:00Z"),
            complete: true,
            acknowledged_at: None,
        }),
        last_of_some: Some(ClosedReview {
            review: "admins-7f3a9c".to_owned(),
            sequence: 3,
            closed_at: at("2026-11-22T10:00:00Z"),
            complete: false,
            acknowledged_at: None,
        }),
        open: vec![OpenReview {
            review: "2026-Q4-7f3a9c".to_owned(),
            sequence: 3,
            opened_at: at("2026-11-22T10:00:00Z"),
            due: "2026-12-31".to_owned(),
            scope: ReviewScope::All,
        }],
        unread: vec![1],
        decisions: vec![FollowUp {
            review: "2026-Q3-7f3a9c".to_owned(),
            sequence: 2,
            account_id: "3".to_owned(),
            email: Some(address("three@example.com")),
            decision: Decision::ChangeRole,
            role: Role::Admin,
            new_role: Some(Role::Member),
            decided_at: at("2026-11-22T09:00:00Z"),
            state: FollowUpState::Open,
            last_seen_before: Some(at("2026-11-22T22:40:00Z")),
            first_seen_done: None,
            undone_at: None,
        }],
    }
}

fn file_with<L>(line: L) -> ManualFile<L> {
    ManualFile {
        url: "by-hand.csv".to_owned(),
        sha256: "cd".repeat(32),
        bytes: 120,
        lines: vec![line],
    }
}

/// A third run that was judged and is not complete.
fn third_run(second: &Inputs) -> Inputs {
    let mut inputs = second.clone();
    let population = &mut inputs.population;
    population
        .accounts
        .push(account("6", None, Role::Member, Status::Active));
    population.listing.rejected = vec![RejectedRecord {
        page: 1,
        row: 3,
        reason: "no id".to_owned(),
    }];
    population.listing.stopped_because = Some("a cursor came twice".to_owned());
    population.memberships = Memberships::Incomplete {
        reason: "too many pages".to_owned(),
    };
    population.gaps.unlisted_with_email = vec!["7".to_owned()];
    population.viewer = Viewer::NotReported {
        reason: "403".to_owned(),
    };
    // Now HR is read as a list.
    let origin = &mut inputs.hr.origin;
    origin.url = "truto-hris://c2".to_owned();
    origin.format = "truto-hris".to_owned();
    origin.age_basis = AgeBasis::Live;
    origin.pages = vec![PageRecord {
        list: "employees".to_owned(),
        ..population.listing.pages[0].clone()
    }];
    origin.requests = vec![RequestRecord {
        path: "/unified/hris/employees".to_owned(),
        ..population.requests[0].clone()
    }];
    inputs.hr.rows.clear();
    inputs.hr.unusable = Some("no column for the end of work".to_owned());
    inputs
}

fn entry(kind: EntryKind, as_of: Timestamp, verdict: &str, complete: bool) -> Entry {
    Entry {
        schema: Entry::schema(),
        sequence: 1,
        kind,
        connection: "c1".to_owned(),
        origin: "https://api.truto.one".to_owned(),
        run: RunFolder::of(&identity(as_of)).to_string(),
        manifest_sha256: "ab".repeat(32),
        sums_sha256: "cd".repeat(32),
        previous_sha256: FIRST_PREVIOUS.to_owned(),
        verdict: verdict.to_owned(),
        complete,
        committed_at: as_of,
        retain_until: Some(as_of + SignedDuration::from_hours(24 * 400)),
        key_sha256: "none".to_owned(),
    }
}

/// Every file that has a schema, as it is written: pairs of schema and value.
fn written() -> Vec<(&'static str, Value)> {
    let first = first_run();
    let second = second_run(&first, judge(&first));
    let third = third_run(&second);
    let mut refused = third.clone();
    refused.population.memberships = Memberships::Unreadable {
        status: 403,
        missing_scopes: vec!["workspaces:read".to_owned()],
    };
    let mut written = Vec::new();
    for inputs in [first, second, third, refused] {
        let judgement = judge(&inputs);
        let frame = frame(inputs.as_of);
        let snapshot = Snapshot {
            frame: &frame,
            inputs: &inputs,
            judgement: &judgement,
        };
        let mut records: Vec<FileRecord> = Vec::new();
        for data in snapshot.data_files() {
            records.push(data.record());
            let schema = match data.file {
                RunFile::Result => "result",
                RunFile::InputFacts => "facts",
                RunFile::AccountsJsonl => "account",
                RunFile::LeaversJsonl => "leaver",
                RunFile::InputHr => "hr-row",
                RunFile::InputLinks => "person-links",
                _ => continue,
            };
            if data.file.name().ends_with(".jsonl.gz") {
                let mut text = String::new();
                flate2::read::GzDecoder::new(&*data.bytes)
                    .read_to_string(&mut text)
                    .expect("gzip");
                written.extend(text.lines().map(|line| {
                    let value = serde_json::from_str(line).expect("json");
                    (schema, value)
                }));
            } else {
                let value = serde_json::from_slice(&data.bytes).expect("json");
                written.push((schema, value));
            }
        }
        let (manifest, _) = snapshot.manifest(records).to_file();
        let value = serde_json::from_slice(&manifest.bytes).expect("json");
        written.push(("manifest", value));
        let verdict = judgement.verdict.as_str();
        let entry = entry(EntryKind::Run, inputs.as_of, verdict, judgement.complete);
        let value = serde_json::from_slice(&entry.to_bytes()).expect("json");
        written.push(("ledger-entry", value));
    }

    let as_of = at("2026-11-26T22:40:00Z");
    let frame = frame(as_of);
    let failure = Failure {
        stage: "reading the accounts".to_owned(),
        code: 75,
        message: "no answer".to_owned(),
    };
    let failed = FailedSnapshot {
        frame: &frame,
        connection: "c1",
        origin: "https://api.truto.one",
        schedule: None,
        failure: &failure,
    };
    let (manifest, _) = failed.manifest(Vec::new()).to_file();
    let value = serde_json::from_slice(&manifest.bytes).expect("json");
    written.push(("manifest", value));
    let entry = entry(EntryKind::Failure, as_of, "inconclusive", false);
    let value = serde_json::from_slice(&entry.to_bytes()).expect("json");
    written.push(("ledger-entry", value));
    written
}

/// The JSON pointers of every object in a value.
fn objects(value: &Value, at: String, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let key = key.replace('~', "~0").replace('/', "~1");
                objects(value, format!("{at}/{key}"), found);
            }
            found.push(at);
        }
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                objects(value, format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

#[test]
fn every_schema_is_valid_and_has_a_description() {
    for name in SCHEMAS {
        let schema = schema(name);
        jsonschema::meta::validate(&schema).expect("a valid schema");
        assert_eq!(
            schema["$schema"],
            "https://json-schema.org/draft/2020-12/schema"
        );
        assert!(schema["title"].is_string() && schema["description"].is_string());
        assert!(
            schema.get("$id").is_none(),
            "{name} has an $id, but no address"
        );
        let text = schema.to_string();
        let refs = text.split("\"$ref\":\"").skip(1);
        for reference in refs {
            assert!(
                reference.starts_with("#/$defs/"),
                "{name} refers only to itself"
            );
        }
    }
}

#[test]
fn every_written_file_matches_its_schema() {
    let written = written();
    for name in SCHEMAS {
        let validator = validator(name);
        let mut seen = 0;
        for (_, value) in written.iter().filter(|(schema, _)| *schema == name) {
            ensure_as_published(name, &validator, value);
            seen += 1;
        }
        assert!(seen > 1, "{name} has too few values");
    }
}

#[test]
fn the_test_data_has_every_kind_of_record() {
    let written = written();
    let holds = |schema: &str, pointer: &str| {
        written.iter().any(|(name, value)| {
            let found = value.pointer(pointer);
            *name == schema && found.is_some_and(|value| !value.is_null() && *value != json!([]))
        })
    };
    for (schema, pointer) in [
        ("result", "/findings/0"),
        ("leaver", "/account_email/0"),
        ("result", "/changes/0"),
        ("result", "/summary/trend/1"),
        ("result", "/checks/2/numbers"),
        ("result", "/manual/2/in_force_since"),
        ("result", "/feed_since"),
        ("person-links", "/person_ids/0"),
        ("person-links", "/accounts/0/match"),
        ("hr-row", "/unread/0/date"),
        ("facts", "/aliases/lines/0/person_id"),
        ("facts", "/exceptions/lines/0/approved_by"),
        ("manifest", "/sources/exceptions/by_state"),
        ("facts", "/past/baseline"),
        ("facts", "/former_emails/2"),
        ("facts", "/population/listing/rejected/0"),
        ("facts", "/population/viewer/not_reported"),
        ("facts", "/population/memberships/read"),
        ("facts", "/population/memberships/incomplete"),
        ("facts", "/population/memberships/unreadable"),
        ("account", "/person_id/0"),
        ("account", "/findings/0"),
        ("leaver", "/first_seen_without_access"),
        ("leaver", "/tenures/0/end"),
        ("hr-row", "/reason"),
        ("manifest", "/failure"),
        ("manifest", "/sources/hr_feed"),
        ("manifest", "/sources/hr_feed/pages/0"),
        ("manifest", "/sources/hr_feed/requests/0"),
        ("facts", "/hr/origin/pages/0"),
        ("facts", "/hr/origin/requests/0"),
        ("manifest", "/files/0"),
    ] {
        assert!(holds(schema, pointer), "no {schema} has {pointer}");
    }
}

#[test]
fn an_additional_key_is_refused_anywhere() {
    let written = written();
    for name in SCHEMAS {
        let validator = validator(name);
        for (_, value) in written.iter().filter(|(schema, _)| *schema == name) {
            let mut places = Vec::new();
            objects(value, String::new(), &mut places);
            for place in places {
                let mut changed = value.clone();
                let object = changed.pointer_mut(&place).expect("an object");
                object["surprise"] = Value::Bool(true);
                assert!(!validator.is_valid(&changed), "{name}{place}");
            }
        }
    }
}

#[test]
fn a_missing_key_is_refused_anywhere() {
    let written = written();
    for name in SCHEMAS {
        let validator = validator(name);
        for (_, value) in written.iter().filter(|(schema, _)| *schema == name) {
            let mut places = Vec::new();
            objects(value, String::new(), &mut places);
            // In the trend, runs of earlier versions may have fewer words.
            let is_free = |place: &String| {
                OPEN.iter().any(|open| place.ends_with(&format!("/{open}")))
                    || place.contains("/trend/") && place.contains("/by_")
                    // Blank cells of a line are omitted.
                    || name == "facts" && place.contains("/lines/")
            };
            for place in places.iter().filter(|place| !is_free(place)) {
                let object = value.pointer(place).and_then(Value::as_object);
                for key in object.expect("an object").keys() {
                    let of_a_list = OF_A_LIST
                        .iter()
                        .any(|(object, name)| place.ends_with(object) && key == name);
                    if of_a_list || OPTIONAL.contains(&key.as_str()) {
                        continue;
                    }
                    let mut changed = value.clone();
                    let object = changed.pointer_mut(place).and_then(Value::as_object_mut);
                    object.expect("an object").remove(key);
                    assert!(!validator.is_valid(&changed), "{name}{place}/{key}");
                }
            }
        }
    }
}

#[test]
fn invented_words_instants_and_hashes_are_refused() {
    let written = written();
    let mistakes = [
        (
            "manifest",
            "/schema",
            json!("asana-access-review/manifest/v2"),
        ),
        ("manifest", "/verdict", json!("passed")),
        ("manifest", "/run/as_of", json!("2026-11-23 22:40")),
        ("manifest", "/run/as_of", json!("2026-13-45T22:40:00Z")),
        ("manifest", "/run/as_of", json!("2026-11-23T22:40:00+01:00")),
        ("manifest", "/run/id", json!("this_run")),
        ("manifest", "/run/trigger", json!("kubernetes-job")),
        ("manifest", "/files/0/sha256", json!("AB")),
        ("manifest", "/files/0/bytes", json!(-1)),
        ("manifest", "/sources/hr_feed/age_basis", json!("guess")),
        ("manifest", "/sources/truto/pages/0/list", json!("tasks")),
        ("manifest", "/policy", Value::Null),
        ("manifest", "/checks", json!([])),
        ("manifest", "/failure/code", json!("75")),
        ("result", "/judgement", json!(0)),
        ("result", "/checks/0/id", json!("all_good")),
        ("result", "/checks/0/status", json!("skipped")),
        ("leaver", "/outcome", json!("probably_removed")),
        ("leaver", "/within_sla", json!(true)),
        ("result", "/findings/0/severity", json!("urgent")),
        ("result", "/findings/0/finding_id", json!("1")),
        ("result", "/findings/0/status", json!("on_leave")),
        ("result", "/changes/0/change", json!("renamed")),
        ("result", "/summary/trend", json!([])),
        ("ledger-entry", "/kind", json!("rerun")),
        ("ledger-entry", "/sequence", json!(0)),
        ("ledger-entry", "/key_sha256", json!("")),
        ("ledger-entry", "/previous_sha256", json!("ab".repeat(32))),
        ("ledger-entry", "/committed_at", json!("yesterday")),
        ("account", "/status", json!("Active")),
        ("facts", "/population/memberships/read/rows", json!("4")),
        ("facts", "/policy/hr_feed_scope", json!("everybody")),
        ("facts", "/hr/origin/format", json!("xlsx")),
        ("account", "/role", json!("owner")),
        ("account", "/email", json!("nobody")),
        ("account", "/joined_at", json!("2025-01-01")),
        ("leaver", "/match/0", json!("name")),
        ("leaver", "/exception_expires", json!("soon")),
        ("leaver", "/tenures/0/status", json!("left")),
        ("hr-row", "/kind", json!("blank")),
        ("hr-row", "/line", json!(0)),
        ("hr-row", "/status", json!("retired")),
        ("hr-row", "/end/at", json!("2026-11-01")),
    ];
    for (name, pointer, wrong) in mistakes {
        let validator = validator(name);
        let (_, value) = written
            .iter()
            .find(|(schema, value)| *schema == name && value.pointer(pointer).is_some())
            .unwrap_or_else(|| panic!("no {name} has {pointer}"));
        let mut changed = value.clone();
        *changed.pointer_mut(pointer).expect("a value") = wrong.clone();
        assert!(!validator.is_valid(&changed), "{name}{pointer} = {wrong}");
    }
}

#[test]
fn a_failure_cannot_be_marked_as_a_pass() {
    let written = written();
    let failed = |name: &str, pointer: &str| {
        let (_, value) = written
            .iter()
            .rev()
            .find(|(schema, value)| *schema == name && value.pointer(pointer).is_some())
            .expect("a failure");
        value.clone()
    };
    for (name, pointer) in [("manifest", "/failure"), ("ledger-entry", "/kind")] {
        let validator = validator(name);
        for (key, value) in [("verdict", json!("pass")), ("complete", json!(true))] {
            let mut changed = failed(name, pointer);
            assert!(validator.is_valid(&changed));
            changed[key] = value;
            assert!(!validator.is_valid(&changed), "{name} {key}");
        }
    }
}
