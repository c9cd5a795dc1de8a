//! A fast generator of tracking ids.

use crate::tracking_id::TrackingId;
use std::sync::atomic::{AtomicU64, Ordering};
use uuid::Uuid;

/// A generator of [`TrackingId`]s, for a program that needs many: [`TrackingId::random`] calls the operating system each time,
/// this calls it once. Ids of one generator never repeat, and collide with other ids as rarely as random ones. They are not
/// secret: one id is enough to compute the others.
///
/// ```
/// use jkool_model::TrackingIds;
/// let ids = TrackingIds::new();
/// assert_ne!(ids.next(), ids.next());
/// ```
#[derive(Debug)]
pub struct TrackingIds {
    first: u128,
    count: AtomicU64,
}

/// Odd, and spread over all bits, so that successive numbers differ in many of them: 2^128 divided by the golden ratio.
const STEP: u128 = 0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835;

impl TrackingIds {
    /// Creates a generator with a random start.
    #[expect(clippy::new_without_default, reason = "it is not the same each time")]
    pub fn new() -> Self {
        // Each of the two UUIDs has six bits that are not random.
        let (one, other) = (Uuid::new_v4().as_u128(), Uuid::new_v4().as_u128());
        Self { first: one ^ other.rotate_left(64), count: AtomicU64::new(0) }
    }

    /// Returns the next id, a UUID of version 4.
    pub fn next(&self) -> TrackingId {
        TrackingId::from_uuid(uuid::Builder::from_random_bytes(self.next_bits().to_be_bytes()).into_uuid())
    }

    /// Returns the bits of the next id, for an id of another format.
    #[doc(hidden)]
    pub fn next_bits(&self) -> u128 {
        self.bits(self.count.fetch_add(1, Ordering::Relaxed))
    }

    /// The bits of the next two ids.
    #[doc(hidden)]
    pub fn next_two(&self) -> [u128; 2] {
        let count = self.count.fetch_add(2, Ordering::Relaxed);
        [count, count.wrapping_add(1)].map(|count| self.bits(count))
    }

    fn bits(&self, count: u64) -> u128 {
        scatter(self.first.wrapping_add(STEP.wrapping_mul(count.into())))
    }
}

/// Spreads each difference over all bits. Each step is reversible, so different numbers stay different.
fn scatter(mut bits: u128) -> u128 {
    bits ^= bits >> 67;
    bits = bits.wrapping_mul(0xA3B1_9535_4A39_B70D_9DDF_EA08_EB38_2D69);
    bits ^= bits >> 71;
    bits = bits.wrapping_mul(0xD6E8_FEB8_6659_FD93_CA5A_8263_9512_1157);
    bits ^ (bits >> 63)
}

#[cfg(test)]
mod tests {
    use super::TrackingIds;
    use std::collections::HashSet;
    use uuid::{Uuid, Variant};

    #[test]
    fn no_two_are_the_same_and_all_are_random_uuids() {
        let sources = [TrackingIds::new(), TrackingIds::new()];
        let (mut seen, mut all_bits) = (HashSet::new(), HashSet::new());
        for source in &sources {
            for _ in 0..100_000 {
                let id = source.next();
                assert!(source.next_two().into_iter().all(|bits| all_bits.insert(bits)));
                let uuid: Uuid = id.to_string().parse().unwrap();
                assert_eq!((uuid.get_version_num(), uuid.get_variant()), (4, Variant::RFC4122));
                assert!(seen.insert(id));
            }
        }
    }

    #[test]
    fn threads_share_a_source() {
        let ids = TrackingIds::new();
        let all: HashSet<_> = std::thread::scope(|scope| {
            let threads = [(); 4].map(|()| scope.spawn(|| (0..10_000).map(|_| ids.next()).collect::<Vec<_>>()));
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(all.len(), 40_000);
    }

    #[test]
    fn neighbours_differ_in_about_half_of_their_bits() {
        let ids = TrackingIds::new();
        let bits = |id: crate::TrackingId| id.to_string().parse::<Uuid>().unwrap().as_u128();
        let mut last = bits(ids.next());
        let mut different = 0;
        for _ in 0..10_000 {
            let next = bits(ids.next());
            different += (last ^ next).count_ones();
            last = next;
        }
        let mean = f64::from(different) / 10_000.0;
        assert!((60.0..62.0).contains(&mean), "{mean} of 122");
    }
}
