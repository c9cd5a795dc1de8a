//! Simulates the shop over time. It does not read the clock, and the same seed gives the same orders.

use super::conditions::{Conditions, SECOND};
use super::order::{Order, Report};
use super::places::{Places, Service};
use fastrand::Rng;
use jkool_client::model::{Entity, InvalidEntity, Property, Snapshot, SourceError, Timestamp, ValueType};
use std::collections::BTreeMap;

/// The interval at which servers and the processes on them report their state.
const METRICS: i64 = 5 * SECOND;

/// A shop at a point in time.
#[derive(Debug)]
pub(crate) struct Shop {
    rng: Rng,
    /// The random generator of the servers, so that the orders do not depend on how often this is called.
    meters: Rng,
    places: Places,
    /// Orders per second, on average.
    rate: f64,
    orders: u64,
    next_order: i64,
    next_metrics: i64,
    /// What has happened, by the time when it is reported; the number makes keys unique.
    unreported: BTreeMap<(i64, u64), Entity>,
    happened: u64,
}

impl Shop {
    /// A shop that opens at `begin`.
    pub(crate) fn new(seed: u64, rate: f64, begin: Timestamp) -> Result<Self, SourceError> {
        let mut rng = Rng::with_seed(seed);
        Ok(Self {
            meters: rng.fork(),
            rng,
            places: Places::new()?,
            rate,
            orders: 0,
            next_order: begin.as_usec(),
            next_metrics: begin.as_usec(),
            unreported: BTreeMap::new(),
            happened: 0,
        })
    }

    /// Everything that is reported up to a time, and was not returned before.
    pub(crate) fn advance(&mut self, to: Timestamp) -> Result<Vec<Entity>, InvalidEntity> {
        let to = to.as_usec();
        while self.next_order <= to {
            self.orders += 1;
            let conditions = Conditions::at(self.next_order);
            let order = Order::new(&mut self.rng, &self.places, 1_000 + self.orders, self.next_order, conditions);
            for Report { at, entity } in order.process()? {
                self.keep(at, entity);
            }
            // Customers are independent: the time between them has an exponential distribution.
            let mean = 1.0 / (self.rate * (0.5 + conditions.busy));
            let gap = -(1.0 - self.rng.f64()).ln() * mean;
            self.next_order += (gap * SECOND as f64) as i64 + 1;
        }
        while self.next_metrics <= to {
            self.measure();
            self.next_metrics += METRICS;
        }
        let later = self.unreported.split_off(&(to + 1, 0));
        Ok(std::mem::replace(&mut self.unreported, later).into_values().collect())
    }

    fn keep(&mut self, at: i64, entity: Entity) {
        self.happened += 1;
        self.unreported.insert((at, self.happened), entity);
    }

    /// Reports the state of each server, and of the service's process on it, as `jkool-metrics` reports a process.
    fn measure(&mut self) {
        let time = self.next_metrics;
        let Conditions { busy, outage } = Conditions::at(time);
        let mut measured = Vec::new();
        for (service, place) in self.places.all() {
            let waits = outage && *service == Service::Payment;
            let load = if waits { 5.0 } else { 15.0 + 60.0 * busy } + 10.0 * self.meters.f64();
            let used = ((if waits { 3.2 } else { 1.5 + busy }) + 0.2 * self.meters.f64()) * f64::from(1 << 30);
            // Requests that wait for the bank keep their threads and connections.
            let waiting = if waits { 90.0 } else { 40.0 * busy } * self.meters.f64();
            let percent =
                |name, value: f64| Property::new(name, (value * 10.0).round() / 10.0).value_type(ValueType::Percent);
            let bytes = |name, value: f64| Property::new(name, value as i64).value_type(ValueType::SizeByte);
            let gauge = |name, value: f64| Property::new(name, value as i64).value_type(ValueType::Gauge);
            for (category, name, properties) in [
                ("Server", "Cpu", vec![percent("load", load)]),
                ("Server", "Memory", vec![bytes("used", used)]),
                (
                    "System",
                    "process",
                    vec![
                        percent("cpu", load * 0.8),
                        bytes("memory", used * 0.4),
                        gauge("threads", 16.0 + waiting / 4.0),
                        gauge("open-files", 60.0 + waiting),
                    ],
                ),
            ] {
                let mut snapshot = Snapshot::builder(name).category(category).time(Timestamp::from_usec(time));
                for property in properties {
                    snapshot = snapshot.add_property(property);
                }
                measured.push(snapshot.source(place.source.clone()).build());
            }
        }
        for snapshot in measured {
            self.keep(time, snapshot.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{METRICS, SECOND, Shop};
    use jkool_client::model::{Activity, Entity, Event, OpType, Severity, Timestamp};
    use std::collections::{HashMap, HashSet};

    const BEGIN: i64 = 1_457_524_800_000_000;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_usec(BEGIN + seconds * SECOND)
    }

    /// Half an hour.
    fn half_an_hour() -> Vec<Entity> {
        Shop::new(7, 1.0, at(0)).unwrap().advance(at(1_800)).unwrap()
    }

    fn events(entities: &[Entity]) -> impl Iterator<Item = &Event> {
        entities.iter().filter_map(|entity| match entity {
            Entity::Event(event) => Some(&**event),
            _ => None,
        })
    }

    fn activities(entities: &[Entity]) -> impl Iterator<Item = &Activity> {
        entities.iter().filter_map(|entity| match entity {
            Entity::Activity(activity) => Some(&**activity),
            _ => None,
        })
    }

    #[test]
    fn the_same_seed_makes_the_same_orders_however_time_is_cut() {
        let mut shop = Shop::new(7, 1.0, at(0)).unwrap();
        let cut: Vec<Entity> = (1..=1_800).flat_map(|second| shop.advance(at(second)).unwrap()).collect();
        // As one line each they would fill the screen.
        assert!(cut == half_an_hour());
        assert!(Shop::new(8, 1.0, at(0)).unwrap().advance(at(1_800)).unwrap() != cut);
    }

    #[test]
    fn everything_is_valid_and_of_its_time() {
        let all = half_an_hour();
        for entity in &all {
            entity.validate().unwrap();
            assert!((at(0)..=at(1_800)).contains(&entity.time().unwrap()), "{entity:?}");
        }
        let ids: HashSet<_> = all.iter().filter_map(Entity::tracking_id).collect();
        assert_eq!(ids.len(), events(&all).count() + activities(&all).count());
        // About one per second.
        assert!((1_200..2_400).contains(&activities(&all).count()), "{}", activities(&all).count());
        let snapshots = all.iter().filter(|entity| matches!(entity, Entity::Snapshot(_))).count();
        assert_eq!(snapshots as i64, (1_800 * SECOND / METRICS + 1) * 6 * 3);
    }

    #[test]
    fn an_order_hangs_together() {
        let all = half_an_hour();
        let mut of_parent: HashMap<_, Vec<&Event>> = HashMap::new();
        events(&all).for_each(|event| of_parent.entry(event.parent_id.as_ref()).or_default().push(event));
        let mut shipped = 0;
        // Some of what has just happened is not reported yet.
        for activity in activities(&all).filter(|activity| activity.time < Some(at(1_770))) {
            let own = &of_parent[&activity.tracking_id.as_ref()];
            assert!(own.iter().all(|event| event.correlators == activity.correlators));
            let count = |op_type| own.iter().filter(|event| event.op_type == op_type).count();
            assert!(count(OpType::Send) >= count(OpType::Receive) && count(OpType::Send) >= 1);
            shipped += usize::from(own.iter().any(|event| event.operation == "ShipOrder"));
        }
        // Most are.
        assert!(shipped * 10 > activities(&all).count() * 7, "{shipped}");
    }

    #[test]
    fn some_go_wrong_some_are_slow_and_some_are_told_late() {
        let all = half_an_hour();
        let mut severities: HashMap<Severity, usize> = HashMap::new();
        events(&all).for_each(|event| *severities.entry(event.severity).or_default() += 1);
        for severity in [Severity::Info, Severity::Warning, Severity::Error, Severity::Failure] {
            assert!(severities.get(&severity).is_some_and(|count| *count >= 5), "{severities:?}");
        }
        assert!(events(&all).filter(|event| !event.exception.is_empty()).count() >= 10);
        let times: Vec<_> = all.iter().filter_map(Entity::time).collect();
        assert!(times.windows(2).filter(|pair| pair[0] > pair[1]).count() >= 10);
    }
}
