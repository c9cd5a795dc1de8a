//! What every store does, asked of each through the public API: of the embedded one, and of VictoriaLogs where it is installed.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "store_contract/aggregates.rs"]
mod aggregates;
mod common;
#[path = "store_contract/generated.rs"]
mod generated;
#[path = "store_contract/laws.rs"]
mod laws;
#[path = "store_contract/place.rs"]
mod place;
#[path = "store_contract/server.rs"]
mod server;

use place::Place;

/// Each law for each store.
macro_rules! contract {
    ($($law:ident),* $(,)?) => {
        mod embedded {
            $(#[test]
            fn $law() {
                super::$law(super::Place::embedded().unwrap());
            })*
        }
        mod victoria_logs {
            $(#[test]
            fn $law() {
                if let Some(place) = super::Place::victoria_logs() {
                    super::$law(place);
                }
            })*
        }
    };
}

contract!(it_opens);

fn it_opens(place: Place) {
    let store = place.open();
    assert_eq!(common::sizes(&store).total(), 0);
}

#[test]
fn all_ways_to_ask_the_embedded_store_agree() {
    laws::all_ways_to_ask_agree(&Place::in_memory, 200);
}

#[test]
fn all_ways_to_ask_victoria_logs_agree() {
    laws::all_ways_to_ask_agree(&Place::victoria_logs, 12);
}
