//! Draws a viewlet: the answer to its statement, as a chart of its kind.

mod answered;
mod groups;
mod named_bars;
mod table;

pub(super) use answered::{Answered, Asked};

use super::chart::{HeatRow, Mark, OverTime, Series, Slice, Trend, Unit, heat, legend, number, of_series, pie};
use super::format::count;
use super::link::{url, with_time};
use crate::field::SEVERITY;
use crate::jkql::Answer;
use groups::{Groups, group_name, value_of};
use jkool_jkql::Chart;
use maud::{Markup, html};
use std::collections::BTreeMap;

/// The maximum number of series, and of rows of a heat map; the table contains all.
const SERIES: usize = 7;
const HEAT: usize = 30;

/// The content of the viewlet titled `label`: a chart, and its data as a table.
pub(super) fn draw(label: &str, answered: &Answered) -> Markup {
    if let Some(flows) = &answered.flows {
        return flows.draw();
    }
    if answered.answer.rows.is_empty() {
        return nothing();
    }
    match answered.kind {
        Chart::Line => over_time(label, answered, Mark::Lines),
        Chart::Area => over_time(label, answered, Mark::Areas),
        Chart::Bar if answered.width > 0 => over_time(label, answered, Mark::Bars),
        Chart::HeatMap => heat_map(label, answered),
        Chart::Bar => html! { (named_bars::draw(label, answered)) (table::folded(answered)) },
        Chart::Pie => html! { (shares(label, answered)) (table::folded(answered)) },
        Chart::Number => one_number(label, answered),
        _ => table::table(label, answered),
    }
}

fn nothing() -> Markup {
    html! { p.hint { "No data in this time range." } }
}

/// Returns the unit of the first measure.
fn unit(answered: &Answered) -> Unit {
    answered.units.get(answered.answer.keys).copied().unwrap_or(Unit::NUMBER)
}

/// Whether the severity is the only group besides time.
fn by_severity(answer: &Answer) -> bool {
    let groups = answer.columns.iter().take(answer.keys).filter_map(|column| column.field.as_ref());
    let named: Vec<_> = groups.map(|field| field.as_str()).filter(|field| *field != crate::field::TIME).collect();
    named == [SEVERITY]
}

/// The hint that not all groups are shown: of `found` in the store if known, otherwise of `all` in the answer.
fn left_out(found: Option<u64>, all: usize, shown: usize) -> Markup {
    let found = found.unwrap_or(all as u64);
    html! { @if found > shown as u64 { p.hint { "The first " (shown.min(all)) " of " (count(found)) "." } } }
}

fn over_time(label: &str, answered: &Answered, mark: Mark) -> Markup {
    let is_severity = by_severity(&answered.answer);
    let groups = Groups::of(answered, &answered.answer, 0);
    if groups.named.iter().all(|(_, values)| values.is_empty()) {
        return nothing();
    }
    let mut series: Vec<Series> = groups
        .named
        .iter()
        .take(SERIES)
        .enumerate()
        .map(|(index, (name, values))| Series {
            name: name.clone(),
            color: of_series(name, index, is_severity),
            values: values.clone(),
            is_before: false,
        })
        .collect();
    // The remaining counts are added up, so that the stack is as high as all of them.
    let rest = groups.named.get(SERIES..).filter(|rest| mark != Mark::Lines && groups.only_counts && !rest.is_empty());
    let rest = match &answered.total {
        Some(total) => {
            let mut left = Groups::of(answered, total, 0).named.pop().map(|(_, values)| values).unwrap_or_default();
            for (time, value) in sums(series.iter().map(|series| &series.values)) {
                left.entry(time).and_modify(|left| *left = (*left - value).max(0.0));
            }
            let others = answered.groups.unwrap_or_default().saturating_sub(series.len() as u64);
            Some((others, left))
        }
        None => rest.map(|rest| (rest.len() as u64, sums(rest.iter().map(|(_, values)| values)))),
    };
    let all_are_drawn = rest.is_some();
    if let Some((others, values)) = rest {
        let name = format!("{} others", count(others));
        series.push(Series { name, color: "rest".to_owned(), values, is_before: false });
    }
    if let Some((before, shift)) = &answered.before {
        let earlier = Groups::of(answered, before, *shift);
        let is_before = true;
        if mark == Mark::Lines {
            let color =
                |name: &str| series.iter().find(|series| series.name == name).map(|series| series.color.clone());
            let found = earlier.named.into_iter().filter_map(|(name, values)| Some((color(&name)?, name, values)));
            let found: Vec<_> = found
                .map(|(color, name, values)| Series { name: format!("{name} before"), color, values, is_before })
                .collect();
            series.extend(found);
        } else {
            let values = sums(earlier.named.iter().map(|(_, values)| values));
            series.push(Series { name: "all, before".to_owned(), color: "text".to_owned(), values, is_before });
        }
    }
    let chart = OverTime {
        label,
        range: answered.range.clone(),
        width: answered.width,
        series: &series,
        band: &[],
        mark,
        unit: unit(answered),
        whole: groups.only_counts,
    };
    let filter = &answered.answer.filter;
    html! {
        // A single series is described by the title.
        @if answered.answer.keys > 1 || groups.named.len() > 1 {
            (legend(series.iter().filter(|series| !series.is_before).map(|series| (&*series.name, &*series.color))))
        }
        (chart.draw(|from, to| Some(url("/", &with_time(filter, from, to)))))
        @if !all_are_drawn { (left_out(answered.groups, groups.named.len(), SERIES)) }
        (chart.table())
    }
}

/// Returns the sums of all series at each time.
fn sums<'a>(all: impl Iterator<Item = &'a BTreeMap<i64, f64>>) -> BTreeMap<i64, f64> {
    let mut sums: BTreeMap<i64, f64> = BTreeMap::new();
    for (time, value) in all.flatten() {
        *sums.entry(*time).or_default() += value;
    }
    sums
}

fn heat_map(label: &str, answered: &Answered) -> Markup {
    let Groups { named, .. } = Groups::of(answered, &answered.answer, 0);
    let all = named.len();
    let rows: Vec<_> = named.into_iter().take(HEAT).map(|(name, values)| HeatRow { name, values }).collect();
    html! {
        (heat(label, &rows, &answered.range, answered.width, unit(answered)))
        (left_out(answered.groups, all, HEAT))
        (table::folded(answered))
    }
}

fn shares(label: &str, answered: &Answered) -> Markup {
    let answer = &answered.answer;
    let is_severity = by_severity(answer);
    let value = |row: &Vec<serde_json::Value>| row.get(answer.keys).and_then(value_of).unwrap_or_default();
    let mut slices: Vec<Slice> = answer
        .rows
        .iter()
        .take(SERIES)
        .enumerate()
        .map(|(index, row)| {
            let name = group_name(row.get(..answer.keys));
            Slice { color: of_series(&name, index, is_severity), name, value: value(row) }
        })
        .collect();
    if let Some(rest) = answer.rows.get(SERIES..).filter(|rest| !rest.is_empty()) {
        let (name, color) = (format!("{} others", count(rest.len() as u64)), "rest".to_owned());
        slices.push(Slice { name, color, value: rest.iter().map(value).sum() });
    }
    pie(label, &slices, unit(answered))
}

fn one_number(label: &str, answered: &Answered) -> Markup {
    let value = |answer: &Answer| answer.rows.first().and_then(|row| value_of(row.get(answer.keys)?));
    let over_time = answered.trend.as_ref().and_then(|trend| Groups::of(answered, trend, 0).named.into_iter().next());
    let trend = Trend {
        before: answered.before.as_ref().and_then(|(before, _)| value(before)),
        values: over_time.map(|(_, values)| values).unwrap_or_default(),
    };
    number(label, value(&answered.answer), unit(answered), &trend, &answered.range)
}
