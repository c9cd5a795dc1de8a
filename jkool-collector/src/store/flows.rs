//! Queries for messages between sources.

use super::engine::{Find, Message};
use super::level::Level;
use super::matching::pairs;
use super::nearest_rank::nearest_rank;
use super::reader::Result;
use super::{EntityId, Flow, Reader};
use crate::condition::{Condition, Test};
use crate::field::{FieldName, is_cut};
use crate::filter::{Filter, SeverityRange};
use jkool_model::{OpType, Severity, SourceFqn, Timestamp};
use std::cmp::Reverse;
use std::collections::HashMap;

/// The maximum number of messages in each direction, and of errors; the newest are used.
const MAPPED: usize = 5_000;

impl Reader<'_> {
    /// Returns the messages between sources: the newest 5,000 RECEIVE and the newest 5,000 SEND events in the filter's
    /// time range. A RECEIVE event is paired with an earlier SEND event that shares a correlator: preferably one with
    /// the same resource, then the one with the most common correlators, then the nearest.
    ///
    /// # Errors
    /// Returns an error if the store cannot be read.
    pub fn flows(&self, filter: &Filter, now: Timestamp) -> Result<Vec<Flow>> {
        self.flows_at(Level::Source, filter, now)
    }

    /// Like [`flows`](Self::flows), with sources folded to a level.
    ///
    /// # Errors
    /// Returns an error if the store cannot be read.
    pub(crate) fn flows_at(&self, level: Level, filter: &Filter, now: Timestamp) -> Result<Vec<Flow>> {
        let is_type =
            |op_type: OpType| Condition::new(FieldName::new("type".to_owned()), Test::Is(op_type.to_string()));
        let in_time = filter.time_only();
        let received = Filter { expression: is_type(OpType::Receive).into(), ..in_time.clone() };
        let received = self.youngest(received, now)?;
        if received.is_empty() {
            return Ok(Vec::new());
        }
        // Messages received at the start of the range may have been sent before it.
        let sent = Filter { since: None, expression: is_type(OpType::Send).into(), ..in_time.clone() };
        let sent = self.youngest(sent, now)?;
        let errors = SeverityRange { from: Severity::Error, to: Severity::Halt };
        let errors = self.youngest(Filter { severity: Some(errors), ..in_time.clone() }, now)?;
        let errors = last_of_each(&errors);

        let minutes = self.minutes(&received, &in_time, now)?;
        let mut names: HashMap<&str, Option<SourceFqn>> = HashMap::new();
        let mut flows: HashMap<(SourceFqn, SourceFqn), Between> = HashMap::new();
        for (sender, message) in pairs(&sent, &received).into_iter().map(|(of, to)| (&sent[of], &received[to])) {
            let mut folded = |message| self.folded(level, message, &mut names);
            let (Some(from), Some(to)) = (folded(sender)?, folded(message)?) else { continue };
            let between = flows.entry((from, to)).or_default();
            between.errors += u64::from(has_failed(message, &errors));
            between.transits.push(message.id.time().as_usec().saturating_sub(sender.id.time().as_usec()));
        }
        let mut named: Vec<Flow> =
            flows.into_iter().map(|((from, to), between)| between.flow(from, to, minutes)).collect();
        let name = |flow: &Flow| (flow.from.to_string(), flow.to.to_string());
        named.sort_by_cached_key(|flow| (Reverse(flow.count), name(flow)));
        Ok(named)
    }

    /// The level to which a message's source is folded. A source too long for the index is read from the entity.
    fn folded<'a>(
        &self,
        level: Level,
        message: &'a Message,
        names: &mut HashMap<&'a str, Option<SourceFqn>>,
    ) -> Result<Option<SourceFqn>> {
        let Some(source) = &message.source else { return Ok(None) };
        if let Some(known) = names.get(&**source) {
            return Ok(known.clone());
        }
        let whole = match is_cut(source) {
            true => self.engine.get(message.id)?.and_then(|stored| stored.entity.source().cloned()),
            false => source.parse().ok(),
        };
        let folded = whole.map(|whole| level.fold(&whole));
        names.insert(source, folded.clone());
        Ok(folded)
    }

    /// The newest messages that match `filter`, newest first.
    fn youngest(&self, filter: Filter, now: Timestamp) -> Result<Vec<Message>> {
        self.deadline.check()?;
        let find = Find { filter, now, youngest_first: true, beyond: None, limit: MAPPED };
        self.engine.messages(&find, &self.deadline)
    }

    /// The length of the range that contains `received`, which are all messages unless there are [`MAPPED`].
    fn minutes(&self, received: &[Message], in_time: &Filter, now: Timestamp) -> Result<f64> {
        let Some(mut range) = self.busy_range(in_time, now)? else { return Ok(1.0) };
        if let Some(oldest) = received.get(MAPPED - 1) {
            range.first = range.first.max(oldest.id.time());
        }
        Ok(range.minutes())
    }
}

/// The time of the last error of each source and correlator.
fn last_of_each(errors: &[Message]) -> HashMap<(&str, &str), EntityId> {
    let mut last = HashMap::new();
    for error in errors {
        let Some(source) = &error.source else { continue };
        for correlator in &error.correlators {
            // They are ordered from the newest on.
            last.entry((&**source, &**correlator)).or_insert(error.id);
        }
    }
    last
}

/// Whether the receiver reported an error with one of the message's correlators, at its time or later.
fn has_failed(message: &Message, errors: &HashMap<(&str, &str), EntityId>) -> bool {
    let Some(source) = &message.source else { return message.severity >= Severity::Error };
    let last = |correlator: &str| errors.get(&(&**source, correlator)).copied();
    message.severity >= Severity::Error
        || message.correlators.iter().any(|correlator| last(correlator).is_some_and(|error| error >= message.id))
}

/// The messages between two sources: the latency of each in microseconds, and the number that failed.
#[derive(Debug, Default)]
struct Between {
    transits: Vec<i64>,
    errors: u64,
}

impl Between {
    fn flow(mut self, from: SourceFqn, to: SourceFqn, minutes: f64) -> Flow {
        self.transits.sort_unstable();
        let count = self.transits.len();
        let p95 = nearest_rank(95.0, count as u64) as usize;
        Flow {
            from,
            to,
            count: count as u64,
            errors: self.errors,
            per_minute: count as f64 / minutes,
            transit_p95_usec: self.transits.get(p95).copied().unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Between;
    use jkool_model::SourceFqn;

    #[test]
    fn of_a_hundred_ninety_five_took_no_longer() {
        let source: SourceFqn = "APPL=a".parse().unwrap();
        for (count, p95) in [(1, 1), (10, 10), (20, 19), (100, 95), (101, 96)] {
            let between = Between { transits: (1..=count).rev().collect(), errors: 0 };
            assert_eq!(between.flow(source.clone(), source.clone(), 1.0).transit_p95_usec, p95, "{count}");
        }
    }
}
