//! What several test programs share.

pub(crate) mod company;
pub(crate) mod job;
pub(crate) mod s3;
