//! One request over one connection, polled by its sender.
//!
//! The connection is not a task of its own: the future that waits for the response polls it. So a response wakes one task
//! instead of two, a send that is dropped also closes its connection, and nothing keeps running when the transport is closed.

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

/// A socket, with or without TLS.
pub(super) trait Socket: Read + Write + Send + Unpin {}

impl<T: Read + Write + Send + Unpin> Socket for T {}

pub(super) type Io = Box<dyn Socket>;

/// The maximum number of headers, more than any server or load balancer sends. Space for all of them is allocated for each
/// response, so it is not much more.
const MAX_HEADERS: usize = 200;

/// A connection that is ready for a request.
pub(super) struct Connection(Option<Box<Wire>>);

struct Wire {
    sender: SendRequest<RequestBody>,
    driver: http1::Connection<Io, RequestBody>,
    progress: Progress,
}

/// The result of a request.
pub(super) enum Outcome {
    /// A response, and the connection if it is ready for the next request.
    Answered(Answer, Option<Connection>),
    /// Nothing was written: the request, and the reason.
    Unsent(Message, hyper::Error),
    /// The request may have arrived.
    Broken(Failure),
}

impl Connection {
    pub(super) async fn new(io: Io, progress: Progress) -> hyper::Result<Self> {
        // A limit for reading from a server that sends without end; no head is longer than this.
        let (sender, driver) = http1::Builder::new()
            .max_buf_size(body::ANSWER_CAP)
            // Accepts responses that other clients accept, or an event that was stored would be sent again forever.
            .max_headers(MAX_HEADERS)
            .allow_obsolete_multiline_headers_in_responses(true)
            .allow_spaces_after_header_name_in_responses(true)
            .ignore_invalid_headers_in_responses(true)
            .handshake(io)
            .await?;
        Ok(Self(Some(Box::new(Wire { sender, driver, progress }))))
    }

    /// Sends `message` and reads the response. It times out if for `timeout` since `start` no part of it was written, or if the
    /// response is not complete so long after the last part was.
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
            // The server may still be reading a request that it has accepted. How that ends makes no difference.
            drop(exchange.drive(|wire, _| free(wire)).await);
        }
        let free = exchange.wire.filter(|wire| wire.sender.is_ready());
        Outcome::Answered(answer, free.map(|wire| Self(Some(wire))))
    }

    /// Whether the other side has closed it, or has sent something without a request. It registers no waker.
    pub(super) fn has_ended(&mut self) -> bool {
        let Some(wire) = &mut self.0 else { return true };
        // Without tokio's budget, or else the last of many would never be checked.
        let driver = Pin::new(&mut unconstrained(&mut wire.driver)).poll(&mut Context::from_waker(Waker::noop()));
        driver.is_ready() || !wire.sender.is_ready()
    }
}

/// Closes TLS properly, so that the server can tell it from a connection that broke.
impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(wire) = self.0.take() {
            let mut io = wire.driver.into_parts().io;
            drop(Pin::new(&mut io).poll_shutdown(&mut Context::from_waker(Waker::noop())));
        }
    }
}

/// Ready when the whole request is written and the whole response read, or the connection has ended.
fn free(wire: Option<&Wire>) -> Poll<()> {
    match wire {
        Some(wire) if !wire.sender.is_ready() => Poll::Pending,
        _ => Poll::Ready(()),
    }
}

/// A request in flight.
struct Exchange<'a> {
    /// `None` after it has ended.
    wire: Option<Box<Wire>>,
    is_sent: bool,
    alarm: Pin<&'a mut Sleep>,
    timeout: Duration,
    /// The time of the total timeout.
    latest: Instant,
}

impl Exchange<'_> {
    async fn send(&mut self, message: Message) -> Result<Response<Incoming>, Outcome> {
        let Some(wire) = &mut self.wire else {
            return Err(Outcome::Broken(broken(io::Error::from(io::ErrorKind::NotConnected))));
        };
        // Without tokio's budget: it has no waker, so it must not be postponed to a later poll.
        let mut answering = pin!(unconstrained(wire.sender.try_send_request(message)));
        match self.drive(|_, silent| answering.as_mut().poll(silent)).await.map_err(Outcome::Broken)? {
            Ok(answer) => Ok(answer),
            Err(mut error) => Err(match error.take_message() {
                Some(message) => Outcome::Unsent(message, error.into_error()),
                None => Outcome::Broken(broken(error.into_error())),
            }),
        }
    }

    /// The response, and whether its body was read to the end.
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

    /// Polls the connection until `step` is ready. `step` is completed by the connection, in the same poll: it gets a waker
    /// that does nothing, because a real one would make the task poll twice.
    async fn drive<T>(
        &mut self,
        mut step: impl FnMut(Option<&Wire>, &mut Context<'_>) -> Poll<T>,
    ) -> Result<T, Failure> {
        poll_fn(|context| {
            let silent = &mut Context::from_waker(Waker::noop());
            // Before the connection is polled: a body is read only when it is requested.
            if let Poll::Ready(done) = step(self.wire.as_deref(), silent) {
                return Poll::Ready(Ok(done));
            }
            // The response is probably complete, and then no wake is needed.
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
            // Without tokio's budget, which a server that sends very much would use up.
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

    /// The time of the timeout, as known now.
    fn late(&self) -> Instant {
        let moved = self.wire.as_ref().map(|wire| wire.progress.last() + self.timeout);
        moved.map_or(self.latest, |moved| moved.min(self.latest))
    }

    /// Lets the connection read and write as much as possible.
    fn turn(&mut self, context: &mut Context<'_>) {
        let Some(wire) = &mut self.wire else { return };
        let driver = Pin::new(&mut wire.driver);
        // Writing is limited, and many requests may start in one poll. What a server sends may be unlimited.
        let ended = match self.is_sent {
            true => driver.poll(context),
            false => Pin::new(&mut unconstrained(driver)).poll(context),
        };
        self.is_sent = true;
        if ended.is_ready() {
            // Its error is also that of the response, or there is none.
            self.wire = None;
        }
    }
}

fn broken(error: impl Error + Send + Sync + 'static) -> Failure {
    failure::of(Stage::Sent, Cause::Other, error)
}
