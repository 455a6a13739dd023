//! The judgement of a run, applied to the sample. A check appears only if a first page can answer it.

use super::accounts::{empty, viewer_and_leavers};
use super::{Checked, Line, LineMark, Subject, store};
use crate::cli::exit::Exit;
use crate::clock::Clock;
use crate::config::Settings;
use crate::judgement::{
    CheckId, CheckStatus, FollowUps, Inputs, Judgement, ManualKind, ManualState, ManualUse, Past,
    ScheduleGaps, judge,
};
use crate::model::{HrFeed, ManualDecisions, Memberships, Permissions, Population, Viewer};

pub(super) struct Sample {
    judgement: Judgement,
    inputs: Inputs,
    has_hr: bool,
    has_accounts: bool,
    has_past: bool,
}

impl Sample {
    pub(super) fn of(
        settings: &Settings,
        clock: &Clock,
        evidence: store::EvidenceProbe,
        manual: Option<ManualDecisions>,
        hr: Option<HrFeed>,
        population: Option<Population>,
    ) -> Self {
        let (has_hr, has_accounts) = (hr.is_some(), population.is_some());
        let has_past = evidence.chain.is_some();
        let as_of = clock.as_of();
        let (past, follow_ups) = match evidence.chain {
            Some(chain) => (chain.past, chain.follow_ups),
            None => (Past::default(), FollowUps::starting(as_of)),
        };
        let inputs = Inputs {
            as_of,
            run: "none: a check".into(),
            policy: settings.policy.clone(),
            // The schedule has a line of its own.
            schedule: None,
            population: population.unwrap_or_else(|| empty(settings.policy.asana_permissions)),
            hr: hr.unwrap_or_default(),
            manual: manual.unwrap_or_default(),
            follow_ups,
            past,
            store: evidence.protection,
        };
        Self {
            judgement: judge(&inputs),
            inputs,
            has_hr,
            has_accounts,
            has_past,
        }
    }

    pub(super) fn report(&self, settings: &Settings, checked: &mut Checked) {
        for line in &self.judgement.manual {
            if let Some(line) = self.manual_line(line) {
                checked.add(line);
            }
        }
        let population = &self.inputs.population;
        let is_whole = population.listing.last_page_reached;
        let (past, hr, accounts) = (self.has_past, self.has_hr, self.has_accounts);
        let probed = self.inputs.store.is_some();
        // If the workspace fits on one page, the checks of the lists have an answer too.
        let list = accounts && is_whole;
        // A line of its own reports memberships that cannot be read.
        let is_refused = match &population.memberships {
            Memberships::Unreadable { .. } => true,
            Memberships::NotRequested => population.gaps.second_list.is_none(),
            Memberships::Read { .. } | Memberships::Incomplete { .. } => false,
        };
        let both = accounts && self.lists_are_whole() && !is_refused;
        // The check exists only if the settings require reviews.
        let mut checks = self.judgement.checks.iter();
        let reviews = past && checks.any(|check| check.id == CheckId::ReviewDue);
        for (is_answered, subject, id) in [
            (past, Subject::Evidence, CheckId::LedgerContinues),
            (past, Subject::Evidence, CheckId::PolicyUnchanged),
            (past, Subject::Evidence, CheckId::Cadence),
            (reviews, Subject::Evidence, CheckId::ReviewDue),
            (probed, Subject::WriteProbe, CheckId::StoreProtection),
            (hr, Subject::HrFeed, CheckId::HrFresh),
            (hr, Subject::HrFeed, CheckId::HrNotEmpty),
            (hr, Subject::HrFeed, CheckId::HrRowsAccounted),
            (accounts, Subject::Truto, CheckId::SourceOrigin),
            (accounts, Subject::Clock, CheckId::Clock),
            (both, Subject::Users, CheckId::ListComplete),
            (list, Subject::Users, CheckId::PopulationSize),
            (both, Subject::Memberships, CheckId::RowsReconcile),
        ] {
            if is_answered {
                checked.add(self.line(subject, id));
            }
        }
        if accounts {
            checked.add(self.viewer());
            checked.add(viewer_and_leavers(&self.inputs, &self.judgement));
        }
        if accounts && hr {
            let line = self.line(Subject::Match, CheckId::HrMatchable);
            checked.add(match line.mark {
                _ if self.inputs.hr.rows.is_empty() => {
                    Subject::Match.skipped("the HR feed has no row to match")
                }
                LineMark::Fail if !is_whole => Subject::Match
                    .warn("no HR row shares a mail domain with an account of the first page"),
                _ => line,
            });
        }
        checked.add(self.schedule(settings));
    }

    /// Whether two runs of the schedule are close around each deadline. Only such runs prove that access ended in time.
    fn schedule(&self, settings: &Settings) -> Line {
        let subject = Subject::Schedule;
        let Some(schedule) = &settings.schedule else {
            return subject.skipped(
                "unknown schedule: set RUN_SCHEDULE, or add --schedule \"30 0,23 * * *\"",
            );
        };
        match ScheduleGaps::of(schedule, &self.inputs).map(|gaps| gaps.detail(schedule)) {
            Ok(None) => subject.ok(format!(
                "{schedule}: two runs are close around every deadline"
            )),
            Ok(Some(gaps)) => subject.warn(gaps),
            Err(wrong) => subject.warn(format!("{schedule}: {wrong}")),
        }
    }

    /// The state of a line of the aliases or exceptions. Only the complete list of accounts shows that a line is
    /// unused.
    fn manual_line(&self, of: &ManualUse) -> Option<Line> {
        let file = match of.kind {
            ManualKind::Alias => "aliases",
            ManualKind::Exception => "exceptions",
        };
        let (line, state, detail) = (of.line, of.state, &of.detail);
        let text = format!("line {line} of the {file} is {state}: {detail}");
        let is_read = self.has_hr && self.has_accounts;
        let is_known = match state {
            ManualState::Expired | ManualState::Malformed => {
                return Some(Subject::Manual.warn(text));
            }
            ManualState::Used => is_read,
            ManualState::Unused => is_read && self.inputs.population.listing.last_page_reached,
        };
        is_known.then(|| Subject::Manual.ok(text))
    }

    /// Whether the first pages of the lists that can be read are the only ones.
    fn lists_are_whole(&self) -> bool {
        let population = &self.inputs.population;
        let second = &population.gaps.second_list;
        let is_second_whole = match &population.memberships {
            Memberships::Read { .. } | Memberships::Unreadable { .. } => true,
            Memberships::NotRequested => second.as_ref().is_none_or(|of| of.last_page_reached),
            Memberships::Incomplete { .. } => false,
        };
        population.listing.last_page_reached && is_second_whole
    }

    /// The connected account. What the first pages of the lists lack may be on later ones.
    fn viewer(&self) -> Line {
        let Inputs {
            population, policy, ..
        } = &self.inputs;
        if let Viewer::Account { id, .. } = &population.viewer
            && !self.lists_are_whole()
        {
            let mut accounts = population.accounts.iter();
            let lacks = match accounts.find(|account| account.id == *id) {
                None if population.listing.last_page_reached => None,
                None => Some("the account"),
                Some(account) => match policy.asana_permissions {
                    Permissions::Full if account.role.rank().is_none() => Some("its role"),
                    Permissions::Narrow if account.emails.is_empty() => Some("its address"),
                    Permissions::Full | Permissions::Narrow => None,
                },
            };
            if let Some(what) = lacks {
                return Subject::Viewer.warn(format!(
                    "the connected account `{id}`: {what} is not on the first pages; a run reads all of them"
                ));
            }
        }
        self.line(Subject::Viewer, CheckId::Viewer)
    }

    /// A check of the judgement, as a line.
    fn line(&self, subject: Subject, id: CheckId) -> Line {
        let mut checks = self.judgement.checks.iter();
        match checks.find(|check| check.id == id) {
            None => subject.skipped(format!("{id} was not judged")),
            Some(check) => match check.status {
                CheckStatus::Pass => subject.ok(&check.detail),
                CheckStatus::Warn => subject.warn(&check.detail),
                CheckStatus::Fail => subject.fail(Exit::Inconclusive, &check.detail),
            },
        }
    }
}
