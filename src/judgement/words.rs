//! The closed sets of the judgement, each with the one word that evidence uses for it.

use std::net::IpAddr;

use crate::model::{Population, words};

/// The one origin whose answers need no mark.
pub(super) const TRUTO: &str = "https://api.truto.one";

words! {
    /// What evidence shows first if its accounts are not those of a real workspace, read from Truto itself.
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
    /// Of answers from an origin (scheme, host, port), through a connection that is a sandbox or not.
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
    /// The conclusion of a run, the best first.
    Verdict {
        /// No leaver has access past the deadline, and no check failed.
        Pass = "pass",
        /// No unapproved access past the deadline: the verdict rests on risk acceptances.
        PassWithExceptions = "pass_with_exceptions",
        /// Scope limitation: something could not be checked or judged, and nothing was found that fails the run.
        Inconclusive = "inconclusive",
        /// A leaver has access past the deadline, or a decision of an access review was not carried out.
        Fail = "fail",
    }
}

words! {
    /// The standing of a person, by all of HR's rows.
    Standing {
        /// Works here, and was no leaver.
        Working = "working",
        /// Left, and a later tenure runs.
        Rehired = "rehired",
        /// Was named as a leaver; the feed now says employed.
        Rescinded = "rescinded",
        /// Work ends later.
        Upcoming = "upcoming",
        /// Work has ended.
        Ended = "ended",
        /// The rows contradict each other, or decide nothing.
        Doubtful = "doubtful",
    }
}

words! {
    /// What became of a leaver: the person's own first, then the worst of their accounts.
    Outcome {
        /// A later tenure runs.
        Rehired = "rehired",
        /// Was a leaver; the feed now says active.
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
        /// No account was found since the first run, and one would have been.
        NoAccessFound = "no_access_found",
    }
}

words! {
    /// How an offboarding was concluded. Nothing changes it later, except `no_account` and `withdrawn`.
    OffboardingResult {
        /// Access was gone by the deadline of record.
        InTime = "in_time",
        /// Access was seen after the deadline of record.
        Late = "late",
        /// Access is gone, and no run shows whether it ended by the deadline.
        NotDemonstrated = "not_demonstrated",
        /// Access is gone, and HR moved the end of work after the deadline of record had passed.
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
    /// How a person and an account were tied together, the strongest first.
    MatchKind {
        /// The account carries the person's id.
        PersonId = "person_id",
        /// Somebody tied them by hand.
        Alias = "alias",
        /// The same e-mail.
        Email = "email",
        /// The same e-mail but for a domain that is configured as another name.
        DomainAlias = "domain_alias",
        /// An e-mail the same account bore in an earlier complete run.
        FormerEmail = "former_email",
    }
}

impl MatchKind {
    /// Whether an address ties them: it may be given to another person later.
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
        /// Proven gone by the deadline.
        Yes = "yes",
        /// Seen after the deadline.
        No = "no",
        /// The deadline lies between two runs, or nothing was seen.
        Unknown = "unknown",
    }
}

words! {
    /// What a finding is about.
    FindingKind {
        /// Somebody who left has access after the deadline.
        OffboardedAccess = "offboarded_access",
        /// A leaver has access again after the offboarding was concluded.
        AccessAfterConclusion = "access_after_conclusion",
        /// An account that may belong to a leaver.
        PossibleOffboardedAccess = "possible_offboarded_access",
        /// Access is gone, but ended after the deadline.
        LateRemoval = "late_removal",
        /// An account on an internal domain that nobody in HR owns.
        AccountWithoutHrRecord = "account_without_hr_record",
        /// An account with access and without an e-mail.
        AccountUnidentifiable = "account_unidentifiable",
        /// An exception that is expired or malformed.
        ExceptionInvalid = "exception_invalid",
        /// A line of the aliases that is expired or malformed.
        AliasInvalid = "alias_invalid",
        /// Leavers for whom no account could have been found: HR gives no usable address.
        LeaverWithoutAddress = "leaver_without_address",
        /// A revocation decided in a review that was not carried out.
        RevocationNotDone = "revocation_not_done",
    }
}

words! {
    /// How grave a finding is, the gravest first.
    Severity {
        /// An offboarded administrator.
        Critical = "critical",
        /// Offboarded access.
        High = "high",
        /// Needs a look.
        Medium = "medium",
        /// Paperwork.
        Low = "low",
    }
}

words! {
    /// What changed since an earlier run.
    ChangeKind {
        /// An account that was not there.
        Added = "added",
        /// An account that is gone from the list.
        Removed = "removed",
        /// An account that had access and is inactive.
        Deactivated = "deactivated",
        /// An account that was inactive and may have access.
        Reactivated = "reactivated",
        /// An account that was gone and came back.
        Rejoined = "rejoined",
        /// Another role.
        RoleChanged = "role_changed",
        /// Other e-mails on the same account.
        EmailChanged = "email_changed",
        /// Another name on the same account.
        NameChanged = "name_changed",
        /// A leaver HR had not named before.
        LeaverAdded = "leaver_added",
        /// A leaver HR names no more.
        LeaverVanished = "leaver_vanished",
        /// HR changed when work ends.
        EndOfWorkMoved = "end_of_work_moved",
        /// A leaver works here again.
        Rehired = "rehired",
        /// A rule of the review was set differently.
        PolicyChanged = "policy_changed",
    }
}

words! {
    /// Which file a line was written in.
    ManualKind {
        /// Accounts tied to people by hand.
        Alias = "alias",
        /// Approved exceptions.
        Exception = "exception",
    }
}

words! {
    /// What became of a line that somebody wrote by hand.
    ManualState {
        /// The judgement rests on it.
        Used = "used",
        /// In force, and nothing needed it.
        Unused = "unused",
        /// Its last day has passed: never used.
        Expired = "expired",
        /// It makes no sense, or breaks the rules for such lines: never used.
        Malformed = "malformed",
    }
}

words! {
    /// How a check ended.
    CheckStatus {
        /// As it should be.
        Pass = "pass",
        /// A reader should know.
        Warn = "warn",
        /// What rests on it cannot be relied on.
        Fail = "fail",
    }
}

words! {
    /// What is looked at before anything is concluded.
    CheckId {
        /// The Truto connection is active.
        ConnectionActive = "connection_active",
        /// The accounts came from api.truto.one.
        SourceOrigin = "source_origin",
        /// Our clock agrees with the servers'.
        Clock = "clock",
        /// The workspace is one the connection sees.
        WorkspaceListed = "workspace_listed",
        /// The list of accounts was read to its end.
        ListComplete = "list_complete",
        /// Rows add up, and the memberships name the same accounts.
        RowsReconcile = "rows_reconcile",
        /// The number of accounts is believable.
        PopulationSize = "population_size",
        /// The number of accounts has not collapsed.
        PopulationDrop = "population_drop",
        /// E-mail, status and role of the accounts are known.
        FieldsKnown = "fields_known",
        /// The connection's own account is listed and sees everything.
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
        /// HR and Asana have the same organization.
        HrMatchable = "hr_matchable",
        /// The HR feed has not collapsed.
        HrDrop = "hr_drop",
        /// The rules are those of the run before.
        PolicyUnchanged = "policy_unchanged",
        /// No run was missed.
        Cadence = "cadence",
        /// The ledger is whole.
        LedgerContinues = "ledger_continues",
        /// The store keeps what was written.
        StoreProtection = "store_protection",
        /// Truto maps accounts as it did in the last complete run.
        MappingUnchanged = "mapping_unchanged",
        /// Access was reviewed by people, and lately enough.
        ReviewDue = "review_due",
    }
}

impl CheckId {
    /// Whether absence from the list may be taken as removal only if this did not fail.
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
