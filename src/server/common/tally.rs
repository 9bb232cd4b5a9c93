//! How often each of many has come, so that a flood from one is not felt by the others.

use std::collections::HashMap;
use std::hash::Hash;

/// The most that are counted; more than that at a time is no flood from one of them.
pub(in crate::server) const COUNTED: usize = 100_000;

/// How often each has come since it was begun.
#[derive(Debug)]
pub(in crate::server) struct Tally<K>(HashMap<K, u32>);

impl<K> Default for Tally<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash> Tally<K> {
    /// Counts one that has come. True for the first `most`, and for whom there is no room to count.
    pub(in crate::server) fn admit(&mut self, one: K, most: u32) -> bool {
        if let Some(count) = self.0.get_mut(&one) {
            *count = count.saturating_add(1);
            return *count <= most;
        }
        if self.0.len() < COUNTED {
            self.0.insert(one, 1);
        }
        true
    }

    /// Begins anew.
    pub(in crate::server) fn clear(&mut self) {
        self.0.clear();
    }

    /// How many are counted.
    #[cfg(test)]
    pub(in crate::server) fn len(&self) -> usize {
        self.0.len()
    }
}
