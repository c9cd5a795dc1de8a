//! One request over one connection, driven by who sends it.
//!
//! The connection is no task of its own: whoever waits for the answer polls it. So an answer wakes one task and not two,
//! a send that is dropped takes its connection along, and nothing is left to run when the transport is closed.

use crate::Failure;
use crate::http::failure::{self, Cause, Stage};
use crate::http::{Answer, body};
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::rt::{Read, Write};
use hyper::{Request, Response};
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use tokio::task::unconstrained;
use tokio::time::{Instant, Sleep, sleep_until};

pub(super) type Message = Request<Full<Bytes>>;

/// A socket, with TLS over it or not.
pub(super) trait Socket: Read + Write + Send + Unpin {}

impl<T: Read + Write + Send + Unpin> Socket for T {}

pub(super) type Io = Box<dyn Socket>;

/// A connection that is free for a request.
pub(super) struct Connection(Box<Inner>);

struct Inner {
    sender: SendRequest<Full<Bytes>>,
    wire: http1::Connection<Io, Full<Bytes>>,
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
    pub(super) async fn new(io: Io) -> hyper::Result<Self> {
        let (sender, wire) = http1::handshake(io).await?;
        Ok(Self(Box::new(Inner { sender, wire })))
    }

    /// Sends `message` and reads the answer, until `deadline`.
    pub(super) async fn exchange(mut self, message: Message, deadline: Instant) -> Outcome {
        let answering = self.0.sender.try_send_request(message);
        let mut exchange = Exchange { connection: Some(self.0), alarm: pin!(sleep_until(deadline)) };
        // Only the connection, which is polled beside it, makes this ready. Woken for it, the task would be polled twice.
        let mut answering = pin!(unconstrained(answering));
        let answer = match exchange.drive(|_, _| answering.as_mut().poll(&mut Context::from_waker(Waker::noop()))).await
        {
            Ok(Ok(answer)) => answer,
            Ok(Err(mut error)) => {
                return match error.take_message() {
                    Some(message) => Outcome::Unsent(message, error.into_error()),
                    None => Outcome::Broken(broken(error.into_error())),
                };
            }
            Err(late) => return Outcome::Broken(late),
        };
        let answer = exchange.read(answer).await;
        if answer.status.is_success() {
            // The server may still be reading what it has said yes to.
            drop(exchange.drive(|connection, _| free(connection)).await);
        }
        Outcome::Answered(answer, exchange.connection.filter(|connection| connection.sender.is_ready()).map(Connection))
    }
}

/// Ready when the whole request is written and the whole answer read, or the connection has ended.
fn free(connection: Option<&Inner>) -> Poll<()> {
    match connection {
        Some(connection) if !connection.sender.is_ready() => Poll::Pending,
        _ => Poll::Ready(()),
    }
}

/// A request under way.
struct Exchange<'a> {
    /// None once it has ended.
    connection: Option<Box<Inner>>,
    alarm: Pin<&'a mut Sleep>,
}

impl Exchange<'_> {
    /// Runs the connection until `step` is ready.
    async fn drive<T>(
        &mut self,
        mut step: impl FnMut(Option<&Inner>, &mut Context<'_>) -> Poll<T>,
    ) -> Result<T, Failure> {
        poll_fn(|context| {
            // First, since it may have what is waited for, and since a body is read only when it is asked for.
            if let Poll::Ready(done) = step(self.connection.as_deref(), context) {
                return Poll::Ready(Ok(done));
            }
            if let Some(connection) = &mut self.connection {
                // Its error is that of the answer.
                if Pin::new(&mut connection.wire).poll(context).is_ready() {
                    self.connection = None;
                }
            }
            if let Poll::Ready(done) = step(self.connection.as_deref(), context) {
                return Poll::Ready(Ok(done));
            }
            let late = |()| Err(failure::of(Stage::Sent, Cause::TimeOut, io::Error::from(io::ErrorKind::TimedOut)));
            self.alarm.as_mut().poll(context).map(late)
        })
        .await
    }

    async fn read(&mut self, answer: Response<Incoming>) -> Answer {
        let (head, body) = answer.into_parts();
        let body = if body::may_follow(head.status) { self.read_body(body).await } else { Ok(Vec::new()) };
        Answer { status: head.status, headers: head.headers, body }
    }

    async fn read_body(&mut self, mut body: Incoming) -> Result<Vec<u8>, Failure> {
        let mut all = body::Gathered::default();
        while !body.is_end_stream() {
            match self.drive(|_, context| Pin::new(&mut body).poll_frame(context)).await? {
                Some(Ok(frame)) => all.add(frame.data_ref().map_or(&[], |data| data))?,
                Some(Err(error)) => return Err(broken(error)),
                None => break,
            }
        }
        Ok(all.into())
    }
}

fn broken(error: hyper::Error) -> Failure {
    failure::of(Stage::Sent, Cause::Other, error)
}
