//! Converts the layout in columns and rows to coordinates of nodes, lines and labels. Without I/O.

use super::labels::{Area, apart};
use super::layout::{Layout, Place};

/// The direction of messages: from left to right in a wide window, or from top to bottom on a phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Across,
    Down,
}

/// A line, and the position of its label.
#[derive(Debug)]
pub(super) struct Curve {
    pub(super) path: String,
    pub(super) figures: Area,
}

/// The coordinates of the picture.
#[derive(Debug)]
pub(super) struct Picture {
    /// The topmost coordinate, the width, and the height.
    pub(super) top: i32,
    pub(super) size: (i32, i32),
    /// The nodes, in order.
    pub(super) nodes: Vec<Area>,
    /// The edges, in order.
    pub(super) curves: Vec<Curve>,
}

/// The size of a line's label: a text above the line and one below.
pub(super) const FIGURES: (i32, i32) = (106, 36);

/// The minimum margin next to the last row.
const MARGIN: i32 = 4;

/// Lengths along and across the direction of messages.
#[derive(Debug, Clone, Copy)]
struct Measures {
    direction: Direction,
    node: (i32, i32),
    gap: (i32, i32),
    margin: (i32, i32),
}

impl Measures {
    fn of(direction: Direction, leads_back: bool) -> Self {
        // Edges that lead back run next to the first row and need room.
        let back = if leads_back { 44 } else { MARGIN };
        match direction {
            Direction::Across => Self { direction, node: (176, 78), gap: (150, 34), margin: (24, back) },
            Direction::Down => Self { direction, node: (78, 142), gap: (104, 14), margin: (12, back.min(34)) },
        }
    }

    fn point(self, along: i32, beside: i32) -> (i32, i32) {
        match self.direction {
            Direction::Across => (along, beside),
            Direction::Down => (beside, along),
        }
    }

    fn at(self, along: i32, beside: i32) -> String {
        let (x, y) = self.point(along, beside);
        format!("{x} {y}")
    }

    /// Returns the path from one node to another through free places, all given by their corners.
    fn line(self, from: (i32, i32), way: &[(i32, i32)], to: (i32, i32)) -> (String, (i32, i32)) {
        if from.0 >= to.0 {
            return self.back(from, to);
        }
        let half = self.node.1 / 2;
        let (mut along, mut beside) = (from.0 + self.node.0, from.1 + half);
        // The label is in the middle of the first bend, which differs between lines unless they have the same ends.
        let first = way.first().map_or(to, |corner| *corner);
        let middle = self.point((along + first.0) / 2, (beside + first.1 + half) / 2);
        let mut path = format!("M{}", self.at(along, beside));
        let end = (to.0 - 2, to.1 + half);
        for next in way.iter().map(|corner| (corner.0, corner.1 + half)).chain([end]) {
            let bend = (next.0 - along) / 2;
            let (one, other) = (self.at(along + bend, beside), self.at(next.0 - bend, next.1));
            path.push_str(&format!("C{one} {other} {}", self.at(next.0, next.1)));
            if next != end {
                path.push_str(&format!("L{}", self.at(next.0 + self.node.0, next.1)));
            }
            (along, beside) = (next.0 + self.node.0, next.1);
        }
        (path, middle)
    }

    /// Returns the path of an edge that leads back or to its own node: around the side of the first row.
    fn back(self, from: (i32, i32), to: (i32, i32)) -> (String, (i32, i32)) {
        let (start, end) = (from.0 + self.node.0 / 3, to.0 + self.node.0 * 2 / 3);
        let around = from.1.min(to.1) - 36;
        let bend = format!("{} {}", self.at(start, around), self.at(end, around));
        let path = format!("M{}C{bend} {}", self.at(start, from.1), self.at(end, to.1 - 2));
        (path, self.point((start + end) / 2, around + 9))
    }
}

impl Picture {
    /// Computes the coordinates for `edges` between nodes with a known layout.
    pub(super) fn new(layout: &Layout, edges: &[(usize, usize)], direction: Direction) -> Self {
        let Layout { places, ways } = layout;
        let leads_back = edges.iter().any(|(from, to)| places[*from].column >= places[*to].column);
        let measures = Measures::of(direction, leads_back);
        let Measures { node, gap, margin, .. } = measures;
        let all = || places.iter().chain(ways.iter().flatten());
        let columns = all().map(|place| place.column + 1).max().unwrap_or(1);
        let heights: Vec<_> = (0..columns).map(|column| all().filter(|place| place.column == column).count()).collect();
        let rows = heights.iter().max().copied().unwrap_or(1);
        let corner = |place: &Place| {
            // Short columns are centred.
            let room = (rows - heights[place.column]) as i32 * (node.1 + gap.1) / 2;
            let along = margin.0 + place.column as i32 * (node.0 + gap.0);
            (along, margin.1 + room + place.row as i32 * (node.1 + gap.1))
        };
        let size = measures.point(
            2 * margin.0 + columns as i32 * (node.0 + gap.0) - gap.0,
            margin.1 + rows as i32 * (node.1 + gap.1) - gap.1 + MARGIN,
        );
        let corners: Vec<_> = places.iter().map(corner).collect();
        let nodes: Vec<_> = corners
            .iter()
            .map(|corner| Area { corner: measures.point(corner.0, corner.1), size: measures.point(node.0, node.1) })
            .collect();
        let (paths, wanted): (Vec<_>, Vec<_>) = edges
            .iter()
            .zip(ways)
            .map(|((from, to), way)| {
                let way: Vec<_> = way.iter().map(corner).collect();
                let (path, middle) = measures.line(corners[*from], &way, corners[*to]);
                // Within the left and right edges of the picture.
                let left = (middle.0 - FIGURES.0 / 2).min(size.0 - FIGURES.0).max(0);
                (path, Area { corner: (left, middle.1 - FIGURES.1 / 2), size: FIGURES })
            })
            .unzip();
        let figures = apart(&wanted, &nodes, size.0.max(FIGURES.0));
        // Some labels were moved above the picture.
        let top = figures.iter().map(|area| area.corner.1).fold(0, i32::min);
        let bottom = figures.iter().map(Area::bottom).fold(size.1, i32::max);
        let curves = paths.into_iter().zip(figures).map(|(path, figures)| Curve { path, figures }).collect();
        Self { top, size: (size.0.max(FIGURES.0), bottom - top), nodes, curves }
    }
}

#[cfg(test)]
mod tests {
    use super::{Direction, Picture};
    use crate::page::map::layout::layout;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_figures_are_upon_others_nor_upon_a_node_nor_outside(
            edges in proptest::collection::vec((0..14_usize, 0..14_usize), 1..70),
            down in any::<bool>(),
        ) {
            let direction = if down { Direction::Down } else { Direction::Across };
            let picture = Picture::new(&layout(14, &edges), &edges, direction);
            let figures: Vec<_> = picture.curves.iter().map(|curve| curve.figures).collect();
            for (index, area) in figures.iter().enumerate() {
                prop_assert!(figures[..index].iter().chain(&picture.nodes).all(|other| !area.overlaps(other)));
                prop_assert!(area.corner.0 >= 0 && area.corner.0 + area.size.0 <= picture.size.0);
                prop_assert!(area.corner.1 >= picture.top && area.bottom() <= picture.top + picture.size.1);
            }
        }
    }

    #[test]
    fn messages_go_across_a_window_and_down_a_phone() {
        let edges = [(0, 1), (1, 2)];
        let layout = layout(3, &edges);
        let corners = |direction| {
            let picture = Picture::new(&layout, &edges, direction);
            assert!(picture.nodes.iter().all(|node| node.bottom() <= picture.size.1));
            picture.nodes.iter().map(|node| node.corner).collect::<Vec<_>>()
        };
        assert_eq!(corners(Direction::Across), [(24, 4), (350, 4), (676, 4)]);
        assert_eq!(corners(Direction::Down), [(4, 12), (4, 194), (4, 376)]);
    }

    #[test]
    fn two_beside_each_other_fit_a_phone() {
        let edges = [(0, 1), (0, 2), (2, 0)];
        assert!(Picture::new(&layout(3, &edges), &edges, Direction::Down).size.0 <= 340);
    }
}
