//! Truto's API for an Asana connection, over real HTTP on loopback, with people who do not exist.
//!
//! A [`World`] says who has an account, how the answers look and what goes wrong; a [`Simulator`]
//! serves it. A world may have an HR system beside it ([`Hris`]), behind a connection of its own,
//! and an [`Admin`] who is given links and makes connections. The shape of the answers follows Truto's documentation; where that is silent, the
//! world can be set to each answer a client must tolerate.
//!
//! ```
//! use truto_simulator::{Person, Simulator, World};
//!
//! let world = World::new().person(Person::member("1201", "Ada Lovelace", "ada@example.com"));
//! let simulator = Simulator::spawn(world);
//! assert!(simulator.url().starts_with("http://127.0.0.1:"));
//! ```

mod answer;
mod api;
mod faults;
mod hris;
mod limit;
mod line;
mod links;
mod pages;
mod people;
mod request;
mod rows;
mod scenarios;
mod shape;
mod simulator;
pub mod story;
mod world;

pub use faults::{Action, Fault};
pub use hris::{Employee, Hris};
pub use people::{Membership, Person, Status, generated as generated_person};
pub use request::RecordedRequest;
pub use scenarios::SCENARIOS;
pub use shape::{
    Admin, CustomEnvelope, Envelope, Gap, LastCursor, Limiter, ListFields, Permission, Viewer,
    Words,
};
pub use simulator::Simulator;
pub use world::{Workspace, World};

/// The API token that is right, unless the world says otherwise.
pub const TOKEN: &str = "simulated-truto-token";

/// The id of the one connection to Asana.
pub const CONNECTION_ID: &str = "5f0c3a52-8d1e-4b7a-9c64-2e9b7d1f4a10";

/// The id of the connection that a link makes.
pub const MADE_CONNECTION_ID: &str = "c6a0e7d2-4b1f-4f0b-9d35-71e2a8b5c904";

/// The id of the connection to the HR system, in worlds that have one.
pub const HRIS_CONNECTION_ID: &str = "b7c41f96-20d3-4e58-9a0b-64d1c8e7f352";

/// The gid of the workspace that every world begins with.
pub const WORKSPACE_ID: &str = "1150527741687836";
