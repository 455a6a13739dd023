//! Random choices that a seed reproduces.

#![allow(dead_code, reason = "each test uses only a part of it")]

/// SplitMix64: small, and the same on every machine.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low + 1)
    }

    pub(crate) fn one_of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.between(0, all.len() as u64 - 1) as usize].clone()
    }

    /// Two different numbers, the smaller one first.
    pub(crate) fn two_between(&mut self, low: u64, high: u64) -> (u64, u64) {
        let one = self.between(low, high);
        let other = low + (one - low + self.between(1, high - low)) % (high - low + 1);
        (one.min(other), one.max(other))
    }
}

/// The seed in a variable, or the default one.
#[expect(
    clippy::disallowed_methods,
    reason = "a printed seed reproduces a failure"
)]
pub(crate) fn seed(variable: &str, usual: u64) -> u64 {
    let reported = std::env::var(variable).ok();
    reported.map_or(usual, |seed| {
        seed.parse()
            .unwrap_or_else(|_| panic!("{variable} is a number"))
    })
}
