//! The closed sets of the judgement, each with the one word that evidence uses for it.

use std::net::IpAddr;

use crate::model::{Population, words};

/// The only origin whose answers get no mark.
pub(super) const TRUTO: &str = "https://api.truto.one";

words! {
    /// The mark at the top of evidence whose accounts do not come from a real workspace, read from Truto itself.
    Mark {
        /// The answers came from a server on the same machine.
        TestData = "TEST DATA",
        /// Truto reports the connection as a sandbox.
        Sandbox = "SANDBOX",
        /// The answers came from another server.
        Elsewhere = "NOT FROM api.truto.one",
    }
}

impl Mark {
    /// The mark of answers from an origin (scheme, host, port).
    pub fn of(origin: &str, is_sandbox: bool) -> Option<Self> {
        let host = origin.split_once("://").map_or(origin, |(_, rest)| rest);
        let host = host.strip_prefix('[').map_or_else(
            || host.split([':', '/']).next().unwrap_or_default(),
            |v6| v6.split(']').next().unwrap_or_default(),
        );
        let is_loopback =
            host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if is_loopback {
            Some(Self::TestData)
        } else if is_sandbox {
            Some(Self::Sandbox)
        } else {
            (origin != TRUTO).then_some(Self::Elsewhere)
        }
    }

    pub fn of_population(population: &Population) -> Option<Self> {
        Self::of(&population.origin, population.connection.is_sandbox())
    }
}

words! {
    /// The conclusion of a run, best first.
    Verdict {
        /// No leaver has access past the deadline, and no check failed.
        Pass = "pass",
        /// No unapproved access past the deadline: the verdict rests on risk acceptances.
        PassWithExceptions = "pass_with_exceptions",
        /// Scope limitation: something could not be checked or judged, and no finding fails the run.
        Inconclusive = "inconclusive",
        /// A leaver has access past the deadline, or a decision of an access review was not carried out.
        Fail = "fail",
    }
}

words! {
    /// The standing of a person by all HR rows.
    Standing {
        /// Employed, and never a leaver.
        Working = "working",
        /// Left, and a later tenure is running.
        Rehired = "rehired",
        /// HR named the person as a leaver, and now as employed.
        Rescinded = "rescinded",
        /// Work ends in the future.
        Upcoming = "upcoming",
        /// Work has ended.
        Ended = "ended",
        /// The rows contradict each other, or do not show whether work has ended.
        Doubtful = "doubtful",
    }
}

words! {
    /// The outcome of a leaver: decided by the standing first, then by the account with the most access.
    Outcome {
        /// A later tenure is running.
        Rehired = "rehired",
        /// HR named the person as a leaver, and now as employed.
        Rescinded = "rescinded",
        /// Work has not ended yet.
        Upcoming = "upcoming",
        /// Has access after the deadline.
        StillActive = "still_active",
        /// Could not be judged.
        NotEvaluable = "not_evaluable",
        /// Has access, and the deadline has not passed.
        WithinGrace = "within_grace",
        /// Has access after the deadline, covered by an approved exception.
        Excepted = "excepted",
        /// Had an account; it is inactive or gone from a complete list.
        Removed = "removed",
        /// No run found an account, and a run would have found one.
        NoAccessFound = "no_access_found",
    }
}

words! {
    /// How an offboarding was concluded. Only `no_account` and `withdrawn` can change later.
    OffboardingResult {
        /// Access was gone by the deadline of record.
        InTime = "in_time",
        /// Access was seen after the deadline of record.
        Late = "late",
        /// Access is gone, but no run shows whether it ended by the deadline.
        NotDemonstrated = "not_demonstrated",
        /// Access is gone, but HR moved the end of work after the deadline of record had passed.
        DateCorrected = "date_corrected",
        /// No account was found. An account that is found later reopens the offboarding.
        NoAccount = "no_account",
        /// HR took the end of work back. The same end of work, reported again, reopens the offboarding.
        Withdrawn = "withdrawn",
        /// The person began a new tenure before the deadline of record.
        RehiredBeforeDue = "rehired_before_due",
    }
}

words! {
    /// How a person and an account were matched, strongest first.
    MatchKind {
        /// The account has the person's id.
        PersonId = "person_id",
        /// An alias ties them.
        Alias = "alias",
        /// The same e-mail.
        Email = "email",
        /// The same e-mail, except for an equivalent domain.
        DomainAlias = "domain_alias",
        /// An e-mail that the account had in an earlier complete run.
        FormerEmail = "former_email",
    }
}

impl MatchKind {
    /// Whether an address matched them. An address may be reassigned to another person later.
    pub(super) fn is_by_address(self) -> bool {
        match self {
            Self::Email | Self::DomainAlias | Self::FormerEmail => true,
            Self::PersonId | Self::Alias => false,
        }
    }
}

words! {
    /// Whether access ended before the deadline.
    WithinSla {
        /// Access was gone by the deadline.
        Yes = "yes",
        /// Access was seen after the deadline.
        No = "no",
        /// The deadline is between two runs, or no run saw access.
        Unknown = "unknown",
    }
}

words! {
    /// What a finding is about.
    FindingKind {
        /// A leaver has access after the deadline.
        OffboardedAccess = "offboarded_access",
        /// A leaver has access again after the offboarding was concluded.
        AccessAfterConclusion = "access_after_conclusion",
        /// An account that may belong to a leaver.
        PossibleOffboardedAccess = "possible_offboarded_access",
        /// Access is gone, but ended after the deadline.
        LateRemoval = "late_removal",
        /// An account in a domain of the organization that no person in the roster owns.
        AccountWithoutHrRecord = "account_without_hr_record",
        /// An account that has access but no e-mail.
        AccountUnidentifiable = "account_unidentifiable",
        /// An exception that is expired or malformed.
        ExceptionInvalid = "exception_invalid",
        /// A line of the aliases that is expired or malformed.
        AliasInvalid = "alias_invalid",
        /// Leavers for whom HR gives no usable address, so that the run could not have found an account.
        LeaverWithoutAddress = "leaver_without_address",
        /// A decision of an access review was not carried out in time, or was undone.
        RevocationNotDone = "revocation_not_done",
    }
}

words! {
    /// How severe a finding is, most severe first.
    Severity {
        /// An offboarded administrator.
        Critical = "critical",
        /// Offboarded access.
        High = "high",
        /// Needs a check by a person.
        Medium = "medium",
        /// An error in the manual decisions.
        Low = "low",
    }
}

words! {
    /// What changed since an earlier run.
    ChangeKind {
        /// The account is new in the list.
        Added = "added",
        /// The account is gone from the list.
        Removed = "removed",
        /// The account had or may have had access, and is inactive.
        Deactivated = "deactivated",
        /// The account was inactive, and has or may have access.
        Reactivated = "reactivated",
        /// The account was gone and came back.
        Rejoined = "rejoined",
        /// The account has another role.
        RoleChanged = "role_changed",
        /// The account has other e-mails.
        EmailChanged = "email_changed",
        /// The account has another name.
        NameChanged = "name_changed",
        /// HR named a leaver for the first time.
        LeaverAdded = "leaver_added",
        /// HR no longer names a leaver.
        LeaverVanished = "leaver_vanished",
        /// HR changed the end of work.
        EndOfWorkMoved = "end_of_work_moved",
        /// A leaver is employed again.
        Rehired = "rehired",
        /// A rule of the judgement changed.
        PolicyChanged = "policy_changed",
    }
}

words! {
    /// The file of a line.
    ManualKind {
        Alias = "alias",
        Exception = "exception",
    }
}

words! {
    /// The state of a manual decision.
    ManualState {
        /// The judgement uses it.
        Used = "used",
        /// In force, but the run did not need it.
        Unused = "unused",
        /// Its last day has passed, so it is never used.
        Expired = "expired",
        /// It breaks the rules for manual decisions, so it is never used.
        Malformed = "malformed",
    }
}

words! {
    /// How a check ended.
    CheckStatus {
        Pass = "pass",
        /// The run relies on it, but a reader should know.
        Warn = "warn",
        /// The run cannot rely on it.
        Fail = "fail",
    }
}

words! {
    /// The checks of a run.
    CheckId {
        /// The Truto connection is active.
        ConnectionActive = "connection_active",
        /// The accounts came from api.truto.one.
        SourceOrigin = "source_origin",
        /// Our clock agrees with the server's clock.
        Clock = "clock",
        /// The connection sees the workspace.
        WorkspaceListed = "workspace_listed",
        /// The list of accounts was read to its end.
        ListComplete = "list_complete",
        /// Rows add up, and the memberships name the same accounts.
        RowsReconcile = "rows_reconcile",
        /// The number of accounts is plausible.
        PopulationSize = "population_size",
        /// The number of accounts has not collapsed.
        PopulationDrop = "population_drop",
        /// E-mail, status and role of the accounts are known.
        FieldsKnown = "fields_known",
        /// The connected account is listed and sees every account.
        Viewer = "viewer",
        /// The HR feed is recent.
        HrFresh = "hr_fresh",
        /// The HR feed names leavers.
        HrNotEmpty = "hr_not_empty",
        /// Every row of the HR feed was understood.
        HrRowsAccounted = "hr_rows_accounted",
        /// No unread column could change an outcome.
        HrColumns = "hr_columns",
        /// Ids of the HR feed identify people.
        HrIdentities = "hr_identities",
        /// HR and Asana belong to the same organization.
        HrMatchable = "hr_matchable",
        /// The HR feed has not collapsed.
        HrDrop = "hr_drop",
        /// The rules are the same as in the previous run.
        PolicyUnchanged = "policy_unchanged",
        /// No run was missed.
        Cadence = "cadence",
        /// The ledger has no faults.
        LedgerContinues = "ledger_continues",
        /// The store protects the evidence from changes.
        StoreProtection = "store_protection",
        /// Truto maps accounts as in the last complete run.
        MappingUnchanged = "mapping_unchanged",
        /// The last access review is recent enough.
        ReviewDue = "review_due",
    }
}

impl CheckId {
    /// Whether a failure of this check makes the run incomplete, so that absence from the list does not prove removal.
    pub(super) fn makes_complete(self) -> bool {
        match self {
            Self::ListComplete
            | Self::RowsReconcile
            | Self::PopulationSize
            | Self::PopulationDrop
            | Self::FieldsKnown
            | Self::WorkspaceListed
            | Self::Viewer => true,
            Self::ConnectionActive
            | Self::SourceOrigin
            | Self::Clock
            | Self::HrFresh
            | Self::HrNotEmpty
            | Self::HrRowsAccounted
            | Self::HrColumns
            | Self::HrIdentities
            | Self::HrMatchable
            | Self::HrDrop
            | Self::PolicyUnchanged
            | Self::Cadence
            | Self::LedgerContinues
            | Self::StoreProtection
            | Self::MappingUnchanged
            | Self::ReviewDue => false,
        }
    }
}
