//! TLS: a certificate and its key from files, taken up again when the files change.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

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
    /// The crypto library offers no TLS.
    #[error("TLS cannot be offered")]
    Unavailable(#[from] rustls::Error),
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
}

#[derive(Debug)]
struct Shown(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

impl Tls {
    /// Reads a certificate chain and its key, both PEM.
    ///
    /// # Errors
    ///
    /// A file that cannot be read or holds something else, a key that does not go with the certificate.
    pub fn load(cert: &Path, key: &Path) -> Result<Arc<Self>, TlsError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let files = Files::read(cert, key)?;
        let shown = Arc::new(Shown(ArcSwap::from_pointee(files.certified(cert, key, &provider)?)));
        let mut config = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
            .with_no_client_auth()
            .with_cert_resolver(shown.clone());
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let seen = Mutex::new(Some(files.digest()));
        Ok(Arc::new(Self { cert: cert.into(), key: key.into(), provider, shown, config: Arc::new(config), seen }))
    }

    /// Takes the files up again when they have changed since they were last looked at, and says whether they were.
    /// New connections are shown the new certificate, open ones go on.
    ///
    /// # Errors
    ///
    /// Those of [`Tls::load`]; the certificate shown so far stays.
    pub fn reload(&self) -> Result<bool, TlsError> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let files = Files::read(&self.cert, &self.key).inspect_err(|_| *seen = None)?;
        let digest = files.digest();
        if *seen == Some(digest) {
            return Ok(false);
        }
        *seen = Some(digest);
        self.shown.0.store(Arc::new(files.certified(&self.cert, &self.key, &self.provider)?));
        Ok(true)
    }

    /// Looks at the files every so often until shutdown. `report` hears of each change for better or worse: what is
    /// wrong, or that nothing is.
    pub async fn watch(&self, every: Duration, shutdown: CancellationToken, report: impl Fn(Option<&str>)) {
        let mut fault: Option<String> = None;
        while shutdown.run_until_cancelled(tokio::time::sleep(every)).await.is_some() {
            match self.reload() {
                Ok(true) => {
                    tracing::info!(tls.cert = %self.cert.display(), "a new certificate is in use");
                    fault = None;
                    report(None);
                }
                // Unchanged files are as good or as bad as they were.
                Ok(false) => {}
                Err(error) => {
                    let reason = explain(&error);
                    if fault.as_ref() != Some(&reason) {
                        tracing::error!(tls.cert = %self.cert.display(), reason, "the certificate stays as it was");
                        report(Some(&reason));
                        fault = Some(reason);
                    }
                }
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
pub(super) mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Writes a new self-signed certificate for that name, and its key, into a directory.
    pub(in super::super) fn certificate(directory: &Path, name: &str) -> (PathBuf, PathBuf) {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        let (cert, key) = (directory.join("cert.pem"), directory.join("key.pem"));
        std::fs::write(&cert, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        (cert, key)
    }

    fn shown(tls: &Tls) -> Vec<u8> {
        tls.shown.0.load().cert[0].to_vec()
    }

    #[test]
    fn files_that_cannot_be_used_are_named() {
        let directory = tempfile::tempdir().unwrap();
        let (cert, key) = certificate(directory.path(), "demo.example");
        let (other, empty, torn) =
            (directory.path().join("other"), directory.path().join("empty"), directory.path().join("torn"));
        let made = rcgen::generate_simple_self_signed(["other.example".to_owned()]).unwrap();
        std::fs::write(&other, made.signing_key.serialize_pem()).unwrap();
        std::fs::write(&empty, "").unwrap();
        std::fs::write(&torn, "-----BEGIN CERTIFICATE-----\nAAAA").unwrap();
        let missing = directory.path().join("missing");
        for (cert, key, expected) in [
            (&missing, &key, "cannot read `MISSING`"),
            (&cert, &missing, "cannot read `MISSING`"),
            (&empty, &key, "`EMPTY` holds no certificate in PEM form"),
            (&torn, &key, "`TORN` holds no certificate in PEM form"),
            (&key, &key, "`KEY` holds no certificate in PEM form"),
            (&cert, &empty, "`EMPTY` holds no private key in PEM form"),
            (&cert, &cert, "`CERT` holds no private key in PEM form"),
            (&cert, &other, "the key in `OTHER` does not go with the certificate in `CERT`"),
        ] {
            let mut expected = expected.to_owned();
            for (word, path) in [("MISSING", &missing), ("EMPTY", &empty), ("TORN", &torn), ("OTHER", &other)] {
                expected = expected.replace(word, &path.display().to_string());
            }
            expected = expected.replace("`CERT`", &format!("`{}`", cert.display()));
            expected = expected.replace("`KEY`", &format!("`{}`", key.display()));
            assert_eq!(Tls::load(cert, key).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn a_changed_certificate_is_taken_up_and_a_bad_one_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let (cert, key) = certificate(directory.path(), "first.example");
        let tls = Tls::load(&cert, &key).unwrap();
        let first = shown(&tls);
        assert!(!tls.reload().unwrap(), "nothing has changed");

        std::fs::write(&cert, "half of a cert").unwrap();
        assert!(matches!(tls.reload(), Err(TlsError::NoCertificate(_))));
        assert_eq!(shown(&tls), first);
        assert!(!tls.reload().unwrap(), "the same bad file is reported once");

        certificate(directory.path(), "second.example");
        assert!(tls.reload().unwrap());
        assert_ne!(shown(&tls), first);
    }

    #[test]
    fn files_that_vanish_and_come_back_are_taken_up() {
        let directory = tempfile::tempdir().unwrap();
        let (cert, key) = certificate(directory.path(), "demo.example");
        let tls = Tls::load(&cert, &key).unwrap();
        let text = std::fs::read(&key).unwrap();
        std::fs::remove_file(&key).unwrap();
        assert!(matches!(tls.reload(), Err(TlsError::Read { .. })));
        std::fs::write(&key, text).unwrap();
        assert!(tls.reload().unwrap(), "so that the fault is reported as mended");
    }

    #[tokio::test]
    async fn the_watch_reports_a_fault_once_and_its_end() {
        let directory = tempfile::tempdir().unwrap();
        let (cert, key) = certificate(directory.path(), "demo.example");
        let tls = Tls::load(&cert, &key).unwrap();
        let first = shown(&tls);
        let shutdown = CancellationToken::new();
        let (sender, reports) = mpsc::channel();
        let watch = tls.watch(Duration::from_millis(1), shutdown.clone(), move |fault| {
            sender.send(fault.map(str::to_owned)).unwrap();
        });
        let change = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            std::fs::remove_file(&key).unwrap();
            let fault = wait_for(&reports).await.expect("a fault");
            assert!(fault.contains("cannot read") && fault.contains("key.pem"), "{fault}");
            tokio::time::sleep(Duration::from_millis(20)).await;
            assert!(reports.try_recv().is_err(), "the same fault is reported once");
            certificate(directory.path(), "second.example");
            // Certificate and key are two files: between the two writes they may be seen not to match.
            while wait_for(&reports).await.is_some() {}
            shutdown.cancel();
        };
        tokio::time::timeout(Duration::from_secs(20), async { tokio::join!(watch, change) }).await.expect("it ends");
        assert_ne!(shown(&tls), first);
    }

    async fn wait_for<T>(receiver: &mpsc::Receiver<T>) -> T {
        loop {
            match receiver.try_recv() {
                Ok(value) => return value,
                Err(_) => tokio::time::sleep(Duration::from_millis(1)).await,
            }
        }
    }
}
