//! Finding things by a text, for a hundred thousand of them.

use std::collections::{HashMap, HashSet};

/// A map whose order nobody may rely on. Its hashes are seeded at random, as those of the standard
/// library are, and take a third of the time.
pub(super) type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// A set like [`Map`].
pub(super) type Set<K> = HashSet<K, foldhash::fast::RandomState>;

/// Several values a text, in the order they came, without a list of its own for each text: almost all
/// have one.
pub(super) struct Lookup<'a, V> {
    /// Places of the first and the last value.
    ends: Map<&'a str, (usize, usize)>,
    /// Each value, and the place of the next with the same text.
    values: Vec<(V, Option<usize>)>,
}

impl<'a, V: Copy> Lookup<'a, V> {
    pub(super) fn new() -> Self {
        Self {
            ends: Map::default(),
            values: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, key: &'a str, value: V) {
        let at = self.values.len();
        self.values.push((value, None));
        let (_, last) = self.ends.entry(key).or_insert((at, at));
        if *last != at {
            self.values[*last].1 = Some(at);
            *last = at;
        }
    }

    pub(super) fn contains(&self, key: &str) -> bool {
        self.ends.contains_key(key)
    }

    pub(super) fn get(&self, key: &str) -> impl Iterator<Item = V> {
        let mut next = self.ends.get(key).map(|(first, _)| *first);
        std::iter::from_fn(move || {
            let (value, after) = self.values[next?];
            next = after;
            Some(value)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Lookup;

    #[test]
    fn values_come_in_the_order_they_were_added() {
        let mut lookup = Lookup::new();
        for (key, value) in [("a", 1), ("b", 2), ("a", 3), ("a", 4)] {
            lookup.add(key, value);
        }
        assert_eq!(lookup.get("a").collect::<Vec<_>>(), [1, 3, 4]);
        assert_eq!(lookup.get("b").collect::<Vec<_>>(), [2]);
        assert_eq!(lookup.get("c").next(), None);
        assert!(lookup.contains("b") && !lookup.contains("c"));
    }
}
