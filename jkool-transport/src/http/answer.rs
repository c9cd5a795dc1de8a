//! The meaning of a response.

use super::retry_after;
use crate::error::{ErrorKind, TransportError};
use crate::receipt::{Disposition, Failure};
use hyper::StatusCode;
use hyper::header::{HeaderMap, RETRY_AFTER};
use std::time::{Duration, SystemTime};

/// A response.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// The part of the body that was read.
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// `Ok` means delivered. A success status counts as soon as the head has arrived, unless the body says no: an error after
    /// the head does not undo what the server has done, and sending the payload again would store it twice.
    pub(super) fn meaning(self) -> Result<(), Failure> {
        if self.status.is_success() {
            return meaning(self.status, None, &self.body);
        }
        let values = self.headers.get_all(RETRY_AFTER).iter().map(|value| value.as_bytes());
        meaning(self.status, retry_after::longest(values, now()), &[])
    }
}

/// The time of arrival, needed for a `Retry-After` with a date.
#[expect(
    clippy::disallowed_methods,
    reason = "this crate's only look at the time of day; a wrong one shortens or caps one wait"
)]
fn now() -> SystemTime {
    SystemTime::now()
}

/// The body matters for a success only; no part of it is copied into an error.
fn meaning(status: StatusCode, retry_after: Option<Duration>, body: &[u8]) -> Result<(), Failure> {
    if status.is_success() {
        return if says_no(body) { Err(refused(status)) } else { Ok(()) };
    }
    let (disposition, in_doubt) = class(status.as_u16(), retry_after);
    let text = match hint(status.as_u16()) {
        "" => format!("the server answered {}", name(status)),
        hint => format!("the server answered {}: {hint}", name(status)),
    };
    let mut failure = Failure::new(disposition, TransportError::new(ErrorKind::Answer, text));
    failure.maybe_delivered = in_doubt;
    failure.maybe_rejected = may_be_for_the_content(status.as_u16(), retry_after);
    Err(failure)
}

/// Whether the content of the payload may be the cause: some events make a server, or a firewall in front of it, fail every
/// time, with nearly any status. Exceptions are responses that ask for time, and a proxy that asks for authentication.
fn may_be_for_the_content(status: u16, after: Option<Duration>) -> bool {
    match status {
        407 | 408 | 425 | 429 => false,
        status => match class(status, after) {
            (Disposition::Retry { after }, _) => after.is_none(),
            (disposition, _) => disposition == Disposition::Misconfigured,
        },
    }
}

/// The disposition for an error status, and whether delivery is in doubt: a server that responds with 500, 502 or 504 may have
/// stored the payload, and nothing is known about undefined statuses.
fn class(status: u16, after: Option<Duration>) -> (Disposition, bool) {
    match status {
        408 | 425 | 429 | 503 => (Disposition::Retry { after }, false),
        401..=407 | 410 | 411 | 415 | 421 | 426 | 431 | 451 | 501 | 505 | 300..=399 => {
            (Disposition::Misconfigured, false)
        }
        413 => (Disposition::TooLarge, false),
        400..=499 => (Disposition::Rejected, false),
        _ => (Disposition::Retry { after }, true),
    }
}

/// A hint for the reader of the error.
fn hint(status: u16) -> &'static str {
    match status {
        300..=399 => "redirects are not followed; use the new url",
        401 | 403 => "the token is missing or was rejected",
        404 | 405 | 410 | 501 => "this url does not accept events",
        402 => "payment is required, or the volume of the account is used up",
        407 => "the proxy requires a user name and a password",
        413 => "the request is larger than the server accepts",
        429 => "the rate limit is exceeded",
        _ => "",
    }
}

/// The status with its standard name, never with the server's text.
fn name(status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(reason) => format!("{} {reason}", status.as_u16()),
        None => status.as_u16().to_string(),
    }
}

fn refused(status: StatusCode) -> Failure {
    let text = format!("the server answered {}, but its body reports a failure; check the token", name(status));
    Failure::new(Disposition::Misconfigured, TransportError::new(ErrorKind::Answer, text)).content_in_doubt()
}

/// Whether the body contains `<success>false`, as in the service's access response. Case and white space are ignored. This is a
/// simple search instead of an XML parser, so that it cannot be attacked.
fn says_no(body: &[u8]) -> bool {
    const TAG: &[u8] = b"<success";
    let mut rest = body;
    while let Some(start) = rest.windows(TAG.len()).position(|window| window.eq_ignore_ascii_case(TAG)) {
        rest = rest.get(start + TAG.len()..).unwrap_or_default();
        if let Some(value) = rest.trim_ascii_start().strip_prefix(b">") {
            if value.trim_ascii_start().get(..5).is_some_and(|word| word.eq_ignore_ascii_case(b"false")) {
                return true;
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop, prop_assert_eq, proptest};

    const SOON: Option<Duration> = Some(Duration::from_secs(7));

    fn of(status: u16, after: Option<Duration>) -> Result<(), Failure> {
        meaning(StatusCode::from_u16(status).expect("a status"), after, b"<success>true</success>")
    }

    /// The class of every status there is, whether delivery is in doubt, and whether it may be for what the payload holds.
    fn expected(status: u16, after: Option<Duration>) -> (Option<Disposition>, bool, bool) {
        let retry = Some(Disposition::Retry { after });
        let misconfigured = Some(Disposition::Misconfigured);
        match status {
            200..=299 => (None, false, false),
            408 | 425 | 429 => (retry, false, false),
            503 => (retry, false, after.is_none()),
            407 => (misconfigured, false, false),
            401 | 402 | 403 | 404 | 405 | 406 | 410 | 411 | 415 | 421 | 426 | 431 | 451 | 501 | 505 => {
                (misconfigured, false, true)
            }
            413 => (Some(Disposition::TooLarge), false, false),
            300..=399 => (misconfigured, false, true),
            400..=499 => (Some(Disposition::Rejected), false, false),
            _ => (retry, true, after.is_none()),
        }
    }

    #[test]
    fn every_status_has_its_class() {
        for (status, after) in (100..=999).flat_map(|status| [(status, None), (status, SOON)]) {
            let (disposition, in_doubt, of_content) = expected(status, after);
            match of(status, after) {
                Ok(()) => assert_eq!(disposition, None, "{status}"),
                Err(failure) => {
                    assert_eq!(Some(failure.disposition), disposition, "{status}");
                    assert_eq!(failure.maybe_delivered, in_doubt, "{status}");
                    assert_eq!(failure.maybe_rejected, of_content, "{status}");
                    assert_eq!(failure.error.kind(), ErrorKind::Answer);
                    assert!(failure.error.to_string().contains(&status.to_string()), "{}", failure.error);
                }
            }
        }
    }

    #[test]
    fn texts_say_what_to_do() {
        for (status, text) in [
            (401, "the server answered 401 Unauthorized: the token is missing or was rejected"),
            (308, "the server answered 308 Permanent Redirect: redirects are not followed; use the new url"),
            (400, "the server answered 400 Bad Request"),
            (599, "the server answered 599"),
        ] {
            assert_eq!(of(status, None).expect_err("a failure").error.to_string(), text);
        }
    }

    #[test]
    fn a_success_may_still_say_no() {
        let says = |body: &[u8]| meaning(StatusCode::OK, None, body).map_err(|failure| failure.disposition);
        for body in [
            "<access-resp><token>t</token><success>false</success><reason>no</reason></access-resp>",
            "<success>false",
            "<SUCCESS>False</SUCCESS>",
            "<success >\r\n  FALSE </success>",
            "<successor/><success>true</success><success>false</success>",
        ] {
            assert_eq!(says(body.as_bytes()), Err(Disposition::Misconfigured), "{body}");
        }
        for body in [
            "",
            "<success>true</success>",
            "success: false",
            "<success>",
            "<success>fals",
            "<success/>false",
            "<success",
            "<successful>false",
        ] {
            assert_eq!(says(body.as_bytes()), Ok(()), "{body}");
        }
    }

    proptest! {
        #[test]
        fn no_body_panics(body in prop::collection::vec(any::<u8>(), 0..256), status in 100_u16..1000) {
            let status = StatusCode::from_u16(status).expect("a status");
            prop_assert_eq!(meaning(status, None, &body).is_ok(), status.is_success() && !says_no(&body));
        }
    }
}
