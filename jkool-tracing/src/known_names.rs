//! Caches answers about the names of fields, one by one and all of a span or event together. Names and metadata are
//! never freed, so their address identifies them, and no text is searched for each span.

use std::cell::RefCell;
use tracing_core::Metadata;

#[derive(Clone, Copy)]
struct Known {
    layer: usize,
    key: Key,
    yes: bool,
}

/// The address and the length of a name, or the address of metadata.
type Key = (usize, usize);

/// In place of the length: longer than any name.
const METADATA: usize = usize::MAX;

/// The number of cached answers: a power of two. If two keys have the same slot, the later one replaces the other.
const PLACES: usize = 64;

const NONE: Known = Known { layer: usize::MAX, key: (0, 0), yes: false };

thread_local! {
    static KNOWN: RefCell<[Known; PLACES]> = const { RefCell::new([NONE; PLACES]) };
}

/// The answer of one layer for a name, which never changes.
pub(crate) fn is(layer: usize, name: &'static str, ask: impl FnOnce() -> bool) -> bool {
    known(layer, (name.as_ptr() as usize, name.len()), ask)
}

/// The answer of one layer for all fields of a span or an event, which never changes.
pub(crate) fn all(layer: usize, metadata: &'static Metadata<'static>, ask: impl FnOnce() -> bool) -> bool {
    known(layer, (std::ptr::from_ref(metadata) as usize, METADATA), ask)
}

fn known(layer: usize, key: Key, ask: impl FnOnce() -> bool) -> bool {
    // Texts that are adjacent in memory get different slots.
    let place = (key.0 ^ key.0 >> 6 ^ layer) % PLACES;
    let known = KNOWN.try_with(|known| known.try_borrow().ok().map(|known| known[place])).ok().flatten();
    if let Some(known) = known.filter(|known| known.layer == layer && known.key == key) {
        return known.yes;
    }
    let yes = ask();
    let keep = |known: &RefCell<[Known; PLACES]>| {
        if let Ok(mut known) = known.try_borrow_mut() {
            known[place] = Known { layer, key, yes };
        }
    };
    KNOWN.try_with(keep).unwrap_or_default();
    yes
}

#[cfg(test)]
mod tests {
    use super::{PLACES, is};

    #[test]
    fn each_layer_is_asked_once_for_a_name() {
        let names: &'static str = "0123456789abcdef".repeat(PLACES).leak();
        assert!(is(1, &names[..3], || true) && !is(2, &names[..3], || false));
        assert!(is(2, &names[1..3], || true) && is(2, &names[..2], || true));
        assert!(!is(2, &names[2..], || false));
        // As often as there are slots.
        for _ in 0..2 {
            for start in 0..names.len() {
                assert_eq!(is(3, &names[start..], || start % 3 == 0), start % 3 == 0);
            }
        }
        assert!(is(4, &names[..4], || true) && is(4, &names[..4], || panic!("it is known")));
    }
}
