//! What a live list costs when more comes in than anybody can read.

use super::{Browser, event, now};
use serde_json::json;
use std::time::Duration;
use tokio::time::sleep;

/// So many a second, for so many seconds, as far as this machine can.
const RATE: u64 = 1_000;
const SECONDS: u64 = 20;

/// So much of the processor's time an event may cost the page, in milliseconds; 1 would be a whole core. It takes 0.15, and took 1.3 when
/// each new line was animated. Were fewer sent, for the machine is busy, it would cost less.
const MOST: f64 = 0.5;

/// By so much memory may grow, in bytes. A list has 500 lines at most, whatever came in.
const GROWTH: f64 = 4e6;

/// The heap without what is garbage, in bytes.
fn heap(browser: &Browser) -> f64 {
    for _ in 0..2 {
        browser.devtools("HeapProfiler.collectGarbage", json!({}));
    }
    browser.metric("JSHeapUsedSize")
}

/// Sends events as they come in one after the other. Gives how many.
async fn stream(browser: &Browser, seconds: u64) -> u64 {
    let began = now();
    let mut sent = 0;
    while now() - began < seconds as i64 * 1_000_000 {
        let due = (now() - began) as u64 * RATE / 1_000_000;
        let lines: Vec<String> = (sent..due).map(|number| event(&format!("of very many, number {number}"))).collect();
        if !lines.is_empty() {
            browser.send(&lines.join("\n"));
            sent = due;
        }
        sleep(Duration::from_millis(50)).await;
    }
    sent
}

#[tokio::test]
async fn a_thousand_events_a_second_cost_little_and_leave_nothing_behind() {
    let browser = Browser::start().await;
    browser.open("/").await;
    browser.until("document.querySelector('#live').textContent === 'live'").await;
    // Of the processor's time, so that others on this machine don't count.
    browser.devtools("Performance.enable", json!({"timeDomain": "threadTicks"}));
    // Until the list is full, it grows.
    let mut warm = 0;
    while browser.count(".row").await < 400 {
        warm += stream(&browser, 2).await;
        assert!(warm < 100_000, "the list is not filled");
    }
    let (busy, before) = (browser.busy(), heap(&browser));
    let sent = stream(&browser, SECONDS).await;
    let (spent, grown) = ((browser.busy() - busy) * 1e3 / (RATE * SECONDS) as f64, heap(&browser) - before);
    println!(
        "{sent} events cost {spent:.3} ms each; the heap was {:.1} MB and has grown by {:.2} MB",
        before / 1e6,
        grown / 1e6
    );
    // It was at work all the time, and shows the last.
    assert!(sent > RATE, "{sent}");
    browser.until("document.querySelector('#missed').textContent.includes('passed over') && document.querySelectorAll('.row').length > 100").await;
    assert!(spent < MOST, "{spent} ms");
    assert!(grown < GROWTH, "{grown} bytes");
    browser.finish().await;
}
