//! The closed sets of the pack, with a title and a sentence for each value that a page shows.

use crate::judgement::{OffboardingResult, Severity, Verdict};
use crate::model::words;
use crate::report::words::{Meaning, Title, each};

words! {
    /// The state of a due run, or of one more run.
    RunState {
        Pass = "pass",
        PassRiskAccepted = "pass_risk_accepted",
        Fail = "fail",
        Inconclusive = "inconclusive",
        Failed = "failed",
        Missing = "missing",
        Extra = "extra",
    }
}

each!(Title::title of RunState {
    Pass => Verdict::Pass.title(),
    PassRiskAccepted => "Pass with accepted risks",
    Fail => Verdict::Fail.title(),
    Inconclusive => Verdict::Inconclusive.title(),
    Failed => "Did not finish",
    Missing => "Missing",
    Extra => "Extra",
});

each!(Meaning::meaning of RunState {
    Pass => "No leaver has access past the deadline.",
    PassRiskAccepted => "No unapproved access past the deadline. Each risk acceptance is listed in section 9.",
    Fail => "A check failed, or a leaver has access past the deadline.",
    Inconclusive => "Scope limitation: the run proves no absence. Access that it saw still counts.",
    Failed => "The run left a failure record and no verdict. It proves no absence.",
    Missing => "A run was due, and none started before the next one was due.",
    Extra => "Started in addition to the run that was due. It is not one of the due runs. It has a verdict of its own, and \
        access that it saw counts.",
});

words! {
    /// The result of an item at the end of the period's evidence.
    ItemResult {
        InTime = "in_time",
        Late = "late",
        NotDemonstrated = "not_demonstrated",
        RiskAccepted = "risk_accepted",
        Open = "open",
        NoAccount = "no_account",
        DateCorrected = "date_corrected",
        Withdrawn = "withdrawn",
        RehiredBeforeDue = "rehired_before_due",
        NotEvaluable = "not_evaluable",
        NotDue = "not_due",
        AccessAfterConclusion = "access_after_conclusion",
    }
}

each!(Title::title of ItemResult {
    InTime => OffboardingResult::InTime.title(),
    Late => "Late",
    NotDemonstrated => OffboardingResult::NotDemonstrated.title(),
    RiskAccepted => "Risk accepted",
    Open => "End of access not shown",
    NoAccount => OffboardingResult::NoAccount.title(),
    DateCorrected => OffboardingResult::DateCorrected.title(),
    Withdrawn => OffboardingResult::Withdrawn.title(),
    RehiredBeforeDue => OffboardingResult::RehiredBeforeDue.title(),
    NotEvaluable => "Not evaluable",
    NotDue => "Not due",
    AccessAfterConclusion => "Access after the conclusion",
});

each!(Meaning::meaning of ItemResult {
    InTime => "The first complete run without access is no later than the deadline.",
    Late => "A run saw access after the deadline.",
    NotDemonstrated => "The last run with access is before the deadline, and the first complete run without it is after \
        the deadline. The evidence does not show on which side access ended.",
    RiskAccepted => "An account has access after the deadline. An exception that was in force before the deadline accepts \
        the risk.",
    Open => "The deadline has passed, and no complete run shows that access ended.",
    NoAccount => "No run found an account of the person. An account that was removed before the first run cannot be seen.",
    DateCorrected => "HR moved the end of work after the deadline of record had passed.",
    Withdrawn => "HR withdrew the end of work.",
    RehiredBeforeDue => "The person began to work again before the deadline.",
    NotEvaluable => "The last run could not judge whether the person has access.",
    NotDue => "The deadline is after the last run of the period.",
    AccessAfterConclusion => "An account has access again after the item was concluded. This is an item of its own.",
});

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

each!(Title::title of Part {
    InPeriod => "work ended in the period",
    CarriedIn => "carried in from before the period",
});

words! {
    /// A fact about an item that a reader should know.
    Flag {
        GapOverDeadline = "gap_over_deadline",
        LateNotice = "late_notice",
        EndMoved = "end_moved",
        EndMovedAfterTheFact = "end_moved_after_the_fact",
        Vanished = "vanished",
        ExceptionAfterTheFact = "exception_after_the_fact",
        Suspected = "suspected",
        NoDate = "no_date",
        RestsOnFault = "rests_on_fault",
        InTimeByLoosenedGrace = "in_time_by_loosened_grace",
    }
}

each!(Title::title of Flag {
    GapOverDeadline => "deadline in a gap",
    LateNotice => "named by HR after the end of work",
    EndMoved => "end of work moved",
    EndMovedAfterTheFact => "end of work moved after the deadline",
    Vanished => "no longer named by HR",
    ExceptionAfterTheFact => "exception after the fact",
    Suspected => "possible further account",
    NoDate => "no end of work given",
    RestsOnFault => "rests on a run with a fault",
    InTimeByLoosenedGrace => "in time only because the grace was loosened",
});

each!(Meaning::meaning of Flag {
    GapOverDeadline => "A run next to the deadline is missing, failed, inconclusive or incomplete.",
    LateNotice => "HR named the leaver only after the end of work.",
    EndMoved => "HR moved the end of work before the deadline had passed. The deadline moved with it.",
    EndMovedAfterTheFact => "HR moved or withdrew the end of work after the deadline of record had passed.",
    Vanished => "HR's rows no longer name the leaver. Runs follow the item until it is concluded.",
    ExceptionAfterTheFact => "An exception came into force after the deadline. It does not change the result.",
    Suspected => "An account may belong to the person. A run does not decide this without an alias.",
    NoDate => "HR gave no end of work. The deadline counts from the first run that named the leaver.",
    InTimeByLoosenedGrace => "The grace was loosened before this item was due. No run shows that access ended by the \
        deadline under the earlier grace.",
    RestsOnFault => "A run with a fault of integrity, or one that the ledger lacks, fixed the deadline, the interval or the \
        result. The evidence does not prove this item.",
});

words! {
    /// Why the sample contains an item or a run.
    SampleReason {
        Random = "random",
        AllAdmins = "all_admins",
        AllDeviations = "all_deviations",
    }
}

each!(Title::title of SampleReason {
    Random => "drawn by the seed",
    AllAdmins => "all administrators",
    AllDeviations => "all deviations",
});

words! {
    /// How the due instants of runs are known.
    ScheduleBasis {
        Given = "given",
        Recorded = "recorded",
        Unknown = "unknown",
    }
}

each!(Meaning::meaning of ScheduleBasis {
    Given => "given on the command line",
    Recorded => "as recorded by the runs",
    Unknown => "No schedule was given, and no run recorded one. So missing runs are found only by the gaps between runs.",
});

words! {
    /// How a term as administrator began.
    AdminBegan {
        /// It began before the period.
        Earlier = "earlier",
        /// The first run of the evidence, which is in the period, already showed it.
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
        /// A complete run no longer has it, and no exception covers it.
        NotFound = "not_found",
        /// An exception covers it. Nothing shows that its cause has ended.
        Accepted = "accepted",
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

each!(Title::title of DeviationType {
    AccessAfterDeadline => "Access after the deadline",
    RemovalLate => "Access removed late",
    RemovalNotDemonstrated => "Removal not demonstrated",
    AccessAfterConclusion => "Access after the conclusion",
    DateCorrected => "Date corrected too late",
    ExceptionAfterTheFact => "Exception after the fact",
    ExceptionExpiredInUse => "Exception expired while in use",
    LeaverVanished => "Leaver vanished from HR's rows",
    EndMovedAfterTheFact => "End of work moved after the deadline",
    HrRowsRejected => "HR rows rejected",
    RunMissing => "Run missing",
    RunFailed => "Run did not finish",
    RunInconclusive => "Run inconclusive",
    RuleLoosened => "Rule loosened",
    MappingChanged => "Source or mapping changed",
    VersionChanged => "Program changed",
    AliasWithoutApprover => "Alias without approver",
    ReviewOverdue => "Access review overdue",
    ReviewIncomplete => "Access review incomplete",
    RowDontKnow => "Reviewer did not know",
    ReviewerIneligible => "Reviewer not eligible",
    PrivilegedKeptWithoutReason => "Administrator kept without a reason",
    RevocationLate => "Revocation late",
    RevocationUndone => "Revocation undone",
    UnsignedEntry => "Ledger entry not signed",
});

each!(Meaning::meaning of DeviationType {
    AccessAfterDeadline => "A run saw an account of a leaver with access after the deadline, and no exception covered it.",
    RemovalLate => "An item was concluded as late.",
    RemovalNotDemonstrated => "No run shows that access ended by the deadline: the interval spans it, no run could judge the item, or an \
        account that may belong to the person is not decided.",
    AccessAfterConclusion => "A run saw an account of a leaver with access after the item was concluded.",
    DateCorrected => "An item was concluded as date_corrected.",
    ExceptionAfterTheFact => "An exception was first in force after the deadline of what it covers.",
    ExceptionExpiredInUse => "An exception expired while the account that it covered still had access.",
    LeaverVanished => "HR's rows stopped naming a leaver whose item was not concluded.",
    EndMovedAfterTheFact => "HR moved or withdrew the end of work after the deadline of record had passed.",
    HrRowsRejected => "A run could not read every row of the HR feed.",
    RunMissing => "A run was due, and none started before the next one was due.",
    RunFailed => "A run ended without a judgement.",
    RunInconclusive => "A run could not check or judge something.",
    RuleLoosened => "A rule changed so that it asks for less: a longer grace, a wider tolerance, a narrower scope.",
    MappingChanged => "Truto's mapping of Asana's accounts changed, or a run read another HR feed, other columns of it or another \
        workspace.",
    VersionChanged => "The version or the commit of the program changed.",
    AliasWithoutApprover => "A run used an alias that names no approver.",
    ReviewOverdue => "No access review was closed in time, or one was not closed by its due day.",
    ReviewIncomplete => "An access review was closed with undecided rows.",
    RowDontKnow => "A reviewer answered `don't know` for a row of a closed access review.",
    ReviewerIneligible => "A row of a closed access review was decided by the owner of its account, or by a person who had left.",
    PrivilegedKeptWithoutReason => "A closed access review kept an administrator without a reason.",
    RevocationLate => "A run found that a decision of an access review was not carried out by its deadline. Only a run that sees it \
        carried out closes this.",
    RevocationUndone => "An access review's decision was carried out and later undone.",
    UnsignedEntry => "A ledger entry of the period is not signed.",
});

impl DeviationType {
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
