//! The query line: the parameter `q` of page, API and command.

use super::JkqlError;
use super::conditions::Clock;
use super::resolve::Resolver;
use crate::app::App;
use crate::error_response::ErrorResponse;
use crate::expression::Expression;
use crate::filter::Filter;
use crate::query::{InvalidQuery, Query};
use crate::store::{Store, StoreError};
use crate::time_arg;
use jkool_jkql::{Zone, parse_line};
use jkool_model::Timestamp;
use std::str::FromStr;

/// The name of the parameter.
const LINE: &str = "q";

/// Removes the parameters of a filter, including the query line, from `query`.
pub(crate) async fn take_filter(app: &App, query: &mut Query) -> Result<Filter, ErrorResponse> {
    let lines = query.take_texts(LINE);
    time_arg::resolve(query, app.clock.now(), &Zone::local())?;
    let mut filter = Filter::take(query)?;
    for line in lines {
        let read = read_line(&app.store, &line, app.clock.now()).await?;
        filter.expression = filter.expression.and(read.map_err(|error| InvalidQuery::new(LINE, &line, error))?);
    }
    Ok(filter)
}

/// Parses a query line. Names that are not built in are looked up in the store.
pub(crate) async fn read_line(
    store: &Store,
    line: &str,
    now: Timestamp,
) -> Result<Result<Expression, String>, StoreError> {
    let written = match parse_line(line) {
        Ok(written) => written,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let clock = Clock { now, zone: Zone::local() };
    // Most lines do not need the store.
    if let Ok(read) = Resolver::without_store().expression(&written, &clock) {
        return Ok(Ok(read));
    }
    let read = store.read(move |reader| Ok(Resolver::new(reader).expression(&written, &clock))).await?;
    match read {
        Ok(read) => Ok(Ok(read)),
        Err(JkqlError::Store(error)) => Err(error),
        Err(error) => Ok(Err(error.to_string())),
    }
}

/// Parses a query line without the store, such as the output of [`Display`](std::fmt::Display): names that are not
/// built in must be full names, and dates are in UTC.
impl FromStr for Expression {
    type Err = JkqlError;

    fn from_str(line: &str) -> Result<Self, JkqlError> {
        let clock = Clock { now: Timestamp::from_usec(0), zone: Zone::default() };
        Resolver::without_store().expression(&parse_line(line)?, &clock)
    }
}
