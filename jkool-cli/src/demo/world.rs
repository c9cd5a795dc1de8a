//! What happens in the shop, as time goes by. It asks nobody for the time, and the same seed makes the same orders.

use super::order::{Story, Told};
use super::places::{Places, Service};
use fastrand::Rng;
use jkool_client::model::{Entity, InvalidEntity, Property, Snapshot, SourceError, Timestamp, ValueType};
use std::collections::BTreeMap;

const SECOND: i64 = 1_000_000;

/// The servers tell how they are doing so often.
const METRICS: i64 = 5 * SECOND;

/// A shop at a point in time.
#[derive(Debug)]
pub(crate) struct World {
    rng: Rng,
    /// The servers' own, so that the orders are the same however often is asked.
    meters: Rng,
    places: Places,
    /// Orders a second, on average.
    rate: f64,
    orders: u64,
    next_order: i64,
    next_metrics: i64,
    /// What has happened, by when it is told; the number keeps apart what is told at the same time.
    untold: BTreeMap<(i64, u64), Entity>,
    happened: u64,
}

/// How things are at a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Mood {
    /// From 0 to 1.
    pub(crate) busy: f64,
    /// The bank does not answer.
    pub(crate) outage: bool,
}

impl Mood {
    /// Business comes in waves of ten minutes, and every six minutes the bank is away for 45 seconds.
    pub(crate) fn at(time: i64) -> Self {
        let seconds = time.div_euclid(SECOND);
        let phase = seconds.rem_euclid(600) as f64 / 600.0 * std::f64::consts::TAU;
        Self { busy: 0.5 + 0.5 * phase.sin(), outage: (300..345).contains(&seconds.rem_euclid(360)) }
    }
}

impl World {
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
            untold: BTreeMap::new(),
            happened: 0,
        })
    }

    /// All that is told until then and was not told before.
    pub(crate) fn advance(&mut self, to: Timestamp) -> Result<Vec<Entity>, InvalidEntity> {
        let to = to.as_usec();
        while self.next_order <= to {
            self.orders += 1;
            let mood = Mood::at(self.next_order);
            let story = Story::new(&mut self.rng, &self.places, 1_000 + self.orders, self.next_order, mood);
            for Told { at, entity } in story.tell()? {
                self.keep(at, entity);
            }
            // Customers don't know of each other: the time between them is spread exponentially.
            let mean = 1.0 / (self.rate * (0.5 + mood.busy));
            let gap = -(1.0 - self.rng.f64()).ln() * mean;
            self.next_order += (gap * SECOND as f64) as i64 + 1;
        }
        while self.next_metrics <= to {
            self.measure();
            self.next_metrics += METRICS;
        }
        let later = self.untold.split_off(&(to + 1, 0));
        Ok(std::mem::replace(&mut self.untold, later).into_values().collect())
    }

    fn keep(&mut self, at: i64, entity: Entity) {
        self.happened += 1;
        self.untold.insert((at, self.happened), entity);
    }

    /// How each server is doing.
    fn measure(&mut self) {
        let time = self.next_metrics;
        let Mood { busy, outage } = Mood::at(time);
        let mut measured = Vec::new();
        for (service, place) in self.places.all() {
            let waits = outage && *service == Service::Payment;
            let load = if waits { 5.0 } else { 15.0 + 60.0 * busy } + 10.0 * self.meters.f64();
            let used = ((if waits { 3.2 } else { 1.5 + busy }) + 0.2 * self.meters.f64()) * f64::from(1 << 30);
            for (name, property) in [
                ("Cpu", Property::new("load", (load * 10.0).round() / 10.0).value_type(ValueType::Percent)),
                ("Memory", Property::new("used", used as i64).value_type(ValueType::SizeByte)),
            ] {
                let snapshot = Snapshot::builder(name).category("Server").time(Timestamp::from_usec(time));
                measured.push(snapshot.source(place.source.clone()).add_property(property).build());
            }
        }
        for snapshot in measured {
            self.keep(time, snapshot.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{METRICS, Mood, SECOND, World};
    use jkool_client::model::{Activity, Entity, Event, OpType, Severity, Timestamp};
    use std::collections::{HashMap, HashSet};

    const BEGIN: i64 = 1_457_524_800_000_000;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_usec(BEGIN + seconds * SECOND)
    }

    /// Half an hour.
    fn half_an_hour() -> Vec<Entity> {
        World::new(7, 1.0, at(0)).unwrap().advance(at(1_800)).unwrap()
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
        let mut world = World::new(7, 1.0, at(0)).unwrap();
        let cut: Vec<Entity> = (1..=1_800).flat_map(|second| world.advance(at(second)).unwrap()).collect();
        // As a whole they would fill the screen.
        assert!(cut == half_an_hour());
        assert!(World::new(8, 1.0, at(0)).unwrap().advance(at(1_800)).unwrap() != cut);
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
        // About one a second.
        assert!((1_200..2_400).contains(&activities(&all).count()), "{}", activities(&all).count());
        let snapshots = all.iter().filter(|entity| matches!(entity, Entity::Snapshot(_))).count();
        assert_eq!(snapshots as i64, (1_800 * SECOND / METRICS + 1) * 6 * 2);
    }

    #[test]
    fn an_order_hangs_together() {
        let all = half_an_hour();
        let mut of_parent: HashMap<_, Vec<&Event>> = HashMap::new();
        events(&all).for_each(|event| of_parent.entry(event.parent_id.as_ref()).or_default().push(event));
        let mut shipped = 0;
        // Of what has just happened, some is not told yet.
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

    #[test]
    fn moods_change() {
        let moods: Vec<Mood> = (0..720).map(|second| Mood::at(second * SECOND)).collect();
        assert_eq!(moods.iter().filter(|mood| mood.outage).count(), 90);
        assert!(moods.iter().all(|mood| (0.0..=1.0).contains(&mood.busy)));
    }
}
