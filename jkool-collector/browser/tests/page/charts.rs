//! Charts: how large their texts are, what a drag does, and that they follow what arrives.

use super::{Browser, event, now, shop};
use serde_json::json;

/// Drags with the mouse from one share of the width of what `selector` finds to another.
pub async fn drag(browser: &Browser, selector: &str, from: f64, to: f64) {
    drag_both(browser, selector, [from, 0.5], [to, 0.5]).await;
}

/// As [`drag`], from a share of the width and the height to another.
pub async fn drag_both(browser: &Browser, selector: &str, from: [f64; 2], to: [f64; 2]) {
    let place = format!(
        "(() => {{ const found = document.querySelector({selector:?}); found.scrollIntoView({{block: 'center'}}); \
         const box = found.getBoundingClientRect(); \
         return [{from:?}, {to:?}].map(([x, y]) => [box.x + box.width * x, box.y + box.height * y]); }})()"
    );
    browser.ask("(window.here = true)").await;
    let place = browser.ask(&place).await;
    for (kind, end) in [("mousePressed", 0), ("mouseMoved", 1), ("mouseReleased", 1)] {
        let (x, y) = (&place[end][0], &place[end][1]);
        let event = json!({"type": kind, "x": x, "y": y, "button": "left", "buttons": 1, "clickCount": 1});
        browser.devtools("Input.dispatchMouseEvent", event);
    }
    browser.arrive().await;
}

/// The texts of charts that are seen and are not 12 pixels high, lie outside their chart or over another one.
const UNFIT: &str = "(() => { const seen = [...document.querySelectorAll('.chart text, .heat text')].filter((text) => text.getClientRects().length && getComputedStyle(text).display !== 'none'); \
    const box = (element) => element.getBoundingClientRect(); \
    const outside = (a, b) => a.left < b.left - 2 || a.right > b.right + 2 || a.top < b.top - 2 || a.bottom > b.bottom + 2; \
    const over = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom - 2 && b.top < a.bottom - 2; \
    const wrong = seen.filter((text, at) => getComputedStyle(text).fontSize !== '12px' || box(text).height < 10 || box(text).height > 20 \
      || outside(box(text), box(text.closest('.chart, .heat'))) || seen.slice(at + 1).some((other) => over(box(text), box(other)))); \
    return [seen.length, wrong.map((text) => `${text.textContent} ${JSON.stringify(box(text))}`)]; })()";

#[tokio::test]
async fn texts_of_charts_fit_every_width() {
    let browser = shop().await;
    for width in [1440, 1024, 480, 390] {
        browser.size(width, 900);
        for path in [
            "/charts?metric=Order/Payment/amount",
            "/charts?metric=System/Memory/used&by-source=max",
            "/dashboards/overview",
        ] {
            browser.open(path).await;
            let found = browser.ask(UNFIT).await;
            assert!(found[0].as_u64() > Some(8), "{path} {width}: {found}");
            assert_eq!(found[1], json!([]), "{path} {width}");
        }
    }
    browser.finish().await;
}

#[tokio::test]
async fn a_time_is_dragged_over_a_chart() {
    let browser = shop().await;
    for (path, chart) in
        [("/charts", "#over-time .plot"), ("/charts", "#metric .plot"), ("/dashboards/overview", ".heat li svg")]
    {
        browser.open(path).await;
        browser.until("[...document.querySelectorAll('.drag')].every((hint) => !hint.hidden)").await;
        drag(&browser, chart, 0.25, 0.75).await;
        let at = browser.path().await;
        assert!(at.starts_with(path) && at.contains("since=2") && at.contains("until=2"), "{at}");
        assert!(browser.count(".plot").await > 0);
    }
    // A click without a drag leads to what is there.
    browser.open("/charts").await;
    browser.ask("(window.here = true, document.querySelector('#over-time .plot a').dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true})))").await;
    browser.arrive().await;
    assert!(browser.path().await.starts_with("/?since=2"));
    browser.finish().await;
}

#[tokio::test]
async fn charts_follow_what_arrives_and_hold_still_while_they_are_used() {
    let browser = Browser::start().await;
    browser.send(&event("first"));
    let operations =
        "[...document.querySelectorAll('#charts > .columns .n')].map((value) => value.textContent).slice(0, 1).join()";
    browser.open("/charts").await;
    browser.until("document.querySelector('#live').textContent === 'live'").await;
    browser.send(&event("second"));
    browser.until(&format!("{operations} === '2' && document.querySelector('#total').textContent === '2'")).await;
    // A table that was opened stays open, and what the mouse is over is left alone.
    browser
        .ask("(document.querySelectorAll('#charts details').forEach((details) => { details.open = true; }), true)")
        .await;
    browser.ask("(document.querySelector('#charts > .columns').scrollIntoView({block: 'center'}), true)").await;
    browser.point("#charts > .columns .bars .name").await;
    browser.send(&event("third"));
    browser.until("document.querySelector('#total').textContent === '3'").await;
    assert_eq!(browser.ask(operations).await, "2");
    browser.point("header").await;
    browser.until(&format!("{operations} === '3'")).await;
    assert_eq!(browser.count("#charts details:not([open])").await, 0);
    // Times are still those of the reader.
    browser.click("#zone").await;
    assert_eq!(browser.text("#over-time .zone-name").await, "UTC");
    browser.finish().await;
}

#[tokio::test]
async fn a_metric_is_told_in_its_unit_and_for_each_source() {
    let browser = shop().await;
    let server = |name: &str, used: u64| {
        format!(
            r#"{{"type":"SNAPSHOT","name":"Memory","category":"Server","time-usec":{},"source-fqn":"APPL=Shop#SERVER={name}","properties":[{{"name":"used","type":"long","value":{used},"value-type":"size.byte"}}]}}"#,
            now()
        )
    };
    browser.send(&[server("web-1", 1_500_000_000), server("web-2", 3_000_000_000)].join("\n"));
    browser.open("/charts?metric=Server/Memory/used").await;
    assert_eq!(browser.text("#metric td:nth-child(2)").await, "2.25 GB");
    assert!(browser.text("#metric .y-axis").await.contains("2 GB"));
    browser.ask("(document.querySelector('select[name=by-source]').value = 'p95')").await;
    browser.follow("form.filter button").await;
    assert!(browser.path().await.contains("by-source=p95"));
    assert_eq!(browser.text("#metric .legend").await, "Shop · web-1Shop · web-2");
    assert_eq!(browser.text("#metric h2").await, "Server / Memory / used p95 of each source");
    browser.finish().await;
}
