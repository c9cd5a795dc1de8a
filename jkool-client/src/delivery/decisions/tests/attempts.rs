//! When the next attempt is made, and what it does not wait for.

use super::{
    Batch, Delivery, Disposition, Duration, Permit, RETRY, Receipt, RetryPolicy, batch, delivery, failure, next,
    numbers, resend, settle, wait,
};
use crate::delivery::decisions::{MIN_HURRIED, Ticket};

const HOUR: Duration = Duration::from_secs(3_600);

#[test]
fn who_begins_to_wait_gets_a_try_at_once_and_more_before_the_end() {
    for disposition in [RETRY, Disposition::Misconfigured] {
        let policy = RetryPolicy::default().initial(HOUR).probe(HOUR, HOUR);
        let (mut delivery, start) =
            (Delivery::new(policy.max(HOUR), 1, fastrand::Rng::with_seed(1)), crate::emit::clock::now());
        settle(&mut delivery, batch([1]), Some(disposition), start);
        let deadline = start + Duration::from_secs(11);
        let mut now = start + Duration::from_secs(1);
        delivery.hurry(Some(deadline), Some(deadline), now);
        let mut tries = Vec::new();
        while let Some(again) = next(&mut delivery, now) {
            tries.push((now - start).as_millis());
            settle(&mut delivery, again, Some(disposition), now);
            delivery.hurry(None, Some(deadline), now);
            let waited = wait(&mut delivery, now);
            assert!(waited >= MIN_HURRIED);
            // To look around does not put it off.
            delivery.hurry(None, Some(deadline), now + waited / 2);
            assert_eq!(wait(&mut delivery, now), waited);
            if now + waited >= deadline {
                break;
            }
            now += waited;
        }
        assert_eq!(tries, [1_000, 6_000, 8_500, 9_750, 10_375, 10_687, 10_843]);
    }
}

#[test]
fn many_who_begin_to_wait_do_not_try_more_often_than_one() {
    let (mut delivery, start) = (delivery(1), crate::emit::clock::now());
    let (mut now, mut tries) = (start, 0);
    let mut again = Some(batch([1]));
    while now < start + Duration::from_secs(10) {
        if let Some(batch) = again.take().or_else(|| next(&mut delivery, now)) {
            tries += 1;
            settle(&mut delivery, batch, Some(RETRY), now);
        }
        now += Duration::from_millis(1);
        let deadline = now + Duration::from_millis(5);
        delivery.hurry(Some(deadline), Some(deadline), now);
    }
    assert!((20..=101).contains(&tries), "{tries}");
}

#[test]
fn a_server_that_asked_for_time_gets_it_whoever_waits() {
    let (mut delivery, now) = (delivery(1), crate::emit::clock::now());
    let after = Some(Duration::from_secs(7));
    settle(&mut delivery, batch([1]), Some(Disposition::Retry { after }), now);
    let deadline = Some(now + Duration::from_secs(5));
    delivery.hurry(deadline, deadline, now);
    assert!(wait(&mut delivery, now) >= Duration::from_secs(7));
}

#[test]
fn who_has_more_time_than_the_wait_takes_changes_nothing() {
    let (mut delivery, now) = (delivery(1), crate::emit::clock::now());
    settle(&mut delivery, batch([1]), Some(RETRY), now);
    let (waited, deadline) = (wait(&mut delivery, now), Some(now + HOUR));
    delivery.hurry(deadline, deadline, now);
    assert_eq!(wait(&mut delivery, now), waited);
}

#[test]
fn a_send_that_hangs_is_not_waited_for() {
    let (mut delivery, now) = (delivery(2), crate::emit::clock::now());
    let hung = delivery.start(now);
    settle(&mut delivery, batch([1]), Some(RETRY), now);
    let now = now + wait(&mut delivery, now);
    assert!(!delivery.is_stalled(now));
    let again = resend(&mut delivery, now);
    settle(&mut delivery, again, None, now);
    assert!(matches!(delivery.permit(now), Permit::Fresh));
    // It comes back after all, and nothing is counted twice.
    delivery.settle(hung, batch([2]), Receipt::failed(1, failure(RETRY)), now);
    assert!(delivery.trouble().is_none());
    assert_eq!(numbers(&resend(&mut delivery, now)), [2]);
}

#[test]
fn sends_that_hang_are_limited() {
    let (mut delivery, mut now) = (delivery(2), crate::emit::clock::now());
    let mut under_way = 0;
    for _ in 0..20 {
        // One fails, and all others hang.
        while matches!(delivery.permit(now), Permit::Fresh) {
            delivery.start(now);
            under_way += 1;
        }
        if let Permit::Wait { until: Some(until) } = delivery.permit(now) {
            now = until;
            continue;
        }
        let ticket = Ticket { epoch: delivery.epoch, attempt: delivery.attempt, number: 0, started: now };
        if delivery.in_attempt > 0 {
            delivery.settle(ticket, Batch::default(), Receipt::failed(0, failure(RETRY)), now);
            under_way -= 1;
        }
        assert!(under_way <= 3, "{under_way}");
    }
}

#[test]
fn what_began_before_a_new_token_says_nothing_of_it() {
    let (mut delivery, now) = (delivery(2), crate::emit::clock::now());
    let old = delivery.start(now);
    delivery.try_now(now);
    let refused = Receipt::failed(1, failure(Disposition::Misconfigured));
    let settled = delivery.settle(old, batch([1]), refused, now);
    assert!(settled.notice.is_none() && !delivery.is_paused());
    assert_eq!(numbers(&resend(&mut delivery, now)), [1]);
}
