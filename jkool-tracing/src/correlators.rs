//! Lists of correlators, in which each stands once.

use jkool_client::model::Text;

/// A span takes no more: it may be open for as long as the program runs.
const MAX: usize = 64;

/// Adds one that is not there yet. False when there is no room.
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
