//! The stored events of a collector and then the new ones, with no gap and no duplicates between them.

mod seen;

use crate::exit::Failure;
use crate::frames::{Frame, Frames};
use crate::item::Item;
use crate::lines::Lines;
use crate::out;
use crate::server::Reader;
use jkool_client::model::Timestamp;
use jkool_collector::Query;
use reqwest::Response;
use seen::Seen;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::sleep;

/// The delay between tries to connect.
const AGAIN: Duration = Duration::from_secs(1);
/// The number of new events that are buffered while stored ones are read; further ones wait in the collector.
const HELD: usize = 100_000;
/// After a reconnect, events with a time older than this before the loss of the connection are not searched for.
const LATE: i64 = 600_000_000;

/// Which stored events are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum History {
    None,
    /// All that match the query.
    All,
    /// This number of the newest ones.
    Last(usize),
}

/// The entities that match a query: stored ones, then new ones without end.
///
/// It reconnects after a lost connection, and fetches what was received in the meantime. Both are reported on standard
/// error.
#[derive(Debug)]
pub(crate) struct Live<'a> {
    reader: &'a Reader,
    query: Query,
    tail: Tail,
    past: Option<Past>,
    /// New events that arrive while stored ones are read.
    held: VecDeque<Frame>,
    ready: VecDeque<Item>,
    seen: Seen,
}

/// A connection that receives new events.
#[derive(Debug)]
struct Tail {
    answer: Response,
    frames: Frames,
}

/// The stored events, while they are read.
#[derive(Debug)]
struct Past {
    answer: Response,
    lines: Lines,
    /// The newest arrive first: they are buffered until the oldest has arrived.
    turned: Option<Vec<Item>>,
    /// Whether events that were received earlier are known. At the first time there are none.
    received_from: i64,
}

/// A piece of either connection.
enum Piece {
    Past(reqwest::Result<Option<Vec<u8>>>),
    Tail(reqwest::Result<Option<Vec<u8>>>),
}

impl<'a> Live<'a> {
    /// Connects. A failure of this first try is an error; later failures are retried.
    pub(crate) async fn begin(
        reader: &'a Reader,
        query: Query,
        history: History,
        now: Timestamp,
    ) -> Result<Self, Failure> {
        // Subscribes before it reads stored events, so that there is no gap.
        let tail = Tail::open(reader, &query).await?;
        let past = match history {
            History::None => None,
            History::All => Some(Past::open(reader, query.clone(), None, i64::MIN).await?),
            History::Last(count) => Some(Past::open(reader, query.clone(), Some(count), i64::MIN).await?),
        };
        let (held, ready) = (VecDeque::new(), VecDeque::new());
        Ok(Self { reader, query, tail, past, held, ready, seen: Seen::since(now.as_usec()) })
    }

    /// Whether all stored events were returned.
    pub(crate) fn is_caught_up(&self) -> bool {
        self.past.is_none() && self.ready.is_empty()
    }

    /// Waits for the next event. Returns `None` when all stored events were returned.
    ///
    /// This is cancel safe: no event is lost.
    pub(crate) async fn next(&mut self) -> Result<Option<Item>, Failure> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Ok(Some(item));
            }
            match self.piece().await {
                Piece::Past(Ok(Some(piece))) => self.remember(&piece)?,
                Piece::Past(Ok(None)) => {
                    self.catch_up()?;
                    if self.ready.is_empty() {
                        return Ok(None);
                    }
                }
                Piece::Past(Err(error)) => self.connect_again(&self.reader.broken(&error).to_string()).await?,
                Piece::Tail(Ok(Some(piece))) => {
                    for frame in self.tail.frames.push(&piece) {
                        match self.past {
                            Some(_) => self.held.push_back(frame),
                            None => self.take(&frame)?,
                        }
                    }
                }
                Piece::Tail(Ok(None)) => self.connect_again("the collector closed the connection").await?,
                Piece::Tail(Err(_)) => self.connect_again("the connection was lost").await?,
            }
        }
    }

    async fn piece(&mut self) -> Piece {
        let bytes = |piece: Option<_>| piece.map(Vec::from);
        let Some(past) = &mut self.past else { return Piece::Tail(self.tail.answer.chunk().await.map(bytes)) };
        tokio::select! {
            piece = past.answer.chunk() => Piece::Past(piece.map(bytes)),
            piece = self.tail.answer.chunk(), if self.held.len() < HELD => Piece::Tail(piece.map(bytes)),
        }
    }

    /// Handles a piece of stored events.
    fn remember(&mut self, piece: &[u8]) -> Result<(), Failure> {
        let Some(past) = &mut self.past else { return Ok(()) };
        for line in past.lines.push(piece) {
            let item = Item::read(&line)?;
            if item.received().as_usec() >= past.received_from && self.seen.is_new(&item) {
                match &mut past.turned {
                    Some(turned) => turned.push(item),
                    None => self.ready.push_back(item),
                }
            }
        }
        Ok(())
    }

    /// All stored events were read: those that arrived in the meantime follow.
    fn catch_up(&mut self) -> Result<(), Failure> {
        let turned = self.past.take().and_then(|past| past.turned);
        self.ready.extend(turned.into_iter().flatten().rev());
        for frame in std::mem::take(&mut self.held) {
            self.take(&frame)?;
        }
        Ok(())
    }

    fn take(&mut self, frame: &Frame) -> Result<(), Failure> {
        if frame.event == "missed" {
            out::note(format_args!("jkool: {} events arrived too fast and were skipped", frame.data));
            return Ok(());
        }
        let item = Item::read(frame.data.as_bytes())?;
        if self.seen.is_new(&item) {
            self.seen.advance(item.received().as_usec());
            self.ready.push_back(item);
        }
        Ok(())
    }

    async fn connect_again(&mut self, why: &str) -> Result<(), Failure> {
        if self.past.as_ref().is_some_and(|past| past.received_from == i64::MIN) {
            return Err(Failure::Unreachable(format!("{why}, while what is stored was read")));
        }
        out::note(format_args!("jkool: {why}; reconnecting"));
        let received_from = self.seen.surely_until();
        let mut query = self.query.clone();
        if matches!(query.clone().take::<String>("since"), Ok(None)) {
            query.push("since", received_from - LATE);
        }
        loop {
            sleep(AGAIN).await;
            let opened = async {
                let tail = Tail::open(self.reader, &self.query).await?;
                Ok((tail, Past::open(self.reader, query.clone(), None, received_from).await?))
            };
            match opened.await {
                Ok((tail, past)) => {
                    (self.tail, self.past) = (tail, Some(past));
                    out::note("jkool: reconnected");
                    return Ok(());
                }
                Err(Failure::Unreachable(_)) => {}
                Err(other) => return Err(other),
            }
        }
    }
}

impl Tail {
    async fn open(reader: &Reader, query: &Query) -> Result<Self, Failure> {
        Ok(Self { answer: reader.get("tail", query).await?, frames: Frames::default() })
    }
}

impl Past {
    async fn open(reader: &Reader, mut query: Query, last: Option<usize>, received_from: i64) -> Result<Self, Failure> {
        query.push("items", true);
        if let Some(count) = last {
            query.push("order", "youngest");
            query.push("limit", count);
        }
        let answer = reader.get("events.jsonl", &query).await?;
        Ok(Self { answer, lines: Lines::default(), turned: last.map(|_| Vec::new()), received_from })
    }
}
