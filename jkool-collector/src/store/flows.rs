//! Questions to the store: who sent to whom.

use super::engine::{Find, Message};
use super::matching::pairs;
use super::reader::Result;
use super::{Flow, Reader};
use crate::condition::{Condition, Test};
use crate::field::{FieldName, is_cut};
use crate::filter::Filter;
use jkool_model::{OpType, Severity, SourceFqn, Timestamp};
use std::cmp::Reverse;
use std::collections::HashMap;

/// So many messages are looked at in each direction, the youngest.
const MAPPED: usize = 5_000;

impl Reader<'_> {
    /// Who sent to whom, of the youngest 5,000 RECEIVE and the youngest 5,000 SEND events in the filter's time. To a RECEIVE belongs a
    /// SEND before it with a correlator in common: of the same resource if there is one, else with the most correlators in common,
    /// else the nearest.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn flows(&self, filter: &Filter, now: Timestamp) -> Result<Vec<Flow>> {
        let received = self.messages(OpType::Receive, filter, now)?;
        if received.is_empty() {
            return Ok(Vec::new());
        }
        // What was received at the beginning of the time may have been sent before it.
        let sent = self.messages(OpType::Send, &Filter { until: filter.until, ..Filter::default() }, now)?;
        let mut flows: HashMap<(&str, &str), Between<'_>> = HashMap::new();
        for (sender, message) in pairs(&sent, &received).into_iter().map(|(of, to)| (&sent[of], &received[to])) {
            let (Some(from), Some(to)) = (&sender.source, &message.source) else { continue };
            let between = Between { from: sender, to: message, count: 0, errors: 0 };
            let flow = flows.entry((from, to)).or_insert(between);
            flow.count += 1;
            flow.errors += u64::from(message.severity >= Severity::Error);
        }
        let mut named = Vec::with_capacity(flows.len());
        for Between { from, to, count, errors } in flows.into_values() {
            if let (Some(from), Some(to)) = (self.source(from)?, self.source(to)?) {
                named.push(Flow { from, to, count, errors });
            }
        }
        let name = |flow: &Flow| (flow.from.to_string(), flow.to.to_string());
        named.sort_by_cached_key(|flow| (Reverse(flow.count), name(flow)));
        Ok(named)
    }

    /// The name of a message's source. One that is too long for the index is in the entity alone.
    fn source(&self, message: &Message) -> Result<Option<SourceFqn>> {
        let Some(source) = &message.source else { return Ok(None) };
        if !is_cut(source) {
            return Ok(source.parse().ok());
        }
        let entity = self.engine.get(message.id)?.map(|stored| stored.entity);
        Ok(entity.and_then(|entity| entity.source().cloned()))
    }

    /// The youngest of a kind of messages, the youngest first.
    fn messages(&self, op_type: OpType, filter: &Filter, now: Timestamp) -> Result<Vec<Message>> {
        let is_it = Condition::new(FieldName::new("type".to_owned()), Test::Is(op_type.to_string()));
        let filter = Filter { expression: is_it.into(), ..filter.time_only() };
        self.deadline.check()?;
        let find = Find { filter, now, youngest_first: true, beyond: None, limit: MAPPED };
        self.engine.messages(&find, &self.deadline)
    }
}

/// Messages from one source to another: one that was sent, one that was received, and how many.
struct Between<'a> {
    from: &'a Message,
    to: &'a Message,
    count: u64,
    errors: u64,
}
