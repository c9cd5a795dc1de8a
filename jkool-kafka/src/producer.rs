//! One producer of librdkafka, and the thread that takes its delivery reports.

use crate::statistics;
use crate::stats::{Counters, KafkaStats};
use jkool_client::DeliveryThread;
use rdkafka::client::ClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _, ProducerContext};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{oneshot, watch};

/// How soon the thread sees that it may end.
const TICK: Duration = Duration::from_millis(50);

/// What became of a record: delivered, or the error.
pub(crate) type Report = Result<(), Code>;

/// Takes records until it is dropped. Those that it has then are delivered, or fail by their time-out, all the same:
/// the thread stays until there are none, so librdkafka never has to throw any away.
pub(crate) struct Producer {
    inner: Arc<BaseProducer<Context>>,
    dropped: Arc<AtomicBool>,
    retired: AtomicBool,
    ended: watch::Receiver<()>,
}

impl Producer {
    /// Makes the producer and starts its thread; connections come later.
    pub(crate) fn start(config: &ClientConfig, counters: Arc<Counters>) -> Result<Self, StartError> {
        let context = Context { counters, trouble: Mutex::default(), reported: Mutex::default() };
        let inner = Arc::new(config.create_with_context::<_, BaseProducer<_>>(context).map_err(StartError::Config)?);
        let dropped = Arc::new(AtomicBool::new(false));
        let (end, ended) = watch::channel(());
        let (polled, may_end) = (Arc::clone(&inner), Arc::clone(&dropped));
        let poll = move || {
            // Its records of the log would be events, which it would have to send.
            let _quiet = DeliveryThread::enter();
            while !may_end.load(Ordering::Acquire) || polled.in_flight_count() > 0 {
                polled.poll(TICK);
            }
            drop(polled);
            drop(end);
        };
        std::thread::Builder::new().name("jkool-kafka".into()).spawn(poll).map_err(StartError::Thread)?;
        Ok(Self { inner, dropped, retired: AtomicBool::new(false), ended })
    }

    /// Hands a record over, whose bytes are copied. Its report comes later, or an error at once.
    pub(crate) fn enqueue(
        &self,
        topic: &str,
        key: Option<&str>,
        value: &[u8],
    ) -> Result<oneshot::Receiver<Report>, Code> {
        let (report, reported) = oneshot::channel();
        let mut record = BaseRecord::with_opaque_to(topic, Box::new(report)).payload(value);
        if let Some(key) = key {
            record = record.key(key);
        }
        match self.inner.send(record) {
            Ok(()) => Ok(reported),
            Err((error, _)) => Err(code(&error)),
        }
    }

    /// What the connections have last met, if nothing was delivered since.
    pub(crate) fn trouble(&self) -> Option<Code> {
        *self.inner.context().trouble()
    }

    /// Its state in the last report, without the counters of records.
    pub(crate) fn stats(&self) -> KafkaStats {
        *self.inner.context().reported()
    }

    /// Says that no further records should go to it.
    pub(crate) fn retire(&self) {
        self.retired.store(true, Ordering::Relaxed);
    }

    /// Whether it was retired, or met an error after which it does nothing.
    pub(crate) fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Relaxed) || self.inner.client().fatal_error().is_some()
    }

    /// Closes when all records have their report, some time after the producer is dropped.
    pub(crate) fn ended(&self) -> watch::Receiver<()> {
        self.ended.clone()
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        self.dropped.store(true, Ordering::Release);
    }
}

impl fmt::Debug for Producer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producer").field("waiting", &self.inner.in_flight_count()).finish_non_exhaustive()
    }
}

/// Why there is no producer.
pub(crate) enum StartError {
    Config(KafkaError),
    Thread(std::io::Error),
}

/// What librdkafka calls, always on the thread above.
struct Context {
    counters: Arc<Counters>,
    trouble: Mutex<Option<Code>>,
    /// The state in the last report.
    reported: Mutex<KafkaStats>,
}

impl Context {
    fn trouble(&self) -> std::sync::MutexGuard<'_, Option<Code>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reported(&self) -> std::sync::MutexGuard<'_, KafkaStats> {
        self.reported.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Context {
    /// Only its code is kept: the text may hold what the broker sent. librdkafka logs it besides.
    fn error(&self, error: KafkaError, _reason: &str) {
        let (mut trouble, met) = (self.trouble(), code(&error));
        // That all brokers are down follows from what says why.
        if met != Code::AllBrokersDown || trouble.is_none() {
            *trouble = Some(met);
        }
    }

    fn stats_raw(&self, report: &[u8]) {
        if let Some(mut stats) = statistics::read(report) {
            let mut reported = self.reported();
            // It is that of the last request, also while there are none.
            stats.round_trip = stats.round_trip.or(reported.round_trip);
            *reported = stats;
        }
    }
}

impl ProducerContext for Context {
    type DeliveryOpaque = Box<oneshot::Sender<Report>>;

    fn delivery(&self, result: &DeliveryResult<'_>, report: Self::DeliveryOpaque) {
        let result = match result {
            Ok(_) => Ok(()),
            Err((error, _)) => Err(code(error)),
        };
        self.counters.reported(result.is_ok());
        if result.is_ok() {
            *self.trouble() = None;
        }
        // Nobody listens when the send was cancelled: then the record is in doubt for its sender.
        let _listened = report.send(result);
    }
}

fn code(error: &KafkaError) -> Code {
    error.rdkafka_error_code().unwrap_or(Code::Fail)
}
