//! Builds a source name from OpenTelemetry's resource attributes.

use crate::source::{SourceFqn, SourceFqnBuilder};
use crate::source_type::SourceType;

/// The attributes of each element, innermost first. The first attribute that is present counts.
const TABLE: &[(SourceType, &[&str])] = &[
    (SourceType::Appl, &["service.name"]),
    (SourceType::Service, &["service.namespace", "k8s.namespace.name"]),
    (SourceType::Virtual, &["k8s.pod.name", "container.name", "container.id"]),
    (SourceType::Server, &["host.name", "k8s.node.name", "host.id"]),
    (SourceType::Netaddr, &["host.ip"]),
    (SourceType::Datacenter, &["cloud.availability_zone", "cloud.region", "k8s.cluster.name"]),
];

impl SourceFqn {
    /// Builds a source from resource attributes with the names of OpenTelemetry's semantic conventions. Returns `None` if no
    /// attribute names a source element.
    ///
    /// | element | attribute; the first that is there and not empty |
    /// |---|---|
    /// | APPL | `service.name` |
    /// | SERVICE | `service.namespace`, `k8s.namespace.name` |
    /// | VIRTUAL | `k8s.pod.name`, `container.name`, `container.id` |
    /// | SERVER | `host.name`, `k8s.node.name`, `host.id` |
    /// | NETADDR | `host.ip` |
    /// | DATACENTER | `cloud.availability_zone`, `cloud.region`, `k8s.cluster.name` |
    /// | GEOADDR | `geo.location.lat` and `geo.location.lon`, in degrees |
    ///
    /// A container id of 64 digits is shortened to 12, as in `docker ps`. Characters that are not allowed in a name become `_`,
    /// and invalid coordinates are ignored.
    ///
    /// ```
    /// use jkool_model::SourceFqn;
    ///
    /// let attributes = [("host.name", "web-1"), ("service.name", "orders"), ("cloud.region", "eu-1")];
    /// let source = SourceFqn::from_resource(|name| attributes.iter().find(|(key, _)| *key == name).map(|(_, value)| *value));
    /// assert_eq!(source.unwrap().as_str(), "APPL=orders#SERVER=web-1#DATACENTER=eu-1");
    /// assert_eq!(SourceFqn::from_resource(|_| None), None);
    /// ```
    pub fn from_resource<'a>(attribute: impl Fn(&str) -> Option<&'a str>) -> Option<Self> {
        let add = |builder: SourceFqnBuilder, (source_type, names): &(SourceType, &[&str])| {
            let found = names.iter().find_map(|name| named(name, attribute(name)?));
            match found {
                Some(found) => builder.element(*source_type, found),
                None => builder,
            }
        };
        let builder = TABLE.iter().fold(Self::builder(), add);
        let place = degrees(attribute("geo.location.lat"), 90.0).zip(degrees(attribute("geo.location.lon"), 180.0));
        match place {
            Some((latitude, longitude)) => builder.geoaddr(format!("{latitude},{longitude}")),
            None => builder,
        }
        .build()
        .ok()
    }
}

/// The value as a name; `None` if nothing of it is left.
fn named(attribute: &str, value: &str) -> Option<String> {
    let name = value.trim().replace(|c: char| matches!(c, '#' | '=') || c.is_control(), "_");
    let is_full_id = name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    match name {
        name if name.is_empty() => None,
        name if attribute == "container.id" && is_full_id => Some(name[..12].to_owned()),
        name => Some(name),
    }
}

fn degrees(text: Option<&str>, most: f64) -> Option<f64> {
    text?.trim().parse().ok().filter(|degrees: &f64| degrees.abs() <= most)
}

#[cfg(test)]
mod tests {
    use super::SourceFqn;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn source(attributes: &[(&str, &str)]) -> Option<String> {
        let found =
            SourceFqn::from_resource(|name| attributes.iter().find(|(key, _)| *key == name).map(|(_, value)| *value));
        found.map(|source| source.to_string())
    }

    #[test]
    fn each_attribute_has_its_element() {
        let all = [
            ("geo.location.lon", "13.41053"),
            ("geo.location.lat", "-52.5"),
            ("cloud.region", "eu-1"),
            ("cloud.availability_zone", "eu-1a"),
            ("host.ip", "10.0.0.2"),
            ("host.name", "node-7"),
            ("k8s.pod.name", "orders-5f"),
            ("container.id", "c"),
            ("service.namespace", "shop"),
            ("service.name", "orders"),
        ];
        let expected = "APPL=orders#SERVICE=shop#VIRTUAL=orders-5f#SERVER=node-7#NETADDR=10.0.0.2#DATACENTER=eu-1a#GEOADDR=-52.5,13.41053";
        assert_eq!(source(&all).as_deref(), Some(expected));
        assert_eq!(source(&all[2..3]).as_deref(), Some("DATACENTER=eu-1"));
    }

    #[test]
    fn what_is_no_name_is_mended_or_passed_over() {
        assert_eq!(source(&[("service.name", " a=b#c\n")]).as_deref(), Some("APPL=a_b_c"));
        assert_eq!(source(&[("service.name", "  ")]), None);
        assert_eq!(source(&[("k8s.pod.name", ""), ("container.id", "c1")]).as_deref(), Some("VIRTUAL=c1"));
        let id = "0123456789abcdef".repeat(4);
        assert_eq!(source(&[("container.id", &id)]).as_deref(), Some("VIRTUAL=0123456789ab"));
        assert_eq!(source(&[("container.name", &id)]), Some(format!("VIRTUAL={id}")));
    }

    #[test]
    fn a_place_needs_both_coordinates_and_to_be_on_earth() {
        for (latitude, longitude) in
            [("91", "0"), ("0", "180.1"), ("NaN", "0"), ("north", "0"), ("0", "inf"), ("", "0")]
        {
            assert_eq!(
                source(&[("geo.location.lat", latitude), ("geo.location.lon", longitude)]),
                None,
                "{latitude} {longitude}"
            );
        }
        assert_eq!(source(&[("geo.location.lat", "1")]), None);
        assert_eq!(
            source(&[("geo.location.lat", "90"), ("geo.location.lon", "-180")]).as_deref(),
            Some("GEOADDR=90,-180")
        );
    }

    const NAMES: [&str; 9] = [
        "service.name",
        "service.namespace",
        "k8s.pod.name",
        "container.id",
        "host.name",
        "host.ip",
        "cloud.region",
        "geo.location.lat",
        "geo.location.lon",
    ];

    proptest! {
        #[test]
        fn whatever_attributes_say_the_source_is_one(values in proptest::collection::vec(".{0,70}|[0-9.-]{1,6}", NAMES.len())) {
            let attributes: BTreeMap<&str, String> = NAMES.into_iter().zip(values).collect();
            if let Some(source) = SourceFqn::from_resource(|name| attributes.get(name).map(String::as_str)) {
                prop_assert_eq!(source.as_str().parse::<SourceFqn>(), Ok(source.clone()));
            }
        }
    }
}
