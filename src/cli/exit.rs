//! Exit codes: one enum, which README.md, the help and the job's policy agree with by test.

use crate::judgement::Verdict;
use crate::ledger::LedgerError;
use crate::net::ErrorKind;

/// Which verdicts are an exit code of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailOn {
    /// Fail and inconclusive.
    Findings,
    /// Only inconclusive.
    Inconclusive,
    /// None, once evidence is stored.
    Never,
}

/// How a process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Evidence stored, verdict pass, also with exceptions.
    Pass = 0,
    /// A bug, or something nobody foresaw.
    Unexpected = 1,
    /// The command line cannot be understood.
    Usage = 2,
    /// Evidence stored, verdict fail.
    Fail = 3,
    /// Evidence stored, verdict inconclusive; or `verify`: integrity holds, and scheduled runs are missing.
    Inconclusive = 4,
    /// Evidence has faults of integrity.
    IntegrityFault = 5,
    /// Upstream or store unavailable after retries.
    Transient = 75,
    /// Token, connection, scope or bucket access refused.
    Refused = 77,
    /// The configuration is wrong.
    Configuration = 78,
    /// Stopped by Ctrl-C.
    Interrupted = 130,
    /// Stopped by SIGTERM.
    Terminated = 143,
}

impl Exit {
    /// Every code, ascending.
    pub const ALL: [Self; 11] = [
        Self::Pass,
        Self::Unexpected,
        Self::Usage,
        Self::Fail,
        Self::Inconclusive,
        Self::IntegrityFault,
        Self::Transient,
        Self::Refused,
        Self::Configuration,
        Self::Interrupted,
        Self::Terminated,
    ];

    /// How `work` ends; a panic in it is a bug, and not the 101 that Rust would make of it.
    pub fn unless_panicked(work: impl FnOnce() -> Self) -> Self {
        // Nothing that it touched is used again: the process leaves.
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or(Self::Unexpected)
    }

    /// The number the operating system is told.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// What it means, in one line.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Pass => "evidence stored, verdict pass (also with exceptions)",
            Self::Unexpected => "a bug or something unexpected; worth a retry",
            Self::Usage => "bad command line",
            Self::Fail => "evidence stored, verdict fail",
            Self::Inconclusive => {
                "evidence stored, verdict inconclusive; verify: scheduled runs are missing"
            }
            Self::IntegrityFault => "verify: integrity is broken",
            Self::Transient => "upstream or store unavailable after retries; worth a retry",
            Self::Refused => {
                "refused: token, connection, missing scope, feed, bucket or signing key"
            }
            Self::Configuration => "wrong configuration",
            Self::Interrupted => "stopped by Ctrl-C, nothing half committed",
            Self::Terminated => "stopped by SIGTERM, nothing half committed",
        }
    }

    /// The code for a verdict whose evidence is stored.
    pub fn of_verdict(verdict: Verdict, fail_on: FailOn) -> Self {
        match (verdict, fail_on) {
            (Verdict::Pass | Verdict::PassWithExceptions, _) | (_, FailOn::Never) => Self::Pass,
            (Verdict::Fail, FailOn::Findings) => Self::Fail,
            (Verdict::Fail, FailOn::Inconclusive) => Self::Pass,
            (Verdict::Inconclusive, FailOn::Findings | FailOn::Inconclusive) => Self::Inconclusive,
        }
    }

    /// Whether a night that ends like this leaves a failure record, so that it is explained.
    pub fn leaves_a_record(self) -> bool {
        match self {
            Self::Unexpected | Self::Transient | Self::Refused => true,
            Self::Pass
            | Self::Usage
            | Self::Fail
            | Self::Inconclusive
            | Self::IntegrityFault
            | Self::Configuration
            | Self::Interrupted
            | Self::Terminated => false,
        }
    }
}

/// An error with everything that caused it, on one line: how it is told, once, where the process ends.
pub fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let told = error.to_string();
        // A transparent error repeats its cause.
        if !text.ends_with(&told) {
            text.push_str(": ");
            text.push_str(&told);
        }
        cause = error.source();
    }
    text
}

impl From<ErrorKind> for Exit {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Transient => Self::Transient,
            ErrorKind::Refused => Self::Refused,
            ErrorKind::Configuration => Self::Configuration,
            ErrorKind::Unexpected => Self::Unexpected,
        }
    }
}

impl From<&LedgerError> for Exit {
    fn from(error: &LedgerError) -> Self {
        match error {
            LedgerError::Store(store) => store.kind().into(),
            LedgerError::Signed { .. } => Self::Configuration,
            LedgerError::Signing(signing) => signing.kind().into(),
            LedgerError::Fault(_) | LedgerError::Stranger { .. } => Self::IntegrityFault,
            LedgerError::Crowded { .. } | LedgerError::Overtaken { .. } => Self::Transient,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_bug_with_a_code_of_ours() {
        assert_eq!(Exit::unless_panicked(|| Exit::Fail), Exit::Fail);
        assert_eq!(
            Exit::unless_panicked(|| panic!("on purpose")),
            Exit::Unexpected
        );
    }
}
