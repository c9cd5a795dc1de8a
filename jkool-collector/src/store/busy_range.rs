//! The time range that contains nearly all entities, so that a single wrong clock does not ruin an axis.

use super::engine::range_of;
use super::reader::Result;
use super::scale::Scale;
use super::{Aggregation, Group, Key, Reader};
use crate::filter::Filter;
use crate::time_arg::Moment;
use jkool_model::Timestamp;

/// A time range, and what is outside of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BusyRange {
    /// Its first and last microsecond.
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
    /// The number of matching entities before and after it.
    pub(crate) earlier: u64,
    pub(crate) later: u64,
}

/// The number of buckets in which a range is examined, and the maximum number of refinements.
const STRETCHES: usize = 64;
const LOOKS: usize = 8;
/// One of this number of entities may be outside.
const ONE_OF: u64 = 100;
/// An end is moved only over an empty part of at least one third of the range.
const WORTH: usize = 3;

impl BusyRange {
    /// Restricts `filter` to the range.
    pub(crate) fn of(self, filter: &Filter) -> Filter {
        let end = Timestamp::from_usec(self.last.as_usec().saturating_add(1));
        Filter { since: Some(Moment::At(self.first)), until: Some(Moment::At(end)), ..filter.clone() }
    }

    /// The length, at least one minute, so that rates per minute of a few seconds are not exaggerated.
    pub(crate) fn minutes(self) -> f64 {
        (self.last.as_usec().saturating_sub(self.first.as_usec()) as f64 / 60e6).max(1.0)
    }
}

impl Reader<'_> {
    /// The time range of the entities that match `filter`. An open end of the filter is moved inwards over an empty part
    /// of at least a third of the range, if at most one in a hundred entities is beyond it.
    ///
    /// # Errors
    /// When the store can't be read.
    pub(crate) fn busy_range(&self, filter: &Filter, now: Timestamp) -> Result<Option<BusyRange>> {
        let asked = range_of(filter, now);
        let Some(scale) = self.scale(filter, STRETCHES, now)? else { return Ok(None) };
        let Some((first, last)) = scale.starts().next().zip(scale.starts().last()) else { return Ok(None) };
        let last = Timestamp::from_usec(last.as_usec().saturating_add(scale.width - 1));
        let mut range = BusyRange { first, last, earlier: 0, later: 0 };
        if asked.start != i64::MIN {
            range.first = Timestamp::from_usec(asked.start);
        }
        if asked.end != i64::MAX {
            range.last = Timestamp::from_usec(asked.end - 1);
        }
        let open = (asked.start == i64::MIN, asked.end == i64::MAX);
        let mut budget = None;
        for _ in 0..if open == (false, false) { 0 } else { LOOKS } {
            let scale = Scale::new(range.first, range.last, STRETCHES);
            let aggregation = Aggregation { groups: vec![Group::Time(scale.width)], measures: Vec::new() };
            let mut counts = vec![0; scale.len()];
            for row in self.aggregate(&range.of(filter), &aggregation, now)? {
                let [Key::Time(time)] = &*row.keys else { continue };
                let slot = usize::try_from(scale.index(*time)).ok().and_then(|index| counts.get_mut(index));
                if let Some(slot) = slot {
                    *slot += row.count;
                }
            }
            let left = budget.get_or_insert_with(|| counts.iter().sum::<u64>() / ONE_OF);
            let Some(kept) = Kept::of(&counts, open, *left) else { break };
            *left -= kept.earlier + kept.later;
            let bounds: Vec<_> = scale.starts().map(Timestamp::as_usec).collect();
            if let Some(start) = bounds.get(kept.from).filter(|_| kept.from > 0) {
                range.first = Timestamp::from_usec(*start);
            }
            if let Some(end) = bounds.get(kept.to) {
                range.last = Timestamp::from_usec(end - 1);
            }
            range.earlier += kept.earlier;
            range.later += kept.later;
        }
        Ok(Some(range))
    }
}

/// The buckets between two times, the last one exclusive, and the number of entities outside.
#[derive(Debug, PartialEq, Eq)]
struct Kept {
    from: usize,
    to: usize,
    earlier: u64,
    later: u64,
}

impl Kept {
    /// Returns the part on one side of the longest empty part, or `None` if the empty part is short or if both sides
    /// have too many entities. Only open ends are moved.
    fn of(counts: &[u64], open: (bool, bool), budget: u64) -> Option<Self> {
        let (from, to) = longest_empty(counts);
        if (to - from) * WORTH < counts.len() {
            return None;
        }
        let sum = |counts: Option<&[u64]>| counts.unwrap_or_default().iter().sum::<u64>();
        let (earlier, later) = (sum(counts.get(..from)), sum(counts.get(to..)));
        if open.0 && earlier <= budget && later > 0 {
            return Some(Self { from: to, to: counts.len(), earlier, later: 0 });
        }
        (open.1 && later <= budget && earlier > 0).then_some(Self { from: 0, to: from, earlier: 0, later })
    }
}

/// The start and end of the longest run of zeros.
fn longest_empty(counts: &[u64]) -> (usize, usize) {
    let (mut longest, mut from) = ((0, 0), 0);
    for (index, count) in counts.iter().enumerate() {
        if *count > 0 {
            from = index + 1;
        } else if index + 1 - from > longest.1 - longest.0 {
            longest = (from, index + 1);
        }
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::Kept;
    use crate::filter::Filter;
    use crate::store::{Record, Store};
    use jkool_model::Timestamp;

    #[test]
    fn only_open_ends_are_moved_and_only_if_it_is_worth_it() {
        let both = (true, true);
        let kept = |from, to, earlier, later| Some(Kept { from, to, earlier, later });
        assert_eq!(Kept::of(&[1, 0, 0, 0, 50, 50], both, 1), kept(4, 6, 1, 0));
        assert_eq!(Kept::of(&[9, 99, 0, 0, 0, 1], both, 1), kept(0, 2, 0, 1));
        assert_eq!(Kept::of(&[0, 0, 0, 99, 0, 1], both, 0), kept(3, 6, 0, 0));
        assert_eq!(Kept::of(&[1, 0, 0, 0, 50, 50], (false, true), 1), None);
        assert_eq!(Kept::of(&[1, 0, 50, 50, 50, 50], both, 1), None);
        assert_eq!(Kept::of(&[2, 0, 0, 50, 50, 0, 0, 2], both, 1), None);
        assert_eq!(Kept::of(&[9, 9, 9, 9], both, 0), None);
        assert_eq!(Kept::of(&[0, 0, 0, 0], both, 0), None);
    }

    #[test]
    fn one_wrong_clock_does_not_stretch_it() {
        let (now, hour) = (1_457_524_800_000_000, 3_600_000_000_i64);
        let event = |time: i64| {
            let json = format!(r#"{{"operation":"x","time-usec":{time}}}"#);
            Record::read(json.into_bytes().into(), Timestamp::from_usec(now)).unwrap()
        };
        let mut records: Vec<_> = (0..400).map(|number| event(now - number * hour / 400)).collect();
        records.extend([event(5), event(now + 24 * hour)]);
        let store = Store::builder().open().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(store.append(records)).unwrap();
        let all = Filter::default();
        let range = store.read_now(|reader| reader.busy_range(&all, Timestamp::from_usec(now))).unwrap().unwrap();
        assert_eq!((range.earlier, range.later), (1, 1));
        let length = range.last.as_usec() - range.first.as_usec();
        assert!((hour..3 * hour).contains(&length), "{range:?}");
        assert!(range.first.as_usec() <= now - hour + hour / 400 && range.last.as_usec() >= now);
    }
}
