//! TLS settings that are reloaded when their files change.

use super::pem::{Pem, Stamp};
use super::tls::{Certificates, Roots};
use crate::error::TransportError;
use crate::receipt::Failure;
use rustls::ClientConfig;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The minimum time between two checks of the files.
const INTERVAL: Duration = Duration::from_secs(1);

/// The TLS settings for new connections. Certificate and key files are read again when they change, because a certificate that
/// is valid for hours or days is renewed while the program runs.
pub(crate) struct RenewedTls {
    certificates: Certificates,
    roots: Roots,
    has_files: bool,
    current: Mutex<Current>,
}

struct Current {
    config: Arc<ClientConfig>,
    /// Of what `config` was read from.
    stamps: Vec<Option<Stamp>>,
    /// When to look at the files again.
    next_look: Instant,
    /// Why the current content of the files is not used.
    trouble: Option<TransportError>,
}

impl RenewedTls {
    pub(crate) fn new(certificates: Certificates, roots: Roots) -> Result<Self, TransportError> {
        // Taken before reading, so that a change during reading is detected later.
        let stamps = stamps(&certificates);
        let config = Arc::new(certificates.config(roots)?);
        let has_files = certificates.all().any(Pem::is_file);
        let current = Current { config, stamps, next_look: Instant::now() + INTERVAL, trouble: None };
        Ok(Self { certificates, roots, has_files, current: Mutex::new(current) })
    }

    /// Returns the settings for a new connection.
    pub(crate) fn config(&self, now: Instant) -> Arc<ClientConfig> {
        let mut current = self.current();
        if self.has_files && current.next_look <= now {
            self.look(&mut current, now);
        }
        Arc::clone(&current.config)
    }

    /// Checks the files now. Returns true if new content was loaded.
    pub(super) fn renew(&self, now: Instant) -> bool {
        self.has_files && self.look(&mut self.current(), now)
    }

    /// If a file is incomplete, or its key does not match yet, nothing changes, and the files are read again at the next check.
    fn look(&self, current: &mut Current, now: Instant) -> bool {
        current.next_look = now + INTERVAL;
        let stamps = stamps(&self.certificates);
        if stamps == current.stamps {
            // The content is the one in use, whatever it was in between.
            current.trouble = None;
            return false;
        }
        match self.certificates.config(self.roots) {
            Ok(config) => {
                let config = Arc::new(config);
                *current = Current { config, stamps, next_look: current.next_look, trouble: None };
                true
            }
            Err(error) => {
                current.trouble = Some(error);
                false
            }
        }
    }

    /// Adds to a failure why the files are not used, which may be its cause.
    pub(crate) fn explain(&self, mut failure: Failure) -> Failure {
        if let Some(trouble) = &self.current().trouble {
            let text = format!("{}; the previous TLS files are still in use: {trouble}", failure.error);
            failure.error = TransportError::new(failure.error.kind(), text).with_source(failure.error);
        }
        failure
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn stamps(certificates: &Certificates) -> Vec<Option<Stamp>> {
    certificates.all().map(Pem::stamp).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authority() -> String {
        let key = rcgen::KeyPair::generate().expect("a key");
        let params = rcgen::CertificateParams::new(Vec::new()).expect("no name");
        params.self_signed(&key).expect("a certificate").pem()
    }

    #[test]
    fn files_are_looked_at_once_a_second_at_most() {
        let path = std::env::temp_dir().join(format!("jkool-renewed-{}", std::process::id()));
        let write = |text: String| std::fs::write(&path, text).expect("writing to the temporary folder");
        write(authority());
        let ca = Pem::File { setting: "ca_certificate_file", path: path.clone() };
        let certificates = Certificates { authorities: vec![ca], identity: None };
        let tls = RenewedTls::new(certificates, Roots::Needed).expect("a certificate");
        let start = tls.current().next_look - INTERVAL;
        let first = tls.config(start);
        let is = |one: &Arc<ClientConfig>, other: &Arc<ClientConfig>| Arc::ptr_eq(one, other);
        assert!(is(&tls.config(start + INTERVAL), &first), "nothing has changed");
        write(authority() + &authority());
        assert!(is(&tls.config(start + INTERVAL * 3 / 2), &first), "it was looked at half a second ago");
        let second = tls.config(start + INTERVAL * 2);
        assert!(!is(&second, &first));
        write(String::new());
        assert!(is(&tls.config(start + INTERVAL * 3), &second), "it is of no use");
        assert!(tls.current().trouble.is_some());
        write(authority());
        assert!(!is(&tls.config(start + INTERVAL * 4), &second));
        assert!(tls.current().trouble.is_none());
        std::fs::remove_file(&path).expect("removing it");
    }
}
