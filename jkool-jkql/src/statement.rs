//! What a statement of jKQL asks for.

use crate::condition::{Condition, Name};
use crate::period::Period;

/// A statement of jKQL.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Statement {
    /// `get ..`, `find ..`: an answer.
    Get(Select),
    /// `compare ..`: an answer of figures in two periods.
    Compare {
        /// The figures, and the first period.
        select: Select,
        /// The period that it is compared with.
        with: Period,
    },
    /// `subscribe to ..`: an answer for what comes in from now on.
    Subscribe(Select),
    /// `unsubscribe from 'ID'`.
    Unsubscribe(String),
}

/// What is asked for, of which entities, and in which order.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Select {
    /// Of which kind; of any if none is said.
    pub kind: Option<Kind>,
    /// Rows of entities, or figures.
    pub output: Output,
    /// Which of them.
    pub condition: Condition,
    /// Grouped by the values of these fields, the outermost first.
    pub groups: Vec<Name>,
    /// Grouped by stretches of time, inside of which are the other groups.
    pub bucket: Option<Bucket>,
    /// Of which time.
    pub period: Option<Period>,
    /// In which order.
    pub sort: Vec<Sort>,
    /// So many rows at most.
    pub limit: Option<u32>,
    /// How to draw the answer.
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
    /// Snapshots that came alone.
    Snapshots,
}

/// What an answer is made of.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Output {
    /// A row for each entity, with these fields; with the usual ones if none is said.
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
    /// `number of events`: how many there are.
    Number,
    /// `p95(elapsedtime)`: of the values of a field.
    Of(Function, Name),
}

/// How the values of a field become one figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Function {
    /// How many values there are.
    Count,
    /// All of them together.
    Sum,
    /// The least.
    Min,
    /// The greatest.
    Max,
    /// Their mean.
    Avg,
    /// The value that so many per cent of them are not above.
    Percentile(f64),
    /// How many different values there are.
    Distinct,
}

/// Stretches of time: so many seconds, that begin at its multiples in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// How long they are.
    pub seconds: u64,
}

/// A key to sort by.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Sort {
    /// What is compared.
    pub by: SortBy,
    /// Whether the largest comes first.
    pub descending: bool,
    /// Its column in the text, from 1.
    pub column: usize,
}

/// What is compared to sort.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum SortBy {
    /// The values of a field.
    Field(Name),
    /// A figure.
    Figure(Figure),
}

/// The ways to draw an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Chart {
    /// A line.
    Line,
    /// Lines that are filled and stacked.
    Area,
    /// Bars.
    Bar,
    /// Shares of a whole.
    Pie,
    /// A table.
    Table,
    /// One number.
    Number,
    /// A row of cells for each group over time, the darker the more.
    HeatMap,
    /// Who sends to whom.
    Map,
}

impl Chart {
    /// Every chart, with its name in a statement.
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

    /// Its name in a statement.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, chart)| *chart == self).map_or("table", |(name, _)| name)
    }
}
