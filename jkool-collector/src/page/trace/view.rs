//! The view of a trace, as in the URL.

use super::window::{Usec, Window};
use crate::page::choice::choice;
use crate::page::query_params::QueryParams;
use crate::query::{InvalidQuery, Query};
use crate::store::EntityId;
use std::fmt;
use std::num::NonZeroUsize;

/// The view of a trace.
#[derive(Debug, Clone)]
pub(in crate::page) struct View {
    /// The entity whose trace it is.
    pub(super) of: EntityId,
    pub(super) form: Form,
    /// The sort order of a list.
    pub(super) sort: Sort,
    /// The number of unfolded levels of a waterfall.
    pub(super) levels: Option<NonZeroUsize>,
    /// The folded entities, whose descendants are not shown.
    pub(super) folded: Vec<EntityId>,
    /// The time range, relative to the start of the trace.
    pub(super) from: Option<Usec>,
    pub(super) to: Option<Usec>,
    /// The selected entity.
    pub(super) at: EntityId,
    /// The number of skipped rows.
    pub(super) skip: usize,
}

choice!(
    /// The form of the view.
    Form, "expected waterfall, flame or list":
    #[default] Waterfall "waterfall", Flame "flame", List "list"
);
choice!(
    /// The sort order of a list.
    Sort, "expected start, duration or own":
    #[default] Start "start", Duration "duration", Own "own"
);

/// The parameter: ids separated by commas.
const FOLDED: &str = "folded";

fn folded(params: &mut QueryParams) -> Vec<EntityId> {
    let text: String = params.take(FOLDED).unwrap_or_default();
    let ids: Result<Vec<EntityId>, _> = text.split(',').filter(|id| !id.is_empty()).map(str::parse).collect();
    ids.unwrap_or_else(|_| {
        params.faults.push(InvalidQuery::new(FOLDED, &text, "expected ids with commas between them"));
        Vec::new()
    })
}

impl View {
    /// Parses the parameters of a URL.
    pub(super) fn take(of: EntityId, params: &mut QueryParams) -> Self {
        Self {
            of,
            form: params.take("view").unwrap_or_default(),
            sort: params.take("sort").unwrap_or_default(),
            levels: params.take("levels"),
            folded: folded(params),
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
        if !self.folded.is_empty() {
            let ids: Vec<_> = self.folded.iter().map(EntityId::to_string).collect();
            push(FOLDED, &ids.join(","), self.form != Form::Waterfall);
        }
        push("at", &self.at, self.at == self.of);
        push("skip", &self.skip, self.skip == 0);
        query
    }

    pub(super) fn url(&self) -> String {
        let query = self.query().to_string();
        format!("/traces/{}{}{query}", self.of, if query.is_empty() { "" } else { "?" })
    }

    pub(super) fn with_form(&self, form: Form) -> String {
        Self { form, skip: 0, ..self.clone() }.url()
    }

    pub(super) fn sorted_by(&self, sort: Sort) -> String {
        Self { sort, skip: 0, ..self.clone() }.url()
    }

    /// Returns the URL with the entity folded, or unfolded if it is folded.
    pub(super) fn with_fold(&self, id: EntityId) -> String {
        let mut view = self.clone();
        match self.folded.iter().position(|folded| *folded == id) {
            Some(at) => drop(view.folded.remove(at)),
            None => view.folded.push(id),
        }
        view.url()
    }

    pub(super) fn unfolded(&self, levels: Option<NonZeroUsize>) -> String {
        Self { levels, folded: Vec::new(), skip: 0, ..self.clone() }.url()
    }

    pub(super) fn with_chosen(&self, at: EntityId) -> String {
        Self { at, ..self.clone() }.url()
    }

    pub(super) fn skipping(&self, skip: usize) -> String {
        Self { skip, ..self.clone() }.url()
    }

    /// Returns the URL of the whole trace, or of the part between two times relative to its start.
    pub(super) fn zoomed(&self, to: Option<(i64, i64)>) -> String {
        let (from, to) = to.map_or((None, None), |(from, to)| (Some(Usec(from)), Some(Usec(to))));
        Self { from, to, skip: 0, ..self.clone() }.url()
    }

    /// Like [`zoomed`](Self::zoomed), with an entity selected.
    pub(super) fn with_chosen_and_zoom(&self, at: EntityId, from: i64, to: i64) -> String {
        Self { at, ..self.clone() }.zoomed(Some((from, to)))
    }

    pub(super) fn window(&self, start: i64, length: i64) -> Window {
        Window::new(start, length, self.from, self.to)
    }
}
