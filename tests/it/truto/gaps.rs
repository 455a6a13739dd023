//! Gaps of the list are filled with the fewest sufficient requests, for every form of the list and
//! every set of permissions.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use asana_access_review::model::{Account, Role, Status};
use insta::assert_snapshot;
use truto_simulator::{
    CustomEnvelope, Gap, ListFields, Permission, Simulator, Words, World, generated_person,
};

use super::{fetch_from, scenario};

/// A few more than fit on two pages of five.
const ACCOUNTS: usize = 12;

/// A form of the list.
struct Shape {
    name: &'static str,
    change: fn(&mut World),
    lacks: Lacks,
}

/// The fields that must come from other requests.
#[derive(Clone, Copy, Default)]
struct Lacks {
    email: bool,
    status: bool,
    role: bool,
}

const SHAPES: [Shape; 10] = [
    Shape {
        name: "full",
        change: |_| {},
        lacks: Lacks {
            email: false,
            status: false,
            role: false,
        },
    },
    Shape {
        name: "id and name",
        change: |world| world.list_fields = ListFields::ID_AND_NAME,
        lacks: Lacks {
            email: true,
            status: true,
            role: true,
        },
    },
    Shape {
        name: "id and name, null",
        change: |world| {
            world.list_fields = ListFields::ID_AND_NAME;
            world.gap = Gap::Null;
        },
        lacks: Lacks {
            email: true,
            status: true,
            role: true,
        },
    },
    Shape {
        name: "no e-mail",
        change: |world| world.list_fields = ListFields::WITHOUT_EMAIL,
        lacks: Lacks {
            email: true,
            status: false,
            role: false,
        },
    },
    Shape {
        name: "no status",
        change: |world| world.list_fields = ListFields::WITHOUT_STATUS,
        lacks: Lacks {
            email: false,
            status: true,
            role: false,
        },
    },
    Shape {
        name: "no roles",
        change: |world| world.list_fields = ListFields::WITHOUT_ROLES,
        lacks: Lacks {
            email: false,
            status: false,
            role: true,
        },
    },
    Shape {
        name: "roles empty",
        change: |world| {
            world.list_fields = ListFields::WITHOUT_ROLES;
            world.gap = Gap::Empty;
        },
        lacks: Lacks {
            email: false,
            status: false,
            role: true,
        },
    },
    // An unknown word is reported. A single read of the account would return the same word.
    Shape {
        name: "raw status",
        change: |world| world.status_words = Words::Raw,
        lacks: Lacks {
            email: false,
            status: false,
            role: false,
        },
    },
    Shape {
        name: "raw role",
        change: |world| world.role_words = Words::Raw,
        lacks: Lacks {
            email: false,
            status: false,
            role: false,
        },
    },
    Shape {
        name: "remote_data",
        change: |world| {
            world.list_fields = ListFields::ID_AND_NAME;
            world.remote_data = true;
        },
        lacks: Lacks {
            email: true,
            status: false,
            role: false,
        },
    },
];

fn refusals(status: u16) -> Permission {
    match status {
        403 => Permission::missing_scope("default"),
        _ => Permission::NotFound,
    }
}

/// The number of requests by purpose.
fn calls(simulator: &Simulator) -> BTreeMap<&'static str, usize> {
    let mut calls = BTreeMap::new();
    for request in simulator.requests() {
        let name = match request.path.as_str() {
            "/unified/user-directory/users" => "list",
            "/custom/users" => "e-mails",
            path if path.ends_with("/workspace_memberships") => "memberships",
            path if path.ends_with("/meta/list") => continue,
            path if path.starts_with("/unified/user-directory/users/") => "gets",
            _ => continue,
        };
        *calls.entry(name).or_default() += 1;
    }
    calls
}

/// The requests that the rules require.
fn expected(
    lacks: Lacks,
    memberships: bool,
    e_mails: bool,
    gets: bool,
) -> BTreeMap<&'static str, usize> {
    let pages = ACCOUNTS.div_ceil(5);
    let mut calls = BTreeMap::from([("list", pages)]);
    calls.insert("memberships", if memberships { pages } else { 1 });
    // The memberships have every address.
    let lacks_email = lacks.email && !memberships;
    if lacks_email {
        calls.insert("e-mails", if e_mails { pages } else { 1 });
    }
    let by_get = (lacks_email && !e_mails) || ((lacks.status || lacks.role) && !memberships);
    if by_get {
        // If one account is refused, all are, but several requests may be pending.
        calls.insert("gets", if gets { ACCOUNTS } else { 1 });
    }
    calls
}

fn known(accounts: &[Account]) -> [usize; 3] {
    let count = |of: fn(&Account) -> bool| accounts.iter().filter(|a| of(a)).count();
    [
        count(|a| !a.emails.is_empty()),
        count(|a| !matches!(a.status, Status::Unknown(_))),
        count(|a| !matches!(a.role, Role::Unknown(_))),
    ]
}

/// A value that differs from the truth would be a guess.
fn ensure_true_or_unknown(accounts: &[Account], shape: &str) {
    for (account, number) in accounts.iter().zip(1..) {
        let person = generated_person(number);
        assert_eq!(account.id, person.gid, "{shape}");
        let email = account.emails.first().map(|email| email.as_written());
        assert!(
            email.is_none() || email == person.email.as_deref(),
            "{shape}: {account:?}"
        );
        let role = match (person.admin, person.guest) {
            (true, _) => Role::Admin,
            (false, true) => Role::Guest,
            (false, false) => Role::Member,
        };
        assert!(
            account.role == role || matches!(account.role, Role::Unknown(_)),
            "{shape}: {account:?}"
        );
        let has_access = person.status.is_active();
        let reported = match account.status {
            Status::Active | Status::Invited => Some(true),
            Status::Inactive => Some(false),
            Status::Listed | Status::Unknown(_) => None,
        };
        assert!(
            reported.is_none_or(|reported| reported == has_access),
            "{shape}: {account:?}"
        );
    }
}

#[tokio::test]
async fn each_gap_is_filled_with_the_fewest_requests_and_never_guessed() {
    let mut table = String::from(
        "list              | refused                    | calls                                          | known: e-mail, status, role\n",
    );
    for shape in &SHAPES {
        for which in 0..8 {
            let open = [which & 1 == 0, which & 2 == 0, which & 4 == 0];
            let [memberships, e_mails, gets] = open;
            let mut lines = Vec::new();
            for status in [403, 404] {
                let world = World::generated(ACCOUNTS).with(|world| {
                    world.page_size_cap = 5;
                    (shape.change)(world);
                    let permission = |open| match open {
                        true => Permission::Granted,
                        false => refusals(status),
                    };
                    world.memberships = permission(memberships);
                    world.custom_users = permission(e_mails);
                    world.gets = permission(gets);
                });
                let simulator = Simulator::spawn(world);
                let fetched = fetch_from(&simulator).await.expect(shape.name);
                let population = fetched.population;
                ensure_true_or_unknown(&population.accounts, shape.name);

                let mut calls = calls(&simulator);
                let model = expected(shape.lacks, memberships, e_mails, gets);
                let get_refused = !gets && model.contains_key("gets");
                if get_refused {
                    // A 404 may concern one account only, so every account is read, and none is
                    // found. After a refusal, only the pending requests are answered.
                    let asked = calls.insert("gets", 1).unwrap_or_default();
                    assert!(asked >= 1, "{}", shape.name);
                    assert!(
                        asked <= if status == 404 { ACCOUNTS } else { 8 },
                        "{}",
                        shape.name
                    );
                }
                assert_eq!(calls, model, "{}, {open:?}, {status}", shape.name);

                // The evidence records the same requests.
                let recorded = |end: &str| -> u64 {
                    let of = population.requests.iter().filter(|r| r.path.ends_with(end));
                    of.map(|request| request.answers).sum()
                };
                for (end, name) in [
                    ("user-directory/users", "list"),
                    ("/workspace_memberships", "memberships"),
                    ("/custom/users", "e-mails"),
                ] {
                    let made = calls.get(name).copied().unwrap_or_default();
                    assert_eq!(recorded(end), made as u64, "{}: {end}", shape.name);
                }

                let words: Vec<_> = calls
                    .iter()
                    .map(|(name, count)| match (*name, get_refused) {
                        ("gets", true) => "gets refused".to_owned(),
                        _ => format!("{name} {count}"),
                    })
                    .collect();
                let [email, state, role] = known(&population.accounts);
                lines.push(format!(
                    "{:<46} | {email:>2} {state:>2} {role:>2}",
                    words.join(", ")
                ));
            }
            // 403 and 404 differ only in the scopes that are named.
            assert_eq!(lines[0], lines[1], "{}", shape.name);
            let refused: Vec<_> = [
                (memberships, "memberships"),
                (e_mails, "e-mails"),
                (gets, "gets"),
            ]
            .into_iter()
            .filter(|(open, _)| !open)
            .map(|(_, name)| name)
            .collect();
            let _ = writeln!(
                table,
                "{:<17} | {:<26} | {}",
                shape.name,
                refused.join(", "),
                lines[0]
            );
        }
    }
    assert_snapshot!("gaps", table);
}

#[tokio::test]
async fn asanas_own_lists_are_read_in_each_envelope_with_their_own_cursor() {
    let full = World::generated(ACCOUNTS).with(|world| world.page_size_cap = 5);
    let truth = fetch_from(&Simulator::spawn(full)).await.expect("accounts");
    for (envelope, parameter, other) in [
        (CustomEnvelope::Truto, "next_cursor", "offset"),
        (CustomEnvelope::Asana, "offset", "next_cursor"),
        (CustomEnvelope::AsanaInResult, "offset", "next_cursor"),
    ] {
        let simulator = Simulator::spawn(World::generated(ACCOUNTS).with(|world| {
            world.page_size_cap = 5;
            world.list_fields = ListFields::ID_AND_NAME;
            world.membership_emails = false;
            world.custom_envelope = envelope;
        }));
        let fetched = fetch_from(&simulator).await.expect("accounts").population;
        assert_eq!(
            fetched.memberships, truth.population.memberships,
            "{envelope:?}"
        );
        assert_eq!(known(&fetched.accounts), [ACCOUNTS; 3], "{envelope:?}");
        for path in ["/custom/users", "/workspace_memberships"] {
            let requests = simulator.requests();
            let pages: Vec<_> = requests.iter().filter(|r| r.path.ends_with(path)).collect();
            assert_eq!(pages.len(), 3, "{envelope:?} {path}");
            for (page, number) in pages.iter().zip(1..) {
                assert_eq!(page.query(parameter).is_some(), number > 1, "{envelope:?}");
                assert_eq!(page.query(other), None, "{envelope:?}");
            }
        }
    }
}

#[tokio::test]
async fn an_account_that_is_not_found_alone_hides_no_other_account() {
    let simulator = Simulator::spawn(scenario("get-404"));
    let population = fetch_from(&simulator).await.expect("accounts").population;
    assert_eq!(known(&population.accounts), [11, 11, 11]);
    assert_eq!(population.gaps.gets_not_found, 1);
}

#[tokio::test]
async fn of_two_memberships_the_current_one_fills_the_gap() {
    let simulator = Simulator::spawn(scenario("rejoined").with(|world| {
        world.list_fields = ListFields::ID_AND_NAME;
    }));
    let population = fetch_from(&simulator).await.expect("accounts").population;
    ensure_true_or_unknown(&population.accounts, "rejoined");
    assert_eq!(known(&population.accounts), [ACCOUNTS; 3]);
    assert_eq!(calls(&simulator).get("gets"), None);
}

#[tokio::test]
async fn an_account_without_a_membership_is_read_alone() {
    let simulator = Simulator::spawn(scenario("disagreeing-witness").with(|world| {
        world.list_fields = ListFields::ID_AND_NAME;
    }));
    let population = fetch_from(&simulator).await.expect("accounts").population;
    // One account is listed without a membership, and another has a membership but is not listed.
    assert_eq!(calls(&simulator).get("gets"), Some(&1));
    assert_eq!(known(&population.accounts), [ACCOUNTS - 1; 3]);
}
