//! One request over one connection, driven by who sends it.
//!
//! The connection is no task of its own: whoever waits for the answer polls it. So an answer wakes one task and not two,
//! a send that is dropped takes its connection along, and nothing is left to run when the transport is closed.

use crate::http::Answer;
use crate::http::body::{self, RequestBody};
use crate::http::failure::{self, Cause, Stage};
use crate::http::limits::{FOREVER, SLOWEST};
use crate::http::progress::Progress;
use crate::receipt::Failure;
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::rt::{Read, Write};
use hyper::{Request, Response};
use std::error::Error;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::task::unconstrained;
use tokio::time::{Instant, Sleep, sleep_until};

pub(super) type Message = Request<RequestBody>;

/// A socket, with TLS over it or not.
pub(super) trait Socket: Read + Write + Send + Unpin {}

impl<T: Read + Write + Send + Unpin> Socket for T {}

pub(super) type Io = Box<dyn Socket>;

/// More than any server or balancer sends. Room for all of them is made for each answer, so it is not much more.
const MAX_HEADERS: usize = 200;

/// A connection that is free for a request.
pub(super) struct Connection(Option<Box<Wire>>);

struct Wire {
    sender: SendRequest<RequestBody>,
    driver: http1::Connection<Io, RequestBody>,
    progress: Progress,
}

/// What comes of an exchange.
pub(super) enum Outcome {
    /// An answer, and the connection if it is free for the next request.
    Answered(Answer, Option<Connection>),
    /// Nothing was written: here is the request again, and why.
    Unsent(Message, hyper::Error),
    /// The request may have arrived.
    Broken(Failure),
}

impl Connection {
    pub(super) async fn new(io: Io, progress: Progress) -> hyper::Result<Self> {
        // A server that talks on and on is read in pieces of this size, and no head is longer.
        let (sender, driver) = http1::Builder::new()
            .max_buf_size(body::ANSWER_CAP)
            // What others forgive, or an event that was stored would be sent again for ever.
            .max_headers(MAX_HEADERS)
            .allow_obsolete_multiline_headers_in_responses(true)
            .allow_spaces_after_header_name_in_responses(true)
            .ignore_invalid_headers_in_responses(true)
            .handshake(io)
            .await?;
        Ok(Self(Some(Box::new(Wire { sender, driver, progress }))))
    }

    /// Sends `message` and reads the answer. It is late when for `timeout` since `start` nothing of it was written, or the answer is
    /// not complete so long after the last that was.
    pub(super) async fn exchange(mut self, message: Message, timeout: Duration, start: Instant) -> Outcome {
        let alarm = pin!(sleep_until(start + timeout));
        let latest = start + timeout.saturating_mul(SLOWEST).min(FOREVER);
        let mut exchange = Exchange { wire: self.0.take(), is_sent: false, alarm, timeout, latest };
        let answer = match exchange.send(message).await {
            Ok(answer) => answer,
            Err(outcome) => return outcome,
        };
        let (answer, complete) = exchange.read(answer).await;
        if answer.status.is_success() && complete {
            // The server may still be reading what it has said yes to. How that ends changes nothing.
            drop(exchange.drive(|wire, _| free(wire)).await);
        }
        let free = exchange.wire.filter(|wire| wire.sender.is_ready());
        Outcome::Answered(answer, free.map(|wire| Self(Some(wire))))
    }

    /// Whether the other side has closed it, or has said what nobody asked for. It wakes nobody when that comes to pass.
    pub(super) fn has_ended(&mut self) -> bool {
        let Some(wire) = &mut self.0 else { return true };
        // Without a budget, or of very many the last would never be looked at.
        let driver = Pin::new(&mut unconstrained(&mut wire.driver)).poll(&mut Context::from_waker(Waker::noop()));
        driver.is_ready() || !wire.sender.is_ready()
    }
}

/// With a farewell, so that a server over TLS can tell it from a line that was cut.
impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(wire) = self.0.take() {
            let mut io = wire.driver.into_parts().io;
            drop(Pin::new(&mut io).poll_shutdown(&mut Context::from_waker(Waker::noop())));
        }
    }
}

/// Ready when the whole request is written and the whole answer read, or the connection has ended.
fn free(wire: Option<&Wire>) -> Poll<()> {
    match wire {
        Some(wire) if !wire.sender.is_ready() => Poll::Pending,
        _ => Poll::Ready(()),
    }
}

/// A request under way.
struct Exchange<'a> {
    /// None once it has ended.
    wire: Option<Box<Wire>>,
    is_sent: bool,
    alarm: Pin<&'a mut Sleep>,
    timeout: Duration,
    /// When it is late in any case.
    latest: Instant,
}

impl Exchange<'_> {
    async fn send(&mut self, message: Message) -> Result<Response<Incoming>, Outcome> {
        let Some(wire) = &mut self.wire else {
            return Err(Outcome::Broken(broken(io::Error::from(io::ErrorKind::NotConnected))));
        };
        // Without a budget: it is woken by nobody, and so must never wait for a later turn.
        let mut answering = pin!(unconstrained(wire.sender.try_send_request(message)));
        match self.drive(|_, silent| answering.as_mut().poll(silent)).await.map_err(Outcome::Broken)? {
            Ok(answer) => Ok(answer),
            Err(mut error) => Err(match error.take_message() {
                Some(message) => Outcome::Unsent(message, error.into_error()),
                None => Outcome::Broken(broken(error.into_error())),
            }),
        }
    }

    /// The answer, and whether its body was read to the end.
    async fn read(&mut self, answer: Response<Incoming>) -> (Answer, bool) {
        let (head, body) = answer.into_parts();
        let mut read = body::Gathered::default();
        let complete = !body::may_follow(head.status) || self.read_body(body, &mut read).await;
        (Answer { status: head.status, headers: head.headers, body: read.into() }, complete)
    }

    async fn read_body(&mut self, mut body: Incoming, read: &mut body::Gathered) -> bool {
        while !body.is_end_stream() {
            match self.drive(|_, silent| Pin::new(&mut body).poll_frame(silent)).await {
                Ok(Some(Ok(frame))) if read.add(frame.data_ref().map_or(&[], |data| data)) => {}
                Ok(None) => return true,
                _ => return false,
            }
        }
        true
    }

    /// Runs the connection until `step` is ready. What that waits for comes out of the connection, in the same poll: it
    /// gets a silent waker, since woken by it the task would be polled twice.
    async fn drive<T>(
        &mut self,
        mut step: impl FnMut(Option<&Wire>, &mut Context<'_>) -> Poll<T>,
    ) -> Result<T, Failure> {
        poll_fn(|context| {
            let silent = &mut Context::from_waker(Waker::noop());
            // Before the connection has its turn: a body is read only when it is asked for.
            if let Poll::Ready(done) = step(self.wire.as_deref(), silent) {
                return Poll::Ready(Ok(done));
            }
            // Most likely the answer is there, and then there is nothing to be woken for.
            if self.is_sent {
                self.turn(silent);
                if let Poll::Ready(done) = step(self.wire.as_deref(), silent) {
                    return Poll::Ready(Ok(done));
                }
            }
            self.turn(context);
            if let Poll::Ready(done) = step(self.wire.as_deref(), silent) {
                return Poll::Ready(Ok(done));
            }
            // Without a budget: a server that floods us uses it up.
            while Pin::new(&mut unconstrained(self.alarm.as_mut())).poll(context).is_ready() {
                let late = self.late();
                if late <= self.alarm.deadline() {
                    return Poll::Ready(Err(broken(io::Error::from(io::ErrorKind::TimedOut))));
                }
                self.alarm.as_mut().reset(late);
            }
            Poll::Pending
        })
        .await
    }

    /// When it is late, as far as is known now.
    fn late(&self) -> Instant {
        let moved = self.wire.as_ref().map(|wire| wire.progress.last() + self.timeout);
        moved.map_or(self.latest, |moved| moved.min(self.latest))
    }

    /// The connection reads and writes what it can.
    fn turn(&mut self, context: &mut Context<'_>) {
        let Some(wire) = &mut self.wire else { return };
        let driver = Pin::new(&mut wire.driver);
        // What we write has an end, and many requests may begin in one poll. What a server sends may have none.
        let ended = match self.is_sent {
            true => driver.poll(context),
            false => Pin::new(&mut unconstrained(driver)).poll(context),
        };
        self.is_sent = true;
        if ended.is_ready() {
            // Its error is that of the answer, or is none.
            self.wire = None;
        }
    }
}

fn broken(error: impl Error + Send + Sync + 'static) -> Failure {
    failure::of(Stage::Sent, Cause::Other, error)
}
