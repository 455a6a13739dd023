//! Which run it is, and by what program.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A run: its instant, and a suffix that tells apart two runs of one second.
#[derive(Clone, Debug)]
pub struct RunIdentity {
    /// The instant of the run.
    pub as_of: Timestamp,
    /// Six hex digits from the system's source of randomness.
    pub suffix: String,
    /// The program.
    pub tool: Tool,
    /// Who or what ran it, as the environment claims.
    pub executor: Executor,
}

/// The id of what a command did at an instant: `20261123T224000Z-7f3a9c`.
pub fn run_id(as_of: Timestamp, suffix: &str) -> String {
    format!("{}-{suffix}", as_of.strftime("%Y%m%dT%H%M%SZ"))
}

impl RunIdentity {
    /// `20261123T224000Z-7f3a9c`.
    pub fn run_id(&self) -> String {
        run_id(self.as_of, &self.suffix)
    }

    /// The same run for the record of its failure: another suffix, found from its own.
    ///
    /// The run may have died while it wrote its folder. What lies there is vouched for by nobody,
    /// and nothing is ever replaced, so the record has a folder of its own.
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
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The commit it was built from, or `unknown`.
    pub commit: String,
}

impl Tool {
    /// What is said of a commit that nobody told when the program was built.
    pub const NO_COMMIT: &str = "unknown";
}

/// Who or what ran it. Claims: nobody vouches for them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Executor {
    /// `JOB_NAME`.
    pub claimed_job_name: Option<String>,
    /// `POD_UID`.
    pub claimed_pod_uid: Option<String>,
    /// `IMAGE_DIGEST`.
    pub claimed_image_digest: Option<String>,
}

impl Executor {
    /// `kubernetes-job` where a job's name is claimed, else `manual`.
    pub fn trigger(&self) -> &'static str {
        if self.claimed_job_name.is_some() {
            "kubernetes-job"
        } else {
            "manual"
        }
    }
}
