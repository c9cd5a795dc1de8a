//! The logger: passes each record to jKool and to the second logger.

use crate::convert;
use crate::filter::Filter;
use crate::properties::{self, Found};
use jkool_client::facade::message;
use jkool_client::facade::recursion::{RecursionGuard, Sink};
use jkool_client::model::{Entity, Event, OpType, Text};
use jkool_client::{Client, Code, Content, Line, LossReason, RawProperties, catch_panic, is_delivery_thread};
use log::{LevelFilter, Log, Metadata, Record};
use std::fmt;
use std::time::Duration;

/// A [`Log`] implementation that emits each record that passes its filter as an event. It never blocks (except with
/// [`OverflowPolicy::Block`](jkool_client::OverflowPolicy::Block)), never panics, and does not log its own work.
///
/// [`install`](crate::Builder::install) installs it as the program's logger; [`build`](crate::Builder::build) returns it.
pub struct Logger {
    pub(crate) client: Client,
    pub(crate) filter: Filter,
    pub(crate) op_type: OpType,
    pub(crate) code_location: bool,
    pub(crate) beside: Option<Beside>,
    pub(crate) flush_timeout: Duration,
}

impl Logger {
    /// Returns the most verbose level that this logger or the second one accepts. A program that installs the logger itself
    /// passes it to [`log::set_max_level`].
    pub fn max_level(&self) -> LevelFilter {
        let beside = self.beside.as_ref().map_or(LevelFilter::Off, |beside| beside.level);
        self.filter.max_level().max(beside)
    }

    /// Records of the delivery thread come from the HTTP stack that sends events, so they must not become events.
    fn takes(&self, metadata: &Metadata<'_>) -> bool {
        !is_delivery_thread() && self.filter.enabled(metadata)
    }

    fn emit(&self, record: &Record<'_>) {
        let Some(_guard) = RecursionGuard::enter(Sink::Jkool) else {
            return self.client.count_dropped(LossReason::Recursion);
        };
        let message = message::of(record.args());
        if !self.filter.matches(&message) {
            return message::reuse(message);
        }
        let code = convert::code(record).filter(|_| self.code_location);
        let found = properties::look(record, |name| self.client.adds_property(name));
        if found == Found::Others || !self.client.takes_line(&message) {
            return self.emit_event(record, message, code);
        }
        // No event is created, as for most records.
        let emit = |properties: &RawProperties| {
            let (op_type, operation, severity) = (self.op_type, record.target(), convert::severity(record.level()));
            let content = Content::Message(&message);
            self.client.emit_line(&Line { op_type, operation, severity, content, code, properties });
        };
        match found {
            Found::None => emit(&RawProperties::new()),
            _ => properties::with_raw(record, emit),
        }
        message::reuse(message);
    }

    fn emit_event(&self, record: &Record<'_>, message: Text, code: Option<Code>) {
        let mut event = Box::new(Event::default());
        event.op_type = self.op_type;
        convert::fill(&mut event, record, message);
        self.client.emit_from(Entity::Event(event), code.into());
    }
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.takes(metadata) || self.beside.as_ref().is_some_and(|beside| beside.takes(metadata))
    }

    fn log(&self, record: &Record<'_>) {
        if self.takes(record.metadata()) {
            self.emit(record);
        }
        if let Some(beside) = &self.beside {
            beside.log(record);
        }
    }

    /// Waits until everything that was logged is delivered, for at most the builder's
    /// [`shutdown_timeout`](crate::Builder::shutdown_timeout).
    fn flush(&self) {
        if let Some(beside) = &self.beside {
            catch_panic(|| beside.logger.flush());
        }
        if !is_delivery_thread() {
            let _losses_are_told_on_standard_error = self.client.flush(self.flush_timeout);
        }
    }
}

impl fmt::Debug for Logger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logger")
            .field("client", &self.client)
            .field("filter", &self.filter)
            .field("op_type", &self.op_type)
            .field("code_location", &self.code_location)
            .field("beside", &self.beside.is_some())
            .finish_non_exhaustive()
    }
}

/// The second logger: it gets every record that it accepts, including those of the delivery thread, but none that its own work
/// logs.
pub(crate) struct Beside {
    pub(crate) logger: Box<dyn Log>,
    pub(crate) level: LevelFilter,
}

impl Beside {
    fn takes(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= self.level && catch_panic(|| self.logger.enabled(metadata)).unwrap_or(false)
    }

    fn log(&self, record: &Record<'_>) {
        if record.level() > self.level {
            return;
        }
        let Some(_guard) = RecursionGuard::enter(Sink::Beside) else { return };
        catch_panic(|| {
            if self.logger.enabled(record.metadata()) {
                self.logger.log(record);
            }
        });
    }
}
