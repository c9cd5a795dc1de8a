//! What becomes of what was acknowledged when VictoriaLogs is away, killed, or refuses it.

use super::place::{Place, append, count, eventually, find};
use super::server::Server;
use crate::common::{numbered, records};
use jkool_collector::{Aggregation, Filter, Record, StoreErrorKind};
use jkool_model::Timestamp;

const NOW: Timestamp = Timestamp::from_usec(1_457_524_800_000_000);

/// How many a question for figures counts.
fn counted(store: &jkool_collector::Store) -> Option<u64> {
    let rows = store.read_now(|reader| reader.aggregate(&Filter::default(), &Aggregation::default(), NOW));
    rows.ok().map(|rows| rows[0].count)
}

#[test]
fn while_the_server_is_away_events_are_taken_and_it_gets_them_later() {
    let Some(mut place) = Place::victoria_logs() else { return };
    let store = place.open();
    append(&store, &records(&numbered(0..10), NOW)).unwrap();
    assert_eq!(count(&store), 10);
    place.server.as_mut().unwrap().kill();
    append(&store, &records(&numbered(10..20), NOW)).unwrap();
    // That it is away is told, by questions and by itself.
    let error = store.read_now(|reader| reader.find(&Filter::default(), 1, None, NOW)).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Server);
    assert!(error.to_string().starts_with("VictoriaLogs at 127.0.0.1:"), "{error}");
    eventually("it is told", || store.troubles().iter().any(|trouble| trouble.contains("waiting in the journal")));
    // A restart in the meantime changes nothing.
    drop(store);
    let store = place.open();
    append(&store, &records(&numbered(20..30), NOW)).unwrap();
    place.server.as_mut().unwrap().go_on();
    eventually("all are there", || counted(&store) == Some(30));
    eventually("all is well", || store.troubles().is_empty());
}

#[test]
fn what_a_killed_server_had_in_memory_is_sent_again_and_nothing_is_there_twice() {
    if let Some(place) = Place::victoria_logs() {
        it_survives(place, |server| server);
    }
}

#[test]
fn what_a_killed_node_of_a_cluster_had_in_memory_is_sent_again() {
    if let Some(place) = Place::cluster() {
        it_survives(place, |server| &mut server.nodes[0]);
    }
}

fn it_survives(mut place: Place, victim: fn(&mut Server) -> &mut Server) {
    let store = place.open();
    for round in 0..4 {
        append(&store, &records(&numbered(round * 100..round * 100 + 100), NOW)).unwrap();
        // The server has them, in memory.
        assert_eq!(counted(&store), Some(round as u64 * 100 + 100));
        let victim = victim(place.server.as_mut().unwrap());
        victim.kill();
        victim.go_on();
        eventually("all are there again", || counted(&store) == Some(round as u64 * 100 + 100));
    }
    assert_eq!(count(&store), 400);
    // What is on its disk leaves the journal, and is not sent again by the next process.
    eventually("the journal is cut off", || place.journal() == 0);
    drop(store);
    let store = place.open();
    assert_eq!((counted(&store), count(&store)), (Some(400), 400));
}

#[test]
fn what_may_have_been_sent_before_a_restart_is_there_once() {
    let Some(place) = Place::victoria_logs() else { return };
    for round in 1..=5_usize {
        let store = place.open();
        append(&store, &records(&numbered(round * 10..round * 10 + 10), NOW)).unwrap();
        // Now before it is sent, now after.
        if round % 2 == 0 {
            assert_eq!(counted(&store), Some(round as u64 * 10));
        }
        drop(store);
    }
    let store = place.open();
    eventually("all are there", || counted(&store) == Some(50));
    assert_eq!(count(&store), 50);
}

#[test]
fn what_was_stored_twice_there_is_found_once() {
    let Some(place) = Place::victoria_logs() else { return };
    let store = place.open();
    append(&store, &records(&numbered(0..40), NOW)).unwrap();
    assert_eq!(counted(&store), Some(40));
    // As if requests had arrived after all.
    let server = place.server.as_ref().unwrap();
    let rows = server.ask("/select/logsql/query", "query={store=\"jkool\"}");
    server.ask("/insert/jsonline?_stream_fields=store&_time_field=_time&_msg_field=_msg", &rows);
    server.ask("/internal/force_flush", "");
    assert_eq!(counted(&store), Some(80), "the server has them twice");
    for limit in [7, 40, 100] {
        let mut paged = Vec::new();
        while let found @ [_, ..] = &*find(&store, limit, paged.last().copied()) {
            paged.extend(found.iter().map(|stored| stored.id));
        }
        assert_eq!(paged.len(), 40, "{limit} at a time");
    }
}

#[test]
fn what_the_server_does_not_keep_is_told_and_kept_here() {
    let Some(place) = Place::victoria_logs() else { return };
    let store = place.open();
    // In the year 2200, and in 2300, which can't be said in nanoseconds.
    let far = [
        r#"{"operation":"far","time-usec":7258118400000000}"#,
        r#"{"operation":"farther","time-usec":10413792000000000}"#,
    ];
    append(&store, &records(&far, NOW)).unwrap();
    append(&store, &records(&numbered(0..10), NOW)).unwrap();
    // Until then they are found.
    assert_eq!(count(&store), 12);
    eventually("it is told", || store.troubles().iter().any(|trouble| trouble.contains("does not keep 2 entities")));
    assert_eq!(place.refused().lines().collect::<std::collections::BTreeSet<_>>(), far.into_iter().collect());
    eventually("the others are there", || counted(&store) == Some(10));
}

#[test]
fn a_full_journal_refuses_more_and_keeps_what_it_has() {
    let Some(mut place) = Place::victoria_logs() else { return };
    let store = place.open();
    place.server.as_mut().unwrap().kill();
    let large = format!(r#"{{"operation":"large","msg-text":"{}"}}"#, "x".repeat(1 << 20));
    let record = || vec![Record::read(large.clone().into(), NOW).unwrap()];
    let mut taken = 0;
    let error = loop {
        match append(&store, &record()) {
            Ok(_) => taken += 1,
            Err(error) => break error,
        }
        assert!(taken < 300, "there is no end");
    };
    assert!(taken > 50, "{taken}");
    assert_eq!(error.kind(), StoreErrorKind::Server);
    place.server.as_mut().unwrap().go_on();
    eventually("all that was taken is there", || counted(&store) == Some(taken));
    eventually("there is room", || append(&store, &record()).is_ok());
}
