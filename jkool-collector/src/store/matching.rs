//! Pairs SEND and RECEIVE events. Without I/O.

use super::engine::Message;
use std::collections::{HashMap, HashSet};

/// The maximum number of SEND events of a correlator that are considered for a RECEIVE event: the nearest before it.
const NEAREST: usize = 16;

/// Returns the pairs of SEND and RECEIVE events, by their positions in the lists, which are ordered newest first.
///
/// A SEND event is a candidate if it is older and shares a correlator. A candidate with the same resource, such as the
/// same queue or path, has priority. The other RECEIVE events get SEND events that were not paired by resource: the one
/// with the most common correlators, then the nearest. A SEND event is paired only once per receiver. Therefore a
/// message whose SEND event is late or lost does not take that of another message.
pub(super) fn pairs(sent: &[Message], received: &[Message]) -> Vec<(usize, usize)> {
    let mut by_correlator: HashMap<&str, Vec<usize>> = HashMap::new();
    for (place, message) in sent.iter().enumerate() {
        for correlator in &message.correlators {
            by_correlator.entry(correlator).or_default().push(place);
        }
    }
    let candidates = |message: &Message| {
        let mut common: HashMap<usize, usize> = HashMap::new();
        for correlator in &message.correlators {
            let places = by_correlator.get(&**correlator).map_or(&[][..], Vec::as_slice);
            let older = places.partition_point(|place| sent[*place].id >= message.id);
            for place in places.iter().skip(older).take(NEAREST) {
                *common.entry(*place).or_default() += 1;
            }
        }
        common
    };
    let mut pairs = Vec::new();
    // The receivers of each SEND event, and the SEND events that were paired by resource.
    let (mut came, mut claimed) = (HashSet::new(), HashSet::new());
    let mut left = Vec::new();
    // Oldest first, so that the first RECEIVE event gets the first SEND event.
    for (place, message) in received.iter().enumerate().rev() {
        let common = candidates(message);
        let same = |of: &Message| message.resource.is_some() && of.resource == message.resource;
        let best = common
            .iter()
            .filter(|(of, _)| same(&sent[**of]) && !came.contains(&(**of, &message.source)))
            .max_by_key(|(of, count)| (**count, sent[**of].id));
        match best {
            Some((of, _)) => {
                came.insert((*of, &message.source));
                claimed.insert(*of);
                pairs.push((*of, place));
            }
            None => left.push((place, common)),
        }
    }
    for (place, common) in left {
        let message = &received[place];
        let best = common
            .iter()
            .filter(|(of, _)| !claimed.contains(*of) && !came.contains(&(**of, &message.source)))
            .max_by_key(|(of, count)| (**count, sent[**of].id));
        if let Some((of, _)) = best {
            came.insert((*of, &message.source));
            pairs.push((*of, place));
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::pairs;
    use crate::store::EntityId;
    use crate::store::engine::Message;
    use jkool_model::{Severity, Timestamp};

    /// Parses `time source resource correlator ..`, with `-` for no resource.
    fn messages(lines: &[&str]) -> Vec<Message> {
        let mut messages: Vec<Message> = lines
            .iter()
            .map(|line| {
                let mut words = line.split(' ');
                let time = words.next().unwrap().parse().unwrap();
                let mut text = || words.next().filter(|word| *word != "-").map(Into::into);
                Message {
                    id: EntityId::new(Timestamp::from_usec(time), time as u64),
                    severity: Severity::Info,
                    source: text(),
                    resource: text(),
                    correlators: words.map(Into::into).collect(),
                }
            })
            .collect();
        messages.sort_by_key(|message| std::cmp::Reverse(message.id));
        messages
    }

    #[track_caller]
    fn check(sent: &[&str], received: &[&str], expected: &[(i64, i64)]) {
        let (sent, received) = (messages(sent), messages(received));
        let time = |message: &Message| message.id.time().as_usec();
        let mut found: Vec<_> =
            pairs(&sent, &received).into_iter().map(|(of, to)| (time(&sent[of]), time(&received[to]))).collect();
        found.sort_unstable();
        assert_eq!(found, expected);
    }

    #[test]
    fn the_nearest_send_before_it_with_a_correlator_in_common() {
        check(&["1 shop - a", "3 shop - a", "9 shop - a", "2 shop - b"], &["5 bank - a", "6 bank - c"], &[(3, 5)]);
        check(&["1 shop - a"], &[], &[]);
    }

    #[test]
    fn more_correlators_in_common_say_more_than_nearness() {
        // Two calls of one trace at the same time; each also has the id of its own span.
        check(
            &["1 shop - trace span-1", "2 mill - trace span-2"],
            &["3 bank - trace span-1", "4 bank - trace span-2"],
            &[(1, 3), (2, 4)],
        );
    }

    #[test]
    fn a_message_whose_send_is_late_takes_no_others() {
        // The shop's order was received; the payment's SEND event has not arrived yet.
        check(&["1 shop orders.new a"], &["2 orders orders.new a", "5 payment orders.pay a"], &[(1, 2)]);
        // The SEND event arrives.
        check(
            &["1 shop orders.new a", "4 orders orders.pay a"],
            &["2 orders orders.new a", "5 payment orders.pay a"],
            &[(1, 2), (4, 5)],
        );
    }

    #[test]
    fn to_one_receiver_a_send_comes_once_and_to_several_each() {
        check(&["1 shop topic a"], &["2 x topic a", "3 y topic a", "4 x topic a"], &[(1, 2), (1, 3)]);
        check(&["1 shop - a", "2 shop - a"], &["3 x - a", "4 x - a"], &[(1, 4), (2, 3)]);
    }

    #[test]
    fn what_names_its_resource_another_way_is_found_all_the_same() {
        check(&["1 shop http://bank/pay a"], &["2 bank /pay a"], &[(1, 2)]);
    }
}
