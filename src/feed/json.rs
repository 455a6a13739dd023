//! JSON and JSON lines: makes records from the lists of people in a document.

use std::borrow::Cow;
use std::collections::HashMap;
use std::mem;

use serde::de::IgnoredAny;

use super::draft::{Draft, MAX_ROWS, too_many_rows};
use super::outline::Outline;
use super::record::{Record, Value};
use super::rows::{ReadRow, RowReader, rejected};
use super::values::{AddressKind, listed, plain, quoted_name};
use super::walk::{Scalar, WalkStep, walk, without_place};
use super::{Settings, columns};

/// The most values of a record, including the elements of its lists, and the most keys.
const MAX_VALUES: usize = 10_000;

/// Whether a text that begins with `{` has one object on each line.
pub(super) fn is_lines(text: &str) -> bool {
    let is_whole = |text: &str| serde_json::from_str::<IgnoredAny>(text).is_ok();
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let (Some(first), Some(second)) = (lines.next(), lines.next()) else {
        return false;
    };
    // The first line may be the only broken one. A formatted document may have a second line that is complete JSON.
    is_whole(first) || (second.starts_with('{') && is_whole(second) && !is_whole(text))
}

/// Reads one JSON document into the draft.
///
/// # Errors
/// The reason why the whole file cannot be used.
pub(super) fn read(text: &str, settings: &Settings, draft: &mut Draft) -> Result<(), String> {
    let mut outline = Outline::new();
    walk(text, &mut |step| outline.take(step)).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        if error.is_eof() {
            format!("the JSON looks truncated at line {line}, column {column}")
        } else {
            let fault = without_place(&error);
            format!("the file is not valid JSON: line {line}, column {column}: {fault}")
        }
    })?;
    let Some(mut records) = Records::new(&outline, settings, draft)? else {
        return Ok(());
    };
    // The first walk showed that the JSON is valid.
    let _ = walk(text, &mut |step| records.take(step));
    records.finish();
    Ok(())
}

/// Reads one JSON object per line into the draft.
///
/// # Errors
/// The reason why the whole file cannot be used.
pub(super) fn read_lines(text: &str, settings: &Settings, draft: &mut Draft) -> Result<(), String> {
    let mut outline = Outline::of_lines();
    let mut broken: HashMap<u64, String> = HashMap::new();
    let mut lines = (1..).zip(text.split_terminator('\n')).peekable();
    while let Some((number, line)) = lines.next() {
        if line.trim().is_empty() {
            draft.add_blank(1);
            continue;
        }
        outline.next_line();
        let Err(error) = walk(line, &mut |step| outline.take(step)) else {
            continue;
        };
        if error.is_eof() && lines.peek().is_none() && !text.ends_with('\n') {
            return Err(format!(
                "the file looks truncated at line {number}: its object is not closed and no line break follows"
            ));
        }
        if broken.len() == MAX_ROWS {
            return Err(too_many_rows());
        }
        let fault = without_place(&error);
        broken.insert(number, format!("the line is not valid JSON: {fault}"));
    }
    let Some(mut records) = Records::new(&outline, settings, draft)? else {
        return Ok(());
    };
    for (number, line) in (1..).zip(text.split_terminator('\n')) {
        if let Some(reason) = broken.remove(&number) {
            let row = rejected(number, reason, None, None);
            records.draft.add(ReadRow::Rejected(row));
        } else if !line.trim().is_empty() {
            records.next_line(number);
            let _ = walk(line, &mut |step| records.take(step));
        }
    }
    records.finish();
    Ok(())
}

/// Makes records from the elements of the chosen lists, in a second walk.
struct Records<'t, 'd> {
    outline: &'d Outline,
    reader: RowReader,
    draft: &'d mut Draft,
    lists: Vec<u32>,
    columns: Vec<Option<usize>>,
    at: u32,
    frames: Vec<JsonFrame>,
    record: Record<'t>,
    /// The number of frames around the current record; `None` outside records.
    depth: Option<usize>,
    keys: Vec<Cow<'t, str>>,
    elements: u64,
    /// The line, if each line is an element.
    line: Option<u64>,
}

/// An object or a list that encloses the current value.
#[derive(Default)]
struct JsonFrame {
    is_list: bool,
    /// The index of its first key among those of the record.
    keys: usize,
    /// The index of its first value among those of the record.
    values: usize,
    /// The elements of a list: the kind of address and the index of the first value.
    elements: Vec<(AddressKind, usize)>,
    /// The kind of address, for an element of a list.
    kind: Option<AddressKind>,
}

impl<'t, 'd> Records<'t, 'd> {
    /// # Errors
    /// The reason why the whole file cannot be used.
    fn new(
        outline: &'d Outline,
        settings: &Settings,
        draft: &'d mut Draft,
    ) -> Result<Option<Self>, String> {
        let lists = outline.choose(&settings.records, &settings.columns)?;
        outline.ensure_whole(&lists)?;
        let names: Vec<String> = lists.iter().map(|list| outline.shown(*list)).collect();
        match &names[..] {
            [root] if root.is_empty() => {}
            [only] => draft.note(format!("The rows are from the list {}", quoted_name(only))),
            several => {
                let names = listed(several.iter().map(String::as_str), 10);
                draft.note(format!(
                    "The rows are from the lists {names} and are numbered together"
                ));
            }
        }
        if lists.iter().all(|list| outline.is_list(*list)) && outline.records(&lists) == 0 {
            draft.note("The list is empty");
            return Ok(None);
        }
        let (headers, columns) = outline.columns(&lists);
        let layout = columns::recognise(&headers, &settings.columns)?;
        draft.read_with(&layout);
        Ok(Some(Self {
            outline,
            reader: RowReader::new(layout, &settings.dates, &settings.words)?,
            draft,
            lists,
            columns,
            at: 0,
            frames: Vec::new(),
            record: Record::default(),
            depth: None,
            keys: Vec::new(),
            elements: 0,
            line: None,
        }))
    }

    /// Begins a line of JSON lines. Each line is an element of one list.
    fn next_line(&mut self, number: u64) {
        self.at = 0;
        self.line = Some(number);
        self.frames.clear();
        self.frames.push(JsonFrame {
            is_list: true,
            ..JsonFrame::default()
        });
    }

    fn finish(self) {
        self.draft.was_read_by(&self.reader);
    }

    fn take(&mut self, step: WalkStep<'t>) {
        match step {
            WalkStep::Key(key) => {
                self.at = self.outline.step(self.at, &key);
                if self.depth.is_some() && self.keys.len() == MAX_VALUES {
                    self.has_too_many_values();
                } else if self.depth.is_some() {
                    self.keys.push(key);
                }
            }
            WalkStep::KeyEnds => self.at = self.outline.parent(self.at),
            WalkStep::Opens { is_list } => self.open(is_list),
            WalkStep::Closes => self.close(),
            WalkStep::Scalar(scalar) => self.scalar(scalar),
        }
    }

    /// Whether the next value is an element of a chosen list, or a document that is one person.
    fn is_element(&self) -> bool {
        let is_enclosed = match self.frames.last() {
            Some(frame) => frame.is_list,
            None => !self.outline.is_list(self.at),
        };
        self.depth.is_none() && is_enclosed && self.lists.contains(&self.at)
    }

    fn begin(&mut self) {
        self.elements += 1;
        self.record.line = self.line.filter(|_| self.at == 0).unwrap_or(self.elements);
        self.record.values.clear();
        self.record.fault = None;
        self.keys.clear();
    }

    fn open(&mut self, is_list: bool) {
        let is_in_list = self.frames.last().is_some_and(|frame| frame.is_list);
        if self.is_element() {
            self.begin();
            if is_list {
                self.not_an_object();
            } else {
                self.depth = Some(self.frames.len());
            }
        }
        if is_list && is_in_list {
            self.at = self.outline.step(self.at, "[]");
        }
        self.frames.push(JsonFrame {
            is_list,
            keys: self.keys.len(),
            values: self.record.values.len(),
            ..JsonFrame::default()
        });
    }

    fn close(&mut self) {
        let Some(frame) = self.frames.pop() else {
            return;
        };
        let is_in_list = self.frames.last().is_some_and(|outer| outer.is_list);
        if frame.is_list && is_in_list {
            self.at = self.outline.parent(self.at);
        }
        let Some(depth) = self.depth else {
            return;
        };
        if frame.is_list {
            self.sort(frame.values, &frame.elements);
        } else {
            self.ensure_distinct(frame.keys);
        }
        if self.frames.len() == depth {
            self.depth = None;
            let record = mem::take(&mut self.record);
            let entry = self.reader.read(&record);
            self.draft.add(entry);
            self.record = record;
        } else if let Some(outer) = self.frames.last_mut().filter(|outer| outer.is_list) {
            let kind = frame.kind.unwrap_or(AddressKind::Unreported);
            outer.elements.push((kind, frame.values));
        }
    }

    /// Ends an object whose keys begin at `first`. A repeated key is a fault.
    fn ensure_distinct(&mut self, first: usize) {
        let mut keys: Vec<&str> = self.keys[first..].iter().map(|key| &**key).collect();
        keys.sort_unstable();
        let twice = keys.windows(2).find(|two| two[0] == two[1]);
        if let Some([key, ..]) = twice {
            let fault = format!("the key {} appears twice", quoted_name(key));
            self.record.fault = self.record.fault.take().or(Some(fault));
        }
        self.keys.truncate(first);
    }

    /// Puts the preferred elements of a list first: the work address before other addresses.
    fn sort(&mut self, first: usize, elements: &[(AddressKind, usize)]) {
        if elements.is_sorted_by_key(|(kind, _)| *kind) {
            return;
        }
        let values = self.record.values.split_off(first);
        let ends = elements.iter().skip(1).map(|(_, start)| *start - first);
        let ends = ends.chain([values.len()]);
        let mut spans: Vec<_> = elements.iter().zip(ends).collect();
        spans.sort_by_key(|((kind, _), _)| *kind);
        for ((_, start), end) in spans {
            let span = &values[start - first..end];
            self.record.values.extend_from_slice(span);
        }
    }

    fn scalar(&mut self, scalar: Scalar<'t>) {
        if self.is_element() {
            self.begin();
            self.not_an_object();
            return;
        }
        if self.depth.is_none() {
            return;
        }
        self.note_kind(&scalar);
        let (text, lost_digits) = match scalar {
            Scalar::Null => return,
            Scalar::Bool(value) => (Cow::Borrowed(if value { "true" } else { "false" }), false),
            Scalar::Integer(number) => (Cow::Owned(number.to_string()), false),
            Scalar::Float(number) => (Cow::Owned(number.to_string()), true),
            Scalar::Text(text) => (text, false),
        };
        let Some(column) = self.columns[self.at as usize] else {
            return;
        };
        if self.record.values.len() == MAX_VALUES {
            self.has_too_many_values();
            return;
        }
        let is_list = self.frames.last().is_some_and(|frame| frame.is_list);
        let start = self.record.values.len();
        self.record.values.push(Value {
            column,
            text,
            lost_digits,
        });
        if is_list && let Some(frame) = self.frames.last_mut() {
            frame.elements.push((AddressKind::Unreported, start));
        }
    }

    /// Notes the kind of a list element: `"primary": true`, `"type": "work"`.
    fn note_kind(&mut self, scalar: &Scalar<'_>) {
        let key = || plain(self.outline.name(self.at));
        let kind = match scalar {
            Scalar::Bool(true) if matches!(&*key(), "primary" | "isprimary") => {
                AddressKind::Primary
            }
            Scalar::Text(text) if matches!(&*key(), "type" | "kind") => AddressKind::of(text),
            _ => return,
        };
        if let Some(frame) = self.frames.last_mut() {
            frame.kind = Some(frame.kind.map_or(kind, |known| known.min(kind)));
        }
    }

    fn has_too_many_values(&mut self) {
        if self.record.fault.is_none() {
            self.record.fault = Some(format!("the record has more than {MAX_VALUES} values"));
        }
    }

    fn not_an_object(&mut self) {
        let reason = "the element is not an object".to_owned();
        let row = rejected(self.record.line, reason, None, None);
        self.draft.add(ReadRow::Rejected(row));
    }
}
