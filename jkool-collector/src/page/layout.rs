//! The layout of every page: navigation, title and footer.

use super::assets::{FAVICON, SCRIPT, STYLE};
use super::format::{count, visible};
use super::link::url_and;
use super::watch::Mark;
use crate::filter::Filter;
use axum::response::Html;
use maud::{DOCTYPE, Markup, html};

/// A part of the page in the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tab {
    Events,
    Activities,
    Errors,
    Charts,
    Map,
    Dashboards,
    None,
}

/// The content of the frame around a page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame<'a> {
    pub(super) title: &'a str,
    pub(super) tab: Tab,
    /// The filter, which links to other parts keep.
    pub(super) filter: &'a Filter,
    /// The number of stored entities; `None` if the store cannot be read.
    pub(super) total: Option<u64>,
    /// The mark of the watch.
    pub(super) mark: Option<&'a Mark>,
}

/// The start of the title while the limit of the watch is exceeded.
const SIGN: &str = "(!) ";

const TABS: [(Tab, &str, &str); 6] = [
    (Tab::Events, "/", "Events"),
    (Tab::Activities, "/activities", "Activities"),
    (Tab::Errors, "/errors", "Errors"),
    (Tab::Charts, "/charts", "Charts"),
    (Tab::Map, "/map", "Map"),
    (Tab::Dashboards, "/dashboards", "Dashboards"),
];

/// The data of a chart, as a collapsed table.
pub(super) fn as_table(title: &str, head: &Markup, rows: &Markup) -> Markup {
    table(title, head, rows, false)
}

/// The data of a chart, as an expanded table.
pub(super) fn as_open_table(title: &str, head: &Markup, rows: &Markup) -> Markup {
    table(title, head, rows, true)
}

fn table(title: &str, head: &Markup, rows: &Markup, open: bool) -> Markup {
    html! {
        details.table open[open] {
            summary { (title) }
            div.scroll tabindex="0" role="region" aria-label=(title) { table aria-label=(title) { thead { tr { (head) } } tbody { (rows) } } }
        }
    }
}

/// The keyboard shortcuts.
const KEYS: [(&str, &str); 7] = [
    ("/", "to the query line"),
    ("j, k", "to the next line, the one before"),
    ("↑ ↓ ← →", "among lines, and among the links of a line"),
    ("Enter", "open what has the focus"),
    ("Space", "pause, go on"),
    ("Esc", "leave a field, close what is open"),
    ("?", "this help"),
];

fn help() -> Markup {
    html! {
        dialog #help aria-labelledby="help-title" {
            h2 #help-title { "Keyboard shortcuts" }
            dl { @for (key, does) in KEYS { dt { kbd { (key) } } dd { (does) } } }
            form method="dialog" { button { "Close" } }
        }
    }
}

/// The page around its main part.
pub(super) fn frame(head: &Frame<'_>, main: &Markup) -> Html<String> {
    let kept = head.mark.map(|mark| mark.query.clone()).unwrap_or_default();
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { @if head.mark.is_some_and(|mark| mark.has_too_many) { (SIGN) } (head.title) " · jKool collector" }
                link rel="icon" type="image/svg+xml" href=(FAVICON.url());
                link rel="stylesheet" href=(STYLE.url());
                script type="module" src=(SCRIPT.url()) {}
            }
            body {
                a.skip href="#main" { "Skip to the content" }
                header.top {
                    a.brand href=(url_and("/", &Filter::default(), &kept)) { "jKool " span { "collector" } }
                    nav aria-label="Main" {
                        @for (tab, path, name) in TABS {
                            a href=(url_and(path, head.filter, &kept)) aria-current=[(tab == head.tab).then_some("page")] { (name) }
                        }
                    }
                    p.state {
                        @if let Some(total) = head.total {
                            span.total { b #total { (count(total)) } " stored" }
                        }
                        span #live .live role="status" hidden {}
                        span #zone title="All times on this page are in UTC" { "UTC" }
                        button #keys type="button" aria-label="Keyboard shortcuts" aria-keyshortcuts="?" hidden { "?" }
                    }
                }
                @if let Some(mark) = head.mark { (mark.section) }
                main #main tabindex="-1" { (main) }
                (help())
            }
        }
    };
    Html(visible(page.into_string()))
}
