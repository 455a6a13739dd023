//! `pack.json`: the cover, the equations, and the list of tables.

use serde::Serialize;

use super::{Cover, Fact, Pack, Table, Totals};
use crate::evidence::{json, sha256_hex};

/// The `schema` of `pack.json`.
const SCHEMA: &str = "asana-access-review/pack/v1";

#[derive(Serialize)]
struct PackDocument<'a> {
    schema: &'static str,
    cover: &'a Cover,
    totals: &'a Totals,
    tables: Vec<TableRecord<'a>>,
    integrity: &'a [Fact],
    limits: &'a [String],
    ask_for: &'a [String],
}

/// A table, as `pack.json` lists it.
#[derive(Serialize)]
struct TableRecord<'a> {
    file: String,
    title: &'a str,
    rows: u64,
    sha256: String,
    columns: Vec<&'static str>,
}

impl<'a> TableRecord<'a> {
    fn of(table: &'a Table) -> Self {
        Self {
            file: format!("csv/{}.csv", table.name),
            title: table.title,
            rows: table.rows.len() as u64,
            sha256: sha256_hex(&table.to_csv()),
            columns: table.columns.iter().map(|column| column.name).collect(),
        }
    }
}

impl Pack {
    /// `pack.json`.
    pub fn to_json(&self) -> Vec<u8> {
        let document = PackDocument {
            schema: SCHEMA,
            cover: &self.cover,
            totals: &self.totals,
            tables: self.tables.iter().map(TableRecord::of).collect(),
            integrity: &self.integrity,
            limits: &self.limits,
            ask_for: &self.ask_for,
        };
        json::document(&document, 3)
    }
}
