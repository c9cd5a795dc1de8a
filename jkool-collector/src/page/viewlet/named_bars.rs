//! Bars of groups that are not time intervals.

use super::groups::{called, group_name, value_of};
use super::{Answered, left_out, unit};
use crate::field::SEVERITY;
use crate::jkql::Answer;
use crate::page::chart::{Bar, Part, Unit, bars, legend, of_series};
use crate::page::format::cut;
use maud::{Markup, html};
use std::collections::HashMap;

/// The maximum number of bars.
pub(super) const BARS: usize = 20;

/// A bar for each outermost group, divided into its inner groups; without groups, a bar for each measure.
pub(super) fn draw(label: &str, answered: &Answered) -> Markup {
    let (mut made, parts) = match answered.answer.keys {
        0 => (of_figures(answered), Vec::new()),
        _ => of_groups(answered),
    };
    let all = made.len();
    made.truncate(BARS);
    html! {
        @if !parts.is_empty() { (legend(parts.iter().map(|(name, color)| (&**name, &**color)))) }
        (bars(label, &made))
        (left_out(answered.groups, all, BARS))
    }
}

fn part(name: &str, color: String, value: f64, unit: Unit) -> Part {
    Part { color, value, title: format!("{}: {}", cut(name, 80), unit.say(value)) }
}

fn of_figures(answered: &Answered) -> Vec<Bar> {
    let Answered { answer, units, before, .. } = answered;
    let cells = answer.columns.iter().zip(answer.rows.first().into_iter().flatten()).zip(units);
    cells
        .enumerate()
        .map(|(index, ((column, cell), unit))| {
            let (name, value) = (called(column), value_of(cell).unwrap_or_default());
            let was = before.as_ref().and_then(|(before, _)| value_of(before.rows.first()?.get(index)?));
            let parts = vec![part(&name, "c0".to_owned(), value, *unit)];
            Bar { name, url: None, parts, value: unit.say(value), before: was }
        })
        .collect()
}

/// Returns the bars, largest first, and the names and colours of their parts.
fn of_groups(answered: &Answered) -> (Vec<Bar>, Vec<(String, String)>) {
    let (answer, unit) = (&answered.answer, unit(answered));
    let innermost = answer.columns.get(answer.keys - 1).and_then(|column| column.field.as_ref());
    let is_severity = innermost.is_some_and(|field| field.as_str() == SEVERITY);
    let now = sums(answer);
    let was = answered.before.as_ref().map(|(before, _)| sums(before));
    let mut made: Vec<Bar> = Vec::new();
    let mut colors: Vec<(String, String)> = Vec::new();
    for row in &answer.rows {
        let Some(value) = row.get(answer.keys).and_then(value_of) else { continue };
        let name = group_name(row.get(..1));
        let color = if answer.keys > 1 {
            let within = group_name(row.get(1..answer.keys));
            let known = colors.iter().find(|(known, _)| *known == within).map(|(_, color)| color.clone());
            known.unwrap_or_else(|| {
                let color = of_series(&within, colors.len(), is_severity);
                colors.push((within, color.clone()));
                color
            })
        } else {
            of_series(&name, 0, is_severity)
        };
        let part = part(&group_name(row.get(answer.keys - 1..answer.keys)), color, value, unit);
        match made.iter_mut().find(|bar| bar.name == name) {
            Some(bar) => bar.parts.push(part),
            None => {
                let before = was.as_ref().map(|was| was.get(&name).copied().unwrap_or_default());
                let value = unit.say(now.get(&name).copied().unwrap_or_default());
                made.push(Bar { name, url: None, parts: vec![part], value, before });
            }
        }
    }
    let sum = |bar: &Bar| now.get(&bar.name).copied().unwrap_or_default();
    // With a single group, the statement determines the order.
    if answer.keys > 1 {
        made.sort_by(|one, other| sum(other).total_cmp(&sum(one)));
    }
    (made, colors)
}

/// Returns the sum of the first measure for each outermost group.
fn sums(answer: &Answer) -> HashMap<String, f64> {
    let mut sums = HashMap::new();
    for row in &answer.rows {
        if let Some(value) = row.get(answer.keys).and_then(value_of) {
            *sums.entry(group_name(row.get(..1))).or_default() += value;
        }
    }
    sums
}
