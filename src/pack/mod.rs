//! The audit pack of a period: what an auditor asks for at its end, made from the evidence of its runs alone.

mod spreadsheet;
mod table;

pub use spreadsheet::spreadsheet;
pub use table::{Column, Kind, Table};
