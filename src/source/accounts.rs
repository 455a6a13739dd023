//! Converts Truto's records to accounts, and merges two records of one account.
//!
//! Nothing is guessed: a missing value is unknown, an unknown word is kept, and if two records differ, access wins.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Access, Account, EmailAddress, Role, Status, Workspace, read_addresses};
use crate::truto::{self, User, instant};

/// The accounts read so far, by id.
pub(super) type Accounts = BTreeMap<String, Account>;

/// Adds an account, or merges it with an earlier record of the same id. Returns whether the id is new.
pub(super) fn add(accounts: &mut Accounts, account: Account) -> bool {
    match accounts.entry(account.id.clone()) {
        Entry::Occupied(mut known) => {
            merge(known.get_mut(), account);
            false
        }
        Entry::Vacant(place) => {
            place.insert(account);
            true
        }
    }
}

/// A user of Truto as an account. The second value counts unreadable addresses.
pub(super) fn account(id: String, user: User, workspace: &Workspace) -> (Account, u64) {
    let flags = flags(&user.remote_data, workspace);
    let mut status = status(user.status);
    reported_by_flag(&mut status, flags.is_active);
    let reported = reported_role(&user.roles, workspace);
    let role = higher(reported, role_of_flags(flags.is_admin, flags.is_guest));
    let view_only = user.is_view_only.or(flags.is_view_only);
    let view_only = view_only.or_else(|| has_view_only_licence(&user.licenses));
    let (emails, unreadable) = emails(user.emails, user.email);
    let full_name = match (&user.first_name, &user.last_name) {
        (Some(first), Some(last)) => Some(format!("{} {}", first.trim(), last.trim())),
        (Some(one), None) | (None, Some(one)) => Some(one.clone()),
        (None, None) => None,
    };
    let account = Account {
        id,
        emails,
        name: user.name.or(full_name).or(user.username),
        status,
        role,
        view_only,
        external_id: user.external_id,
        joined_at: user.created_at.as_deref().and_then(instant),
        last_login_at: user.last_login_at.as_deref().and_then(instant),
    };
    (account, unreadable)
}

/// The flags of the provider's record, unless it is of another workspace.
fn flags(remote: &truto::RemoteData, workspace: &Workspace) -> truto::RemoteData {
    match &remote.workspace {
        Some(other) if !is_this(other, workspace) => truto::RemoteData::default(),
        _ => remote.clone(),
    }
}

fn is_this(reported: &str, workspace: &Workspace) -> bool {
    reported == workspace.id || workspace.name.as_deref() == Some(reported)
}

fn status(reported: Option<String>) -> Status {
    let Some(reported) = reported else {
        return Status::Unknown(None);
    };
    match reported.trim().to_ascii_lowercase().as_str() {
        "active" => Status::Active,
        "inactive" | "deleted" => Status::Inactive,
        "invited" => Status::Invited,
        _ => Status::Unknown(Some(reported)),
    }
}

/// Applies a membership's flag to a status. It fills a missing status, and access wins over `inactive`. An unknown word
/// stays unknown; [`super::memberships`] decides it.
pub(super) fn reported_by_flag(status: &mut Status, is_active: Option<bool>) {
    match (&*status, is_active) {
        (Status::Unknown(None) | Status::Inactive, Some(true)) => *status = Status::Active,
        (Status::Unknown(None), Some(false)) => *status = Status::Inactive,
        _ => {}
    }
}

/// The role in the workspace, from a user's list of roles.
///
/// Entries for this workspace come first, then entries without a scope, then entries whose scope may be this workspace
/// under another name. A role in a team, a project or another workspace does not count.
fn reported_role(roles: &[truto::UserRole], workspace: &Workspace) -> Role {
    let nearness = |role: &truto::UserRole| {
        let here = |place: &Option<String>| place.as_deref().is_some_and(|p| is_this(p, workspace));
        let is_gid = |place: &str| place.bytes().all(|byte| byte.is_ascii_digit());
        match (&role.organization, &role.workspace, &role.group) {
            (_, _, Some(_)) => None,
            (organization, place, None) if here(organization) || here(place) => Some(2),
            (_, Some(_), None) => None,
            (None, None, None) => Some(1),
            (Some(elsewhere), None, None) => (!is_gid(elsewhere)).then_some(0),
        }
    };
    let near = |role| Some((nearness(role)?, role));
    let nearest = roles.iter().filter_map(near).map(|(near, _)| near).max();
    let roles = roles.iter().filter(|role| nearness(role) == nearest);
    let roles = roles.filter_map(|role| Some(role_word(role.name.as_deref()?)));
    match nearest {
        Some(_) => roles.fold(Role::Unknown(None), higher),
        None => Role::Unknown(None),
    }
}

fn role_word(reported: &str) -> Role {
    let word = reported
        .trim()
        .to_ascii_lowercase()
        .replace(['_', '-'], " ");
    match word.strip_prefix("is ").unwrap_or(&word) {
        "admin" | "super admin" => Role::Admin,
        "member" => Role::Member,
        "guest" => Role::Guest,
        _ => Role::Unknown(Some(reported.to_owned())),
    }
}

/// The role of Asana's two flags. If one is missing, the role is unknown: it could be higher.
pub(super) fn role_of_flags(is_admin: Option<bool>, is_guest: Option<bool>) -> Role {
    match (is_admin, is_guest) {
        (Some(true), _) => Role::Admin,
        (Some(false), Some(true)) => Role::Guest,
        (Some(false), Some(false)) => Role::Member,
        (None, _) | (Some(false), None) => Role::Unknown(None),
    }
}

/// The role with more permissions. A known role comes before an unknown one, and a kept word before none.
pub(super) fn higher(one: Role, other: Role) -> Role {
    let rank = |role: &Role| match role {
        Role::Admin => 4,
        Role::Member => 3,
        Role::Guest => 2,
        Role::Unknown(Some(_)) => 1,
        Role::Unknown(None) => 0,
    };
    if rank(&other) > rank(&one) {
        other
    } else {
        one
    }
}

/// The role with fewer permissions. A known role comes before an unknown one.
pub(super) fn lower<'r>(one: &'r Role, other: &'r Role) -> &'r Role {
    match (one.rank(), other.rank()) {
        (Some(first), Some(second)) if second < first => other,
        (None, Some(_)) => other,
        (Some(_) | None, _) => one,
    }
}

/// Whether a licence has the name of a view-only one; none if no licence has it.
fn has_view_only_licence(licences: &[truto::License]) -> Option<bool> {
    let is_view_only = |licence: &truto::License| {
        let name = licence.name.as_deref().unwrap_or_default();
        let letters: String = name.chars().filter(char::is_ascii_alphabetic).collect();
        letters.eq_ignore_ascii_case("viewonly")
    };
    licences.iter().any(is_view_only).then_some(true)
}

/// The addresses, primary ones first, each once; and the number of unreadable ones.
fn emails(mut listed: Vec<truto::Email>, bare: Option<String>) -> (Vec<EmailAddress>, u64) {
    listed.sort_by_key(|email| email.is_primary != Some(true));
    let listed = listed.into_iter().filter_map(|email| email.email);
    let texts = listed.chain(bare);
    let mut emails = Vec::new();
    let mut unreadable = 0;
    for text in texts {
        let read = read_addresses(&text);
        unreadable += u64::from(read.has_unreadable || read.found.is_empty());
        for email in read.found {
            add_email(&mut emails, email);
        }
    }
    (emails, unreadable)
}

pub(super) fn add_email(emails: &mut Vec<EmailAddress>, email: EmailAddress) {
    if !emails.contains(&email) {
        // Most accounts have one, and a vector begins with room for four.
        emails.reserve_exact(1);
        emails.push(email);
    }
}

/// Merges two records of one account: access wins, the higher role wins, addresses are united, and the second record
/// fills the gaps of the first.
pub(super) fn merge(account: &mut Account, other: Account) {
    let Account {
        id: _,
        emails,
        name,
        status,
        role,
        view_only,
        external_id,
        joined_at,
        last_login_at,
    } = other;
    for email in emails {
        add_email(&mut account.emails, email);
    }
    account.name = account.name.take().or(name);
    let reported = |status: &Status| match status {
        Status::Unknown(None) => None,
        reported => Some(reported.access()),
    };
    if reported(&status) > reported(&account.status) {
        account.status = status;
    }
    let known = std::mem::replace(&mut account.role, Role::Unknown(None));
    account.role = higher(known, role);
    // A full licence permits more than a view-only one.
    account.view_only = match (account.view_only, view_only) {
        (Some(one), Some(other)) => Some(one && other),
        (one, other) => one.or(other),
    };
    account.external_id = account.external_id.take().or(external_id);
    account.joined_at = account.joined_at.or(joined_at);
    account.last_login_at = account.last_login_at.max(last_login_at);
}

/// Whether a field is missing that a request for this user alone may have. `named` are the ids in Asana's own list of
/// users: an account there without an address has none. With narrow permissions, status and role are not read.
pub(super) fn has_gap(account: &Account, named: &BTreeSet<String>, is_narrow: bool) -> bool {
    let lacks_email = account.emails.is_empty() && !named.contains(&account.id);
    let lacks_more = account.status == Status::Unknown(None) || account.role == Role::Unknown(None);
    lacks_email || (lacks_more && !is_narrow)
}

/// An account as a connection with narrow permissions reads it. Asana gives such a connection neither status nor role,
/// so a value for one is an invention of a mapping.
pub(super) fn only_listed(account: &mut Account) {
    account.status = Status::Listed;
    account.role = Role::Unknown(None);
    account.view_only = None;
}

/// Whether the account has or may have access.
pub(super) fn may_have_access(account: &Account) -> bool {
    account.access() != Access::None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here() -> Workspace {
        Workspace {
            id: "100".to_owned(),
            name: Some("Example Company".to_owned()),
        }
    }

    fn role(json: &str) -> Role {
        let user: User = serde_json::from_str(&format!(r#"{{"roles":{json}}}"#)).expect("a user");
        account("1".to_owned(), user, &here()).0.role
    }

    #[test]
    fn a_role_is_read_in_every_spelling_and_never_guessed() {
        for (json, expected) in [
            (r#"[{"name":"Member"}]"#, Role::Member),
            (r#"["ADMIN"]"#, Role::Admin),
            (r#""super_admin""#, Role::Admin),
            (r#"[{"name":"is_guest"}]"#, Role::Guest),
            (
                r#"[{"name":"owner"}]"#,
                Role::Unknown(Some("owner".to_owned())),
            ),
            (
                r#"[{"name":"guest"},{"name":"admin"},{"name":"member"}]"#,
                Role::Admin,
            ),
            ("[]", Role::Unknown(None)),
            ("null", Role::Unknown(None)),
        ] {
            assert_eq!(role(json), expected, "{json}");
        }
    }

    #[test]
    fn a_role_counts_only_in_its_scope() {
        for (json, expected) in [
            (
                r#"[{"name":"guest","organization":"100"},{"name":"admin"}]"#,
                Role::Guest,
            ),
            (
                r#"[{"name":"guest","organization":"Example Company"},{"name":"admin","organization":"200"}]"#,
                Role::Guest,
            ),
            (
                r#"[{"name":"member","workspace":{"gid":"100"}}]"#,
                Role::Member,
            ),
            (
                r#"[{"name":"admin","group":"A team"}]"#,
                Role::Unknown(None),
            ),
            (
                r#"[{"name":"admin","workspace":"A project"}]"#,
                Role::Unknown(None),
            ),
            (
                r#"[{"name":"admin","organization":"200"}]"#,
                Role::Unknown(None),
            ),
            (
                r#"[{"name":"admin","organization":"Example Co."}]"#,
                Role::Admin,
            ),
        ] {
            assert_eq!(role(json), expected, "{json}");
        }
    }

    #[test]
    fn flags_give_a_role_only_together() {
        for (is_admin, is_guest, expected) in [
            (Some(true), None, Role::Admin),
            (Some(true), Some(true), Role::Admin),
            (Some(false), Some(true), Role::Guest),
            (Some(false), Some(false), Role::Member),
            (Some(false), None, Role::Unknown(None)),
            (None, Some(true), Role::Unknown(None)),
            (None, None, Role::Unknown(None)),
        ] {
            assert_eq!(role_of_flags(is_admin, is_guest), expected);
        }
    }

    #[test]
    fn access_wins_between_two_records_in_either_order() {
        let reported = [
            Status::Unknown(None),
            Status::Inactive,
            Status::Unknown(Some("paused".to_owned())),
            Status::Active,
        ];
        for (weaker, one) in reported.iter().enumerate() {
            for other in &reported[weaker..] {
                for (first, second) in [(one, other), (other, one)] {
                    let user = |status: &Status| {
                        let (mut account, _) = account("1".to_owned(), User::default(), &here());
                        account.status = status.clone();
                        account
                    };
                    let mut merged = user(first);
                    merge(&mut merged, user(second));
                    assert_eq!(&merged.status, other, "{first:?} and {second:?}");
                }
            }
        }
    }
}
