//! The URLs of a dashboard and of its editor, which keep the other parameters of the page: the watch, the time range and
//! the comparison.

use super::link::url_and;
use crate::filter::Filter;
use crate::query::Query;

/// The fields of the editor's forms; they are not kept.
const FIELDS: [&str; 8] = ["action", "viewlet", "version", "title", "query", "kind", "width", "height"];

/// A dashboard, and the parameters that its URLs keep.
#[derive(Debug, Clone)]
pub(super) struct DashboardUrl {
    name: String,
    pub(super) kept: Query,
}

impl DashboardUrl {
    /// Keeps what `query`, that of the page, has in addition to the fields of the editor.
    pub(super) fn new(name: &str, query: Option<&str>) -> Self {
        Self { name: name.to_owned(), kept: kept(query) }
    }

    pub(super) fn shown(&self) -> String {
        with(&format!("/dashboards/{}", self.name), &self.kept)
    }

    pub(super) fn edit(&self) -> String {
        with(&format!("/dashboards/{}/edit", self.name), &self.kept)
    }

    /// The form of a viewlet: its index, or `new`.
    pub(super) fn edit_viewlet(&self, viewlet: impl std::fmt::Display) -> String {
        let mut query = Query::default();
        query.push("viewlet", viewlet);
        query.extend(self.kept.clone());
        with(&format!("/dashboards/{}/edit", self.name), &query)
    }

    /// The page of all dashboards.
    pub(super) fn all(&self) -> String {
        all(&self.kept)
    }
}

/// The page of all dashboards, with the parameters `kept`.
pub(super) fn all(kept: &Query) -> String {
    with("/dashboards", kept)
}

/// Returns the parameters that are not fields of the editor.
pub(super) fn kept(query: Option<&str>) -> Query {
    let mut kept = Query::parse(query.unwrap_or_default());
    for field in FIELDS {
        kept.take_texts(field);
    }
    kept
}

fn with(path: &str, query: &Query) -> String {
    url_and(path, &Filter::default(), query)
}

#[cfg(test)]
mod tests {
    use super::DashboardUrl;

    #[test]
    fn what_is_no_field_of_the_editor_is_kept() {
        let query =
            "viewlet=2&query=get+events&watch=severity%3E%3DERROR&more-than=5%2F1m&since=1h&compare=before&kind=bar";
        let url = DashboardUrl::new("mine", Some(query));
        let kept = "watch=severity%3E%3DERROR&more-than=5%2F1m&since=1h&compare=before";
        assert_eq!(url.shown(), format!("/dashboards/mine?{kept}"));
        assert_eq!(url.edit(), format!("/dashboards/mine/edit?{kept}"));
        assert_eq!(url.edit_viewlet(2), format!("/dashboards/mine/edit?viewlet=2&{kept}"));
        assert_eq!(url.all(), format!("/dashboards?{kept}"));
        assert_eq!(DashboardUrl::new("mine", None).edit(), "/dashboards/mine/edit");
    }
}
