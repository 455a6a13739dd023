//! The closed sets in sentences. Beside each, the page shows the word that the files use.

use crate::evidence::Trigger;
use crate::judgement::{
    ChangeKind, CheckId, CheckStatus, FeedScope, FindingKind, MatchKind, OffboardingResult,
    Outcome, Severity, Verdict, WithinSla,
};
use crate::people::AgeBasis;

/// A value that has a heading.
pub(super) trait Title {
    /// Few words, beginning with a capital where they begin a line.
    fn title(&self) -> &'static str;
}

/// A value that needs a sentence.
pub(super) trait Meaning {
    /// One sentence.
    fn meaning(&self) -> &'static str;
}

impl Title for Verdict {
    fn title(&self) -> &'static str {
        match self {
            Self::Pass => "Pass",
            Self::PassWithExceptions => "Pass with exceptions",
            Self::Inconclusive => "Inconclusive",
            Self::Fail => "Fail",
        }
    }
}

impl Meaning for Verdict {
    fn meaning(&self) -> &'static str {
        match self {
            Self::Pass => {
                "Nobody who left has access past their deadline, and everything this rests on \
                 could be checked."
            }
            Self::PassWithExceptions => {
                "Nobody who left has access past their deadline, except where an approved \
                 exception allows it, and everything this rests on could be checked."
            }
            Self::Inconclusive => {
                "Something this review rests on could not be checked or judged. No access past a \
                 deadline was proven, but this night does not prove that there is none."
            }
            Self::Fail => "At least one person who should have lost access still has it.",
        }
    }
}

impl Meaning for Trigger {
    fn meaning(&self) -> &'static str {
        match self {
            Self::Scheduled => "by the CronJob, at an instant of the schedule",
            Self::Manual => "outside the schedule",
            Self::Unknown => "not known",
        }
    }
}

impl Title for Outcome {
    fn title(&self) -> &'static str {
        match self {
            Self::Rehired => "Works here again",
            Self::Rescinded => "No longer leaving",
            Self::Upcoming => "Will leave",
            Self::StillActive => "Still has access",
            Self::NotEvaluable => "Could not be judged",
            Self::WithinGrace => "Has access, before the deadline",
            Self::Excepted => "Has access by an approved exception",
            Self::Removed => "Access removed",
            Self::NoAccessFound => "Never had an account",
        }
    }
}

impl Title for OffboardingResult {
    fn title(&self) -> &'static str {
        match self {
            Self::InTime => "Removed in time",
            Self::Late => "Removed late",
            Self::NotDemonstrated => "Not demonstrated",
            Self::DateCorrected => "Date corrected too late",
            Self::NoAccount => "No account found",
            Self::Withdrawn => "Withdrawn by HR",
            Self::RehiredBeforeDue => "Rehired before the deadline",
        }
    }
}

impl Meaning for Outcome {
    fn meaning(&self) -> &'static str {
        match self {
            Self::Rehired => "A later tenure of the same person runs.",
            Self::Rescinded => "HR named the person as leaving; the feed now says active.",
            Self::Upcoming => "Work has not ended yet.",
            Self::StillActive => "An account of the person has access after the deadline.",
            Self::NotEvaluable => {
                "Whether the person has access is not known. This is never counted as removed."
            }
            Self::WithinGrace => "An account has access, and the deadline has not passed.",
            Self::Excepted => "An account has access after the deadline; an exception covers it.",
            Self::Removed => {
                "The person had an account; it is inactive or gone from a list proven complete."
            }
            Self::NoAccessFound => {
                "No account was ever seen for the person, and one would have been recognised."
            }
        }
    }
}

impl Title for FindingKind {
    fn title(&self) -> &'static str {
        match self {
            Self::OffboardedAccess => "Access after leaving",
            Self::AccessAfterConclusion => "Access again after the offboarding was concluded",
            Self::PossibleOffboardedAccess => "Possible access after leaving",
            Self::LateRemoval => "Removed late",
            Self::AccountWithoutHrRecord => "Account without HR record",
            Self::AccountUnidentifiable => "Account nobody can be tied to",
            Self::ExceptionInvalid => "Exception not valid",
            Self::AliasInvalid => "Alias not valid",
            Self::LeaverWithoutAddress => "Leavers without a usable address",
            Self::RevocationNotDone => "Revocation not carried out",
        }
    }
}

impl Title for ChangeKind {
    fn title(&self) -> &'static str {
        match self {
            Self::Added => "Account added",
            Self::Removed => "Account gone",
            Self::Deactivated => "Account deactivated",
            Self::Reactivated => "Account reactivated",
            Self::Rejoined => "Account came back",
            Self::RoleChanged => "Role changed",
            Self::EmailChanged => "E-mail changed",
            Self::NameChanged => "Name changed",
            Self::LeaverAdded => "New leaver",
            Self::LeaverVanished => "Leaver no longer named by HR",
            Self::EndOfWorkMoved => "End of work moved",
            Self::Rehired => "Rehired",
            Self::PolicyChanged => "Rule changed",
        }
    }
}

impl Title for CheckId {
    fn title(&self) -> &'static str {
        match self {
            Self::ConnectionActive => "The Truto connection is active",
            Self::SourceOrigin => "The accounts came from api.truto.one",
            Self::Clock => "Our clock agrees with the server's",
            Self::WorkspaceListed => "The workspace is one the connection sees",
            Self::ListComplete => "The list of accounts was read to its end",
            Self::RowsReconcile => "Rows add up, and the memberships name the same accounts",
            Self::PopulationSize => "The number of accounts is believable",
            Self::PopulationDrop => "The number of accounts has not collapsed",
            Self::FieldsKnown => "E-mail, status and role of the accounts are known",
            Self::Viewer => "The connection's own account sees everybody",
            Self::HrFresh => "The HR feed is recent",
            Self::HrNotEmpty => "The HR feed names leavers",
            Self::HrRowsAccounted => "Every row of the HR feed was understood",
            Self::HrColumns => "No unread column could change an outcome",
            Self::HrIdentities => "Ids of the HR feed identify people",
            Self::HrMatchable => "HR and Asana have the same organization",
            Self::HrDrop => "The HR feed has not collapsed",
            Self::PolicyUnchanged => "The rules are those of the run before",
            Self::Cadence => "No night was missed",
            Self::LedgerContinues => "The ledger is whole",
            Self::StoreProtection => "The store keeps what was written",
            Self::MappingUnchanged => "Truto maps accounts as in the last complete run",
            Self::ReviewDue => "Access was reviewed by people, and lately enough",
        }
    }
}

impl Title for CheckStatus {
    fn title(&self) -> &'static str {
        match self {
            Self::Pass => "passed",
            Self::Warn => "warning",
            Self::Fail => "failed",
        }
    }
}

impl Title for Severity {
    fn title(&self) -> &'static str {
        self.as_str()
    }
}

impl Title for MatchKind {
    fn title(&self) -> &'static str {
        match self {
            Self::PersonId => "by person id",
            Self::Alias => "by hand",
            Self::Email => "by e-mail",
            Self::DomainAlias => "by e-mail, other domain",
            Self::FormerEmail => "by former e-mail",
        }
    }
}

impl Title for WithinSla {
    fn title(&self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unknown => "not known",
        }
    }
}

impl Title for FeedScope {
    fn title(&self) -> &'static str {
        match self {
            Self::Leavers => "everyone who left",
            Self::RecentLeavers => "those who left lately; rows drop out with time",
            Self::Roster => "everyone who works here, and perhaps who left",
        }
    }
}

impl Title for AgeBasis {
    fn title(&self) -> &'static str {
        match self {
            Self::FileMtime => "as the file system says",
            Self::HttpLastModified => "as the HTTP server says",
            Self::S3LastModified => "as S3 says",
            Self::Live => "when it was read live, as the server's clock says",
            Self::Unknown => "as nobody says",
        }
    }
}
