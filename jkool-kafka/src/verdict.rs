//! What an error of Kafka means for a payload.

use jkool_transport::{Disposition, ErrorKind, Failure, TransportError};
use rdkafka::error::RDKafkaErrorCode as Code;

/// The failure for a delivery report with this `code`. If the code only says that the time was up, the last connection
/// error, `trouble`, is the reason.
pub(crate) fn failure(code: Code, trouble: Option<Code>) -> Failure {
    let cause = match code {
        Code::MessageTimedOut => trouble.filter(|trouble| disposition(*trouble) == Disposition::Misconfigured),
        _ => None,
    };
    let error = match cause {
        Some(cause) => TransportError::new(kind(cause), format!("not delivered in time: {}", text(cause))),
        None => TransportError::new(kind(code), text(code)),
    };
    let failure = Failure::new(disposition(cause.unwrap_or(code)), error);
    if is_in_doubt(code) { failure.in_doubt() } else { failure }
}

/// The failure for a payload that was sent after the transport was closed.
pub(crate) fn closed() -> Failure {
    let error = TransportError::new(ErrorKind::Closed, "the transport is closed");
    Failure::new(Disposition::Retry { after: None }, error)
}

fn text(code: Code) -> String {
    format!("Kafka: {code} ({code:?})")
}

fn disposition(code: Code) -> Disposition {
    match code {
        Code::MessageSizeTooLarge | Code::MessageBatchTooLarge | Code::InvalidMessageSize => Disposition::TooLarge,
        Code::InvalidRecord | Code::InvalidTimestamp => Disposition::Rejected,
        Code::UnknownTopic
        | Code::UnknownTopicOrPartition
        | Code::UnknownPartition
        | Code::InvalidTopic
        | Code::TopicAuthorizationFailed
        | Code::ClusterAuthorizationFailed
        | Code::Authentication
        | Code::SaslAuthenticationFailed
        | Code::UnsupportedSASLMechanism
        | Code::IllegalSASLState
        | Code::SecurityDisabled
        | Code::SSL
        | Code::UnsupportedVersion
        | Code::UnsupportedFeature
        | Code::UnsupportedForMessageFormat
        | Code::UnsupportedCompressionType
        | Code::InvalidRequiredAcks
        | Code::InvalidArgument
        | Code::InvalidConfig => Disposition::Misconfigured,
        _ => Disposition::Retry { after: None },
    }
}

fn kind(code: Code) -> ErrorKind {
    match code {
        Code::SSL => ErrorKind::Tls,
        Code::MessageTimedOut | Code::RequestTimedOut | Code::OperationTimedOut | Code::TimedOutQueue => {
            ErrorKind::Timeout
        }
        Code::Resolve | Code::AllBrokersDown => ErrorKind::Connect,
        Code::BrokerTransportFailure | Code::NetworkException | Code::PurgeInflight => ErrorKind::Interrupted,
        // Codes below zero are from librdkafka, those above from brokers.
        code if (code as i32) > 0 => ErrorKind::Answer,
        _ => ErrorKind::Other,
    }
}

/// Whether the record may be in the log: yes, unless the error rules it out.
fn is_in_doubt(code: Code) -> bool {
    let refused = disposition(code) != Disposition::Retry { after: None };
    let not_appended = matches!(
        code,
        Code::QueueFull
            | Code::PurgeQueue
            | Code::NotEnoughReplicas
            | Code::NotLeaderForPartition
            | Code::LeaderNotAvailable
            | Code::BrokerNotAvailable
            | Code::ThrottlingQuotaExceeded
    );
    !(refused || not_appended)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RETRY: Disposition = Disposition::Retry { after: None };

    #[test]
    fn an_error_says_what_to_do_with_the_payload() {
        for (code, expected, in_doubt, of_kind) in [
            (Code::MessageSizeTooLarge, Disposition::TooLarge, false, ErrorKind::Answer),
            (Code::InvalidRecord, Disposition::Rejected, false, ErrorKind::Answer),
            (Code::UnknownTopic, Disposition::Misconfigured, false, ErrorKind::Other),
            (Code::TopicAuthorizationFailed, Disposition::Misconfigured, false, ErrorKind::Answer),
            (Code::SSL, Disposition::Misconfigured, false, ErrorKind::Tls),
            (Code::NotEnoughReplicas, RETRY, false, ErrorKind::Answer),
            (Code::NotEnoughReplicasAfterAppend, RETRY, true, ErrorKind::Answer),
            (Code::MessageTimedOut, RETRY, true, ErrorKind::Timeout),
            (Code::BrokerTransportFailure, RETRY, true, ErrorKind::Interrupted),
            (Code::Fatal, RETRY, true, ErrorKind::Other),
        ] {
            let failure = failure(code, None);
            let found = (failure.disposition, failure.maybe_delivered, failure.error.kind());
            assert_eq!(found, (expected, in_doubt, of_kind), "{code:?}");
            assert!(failure.error.to_string().contains(&format!("{code:?}")), "{}", failure.error);
        }
    }

    #[test]
    fn refused_credentials_are_told_in_the_place_of_a_timeout() {
        let refused = failure(Code::MessageTimedOut, Some(Code::Authentication));
        // It may have been sent on an earlier connection, before the password was changed.
        assert_eq!((refused.disposition, refused.maybe_delivered), (Disposition::Misconfigured, true));
        assert!(refused.error.to_string().contains("Authentication"), "{}", refused.error);
        let away = failure(Code::MessageTimedOut, Some(Code::AllBrokersDown));
        assert_eq!((away.disposition, away.error.kind()), (RETRY, ErrorKind::Timeout));
        let answered = failure(Code::NotEnoughReplicas, Some(Code::Authentication));
        assert_eq!(answered.disposition, RETRY);
    }
}
