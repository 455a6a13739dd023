//! Checks whether people who left still have access to Asana, and keeps verifiable evidence.
//!
//! Data walks: environment → [`config`] → [`source`] (accounts), [`feed`] (HR) and [`manual`]
//! (what people decided by hand) → [`judgement`] → [`evidence`] and [`report`] → [`store`],
//! committed by the [`ledger`]. [`run`] is the hallway that calls the rooms in that order, [`connect`],
//! [`verify`] and [`review`] (periodic access reviews) are those of other commands; the binary is the door.
//!
//! - The door: [`cli`], [`words`]. After the commit: [`notify`].
//! - Reaching out: [`source`] over [`truto`], [`feed`] and [`manual`] over [`files`], the feed over
//!   [`truto`] too, [`store`]; all over [`net`], [`aws`], [`clock`]. [`signing`] signs the ledger, [`schedule`]
//!   knows when the job is to run.
//! - Pure: [`report`], [`evidence`], [`judgement`], [`model`].

pub mod aws;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod config;
pub mod evidence;
pub mod feed;
pub mod files;
pub mod judgement;
pub mod ledger;
pub mod manual;
pub mod model;
pub mod net;
pub mod notify;
pub mod report;
pub mod review;
pub mod schedule;
pub mod signing;
pub mod source;
pub mod store;
pub mod truto;
pub mod verify;
