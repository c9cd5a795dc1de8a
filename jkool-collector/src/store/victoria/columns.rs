//! Columns in the syntax of `stats`, to group by and to measure. Without I/O.

use super::encoding::{BETWEEN, quoted};
use super::logsql::DISTINCT;
use crate::store::Function;
use crate::store::nearest_rank::share;

/// The column with the values of a field.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) is_number: bool,
    /// Whether an entity may have several values.
    pub(super) has_several: bool,
}

/// Like [`spread`], but each different value once, because an entity is in a group only once.
pub(super) fn spread_once(column: &Column, name: &str) -> (String, String) {
    if !column.has_several {
        return spread(column, name);
    }
    let once = quoted(&format!("{DISTINCT}{}", column.name));
    let (pipes, _) = spread(&Column { name: name.to_owned(), ..column.clone() }, name);
    (format!(" | coalesce({once}, {}) as {name}{pipes}", quoted(&column.name)), name.to_owned())
}

/// Returns the pipes that make a row of each of several values, and the name of the column with these values.
pub(super) fn spread(column: &Column, name: &str) -> (String, String) {
    let from = quoted(&column.name);
    if !column.has_several {
        return (String::new(), from);
    }
    let between = quoted(&BETWEEN.to_string());
    let pipes = format!(" | split {between} from {from} as {name} | unroll by ({name}) | filter !{name}:=\"\"");
    (pipes, name.to_owned())
}

/// Returns the name of a column in an answer.
pub(super) fn unquoted(name: &str) -> String {
    serde_json::from_str(name).unwrap_or_else(|_| name.to_owned())
}

pub(super) fn figure(function: Function, column: &str, index: usize) -> String {
    // Without this condition, these functions take a missing value as an empty one. (Here `:*` does not match columns
    // that have only numbers.)
    let some = format!("if (!{column}:=\"\")");
    match function {
        Function::Count => format!("count({column}) as m{index}"),
        Function::Sum => format!("sum({column}) as m{index}"),
        Function::Min => format!("min({column}) {some} as m{index}"),
        Function::Max => format!("max({column}) {some} as m{index}"),
        Function::Avg => format!("avg({column}) as m{index}"),
        // Its quantile is the value at the position `share * n`, rounded down.
        Function::Percentile(percent) => format!("quantile({}, {column}) {some} as m{index}", share(percent)),
        Function::Distinct => format!("count_uniq_hash({column}) as m{index}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Column, figure, spread, spread_once};
    use crate::store::Function;

    #[test]
    fn columns_are_written_in_the_words_of_stats() {
        let column = |has_several| Column { name: "n.properties.a".into(), is_number: true, has_several };
        assert_eq!(spread_once(&column(false), "g0"), (String::new(), r#""n.properties.a""#.to_owned()));
        let (pipes, name) = spread(&column(true), "v");
        assert_eq!(pipes, r#" | split "\x01" from "n.properties.a" as v | unroll by (v) | filter !v:="""#);
        assert_eq!(name, "v");
        assert_eq!(
            spread_once(&column(true), "g0").0,
            concat!(
                r#" | coalesce("d.n.properties.a", "n.properties.a") as g0"#,
                r#" | split "\x01" from "g0" as g0 | unroll by (g0) | filter !g0:="""#
            )
        );
        assert_eq!(figure(Function::Percentile(99.9), "v", 2), "quantile(0.9989999999990011, v) if (!v:=\"\") as m2");
        assert_eq!(figure(Function::Distinct, "v", 0), "count_uniq_hash(v) as m0");
    }
}
