//! Lists of correlators without duplicates.

use jkool_client::model::Text;

/// The maximum number in a span, which may be open as long as the program runs.
const MAX: usize = 64;

/// Adds one that is not in the list. Returns false if the list is full.
pub(crate) fn add(list: &mut Vec<Text>, correlator: Text) -> bool {
    if correlator.is_empty() || list.contains(&correlator) {
        return true;
    }
    let room = list.len() < MAX;
    if room {
        list.push(correlator);
    }
    room
}

#[cfg(test)]
mod tests {
    use super::{MAX, add};
    use jkool_client::model::Text;

    #[test]
    fn each_stands_once_and_there_is_an_end() {
        let mut list: Vec<Text> = vec!["a".into()];
        assert!(add(&mut list, "a".into()) && add(&mut list, "".into()) && add(&mut list, "b".into()));
        assert_eq!(list, ["a", "b"]);
        let refused = (0..100).filter(|n| !add(&mut list, n.to_string().into())).count();
        assert_eq!((list.len(), refused), (MAX, 100 - (MAX - 2)));
    }
}
