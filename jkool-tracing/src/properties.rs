//! The properties of a span, encoded as JSON when they are recorded.

use jkool_client::model::Text;
use jkool_client::model::json::Json;
use std::cell::RefCell;

/// Each has a comma before it, and names are unique.
#[derive(Debug, Default, Clone)]
pub(crate) struct Properties {
    json: Vec<u8>,
    parts: Vec<Part>,
}

#[derive(Debug, Clone)]
struct Part {
    name: Text,
    /// The position of its end in the JSON.
    end: usize,
}

thread_local! {
    /// Buffers of spans that have ended, for reuse: one for each level of nesting.
    static SPARE: RefCell<Vec<Properties>> = const { RefCell::new(Vec::new()) };
}

const MAX_SPARE: usize = 8;

/// Larger buffers are freed.
const MAX_SPARE_JSON: usize = 4 << 10;
const MAX_SPARE_PARTS: usize = 32;

/// The maximum number in a span, which may be open as long as the program runs.
const MAX: usize = 256;

/// The maximum size of a short property.
const ROOM: usize = 128;

impl Properties {
    /// Without properties.
    pub(crate) fn begin() -> Self {
        let spare = SPARE.try_with(|spare| spare.try_borrow_mut().ok()?.pop());
        spare.ok().flatten().unwrap_or_default()
    }

    /// Keeps the buffer for reuse.
    pub(crate) fn reuse(mut self) {
        if self.json.capacity() > MAX_SPARE_JSON || self.parts.capacity() > MAX_SPARE_PARTS {
            return;
        }
        self.json.clear();
        self.parts.clear();
        let keep = |spare: &RefCell<Vec<Self>>| {
            if let Some(mut spare) = spare.try_borrow_mut().ok().filter(|spare| spare.len() < MAX_SPARE) {
                spare.push(self);
            }
        };
        SPARE.try_with(keep).unwrap_or_default();
    }

    /// Adds a property, or replaces the one with this name. Returns false if the limit is reached.
    pub(crate) fn set(&mut self, name: Text, write: impl for<'j> FnOnce(Json<'j>) -> Json<'j>) -> bool {
        match self.parts.iter().position(|part| part.name == name) {
            None if self.parts.len() >= MAX => return false,
            None => self.push(name, write),
            Some(place) => {
                let start = self.json.len();
                self.write(write);
                self.move_to(place, start);
            }
        }
        true
    }

    /// Adds a property whose name is new, regardless of the limit.
    pub(crate) fn push(&mut self, name: Text, write: impl for<'j> FnOnce(Json<'j>) -> Json<'j>) {
        self.write(write);
        self.parts.push(Part { name, end: self.json.len() });
    }

    fn write(&mut self, write: impl for<'j> FnOnce(Json<'j>) -> Json<'j>) {
        write(Json::begin(&mut self.json, ROOM).raw(b",")).end();
    }

    /// Replaces a property by the JSON from `start` on.
    fn move_to(&mut self, place: usize, start: usize) {
        let new = self.json.split_off(start);
        let old = self.start(place)..self.parts[place].end;
        for part in &mut self.parts[place..] {
            part.end = part.end - old.len() + new.len();
        }
        self.json.splice(old, new);
    }

    fn start(&self, place: usize) -> usize {
        place.checked_sub(1).map_or(0, |before| self.parts[before].end)
    }

    pub(crate) fn json(&self) -> &[u8] {
        &self.json
    }

    /// Each property with its name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Text, &[u8])> {
        self.parts.iter().enumerate().map(|(place, part)| (&part.name, &self.json[self.start(place)..part.end]))
    }

    /// Calls `f` with the properties and further JSON that is appended to them.
    pub(crate) fn with<R>(
        &mut self,
        other: impl for<'j> FnOnce(Json<'j>) -> Json<'j>,
        f: impl FnOnce(&[u8], &[u8]) -> R,
    ) -> R {
        let end = self.json.len();
        other(Json::begin(&mut self.json, 4 * ROOM)).end();
        let (properties, other) = self.json.split_at(end);
        let result = f(properties, other);
        self.json.truncate(end);
        result
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX, Properties};
    use jkool_client::model::{Scalar, write_property};

    fn set(properties: &mut Properties, name: &'static str, value: &str) -> bool {
        properties.set(name.into(), |out| write_property(out, name, Scalar::Text(value)))
    }

    fn said(properties: &Properties) -> Vec<(&str, String)> {
        let text = |json: &[u8]| String::from_utf8(json.to_vec()).unwrap();
        let said: Vec<_> = properties.iter().map(|(name, json)| (&**name, text(json))).collect();
        let whole: String = said.iter().map(|(_, json)| json.as_str()).collect();
        assert_eq!(text(properties.json()), whole);
        said
    }

    #[test]
    fn of_one_name_the_last_value_stands_where_the_first_did() {
        let mut properties = Properties::default();
        for (name, value) in [("a", "1"), ("b", ""), ("c", "3"), ("b", "longer"), ("a", "")] {
            assert!(set(&mut properties, name, value));
        }
        let json = |name, value| (name, format!(r#",{{"name":"{name}","type":"string","value":"{value}"}}"#));
        assert_eq!(said(&properties), [json("a", ""), json("b", "longer"), json("c", "3")]);
        let both = properties.with(|out| out.raw(b",other"), |own, other| (own.to_vec(), other.to_vec()));
        assert_eq!(both, (properties.json().to_vec(), b",other".to_vec()));
        properties.reuse();
        assert!(said(&Properties::begin()).is_empty());
    }

    #[test]
    fn there_is_an_end() {
        let mut properties = Properties::default();
        let names: Vec<String> = (0..=MAX).map(|n| n.to_string()).collect();
        let mut add = |name: &String| properties.set(name.clone().into(), |out| out.text(name));
        assert!(names[..MAX].iter().all(&mut add) && !add(&names[MAX]) && add(&names[0]));
    }
}
