//! Titles and sentences for the closed sets. The page shows each beside the word of the files.
//!
//! The title of a check is neutral: it is the same for a passed and a failed check.

use crate::evidence::Trigger;
use crate::judgement::{
    ChangeKind, CheckId, CheckStatus, FeedScope, FindingKind, MatchKind, OffboardingResult,
    Outcome, Severity, Verdict, WithinSla,
};
use crate::model::AgeBasis;

/// A value with a heading.
pub(crate) trait Title {
    /// A few words, with a capital if they start a line.
    fn title(&self) -> &'static str;
}

/// A value with a sentence.
pub(crate) trait Meaning {
    /// One sentence.
    fn meaning(&self) -> &'static str;
}

/// The title or sentence of each value of a closed set.
macro_rules! each {
    ($trait:ident::$method:ident of $set:ident { $($value:ident => $text:expr,)+ }) => {
        impl $trait for $set {
            fn $method(&self) -> &'static str {
                match self { $(Self::$value => $text,)+ }
            }
        }
    };
}

pub(crate) use each;

each!(Title::title of Verdict {
    Pass => "Pass",
    PassWithExceptions => "Pass with exceptions",
    Inconclusive => "Inconclusive",
    Fail => "Fail",
});

each!(Meaning::meaning of Verdict {
    Pass => "No check failed.",
    PassWithExceptions => "No check failed. Each risk acceptance is listed with its approver and \
         last day.",
    Inconclusive => "A check failed, or a leaver or an account could not be judged. No access \
         past a deadline was found, but this run does not show its absence.",
    Fail => "",
});

each!(Meaning::meaning of Trigger {
    Scheduled => "by the CronJob at a scheduled time, according to the name of its Job",
    Manual => "outside the schedule",
    Unknown => "unknown",
});

each!(Title::title of Outcome {
    Rehired => "Rehired",
    Rescinded => "No longer leaving",
    Upcoming => "Work ends later",
    StillActive => "Access past the deadline",
    NotEvaluable => "Not concluded",
    WithinGrace => "Within grace",
    Excepted => "Accepted risk",
    Removed => "Access removed",
    NoAccessFound => "No account found since the first run",
});

each!(Title::title of OffboardingResult {
    InTime => "Removed in time",
    Late => "Removed late",
    NotDemonstrated => "Not demonstrated",
    DateCorrected => "Date corrected too late",
    NoAccount => "No account found",
    Withdrawn => "Withdrawn by HR",
    RehiredBeforeDue => "Rehired before the deadline",
});

each!(Meaning::meaning of Outcome {
    Rehired => "The same person works here again, in a later tenure.",
    Rescinded => "HR named the person as a leaver; the feed now has the status employed.",
    Upcoming => "The end of work is after this run.",
    StillActive => "An account of the person has access after the deadline.",
    NotEvaluable => "This run cannot tell whether the person has access. It never counts as \
         removed.",
    WithinGrace => "An account has access. Work has ended, and the deadline has not passed.",
    Excepted => "An account has access after the deadline. An approved exception accepts the risk.",
    Removed => "The account is inactive, or absent from a list that passed every completeness \
         check.",
    NoAccessFound => "No run since the first has found an account of the person. An account \
         that was removed before the first run cannot be seen.",
});

each!(Title::title of FindingKind {
    OffboardedAccess => "Access past the deadline",
    AccessAfterConclusion => "Access after the offboarding was concluded",
    PossibleOffboardedAccess => "Possible access of a leaver",
    LateRemoval => "Removed late",
    AccountWithoutHrRecord => "Account without HR record",
    AccountUnidentifiable => "Account without an identifiable owner",
    ExceptionInvalid => "Exception not valid",
    AliasInvalid => "Alias not valid",
    LeaverWithoutAddress => "Leavers without a usable address",
    RevocationNotDone => "Review decision not carried out",
});

// What to do about it.
each!(Meaning::meaning of FindingKind {
    OffboardedAccess => "Remove the account in Asana, or approve an exception.",
    AccessAfterConclusion => "Remove the new access, or ask HR to record the \
         new tenure.",
    PossibleOffboardedAccess => "Find out whose account it is, and write the alias that the note \
         names.",
    LateRemoval => "Record the reason of the delay. The access has ended.",
    AccountWithoutHrRecord => "Ask HR for the owner's record, remove the account, or write a \
         service alias.",
    AccountUnidentifiable => "Write an alias that names the owner.",
    ExceptionInvalid => "Correct, renew or delete the line.",
    AliasInvalid => "Correct, renew or delete the line.",
    LeaverWithoutAddress => "Ask HR for their addresses, or approve the exception that the note \
         names.",
    RevocationNotDone => "Carry out the decision in Asana, or approve an exception.",
});

each!(Title::title of ChangeKind {
    Added => "Account added",
    Removed => "Account no longer listed",
    Deactivated => "Account deactivated",
    Reactivated => "Account reactivated",
    Rejoined => "Account listed again",
    RoleChanged => "Role changed",
    EmailChanged => "E-mail changed",
    NameChanged => "Name changed",
    LeaverAdded => "New leaver",
    LeaverVanished => "Leaver no longer in the HR feed",
    EndOfWorkMoved => "End of work moved",
    Rehired => "Rehired",
    PolicyChanged => "Rule changed",
});

each!(Title::title of CheckId {
    ConnectionActive => "Status of the Truto connection",
    SourceOrigin => "Server that returned the accounts",
    Clock => "Clock compared with the server's",
    WorkspaceListed => "Workspace of the connection",
    ListComplete => "End of the account list",
    RowsReconcile => "Row counts and second source",
    PopulationSize => "Number of accounts",
    PopulationDrop => "Fall in the number of accounts",
    FieldsKnown => "Address, status and role of the accounts",
    Viewer => "Role of the connected account",
    HrFresh => "Age of the HR feed",
    HrNotEmpty => "People in the HR feed",
    HrRowsAccounted => "Rows of the HR feed",
    HrColumns => "Unread columns of the HR feed",
    HrIdentities => "Person ids of the HR feed",
    HrMatchable => "Mail domains common to HR and Asana",
    HrDrop => "Fall in the number of HR rows",
    PolicyUnchanged => "Rules compared with the previous run",
    Cadence => "Time between runs",
    LedgerContinues => "Ledger of earlier runs",
    StoreProtection => "Protection of the stored evidence",
    MappingUnchanged => "Truto's mapping of accounts",
    ReviewDue => "Date of the last access review",
});

each!(Title::title of CheckStatus {
    Pass => "passed",
    Warn => "warning",
    Fail => "failed",
});

impl Title for Severity {
    fn title(&self) -> &'static str {
        self.as_str()
    }
}

each!(Title::title of MatchKind {
    PersonId => "by person id",
    Alias => "by alias",
    Email => "by e-mail",
    DomainAlias => "by e-mail, other domain",
    FormerEmail => "by former e-mail",
});

each!(Title::title of WithinSla {
    Yes => "in time",
    No => "past the deadline",
    Unknown => "not demonstrated",
});

each!(Title::title of FeedScope {
    Leavers => "all leavers",
    RecentLeavers => "recent leavers; rows drop out with time",
    Roster => "roster: all employed people, and possibly leavers",
});

each!(Title::title of AgeBasis {
    FileMtime => "according to the file system",
    HttpLastModified => "according to the HTTP server",
    S3LastModified => "according to S3",
    Live => "at the time of reading, by the server's clock",
    Unknown => "source unknown",
});
