//! What a run's judgement finds in what was read. A check appears only if a first page can answer it.

use super::{Checked, Line, LineMark, Subject, accounts, store};
use crate::cli::exit::Exit;
use crate::clock::Clock;
use crate::config::Settings;
use crate::judgement::{
    CheckId, CheckStatus, DirectiveKind, DirectiveState, DirectiveUse, FollowUps, Inputs,
    Judgement, Past, judge,
};
use crate::model::{Directives, HrFeed, Memberships, Population, Viewer};

pub(super) struct Sample {
    judgement: Judgement,
    pub(super) inputs: Inputs,
    has_hr: bool,
    has_accounts: bool,
    has_past: bool,
}

impl Sample {
    pub(super) fn of(
        settings: &Settings,
        clock: &Clock,
        found: store::Found,
        directives: Option<Directives>,
        hr: Option<HrFeed>,
        population: Option<Population>,
    ) -> Self {
        let (has_hr, has_accounts) = (hr.is_some(), population.is_some());
        let has_past = found.chain.is_some();
        let as_of = clock.as_of();
        let (past, follow_ups) = match found.chain {
            Some(chain) => (chain.past, chain.follow_ups),
            None => (Past::default(), FollowUps::starting(as_of)),
        };
        let inputs = Inputs {
            as_of,
            run: "none: a check".into(),
            policy: settings.policy.clone(),
            // The schedule has a line of its own.
            schedule: None,
            population: population.unwrap_or_else(accounts::empty),
            hr: hr.unwrap_or_default(),
            directives: directives.unwrap_or_default(),
            follow_ups,
            past,
            store: found.protection,
        };
        Self {
            judgement: judge(&inputs),
            inputs,
            has_hr,
            has_accounts,
            has_past,
        }
    }

    pub(super) fn report(&self, checked: &mut Checked) {
        for line in &self.judgement.directives {
            checked.lines.extend(self.directive(line));
        }
        if self.has_past {
            for id in [
                CheckId::LedgerContinues,
                CheckId::PolicyUnchanged,
                CheckId::Cadence,
            ] {
                checked.add(self.line(Subject::Evidence, id));
            }
            // The check exists only if reviews are asked for.
            if self.has_check(CheckId::ReviewDue) {
                checked.add(self.line(Subject::Evidence, CheckId::ReviewDue));
            }
        }
        if self.inputs.store.is_some() {
            checked.add(self.line(Subject::WriteProbe, CheckId::StoreProtection));
        }
        if self.has_hr {
            for id in [
                CheckId::HrFresh,
                CheckId::HrNotEmpty,
                CheckId::HrRowsAccounted,
            ] {
                checked.add(self.line(Subject::HrFeed, id));
            }
        }
        if self.has_accounts {
            checked.add(self.line(Subject::Truto, CheckId::SourceOrigin));
            checked.add(self.line(Subject::Clock, CheckId::Clock));
            checked.add(self.viewer());
            checked.add(accounts::viewer_and_leavers(&self.inputs, &self.judgement));
            self.report_whole_lists(checked);
        }
        if self.has_accounts && self.has_hr {
            let line = self.line(Subject::Match, CheckId::HrMatchable);
            let is_whole = self.inputs.population.listing.last_page_reached;
            checked.add(match line.mark {
                LineMark::Fail if !is_whole => Line::warn(
                    Subject::Match,
                    "no HR row shares a mail domain with an account of the first page",
                ),
                _ => line,
            });
        }
    }

    /// The state of a line of the aliases or exceptions. Only the whole list of accounts shows that a line is unused.
    fn directive(&self, of: &DirectiveUse) -> Option<Line> {
        let file = match of.kind {
            DirectiveKind::Alias => "aliases",
            DirectiveKind::Exception => "exceptions",
        };
        let text = format!(
            "line {} of the {file} is {}: {}",
            of.line, of.state, of.detail
        );
        let is_whole = self.inputs.population.listing.last_page_reached;
        match of.state {
            DirectiveState::Expired | DirectiveState::Malformed => {
                Some(Line::warn(Subject::Directives, text))
            }
            DirectiveState::Used | DirectiveState::Unused if !self.has_hr || !self.has_accounts => {
                None
            }
            DirectiveState::Unused if !is_whole => None,
            DirectiveState::Used | DirectiveState::Unused => {
                Some(Line::ok(Subject::Directives, text))
            }
        }
    }

    /// The connected account. If it is not on the first page, it may still be in the list.
    fn viewer(&self) -> Line {
        let population = &self.inputs.population;
        let line = self.line(Subject::Viewer, CheckId::Viewer);
        match &population.viewer {
            Viewer::Account { id, .. }
                if !population.listing.last_page_reached
                    && population.accounts.iter().all(|account| account.id != *id) =>
            {
                let text = format!(
                    "the account `{id}` is not on the first page, and could not be read alone: its \
                     role is not known"
                );
                Line::warn(Subject::Viewer, text)
            }
            Viewer::Account { .. } | Viewer::NotReported { .. } => line,
        }
    }

    /// If the workspace fits on one page, the checks of the lists have an answer too.
    fn report_whole_lists(&self, checked: &mut Checked) {
        let population = &self.inputs.population;
        if !population.listing.last_page_reached {
            return;
        }
        for id in [CheckId::ListComplete, CheckId::PopulationSize] {
            checked.add(self.line(Subject::Users, id));
        }
        if matches!(population.memberships, Memberships::Read { .. }) {
            checked.add(self.line(Subject::Memberships, CheckId::RowsReconcile));
        }
    }

    fn has_check(&self, id: CheckId) -> bool {
        self.judgement.checks.iter().any(|check| check.id == id)
    }

    /// A check of the judgement, as a line.
    fn line(&self, subject: Subject, id: CheckId) -> Line {
        let mut checks = self.judgement.checks.iter();
        match checks.find(|check| check.id == id) {
            None => Line::skipped(subject, format!("{id} was not judged")),
            Some(check) => match check.status {
                CheckStatus::Pass => Line::ok(subject, &check.detail),
                CheckStatus::Warn => Line::warn(subject, &check.detail),
                CheckStatus::Fail => Line::fail(subject, Exit::Inconclusive, &check.detail),
            },
        }
    }
}
