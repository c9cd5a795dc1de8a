//! The parameters of the page of activities in addition to the filter.

use crate::condition::{Condition, Test};
use crate::field::FieldName;
use crate::filter::Filter;
use crate::page::choice::choice;
use crate::page::link::url_and;
use crate::page::query_params::QueryParams;
use crate::page::trace::Usec;
use crate::query::Query;
use crate::store::EntityId;
use maud::{Markup, html};

choice!(
    /// The order of the activities.
    Sort, "expected start, duration or errors":
    #[default] Start "start", Duration "duration", Errors "errors"
);

/// The parameters in addition to the filter.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wanted {
    pub(super) sort: Sort,
    /// The minimum and the maximum duration.
    pub(super) longer: Option<Usec>,
    pub(super) shorter: Option<Usec>,
    /// The activity that is to be compared with another one.
    pub(super) compare: Option<EntityId>,
    /// Only older activities are compared.
    pub(super) before: Option<EntityId>,
    /// The number of compared activities that are skipped.
    pub(super) skip: usize,
}

impl Wanted {
    /// Parses the parameters of a URL.
    pub(super) fn take(params: &mut QueryParams) -> Self {
        Self {
            sort: params.take("sort").unwrap_or_default(),
            longer: params.take("longer"),
            shorter: params.take("shorter"),
            compare: params.take("compare"),
            before: params.take("before"),
            skip: params.take("skip").unwrap_or_default(),
        }
    }

    pub(super) fn query(&self) -> Query {
        let mut query = Query::default();
        if self.sort != Sort::default() {
            query.push("sort", self.sort);
        }
        for (parameter, value) in [("longer", self.longer), ("shorter", self.shorter)] {
            if let Some(value) = value {
                query.push(parameter, value);
            }
        }
        for (parameter, value) in [("compare", self.compare), ("before", self.before)] {
            if let Some(value) = value {
                query.push(parameter, value);
            }
        }
        if self.skip > 0 {
            query.push("skip", self.skip);
        }
        query
    }

    /// Returns the URL of the page with these parameters and the filter.
    pub(super) fn url(&self, filter: &Filter) -> String {
        url_and("/activities", filter, &self.query())
    }

    /// Returns the parameters for the first page.
    pub(super) fn at_the_first(self) -> Self {
        Self { before: None, skip: 0, ..self }
    }

    /// Returns the filter with the limits of the duration.
    pub(super) fn narrowed(&self, filter: &Filter) -> Filter {
        let condition = |test| Condition::new(FieldName::new("elapsed-time-usec".to_owned()), test);
        let mut filter = filter.clone();
        for test in [
            self.longer.map(|Usec(usec)| Test::Above { bound: usec as f64, inclusive: true }),
            self.shorter.map(|Usec(usec)| Test::Below { bound: usec as f64, inclusive: true }),
        ] {
            filter.expression =
                test.map_or(filter.expression.clone(), |test| filter.expression.clone().and(condition(test).into()));
        }
        filter
    }

    /// The fields for the parameters in the filter form.
    pub(super) fn fields(&self, params: &QueryParams) -> Markup {
        let field = |name: &str, label: &str, value: Option<Usec>, hint: &str| {
            let fault = params.fault(name);
            let wrong = fault.map(|fault| fault.value.clone());
            html! {
                label.field.f-usec {
                    span { (label) }
                    input type="text" name=(name) value=[wrong.or_else(|| value.map(|value| value.to_string()))] placeholder=(hint)
                        autocomplete="off" aria-invalid=[fault.map(|_| "true")];
                    @if let Some(fault) = fault { em.fault role="alert" { (fault.expected) } }
                }
            }
        };
        let others = Self { longer: None, shorter: None, ..self.at_the_first() }.query();
        html! {
            (field("longer", "Took at least", self.longer, "250ms"))
            (field("shorter", "At most", self.shorter, "1.5s"))
            @for (name, value) in others.pairs() { input type="hidden" name=(name) value=(value); }
        }
    }
}
