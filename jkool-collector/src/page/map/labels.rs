//! Where the numbers of a map stand, so that none is upon another.

/// The size of a number with what stands around it.
const SIZE: (i32, i32) = (104, 15);
/// So far a number is moved at once, and so often.
const STEP: i32 = 8;
const STEPS: i32 = 40;

/// Moves places up and down until none overlaps another; each is the middle of the lower side of a text. What stays nearest to its
/// line is decided in the order of `wanted`.
pub(super) fn apart(wanted: &[(i32, i32)]) -> Vec<(i32, i32)> {
    let mut placed: Vec<(i32, i32)> = Vec::with_capacity(wanted.len());
    for (x, y) in wanted {
        let tried = (0..STEPS).map(|step| {
            let by = (step + 1) / 2 * STEP;
            (*x, if step % 2 == 0 { y + by } else { y - by })
        });
        let free = tried.clone().find(|place| !placed.iter().any(|other| overlap(*place, *other)));
        // Of so many that there is no room, the lowest is lowered further.
        let below = || (*x, placed.iter().map(|(_, y)| *y).max().unwrap_or(*y) + SIZE.1);
        placed.push(free.unwrap_or_else(below));
    }
    placed
}

fn overlap(a: (i32, i32), b: (i32, i32)) -> bool {
    (a.0 - b.0).abs() < SIZE.0 && (a.1 - b.1).abs() < SIZE.1
}

#[cfg(test)]
mod tests {
    use super::{apart, overlap};
    use proptest::prelude::*;

    #[test]
    fn what_has_room_stays_where_it_is() {
        let wanted = [(0, 0), (200, 0), (0, 100)];
        assert_eq!(apart(&wanted), wanted);
        assert_eq!(apart(&[(0, 0), (0, 0)]), [(0, 0), (0, -16)]);
    }

    proptest! {
        #[test]
        fn no_number_is_upon_another(wanted in proptest::collection::vec((0..600_i32, 0..300_i32), 0..120)) {
            let placed = apart(&wanted);
            for (index, place) in placed.iter().enumerate() {
                prop_assert!(placed[..index].iter().all(|other| !overlap(*place, *other)));
            }
        }
    }
}
