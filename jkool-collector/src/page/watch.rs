//! A watch: every page shows a mark while more entities arrive than allowed. The URL contains the watch.

use super::format::{count, duration, severity_class, time};
use super::link::{event_url, url, url_and};
use super::row::message;
use crate::app::App;
use crate::filter::{Filter, severity_of};
use crate::jkql::read_line;
use crate::query::{InvalidQuery, Query};
use crate::rate::{Rate, Window};
use crate::store::{EntityId, StoreError, Stored};
use crate::time_arg::Moment;
use jkool_model::Timestamp;
use maud::{Markup, html};
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

pub(super) const LINE: &str = "watch";
pub(super) const RATE: &str = "more-than";

/// The maximum number of counted entities: all of them are read when a page is opened.
const MOST: usize = 1_000;

/// The maximum number of listed entities, the last ones.
const LISTED: usize = 10;

/// A watch: a filter, and the number of allowed entities.
#[derive(Debug, Clone)]
pub(super) struct Watch {
    pub(super) line: String,
    pub(super) filter: Filter,
    pub(super) rate: Rate,
}

impl Watch {
    /// Parses the parameters of a URL. `None` if there is no watch, or if it is invalid, which is added to `faults`.
    pub(super) async fn take(app: &App, query: &mut Query, faults: &mut Vec<InvalidQuery>) -> Option<Self> {
        let line = query.take_text(LINE).map_err(|fault| faults.push(fault)).ok().flatten();
        let rate: Result<Option<Rate>, InvalidQuery> = query.take(RATE);
        let line = line?;
        let fault = |name: &str, said: &str, expected: &str| InvalidQuery::new(name, said, expected);
        let rate = match rate {
            Ok(Some(rate)) if rate.more_than <= MOST => Some(rate),
            Ok(Some(rate)) => {
                faults.push(fault(RATE, &rate.to_string(), "expected 1000 at most on the page"));
                None
            }
            Ok(None) => {
                faults.push(fault(RATE, "", "expected how many of it are allowed, such as 5/1m"));
                None
            }
            Err(fault) => {
                faults.push(fault);
                None
            }
        };
        let error = match read_line(&app.store, &line, app.clock.now()).await {
            Ok(Ok(expression)) => {
                let filter = Filter { expression, ..Filter::default() };
                return rate.map(|rate| Self { line, filter, rate });
            }
            Ok(Err(error)) => error,
            Err(error) => error.to_string(),
        };
        faults.push(InvalidQuery::new(LINE, &line, error));
        None
    }

    /// Returns the parameters that [`take`](Self::take) parses.
    pub(super) fn to_query(&self) -> Query {
        let mut query = Query::default();
        query.push(LINE, &self.line);
        query.push(RATE, self.rate);
        query
    }

    /// Starts counting with the entities that were received recently, judged by their own times.
    pub(super) async fn begin(self, app: &App) -> Result<Watched, StoreError> {
        let now = app.clock.now();
        let filter = self.lately();
        let most = self.rate.more_than.max(LISTED) + 1;
        let found = app.store.read(move |reader| reader.find(&filter, most, None, now)).await?;
        let ids = found.iter().map(|stored| stored.id).collect();
        let (window, last) = (Window::new(self.rate), VecDeque::new());
        let mut watched = Watched { window, watch: self, last, found: ids, missed: 0 };
        let mut found: Vec<Arc<Stored>> = found.into_iter().map(Arc::new).collect();
        found.sort_by_key(|stored| (stored.received, stored.id));
        found.into_iter().for_each(|stored| watched.count(stored));
        Ok(watched)
    }

    fn lately(&self) -> Filter {
        Filter { since: Some(Moment::Ago(self.rate.within)), ..self.filter.clone() }
    }
}

/// A watch, and the entities that arrived.
#[derive(Debug)]
pub(super) struct Watched {
    watch: Watch,
    window: Window,
    last: VecDeque<Arc<Stored>>,
    /// The entities found at the start, which may be reported again as new.
    found: HashSet<EntityId>,
    missed: u64,
}

impl Watched {
    /// Counts a new entity.
    pub(super) fn take(&mut self, stored: Arc<Stored>) {
        if !self.found.contains(&stored.id) {
            self.count(stored);
        }
    }

    fn count(&mut self, stored: Arc<Stored>) {
        self.window.take(stored.received.as_usec());
        self.last.push_back(stored);
        if self.last.len() > LISTED {
            self.last.pop_front();
        }
    }

    /// Counts entities that were missed.
    pub(super) fn miss(&mut self, count: u64) {
        self.missed += count;
    }

    pub(super) fn has_too_many(&self, now: Timestamp) -> bool {
        self.window.has_too_many(now.as_usec())
    }

    /// Returns when the limit will no longer be exceeded, if no further entity arrives.
    pub(super) fn ends(&self, now: Timestamp) -> Option<Timestamp> {
        let until = self.window.too_many_until().map(Timestamp::from_usec);
        until.filter(|until| now < *until)
    }

    /// The mark.
    pub(super) fn mark(&self, now: Timestamp) -> Markup {
        let Rate { more_than, within } = self.watch.rate;
        let rate = format!("{} in {}", count(more_than as u64), duration(within.as_micros() as i64));
        html! {
            @if self.has_too_many(now) {
                p.mark.holds role="status" { b { "More than " (rate) } " " code { (self.watch.line) } " " a href=(url("/", &self.watch.lately())) { "Show them" } }
                details {
                    summary { "The last " (self.last.len()) }
                    ol { @for stored in self.last.iter().rev() { (line(stored)) } }
                }
            } @else {
                p.mark role="status" { "Watching, no more than " (rate) " so far: " code { (self.watch.line) } }
            }
            @if self.missed > 0 { p.hint { (count(self.missed)) " came too fast to be looked at." } }
        }
    }
}

fn line(stored: &Stored) -> Markup {
    let severity = severity_of(&stored.entity);
    html! {
        li {
            (time(stored.time)) " "
            span class={ "sev " (severity_class(severity)) } { (severity) } " "
            a href=(event_url(stored.id)) { (message(&stored.entity)) }
        }
    }
}

/// The parts of a watch on every page.
#[derive(Debug)]
pub(super) struct Mark {
    pub(super) has_too_many: bool,
    /// The parameters, which links to other parts keep.
    pub(super) query: Query,
    /// The mark with its container, which the script updates.
    pub(super) section: Markup,
}

impl Mark {
    /// Returns the current mark; without it the page has the parameters `others`.
    pub(super) async fn of(watch: &Watch, others: &Query, app: &App) -> Result<Self, StoreError> {
        let (query, now) = (watch.to_query(), app.clock.now());
        let watched = watch.clone().begin(app).await?;
        let section = html! {
            section.watch aria-label="Watch" {
                div #watch data-watch=(url_and("/watch", &Filter::default(), &query)) { (watched.mark(now)) }
                a.button #unwatch href={ "?" (others) } { "Stop watching" }
            }
        };
        Ok(Self { has_too_many: watched.has_too_many(now), query, section })
    }
}

/// The parameters as hidden fields of a form.
pub(super) fn hidden(query: &Query) -> Markup {
    html! { @for (name, value) in query.pairs() { input type="hidden" name=(name) value=(value); } }
}
