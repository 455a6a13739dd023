//! Worlds by name.

use crate::world::World;

/// Every scenario: its name, and what it is.
pub const SCENARIOS: &[(&str, &str)] = &[("healthy", "Twelve accounts and nothing unusual.")];

impl World {
    /// The world of a scenario, if there is one of this name.
    pub fn scenario(name: &str) -> Option<Self> {
        (name == "healthy").then(|| Self::generated(12))
    }
}
