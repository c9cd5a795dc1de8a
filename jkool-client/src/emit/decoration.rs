//! The decoration as JSON, which is rendered once.

use crate::emit::code::{Code, FILE, LINE, MODULE};
use crate::emit::defaults::Defaults;
use crate::emit::raw_properties;
use crate::emit::span::EndedSpan;
use jkool_model::json::Json;
use jkool_model::{Activity, Event, Property, Text, TrackingId};

/// The fields that an event does not set and gets from the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lacks(u8);

impl Lacks {
    pub(crate) const NOTHING: Self = Self(0);
    /// The fields that the client's settings can add.
    pub(crate) const ALL_DEFAULTS: Self = Self(0b1_1111);
    pub(crate) const PROPERTIES: Self = Self(0b1_0000);
    pub(crate) const ID: Self = Self(0b10_0000);
    const COUNT: usize = 1 << 6;

    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) fn but(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(crate) fn includes(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    fn these(lacks: [bool; 6]) -> Self {
        Self(lacks.iter().rev().fold(0, |bits, lacks| bits << 1 | u8::from(*lacks)))
    }
}

macro_rules! lacks_of {
    ($($name:ident: $ty:ty;)+) => {
        impl Lacks {
            $(/// What of the defaults it has no word for.
            pub(crate) fn $name(it: &$ty) -> Self {
                Self::these([
                    it.source.is_none(),
                    it.user.is_empty(),
                    it.location.is_empty(),
                    it.pid.is_none(),
                    it.properties.is_empty(),
                    it.tracking_id.is_none(),
                ])
            })+
        }
    };
}

lacks_of! {
    of_event: Event;
    of_activity: Activity;
}

/// The defaults as JSON, each with a comma before it.
#[derive(Debug)]
pub(crate) struct Decoration {
    /// Source, user, location, process, properties: in the order of the bits of [`Lacks`].
    parts: [Box<[u8]>; 5],
    all: Box<[u8]>,
    /// The number of bytes that close an event, by the fields that it lacks.
    closing: [usize; Lacks::COUNT],
    /// The default properties, with their names.
    properties: Vec<(Text, Box<[u8]>)>,
}

impl Decoration {
    pub(crate) fn new(defaults: &Defaults) -> Self {
        let json = |fill: &dyn Fn(&mut Event)| {
            let (mut event, mut json) = (Event::default(), Vec::new());
            fill(&mut event);
            event.append_json(&mut json);
            // The closing bracket is not part of it.
            json.pop();
            json
        };
        let bare = json(&|_| {}).len();
        // The type and the severity of an event, which are always set, come before these.
        let part = |fill: &dyn Fn(&mut Event)| Box::<[u8]>::from(&json(fill)[bare..]);
        let parts = [
            part(&|event| event.source = Some(defaults.source.clone())),
            part(&|event| event.user = defaults.user.clone()),
            part(&|event| event.location = defaults.location.clone()),
            part(&|event| event.pid = defaults.pid()),
            part(&|event| event.properties.clone_from(&defaults.properties)),
        ];
        let property = |property: &Property| {
            let mut json = vec![b','];
            property.append_json(&mut json);
            (property.name.clone(), json.into_boxed_slice())
        };
        let properties: Vec<_> = defaults.properties.iter().map(property).collect();
        let mut decoration = Self { all: parts.concat().into(), parts, closing: [0; Lacks::COUNT], properties };
        for lacks in 0..Lacks::COUNT {
            let (lacks, mut json) = (Lacks(lacks as u8), Vec::new());
            decoration.close(lacks, &mut json, TrackingId::random);
            decoration.closing[usize::from(lacks.0)] = json.len();
        }
        decoration
    }

    /// Closes the JSON of an event with the fields that it lacks. `id` creates an id if it lacks one.
    pub(crate) fn close(&self, lacks: Lacks, json: &mut Vec<u8>, id: impl FnOnce() -> TrackingId) {
        if lacks.includes(Lacks::ALL_DEFAULTS) {
            json.extend_from_slice(&self.all);
        } else {
            self.lacking(lacks).for_each(|part| json.extend_from_slice(part));
        }
        if lacks.includes(Lacks::ID) {
            json.extend_from_slice(br#","tracking-id":"#);
            id().append_json(json);
        }
        json.push(b'}');
    }

    /// The number of bytes that [`close`](Self::close) adds.
    pub(crate) fn closing(&self, lacks: Lacks) -> usize {
        self.closing[usize::from(lacks.0)]
    }

    /// Whether a default property has this name.
    pub(crate) fn has_property(&self, name: &str) -> bool {
        self.properties.iter().any(|(default, _)| default == name)
    }

    fn lacking(&self, lacks: Lacks) -> impl Iterator<Item = &[u8]> {
        let parts = self.parts.iter().enumerate();
        parts.filter(move |(bit, _)| lacks.0 & 1 << bit != 0).map(|(_, part)| &**part)
    }

    /// Appends the event's own properties, the raw ones, those of a span, the place in the code, and the defaults; for equal names
    /// the first one is used. No raw property has a name that is added here.
    pub(crate) fn append_properties(
        &self,
        own: &[Property],
        raw: &[u8],
        span: Option<&EndedSpan>,
        code: Option<Code>,
        out: &mut Vec<u8>,
    ) {
        let name = br#","properties":"#;
        let start = out.len() + name.len();
        let mut json = Json::begin(out, ROOM + own.len() * ROOM / 4 + raw.len()).raw(name);
        for property in own {
            json = property.write_json(json.raw(b","));
        }
        json = raw_properties::write_json(raw, json);
        if let Some(span) = span {
            json = span.write_properties(json);
        }
        let is_own = |name: &str| own.iter().any(|property| property.name == name);
        if let Some(Code { module, file, line }) = code {
            if !is_own(MODULE) {
                json = json.raw(br#",{"name":"module","type":"string","value":"#).text(module).raw(b"}");
            }
            if !is_own(FILE) {
                json = json.raw(br#",{"name":"file","type":"string","value":"#).text(file).raw(b"}");
            }
            if !is_own(LINE) {
                json = json.raw(br#",{"name":"line","type":"long","value":"#).int(line.into()).raw(b"}");
            }
        }
        let is_code = |name: &str| code.is_some() && Code::has(name);
        for (name, default) in &self.properties {
            if !is_own(name) && !is_code(name) {
                json = json.raw(default);
            }
        }
        json.raw(b"]").end();
        // The bracket replaces the first comma.
        out[start] = b'[';
    }
}

/// The typical size of properties.
const ROOM: usize = 256;

#[cfg(test)]
mod tests {
    use super::{Decoration, Lacks};
    use crate::emit::defaults::Defaults;
    use crate::emit::host::Host;
    use jkool_model::{Event, Property, TrackingId};

    fn defaults() -> Defaults {
        let properties = vec![Property::new("env", "prod"), Property::new("line", 1)];
        let source = Some("APPL=orders".parse().unwrap());
        let host = Host { pid: 4242, ..Host::look(|_| None) };
        Defaults::new(source, Some("bob".into()), "Atlanta, \"Ga\"".into(), properties, host).unwrap()
    }

    #[test]
    fn an_event_is_closed_with_just_what_it_lacks() {
        let decoration = Decoration::new(&defaults());
        let whole = |event: &mut Event| {
            event.source = Some(defaults().source);
            event.user = "bob".into();
            event.location = "Atlanta, \"Ga\"".into();
            event.pid = Some(4242);
            event.properties = defaults().properties;
            event.tracking_id = Some("id".into());
        };
        for bits in 0..64_u8 {
            let mut expected = Event::default();
            whole(&mut expected);
            // Each set bit removes one field.
            let mut event = expected.clone();
            let bare = Event::default();
            if bits & 1 != 0 {
                event.source = bare.source;
            }
            if bits & 2 != 0 {
                event.user = bare.user;
            }
            if bits & 4 != 0 {
                event.location = bare.location;
            }
            if bits & 8 != 0 {
                event.pid = bare.pid;
            }
            if bits & 16 != 0 {
                event.properties = bare.properties;
            }
            if bits & 32 != 0 {
                event.tracking_id = bare.tracking_id;
            }
            let lacks = Lacks::of_event(&event);
            assert_eq!(lacks, Lacks(bits));
            let mut json = Vec::new();
            event.append_json(&mut json);
            json.pop();
            let open = json.len();
            let id = TrackingId::random();
            decoration.close(lacks, &mut json, || id.clone());
            assert_eq!(json.len() - open, decoration.closing(lacks), "{bits}");
            if bits & 32 != 0 {
                expected.tracking_id = Some(id);
            }
            assert_eq!(serde_json::from_slice::<Event>(&json).unwrap(), expected, "{bits}");
        }
    }

    #[test]
    fn what_no_setting_says_adds_nothing() {
        let defaults = Defaults { user: "".into(), location: "".into(), properties: Vec::new(), ..defaults() };
        let mut json = br#"{"type":"EVENT""#.to_vec();
        Decoration::new(&defaults).close(Lacks::ALL_DEFAULTS, &mut json, TrackingId::random);
        let text = String::from_utf8(json).unwrap();
        assert_eq!(text, r#"{"type":"EVENT","source-fqn":"APPL=orders","pid":4242}"#);
    }
}
