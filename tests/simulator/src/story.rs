//! Two runs at Northwind Instruments, which show findings and changes.
//!
//! The company's domain is `northwind.example`, and its workspace has the gid
//! [`WORKSPACE_ID`]. Unless the table says otherwise, a person is employed, is an active member in
//! both runs, and has the mailbox `first.last@northwind.example`.
//!
//! | gid | name | e-mail | what it shows |
//! |---|---|---|---|
//! | 1204556770001001 | Amara Nwosu | amara.nwosu@northwind.example | IT systems lead, **admin**; connected Asana, so `/me` |
//! | 1204556770001002 | Daniel Reyes | daniel.reyes@northwind.example | head of IT, **admin** |
//! | 1204556770001003 | Grace Okafor | grace.okafor@northwind.example | left some days ago, still an active **admin** in both runs |
//! | 1204556770001004 | Tom Ibsen | tom.ibsen@northwind.example | left today, still active in both runs, within the grace |
//! | 1204556770001005 | Priya Raman | priya.raman@northwind.example | was hired and **invited**, left before she accepted; still invited in both runs |
//! | 1204556770001006 | Ben Whitaker | ben.whitaker@northwind.example | left; active in run 1, **not listed** in run 2 |
//! | 1204556770001007 | Lena Hofmann | lena.hofmann@northwind.example | left long ago, **inactive** but listed in both runs |
//! | 1204556770001008 | Marta Kowalczyk | Marta.Kowalczyk@Northwind.Example | employed; Asana has her address in mixed case |
//! | 1204556770001009 | Oliver Grant | oliver.grant@northwind.example | employed, with a **view-only** licence |
//! | 1204556770001010 | Jenkins Bot | jenkins@northwind.example | a service account with a mailbox; not in the HR feed |
//! | 1204556770001011 | Sofia Marchetti | sofia.marchetti@northwind.example | member in run 1, **admin in run 2** |
//! | 1204556770001012 | Hannah Lindqvist | hannah.lindqvist@northwind.example | in run 2 her address is **hannah.berg@northwind.example**; her gid and name are unchanged |
//! | 1204556770001013 | Elif Demir | elif.demir@northwind.example | left in 2024 and was **rehired**: an old inactive membership and an active one |
//! | 1204556770001014 | Paula Brandt | paula.brandt.design@gmail.com | freelance designer, **guest**, never an employee |
//! | 1204556770001015 | Victor Hale | victor.hale@halepartners.example | auditor of another company, **guest**, never an employee |
//! | 1204556770001016 | Devon Clarke | devon.clarke.ext@northwind.example | contractor with a company mailbox, so a member; the contract ended weeks ago, and the account is still active for a handover |
//! | 1204556770001017 | Maria Silva | maria.silva@northwind.example | finance |
//! | 1204556770001018 | Maria Silva | maria.silva2@northwind.example | support; another person with the same name |
//! | 1204556770001019 | noor.haddad@northwind.example | noor.haddad@northwind.example | Noor Haddad starts soon and is **invited**; until she accepts, Asana shows her address as her name |
//! | 1204556770001020 | Jonas Weber | jonas.weber@northwind.example | left days ago, still active in both runs |
//! | 1204556770001021 | Aisha Bello | aisha.bello@northwind.example | employed |
//! | 1204556770001022 | Carlos Mendes | carlos.mendes@northwind.example | employed |
//! | 1204556770001023 | Emily Carter | emily.carter@northwind.example | employed |
//! | 1204556770001024 | Yuki Tanaka | yuki.tanaka@northwind.example | employed |
//! | 1204556770001025 | Samuel Osei | samuel.osei@northwind.example | employed |
//! | 1204556770001026 | Kenji Watanabe | kenji.watanabe@northwind.example | **new in run 2** |
//!
//! Run 1 lists 25 accounts (without Kenji Watanabe), and run 2 lists 25 as well (without Ben
//! Whitaker, with Kenji Watanabe). Between the runs, one account is removed, one is added, one role
//! changes and one address changes. An HR feed for this story may also name a person who never had
//! an account: Nils Aaberg, nils.aaberg@northwind.example.

use crate::WORKSPACE_ID;
use crate::people::Person;
use crate::shape::Viewer;
use crate::world::{Workspace, World};

const AMARA: &str = "1204556770001001";
const BEN: &str = "1204556770001006";
const SOFIA: &str = "1204556770001011";
const HANNAH: &str = "1204556770001012";

impl World {
    /// The first run at Northwind Instruments; [`story`](crate::story) lists the people.
    pub fn story_first_run() -> Self {
        let member =
            |number: u32, name: &str, email: &str| Person::member(gid(number), name, email);
        let colleague = |number: u32, name: &str| {
            let mailbox = name.to_lowercase().replace(' ', ".");
            member(number, name, &format!("{mailbox}@northwind.example"))
        };
        let cast = [
            colleague(1, "Amara Nwosu")
                .admin()
                .joined_at("2017-05-02T08:11:30.000Z"),
            colleague(2, "Daniel Reyes")
                .admin()
                .joined_at("2016-09-12T13:40:02.000Z"),
            colleague(3, "Grace Okafor")
                .admin()
                .joined_at("2018-01-15T09:02:44.000Z"),
            colleague(4, "Tom Ibsen"),
            colleague(5, "Priya Raman")
                .invited()
                .joined_at("2026-10-28T10:15:00.000Z"),
            colleague(6, "Ben Whitaker").joined_at("2021-11-08T09:30:00.000Z"),
            colleague(7, "Lena Hofmann")
                .inactive()
                .joined_at("2016-02-01T08:00:00.000Z"),
            member(8, "Marta Kowalczyk", "Marta.Kowalczyk@Northwind.Example"),
            colleague(9, "Oliver Grant").view_only(),
            member(10, "Jenkins Bot", "jenkins@northwind.example"),
            colleague(11, "Sofia Marchetti"),
            colleague(12, "Hannah Lindqvist"),
            colleague(13, "Elif Demir")
                .joined_at("2025-09-01T07:55:10.000Z")
                .rejoined(),
            member(14, "Paula Brandt", "paula.brandt.design@gmail.com").guest(),
            member(15, "Victor Hale", "victor.hale@halepartners.example").guest(),
            member(16, "Devon Clarke", "devon.clarke.ext@northwind.example"),
            colleague(17, "Maria Silva"),
            member(18, "Maria Silva", "maria.silva2@northwind.example"),
            member(
                19,
                "noor.haddad@northwind.example",
                "noor.haddad@northwind.example",
            )
            .invited()
            .joined_at("2026-11-16T11:20:00.000Z"),
            colleague(20, "Jonas Weber"),
            colleague(21, "Aisha Bello"),
            colleague(22, "Carlos Mendes"),
            colleague(23, "Emily Carter"),
            colleague(24, "Yuki Tanaka"),
            colleague(25, "Samuel Osei"),
        ];
        Self::generated(0)
            .people(cast)
            .viewed_by(Viewer::Person(AMARA.to_owned()))
            .with(|world| {
                world.workspaces = vec![Workspace::new(WORKSPACE_ID, "Northwind Instruments")];
                world.tenant_id = "northwind-instruments".to_owned();
            })
    }

    /// The second run: Ben Whitaker is removed, Kenji Watanabe is new, Sofia Marchetti is an
    /// administrator, and Hannah Lindqvist has another address. Nothing else changes.
    pub fn story_second_run() -> Self {
        let kenji = Person::member(
            gid(26),
            "Kenji Watanabe",
            "kenji.watanabe@northwind.example",
        )
        .joined_at("2026-11-23T09:05:00.000Z");
        Self::story_first_run()
            .without_person(BEN)
            .with_person(SOFIA, Person::admin)
            .with_person(HANNAH, |hannah| {
                hannah.email("hannah.berg@northwind.example")
            })
            .person(kenji)
    }
}

fn gid(number: u32) -> String {
    (1_204_556_770_001_000 + u64::from(number)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// HR feeds are written from the table of the story, so it must be correct.
    #[test]
    fn everybody_is_in_the_table_of_the_cast_as_they_are() {
        let table = include_str!("story.rs");
        let second = World::story_second_run().people;
        for person in World::story_first_run().people.iter().chain(&second) {
            let email = person.email.as_deref().expect("an address");
            let line = table.lines().find(|line| {
                line.starts_with(&format!("//! | {} | {} |", person.gid, person.name))
            });
            let line = line.unwrap_or_else(|| panic!("{} is not in the table", person.name));
            assert!(line.contains(email), "{line}");
        }
    }

    #[test]
    fn between_the_runs_four_accounts_differ() {
        let first = World::story_first_run().people;
        let second = World::story_second_run().people;
        assert_eq!((first.len(), second.len()), (25, 25));
        let differ = second.iter().filter(|person| !first.contains(person));
        let names: Vec<_> = differ.map(|person| person.name.as_str()).collect();
        assert_eq!(
            names,
            ["Sofia Marchetti", "Hannah Lindqvist", "Kenji Watanabe"]
        );
        assert!(second.iter().all(|person| person.gid != BEN));
    }
}
