//! The tests of the public interface and of the binary, with a module for each topic, in one binary
//! that is linked once.
//!
//! Only `feed_memory` is a binary of its own: peak memory is that of a process.

mod binary;
mod browser;
mod check;
mod connect;
mod corpus;
mod cost;
mod died;
mod documentation;
mod fleet;
mod frozen;
mod helm;
mod house;
mod hr_cases;
mod hris;
mod iam;
mod image;
mod install;
mod k8s;
mod killed;
mod kms;
mod ledger;
mod notify;
mod pack_history;
mod pack_page;
mod page_commands;
mod pictures;
mod privacy;
mod quarter;
mod release;
mod report;
mod review_job;
mod review_rules;
mod reviews;
mod run;
mod schemas;
mod signing;
mod situations;
mod source;
mod status;
mod store;
mod stores;
mod support;
mod tls;
mod truto;
mod verify;
mod worksheet;
mod year;
