//! What several test programs share.

pub(crate) mod s3;
