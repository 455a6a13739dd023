//! A row of a table, an element of a list or a record of an HR system, before it is interpreted.

use std::borrow::Cow;

/// One person's values, in the order of the source.
#[derive(Debug, Default)]
pub(super) struct Record<'t> {
    /// Number of the line, element or record, from 1.
    pub(super) line: u64,
    pub(super) values: Vec<Value<'t>>,
    /// The reason why the record cannot be read, if it is known already: a key appears twice.
    pub(super) fault: Option<String>,
}

/// The text of a cell. A list has several values for one column.
#[derive(Clone, Debug)]
pub(super) struct Value<'t> {
    pub(super) column: usize,
    pub(super) text: Cow<'t, str>,
    /// Whether the value was a number that lost digits: `1E5`, or too long.
    pub(super) lost_digits: bool,
}

impl<'t> Value<'t> {
    pub(super) fn new(column: usize, text: impl Into<Cow<'t, str>>) -> Self {
        Self {
            column,
            text: text.into(),
            lost_digits: false,
        }
    }
}
