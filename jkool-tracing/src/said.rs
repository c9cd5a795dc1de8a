//! What a program says of a span while it is open.

use crate::properties::Properties;
use crate::severity::severity;
use crate::trace::{SpanId, TraceContext};
use jkool_client::facade::{now, spare_activity};
use jkool_client::model::{Activity, Scalar, Text, TrackingId};
use std::cell::RefCell;
use tracing_core::Metadata;

/// The recorded data of a span.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) metadata: &'static Metadata<'static>,
    pub(crate) parent: Option<SpanId>,
    /// The thread that opened it. It may close on another one.
    pub(crate) tid: i64,
    /// The field `otel.kind`.
    pub(crate) kind: Text,
    pub(crate) properties: Properties,
    pub(crate) children: Vec<TrackingId>,
    /// Further fields, which most spans do not have.
    pub(crate) rest: Option<Box<Activity>>,
}

/// The property with the span's target.
pub(crate) const TARGET: &str = "target";

thread_local! {
    /// Buffers of spans that have ended, for reuse: one for each level of nesting.
    #[expect(clippy::vec_box, reason = "the box itself is reused")]
    static SPARE: RefCell<Vec<Box<Said>>> = const { RefCell::new(Vec::new()) };
}

const MAX_SPARE: usize = 8;

/// A list with room for more children is not kept.
const MAX_SPARE_CHILDREN: usize = 64;

impl Said {
    /// Starts with the state of a new span, without its fields.
    pub(crate) fn begin(metadata: &'static Metadata<'static>, parent: Option<SpanId>) -> Box<Self> {
        let spare = SPARE.try_with(|spare| spare.try_borrow_mut().ok()?.pop()).ok().flatten();
        let mut said = spare.unwrap_or_else(|| Box::new(Self::new(metadata)));
        said.metadata = metadata;
        said.parent = parent;
        said.tid = now::tid();
        said.properties.clear();
        said.properties.push(TARGET, Scalar::Text(metadata.target()));
        said
    }

    fn new(metadata: &'static Metadata<'static>) -> Self {
        let (kind, properties) = (Text::default(), Properties::default());
        Self { metadata, parent: None, tid: 0, kind, properties, children: Vec::new(), rest: None }
    }

    /// Keeps the buffers for reuse.
    pub(crate) fn reuse(mut self: Box<Self>) {
        if !self.properties.is_small() || self.children.capacity() > MAX_SPARE_CHILDREN {
            return;
        }
        self.kind = Text::default();
        self.children.clear();
        self.rest = None;
        let keep = |spare: &RefCell<Vec<Box<Self>>>| {
            if let Some(mut spare) = spare.try_borrow_mut().ok().filter(|spare| spare.len() < MAX_SPARE) {
                spare.push(self);
            }
        };
        SPARE.try_with(keep).unwrap_or_default();
    }

    pub(crate) fn set_parent(&mut self, id: SpanId) {
        if let Some(rest) = &mut self.rest {
            rest.parent_id = Some(id.tracking_id());
        }
        self.parent = Some(id);
    }

    /// The data besides properties and children.
    pub(crate) fn rest(&mut self) -> &mut Activity {
        let Self { metadata, parent, tid, .. } = self;
        self.rest.get_or_insert_with(|| {
            let mut activity = spare_activity();
            activity.operation = metadata.name().into();
            activity.severity = severity(metadata.level());
            activity.parent_id = parent.map(SpanId::tracking_id);
            activity.tid = Some(*tid);
            activity
        })
    }

    /// Takes the data out as an activity without its properties.
    pub(crate) fn take_activity(&mut self, context: TraceContext) -> Box<Activity> {
        self.rest();
        let mut activity = self.rest.take().unwrap_or_default();
        activity.tracking_id = Some(context.span_id.tracking_id());
        activity.id_set.extend(self.children.iter().map(|child| Text::from(child.to_string())));
        activity
    }
}
