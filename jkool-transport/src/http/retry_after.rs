//! Parses `Retry-After` (RFC 9110, section 10.2.3).

use super::http_date;
use std::time::{Duration, SystemTime};

/// The maximum wait that a server can ask for.
const CAP: Duration = Duration::from_secs(5 * 60);

/// Returns how long the server asks to wait, counted from `now`, the time of its response. If there are several headers, the
/// longest time counts; invalid ones are ignored.
pub(super) fn longest<'a>(values: impl Iterator<Item = &'a [u8]>, now: SystemTime) -> Option<Duration> {
    values.filter_map(|value| parse(std::str::from_utf8(value).ok()?, now)).max()
}

/// Seconds or a date; a date in the past means no wait.
fn parse(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim_matches([' ', '\t']);
    let wait = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number that is too large is a very long time.
        Duration::from_secs(text.parse().unwrap_or(u64::MAX))
    } else {
        http_date::parse(text, now)?.duration_since(now).unwrap_or_default()
    };
    Some(wait.min(CAP))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::laws::retry_after;
    use proptest::collection::vec;
    use proptest::prelude::{any, prop_oneof, proptest};
    use std::time::UNIX_EPOCH;

    /// Sun, 06 Nov 1994 08:49:37 GMT
    fn now() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(784_111_777)
    }

    fn read(values: &[&str]) -> Option<u64> {
        longest(values.iter().map(|value| value.as_bytes()), now()).map(|wait| wait.as_secs())
    }

    #[test]
    fn seconds() {
        for (text, expected) in [
            ("0", Some(0)),
            ("1", Some(1)),
            ("007", Some(7)),
            (" 42\t", Some(42)),
            ("299", Some(299)),
            ("300", Some(300)),
            ("301", Some(300)),
            ("1000000000000000000", Some(300)),
            ("99999999999999999999999999999999", Some(300)),
        ] {
            assert_eq!(read(&[text]), expected, "{text}");
        }
    }

    #[test]
    fn dates_in_three_forms() {
        for (text, expected) in [
            ("Sun, 06 Nov 1994 08:50:07 GMT", Some(30)),
            ("Sunday, 06-Nov-94 08:50:07 GMT", Some(30)),
            ("Sun Nov  6 08:50:07 1994", Some(30)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(0)),
            ("Sun, 06 Nov 1994 08:49:36 GMT", Some(0)),
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("Fri, 31 Dec 1999 23:59:59 GMT", Some(300)),
        ] {
            assert_eq!(read(&[text]), expected, "{text}");
        }
    }

    #[test]
    fn garbage_is_passed_over() {
        for text in ["", " ", "-1", "+1", "1.5", "1e18", "1s", "0x10", "5, 10", "soon", "Sun, 06 Nov", "\u{661}"] {
            assert_eq!(read(&[text]), None, "{text:?}");
        }
        assert_eq!(longest([&b"\xff\xfe"[..]].into_iter(), now()), None);
    }

    #[test]
    fn the_longest_of_several_holds() {
        assert_eq!(read(&[]), None);
        assert_eq!(read(&["5", "10"]), Some(10));
        assert_eq!(read(&["10", "5"]), Some(10));
        assert_eq!(read(&["soon", "5"]), Some(5));
        assert_eq!(read(&["Sun, 06 Nov 1994 08:50:07 GMT", "5"]), Some(30));
    }

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).unwrap_or(UNIX_EPOCH)
    }

    proptest! {
        #[test]
        fn the_laws_hold_for_any_bytes(values in vec(vec(any::<u8>(), 0..64), 0..4), seconds in 0..u64::MAX / 4) {
            retry_after(&values.iter().map(Vec::as_slice).collect::<Vec<_>>(), at(seconds));
        }

        #[test]
        fn the_laws_hold_for_what_looks_like_a_header(
            values in vec(prop_oneof![
                "[ \t]{0,2}[0-9]{0,24}[ \t]{0,2}",
                "[A-Z][a-z]{2,8},? [0-9]{1,3}[ -](Jan|Feb|Nov|Xyz)[ -][0-9]{0,6} [0-9]{0,3}:[0-9]{0,3}:[0-9]{0,22} GMT",
                "Sun, [0-3][0-9] (Jan|Feb|Mar|Apr|Jun|Dec) (19|20|99)[0-9]{2} [0-2][0-9]:[0-5][0-9]:[0-6][0-9] GMT",
                "Sunday, [0-3][0-9]-(Jan|Feb|Mar|Jul|Dec)-[0-9]{2} [0-2][0-9]:[0-5][0-9]:[0-6][0-9] GMT",
                "Sun (Feb|May|Aug|Sep|Oct|Nov) [ 0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-6][0-9] (19|20|99)[0-9]{2}",
            ], 0..4),
            seconds in 0..8_000_000_000_u64,
        ) {
            retry_after(&values.iter().map(String::as_bytes).collect::<Vec<_>>(), at(seconds));
        }
    }
}
