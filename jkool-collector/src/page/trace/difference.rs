//! The differences of two traces, as a tree of operations. Without I/O.

use super::span::name;
use super::tree::Trace;
use jkool_model::Severity;
use std::collections::HashMap;

/// An operation, below the same operations in both traces.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Difference<'a> {
    pub(super) name: &'a str,
    pub(super) depth: usize,
    /// The parts of the first and the second trace.
    pub(super) parts: [Option<Part>; 2],
}

/// The steps of an operation in a trace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) count: u64,
    pub(super) errors: u64,
    /// The total duration in microseconds.
    pub(super) took: i64,
}

impl Difference<'_> {
    /// Returns how much longer it took in the other trace, in microseconds; a missing part counts as 0.
    pub(super) fn longer(&self) -> i64 {
        let [one, other] = self.parts.map(|part| part.map_or(0, |part| part.took));
        other.saturating_sub(one)
    }
}

/// Returns the operations of both traces, in the order of the first one. Those that are only in the second follow their
/// siblings.
pub(super) fn differences<'a>(one: &Trace<'a>, other: &Trace<'a>) -> Vec<Difference<'a>> {
    let mut nodes: Vec<Difference<'a>> = Vec::new();
    let mut children: Vec<Vec<usize>> = Vec::new();
    let mut roots = Vec::new();
    let mut places: HashMap<(Option<usize>, &'a str), usize> = HashMap::new();
    for (side, trace) in [one, other].into_iter().enumerate() {
        // The node of each step.
        let mut of_steps: Vec<usize> = Vec::with_capacity(trace.steps.len());
        for step in &trace.steps {
            let (name, above) = (name(&step.stored.entity), step.parent.map(|parent| of_steps[parent]));
            let place = *places.entry((above, name)).or_insert_with(|| {
                nodes.push(Difference { name, depth: step.depth, parts: [None; 2] });
                children.push(Vec::new());
                let place = nodes.len() - 1;
                above.map_or(&mut roots, |above| &mut children[above]).push(place);
                place
            });
            let part = nodes[place].parts[side].get_or_insert_default();
            part.count += 1;
            part.errors += u64::from(step.severity() >= Severity::Error);
            part.took = part.took.saturating_add(step.took());
            of_steps.push(place);
        }
    }
    let mut order = Vec::with_capacity(nodes.len());
    let mut waiting: Vec<usize> = roots.into_iter().rev().collect();
    while let Some(place) = waiting.pop() {
        order.push(place);
        waiting.extend(children[place].iter().rev());
    }
    let mut nodes: Vec<Option<Difference<'a>>> = nodes.into_iter().map(Some).collect();
    order.into_iter().filter_map(|place| nodes[place].take()).collect()
}

#[cfg(test)]
mod tests {
    use super::differences;
    use crate::page::trace::testing::{entities, stored};
    use crate::page::trace::tree::{Step, Trace};
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    proptest! {
        #[test]
        fn each_step_of_any_two_traces_is_counted_once(one in entities(), other in entities()) {
            let traces = [Trace::of(&one), Trace::of(&other)];
            let rows = differences(&traces[0], &traces[1]);
            for (side, trace) in traces.iter().enumerate() {
                let parts = || rows.iter().filter_map(|row| row.parts[side]);
                prop_assert_eq!(parts().map(|part| part.count).sum::<u64>(), trace.steps.len() as u64);
                prop_assert_eq!(parts().map(|part| part.took).sum::<i64>(), trace.steps.iter().map(Step::took).sum::<i64>());
            }
            // Each row is at most one level deeper than the one before, and a trace does not differ from itself.
            prop_assert!(rows.first().is_none_or(|first| first.depth == 0));
            prop_assert!(rows.windows(2).all(|pair| pair[1].depth <= pair[0].depth + 1));
            prop_assert!(differences(&traces[0], &traces[0]).iter().all(|row| row.parts[0] == row.parts[1]));
        }
    }

    #[test]
    fn operations_are_compared_where_they_are() {
        let one = stored(&[
            r#"{"operation":"Order","tracking-id":"1","time-usec":1000,"elapsed-time-usec":900}"#,
            r#"{"operation":"pay","tracking-id":"2","parent-id":"1","time-usec":400,"elapsed-time-usec":300}"#,
            r#"{"operation":"ask","tracking-id":"3","parent-id":"2","time-usec":300,"elapsed-time-usec":100}"#,
            r#"{"operation":"ship","tracking-id":"4","parent-id":"1","time-usec":900,"elapsed-time-usec":100}"#,
        ]);
        let other = stored(&[
            r#"{"operation":"Order","tracking-id":"1","time-usec":9000,"elapsed-time-usec":2000}"#,
            r#"{"operation":"pay","tracking-id":"2","parent-id":"1","time-usec":7400,"elapsed-time-usec":300}"#,
            r#"{"operation":"pay","tracking-id":"5","parent-id":"1","time-usec":8400,"elapsed-time-usec":700,"severity":"ERROR"}"#,
            r#"{"operation":"retry","tracking-id":"6","parent-id":"2","time-usec":7300,"elapsed-time-usec":50}"#,
            r#"{"operation":"ask","tracking-id":"7","parent-id":"1","time-usec":8500}"#,
        ]);
        let said = |one: &[_], other: &[_]| {
            let (one, other) = (Trace::of(one), Trace::of(other));
            let said = differences(&one, &other).into_iter().map(|row| {
                let parts =
                    row.parts.map(|part| part.map_or("-".to_owned(), |part| format!("{}x{}", part.count, part.took)));
                format!("{}{} {} {} {}", ".".repeat(row.depth), row.name, parts[0], parts[1], row.longer())
            });
            said.collect::<Vec<_>>()
        };
        let expected = [
            "Order 1x900 1x2000 1100",
            ".pay 1x300 2x1000 700",
            "..ask 1x100 - -100",
            "..retry - 1x50 50",
            ".ship 1x100 - -100",
            ".ask - 1x0 0",
        ];
        assert_eq!(said(&one, &other), expected);
        assert_eq!(said(&one, &one)[0], "Order 1x900 1x900 0");
        assert_eq!(said(&[], &one).len(), 4);
        let (one, other) = (Trace::of(&one), Trace::of(&other));
        let pay = &differences(&one, &other)[1];
        assert_eq!(pay.parts.map(|part| part.map(|part| part.errors)), [Some(0), Some(1)]);
    }
}
