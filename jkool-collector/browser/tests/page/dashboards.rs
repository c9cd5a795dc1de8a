//! Dashboards: made by hand, and what a full one costs.

use super::{event, now, shop};
use serde_json::json;
use std::time::Duration;
use tokio::time::sleep;

#[tokio::test]
async fn a_dashboard_is_made_by_hand() {
    let browser = shop().await;
    browser.open("/dashboards").await;
    assert_eq!(browser.count(".dashboards li").await, 3);
    browser.press_in("input[name=name]", "shop").await;
    browser.press_in("input[name=title]", "My shop\u{e007}").await;
    browser.arrive().await;
    assert_eq!(browser.path().await, "/dashboards/shop/edit");
    for (title, query, kind) in
        [("Payments", "get sum(amount)", "number"), ("Steps", "get number of events group by operation", "bar")]
    {
        browser.follow("a[href$='viewlet=new']").await;
        browser.ask("(document.querySelector('textarea').value = '')").await;
        browser.press_in("input[name=title]", title).await;
        browser.press_in("textarea", "get numbr").await;
        browser.follow("button[formmethod=get]").await;
        assert!(browser.text(".fields .fault").await.starts_with("column 5: expected"));
        browser.ask("(document.querySelector('textarea').value = '')").await;
        browser.press_in("textarea", query).await;
        browser.ask(&format!("(document.querySelector('select[name=kind]').value = {kind:?})")).await;
        browser.follow("button[formmethod=get]").await;
        assert_eq!(browser.count(".viewlet .fault").await, 0);
        assert_eq!(browser.text(".viewlet h2").await, title);
        browser.follow("button[value=save]").await;
    }
    let titles = "[...document.querySelectorAll('.editor h2')].map((title) => title.textContent)";
    assert_eq!(browser.ask(titles).await, json!(["Payments", "Steps"]));
    browser.follow(".editor li:nth-child(2) button[value=earlier]").await;
    assert_eq!(browser.ask(titles).await, json!(["Steps", "Payments"]));
    browser.follow(".editor li:nth-child(1) button[value=wider]").await;
    browser.follow(".tools .button").await;
    assert_eq!((browser.path().await.as_str(), browser.count(".viewlet.w7").await), ("/dashboards/shop", 1));
    assert!(browser.text(".number .figure").await.ends_with(" k€"), "{}", browser.text(".number .figure").await);
    // It follows what arrives.
    let told = "([...document.querySelectorAll('.bars li')].find((bar) => bar.firstChild.textContent === 'tell')?.lastChild.textContent ?? '')";
    assert_eq!(browser.ask(told).await, "");
    browser.send(&event("one more"));
    browser.until(&format!("{told} === '1'")).await;
    browser.ask("(document.querySelector('select[name=compare]').value = 'before')").await;
    browser.follow("form.filter button").await;
    assert_eq!(browser.path().await, "/dashboards/shop?compare=before");
    browser.finish().await;
}

#[tokio::test]
async fn a_full_dashboard_is_light() {
    let browser = shop().await;
    browser.open("/dashboards/overview").await;
    assert_eq!(browser.count(".viewlet").await, 12);
    assert_eq!(browser.count(".viewlet .fault").await, 0);
    let bytes = "performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation')) \
                 .filter((entry) => !entry.name.includes('favicon')).reduce((sum, entry) => sum + entry.transferSize, 0)";
    let scripts = "performance.getEntriesByType('resource').filter((entry) => entry.name.endsWith('.js')).reduce((sum, entry) => sum + entry.decodedBodySize, 0)";
    let (bytes, scripts) = (browser.ask(bytes).await.as_f64().unwrap(), browser.ask(scripts).await.as_f64().unwrap());
    println!("{bytes} bytes came, of scripts {scripts} unpacked");
    assert!(bytes > 1_000.0 && bytes < 200e3, "{bytes}");
    assert!(scripts < 100e3, "{scripts}");
    browser.until("document.querySelector('#live').textContent === 'live'").await;
    // Of the processor's time, so that others on this machine don't count.
    browser.devtools("Performance.enable", json!({"timeDomain": "threadTicks"}));
    let began = now();
    let before = browser.busy();
    let refreshed =
        "performance.getEntriesByType('resource').filter((entry) => entry.initiatorType === 'fetch').length";
    while browser.ask(refreshed).await.as_u64() < Some(4) {
        assert!(now() - began < 120_000_000, "it is not refreshed");
        browser.send(&format!("{}\n{}\n{}\n{}", event("a"), event("b"), event("c"), event("d")));
        sleep(Duration::from_millis(110)).await;
    }
    let share = (browser.busy() - before) / ((now() - began) as f64 / 1e6);
    println!("the dashboard took {:.1} % of a core", share * 100.0);
    assert!(share < 0.25, "{share}");
    browser.finish().await;
}

/// Drags with the mouse from the middle of what one selector finds, or its corner, by so many pixels.
async fn drag(browser: &super::Browser, selector: &str, by: (i64, i64)) {
    let place = format!(
        "(() => {{ const at = document.querySelector({selector:?}).getBoundingClientRect(); return [at.x + at.width / 2, at.y + at.height / 2]; }})()"
    );
    let place = browser.ask(&place).await;
    let (x, y) = (place[0].as_f64().unwrap(), place[1].as_f64().unwrap());
    let (to_x, to_y) = (x + by.0 as f64, y + by.1 as f64);
    for (kind, x, y) in [
        ("mousePressed", x, y),
        ("mouseMoved", (x + to_x) / 2.0, (y + to_y) / 2.0),
        ("mouseMoved", to_x, to_y),
        ("mouseReleased", to_x, to_y),
    ] {
        let event = json!({"type": kind, "x": x, "y": y, "button": "left", "buttons": 1, "clickCount": 1});
        browser.devtools("Input.dispatchMouseEvent", event);
    }
}

#[tokio::test]
async fn viewlets_are_moved_and_resized_by_dragging_and_by_keyboard() {
    let browser = shop().await;
    browser.size(1440, 900);
    browser.open("/dashboards/business").await;
    let count = browser.count(".viewlet").await;
    browser.open("/dashboards/business/edit").await;
    let titles = "[...document.querySelectorAll('.tile a')].map((title) => title.textContent)";
    let saved = "[...document.querySelectorAll('.editor h2')].map((title) => title.textContent)";
    let sizes = "document.querySelector('.tile').className + ' ' + document.querySelector('.editor .hint').textContent";
    let first = browser.ask(titles).await;
    assert_eq!((browser.count(".tile").await, browser.ask(saved).await), (count, first.clone()));
    browser.until("document.querySelectorAll('.corner').length > 0 && !document.querySelector('.drag').hidden").await;

    // The first one to the right of the second one.
    let apart = "(() => { const [a, b] = [...document.querySelectorAll('.tile')].map((tile) => tile.getBoundingClientRect()); return [b.right - a.left - a.width / 2 - 8, b.top - a.top]; })()";
    let apart = browser.ask(apart).await;
    let by = (apart[0].as_f64().unwrap() as i64, apart[1].as_f64().unwrap() as i64);
    drag(&browser, ".tile", by).await;
    browser.until(&format!("{saved}[1] === {}", first[0])).await;
    assert_eq!(browser.ask(titles).await, browser.ask(saved).await);
    assert_eq!(browser.ask(titles).await[0], first[1]);

    // Its corner, to all columns and one row more.
    let before = browser.ask("Number(document.querySelector('.tile').dataset.height)").await.as_u64().unwrap();
    drag(&browser, ".tile .corner", (1_400, 60)).await;
    browser
        .until(&format!(
            "document.querySelector('.editor .hint').textContent.includes('12 of 12 columns, {} rows')",
            before + 1
        ))
        .await;
    assert!(browser.ask(sizes).await.as_str().unwrap().contains(&format!("w12 r{}", before + 1)));

    // Back again by keyboard; the link keeps the focus.
    browser.ask("(document.querySelector('.tile a').focus(), true)").await;
    browser.press("\u{e014}").await;
    browser.until(&format!("{saved}[0] === {}", first[0])).await;
    assert_eq!(browser.ask("document.activeElement.textContent").await, first[1]);
    assert!(browser.text("#arranged").await.contains("place 2 of"));
    browser.press("\u{e008}\u{e012}\u{e008}").await;
    browser
        .until("document.querySelector('.editor li:nth-child(2) .hint').textContent.includes('11 of 12 columns')")
        .await;
    browser.open("/dashboards/business").await;
    assert_eq!((browser.count(".viewlet").await, browser.count(".viewlet.w11").await), (count, 1));
    // A press without a drag opens the form, as a link does.
    browser.open("/dashboards/business/edit").await;
    browser.ask("(window.here = true)").await;
    drag(&browser, ".tile a", (0, 0)).await;
    browser.arrive().await;
    assert_eq!(browser.path().await, "/dashboards/business/edit?viewlet=0");
    browser.finish().await;
}
