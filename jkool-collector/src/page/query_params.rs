//! The parameters of a page's URL. If some are invalid, the page is still shown, with messages at the fields.

use super::watch::{LINE, Mark, RATE, Watch};
use crate::app::App;
use crate::filter::Filter;
use crate::jkql::read_line;
use crate::query::{InvalidQuery, Query};
use crate::store::StoreError;
use crate::time_arg;
use axum::http::StatusCode;
use jkool_jkql::Zone;
use jkool_model::Timestamp;
use std::fmt::Display;
use std::str::FromStr;

/// The parameters of a URL.
#[derive(Debug)]
pub(super) struct QueryParams {
    pub(super) filter: Filter,
    /// The query line as it was typed.
    pub(super) line: String,
    /// The invalid parameters.
    pub(super) faults: Vec<InvalidQuery>,
    /// The watch, which every page keeps.
    pub(super) watch: Option<Watch>,
    /// All parameters except those of the watch.
    unwatched: Query,
    rest: Query,
}

/// The parameters of the filter.
const FILTER: [&str; 10] =
    ["kind", "severity", "operation", "source", "text", "corrid", "parent", "since", "until", "where"];

impl QueryParams {
    pub(super) async fn read(app: &App, query: Option<&str>) -> Self {
        let mut params = Self::without_line(query, app.clock.now());
        for line in params.rest.take_texts("q") {
            match read_line(&app.store, &line, app.clock.now()).await {
                Ok(Ok(expression)) => params.filter.expression = params.filter.expression.clone().and(expression),
                Ok(Err(error)) => params.faults.push(InvalidQuery::new("q", &line, error)),
                Err(error) => params.faults.push(InvalidQuery::new("q", &line, error)),
            }
            params.line = line;
        }
        params.watch = Watch::take(app, &mut params.rest, &mut params.faults).await;
        params
    }

    /// Returns the mark of the watch.
    pub(super) async fn mark(&self, app: &App) -> Result<Option<Mark>, StoreError> {
        match &self.watch {
            Some(watch) => Mark::of(watch, &self.unwatched, app).await.map(Some),
            None => Ok(None),
        }
    }

    fn without_line(query: Option<&str>, now: Timestamp) -> Self {
        let mut rest = Query::parse(query.unwrap_or_default());
        let mut unwatched = rest.clone();
        for parameter in [LINE, RATE] {
            unwatched.take_texts(parameter);
        }
        let mut faults = Vec::new();
        let mut good = Query::default();
        for parameter in FILTER {
            let values = rest.take_texts(parameter);
            // Only `where` may be repeated: its valid values are kept.
            let read_together = if parameter == "where" { 1 } else { values.len().max(1) };
            for values in values.chunks(read_together) {
                let mut one = Query::default();
                values.iter().for_each(|value| one.push(parameter, value));
                // The page's script adds the time zone to times without one. Without the script they are in UTC, as all
                // shown times.
                let resolved = time_arg::resolve(&mut one, now, &Zone::default());
                match resolved.and_then(|()| Filter::take(&mut one.clone())) {
                    Ok(_) => good.extend(one),
                    Err(fault) => faults.push(fault),
                }
            }
        }
        let filter = Filter::take(&mut good).unwrap_or_default();
        Self { filter, line: String::new(), faults, watch: None, unwatched, rest }
    }

    /// Parses and removes a parameter that is not part of the filter.
    pub(super) fn take<T: FromStr<Err: Display>>(&mut self, parameter: &str) -> Option<T> {
        self.rest.take(parameter).unwrap_or_else(|fault| {
            self.faults.push(fault);
            None
        })
    }

    /// Removes a parameter that may be repeated, and returns its values.
    pub(super) fn take_texts(&mut self, parameter: &str) -> Vec<String> {
        self.rest.take_texts(parameter)
    }

    /// Reports the remaining parameters as faults.
    pub(super) fn finish(&mut self) {
        self.faults.extend(std::mem::take(&mut self.rest).finish().err());
    }

    /// Returns the fault of a parameter.
    pub(super) fn fault(&self, parameter: &str) -> Option<&InvalidQuery> {
        self.faults.iter().find(|fault| fault.parameter == parameter)
    }

    pub(super) fn status(&self) -> StatusCode {
        if self.faults.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST }
    }
}

#[cfg(test)]
mod tests {
    use super::QueryParams;
    use jkool_model::Timestamp;

    #[test]
    fn what_is_good_is_kept_beside_what_is_not() {
        let mut params = QueryParams::without_line(
            Some(
                "operation=pay&severity=LOUD&since=soon&until=08:00&corrid=a&corrid=b&where=a&where=kind=event&before=x&other=1",
            ),
            Timestamp::from_usec(1_457_524_800_000_000),
        );
        assert_eq!(params.take::<u64>("before"), None);
        params.finish();
        assert_eq!(
            params.filter.to_query().to_string(),
            "operation=pay&until=2016-03-09T08%3A00%3A00.000000Z&where=kind%3Devent"
        );
        let faults: Vec<_> = params.faults.iter().map(|fault| fault.parameter.as_str()).collect();
        assert_eq!(faults, ["severity", "corrid", "since", "where", "before", "other"]);
        assert_eq!(params.fault("since").map(|fault| fault.value.as_str()), Some("soon"));
    }
}
