//! Traces and activities: what a drag, a click and the arrow keys do.

use super::charts::{drag, drag_both};
use super::{Browser, shop};
use serde_json::json;

/// The url of the trace of an order whose payment was refused.
pub async fn refused(browser: &Browser) -> String {
    browser.open("/?text=refused").await;
    let href = browser.ask("document.querySelector('.row .msg').getAttribute('href')").await;
    href.as_str().unwrap().split('?').next().unwrap().replace("/events/", "/traces/")
}

const SEEN: &str = "[...document.querySelectorAll('.timeline li')].filter((line) => !line.hidden).length";
const FOCUS: &str = "document.activeElement.textContent.trim()";

#[tokio::test]
async fn a_trace_is_walked_through_by_keyboard_and_mouse() {
    let browser = shop().await;
    let trace = refused(&browser).await;
    browser.open(&trace).await;
    assert_eq!(browser.text("h1").await, "Order TRACE");
    assert!(browser.text("#chosen").await.contains("payment was refused"));
    // One stop of the tab key, at what is chosen.
    assert_eq!(browser.count(".timeline a[tabindex='0']").await, 1);
    browser.ask("(document.querySelector('.timeline a[tabindex=\"0\"]').focus(), true)").await;
    assert!(browser.ask(FOCUS).await.as_str().unwrap().starts_with("pay"));
    // To the first line, which is folded and unfolded.
    let all = browser.ask(SEEN).await;
    browser.press("\u{e011}").await;
    assert!(browser.ask(FOCUS).await.as_str().unwrap().starts_with("Order"));
    browser.press("\u{e012}").await;
    assert_eq!(browser.ask(SEEN).await, 1);
    browser.press("\u{e014}").await;
    assert_eq!(browser.ask(SEEN).await, all);
    browser.click(".timeline li:first-child .fold").await;
    assert_eq!(browser.ask(SEEN).await, 1);
    browser.click(".timeline li:first-child .fold").await;
    // Another one is chosen where one is, and the url says so.
    browser.ask("(window.here = true, document.querySelector('.timeline a').focus(), true)").await;
    browser.press("\u{e007}").await;
    browser.until("document.querySelector('#chosen h2').textContent.startsWith('Order')").await;
    browser.press("\u{e015}").await;
    browser.press("\u{e007}").await;
    browser.until("document.querySelector('#chosen h2').textContent.startsWith('accept')").await;
    assert_eq!(browser.ask("window.here").await, true);
    assert_eq!(browser.count(".timeline li:nth-child(2)[aria-current]").await, 1);
    let path = browser.path().await;
    assert!(path.starts_with(&format!("{trace}?at=")), "{path}");
    // It stays chosen in each view, and in each is one stop of the tab key.
    for view in ["flame", "list", "waterfall"] {
        let link = format!(".views a[href*='view={view}']");
        // Not below the header, where no mouse reaches it.
        browser.ask("(scrollTo(0, 0), true)").await;
        browser.follow(if view == "waterfall" { ".views a:first-child" } else { &link }).await;
        assert!(browser.text("#chosen h2").await.starts_with("accept"), "{view}");
        assert_eq!(browser.count("[data-steps] [aria-current]").await, 1, "{view}");
        assert_eq!(browser.count("[data-steps] a[tabindex='0']").await, 1, "{view}");
        browser.ask("(document.querySelector('[data-steps] a[tabindex=\"0\"]').focus(), true)").await;
        let before = browser.ask("document.activeElement.getAttribute('href')").await;
        browser.press("\u{e015}").await;
        assert_ne!(browser.ask("document.activeElement.getAttribute('href')").await, before, "{view}");
    }
    browser.finish().await;
}

#[tokio::test]
async fn a_line_is_folded_without_a_script() {
    let browser = shop().await;
    let trace = refused(&browser).await;
    browser.open(&trace).await;
    let all = browser.count(".timeline li").await;
    browser.devtools("Emulation.setScriptExecutionDisabled", json!({"value": true}));
    let fold = |label: &str| format!(".timeline a.fold[aria-label^='{label}']");
    browser.open(&trace).await;
    browser.click(&fold("Fold Order")).await;
    let url = browser.client.current_url().await.unwrap();
    assert!(url.query().unwrap().starts_with("folded="), "{url}");
    browser.devtools("Emulation.setScriptExecutionDisabled", json!({"value": false}));
    // The script leaves what the url says, and unfolds it by the same link.
    browser.client.refresh().await.unwrap();
    let some = browser.count(".timeline li").await;
    assert!(some == 1 && all > 8 && browser.count(&fold("Unfold")).await == 1, "{some} of {all}");
    browser.follow(&fold("Unfold Order")).await;
    assert_eq!((browser.path().await, browser.count(".timeline li").await), (trace, all));
    assert_eq!(browser.count(".timeline a.fold").await, 0);
    browser.finish().await;
}

#[tokio::test]
async fn a_part_of_a_trace_is_dragged_over() {
    let browser = shop().await;
    let trace = refused(&browser).await;
    browser.open(&trace).await;
    let all = browser.count(".timeline li").await;
    browser.until("!document.querySelector('.overview .drag').hidden").await;
    drag(&browser, ".overview svg", 0.0, 0.2).await;
    let path = browser.path().await;
    assert!(path.contains("from=0") && path.contains("to="), "{path}");
    let some = browser.count(".timeline li").await;
    assert!((1..all).contains(&some), "{some} of {all}");
    assert_eq!(browser.count(".overview .outside").await, 2);
    browser.follow(".overview figcaption a").await;
    assert_eq!((browser.path().await, browser.count(".timeline li").await), (trace.clone(), all));
    // Boxes of a flame graph have their texts within them, and lead to what they stand for.
    browser.open(&format!("{trace}?view=flame")).await;
    let names = browser.ask("[...document.querySelectorAll('.flame text')].map((text) => text.textContent)").await;
    assert!(names.as_array().unwrap().contains(&json!("verify")), "{names}");
    browser.ask("(document.querySelector('.flame a:nth-of-type(2)').dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true})), true)").await;
    browser.until("document.querySelector('#chosen h2').textContent.startsWith('accept')").await;
    browser.finish().await;
}

#[tokio::test]
async fn activities_are_sorted_and_dragged_over() {
    let browser = shop().await;
    browser.open("/activities").await;
    browser.until("!document.querySelector('#durations .drag').hidden").await;
    assert_eq!(browser.count("#durations a").await, 200);
    assert!(browser.count("#durations .failed").await > 5);
    browser.follow(".orders a[href*='sort=errors']").await;
    assert!(browser.text(".activities summary .errors-in").await.contains("error"));
    // Along the time alone, then the shortest alone, then a part of both.
    drag(&browser, "#durations .plot", 0.5, 0.9).await;
    let path = browser.path().await;
    assert!(path.contains("sort=errors") && path.contains("since=2") && !path.contains("longer="), "{path}");
    let some = browser.count("#durations a").await;
    assert!((50..150).contains(&some), "{some}");
    browser.open("/activities").await;
    drag_both(&browser, "#durations .plot", [0.5, 0.97], [0.5, 0.5]).await;
    let path = browser.path().await;
    assert!(path.contains("longer=") && path.contains("shorter=") && !path.contains("since="), "{path}");
    browser.open("/activities").await;
    drag_both(&browser, "#durations .plot", [0.2, 0.03], [0.9, 0.9]).await;
    let path = browser.path().await;
    assert!(path.contains("longer=") && path.contains("since=2"), "{path}");
    let some = browser.count("#durations a").await;
    assert!((50..200).contains(&some), "{some}");
    // By the form too.
    browser.open("/activities").await;
    browser.press_in("input[name=longer]", "100d\u{e007}").await;
    browser.arrive().await;
    assert_eq!(
        (browser.path().await.as_str(), browser.count(".activities details").await),
        ("/activities?longer=100d", 0)
    );
    browser.finish().await;
}

#[tokio::test]
async fn two_activities_are_compared() {
    let browser = shop().await;
    browser.open("/activities?sort=errors").await;
    browser.click(".activities summary").await;
    browser.follow(".activities .leads a:last-child").await;
    assert!(browser.path().await.contains("sort=errors&compare="));
    assert!(browser.text(".comparing").await.starts_with("Select another activity to compare with Order of"));
    browser.click(".activities details:last-child summary").await;
    browser.follow(".activities details:last-child .leads a:last-child").await;
    assert!(browser.path().await.starts_with("/compare?one="));
    assert_eq!(browser.count(".flame").await, 2);
    let names = browser
        .ask("[...document.querySelectorAll('.differences .name')].map((name) => name.firstChild.data.trim())")
        .await;
    for name in ["Order", "accept", "pay", "ship"] {
        assert!(names.as_array().unwrap().contains(&json!(name)), "{names}");
    }
    // What failed never was shipped.
    assert!(browser.text(".differences .alone").await.contains("only in the second"));
    browser.follow(".flame a").await;
    assert!(browser.path().await.starts_with("/traces/"));
    browser.finish().await;
}

#[tokio::test]
async fn a_trace_of_thousands_is_looked_at_with_ease() {
    let browser = Browser::start().await;
    let span = |number: u64| {
        let (start, parent) = (1_457_524_700_000_000 + number * 700, number.saturating_sub(1) / 4);
        let parent = if number == 0 { String::new() } else { format!(r#","parent-id":"{parent}""#) };
        let severity = if number % 97 == 96 { "ERROR" } else { "INFO" };
        let took = 2_000_000_u64.checked_div(number).unwrap_or(1_600_000);
        format!(
            r#"{{"type":"ACTIVITY","operation":"call-{}","tracking-id":"{number}"{parent},"severity":"{severity}","start-time-usec":{start},"time-usec":{},"elapsed-time-usec":{took}}}"#,
            number % 40,
            start + took,
        )
    };
    browser.send(&(0..2_100).map(span).collect::<Vec<_>>().join("\n"));
    browser.open("/activities").await;
    browser.click(".activities summary").await;
    browser.follow(".activities .leads a:nth-child(2)").await;
    assert_eq!(browser.count(".timeline li").await, 1_000);
    let facts = browser.text(".facts").await;
    assert!(facts.contains("2,000 entries") && facts.contains("more than 2,000"), "{facts}");
    browser.click(".timeline li:first-child .fold").await;
    assert_eq!(browser.ask(SEEN).await, 1);
    browser.follow("a[rel=next]").await;
    assert_eq!(browser.count(".timeline li").await, 1_000);
    for (theme, width) in [("light", 1440), ("dark", 390)] {
        browser.theme(theme);
        browser.size(width, 900);
        for view in ["waterfall", "flame", "list"] {
            let trace = browser.path().await.split('?').next().unwrap().to_owned();
            browser.open(&format!("{trace}?view={view}")).await;
            let overflow = browser.ask("document.documentElement.scrollWidth - window.innerWidth").await;
            assert!(overflow.as_i64().unwrap() <= 0, "{view} at {width} is {overflow} too wide");
            browser.screenshot(&format!("large-{view}-{theme}-{width}.png"), width).await;
            if view == "flame" {
                assert!(browser.count(".flame a").await > 500);
                if let Some(axe) = super::axe::source() {
                    let faults = super::axe::faults(&browser, &axe).await;
                    assert!(faults.is_empty(), "{faults:?}");
                }
            }
        }
    }
    browser.finish().await;
}
