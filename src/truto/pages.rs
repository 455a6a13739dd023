//! Lists, read page by page, and how they end.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Either, MaybeDone, maybe_done, select};
use jiff::Timestamp;
use serde::de::value::MapAccessDeserializer;
use serde::de::{
    DeserializeOwned, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use tracing::warn;

use super::api::malformed;
use super::lenient;
use super::{Client, TrutoError};
use crate::model::{PageRecord, RequestRecord};
use crate::net::Response;

/// A million accounts at a hundred per page, more than the largest organizations have. The limit stops a server that
/// returns new cursors without end.
const MAX_PAGES: u64 = 10_000;

/// A cursor goes into an address, and servers accept addresses of about 8 KiB. Asana's cursors are below 200 bytes.
const MAX_CURSOR_BYTES: usize = 4096;

/// A list to read.
#[derive(Clone, Debug)]
pub struct List {
    /// The name in page records.
    pub name: &'static str,
    /// The segments of the path; each is encoded separately.
    pub path: Vec<String>,
    /// The query, without connection, limit and cursor.
    pub query: Vec<(&'static str, String)>,
    /// Records per page.
    pub limit: u32,
}

impl List {
    /// A list of one record, which may come without an envelope.
    pub const ME: &'static str = "me";
    pub const USERS: &'static str = "users";
    /// The memberships of the workspace.
    pub const MEMBERSHIPS: &'static str = "memberships";
    /// Asana's own list of users, with addresses.
    pub const EMAILS: &'static str = "emails";

    /// Method and path, for messages.
    pub(super) fn what(&self) -> String {
        format!("GET /{}", self.path.join("/"))
    }

    /// Whether its length grows with the number of people.
    fn is_of_people(&self) -> bool {
        [Self::USERS, Self::MEMBERSHIPS, Self::EMAILS].contains(&self.name)
    }

    /// The request, for the evidence.
    pub fn record(&self, client: &Client, answers: u64) -> RequestRecord {
        RequestRecord {
            method: "GET".to_owned(),
            path: format!("/{}", self.path.join("/")),
            query: self.full_query(client).into_iter().collect(),
            answers,
        }
    }

    pub(super) fn full_query(&self, client: &Client) -> BTreeMap<String, String> {
        let own = self.query.iter().cloned();
        let common = [
            ("integrated_account_id", client.connection_id().to_owned()),
            ("limit", self.limit.to_string()),
        ];
        own.chain(common).map(|(k, v)| (k.to_owned(), v)).collect()
    }
}

/// One row of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row<T> {
    Record(T),
    /// The kind of a value that is not an object.
    Other(&'static str),
}

impl<T: Serialize> Serialize for Row<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Record(record) => record.serialize(serializer),
            Self::Other(_) => serializer.serialize_unit(),
        }
    }
}

/// One page of a list.
#[derive(Debug)]
pub struct Page<T> {
    pub rows: Vec<Row<T>>,
    /// Whether Truto marked the answer of the provider as incomplete.
    pub is_partial: bool,
    pub record: PageRecord,
    /// Decompressed.
    pub body: Vec<u8>,
    /// The time of the answer, by the server's clock.
    pub date: Option<Timestamp>,
}

/// How a list ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// A page without a cursor.
    LastPage,
    /// A page with the cursor of an earlier page.
    RepeatedCursor {
        page: u64,
    },
    TooManyPages,
    /// Only the first page was read, and it has a cursor.
    NotFollowed,
}

impl End {
    /// Why the list may be incomplete.
    pub fn shortfall(self) -> Option<String> {
        match self {
            Self::LastPage => None,
            Self::RepeatedCursor { .. } | Self::TooManyPages | Self::NotFollowed => {
                Some(self.to_string())
            }
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LastPage => f.write_str("the last page was reached"),
            Self::RepeatedCursor { page } => {
                write!(f, "page {page} has the cursor of an earlier page")
            }
            Self::TooManyPages => write!(f, "it has more than {MAX_PAGES} pages"),
            Self::NotFollowed => f.write_str("only the first page was read"),
        }
    }
}

/// The pointer to the next page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cursor {
    /// Truto's.
    Next(String),
    /// Asana's, passed through by Truto.
    Offset(String),
}

impl Cursor {
    pub(super) fn parameter(&self) -> (&'static str, &str) {
        match self {
            Self::Next(text) => ("next_cursor", text),
            Self::Offset(text) => ("offset", text),
        }
    }

    fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.parameter().1.as_bytes()).into()
    }
}

/// Reads a list, once more from its first page if a cursor expires: a cursor wraps an expiring token of the provider.
pub async fn restarted_once<T>(
    read: impl AsyncFn() -> Result<T, TrutoError>,
) -> Result<T, TrutoError> {
    match read().await {
        Err(error @ TrutoError::CursorExpired { .. }) => {
            warn!("{error}; reading the list once more from its first page");
            read().await
        }
        done => done,
    }
}

/// The progress through a list, from Truto or from evidence.
#[derive(Debug)]
struct ListProgress {
    name: &'static str,
    cursor: Option<Cursor>,
    seen: HashSet<[u8; 32]>,
    pages: u64,
    end: Option<End>,
}

impl ListProgress {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            cursor: None,
            seen: HashSet::new(),
            pages: 0,
            end: None,
        }
    }

    /// Takes the cursor of the next page, and returns the digest of the cursor that led to this page.
    fn advance(&mut self, next: Option<Cursor>) -> Option<String> {
        let asked_with = self.cursor.take();
        self.pages += 1;
        let page = self.pages;
        self.end = match &next {
            None => Some(End::LastPage),
            Some(cursor) if !self.seen.insert(cursor.digest()) => {
                Some(End::RepeatedCursor { page })
            }
            Some(_) if page >= MAX_PAGES => Some(End::TooManyPages),
            Some(_) => None,
        };
        self.cursor = next;
        asked_with.map(|cursor| const_hex::encode(cursor.digest()))
    }

    /// The page at which the progress is, from an answer with this status after this number of attempts.
    fn page<T>(
        &self,
        read: ReadBody<T>,
        cursor_sha256: Option<String>,
        date: Option<Timestamp>,
        (status, attempts): (u16, u32),
    ) -> Page<T> {
        let ReadBody {
            contents,
            body,
            sha256,
        } = read;
        let record = PageRecord {
            list: self.name.to_owned(),
            page: self.pages,
            rows: contents.rows.len() as u64,
            bytes: body.len() as u64,
            sha256,
            cursor_sha256,
            last: contents.next.is_none(),
            status,
            attempts,
        };
        Page {
            rows: contents.rows,
            is_partial: contents.is_partial,
            record,
            body,
            date,
        }
    }
}

/// A body that was read as a page.
#[derive(Debug)]
struct ReadBody<T> {
    contents: Contents<T>,
    body: Vec<u8>,
    /// In hex.
    sha256: String,
}

impl<T: for<'de> Deserialize<'de>> ReadBody<T> {
    fn of(list: &str, body: Vec<u8>) -> Result<Self, NoPage> {
        Ok(Self {
            contents: Contents::of(list, &body)?,
            sha256: const_hex::encode(Sha256::digest(&body)),
            body,
        })
    }
}

/// The answer to the request for a page: the cursor of the page after it, and the body with the rows.
type PageAnswer = Result<(Option<Cursor>, Response), TrutoError>;

/// A list that is read from Truto. It ends at its last page, at a repeated cursor, or at the limit of pages.
///
/// The next page is requested while the rows of the last one are read. Each page is handed out only when it is asked
/// for, so the order of the pages does not depend on the time of the answers.
pub struct PageWalk<'a, T> {
    client: &'a Client,
    list: &'a List,
    progress: ListProgress,
    /// The request for the next page. None before the first page and after the last.
    pending: Option<Pin<Box<MaybeDone<BoxFuture<'a, PageAnswer>>>>>,
    records: PhantomData<fn() -> T>,
}

impl<'a, T> PageWalk<'a, T>
where
    T: for<'de> Deserialize<'de> + Send + 'static,
{
    /// Starts at the first page.
    pub fn new(client: &'a Client, list: &'a List) -> Self {
        Self {
            client,
            list,
            progress: ListProgress::new(list.name),
            pending: None,
            records: PhantomData,
        }
    }

    /// The next page, or none once the list has ended.
    pub async fn next(&mut self) -> Result<Option<Page<T>>, TrutoError> {
        if self.progress.end.is_none() && self.progress.pages > 0 && !self.is_followed() {
            self.progress.end = Some(End::NotFollowed);
        }
        if self.progress.end.is_some() {
            return Ok(None);
        }
        if self.pending.is_none() {
            self.pending = Some(self.request());
        }
        let answer = match &mut self.pending {
            Some(pending) => {
                pending.as_mut().await;
                pending.as_mut().take_output()
            }
            None => None,
        };
        self.pending = None;
        let (next, answer) = answer.expect("the request has ended, and nobody took its answer")?;
        let cursor_sha256 = self.progress.advance(next);
        if self.progress.end.is_none() && self.is_followed() {
            self.pending = Some(self.request());
        }
        let date = answer.date();
        let came = (answer.status.as_u16(), answer.attempts);
        let (list, body) = (self.list.name, answer.body);
        let read = tokio::task::spawn_blocking(move || ReadBody::<T>::of(list, body));
        let read = match &mut self.pending {
            Some(pending) => match select(pending.as_mut(), read).await {
                Either::Left(((), read)) => read.await,
                Either::Right((read, _)) => read,
            },
            None => read.await,
        };
        let read = read.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        let read = read.map_err(|problem| {
            malformed(&self.list.what(), problem).on_page(self.progress.pages)
        })?;
        Ok(Some(self.progress.page(read, cursor_sha256, date, came)))
    }

    /// Whether the cursor of a page is used.
    fn is_followed(&self) -> bool {
        let reads_one = self.list.is_of_people() && self.client.reads_first_pages_only();
        self.list.name != List::ME && !reads_one
    }

    /// The request for the page after the progress.
    fn request(&self) -> Pin<Box<MaybeDone<BoxFuture<'a, PageAnswer>>>> {
        let (client, list) = (self.client, self.list);
        let (page, cursor) = (self.progress.pages + 1, self.progress.cursor.clone());
        let request = async move {
            let answer = client.answer(list, cursor.as_ref()).await;
            answer.map_err(|error| match error {
                TrutoError::Refused {
                    what,
                    status: status @ (400 | 410 | 422),
                    reply,
                    ..
                } if cursor.is_some() => TrutoError::CursorExpired {
                    what,
                    page,
                    status,
                    reply,
                },
                error => error.on_page(page),
            })
        };
        Box::pin(maybe_done(request.boxed()))
    }

    /// How the list ended; none before its end.
    pub fn end(&self) -> Option<End> {
        self.progress.end
    }

    pub fn pages(&self) -> u64 {
        self.progress.pages
    }
}

/// A list whose pages are stored in the evidence, read like those of Truto.
#[derive(Debug)]
pub struct StoredList<T> {
    progress: ListProgress,
    records: PhantomData<fn() -> T>,
}

impl<T: for<'de> Deserialize<'de>> StoredList<T> {
    /// Starts at the first page of the list with this name.
    pub fn new(name: &'static str) -> Self {
        Self {
            progress: ListProgress::new(name),
            records: PhantomData,
        }
    }

    /// The next page, from its body and the record of its answer; none if the body cannot be read, or the list had
    /// ended.
    pub fn page(&mut self, body: Vec<u8>, recorded: &PageRecord) -> Option<Page<T>> {
        if self.progress.end.is_some() {
            return None;
        }
        let read = ReadBody::of(self.progress.name, body).ok()?;
        let cursor_sha256 = self.progress.advance(read.contents.next.clone());
        let came = (recorded.status, recorded.attempts);
        Some(self.progress.page(read, cursor_sha256, None, came))
    }

    /// How the list ended; none before its end.
    pub fn end(&self) -> Option<End> {
        self.progress.end
    }
}

/// The body to store if only the fields in use are kept: the rows.
pub fn minimal_page<T: Serialize>(rows: &[Row<T>]) -> Vec<u8> {
    #[derive(Serialize)]
    struct Minimal<'a, T> {
        result: &'a [Row<T>],
    }

    serde_json::to_vec(&Minimal { result: rows }).expect("our records have only text keys")
}

/// The rows of such a body; none if it was not written by [`minimal_page`].
pub fn rows_of_minimal_page<T>(body: &[u8]) -> Option<Vec<Row<T>>>
where
    T: Serialize + for<'de> Deserialize<'de>,
{
    let rows = Contents::read(body).ok()?.rows;
    (minimal_page(&rows) == body).then_some(rows)
}

/// The contents of a page, from any envelope.
#[derive(Debug)]
pub(super) struct Contents<T> {
    pub(super) rows: Vec<Row<T>>,
    pub(super) next: Option<Cursor>,
    pub(super) is_partial: bool,
}

/// Why a body cannot be read as a page.
#[derive(Debug)]
pub(super) enum NoPage {
    Json(serde_json::Error),
    NotAnObject(&'static str),
    NoRows,
    /// Several members have records.
    SeveralLists,
    /// The cursor is too long; its bytes.
    Cursor(usize),
    /// Asana's `next_page` has no offset, so nothing leads to the next page.
    NextPageWithoutOffset,
}

/// A body that is one object.
pub(super) fn record<T: for<'de> Deserialize<'de>>(body: &[u8]) -> Result<T, NoPage> {
    match serde_json::from_slice(body).map_err(NoPage::Json)? {
        Row::Record(record) => Ok(record),
        Row::Other(kind) => Err(NoPage::NotAnObject(kind)),
    }
}

impl<T: for<'de> Deserialize<'de>> Contents<T> {
    /// Reads a page of the list with this name. `/me` may answer with its one record without an envelope.
    pub(super) fn of(list: &str, body: &[u8]) -> Result<Self, NoPage> {
        match (Self::read(body), list) {
            (Err(NoPage::NoRows), List::ME) => Ok(Self {
                rows: vec![Row::Record(record(body).map_err(|_| NoPage::NoRows)?)],
                next: None,
                is_partial: false,
            }),
            (read, _) => read,
        }
    }

    /// Reads a page: `{result, next_cursor}`, or with `results` instead of `result`, or with an object of rows instead
    /// of the array, or Asana's own `{data, next_page}`, also inside `result`.
    ///
    /// A body without a list is an error, which is different from an empty list. So is a body with records in two of
    /// these members, and a `next_page` that leads nowhere: otherwise records would go unread.
    pub(super) fn read(body: &[u8]) -> Result<Self, NoPage> {
        let envelope: Envelope<T> = record(body)?;
        let lists = [envelope.result, envelope.results, envelope.data];
        let mut lists = Vec::from_iter(lists.into_iter().flatten());
        let mut inner = lists.iter_mut();
        let next_page = envelope
            .next_page
            .or_else(|| inner.find_map(|list| list.next_page.take()));
        lists.sort_by_key(|list| list.rows.is_empty());
        if lists.iter().filter(|list| !list.rows.is_empty()).count() > 1 {
            return Err(NoPage::SeveralLists);
        }
        let list = lists.into_iter().next().ok_or(NoPage::NoRows)?;
        let offset = match next_page {
            Some(NextPage { offset: None }) if envelope.next_cursor.is_none() => {
                return Err(NoPage::NextPageWithoutOffset);
            }
            next_page => next_page.and_then(|next| next.offset),
        };
        let next = envelope.next_cursor.map(Cursor::Next);
        let next = next.or(offset.map(Cursor::Offset));
        let length = next.as_ref().map_or(0, |next| next.parameter().1.len());
        if length > MAX_CURSOR_BYTES {
            return Err(NoPage::Cursor(length));
        }
        Ok(Self {
            rows: list.rows,
            next,
            is_partial: envelope.is_partial_response == Some(true),
        })
    }
}

#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct Envelope<T> {
    result: Option<Rows<T>>,
    results: Option<Rows<T>>,
    data: Option<Rows<T>>,
    #[serde(default, deserialize_with = "cursor")]
    next_cursor: Option<String>,
    next_page: Option<NextPage>,
    #[serde(default, deserialize_with = "lenient::flag")]
    is_partial_response: Option<bool>,
}

/// Asana's pointer to the next page.
#[derive(Deserialize)]
struct NextPage {
    #[serde(default, deserialize_with = "cursor")]
    offset: Option<String>,
}

/// A cursor is a text or a number; null, false and the empty text end the list. Anything else is an error, because it
/// may not be the end.
fn cursor<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null | Value::Bool(false) => Ok(None),
        Value::String(text) => Ok((!text.is_empty()).then_some(text)),
        Value::Number(number) if number.is_u64() => Ok(Some(number.to_string())),
        _ => Err(D::Error::custom("neither a cursor nor the end of the list")),
    }
}

/// Rows in either form, with Asana's pointer if the list has its own envelope.
struct Rows<T> {
    rows: Vec<Row<T>>,
    next_page: Option<NextPage>,
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Rows<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RowsVisitor(PhantomData))
    }
}

struct RowsVisitor<T>(PhantomData<T>);

impl<'de, T: DeserializeOwned> Visitor<'de> for RowsVisitor<T> {
    type Value = Rows<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut rows = Vec::new();
        while let Some(row) = seq.next_element()? {
            rows.push(row);
        }
        Ok(Rows {
            rows,
            next_page: None,
        })
    }

    /// An object whose keys are a field of its rows, or Asana's envelope inside Truto's.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut rows = Vec::new();
        let mut next_page = None;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "data" => {
                    let data: Box<RawValue> = map.next_value()?;
                    if data.get().starts_with('{') {
                        rows.push(serde_json::from_str(data.get()).map_err(A::Error::custom)?);
                    } else {
                        let many = serde_json::from_str::<Vec<_>>(data.get());
                        rows.extend(many.map_err(A::Error::custom)?);
                    }
                }
                "next_page" => next_page = map.next_value::<Option<NextPage>>()?,
                _ => rows.push(map.next_value()?),
            }
        }
        Ok(Rows { rows, next_page })
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Row<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RowVisitor(PhantomData))
    }
}

struct RowVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for RowVisitor<T> {
    type Value = Row<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Row::Record)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Row::Other("a list"))
    }
    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Row::Other("a text"))
    }
    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Row::Other("a yes or no"))
    }
    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Row::Other("a number"))
    }
    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Row::Other("a number"))
    }
    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Row::Other("a number"))
    }
    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Row::Other("null"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Employee, Membership, User};
    use super::*;

    fn users(body: &str) -> Contents<User> {
        Contents::read(body.as_bytes()).expect("a page")
    }

    fn ids(contents: &Contents<User>) -> Vec<&str> {
        let id = |row: &'_ Row<User>| match row {
            Row::Record(user) => user.id.clone(),
            Row::Other(_) => None,
        };
        contents
            .rows
            .iter()
            .map(|row| id(row).map_or("-", |id| Box::leak(id.into_boxed_str())))
            .collect()
    }

    #[test]
    fn a_documented_page_is_read() {
        let page =
            users(r#"{"result":[{"id":"1"},{"id":"2"}],"next_cursor":"c","result_count":2}"#);
        assert_eq!(ids(&page), ["1", "2"]);
        assert_eq!(page.next, Some(Cursor::Next("c".to_owned())));
        assert!(!page.is_partial);
    }

    #[test]
    fn a_list_ends_with_a_cursor_that_is_null_missing_false_or_empty() {
        for cursor in [
            r#","next_cursor":null"#,
            "",
            r#","next_cursor":"""#,
            r#","next_cursor":false"#,
        ] {
            let page = users(&format!(r#"{{"result":[]{cursor}}}"#));
            assert_eq!(page.next, None, "{cursor}");
        }
    }

    #[test]
    fn a_cursor_of_another_type_does_not_end_the_list() {
        for cursor in ["{}", "[1]", "true"] {
            let body = format!(r#"{{"result":[],"next_cursor":{cursor}}}"#);
            assert!(Contents::<User>::read(body.as_bytes()).is_err(), "{cursor}");
        }
    }

    #[test]
    fn a_next_page_without_an_offset_does_not_end_the_list() {
        let pointers = ["{}", r#"{"offset":null}"#, r#"{"offset":"","uri":"/x"}"#];
        for next in pointers {
            for body in [
                format!(r#"{{"data":[{{"id":"1"}}],"next_page":{next}}}"#),
                format!(r#"{{"result":{{"data":[{{"id":"1"}}],"next_page":{next}}}}}"#),
                format!(r#"{{"result":[{{"id":"1"}}],"next_page":{next},"next_cursor":""}}"#),
            ] {
                let read = Contents::<User>::read(body.as_bytes());
                assert!(
                    matches!(read, Err(NoPage::NextPageWithoutOffset)),
                    "{body}: {read:?}"
                );
            }
            let body = format!(r#"{{"result":[],"next_page":{next},"next_cursor":"c"}}"#);
            assert_eq!(users(&body).next, Some(Cursor::Next("c".to_owned())));
        }
    }

    #[test]
    fn records_in_two_members_are_refused_and_an_empty_one_hides_none() {
        for body in [
            r#"{"result":[{"id":"1"}],"data":[{"id":"2"}]}"#,
            r#"{"result":[{"id":"1"}],"results":[{"id":"1"}]}"#,
            r#"{"results":[{"id":"1"}],"data":{"x":{"id":"2"}}}"#,
            r#"{"result":{"data":[{"id":"1"}]},"data":[null]}"#,
        ] {
            let read = Contents::<User>::read(body.as_bytes());
            assert!(matches!(read, Err(NoPage::SeveralLists)), "{body}");
        }
        for body in [
            r#"{"result":[],"data":[{"id":"1"}]}"#,
            r#"{"result":[{"id":"1"}],"results":null,"data":[]}"#,
            r#"{"result":{"data":[]},"results":[{"id":"1"}]}"#,
        ] {
            assert_eq!(ids(&users(body)), ["1"], "{body}");
        }
        assert!(users(r#"{"result":[],"data":[]}"#).rows.is_empty());
        let inner = r#"{"result":{"data":[],"next_page":{"offset":"o"}},"data":[{"id":"1"}]}"#;
        assert_eq!(users(inner).next, Some(Cursor::Offset("o".to_owned())));
    }

    #[test]
    fn a_body_without_rows_is_not_an_empty_list() {
        for body in [
            "{}",
            r#"{"result":null}"#,
            r#"{"statusCode":200,"message":"ok"}"#,
            "[]",
            "null",
            "",
            "<html>",
        ] {
            assert!(Contents::<User>::read(body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn an_alias_and_an_object_of_rows_are_lists_too() {
        assert_eq!(ids(&users(r#"{"results":[{"id":"1"}]}"#)), ["1"]);
        let keyed = users(r#"{"result":{"ana":{"id":"1"},"data":{"id":"2"},"x":null}}"#);
        assert_eq!(ids(&keyed), ["1", "2", "-"]);
    }

    #[test]
    fn numbers_are_ids_and_rows_of_another_type_stay_rows() {
        let page = users(r#"{"result":[{"id":1204},7,null,"x",[1],{"id":1e30},{"id":{"a":1}}]}"#);
        assert_eq!(ids(&page), ["1204", "-", "-", "-", "-", "-", "-"]);
        assert_eq!(page.rows[2], Row::Other("null"));
    }

    #[test]
    fn asanas_own_envelope_is_read_alone_and_inside_trutos() {
        for body in [
            r#"{"data":[{"user":{"gid":"1"}}],"next_page":{"offset":"o","path":"/x"}}"#,
            r#"{"result":{"data":[{"user":{"gid":"1"}}],"next_page":{"offset":"o"}}}"#,
        ] {
            let page = Contents::<Membership>::read(body.as_bytes()).expect("a page");
            assert_eq!(page.next, Some(Cursor::Offset("o".to_owned())));
            let Row::Record(membership) = &page.rows[0] else {
                panic!("not a record");
            };
            assert_eq!(membership.user.gid.as_deref(), Some("1"));
        }
        let last = Contents::<Membership>::read(br#"{"data":[],"next_page":null}"#);
        assert_eq!(last.expect("a page").next, None);
    }

    #[test]
    fn a_page_is_read_despite_any_field_of_a_row() {
        for value in [
            "null",
            "7",
            "-1.5",
            "true",
            r#""x""#,
            "[[1],null]",
            r#"{"a":{"b":[]}}"#,
        ] {
            let fields = [
                "external_id",
                "name",
                "emails",
                "email",
                "status",
                "roles",
                "licenses",
                "is_view_only",
                "created_at",
                "last_login_at",
                "remote_data",
            ];
            for field in fields {
                let body = format!(r#"{{"result":[{{"id":"1","{field}":{value}}}]}}"#);
                assert_eq!(ids(&users(&body)), ["1"], "{body}");
            }
        }
    }

    #[test]
    fn a_page_is_read_despite_a_deeply_nested_field() {
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        let row =
            format!(r#"{{"id":"1","name":{deep},"roles":{deep},"remote_data":{{"x":{deep}}}}}"#);
        assert_eq!(ids(&users(&format!(r#"{{"result":[{row}]}}"#))), ["1"]);
        assert_eq!(
            ids(&users(&format!(r#"{{"result":{{"data":[{row}]}}}}"#))),
            ["1"]
        );
    }

    fn employee(json: &str) -> Employee {
        let body = format!(r#"{{"result":[{json}]}}"#);
        let mut page = Contents::<Employee>::read(body.as_bytes()).expect("a page");
        match page.rows.pop() {
            Some(Row::Record(employee)) => employee,
            row => panic!("{row:?}"),
        }
    }

    #[test]
    fn a_page_is_read_despite_any_field_of_an_employee() {
        for value in [
            "null",
            "7",
            "-1.5",
            "true",
            r#""""#,
            r#""x""#,
            "[[1],null,{}]",
            r#"{"a":{"b":[]}}"#,
        ] {
            for field in [
                "employee_number",
                "company",
                "name",
                "emails",
                "work_email",
                "employment_status",
                "termination_date",
                "employments",
                "work_location",
                "locations",
                "manager",
                "remote_data",
            ] {
                let read = employee(&format!(r#"{{"id":"1","{field}":{value}}}"#));
                assert_eq!(read.id.as_deref(), Some("1"), "{field}: {value}");
            }
        }
    }

    #[test]
    fn an_employee_is_read_in_each_form_of_a_mapping() {
        let plain = employee(
            r#"{"id":"1","employee_number":"17","company":"c","emails":[{"email":"a@x.com"}],
            "work_location":"Paris"}"#,
        );
        for other in [
            r#"{"id":1,"employee_number":17,"company":{"id":"c"},"emails":["a@x.com"],
            "work_location":{"name":"Paris"}}"#,
            r#"{"id":1.0,"employee_number":17.0,"company":{"id":"c","name":"C"},"emails":"a@x.com",
            "work_location":[{"name":null,"city":"Paris"}]}"#,
        ] {
            assert_eq!(employee(other), plain, "{other}");
        }
    }

    #[test]
    fn a_stored_row_reads_back_equal() {
        let page = users(
            r#"{"result":[{"id":7,"avatar":"x","emails":["a@x.com",{"email":"b@x.com","is_primary":true}],
            "roles":[{"name":"Admin","organization":{"id":"1"}}],"remote_data":{"is_admin":true,"photo":1}}]}"#,
        );
        let kept = serde_json::to_string(&page.rows).expect("json");
        insta::assert_snapshot!(kept, @r#"[{"id":"7","emails":[{"email":"a@x.com"},{"email":"b@x.com","is_primary":true}],"roles":[{"name":"Admin","organization":"1"}],"remote_data":{"is_admin":true}}]"#);
        let again = users(&format!(r#"{{"result":{kept}}}"#));
        assert_eq!(again.rows, page.rows);
    }
}
