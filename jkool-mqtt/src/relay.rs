//! Messages as records for `jkool-relay`.

use crate::source::{MqttMessage, MqttSource};
use async_trait::async_trait;
use jkool_relay::{Next, Position, Record, Source, SourceError};
use std::future::ready;

/// So many records are given at once.
const AT_ONCE: usize = 256;

/// What a source is for a relay.
pub(crate) struct Relayed {
    name: String,
    /// Another one in each process: offsets begin anew there, and name another message.
    partition: u64,
    /// The last trouble, which is told once.
    trouble: Option<String>,
}

impl Relayed {
    pub(crate) fn new(name: String) -> Self {
        Self { name, partition: fastrand::u64(..), trouble: None }
    }
}

impl MqttSource {
    fn record(&self, message: MqttMessage) -> Record {
        let position = Position { partition: self.relayed.partition, offset: message.offset + 1 };
        Record { position, body: message.payload.into(), time: None }
    }
}

/// What is committed is acknowledged; what is not comes again, to the next relay with the same identifier.
///
/// An event without a tracking id is given one for as long as the process lives: after a restart a message that comes again is
/// another event.
#[async_trait]
impl Source for MqttSource {
    fn name(&self) -> &str {
        &self.relayed.name
    }

    fn repeats(&self) -> bool {
        true
    }

    async fn next(&mut self) -> Result<Next, SourceError> {
        loop {
            match Self::next(self).await {
                Ok(message) => {
                    self.relayed.trouble = None;
                    let mut records = vec![self.record(message)];
                    while records.len() < AT_ONCE {
                        tokio::select! {
                            biased;
                            // A failure comes back with the next call.
                            Ok(message) = Self::next(self) => records.push(self.record(message)),
                            () = ready(()) => break,
                        }
                    }
                    return Ok(Next::Records(records));
                }
                Err(failure) => {
                    let text = failure.error.to_string();
                    if self.relayed.trouble.as_ref() != Some(&text) {
                        self.relayed.trouble = Some(text.clone());
                        return Ok(Next::Notice(text));
                    }
                }
            }
        }
    }

    fn pause(&mut self) {
        Self::pause(self);
    }

    fn resume(&mut self) {
        Self::resume(self);
    }

    fn stop(&mut self) {
        Self::pause(self);
    }

    async fn commit(&mut self, positions: &[Position]) -> Result<(), SourceError> {
        for Position { offset, .. } in positions.iter().filter(|position| position.offset > 0) {
            self.settle(offset - 1).await;
        }
        Ok(())
    }

    async fn close(&mut self) -> Result<(), SourceError> {
        self.end().await;
        Ok(())
    }
}
