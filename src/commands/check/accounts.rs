//! Truto and Asana: token, connection, workspace, and the first page of each list.

use super::{Checked, Line, Settings, Subject, error_chain};
use crate::cli::exit::Exit;
use crate::clock::Clock;
use crate::judgement::{Inputs, Judgement, Outcome};
use crate::model::{
    Account, HowDerived, Mapping, Memberships, Population, RawPages, Role, Status, Viewer,
};
use crate::net::Deadline;
use crate::source::{self, SourceError};
use crate::truto::{self, End, TrutoError};

/// A token that ends sooner than this causes a warning, in days.
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
            let extras = extras(settings, clock, deadline).await;
            report(&population, checked);
            report_extras(extras, clock.as_of(), checked);
            Some(population)
        }
        Err(error) => {
            let subject = subject_of(&error);
            let (exit, hint) = (error.kind().into(), error.hint());
            checked.add(Line::fail(subject, exit, error_chain(&error)).hint(hint));
            for of in ASKED.iter().filter(|of| **of != subject) {
                checked.add(match was_reached(*of, subject) {
                    true => Line::ok(*of, "answered"),
                    false => Line::skipped(*of, format!("not known, since `{subject}` failed")),
                });
            }
            None
        }
    }
}

/// Everything that is asked of Truto: the first ones in order, the lists at once.
const ASKED: [Subject; 12] = [
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

/// So many of them are asked in order.
const IN_ORDER: usize = 4;

fn was_reached(subject: Subject, failed: Subject) -> bool {
    let place = |of| ASKED.iter().position(|asked| *asked == of);
    let failed = place(failed).unwrap_or_default();
    place(subject).is_some_and(|at| at < IN_ORDER && at < failed)
}

/// The subject of an error.
fn subject_of(error: &SourceError) -> Subject {
    let truto = match error {
        SourceError::WrongIntegration { .. } => return Subject::Connection,
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
        | TrutoError::Malformed { .. } => subject_of_request(&error_chain(truto)),
    }
}

/// The subject of a request, by the path in the error.
fn subject_of_request(error: &str) -> Subject {
    let paths = [
        ("/integrated-account", Subject::Truto),
        ("/users/meta", Subject::Users),
        ("/organizations", Subject::Workspace),
        ("/me", Subject::Viewer),
        ("/workspace_memberships", Subject::Memberships),
        ("/users", Subject::Users),
    ];
    let found = paths.iter().find(|(path, _)| error.contains(path));
    found.map_or(Subject::Truto, |(_, subject)| *subject)
}

/// Answers that a run does not ask for.
struct Extras {
    capabilities: Result<truto::Capabilities, TrutoError>,
    tokens: Result<Vec<truto::TokenReported>, TrutoError>,
}

async fn extras(settings: &Settings, clock: &Clock, deadline: Deadline) -> Option<Extras> {
    let client = truto::Client::new(&settings.source.truto, clock, deadline).ok()?;
    Some(Extras {
        capabilities: client.capabilities().await,
        tokens: client.tokens().await,
    })
}

fn report(population: &Population, checked: &mut Checked) {
    checked.add(Line::ok(
        Subject::Truto,
        format!("{} answers", population.origin),
    ));
    let connection = &population.connection;
    let method = connection.authentication_method.as_deref();
    checked.add(Line::ok(
        Subject::Connection,
        format!(
            "`{}` is active ({})",
            connection.id,
            method.unwrap_or("how it logs in is not told")
        ),
    ));
    checked.add(scopes(&connection.scopes));
    checked.add(Line::ok(
        Subject::Workspace,
        format!(
            "`{}`, one of {} that the connection sees",
            population.workspace.id, population.workspaces_visible
        ),
    ));
    checked.add(users(population));
    checked.add(memberships(&population.memberships));
    checked.add(fields(population));
}

fn scopes(reported: &[String]) -> Line {
    let subject = Subject::Scopes;
    if reported.is_empty() {
        return Line::ok(subject, "not told; what a run needs was read");
    }
    match reported
        .iter()
        .any(|scope| scope == source::FULL_PERMISSIONS)
    {
        true => Line::ok(subject, "full permissions"),
        false => Line::warn(
            subject,
            format!("not full permissions: {}", reported.join(", ")),
        )
        .hint(Some(
            "workspace memberships have no scope of their own: connect again with full permissions",
        )),
    }
}

fn users(population: &Population) -> Line {
    let listing = &population.listing;
    let subject = Subject::Users;
    let rejected = listing.rejected.len();
    let text = format!(
        "the first page has {} row(s), {} account(s){}",
        listing.rows,
        listing.unique,
        if listing.partial_response {
            ", and calls itself partial"
        } else {
            ""
        }
    );
    if listing.unique == 0 {
        return Line::fail(subject, Exit::Inconclusive, text).hint(Some(
            "the connection must be of an admin of the workspace that is reviewed",
        ));
    }
    match rejected {
        0 => Line::ok(subject, text),
        _ => Line::fail(
            subject,
            Exit::Inconclusive,
            format!("{text}; {rejected} row(s) are no account"),
        ),
    }
}

fn memberships(reported: &Memberships) -> Line {
    let subject = Subject::Memberships;
    match reported {
        Memberships::Read { rows, .. } => {
            Line::ok(subject, format!("{rows} membership(s) were read"))
        }
        // The first page is all that was asked for.
        Memberships::Incomplete { reason } if *reason == End::NotFollowed.to_string() => {
            Line::ok(subject, "the first page was read")
        }
        Memberships::Incomplete { reason } => {
            Line::fail(subject, Exit::Inconclusive, format!("not read: {reason}"))
        }
        Memberships::Unreadable {
            status,
            missing_scopes,
        } => {
            let scopes = match missing_scopes.is_empty() {
                true => String::new(),
                false => format!(", missing scope {}", missing_scopes.join(", ")),
            };
            let text = format!(
                "not readable (status {status}{scopes}): there is no second witness that the list is whole"
            );
            Line::warn(subject, text).hint(Some(
                "connect again with full permissions, or with a service account; the id stays",
            ))
        }
    }
}

fn lacks_something(account: &&Account) -> bool {
    account.emails.is_empty()
        || matches!(account.status, Status::Unknown(_))
        || matches!(account.role, Role::Unknown(_))
}

fn fields(population: &Population) -> Line {
    let subject = Subject::Fields;
    let gaps = &population.gaps;
    let all = population.accounts.len();
    let lacking = population.accounts.iter().filter(lacks_something).count();
    if lacking == 0 {
        let from = match gaps.emails_from_pass + gaps.gets {
            0 => "",
            _ => ", some of them from further requests",
        };
        let text =
            format!("all {all} accounts of the first page have e-mail, status and role{from}");
        return Line::ok(subject, text);
    }
    let without_email = population
        .accounts
        .iter()
        .filter(|of| of.emails.is_empty())
        .count();
    match &gaps.stopped_because {
        None if gaps.gets > 0 => Line::ok(
            subject,
            format!(
                "{lacking} of {all} accounts lack a field on the first page; read alone, an account \
                 tells: a run reads those one by one"
            ),
        ),
        because => {
            let because = because.as_deref().unwrap_or("nothing fills them");
            let scopes = match gaps.missing_scopes.is_empty() {
                true => String::new(),
                false => format!("; missing scope {}", gaps.missing_scopes.join(", ")),
            };
            let hint = "connect again with full permissions, as an admin or with a service account";
            // A run only warns about an unknown status or role.
            let line = match without_email {
                0 => Line::warn(
                    subject,
                    format!(
                        "status or role of {lacking} of {all} accounts is not known: {because}{scopes}"
                    ),
                ),
                count => Line::fail(
                    subject,
                    Exit::Inconclusive,
                    format!("{count} of {all} accounts have no e-mail: {because}{scopes}"),
                ),
            };
            line.hint(Some(hint))
        }
    }
}

fn report_extras(extras: Option<Extras>, as_of: jiff::Timestamp, checked: &mut Checked) {
    let Some(Extras {
        capabilities,
        tokens,
    }) = extras
    else {
        return;
    };
    checked.add(match capabilities {
        Err(error) => Line::skipped(Subject::Capabilities, format!("not told: {error}")),
        Ok(reported) if reported.is_blocked => Line::fail(
            Subject::Capabilities,
            Exit::Refused,
            "Truto has blocked the connection",
        )
        .hint(Some("contact Truto support")),
        Ok(reported) if !reported.lists_users => Line::warn(
            Subject::Capabilities,
            "Truto does not name `users` among what the connection can list",
        ),
        Ok(reported) if !reported.gets_users => Line::warn(
            Subject::Capabilities,
            "users can be listed, and not read one by one: what the list leaves out stays unknown",
        ),
        Ok(_) => Line::ok(
            Subject::Capabilities,
            "users can be listed, and read one by one",
        ),
    });
    checked.add(token(tokens, as_of));
}

fn token(tokens: Result<Vec<truto::TokenReported>, TrutoError>, as_of: jiff::Timestamp) -> Line {
    let subject = Subject::Token;
    let tokens = match tokens {
        Ok(tokens) => tokens,
        Err(error) => {
            return Line::ok(
                subject,
                format!("it works; when it ends is not told: {error}"),
            );
        }
    };
    let ends = tokens
        .iter()
        .filter_map(|token| truto::instant(token.expires_at.as_deref()?));
    let Some(first) = ends.filter(|ends| *ends > as_of).min() else {
        return Line::ok(
            subject,
            "it works, and no token of its environment has an end ahead",
        );
    };
    let days = first.duration_since(as_of).as_hours() / 24;
    // Truto does not report which of several tokens is ours.
    let whose = match tokens.len() {
        1 => "it works, and ends".to_owned(),
        many => format!("it works; the first of the environment's {many} tokens ends"),
    };
    let text = format!("{whose} in {days} day(s), at {first}");
    if days < TOKEN_DAYS {
        Line::warn(subject, text).hint(Some(
            "make another in Truto, and replace TRUTO_API_TOKEN in time",
        ))
    } else {
        Line::ok(subject, text)
    }
}

/// Whether the connected account belongs to a leaver. The connection ends with the account.
pub(super) fn viewer_and_leavers(inputs: &Inputs, judgement: &Judgement) -> Line {
    let subject = Subject::Viewer;
    let Viewer::Account { id, .. } = &inputs.population.viewer else {
        return Line::skipped(
            subject,
            "whether who connected Asana has left: not told who that is",
        );
    };
    let account = inputs
        .population
        .accounts
        .iter()
        .find(|account| account.id == *id);
    if account.is_none_or(|account| account.emails.is_empty() && account.external_id.is_none()) {
        let text = format!("whether the account `{id}` is a leaver's: no address of it was seen");
        return Line::skipped(subject, text);
    }
    let leaver = judgement
        .leavers
        .iter()
        .find(|leaver| leaver.account_id.contains(id) && is_leaving(leaver.outcome));
    match leaver {
        Some(_) => Line::warn(
            subject,
            format!("the account `{id}` that the connection uses is of somebody whom HR names as a leaver"),
        )
        .hint(Some(
            "have another admin or a service account connect again, before that account goes",
        )),
        None if inputs.hr.rows.is_empty() => {
            Line::skipped(subject, "whether who connected Asana has left: no HR row was read")
        }
        None => Line::ok(subject, format!("HR does not name the account `{id}` as a leaver's")),
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

/// The empty population, if none could be read. The checks of it are not reported.
pub(super) fn empty() -> Population {
    Population {
        connection: Default::default(),
        origin: String::new(),
        workspace: Default::default(),
        workspaces_visible: 0,
        viewer: Viewer::NotReported {
            reason: "nothing was read".to_owned(),
        },
        listing: Default::default(),
        memberships: Memberships::Incomplete {
            reason: "nothing was read".to_owned(),
        },
        gaps: Default::default(),
        derivation: HowDerived {
            version: source::VERSION,
            kept: RawPages::None,
        },
        mapping: Mapping::NotReported {
            reason: "nothing was read".to_owned(),
        },
        clock_skew_minutes: None,
        requests: Vec::new(),
        accounts: Vec::new(),
    }
}
