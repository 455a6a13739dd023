//! Two nights.
