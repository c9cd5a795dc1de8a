//! Questions to the store: who sent to whom.

use super::engine::Find;
use super::reader::Result;
use super::{EntityId, Flow, Reader, Stored};
use crate::condition::{Condition, Test};
use crate::field::FieldName;
use crate::filter::{Filter, severity_of};
use jkool_model::{OpType, Severity, SourceFqn, Timestamp};
use std::cmp::Reverse;
use std::collections::HashMap;

/// So many messages are looked at in each direction, the youngest.
const MAPPED: usize = 5_000;

impl Reader<'_> {
    /// Who sent to whom, of the youngest 5,000 RECEIVE and the youngest 5,000 SEND events in the filter's time: to each
    /// RECEIVE belongs the SEND nearest before it that has a correlator in common with it.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn flows(&self, filter: &Filter, now: Timestamp) -> Result<Vec<Flow>> {
        let received = self.messages(OpType::Receive, filter, now)?;
        let Some(youngest) = received.first().map(|youngest| youngest.id) else { return Ok(Vec::new()) };
        // What was received at the beginning of the time may have been sent before it.
        let sent = self.messages(OpType::Send, &Filter { until: filter.until, ..Filter::default() }, now)?;
        let mut by_correlator: HashMap<&str, Vec<(EntityId, &Stored)>> = HashMap::new();
        for stored in sent.iter().rev().filter(|stored| stored.id < youngest) {
            for correlator in stored.entity.correlators() {
                by_correlator.entry(correlator).or_default().push((stored.id, stored));
            }
        }
        let mut flows: HashMap<(&SourceFqn, &SourceFqn), (u64, u64)> = HashMap::new();
        for message in &received {
            let nearest = message.entity.correlators().iter().filter_map(|correlator| {
                let sent = by_correlator.get(&**correlator)?;
                sent.get(sent.partition_point(|(id, _)| *id < message.id).checked_sub(1)?)
            });
            let Some((_, sender)) = nearest.max_by_key(|(id, _)| *id) else { continue };
            let (Some(from), Some(to)) = (sender.entity.source(), message.entity.source()) else { continue };
            let flow = flows.entry((from, to)).or_default();
            flow.0 += 1;
            flow.1 += u64::from(severity_of(&message.entity) >= Severity::Error);
        }
        let flow = |((from, to), (count, errors)): ((&SourceFqn, &SourceFqn), _)| Flow {
            from: from.clone(),
            to: to.clone(),
            count,
            errors,
        };
        let mut flows: Vec<_> = flows.into_iter().map(flow).collect();
        let name = |flow: &Flow| (flow.from.to_string(), flow.to.to_string());
        flows.sort_by_cached_key(|flow| (Reverse(flow.count), name(flow)));
        Ok(flows)
    }

    /// The youngest of a kind of messages, the youngest first.
    fn messages(&self, op_type: OpType, filter: &Filter, now: Timestamp) -> Result<Vec<Stored>> {
        let is_it = Condition::new(FieldName::new("type".to_owned()), Test::Is(op_type.to_string()));
        let filter = Filter { expression: is_it.into(), ..filter.time_only() };
        self.ask(&Find { filter, now, youngest_first: true, beyond: None, limit: MAPPED })
    }
}
