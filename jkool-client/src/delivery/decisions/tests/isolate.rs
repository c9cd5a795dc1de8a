//! Which event it is over which the server fails, or that it refuses.

use super::link::{Link, doubtful, forbidden, refused};
use super::{Outcome, Permit, RETRY, Receipt, batch, failure, numbers, prop, proptest, settled};
use proptest::prelude::{Just, any, prop_oneof};
use std::time::Duration;

#[test]
fn one_that_the_server_fails_over_is_found_and_the_rest_gets_through_in_few_requests() {
    for (failure, convicts) in [(doubtful(), true), (refused(), true), (forbidden(), false)] {
        for poison in [0, 1, 2, 137, 255, 256, 498, 499] {
            let mut link = Link::new();
            let start = link.now;
            link.send(batch(0..500), Some(failure.clone()));
            link.run(&[poison], &failure, 60);
            assert!(link.now - start < Duration::from_secs(60) || link.delivered.len() == 499);
            let others = (0..500).filter(|number| *number != poison);
            assert_eq!(link.delivered, others.collect::<Vec<_>>(), "in order");
            // What comes later gives the proof.
            link.others(500..530, &[poison], &failure);
            assert_eq!(link.rejected, [poison].repeat(usize::from(convicts)), "{failure:?}");
            assert_eq!(link.delivered.len(), 529);
        }
    }
}

#[test]
fn others_wait_less_than_a_minute_for_one_that_the_server_fails_over() {
    for failure in [doubtful(), refused(), forbidden()] {
        for position in 0..8 {
            let mut link = Link::new();
            let start = link.now;
            link.send(batch(0..8), Some(failure.clone()));
            while link.delivered.len() < 7 {
                link.run(&[position], &failure, 1);
            }
            assert!(link.now - start < Duration::from_secs(10), "{:?}", link.now - start);
            // It is alone for an hour, and then others come.
            let alone = link.now;
            while link.now - alone < Duration::from_secs(3_600) && link.delivery.kept().next().is_some() {
                link.run(&[position], &failure, 1);
            }
            let waiting = link.now;
            assert!(link.resend().is_none());
            assert!(link.now - waiting <= Duration::from_secs(60), "{:?}", link.now - waiting);
        }
    }
}

#[test]
fn one_in_a_batch_that_travels_in_several_requests_is_found() {
    for failure_of_one in [doubtful(), forbidden()] {
        let mut link = Link::new();
        let (start, poison) = (link.now, 5);
        let mut next = Some(batch(0..20));
        while let Some(sending) = next {
            let (sent, ticket) = (numbers(&sending), link.delivery.start(link.now));
            let outcome = |number: &usize| match number.cmp(&poison) {
                _ if !sent.contains(&poison) => Outcome::Delivered,
                std::cmp::Ordering::Less => Outcome::Delivered,
                std::cmp::Ordering::Equal => Outcome::Failed(failure_of_one.clone()),
                // A transport stops there, and has not tried the rest.
                std::cmp::Ordering::Greater => Outcome::Failed(failure(failure_of_one.disposition)),
            };
            let receipt = Receipt::new(sent.iter().map(outcome).collect());
            let settled = settled(link.delivery.settle(ticket, sending, receipt, link.now));
            link.delivered.extend(settled.ended.iter().map(|(mark, _)| mark.weight));
            next = if link.delivered.len() < 19 { link.next() } else { None };
        }
        assert_eq!(link.delivered, (0..20).filter(|number| *number != poison).collect::<Vec<_>>());
        assert!(link.now - start < Duration::from_secs(60), "{:?}", link.now - start);
    }
}

#[test]
fn neighbours_that_all_fail_do_not_hold_up_what_comes_later() {
    for failure in [doubtful(), refused(), forbidden()] {
        let mut link = Link::new();
        let poison: Vec<usize> = (0..64).collect();
        link.send(batch(0..64), Some(failure.clone()));
        for fresh in 64..256 {
            let waiting = link.now;
            while let Some(again) = link.resend() {
                let fails = numbers(&again).iter().any(|number| poison.contains(number));
                link.send(again, fails.then(|| failure.clone()));
            }
            link.send(batch([fresh]), None);
            assert!(link.now - waiting < Duration::from_secs(60), "{:?}", link.now - waiting);
        }
        assert_eq!(link.delivered, (64..256).collect::<Vec<_>>());
    }
}

#[test]
fn after_three_failures_events_are_tried_one_by_one() {
    let mut link = Link::new();
    link.send(batch(0..4), Some(doubtful()));
    for _ in 1..3 {
        let again = link.resend().unwrap();
        assert_eq!(numbers(&again), [0, 1, 2, 3]);
        link.send(again, Some(doubtful()));
    }
    assert_eq!(link.delivery.batch_size(512), 1);
    let first = link.resend().unwrap();
    assert_eq!(numbers(&first), [0]);
    link.send(first, None);
    // It works; and the others, which have failed, are halved when they fail again, without a wait.
    assert_eq!(link.delivery.batch_size(512), 512);
    for (expected, fails) in [(&[1, 2, 3][..], true), (&[1], false), (&[2, 3], false)] {
        let Permit::Resend(part) = link.delivery.permit(link.now) else { panic!("{expected:?}") };
        assert_eq!(numbers(&part), expected);
        link.send(part, fails.then(doubtful));
    }
    assert!(link.next().is_none() && link.rejected.is_empty());
}

#[test]
fn a_failure_of_another_kind_clears_nothing() {
    let mut link = Link::new();
    link.send(batch([1, 2]), Some(doubtful()));
    // A server that breaks down over an event is away for a while.
    for failure in [failure(RETRY), doubtful(), failure(RETRY), doubtful()] {
        let again = link.resend().unwrap();
        assert_eq!(numbers(&again), [1, 2]);
        link.send(again, Some(failure));
    }
    for expected in [1, 2] {
        let alone = link.resend().unwrap();
        assert_eq!(numbers(&alone), [expected]);
        link.send(alone, Some(doubtful()));
    }
    let first = link.next().unwrap();
    link.send(first, Some(failure(RETRY)));
    assert_eq!(link.delivery.resend.len(), 0, "both are set aside");
    assert_eq!(link.kept().len(), 2);
}

#[test]
fn only_what_may_be_the_cause_is_suspected_of_a_batch_delivered_in_part() {
    let mut link = Link::new();
    let ticket = link.delivery.start(link.now);
    let outcomes = [Outcome::Delivered, Outcome::Failed(doubtful()), Outcome::Failed(failure(RETRY))];
    link.delivery.settle(ticket, batch(0..3), Receipt::new(outcomes.into()), link.now);
    for _ in 0..2 {
        let again = link.resend().unwrap();
        assert_eq!(numbers(&again), [1]);
        link.send(again, Some(doubtful()));
    }
    link.run(&[1], &doubtful(), 5);
    link.others(3..33, &[1], &doubtful());
    assert_eq!((link.delivered, link.rejected), ((2..33).collect(), vec![1]));
}

#[test]
fn everything_that_waits_is_kept_in_the_order_in_which_it_is_sent() {
    let mut link = Link::new();
    link.suspect(1);
    link.send(batch([2]), Some(doubtful()));
    link.send(batch([3]), Some(failure(RETRY)));
    assert_eq!(link.kept(), [[3], [1], [2]]);
    link.delivery.window = crate::delivery::window::Window::new(2);
    link.send(batch([4]), None);
    assert_eq!(link.kept(), [[1], [2], [3]]);
    for expected in [1, 2, 3] {
        let sent = link.next().unwrap();
        assert_eq!(numbers(&sent), [expected]);
        link.send(sent, None);
    }
    assert!(link.kept().is_empty());
}

#[test]
fn many_that_the_server_fails_over_are_all_found_while_others_come() {
    for failure in [doubtful(), refused()] {
        let mut link = Link::new();
        link.send(batch(0..8), Some(failure.clone()));
        link.run(&[2, 3, 6, 7], &failure, 100);
        for fresh in 8..140 {
            link.send(batch([fresh]), None);
            link.run(&[2, 3, 6, 7], &failure, 10);
        }
        link.rejected.sort_unstable();
        assert_eq!(link.rejected, [2, 3, 6, 7]);
        assert_eq!(link.delivered.len(), 136);
    }
}

proptest! {
    /// An outage in which everything is answered so loses nothing, and there is no more to make up for than it had tries.
    #[test]
    fn an_outage_loses_nothing_and_leaves_little_behind(
        sizes in prop::collection::vec(1..100_usize, 1..4), tries in 1..400_usize,
        failure in prop_oneof![Just(doubtful()), Just(forbidden()), Just(refused())],
    ) {
        let mut link = Link::new();
        let (mut created, mut batches) = (0, 0);
        let mut sizes = sizes.into_iter();
        for _ in 0..tries {
            let next = link.resend().unwrap_or_else(|| match sizes.next() {
                Some(size) => {
                    created += size;
                    batches += 1;
                    batch(created - size..created)
                }
                None => link.delivery.instead(link.now).unwrap(),
            });
            assert!(link.send(next, Some(failure.clone())).ended.is_empty());
        }
        let start = link.now;
        link.run(&[], &failure, usize::MAX);
        assert!(link.rejected.is_empty());
        assert!(link.sends - tries <= batches + tries);
        assert!(link.now - start <= Duration::from_secs(900), "nothing but the last wait");
        link.delivered.sort_unstable();
        assert_eq!(link.delivered, (0..created).collect::<Vec<_>>());
    }

    /// However many events the server fails over, in whatever way, and wherever they stand: the others get through.
    #[test]
    fn the_others_always_get_through(
        poison in prop::collection::btree_set(0..60_usize, 0..20), sizes in prop::collection::vec(1..20_usize, 6),
        failure in prop_oneof![Just(doubtful()), Just(forbidden()), Just(refused())], shuffled in any::<bool>(),
    ) {
        let poison: Vec<usize> = poison.into_iter().collect();
        let (mut link, mut created) = (Link::new(), 0);
        for size in sizes {
            let size = if shuffled { size } else { 10 };
            let fails = poison.iter().any(|number| (created..created + size).contains(number));
            link.send(batch(created..created + size), fails.then(|| failure.clone()));
            created += size;
            while let Some(again) = link.resend() {
                let fails = numbers(&again).iter().any(|number| poison.contains(number));
                link.send(again, fails.then(|| failure.clone()));
            }
        }
        // Some may wait until something fresh comes.
        link.run(&poison, &failure, 2_000);
        let mut delivered = link.delivered.clone();
        delivered.sort_unstable();
        let innocent: Vec<usize> = (0..created).filter(|number| !poison.contains(number)).collect();
        assert_eq!(delivered, innocent);
        assert!(link.rejected.iter().all(|number| poison.contains(number)));
    }
}
