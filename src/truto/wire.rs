//! The fields of Truto's records that are read.
//!
//! `EVIDENCE_RAW=minimal` keeps exactly these fields: a record serialises to them, in this order. Records of HR are
//! never kept, so they do not serialise.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::lenient::{FromText, flag, list, object, text, text_or_member, value};

/// `GET /unified/user-directory/users`: a person in the unified model.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct User {
    /// The user's gid in Asana.
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The id of the identity provider, if SCIM is in use.
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    #[serde(deserialize_with = "list", skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<Email>,
    /// An address that some mappings give instead of the list.
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// `active`, `inactive`, `deleted`, `invited`, or a word of the provider.
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    #[serde(deserialize_with = "list", skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<UserRole>,
    #[serde(deserialize_with = "list", skip_serializing_if = "Vec::is_empty")]
    pub licenses: Vec<License>,
    /// Whether the licence is view-only, which some mappings put here.
    #[serde(deserialize_with = "flag", skip_serializing_if = "Option::is_none")]
    pub is_view_only: Option<bool>,
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub last_login_at: Option<String>,
    /// The provider's own record.
    #[serde(
        deserialize_with = "object",
        skip_serializing_if = "RemoteData::is_empty"
    )]
    pub remote_data: RemoteData,
}

/// An e-mail address of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Email {
    /// The address.
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether it is the main one.
    #[serde(deserialize_with = "flag", skip_serializing_if = "Option::is_none")]
    pub is_primary: Option<bool>,
}

/// A role of a user. The last three fields name its scope, by an id or by a label.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UserRole {
    /// Its name.
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Asana's workspace or organization.
    #[serde(deserialize_with = "place", skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// In Truto's documentation a project of Asana, in some mappings the workspace.
    #[serde(deserialize_with = "place", skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
    #[serde(deserialize_with = "place", skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

/// A licence of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct License {
    /// Its name.
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// The flags of Asana's own record, if Truto passes it on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RemoteData {
    /// Whether the membership is in force.
    #[serde(deserialize_with = "flag", skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
    /// Administers the organization.
    #[serde(deserialize_with = "flag", skip_serializing_if = "Option::is_none")]
    pub is_admin: Option<bool>,
    /// A guest.
    #[serde(deserialize_with = "flag", skip_serializing_if = "Option::is_none")]
    pub is_guest: Option<bool>,
    /// A view-only licence.
    #[serde(deserialize_with = "flag", skip_serializing_if = "Option::is_none")]
    pub is_view_only: Option<bool>,
    /// The workspace of the flags, if the record is a membership.
    #[serde(deserialize_with = "place", skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
}

impl RemoteData {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// `GET /unified/user-directory/organizations`: a workspace or organization of Asana.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Organization {
    /// Its gid.
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its name.
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Asana's own record of one membership of one user in one workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Membership {
    #[serde(
        deserialize_with = "object",
        skip_serializing_if = "MembershipUser::is_empty"
    )]
    pub user: MembershipUser,
    /// Whether the membership is in force; a pending invitation is.
    #[serde(deserialize_with = "flag", skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
    /// Administers the organization.
    #[serde(deserialize_with = "flag", skip_serializing_if = "Option::is_none")]
    pub is_admin: Option<bool>,
    /// A guest.
    #[serde(deserialize_with = "flag", skip_serializing_if = "Option::is_none")]
    pub is_guest: Option<bool>,
    /// A view-only licence.
    #[serde(deserialize_with = "flag", skip_serializing_if = "Option::is_none")]
    pub is_view_only: Option<bool>,
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
}

/// The user of a membership, with the requested `opt_fields`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MembershipUser {
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub gid: Option<String>,
    /// The same gid, if Truto renames the field.
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Asana's documentation does not list this field for memberships, but Asana returns it.
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

impl MembershipUser {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Asana's own record of a user, with the requested `opt_fields`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CustomUser {
    /// The user's gid.
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub gid: Option<String>,
    /// The same gid, if Truto renames the field.
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Display name.
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The address.
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// `GET /unified/hris/employees`: a person of the HR system.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Employee {
    /// The id of the record at Truto or in the HR system; no other system knows it.
    #[serde(deserialize_with = "text")]
    pub id: Option<String>,
    /// The number of the person, which other systems know too.
    #[serde(deserialize_with = "text")]
    pub employee_number: Option<String>,
    /// The company within which the number is unique.
    #[serde(deserialize_with = "place")]
    pub company: Option<String>,
    #[serde(deserialize_with = "text")]
    pub name: Option<String>,
    #[serde(deserialize_with = "text")]
    pub first_name: Option<String>,
    #[serde(deserialize_with = "text")]
    pub middle_name: Option<String>,
    #[serde(deserialize_with = "text")]
    pub last_name: Option<String>,
    #[serde(deserialize_with = "list")]
    pub emails: Vec<EmployeeEmail>,
    /// A work address that some mappings give instead of the list.
    #[serde(deserialize_with = "text")]
    pub work_email: Option<String>,
    /// An address of an unknown kind.
    #[serde(deserialize_with = "text")]
    pub email: Option<String>,
    #[serde(deserialize_with = "text")]
    pub personal_email: Option<String>,
    /// `active`, `inactive`, `pending`, or a word of the HR system.
    #[serde(deserialize_with = "text")]
    pub employment_status: Option<String>,
    /// First day of work.
    #[serde(deserialize_with = "text")]
    pub start_date: Option<String>,
    /// Last day of employment.
    #[serde(deserialize_with = "text")]
    pub termination_date: Option<String>,
    /// Contracts or positions, past and present.
    #[serde(deserialize_with = "list")]
    pub employments: Vec<HrisEmployment>,
    /// Work place.
    #[serde(deserialize_with = "site")]
    pub work_location: Option<String>,
    /// The work place under another name.
    #[serde(deserialize_with = "site")]
    pub location: Option<String>,
    /// The work places as a list.
    #[serde(deserialize_with = "site")]
    pub locations: Option<String>,
    #[serde(deserialize_with = "text")]
    pub job_title: Option<String>,
    /// A department that some mappings give instead of a group.
    #[serde(deserialize_with = "name")]
    pub department: Option<String>,
    /// Departments, teams and other units.
    #[serde(deserialize_with = "list")]
    pub groups: Vec<EmployeeGroup>,
}

/// A unit of the company to which an employee belongs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct EmployeeGroup {
    #[serde(deserialize_with = "text")]
    pub name: Option<String>,
    /// `department`, `team`, or another word.
    #[serde(rename = "type", deserialize_with = "text")]
    pub kind: Option<String>,
}

/// An e-mail address of an employee.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct EmployeeEmail {
    /// The address.
    #[serde(deserialize_with = "text")]
    pub email: Option<String>,
    /// `work`, `personal`, or another word.
    #[serde(rename = "type", deserialize_with = "text")]
    pub kind: Option<String>,
    /// Whether it is the main one.
    #[serde(deserialize_with = "flag")]
    pub is_primary: Option<bool>,
}

/// One employment of an employee.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct HrisEmployment {
    /// First day.
    #[serde(deserialize_with = "text")]
    pub effective_date: Option<String>,
    /// Last day; none while it runs.
    #[serde(deserialize_with = "text")]
    pub end_date: Option<String>,
    #[serde(deserialize_with = "text")]
    pub job_title: Option<String>,
}

/// `GET /integrated-account/{id}`: the connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct IntegratedAccount {
    /// Its id.
    #[serde(deserialize_with = "text")]
    pub id: Option<String>,
    /// The tenant, as the customer named it.
    #[serde(deserialize_with = "text")]
    pub tenant_id: Option<String>,
    #[serde(deserialize_with = "text")]
    pub environment_id: Option<String>,
    #[serde(deserialize_with = "flag")]
    pub is_sandbox: Option<bool>,
    /// The region of its data: `wnam`, `enam`, `apac`, `eu`.
    #[serde(deserialize_with = "text")]
    pub region: Option<String>,
    /// `active`, `connecting`, `needs_reauth`, `validation_error`, …
    #[serde(deserialize_with = "text")]
    pub status: Option<String>,
    /// `oauth2`, `api_key`, …
    #[serde(deserialize_with = "text")]
    pub authentication_method: Option<String>,
    /// The name of the connected system.
    #[serde(deserialize_with = "name")]
    pub integration: Option<String>,
    /// The granted scopes, as far as Truto names them.
    #[serde(rename = "context", deserialize_with = "scopes")]
    pub scopes: Vec<String>,
    /// Truto's message about the last error.
    #[serde(deserialize_with = "message")]
    pub last_error: Option<String>,
    /// The last refusal by the connected system, until a later request succeeds.
    #[serde(deserialize_with = "forbidden")]
    pub last_forbidden_error: Option<ForbiddenError>,
    #[serde(deserialize_with = "text")]
    pub created_at: Option<String>,
    #[serde(deserialize_with = "text")]
    pub updated_at: Option<String>,
}

/// A request that the connected system refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ForbiddenError {
    #[serde(deserialize_with = "text")]
    pub resource: Option<String>,
    #[serde(deserialize_with = "text")]
    pub method: Option<String>,
    /// May be empty although a scope is missing.
    #[serde(deserialize_with = "words")]
    pub missing_scopes: Vec<String>,
    #[serde(deserialize_with = "text")]
    pub occurred_at: Option<String>,
}

impl IntegratedAccount {
    /// Whether it connects to Asana; none if Truto omits the integration.
    pub fn is_asana(&self) -> Option<bool> {
        let name = self.integration.as_deref()?;
        Some(name.trim().eq_ignore_ascii_case("asana"))
    }
}

/// `POST /link-token`: the token of the page on which a person connects.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct LinkToken {
    #[serde(deserialize_with = "text")]
    pub(super) link_token: Option<String>,
}

/// The scopes in a connection's context. One element may have several, separated as in OAuth.
fn scopes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let context = value(deserializer)?;
    let listed = match context.pointer("/oauth/scope") {
        Some(Value::Array(scopes)) => scopes.as_slice(),
        scope => scope.map_or(&[][..], std::slice::from_ref),
    };
    let listed = listed.iter().filter_map(Value::as_str);
    let split = listed.flat_map(|scopes| scopes.split([' ', ',']));
    Ok(split.filter(|s| !s.is_empty()).map(str::to_owned).collect())
}

/// An object; anything else is none.
fn forbidden<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<ForbiddenError>, D::Error> {
    let value = value(deserializer)?;
    let is_reported = value.as_object().is_some_and(|fields| !fields.is_empty());
    Ok(is_reported
        .then(|| ForbiddenError::deserialize(value).ok())
        .flatten())
}

/// The texts of a list.
fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let value = value(deserializer)?;
    let texts = value.as_array().into_iter().flatten();
    Ok(texts
        .filter_map(|text| Some(text.as_str()?.to_owned()))
        .collect())
}

/// A text, or an object with a name.
fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let value = value(deserializer)?;
    Ok(text_or_member(value, &["name"]))
}

/// A text, or an object with a message.
fn message<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let value = value(deserializer)?;
    Ok(text_or_member(value, &["message"]))
}

/// An id: a text, or an object with `gid`, `id` or `name`.
fn place<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let value = value(deserializer)?;
    Ok(text_or_member(value, &["gid", "id", "name"]))
}

/// A work place: a text, an object, or a list of either.
fn site<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let sites = match value(deserializer)? {
        Value::Array(sites) => sites,
        site => vec![site],
    };
    let mut names = sites
        .into_iter()
        .filter_map(|site| text_or_member(site, &["name", "city", "country"]));
    Ok(names.next())
}

impl FromText for EmployeeEmail {
    const MEMBER: Option<&str> = Some("email");
}

impl FromText for EmployeeGroup {
    const MEMBER: Option<&str> = Some("name");
}

/// A text has no dates.
impl FromText for HrisEmployment {
    const MEMBER: Option<&str> = None;
}

/// A text is the gid: a name does not identify a user.
impl FromText for MembershipUser {
    const MEMBER: Option<&str> = Some("gid");
}

impl FromText for Email {
    const MEMBER: Option<&str> = Some("email");
}

impl FromText for UserRole {
    const MEMBER: Option<&str> = Some("name");
}

impl FromText for License {
    const MEMBER: Option<&str> = Some("name");
}

impl FromText for RemoteData {
    const MEMBER: Option<&str> = None;
}

/// The methods for users that a connection supports, and whether Truto blocks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    pub lists_users: bool,
    /// A request for one user works.
    pub gets_users: bool,
    pub is_blocked: bool,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct CapabilitiesBody {
    #[serde(default)]
    unified: Vec<Resource>,
    #[serde(default)]
    account: BlockedAccount,
}

#[derive(Debug, Default, Deserialize)]
struct Resource {
    #[serde(default)]
    resource: String,
    #[serde(default)]
    methods: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
struct BlockedAccount {
    #[serde(default)]
    is_blocked: bool,
}

impl From<CapabilitiesBody> for Capabilities {
    fn from(body: CapabilitiesBody) -> Self {
        let can = |method: &str| {
            let mut users = body.unified.iter().filter(|of| of.resource == "users");
            users.any(|users| users.methods.iter().any(|known| known == method))
        };
        Self {
            lists_users: can("list"),
            gets_users: can("get"),
            is_blocked: body.account.is_blocked,
        }
    }
}

/// An API token in Truto's list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ApiToken {
    #[serde(deserialize_with = "text")]
    pub expires_at: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_has_the_tenant_environment_and_region_of_truto() {
        let reported: IntegratedAccount = serde_json::from_str(
            r#"{"id": "c1", "tenant_id": "acme", "environment_id": "e1", "is_sandbox": true, "region": "eu"}"#,
        )
        .expect("a connection");
        assert_eq!(reported.tenant_id.as_deref(), Some("acme"));
        assert_eq!(reported.environment_id.as_deref(), Some("e1"));
        assert_eq!(reported.is_sandbox, Some(true));
        assert_eq!(reported.region.as_deref(), Some("eu"));
        for unset in [
            "{}",
            r#"{"is_sandbox": null, "region": {}, "environment_id": ""}"#,
        ] {
            let reported: IntegratedAccount = serde_json::from_str(unset).expect("a connection");
            assert_eq!(
                (
                    reported.environment_id,
                    reported.is_sandbox,
                    reported.region
                ),
                (None, None, None),
                "{unset}"
            );
        }
    }
}
