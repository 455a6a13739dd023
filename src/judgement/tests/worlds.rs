//! Random worlds: small, unusual, and often about the same few people.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::RngSeed;
use sha2::{Digest, Sha256};

use super::world::*;
use crate::judgement::FeedScope;
use crate::model::{
    Account, Alias, EmailAddress, Employment, Exception, FeedColumn, HrRow, ManualFile, Meaning,
    RejectedRow, Role, Status, UnreadCell,
};

/// A fixed number of cases with a fixed seed, or `PROPTEST_CASES` random ones.
pub(super) fn cases(usual: u32) -> ProptestConfig {
    const WITHOUT_THE_VARIABLE: u32 = 256;
    let config = ProptestConfig {
        failure_persistence: None,
        max_global_rejects: 100_000,
        ..ProptestConfig::default()
    };
    if config.cases != WITHOUT_THE_VARIABLE {
        return config;
    }
    ProptestConfig {
        cases: usual,
        rng_seed: RngSeed::Fixed(0),
        ..config
    }
}

/// The parts of a world that change from run to run.
#[derive(Clone, Debug)]
pub(super) struct WorldRun {
    pub(super) accounts: Vec<Account>,
    pub(super) rows: Vec<HrRow>,
    pub(super) rejected: Vec<RejectedRow>,
    pub(super) aliases: Vec<Alias>,
    pub(super) exceptions: Vec<Exception>,
    pub(super) domain_aliases: Vec<String>,
    pub(super) scope: FeedScope,
    pub(super) allow_empty: bool,
    pub(super) cut: bool,
    pub(super) unusable: bool,
    /// Whether the feed has a status column. It always has one if a row has a status.
    pub(super) status_column: bool,
    /// The number of further accounts, so that a fall is visible.
    pub(super) crowd: usize,
}

const MAILS: &[&str] = &[
    "ada@example.com",
    "ada@example.com",
    "ada@example.com",
    "ADA@Example.com ",
    "ada+x@example.com",
    "bob@example.com",
    "bob@example.com",
    "bob@example.io",
    "\u{430}da@example.com",
    "ada@gmail.com",
    "eve@partner.example",
    "root@example.com",
    "kim@example.com",
    "k\u{131}m@example.com",
];
/// Names that agree (`Ada Diaz`, `Ada Maria Diaz`), are related (`Ada Roe`), unlike, or in another script.
const NAMES: &[&str] = &[
    "Ada Diaz",
    "Ada Diaz",
    "diaz, ada",
    "Ada Maria Diaz",
    "Ada Roe",
    "Bob Roe",
    "Eve",
    "\u{410}\u{434}\u{430} \u{414}\u{438}\u{430}\u{441}",
];
const IDS: &[&str] = &["E1", "E1", "E2", "E3"];

fn texts(of: &'static [&'static str]) -> impl Strategy<Value = String> {
    select(of).prop_map(str::to_owned)
}

/// Sometimes one of these.
fn maybe(of: &'static [&'static str]) -> impl Strategy<Value = Option<String>> {
    option::weighted(0.3, texts(of))
}

fn mails(
    of: impl Into<proptest::collection::SizeRange>,
) -> impl Strategy<Value = Vec<EmailAddress>> {
    vec(select(MAILS).prop_map(mail), of)
}

fn an_account() -> impl Strategy<Value = Account> {
    let status = prop_oneof![
        4 => Just(Status::Active),
        1 => Just(Status::Invited),
        2 => Just(Status::Inactive),
        1 => Just(Status::Unknown(Some("paused".to_owned()))),
    ];
    let role = prop_oneof![
        5 => Just(Role::Member),
        1 => Just(Role::Admin),
        2 => Just(Role::Guest),
        1 => Just(Role::Unknown(None)),
    ];
    let emails = prop_oneof![1 => mails(0..1), 8 => mails(1..2), 1 => mails(2..3)];
    let joined = option::weighted(
        0.2,
        select(vec!["2026-11-01T08:00:00Z", "2026-11-23T08:00:00Z"]),
    );
    (
        0..6usize,
        emails,
        option::of(texts(NAMES)),
        status,
        role,
        maybe(IDS),
        joined,
    )
        .prop_map(
            |(id, emails, name, status, role, external_id, joined)| Account {
                id: id.to_string(),
                emails,
                name,
                status,
                role,
                view_only: None,
                external_id,
                joined_at: joined.map(at),
                last_login_at: None,
            },
        )
}

/// Accounts with distinct ids.
fn accounts(most: usize) -> impl Strategy<Value = Vec<Account>> {
    vec(an_account(), 0..=most).prop_map(distinct)
}

fn distinct(mut accounts: Vec<Account>) -> Vec<Account> {
    let mut kept: Vec<Account> = Vec::new();
    for account in accounts.drain(..) {
        if kept.iter().all(|other| other.id != account.id) {
            kept.push(account);
        }
    }
    kept
}

fn a_row() -> impl Strategy<Value = HrRow> {
    let status = prop_oneof![
        4 => Just(Employment::Ended),
        2 => Just(Employment::Active),
        1 => Just(Employment::OnLeave),
        1 => Just(Employment::Blank),
        1 => Just(Employment::Unclassified("Leave".to_owned())),
    ];
    let ends = select(vec![
        date(2025, 5, 31),
        date(2026, 11, 2),
        date(2026, 11, 2),
        date(2026, 11, 2),
        date(2026, 11, 21),
        date(2026, 11, 22),
        date(2026, 11, 23),
        date(2026, 12, 24),
        date(2028, 6, 30),
    ]);
    // Around the ends: more than 31 days before, at a transfer, the day after, later, and in the future.
    let starts = select(vec![
        date(2020, 1, 1),
        date(2026, 9, 15),
        date(2026, 10, 20),
        date(2026, 11, 2),
        date(2026, 11, 3),
        date(2026, 11, 5),
        date(2027, 1, 4),
    ]);
    (
        option::weighted(0.8, texts(IDS)),
        option::weighted(0.75, select(MAILS).prop_map(mail)),
        prop_oneof![5 => mails(0..1), 1 => mails(1..2)],
        option::weighted(0.75, texts(NAMES)),
        status,
        option::weighted(0.4, starts),
        option::weighted(0.7, ends.clone()),
        option::weighted(0.15, ends),
        prop::bool::weighted(0.05),
        prop_oneof![5 => vec(an_unread_cell(), 0..1), 1 => vec(an_unread_cell(), 1..3)],
    )
        .prop_map(
            |(id, email, other, name, status, start, end, last_day, unreadable, mut unread)| {
                let mut made = row(id.as_deref().unwrap_or_default());
                made.0.email = email;
                made.0.other_emails = other;
                made.0.name = name;
                made.0.status = status;
                made.0.unreadable_address = unreadable;
                unread.dedup_by_key(|cell| cell.column);
                made.0.unread = unread;
                if let Some(start) = start {
                    made = made.start(start);
                }
                if let Some(end) = end {
                    made = made.end(end);
                }
                if let Some(last_day) = last_day {
                    made = made.last_day(last_day);
                }
                made.0
            },
        )
}

/// The columns of the feed; the last ones are unread.
const COLUMNS: &[(&str, Meaning)] = &[
    ("Employee ID", Meaning::PersonId),
    ("Name", Meaning::Name),
    ("Work Email", Meaning::Email),
    ("Status", Meaning::Status),
    ("Exit Effective", Meaning::Unread),
    ("Login", Meaning::Unread),
];
const STATUS: usize = 3;
const UNREAD_DATE: usize = 4;
const UNREAD_ADDRESS: usize = 5;

fn an_unread_cell() -> impl Strategy<Value = UnreadCell> {
    let past_or_to_come = select(vec!["2026-11-03T00:00:00Z", "2026-12-25T00:00:00Z"]);
    prop_oneof![
        past_or_to_come.prop_map(|date| UnreadCell {
            column: UNREAD_DATE,
            date: Some(at(date)),
            emails: Vec::new(),
        }),
        mails(1..2).prop_map(|emails| UnreadCell {
            column: UNREAD_ADDRESS,
            date: None,
            emails,
        }),
    ]
}

fn a_rejected_row() -> impl Strategy<Value = RejectedRow> {
    (maybe(IDS), maybe(MAILS), 100..110u64).prop_map(|(person_id, email, line)| RejectedRow {
        line,
        reason: "the date cannot be read".to_owned(),
        names_setting: false,
        person_id,
        email: email.map(Into::into),
        name: None,
        other_emails: Vec::new(),
    })
}

/// Texts that are not usable reasons.
const REASONS: &[&str] = &["n/a", "-", "see above", "<why>", "SEC-118"];
/// Texts that are not usable approvers, and people whom a line may concern.
const APPROVERS: &[&str] = &[
    "self",
    "-",
    "none, me",
    "<who>",
    "the boss",
    "bob.roe@",
    "ada@example.com",
    "\u{430}da@example.com",
    "Ada+boss@example.io",
    "ada-",
    "e1",
    "0",
    "Bob Roe",
    "Bob <bob@example.com>",
    "ada.diaz@home.example",
    "Dr. Ada Diaz <eve@partner.example>",
];

const ACCOUNT_IDS: &[&str] = &["0", "1", "2", "3"];

fn an_alias() -> impl Strategy<Value = Alias> {
    let relation = select(vec![
        None,
        Some("same"),
        Some("Different"),
        Some("service"),
        Some("same_person"),
        Some("x"),
    ]);
    let pairs = texts(&[
        "E1=E2",
        "ada@example.com = E2",
        "bob@example.com=ada@example.com",
        "E1=",
    ]);
    let reasons = prop_oneof![8 => Just("a bot"), 1 => select(REASONS)];
    let approvers = prop_oneof![
        12 => Just("ciso@example.com"),
        1 => Just("E77"),
        3 => select(APPROVERS),
    ];
    let expires_on = select(vec![
        None,
        Some("2026-12-24"),
        Some("2026-12-24"),
        Some("2026-11-23"),
        Some("2026-11-20"),
        Some("24.12.2026"),
    ]);
    (
        option::weighted(
            0.5,
            prop_oneof![9 => texts(MAILS), 1 => Just("ada@".to_owned())],
        ),
        option::weighted(0.7, texts(ACCOUNT_IDS)),
        option::weighted(0.6, texts(IDS)),
        relation,
        option::weighted(
            0.8,
            texts(&["E1", "E2", "E9", "ada@example.com", "root@example.com"]),
        ),
        option::weighted(0.95, reasons.prop_map(str::to_owned)),
        option::weighted(0.95, approvers.prop_map(str::to_owned)),
        pairs,
        expires_on,
        option::weighted(
            0.03,
            Just("the line has 3 cells, but the header has 7".to_owned()),
        ),
    )
        .prop_map(
            |(
                email,
                account_id,
                person_id,
                relation,
                owner,
                reason,
                approved_by,
                pair,
                expires_on,
                fault,
            )| {
                let mut alias = Alias {
                    line: 0,
                    email,
                    account_id,
                    person_id,
                    relation: relation.and_then(text),
                    owner,
                    reason,
                    approved_by,
                    expires_on: expires_on.and_then(text),
                    fault,
                };
                if relation == Some("same_person") {
                    (alias.email, alias.account_id, alias.owner) = (None, None, None);
                    alias.person_id = Some(pair);
                }
                alias
            },
        )
}

fn an_exception() -> impl Strategy<Value = Exception> {
    let keys = prop_oneof![
        3 => texts(IDS).prop_map(|id| (Some(id), None, None, None)),
        2 => texts(MAILS).prop_map(|email| (None, Some(email), None, None)),
        3 => texts(ACCOUNT_IDS).prop_map(|id| (None, None, Some(id), None)),
        1 => texts(&["population_drop", "hr_drop", "viewer"])
            .prop_map(|check| (None, None, None, Some(check))),
        1 => texts(&["leavers_without_address"]).prop_map(|check| (None, None, None, Some(check))),
        2 => (maybe(IDS), maybe(MAILS), maybe(ACCOUNT_IDS), maybe(&["population_drop"])),
    ];
    let days = prop_oneof![
        6 => texts(&["2026-12-24", "2026-12-31"]).prop_map(Some),
        1 => texts(&["2026-11-23", "2026-11-20"]).prop_map(Some),
        1 => texts(&["2027-02-10", "2027-02-23", "2026-12-24T10:00"]).prop_map(Some),
        1 => Just(None),
    ];
    let approvers = prop_oneof![
        8 => Just(text("ciso@example.com")),
        2 => texts(APPROVERS).prop_map(Some),
        1 => Just(None),
    ];
    let approved_on = prop_oneof![
        14 => Just(text("2026-11-20")),
        1 => texts(&["2026-11-23", "2026-11-24", "20.11.2026", "2026-09-01"]).prop_map(Some),
        1 => Just(None),
    ];
    let reasons = prop_oneof![12 => Just("hands over"), 1 => select(REASONS)];
    (
        keys,
        days,
        approvers,
        option::weighted(0.95, reasons.prop_map(str::to_owned)),
        approved_on,
    )
        .prop_map(
            |(
                (person_id, email, account_id, check),
                expires_on,
                approved_by,
                reason,
                approved_on,
            )| Exception {
                line: 0,
                email,
                person_id,
                account_id,
                check,
                reason,
                approved_by,
                approved_on,
                expires_on,
                ticket: None,
                fault: None,
            },
        )
}

/// A first run.
pub(super) fn a_run() -> impl Strategy<Value = WorldRun> {
    let scope = prop_oneof![
        4 => Just(FeedScope::Leavers),
        1 => Just(FeedScope::RecentLeavers),
        3 => Just(FeedScope::Roster),
    ];
    let domain_aliases = select(vec![
        Vec::new(),
        Vec::new(),
        vec!["example.com=example.io".to_owned()],
        vec![
            "Example.IO=gmail.com".to_owned(),
            "gmail.com=example.com".to_owned(),
        ],
    ]);
    (
        accounts(5),
        vec(a_row(), 0..5),
        prop_oneof![4 => vec(a_rejected_row(), 0..1), 1 => vec(a_rejected_row(), 1..3)],
        prop_oneof![1 => vec(an_alias(), 0..1), 1 => vec(an_alias(), 1..4)],
        prop_oneof![1 => vec(an_exception(), 0..1), 1 => vec(an_exception(), 1..4)],
        domain_aliases,
        scope,
        any::<bool>(),
        prop::bool::weighted(0.15),
        (
            prop::bool::weighted(0.1),
            any::<bool>(),
            prop::bool::weighted(0.1),
        ),
        select(vec![0, 0, 0, 0, 40]),
    )
        .prop_map(
            |(
                accounts,
                rows,
                rejected,
                aliases,
                exceptions,
                domain_aliases,
                scope,
                allow_empty,
                cut,
                (unusable, status_column, no_status),
                crowd,
            )| {
                let mut made = WorldRun {
                    accounts,
                    rows,
                    rejected,
                    aliases,
                    exceptions,
                    domain_aliases,
                    scope,
                    allow_empty,
                    cut,
                    unusable,
                    status_column,
                    crowd,
                };
                if no_status {
                    for row in &mut made.rows {
                        row.status = Employment::Blank;
                    }
                }
                made
            },
        )
}

/// One change before the next run.
#[derive(Clone, Debug)]
enum WorldStep {
    DropAccount(Index),
    DropRow(Index),
    AddAccount(Account),
    AddRow(Box<HrRow>),
    Status(Index, Status),
    Emails(Index, Vec<EmailAddress>),
    Name(Index, Option<String>),
    SetHrStatus(Index, Employment),
    BlankMail(Index),
    Mail(Index, EmailAddress),
    Clear(Index),
    Rejected(Vec<RejectedRow>),
    Aliases(Vec<Alias>),
    Exceptions(Vec<Exception>),
    Cut(bool),
    Unusable(bool),
    Leave(usize),
}

fn a_step() -> impl Strategy<Value = WorldStep> {
    let index = any::<Index>;
    prop_oneof![
        3 => index().prop_map(WorldStep::DropAccount),
        3 => index().prop_map(WorldStep::DropRow),
        3 => an_account().prop_map(WorldStep::AddAccount),
        4 => a_row().prop_map(|row| WorldStep::AddRow(Box::new(row))),
        3 => (index(), select(vec![Status::Active, Status::Inactive, Status::Unknown(None)]))
            .prop_map(|(at, status)| WorldStep::Status(at, status)),
        2 => (index(), mails(0..2)).prop_map(|(at, emails)| WorldStep::Emails(at, emails)),
        1 => (index(), option::of(texts(NAMES))).prop_map(|(at, name)| WorldStep::Name(at, name)),
        2 => (index(), select(vec![Employment::Active, Employment::Ended]))
            .prop_map(|(at, status)| WorldStep::SetHrStatus(at, status)),
        1 => index().prop_map(WorldStep::BlankMail),
        2 => (index(), select(MAILS)).prop_map(|(at, email)| WorldStep::Mail(at, mail(email))),
        1 => index().prop_map(WorldStep::Clear),
        1 => vec(a_rejected_row(), 0..2).prop_map(WorldStep::Rejected),
        2 => vec(an_alias(), 0..3).prop_map(WorldStep::Aliases),
        2 => vec(an_exception(), 0..3).prop_map(WorldStep::Exceptions),
        1 => any::<bool>().prop_map(WorldStep::Cut),
        1 => any::<bool>().prop_map(WorldStep::Unusable),
        1 => select(vec![0, 40]).prop_map(WorldStep::Leave),
    ]
}

impl WorldRun {
    fn step(mut self, step: WorldStep) -> Self {
        fn pick<T>(of: &mut [T], at: Index) -> Option<&mut T> {
            (!of.is_empty()).then(|| at.get_mut(of))
        }
        match step {
            WorldStep::DropAccount(at) if !self.accounts.is_empty() => {
                self.accounts.remove(at.index(self.accounts.len()));
            }
            WorldStep::DropRow(at) if !self.rows.is_empty() => {
                self.rows.remove(at.index(self.rows.len()));
            }
            WorldStep::DropAccount(_) | WorldStep::DropRow(_) => {}
            WorldStep::AddAccount(account) => {
                self.accounts.push(account);
                self.accounts = distinct(self.accounts);
            }
            WorldStep::AddRow(row) => self.rows.push(*row),
            WorldStep::Status(at, status) => {
                if let Some(account) = pick(&mut self.accounts, at) {
                    account.status = status;
                }
            }
            WorldStep::Emails(at, emails) => {
                if let Some(account) = pick(&mut self.accounts, at) {
                    account.emails = emails;
                }
            }
            WorldStep::Name(at, name) => {
                if let Some(account) = pick(&mut self.accounts, at) {
                    account.name = name;
                }
            }
            WorldStep::SetHrStatus(at, status) => {
                if let Some(row) = pick(&mut self.rows, at) {
                    row.status = status;
                }
            }
            WorldStep::BlankMail(at) => {
                if let Some(row) = pick(&mut self.rows, at) {
                    row.email = None;
                }
            }
            WorldStep::Mail(at, email) => {
                if let Some(row) = pick(&mut self.rows, at) {
                    row.email = Some(email);
                }
            }
            WorldStep::Clear(at) => {
                if let Some(row) = pick(&mut self.rows, at) {
                    (row.end, row.last_day, row.status) = (None, None, Employment::Blank);
                }
            }
            WorldStep::Rejected(rejected) => self.rejected = rejected,
            WorldStep::Aliases(aliases) => self.aliases = aliases,
            WorldStep::Exceptions(exceptions) => self.exceptions = exceptions,
            WorldStep::Cut(cut) => self.cut = cut,
            WorldStep::Unusable(unusable) => self.unusable = unusable,
            WorldStep::Leave(crowd) => self.crowd = crowd,
        }
        self
    }

    /// Sets the accounts, rows and lines of this run in a world that may have a past.
    pub(super) fn in_world(&self, world: World) -> World {
        let world = world.change(|inputs| {
            inputs
                .population
                .accounts
                .retain(|account| account.id == "root");
            inputs
                .population
                .accounts
                .extend(self.accounts.iter().cloned());
        });
        let mut world = world.crowd(self.crowd).no_rows();
        if !self.unusable {
            for row in &self.rows {
                world = world.hr(WorldRow(row.clone()));
            }
        }
        world
            .policy(|policy| {
                policy.hr_feed_scope = self.scope;
                policy.hr_feed_allow_empty = self.allow_empty;
                policy.email_domain_aliases.clone_from(&self.domain_aliases);
            })
            .change(|inputs| {
                if self.unusable {
                    inputs.hr.unusable = Some("no header was found".to_owned());
                } else {
                    inputs.hr.rejected.clone_from(&self.rejected);
                }
                let has_status = |row: &HrRow| row.status != Employment::Blank;
                let status_column = self.status_column || self.rows.iter().any(has_status);
                let column = |(index, (name, meaning)): (usize, &(&str, Meaning))| FeedColumn {
                    name: (*name).to_owned(),
                    meaning: match status_column || index != STATUS {
                        true => *meaning,
                        false => Meaning::Harmless,
                    },
                };
                inputs.hr.origin.columns = COLUMNS.iter().enumerate().map(column).collect();
                let stopped = || "a cursor came twice".to_owned();
                inputs.population.listing.stopped_because = self.cut.then(stopped);
                let aliases = self.aliases.iter().zip(2..);
                inputs.manual.aliases = a_file(
                    aliases
                        .map(|(of, line)| Alias { line, ..of.clone() })
                        .collect(),
                );
                let exceptions = self.exceptions.iter().zip(2..);
                inputs.manual.exceptions = a_file(
                    exceptions
                        .map(|(of, line)| Exception { line, ..of.clone() })
                        .collect(),
                );
            })
    }
}

/// A file of lines, or `None` without lines.
pub(super) fn a_file<L: std::fmt::Debug>(lines: Vec<L>) -> Option<ManualFile<L>> {
    let written = format!("{lines:?}");
    (!lines.is_empty()).then(|| ManualFile {
        url: "by-hand.csv".to_owned(),
        sha256: const_hex::encode(Sha256::digest(&written)),
        bytes: written.len() as u64,
        lines,
    })
}

/// Several runs, each a few steps after the previous one.
pub(super) fn snapshots(count: usize) -> impl Strategy<Value = Vec<WorldRun>> {
    (a_run(), vec(vec(a_step(), 0..4), count - 1)).prop_map(|(first, days)| {
        let mut snapshots = vec![first];
        for steps in days {
            let last = snapshots.last().expect("a first run").clone();
            snapshots.push(steps.into_iter().fold(last, WorldRun::step));
        }
        snapshots
    })
}

/// Each run with its past.
pub(super) fn worlds(snapshots: &[WorldRun]) -> Vec<World> {
    let mut worlds: Vec<World> = Vec::new();
    for snapshot in snapshots {
        let before = worlds.last().map_or_else(world, |last| last.clone().next());
        worlds.push(snapshot.in_world(before));
    }
    worlds
}
