//! What the builder accepts, what it takes from the environment, and what it says of the rest.

use super::ClientBuilder;
use crate::api::client::Client;
use jkool_transport::MemoryTransport;

const CANARY: &str = "canary-4f1c";

fn refused(builder: ClientBuilder) -> String {
    let error = builder.build().unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(!text.contains(CANARY), "{text}");
    error.to_string()
}

fn without_environment() -> ClientBuilder {
    let mut builder = Client::builder();
    builder.env = |_| None;
    builder
}

#[test]
fn numbers_of_zero_are_named() {
    let memory = || without_environment().transport(MemoryTransport::new());
    assert_eq!(refused(memory().queue_events(0)), "queue_events can't be 0");
    assert_eq!(refused(memory().queue_bytes(0)), "queue_bytes can't be 0");
    assert_eq!(refused(memory().max_batch(0)), "max_batch can't be 0");
    assert_eq!(refused(memory().in_flight(0)), "in_flight can't be 0");
}

#[test]
fn a_source_that_is_none_is_told_with_its_variable() {
    let mut builder = without_environment().transport(MemoryTransport::new());
    builder.env = |name| (name == "JKOOL_SOURCE").then(|| "WebOrders".to_owned());
    let told = "JKOOL_SOURCE: source element 1 at byte 0: `WebOrders` has no `=` between type and name";
    assert_eq!(refused(builder), told);
    let mut builder = without_environment().transport(MemoryTransport::new()).source("APPL=own".parse().unwrap());
    builder.env = |name| (name == "JKOOL_SOURCE").then(|| "WebOrders".to_owned());
    builder.build().unwrap();
}

#[test]
fn settings_of_https_do_not_go_unnoticed_beside_another_transport() {
    let memory = || without_environment().transport(MemoryTransport::new());
    assert_eq!(refused(memory().token(CANARY)), "token applies to HTTPS only, but another transport was passed");
    assert_eq!(refused(memory().token_file("t")), "token applies to HTTPS only, but another transport was passed");
    assert_eq!(
        refused(memory().url("http://localhost")),
        "url applies to HTTPS only, but another transport was passed"
    );
}

#[test]
fn the_builder_never_shows_the_token() {
    let text = format!("{:?}", without_environment().token(CANARY));
    assert!(!text.contains(CANARY) && text.contains("***"), "{text}");
}

#[cfg(not(feature = "http"))]
#[test]
fn without_http_a_transport_must_be_passed() {
    assert!(matches!(without_environment().build(), Err(crate::api::error::BuildError::NoTransport)));
}

#[cfg(feature = "http")]
mod http {
    use super::{CANARY, refused, without_environment};
    use crate::api::error::BuildError;

    #[test]
    fn no_token_says_how_to_give_one() {
        assert!(matches!(without_environment().build(), Err(BuildError::NoToken)));
        assert!(refused(without_environment()).contains("JKOOL_TOKEN"));
    }

    #[test]
    fn a_collector_of_ones_own_needs_no_token() {
        without_environment().url("http://127.0.0.1:9").build().unwrap();
    }

    #[test]
    fn a_token_and_a_url_come_from_the_environment() {
        let mut builder = without_environment();
        builder.env = |name| (name == "JKOOL_TOKEN").then(|| format!("{CANARY}\n"));
        assert!(refused(builder).starts_with("the token from JKOOL_TOKEN: "));
        let mut builder = without_environment();
        builder.env = |name| (name == "JKOOL_URL").then(|| "ftp://example.com".to_owned());
        assert!(refused(builder).contains("https://"));
        let mut builder = without_environment().token("fine").url("http://localhost");
        builder.env = |_| panic!("nothing is asked of the environment that the builder was told");
        let mut named = builder.user("u").source("APPL=a".parse().unwrap());
        named.env = |name| if name.starts_with("JKOOL") { panic!("{name} was asked for") } else { None };
        named.build().unwrap();
    }

    #[test]
    fn bad_tokens_say_where_they_come_from() {
        assert!(refused(without_environment().token("")).starts_with("the token from the builder: "));
        assert!(
            refused(without_environment().token(format!("{CANARY}\r\nx"))).starts_with("the token from the builder: ")
        );
        let missing = refused(without_environment().token_file("/nonexistent/token"));
        assert!(
            missing.starts_with("the token from the file: ") && missing.contains("/nonexistent/token"),
            "{missing}"
        );
    }

    #[test]
    fn bad_urls_are_refused_with_a_reason() {
        for (url, part) in [
            ("not a url", "url"),
            ("ftp://example.com", "https:// or http://"),
            ("http://example.com", "plain"),
            ("https://user:secret@example.com", "user"),
        ] {
            let text = refused(without_environment().token(CANARY).url(url));
            assert!(text.contains(part) && !text.contains("secret"), "{url}: {text}");
        }
        without_environment().token(CANARY).url("http://127.0.0.1:1").build().unwrap();
    }

    #[test]
    fn further_settings_reach_the_transport() {
        let text = refused(without_environment().token(CANARY).http(|http| http.batches(0)));
        assert!(text.contains("batch"), "{text}");
    }
}
