//! What several test programs share.

#![allow(dead_code, reason = "no test program uses all of it")]

use std::fs;
use std::path::Path;

pub(crate) mod company;
pub(crate) mod job;
pub(crate) mod s3;

/// A folder with everything below another one.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let copied = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &copied);
        } else {
            fs::copy(&path, &copied).expect("a copy");
        }
    }
}

/// The same job with its evidence in a bucket.
pub(crate) fn in_bucket(job: job::Job, server: &s3::S3Server) -> job::Job {
    let mut job = job.env("EVIDENCE_URL", "s3://evidence/n");
    for (name, value) in server.env() {
        job = job.env(name, &value);
    }
    job
}
