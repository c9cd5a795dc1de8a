//! A consumer of librdkafka, and the thread that polls it.

use jkool_client::model::Timestamp;
use jkool_client::spawn_thread;
use jkool_relay::{Next, Position, Record, Revoked, SourceError};
use rdkafka::client::ClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::{BorrowedMessage, Message as _};
use rdkafka::{Offset, TopicPartitionList};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// How soon the thread sees what it is told.
const TICK: Duration = Duration::from_millis(100);
const TICKS_TO_LEAVE: usize = 30;
/// A pause that is no longer is a rest: for one that is, librdkafka throws away what it has fetched, and fetches it again. A rebalance
/// waits for it.
const SHORT: Duration = Duration::from_secs(1);
/// How much is given at once.
const BATCH: usize = 512;
const BATCH_BYTES: usize = 512 << 10;
/// How many batches wait.
const WAITING: usize = 2;

pub(super) struct Consumer {
    inner: Arc<BaseConsumer<Context>>,
    topic: String,
    control: Arc<Control>,
    ended: watch::Receiver<()>,
}

/// What the thread is told.
#[derive(Default)]
struct Control {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    is_paused: bool,
    is_leaving: bool,
}

impl Control {
    fn tell(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }

    fn is_leaving(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).is_leaving
    }

    /// Whether it is still paused when that long has gone by.
    fn is_paused_for(&self, patience: Duration) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(state, patience, |state| state.is_paused && !state.is_leaving);
        waited.unwrap_or_else(PoisonError::into_inner).0.is_paused
    }
}

/// Why there is no consumer.
pub(super) enum StartError {
    Config(KafkaError),
    Thread(std::io::Error),
}

type Batches = mpsc::Receiver<Result<Next, SourceError>>;

impl Consumer {
    /// Makes the consumer, joins the group and starts the thread; connections come later.
    pub(super) fn start(config: &ClientConfig, topic: &str) -> Result<(Arc<Self>, Batches), StartError> {
        let (to, batches) = mpsc::channel(WAITING);
        let context =
            Context { to, batch: Mutex::default(), told: Mutex::default(), has_changed: AtomicBool::new(false) };
        let inner = config.create_with_context::<_, BaseConsumer<_>>(context).map_err(StartError::Config)?;
        inner.subscribe(&[topic]).map_err(StartError::Config)?;
        let (inner, control) = (Arc::new(inner), Arc::<Control>::default());
        let (end, ended) = watch::channel(());
        let (polled, told) = (Arc::clone(&inner), Arc::clone(&control));
        let poll = move || {
            run(&polled, &told);
            // Leaves the group, and waits for the answer.
            polled.unsubscribe();
            for _ in 0..TICKS_TO_LEAVE {
                if polled.assignment().is_ok_and(|assigned| assigned.count() == 0) {
                    break;
                }
                drop(polled.poll(TICK));
            }
            drop(polled);
            drop(end);
        };
        drop(spawn_thread("jkool-kafka-relay", poll).map_err(StartError::Thread)?);
        Ok((Arc::new(Self { inner, topic: topic.to_owned(), control, ended }), batches))
    }

    /// Gives nothing more, or gives again. The group sees nothing of it.
    pub(super) fn pause(&self, is_paused: bool) {
        self.control.tell(|state| state.is_paused = is_paused);
    }

    /// Leaves the group. What is returned closes when that is done.
    pub(super) fn leave(&self) -> watch::Receiver<()> {
        self.control.tell(|state| state.is_leaving = true);
        self.ended.clone()
    }

    /// Commits, and waits for the answer.
    pub(super) fn commit(&self, positions: &[Position]) -> Result<(), SourceError> {
        let committed = list(&self.topic, positions).and_then(|list| self.inner.commit(&list, CommitMode::Sync));
        committed.map_err(|error| SourceError::new(format!("kafka topic {}: {}", self.topic, text(&error))))
    }
}

fn list(topic: &str, positions: &[Position]) -> Result<TopicPartitionList, KafkaError> {
    let mut list = TopicPartitionList::with_capacity(positions.len());
    for Position { partition, offset } in positions {
        // They were made of such numbers.
        let partition = i32::try_from(*partition).unwrap_or(i32::MAX);
        let offset = i64::try_from(*offset).unwrap_or(i64::MAX);
        list.add_partition_offset(topic, partition, Offset::Offset(offset))?;
    }
    Ok(list)
}

/// Polls until it is to leave, or nobody takes anything more.
fn run(consumer: &BaseConsumer<Context>, control: &Control) {
    let (context, mut is_paused) = (consumer.context(), false);
    while !control.is_leaving() {
        let pause = control.is_paused_for(if is_paused { Duration::ZERO } else { SHORT });
        // Partitions that are new are not paused yet.
        let has_changed = context.has_changed.swap(false, Ordering::AcqRel);
        if pause != is_paused || (pause && has_changed) {
            hold(consumer, pause);
            is_paused = pause;
        }
        let mut polled = consumer.poll(TICK);
        while let Some(message) = polled.take() {
            match message {
                Ok(message) => {
                    if context.take(&message) {
                        polled = consumer.poll(Duration::ZERO);
                    }
                }
                Err(error) => match consumer.client().fatal_error() {
                    Some((code, _)) => {
                        let error = SourceError::new(format!("Kafka: {code} ({code:?})"));
                        drop(context.to.blocking_send(Err(error)));
                        return;
                    }
                    None => context.tell(&error),
                },
            }
        }
        context.give();
    }
}

/// Pauses all partitions, or resumes them. One that has gone meanwhile is no loss.
fn hold(consumer: &BaseConsumer<Context>, pause: bool) {
    let Ok(assigned) = consumer.assignment() else { return };
    let held = if pause { consumer.pause(&assigned) } else { consumer.resume(&assigned) };
    drop(held);
}

/// What librdkafka calls, always on the thread above.
struct Context {
    to: mpsc::Sender<Result<Next, SourceError>>,
    /// What was polled and not given yet.
    batch: Mutex<Batch>,
    /// Errors that were told since the last record.
    told: Mutex<Vec<Code>>,
    /// Partitions have come.
    has_changed: AtomicBool,
}

#[derive(Default)]
struct Batch {
    records: Vec<Record>,
    bytes: usize,
}

impl Context {
    fn batch(&self) -> MutexGuard<'_, Batch> {
        self.batch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a message, and says whether there is room for another.
    fn take(&self, message: &BorrowedMessage<'_>) -> bool {
        let body = message.payload().unwrap_or_default().to_vec();
        let position = Position {
            partition: u64::try_from(message.partition()).unwrap_or_default(),
            offset: u64::try_from(message.offset()).unwrap_or_default() + 1,
        };
        let time = message.timestamp().to_millis().map(|millis| Timestamp::from_usec(millis.saturating_mul(1_000)));
        let mut batch = self.batch();
        batch.bytes += body.len();
        batch.records.push(Record { position, body, time });
        batch.records.len() < BATCH && batch.bytes < BATCH_BYTES
    }

    /// Gives what was taken.
    fn give(&self) {
        let Batch { records, .. } = std::mem::take(&mut *self.batch());
        if !records.is_empty() {
            self.told.lock().unwrap_or_else(PoisonError::into_inner).clear();
            // Nobody takes it any more: it stays in the topic.
            drop(self.to.blocking_send(Ok(Next::Records(records))));
        }
    }

    /// Tells an error that librdkafka gets over by itself, once.
    fn tell(&self, error: &KafkaError) {
        let code = error.rdkafka_error_code().unwrap_or(Code::Fail);
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if !told.contains(&code) {
            told.push(code);
            // There is more to do than to wait for somebody to listen.
            drop(self.to.try_send(Ok(Next::Notice(text(error)))));
        }
    }

    /// Gives partitions back: waits until nothing of them is under way, and commits how far they are.
    fn revoke(&self, consumer: &BaseConsumer<Self>, revoked: &TopicPartitionList) {
        self.give();
        let elements = revoked.elements();
        let Some(topic) = elements.first().map(|element| element.topic().to_owned()) else { return };
        let partitions = elements.iter().filter_map(|element| u64::try_from(element.partition()).ok()).collect();
        let (done, answer) = oneshot::channel();
        let asked = self.to.blocking_send(Ok(Next::Revoked(Revoked { partitions, done })));
        // No answer comes from a relay that has ended; it has committed itself.
        let Some(positions) = asked.ok().and_then(|()| answer.blocking_recv().ok()) else { return };
        if positions.is_empty() {
            return;
        }
        let committed = list(&topic, &positions).and_then(|list| consumer.commit(&list, CommitMode::Sync));
        if let Err(error) = committed {
            self.tell(&error);
        }
    }
}

impl ClientContext for Context {
    /// Only its code is kept: the text may hold what the broker sent. librdkafka logs it besides.
    fn error(&self, error: KafkaError, _reason: &str) {
        self.tell(&error);
    }
}

impl ConsumerContext for Context {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Revoke(revoked) => self.revoke(consumer, revoked),
            Rebalance::Assign(_) => {}
            Rebalance::Error(error) => self.tell(error),
        }
    }

    fn post_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Assign(_) = rebalance {
            self.has_changed.store(true, Ordering::Release);
        }
    }
}

fn text(error: &KafkaError) -> String {
    match error.rdkafka_error_code() {
        Some(code) => format!("Kafka: {code} ({code:?})"),
        None => format!("Kafka: {error}"),
    }
}
