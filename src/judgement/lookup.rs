use std::borrow::Borrow;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hash};

/// A map without an order. Its hashes are seeded at random, as in std, but take a third of the time.
pub(super) type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

pub(super) type Set<K> = HashSet<K, foldhash::fast::RandomState>;

/// The values of a key, in the order they came.
pub(super) fn found<K: Borrow<str> + Eq + Hash, V: Copy, S: BuildHasher>(
    index: &HashMap<K, Vec<V>, S>,
    key: &str,
) -> impl Iterator<Item = V> {
    index.get(key).into_iter().flatten().copied()
}
