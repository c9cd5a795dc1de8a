//! The built-in dashboards. One that is saved under the same name replaces it until it is deleted.

use super::Dashboard;

const JSON: [(&str, &str); 3] = [
    ("overview", include_str!("builtin/overview.json")),
    ("processes", include_str!("builtin/processes.json")),
    ("business", include_str!("builtin/business.json")),
];

/// The names and contents.
pub(super) fn all() -> impl Iterator<Item = (&'static str, Dashboard)> {
    // A test parses each of them.
    JSON.into_iter().filter_map(|(name, json)| Some((name, Dashboard::from_json(json.as_bytes()).ok()?)))
}

/// Returns the one with this name.
pub(super) fn find(name: &str) -> Option<Dashboard> {
    all().find(|(known, _)| *known == name).map(|(_, dashboard)| dashboard)
}

/// Whether there is one with this name.
pub(super) fn is_one(name: &str) -> bool {
    JSON.iter().any(|(known, _)| *known == name)
}

#[cfg(test)]
mod tests {
    use super::{JSON, all};
    use crate::dashboard::Dashboard;

    #[test]
    fn each_is_a_dashboard_in_the_form_that_is_exported() {
        for (name, json) in JSON {
            let dashboard = Dashboard::from_json(json.as_bytes()).unwrap();
            assert_eq!(dashboard.to_json(), json, "{name}");
        }
        assert_eq!(all().count(), JSON.len());
    }
}
