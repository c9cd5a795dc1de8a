//! A snapshot: a named, categorized set of properties.

use crate::Text;
use crate::enums::{OpType, Severity};
use crate::property::Property;
use crate::source::SourceFqn;
use crate::timestamp::Timestamp;
use crate::trackable::{InvalidEntity, require_in_range, require_source};
use crate::tracking_id::TrackingId;
use crate::wire::wire_struct;

wire_struct! {
    /// A named, categorized set of typed properties at one time: metrics, KPIs, the state of something. It is sent with an
    /// event or an activity, or alone. Build one with [`Snapshot::builder`].
    ///
    /// ```
    /// use jkool_model::{Property, Snapshot, ValueType};
    ///
    /// let payment = Snapshot::builder("Payment")
    ///     .category("Order")
    ///     .property("order-no", "A-100")
    ///     .add_property(Property::new("order-amount", 42).value_type(ValueType::CurrencyUsd))
    ///     .build();
    /// assert_eq!(payment.properties.len(), 2);
    /// ```
    pub struct Snapshot("a snapshot: an object") {
        "name" => /// What it is called.
            name: Text,
        "category" => /// What it belongs to.
            category: Text,
        "type" => /// [`OpType::Snapshot`], or [`OpType::Dataset`] when it holds data rather than a state.
            op_type: OpType = OpType::Snapshot,
        "time-usec" => /// When it was taken.
            time: Option<Timestamp>,
        "tracking-id" => /// Its own id, when it has one.
            tracking_id: Option<TrackingId>,
        "parent-id" => /// The id of the event or activity that it belongs to.
            parent_id: Option<TrackingId>,
        "source-fqn" => /// Where it comes from, when it travels alone.
            source: Option<SourceFqn>,
        "source-ssn" => /// A short name of the source, as TNT4J sends it.
            source_short_name: Text,
        "source-url" => /// A url of the source.
            source_url: Text,
        "severity" => /// How grave it is, when that is said.
            severity: Option<Severity>,
        "ttl-sec" => /// How long to keep it, in seconds, as TNT4J sends it: 0 as usual, -1 not at all.
            ttl_sec: Option<i64>,
        "_guid" => /// A global id, as TNT4J sends it.
            guid: Text,
        "tracking-sign" => /// A signature, as TNT4J sends it.
            tracking_sign: Text,
        "properties" => /// The metrics.
            properties: Vec<Property>,
    }
}

impl Snapshot {
    /// Returns a builder for a snapshot with this name.
    #[inline]
    pub fn builder(name: impl Into<Text>) -> SnapshotBuilder {
        SnapshotBuilder { snapshot: Box::new(Snapshot { name: name.into(), ..Self::default() }) }
    }

    /// Validates a snapshot that is sent alone, by the rules of the service.
    ///
    /// # Errors
    /// If it has no name, no category, no properties or no source, or its time is outside of the years 1970 to 9999.
    pub fn validate(&self) -> Result<(), InvalidEntity> {
        for (field, missing) in [
            ("name", self.name.is_empty()),
            ("category", self.category.is_empty()),
            ("properties", self.properties.is_empty()),
        ] {
            if missing {
                return Err(InvalidEntity::Missing { field });
            }
        }
        require_in_range("time-usec", self.time)?;
        require_source(self.source.as_ref())
    }
}

/// Builds a [`Snapshot`].
#[derive(Debug, Clone)]
#[must_use = "a snapshot does nothing until it is built and attached or emitted"]
pub struct SnapshotBuilder {
    /// Boxed, because it is moved by each call.
    snapshot: Box<Snapshot>,
}

impl SnapshotBuilder {
    crate::__snapshot_setters!(snapshot);

    /// Returns the snapshot. [`Snapshot::validate`] checks whether it can be sent alone.
    #[inline]
    pub fn build(self) -> Snapshot {
        *self.snapshot
    }
}

/// The setters of a snapshot, for a builder that holds it in `$snapshot`; see `__trackable_setters`.
#[doc(hidden)]
#[macro_export]
macro_rules! __snapshot_setters {
    ($snapshot:ident) => {
        /// Sets the category.
        #[inline]
        pub fn category(mut self, category: impl Into<$crate::Text>) -> Self {
            self.$snapshot.category = category.into();
            self
        }

        /// Sets the time at which it was taken. By default the client uses the time of its event.
        #[inline]
        pub fn time(mut self, time: impl Into<$crate::Timestamp>) -> Self {
            self.$snapshot.time = Some(time.into());
            self
        }

        /// Adds a typed property. For a [`Property`]($crate::Property) with a value type, use
        /// [`add_property`](Self::add_property).
        #[inline]
        pub fn property(self, name: impl Into<$crate::Text>, value: impl Into<$crate::TypedValue>) -> Self {
            self.add_property($crate::Property::new(name, value))
        }

        /// Adds a property.
        #[inline]
        pub fn add_property(mut self, property: $crate::Property) -> Self {
            let properties = &mut self.$snapshot.properties;
            if properties.capacity() == 0 {
                // Most snapshots have several.
                properties.reserve(8);
            }
            properties.push(property);
            self
        }

        /// Sets the id of the event or activity that it belongs to.
        #[inline]
        pub fn parent_id(mut self, id: impl Into<$crate::TrackingId>) -> Self {
            self.$snapshot.parent_id = Some(id.into());
            self
        }

        /// Sets its tracking id.
        #[inline]
        pub fn tracking_id(mut self, id: impl Into<$crate::TrackingId>) -> Self {
            self.$snapshot.tracking_id = Some(id.into());
            self
        }

        /// Sets its source, for a snapshot that is sent alone.
        #[inline]
        pub fn source(mut self, source: $crate::SourceFqn) -> Self {
            self.$snapshot.source = Some(source);
            self
        }

        /// Turns it into a data set, which contains data rather than the state of something.
        #[inline]
        pub fn dataset(mut self) -> Self {
            self.$snapshot.op_type = $crate::OpType::Dataset;
            self
        }
    };
}
