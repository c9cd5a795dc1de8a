//! One order from beginning to end: accepted, verified, paid, shipped.

use super::conditions::Conditions;
use super::places::{Place, Places, Service};
use fastrand::Rng;
use jkool_client::model::{
    Activity, ActivityStatus, CompCode, Entity, Event, EventBuilder, InvalidEntity, OpType, Property, Severity,
    Snapshot, Timestamp, TrackingId, ValueType,
};
use std::time::Duration;

/// Something that happened, and when it is reported: some services are late.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) at: i64,
    pub(crate) entity: Entity,
}

/// An order on its way through the shop.
#[derive(Debug)]
pub(crate) struct Order<'a> {
    rng: &'a mut Rng,
    places: &'a Places,
    conditions: Conditions,
    name: String,
    customer: &'static str,
    items: i32,
    total: f64,
    activity: TrackingId,
    began: i64,
    /// The last step that was reached.
    now: i64,
    reports: Vec<Report>,
}

/// The outcome.
struct End {
    severity: Severity,
    comp_code: CompCode,
    exception: &'static str,
}

const GOOD: End = End { severity: Severity::Info, comp_code: CompCode::Success, exception: "" };

const CUSTOMERS: [&str; 6] = ["alice", "bob", "chandra", "dmitri", "eva", "femi"];

const NO_ANSWER: &str = "GatewayTimeout: bank.example did not answer within 3 s\n\
    caused by: connection reset by peer";

/// The maximum number of times that a card is charged.
const TRIES: i32 = 3;

impl<'a> Order<'a> {
    pub(crate) fn new(rng: &'a mut Rng, places: &'a Places, number: u64, began: i64, conditions: Conditions) -> Self {
        let items = rng.i32(1..=6);
        let total = f64::from(rng.i32(500..=9_000) * items) / 100.0;
        let customer = CUSTOMERS[rng.usize(..CUSTOMERS.len())];
        let activity = new_id(rng);
        let name = format!("order-{number}");
        Self { rng, places, conditions, name, customer, items, total, activity, began, now: began, reports: Vec::new() }
    }

    /// Runs the order from beginning to end.
    pub(crate) fn process(mut self) -> Result<Vec<Report>, InvalidEntity> {
        let web = self.place(Service::WebShop);
        let end = match &web {
            Some(web) => self.serve(web)?,
            None => GOOD,
        };
        self.pass(1..=20);
        if let Some(web) = &web {
            let took = Duration::from_micros(u64::try_from(self.now - self.began).unwrap_or_default());
            let status = if end.exception.is_empty() { ActivityStatus::End } else { ActivityStatus::Exception };
            let activity = Activity::builder()
                .operation("ProcessOrder")
                .tracking_id(self.activity.clone())
                .correlator(self.name.clone())
                .source(web.source.clone())
                .location(web.city)
                .user(self.customer)
                .severity(end.severity)
                .comp_code(end.comp_code)
                .exception(end.exception)
                .status(status)
                .time(Timestamp::from_usec(self.now))
                .start_time(Timestamp::from_usec(self.began))
                .elapsed(took)
                .add_property(Property::new("total", self.total).value_type(ValueType::CurrencyEur))
                .build()?;
            self.reports.push(Report { at: self.now, entity: activity.into() });
        }
        Ok(self.reports)
    }

    fn serve(&mut self, web: &Place) -> Result<End, InvalidEntity> {
        let cart = Snapshot::builder("Cart")
            .category("Order")
            .property("items", self.items)
            .add_property(Property::new("total", self.total).value_type(ValueType::CurrencyEur))
            .build();
        let took = self.pass(5..=40);
        let message = format!("{} accepted: {} items, {:.2} EUR", self.name, self.items, self.total);
        self.report(self.event(web, "AcceptOrder").message(message).elapsed(took).snapshot(cart))?;

        let Some(verification) = self.message(web, Service::Verification, "orders.verify")? else { return Ok(GOOD) };
        let took = self.pass(30..=300);
        if self.chance(0.03) {
            let refused = self.event(&verification, "VerifyOrder").message(format!("{}: address unknown", self.name));
            self.report(
                refused.severity(Severity::Warning).comp_code(CompCode::Warning).reason_code(17).elapsed(took),
            )?;
            return Ok(End { severity: Severity::Warning, comp_code: CompCode::Warning, exception: "" });
        }
        let verified = self.event(&verification, "VerifyOrder").message(format!("{} verified", self.name));
        self.report(verified.comp_code(CompCode::Success).elapsed(took))?;

        let Some(payment) = self.message(&verification, Service::Payment, "orders.pay")? else { return Ok(GOOD) };
        if !self.pay(&payment)? {
            return Ok(End { severity: Severity::Failure, comp_code: CompCode::Error, exception: NO_ANSWER });
        }
        let Some(shipping) = self.message(&payment, Service::Shipping, "orders.ship")? else { return Ok(GOOD) };
        let slow = self.chance(0.05);
        let took = self.pass(if slow { 8_000..=15_000 } else { 500..=2_000 });
        let weight = f64::from(self.items * self.rng.i32(2..=30)) / 10.0;
        let parcel = Snapshot::builder("Parcel")
            .category("Shipping")
            .add_property(Property::new("weight", weight).value_type(ValueType::MassKg))
            .build();
        let (severity, late) =
            if slow { (Severity::Warning, ", late: no packer was free") } else { (Severity::Info, "") };
        let shipped = self.event(&shipping, "ShipOrder").message(format!("{} shipped{late}", self.name));
        self.report(shipped.severity(severity).comp_code(CompCode::Success).elapsed(took).snapshot(parcel))?;
        Ok(GOOD)
    }

    /// Charges the card, with retries; returns whether it worked.
    fn pay(&mut self, payment: &Place) -> Result<bool, InvalidEntity> {
        for attempt in 1..=TRIES {
            let fails = self.chance(if self.conditions.outage { 0.6 } else { 0.02 });
            let took = self.pass(if fails { 3_000..=3_100 } else { 200..=900 });
            let charge = self.event(payment, "ChargeCard").property("attempt", attempt).elapsed(took);
            if !fails {
                let paid = Snapshot::builder("Payment")
                    .category("Order")
                    .add_property(Property::new("amount", self.total).value_type(ValueType::CurrencyEur))
                    .add_property(Property::new("took", took.as_millis() as i64).value_type(ValueType::AgeMsec))
                    .build();
                let message = format!("{} paid", self.name);
                self.report(charge.message(message).comp_code(CompCode::Success).snapshot(paid))?;
                return Ok(true);
            }
            let last = attempt == TRIES;
            let next = if last { "given up" } else { "tried again" };
            let message = format!("{}: the card can't be charged, {next}", self.name);
            let severity = if last { Severity::Failure } else { Severity::Error };
            let failed = charge.message(message).severity(severity).comp_code(CompCode::Error).reason_code(504);
            self.report(failed.exception(NO_ANSWER))?;
            self.pass(200..=600);
        }
        Ok(false)
    }

    /// Sends a message from one service to another, and continues at the receiver.
    fn message(&mut self, from: &Place, to: Service, queue: &'static str) -> Result<Option<Place>, InvalidEntity> {
        let Some(to) = self.place(to) else { return Ok(None) };
        self.pass(1..=10);
        let sent = self.event(from, "SendOrder").op_type(OpType::Send).resource(queue);
        self.report(sent.message(format!("{} to {queue}", self.name)))?;
        let age = self.pass(3..=80);
        let received = self.event(&to, "ReceiveOrder").op_type(OpType::Receive).resource(queue).message_age(age);
        self.report(received.message(format!("{} from {queue}", self.name)))?;
        Ok(Some(to))
    }

    fn event(&self, place: &Place, operation: &'static str) -> EventBuilder {
        Event::builder()
            .operation(operation)
            .time(Timestamp::from_usec(self.now))
            .source(place.source.clone())
            .location(place.city)
            .user(self.customer)
            .parent_id(self.activity.clone())
            .correlator(self.name.clone())
    }

    fn report(&mut self, event: EventBuilder) -> Result<(), InvalidEntity> {
        let id = new_id(self.rng);
        let event = event.tracking_id(id).build()?;
        let late = if self.chance(0.02) { self.rng.i64(5_000_000..20_000_000) } else { 0 };
        self.reports.push(Report { at: self.now + late, entity: event.into() });
        Ok(())
    }

    fn place(&mut self, service: Service) -> Option<Place> {
        self.places.of(service, self.rng.f64()).cloned()
    }

    /// Advances the time by a number of milliseconds.
    fn pass(&mut self, milliseconds: std::ops::RangeInclusive<u64>) -> Duration {
        let took = Duration::from_micros(self.rng.u64(milliseconds.start() * 1_000..=milliseconds.end() * 1_000));
        self.now += i64::try_from(took.as_micros()).unwrap_or_default();
        took
    }

    fn chance(&mut self, of: f64) -> bool {
        self.rng.f64() < of
    }
}

/// Derives an id from the order, so that the same seed gives the same ids: a UUID of version 4.
fn new_id(rng: &mut Rng) -> TrackingId {
    let bits = rng.u128(..) & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    let id = format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]);
    TrackingId::from(id)
}
