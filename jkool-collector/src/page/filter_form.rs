//! The form for the filter.

use super::link::url_and;
use super::query_params::QueryParams;
use super::watch::hidden;
use crate::expression::Expression;
use crate::filter::{Filter, Kind, SeverityRange};
use crate::query::Query;
use crate::time_arg::Moment;
use jkool_model::Severity;
use maud::{Markup, html};

/// A filter form whose results are at `path`.
#[derive(Debug)]
pub(super) struct FilterForm<'a> {
    pub(super) path: &'a str,
    pub(super) params: &'a QueryParams,
    /// Additional fields of the page, and their parameters.
    pub(super) own: Option<(Markup, Query)>,
}

impl FilterForm<'_> {
    /// The form with a field for each part of the filter.
    pub(super) fn full(&self) -> Markup {
        let params = self.params;
        let filter = &params.filter;
        let source = filter.source.as_ref().map(|source| source.as_str());
        // Expanded if any of its fields has a value or a fault.
        let others = Filter {
            text: None,
            severity: None,
            since: None,
            parent: None,
            expression: Expression::default(),
            ..filter.clone()
        };
        let is_open = !others.is_empty() || IN_MORE.iter().any(|name| params.fault(name).is_some());
        let line = match params.fault("q") {
            Some(_) => params.line.clone(),
            None if filter.expression.is_empty() => String::new(),
            None => filter.expression.to_string(),
        };
        let first = html! {
            (text_field(params, "q", "Query", Some(&line), "severity>=WARNING -op:Login"))
            (text_field(params, "text", "Search", filter.text.as_deref(), "words, begin*"))
            (severity_field(params))
            (time_field(params, "since", "Since", filter.since, "15m, 1h30m, 08:00"))
        };
        let rest = html! {
            details.more open[is_open] {
                summary { "More filters" }
                div.line {
                    (kind_field(params))
                    (text_field(params, "operation", "Operation", filter.operation.as_deref(), "exact name"))
                    (text_field(params, "source", "Source", source, "SERVER=web-1"))
                    (text_field(params, "corrid", "Correlator", filter.correlator.as_deref(), "order-42"))
                    (time_field(params, "until", "Until", filter.until, "2026-03-09T12:00:00Z"))
                }
            }
            @if let Some(parent) = &filter.parent { input type="hidden" name="parent" value=(parent); }
        };
        html! { (self.form(&[&AT_ONCE[..], &IN_MORE[..]].concat(), &first, &rest)) (self.chips()) }
    }

    /// The form with fields for the time range only.
    pub(super) fn time_only(&self) -> Markup {
        let filter = &self.params.filter;
        let first = html! {
            (time_field(self.params, "since", "Since", filter.since, "15m, 1h30m, 08:00"))
            (time_field(self.params, "until", "Until", filter.until, "now"))
        };
        let in_time = Filter { since: filter.since, until: filter.until, ..Filter::default() };
        html! {
            div.time-only { (self.form(&["since", "until"], &first, &html! {})) }
            @if in_time != *filter { p.hint.beside { "Of the filter, only the time matters here." } }
        }
    }

    /// The form; faults of `fields` are shown in it.
    fn form(&self, fields: &[&str], first: &Markup, rest: &Markup) -> Markup {
        html! {
            form.filter method="get" action=(self.path) role="search" {
                div.line {
                    (first)
                    @if let Some((own, _)) = &self.own { (own) }
                    button type="submit" { "Apply" }
                }
                (rest)
                @if let Some(watch) = &self.params.watch { (hidden(&watch.to_query())) }
                // Filled by the script.
                datalist #completions {}
                datalist #ages { @for age in ["5m", "15m", "1h", "6h", "1d", "7d", "today", "yesterday"] { option value=(age) {} } }
            }
            @for fault in self.params.faults.iter().filter(|fault| !fields.contains(&fault.parameter.as_str())) {
                p.fault.bar role="alert" { (fault) }
            }
        }
    }

    /// Each part of the filter, with a link that removes it.
    fn chips(&self) -> Markup {
        let filter = &self.params.filter;
        let mut others = self.own.as_ref().map(|(_, own)| own.clone()).unwrap_or_default();
        if let Some(watch) = &self.params.watch {
            others.extend(watch.to_query());
        }
        let leading_to = |filter: &Filter| url_and(self.path, filter, &others);
        let of = |name: &'static str, text: Option<String>, without: fn(&mut Filter)| {
            text.map(|text| {
                let mut rest = filter.clone();
                without(&mut rest);
                (name, text, leading_to(&rest))
            })
        };
        let chips = [
            of("text", filter.text.clone(), |rest| rest.text = None),
            of("severity", filter.severity.map(|range| range.to_string()), |rest| rest.severity = None),
            of("kind", filter.kind.map(|kind| kind.to_string()), |rest| rest.kind = None),
            of("operation", filter.operation.clone(), |rest| rest.operation = None),
            of("source", filter.source.as_ref().map(|source| source.to_string()), |rest| rest.source = None),
            of("correlator", filter.correlator.clone(), |rest| rest.correlator = None),
            of("parent", filter.parent.clone(), |rest| rest.parent = None),
            of("since", filter.since.map(said), |rest| rest.since = None),
            of("until", filter.until.map(said), |rest| rest.until = None),
        ];
        let conditions = parts(&filter.expression).enumerate().map(|(index, (name, text))| {
            let mut rest = filter.expression.parts().to_vec();
            rest.remove(index);
            (name, text, leading_to(&Filter { expression: Expression::All(rest), ..filter.clone() }))
        });
        html! {
            @if !filter.is_empty() {
                ul.chips aria-label="Active filters" {
                    @for (name, text, url) in chips.into_iter().flatten().chain(conditions) {
                        li {
                            a href=(url) title="Remove this filter" {
                                span.name { (name) } " " span.value { (text) }
                                span.x aria-hidden="true" { "×" }
                                span.unseen { " (remove)" }
                            }
                        }
                    }
                    li { a.clear href=(leading_to(&Filter::default())) { "Clear all" } }
                }
            }
        }
    }
}

/// Returns the conditions that must all match, each with the name of its parameter.
fn parts(expression: &Expression) -> impl Iterator<Item = (&'static str, String)> {
    expression.parts().iter().map(|part| match part {
        Expression::Condition(condition) => ("where", condition.to_string()),
        other => ("q", other.to_string()),
    })
}

/// The fields that are always visible, and the others.
const AT_ONCE: [&str; 4] = ["q", "text", "severity", "since"];
const IN_MORE: [&str; 5] = ["until", "kind", "operation", "source", "corrid"];

/// Formats a time, without a fraction of zero.
fn said(moment: Moment) -> String {
    moment.to_string().replace(".000000Z", "Z")
}

fn time_field(params: &QueryParams, name: &str, label: &str, value: Option<Moment>, hint: &str) -> Markup {
    text_field(params, name, label, value.map(said).as_deref(), hint)
}

fn text_field(params: &QueryParams, name: &str, label: &str, value: Option<&str>, hint: &str) -> Markup {
    let fault = params.fault(name);
    // Invalid input stays in the field, so that it can be corrected. For a query line, the fault contains only the
    // beginning.
    let wrong = fault.filter(|_| name != "q").map(|fault| fault.value.as_str());
    let value = wrong.or(value).unwrap_or_default();
    let is_time = matches!(name, "since" | "until");
    let list = match name {
        "q" => Some("completions"),
        _ => is_time.then_some("ages"),
    };
    html! {
        label class={ "field f-" (name) } {
            span { (label) }
            input type=(if name == "text" { "search" } else { "text" }) name=(name) value=(value) placeholder=(hint)
                autocomplete="off" data-moment[is_time] list=[list] aria-keyshortcuts=[(name == "q").then_some("/")]
                aria-invalid=[fault.map(|_| "true")];
            @if let Some(fault) = fault { em.fault role="alert" { (fault.expected) } }
        }
    }
}

fn severity_field(params: &QueryParams) -> Markup {
    let chosen = params.filter.severity.map(|range| range.to_string());
    let above =
        Severity::ALL.iter().skip(1).rev().skip(1).map(|least| SeverityRange { from: *least, to: Severity::Halt });
    let above: Vec<_> = above.map(|range| range.to_string()).collect();
    let exact: Vec<_> = Severity::ALL.iter().rev().map(|severity| severity.to_string()).collect();
    let other = chosen.clone().filter(|chosen| !above.contains(chosen) && !exact.contains(chosen));
    let options = |texts: &[String], words: fn(&str) -> String| {
        html! {
            @for text in texts {
                option value=(text) selected[chosen.as_ref() == Some(text)] { (words(text)) }
            }
        }
    };
    html! {
        label.field.f-severity {
            span { "Severity" }
            select name="severity" aria-invalid=[params.fault("severity").map(|_| "true")] {
                option value="" { "any" }
                @if let Some(other) = &other { option value=(other) selected { (other) } }
                optgroup label="at least" { (options(&above, |text| format!("≥ {}", text.trim_start_matches(">=")))) }
                optgroup label="exactly" { (options(&exact, str::to_owned)) }
            }
            @if let Some(fault) = params.fault("severity") { em.fault role="alert" { "“" (fault.value) "”: " (fault.expected) } }
        }
    }
}

fn kind_field(params: &QueryParams) -> Markup {
    html! {
        label.field.f-kind {
            span { "Kind" }
            select name="kind" aria-invalid=[params.fault("kind").map(|_| "true")] {
                option value="" { "any" }
                @for kind in Kind::ALL {
                    option value=(kind) selected[params.filter.kind == Some(kind)] { (kind) }
                }
            }
            @if let Some(fault) = params.fault("kind") { em.fault role="alert" { "“" (fault.value) "”: " (fault.expected) } }
        }
    }
}
