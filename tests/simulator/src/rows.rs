//! Rows: a person as a user of Truto, as a user of Asana and as a membership of Asana.

use serde_json::{Map, Value, json};

use crate::people::{Membership, Person, Status};
use crate::shape::{Envelope, Gap, ListFields, Words};
use crate::world::World;

use crate::pages::Rows;

/// The rows of the list of users, of one workspace or of all.
pub(crate) fn users(world: &World, workspace: Option<&str>) -> Rows {
    let mut rows = Rows::default();
    let mut bytes = Vec::new();
    let listed = |person: &&Person| {
        person.listed
            && !world.omitted_rows.contains(&person.gid)
            && workspace.is_none_or(|gid| person.workspaces.iter().any(|of| of == gid))
    };
    let people: Vec<_> = world.people.iter().filter(listed).collect();
    let again = people.iter().take(world.duplicate_rows);
    for person in people.iter().chain(again) {
        bytes.clear();
        if world.envelope == Envelope::Keyed {
            bytes.extend_from_slice(json!(person.gid).to_string().as_bytes());
            bytes.push(b':');
        }
        let row = user(world, person, world.list_fields);
        bytes.extend_from_slice(row.to_string().as_bytes());
        rows.push(&bytes);
    }
    if world.row_without_id {
        let row = json!({"name": "Nobody", "status": "active"}).to_string();
        let key = if world.envelope == Envelope::Keyed {
            "\"\":"
        } else {
            ""
        };
        rows.push(format!("{key}{row}").as_bytes());
    }
    rows
}

/// A person as Truto's unified user, with these fields.
pub(crate) fn user(world: &World, person: &Person, fields: ListFields) -> Value {
    let mut row = Map::new();
    row.insert("id".to_owned(), id(world, &person.gid));
    row.insert("name".to_owned(), json!(person.name));
    let mut put = |key: &str, value: Option<Value>, empty: Value| {
        let value = match (value, world.gap) {
            (Some(value), _) => value,
            (None, Gap::Absent) => return,
            (None, Gap::Null) => Value::Null,
            (None, Gap::Empty) => empty,
        };
        row.insert(key.to_owned(), value);
    };
    let emails = emails(person);
    put("emails", emails.filter(|_| fields.emails), json!([]));
    let status = fields
        .status
        .then(|| json!(status_word(&person.status, world.status_words)));
    put("status", status, json!(""));
    put(
        "roles",
        fields.roles.then(|| roles(world, person)),
        json!([]),
    );
    if fields.details {
        let (first, last) = person.name.split_once(' ').unwrap_or((&person.name, ""));
        put("first_name", Some(json!(first)), Value::Null);
        put("last_name", Some(json!(last)), Value::Null);
        put(
            "organizations",
            Some(organizations(world, person)),
            json!([]),
        );
        put("created_at", Some(json!(person.joined_at)), Value::Null);
        put(
            "last_login_at",
            person.last_login_at.as_ref().map(|at| json!(at)),
            Value::Null,
        );
        put(
            "external_id",
            person.external_id.as_ref().map(|id| json!(id)),
            Value::Null,
        );
        if person.view_only {
            let licence = json!([{"id": "view_only", "name": "View-only"}]);
            put("licenses", Some(licence), json!([]));
        }
    }
    if world.remote_data {
        put("remote_data", Some(remote_data(world, person)), json!({}));
    }
    Value::Object(row)
}

/// Asana's user with the flags of the membership, like a mapping that reads both.
fn remote_data(world: &World, person: &Person) -> Value {
    let mut remote = asana_user(world, person);
    remote["is_active"] = json!(person.status.is_active());
    remote["is_admin"] = json!(person.admin);
    remote["is_guest"] = json!(person.guest);
    remote["is_view_only"] = json!(person.view_only);
    remote
}

fn emails(person: &Person) -> Option<Value> {
    let primary = person.email.as_ref()?;
    let others = person.other_emails.iter().map(|email| (email, false));
    let all: Vec<_> = std::iter::once((primary, true))
        .chain(others)
        .map(|(email, is_primary)| json!({"email": email, "is_primary": is_primary}))
        .collect();
    Some(Value::Array(all))
}

fn roles(world: &World, person: &Person) -> Value {
    let (id, truto, raw) = if person.admin {
        ("admin", "Admin", "organization_admin")
    } else if person.guest {
        ("guest", "Guest", "outside_guest")
    } else {
        ("member", "Member", "full_member")
    };
    let (id, name) = match world.role_words {
        Words::Truto => (id, truto),
        Words::Raw => (raw, raw),
    };
    let of = |workspace: &String| json!({"id": id, "name": name, "organization": workspace});
    person.workspaces.iter().map(of).collect()
}

fn organizations(world: &World, person: &Person) -> Value {
    let of = |gid: &String| {
        let name = world.workspace_name(gid)?;
        Some(json!({"id": gid, "name": name}))
    };
    person.workspaces.iter().filter_map(of).collect()
}

fn status_word(status: &Status, words: Words) -> &str {
    match (status, words) {
        (Status::Other(word), _) => word,
        (Status::Active, Words::Truto) => "active",
        (Status::Invited, Words::Truto) => "invited",
        (Status::Inactive, Words::Truto) => "inactive",
        (Status::Deleted, Words::Truto) => "deleted",
        (Status::Active, Words::Raw) => "enabled",
        (Status::Invited, Words::Raw) => "pending_invite",
        (Status::Inactive, Words::Raw) => "deprovisioned",
        (Status::Deleted, Words::Raw) => "erased",
    }
}

/// The gid of a person: a string, or a number if the world has numeric ids.
fn id(world: &World, gid: &str) -> Value {
    match gid.parse::<u64>() {
        Ok(number) if world.numeric_ids => json!(number),
        _ => json!(gid),
    }
}

/// The rows of Asana's own list of users, with the requested fields.
pub(crate) fn asana_users(world: &World, workspace: Option<&str>, opt_fields: &[&str]) -> Rows {
    let mut rows = Rows::default();
    for person in world.people.iter().filter(|person| person.listed) {
        if workspace.is_none_or(|gid| person.workspaces.iter().any(|of| of == gid)) {
            let row = select(&asana_user(world, person), opt_fields, &["name"]);
            rows.push(row.to_string().as_bytes());
        }
    }
    rows
}

/// The AI teammates of a workspace, as Asana lists them apart from the users.
pub(crate) fn agents(world: &World) -> Rows {
    let mut rows = Rows::default();
    for (gid, name) in &world.agents {
        let row = json!({"gid": gid, "resource_type": "agent", "name": name});
        rows.push(row.to_string().as_bytes());
    }
    rows
}

fn asana_user(world: &World, person: &Person) -> Value {
    let workspaces: Vec<_> = person
        .workspaces
        .iter()
        .filter_map(|gid| workspace(world, gid))
        .collect();
    json!({
        "gid": id(world, &person.gid),
        "resource_type": "user",
        "name": person.name,
        "email": person.email,
        "photo": null,
        "workspaces": workspaces,
        "custom_fields": [],
    })
}

fn workspace(world: &World, gid: &str) -> Option<Value> {
    let name = world.workspace_name(gid)?;
    Some(json!({"gid": gid, "resource_type": "workspace", "name": name}))
}

/// The rows of the memberships of one workspace, with the requested fields.
pub(crate) fn memberships(world: &World, workspace: &str, opt_fields: &[&str]) -> Rows {
    let mut rows = Rows::default();
    for person in &world.people {
        for membership in person.memberships() {
            if membership.workspace == workspace {
                let row = asana_membership(world, person, &membership);
                let row = select(&row, opt_fields, &["user", "workspace"]);
                rows.push(row.to_string().as_bytes());
            }
        }
    }
    rows
}

fn asana_membership(world: &World, person: &Person, membership: &Membership) -> Value {
    let mut user = asana_user(world, person);
    if !world.membership_emails
        && let Some(user) = user.as_object_mut()
    {
        user.remove("email");
    }
    json!({
        "gid": membership.gid,
        "resource_type": "workspace_membership",
        "user": user,
        "workspace": workspace(world, &membership.workspace),
        "is_active": membership.active,
        "is_admin": membership.admin,
        "is_guest": membership.guest,
        "is_view_only": membership.view_only,
        "vacation_dates": null,
        "created_at": membership.created_at,
    })
}

/// The part of a record that `opt_fields` requests, or the compact form if it is empty.
///
/// Like Asana: `gid` is always included, `user` includes the compact user, `user.name` includes its
/// gid and name, and a field that does not exist is silently omitted.
fn select(record: &Value, opt_fields: &[&str], compact: &[&str]) -> Value {
    if opt_fields.is_empty() {
        let keys = ["gid", "resource_type"].iter().chain(compact);
        let mut picked = pick(record, keys.copied());
        for key in compact {
            picked[key] = compacted(&picked[key]);
        }
        return picked;
    }
    let mut picked = pick(record, ["gid"].into_iter());
    for field in opt_fields {
        let (head, rest) = field.split_once('.').unwrap_or((field, ""));
        let Some(value) = record.get(head) else {
            continue;
        };
        if rest.is_empty() || !value.is_object() {
            picked[head] = compacted(value);
        } else {
            let inner = pick(value, ["gid", rest].into_iter());
            match picked.get_mut(head).and_then(Value::as_object_mut) {
                Some(known) => {
                    if let Value::Object(inner) = inner {
                        known.extend(inner);
                    }
                }
                None => picked[head] = inner,
            }
        }
    }
    picked
}

/// The compact form of a record; any other value stays.
fn compacted(value: &Value) -> Value {
    match value.is_object() {
        true => pick(value, ["gid", "resource_type", "name"].into_iter()),
        false => value.clone(),
    }
}

fn pick<'k>(record: &Value, keys: impl Iterator<Item = &'k str>) -> Value {
    let of = |key: &str| Some((key.to_owned(), record.get(key)?.clone()));
    Value::Object(keys.filter_map(of).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::WORKSPACE_ID;

    fn ada() -> World {
        World::new()
            .with(|world| world.people.clear())
            .person(Person::member("1201", "Ada Lovelace", "ada@example.com").admin())
    }

    fn text(rows: &Rows) -> String {
        String::from_utf8_lossy(rows.slice(0, rows.len())).into_owned()
    }

    #[test]
    fn a_membership_is_compact_unless_fields_are_asked_for() {
        let compact = text(&memberships(&ada(), WORKSPACE_ID, &[]));
        assert!(!compact.contains("is_active"), "{compact}");
        assert!(compact.contains("\"Ada Lovelace\""), "{compact}");

        let rich = text(&memberships(
            &ada(),
            WORKSPACE_ID,
            &["is_active", "user.name", "user.email"],
        ));
        let rich: Value = serde_json::from_str(&rich).expect("JSON");
        assert_eq!(
            rich,
            json!({"gid": "12011", "is_active": true, "user": {
                "gid": "1201", "name": "Ada Lovelace", "email": "ada@example.com",
            }})
        );
        let without = ada().with(|world| world.membership_emails = false);
        let without = text(&memberships(&without, WORKSPACE_ID, &["user.email"]));
        assert!(!without.contains("ada@"), "{without}");
    }

    #[test]
    fn an_asana_user_has_an_email_only_if_it_is_asked_for() {
        let compact = text(&asana_users(&ada(), Some(WORKSPACE_ID), &[]));
        assert!(!compact.contains("email"), "{compact}");
        let rich = text(&asana_users(&ada(), Some(WORKSPACE_ID), &["name", "email"]));
        assert!(rich.contains("ada@example.com"), "{rich}");
    }

    #[test]
    fn a_sparse_list_leaves_fields_out_in_the_way_the_world_says() {
        let world = ada().with(|world| world.list_fields = ListFields::ID_AND_NAME);
        let row = user(&world, &world.people[0], world.list_fields);
        assert_eq!(row, json!({"id": "1201", "name": "Ada Lovelace"}));

        let world = world.with(|world| world.gap = Gap::Null);
        let row = user(&world, &world.people[0], world.list_fields);
        assert_eq!(row["emails"], Value::Null);
        assert!(
            row.as_object()
                .is_some_and(|row| row.contains_key("status"))
        );
    }
}
