//! Situations that companies really have, each through the whole program against a simulated Truto.
//!
//! They hold the program to its contract from outside: HR files, accounts and settings in, evidence out.
//! A table of inputs is tried to its end, so that one failure does not hide another.

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
