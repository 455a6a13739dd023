//! JSON and JSON lines: where the people are, which keys they have, and what each one says.
//!
//! A document is walked several times instead of held as a tree, which would take ten times its
//! size: once to find the list, once for its keys, once for the rows.

use std::collections::HashMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::draft::Draft;
use super::headers::{self, Header, Layout};
use super::rows::RowReader;
use super::values::listed;
use super::{Column, Settings};

/// Between the segments of a path; in no key that people use.
const SEPARATOR: char = '\u{1f}';

/// People have some hundred fields at most. More kinds of keys mean that ids or dates are used as
/// keys, and that we would not know which is which.
const MAX_KEYS: usize = 1000;

/// A list of people may stand this deep: `{"data": {"employees": […]}}`.
const MAX_LIST_DEPTH: usize = 3;

/// Whether text that begins with `{` has an object on each line.
pub(super) fn is_lines(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let Some(first) = lines.next() else {
        return false;
    };
    let second = lines.next();
    if second.is_some_and(|line| line.starts_with("{\"")) {
        return true;
    }
    if serde_json::from_str::<IgnoredAny>(first).is_err() {
        return false;
    }
    // One whole object in one line: a row, unless it is a list in an envelope.
    second.is_some() || {
        let mut keys = Keys::default();
        let is_object = walk(first, &mut keys).is_ok() && keys.rows == 1;
        is_object && headers::count_known(&keys.headers(), &Default::default()) >= 2
    }
}

/// Reads one JSON document into the draft.
///
/// # Errors
/// Why the file as a whole cannot be used.
pub(super) fn read(text: &str, settings: &Settings, draft: &mut Draft) -> Result<(), String> {
    let mut outline = Outline::default();
    parse(
        text,
        OutlineSeed {
            outline: &mut outline,
            depth: 0,
        },
    )?;
    let path = outline.list()?;
    outline.ensure_whole(&path)?;
    if !path.is_empty() {
        draft.note(format!("The rows are the list `{}`", shown(&path)));
    }

    let mut keys = Keys::default();
    parse(
        text,
        ListSeed {
            path: &path,
            sink: &mut keys,
        },
    )?;
    if keys.rows == 0 {
        draft.note("The list is empty");
        return Ok(());
    }
    let mut reader = Rows::new(&keys, settings, draft)?;
    parse(
        text,
        ListSeed {
            path: &path,
            sink: &mut reader,
        },
    )
}

/// Reads one JSON object a line into the draft.
///
/// # Errors
/// Why the file as a whole cannot be used.
pub(super) fn read_lines(text: &str, settings: &Settings, draft: &mut Draft) -> Result<(), String> {
    let mut keys = Keys::default();
    for line in text.split('\n') {
        // A line that is not valid is a rejected row, below.
        let _ = walk(line, &mut keys);
    }
    let mut rows = Rows::new(&keys, settings, draft)?;
    let mut lines = (1..).zip(text.split_terminator('\n')).peekable();
    while let Some((number, line)) = lines.next() {
        if line.trim().is_empty() {
            rows.draft.add_blank(1);
            continue;
        }
        // Checked first, so that a row is not both read and, for what follows it, rejected.
        let read = serde_json::from_str::<IgnoredAny>(line).and_then(|_| {
            rows.line = number - 1;
            walk(line, &mut rows)
        });
        match read {
            Ok(()) => {}
            Err(error) if error.is_eof() && lines.peek().is_none() && !text.ends_with('\n') => {
                return Err(format!(
                    "the file looks truncated at line {number}: its object is not closed and no line break follows"
                ));
            }
            Err(error) => {
                rows.cells.fill(None);
                rows.line = number;
                rows.reject(&format!(
                    "the line is not valid JSON: {}",
                    without_place(&error)
                ));
            }
        }
    }
    Ok(())
}

fn parse<'t>(text: &'t str, seed: impl DeserializeSeed<'t, Value = ()>) -> Result<(), String> {
    let mut json = serde_json::Deserializer::from_str(text);
    seed.deserialize(&mut json)
        .and_then(|()| json.end())
        .map_err(|error| {
            if error.is_eof() {
                format!(
                    "the JSON looks truncated at line {}, column {}",
                    error.line(),
                    error.column()
                )
            } else {
                format!(
                    "the file is not valid JSON: line {}, column {}: {}",
                    error.line(),
                    error.column(),
                    without_place(&error)
                )
            }
        })
}

/// One row that stands alone.
fn walk(text: &str, sink: &mut impl Sink) -> Result<(), serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(text);
    RowSeed { sink }.deserialize(&mut json)?;
    json.end()
}

/// What the parser says, without the place, which the caller knows better.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ")
        .map_or(text.as_str(), |(message, _)| message)
        .to_owned()
}

fn shown(path: &[String]) -> String {
    path.join(".")
}

/// A value that is neither list nor object.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Scalar<'v> {
    Null,
    Bool(bool),
    /// Digits, exactly as written.
    Integer(i128),
    /// A number whose digits are lost: `1E5`, or too long.
    Float(f64),
    Text(&'v str),
}

/// Takes what a walk over rows comes by.
trait Sink {
    /// A row begins. In a list it has a number, from 1.
    fn begin(&mut self);
    /// A value inside of it.
    fn value(&mut self, path: &str, value: Scalar<'_>);
    /// A list inside of it: its texts, or the addresses of its objects, the primary one first.
    fn list(&mut self, path: &str, texts: Vec<String>);
    /// Whether the list that begins at this path is worth collecting.
    fn wants_list(&mut self, path: &str) -> bool;
    /// The row was no object.
    fn not_an_object(&mut self);
    /// The row ends.
    fn end(&mut self);
}

// ---- Finding the list ----

/// What stands around the rows.
#[derive(Default)]
struct Outline {
    path: Vec<String>,
    lists: Vec<List>,
    /// Signs that more pages follow, as texts for a message.
    more: Vec<String>,
    /// How many rows the envelope says there are.
    total: Option<i128>,
}

struct List {
    path: Vec<String>,
    objects: u64,
    others: u64,
}

impl Outline {
    /// Where the people are: the document itself, or the one list of objects in it.
    fn list(&self) -> Result<Vec<String>, String> {
        if let Some(root) = self.lists.iter().find(|list| list.path.is_empty()) {
            return Ok(root.path.clone());
        }
        let mut chosen: Vec<&List> = self.lists.iter().filter(|list| list.objects > 0).collect();
        if chosen.is_empty() {
            chosen = self.lists.iter().filter(|list| list.others == 0).collect();
        }
        if chosen.len() > 1 {
            chosen.retain(|list| list.has_a_known_name());
        }
        match chosen[..] {
            [only] => Ok(only.path.clone()),
            [] if self.lists.is_empty() => {
                Err("the JSON holds no list of people, only an object or a value".to_owned())
            }
            _ => {
                let names: Vec<String> = self.lists.iter().map(|list| shown(&list.path)).collect();
                Err(format!(
                    "the JSON must hold one list of people, and its lists are {}",
                    listed(names.iter().map(String::as_str), 10)
                ))
            }
        }
    }

    /// A page is not the list: whoever is on the next one would count as nobody.
    fn ensure_whole(&self, path: &[String]) -> Result<(), String> {
        if let Some(sign) = self.more.first() {
            return Err(format!(
                "the JSON is one page of several (`{sign}` says so): export the whole list"
            ));
        }
        let rows = self
            .lists
            .iter()
            .find(|list| list.path == path)
            .map_or(0, |list| list.objects + list.others);
        match self.total {
            Some(total) if total > i128::from(rows) => Err(format!(
                "the JSON holds {rows} of {total} results: export the whole list"
            )),
            _ => Ok(()),
        }
    }

    fn scalar(&mut self, value: Scalar<'_>) {
        let Some(name) = self.path.last() else {
            return;
        };
        let plain: String = name
            .chars()
            .filter(|c| c.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect();
        let is_set = match value {
            Scalar::Null | Scalar::Bool(false) => false,
            Scalar::Text(text) => !text.is_empty(),
            Scalar::Integer(number) => number != 0,
            Scalar::Bool(true) | Scalar::Float(_) => true,
        };
        match plain.as_str() {
            "next" | "nextpage" | "nextcursor" | "nextpagetoken" | "nextlink" | "odatanextlink"
            | "nexturl" | "hasmore" | "hasnextpage"
                if is_set =>
            {
                self.more.push(shown(&self.path));
            }
            // SCIM (RFC 7644) gives the size of the whole beside a page of it.
            "totalresults" => {
                if let Scalar::Integer(total) = value {
                    self.total = Some(total);
                }
            }
            _ => {}
        }
    }
}

impl List {
    fn has_a_known_name(&self) -> bool {
        const NAMES: [&str; 16] = [
            "employees",
            "workers",
            "people",
            "persons",
            "users",
            "members",
            "leavers",
            "terminations",
            "data",
            "results",
            "records",
            "rows",
            "items",
            "resources",
            "value",
            "report_entry",
        ];
        self.path
            .last()
            .is_some_and(|name| NAMES.contains(&name.to_lowercase().as_str()))
    }
}

struct OutlineSeed<'o> {
    outline: &'o mut Outline,
    depth: usize,
}

/// The visitor methods for single values, each handing on a [`Scalar`].
macro_rules! scalars {
    ($take:ident) => {
        fn visit_unit<E>(self) -> Result<(), E> {
            self.$take(Scalar::Null);
            Ok(())
        }
        fn visit_bool<E>(self, value: bool) -> Result<(), E> {
            self.$take(Scalar::Bool(value));
            Ok(())
        }
        fn visit_i64<E>(self, value: i64) -> Result<(), E> {
            self.$take(Scalar::Integer(value.into()));
            Ok(())
        }
        fn visit_u64<E>(self, value: u64) -> Result<(), E> {
            self.$take(Scalar::Integer(value.into()));
            Ok(())
        }
        fn visit_f64<E>(self, value: f64) -> Result<(), E> {
            self.$take(Scalar::Float(value));
            Ok(())
        }
        fn visit_str<E>(self, value: &str) -> Result<(), E> {
            self.$take(Scalar::Text(value));
            Ok(())
        }
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("any JSON")
        }
    };
}

impl OutlineSeed<'_> {
    fn take(self, value: Scalar<'_>) {
        self.outline.scalar(value);
    }
}

impl<'de> DeserializeSeed<'de> for OutlineSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for OutlineSeed<'_> {
    type Value = ();

    scalars!(take);

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if self.depth == MAX_LIST_DEPTH {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            self.outline.path.push(key);
            map.next_value_seed(OutlineSeed {
                outline: self.outline,
                depth: self.depth + 1,
            })?;
            self.outline.path.pop();
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let mut list = List {
            path: self.outline.path.clone(),
            objects: 0,
            others: 0,
        };
        while let Some(IsObject(is_object)) = seq.next_element()? {
            if is_object {
                list.objects += 1;
            } else {
                list.others += 1;
            }
        }
        self.outline.lists.push(list);
        Ok(())
    }
}

/// Whether a value is an object; what is inside is skipped.
struct IsObject(bool);

impl<'de> serde::Deserialize<'de> for IsObject {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Look(bool);
        impl Look {
            fn take(&mut self, _: Scalar<'_>) {}
        }
        impl<'de> Visitor<'de> for &mut Look {
            type Value = ();

            scalars!(take);

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(())
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
                self.0 = true;
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(())
            }
        }
        let mut look = Look(false);
        json.deserialize_any(&mut look)?;
        Ok(Self(look.0))
    }
}

// ---- Walking the rows ----

/// Goes down a path to a list and hands each of its elements to the sink.
struct ListSeed<'s, S> {
    path: &'s [String],
    sink: &'s mut S,
}

impl<'de, S: Sink> DeserializeSeed<'de> for ListSeed<'_, S> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de, S: Sink> Visitor<'de> for ListSeed<'_, S> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the list of people")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match self.path.split_first() {
                Some((first, rest)) if *first == key => map.next_value_seed(ListSeed {
                    path: rest,
                    sink: &mut *self.sink,
                })?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq
            .next_element_seed(RowSeed {
                sink: &mut *self.sink,
            })?
            .is_some()
        {}
        Ok(())
    }
}

/// One row: an object, we hope.
struct RowSeed<'s, S> {
    sink: &'s mut S,
}

impl<S: Sink> RowSeed<'_, S> {
    fn take(self, _: Scalar<'_>) {
        self.sink.begin();
        self.sink.not_an_object();
    }
}

impl<'de, S: Sink> DeserializeSeed<'de> for RowSeed<'_, S> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de, S: Sink> Visitor<'de> for RowSeed<'_, S> {
    type Value = ();

    scalars!(take);

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        self.take(Scalar::Null);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        self.sink.begin();
        let mut path = String::new();
        ValueSeed {
            path: &mut path,
            sink: &mut *self.sink,
        }
        .visit_map(map)?;
        self.sink.end();
        Ok(())
    }
}

/// A value inside of a row, at `path`.
struct ValueSeed<'s, S> {
    path: &'s mut String,
    sink: &'s mut S,
}

impl<S: Sink> ValueSeed<'_, S> {
    fn take(self, value: Scalar<'_>) {
        self.sink.value(self.path, value);
    }
}

impl<'de, S: Sink> DeserializeSeed<'de> for ValueSeed<'_, S> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de, S: Sink> Visitor<'de> for ValueSeed<'_, S> {
    type Value = ();

    scalars!(take);

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let length = self.path.len();
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            if length > 0 {
                self.path.push(SEPARATOR);
            }
            self.path.push_str(&key);
            map.next_value_seed(ValueSeed {
                path: &mut *self.path,
                sink: &mut *self.sink,
            })?;
            self.path.truncate(length);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        if !self.sink.wants_list(self.path) {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(());
        }
        let mut items: Vec<Item> = Vec::new();
        while let Some(item) = seq.next_element_seed(ItemSeed)? {
            items.push(item);
        }
        // Stable: equals stay in the order of the file.
        items.sort_by_key(|item| match item {
            Item { primary: true, .. } => 0,
            Item { work: true, .. } => 1,
            _ => 2,
        });
        let texts = items.into_iter().filter_map(|item| item.text).collect();
        self.sink.list(self.path, texts);
        Ok(())
    }
}

/// An element of a list of addresses: a text, or an object with one.
#[derive(Default)]
struct Item {
    text: Option<String>,
    primary: bool,
    work: bool,
}

impl Sink for Item {
    fn begin(&mut self) {}
    fn value(&mut self, path: &str, value: Scalar<'_>) {
        match (path.to_lowercase().as_str(), value) {
            (
                "value" | "email" | "address" | "emailaddress" | "email_address",
                Scalar::Text(text),
            ) => {
                self.text = Some(text.to_owned());
            }
            ("primary" | "isprimary" | "is_primary", Scalar::Bool(primary)) => {
                self.primary = primary
            }
            ("type", Scalar::Text(kind)) => self.work = kind.eq_ignore_ascii_case("work"),
            _ => {}
        }
    }
    fn list(&mut self, _: &str, _: Vec<String>) {}
    fn wants_list(&mut self, _: &str) -> bool {
        false
    }
    fn not_an_object(&mut self) {}
    fn end(&mut self) {}
}

struct ItemSeed;

impl<'de> DeserializeSeed<'de> for ItemSeed {
    type Value = Item;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Item, D::Error> {
        struct Text<'i>(&'i mut Item);
        impl Text<'_> {
            fn take(self, value: Scalar<'_>) {
                if let Scalar::Text(text) = value {
                    self.0.text = Some(text.to_owned());
                }
            }
        }
        impl<'de> Visitor<'de> for Text<'_> {
            type Value = ();

            scalars!(take);

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(())
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
                let mut path = String::new();
                ValueSeed {
                    path: &mut path,
                    sink: self.0,
                }
                .visit_map(map)
            }
        }
        let mut item = Item::default();
        json.deserialize_any(Text(&mut item))?;
        Ok(item)
    }
}

// ---- First walk: the keys ----

/// Every key of every row, in the order of first appearance.
#[derive(Default)]
struct Keys {
    rows: u64,
    paths: Vec<String>,
    places: HashMap<String, usize>,
    too_many: bool,
}

impl Keys {
    fn add(&mut self, path: &str) {
        if self.places.contains_key(path) {
            return;
        }
        if self.paths.len() == MAX_KEYS {
            self.too_many = true;
            return;
        }
        self.places.insert(path.to_owned(), self.paths.len());
        self.paths.push(path.to_owned());
    }

    fn headers(&self) -> Vec<Header> {
        self.paths
            .iter()
            .map(|path| Header::path(path.split(SEPARATOR)))
            .collect()
    }
}

impl Sink for Keys {
    fn begin(&mut self) {
        self.rows += 1;
    }
    fn value(&mut self, path: &str, _: Scalar<'_>) {
        self.add(path);
    }
    fn list(&mut self, _: &str, _: Vec<String>) {}
    fn wants_list(&mut self, path: &str) -> bool {
        self.add(path);
        false
    }
    fn not_an_object(&mut self) {}
    fn end(&mut self) {}
}

// ---- Second walk: the rows ----

/// Reads each row into the draft.
struct Rows<'d> {
    reader: RowReader,
    draft: &'d mut Draft,
    /// For each path that is read, its place.
    places: HashMap<String, usize>,
    is_address: Vec<bool>,
    person_id: Option<usize>,
    cells: Vec<Option<String>>,
    faults: Vec<String>,
    has_any_value: bool,
    line: u64,
}

impl<'d> Rows<'d> {
    fn new(keys: &Keys, settings: &Settings, draft: &'d mut Draft) -> Result<Self, String> {
        if keys.too_many {
            return Err(format!(
                "the objects have more than {MAX_KEYS} different keys: they are no rows of one kind"
            ));
        }
        let layout = headers::recognise(&keys.headers(), &settings.columns)?;
        draft.read_with(&layout);
        let mut is_address = vec![false; keys.paths.len()];
        for at in [Column::Email, Column::OtherEmail]
            .into_iter()
            .flat_map(|column| layout.cells(column))
        {
            is_address[*at] = true;
        }
        Ok(Self {
            places: layout
                .wanted()
                .map(|at| (keys.paths[at].clone(), at))
                .collect(),
            person_id: layout.cells(Column::PersonId).first().copied(),
            is_address,
            cells: vec![None; keys.paths.len()],
            faults: Vec::new(),
            has_any_value: false,
            line: 0,
            reader: RowReader::new(layout, &settings.dates)?,
            draft,
        })
    }

    fn layout(&self) -> &Layout {
        self.reader.layout()
    }

    fn put(&mut self, at: usize, path: &str, text: Option<String>) {
        let cell = &mut self.cells[at];
        if cell.is_some() {
            self.faults.push(format!(
                "the key `{}` stands there twice",
                path.replace(SEPARATOR, ".")
            ));
        } else {
            *cell = text;
        }
    }

    /// Rejects the row for `reason`, with what was read of it.
    fn reject(&mut self, reason: &str) {
        let text = |column| {
            let at = self.layout().cells(column).first()?;
            self.cells[*at].as_deref()
        };
        let id = text(Column::PersonId).unwrap_or_default();
        let email = text(Column::Email).unwrap_or_default();
        let entry = self
            .reader
            .reject_named(self.line, reason.to_owned(), Some(id), Some(email));
        self.draft.add(entry);
    }
}

impl Sink for Rows<'_> {
    fn begin(&mut self) {
        self.line += 1;
        self.faults.clear();
        self.cells.fill(None);
        self.has_any_value = false;
    }

    fn value(&mut self, path: &str, value: Scalar<'_>) {
        self.has_any_value |= value != Scalar::Null;
        let Some(at) = self.places.get(path).copied() else {
            return;
        };
        let text = match value {
            Scalar::Null => return,
            Scalar::Bool(value) => value.to_string(),
            Scalar::Integer(number) => number.to_string(),
            Scalar::Float(number) => {
                if self.person_id == Some(at) {
                    self.faults.push(format!(
                        "column `{}`: an id written as a number with a fraction, an exponent or too many digits loses digits: write it as a text",
                        self.layout().shown(Column::PersonId)
                    ));
                }
                number.to_string()
            }
            Scalar::Text(text) => text.to_owned(),
        };
        self.put(at, path, Some(text));
    }

    fn list(&mut self, path: &str, texts: Vec<String>) {
        if let Some(at) = self.places.get(path).copied() {
            self.put(at, path, Some(texts.join(";")));
        }
    }

    fn wants_list(&mut self, path: &str) -> bool {
        self.has_any_value = true;
        match self.places.get(path) {
            Some(at) if self.is_address[*at] => true,
            Some(_) => {
                self.faults.push(format!(
                    "the key `{}` holds a list where one value is expected",
                    path.replace(SEPARATOR, ".")
                ));
                false
            }
            None => false,
        }
    }

    fn not_an_object(&mut self) {
        self.reject("the element is not an object");
    }

    fn end(&mut self) {
        if !self.faults.is_empty() {
            let reason = self.faults.join("; ");
            self.reject(&reason);
        } else if !self.has_any_value {
            self.draft.add_blank(1);
        } else {
            let cells = &self.cells;
            let entry = self
                .reader
                .read(self.line, |at| cells[at].as_deref().unwrap_or_default());
            self.draft.add(entry);
        }
    }
}
