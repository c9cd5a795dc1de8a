//! Delivery's decisions, without I/O and without waiting.

use super::{Batch, Delivery, Notice, Permit, STRAY, Settled, State, Trouble};
use crate::delivery::retry::RetryPolicy;
use crate::queue::ledger::End;
use crate::queue::mark::Mark;
use crate::report::loss::LossReason;
use jkool_transport::{Disposition, ErrorKind, Failure, Kind, Outcome, Payload, Receipt, TransportError};
use proptest::prelude::{Just, Strategy, any, prop, prop_oneof, proptest};
use std::time::{Duration, Instant};

mod attempts;
mod isolate;
mod link;
mod verdicts;

fn mark(number: usize) -> Mark {
    Mark { weight: number, ..Mark::default() }
}

/// Each payload's mark carries its number as the weight.
fn batch(numbers: impl IntoIterator<Item = usize>) -> Batch {
    let mut batch = Batch::default();
    for number in numbers {
        let body = format!(r#"{{"operation":"{number}"}}"#);
        batch.push(Payload::new(Kind::Event, body), mark(number));
    }
    batch
}

fn numbers(batch: &Batch) -> Vec<usize> {
    batch.marks.iter().map(|mark| mark.weight).collect()
}

fn delivery(window: usize) -> Delivery {
    Delivery::new(RetryPolicy::default(), window, fastrand::Rng::with_seed(7))
}

fn failure(disposition: Disposition) -> Failure {
    Failure::new(disposition, TransportError::new(ErrorKind::Answer, "no"))
}

const RETRY: Disposition = Disposition::Retry { after: None };

fn settle(delivery: &mut Delivery, batch: Batch, disposition: Option<Disposition>, now: Instant) -> Settled {
    let ticket = delivery.start(now);
    let len = batch.len();
    let receipt = match disposition {
        Some(disposition) => Receipt::failed(len, failure(disposition)),
        None => Receipt::delivered(len),
    };
    settled(delivery.settle(ticket, batch, receipt, now))
}

/// With what ended as a whole among the rest.
fn settled(mut settled: Settled) -> Settled {
    let delivered = std::mem::take(&mut settled.delivered).marks.into_iter();
    settled.ended.extend(delivered.map(|mark| (mark, End::Delivered)));
    settled
}

fn resend(delivery: &mut Delivery, now: Instant) -> Batch {
    match delivery.permit(now) {
        Permit::Resend(batch) => batch,
        other => panic!("expected something to send again, got {other:?}"),
    }
}

/// What is sent when there is nothing fresh.
fn next(delivery: &mut Delivery, now: Instant) -> Option<Batch> {
    match delivery.permit(now) {
        Permit::Resend(batch) => Some(batch),
        Permit::Fresh => delivery.instead(now),
        Permit::Wait { .. } => None,
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Condition {
    Running,
    Passing,
    Paused,
    Refused,
}

fn condition(delivery: &Delivery) -> Condition {
    match delivery.trouble() {
        None => Condition::Running,
        Some(Trouble::Passing(_)) => Condition::Passing,
        Some(Trouble::Misconfigured(_)) => Condition::Paused,
        Some(Trouble::Refused(_)) => Condition::Refused,
    }
}

fn wait(delivery: &mut Delivery, now: Instant) -> Duration {
    match delivery.permit(now) {
        Permit::Wait { until: Some(until) } => until - now,
        other => panic!("expected a wait, got {other:?}"),
    }
}

#[test]
fn what_is_delivered_ends() {
    let now = crate::emit::clock::now();
    let settled = settle(&mut delivery(1), batch([1, 2]), None, now);
    assert!(settled.ended.iter().all(|(_, end)| *end == End::Delivered));
    assert_eq!(settled.ended.len(), 2);
}

#[test]
fn a_failed_batch_is_sent_again_before_anything_new_with_the_same_bytes() {
    let (mut delivery, now) = (delivery(1), crate::emit::clock::now());
    let sent = batch([1, 2]);
    let bytes = sent.payloads.clone();
    assert!(settle(&mut delivery, sent, Some(RETRY), now).ended.is_empty());
    let later = now + wait(&mut delivery, now);
    let again = resend(&mut delivery, later);
    assert_eq!(again.payloads, bytes);
}

#[test]
fn waits_grow_with_failures_in_a_row_and_a_success_clears_them() {
    let (mut delivery, mut now) = (delivery(1), crate::emit::clock::now());
    let mut again = batch([1]);
    for failures in 1..=12_u32 {
        settle(&mut delivery, again, Some(RETRY), now);
        let waited = wait(&mut delivery, now);
        let bound = Duration::from_millis(250 << (failures - 1).min(7)).min(Duration::from_secs(30));
        assert!(waited >= Duration::from_millis(10) && waited <= bound, "{waited:?} after {failures} failures");
        now += waited;
        again = resend(&mut delivery, now);
    }
    settle(&mut delivery, again, None, now);
    settle(&mut delivery, batch([2]), Some(RETRY), now);
    assert!(wait(&mut delivery, now) <= Duration::from_millis(250));
}

#[test]
fn the_server_is_left_alone_as_long_as_it_asked() {
    let (mut delivery, now) = (delivery(1), crate::emit::clock::now());
    let after = Some(Duration::from_secs(7));
    settle(&mut delivery, batch([1]), Some(Disposition::Retry { after }), now);
    let waited = wait(&mut delivery, now);
    assert!(waited >= Duration::from_secs(7) && waited < Duration::from_secs(8));
}

#[test]
fn what_an_older_send_is_asked_for_counts_too() {
    let (mut delivery, now) = (delivery(2), crate::emit::clock::now());
    let (first, second) = (delivery.start(now), delivery.start(now));
    delivery.settle(first, batch([1]), Receipt::failed(1, failure(RETRY)), now);
    assert!(wait(&mut delivery, now) <= Duration::from_millis(250));
    let after = Some(Duration::from_secs(7));
    let busy = Receipt::failed(1, failure(Disposition::Retry { after }));
    delivery.settle(second, batch([2]), busy, now);
    let waited = wait(&mut delivery, now);
    assert!(waited >= Duration::from_secs(7) && waited < Duration::from_secs(8), "{waited:?}");
}

#[test]
fn after_a_wait_one_send_tries_and_the_window_opens_when_it_gets_through() {
    let (mut delivery, now) = (delivery(8), crate::emit::clock::now());
    let tickets: Vec<_> = (0..3).map(|_| delivery.start(now)).collect();
    for (number, ticket) in tickets.into_iter().enumerate() {
        delivery.settle(ticket, batch([number]), Receipt::failed(1, failure(RETRY)), now);
    }
    // Three failures of one moment are one failure.
    let waited = wait(&mut delivery, now);
    assert!(waited <= Duration::from_millis(250), "{waited:?}");
    let now = now + waited;
    let trial = resend(&mut delivery, now);
    let ticket = delivery.start(now);
    assert!(matches!(delivery.permit(now), Permit::Wait { until: None }));
    delivery.settle(ticket, trial, Receipt::delivered(1), now);
    resend(&mut delivery, now);
    delivery.start(now);
    resend(&mut delivery, now);
    delivery.start(now);
    assert!(matches!(delivery.permit(now), Permit::Fresh));
    delivery.start(now);
    delivery.start(now);
    // The failure has halved the window of eight; a success has not yet made it five.
    assert!(matches!(delivery.permit(now), Permit::Wait { until: None }));
}

#[test]
fn a_success_that_started_before_the_failure_does_not_clear_it() {
    let (mut delivery, now) = (delivery(2), crate::emit::clock::now());
    let (failing, older) = (delivery.start(now), delivery.start(now));
    delivery.settle(failing, batch([1]), Receipt::failed(1, failure(RETRY)), now);
    delivery.settle(older, batch([2]), Receipt::delivered(1), now);
    assert!(matches!(delivery.permit(now), Permit::Wait { until: Some(_) }));
}

#[test]
fn misconfigured_keeps_everything_says_it_once_and_says_when_it_works_again() {
    let (mut delivery, mut now) = (delivery(4), crate::emit::clock::now());
    let mut again = batch([1, 2]);
    // It may be one bad server of many.
    for _ in 1..STRAY {
        assert!(settle(&mut delivery, again, Some(Disposition::Misconfigured), now).notice.is_none());
        assert!(matches!(delivery.trouble(), Some(Trouble::Passing(_))));
        let waited = wait(&mut delivery, now);
        assert!(waited <= Duration::from_millis(500), "{waited:?}");
        now += waited;
        again = resend(&mut delivery, now);
    }
    for round in 0..3_u32 {
        let settled = settle(&mut delivery, again, Some(Disposition::Misconfigured), now);
        assert!(settled.ended.is_empty());
        assert_eq!(matches!(settled.notice, Some(Notice::Paused(_))), round == 0);
        let waited = wait(&mut delivery, now);
        let bound = Duration::from_secs(30 << round);
        assert!(waited <= bound && waited >= bound.mul_f64(0.79), "{waited:?}");
        now += waited;
        again = resend(&mut delivery, now);
    }
    let settled = settle(&mut delivery, again, None, now);
    assert!(matches!(settled.notice, Some(Notice::Resumed)));
    assert_eq!(settled.ended.len(), 2);
}

#[test]
fn a_stray_answer_among_good_ones_pauses_nothing() {
    let (mut delivery, mut now) = (delivery(1), crate::emit::clock::now());
    let start = now;
    let mut delivered = 0;
    for number in 0..300 {
        let mut sending = batch([number]);
        // Each third one comes to the bad server.
        if number % 3 == 0 {
            assert!(settle(&mut delivery, sending, Some(Disposition::Misconfigured), now).notice.is_none());
            now += wait(&mut delivery, now);
            sending = resend(&mut delivery, now);
        }
        delivered += settle(&mut delivery, sending, None, now).ended.len();
    }
    assert_eq!(delivered, 300);
    assert!(now - start < Duration::from_secs(30), "{:?}", now - start);
}

#[test]
fn trouble_says_why_nothing_gets_through_until_something_does() {
    let (mut delivery, now) = (delivery(1), crate::emit::clock::now());
    assert!(delivery.trouble().is_none());
    settle(&mut delivery, batch([1]), Some(RETRY), now);
    assert!(matches!(delivery.trouble(), Some(Trouble::Passing(_))));
    for _ in 0..STRAY {
        settle(&mut delivery, batch([2]), Some(Disposition::Misconfigured), now);
    }
    settle(&mut delivery, batch([3]), Some(RETRY), now);
    assert!(matches!(delivery.trouble(), Some(Trouble::Misconfigured(_))));
    let settled = settle(&mut delivery, batch([4]), None, now);
    assert!(matches!(settled.notice, Some(Notice::Resumed)));
    assert!(delivery.trouble().is_none());
}

#[test]
fn a_wait_can_be_cut_short() {
    let (mut delivery, now) = (delivery(4), crate::emit::clock::now());
    settle(&mut delivery, batch([1]), Some(Disposition::Misconfigured), now);
    assert!(matches!(delivery.permit(now), Permit::Wait { .. }));
    delivery.try_now(now);
    assert_eq!(numbers(&resend(&mut delivery, now)), [1]);
    delivery.start(now);
    assert!(matches!(delivery.permit(now), Permit::Wait { until: None }));
}

#[test]
fn a_refused_event_is_found_without_a_wait_and_the_rest_gets_through_in_few_requests() {
    for poison in [0, 1, 137, 498, 499] {
        let (mut delivery, now) = (delivery(1), crate::emit::clock::now());
        let (mut delivered, mut rejected, mut requests) = (Vec::new(), Vec::new(), 0);
        // What comes later gives the last proofs.
        let mut fresh: Vec<Batch> = (500..530).rev().map(|number| batch([number])).collect();
        let mut next = Some(batch(0..500));
        while let Some(sending) = next.take() {
            requests += 1;
            let refused = numbers(&sending).contains(&poison);
            for (mark, end) in settle(&mut delivery, sending, refused.then_some(Disposition::Rejected), now).ended {
                match end {
                    End::Delivered => delivered.push(mark.weight),
                    End::Dropped(reason) => rejected.push((mark.weight, reason)),
                }
            }
            next = match delivery.permit(now) {
                Permit::Resend(batch) => Some(batch),
                _ => fresh.pop(),
            };
        }
        assert_eq!(rejected, [(poison, LossReason::Rejected)]);
        assert_eq!(delivered, (0..530).filter(|number| *number != poison).collect::<Vec<_>>());
        assert!(requests <= 2 * 9 + 1 + 30 + 20, "{requests} requests");
    }
}

#[test]
fn an_event_that_is_too_large_is_cut_until_it_fits_or_dropped() {
    let (mut delivery, now) = (delivery(1), crate::emit::clock::now());
    let body = format!(r#"{{"type":"EVENT","msg-text":"{}"}}"#, "x".repeat(100_000));
    let mut large = Batch::default();
    large.push(Payload::new(Kind::Event, body), mark(1));
    assert!(settle(&mut delivery, large, Some(Disposition::TooLarge), now).ended.is_empty());
    // It may be that the server answers so to everything, until others get through.
    let (mut sizes, mut ended) = (Vec::new(), 0);
    for other in 100..140 {
        settle(&mut delivery, batch([other]), None, now);
        while let Permit::Resend(sending) = delivery.permit(now) {
            let size = sending.payloads[0].body().len();
            sizes.push(size);
            let answer = (size > 30_000).then_some(Disposition::TooLarge);
            ended += settle(&mut delivery, sending, answer, now).ended.len();
        }
    }
    sizes.dedup();
    let halves: Vec<usize> = sizes.iter().map(|size| size / 10_000).collect();
    assert_eq!((ended, halves), (1, vec![10, 5, 2]));

    assert!(settle(&mut delivery, batch([1]), Some(Disposition::TooLarge), now).ended.is_empty());
    let mut settled = Settled::default();
    for other in 3..33 {
        settle(&mut delivery, batch([other]), None, now);
        if let Permit::Resend(again) = delivery.permit(now) {
            assert!(settled.ended.is_empty());
            settled = settle(&mut delivery, again, Some(Disposition::TooLarge), now);
        }
    }
    assert_eq!(settled.ended[0].1, End::Dropped(LossReason::TooLarge));
    let [letter] = settled.dead_letters.as_slice() else { panic!("one dead letter") };
    assert_eq!((letter.reason, letter.payload.body()), (LossReason::TooLarge, br#"{"operation":"1"}"#.as_ref()));
}

#[test]
fn a_batch_that_is_too_large_is_halved_and_not_cut() {
    let (mut delivery, now) = (delivery(1), crate::emit::clock::now());
    settle(&mut delivery, batch(0..4), Some(Disposition::TooLarge), now);
    assert_eq!(numbers(&resend(&mut delivery, now)), [0, 1]);
    assert_eq!(numbers(&resend(&mut delivery, now)), [2, 3]);
}

#[test]
fn a_batch_that_is_late_is_halved_and_what_follows_is_smaller() {
    let (mut delivery, mut now) = (delivery(1), crate::emit::clock::now());
    let late = || Failure::new(RETRY, TransportError::new(ErrorKind::Timeout, "late")).in_doubt();
    assert_eq!(delivery.batch_size(512), 512);
    let ticket = delivery.start(now);
    delivery.settle(ticket, batch(0..512), Receipt::failed(512, late()), now);
    assert_eq!(delivery.batch_size(512), 256);
    // The line takes a hundred at a time.
    let mut delivered = Vec::new();
    while delivered.len() < 512 {
        now += wait_at_most(&mut delivery, now);
        let again = resend(&mut delivery, now);
        let ticket = delivery.start(now);
        let receipt =
            if again.len() > 100 { Receipt::failed(again.len(), late()) } else { Receipt::delivered(again.len()) };
        let settled = settled(delivery.settle(ticket, again, receipt, now));
        delivered.extend(settled.ended.into_iter().map(|(mark, _)| mark.weight));
    }
    assert_eq!(delivered, (0..512).collect::<Vec<_>>());
    assert!((64..100).contains(&delivery.batch_size(512)), "{}", delivery.batch_size(512));
    assert_eq!(delivery.batch_size(10), 10);
}

/// How long to wait, if at all.
fn wait_at_most(delivery: &mut Delivery, now: Instant) -> Duration {
    match delivery.state {
        State::Waiting { until, .. } => until.saturating_duration_since(now),
        _ => Duration::ZERO,
    }
}

#[test]
fn a_batch_that_is_partly_delivered_is_sent_again_in_part() {
    let (mut delivery, now) = (delivery(1), crate::emit::clock::now());
    let ticket = delivery.start(now);
    let outcomes = vec![
        Outcome::Delivered,
        Outcome::Failed(failure(Disposition::Rejected)),
        Outcome::Failed(failure(RETRY).in_doubt()),
        Outcome::Failed(failure(RETRY)),
    ];
    let settled = settled(delivery.settle(ticket, batch(1..=4), Receipt::new(outcomes), now));
    let ended: Vec<_> = settled.ended.iter().map(|(mark, end)| (mark.weight, *end)).collect();
    assert_eq!(ended, [(1, End::Delivered), (2, End::Dropped(LossReason::Rejected))]);
    assert_eq!(settled.maybe_duplicated, 1);
    let later = now + wait(&mut delivery, now);
    assert_eq!(numbers(&resend(&mut delivery, later)), [3, 4]);
}

#[test]
fn a_receipt_that_is_too_short_delivers_only_what_it_names() {
    let (mut delivery, now) = (delivery(1), crate::emit::clock::now());
    let ticket = delivery.start(now);
    let settled = settled(delivery.settle(ticket, batch(1..=3), Receipt::delivered(1), now));
    assert_eq!((settled.ended.len(), settled.maybe_duplicated), (1, 2));
    let later = now + wait(&mut delivery, now);
    assert_eq!(numbers(&resend(&mut delivery, later)), [2, 3]);
}

fn outcome() -> impl Strategy<Value = Outcome> {
    let failed = prop_oneof![
        2 => Just(failure(RETRY)),
        6 => Just(failure(RETRY).in_doubt().content_in_doubt()),
        1 => (0..10_u64).prop_map(|secs| failure(Disposition::Retry { after: Some(Duration::from_secs(secs)) })),
        1 => Just(failure(Disposition::Misconfigured)),
        1 => Just(failure(Disposition::Rejected)),
        1 => Just(failure(Disposition::TooLarge)),
    ];
    prop_oneof![1 => Just(Outcome::Delivered), 3 => failed.prop_map(Outcome::Failed)]
}

proptest! {
    /// Whatever the transport answers, in whatever order sends come back: every event ends exactly once, nothing is sent
    /// during a wait, and at most the window is under way.
    #[test]
    fn every_event_ends_exactly_once(
        window in 1..5_usize,
        steps in prop::collection::vec(
            (any::<prop::sample::Index>(), prop::collection::vec(outcome(), 1..5), 0..40_000_u64, any::<bool>()), 1..120,
        ),
    ) {
        let (mut delivery, mut now) = (delivery(window), crate::emit::clock::now());
        let (mut created, mut ended, mut under_way) = (0_usize, Vec::new(), Vec::new());
        for (pick, outcomes, passed, has_fresh) in steps {
            now += Duration::from_millis(passed);
            loop {
                match delivery.permit(now) {
                    Permit::Resend(batch) => under_way.push((delivery.start(now), batch)),
                    Permit::Fresh if has_fresh => {
                        under_way.push((delivery.start(now), batch(created..created + 4)));
                        created += 4;
                    }
                    Permit::Fresh => {
                        let Some(suspect) = delivery.instead(now) else { break };
                        under_way.push((delivery.start(now), suspect));
                    }
                    Permit::Wait { until } => {
                        assert!(until.is_none_or(|until| until > now));
                        break;
                    }
                }
                assert!(under_way.len() < 2 * window);
            }
            if under_way.is_empty() {
                continue;
            }
            let (ticket, batch) = under_way.swap_remove(pick.index(under_way.len()));
            let receipt = Receipt::new(outcomes.into_iter().cycle().take(batch.len()).collect());
            let settled = settled(delivery.settle(ticket, batch, receipt, now));
            ended.extend(settled.ended.into_iter().map(|(mark, _)| mark.weight));
            let kept: usize = delivery.kept().map(|batch| batch.len()).sum();
            let sent: usize = under_way.iter().map(|(_, batch)| batch.len()).sum();
            assert_eq!(ended.len() + kept + sent, created);
        }
        // The server recovers: what is left gets through, and nothing twice.
        for (ticket, batch) in under_way {
            let receipt = Receipt::delivered(batch.len());
            let settled = settled(delivery.settle(ticket, batch, receipt, now));
            ended.extend(settled.ended.into_iter().map(|(mark, _)| mark.weight));
        }
        loop {
            now += Duration::from_secs(1000);
            let Some(batch) = next(&mut delivery, now) else { break };
            let settled = settle(&mut delivery, batch, None, now);
            ended.extend(settled.ended.into_iter().map(|(mark, _)| mark.weight));
        }
        ended.sort_unstable();
        assert_eq!(ended, (0..created).collect::<Vec<_>>());
    }
}
