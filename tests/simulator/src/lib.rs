//! Truto for tests.
