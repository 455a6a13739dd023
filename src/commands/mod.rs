//! The commands, a module each: they call the other modules in order.

pub mod check;
pub mod connect;
pub mod review;
pub mod run;
