//! Situations that occur in real companies, each through the whole program against a simulated
//! Truto.
//!
//! They test the contract from outside: HR files, accounts and settings in, evidence out. A test
//! tries every row of its table, so that one failure does not hide another.

mod cases;
mod companies;
mod company;
mod docs;
mod doubts;
mod history;
mod kinds;
mod must;
mod properties;
mod served;
mod settings;
mod written;
