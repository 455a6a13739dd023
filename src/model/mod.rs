//! The shared values: accounts, the people of the HR feed, and manual decisions.
//!
//! Plain data for every other module, without input, output or decisions.

mod account;
mod email;
mod hr;
mod manual;
mod names;
mod population;
mod protection;
mod quoted;
mod text;
mod words;

pub use account::{Access, Account, Role, Status};
pub use email::{EmailAddress, ReadAddresses, read_addresses};
pub use hr::{
    AgeBasis, Employment, FeedColumn, FeedOrigin, HrDate, HrFeed, HrRow, Meaning, RejectedRow,
    StatusWord, UnreadCell,
};
pub use manual::{Alias, Exception, ManualDecisions, ManualFile};
pub(crate) use names::{Likeness, NameWords, compare_names, without_marks};
pub use population::{
    Connection, DerivationRecord, GapFilling, Listing, Mapping, Memberships, PageRecord,
    Permissions, Population, RAW_FILE_BYTES, RawFile, RawFileSize, RawKind, RawPages,
    RejectedRecord, RequestRecord, SecondList, Viewer, Workspace, raw_file_of_each,
};
pub use protection::{Lock, LockMode, Protection};
pub use quoted::{for_a_log, quoted, quoted_in_full};
pub(crate) use text::{at_most, counted, fold, is_blank_word, is_zero_width, trim};
pub(crate) use words::words;
