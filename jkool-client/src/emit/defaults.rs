//! The fields that the client adds to an event that does not set them.

use crate::emit::host::Host;
use crate::emit::ids::Ids;
use jkool_model::{Activity, Entity, Event, Property, SourceError, SourceFqn, SourceType, Text, Timestamp};

/// The client's decoration.
#[derive(Debug, Clone)]
pub(crate) struct Defaults {
    pub(crate) source: SourceFqn,
    pub(crate) user: Text,
    pub(crate) location: Text,
    pub(crate) properties: Vec<Property>,
    pub(crate) host: Host,
    /// Whether the events happened in this process: then its process, thread and user are added.
    pub(crate) own: bool,
}

impl Defaults {
    /// # Errors
    /// If a placeholder of `source` gets a value that is invalid in a source.
    pub(crate) fn new(
        source: Option<SourceFqn>,
        user: Option<Text>,
        location: Text,
        properties: Vec<Property>,
        host: Host,
    ) -> Result<Self, SourceError> {
        let source = match source {
            Some(source) => source,
            None => SourceFqn::builder().appl(&host.program).server("?").netaddr("?").build()?,
        };
        let source = fill(&source, &host)?;
        let user = user.unwrap_or_else(|| host.user.clone().into());
        Ok(Self { source, user, location, properties, host, own: true })
    }

    /// The process for events that do not set one.
    pub(crate) fn pid(&self) -> Option<i64> {
        self.own.then(|| self.host.pid.into())
    }

    /// The approximate number of bytes that this adds to an event.
    pub(crate) fn weight(&self) -> usize {
        let properties = self.properties.len() * size_of::<Property>();
        let words = self.properties.iter().map(Property::heap_size).sum::<usize>();
        self.user.len() + self.location.len() + properties + words
    }

    /// Sets missing fields. Those that only the emitting thread knows were set there.
    pub(crate) fn apply(&self, entity: &mut Entity, ids: &Ids, now: impl Fn() -> Timestamp) {
        match entity {
            Entity::Event(event) => self.apply_to_event(event, ids, now),
            Entity::Activity(activity) => self.apply_to_activity(activity, ids, now),
            Entity::Snapshot(snapshot) => {
                self.apply_to_source(&mut snapshot.source);
                if snapshot.category.is_empty() {
                    // The default of TNT4J, because the service requires a value.
                    snapshot.category = "Default".into();
                }
                snapshot.time.get_or_insert_with(now);
                snapshot.tracking_id.get_or_insert_with(|| ids.next());
                self.add_properties(&mut snapshot.properties);
            }
            _ => {}
        }
    }

    fn apply_to_source(&self, source: &mut Option<SourceFqn>) {
        self.fill_source(source);
        source.get_or_insert_with(|| self.source.clone());
    }

    fn fill_source(&self, source: &mut Option<SourceFqn>) {
        if let Some(own) = source.as_mut().filter(|own| own.has_placeholders()) {
            if let Ok(filled) = fill(own, &self.host) {
                *own = filled;
            }
        }
    }

    fn add_properties(&self, properties: &mut Vec<Property>) {
        for default in &self.properties {
            if !properties.iter().any(|property| property.name == default.name) {
                properties.push(default.clone());
            }
        }
    }
}

macro_rules! apply_to {
    ($($name:ident, $complete:ident: $ty:ty;)+) => {
        impl Defaults {
            $(fn $name(&self, entity: &mut $ty, ids: &Ids, now: impl Fn() -> Timestamp) {
                entity.time.get_or_insert_with(now);
                entity.tracking_id.get_or_insert_with(|| ids.next());
                self.$complete(entity, ids);
                self.apply_to_source(&mut entity.source);
                if entity.user.is_empty() {
                    entity.user = self.user.clone();
                }
                if entity.location.is_empty() {
                    entity.location = self.location.clone();
                }
                entity.pid = entity.pid.or_else(|| self.pid());
                self.add_properties(&mut entity.properties);
            }

            /// Sets fields that depend on others.
            pub(crate) fn $complete(&self, entity: &mut $ty, ids: &Ids) {
                self.fill_source(&mut entity.source);
                if !entity.snapshots.is_empty() {
                    let id = entity.tracking_id.get_or_insert_with(|| ids.next());
                    for snapshot in &mut entity.snapshots {
                        snapshot.time = snapshot.time.or(entity.time);
                        snapshot.parent_id.get_or_insert_with(|| id.clone());
                    }
                }
            })+
        }
    };
}

apply_to! {
    apply_to_event, complete_event: Event;
    apply_to_activity, complete_activity: Activity;
}

/// Replaces the placeholders that the machine knows; others (a data centre, a location) stay `?`.
fn fill(source: &SourceFqn, host: &Host) -> Result<SourceFqn, SourceError> {
    source.fill_placeholders(|source_type| match source_type {
        SourceType::Server => Some(host.name.clone()),
        SourceType::Netaddr => Some(host.address.clone()),
        SourceType::User => Some(host.user.clone()).filter(|user| !user.is_empty()),
        SourceType::Appl => Some(host.program.clone()),
        SourceType::Runtime | SourceType::Process => Some(format!("{}@{}", host.pid, host.name)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::Defaults;
    use crate::emit::host::Host;
    use crate::emit::ids::Ids;
    use jkool_model::{Entity, Event, Property, Snapshot, Timestamp};

    const NOW: Timestamp = Timestamp::from_usec(1_457_524_800_000_000);

    fn defaults(source: Option<&str>) -> Defaults {
        let host = Host {
            name: "web-1".into(),
            address: "11.0.0.2".into(),
            user: "bob".into(),
            program: "orders".into(),
            pid: 4242,
        };
        let properties = vec![Property::new("env", "prod")];
        Defaults::new(source.map(|source| source.parse().unwrap()), None, "Atlanta, Ga".into(), properties, host)
            .unwrap()
    }

    fn applied(event: Event, defaults: &Defaults) -> Event {
        let mut entity = Entity::from(event);
        defaults.apply(&mut entity, &Ids::new(1), || NOW);
        match entity {
            Entity::Event(event) => *event,
            _ => panic!("was an event"),
        }
    }

    #[test]
    fn what_is_not_said_is_filled_in() {
        let bare: Event = serde_json::from_str(r#"{"snapshots":[{"name":"s"}]}"#).unwrap();
        let event = applied(bare, &defaults(None));
        assert_eq!(event.source.unwrap().as_str(), "APPL=orders#SERVER=web-1#NETADDR=11.0.0.2");
        assert_eq!((event.user.as_ref(), event.location.as_ref(), event.pid), ("bob", "Atlanta, Ga", Some(4242)));
        assert_eq!((event.time, event.snapshots[0].time), (Some(NOW), Some(NOW)));
        assert!(event.tracking_id.is_some());
        assert_eq!(event.snapshots[0].parent_id, event.tracking_id);
        assert_eq!(event.properties, [Property::new("env", "prod")]);
    }

    #[test]
    fn what_is_said_stays() {
        let said = Event::builder()
            .source("APPL=own".parse().unwrap())
            .user("eve")
            .location("here")
            .pid(1)
            .time(Timestamp::from_usec(7))
            .property("env", "test")
            .snapshot(Snapshot::builder("s").time(Timestamp::from_usec(9)).parent_id("p").build())
            .build()
            .unwrap();
        assert_eq!(applied(said.clone(), &defaults(None)), said);
    }

    #[test]
    fn placeholders_are_filled_where_a_machine_knows() {
        let all = "APPL=?#RUNTIME=?#USER=?#SERVER=?#NETADDR=?#DATACENTER=?#QUEUE=a?";
        let filled = "APPL=orders#RUNTIME=4242@web-1#USER=bob#SERVER=web-1#NETADDR=11.0.0.2#DATACENTER=?#QUEUE=a?";
        assert_eq!(defaults(Some(all)).source.as_str(), filled);
        let own = Event::builder().source(all.parse().unwrap()).build().unwrap();
        assert_eq!(applied(own, &defaults(None)).source.unwrap().as_str(), filled);
    }

    #[test]
    fn a_snapshot_alone_gets_all_that_the_service_wants() {
        let mut entity = Entity::from(Snapshot::builder("cpu").property("load", 0.5).build());
        defaults(None).apply(&mut entity, &Ids::new(1), || NOW);
        entity.validate().unwrap();
    }
}
