//! The facts of a run about each account that reviewers need: leaver, exception, service account, place in HR.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::evidence::AccountLine;
use crate::judgement::{Inputs, Leaver, ManualKind, ManualState, ManualUse, Outcome};
use crate::model::{Alias, EmailAddress, Exception};

/// The facts of a run, found by account.
#[derive(Debug, Default)]
pub(super) struct RunFacts {
    /// By account id: the offboarding of its owner.
    leavers: HashMap<String, AccountFacts>,
    services: Vec<Alias>,
    /// Exceptions that the run used.
    exceptions: Vec<Exception>,
    /// Departments and titles, by person id.
    by_id: HashMap<String, Position>,
    /// The same by address, for feeds without ids.
    by_email: HashMap<EmailAddress, Position>,
}

/// Department and title.
type Position = (Option<Arc<str>>, Option<Arc<str>>);

/// The facts about one account.
#[derive(Clone, Debug, Default)]
pub(super) struct AccountFacts {
    pub(super) leaver_outcome: Option<Outcome>,
    pub(super) end_of_work: Option<Timestamp>,
    pub(super) exception_ends: Option<String>,
    pub(super) service_owner: Option<String>,
    pub(super) department: Option<String>,
    pub(super) title: Option<String>,
}

/// The lines of the aliases that make an account a service account, except those that break the rules.
pub(super) fn services(inputs: &Inputs, manual: &[ManualUse]) -> Vec<Alias> {
    let is_malformed = |line: u64| {
        manual.iter().any(|of| {
            of.kind == ManualKind::Alias && of.line == line && of.state == ManualState::Malformed
        })
    };
    let aliases = inputs.manual.aliases().iter();
    let services = aliases.filter(|alias| {
        let relation = alias.relation.as_deref().unwrap_or_default().trim();
        relation.eq_ignore_ascii_case("service")
            && alias.owner.is_some()
            && !is_malformed(alias.line)
    });
    services.cloned().collect()
}

impl RunFacts {
    pub(super) fn of(
        inputs: &Inputs,
        leavers: &[Leaver],
        services: Vec<Alias>,
        manual: &[ManualUse],
    ) -> Self {
        let mut facts = Self {
            services,
            ..Self::default()
        };
        // The most severe first.
        for leaver in leavers.iter().filter(|leaver| !leaver.superseded) {
            for id in &leaver.account_id {
                let known = facts.leavers.entry(id.clone());
                known.or_insert_with(|| AccountFacts {
                    leaver_outcome: Some(leaver.outcome),
                    end_of_work: leaver.end_of_work,
                    exception_ends: leaver.exception_expires.clone(),
                    ..AccountFacts::default()
                });
            }
        }
        let is_used = |exception: &&Exception| {
            manual.iter().any(|of| {
                of.kind == ManualKind::Exception
                    && of.line == exception.line
                    && of.state == ManualState::Used
            })
        };
        let exceptions = inputs.manual.exceptions().iter().filter(is_used);
        facts.exceptions = exceptions.cloned().collect();
        for row in &inputs.hr.rows {
            let position = (row.department.clone(), row.title.clone());
            if position == (None, None) {
                continue;
            }
            if let Some(id) = &row.person_id {
                facts
                    .by_id
                    .entry(id.clone())
                    .or_insert_with(|| position.clone());
            }
            if let Some(email) = &row.email {
                facts.by_email.entry(email.clone()).or_insert(position);
            }
        }
        facts
    }

    pub(super) fn about(&self, account: &AccountLine) -> AccountFacts {
        let leaver = self.leavers.get(&account.account_id);
        let leaver = leaver.cloned().unwrap_or_default();
        let emails = || account.email.iter().chain(&account.other_emails);
        let is_named = |id: &Option<String>, email: &Option<String>| match id {
            Some(id) => *id == account.account_id,
            None => {
                let email = email.as_deref().and_then(EmailAddress::parse);
                email.is_some_and(|email| emails().any(|of| *of == email))
            }
        };
        let covers = |exception: &&Exception| {
            let of_person = exception.person_id.as_ref();
            is_named(&exception.account_id, &exception.email)
                || of_person.is_some_and(|id| account.person_id.contains(id))
        };
        let exceptions = self.exceptions.iter().filter(covers);
        let exception = exceptions.filter_map(|of| of.expires_on.clone()).max();
        let mut services = self.services.iter();
        let service = services.find(|of| is_named(&of.account_id, &of.email));
        let ids = account.person_id.iter();
        let mut positions = ids
            .filter_map(|id| self.by_id.get(id))
            .chain(emails().filter_map(|email| self.by_email.get(email)));
        let (department, title) = positions.next().cloned().unwrap_or_default();
        let text = |text: Option<Arc<str>>| text.map(|text| text.to_string());
        AccountFacts {
            exception_ends: leaver.exception_ends.or(exception),
            service_owner: service.and_then(|of| of.owner.clone()),
            department: text(department),
            title: text(title),
            ..leaver
        }
    }
}
