//! TLS: a certificate and its key from files, taken up again when the files change.
//!
//! Files that cannot be used are no reason not to start. Until there is a certificate to show, handshakes fail and
//! nothing else does; the files are looked at every few seconds, so whatever mends them need not know of us.

mod validity;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::model::Timestamp;

/// How often the files are looked at. They are small and change every few days.
pub const RELOAD_EVERY: Duration = Duration::from_secs(10);

/// Why there is no certificate to show. No text of a key is in these.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file could not be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A file holds no certificate.
    #[error("`{}` holds no certificate in PEM form", .0.display())]
    NoCertificate(PathBuf),
    /// A file holds no private key.
    #[error("`{}` holds no private key in PEM form", .0.display())]
    NoKey(PathBuf),
    /// Certificate and key cannot be used, or not together.
    #[error("the key in `{}` does not go with the certificate in `{}`", key.display(), cert.display())]
    Mismatch {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What the TLS library said.
        source: rustls::Error,
    },
}

/// Makes the crypto library known to the whole process, which clients that use TLS need. May be called any number of
/// times.
pub fn install_provider() {
    // An error says that one is installed, and then there is nothing to do.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

/// A certificate that can be shown and exchanged while connections are open. Offers TLS 1.2, which iPXE speaks, and 1.3.
#[derive(Debug)]
pub struct Tls {
    cert: PathBuf,
    key: PathBuf,
    provider: Arc<CryptoProvider>,
    shown: Arc<Shown>,
    config: Arc<ServerConfig>,
    /// The digest of the files when they were last looked at, be they good or bad.
    seen: Mutex<Option<blake3::Hash>>,
    /// What was wrong with them then.
    fault: Mutex<Option<String>>,
}

/// The certificate that is shown; none while there is none to show.
#[derive(Debug)]
struct Shown(ArcSwapOption<CertifiedKey>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.load_full()
    }
}

impl Tls {
    /// A certificate chain and its key, both PEM, neither of them looked at yet.
    #[must_use]
    pub fn new(cert: &Path, key: &Path) -> Arc<Self> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let shown = Arc::new(Shown(ArcSwapOption::empty()));
        let mut config = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .expect("the crypto library is built with the cipher suites of both versions")
            .with_no_client_auth()
            .with_cert_resolver(shown.clone());
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let (cert, key, config) = (cert.into(), key.into(), Arc::new(config));
        Arc::new(Self { cert, key, provider, shown, config, seen: Mutex::default(), fault: Mutex::default() })
    }

    /// Looks at the files, takes them into use when they have changed, and says what is wrong, if anything: files that
    /// cannot be used, or a certificate that has expired. An expired one is shown all the same, because a client that
    /// does not mind is better served than one that gets no connection.
    pub fn look(&self, now: Timestamp) -> Option<String> {
        let mut fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        match self.reload() {
            Ok(true) => {
                tracing::info!(tls.cert = %self.cert.display(), "a new certificate is in use");
                *fault = None;
            }
            // Unchanged files are as good or as bad as they were.
            Ok(false) => {}
            Err(error) => {
                let fate = match self.shown.0.load().is_some() {
                    true => "the certificate stays as it was",
                    false => "nobody is answered over https until there is a certificate",
                };
                *fault = Some(format!("{}; {fate}", explain(&error)));
            }
        }
        fault.clone().or_else(|| self.expired(now))
    }

    fn expired(&self, now: Timestamp) -> Option<String> {
        let shown = self.shown.0.load_full()?;
        let end = validity::end(shown.cert.first()?)?;
        let cert = self.cert.display();
        (end < now).then(|| format!("the certificate in `{cert}` has expired on {}; renew it", validity::text(end)))
    }

    /// Takes the files up again when they have changed since they were last looked at, and says whether they were.
    /// New connections are shown the new certificate, open ones go on.
    ///
    /// # Errors
    ///
    /// A file that cannot be read or holds something else, a key that does not go with the certificate; what was shown
    /// so far stays.
    fn reload(&self) -> Result<bool, TlsError> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let files = Files::read(&self.cert, &self.key).inspect_err(|_| *seen = None)?;
        let digest = files.digest();
        if *seen == Some(digest) {
            return Ok(false);
        }
        *seen = Some(digest);
        self.shown.0.store(Some(Arc::new(files.certified(&self.cert, &self.key, &self.provider)?)));
        Ok(true)
    }

    /// Looks at the files every so often until shutdown. `report` hears each time what is wrong, or that nothing is.
    pub async fn watch(
        self: &Arc<Self>,
        every: Duration,
        shutdown: CancellationToken,
        report: impl Fn(Option<String>) + Send,
    ) {
        loop {
            let tls = self.clone();
            // A file may lie on a file system that does not answer; nothing else is to wait for it.
            let looked = tokio::task::spawn_blocking(move || tls.look(clock::now()));
            let Some(looked) = shutdown.run_until_cancelled(looked).await else { return };
            report(looked.unwrap_or_else(|_| Some("looking at the certificate panicked".to_owned())));
            if shutdown.run_until_cancelled(tokio::time::sleep(every)).await.is_none() {
                return;
            }
        }
    }

    /// What turns an accepted connection into a TLS one.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.config.clone())
    }
}

/// The bytes of both files, read together.
struct Files {
    cert: Vec<u8>,
    key: Vec<u8>,
}

impl Files {
    fn read(cert: &Path, key: &Path) -> Result<Self, TlsError> {
        let read = |path: &Path| std::fs::read(path).map_err(|source| TlsError::Read { path: path.into(), source });
        Ok(Self { cert: read(cert)?, key: read(key)? })
    }

    fn digest(&self) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.cert.len().to_le_bytes());
        hasher.update(&self.cert).update(&self.key);
        hasher.finalize()
    }

    fn certified(&self, cert: &Path, key: &Path, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&self.cert)
            .collect::<Result<_, _>>()
            .map_err(|_| TlsError::NoCertificate(cert.into()))?;
        if chain.is_empty() {
            return Err(TlsError::NoCertificate(cert.into()));
        }
        let private = PrivateKeyDer::from_pem_slice(&self.key).map_err(|_| TlsError::NoKey(key.into()))?;
        CertifiedKey::from_der(chain, private, provider).map_err(|source| TlsError::Mismatch {
            cert: cert.into(),
            key: key.into(),
            source,
        })
    }
}

fn explain(error: &TlsError) -> String {
    use std::error::Error as _;
    error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}

#[cfg(test)]
pub(super) mod tests;
