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

/// The interval at which the thread reads its commands.
const TICK: Duration = Duration::from_millis(100);
const TICKS_TO_LEAVE: usize = 30;
/// A shorter pause is done by not polling: for a longer one, librdkafka discards the records that it has fetched and
/// fetches them again. A rebalance waits for this time.
const SHORT: Duration = Duration::from_secs(1);
/// The maximum number of records in a batch.
const BATCH: usize = 512;
const BATCH_BYTES: usize = 512 << 10;
/// The number of batches in the channel.
const WAITING: usize = 2;

pub(super) struct Consumer {
    inner: Arc<BaseConsumer<Context>>,
    topic: String,
    control: Arc<Control>,
    ended: watch::Receiver<()>,
}

/// Commands for the thread.
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

    /// Waits this long, and returns whether it is still paused.
    fn is_paused_for(&self, patience: Duration) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(state, patience, |state| state.is_paused && !state.is_leaving);
        waited.unwrap_or_else(PoisonError::into_inner).0.is_paused
    }
}

/// Why the consumer could not be created.
pub(super) enum StartError {
    Config(KafkaError),
    Thread(std::io::Error),
}

type Batches = mpsc::Receiver<Result<Next, SourceError>>;

impl Consumer {
    /// Creates the consumer, joins the group and starts the thread; connections are made later.
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

    /// Pauses or resumes the records. The group does not notice it.
    pub(super) fn pause(&self, is_paused: bool) {
        self.control.tell(|state| state.is_paused = is_paused);
    }

    /// Leaves the group. The returned channel closes when that is done.
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
        // These numbers came from librdkafka.
        let partition = i32::try_from(*partition).unwrap_or(i32::MAX);
        let offset = i64::try_from(*offset).unwrap_or(i64::MAX);
        list.add_partition_offset(topic, partition, Offset::Offset(offset))?;
    }
    Ok(list)
}

/// Polls until it is told to leave, or the receiver is gone.
fn run(consumer: &BaseConsumer<Context>, control: &Control) {
    let (context, mut is_paused) = (consumer.context(), false);
    while !control.is_leaving() {
        let pause = control.is_paused_for(if is_paused { Duration::ZERO } else { SHORT });
        // New partitions are not paused yet.
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

/// Pauses or resumes all partitions. An error for one that was revoked in the meantime is ignored.
fn hold(consumer: &BaseConsumer<Context>, pause: bool) {
    let Ok(assigned) = consumer.assignment() else { return };
    let held = if pause { consumer.pause(&assigned) } else { consumer.resume(&assigned) };
    drop(held);
}

/// The callbacks of librdkafka, always called on the thread above.
struct Context {
    to: mpsc::Sender<Result<Next, SourceError>>,
    /// Records that were polled and not passed on yet.
    batch: Mutex<Batch>,
    /// Errors that were told since the last record.
    told: Mutex<Vec<Code>>,
    /// Partitions were assigned.
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

    /// Adds a message, and returns whether there is room for another.
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

    /// Passes the batch on.
    fn give(&self) {
        let Batch { records, .. } = std::mem::take(&mut *self.batch());
        if !records.is_empty() {
            self.told.lock().unwrap_or_else(PoisonError::into_inner).clear();
            // The receiver is gone: the records stay in the topic.
            drop(self.to.blocking_send(Ok(Next::Records(records))));
        }
    }

    /// Reports once an error from which librdkafka recovers by itself.
    fn tell(&self, error: &KafkaError) {
        let code = error.rdkafka_error_code().unwrap_or(Code::Fail);
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if !told.contains(&code) {
            told.push(code);
            // Does not block the thread if the receiver is busy.
            drop(self.to.try_send(Ok(Next::Notice(text(error)))));
        }
    }

    /// Releases partitions: waits until none of their records is in flight, and commits their positions. If the group
    /// has expelled this member, it only tells the relay.
    fn revoke(&self, consumer: &BaseConsumer<Self>, revoked: &TopicPartitionList) {
        self.give();
        let elements = revoked.elements();
        let Some(topic) = elements.first().map(|element| element.topic().to_owned()) else { return };
        let partitions = elements.iter().filter_map(|element| u64::try_from(element.partition()).ok()).collect();
        let (done, answer) = oneshot::channel();
        // The group has already given these partitions to others, and accepts no more commits for them.
        let answer = (!consumer.assignment_lost()).then_some(answer);
        let asked = self.to.blocking_send(Ok(Next::Revoked(Revoked { partitions, done })));
        let Some(answer) = answer.filter(|_| asked.is_ok()) else { return };
        // A relay that has ended does not answer; it has already committed.
        let Ok(positions) = answer.blocking_recv() else { return };
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
    /// Only the error code is kept: the text may contain data from the broker. librdkafka also logs it.
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
