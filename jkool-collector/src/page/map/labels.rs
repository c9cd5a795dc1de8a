//! Where the figures of a map's lines stand, so that none is upon another, nor upon a node.

/// A rectangle: its upper left corner, and its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) corner: (i32, i32),
    pub(super) size: (i32, i32),
}

/// So far figures are moved at once, and so often.
const STEP: i32 = 8;
const STEPS: i32 = 40;

impl Area {
    pub(super) fn bottom(&self) -> i32 {
        self.corner.1 + self.size.1
    }

    pub(super) fn overlaps(&self, other: &Self) -> bool {
        let (at, size, from, its) = (self.corner, self.size, other.corner, other.size);
        at.0 < from.0 + its.0 && from.0 < at.0 + size.0 && at.1 < from.1 + its.1 && from.1 < at.1 + size.1
    }

    fn lowered(self, by: i32) -> Self {
        Self { corner: (self.corner.0, self.corner.1 + by), ..self }
    }
}

/// Moves what is `wanted` up and down until none overlaps another, nor what is `taken`. What stays nearest to its line is decided in
/// the order of `wanted`.
pub(super) fn apart(wanted: &[Area], taken: &[Area]) -> Vec<Area> {
    let mut occupied = taken.to_vec();
    for area in wanted {
        let tried = (0..STEPS).map(|step| {
            let by = (step + 1) / 2 * STEP;
            area.lowered(if step % 2 == 0 { by } else { -by })
        });
        let free = tried.clone().find(|place| !occupied.iter().any(|other| place.overlaps(other)));
        // Of so many that there is no room, the lowest is lowered further.
        let below = || {
            let lowest = occupied.iter().map(Area::bottom).max().unwrap_or(area.corner.1);
            Area { corner: (area.corner.0, lowest), ..*area }
        };
        occupied.push(free.unwrap_or_else(below));
    }
    occupied.split_off(taken.len())
}

#[cfg(test)]
mod tests {
    use super::{Area, apart};
    use proptest::prelude::*;

    fn area(x: i32, y: i32) -> Area {
        Area { corner: (x, y), size: (100, 15) }
    }

    #[test]
    fn what_has_room_stays_where_it_is() {
        let wanted = [area(0, 0), area(200, 0), area(0, 100)];
        assert_eq!(apart(&wanted, &[]), wanted);
        assert_eq!(apart(&[area(0, 0), area(0, 0)], &[]), [area(0, 0), area(0, -16)]);
        assert_eq!(apart(&[area(0, 0)], &[area(50, -10)]), [area(0, 8)]);
    }

    proptest! {
        #[test]
        fn none_is_upon_another(
            wanted in proptest::collection::vec((0..600_i32, 0..300_i32), 0..120),
            taken in proptest::collection::vec((0..600_i32, 0..300_i32), 0..20),
        ) {
            let areas = |places: &[(i32, i32)]| places.iter().map(|(x, y)| area(*x, *y)).collect::<Vec<_>>();
            let (wanted, taken) = (areas(&wanted), areas(&taken));
            let placed = apart(&wanted, &taken);
            for (index, place) in placed.iter().enumerate() {
                prop_assert!(placed[..index].iter().chain(&taken).all(|other| !place.overlaps(other)));
            }
        }
    }
}
