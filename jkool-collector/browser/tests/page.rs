//! The page in a real browser.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

#[path = "page/browser.rs"]
mod browser;
#[path = "page/http.rs"]
mod http;
#[path = "page/orders.rs"]
mod orders;

use browser::Browser;
use jkool_collector::Clock;
use orders::orders;

const MINUTE: i64 = 60_000_000;

/// 200 orders within the last hour.
async fn shop() -> Browser {
    let browser = Browser::start().await;
    browser.send(&orders(200, now(), 18_000_000));
    browser
}

fn now() -> i64 {
    Clock::default().now().as_usec()
}

fn event(text: &str) -> String {
    format!(r#"{{"operation":"tell","msg-text":"{text}","time-usec":{},"source-fqn":"APPL=Teller#SERVER=t-1"}}"#, now())
}

#[tokio::test]
async fn it_looks_right_in_both_themes_and_on_a_phone() {
    let browser = shop().await;
    browser.open("/?severity=%3E%3DERROR").await;
    let href = browser.ask("document.querySelector('.row .msg').getAttribute('href')").await;
    let detail = href.as_str().unwrap().to_owned();
    let pages = [
        ("events", "/"),
        ("filtered", "/?text=payment&severity=%3E%3DWARNING&source=SERVER%3Dpay-1&since=1h"),
        ("faulty", "/?severity=LOUD&since=soon&operation=pay"),
        ("event", &detail),
        ("activities", "/activities"),
        ("charts", "/charts?metric=Order/Payment/amount"),
        ("map", "/map"),
        ("missing", "/nothing"),
    ];
    for (theme, width) in [("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)] {
        browser.theme(theme);
        browser.size(width, 900);
        for (name, path) in pages {
            browser.open(path).await;
            let overflow = browser.ask("document.documentElement.scrollWidth - window.innerWidth").await;
            assert!(overflow.as_i64().unwrap() <= 0, "{name} at {width} is {overflow} too wide");
            browser.screenshot(&format!("{name}-{theme}-{width}.png"), width).await;
        }
    }
    browser.finish().await;
}
