//! What several test programs share.

pub(crate) mod job;
pub(crate) mod s3;
