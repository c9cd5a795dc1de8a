//! A watch: the mark comes and goes by itself, on the page, in its title and in its icon.

use super::{Browser, event};

fn error(text: &str) -> String {
    event(text).replace(r#""operation":"#, r#""severity":"ERROR","operation":"#)
}

#[tokio::test]
async fn a_mark_comes_and_goes_by_itself() {
    let browser = Browser::start().await;
    browser.send(&event("all is well"));
    browser.open("/").await;
    browser.click(".watching summary").await;
    browser.press_in("input[name=watch]", "severity>=ERROR").await;
    browser.ask("(document.querySelector('input[name=more-than]').value = '2/4s', true)").await;
    browser.follow(".watching button").await;
    assert_eq!(browser.path().await, "/?watch=severity%3E%3DERROR&more-than=2%2F4s");
    assert_eq!(browser.text(".mark").await, "Watching, no more than 2 in 4 s so far: severity>=ERROR");
    browser.until("document.querySelector('#live').textContent === 'live'").await;

    // Three within four seconds, however slow this machine is.
    browser.send(&[error("first"), error("second"), event("fine"), error("<b>third</b>")].join("\n"));
    browser.until("document.querySelector('.mark.holds') !== null && document.title.startsWith('(!) ')").await;
    let told = "[...document.querySelectorAll('#watch li a')].map((link) => link.textContent).join()";
    assert_eq!(browser.ask(told).await, "<b>third</b>,second,first");
    assert!(
        browser.ask("document.querySelector('link[rel=icon]').href").await.as_str().unwrap().ends_with("-alert.svg")
    );
    browser.until("document.querySelector('.mark.holds') === null && document.title.startsWith('Events')").await;
    assert!(
        browser.ask("document.querySelector('link[rel=icon]').href").await.as_str().unwrap().ends_with("favicon.svg")
    );
    browser.finish().await;
}

#[tokio::test]
async fn a_mark_is_on_every_page_until_it_is_taken_away() {
    let browser = Browser::start().await;
    browser.send(&[error("first"), error("second"), error("third")].join("\n"));
    let watched = "watch=severity%3E%3DERROR&more-than=2%2F1h";
    browser.open(&format!("/?{watched}")).await;
    for path in ["/activities", "/errors", "/charts", "/map", "/dashboards"] {
        browser.follow(&format!("nav a[href^='{path}']")).await;
        assert_eq!(browser.path().await, format!("{path}?{watched}"));
        assert!(browser.text(".mark.holds").await.starts_with("More than 2 in 1 h severity>=ERROR"), "{path}");
        assert!(browser.client.title().await.unwrap().starts_with("(!) "), "{path}");
    }
    // From link to link, and by a filter's form.
    browser.follow(".dashboards a[href^='/dashboards/overview']").await;
    browser.follow(".tools .button").await;
    assert_eq!(browser.path().await, format!("/dashboards/overview/edit?{watched}"));
    assert_eq!(browser.count(".mark.holds").await, 1);
    browser.follow("nav a").await;
    browser.press_in("input[name=text]", "second\u{e007}").await;
    browser.arrive().await;
    assert_eq!(browser.path().await, format!("/?text=second&{watched}"));
    browser.follow(".row .msg").await;
    assert_eq!(browser.count(".mark.holds").await, 1);
    let path = browser.path().await;
    assert!(path.starts_with("/events/") && path.contains(watched), "{path}");
    // New ones are told where one is.
    browser.send(&error("fourth"));
    browser.until("document.querySelector('#watch li a').textContent === 'fourth'").await;
    browser.follow("#unwatch").await;
    assert_eq!(browser.path().await, path.replace(&format!("&{watched}"), ""));
    assert_eq!(browser.count("#watch").await, 0);
    browser.finish().await;
}

#[tokio::test]
async fn a_mark_is_there_without_a_script_and_in_both_themes() {
    let browser = Browser::start().await;
    let long = "an error whose message is as long as messages may be on a bad day, ".repeat(4);
    browser.send(&(0..30).map(|number| error(&format!("{number}: {long}"))).collect::<Vec<_>>().join("\n"));
    browser.devtools("Emulation.setScriptExecutionDisabled", serde_json::json!({"value": true}));
    for (theme, width) in [("light", 1440), ("dark", 390)] {
        browser.theme(theme);
        browser.size(width, 900);
        browser.open("/?watch=severity%3E%3DERROR&more-than=20/1h").await;
        assert!(browser.client.title().await.unwrap().starts_with("(!) "));
        let found = browser.client.find_all(fantoccini::Locator::Css("#watch li")).await.unwrap();
        assert_eq!(found.len(), 10);
        browser.size(width, 901);
        if let Some(folder) = std::env::var_os("SCREENSHOTS") {
            std::fs::create_dir_all(&folder).unwrap();
            let path = std::path::Path::new(&folder).join(format!("watch-{theme}-{width}.png"));
            std::fs::write(path, browser.client.screenshot().await.unwrap()).unwrap();
        }
    }
    browser.devtools("Emulation.setScriptExecutionDisabled", serde_json::json!({"value": false}));
    browser.open("/?watch=severity%3E%3DERROR&more-than=20/1h").await;
    let overflow = "document.documentElement.scrollWidth - window.innerWidth";
    assert!(browser.ask(overflow).await.as_i64().unwrap() <= 0);
    browser.finish().await;
}
