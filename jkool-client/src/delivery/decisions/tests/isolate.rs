//! Which event it is over which the server fails.

use super::{
    Batch, Delivery, Disposition, End, Failure, LossReason, Outcome, Permit, RETRY, Receipt, Settled, batch, delivery,
    failure, numbers, prop, proptest, settled,
};
use std::time::{Duration, Instant};

fn doubtful() -> Failure {
    failure(RETRY).in_doubt().content_in_doubt()
}

/// One send at a time to a server, and what came of it.
struct Link {
    delivery: Delivery,
    now: Instant,
    /// How many sends there were.
    sends: usize,
    delivered: Vec<usize>,
    rejected: Vec<usize>,
}

impl Link {
    fn new() -> Self {
        let (delivered, rejected) = (Vec::new(), Vec::new());
        Self { delivery: delivery(1), now: crate::emit::clock::now(), sends: 0, delivered, rejected }
    }

    /// Sends `batch`, and the server fails over it or not.
    fn send(&mut self, batch: Batch, failure: Option<Failure>) -> Settled {
        self.sends += 1;
        let len = batch.len();
        let receipt = failure.map_or(Receipt::delivered(len), |failure| Receipt::failed(len, failure));
        let ticket = self.delivery.start(self.now);
        let settled = settled(self.delivery.settle(ticket, batch, receipt, self.now));
        for (mark, end) in &settled.ended {
            match end {
                End::Delivered => self.delivered.push(mark.weight),
                End::Dropped(reason) => {
                    assert_eq!(*reason, LossReason::Rejected);
                    self.rejected.push(mark.weight);
                }
            }
        }
        settled
    }

    /// What may be sent, after any wait: something again, or `None` for something fresh.
    fn resend(&mut self) -> Option<Batch> {
        loop {
            match self.delivery.permit(self.now) {
                Permit::Resend(batch) => return Some(batch),
                Permit::Fresh => return None,
                Permit::Wait { until } => self.now = until.expect("nothing is under way"),
            }
        }
    }

    /// The same when there is nothing fresh.
    fn next(&mut self) -> Option<Batch> {
        self.resend().or_else(|| self.delivery.suspect())
    }

    /// Goes on until nothing is left, or for so many sends, with a server that fails over these.
    fn run(&mut self, poison: &[usize], sends: usize) {
        for _ in 0..sends {
            let Some(batch) = self.next() else { return };
            let fails = numbers(&batch).iter().any(|number| poison.contains(number));
            self.send(batch, fails.then(doubtful));
        }
    }

    /// An event comes and makes the server fail until it is a suspect.
    fn suspect(&mut self, number: usize) {
        self.send(batch([number]), Some(doubtful()));
        for _ in 1..5 {
            let again = self.resend().expect("it goes before anything fresh");
            assert_eq!(numbers(&again), [number]);
            self.send(again, Some(doubtful()));
        }
    }
}

#[test]
fn one_that_the_server_fails_over_is_found_and_the_rest_gets_through_in_few_requests() {
    for poison in [0, 1, 2, 137, 255, 256, 498, 499] {
        let mut link = Link::new();
        link.send(batch(0..500), Some(doubtful()));
        link.run(&[poison], 1_000);
        assert_eq!(link.rejected, [poison]);
        assert_eq!(link.delivered, (0..500).filter(|number| *number != poison).collect::<Vec<_>>(), "in order");
        assert!(link.sends <= 5 + 2 * 9 + 1, "{} sends", link.sends);
    }
}

#[test]
fn the_fifth_failure_in_a_row_halves_a_batch_and_one_more_each_half() {
    let mut link = Link::new();
    link.send(batch(0..4), Some(doubtful()));
    for _ in 1..5 {
        let again = link.resend().unwrap();
        assert_eq!(numbers(&again), [0, 1, 2, 3]);
        link.send(again, Some(doubtful()));
    }
    let first = link.resend().unwrap();
    assert_eq!(numbers(&first), [0, 1]);
    link.send(first, Some(doubtful()));
    for expected in [&[0][..], &[1], &[2, 3]] {
        let part = link.resend().unwrap();
        assert_eq!(numbers(&part), expected);
        link.send(part, None);
    }
    assert!(link.next().is_none() && link.rejected.is_empty());
}

#[test]
fn a_suspect_lets_others_go_first_and_is_tried_when_they_have_shown_that_the_server_works() {
    let mut link = Link::new();
    link.suspect(1);
    assert!(link.resend().is_none(), "something fresh may go");
    let settled = link.send(batch([2]), Some(failure(RETRY)));
    assert_eq!(settled.maybe_duplicated, 0);
    let other = link.resend().unwrap();
    assert_eq!(numbers(&other), [2]);
    link.send(other, None);
    let suspect = link.resend().unwrap();
    assert_eq!(numbers(&suspect), [1]);
    let settled = link.send(suspect, Some(doubtful()));
    assert_eq!((link.delivered.as_slice(), link.rejected.as_slice()), (&[2][..], &[1][..]));
    let [letter] = settled.dead_letters.as_slice() else { panic!("one dead letter") };
    assert_eq!((letter.reason, letter.error.to_string()), (LossReason::Rejected, "no".to_owned()));
    assert_eq!(letter.payload.body(), br#"{"operation":"1"}"#);
    // It is not sent again, and nothing is wrong with the link.
    assert_eq!(settled.maybe_duplicated, 0);
    assert!(link.delivery.trouble().is_none());
    assert!(matches!(link.delivery.permit(link.now), Permit::Fresh));
    assert!(link.delivery.suspect().is_none());
}

#[test]
fn a_suspect_that_gets_through_is_none() {
    let mut link = Link::new();
    link.suspect(1);
    link.send(batch([2]), None);
    link.run(&[], 10);
    assert_eq!((link.delivered.as_slice(), link.sends), (&[2, 1][..], 7));
}

#[test]
fn an_event_alone_is_tried_for_ever_with_the_usual_waits() {
    let mut link = Link::new();
    link.suspect(1);
    let start = link.now;
    for _ in 0..200 {
        let again = link.next().unwrap();
        assert_eq!(numbers(&again), [1]);
        link.send(again, Some(doubtful()));
    }
    assert!(link.rejected.is_empty());
    assert!(link.now - start > Duration::from_secs(200 * 10), "{:?}", link.now - start);
}

#[test]
fn suspects_take_turns() {
    let mut link = Link::new();
    link.suspect(1);
    link.suspect(2);
    for expected in [1, 2, 1, 2] {
        let again = link.next().unwrap();
        assert_eq!(numbers(&again), [expected]);
        link.send(again, Some(doubtful()));
    }
    // When the innocent gets through, it shows that the server works.
    link.run(&[1], 3);
    assert_eq!((link.delivered, link.rejected), (vec![2], vec![1]));
}

#[test]
fn one_proof_is_good_for_one_verdict() {
    let mut link = Link::new();
    link.suspect(1);
    link.suspect(2);
    // Well for a moment, and down again.
    link.send(batch([3]), None);
    link.run(&[1, 2], 50);
    assert_eq!(link.rejected, [1]);
    link.send(batch([4]), None);
    link.run(&[2], 50);
    assert_eq!(link.rejected, [1, 2]);
}

#[test]
fn what_was_sent_before_a_failure_proves_nothing() {
    let mut link = Link::new();
    link.suspect(1);
    let old = link.delivery.start(link.now);
    let suspect = link.delivery.suspect().unwrap();
    link.send(suspect, Some(doubtful()));
    link.delivery.settle(old, batch([2]), Receipt::delivered(1), link.now);
    let suspect = link.next().unwrap();
    link.send(suspect, Some(doubtful()));
    assert!(link.rejected.is_empty());
}

#[test]
fn a_suspect_is_not_rejected_for_what_happened_while_others_failed() {
    let mut link = Link::new();
    link.suspect(1);
    link.delivery.window = crate::delivery::window::Window::new(4);
    link.send(batch([2]), None);
    let suspect = link.resend().unwrap();
    let ticket = link.delivery.start(link.now);
    // Another failure, and something that got through after it.
    link.send(batch([3]), Some(failure(RETRY)));
    link.send(batch([4]), None);
    let settled = link.delivery.settle(ticket, suspect, Receipt::failed(1, doubtful()), link.now);
    assert!(settled.ended.is_empty());
}

#[test]
fn another_failure_uses_a_proof_up() {
    for other in [failure(RETRY), failure(Disposition::Misconfigured), doubtful()] {
        let mut link = Link::new();
        link.suspect(1);
        link.send(batch([2]), None);
        link.send(batch([3]), Some(other));
        let again = link.resend().unwrap();
        assert_eq!(numbers(&again), [3], "the suspect lets others go first again");
        let suspect = link.delivery.suspect().unwrap();
        link.send(suspect, Some(doubtful()));
        assert!(link.rejected.is_empty());
    }
}

#[test]
fn a_suspect_is_not_rejected_for_a_failure_of_another_kind() {
    let mut link = Link::new();
    link.suspect(1);
    link.send(batch([2]), None);
    let suspect = link.resend().unwrap();
    link.send(suspect, Some(failure(RETRY)));
    assert!(link.rejected.is_empty());
}

#[test]
fn a_proof_outlasts_what_the_server_refuses_outright() {
    let mut link = Link::new();
    link.suspect(1);
    link.send(batch([2]), None);
    link.send(batch([3]), Some(failure(Disposition::Rejected)));
    link.run(&[1], 1);
    assert_eq!(link.rejected, [3, 1]);
}

#[test]
fn what_is_refused_proves_nothing() {
    let mut link = Link::new();
    link.suspect(1);
    link.send(batch([2]), Some(failure(Disposition::Rejected)));
    assert!(link.resend().is_none());
    link.run(&[1], 10);
    assert_eq!(link.rejected, [2]);
}

#[test]
fn a_failure_of_another_kind_starts_the_count_anew_and_clears_no_suspect() {
    let mut link = Link::new();
    link.send(batch([1, 2]), Some(doubtful()));
    let again = |link: &mut Link, failure: Failure, times: usize| {
        for _ in 0..times {
            let again = link.resend().unwrap();
            assert_eq!(numbers(&again), [1, 2]);
            link.send(again, Some(failure.clone()));
        }
    };
    again(&mut link, doubtful(), 3);
    again(&mut link, failure(RETRY), 1);
    again(&mut link, doubtful(), 4);
    again(&mut link, failure(Disposition::Misconfigured), 1);
    again(&mut link, doubtful(), 5);
    let half = link.resend().unwrap();
    assert_eq!(numbers(&half), [1]);
    link.send(half, Some(doubtful()));
    let other = link.resend().unwrap();
    assert_eq!(numbers(&other), [2]);
    link.send(other, Some(failure(RETRY)));
    // Both are suspects still.
    assert!(link.resend().is_none());
    assert_eq!(link.delivery.kept().map(|batch| numbers(batch)).collect::<Vec<_>>(), [[1], [2]]);
}

#[test]
fn a_suspicious_half_stays_so_after_a_failure_of_another_kind() {
    let mut link = Link::new();
    link.send(batch(0..4), Some(doubtful()));
    for failure in [doubtful(), doubtful(), doubtful(), doubtful(), failure(RETRY), doubtful()] {
        let again = link.resend().unwrap();
        link.send(again, Some(failure));
    }
    assert_eq!(numbers(&link.resend().unwrap()), [0]);
}

#[test]
fn only_what_may_be_the_cause_is_suspected_of_a_batch_delivered_in_part() {
    let mut link = Link::new();
    let ticket = link.delivery.start(link.now);
    let outcomes = [Outcome::Delivered, Outcome::Failed(doubtful()), Outcome::Failed(failure(RETRY))];
    link.delivery.settle(ticket, batch(0..3), Receipt::new(outcomes.into()), link.now);
    for _ in 1..5 {
        let again = link.resend().unwrap();
        assert_eq!(numbers(&again), [1]);
        link.send(again, Some(doubtful()));
    }
    link.run(&[1], 5);
    assert_eq!((link.delivered, link.rejected), (vec![2], vec![1]));
}

#[test]
fn what_a_person_must_mend_is_no_fault_of_the_content() {
    let mut link = Link::new();
    let odd = failure(Disposition::Misconfigured).content_in_doubt();
    link.send(batch([1]), Some(odd.clone()));
    for _ in 0..10 {
        let again = link.resend().expect("it is no suspect");
        link.send(again, Some(odd.clone()));
    }
}

#[test]
fn everything_that_waits_is_kept_in_the_order_in_which_it_is_sent() {
    let mut link = Link::new();
    link.suspect(1);
    link.suspect(2);
    let kept = |link: &mut Link| link.delivery.kept().map(|batch| numbers(batch)).collect::<Vec<_>>();
    link.send(batch([3]), Some(failure(RETRY)));
    assert_eq!(kept(&mut link), [[3], [1], [2]]);
    link.delivery.window = crate::delivery::window::Window::new(2);
    link.send(batch([4]), None);
    assert_eq!(kept(&mut link), [[1], [2], [3]]);
    for expected in [1, 2, 3] {
        let sent = link.next().unwrap();
        assert_eq!(numbers(&sent), [expected]);
        link.send(sent, None);
    }
    assert!(kept(&mut link).is_empty());
}

#[test]
fn many_that_the_server_fails_over_are_all_found_while_others_come() {
    let mut link = Link::new();
    link.send(batch(0..8), Some(doubtful()));
    link.run(&[2, 3, 6, 7], 100);
    for fresh in 8..20 {
        link.send(batch([fresh]), None);
        link.run(&[2, 3, 6, 7], 10);
    }
    link.rejected.sort_unstable();
    assert_eq!(link.rejected, [2, 3, 6, 7]);
    assert_eq!(link.delivered.len(), 16);
}

proptest! {
    /// An outage in which everything is answered so loses nothing, and there is no more to make up for than it had tries.
    #[test]
    fn an_outage_loses_nothing_and_leaves_little_behind(
        sizes in prop::collection::vec(1..100_usize, 1..4), tries in 1..400_usize,
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
                None => link.delivery.suspect().unwrap(),
            });
            assert!(link.send(next, Some(doubtful())).ended.is_empty());
        }
        let start = link.now;
        link.run(&[], usize::MAX);
        assert!(link.rejected.is_empty());
        assert!(link.sends - tries <= batches + tries);
        assert!(link.now - start <= Duration::from_secs(30), "nothing but the last wait");
        link.delivered.sort_unstable();
        assert_eq!(link.delivered, (0..created).collect::<Vec<_>>());
    }
}
