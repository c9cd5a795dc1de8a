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
async fn events_appear_live_and_a_pause_holds_them_back() {
    let browser = Browser::start().await;
    browser.open("/").await;
    assert!(browser.text(".welcome").await.contains("Nothing has arrived yet"));
    browser.until("document.querySelector('#live').textContent === 'live'").await;
    browser.send(&event("first of all"));
    browser.until("document.querySelector('.row .msg')?.textContent === 'first of all'").await;
    assert_eq!(browser.count(".welcome").await, 0);
    browser.until("document.querySelector('#total').textContent === '1'").await;

    browser.click("#pause").await;
    browser.send(&format!("{}\n{}", event("second"), event("third")));
    browser.until("document.querySelector('#waiting').textContent === '2 waiting'").await;
    assert_eq!((browser.count(".row").await, browser.text("#live").await.as_str()), (1, "paused"));
    browser.click("#pause").await;
    browser.until("document.querySelectorAll('.row').length === 3").await;
    assert_eq!(browser.text(".row .msg").await, "third");
    assert_eq!(browser.text("#live").await, "live");
    browser.finish().await;
}

#[tokio::test]
async fn only_what_matches_appears() {
    let browser = Browser::start().await;
    browser.open("/?text=stock").await;
    browser.until("document.querySelector('#live').textContent === 'live'").await;
    browser.send(&format!("{}\n{}\n{}", event("no stock"), event("enough"), event("stock again")));
    browser.until("document.querySelectorAll('.row').length === 2").await;
    browser.until("document.querySelector('#total').textContent === '3'").await;
    assert_eq!(browser.count(".row").await, 2);
    browser.finish().await;
}

#[tokio::test]
async fn a_flood_leaves_the_page_at_ease() {
    let browser = Browser::start().await;
    browser.open("/").await;
    browser.until("document.querySelector('#live').textContent === 'live'").await;
    for _ in 0..10 {
        let events: Vec<_> = (0..2_000).map(|number| event(&format!("drop {number}"))).collect();
        browser.send(&events.join("\n"));
    }
    browser.until("document.querySelector('#missed').textContent.includes('passed over')").await;
    browser.until("document.querySelector('#total').textContent === '20,000'").await;
    assert!(browser.count(".row").await <= 500);
    browser.click("#pause").await;
    assert_eq!(browser.text("#pause").await, "Resume");
    browser.finish().await;
}

#[tokio::test]
async fn filters_and_search_narrow_and_chips_widen() {
    let browser = shop().await;
    browser.open("/").await;
    browser.press_in("input[name=text]", "refused\u{e007}").await;
    browser.arrive().await;
    assert_eq!(browser.path().await, "/?text=refused");
    let found = browser.count(".row").await;
    assert!(found > 3, "{found}");
    let all_refused = "[...document.querySelectorAll('.row .msg')].every((row) => row.textContent.includes('refused'))";
    assert_eq!(browser.ask(all_refused).await, true);

    browser.follow(".row .sev").await;
    assert!(browser.path().await.starts_with("/?severity="));
    browser.follow(".row .op a").await;
    browser.follow(".row .src a").await;
    browser.follow(".row .corr").await;
    let path = browser.path().await;
    for part in ["severity=", "operation=pay", "source=APPL%3DPayment", "text=refused", "corrid=order-"] {
        assert!(path.contains(part), "{path}");
    }
    assert_eq!((browser.count(".row").await, browser.count(".chips .x").await), (1, 5));
    for left in (0..5).rev() {
        browser.follow(".chips li:first-child a").await;
        assert_eq!(browser.count(".chips .x").await, left);
    }
    assert_eq!(browser.path().await, "/");

    browser.ask("(document.querySelector('select[name=severity]').value = '>=ERROR')").await;
    browser.follow("form.filter button").await;
    assert_eq!(browser.path().await, "/?severity=%3E%3DERROR");
    let grave = "[...document.querySelectorAll('.row .sev')].every((row) => /ERROR|CRITICAL/.test(row.textContent))";
    assert_eq!(browser.ask(grave).await, true);
    let exports = browser.ask("[...document.querySelectorAll('.export a')].map((a) => a.getAttribute('href'))").await;
    let expected = ["/api/events.jsonl?severity=%3E%3DERROR", "/api/events.csv?severity=%3E%3DERROR"];
    assert_eq!(exports, serde_json::json!(expected));

    browser.open("/?text=nowhere").await;
    browser.follow("#nothing a").await;
    assert_eq!((browser.path().await.as_str(), browser.count(".row").await), ("/", 100));
    browser.follow("a[rel=next]").await;
    assert!(browser.path().await.starts_with("/?before="));
    browser.finish().await;
}

#[tokio::test]
async fn a_detail_opens_with_its_timeline() {
    let browser = shop().await;
    browser.open("/?text=refused").await;
    browser.follow(".row .msg").await;
    assert_eq!(browser.text("h1").await, "pay EVENT");
    assert!(browser.text("pre.exception").await.contains("Caused by: HTTP 402"));
    assert_eq!(browser.count(".timeline li[aria-current]").await, 1);
    assert!(browser.count(".timeline li").await > 8);
    assert_eq!(browser.text(".timeline li:first-child .name").await, "Order ACTIVITY");
    browser.follow(".snapshots td.value a").await;
    assert!(browser.path().await.starts_with("/charts?metric=Order%2FPayment%2Famount"));
    assert_eq!(browser.text("#metric h2").await, "Order / Payment / amount");

    browser.open("/activities").await;
    assert_eq!(browser.count(".activities > details").await, 30);
    browser.click(".activities summary").await;
    assert!(browser.ask("document.querySelector('.activities .row').offsetHeight").await.as_u64() > Some(0));
    browser.follow(".activities .hint a").await;
    assert!(browser.text("main").await.contains("Children 14 entries"));
    browser.finish().await;
}

#[tokio::test]
async fn charts_and_map_lead_to_their_events() {
    let browser = shop().await;
    browser.open("/charts").await;
    assert_eq!(browser.count("svg.chart[aria-label]").await, 4);
    assert_eq!(browser.count("details.table table").await, 4);
    // Drawn in a colour of the style sheet.
    let fill = browser.ask("getComputedStyle(document.querySelector('.chart .f-s-info')).fill").await;
    assert_eq!(fill, "rgb(47, 111, 200)");
    browser.theme("dark");
    let fill = browser.ask("getComputedStyle(document.querySelector('.chart .f-s-info')).fill").await;
    assert_eq!(fill, "rgb(106, 165, 245)");
    let stretch = browser.ask("document.querySelector('.chart a').getAttribute('href')").await;
    assert!(stretch.as_str().unwrap().starts_with("/?since=2"), "{stretch}");
    browser.open(stretch.as_str().unwrap()).await;
    assert!(browser.count(".row").await > 0);

    browser.open("/map").await;
    assert_eq!((browser.count(".map .node").await, browser.count(".map .l-bad").await), (5, 1));
    browser.ask("(window.here = true, document.querySelector('.map .l-bad').closest('a').dispatchEvent(new MouseEvent('click', {bubbles: true})))").await;
    browser.arrive().await;
    assert_eq!(browser.text(".row .src").await, "BankGateway");
    browser.finish().await;
}

#[tokio::test]
async fn a_map_of_many_has_room_for_all() {
    let browser = Browser::start().await;
    let event = |kind: &str, source: u64, number: u64| {
        format!(
            r#"{{"type":"{kind}","operation":"call","corrid":["c{number}"],"source-fqn":"APPL=service-{source}#SERVER=s-{source}","time-usec":{}}}"#,
            now()
        )
    };
    // Each calls the ones that its number divides, and some answer.
    let calls =
        (1..16).flat_map(|from| (2..16).filter(move |to| to % from == 0 && *to != from).map(move |to| (from, to)));
    let answers = [(6, 3), (15, 5), (7, 7)];
    let pairs = calls
        .chain(answers)
        .zip(0..)
        .map(|((from, to), number)| format!("{}\n{}\n", event("SEND", from, number), event("RECEIVE", to, number)));
    browser.send(&pairs.collect::<String>());
    for (theme, width) in [("light", 1280), ("dark", 390)] {
        browser.theme(theme);
        browser.size(width, 900);
        browser.open("/map").await;
        assert_eq!((browser.count(".map .node").await, browser.count(".map path.l-edge").await), (15, 33));
        browser.screenshot(&format!("many-{theme}-{width}.png"), width).await;
    }
    browser.finish().await;
}

#[tokio::test]
async fn a_keyboard_is_enough() {
    let browser = shop().await;
    browser.open("/").await;
    browser.press("\u{e004}").await;
    assert_eq!(browser.ask("document.activeElement.textContent").await, "Skip to the content");
    browser.press("/").await;
    assert_eq!(browser.ask("document.activeElement.name").await, "text");
    // In a field these are letters.
    browser.press("a / b").await;
    assert_eq!(browser.ask("document.querySelector('input[name=text]').value").await, "a / b");
    browser.press("\u{e00c}").await;
    browser.press(" ").await;
    assert_eq!(browser.text("#pause").await, "Resume");
    browser.press("j").await;
    browser.press("j").await;
    let second = "document.activeElement === document.querySelectorAll('.row .msg')[1]";
    assert_eq!(browser.ask(second).await, true);
    let ring = browser.ask("getComputedStyle(document.activeElement).outlineStyle").await;
    assert_eq!(ring, "solid");
    browser.ask("(window.here = true)").await;
    browser.press("\u{e007}").await;
    browser.arrive().await;
    assert!(browser.path().await.starts_with("/events/"));
    browser.finish().await;
}

#[tokio::test]
async fn an_evil_event_does_nothing() {
    let browser = Browser::start().await;
    let evil = r#"\"'><script>window.pwned=1</script><img src=http://evil.example/ onerror=window.pwned=1><a href=javascript:alert(1)>x</a>"#;
    let event = |kind: &str| {
        format!(
            r#"{{"type":"{kind}","operation":"{evil}","msg-text":"{evil}","exception":"{evil}","severity":"ERROR","time-usec":{},"source-fqn":"APPL={evil}","corrid":["{evil}"],"tracking-id":"{kind}{evil}","source-url":"javascript:window.pwned=1","snapshots":[{{"name":"{evil}","category":"{evil}","properties":[{{"name":"{evil}","type":"int","value":1}}]}}]}}"#,
            now()
        )
    };
    let events = [event("SEND"), event("RECEIVE"), event("ACTIVITY")].join("\n");
    browser.open("/").await;
    browser.until("document.querySelector('#live').textContent === 'live'").await;
    browser.send(&events);
    browser.until("document.querySelectorAll('.row').length === 3").await;
    let detail = browser.ask("document.querySelector('.row .msg').getAttribute('href')").await;
    for path in ["/", detail.as_str().unwrap(), "/activities", "/charts", "/map"] {
        browser.open(path).await;
        browser.until("document.readyState === 'complete'").await;
        assert_eq!(browser.ask("window.pwned ?? 'no'").await, "no", "{path}");
        assert_eq!(browser.count("img, iframe, main script, [onerror], [href^='javascript:']").await, 0, "{path}");
        assert!(browser.client.get_alert_text().await.is_err(), "{path}");
    }
    browser.finish().await;
}

#[tokio::test]
async fn a_page_finds_its_collector_again() {
    let mut browser = Browser::start().await;
    browser.open("/").await;
    browser.until("document.querySelector('#live').textContent === 'live'").await;
    browser.send(&event("before"));
    browser.until("document.querySelectorAll('.row').length === 1").await;
    browser.stop_collector();
    browser.until("document.querySelector('#live').textContent.startsWith('reconnecting')").await;
    browser.start_collector();
    browser.send(&event("in between"));
    browser.until("document.querySelector('.row .msg')?.textContent === 'in between'").await;
    // What the new one never heard of is gone.
    assert_eq!((browser.text("#live").await.as_str(), browser.count(".row").await), ("live", 1));
    // It complained meanwhile, and rightly.
    browser.close().await;
}

#[tokio::test]
async fn it_looks_right_in_both_themes_and_on_a_phone() {
    let browser = Browser::start().await;
    browser.open("/").await;
    browser.screenshot("welcome.png", 1280).await;
    browser.send(&orders(200, now(), 18_000_000));
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
