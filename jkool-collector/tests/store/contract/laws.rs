//! All ways to ask agree, for any entities and any filter.

use super::aggregates;
use super::generated::{NOW, entity, filter};
use super::place::Place;
use crate::common::records;
use jkool_collector::{EntityId, Filter, Stored};
use proptest::test_runner::{Config, TestRunner};

fn ids(stored: &[Stored]) -> Vec<EntityId> {
    stored.iter().map(|stored| stored.id).collect()
}

pub(crate) fn all_ways_to_ask_agree(place: &dyn Fn() -> Option<Place>, cases: u32) {
    let entities = proptest::collection::vec(entity(), 0..60);
    let filters = proptest::collection::vec(filter(), 1..12);
    let questions = proptest::collection::vec(aggregates::question(), 1..12);
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(cases) });
    let law = |(entities, filters, questions, page): (Vec<String>, Vec<Filter>, Vec<aggregates::Question>, usize)| {
        if let Some(place) = place() {
            check(&place, &entities, &filters, &questions, page);
        }
        Ok(())
    };
    runner.run(&(entities, filters, questions, 7..20_usize), law).unwrap();
}

fn check(place: &Place, entities: &[String], filters: &[Filter], questions: &[aggregates::Question], page: usize) {
    let store = place.open();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(store.append(records(entities, NOW))).unwrap();
    let ask = |reader: &jkool_collector::Reader<'_>| {
        let all = reader.find(&Filter::default(), 1_000, None, NOW)?;
        assert_eq!(all.len(), entities.len());
        assert!(all.windows(2).all(|pair| pair[0].time >= pair[1].time), "the youngest come first");
        for (filter, question) in filters.iter().zip(questions.iter().cycle()) {
            let wanted: Vec<_> = all.iter().filter(|stored| filter.matches(stored, NOW)).cloned().collect();
            let expected = ids(&wanted);
            assert_eq!(ids(&reader.find(filter, 1_000, None, NOW)?), expected, "{filter:?}");
            // A url, or a person who copies it, says the same.
            let mut written = filter.clone();
            written.expression = filter.expression.to_string().parse().unwrap();
            assert_eq!(ids(&reader.find(&written, 1_000, None, NOW)?), expected, "{}", filter.expression);
            // Page by page, either way.
            let mut paged = Vec::new();
            while let found @ [_, ..] = &*reader.find(filter, page, paged.last().copied(), NOW)? {
                paged.extend(ids(found));
            }
            assert_eq!(paged, expected, "{filter:?}");
            let mut paged = Vec::new();
            while let found @ [_, ..] = &*reader.find_after(filter, page, paged.last().copied(), NOW)? {
                paged.extend(ids(found));
            }
            paged.reverse();
            assert_eq!(paged, expected, "{filter:?}");
            let counted = reader.histogram(filter, 10, NOW)?;
            let total: u64 = counted.iter().map(|bucket| bucket.severities.total()).sum();
            // Counts are by the second, and so are all times here.
            assert_eq!(total, expected.len() as u64, "{filter:?}");
            for top in [reader.top_operations(filter, 9, NOW)?, reader.top_sources(filter, 9, NOW)?] {
                let total: u64 = top.iter().map(|top| top.severities.total()).sum();
                assert_eq!(total, expected.len() as u64, "{filter:?}");
            }
            let rows = reader.aggregate(filter, &question.aggregation(), NOW)?;
            question.check(&rows, &wanted, &all);
        }
        Ok(())
    };
    store.read_now(ask).unwrap();
}
