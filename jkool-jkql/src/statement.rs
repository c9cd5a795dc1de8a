//! The statements of jKQL.

use crate::condition::{Condition, Name};
use crate::period::Period;

/// A statement of jKQL.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Statement {
    /// `get ..`, `find ..`: a query.
    Get(Select),
    /// `compare ..`: a query for figures in two periods.
    Compare {
        /// The figures and the first period.
        select: Select,
        /// The period that it is compared with.
        with: Period,
    },
    /// `subscribe to ..`: a query for new entities from now on.
    Subscribe(Select),
    /// `unsubscribe from 'ID'`.
    Unsubscribe(String),
}

/// A query: what to return, for which entities, and in which order.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Select {
    /// The kind of entities; `None` for all.
    pub kind: Option<Kind>,
    /// Rows of entities, or figures.
    pub output: Output,
    /// The condition on the entities.
    pub condition: Condition,
    /// Groups by the values of these fields, outermost first.
    pub groups: Vec<Name>,
    /// Groups by time buckets; the other groups are inside of them.
    pub bucket: Option<Bucket>,
    /// The period.
    pub period: Option<Period>,
    /// The sort keys.
    pub sort: Vec<Sort>,
    /// The maximum number of rows.
    pub limit: Option<u32>,
    /// The chart to display.
    pub show: Option<Chart>,
}

/// The kinds of entities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Events.
    Events,
    /// Activities.
    Activities,
    /// Snapshots that were sent alone.
    Snapshots,
}

/// The content of an answer.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Output {
    /// A row for each entity, with these fields; with default fields if the list is empty.
    Rows(Vec<Name>),
    /// A row for each group, with these figures.
    Figures(Vec<Figure>),
}

impl Default for Output {
    fn default() -> Self {
        Self::Rows(Vec::new())
    }
}

/// A figure of a group.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Figure {
    /// `number of events`: the number of entities.
    Number,
    /// `p95(elapsedtime)`: a function of the values of a field.
    Of(Function, Name),
}

/// Aggregate functions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Function {
    /// The number of values.
    Count,
    /// The sum.
    Sum,
    /// The minimum.
    Min,
    /// The maximum.
    Max,
    /// The mean.
    Avg,
    /// A percentile by nearest rank, such as 95.0.
    Percentile(f64),
    /// The number of distinct values.
    Distinct,
}

/// Time buckets of equal length, aligned to multiples of it in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// The length of a bucket, in seconds.
    pub seconds: u64,
}

/// A sort key.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Sort {
    /// The value to sort by.
    pub by: SortBy,
    /// Whether the largest value comes first.
    pub descending: bool,
    /// Its column in the text, from 1.
    pub column: usize,
}

/// The value to sort by.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum SortBy {
    /// The values of a field.
    Field(Name),
    /// A figure.
    Figure(Figure),
}

/// The types of charts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Chart {
    /// A line.
    Line,
    /// Filled and stacked lines.
    Area,
    /// Bars.
    Bar,
    /// A pie chart.
    Pie,
    /// A table.
    Table,
    /// A single number.
    Number,
    /// A heat map: a row of cells for each group over time; darker cells have larger values.
    HeatMap,
    /// A map of which source sends to which.
    Map,
}

impl Chart {
    /// All charts, with their names in statements.
    pub const ALL: [(&'static str, Self); 8] = [
        ("linechart", Self::Line),
        ("areachart", Self::Area),
        ("barchart", Self::Bar),
        ("piechart", Self::Pie),
        ("table", Self::Table),
        ("number", Self::Number),
        ("heatmap", Self::HeatMap),
        ("map", Self::Map),
    ];

    /// Returns its name in a statement.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, chart)| *chart == self).map_or("table", |(name, _)| name)
    }
}
