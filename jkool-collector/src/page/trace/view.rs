//! How a trace is looked at, as the url says it.

use super::window::{Usec, Window};
use crate::page::choice::choice;
use crate::page::query_params::QueryParams;
use crate::query::Query;
use crate::store::EntityId;
use std::fmt;
use std::num::NonZeroUsize;

/// How a trace is looked at.
#[derive(Debug, Clone, Copy)]
pub(in crate::page) struct View {
    /// The entity whose trace it is.
    pub(super) of: EntityId,
    pub(super) form: Form,
    /// What a list is sorted by.
    pub(super) sort: Sort,
    /// Of a waterfall, so many levels are unfolded.
    pub(super) levels: Option<NonZeroUsize>,
    /// From when to when, after the beginning.
    pub(super) from: Option<Usec>,
    pub(super) to: Option<Usec>,
    /// The entity that is chosen.
    pub(super) at: EntityId,
    /// So many lines are passed over.
    pub(super) skip: usize,
}

choice!(
    /// The picture of a trace.
    Form, "expected waterfall, flame or list":
    #[default] Waterfall "waterfall", Flame "flame", List "list"
);
choice!(
    /// What a list is sorted by.
    Sort, "expected start, duration or own":
    #[default] Start "start", Duration "duration", Own "own"
);

impl View {
    /// Takes its parameters out of a url.
    pub(super) fn take(of: EntityId, params: &mut QueryParams) -> Self {
        Self {
            of,
            form: params.take("view").unwrap_or_default(),
            sort: params.take("sort").unwrap_or_default(),
            levels: params.take("levels"),
            from: params.take("from"),
            to: params.take("to"),
            at: params.take("at").unwrap_or(of),
            skip: params.take("skip").unwrap_or_default(),
        }
    }

    pub(super) fn query(&self) -> Query {
        let mut query = Query::default();
        let mut push = |parameter: &str, value: &dyn fmt::Display, is_usual: bool| {
            if !is_usual {
                query.push(parameter, value);
            }
        };
        push("view", &self.form, self.form == Form::default());
        push("sort", &self.sort, self.sort == Sort::default() || self.form != Form::List);
        for (parameter, value) in [("from", self.from), ("to", self.to)] {
            if let Some(value) = value {
                push(parameter, &value, false);
            }
        }
        if let Some(levels) = self.levels {
            push("levels", &levels, self.form != Form::Waterfall);
        }
        push("at", &self.at, self.at == self.of);
        push("skip", &self.skip, self.skip == 0);
        query
    }

    pub(super) fn url(&self) -> String {
        let query = self.query().to_string();
        format!("/traces/{}{}{query}", self.of, if query.is_empty() { "" } else { "?" })
    }

    pub(super) fn with_form(self, form: Form) -> String {
        Self { form, skip: 0, ..self }.url()
    }

    pub(super) fn sorted_by(self, sort: Sort) -> String {
        Self { sort, skip: 0, ..self }.url()
    }

    pub(super) fn unfolded(self, levels: Option<NonZeroUsize>) -> String {
        Self { levels, skip: 0, ..self }.url()
    }

    pub(super) fn with_chosen(self, at: EntityId) -> String {
        Self { at, ..self }.url()
    }

    pub(super) fn skipping(self, skip: usize) -> String {
        Self { skip, ..self }.url()
    }

    /// All of its time, or the part between two times after its beginning.
    pub(super) fn zoomed(self, to: Option<(i64, i64)>) -> String {
        let (from, to) = to.map_or((None, None), |(from, to)| (Some(Usec(from)), Some(Usec(to))));
        Self { from, to, skip: 0, ..self }.url()
    }

    /// As [`zoomed`](Self::zoomed), with that one chosen.
    pub(super) fn with_chosen_and_zoom(self, at: EntityId, from: i64, to: i64) -> String {
        Self { at, ..self }.zoomed(Some((from, to)))
    }

    pub(super) fn window(&self, start: i64, length: i64) -> Window {
        Window::new(start, length, self.from, self.to)
    }
}
