//! The meaning of a missing or incomplete response.

use crate::error::{ErrorKind, TransportError};
use crate::receipt::{Disposition, Failure};
use rustls::{AlertDescription, CertificateError};
use std::error::Error;
use std::io;

const RETRY: Disposition = Disposition::Retry { after: None };
const NOTHING_IN_COMMON: &str = "the server supports no version of TLS or HTTP that this program supports";

/// The stage that a request had reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// There was no connection.
    Connecting,
    /// There was a connection, and no part of the request was written.
    Unsent,
    /// A part of the request may have been written, so all of it may have arrived.
    Sent,
}

/// A cause that cannot be derived from the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    TimeOut,
    /// The host's name.
    Name,
    /// The proxy requires authentication.
    ProxyAuthorization,
    /// The request itself.
    Request,
    Other,
}

/// Converts an error to a failure. Before anything was written, nothing was delivered. After that the payload is in doubt and
/// may be the cause, unless the server interrupted the handshake.
pub(super) fn of(stage: Stage, cause: Cause, error: impl Error + Send + Sync + 'static) -> Failure {
    let connecting = stage == Stage::Connecting;
    let late = cause == Cause::TimeOut || is(&error, io::ErrorKind::TimedOut);
    let (kind, disposition, text) = match find(&error).and_then(|tls| of_tls(tls, connecting)) {
        Some(text) => return failure(ErrorKind::Tls, Disposition::Misconfigured, text, error),
        None if cause == Cause::Request => {
            (ErrorKind::Other, Disposition::Misconfigured, "the request could not be built")
        }
        None if stage == Stage::Sent => {
            let (kind, text) = match late {
                true => (ErrorKind::Timeout, "no response within the timeout"),
                false => (ErrorKind::Interrupted, "the connection was lost before the response was complete"),
            };
            return failure(kind, RETRY, text, error).in_doubt().content_in_doubt();
        }
        None if late => (ErrorKind::Timeout, RETRY, "no connection within the timeout"),
        None if cause == Cause::Name => (ErrorKind::Connect, RETRY, "the host name could not be resolved"),
        None if cause == Cause::ProxyAuthorization => {
            (ErrorKind::Connect, Disposition::Misconfigured, "the proxy requires a user name and a password (407)")
        }
        None if is(&error, io::ErrorKind::ConnectionRefused) => {
            (ErrorKind::Connect, RETRY, "the connection was refused")
        }
        None => (ErrorKind::Connect, RETRY, "the connection failed"),
    };
    failure(kind, disposition, text, error)
}

/// The failure of a closed transport.
pub(super) fn closed() -> Failure {
    Failure::new(RETRY, TransportError::new(ErrorKind::Closed, "the transport is closed"))
}

fn failure(
    kind: ErrorKind,
    disposition: Disposition,
    text: &'static str,
    error: impl Error + Send + Sync + 'static,
) -> Failure {
    Failure::new(disposition, TransportError::new(kind, text).with_source(error))
}

/// The text for a TLS error that no retry can fix, because one side does not accept the other. `None` for other errors, such as
/// an interrupted handshake or damage on a connection that worked before.
fn of_tls(error: &rustls::Error, connecting: bool) -> Option<&'static str> {
    match error {
        rustls::Error::InvalidCertificate(error) => Some(of_certificate(error)),
        // With TLS 1.3 the client finishes its handshake before the server has checked its certificate.
        rustls::Error::AlertReceived(alert) => of_alert(*alert),
        _ if !connecting => None,
        rustls::Error::NoCertificatesPresented => Some("the server has no certificate"),
        rustls::Error::PeerIncompatible(_) | rustls::Error::NoApplicationProtocol => Some(NOTHING_IN_COMMON),
        rustls::Error::InvalidMessage(_) => Some("the server does not speak TLS at this port; should the url be http?"),
        _ => None,
    }
}

fn of_certificate(error: &CertificateError) -> &'static str {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "the server's certificate has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the server's certificate is not valid yet; check the clock of this machine"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the server's certificate is not valid for this host name"
        }
        // A bad signature comes from another authority with the same name.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "the server's certificate is not signed by an authority that this machine trusts; add a private one by \
             ca_certificate_pem or ca_certificate_file"
        }
        CertificateError::Revoked => "the server's certificate has been revoked",
        _ => "the server's certificate is invalid",
    }
}

/// The reason that the server gives in its alert.
fn of_alert(alert: AlertDescription) -> Option<&'static str> {
    match alert {
        AlertDescription::CertificateRequired => {
            Some("the server requires a client certificate; set client_identity_pem or client_identity_files")
        }
        AlertDescription::NoCertificate
        | AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateExpired
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnknownCA
        | AlertDescription::AccessDenied => Some("the server rejected the client certificate"),
        AlertDescription::HandshakeFailure
        | AlertDescription::ProtocolVersion
        | AlertDescription::InsufficientSecurity
        | AlertDescription::NoApplicationProtocol => Some(NOTHING_IN_COMMON),
        AlertDescription::UnrecognisedName => Some("the server does not serve this host name"),
        _ => None,
    }
}

/// Returns the first error of type `T` in the chain of sources. An `io::Error` hides its inner error from `source`, so it is
/// unwrapped.
pub(super) fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    None
}

fn is(error: &(dyn Error + 'static), kind: io::ErrorKind) -> bool {
    find::<io::Error>(error).is_some_and(|error| error.kind() == kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::InvalidMessage;

    #[test]
    fn finds_what_an_io_error_wraps() {
        let tls = rustls::Error::AlertReceived(AlertDescription::UnknownCA);
        let wrapped = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, tls));
        assert!(find::<rustls::Error>(&wrapped).is_some());
        assert!(find::<rustls::Error>(&io::Error::from(io::ErrorKind::UnexpectedEof)).is_none());
    }

    #[test]
    fn a_certificate_is_a_setting_and_a_cut_is_not() {
        let says =
            |error: rustls::Error, words: &str| assert!(of_tls(&error, true).is_some_and(|text| text.contains(words)));
        says(rustls::Error::InvalidCertificate(CertificateError::Expired), "expired");
        says(rustls::Error::InvalidCertificate(CertificateError::NotValidYet), "clock");
        says(rustls::Error::InvalidCertificate(CertificateError::NotValidForName), "host name");
        says(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer), "authority");
        says(rustls::Error::InvalidCertificate(CertificateError::Revoked), "revoked");
        says(rustls::Error::InvalidCertificate(CertificateError::BadEncoding), "invalid");
        says(rustls::Error::AlertReceived(AlertDescription::CertificateRequired), "client_identity_pem");
        says(rustls::Error::AlertReceived(AlertDescription::ProtocolVersion), "version");
        says(rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType), "does not speak TLS");
        assert_eq!(of_tls(&rustls::Error::AlertReceived(AlertDescription::InternalError), true), None);
        assert_eq!(of_tls(&rustls::Error::AlertReceived(AlertDescription::CloseNotify), true), None);
        assert_eq!(of_tls(&rustls::Error::DecryptError, true), None);
        assert_eq!(of_tls(&rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType), false), None);
    }
}
