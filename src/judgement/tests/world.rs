//! Small worlds to judge: a few accounts, a few rows, and several runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::{Date, date as day};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::judgement::{
    Baseline, Change, Check, CheckId, CheckStatus, FeedScope, FindingKind, FollowUps, Inputs,
    Judgement, Leaver, Outcome, Past, Policy, Previous, RunRef, ensure_sums_reconcile,
    for_later_runs, judge,
};
use crate::model::{
    Account, AgeBasis, Alias, Connection, DerivationRecord, EmailAddress, Employment, Exception,
    FeedOrigin, GapFilling, HrDate, HrFeed, HrRow, Listing, Lock, LockMode, ManualDecisions,
    ManualFile, Mapping, Memberships, PageRecord, Permissions, Population, Protection, RawPages,
    RejectedRow, Role, Status, Viewer, Workspace,
};

pub(super) const DAY: SignedDuration = SignedDuration::from_hours(24);

/// The connected account of every world, an admin.
pub(super) const VIEWER: &str = "root@example.com";

#[derive(Clone, Debug)]
pub(in crate::judgement) struct World {
    pub(in crate::judgement) inputs: Inputs,
}

/// The evening of 23 November 2026, with one admin and an HR file from an hour ago that may be empty.
pub(in crate::judgement) fn world() -> World {
    let as_of = at("2026-11-23T22:40:00Z");
    World {
        inputs: Inputs {
            as_of,
            run: run_at(as_of).into(),
            policy: Policy {
                asana_permissions: Permissions::Full,
                offboarding_grace_seconds: 24 * 3600,
                hr_time_zone: "Etc/UTC".to_owned(),
                hr_location_zones: BTreeMap::new(),
                hr_feed_scope: FeedScope::Leavers,
                hr_feed_max_age_seconds: Some(48 * 3600),
                hr_feed_allow_empty: true,
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
                workspace: Workspace {
                    id: "1331".to_owned(),
                    name: Some("Example".to_owned()),
                },
                workspaces_visible: 1,
                viewer: Viewer::Account {
                    id: "root".to_owned(),
                    role: Role::Unknown(None),
                    has_address: false,
                },
                listing: Listing {
                    pages: vec![PageRecord {
                        list: "users".to_owned(),
                        page: 1,
                        rows: 0,
                        bytes: 0,
                        sha256: String::new(),
                        cursor_sha256: None,
                        last: true,
                        status: 200,
                        attempts: 1,
                    }],
                    last_page_reached: true,
                    ..Listing::default()
                },
                memberships: agreeing(),
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
                accounts: Vec::new(),
            },
            hr: HrFeed {
                origin: FeedOrigin {
                    modified_at: Some(as_of - SignedDuration::from_hours(1)),
                    age_basis: AgeBasis::FileMtime,
                    ..FeedOrigin::default()
                },
                ..HrFeed::default()
            },
            manual: ManualDecisions::default(),
            follow_ups: FollowUps::starting(as_of),
            past: Past::default(),
            store: Some(Protection {
                create_only: true,
                lock_asked: None,
                lock: Some(Lock {
                    mode: LockMode::Governance,
                    days: 365,
                }),
                versioned: true,
                encryption_asked: None,
                encryption: Some("AES256".to_owned()),
                unread: None,
            }),
        },
    }
    .account(VIEWER)
    .set("root", |account| account.role = Role::Admin)
}

impl World {
    /// An active member; the id is the part of the address before the `@`.
    pub(super) fn account(self, email: &str) -> Self {
        let id = email.split('@').next().unwrap_or_default().to_owned();
        self.account_as(&id, email)
    }

    pub(super) fn account_as(self, id: &str, email: &str) -> Self {
        self.change(|inputs| {
            inputs.population.accounts.push(Account {
                id: id.to_owned(),
                emails: EmailAddress::parse(email).into_iter().collect(),
                name: None,
                status: Status::Active,
                role: Role::Member,
                view_only: None,
                external_id: None,
                joined_at: None,
                last_login_at: None,
            });
        })
    }

    /// Adds this number of accounts.
    pub(super) fn crowd(mut self, count: usize) -> Self {
        for number in 0..count {
            self = self.account(&format!("c{number}@example.com"));
        }
        self
    }

    pub(super) fn set(self, id: &str, change: impl FnOnce(&mut Account)) -> Self {
        self.change(|inputs| {
            let account = inputs.population.accounts.iter_mut().find(|a| a.id == id);
            change(account.expect("the account is in the world"));
        })
    }

    pub(super) fn status(self, id: &str, status: Status) -> Self {
        self.set(id, |account| account.status = status)
    }

    pub(super) fn role(self, id: &str, role: Role) -> Self {
        self.set(id, |account| account.role = role)
    }

    pub(super) fn email(self, id: &str, email: &str) -> Self {
        self.set(id, |account| account.emails = vec![mail(email)])
    }

    pub(super) fn named(self, id: &str, name: &str) -> Self {
        self.set(id, |account| account.name = Some(name.to_owned()))
    }

    /// Removes an account from the list.
    pub(super) fn without(self, id: &str) -> Self {
        self.change(|inputs| inputs.population.accounts.retain(|a| a.id != id))
    }

    /// A terminated person whose id is `E-` and the part of the address before the `@`.
    pub(super) fn leaver(self, email: &str, end: Date) -> Self {
        let id = format!("E-{}", email.split('@').next().unwrap_or_default());
        self.hr(row(&id).mail(email).ended().end(end))
    }

    pub(super) fn hr(self, row: WorldRow) -> Self {
        self.change(|inputs| {
            let line = inputs.hr.rows.len() as u64 + 2;
            inputs.hr.rows.push(HrRow { line, ..row.0 });
        })
    }

    /// Adds a line to the aliases, numbered by its position below the header.
    pub(super) fn alias(self, change: impl FnOnce(&mut Alias)) -> Self {
        self.change(|inputs| {
            let mut file = inputs.manual.aliases.take().unwrap_or_else(no_lines);
            let mut alias = Alias {
                line: file.lines.len() as u64 + 2,
                reason: text("checked manually"),
                approved_by: text("ciso@example.com"),
                ..Alias::default()
            };
            change(&mut alias);
            file.lines.push(alias);
            file.sha256 = format!("{:064}", file.lines.len());
            inputs.manual.aliases = Some(file);
        })
    }

    /// Adds an exception, approved by another person and in force for a month.
    pub(super) fn exception(self, change: impl FnOnce(&mut Exception)) -> Self {
        self.change(|inputs| {
            let mut file = inputs.manual.exceptions.take().unwrap_or_else(no_lines);
            let mut exception = Exception {
                line: file.lines.len() as u64 + 2,
                reason: text("hands over a project"),
                approved_by: text("ciso@example.com"),
                approved_on: text("2026-11-20"),
                expires_on: text("2026-12-24"),
                ..Exception::default()
            };
            change(&mut exception);
            file.lines.push(exception);
            file.sha256 = format!("{:064}", file.lines.len());
            inputs.manual.exceptions = Some(file);
        })
    }

    /// Removes all HR rows.
    pub(super) fn no_rows(self) -> Self {
        self.change(|inputs| {
            inputs.hr.rows.clear();
            inputs.hr.rejected.clear();
            inputs.hr.unusable = None;
        })
    }

    pub(super) fn rejected(self, person_id: Option<&str>, email: Option<&str>) -> Self {
        self.change(|inputs| {
            inputs.hr.rejected.push(RejectedRow {
                line: 9,
                reason: "the date cannot be read".to_owned(),
                names_setting: false,
                person_id: person_id.map(str::to_owned),
                email: email.map(Into::into),
                name: None,
                other_emails: Vec::new(),
            });
        })
    }

    pub(super) fn unusable(self) -> Self {
        self.no_rows()
            .change(|inputs| inputs.hr.unusable = Some("no header was found".to_owned()))
    }

    /// Cuts the list half-way.
    pub(super) fn cut(self) -> Self {
        self.change(|inputs| {
            inputs.population.listing.stopped_because = Some("a cursor came twice".to_owned());
        })
    }

    pub(super) fn at(self, instant: &str) -> Self {
        let instant = at(instant);
        self.change(|inputs| {
            inputs.as_of = instant;
            inputs.run = run_at(instant).into();
            inputs.hr.origin.modified_at = Some(instant - SignedDuration::from_hours(1));
        })
    }

    pub(super) fn policy(self, change: impl FnOnce(&mut Policy)) -> Self {
        self.change(|inputs| change(&mut inputs.policy))
    }

    /// Any other change, followed by an update of the counts.
    pub(super) fn change(mut self, change: impl FnOnce(&mut Inputs)) -> Self {
        change(&mut self.inputs);
        let population = &mut self.inputs.population;
        population.listing.unique = population.accounts.len() as u64;
        population.listing.rows = population.listing.unique
            + population.listing.duplicates
            + population.listing.rejected.len() as u64;
        self
    }

    /// A change without an update of the counts.
    pub(super) fn exactly(mut self, change: impl FnOnce(&mut Inputs)) -> Judgement {
        change(&mut self.inputs);
        judge(&self.inputs)
    }

    pub(super) fn judge(&self) -> Judgement {
        let judged = judge(&self.inputs);
        ensure_sums_reconcile(&self.inputs, &judged).expect("the sums reconcile");
        judged
    }

    /// Judges this run as the past of the next evening's run. Accounts and rows do not change, and the list is
    /// complete.
    pub(super) fn next(self) -> Self {
        let judged = self.judge();
        let Inputs {
            as_of,
            run,
            policy,
            population,
            manual,
            past,
            ..
        } = self.inputs.clone();
        let sequence = past.ledger_head.unwrap_or_default() + 1;
        let at = RunRef {
            sequence,
            run: run.to_string(),
            manifest_sha256: "00".repeat(32),
        };
        let baseline = if judged.complete {
            Some(Baseline {
                at: at.clone(),
                workspace_id: population.workspace.id.clone(),
                as_of,
                accounts: population.accounts,
                former_emails: judged.former_emails,
                gone: judged.gone,
                mapping: population.mapping,
            })
        } else {
            past.baseline
        };
        let findings = judged.findings.iter();
        let previous = Previous {
            schedule: self.inputs.schedule.clone(),
            ledger_faults: Vec::new(),
            manual: manual.sha256(),
            links: judged.links,
            feed_url: self.inputs.hr.origin.url.clone(),
            feed_since: judged.feed_since,
            exceptions_since: judged
                .manual
                .iter()
                .filter_map(|line| Some((line.exception_id.clone()?, line.in_force_since?)))
                .collect(),
            follow_ups: judged.follow_ups,
            at,
            workspace_id: Some(population.workspace.id),
            policy,
            leavers: {
                let leavers = judged.leavers.into_iter();
                let leavers = leavers.map(|of| Arc::new(for_later_runs(of, self.inputs.as_of)));
                leavers.chain(judged.concluded).collect()
            },
            findings_first_seen: findings
                .map(|finding| (finding.finding_id.clone(), finding.first_seen))
                .collect(),
            trend: judged.trend,
        };
        self.change(|inputs| {
            inputs.past = Past {
                ledger_faults: Vec::new(),
                ledger_head: Some(sequence),
                clock_behind_seconds: 0,
                failed_since_baseline: 0,
                baseline,
                previous: Some(previous),
            };
            inputs.population.listing.stopped_because = None;
        })
        .sleep()
    }

    /// A run that left only a failure record.
    pub(super) fn sleep(self) -> Self {
        let next = (self.inputs.as_of + DAY).to_string();
        self.at(&next)
    }

    /// This number of runs without changes.
    pub(super) fn snapshots(mut self, count: usize) -> Self {
        for _ in 0..count {
            self = self.next();
        }
        self
    }
}

/// A row of the HR file.
#[derive(Clone, Debug)]
pub(super) struct WorldRow(pub(super) HrRow);

/// A row with only an id.
pub(super) fn row(id: &str) -> WorldRow {
    let person_id = Some(id.to_owned()).filter(|id| !id.is_empty());
    WorldRow(HrRow {
        person_id,
        ..HrRow::default()
    })
}

impl WorldRow {
    pub(super) fn mail(mut self, email: &str) -> Self {
        self.0.email = Some(mail(email));
        self
    }

    pub(super) fn other(mut self, email: &str) -> Self {
        self.0.other_emails.push(mail(email));
        self
    }

    pub(super) fn name(mut self, name: &str) -> Self {
        self.0.name = Some(name.to_owned());
        self
    }

    pub(super) fn ended(mut self) -> Self {
        self.0.status = Employment::Ended;
        self
    }

    pub(super) fn active(mut self) -> Self {
        self.0.status = Employment::Active;
        self
    }

    pub(super) fn word(mut self, word: &str) -> Self {
        self.0.status = Employment::Unclassified(word.to_owned());
        self
    }

    pub(super) fn start(mut self, first: Date) -> Self {
        self.0.start = Some(opening(first));
        self
    }

    pub(super) fn end(mut self, last: Date) -> Self {
        self.0.end = Some(closing(last));
        self
    }

    pub(super) fn last_day(mut self, last: Date) -> Self {
        self.0.last_day = Some(closing(last));
        self
    }
}

pub(super) fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn no_lines<L>() -> ManualFile<L> {
    ManualFile {
        url: "by-hand.csv".to_owned(),
        sha256: String::new(),
        bytes: 0,
        lines: Vec::new(),
    }
}

pub(super) fn date(year: i16, month: i8, of_month: i8) -> Date {
    day(year, month, of_month)
}

pub(super) fn at(instant: &str) -> Timestamp {
    instant.parse().expect("an instant")
}

pub(super) fn mail(email: &str) -> EmailAddress {
    EmailAddress::parse(email).expect("an address")
}

fn midnight(opens: Date) -> Timestamp {
    let midnight = TimeZone::UTC.to_timestamp(opens.at(0, 0, 0, 0));
    midnight.expect("an instant")
}

/// The midnight at the beginning of a day, in UTC.
fn opening(first: Date) -> HrDate {
    HrDate {
        written: first.to_string().into(),
        at: midnight(first),
        zone: "Etc/UTC".into(),
    }
}

/// The midnight at the end of a day, in UTC.
fn closing(last: Date) -> HrDate {
    HrDate {
        written: last.to_string().into(),
        at: midnight(last.tomorrow().expect("a day after")),
        zone: "Etc/UTC".into(),
    }
}

fn run_at(as_of: Timestamp) -> String {
    format!("dt={}/run={as_of}", as_of.strftime("%Y-%m-%d"))
}

/// Memberships that name exactly the accounts of the list.
pub(super) fn agreeing() -> Memberships {
    Memberships::Read {
        rows: 1,
        rejected: 0,
        active: 1,
        inactive: 0,
        unknown: 0,
        active_not_listed: Vec::new(),
        listed_without_membership: Vec::new(),
    }
}

/// The one leaver with an address.
pub(super) fn leaver<'a>(judged: &'a Judgement, email: &str) -> &'a Leaver {
    let email = mail(email);
    let mut found = judged
        .leavers
        .iter()
        .filter(|leaver| leaver.emails.contains(&email) && !leaver.superseded);
    let leaver = found.next().expect("a leaver with this address");
    assert!(found.next().is_none(), "several leavers with {email}");
    leaver
}

pub(super) fn outcome(judged: &Judgement, email: &str) -> Outcome {
    leaver(judged, email).outcome
}

pub(super) fn check(judged: &Judgement, id: CheckId) -> &Check {
    let mut found = judged.checks.iter().filter(|check| check.id == id);
    let check = found.next().expect("every check is there");
    assert!(found.next().is_none(), "{id} is there twice");
    check
}

pub(super) fn status(judged: &Judgement, id: CheckId) -> CheckStatus {
    check(judged, id).status
}

pub(super) fn kinds(judged: &Judgement) -> Vec<FindingKind> {
    judged.findings.iter().map(|finding| finding.kind).collect()
}

/// Each change in one line: its kind, subject, and values before and after.
pub(super) fn changes(judged: &Judgement) -> Vec<String> {
    let line = |change: &Change| {
        let account = change.account_id.as_deref();
        let person = change.person_id.as_deref();
        let rule = change.name.as_deref();
        format!(
            "{} {}: {} -> {}",
            change.change,
            person.or(account).or(rule).unwrap_or_default(),
            change.before,
            change.after
        )
    };
    judged.changes.iter().map(line).collect()
}

/// A person who left on 2 November 2026.
pub(super) fn left(id: &str) -> WorldRow {
    row(id).ended().end(date(2026, 11, 2))
}

/// The outcome of the leaver with an id.
pub(super) fn outcome_of(judged: &Judgement, id: &str) -> Outcome {
    let mut leavers = judged.leavers.iter();
    let leaver = leavers.find(|leaver| leaver.person_id.as_deref() == Some(id));
    leaver.expect("a leaver with this id").outcome
}
