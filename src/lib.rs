//! Proves every night that people who left lost their Asana access, and keeps the evidence.
//!
//! Data walks: environment → `config` → [`source`] (accounts) and [`feed`] (HR) → `judgement` →
//! [`evidence`] and [`report`] → [`store`] → `ledger`.

pub mod aws;
pub mod clock;
pub mod evidence;
pub mod feed;
pub mod judgement;
pub mod net;
pub mod people;
pub mod report;
pub mod source;
pub mod store;
pub mod truto;
