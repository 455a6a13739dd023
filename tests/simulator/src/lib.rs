//! Simulates Truto's API for an Asana connection over real HTTP on loopback, with fictional people.
//!
//! A [`World`] defines who has an account, the form of the answers, and what goes wrong; a
//! [`Simulator`] serves it. A world may also have an HR system ([`Hris`]) with its own connection,
//! and an [`Admin`] who opens links and makes connections. The answers follow Truto's
//! documentation. Where it leaves the form open, a world can use each form that a client must
//! tolerate.
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
mod tenants;
mod world;

pub use faults::{Action, Fault};
pub use hris::{Employee, Hris};
pub use people::{Membership, Person, Status, generated as generated_person};
pub use request::RecordedRequest;
pub use scenarios::scenarios;
pub use shape::{
    Admin, CustomEnvelope, Envelope, Gap, LastCursor, Limiter, ListFields, Permission, Viewer,
    Words,
};
pub use simulator::Simulator;
pub use world::{Workspace, World};

/// The valid API token, unless the world has another one.
pub const TOKEN: &str = "simulated-truto-token";

/// The id of the first connection to Asana.
pub const CONNECTION_ID: &str = "5f0c3a52-8d1e-4b7a-9c64-2e9b7d1f4a10";

/// The id of the connection that a link makes.
pub const MADE_CONNECTION_ID: &str = "c6a0e7d2-4b1f-4f0b-9d35-71e2a8b5c904";

/// The id of the connection to the HR system, in worlds that have one.
pub const HRIS_CONNECTION_ID: &str = "b7c41f96-20d3-4e58-9a0b-64d1c8e7f352";

/// The gid of the first workspace in every world.
pub const WORKSPACE_ID: &str = "1150527741687836";
