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

/// The interval at which the thread checks whether it should end.
const TICK: Duration = Duration::from_millis(50);

/// The outcome of a record: delivered, or the error.
pub(crate) type Report = Result<(), Code>;

/// Sends records. After it is dropped, its remaining records are still delivered, or fail by their timeout: the thread
/// ends when there are none, so librdkafka never discards records.
pub(crate) struct Producer {
    inner: Arc<BaseProducer<Context>>,
    dropped: Arc<AtomicBool>,
    retired: AtomicBool,
    ended: watch::Receiver<()>,
}

impl Producer {
    /// Creates the producer and starts its thread; connections are made later.
    pub(crate) fn start(config: &ClientConfig, counters: Arc<Counters>) -> Result<Self, StartError> {
        let context = Context { counters, trouble: Mutex::default(), reported: Mutex::default() };
        let inner = Arc::new(config.create_with_context::<_, BaseProducer<_>>(context).map_err(StartError::Config)?);
        let dropped = Arc::new(AtomicBool::new(false));
        let (end, ended) = watch::channel(());
        let (polled, may_end) = (Arc::clone(&inner), Arc::clone(&dropped));
        let poll = move || {
            // Log records of this thread would become events that this thread has to send.
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

    /// Enqueues a record; its bytes are copied. The delivery report comes later, an error at once.
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

    /// The last connection error, if nothing was delivered since.
    pub(crate) fn trouble(&self) -> Option<Code> {
        *self.inner.context().trouble()
    }

    /// Its state in the last report, without the counters of records.
    pub(crate) fn stats(&self) -> KafkaStats {
        *self.inner.context().reported()
    }

    /// Marks it as replaced: no more records should be sent with it.
    pub(crate) fn retire(&self) {
        self.retired.store(true, Ordering::Relaxed);
    }

    /// Whether it was replaced, or had a fatal error.
    pub(crate) fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Relaxed) || self.inner.client().fatal_error().is_some()
    }

    /// Closes when all records have their delivery report, some time after the producer was dropped.
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

/// Why the producer could not be created.
pub(crate) enum StartError {
    Config(KafkaError),
    Thread(std::io::Error),
}

/// The callbacks of librdkafka, always called on the thread above.
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
    /// Only the error code is kept: the text may contain data from the broker. librdkafka also logs it.
    fn error(&self, error: KafkaError, _reason: &str) {
        let (mut trouble, met) = (self.trouble(), code(&error));
        // "All brokers are down" follows from another error, which has the reason.
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
        // The receiver is gone if the send was cancelled; the sender then treats the record as in doubt.
        let _listened = report.send(result);
    }
}

fn code(error: &KafkaError) -> Code {
    error.rdkafka_error_code().unwrap_or(Code::Fail)
}
