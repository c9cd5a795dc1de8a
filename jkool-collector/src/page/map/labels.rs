//! Positions the labels of a map's lines, so that they overlap neither each other nor nodes.

/// A rectangle: its upper left corner, and its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) corner: (i32, i32),
    pub(super) size: (i32, i32),
}

/// The distance by which labels are moved, and the maximum numbers of moves horizontally and vertically.
const STEP: i32 = 8;
const STEPS: (i32, i32) = (8, 20);

impl Area {
    pub(super) fn bottom(&self) -> i32 {
        self.corner.1 + self.size.1
    }

    pub(super) fn overlaps(&self, other: &Self) -> bool {
        let (at, size, from, its) = (self.corner, self.size, other.corner, other.size);
        at.0 < from.0 + its.0 && from.0 < at.0 + size.0 && at.1 < from.1 + its.1 && from.1 < at.1 + size.1
    }

    fn moved(self, by: (i32, i32)) -> Self {
        Self { corner: (self.corner.0 + by.0, self.corner.1 + by.1), ..self }
    }
}

/// Moves `wanted` labels within a picture of this width until they overlap neither each other nor `taken`. The first
/// labels stay nearest to their lines.
pub(super) fn apart(wanted: &[Area], taken: &[Area], width: i32) -> Vec<Area> {
    let steps = |most: i32| (-most..=most).map(|step| step * STEP);
    let mut moves: Vec<_> = steps(STEPS.0).flat_map(|x| steps(STEPS.1).map(move |y| (x, y))).collect();
    // Short moves first; vertical ones are preferred to horizontal ones.
    moves.sort_by_key(|(x, y)| (x.abs() + y.abs(), x.abs()));
    let mut occupied = taken.to_vec();
    for area in wanted {
        let inside = |place: &Area| place.corner.0 >= 0 && place.corner.0 + place.size.0 <= width;
        let mut tried =
            moves.iter().map(|by| area.moved(*by)).filter(|place| place.corner.0 == area.corner.0 || inside(place));
        let free = tried.find(|place| !occupied.iter().any(|other| place.overlaps(other)));
        // If there is no free position nearby, the label is moved down further.
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
        assert_eq!(apart(&wanted, &[], 400), wanted);
        assert_eq!(apart(&[area(0, 0), area(0, 0)], &[], 400), [area(0, 0), area(0, -16)]);
        assert_eq!(apart(&[area(0, 0)], &[area(50, -10)], 400), [area(0, 8)]);
        // Moved to the side instead, if that is nearer and there is room.
        let beside =
            |width| apart(&[area(90, 0)], &[area(0, -40), area(0, -20), area(0, 0), area(0, 20), area(0, 40)], width);
        assert_eq!((beside(400), beside(190)), (vec![area(106, 0)], vec![area(90, -56)]));
    }

    proptest! {
        #[test]
        fn none_is_upon_another(
            wanted in proptest::collection::vec((0..600_i32, 0..300_i32), 0..120),
            taken in proptest::collection::vec((0..600_i32, 0..300_i32), 0..20),
        ) {
            let areas = |places: &[(i32, i32)]| places.iter().map(|(x, y)| area(*x, *y)).collect::<Vec<_>>();
            let (wanted, taken) = (areas(&wanted), areas(&taken));
            let placed = apart(&wanted, &taken, 700);
            for (index, place) in placed.iter().enumerate() {
                prop_assert!(placed[..index].iter().chain(&taken).all(|other| !place.overlaps(other)));
            }
        }
    }
}
