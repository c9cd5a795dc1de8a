//! Who may send and read, and what a stranger's web page may do: nothing.

use crate::socket::{Connection, ask, collector, event, post, request, stored};
use jkool_collector::{Collector, StartError};

const TOKEN: &str = "canary-0a1b";

fn guarded() -> Collector {
    Collector::builder().listen("127.0.0.1:0").token(TOKEN).start().unwrap()
}

fn handshake(token: &str) -> Vec<u8> {
    post("/", format!("<access-request><token>{token}</token></access-request>"))
}

#[test]
fn a_token_is_taken_wherever_a_client_puts_it() {
    let collector = guarded();
    assert!(collector.needs_token());
    for header in [
        ("X-API-Key", TOKEN),
        ("token", TOKEN),
        ("Authorization", "Bearer canary-0a1b"),
        ("Authorization", "Basic Ym9iOmNhbmFyeS0wYTFi"),
    ] {
        assert_eq!(ask(&collector, request("POST", "/event", &[header], event("a"))).status, 202, "{}", header.0);
    }
    let wrong = [("X-API-Key", "canary-0a1c"), ("token", ""), ("Authorization", "Basic Ym9i")];
    for header in wrong.map(|header| vec![header]).into_iter().chain([vec![]]) {
        let answer = ask(&collector, request("POST", "/event", &header, event("a")));
        assert_eq!(answer.status, 401);
        assert!(answer.header("www-authenticate").unwrap().starts_with("Basic realm="));
        assert!(!answer.body.contains("canary"));
    }
    assert_eq!(stored(&collector).len(), 4);
}

#[test]
fn without_tokens_any_is_taken() {
    let collector = collector();
    assert!(!collector.needs_token());
    assert_eq!(ask(&collector, request("POST", "/", &[("X-API-Key", "canary-01")], event("a"))).status, 202);
    assert_eq!(ask(&collector, post("/", event("b"))).status, 202);
    let answer = ask(&collector, handshake("a<b>&c"));
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body, "<access-resp><token>a&lt;b&gt;&amp;c</token><success>true</success></access-resp>");
}

#[test]
fn a_handshake_opens_its_own_connection_and_no_other() {
    let collector = guarded();
    let (mut first, mut second) = (Connection::open(collector.address()), Connection::open(collector.address()));
    let answer = first.ask(handshake(TOKEN));
    assert_eq!(answer.status, 200);
    assert!(answer.header("content-type").unwrap().starts_with("text/xml"));
    assert!(answer.body.ends_with("<success>true</success></access-resp>"));
    assert_eq!(first.ask(post("/", event("a"))).status, 202);
    assert_eq!(second.ask(post("/", event("b"))).status, 401);
    let mut second = Connection::open(collector.address());
    let answer = second.ask(handshake("canary-0"));
    assert_eq!(answer.status, 401);
    assert!(answer.body.ends_with("<success>false</success><reason>Invalid token</reason></access-resp>"));
    assert_eq!(second.ask(post("/", event("c"))).status, 401);
    // What is shown with a request counts more than what was shown before.
    assert_eq!(first.ask(request("POST", "/", &[("token", "canary-0")], event("d"))).status, 401);
    assert_eq!(stored(&collector).len(), 1);
}

#[test]
fn a_token_in_latin_1_is_the_same() {
    let collector = Collector::builder().listen("127.0.0.1:0").token("canary-é0").start().unwrap();
    let body = b"<access-request><token>canary-\xe90</token></access-request>";
    assert_eq!(ask(&collector, post("/", body)).status, 200);
    let header = b"POST / HTTP/1.1\r\nHost: localhost\r\ntoken: canary-\xe90\r\n\r\n";
    assert_eq!(ask(&collector, header).status, 200);
}

#[test]
fn a_large_body_without_a_token_is_not_read() {
    let collector = guarded();
    let announced = "POST /event HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000\r\n\r\n";
    assert_eq!(ask(&collector, announced).status, 401);
}

#[test]
fn with_tokens_reading_needs_one_too() {
    let collector = guarded();
    for path in ["/", "/api/events", "/nowhere"] {
        assert_eq!(ask(&collector, request("GET", path, &[], "")).status, 401, "{path}");
        assert_ne!(ask(&collector, request("GET", path, &[("token", TOKEN)], "")).status, 401, "{path}");
    }
}

#[test]
fn a_name_that_was_turned_to_this_machine_is_refused() {
    let collector = Collector::builder().listen("127.0.0.1:0").allow_host("collector.test").start().unwrap();
    let ask_as = |host: &str, method: &str| {
        let body = event("a");
        let length = body.len();
        ask(&collector, format!("{method} /event HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n{body}"))
    };
    for host in ["localhost", "127.0.0.1:6580", "[::1]:6580", "Collector.test:1"] {
        assert_eq!(ask_as(host, "POST").status, 202, "{host}");
    }
    for host in ["evil.test", "evil.test:6580", "localhost.evil.test", "192.168.0.1"] {
        for method in ["POST", "GET"] {
            let answer = ask_as(host, method);
            assert_eq!(answer.status, 421, "{host}");
            assert!(answer.json()["error"].as_str().unwrap().starts_with(&format!("{host:?} is not a name")));
        }
    }
    assert_eq!(stored(&collector).len(), 4);
}

#[test]
fn a_strangers_page_can_not_send_and_is_given_nothing() {
    let collector = collector();
    for headers in [
        [("Origin", "http://evil.test"), ("Content-Type", "text/plain")],
        [("Origin", "null"), ("Content-Type", "text/plain")],
        [("Origin", "http://localhost:3000"), ("Sec-Fetch-Site", "same-site")],
        [("Sec-Fetch-Site", "cross-site"), ("Content-Type", "text/plain")],
    ] {
        assert_eq!(ask(&collector, request("POST", "/event", &headers, event("a"))).status, 403, "{headers:?}");
        let answer = ask(&collector, request("OPTIONS", "/event", &headers, ""));
        assert_eq!(answer.status, 403);
    }
    assert_eq!(ask(&collector, request("POST", "/event", &[("Origin", "http://localhost")], event("a"))).status, 202);
    assert_eq!(stored(&collector).len(), 1);
}

#[test]
fn every_answer_tells_browsers_to_be_careful() {
    let collector = guarded();
    for (request, status) in [
        (request("POST", "/event", &[("token", TOKEN)], event("a")), 202),
        (request("POST", "/event", &[], event("a")), 401),
        (request("POST", "/event", &[("Origin", "null")], event("a")), 403),
        (request("GET", "/event", &[("token", TOKEN)], ""), 405),
        (request("GET", "/nowhere", &[("token", TOKEN)], ""), 404),
    ] {
        let answer = ask(&collector, request);
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("referrer-policy"), Some("same-origin"));
        assert_eq!(answer.header("cross-origin-resource-policy"), Some("same-origin"));
        let policy = answer.header("content-security-policy").unwrap();
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self';") && policy.ends_with("frame-ancestors 'none'")
        );
        assert!(!answer.headers.iter().any(|(name, _)| name.starts_with("access-control-")));
    }
}

#[test]
fn what_others_can_reach_needs_a_token() {
    let error = Collector::builder().listen("0.0.0.0:0").start().unwrap_err();
    assert!(matches!(error, StartError::NeedsToken(_)), "{error:?}");
    assert_eq!(error.to_string(), "0.0.0.0:0 can be reached from other machines; set a token, or listen on 127.0.0.1");
    let open = Collector::builder().listen("0.0.0.0:0").token(TOKEN).start().unwrap();
    assert_eq!(open.url(), format!("http://127.0.0.1:{}", open.address().port()));
    // Under which name it is reached it can't know.
    let other = format!("POST / HTTP/1.1\r\nHost: collector.test\r\ntoken: {TOKEN}\r\n\r\n");
    assert_eq!(ask(&Collector::builder().listen("127.0.0.1:0").start().unwrap(), &other).status, 421);
    let address = ([127, 0, 0, 1], open.address().port()).into();
    assert_eq!(Connection::open(address).ask(other).status, 200);
}

#[test]
fn tokens_come_from_a_file_too() {
    let folder = std::env::temp_dir().join(format!("jkool-collector-tokens-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("tokens");
    std::fs::write(&path, "# the shop\ncanary-01\n\ncanary-02\n").unwrap();
    let builder = || Collector::builder().listen("127.0.0.1:0");
    let collector = builder().token("canary-03").token_file(&path).start().unwrap();
    for (token, status) in [("canary-01", 202), ("canary-02", 202), ("canary-03", 202), ("# the shop", 401)] {
        assert_eq!(ask(&collector, request("POST", "/", &[("token", token)], event("a"))).status, status);
    }
    // A file without any must not open it to all.
    std::fs::write(&path, "# none\n").unwrap();
    let error = builder().token_file(&path).start().unwrap_err();
    assert_eq!(error.to_string(), format!("can't read the tokens in {}: the file contains no token", path.display()));
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(matches!(builder().token_file(&path).start(), Err(StartError::TokenFile { .. })));
    assert!(matches!(builder().token(" ").start(), Err(StartError::EmptyToken)));
}

#[test]
fn no_token_is_shown() {
    let builder = Collector::builder().listen("127.0.0.1:0").token(TOKEN);
    assert!(!format!("{builder:?}").contains("canary"));
    let collector = builder.start().unwrap();
    assert!(!format!("{collector:?}").contains("canary"));
}
