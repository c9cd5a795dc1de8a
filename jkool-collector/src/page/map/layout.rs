//! The layout of a map: senders are left of receivers, and few lines cross.

use std::collections::VecDeque;

/// A column, counted from the left, and a row, counted from the top.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) column: usize,
    pub(super) row: usize,
}

/// The layout of nodes and edges.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// The place of each node.
    pub(super) places: Vec<Place>,
    /// The places that are kept free for each edge, from left to right; an edge that leads back has none.
    pub(super) ways: Vec<Vec<Place>>,
}

/// The maximum number of edges for which places are kept free; with more, the picture would be mostly lines.
const KEPT_FREE: usize = 60;

/// Computes the layout of `count` nodes with `edges` between them, the most important first. Cycles are allowed: one
/// edge of a cycle leads back. So are edges from a node to itself.
pub(super) fn layout(count: usize, edges: &[(usize, usize)]) -> Layout {
    let mut columns = columns(count, &forward(count, edges));
    let mut ways = vec![Vec::new(); edges.len()];
    let mut links = Vec::new();
    for (way, (from, to)) in ways.iter_mut().zip(edges) {
        let mut last = *from;
        if edges.len() <= KEPT_FREE {
            for column in columns[*from] + 1..columns[*to] {
                let between = columns.len();
                columns.push(column);
                way.push(between);
                links.push((last, between));
                last = between;
            }
        }
        if columns[*from] < columns[*to] {
            links.push((last, *to));
        }
    }
    let rows = rows(&columns, &links);
    let place = |node: usize| Place { column: columns[node], row: rows[node] };
    Layout {
        places: (0..count).map(place).collect(),
        ways: ways.into_iter().map(|way| way.into_iter().map(place).collect()).collect(),
    }
}

/// Returns the row of each node: the middle of its neighbours, alternately those on the left and on the right.
fn rows(columns: &[usize], links: &[(usize, usize)]) -> Vec<usize> {
    let (mut left, mut right) = (vec![Vec::new(); columns.len()], vec![Vec::new(); columns.len()]);
    for (from, to) in links {
        right[*from].push(*to);
        left[*to].push(*from);
    }
    let width = columns.iter().max().map_or(0, |last| last + 1);
    let mut order: Vec<Vec<usize>> = vec![Vec::new(); width];
    let mut rows = vec![0; columns.len()];
    for (node, column) in columns.iter().enumerate() {
        rows[node] = order[*column].len();
        order[*column].push(node);
    }
    for sweep in 0..6 {
        let from_left = sweep % 2 == 0;
        let beside = if from_left { &left } else { &right };
        for step in 0..width {
            let column = &mut order[if from_left { step } else { width - 1 - step }];
            column.sort_by_cached_key(|node| {
                let (sum, count) =
                    beside[*node].iter().fold((0, 0), |(sum, count), other| (sum + rows[*other], count + 1));
                // In thousandths of a row.
                (sum * 1_000_usize).checked_div(count).unwrap_or(rows[*node] * 1_000)
            });
            for (row, node) in column.iter().enumerate() {
                rows[*node] = row;
            }
        }
    }
    rows
}

/// Returns the edges without those that close a cycle. Edges near the start of the messages are kept first.
fn forward(count: usize, edges: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let distances = distances(count, edges);
    let mut near_first = edges.to_vec();
    near_first.sort_by_key(|(from, _)| distances[*from]);
    let mut forward: Vec<(usize, usize)> = Vec::with_capacity(edges.len());
    for (from, to) in near_first {
        if !reaches(count, &forward, to, from) {
            forward.push((from, to));
        }
    }
    forward
}

/// Returns the distance of each node from a node without senders, or from the first node if there is none.
fn distances(count: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut distances = vec![usize::MAX; count];
    let receives = |node: usize| edges.iter().any(|(from, to)| *to == node && from != to);
    let mut starts: VecDeque<_> = (0..count).filter(|node| !receives(*node)).collect();
    for node in 0..count {
        if starts.is_empty() && distances[node] == usize::MAX {
            starts.push_back(node);
        }
        starts.iter().for_each(|node| distances[*node] = 0);
        while let Some(node) = starts.pop_front() {
            for (_, to) in edges.iter().filter(|edge| edge.0 == node) {
                if distances[*to] == usize::MAX {
                    distances[*to] = distances[node] + 1;
                    starts.push_back(*to);
                }
            }
        }
    }
    distances
}

fn reaches(count: usize, edges: &[(usize, usize)], from: usize, to: usize) -> bool {
    let mut seen = vec![false; count];
    let mut waiting = VecDeque::from([from]);
    while let Some(node) = waiting.pop_front() {
        if node == to {
            return true;
        }
        if !std::mem::replace(&mut seen[node], true) {
            waiting.extend(edges.iter().filter(|edge| edge.0 == node).map(|edge| edge.1));
        }
    }
    false
}

/// Returns the length of the longest path to each node; the edges contain no cycles.
fn columns(count: usize, forward: &[(usize, usize)]) -> Vec<usize> {
    let mut columns = vec![0; count];
    // The longest path has fewer steps than there are nodes.
    for _ in 0..count {
        let mut changed = false;
        for (from, to) in forward {
            if columns[*to] <= columns[*from] {
                columns[*to] = columns[*from] + 1;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::{Layout, layout};
    use std::collections::HashSet;

    fn columns(layout: &Layout) -> Vec<usize> {
        layout.places.iter().map(|place| place.column).collect()
    }

    #[test]
    fn who_sends_is_left_of_who_receives() {
        assert_eq!(columns(&layout(4, &[(0, 1), (1, 2), (0, 2), (2, 3)])), [0, 1, 2, 3]);
        assert_eq!(columns(&layout(3, &[(0, 2), (1, 2)])), [0, 0, 1]);
        assert_eq!(layout(0, &[]).places, []);
    }

    #[test]
    fn an_answer_leads_back_to_who_asked() {
        // 0 answers 1, which got the order from 2 and passes it on to 3.
        assert_eq!(columns(&layout(4, &[(0, 1), (1, 0), (2, 1), (1, 3)])), [2, 1, 0, 2]);
    }

    #[test]
    fn of_a_circle_the_weakest_edge_leads_back() {
        assert_eq!(columns(&layout(3, &[(0, 1), (1, 2), (2, 0)])), [0, 1, 2]);
        assert_eq!(columns(&layout(2, &[(0, 1), (1, 0), (1, 1)])), [0, 1]);
    }

    #[test]
    fn lines_that_need_not_cross_do_not() {
        let Layout { places, .. } = layout(4, &[(0, 3), (1, 2)]);
        assert_eq!(places[0].row, places[3].row);
        assert_eq!(places[1].row, places[2].row);
    }

    #[test]
    fn a_long_line_passes_between_the_nodes() {
        let Layout { places, ways } = layout(4, &[(0, 1), (1, 2), (2, 3), (0, 3)]);
        assert_eq!(ways[3].iter().map(|place| place.column).collect::<Vec<_>>(), [1, 2]);
        assert!(ways[3].iter().all(|place| !places.contains(place)));
        assert_eq!(ways[0], []);
    }

    #[test]
    fn thirty_nodes_that_all_talk_have_a_place_each() {
        let edges: Vec<_> = (0..30).flat_map(|from| (0..30).map(move |to| (from, to))).collect();
        let Layout { places, .. } = layout(30, &edges);
        let distinct: HashSet<_> = places.iter().map(|place| (place.column, place.row)).collect();
        assert_eq!(distinct.len(), 30);
    }
}
