//! Panics as events.

use crate::api::client::{Client, WeakClient};
use crate::emit::clock;
use crate::emit::delivery_thread;
use crate::facade::surroundings;
use jkool_model::{CompCode, Entity, Event, Property, Severity, Text};
use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::{self, PanicHookInfo};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Creates a panic hook that emits each panic through `client`. Call [`install`](PanicHook::install) to set it.
///
/// A panic becomes an event with the operation `panic`, severity FATAL, completion code ERROR, the panic message as message and
/// exception, the properties `file`, `line`, `column`, `thread`, and `backtrace` if `RUST_BACKTRACE` enables it. With
/// `jkool-tracing`, its parent is the span in which the panic happened. Then the hook flushes the client and calls the hook
/// that was set before.
///
/// It also works with `panic = "abort"`, because a hook runs before the process aborts.
///
/// ```
/// use jkool_client::Client;
/// use jkool_client::model::{Event, Severity};
/// use jkool_client::transport::{Kind, MemoryTransport};
/// use std::time::Duration;
///
/// let memory = MemoryTransport::new();
/// let client = Client::builder().transport(memory.clone()).build()?;
/// jkool_client::panic_hook(&client).severity(Severity::Critical).flush_timeout(Duration::from_secs(2)).install();
///
/// std::thread::spawn(|| panic!("out of paper")).join().unwrap_err();
/// let events: Vec<Event> = memory.decode(Kind::Event)?;
/// assert_eq!((&*events[0].message, events[0].severity), ("out of paper", Severity::Critical));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn panic_hook(client: &Client) -> PanicHook {
    PanicHook { client: client.downgrade(), severity: Severity::Fatal, flush_timeout: Duration::from_secs(2) }
}

/// A panic hook that is not installed yet; see [`panic_hook`].
#[derive(Debug)]
#[must_use = "a panic hook does nothing until it is installed"]
pub struct PanicHook {
    /// A weak reference: the hook stays until the process ends, and must not keep the client alive.
    client: WeakClient,
    severity: Severity,
    flush_timeout: Duration,
}

impl PanicHook {
    /// The severity of panic events. The default is [`Severity::Fatal`]; a program that catches panics may use a lower one.
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// The maximum time that a panic waits until its event is delivered or in the spool. The default is 2 s. With zero it does
    /// not wait.
    pub fn flush_timeout(mut self, timeout: Duration) -> Self {
        self.flush_timeout = timeout;
        self
    }

    /// Installs the hook. It calls the hook that was set before after its own work.
    ///
    /// # Panics
    /// On a panicking thread, on which the standard library does not allow changing the hook.
    pub fn install(self) {
        // A hook that is installed between taking and setting would be lost.
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            self.tell(info);
            before(info);
        }));
    }

    /// This calls no code of the program: a panic within a panic hook aborts the process.
    fn tell(&self, info: &PanicHookInfo<'_>) {
        // A panic there comes from a hook of the client or its transport, and the client counts it. This thread could also not
        // wait for itself.
        if delivery_thread::is_current() {
            return;
        }
        let Some(client) = self.client.upgrade() else { return };
        client.emit(Entity::Event(Box::new(self.event(info))));
        if !self.flush_timeout.is_zero() {
            let _losses_are_told_on_standard_error = client.flush_durable(self.flush_timeout);
        }
    }

    fn event(&self, info: &PanicHookInfo<'_>) -> Event {
        let mut event = Event::default();
        event.operation = "panic".into();
        event.severity = self.severity;
        event.comp_code = Some(CompCode::Error);
        event.message = message(info);
        event.exception = event.message.clone();
        event.time = Some(clock::timestamp());
        let mut add = |name: &'static str, value: jkool_model::TypedValue| {
            event.properties.push(Property::new(name, value));
        };
        if let Some(location) = info.location() {
            add("file", location.file().to_owned().into());
            add("line", location.line().into());
            add("column", location.column().into());
        }
        let thread = std::thread::current();
        add("thread", thread.name().map_or(Text::Borrowed("unnamed"), |name| name.to_owned().into()).into());
        // Depends on the environment, and is free if backtraces are off.
        let backtrace = Backtrace::capture();
        if backtrace.status() == BacktraceStatus::Captured {
            add("backtrace", backtrace.to_string().into());
        }
        if let Some(surroundings) = surroundings::here() {
            event.parent_id = Some(surroundings.parent_id);
            event.correlators.push(surroundings.correlator);
        }
        event
    }
}

/// The message of `panic!`; other payloads than texts have none.
fn message(info: &PanicHookInfo<'_>) -> Text {
    let payload = info.payload();
    if let Some(text) = payload.downcast_ref::<&'static str>() {
        return Text::Borrowed(text);
    }
    payload.downcast_ref::<String>().map_or(Text::Borrowed("a panic without a message"), |text| text.clone().into())
}
