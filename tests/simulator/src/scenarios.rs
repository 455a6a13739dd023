//! Worlds by name. Each shows one situation between a client, Truto and Asana.

use std::time::Duration;

use serde_json::json;

use crate::faults::{Action, Fault};
use crate::hris::Hris;
use crate::people::{self, Person, Status};
use crate::shape::{
    Admin, CustomEnvelope, Envelope, LastCursor, Limiter, ListFields, Permission, Viewer, Words,
};
use crate::world::World;

/// A scenario: its name, one sentence about it, and its world.
type Scenario = (&'static str, &'static str, fn() -> World);

/// Every scenario: its topic, its name, and one sentence about it. Those of one topic are together.
pub fn scenarios() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let of = |(topic, worlds): &(&'static str, &'static [Scenario])| {
        let topic = *topic;
        worlds
            .iter()
            .map(move |(name, about, _)| (topic, *name, *about))
    };
    TOPICS.iter().flat_map(of)
}

impl World {
    /// The world of the scenario with this name, if it exists.
    pub fn scenario(name: &str) -> Option<Self> {
        let mut worlds = TOPICS.iter().flat_map(|(_, worlds)| *worlds);
        let (_, _, world) = worlds.find(|(known, _, _)| *known == name)?;
        Some(world())
    }
}

/// The path of the list of users, not of a single user.
const LIST: &str = "user-directory/users$";

/// Twelve people: one administrator, one guest, one invited, one inactive, eight members.
fn twelve() -> World {
    World::generated(12)
}

/// Twelve people, and an HR system with the same people: the ninth has left.
fn with_hris(change: impl FnOnce(&mut Hris)) -> World {
    twelve().hris(Hris::generated(12).with(change))
}

/// Twelve people. The list has only id and name; only a get returns more.
fn sparse() -> World {
    twelve().with(|world| {
        world.list_fields = ListFields::ID_AND_NAME;
        world.memberships = Permission::NotFound;
        world.custom_users = Permission::NotFound;
    })
}

fn gid(number: usize) -> String {
    people::generated(number).gid
}

/// Every scenario, grouped by what an operator looks for.
const TOPICS: &[(&str, &[Scenario])] = &[
    (
        "Everything works",
        &[
            ("healthy", "Twelve accounts and nothing unusual.", twelve),
            (
                "story-run-1",
                "Northwind Instruments, first run: an administrator who left still has access.",
                World::story_first_run,
            ),
            (
                "story-run-2",
                "Northwind Instruments, second run: one leaver is removed, one account is new.",
                World::story_second_run,
            ),
            (
                "three-pages",
                "250 accounts on three pages of at most 100.",
                || World::generated(250),
            ),
            (
                "sandbox",
                "Truto reports the connection as a sandbox, in the region eu.",
                || {
                    twelve().with(|world| {
                        world.is_sandbox = true;
                        world.region = "eu".to_owned();
                    })
                },
            ),
            (
                "agents",
                "The workspace has two AI teammates, which Asana lists apart from its users.",
                || {
                    twelve().with(|world| {
                        let agent = |gid: &str, name: &str| (gid.to_owned(), name.to_owned());
                        world.agents =
                            vec![agent("1301", "Triage agent"), agent("1302", "Status agent")];
                    })
                },
            ),
        ],
    ),
    (
        "The token or the connection does not work",
        &[
            (
                "bad-token",
                "Truto refuses the API token: every call answers 401 without the remote flag.",
                || twelve().with(|world| world.token = "another-token".to_owned()),
            ),
            (
                "needs-reauth",
                "Asana no longer accepts the connection: needs_reauth, and 401 with the remote flag.",
                || twelve().connection_status("needs_reauth"),
            ),
            (
                "reauth-mid-run",
                "The second page of users answers 401 with the remote flag; then the connection is needs_reauth.",
                || {
                    let dead = Action::RemoteError {
                        status: 401,
                        message: "Not Authorized".to_owned(),
                    };
                    let fault = Fault::once(LIST, dead).nth(2);
                    World::generated(250).fault(fault.connection_becomes("needs_reauth"))
                },
            ),
            (
                "connecting",
                "The connection is not yet complete, and data requests answer 400.",
                || twelve().connection_status("connecting"),
            ),
            (
                "connecting-then-active",
                "The connection is connecting on the first two reads, and active from then on.",
                || {
                    twelve()
                        .connection_status("connecting")
                        .with(|world| world.connection_becomes = Some((2, "active".to_owned())))
                },
            ),
            (
                "blocked",
                "Truto has blocked the connection: every call for data answers 503.",
                || twelve().with(|world| world.blocked = true),
            ),
            (
                "two-connections",
                "The tenant has a second, older connection with the status needs_reauth.",
                || {
                    twelve().with(|world| {
                        world.other_connections = vec![(
                            "9a1d4b60-53e1-4f6d-8a52-7c0b6f1e2d33".to_owned(),
                            world.tenant_id.clone(),
                            "needs_reauth".to_owned(),
                        )];
                    })
                },
            ),
        ],
    ),
    (
        "Permissions are missing",
        &[
            (
                "missing-scope",
                "The list of users answers 403 and names the scope users:read.",
                || twelve().with(|world| world.users = Permission::missing_scope("users:read")),
            ),
            (
                "memberships-refused",
                "The list is complete, but workspace memberships answer 403.",
                || twelve().with(|world| world.memberships = Permission::missing_scope("default")),
            ),
            (
                "full-permissions-required",
                "Memberships answer 403 in Asana's words, “Full permissions are required”, and Truto names no scope.",
                || twelve().with(|world| world.memberships = Permission::FullPermissionsOnly),
            ),
            (
                "memberships-unauthorized",
                "The list of users is read, then memberships answer 401; then the connection is needs_reauth.",
                || twelve().with(|world| world.memberships = Permission::Unauthorized),
            ),
            (
                "refused-before",
                "Everything can be read, and Truto reports that Asana refused an earlier request of another program.",
                || {
                    twelve().with(|world| {
                        world.last_forbidden_error = json!({
                            "resource": "tasks",
                            "method": "list",
                            "missing_scopes": ["tasks:read"],
                            "occurred_at": "2026-08-31T07:00:00.000Z",
                        });
                    })
                },
            ),
            (
                "fields-refused",
                "The list has only id and name, and every source of other fields answers 403.",
                || {
                    twelve().with(|world| {
                        world.list_fields = ListFields::ID_AND_NAME;
                        world.memberships = Permission::missing_scope("default");
                        world.custom_users = Permission::missing_scope("users:read");
                        world.gets = Permission::missing_scope("users:read");
                    })
                },
            ),
            ("viewer-refused", "`/me` answers 403.", || {
                twelve().viewed_by(Viewer::Refused)
            }),
        ],
    ),
    (
        "Narrow permissions (ASANA_PERMISSIONS=narrow)",
        &[
            (
                "narrow",
                "Only narrow scopes: id, name and e-mail of the people who are active or invited.",
                || twelve().narrow(),
            ),
            (
                "narrow-guest",
                "Only narrow scopes, and a guest connected Asana: the list is short.",
                || {
                    World::generated(0)
                        .person(Person::member("1201", "Gwen Guest", "gwen@gmail.com").guest())
                        .person(people::generated(2))
                        .person(people::generated(3))
                        .viewed_by(Viewer::Person("1201".to_owned()))
                        .narrow()
                },
            ),
            (
                "narrow-single-list",
                "Only narrow scopes, and Asana's own list of users answers 403.",
                || {
                    let refused = Permission::missing_scope("users:read");
                    twelve().narrow().with(|world| world.custom_users = refused)
                },
            ),
            (
                "narrow-disagreeing",
                "Only narrow scopes, and Truto's list lacks an account that Asana's own list has.",
                || {
                    twelve()
                        .narrow()
                        .with(|world| world.omitted_rows = [gid(2)].into())
                },
            ),
            (
                "narrow-loop",
                "Only narrow scopes, and the second page of Asana's own list always returns its own cursor.",
                || {
                    World::generated(250)
                        .narrow()
                        .with(|world| world.custom_repeated_cursor = true)
                },
            ),
        ],
    ),
    (
        "The list is incomplete, or contradicts itself",
        &[
            (
                "repeated-cursor",
                "The second page always returns its own cursor as the next one.",
                || World::generated(250).with(|world| world.repeated_cursor = true),
            ),
            (
                "empty",
                "The list of users and the memberships are empty.",
                || {
                    twelve().with(|world| {
                        for person in &mut world.people {
                            person.listed = false;
                            person.memberships = Some(Vec::new());
                        }
                    })
                },
            ),
            ("partial-response", "The list is marked as partial.", || {
                twelve().with(|world| world.partial_response = true)
            }),
            (
                "two-thousand",
                "Exactly 2000 accounts, like a capped list, and memberships answer 403.",
                || {
                    World::generated(2000)
                        .with(|world| world.memberships = Permission::missing_scope("default"))
                },
            ),
            (
                "disagreeing-witness",
                "The account of an active membership is not listed, and a listed account has no membership.",
                || {
                    twelve()
                        .with_person(&gid(2), Person::unlisted)
                        .with_person(&gid(3), Person::without_membership)
                },
            ),
            (
                "guest-connection",
                "A guest connected Asana: the list is short and hides a person's identity.",
                || {
                    World::generated(0)
                        .person(Person::member("1201", "Gwen Guest", "gwen@gmail.com").guest())
                        .person(people::generated(2))
                        .person(people::generated(3))
                        .person(Person::member("1299", "Private User", "").without_email())
                        .viewed_by(Viewer::Person("1201".to_owned()))
                        .with(|world| world.memberships = Permission::Forbidden(Vec::new()))
                },
            ),
            (
                "vanished-viewer",
                "The account that connected Asana is no longer in any list.",
                || {
                    twelve().with_person(&gid(1), |person| {
                        person.unlisted().without_membership().inactive()
                    })
                },
            ),
            ("viewer-absent", "`/me` returns an empty list.", || {
                twelve().viewed_by(Viewer::Absent)
            }),
            (
                "row-without-id",
                "The list ends with a row that has no id.",
                || twelve().with(|world| world.row_without_id = true),
            ),
            (
                "expired-cursor",
                "The first cursor that is used has expired (400); later cursors work.",
                || World::generated(250).with(|world| world.expired_cursors = 1),
            ),
            (
                "two-workspaces",
                "The connection has a second workspace: one account is in both, three only in the second.",
                || {
                    const OTHER: &str = "1150527741687999";
                    let only_there =
                        (13..=15).map(|n| people::generated(n).in_workspaces(&[OTHER]));
                    twelve()
                        .workspace(OTHER, "Example Company Labs")
                        .with_person(&gid(1), |person| {
                            person.in_workspaces(&[crate::WORKSPACE_ID, OTHER])
                        })
                        .people(only_there)
                },
            ),
        ],
    ),
    (
        "Accounts lack a field",
        &[
            (
                "sparse-list",
                "The list has only id and name, memberships and Asana's list answer 404, and gets have all fields.",
                sparse,
            ),
            (
                "get-404",
                "A sparse list, and the get of one listed account answers 404.",
                || sparse().with(|world| world.gets_missing = [gid(3)].into()),
            ),
            (
                "no-email",
                "One active account, a service account, has no e-mail address.",
                || twelve().person(Person::member("1299", "Sync Service", "").without_email()),
            ),
            (
                "no-membership-emails",
                "Neither the list nor the memberships have e-mails, but Asana's own list has them.",
                || {
                    twelve().with(|world| {
                        world.list_fields = ListFields::ID_AND_NAME;
                        world.membership_emails = false;
                    })
                },
            ),
            (
                "unknown-status",
                "One account has the status `on_leave`.",
                || {
                    twelve().with_person(&gid(3), |person| {
                        person.status(Status::Other("on_leave".to_owned()))
                    })
                },
            ),
            (
                "raw-words",
                "Status and role are unmapped, in the provider's words.",
                || {
                    twelve().with(|world| {
                        world.status_words = Words::Raw;
                        world.role_words = Words::Raw;
                    })
                },
            ),
            (
                "remote-data",
                "The list has id, name and the provider's own record.",
                || {
                    twelve().with(|world| {
                        world.list_fields = ListFields::ID_AND_NAME;
                        world.remote_data = true;
                    })
                },
            ),
            (
                "rejoined",
                "One account has two memberships: an old inactive one and an active one.",
                || twelve().with_person(&gid(3), Person::rejoined),
            ),
        ],
    ),
    (
        "Truto is busy, slow or down",
        &[
            (
                "rate-limited",
                "The first page of users answers once with 429 from Truto.",
                || twelve().fault(Fault::once(LIST, Action::RateLimited(Limiter::Truto))),
            ),
            (
                "remote-rate-limited",
                "The first page of users answers once with 429 from Asana, with the remote flag.",
                || twelve().fault(Fault::once(LIST, Action::RateLimited(Limiter::Asana))),
            ),
            (
                "free-plan",
                "300 accounts, a sparse list, and a limit of Asana of 150 requests per minute.",
                || {
                    World::generated(300).with(|world| {
                        world.list_fields = ListFields::ID_AND_NAME;
                        world.memberships = Permission::NotFound;
                        world.custom_users = Permission::NotFound;
                        world.rate_limit = Some((150, Duration::from_secs(60)));
                        world.limiter = Limiter::Asana;
                    })
                },
            ),
            (
                "bad-gateway-once",
                "The first page of users answers 502 once, then works.",
                || twelve().fault(Fault::once(LIST, bad_gateway())),
            ),
            ("down", "Every call answers 502.", || {
                twelve().fault(Fault::once("/", bad_gateway()).for_ever())
            }),
            (
                "html-error",
                "The list of users always answers 502 with an HTML page.",
                || twelve().fault(Fault::once(LIST, Action::html(502)).for_ever()),
            ),
            (
                "cut-body-once",
                "The first page of users is cut off once, then complete.",
                || twelve().fault(Fault::once(LIST, Action::CutBody)),
            ),
            (
                "reset-once",
                "The TCP connection is reset once instead of answering with the first page of users.",
                || twelve().fault(Fault::once(LIST, Action::Reset)),
            ),
            ("slow", "Every answer takes two seconds.", || {
                twelve().fault(Fault::once("/", Action::Delay(Duration::from_secs(2))).for_ever())
            }),
        ],
    ),
    (
        "Answers come in another form",
        &[
            (
                "empty-last-page",
                "Two full pages, and a cursor for a third page that is empty.",
                || World::generated(200).with(|world| world.empty_last_page = true),
            ),
            (
                "results-alias",
                "Lists are in `results`, not in `result`.",
                || twelve().with(|world| world.envelope = Envelope::Results),
            ),
            (
                "no-next-cursor",
                "The last page has no `next_cursor`.",
                || World::generated(120).with(|world| world.last_cursor = LastCursor::Missing),
            ),
            (
                "duplicates",
                "Five accounts of the first page are repeated on the second.",
                || World::generated(105).with(|world| world.duplicate_rows = 5),
            ),
            (
                "keyed-result",
                "The `result` of the list of users is an object with ids as keys.",
                || twelve().with(|world| world.envelope = Envelope::Keyed),
            ),
            ("numeric-ids", "The ids of people are numbers.", || {
                twelve().with(|world| world.numeric_ids = true)
            }),
            (
                "asana-body",
                "`/custom` returns Asana's own body: `data` and `next_page`.",
                || {
                    World::generated(120)
                        .with(|world| world.custom_envelope = CustomEnvelope::Asana)
                },
            ),
            (
                "asana-body-in-result",
                "`/custom` wraps Asana's whole body in `result`.",
                || {
                    World::generated(120)
                        .with(|world| world.custom_envelope = CustomEnvelope::AsanaInResult)
                },
            ),
        ],
    ),
    (
        "Connecting Asana",
        &[
            (
                "connect-narrow",
                "An admin uses the link and grants only narrow scopes.",
                || twelve().narrow(),
            ),
            (
                "connect-forbidden-scopes",
                "An admin uses the link, and Asana refuses its mix of scopes: validation_error with forbidden_scopes.",
                || {
                    let states = Admin::with_states(&["connecting", "validation_error"]);
                    connecting(states.but(
                "forbidden_scopes: Your app is not allowed to request user authorization for `default` beside other \
                 scopes",
            ))
                },
            ),
            (
                "connect-post-install-error",
                "An admin uses the link, and Truto's steps after that fail: post_install_error.",
                || {
                    let states = Admin::with_states(&["connecting", "post_install_error"]);
                    connecting(states.but("Workspace could not be read"))
                },
            ),
            (
                "connect-validation-error",
                "An admin uses the link, and Truto cannot validate the connection: validation_error.",
                || {
                    let states = Admin::with_states(&["connecting", "validation_error"]);
                    connecting(states.but("Connection could not be validated"))
                },
            ),
            (
                "connect-unused",
                "No admin uses the link, unless you open it in a browser.",
                || connecting(Admin::absent()),
            ),
            (
                "reconnect",
                "Asana no longer accepts the connection, and an admin uses the link to renew it.",
                || twelve().connection_status("needs_reauth"),
            ),
        ],
    ),
    (
        "The HR system is connected too",
        &[
            (
                "hris",
                "An HR system is connected too, with all twelve people: one has left.",
                || with_hris(|_| {}),
            ),
            (
                "hris-partial",
                "The HR system's list is marked as partial.",
                || with_hris(|hris| hris.partial_response = true),
            ),
            (
                "hris-needs-reauth",
                "The HR system no longer accepts its connection, but Asana does.",
                || with_hris(|hris| hris.connection_status = "needs_reauth".to_owned()),
            ),
        ],
    ),
];

/// Twelve people, and an admin who gets links.
fn connecting(admin: Admin) -> World {
    twelve().with(|world| world.admin = admin)
}

fn bad_gateway() -> Action {
    Action::TrutoError {
        status: 502,
        message: "Bad Gateway".to_owned(),
    }
}
