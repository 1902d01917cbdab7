//! A set of numbers that mostly come one after the other.

use std::collections::BTreeMap;

/// A set of numbers, kept as ranges.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Runs(BTreeMap<u64, u64>);

impl Runs {
    /// Adds the numbers from `first` to `last`; how many of them are new.
    pub fn insert(&mut self, first: u64, last: u64) -> u64 {
        if first > last {
            return 0;
        }
        let (mut low, mut high, mut known) = (first, last, 0);
        // A range that begins before and reaches up to this one, then those that begin within it.
        let before = self.0.range(..first).next_back();
        let touching = before.filter(|&(_, &end)| end >= first.saturating_sub(1));
        let within = self.0.range(first..=last.saturating_add(1));
        let joined: Vec<(u64, u64)> = touching
            .into_iter()
            .chain(within)
            .map(|(&start, &end)| (start, end))
            .collect();
        for (start, end) in joined {
            let (from, to) = (start.max(first), end.min(last));
            if from <= to {
                known += to - from + 1;
            }
            low = low.min(start);
            high = high.max(end);
            self.0.remove(&start);
        }
        self.0.insert(low, high);
        (last - first).saturating_add(1) - known
    }

    /// Whether the number is in the set.
    pub fn contains(&self, number: u64) -> bool {
        let before = self.0.range(..=number).next_back();
        before.is_some_and(|(_, &last)| last >= number)
    }

    /// The ranges in order.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> {
        self.0.iter().map(|(&first, &last)| (first, last))
    }

    /// There is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes everything out.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn it_is_a_set(ranges in prop::collection::vec((0u64..60, 0u64..8), 0..40)) {
            let mut runs = Runs::default();
            let mut set = BTreeSet::new();
            for (first, length) in ranges {
                let last = first + length;
                let new = (first..=last).filter(|number| set.insert(*number)).count();
                prop_assert_eq!(runs.insert(first, last), new as u64);
            }
            for number in 0..80 {
                prop_assert_eq!(runs.contains(number), set.contains(&number));
            }
            let listed: Vec<u64> = runs.iter().flat_map(|(first, last)| first..=last).collect();
            prop_assert_eq!(listed, set.into_iter().collect::<Vec<_>>());
            let ends: Vec<_> = runs.iter().collect();
            prop_assert!(ends.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0), "{:?}", ends);
        }
    }

    #[test]
    fn the_ends_of_the_range_are_numbers_too() {
        let mut runs = Runs::default();
        assert_eq!(runs.insert(u64::MAX, u64::MAX), 1);
        assert_eq!(runs.insert(0, 0), 1);
        assert_eq!(runs.insert(5, 4), 0);
        assert!(runs.contains(u64::MAX) && runs.contains(0) && !runs.contains(1));
    }
}
