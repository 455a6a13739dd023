//! The outline of a JSON document: every path, the lists of people, and the signs of further pages around them.

use std::collections::{BTreeMap, HashMap};

use super::columns::{ColumnSetting, Header, Segment, count_known};
use super::names::{CONTAINERS, PEOPLE, is_among};
use super::signs::{self, Missing, Sign, SignValue, Signs};
use super::values::{listed, plain, quoted_name, shortened};
use super::walk::{Scalar, WalkStep};
use crate::model::quoted_in_full;

/// A document has a few hundred kinds of paths at most. More mean that ids or dates are used as keys, so that no key
/// identifies a column.
const MAX_PATHS: usize = 5000;

/// A path in the document. The elements of a list share the place of the list.
#[derive(Debug, Default)]
struct JsonPlace {
    parent: u32,
    name: Box<str>,
    /// The name in plain form.
    plain: Box<str>,
    children: HashMap<Box<str>, u32>,
    /// Whether this place has a value other than null.
    has_value: bool,
    is_list: bool,
    objects: u64,
    others: u64,
    signs: Vec<Sign>,
}

/// An object or a list that encloses the current value.
#[derive(Default)]
struct OutlineFrame {
    is_list: bool,
    place: u32,
    /// Whether it contains a value that is set.
    is_set: bool,
    signs: Signs,
    /// The sign in the `rel` of a link.
    rel: Option<Sign>,
}

/// The outline of a document, made in one walk.
#[derive(Default)]
pub(super) struct Outline {
    places: Vec<JsonPlace>,
    at: u32,
    frames: Vec<OutlineFrame>,
    /// The signs of each object, by the object's place.
    signs: BTreeMap<u32, Signs>,
    has_too_many_paths: bool,
}

impl Outline {
    pub(super) fn new() -> Self {
        Self {
            places: vec![JsonPlace::default()],
            ..Self::default()
        }
    }

    /// The outline of JSON lines: each line is an element of one list.
    pub(super) fn of_lines() -> Self {
        let mut outline = Self::new();
        outline.places[0].is_list = true;
        outline.next_line();
        outline
    }

    /// Begins a line, also after a line that failed.
    pub(super) fn next_line(&mut self) {
        self.at = 0;
        self.frames.truncate(0);
        self.open(true);
    }

    pub(super) fn take(&mut self, step: WalkStep<'_>) {
        // The document will be refused, and the current place is unknown.
        if self.has_too_many_paths {
            return;
        }
        match step {
            WalkStep::Opens { is_list } => {
                if self.is_in_list() {
                    let place = &mut self.places[self.at as usize];
                    if is_list {
                        place.others += 1;
                        // The inner lists of a list have their own place.
                        self.at = self.child("[]");
                    } else {
                        place.objects += 1;
                    }
                }
                self.places[self.at as usize].is_list |= is_list;
                self.open(is_list);
            }
            WalkStep::Closes => self.close(),
            WalkStep::Key(key) => self.at = self.child(&key),
            WalkStep::KeyEnds => self.at = self.places[self.at as usize].parent,
            WalkStep::Scalar(scalar) => self.scalar(&scalar),
        }
    }

    fn is_in_list(&self) -> bool {
        self.frames.last().is_some_and(|frame| frame.is_list)
    }

    fn open(&mut self, is_list: bool) {
        self.frames.push(OutlineFrame {
            is_list,
            place: self.at,
            ..OutlineFrame::default()
        });
    }

    fn child(&mut self, key: &str) -> u32 {
        let parent = self.at;
        if let Some(child) = self.places[parent as usize].children.get(key) {
            return *child;
        }
        if self.places.len() == MAX_PATHS {
            self.has_too_many_paths = true;
            return parent;
        }
        let child = u32::try_from(self.places.len()).unwrap_or_default();
        let name = plain(key);
        self.places[parent as usize]
            .children
            .insert(key.into(), child);
        self.places.push(JsonPlace {
            parent,
            name: key.into(),
            signs: signs::of_key(&name),
            plain: name.into(),
            ..JsonPlace::default()
        });
        child
    }

    fn scalar(&mut self, scalar: &Scalar<'_>) {
        let place = &mut self.places[self.at as usize];
        place.has_value |= *scalar != Scalar::Null;
        let value = match scalar {
            Scalar::Null => SignValue::Within(false),
            Scalar::Bool(flag) => SignValue::Flag(*flag),
            Scalar::Integer(number) => SignValue::Number(*number),
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a count of records that is saturated stays large"
            )]
            Scalar::Float(number) => SignValue::Number(*number as i128),
            Scalar::Text(text) => SignValue::Text(text),
        };
        let is_set = value.is_set(|text| !text.trim().is_empty());
        let Some(frame) = self.frames.last_mut() else {
            return;
        };
        if frame.is_list {
            place.others += 1;
            frame.is_set |= is_set;
            return;
        }
        if let (SignValue::Text(text), "rel" | "relation") =
            (value, &*place.name.to_ascii_lowercase())
        {
            let of = signs::of_key(&plain(text));
            frame.rel = of
                .into_iter()
                .find(|sign| matches!(sign, Sign::Next | Sign::Previous));
        } else {
            frame.is_set |= is_set;
        }
        frame.signs.take(&place.signs, self.at, value);
    }

    fn close(&mut self) {
        let Some(mut frame) = self.frames.pop() else {
            return;
        };
        if let Some(sign) = frame.rel.filter(|_| frame.is_set) {
            let link = SignValue::Within(true);
            frame.signs.take(&[sign], frame.place, link);
        }
        if !frame.is_list && frame.signs != Signs::default() {
            frame.signs.settle();
            self.signs.entry(frame.place).or_default().join(frame.signs);
        }
        let Some(outer) = self.frames.last_mut() else {
            return;
        };
        outer.is_set |= frame.is_set;
        let place = &self.places[frame.place as usize];
        if !outer.is_list {
            let within = SignValue::Within(frame.is_set);
            outer.signs.take(&place.signs, frame.place, within);
        } else if frame.is_list {
            self.at = place.parent;
        }
    }

    // ---- Reading the outline ----

    /// The keys from the root of the document to a place.
    fn path(&self, place: u32) -> Vec<&str> {
        let mut names = Vec::new();
        let mut at = place;
        while at != 0 {
            names.push(&*self.places[at as usize].name);
            at = self.places[at as usize].parent;
        }
        names.reverse();
        names
    }

    pub(super) fn shown(&self, place: u32) -> String {
        self.path(place).join(".")
    }

    /// Whether a place is `outer` or inside it. Inner places have larger numbers.
    fn is_within(&self, place: u32, outer: u32) -> bool {
        let mut at = place;
        while at > outer {
            at = self.places[at as usize].parent;
        }
        at == outer
    }

    fn lists(&self) -> impl Iterator<Item = u32> {
        let lists = (0..).zip(&self.places).filter(|(_, place)| place.is_list);
        lists.map(|(at, _)| at)
    }

    /// Whether a list is inside another one of `lists`.
    fn is_inside_another(&self, list: u32, mut lists: impl Iterator<Item = u32>) -> bool {
        lists.any(|outer| outer != list && self.is_within(list, outer))
    }

    /// The places with values inside a list.
    fn fields(&self, list: u32) -> impl Iterator<Item = u32> {
        let inside = (0..).zip(&self.places).skip(list as usize + 1);
        let fields = inside.filter(move |(at, place)| {
            (place.has_value || place.children.is_empty()) && self.is_within(*at, list)
        });
        fields.map(|(at, _)| at)
    }

    fn header(&self, field: u32, list: u32) -> Header {
        let mut segments = Vec::new();
        let mut at = field;
        while at > list {
            let place = &self.places[at as usize];
            segments.push(Segment {
                name: &place.name,
                plain: &place.plain,
                is_list: place.is_list,
            });
            at = place.parent;
        }
        segments.reverse();
        Header::path(&segments)
    }

    fn headers(&self, list: u32) -> Vec<Header> {
        self.fields(list)
            .map(|field| self.header(field, list))
            .collect()
    }

    /// Whether the name of a list is a word for people, as in `activeEmployees` or `employees.edges`.
    fn is_called_people(&self, list: u32) -> bool {
        let path = self.path(list);
        let names = path.iter().rev().map(|name| plain(name));
        let own = names
            .into_iter()
            .find(|name| !name.is_empty() && !is_among(name, CONTAINERS));
        own.is_some_and(|name| {
            let ends = |word: &str| name == word || (word.len() > 4 && name.ends_with(word));
            PEOPLE.split_whitespace().any(ends)
        })
    }

    fn is_of_people(&self, list: u32, configured: &ColumnSetting) -> bool {
        let place = &self.places[list as usize];
        if place.objects == 0 {
            return place.others == 0 && self.is_called_people(list);
        }
        let names_person = |header: &Header| header.names_person(configured);
        self.is_called_people(list) || self.headers(list).iter().any(names_person)
    }

    /// The lists of people: those in `HR_FEED_RECORDS`, else the only list that may contain people. If the document is one
    /// person, the place of the document.
    ///
    /// # Errors
    /// If a list in `HR_FEED_RECORDS` is absent, or if it is unclear which lists contain people.
    pub(super) fn choose(
        &self,
        named: &[String],
        configured: &ColumnSetting,
    ) -> Result<Vec<u32>, String> {
        if self.has_too_many_paths {
            return Err(format!(
                "the JSON has more than {MAX_PATHS} different paths of keys: ids or dates seem to be used as keys"
            ));
        }
        if !named.is_empty() {
            return self.named(named);
        }
        let people: Vec<u32> = self
            .lists()
            .filter(|list| self.is_of_people(*list, configured))
            .collect();
        let is_inner = |list: &u32| self.is_inside_another(*list, people.iter().copied());
        // A list inside a person is part of that person, unless it is clearly a list of people itself.
        let is_own = |list: &u32| {
            let has_address = || self.headers(*list).iter().any(Header::is_address);
            !is_inner(list) || (self.is_called_people(*list) && has_address())
        };
        let mut chosen: Vec<u32> = people.iter().copied().filter(is_own).collect();
        if chosen.is_empty() {
            chosen = self.likely();
        }
        // An empty list can be ignored if another one has records.
        if chosen.iter().any(|list| self.records(&[*list]) > 0) {
            chosen.retain(|list| self.records(&[*list]) > 0);
        }
        match chosen[..] {
            [only] => Ok(vec![only]),
            [] if count_known(&self.headers(0), configured) >= 2 => Ok(vec![0]),
            [] => Err("the JSON has no list of people, only an object or a value".to_owned()),
            _ => {
                let names: Vec<String> = chosen.iter().map(|list| self.named_list(*list)).collect();
                let remedy: Vec<String> = names.iter().map(|name| shortened(name)).collect();
                Err(format!(
                    "the JSON has several lists that may be people: {}; closes with: {}",
                    listed(names.iter().map(String::as_str), 10),
                    quoted_in_full(&format!("HR_FEED_RECORDS={}", remedy.join(",")))
                ))
            }
        }
    }

    /// The lists to choose from if no key and no name shows which list has people.
    fn likely(&self) -> Vec<u32> {
        let outer = |list: &u32| {
            let place = &self.places[*list as usize];
            let is_inner = self.is_inside_another(*list, self.lists());
            !is_inner && (place.objects > 0 || place.others == 0 || *list == 0)
        };
        let lists: Vec<u32> = self.lists().filter(outer).collect();
        let has_objects = |list: &u32| self.places[*list as usize].objects > 0;
        let is_container =
            |list: &u32| is_among(&plain(&self.places[*list as usize].name), CONTAINERS);
        for is_better in [&has_objects as &dyn Fn(&u32) -> bool, &is_container] {
            let better: Vec<u32> = lists.iter().copied().filter(is_better).collect();
            if better.len() == 1 {
                return better;
            }
        }
        lists
    }

    fn named_list(&self, list: u32) -> String {
        match list {
            0 => "(the document itself)".to_owned(),
            list => self.shown(list),
        }
    }

    /// The lists in `HR_FEED_RECORDS`, by their paths or by ends of their paths.
    fn named(&self, named: &[String]) -> Result<Vec<u32>, String> {
        let mut chosen = Vec::new();
        for name in named {
            let wanted: Vec<String> = name.split('.').map(plain).collect();
            let is_it = |list: &u32| {
                let mut path: Vec<String> = self.path(*list).into_iter().map(plain).collect();
                loop {
                    if path.ends_with(&wanted) {
                        return true;
                    }
                    // `employees` also means `employees.edges`.
                    if !path.pop().is_some_and(|last| is_among(&last, CONTAINERS)) {
                        return false;
                    }
                }
            };
            let found: Vec<u32> = self.lists().filter(is_it).collect();
            if found.is_empty() {
                let lists: Vec<String> = self.lists().map(|list| self.named_list(list)).collect();
                return Err(format!(
                    "HR_FEED_RECORDS names {}, but the JSON has no such list; its lists are {}",
                    quoted_name(name),
                    listed(lists.iter().map(String::as_str), 10)
                ));
            }
            chosen.extend(found);
        }
        chosen.sort_unstable();
        chosen.dedup();
        // A list inside a chosen list is part of its records.
        let is_outer = |list: &u32| !self.is_inside_another(*list, chosen.iter().copied());
        Ok(chosen.iter().copied().filter(is_outer).collect())
    }

    /// The number of records in the lists.
    pub(super) fn records(&self, lists: &[u32]) -> u64 {
        let places = lists.iter().map(|list| &self.places[*list as usize]);
        places.map(|place| place.objects + place.others).sum()
    }

    /// One page is not the complete list. A leaver on the next page would be lost.
    ///
    /// # Errors
    /// If a key outside the records announces more records.
    pub(super) fn ensure_whole(&self, lists: &[u32]) -> Result<(), String> {
        let records = self.records(lists);
        let is_outside =
            |(place, _): &(&u32, &Signs)| !lists.iter().any(|list| self.is_within(**place, *list));
        let outside = self.signs.iter().filter(is_outside);
        for (_, signs) in outside {
            let (fault, key) = match signs.missing(records.into()) {
                None => continue,
                Some(Missing::More(key)) => ("the JSON is not the whole list".to_owned(), key),
                Some(Missing::Earlier(key)) => (
                    "the JSON does not begin with the first page".to_owned(),
                    key,
                ),
                Some(Missing::Of(key, total)) => {
                    (format!("the JSON has {records} of {total} records"), key)
                }
            };
            let key = quoted_name(&self.shown(key));
            return Err(format!("{fault} (see {key}): export the whole list"));
        }
        Ok(())
    }

    /// The headers of the columns, and the column of each place in the document. All lists share their columns.
    pub(super) fn columns(&self, lists: &[u32]) -> (Vec<Header>, Vec<Option<usize>>) {
        let mut headers: Vec<Header> = Vec::new();
        let mut known: HashMap<Vec<&str>, usize> = HashMap::new();
        let mut columns = vec![None; self.places.len()];
        for list in lists {
            let depth = self.path(*list).len();
            for field in self.fields(*list) {
                let path = self.path(field)[depth..].to_vec();
                let column = *known.entry(path).or_insert_with(|| {
                    headers.push(self.header(field, *list));
                    headers.len() - 1
                });
                columns[field as usize] = Some(column);
            }
        }
        (headers, columns)
    }

    /// The place of a key, in a second walk over the same document.
    pub(super) fn step(&self, at: u32, key: &str) -> u32 {
        let place = &self.places[at as usize];
        place.children.get(key).copied().unwrap_or(at)
    }

    pub(super) fn parent(&self, at: u32) -> u32 {
        self.places[at as usize].parent
    }

    pub(super) fn name(&self, at: u32) -> &str {
        &self.places[at as usize].name
    }

    /// Whether a place is a list.
    pub(super) fn is_list(&self, at: u32) -> bool {
        self.places[at as usize].is_list
    }
}
