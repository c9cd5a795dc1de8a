//! What becomes of an event that was set aside, and with what proof.

use super::link::{Link, doubtful, forbidden, refused};
use super::{Condition, Disposition, Failure, LossReason, Permit, RETRY, Receipt, batch, condition, failure, numbers};
use std::time::Duration;

#[test]
fn what_is_set_aside_lets_others_go_first_and_is_tried_when_they_got_through() {
    let mut link = Link::new();
    link.suspect(1);
    assert!(link.resend().is_none(), "something fresh may go");
    let settled = link.send(batch([2]), Some(failure(RETRY)));
    assert_eq!(settled.maybe_duplicated, 0);
    link.is_long_well();
    for trial in 1..=3 {
        let other = link.resend().unwrap_or_else(|| batch([trial + 2]));
        link.send(other, None);
        let suspect = link.resend().unwrap();
        assert_eq!((numbers(&suspect), link.rejected.as_slice()), (vec![1], &[][..]));
        let settled = link.send(suspect, Some(doubtful()));
        // It has nothing to do with the link, and nobody waits.
        assert!(link.delivery.trouble().is_none());
        assert!(matches!(link.delivery.permit(link.now), Permit::Fresh));
        if trial < 3 {
            assert_eq!((settled.ended.len(), settled.maybe_duplicated), (0, 1));
            continue;
        }
        let [letter] = settled.dead_letters.as_slice() else { panic!("one dead letter") };
        assert_eq!((letter.reason, letter.error.to_string()), (LossReason::Rejected, "no".to_owned()));
        assert_eq!(letter.payload.body(), br#"{"operation":"1"}"#);
        // It is not sent again.
        assert_eq!(settled.maybe_duplicated, 0);
    }
    assert_eq!((link.delivered.as_slice(), link.rejected.as_slice()), (&[2, 4, 5][..], &[1][..]));
    assert!(link.next().is_none());
}

#[test]
fn what_is_set_aside_and_gets_through_is_delivered() {
    let mut link = Link::new();
    link.suspect(1);
    link.send(batch([2]), None);
    link.run(&[], &doubtful(), 10);
    assert_eq!(link.delivered, [2, 1]);
}

#[test]
fn what_was_set_aside_makes_nobody_wait_in_a_quiet_time() {
    for failure in [doubtful(), refused(), forbidden()] {
        let mut link = Link::new();
        link.suspect(1);
        link.send(batch([2]), None);
        let start = link.now;
        for tries in 1..20 {
            let again = link.next().unwrap();
            assert_eq!(numbers(&again), [1]);
            link.send(again, Some(failure.clone()));
            assert!(matches!(link.delivery.permit(link.now), Permit::Fresh), "what comes now is sent at once");
            // And yet it is told that nothing gets through.
            assert_eq!(condition(&link.delivery) == Condition::Passing, tries >= 3);
        }
        assert!(link.now - start > Duration::from_secs(60) && link.rejected.is_empty());
        link.send(batch([3]), None);
        assert_eq!(condition(&link.delivery), Condition::Running);
    }
}

#[test]
fn many_that_the_server_hangs_over_take_little_time_from_others() {
    let mut link = Link::new();
    let hangs = Duration::from_secs(30);
    let late = Failure::new(RETRY, jkool_transport::TransportError::new(jkool_transport::ErrorKind::Timeout, "late"));
    let late = late.in_doubt().content_in_doubt();
    let poison: Vec<usize> = (0..20).collect();
    for number in 0..60 {
        let waiting = link.now;
        let mut next = Some(batch([number]));
        // One send at a time: others wait for each that hangs.
        while let Some(sending) = next {
            let fails = numbers(&sending).iter().any(|number| poison.contains(number));
            link.now += if fails { hangs } else { Duration::ZERO };
            link.send(sending, fails.then(|| late.clone()));
            next = link.resend();
        }
        // Itself twice, or one trial.
        assert!(link.now - waiting <= 3 * hangs, "{number}: {:?}", link.now - waiting);
    }
    assert_eq!(link.delivered, (20..60).collect::<Vec<_>>());
}

#[test]
fn an_event_alone_is_tried_for_ever_with_the_usual_waits() {
    for failure in [doubtful(), refused(), forbidden()] {
        let mut link = Link::new();
        link.send(batch([1]), Some(failure.clone()));
        let start = link.now;
        for _ in 0..200 {
            let again = link.next().unwrap();
            assert_eq!(numbers(&again), [1]);
            link.send(again, Some(failure.clone()));
        }
        assert!(link.rejected.is_empty());
        assert!(link.now - start > Duration::from_secs(200 * 5), "{:?}", link.now - start);
        assert!(link.delivery.trouble().is_some());
    }
}

#[test]
fn those_set_aside_take_turns() {
    let mut link = Link::new();
    link.suspect(1);
    link.send(batch([2]), Some(doubtful()));
    for expected in [1, 2, 1, 2] {
        let again = link.next().unwrap();
        assert_eq!(numbers(&again), [expected]);
        link.send(again, Some(doubtful()));
    }
    // When one gets through, it shows that the server works.
    link.run(&[1], &doubtful(), 2);
    assert_eq!(link.delivered, [2]);
}

#[test]
fn one_success_is_one_proof_and_the_first_failure_after_it_uses_it_up() {
    let mut link = Link::new();
    link.suspect(1);
    link.send(batch([2]), Some(doubtful()));
    // Well for a moment, and down again.
    for fresh in 3..5 {
        link.send(batch([fresh]), None);
        link.run(&[1, 2], &doubtful(), 50);
    }
    assert!(link.rejected.is_empty(), "neither was tried three times after a proof");
    for fresh in 5..80 {
        link.send(batch([fresh]), None);
        link.run(&[1, 2], &doubtful(), 50);
    }
    link.rejected.sort_unstable();
    assert_eq!(link.rejected, [1, 2]);
}

#[test]
fn what_was_sent_before_a_failure_proves_nothing() {
    let mut link = Link::new();
    link.suspect(1);
    for _ in 0..5 {
        let old = link.delivery.start(link.now);
        let suspect = link.delivery.instead(link.now).unwrap();
        link.send(suspect, Some(doubtful()));
        link.delivery.settle(old, batch([2]), Receipt::delivered(1), link.now);
        while matches!(link.delivery.permit(link.now), Permit::Wait { .. }) {
            link.now += Duration::from_secs(1);
        }
        assert_eq!(link.kept(), [[1]]);
    }
    assert!(link.rejected.is_empty());
}

#[test]
fn a_failure_says_nothing_while_others_failed_too() {
    let mut link = Link::new();
    link.suspect(1);
    link.delivery.window = crate::delivery::window::Window::new(4);
    for round in 0..5 {
        link.send(batch([10 + round]), None);
        let suspect = link.resend().unwrap();
        let ticket = link.delivery.start(link.now);
        // Another failure, and something that got through after it.
        link.send(batch([20 + round]), Some(failure(RETRY)));
        let again = link.resend().unwrap();
        link.send(again, None);
        let settled = link.delivery.settle(ticket, suspect, Receipt::failed(1, doubtful()), link.now);
        assert!(settled.ended.is_empty());
    }
}

#[test]
fn another_failure_uses_a_proof_up() {
    for other in [failure(RETRY), failure(Disposition::Misconfigured), doubtful()] {
        let mut link = Link::new();
        link.suspect(1);
        for round in 0..5 {
            link.send(batch([2 + round]), None);
            link.send(batch([10 + round]), Some(other.clone()));
            let again = link.resend().unwrap();
            assert_eq!(numbers(&again), [10 + round], "what was set aside lets others go first again");
            link.delivery.try_now(link.now);
            let suspect = link.delivery.instead(link.now).unwrap();
            link.send(suspect, Some(doubtful()));
            link.delivery.try_now(link.now);
            link.send(again, None);
            // That was a proof, which is not used here.
            link.delivery.try_now(link.now);
        }
        assert!(link.rejected.is_empty());
    }
}

#[test]
fn a_failure_that_is_not_for_the_content_is_no_verdict() {
    let mut link = Link::new();
    link.suspect(1);
    for round in 0..5 {
        link.send(batch([2 + round]), None);
        let suspect = link.resend().unwrap();
        link.send(suspect, Some(failure(RETRY)));
        while matches!(link.delivery.permit(link.now), Permit::Wait { .. }) {
            link.now += Duration::from_secs(1);
        }
    }
    assert!(link.rejected.is_empty());
    assert_eq!(link.kept(), [[1]]);
}

#[test]
fn a_refusal_is_believed_when_others_got_through_between() {
    let mut link = Link::new();
    link.send(batch([1]), Some(refused()));
    assert!(link.delivery.trouble().is_none() && link.rejected.is_empty());
    let mut trials = 0;
    while link.rejected.is_empty() {
        link.send(batch([2 + trials]), None);
        let again = link.resend().unwrap();
        assert_eq!(numbers(&again), [1]);
        link.send(again, Some(refused()));
        trials += 1;
    }
    assert_eq!(link.rejected, [1]);
    // One more failure than before, of what was long well.
    assert!((3..10).contains(&trials), "{trials}");
}

#[test]
fn a_server_that_refuses_everything_is_told_of_and_loses_nothing() {
    for failure in [refused(), failure(Disposition::TooLarge)] {
        for sizes in [vec![1; 40], vec![40], vec![7, 13, 20]] {
            let mut link = Link::new();
            link.send(batch([1_000, 1_001]), None);
            let (mut created, mut told, mut sizes) = (0, 0, sizes.into_iter());
            for send in 0.. {
                let next = link.resend().or_else(|| {
                    let size = sizes.next()?;
                    created += size;
                    Some(batch(created - size..created))
                });
                let Some(next) = next.or_else(|| link.delivery.instead(link.now)) else { break };
                let settled = link.send(next, Some(failure.clone()));
                assert!(settled.ended.is_empty());
                told += usize::from(settled.notice.is_some());
                if send == 200 {
                    break;
                }
            }
            assert_eq!((told, condition(&link.delivery)), (1, Condition::Refused));
            // And then it is put right.
            while let Some(next) = link.next() {
                told += usize::from(link.send(next, None).notice.is_some());
            }
            assert_eq!((told, link.delivered.len(), condition(&link.delivery)), (2, created + 2, Condition::Running));
        }
    }
}

#[test]
fn what_is_refused_proves_nothing() {
    let mut link = Link::new();
    link.suspect(1);
    for fresh in 2..6 {
        link.send(batch([fresh]), Some(refused()));
        link.run(&[1, 2, 3, 4, 5], &refused(), 3);
    }
    assert!(link.rejected.is_empty());
}

#[test]
fn what_the_server_says_of_the_set_up_is_never_a_verdict_and_is_tried_ever_more_rarely() {
    let mut link = Link::new();
    let mut next = batch([1]);
    for _ in 0..3 {
        link.send(next, Some(forbidden()));
        next = link.resend().unwrap_or_default();
    }
    link.send(batch([0]), None);
    let (start, mut tries, mut fresh) = (link.now, 0, 2);
    while link.now - start < Duration::from_secs(3_600) {
        while let Some(again) = link.resend() {
            tries += 1;
            assert_eq!(numbers(&again), [1]);
            link.send(again, Some(forbidden()));
        }
        assert!(link.send(batch([fresh]), None).notice.is_none());
        link.now += Duration::from_millis(500);
        fresh += 1;
    }
    assert!(link.rejected.is_empty());
    assert!((8..20).contains(&tries), "{tries}");
    assert!(link.now - start < Duration::from_secs(3_660), "it held up nothing");
    // Who waits for it has it tried at once.
    link.delivery.hurry(Some(link.now), None, link.now);
    assert_eq!(numbers(&link.resend().unwrap()), [1]);
}

#[test]
fn a_token_that_is_refused_is_found_whatever_is_tried() {
    let mut link = Link::new();
    link.send(batch(0..100), Some(forbidden()));
    let mut told = 0;
    for fresh in 100..120 {
        let next = link.resend().unwrap_or_else(|| batch([fresh]));
        told += usize::from(link.send(next, Some(forbidden())).notice.is_some());
    }
    assert_eq!((told, condition(&link.delivery)), (1, Condition::Paused));
    let before = link.now;
    link.resend();
    assert!(link.now - before > Duration::from_secs(600), "{:?}", link.now - before);
}

#[test]
fn a_line_that_fails_at_random_rejects_next_to_nothing() {
    // Half of all requests come to a server that answers so to everything.
    for failure in [doubtful(), refused(), forbidden()] {
        let (mut rejected, mut delivered) = (0, 0);
        for seed in 0..20 {
            let (mut link, mut random) = (Link::new(), fastrand::Rng::with_seed(seed));
            for number in 0..500 {
                let mut next = Some(batch([number]));
                while let Some(sending) = next {
                    let fails = random.bool().then(|| failure.clone());
                    link.send(sending, fails);
                    next = link.resend();
                }
            }
            rejected += link.rejected.len();
            delivered += link.delivered.len();
        }
        assert!(rejected <= 2, "{rejected} rejected by {failure:?}");
        assert!(delivered >= 9_800, "{delivered} delivered");
    }
}
