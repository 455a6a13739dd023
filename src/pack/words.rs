//! The closed sets of the pack.

use crate::judgement::{OffboardingResult, Severity};
use crate::model::words;

words! {
    /// The state of a due run, or of one more run.
    RunState {
        Pass = "pass",
        /// No unapproved access past the deadline: the verdict rests on risk acceptances.
        PassRiskAccepted = "pass_risk_accepted",
        Fail = "fail",
        /// Proves no absence. Access that it saw still counts.
        Inconclusive = "inconclusive",
        /// Ended without a judgement.
        Failed = "failed",
        /// Due, and not started.
        Missing = "missing",
        /// Started in addition to the run that was due. It is not one of the due runs.
        Extra = "extra",
    }
}

words! {
    /// The result of an item at the end of the period's evidence.
    ItemResult {
        InTime = "in_time",
        /// A run saw access after the deadline.
        Late = "late",
        /// The interval in which access ended spans the deadline.
        NotDemonstrated = "not_demonstrated",
        /// Has access after the deadline, under an exception that was in force before it.
        RiskAccepted = "risk_accepted",
        /// The deadline has passed, and no run shows that access ended.
        Open = "open",
        NoAccount = "no_account",
        /// HR moved the end of work after the deadline had passed.
        DateCorrected = "date_corrected",
        /// HR took the end of work back.
        Withdrawn = "withdrawn",
        RehiredBeforeDue = "rehired_before_due",
        /// The last run could not judge it.
        NotEvaluable = "not_evaluable",
        /// The deadline is after the last run.
        NotDue = "not_due",
        /// An item of its own: an account has access again after the conclusion of another item.
        AccessAfterConclusion = "access_after_conclusion",
    }
}

impl From<OffboardingResult> for ItemResult {
    fn from(result: OffboardingResult) -> Self {
        match result {
            OffboardingResult::InTime => Self::InTime,
            OffboardingResult::Late => Self::Late,
            OffboardingResult::NotDemonstrated => Self::NotDemonstrated,
            OffboardingResult::DateCorrected => Self::DateCorrected,
            OffboardingResult::NoAccount => Self::NoAccount,
            OffboardingResult::Withdrawn => Self::Withdrawn,
            OffboardingResult::RehiredBeforeDue => Self::RehiredBeforeDue,
        }
    }
}

words! {
    /// The part of the population that an item belongs to.
    Part {
        /// Work ended in the period.
        InPeriod = "in_period",
        /// Work ended earlier, and the item was not concluded when the period began.
        CarriedIn = "carried_in",
    }
}

words! {
    /// A fact about an item that a reader should know.
    Flag {
        /// The deadline lies between two conclusive runs with a missing, failed or inconclusive run between them.
        GapOverDeadline = "gap_over_deadline",
        /// HR named the leaver only after the end of work.
        LateNotice = "late_notice",
        /// HR moved the end of work.
        EndMoved = "end_moved",
        /// HR moved the end of work after the deadline of record had passed.
        EndMovedAfterTheFact = "end_moved_after_the_fact",
        /// HR's rows no longer name the leaver.
        Vanished = "vanished",
        /// An exception covers the person, and came into force after the deadline.
        ExceptionAfterTheFact = "exception_after_the_fact",
        /// The last run suspects accounts that may belong to the person.
        Suspected = "suspected",
        /// HR gave no end of work. The deadline counts from the first run that named the leaver.
        NoDate = "no_date",
    }
}

words! {
    /// Why the sample contains an item or a run.
    SampleReason {
        Random = "random",
        AllAdmins = "all_admins",
        AllDeviations = "all_deviations",
    }
}

words! {
    /// How the due instants of runs are known.
    ScheduleBasis {
        /// The command line gave them.
        Given = "given",
        /// The manifests record the schedule.
        Recorded = "recorded",
        /// No schedule is known, so no run can be missing. Every run counts as due.
        Unknown = "unknown",
    }
}

words! {
    /// How a term as administrator began.
    AdminBegan {
        /// The first run that was read already showed it.
        FirstSeen = "first_seen",
        /// The account had another role in the run before.
        RoleChanged = "role_changed",
        /// The account had no access, or was not listed, in the run before.
        Joined = "joined",
    }
}

words! {
    /// How a term as administrator ended.
    AdminEnded {
        RoleChanged = "role_changed",
        /// The account has no access any more.
        Deactivated = "deactivated",
        /// The account is not listed any more.
        Removed = "removed",
    }
}

words! {
    /// How a finding was closed.
    FindingClosed {
        /// A complete run no longer has it.
        NotFound = "not_found",
        /// A run that was not complete no longer has it.
        NotConfirmed = "not_confirmed",
    }
}

words! {
    /// How the auditor's export and the evidence differ about a person.
    TieoutDifference {
        Same = "same",
        DateDiffers = "date_differs",
        OnlyInHr = "only_in_hr",
        OnlyInEvidence = "only_in_evidence",
    }
}

words! {
    /// An event after the conclusion of an item. It is listed, and changes nothing.
    LaterEvent {
        Rehired = "rehired",
        /// HR took the end of work back.
        Rescinded = "rescinded",
        /// HR's rows no longer name the leaver.
        Vanished = "vanished",
        /// A later offboarding of the same person supersedes this one.
        Superseded = "superseded",
        /// An account was found after the conclusion `no_account`, or HR reported a withdrawn end of work once more.
        Reopened = "reopened",
        /// An account had access again. It is an item of its own.
        AccessAgain = "access_again",
    }
}

words! {
    /// What a change of a rule does.
    Effect {
        /// The value in force in the first run of the period.
        InForce = "in_force",
        /// The rule asks for less than before.
        Loosened = "loosened",
        /// The rule asks for more than before.
        Tightened = "tightened",
        /// Neither.
        Changed = "changed",
    }
}

words! {
    /// How far the evidence of a run was verified.
    RunVerified {
        /// Its accounts and decisions were recomputed with the same result.
        Recomputed = "recomputed",
        /// Its hashes are right, but this version cannot recompute all of it, or a failed run has nothing to recompute.
        HashesOnly = "hashes_only",
        /// Its retention has ended, and files are missing.
        Expired = "expired",
        Fault = "fault",
    }
}

words! {
    /// A population that the entity produces.
    IpePopulation {
        Leavers = "leavers",
        Accounts = "accounts",
        Runs = "runs",
        Reviews = "access_reviews",
    }
}

words! {
    /// A question about such a population.
    IpeQuestion {
        Source = "source",
        WhoAndWhen = "who_and_when",
        Parameters = "parameters",
        Completeness = "completeness",
        Accuracy = "accuracy",
        Exclusions = "exclusions",
        Changes = "changes",
        Limits = "limits",
    }
}

words! {
    /// What deviates from the control or its rules.
    DeviationType {
        AccessAfterDeadline = "access_after_deadline",
        RemovalLate = "removal_late",
        RemovalNotDemonstrated = "removal_not_demonstrated",
        AccessAfterConclusion = "access_after_conclusion",
        DateCorrected = "date_corrected",
        ExceptionAfterTheFact = "exception_after_the_fact",
        ExceptionExpiredInUse = "exception_expired_in_use",
        LeaverVanished = "leaver_vanished",
        EndMovedAfterTheFact = "end_moved_after_the_fact",
        HrRowsRejected = "hr_rows_rejected",
        RunMissing = "run_missing",
        RunFailed = "run_failed",
        RunInconclusive = "run_inconclusive",
        RuleLoosened = "rule_loosened",
        MappingChanged = "mapping_changed",
        VersionChanged = "version_changed",
        AliasWithoutApprover = "alias_without_approver",
        ReviewOverdue = "review_overdue",
        ReviewIncomplete = "review_incomplete",
        RowDontKnow = "row_dont_know",
        ReviewerIneligible = "reviewer_ineligible",
        PrivilegedKeptWithoutReason = "privileged_kept_without_reason",
        RevocationLate = "revocation_late",
        RevocationUndone = "revocation_undone",
        UnsignedEntry = "unsigned_entry",
    }
}

impl DeviationType {
    /// When an event is a deviation of this type.
    pub fn rule(self) -> &'static str {
        match self {
            Self::AccessAfterDeadline => {
                "A run saw an account of a leaver with access after the deadline, and no exception covered it."
            }
            Self::RemovalLate => "An item was concluded as late.",
            Self::RemovalNotDemonstrated => {
                "An item was concluded, but the interval in which access ended spans the deadline."
            }
            Self::AccessAfterConclusion => {
                "A run saw an account of a leaver with access after the item was concluded."
            }
            Self::DateCorrected => "An item was concluded as date_corrected.",
            Self::ExceptionAfterTheFact => {
                "An exception was first in force after the deadline of the item that it covers."
            }
            Self::ExceptionExpiredInUse => {
                "An exception expired while the account that it covered still had access."
            }
            Self::LeaverVanished => {
                "HR's rows stopped naming a leaver whose item was not concluded."
            }
            Self::EndMovedAfterTheFact => {
                "HR moved the end of work after the deadline of record had passed."
            }
            Self::HrRowsRejected => "A run could not read every row of the HR feed.",
            Self::RunMissing => "A run was due, and none started before the next one was due.",
            Self::RunFailed => "A run ended without a judgement.",
            Self::RunInconclusive => "A run could not check or judge something.",
            Self::RuleLoosened => {
                "A rule changed so that it asks for less: a longer grace, a wider tolerance, a narrower scope."
            }
            Self::MappingChanged => "Truto's mapping of Asana's accounts changed.",
            Self::VersionChanged => "The version or the commit of the program changed.",
            Self::AliasWithoutApprover => "A run used an alias that names no approver.",
            Self::ReviewOverdue => "A run found that no access review was closed in time.",
            Self::ReviewIncomplete => "An access review was closed with undecided rows.",
            Self::RowDontKnow => {
                "A reviewer answered `don't know` for a row of a closed access review."
            }
            Self::ReviewerIneligible => {
                "A row of a closed access review was decided by the owner of its account."
            }
            Self::PrivilegedKeptWithoutReason => {
                "A closed access review kept an administrator without a reason."
            }
            Self::RevocationLate => {
                "A run found that a decision of an access review was not carried out by its deadline."
            }
            Self::RevocationUndone => {
                "An access review's decision was carried out and later undone."
            }
            Self::UnsignedEntry => "A ledger entry of the period is not signed.",
        }
    }

    pub fn severity(self) -> Severity {
        match self {
            Self::AccessAfterDeadline
            | Self::RemovalLate
            | Self::AccessAfterConclusion
            | Self::RunMissing
            | Self::RevocationLate
            | Self::RevocationUndone => Severity::High,
            Self::RemovalNotDemonstrated
            | Self::DateCorrected
            | Self::ExceptionAfterTheFact
            | Self::ExceptionExpiredInUse
            | Self::LeaverVanished
            | Self::EndMovedAfterTheFact
            | Self::HrRowsRejected
            | Self::RunFailed
            | Self::RunInconclusive
            | Self::RuleLoosened
            | Self::MappingChanged
            | Self::ReviewOverdue
            | Self::ReviewIncomplete
            | Self::ReviewerIneligible
            | Self::PrivilegedKeptWithoutReason => Severity::Medium,
            Self::VersionChanged
            | Self::AliasWithoutApprover
            | Self::RowDontKnow
            | Self::UnsignedEntry => Severity::Low,
        }
    }
}
