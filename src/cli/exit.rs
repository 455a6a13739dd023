//! Exit codes. Tests compare README.md, the help and the job's policy with this enum.

use crate::judgement::Verdict;
use crate::ledger::LedgerError;
use crate::net::ErrorKind;

/// The verdicts with an exit code of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailOn {
    Findings,
    Inconclusive,
    /// No verdict, once evidence is stored.
    Never,
}

/// The exit code of a process; [`Exit::meaning`] explains each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    Pass = 0,
    Unexpected = 1,
    Usage = 2,
    Fail = 3,
    Inconclusive = 4,
    IntegrityFault = 5,
    Transient = 75,
    Refused = 77,
    Configuration = 78,
    Interrupted = 130,
    Terminated = 143,
}

impl Exit {
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

    /// The exit code of `work`. A panic gives the code of a bug instead of Rust's 101.
    pub fn unless_panicked(work: impl FnOnce() -> Self) -> Self {
        // The process ends now, so nothing uses the state that `work` left.
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or(Self::Unexpected)
    }

    pub fn code(self) -> u8 {
        self as u8
    }

    /// What it means when a run ends with it, in one line. `cli::meaning_for` has the other commands.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Pass => "evidence stored; verdict pass (also with risk acceptances)",
            Self::Unexpected => "unexpected error (a bug); a retry may help",
            Self::Usage => "wrong command line",
            Self::Fail => "evidence stored; verdict fail",
            Self::Inconclusive => "evidence stored; verdict inconclusive",
            Self::IntegrityFault => "integrity fault in the evidence",
            Self::Transient => "Truto, the HR feed or the store was unavailable; a retry may help",
            Self::Refused => {
                "access refused: token, connection, scope, feed, bucket or signing key"
            }
            Self::Configuration => "wrong configuration, or a path that does not exist",
            Self::Interrupted => "stopped by Ctrl-C; nothing is half written",
            Self::Terminated => "stopped by SIGTERM; nothing is half written",
        }
    }

    /// The exit code of a run whose evidence is stored.
    pub fn of_verdict(verdict: Verdict, fail_on: FailOn) -> Self {
        match (verdict, fail_on) {
            (Verdict::Pass | Verdict::PassWithExceptions, _) | (_, FailOn::Never) => Self::Pass,
            (Verdict::Fail, FailOn::Findings) => Self::Fail,
            (Verdict::Fail, FailOn::Inconclusive) => Self::Pass,
            (Verdict::Inconclusive, FailOn::Findings | FailOn::Inconclusive) => Self::Inconclusive,
        }
    }

    /// Whether a run with this exit code stores a failure record.
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

/// The text of an error, then of each cause that adds text: a transparent error repeats its cause.
pub fn with_causes(error: &dyn std::error::Error) -> Vec<String> {
    let mut texts = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if texts.last().is_none_or(|last| !last.ends_with(&text)) {
            texts.push(text);
        }
        cause = error.source();
    }
    texts
}

/// An error and its causes, on one line.
pub fn error_chain(error: &dyn std::error::Error) -> String {
    with_causes(error).join(": ")
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
            LedgerError::Signed { .. } | LedgerError::Repeated { .. } => Self::Configuration,
            LedgerError::Signing(signing) => signing.kind().into(),
            LedgerError::Fault(_) => Self::IntegrityFault,
            LedgerError::Crowded { .. } | LedgerError::Overtaken { .. } => Self::Transient,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_gives_the_exit_code_of_a_bug() {
        assert_eq!(Exit::unless_panicked(|| Exit::Fail), Exit::Fail);
        assert_eq!(
            Exit::unless_panicked(|| panic!("on purpose")),
            Exit::Unexpected
        );
    }
}
