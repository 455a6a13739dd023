//! The identity of a run, and of the program that ran.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::model::words;
use crate::schedule::{RunSchedule, minutes_in_job_name};

/// A run: its instant, and a suffix that distinguishes two runs in the same second.
#[derive(Clone, Debug)]
pub struct RunIdentity {
    pub as_of: Timestamp,
    /// Six hex digits from the system's source of randomness.
    pub suffix: String,
    pub tool: Tool,
    pub trigger: Trigger,
    pub executor: Executor,
}

/// An id from an instant and a suffix: `20261123T224000Z-7f3a9c`.
pub fn run_id(as_of: Timestamp, suffix: &str) -> String {
    format!("{}-{suffix}", as_of.strftime("%Y%m%dT%H%M%SZ"))
}

impl RunIdentity {
    /// `20261123T224000Z-7f3a9c`.
    pub fn run_id(&self) -> String {
        run_id(self.as_of, &self.suffix)
    }

    /// The identity for the record of a failed run. Its suffix is derived from that of the run.
    ///
    /// The run may have failed while it wrote its folder. Files are never replaced, so the record needs a folder of its
    /// own.
    #[must_use]
    pub fn of_its_failure(&self) -> Self {
        let digest = Sha256::digest(format!("failure\n{}", self.run_id()));
        Self {
            suffix: const_hex::encode(&digest[..3]),
            ..self.clone()
        }
    }

    /// The day of the run, in UTC: `2026-11-23`.
    pub fn day(&self) -> String {
        self.as_of.strftime("%Y-%m-%d").to_string()
    }
}

/// The program that made the evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    pub name: String,
    pub version: String,
    /// The commit that the program was built from, or [`NO_COMMIT`](Self::NO_COMMIT). Ends with
    /// [`MODIFIED`](Self::MODIFIED) if the sources differed from the commit.
    pub commit: String,
}

impl Tool {
    /// The value of `commit` if the build does not know its commit.
    pub const NO_COMMIT: &str = "unknown";

    /// The end of `commit` if the sources differed from the commit.
    pub const MODIFIED: &str = "-dirty";

    /// Why the commit does not identify the program. None if it does.
    pub fn why_not_identified(&self) -> Option<&'static str> {
        if self.commit == Self::NO_COMMIT {
            Some(
                "The commit that this program was built from is unknown: the evidence does not \
                 identify its source.",
            )
        } else if self.commit.ends_with(Self::MODIFIED) {
            Some(
                "This program was built from files that differ from its commit: the evidence does \
                 not identify its source.",
            )
        } else {
            None
        }
    }
}

/// Who or what ran the program. These are claims of the environment, which the evidence cannot prove.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Executor {
    /// `JOB_NAME`.
    pub claimed_job_name: Option<String>,
    /// `POD_UID`.
    pub claimed_pod_uid: Option<String>,
    /// `IMAGE_DIGEST`.
    pub claimed_image_digest: Option<String>,
}

words! {
    /// What started a run.
    Trigger {
        /// A CronJob, for the instant of the job's schedule that was due, according to the name of its Job.
        Scheduled = "scheduled",
        /// A Job that no CronJob named, or a person at a terminal.
        Manual = "manual",
        /// Neither is known.
        Unknown = "unknown",
    }
}

impl Trigger {
    /// The trigger of a run that began at `as_of`. In Kubernetes the Job's name shows it: a CronJob ends the names of
    /// its Jobs with the scheduled instant. A pod has no other sign that distinguishes such a Job from one that was
    /// created manually from the same template.
    pub fn of(
        executor: &Executor,
        schedule: Option<&RunSchedule>,
        as_of: Timestamp,
        at_terminal: bool,
    ) -> Self {
        let (Some(job), Some(_)) = (&executor.claimed_job_name, &executor.claimed_pod_uid) else {
            return if at_terminal {
                Self::Manual
            } else {
                Self::Unknown
            };
        };
        if schedule.is_some_and(|schedule| schedule.names_job(job, as_of)) {
            Self::Scheduled
        } else if minutes_in_job_name(job).is_none() {
            Self::Manual
        } else {
            Self::Unknown
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_job_that_a_cronjob_named_at_a_scheduled_instant_is_scheduled() {
        let schedule = RunSchedule {
            cron: "30 0,23 * * *".to_owned(),
            zone: "Etc/UTC".to_owned(),
        };
        let as_of: Timestamp = "2026-11-23T23:30:04Z".parse().expect("an instant");
        let minutes = as_of.as_second() / 60;
        let trigger = |job: &str, schedule: Option<&RunSchedule>, at_terminal| {
            let executor = Executor {
                claimed_job_name: Some(job.to_owned()),
                claimed_pod_uid: Some("0f3a".to_owned()),
                claimed_image_digest: None,
            };
            Trigger::of(&executor, schedule, as_of, at_terminal)
        };
        let job = format!("asana-access-review-{minutes}");
        assert_eq!(trigger(&job, Some(&schedule), false), Trigger::Scheduled);
        // Without a schedule, the number proves nothing.
        assert_eq!(trigger(&job, None, false), Trigger::Unknown);
        let tomorrow = format!("asana-access-review-{}", minutes + 24 * 60);
        assert_eq!(trigger(&tomorrow, Some(&schedule), false), Trigger::Unknown);
        // An earlier instant of the schedule is not the one that was due.
        for hours in [1, 23, 24, 365 * 24] {
            let earlier = format!("asana-access-review-{}", minutes - hours * 60);
            assert_eq!(trigger(&earlier, Some(&schedule), false), Trigger::Unknown);
        }
        let unscheduled = format!("asana-access-review-{}", minutes + 1);
        assert_eq!(
            trigger(&unscheduled, Some(&schedule), false),
            Trigger::Unknown
        );
        let manual = format!("asana-access-review-{}", as_of.as_second());
        assert_eq!(trigger(&manual, Some(&schedule), false), Trigger::Manual);
        let elsewhere = |at_terminal| {
            // Other programs set JOB_NAME too.
            let executor = Executor {
                claimed_job_name: Some(job.clone()),
                ..Executor::default()
            };
            Trigger::of(&executor, Some(&schedule), as_of, at_terminal)
        };
        assert_eq!(elsewhere(true), Trigger::Manual);
        assert_eq!(elsewhere(false), Trigger::Unknown);
    }
}
