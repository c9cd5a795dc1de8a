//! The page in a real browser.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

#[path = "page/axe.rs"]
mod axe;
#[path = "page/browser.rs"]
mod browser;
#[path = "page/charts.rs"]
mod charts;
#[path = "page/dashboards.rs"]
mod dashboards;
#[path = "page/http.rs"]
mod http;
#[path = "page/live.rs"]
mod live;
#[path = "page/map.rs"]
mod map;
#[path = "page/orders.rs"]
mod orders;
#[path = "page/traces.rs"]
mod traces;
#[path = "page/watch.rs"]
mod watch;

use browser::Browser;
use jkool_collector::Clock;
use orders::orders;
use std::time::Duration;
use tokio::time::sleep;

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

/// The id and the place of the first row.
const FIRST: &str = "(() => { const row = document.querySelector('.row'); \
                     return [row.id, Math.round(row.getBoundingClientRect().top)]; })()";

#[tokio::test]
async fn a_live_list_holds_still_while_it_is_used() {
    let browser = Browser::start().await;
    let told: Vec<_> = (0..60).map(|number| event(&format!("before {number}"))).collect();
    browser.send(&told.join("\n"));
    let hold: [(&str, &str); 3] = [
        ("document.querySelector('.row .msg').focus()", "document.activeElement.blur()"),
        (
            "document.getSelection().selectAllChildren(document.querySelectorAll('.row')[3])",
            "document.getSelection().empty()",
        ),
        ("scrollTo(0, 700)", "scrollTo(0, 0)"),
    ];
    browser.open("/").await;
    browser.until("document.querySelector('#live').textContent === 'live'").await;
    for (use_it, leave_it) in hold {
        browser.ask(&format!("({use_it}, true)")).await;
        let before = browser.ask(FIRST).await;
        browser.send(&format!("{}\n{}", event("one"), event("two")));
        browser
            .until(
                "(({hidden, textContent}) => !hidden && textContent === '2 new ↑')(document.querySelector('#waiting'))",
            )
            .await;
        assert_eq!(browser.ask(FIRST).await, before, "{use_it}");
        browser.ask(&format!("({leave_it}, true)")).await;
        browser.until("document.querySelector('#waiting').hidden").await;
        assert_ne!(browser.ask(FIRST).await[0], before[0], "{use_it}");
    }
    // With the mouse over it, what is seen is what is clicked.
    browser.point(".row:nth-child(4) .msg").await;
    let aimed = browser.ask("document.querySelectorAll('.row .msg')[3].getAttribute('href')").await;
    browser.send(&event("three"));
    browser.until("document.querySelector('#waiting').textContent === '1 new ↑'").await;
    browser.follow(".row:nth-child(4) .msg").await;
    assert_eq!(aimed, browser.path().await);
    // The pill shows what is new, wherever one is.
    browser.open("/").await;
    browser.until("document.querySelector('#live').textContent === 'live'").await;
    browser.ask("(scrollTo(0, 700), true)").await;
    browser.send(&event("four"));
    browser.until("!document.querySelector('#waiting').hidden").await;
    browser.ask("(document.querySelector('#waiting').click(), true)").await;
    browser.until("document.querySelector('.row .msg').textContent === 'four' && scrollY === 0").await;
    browser.finish().await;
}

#[tokio::test]
async fn nothing_that_is_on_screen_is_taken_away() {
    let browser = Browser::start().await;
    browser.open("/").await;
    browser.until("document.querySelector('#live').textContent === 'live'").await;
    for _ in 0..6 {
        let told: Vec<_> = (0..45).map(|number| event(&format!("filler {number}"))).collect();
        browser.send(&told.join("\n"));
        browser.until("document.querySelector('#waiting').hidden").await;
        sleep(Duration::from_millis(300)).await;
    }
    browser.ask("(document.querySelector('#rows').lastElementChild.scrollIntoView(), true)").await;
    let last = browser.ask("document.querySelector('#rows').lastElementChild.id").await;
    for _ in 0..8 {
        let told: Vec<_> = (0..100).map(|number| event(&format!("later {number}"))).collect();
        browser.send(&told.join("\n"));
    }
    browser.until("!document.querySelector('#waiting').hidden").await;
    assert_eq!(browser.ask("document.querySelector('#rows').lastElementChild.id").await, last);
    browser.finish().await;
}

#[tokio::test]
async fn lines_are_in_the_order_of_time_and_without_snapshots() {
    let browser = Browser::start().await;
    browser.open("/").await;
    browser.until("document.querySelector('#live').textContent === 'live'").await;
    browser.send(&event("young"));
    browser.until("document.querySelectorAll('.row').length === 1").await;
    let at = |text: &str, time: i64| format!(r#"{{"operation":"tell","msg-text":"{text}","time-usec":{time}}}"#);
    let snapshot = format!(r#"{{"type":"SNAPSHOT","name":"Cpu","time-usec":{}}}"#, now());
    browser.send(&[snapshot, at("late", now() - 20_000_000), at("future", now() + 3_600_000_000)].join("\n"));
    browser.until("document.querySelectorAll('.row').length === 2").await;
    browser.until("document.querySelector('#missed').textContent === '1 left out: their clock is ahead'").await;
    let texts = "[...document.querySelectorAll('.row .msg')].map((row) => row.textContent)";
    assert_eq!(browser.ask(texts).await, serde_json::json!(["young", "late"]));
    assert!(browser.text(".row .late").await.ends_with("s late"));
    browser.open("/").await;
    assert_eq!(browser.ask(texts).await, serde_json::json!(["young", "late"]));
    assert!(browser.text(".ahead").await.starts_with("1 entry left out"));
    browser.open("/?snapshots=shown").await;
    assert_eq!(browser.count(".row").await, 3);
    browser.finish().await;
}

#[tokio::test]
async fn a_live_list_costs_a_quarter_of_a_core_at_most() {
    let browser = Browser::start().await;
    browser.send(&orders(60, now(), 18_000_000));
    browser.open("/").await;
    browser.until("document.querySelector('#live').textContent === 'live'").await;
    // Of the processor's time, so that others on this machine don't count.
    browser.devtools("Performance.enable", serde_json::json!({"timeDomain": "threadTicks"}));
    let began = now();
    let before = browser.busy();
    while now() - began < 10_000_000 {
        browser.send(&format!("{}\n{}\n{}\n{}", event("a"), event("b"), event("c"), event("d")));
        sleep(Duration::from_millis(110)).await;
    }
    let share = (browser.busy() - before) / ((now() - began) as f64 / 1e6);
    println!("the page took {:.1} % of a core", share * 100.0);
    assert!(browser.count(".row").await > 200);
    assert!(share < 0.25, "{share}");
    browser.finish().await;
}

#[tokio::test]
async fn times_are_local_or_of_utc_as_one_likes_and_it_is_remembered() {
    let browser = shop().await;
    browser.devtools("Emulation.setTimezoneOverride", serde_json::json!({"timezoneId": "Asia/Tokyo"}));
    browser.open("/").await;
    let shown = "(() => { const time = document.querySelector('.row time'); return time.textContent.trim(); })()";
    let in_zone = "(() => { const date = new Date(new Date(document.querySelector('.row time').dateTime).getTime() \
                   + 9 * 3600e3); return date.toISOString().slice(0, 23).replace('T', ' '); })()";
    let in_utc = "document.querySelector('.row time').dateTime.slice(0, 23).replace('T', ' ')";
    assert_eq!(browser.text("#zone").await, "Local time (UTC+9)");
    assert_eq!(browser.ask(shown).await, browser.ask(in_zone).await);
    browser.click("#zone").await;
    assert_eq!(browser.text("#zone").await, "UTC");
    assert_eq!(browser.ask(shown).await, browser.ask(in_utc).await);
    browser.open("/charts").await;
    assert_eq!(browser.text("#zone").await, "UTC");
    browser.click("#zone").await;
    browser.open("/").await;
    // A time that is typed is one of the zone that is shown.
    browser.press_in("input[name=since]", "yesterday\u{e007}").await;
    browser.arrive().await;
    assert_eq!(browser.path().await, "/?since=yesterday+Asia%2FTokyo");
    let since = browser.ask("document.querySelector('input[name=since]').value").await;
    assert!(since.as_str().unwrap().contains("T15:00:00"), "{since}");
    browser.finish().await;
}

#[tokio::test]
async fn one_looks_closer_without_leaving_the_list() {
    let browser = shop().await;
    browser.size(1440, 900);
    browser.open("/?severity=%3E%3DERROR&operation=pay").await;
    browser.until("document.querySelector('#live').textContent === 'live'").await;
    let second = browser.ask("document.querySelectorAll('.row')[1].id.slice(1)").await;
    browser.click(".row:nth-child(2) .msg").await;
    browser.until("!document.querySelector('#detail').hidden").await;
    assert!(browser.text("#detail pre.exception").await.contains("Caused by: HTTP 402"));
    assert_eq!(browser.path().await, format!("/?severity=%3E%3DERROR&operation=pay&at={}", second.as_str().unwrap()));
    // A view is its url.
    browser.open(&browser.path().await).await;
    browser.until("!document.querySelector('#detail').hidden").await;
    assert_eq!(browser.count(".row.chosen").await, 1);
    browser.screenshot("beside-light-1440.png", 1440).await;
    browser.theme("dark");
    browser.screenshot("beside-dark-1440.png", 1440).await;
    browser.press("\u{e00c}").await;
    browser.until("document.querySelector('#detail').hidden").await;
    assert_eq!(browser.path().await, "/?severity=%3E%3DERROR&operation=pay");

    // A value is wanted by a click, and not wanted by another.
    let all = browser.count(".row").await;
    browser.open("/").await;
    browser.until("document.querySelectorAll('.facets .value').length > 5").await;
    browser.ask("(window.here = true, [...document.querySelectorAll('.facets .value')].find((link) => link.textContent === 'ERROR').click(), true)").await;
    browser.arrive().await;
    let only = "[...document.querySelectorAll('.row .sev')].every((row) => row.textContent === 'ERROR')";
    assert_eq!(browser.ask(only).await, true);
    assert!(browser.count(".row").await > 0 && browser.count(".row").await <= all);
    browser.open("/").await;
    browser.until("document.querySelectorAll('.facets .value').length > 5").await;
    browser.ask("(window.here = true, [...document.querySelectorAll('.facets li')].find((item) => item.firstChild.textContent === 'INFO').querySelector('.without').click(), true)").await;
    browser.arrive().await;
    let none = "[...document.querySelectorAll('.row .sev')].every((row) => row.textContent !== 'INFO')";
    assert_eq!((browser.ask(none).await, browser.count(".chips .x").await), (true.into(), 1));

    // A time that is dragged over the strip is the filter's.
    browser.open("/").await;
    browser.until("document.querySelector('#strip') !== null").await;
    browser.ask("(window.here = true)").await;
    let place = "(() => { const at = document.querySelector('#strip svg').getBoundingClientRect(); \
                 return [at.x + at.width / 2, at.x + at.width * 3 / 4, at.y + 30]; })()";
    let place = browser.ask(place).await;
    for (kind, x) in [("mousePressed", 0), ("mouseMoved", 1), ("mouseReleased", 1)] {
        let event = serde_json::json!({"type": kind, "x": place[x], "y": place[2], "button": "left", "buttons": 1, "clickCount": 1});
        browser.devtools("Input.dispatchMouseEvent", event);
    }
    browser.arrive().await;
    let path = browser.path().await;
    assert!(path.contains("since=2") && path.contains("until=2"), "{path}");
    assert!(browser.count(".row").await > 0);
    browser.finish().await;
}

#[tokio::test]
async fn columns_are_chosen_and_kept() {
    let browser = shop().await;
    browser.size(1440, 900);
    browser.open("/?operation=pay").await;
    browser.click(".forms summary").await;
    let offered =
        browser.ask("[...document.querySelector('input[name=cols]').list.options].map((one) => one.value)").await;
    assert!(offered.as_array().unwrap().contains(&serde_json::json!("Payment.amount")), "{offered}");
    browser.press_in("input[name=cols]", "Payment.amount\u{e007}").await;
    browser.arrive().await;
    let heads = "[...document.querySelectorAll('.heads .name')].map((name) => name.textContent).join()";
    let amounts = "[...document.querySelectorAll('#rows .own')].filter((cell) => /^Payment.amount: [0-9.]+$/.test(cell.textContent)).length";
    assert_eq!(browser.ask(heads).await, "Payment.amount");
    assert!(browser.ask(amounts).await.as_u64() > Some(10));
    // Another by a facet, moved before it; what arrives has both.
    browser.until("document.querySelectorAll('.as-column').length > 0").await;
    browser.follow(".as-column").await;
    let facet = browser.text(".heads .own:nth-of-type(6) .name").await;
    browser.follow(".heads [aria-label^='Move ']").await;
    assert_eq!(browser.ask(heads).await, format!("{facet},Payment.amount"));
    browser.until("document.querySelector('#live').textContent === 'live'").await;
    browser.point("nav a").await;
    browser.send(&format!(
        r#"{{"operation":"pay","time-usec":{},"snapshots":[{{"name":"Payment","category":"Order","properties":[{{"name":"amount","type":"double","value":7.5}}]}}]}}"#,
        now()
    ));
    browser.until("document.querySelector('#rows .own:nth-of-type(4)')?.textContent === 'Payment.amount: 7.5'").await;
    // A link in a row narrows the list, whose columns stay; so does a filter.
    let path = browser.path().await;
    browser.follow("#rows .sev").await;
    assert_eq!(browser.ask(heads).await, format!("{facet},Payment.amount"));
    browser.follow(".chips a").await;
    browser.follow("form.filter button").await;
    assert_eq!(browser.ask(heads).await, format!("{facet},Payment.amount"));
    for (theme, width) in [("light", 1440), ("dark", 390)] {
        browser.theme(theme);
        browser.size(width, 900);
        browser.open(&path).await;
        let overflow = browser.ask("document.documentElement.scrollWidth - window.innerWidth").await;
        assert!(overflow.as_i64().unwrap() <= 0, "{overflow} too wide at {width}");
        browser.screenshot(&format!("columns-{theme}-{width}.png"), width).await;
    }
    browser.size(1440, 900);
    browser.open(&path).await;
    browser.follow(".heads [aria-label^='Remove']").await;
    browser.follow(".heads [aria-label^='Remove']").await;
    assert_eq!(browser.count(".heads, .own").await, 0);
    browser.open("/?cols=nothing.like.it").await;
    assert!(browser.text(".fault.bar").await.contains("expected the name of a field"));
    browser.finish().await;
}

#[tokio::test]
async fn an_event_leads_to_its_neighbours_and_can_be_copied() {
    let browser = shop().await;
    browser.open("/?operation=pay&severity=%3E%3DERROR").await;
    let rows = "[...document.querySelectorAll('.row .msg')].map((row) => row.textContent)";
    let rows = browser.ask(rows).await;
    browser.follow(".row .msg").await;
    // The list that one came from is kept, and the next one of it is beside.
    assert!(browser.path().await.ends_with("?severity=%3E%3DERROR&operation=pay"));
    assert_eq!(browser.count("a[rel=prev]").await, 0);
    browser.follow("a[rel=next]").await;
    assert_eq!(browser.ask("document.querySelector('pre.message').textContent").await, rows[1]);
    browser.follow("a[rel=prev]").await;
    assert_eq!(browser.ask("document.querySelector('pre.message').textContent").await, rows[0]);
    assert!(browser.text("#received").await.starts_with("{ \""));
    // What is around it is of the same source.
    let same = "[...document.querySelectorAll('.part .row .src')].every((source) => source.textContent === 'Payment')";
    assert_eq!(browser.ask(same).await, true);
    assert!(browser.count(".part .row").await > 3);
    let origin = browser.ask("location.origin").await;
    let grant = serde_json::json!({"origin": origin, "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]});
    browser.devtools("Browser.grantPermissions", grant);
    browser.click(".copies button:nth-child(3)").await;
    browser.until("document.querySelector('.copies button:nth-child(3)').textContent === 'Copied'").await;
    let copied =
        browser.client.execute_async("navigator.clipboard.readText().then(arguments[0])", Vec::new()).await.unwrap();
    let copied = copied.as_str().unwrap();
    assert!(copied.starts_with(&format!("jkool search --url {} 'tracking-id:", origin.as_str().unwrap())), "{copied}");
    // What was copied as a filter finds it again.
    let filter = browser.ask("document.querySelector('[data-copy]').dataset.copy").await;
    browser.open("/").await;
    browser.press_in("input[name=q]", &format!("{}\u{e007}", filter.as_str().unwrap())).await;
    browser.arrive().await;
    assert_eq!(browser.count(".row").await, 1);
    browser.finish().await;
}

#[tokio::test]
async fn nobody_is_kept_out() {
    let Some(axe) = axe::source() else { return };
    let browser = shop().await;
    browser.open("/?severity=%3E%3DERROR").await;
    let href = browser.ask("document.querySelector('.row .msg').getAttribute('href')").await;
    let beside = format!("/?at={}", href.as_str().unwrap().trim_start_matches("/events/").split('?').next().unwrap());
    let [trace, flame, steps] = ["", "?view=flame&from=10ms", "?view=list"]
        .map(|view| href.as_str().unwrap().split('?').next().unwrap().replace("/events/", "/traces/") + view);
    let compared = format!("/compare?one={0}&other={0}", trace.trim_start_matches("/traces/"));
    let pages = [
        "/",
        &trace,
        &flame,
        &steps,
        &compared,
        &beside,
        "/?severity=LOUD&since=soon",
        "/?text=nothing",
        "/?cols=Payment.amount,user",
        "/?watch=severity%3E%3DERROR&more-than=5/1d",
        href.as_str().unwrap(),
        "/activities",
        "/activities?longer=soon&compare=1-1",
        "/errors",
        "/errors?text=nothing",
        "/charts",
        "/map",
        "/dashboards",
        "/dashboards/overview?compare=before",
        "/dashboards/business",
        "/dashboards/processes",
        "/dashboards/overview/edit",
        "/dashboards/overview/edit?viewlet=4",
        "/no",
    ];
    let mut found = Vec::new();
    for (theme, width) in [("light", 1440), ("dark", 1440), ("light", 390), ("dark", 390)] {
        browser.theme(theme);
        browser.size(width, 900);
        for path in pages {
            browser.open(path).await;
            if path == beside && width == 1440 {
                browser.until("!document.querySelector('#detail').hidden").await;
            }
            browser
                .until("[...document.querySelectorAll('[data-summary]')].every((part) => part.children.length > 0)")
                .await;
            for fault in axe::faults(&browser, &axe).await {
                found.push(format!("{path} {theme} {width}: {fault}"));
            }
        }
    }
    assert!(found.is_empty(), "{} faults\n{}", found.len(), found.join("\n"));
    browser.finish().await;
}

/// The roles that a screen reader tells without a name.
fn nameless(browser: &Browser) -> Vec<String> {
    const NAMED: [&str; 11] = [
        "button",
        "link",
        "textbox",
        "combobox",
        "searchbox",
        "heading",
        "table",
        "region",
        "navigation",
        "complementary",
        "image",
    ];
    let tree = browser.devtools("Accessibility.getFullAXTree", serde_json::json!({}));
    let told = tree["nodes"].as_array().unwrap().iter().filter(|node| node["ignored"] != true);
    let nameless = told.filter(|node| node["name"]["value"].as_str().is_none_or(|name| name.trim().is_empty()));
    nameless
        .filter_map(|node| node["role"]["value"].as_str())
        .filter(|role| NAMED.contains(role))
        .map(str::to_owned)
        .collect()
}

#[tokio::test]
async fn a_screen_reader_is_told_names_and_an_order() {
    let browser = shop().await;
    browser.open("/?severity=%3E%3DERROR").await;
    let href = browser.ask("document.querySelector('.row .msg').getAttribute('href')").await;
    let event = href.as_str().unwrap().split('?').next().unwrap();
    let trace = event.replace("/events/", "/traces/");
    for path in [
        "/",
        "/?cols=Payment.amount&watch=severity%3E%3DERROR&more-than=1/1d",
        event,
        &trace,
        &format!("{trace}?view=flame"),
        &format!("{trace}?view=list"),
        "/activities",
        "/errors",
        "/charts",
        "/map",
        "/dashboards",
        "/dashboards/overview",
        "/dashboards/overview/edit?viewlet=1",
    ] {
        browser.open(path).await;
        assert_eq!(nameless(&browser), Vec::<String>::new(), "{path}");
        // One after the other, none is more than a level below the one before it.
        let levels = "[...document.querySelectorAll('h1, h2, h3, h4')].filter((head) => head.getClientRects().length).map((head) => Number(head.tagName[1]))";
        let levels: Vec<u32> = serde_json::from_value(browser.ask(levels).await).unwrap();
        assert!(
            levels.first() == Some(&1) && levels.windows(2).all(|pair| pair[1] <= pair[0] + 1),
            "{path}: {levels:?}"
        );
        // Only short texts are read out as they change.
        let long = "[...document.querySelectorAll('[role=status], [role=alert], [aria-live]')].filter((one) => one.textContent.length > 200).length";
        assert_eq!(browser.ask(long).await, 0, "{path}");
    }
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
    // What is below a line is folded by a click.
    let seen = "[...document.querySelectorAll('.timeline li')].filter((line) => !line.hidden).length";
    let all = browser.ask(seen).await;
    browser.click(".timeline li:first-child .fold").await;
    assert_eq!(browser.ask(seen).await, 1);
    browser.click(".timeline li:first-child .fold").await;
    assert_eq!(browser.ask(seen).await, all);
    assert!(browser.count(".timeline .critical").await > 1 && browser.count(".timeline .below").await > 0);
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
async fn values_of_properties_have_room_on_a_phone() {
    let browser = Browser::start().await;
    let long = "a value of several words ".repeat(12);
    browser.send(&format!(
        r#"{{"operation":"tell","time-usec":{},"properties":[{{"name":"a-name-that-is-rather-long-for-a-phone","type":"string","value":"{long}"}}]}}"#,
        now()
    ));
    browser.open("/").await;
    browser.size(390, 900);
    browser.follow(".row .msg").await;
    let place = "(({offsetWidth, offsetHeight}) => [offsetWidth, offsetHeight])(document.querySelector('.properties td.value'))";
    let place = browser.ask(place).await;
    assert!(place[0].as_u64() > Some(280) && place[1].as_u64() < Some(200), "{place}");
    browser.size(1440, 900);
    assert_eq!(browser.ask("getComputedStyle(document.querySelector('.properties td')).display").await, "table-cell");
    browser.finish().await;
}

#[tokio::test]
async fn charts_lead_to_their_events() {
    let browser = shop().await;
    browser.open("/charts").await;
    assert_eq!((browser.count("svg.plot[aria-label]").await, browser.count("ol.bars[aria-label]").await), (2, 2));
    assert_eq!(browser.count("details.table table").await, 4);
    // Drawn in a colour of the style sheet.
    let fill = browser.ask("getComputedStyle(document.querySelector('.plot .f-s-info')).fill").await;
    assert_eq!(fill, "rgb(36, 97, 181)");
    browser.theme("dark");
    let fill = browser.ask("getComputedStyle(document.querySelector('.plot .f-s-info')).fill").await;
    assert_eq!(fill, "rgb(106, 165, 245)");
    let stretch = browser.ask("document.querySelector('.plot a').getAttribute('href')").await;
    assert!(stretch.as_str().unwrap().starts_with("/?since=2"), "{stretch}");
    browser.open(stretch.as_str().unwrap()).await;
    assert!(browser.count(".row").await > 0);
    browser.finish().await;
}

#[tokio::test]
async fn a_keyboard_is_enough() {
    let browser = shop().await;
    browser.open("/").await;
    browser.press("\u{e004}").await;
    assert_eq!(browser.ask("document.activeElement.textContent").await, "Skip to the content");
    browser.press("/").await;
    assert_eq!(browser.ask("document.activeElement.name").await, "q");
    // In a field these are letters.
    browser.press("a / b").await;
    assert_eq!(browser.ask("document.querySelector('input[name=q]').value").await, "a / b");
    browser.press("\u{e00c}").await;
    browser.press(" ").await;
    assert_eq!(browser.text("#pause").await, "Resume");
    // The list is one stop, not one for each link.
    assert_eq!(browser.count("#rows a[tabindex='0']").await, 1);
    browser.press("?").await;
    assert_eq!(browser.count("dialog[open]").await, 1);
    browser.press("\u{e00c}").await;
    assert_eq!(browser.count("dialog[open]").await, 0);
    browser.press("j").await;
    browser.press("j").await;
    browser.press("\u{e015}").await;
    browser.press("\u{e013}").await;
    let second = "document.activeElement === document.querySelectorAll('.row .msg')[1]";
    assert_eq!(browser.ask(second).await, true);
    let ring = browser.ask("getComputedStyle(document.activeElement).outlineStyle").await;
    assert_eq!(ring, "solid");
    // Around the whole row, where nothing cuts it off.
    let ring = browser.ask("getComputedStyle(document.activeElement.closest('.row')).outline").await;
    assert!(ring.as_str().unwrap().contains("solid 2px"), "{ring}");
    assert_eq!(browser.count("#rows a[tabindex='0']").await, 1);
    browser.ask("(window.here = true)").await;
    browser.press("\u{e007}").await;
    browser.arrive().await;
    assert!(browser.path().await.starts_with("/events/"));
    browser.finish().await;
}

#[tokio::test]
async fn the_query_line_is_completed_from_the_store() {
    let browser = Browser::start().await;
    browser.send(&event("complete me"));
    browser.open("/").await;
    let offered = |line: &str| {
        format!("[...document.querySelector('input[name=q]').list.options].some((o) => o.value === '{line}')")
    };
    browser.press_in("input[name=q]", "op:tell -ser").await;
    browser.until(&offered("op:tell -SERVER:")).await;
    browser.press_in("input[name=q]", "ver:").await;
    browser.until(&offered("op:tell -server:t-1")).await;
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
    let trace = detail.as_str().unwrap().split('?').next().unwrap().replace("/events/", "/traces/");
    let compared = format!("/compare?one={0}&other={0}", trace.trim_start_matches("/traces/"));
    for path in [
        "/",
        detail.as_str().unwrap(),
        &trace,
        &format!("{trace}?view=flame"),
        &format!("{trace}?view=list"),
        &compared,
        "/activities",
        "/errors",
        "/charts",
        "/map",
        "/dashboards/overview",
        "/dashboards/processes",
    ] {
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
    browser.open("/activities").await;
    let ids =
        "[...document.querySelectorAll('.activities .leads a:nth-child(2)')].map((link) => link.getAttribute('href'))";
    let ids = browser.ask(ids).await;
    let id = |index: usize| ids[index].as_str().unwrap().trim_start_matches("/traces/");
    let compared = format!("/compare?one={}&other={}", id(0), id(1));
    let trace = detail.split('?').next().unwrap().replace("/events/", "/traces/");
    let [flame, steps, zoomed] =
        ["?view=flame", "?view=list&sort=own", "?from=20ms&to=300ms"].map(|view| trace.clone() + view);
    let pages = [
        ("events", "/"),
        ("filtered", "/?text=payment&severity=%3E%3DWARNING&source=SERVER%3Dpay-1&since=1h"),
        ("faulty", "/?severity=LOUD&since=soon&operation=pay"),
        ("event", &detail),
        ("activities", "/activities"),
        ("trace", &trace),
        ("flame", &flame),
        ("steps", &steps),
        ("zoomed", &zoomed),
        ("compared-traces", &compared),
        ("errors", "/errors"),
        ("charts", "/charts?metric=Order/Payment/amount"),
        ("sources", "/charts?metric=System/Memory/used&by-source=max"),
        ("map", "/map"),
        ("dashboards", "/dashboards"),
        ("overview", "/dashboards/overview"),
        ("compared", "/dashboards/overview?compare=before&since=20m"),
        ("business", "/dashboards/business"),
        ("edit", "/dashboards/overview/edit"),
        ("viewlet", "/dashboards/overview/edit?viewlet=4"),
        ("missing", "/nothing"),
    ];
    for (theme, width) in [("light", 1440), ("dark", 1024), ("light", 390), ("dark", 390)] {
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
