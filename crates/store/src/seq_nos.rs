//! Sets of sequence numbers.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::ops::Range;

/// Sequence numbers of one shard. It is as small as there are few gaps between them, and becomes a list of `[first, end]`
/// when it is serialized.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeqNos {
    /// Ranges that do not touch each other: the first number, and the one behind the last.
    ranges: BTreeMap<u64, u64>,
}

impl SeqNos {
    /// Adds all numbers of a range.
    pub fn insert(&mut self, range: Range<u64>) {
        let (mut start, mut end) = (range.start, range.end);
        if start >= end {
            return;
        }
        while let Some((first, last)) = self.before_or_at(end)
            && last >= start
        {
            self.ranges.remove(&first);
            start = start.min(first);
            end = end.max(last);
        }
        self.ranges.insert(start, end);
    }

    /// Adds the numbers of a range but for some, which are in their order.
    pub fn insert_without(&mut self, range: Range<u64>, without: &[u64]) {
        let mut start = range.start;
        for number in without.iter().filter(|number| range.contains(number)) {
            self.insert(start..*number);
            start = number + 1;
        }
        self.insert(start..range.end);
    }

    /// Adds another set.
    pub fn merge(&mut self, other: &SeqNos) {
        for (first, end) in &other.ranges {
            self.insert(*first..*end);
        }
    }

    /// Whether a number is in it.
    pub fn contains(&self, number: u64) -> bool {
        self.before_or_at(number)
            .is_some_and(|(_, end)| end > number)
    }

    /// What is missing of a range, in order.
    pub fn gaps(&self, range: Range<u64>) -> impl Iterator<Item = Range<u64>> {
        let before = self.before_or_at(range.start);
        let inside = self.ranges.range(range.start.saturating_add(1)..);
        let inside = inside.map(|(first, end)| (*first, *end));
        let last = (range.end, range.end);
        let mut next = range.start;
        before
            .into_iter()
            .chain(inside.take_while(move |(first, _)| *first < range.end))
            .chain([last])
            .filter_map(move |(first, end)| {
                let gap = next..first.min(range.end);
                next = next.max(end);
                (!gap.is_empty()).then_some(gap)
            })
    }

    /// How many numbers are in it.
    pub fn count(&self) -> u64 {
        self.ranges.iter().map(|(first, end)| end - first).sum()
    }

    /// The first number behind all that are in it.
    pub fn end(&self) -> u64 {
        self.ranges.values().next_back().copied().unwrap_or(0)
    }

    /// In how many ranges the numbers lie.
    pub fn ranges(&self) -> usize {
        self.ranges.len()
    }

    /// Forgets the shortest ranges, so that at most `most` are left.
    pub fn shrink(&mut self, most: usize) {
        if self.ranges.len() <= most {
            return;
        }
        let mut by_length: Vec<(u64, u64)> = self
            .ranges
            .iter()
            .map(|(first, end)| (end - first, *first))
            .collect();
        by_length.sort_unstable();
        for (_, first) in &by_length[..by_length.len() - most] {
            self.ranges.remove(first);
        }
    }

    fn before_or_at(&self, number: u64) -> Option<(u64, u64)> {
        let (first, end) = self.ranges.range(..=number).next_back()?;
        Some((*first, *end))
    }
}

impl Serialize for SeqNos {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.ranges)
    }
}

impl<'de> Deserialize<'de> for SeqNos {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<SeqNos, D::Error> {
        let ranges: Vec<(u64, u64)> = Vec::deserialize(deserializer)?;
        let mut numbers = SeqNos::default();
        for (first, end) in ranges {
            numbers.insert(first..end);
        }
        Ok(numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn it_is_a_set(
            added in prop::collection::vec((0u64..60, 0u64..9), 0..20),
            without in prop::collection::btree_set(0u64..60, 0..5),
            asked in (0u64..60, 0u64..60),
        ) {
            let without: Vec<u64> = without.into_iter().collect();
            let (mut numbers, mut plain) = (SeqNos::default(), BTreeSet::new());
            for (nth, (first, length)) in added.into_iter().enumerate() {
                let range = first..first + length;
                if nth % 2 == 0 {
                    plain.extend(range.clone());
                    numbers.insert(range);
                } else {
                    plain.extend(range.clone().filter(|number| !without.contains(number)));
                    numbers.insert_without(range, &without);
                }
            }
            for number in 0..80 {
                prop_assert_eq!(numbers.contains(number), plain.contains(&number), "{}", number);
            }
            prop_assert_eq!(numbers.count(), plain.len() as u64);
            prop_assert_eq!(numbers.end(), plain.last().map_or(0, |last| last + 1));
            let gaps: Vec<u64> = numbers.gaps(asked.0..asked.1).flatten().collect();
            let missing: Vec<u64> = (asked.0..asked.1).filter(|number| !plain.contains(number)).collect();
            prop_assert_eq!(gaps, missing);
            let text = serde_json::to_string(&numbers).unwrap();
            prop_assert_eq!(&serde_json::from_str::<SeqNos>(&text).unwrap(), &numbers);
            let mut fewer = numbers.clone();
            fewer.shrink(2);
            prop_assert!(fewer.ranges() <= 2);
            prop_assert!((0..80).all(|number| !fewer.contains(number) || numbers.contains(number)));
            fewer.merge(&numbers);
            prop_assert_eq!(fewer, numbers);
        }
    }
}
