//! The result that a run must have, and tables of cases that list every failing input.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::situations::company::{Company, Run};

/// The result that a run must have for the accounts of a company.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Must {
    /// The account is in a finding, or its leaver could not be judged, or a check fails. The run
    /// never passes.
    Report(&'static str),
    /// The account has access after the deadline.
    Accuse(&'static str),
    /// The account may belong to a leaver.
    Suspect(&'static str),
    /// The feed is not used and the run is inconclusive.
    Refuse,
    /// The run passes, and no one is accused.
    Pass,
    /// No one is accused. Other things may be open.
    NotAccuse,
    /// No one is accused or suspected, and every leaver could be judged. Other checks may fail.
    AccuseNoOne,
    /// This leaver has this outcome, and no account is accused.
    Outcome(&'static str, &'static str),
}

impl Must {
    /// Returns an error if a run breaks the rule.
    pub(crate) fn hold(self, run: &Run) -> Result<(), String> {
        self.broken_rule(run)
            .map_or(Ok(()), |rule| Err(format!("{rule}\n    {}", run.summary())))
    }

    fn broken_rule(self, run: &Run) -> Option<String> {
        if run.failure.is_some() {
            return Some(format!("expected {self:?}, but the run reached no verdict"));
        }
        let wrong = |rule: &str| Some(format!("expected {self:?}, but {rule}"));
        let accused = run.accused();
        let may_be_accused: BTreeSet<String> = match self {
            Self::Report(account) | Self::Accuse(account) => [account.to_owned()].into(),
            Self::Suspect(_)
            | Self::Refuse
            | Self::Pass
            | Self::NotAccuse
            | Self::AccuseNoOne
            | Self::Outcome(..) => BTreeSet::new(),
        };
        if let Some(other) = accused.difference(&may_be_accused).next() {
            return wrong(&format!("{other} is accused"));
        }
        let passes = matches!(run.verdict(), "pass" | "pass_with_exceptions");
        match self {
            Self::Report(account) => {
                let is_found = accused.contains(account) || run.suspected().contains(account);
                let is_open = run.has_not_evaluable() || !run.checks_that("fail").is_empty();
                if passes {
                    return wrong("the run passes");
                }
                if !(is_found || run.verdict() == "inconclusive" && is_open) {
                    return wrong("it is not reported");
                }
            }
            Self::Accuse(account) if !accused.contains(account) => {
                return wrong("it is not accused");
            }
            Self::Suspect(account) if !run.suspected().contains(account) => {
                return wrong("it is not suspected");
            }
            Self::Suspect(_) if passes => return wrong("the run passes"),
            Self::Accuse(_) | Self::Suspect(_) | Self::NotAccuse => {}
            Self::Refuse => {
                if run.code != 4 || run.verdict() != "inconclusive" {
                    return wrong("the run is not inconclusive");
                }
                if !run.hr.is_empty() {
                    return wrong("rows of the feed are used");
                }
            }
            Self::Pass => {
                if run.verdict() != "pass" {
                    return wrong("the verdict is different");
                }
                if run.has_not_evaluable() {
                    return wrong("a leaver could not be judged");
                }
            }
            Self::AccuseNoOne => {
                if run.has_not_evaluable() {
                    return wrong("a leaver could not be judged");
                }
                if !run.suspected().is_empty() {
                    return wrong("an account is suspected");
                }
            }
            Self::Outcome(person, outcome) => {
                let outcomes = run.outcomes(person);
                if !outcomes.contains(&outcome) {
                    return wrong(&format!("the outcomes are {outcomes:?}"));
                }
            }
        }
        None
    }
}

/// A further rule for a run.
type Check = dyn Fn(&Run) -> Result<(), String>;

/// A feed, the company it belongs to, and what the run must report.
pub(crate) struct Case {
    name: String,
    feed: Vec<u8>,
    must: Must,
    company: Box<dyn Fn(Company) -> Company>,
    also: Box<Check>,
}

/// A case in a company of sixteen accounts. Days in the feed are filled in.
pub(crate) fn case(name: impl Into<String>, must: Must, feed: impl AsRef<str>) -> Case {
    Case {
        name: name.into(),
        feed: crate::situations::company::filled(feed.as_ref()).into_bytes(),
        must,
        company: Box::new(|company| company),
        also: Box::new(|_| Ok(())),
    }
}

impl Case {
    /// Changes the company, its accounts or settings.
    pub(crate) fn company(mut self, change: impl Fn(Company) -> Company + 'static) -> Self {
        self.company = Box::new(change);
        self
    }

    pub(crate) fn also(mut self, rule: impl Fn(&Run) -> Result<(), String> + 'static) -> Self {
        self.also = Box::new(rule);
        self
    }

    /// Encodes the text of the feed.
    pub(crate) fn bytes(mut self, encode: impl FnOnce(&str) -> Vec<u8>) -> Self {
        self.feed = encode(std::str::from_utf8(&self.feed).expect("UTF-8"));
        self
    }

    fn result(&self) -> Result<(), String> {
        let run = catch_unwind(AssertUnwindSafe(|| {
            (self.company)(Company::new()).run_bytes(&self.feed)
        }));
        let run = run.map_err(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            format!(
                "panicked: {}",
                text.or(panic.downcast_ref::<&str>().copied())
                    .unwrap_or("?")
            )
        })?;
        self.must.hold(&run)?;
        (self.also)(&run).map_err(|rule| format!("{rule}\n    {}", run.summary()))
    }
}

/// Runs every case and lists all that fail.
pub(crate) fn ensure_each(cases: impl IntoIterator<Item = Case>) {
    let mut failures = Failures::default();
    for case in cases {
        failures.add(&case.name, case.result());
    }
    failures.ensure_none();
}

/// The failures of several inputs, printed together.
#[derive(Default)]
pub(crate) struct Failures {
    tried: usize,
    found: Vec<String>,
}

impl Failures {
    pub(crate) fn add(&mut self, name: &str, result: Result<(), String>) {
        self.tried += 1;
        if let Err(error) = result {
            self.found.push(format!("- {name}: {error}"));
        }
    }

    #[track_caller]
    pub(crate) fn ensure_none(&self) {
        assert!(
            self.found.is_empty(),
            "{} of {} inputs fail:\n{}",
            self.found.len(),
            self.tried,
            self.found.join("\n")
        );
    }
}

/// One run must have this result.
#[track_caller]
pub(crate) fn ensure(must: Must, run: &Run) {
    must.hold(run).unwrap_or_else(|error| panic!("{error}"));
}

/// A condition on a run. A failure message contains the run.
#[track_caller]
pub(crate) fn ensure_that(holds: bool, claim: &str, run: &Run) {
    assert!(holds, "{claim}\n    {}", run.summary());
}
