//! Certificates that are good, bad, renewed and expired.

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

/// A certificate and its key that are in use already.
pub(in super::super) fn loaded(cert: &Path, key: &Path) -> Result<Arc<Tls>, TlsError> {
    let tls = Tls::new(cert, key);
    tls.reload()?;
    Ok(tls)
}

fn shown(tls: &Tls) -> Vec<u8> {
    tls.shown.0.load_full().unwrap().cert[0].to_vec()
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
        assert_eq!(loaded(cert, key).unwrap_err().to_string(), expected);
    }
}

#[test]
fn a_changed_certificate_is_taken_up_and_a_bad_one_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let (cert, key) = certificate(directory.path(), "first.example");
    let tls = loaded(&cert, &key).unwrap();
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
    let tls = loaded(&cert, &key).unwrap();
    let text = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    assert!(matches!(tls.reload(), Err(TlsError::Read { .. })));
    std::fs::write(&key, text).unwrap();
    assert!(tls.reload().unwrap(), "so that the fault is reported as mended");
}

#[test]
fn what_is_wrong_at_first_is_told_and_over_once_the_files_are_there() {
    let directory = tempfile::tempdir().unwrap();
    let (cert, key) = (directory.path().join("cert.pem"), directory.path().join("key.pem"));
    let tls = Tls::new(&cert, &key);
    let fault = tls.look(clock::now()).unwrap();
    assert!(fault.contains("cert.pem") && fault.contains("nobody is answered over https"), "{fault}");
    std::fs::write(&cert, "half of a cert").unwrap();
    std::fs::write(&key, "").unwrap();
    let fault = tls.look(clock::now()).unwrap();
    assert!(fault.contains("holds no certificate"), "{fault}");
    assert_eq!(tls.look(clock::now()), Some(fault), "unchanged files are as bad as they were");
    certificate(directory.path(), "demo.example");
    assert_eq!(tls.look(clock::now()), None);
    std::fs::remove_file(&key).unwrap();
    assert!(tls.look(clock::now()).unwrap().contains("the certificate stays as it was"));
}

#[test]
fn an_expired_certificate_is_shown_and_told() {
    let directory = tempfile::tempdir().unwrap();
    let (cert, key) = (directory.path().join("cert.pem"), directory.path().join("key.pem"));
    let mut params = rcgen::CertificateParams::new(["demo.example".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2019, 1, 1);
    params.not_after = rcgen::date_time_ymd(2020, 2, 29);
    let pair = rcgen::KeyPair::generate().unwrap();
    std::fs::write(&cert, params.self_signed(&pair).unwrap().pem()).unwrap();
    std::fs::write(&key, pair.serialize_pem()).unwrap();
    let tls = Tls::new(&cert, &key);
    let fault = tls.look(clock::now()).unwrap();
    assert_eq!(fault, format!("the certificate in `{}` has expired on 2020-02-29T00:00:00Z; renew it", cert.display()));
    assert!(!shown(&tls).is_empty());
    let day_before = Timestamp(1_582_848_000_000_000);
    assert_eq!(tls.look(day_before), None);
}

#[tokio::test]
async fn the_watch_reports_a_fault_and_its_end() {
    let directory = tempfile::tempdir().unwrap();
    let (cert, key) = certificate(directory.path(), "demo.example");
    let tls = loaded(&cert, &key).unwrap();
    let first = shown(&tls);
    let shutdown = CancellationToken::new();
    let (sender, reports) = mpsc::channel();
    let watch = tls.watch(Duration::from_millis(1), shutdown.clone(), move |fault| sender.send(fault).unwrap());
    let change = async {
        assert_eq!(wait_for(&reports).await, None);
        std::fs::remove_file(&key).unwrap();
        let fault = loop {
            if let Some(fault) = wait_for(&reports).await {
                break fault;
            }
        };
        assert!(fault.contains("cannot read") && fault.contains("key.pem"), "{fault}");
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
