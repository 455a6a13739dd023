//! Truto and Asana: token, connection, workspace, and the first page of each list.

use jiff::Timestamp;

use super::{Checked, Line, Settings, Subject};
use crate::cli::exit::Exit;
use crate::clock::Clock;
use crate::judgement::{Inputs, Judgement, Outcome};
use crate::model::{
    Account, DerivationRecord, Mapping, Memberships, Permissions, Population, RawPages, Role,
    Status, Viewer, counted, quoted,
};
use crate::net::Deadline;
use crate::source::{self, SourceError};
use crate::truto::{self, ApiToken, Capabilities, List, TrutoError};

/// A token that expires within this number of days causes a warning.
const TOKEN_DAYS: i64 = 30;

/// Sends every request of a run, but reads only the first page of each list.
pub(super) async fn sample(
    settings: &Settings,
    clock: &Clock,
    deadline: Deadline,
    checked: &mut Checked,
) -> Option<Population> {
    match source::sample(&settings.source, clock, deadline).await {
        Ok(population) => {
            report(&population, settings.source.permissions, checked);
            // Requests that a run does not make.
            if let Ok(client) = truto::Client::new(&settings.source.truto, clock, deadline) {
                if let Some(line) = last_refusal(&client).await {
                    checked.add(line);
                }
                checked.add(capabilities(client.capabilities().await));
                checked.add(token(client.tokens().await, clock.as_of()));
            }
            Some(population)
        }
        Err(error) => {
            let subject = subject_of(&error);
            checked.add(subject.failed(&error, error.kind(), error.hint()));
            let place = SUBJECTS.iter().position(|of| *of == subject);
            let reached = place.unwrap_or_default().min(IN_ORDER);
            for (at, of) in (0..).zip(SUBJECTS).filter(|(_, of)| *of != subject) {
                checked.add(match at < reached {
                    true => of.ok("answered"),
                    false => of.skipped(format!("not checked, because `{subject}` failed")),
                });
            }
            None
        }
    }
}

/// The subjects of requests to Truto. The first are requested in order, the lists at once.
const SUBJECTS: [Subject; 12] = [
    Subject::Truto,
    Subject::Token,
    Subject::Connection,
    Subject::Workspace,
    Subject::Viewer,
    Subject::Users,
    Subject::Memberships,
    Subject::Clock,
    Subject::Capabilities,
    Subject::Scopes,
    Subject::Fields,
    Subject::Match,
];

/// The number of subjects that are requested in order.
const IN_ORDER: usize = 4;

/// The subject of an error.
fn subject_of(error: &SourceError) -> Subject {
    let truto = match error {
        SourceError::WrongIntegration { .. } => return Subject::Connection,
        SourceError::MembershipsUnauthorized { .. } => return Subject::Memberships,
        SourceError::NoWorkspace
        | SourceError::SeveralWorkspaces { .. }
        | SourceError::WorkspaceNotListed { .. }
        | SourceError::WorkspacesUnknown { .. } => return Subject::Workspace,
        SourceError::Truto(truto) => truto,
    };
    match truto {
        TrutoError::BadToken | TrutoError::TokenText => Subject::Token,
        TrutoError::ConnectionConnecting { .. }
        | TrutoError::ConnectionNotActive { .. }
        | TrutoError::ConnectionNeedsReauth { .. }
        | TrutoError::ConnectionUnknown { .. } => Subject::Connection,
        TrutoError::MissingScope { .. }
        | TrutoError::Refused { .. }
        | TrutoError::CursorExpired { .. }
        | TrutoError::Unavailable { .. }
        | TrutoError::Failed { .. }
        | TrutoError::Net(_)
        | TrutoError::Malformed { .. } => subject_of_request(truto.what().unwrap_or_default()),
    }
}

/// The subject of a request, by its path.
fn subject_of_request(what: &str) -> Subject {
    let paths = [
        ("/integrated-account", Subject::Truto),
        ("/users/meta", Subject::Users),
        ("/organizations", Subject::Workspace),
        ("/me", Subject::Viewer),
        ("/workspace_memberships", Subject::Memberships),
        ("/users", Subject::Users),
    ];
    let subject = paths.iter().find(|(path, _)| what.contains(path));
    subject.map_or(Subject::Truto, |(_, subject)| *subject)
}

fn report(population: &Population, permissions: Permissions, checked: &mut Checked) {
    checked.add(Subject::Truto.ok(format!("{} answers", population.origin)));
    let connection = &population.connection;
    let method = connection.authentication_method.as_deref();
    let method = method.unwrap_or("unknown login method");
    checked.add(Subject::Connection.ok(format!("`{}` is active ({method})", connection.id)));
    checked.add(scopes(&connection.scopes, &connection.id, permissions));
    let (id, visible) = (&population.workspace.id, population.workspaces_visible);
    let workspace = format!("`{id}`, one of {visible} visible to the connection");
    checked.add(Subject::Workspace.ok(workspace));
    checked.add(users(population));
    checked.add(memberships(population));
    checked.add(fields(population));
}

fn scopes(reported: &[String], connection: &str, permissions: Permissions) -> Line {
    let subject = Subject::Scopes;
    let is_full = |scope: &String| scope == source::FULL_PERMISSIONS;
    let names = reported.join(", ");
    match (permissions, reported.iter().any(is_full)) {
        (_, false) if reported.is_empty() => {
            subject.ok("Truto does not name them; the data of a run could be read")
        }
        (Permissions::Full, true) => subject.ok("full permissions"),
        (Permissions::Narrow, false) => subject.ok(format!("narrow permissions: {names}")),
        (Permissions::Narrow, true) => subject.ok(
            "full permissions, more than ASANA_PERMISSIONS=narrow needs: status and role could be read too",
        ),
        (Permissions::Full, false) => subject
            .warn(format!("not full permissions: {names}"))
            .hint(truto::full_or_narrow(connection)),
    }
}

/// The last request that Asana refused through the connection, if Truto reports one. A later success clears it, so it is
/// read after the requests of a run.
async fn last_refusal(client: &truto::Client) -> Option<Line> {
    let connection = client.connection().await.ok()?;
    let refused = connection.last_forbidden_error?;
    let scopes = missing(", ", &refused.missing_scopes);
    let of = |field: &Option<String>| field.as_deref().map_or("?".to_owned(), quoted);
    let text = format!(
        "Truto reports a refusal by Asana as the connection's last: method {} of {}, at {}{scopes}",
        of(&refused.method),
        of(&refused.resource),
        of(&refused.occurred_at),
    );
    let hint = truto::full_or_narrow(client.connection_id());
    Some(Subject::Scopes.warn(text).hint(hint))
}

fn users(population: &Population) -> Line {
    let listing = &population.listing;
    let subject = Subject::Users;
    let partial = match listing.partial_response {
        true => ", and Truto marked it as incomplete",
        false => "",
    };
    let unique = listing.unique;
    let text = format!(
        "the first page has {}, {}{partial}",
        counted(listing.rows, "row", "rows"),
        counted(unique, "account", "accounts")
    );
    match listing.rejected.len() {
        _ if unique == 0 => subject
            .fail(Exit::Inconclusive, text)
            .hint("an admin of the workspace must connect"),
        0 => subject.ok(text),
        rejected => {
            let rejected = counted(rejected, "row is not an account", "rows are not accounts");
            let text = format!("{text}; {rejected}");
            subject.fail(Exit::Inconclusive, text)
        }
    }
}

/// The missing scopes, after a mark.
fn missing(mark: &str, scopes: &[String]) -> String {
    match scopes.is_empty() {
        true => String::new(),
        false => format!("{mark}missing scope {}", scopes.join(", ")),
    }
}

fn memberships(population: &Population) -> Line {
    let subject = Subject::Memberships;
    match &population.memberships {
        Memberships::NotRequested => match &population.gaps.second_list_unread {
            None => subject.ok(
                "not requested (ASANA_PERMISSIONS=narrow); the first page of Asana's own list of users was read",
            ),
            Some(why) => subject
                .fail(
                    Exit::Inconclusive,
                    format!(
                        "not requested (ASANA_PERMISSIONS=narrow), and Asana's own list of users could not be read: {why}"
                    ),
                )
                .hint("reconnect with the scope users:read; the id stays"),
        },
        Memberships::Read { rows, .. } => subject.ok(counted(
            *rows,
            "membership was read",
            "memberships were read",
        )),
        // Only the first page was requested.
        Memberships::Incomplete { reason } => {
            let mut pages = population.listing.pages.iter();
            match pages.any(|page| page.list == List::MEMBERSHIPS) {
                true => subject.ok("the first page was read"),
                false => subject.fail(Exit::Inconclusive, format!("not read: {reason}")),
            }
        }
        Memberships::Unreadable {
            status,
            missing_scopes,
        } => subject
            .fail(
                Exit::Inconclusive,
                format!(
                    "not readable (status {status}{}): no second list shows that the list of accounts is complete",
                    missing(", ", missing_scopes)
                ),
            )
            .hint(truto::full_or_narrow(&population.connection.id)),
    }
}

fn lacks_something(account: &&Account) -> bool {
    account.emails.is_empty()
        || matches!(account.status, Status::Unknown(_))
        // The role of a listed account is not read.
        || (account.status != Status::Listed && matches!(account.role, Role::Unknown(_)))
}

fn fields(population: &Population) -> Line {
    let subject = Subject::Fields;
    let gaps = &population.gaps;
    let accounts = &population.accounts;
    let all = accounts.len();
    let lacking = accounts.iter().filter(lacks_something).count();
    if lacking == 0 {
        let from = match gaps.emails_from_memberships + gaps.emails_from_pass + gaps.gets {
            0 => "",
            _ => ", some from further requests",
        };
        let fields = match population.memberships {
            Memberships::NotRequested => "an e-mail; status and role are not read",
            _ => "e-mail, status and role",
        };
        return subject.ok(format!(
            "all {all} accounts of the first page have {fields}{from}"
        ));
    }
    let because = match &gaps.stopped_because {
        None if gaps.gets > 0 => {
            return subject.ok(format!(
                "{lacking} of {all} accounts lack a field on the first page; a run reads such accounts \
                 one by one to get it"
            ));
        }
        because => because.as_deref().unwrap_or("no request fills them"),
    };
    let scopes = missing("; ", &gaps.missing_scopes);
    let without_email = accounts.iter().filter(|of| of.emails.is_empty()).count();
    // A run only warns about an unknown status or role.
    let line = match without_email {
        0 => subject.warn(format!(
            "status or role of {lacking} of {all} accounts is unknown: {because}{scopes}"
        )),
        count => subject.fail(
            Exit::Inconclusive,
            format!("{count} of {all} accounts have no e-mail: {because}{scopes}"),
        ),
    };
    line.hint(truto::full_or_narrow(&population.connection.id))
}

fn capabilities(reported: Result<Capabilities, TrutoError>) -> Line {
    let subject = Subject::Capabilities;
    match reported {
        Err(error) => subject.skipped(format!("unknown: {error}")),
        Ok(reported) if reported.is_blocked => subject
            .fail(Exit::Refused, "Truto has blocked the connection")
            .hint("contact Truto support"),
        Ok(reported) if !reported.lists_users => {
            subject.warn("Truto does not name `users` among the lists that the connection supports")
        }
        Ok(reported) if !reported.gets_users => subject.warn(
            "users can be listed but not read one by one: fields that the list omits stay unknown",
        ),
        Ok(_) => subject.ok("users can be listed and read one by one"),
    }
}

fn token(tokens: Result<Vec<ApiToken>, TrutoError>, as_of: Timestamp) -> Line {
    let subject = Subject::Token;
    let tokens = match tokens {
        Ok(tokens) => tokens,
        Err(error) => {
            return subject.ok(format!("it works; its expiry is unknown: {error}"));
        }
    };
    let ends = tokens
        .iter()
        .filter_map(|token| truto::instant(token.expires_at.as_deref()?));
    let Some(first) = ends.filter(|ends| *ends > as_of).min() else {
        return subject.ok("it works, and no token of its environment has a future expiry");
    };
    let days = first.duration_since(as_of).as_hours() / 24;
    // Truto does not report which of several tokens is ours.
    let whose = match tokens.len() {
        1 => "it works, and expires".to_owned(),
        many => format!("it works; the first of the environment's {many} tokens expires"),
    };
    let text = format!("{whose} in {}, at {first}", counted(days, "day", "days"));
    match days < TOKEN_DAYS {
        true => subject
            .warn(text)
            .hint("make a new token in Truto, and replace TRUTO_API_TOKEN before the expiry"),
        false => subject.ok(text),
    }
}

/// Whether the connected account belongs to a leaver. The connection ends with the account.
pub(super) fn viewer_and_leavers(inputs: &Inputs, judgement: &Judgement) -> Line {
    let subject = Subject::Viewer;
    let Viewer::Account { id, .. } = &inputs.population.viewer else {
        return subject
            .skipped("whether the connected account is a leaver's: the account is unknown");
    };
    let mut accounts = inputs.population.accounts.iter();
    let account = accounts.find(|account| account.id == *id);
    if account.is_none_or(|account| account.emails.is_empty() && account.external_id.is_none()) {
        return subject.skipped(format!(
            "whether the account `{id}` is a leaver's: its address is unknown"
        ));
    }
    let mut leavers = judgement.leavers.iter();
    if leavers.any(|leaver| leaver.account_id.contains(id) && is_leaving(leaver.outcome)) {
        return subject
            .warn(format!(
                "the connected account `{id}` belongs to a leaver in the HR feed"
            ))
            .hint("reconnect as another admin or with a service account, before that account is removed");
    }
    match inputs.hr.rows.is_empty() {
        true => subject.skipped("whether the connected account is a leaver's: no HR row was read"),
        false => subject.ok(format!(
            "the HR feed names no leaver with the account `{id}`"
        )),
    }
}

fn is_leaving(outcome: Outcome) -> bool {
    match outcome {
        Outcome::Upcoming
        | Outcome::StillActive
        | Outcome::NotEvaluable
        | Outcome::WithinGrace
        | Outcome::Excepted
        | Outcome::Removed => true,
        Outcome::Rehired | Outcome::Rescinded | Outcome::NoAccessFound => false,
    }
}

/// The empty population, if none could be read. Its checks are not reported.
pub(super) fn empty(permissions: Permissions) -> Population {
    let reason = || "nothing was read".to_owned();
    Population {
        connection: Default::default(),
        origin: String::new(),
        workspace: Default::default(),
        workspaces_visible: 0,
        viewer: Viewer::NotReported { reason: reason() },
        listing: Default::default(),
        memberships: match permissions {
            Permissions::Full => Memberships::Incomplete { reason: reason() },
            Permissions::Narrow => Memberships::NotRequested,
        },
        gaps: Default::default(),
        derivation: DerivationRecord {
            version: source::VERSION,
            kept: RawPages::None,
        },
        mapping: Mapping::NotReported { reason: reason() },
        clock_skew_minutes: None,
        requests: Vec::new(),
        accounts: Vec::new(),
    }
}
