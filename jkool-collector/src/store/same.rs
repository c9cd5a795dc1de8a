//! Whether two entities are one, in whatever order and spelling their fields are written.

use super::parse::parse;
use jkool_model::Entity;
use std::hash::{DefaultHasher, Hash, Hasher};

/// An entity as it is written here: equal ones have equal bytes, but for fields that mean nothing to us.
pub(super) fn canonical(entity: &Entity) -> Vec<u8> {
    let mut json = Vec::with_capacity(512);
    entity.append_json(&mut json);
    json
}

/// The same for all that are one; for others seldom, and who asks compares. A checksum takes less time than a hash of all.
pub(super) fn key(entity: &Entity) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write_u32(crc32fast::hash(&canonical(entity)));
    entity.tracking_id().hash(&mut hasher);
    hasher.finish()
}

/// Whether what is stored is one with `entity`, which came as `json`.
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
