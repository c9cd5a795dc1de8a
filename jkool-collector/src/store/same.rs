//! Compares entities, whatever the order and the spelling of their fields.

use super::parse::parse;
use jkool_model::Entity;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Returns an entity in a canonical form: equal entities have equal bytes. Unknown fields do not matter.
pub(super) fn canonical(entity: &Entity) -> Vec<u8> {
    let mut json = Vec::with_capacity(512);
    entity.append_json(&mut json);
    json
}

/// Returns a key that is the same for equal entities. Different ones rarely have the same key, so callers compare them.
/// A checksum is faster than a hash of all bytes.
pub(super) fn key(entity: &Entity) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write_u32(crc32fast::hash(&canonical(entity)));
    entity.tracking_id().hash(&mut hasher);
    hasher.finish()
}

/// Whether a stored entity equals `entity`, which was received as `json`.
pub(super) fn is_same(stored: &[u8], entity: &Entity, json: &[u8]) -> bool {
    stored == json || parse(stored).is_ok_and(|stored| stored == *entity)
}

#[cfg(test)]
mod tests {
    use super::{is_same, key};
    use jkool_model::Entity;

    fn read(json: &str) -> Entity {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn the_order_and_the_spelling_of_fields_are_no_matter() {
        let one = r#"{"operation":"a","tracking-id":"1","time-usec":1457524800123456,"severity":"INFO","corrid":["x"],
                      "properties":[{"name":"n","type":"double","value":1.50}],"unknown":7}"#;
        let other = r#"{"corrid":["x"],"time-usec":"1457524800123456","tracking-id":"1","operation":"a",
                        "properties":[{"value":1.5,"name":"n","type":"double"}]}"#;
        let more = other.replace("1.5", "1.25");
        assert_eq!(key(&read(one)), key(&read(other)));
        assert!(is_same(one.as_bytes(), &read(other), other.as_bytes()));
        assert_ne!(key(&read(one)), key(&read(&more)));
        assert!(!is_same(one.as_bytes(), &read(&more), more.as_bytes()));
        assert!(!is_same(b"torn", &read(other), other.as_bytes()));
    }
}
