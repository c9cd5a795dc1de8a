//! The services of the shop, and the servers that they run on.

use jkool_client::model::{SourceError, SourceFqn};

/// A service on a server.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) source: SourceFqn,
    /// The location of its data centre.
    pub(crate) city: &'static str,
}

/// The services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    WebShop,
    Verification,
    Payment,
    Shipping,
}

/// The servers of each service.
const PLACES: [(Service, &str, &str, &str, &str); 6] = [
    (Service::WebShop, "WebShop", "web-1#NETADDR=10.1.0.11", "Frankfurt", "50.11,8.68"),
    (Service::WebShop, "WebShop", "web-2#NETADDR=10.1.0.12", "Frankfurt", "50.11,8.68"),
    (Service::Verification, "Verification", "verify-1#NETADDR=10.1.0.21", "Frankfurt", "50.11,8.68"),
    (Service::Payment, "Payment", "pay-1#NETADDR=10.2.0.11", "Dublin", "53.35,-6.26"),
    (Service::Payment, "Payment", "pay-2#NETADDR=10.2.0.12", "Dublin", "53.35,-6.26"),
    (Service::Shipping, "Shipping", "ship-1#NETADDR=10.3.0.11", "Atlanta", "33.75,-84.39"),
];

/// All places.
#[derive(Debug)]
pub(crate) struct Places(Vec<(Service, Place)>);

impl Places {
    pub(crate) fn new() -> Result<Self, SourceError> {
        let places = PLACES.into_iter().map(|(service, appl, server, city, geo)| {
            let name = format!("APPL={appl}#SERVER={server}#DATACENTER={city}#GEOADDR={geo}");
            Ok((service, Place { source: name.parse()?, city }))
        });
        Ok(Self(places.collect::<Result<_, SourceError>>()?))
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &(Service, Place)> {
        self.0.iter()
    }

    /// Selects one of a service's places by `draw`, a number from 0 to 1.
    pub(crate) fn of(&self, service: Service, draw: f64) -> Option<&Place> {
        let of_service: Vec<&Place> = self.all().filter(|(own, _)| *own == service).map(|(_, place)| place).collect();
        of_service.get((draw * of_service.len() as f64) as usize).copied()
    }
}
