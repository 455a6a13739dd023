//! Checks whether people who left still have access to Asana, and keeps verifiable evidence.
//!
//! Data flows: environment → [`config`] → accounts ([`truto`], [`source`]) and HR feed ([`feed`]) → [`judgement`] →
//! [`evidence`], [`report`] → [`store`], committed by the [`ledger`]. [`commands::run`] calls them in this order.
//!
//! The modules below are grouped by layer, from the top down. A module imports only from layers below its own;
//! `tests/it/house.rs` has the table.

// Commands: each calls the modules below in order.
pub mod commands;

// Command line and configuration.
pub mod cli; // arguments, help, terminal, log lines, exit codes
pub mod config; // variables, turned into the settings of each module, or all problems at once

// After the commit.
pub mod metrics; // gauges for Prometheus: a file, and a Pushgateway
pub mod notify; // notifications by webhook and to Slack

// The chain of evidence.
pub mod ledger; // appends entries to the chain, and walks it
pub mod signing; // signs entries, and checks signatures
pub mod status; // the newest result of every connection
pub mod verify; // checks stored evidence: integrity, operation, recomputed decisions

// Inputs and outputs.
pub mod feed; // the HR feed, from a file or from an HR system behind Truto
pub mod manual; // aliases and exceptions
pub mod source; // the Asana accounts
pub mod store; // a folder or a bucket of S3

// Access to the outside world.
pub mod aws; // configuration, clients and errors of AWS
pub mod clock; // the one instant of a run
pub mod files; // files by path, HTTPS or S3, and their decoding
pub mod net; // HTTP with retries and deadlines
pub mod truto; // Truto's API and its wire types

// Pure: no async, network, environment or clock.
pub mod evidence; // every file of a snapshot, one type each
pub mod judgement; // the decision
pub mod model; // the shared words: accounts, people, addresses, dates
pub mod pack; // the audit pack of a period
pub mod report; // HTML pages
pub mod review; // the periodic access review: population, decisions, follow-up
pub mod schedule; // cron schedules
