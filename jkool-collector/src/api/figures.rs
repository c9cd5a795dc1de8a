//! Groups and measures over any field.

use super::answer::{json, number};
use crate::app::App;
use crate::error_response::ErrorResponse;
use crate::field::FieldName;
use crate::jkql::take_filter;
use crate::query::{InvalidQuery, Query};
use crate::store::{Aggregation, Group, Key, Measure, Row};
use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde_json::{Value, json};
use std::str::FromStr;
use std::sync::Arc;

type Answer = Result<Response, ErrorResponse>;

/// The maximum numbers of groupings, measures and facets in a query.
const GROUPS: usize = 3;
const MEASURES: usize = 8;
const FACETS: usize = 16;

/// The maximum number of groups in an answer.
const ROWS: usize = 100_000;

/// The facets if the query names none.
const USUAL: [&str; 7] = ["kind", "severity", "operation", "type", "APPL", "SERVER", "user"];

/// Parses `by`.
enum By {
    Time,
    Field(FieldName),
}

impl FromStr for By {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "time" => Ok(Self::Time),
            _ => text.parse().map(Self::Field).map_err(|_| "expected time or the name of a field"),
        }
    }
}

/// Groups by any fields and over time, and computes measures of each group.
pub(super) async fn aggregate(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Answer {
    let mut query = Query::parse(&query.unwrap_or_default());
    let by: Vec<By> = some(&mut query, "by", GROUPS)?;
    let measures: Vec<Measure> = some(&mut query, "measure", MEASURES)?;
    let buckets = number::<1_000>(&mut query, "buckets", 60)?;
    let limit = number::<1_000>(&mut query, "limit", 10)?;
    let filter = take_filter(&app, &mut query).await?;
    query.finish()?;
    let rows: usize = by.iter().map(|by| if matches!(by, By::Time) { buckets } else { limit }).product();
    if rows > ROWS {
        let error = format!("expected values that result in at most {ROWS} groups, not {rows}");
        return Err(InvalidQuery::new("limit", &limit.to_string(), error).into());
    }
    let now = app.clock.now();
    let rows = app.store.read(move |reader| {
        let width = reader.scale(&filter, buckets, now)?.map(|scale| scale.width);
        let group = |by: By| match by {
            By::Time => Group::Time(width.unwrap_or(1)),
            By::Field(name) => Group::Field(name, limit),
        };
        let aggregation = Aggregation { groups: by.into_iter().map(group).collect(), measures };
        Ok((reader.aggregate(&filter, &aggregation, now)?, width))
    });
    let (rows, width) = rows.await?;
    let rows: Vec<Value> = rows.iter().map(row).collect();
    Ok(json(json!({"rows": rows, "width-usec": width}).to_string()))
}

/// The most frequent values of some fields.
pub(super) async fn facets(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Answer {
    let mut query = Query::parse(&query.unwrap_or_default());
    let mut fields: Vec<FieldName> = some(&mut query, "field", FACETS)?;
    let limit = number::<1_000>(&mut query, "limit", 10)?;
    let filter = take_filter(&app, &mut query).await?;
    query.finish()?;
    if fields.is_empty() {
        fields = USUAL.iter().filter_map(|name| name.parse().ok()).collect();
    }
    let now = app.clock.now();
    let facets = app.store.read(move |reader| {
        let facet = |field: FieldName| {
            let groups = vec![Group::Field(field.clone(), limit)];
            Ok((field, reader.aggregate(&filter, &Aggregation { groups, measures: Vec::new() }, now)?))
        };
        fields.into_iter().map(facet).collect::<Result<Vec<_>, _>>()
    });
    let facets = facets.await?;
    let value = |row: &Row| json!({"value": row.keys.first().map(key), "count": row.count});
    let facets: Vec<Value> = facets
        .iter()
        .map(|(field, rows)| json!({"field": field.as_str(), "values": rows.iter().map(value).collect::<Value>()}))
        .collect();
    Ok(json(json!({"facets": facets}).to_string()))
}

fn row(row: &Row) -> Value {
    let by: Value = row.keys.iter().map(key).collect();
    json!({"by": by, "count": row.count, "measures": row.values})
}

fn key(key: &Key) -> Value {
    match key {
        Key::Time(time) => json!(time.as_usec()),
        Key::Text(text) => json!(text),
        Key::Number(number) => json!(number),
    }
}

/// All values of a parameter that may be repeated up to `most` times.
fn some<T: FromStr<Err: std::fmt::Display>>(
    query: &mut Query,
    parameter: &str,
    most: usize,
) -> Result<Vec<T>, InvalidQuery> {
    let all: Vec<T> = query.take_all(parameter)?;
    if all.len() > most {
        return Err(InvalidQuery::new(parameter, "", format!("expected at most {most}")));
    }
    Ok(all)
}
