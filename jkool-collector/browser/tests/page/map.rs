//! The map: what is told of its lines, that all of it can be read, and what becomes of it on a phone.

use super::{Browser, now, shop};
use serde_json::json;

/// What is told of the line from one to another.
async fn told(browser: &Browser, from: &str, to: &str) -> String {
    let title = format!("{from} to {to}:");
    let script = format!(
        "(() => {{ const at = [...document.querySelectorAll('.across .edge title')].findIndex((edge) => edge.textContent.startsWith({title:?})); \
         return [...document.querySelectorAll('.across .count')].slice(2 * at, 2 * at + 2).map((text) => text.textContent).join(' '); }})()"
    );
    browser.ask(&script).await.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn lines_tell_how_many_how_well_and_how_fast() {
    let browser = shop().await;
    browser.open("/map").await;
    assert_eq!((browser.count(".across .node").await, browser.count(".across .edge").await), (5, 5));
    // 200 orders in an hour, one in 14 of which the bank refuses; the payment tells so later.
    for (from, to, fails) in [
        ("APPL=WebShop", "APPL=Verification", false),
        ("APPL=Payment", "APPL=BankGateway", true),
        ("APPL=Verification", "APPL=Payment", true),
    ] {
        let told = told(&browser, from, to).await;
        let (rate, rest) = told.split_once("/min").unwrap();
        assert!((2.9..4.0).contains(&rate.parse().unwrap()), "{told}");
        assert!(rest.contains("p95 ") && rest.ends_with(" ms") && rest.contains('%') == fails, "{told}");
    }
    assert_eq!((browser.count(".across .node.bad").await, browser.count(".across .trend").await), (2, 5));
    browser.ask("(window.here = true, [...document.querySelectorAll('.across .edge')].find((edge) => edge.textContent.includes('to APPL=BankGateway')).dispatchEvent(new MouseEvent('click', {bubbles: true})))").await;
    browser.arrive().await;
    assert_eq!(browser.text(".row .src").await, "BankGateway");

    browser.open("/map").await;
    browser.ask("(document.querySelector('select[name=level]').value = 'DATACENTER', true)").await;
    browser.follow("form.filter button").await;
    assert_eq!(browser.path().await, "/map?level=DATACENTER");
    let names = "[...document.querySelectorAll('.across .name')].map((name) => name.textContent).sort()";
    // The bank is in none.
    assert_eq!(browser.ask(names).await, json!(["BankGateway", "Berlin", "Paris"]));
    browser.finish().await;
}

/// Messages from one service to another, by their numbers.
fn messages(lines: impl Iterator<Item = (u64, u64)>) -> String {
    let event = |kind: &str, source: u64, number: u64| {
        format!(
            r#"{{"type":"{kind}","operation":"call","corrid":["c{number}"],"source-fqn":"APPL=service-{source}#SERVER=s-{source}","time-usec":{}}}"#,
            now()
        )
    };
    lines
        .zip(0..)
        .map(|((from, to), number)| format!("{}\n{}\n", event("SEND", from, number), event("RECEIVE", to, number)))
        .collect()
}

#[tokio::test]
async fn what_is_looked_at_is_lit_with_all_that_leads_to_it_and_from_it() {
    let browser = Browser::start().await;
    browser.send(&messages([(1, 3), (2, 3), (3, 4), (4, 5), (3, 6)].into_iter()));
    browser.open("/map").await;
    let found = |kind: &str, name: &str| {
        format!(
            "[...document.querySelectorAll('.across .{kind}')].map((part) => part.closest('a')).find((part) => part.textContent.includes({name:?}))"
        )
    };
    let lit = "(() => { const names = [...document.querySelectorAll('.across .lights .lit')].map((part) => part.querySelector('.name, title')?.textContent.split(':')[0]); \
        return names.filter(Boolean).map((name) => name.replaceAll(/APPL=|service-/g, '')).sort(); })()";
    // By the keyboard, a node.
    browser.ask(&format!("({}.focus(), true)", found("name", "service-4"))).await;
    assert_eq!(browser.ask(lit).await, json!(["1", "1 to 3", "2", "2 to 3", "3", "3 to 4", "4", "4 to 5", "5"]));
    let dimmed = format!("Number(getComputedStyle({}).opacity)", found("name", "service-6"));
    assert_eq!(browser.ask(&dimmed).await, json!(0.2));
    browser.ask("(document.activeElement.blur(), true)").await;
    assert_eq!((browser.ask(&dimmed).await, browser.count(".lights").await), (json!(1), 0));
    // By the mouse, a line.
    let over = "dispatchEvent(new PointerEvent('pointerover', {bubbles: true}))";
    browser.ask(&format!("{}.{over}", found("l-edge", "1 to APPL=service-3"))).await;
    let from_one = json!(["1", "1 to 3", "3", "3 to 4", "3 to 6", "4", "4 to 5", "5", "6"]);
    assert_eq!(browser.ask(lit).await, from_one);
    browser.screenshot("lit-light-1280.png", 1280).await;
    browser.finish().await;
}

#[tokio::test]
async fn a_time_is_dragged_over_above_the_map() {
    let browser = shop().await;
    browser.open("/map?level=SERVER").await;
    let all: f64 = browser.text(".strip b").await.replace(',', "").parse().unwrap();
    super::charts::drag(&browser, "#strip svg", 0.5, 0.75).await;
    let path = browser.path().await;
    assert!(path.starts_with("/map?level=SERVER&since=2") && path.contains("&until=2"), "{path}");
    let part: f64 = browser.text(".strip b").await.replace(',', "").parse().unwrap();
    assert!((0.1..0.4).contains(&(part / all)), "{part} of {all}");
    assert!(browser.count(".across .edge").await > 2);
    // A bar is a part of the time too, and all of it is a click away.
    browser.ask("(window.here = true, document.querySelector('#strip svg a').dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true})))").await;
    browser.arrive().await;
    assert!(browser.path().await.starts_with("/map?since=2"));
    browser.follow("#strip figcaption a").await;
    assert_eq!(browser.path().await, "/map?level=SERVER");
    browser.finish().await;
}

#[tokio::test]
async fn a_phone_has_the_table_first_and_a_map_that_goes_down() {
    let browser = shop().await;
    browser.size(390, 900);
    browser.open("/map").await;
    let seen =
        "[...document.querySelectorAll('.way')].filter((way) => way.offsetHeight > 0).map((way) => way.className)";
    assert_eq!(browser.ask(seen).await, json!(["way down"]));
    let top = "((selector) => Math.round(document.querySelector(selector).getBoundingClientRect().top))";
    assert_eq!(browser.ask(&format!("{top}('.ways .table') < {top}('.way.down')")).await, true);
    // All of it is seen, and no line goes up.
    let hidden = "(({scrollWidth, clientWidth}) => scrollWidth - clientWidth)(document.querySelector('.down .scroll'))";
    assert_eq!(browser.ask(hidden).await, 0);
    let tops = "[...document.querySelectorAll('.down .node')].map((node) => node.y.baseVal.value)";
    let tops: Vec<i64> = serde_json::from_value(browser.ask(tops).await).unwrap();
    assert!(tops.len() == 5 && tops.iter().max() > tops.iter().min(), "{tops:?}");
    browser.size(1440, 900);
    assert_eq!(browser.ask(seen).await, json!(["way across"]));
    browser.finish().await;
}

/// The figures and nodes that are seen and lie upon others.
const UPON: &str = "(() => { const boxes = [...document.querySelectorAll('.map .count, .map .node')].filter((one) => one.getClientRects().length) \
    .map((one) => [one.getBBox(), one]).filter(([box]) => box.width > 0); \
    const upon = boxes.flatMap(([a, one], at) => boxes.slice(at + 1).filter(([b]) => a.x < b.x + b.width && b.x < a.x + a.width \
      && a.y + 2 < b.y + b.height && b.y + 2 < a.y + a.height).map(([, other]) => `${one.textContent} ${other.textContent}`)); \
    return [boxes.length, upon]; })()";

#[tokio::test]
async fn a_map_of_many_has_room_for_all() {
    let browser = Browser::start().await;
    // Each calls the ones that its number divides, and some answer.
    let calls =
        (1..16).flat_map(|from| (2..16).filter(move |to| to % from == 0 && *to != from).map(move |to| (from, to)));
    let answers = [(6, 3), (15, 5), (7, 7)];
    browser.send(&messages(calls.chain(answers)));
    for (theme, width) in [("light", 1280), ("dark", 390)] {
        browser.theme(theme);
        browser.size(width, 900);
        browser.open("/map").await;
        assert_eq!((browser.count(".across .node").await, browser.count(".across path.l-edge").await), (15, 33));
        // Two texts at each line.
        assert_eq!(browser.ask(UPON).await, json!([15 + 2 * 33, []]));
        browser.screenshot(&format!("many-{theme}-{width}.png"), width).await;
    }
    browser.finish().await;
}
