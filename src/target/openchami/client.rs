//! Requests to the services: bounded in time, errors with the service and the reason, never with the token.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use tokio_util::sync::CancellationToken;

use super::{Endpoints, service};
use crate::model::{Kind, Secret};
use crate::target::TargetError;

/// A list of 50,000 nodes takes the real SMD some seconds; a service that needs longer is not answering.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A connection that is not there by then is not coming.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What is under way when the process is to end is waited for so long: less than a daemon takes to end, so that what
/// came of it can be recorded and told.
const GRACE: Duration = Duration::from_secs(4);

/// Reads are tried again after a passing fault; writes are not, the next run settles them.
const READ_TRIES: u32 = 3;

/// The three services and how to reach them.
pub(super) struct Client {
    http: reqwest::Client,
    pub(super) smd: String,
    pub(super) bss: String,
    pub(super) cloud_init: String,
    token: Option<Secret<String>>,
    token_variable: String,
    /// Cancelled when the process is to end: nothing more is sent then, and what is under way comes to its end.
    stop: CancellationToken,
}

/// An answer that is not what was hoped for.
#[derive(Debug)]
pub(super) struct Fault {
    /// The HTTP status; none when no answer came.
    pub(super) status: Option<StatusCode>,
    /// Status and the service's own words, or what happened to the connection.
    pub(super) reason: String,
    /// True when the request reached nobody.
    unsent: bool,
    /// True when the service took the request and let the time run out.
    timed_out: bool,
}

impl Fault {
    /// True when the service never saw the request.
    pub(super) fn never_arrived(&self) -> bool {
        self.unsent
    }

    /// True when the service changed nothing: it refused the request, or never saw it.
    pub(super) fn changed_nothing(&self) -> bool {
        self.unsent || self.status.is_some_and(|status| status.is_client_error())
    }
}

impl Client {
    pub(super) fn new(endpoints: &Endpoints, stop: CancellationToken) -> Result<Self, TargetError> {
        let settings = |what: &str, error: &dyn std::fmt::Display| TargetError::Settings(format!("{what}: {error}"));
        let mut builder = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            // A redirected write arrives as a read, whose success says nothing.
            .redirect(reqwest::redirect::Policy::none());
        for pem in endpoints.ca_pem.iter() {
            let certificates = reqwest::Certificate::from_pem_bundle(pem.as_bytes())
                .map_err(|error| settings("the certificates of the authority cannot be read", &error))?;
            for certificate in certificates {
                builder = builder.add_root_certificate(certificate);
            }
        }
        Ok(Self {
            smd: address(&endpoints.smd)?,
            bss: address(&endpoints.bss)?,
            cloud_init: with_path(address(&endpoints.cloud_init)?)?,
            token: endpoints.token.clone(),
            token_variable: endpoints.token_variable.clone(),
            stop,
            http: builder.build().map_err(|error| settings("no client can be set up", &error))?,
        })
    }

    /// Where objects of a kind are listed and written.
    pub(super) fn base(&self, kind: Kind) -> String {
        match kind {
            Kind::CloudInit | Kind::ClusterDefaults | Kind::CloudInitGroup | Kind::InstanceInfo => {
                self.cloud_init.clone()
            }
            Kind::CloudInitSecure => format!("{}-secure", self.cloud_init),
            Kind::BootParams => self.bss.clone(),
            _ => self.smd.clone(),
        }
    }

    /// Reads a list; none where a cloud-init server does not have such a one, because it is of another generation. A
    /// fault that may pass is waited out; a service that lets the time run out is not asked again.
    pub(super) async fn list(&self, kind: Kind, path: &str) -> Result<Option<Vec<u8>>, TargetError> {
        let url = format!("{}{path}", self.base(kind));
        let mut wait = Duration::from_millis(200);
        let mut tries = 0;
        loop {
            tries += 1;
            let asked = self.stop.run_until_cancelled(self.exchange(Method::GET, &url, None)).await;
            let fault = match asked.unwrap_or_else(|| Err(stopping())) {
                Ok(body) => return Ok(Some(body)),
                Err(fault) => fault,
            };
            match (fault.status, kind) {
                // Without keys to check tokens with, the server has no such store, and nobody's entries are in it.
                (Some(StatusCode::NOT_FOUND), Kind::CloudInitSecure) => return Ok(Some(b"{}".to_vec())),
                (Some(StatusCode::NOT_FOUND), Kind::CloudInit | Kind::CloudInitGroup | Kind::ClusterDefaults) => {
                    return Ok(None);
                }
                _ => {}
            }
            if fault.status.is_some_and(|status| matches!(status.as_u16(), 401 | 403)) {
                let reason = format!("{}; {}", fault.reason, self.about_tokens());
                return Err(TargetError::Denied { service: service(kind), url, reason });
            }
            let passing = !fault.timed_out && fault.status.is_none_or(|status| status.is_server_error());
            if !passing || tries == READ_TRIES || self.stop.is_cancelled() {
                let hint = if fault.status == Some(StatusCode::NOT_FOUND) { ADDRESS_HINT } else { "" };
                return Err(TargetError::Service { service: service(kind), url, reason: fault.reason + hint });
            }
            self.stop.run_until_cancelled(tokio::time::sleep(wait)).await;
            wait *= 3;
        }
    }

    /// Reads one object.
    pub(super) async fn read(&self, kind: Kind, path: &str) -> Result<Vec<u8>, Fault> {
        self.exchange(Method::GET, &format!("{}{path}", self.base(kind)), None).await
    }

    /// What to do about a service that wants another token.
    fn about_tokens(&self) -> String {
        let state = if self.token.is_some() {
            "the access token is expired or not accepted"
        } else {
            "no access token was sent"
        };
        let variable = &self.token_variable;
        if variable.is_empty() {
            return format!("{state}; give one with --token-file");
        }
        format!("{state}; put one into {variable}, or give --token-file")
    }

    /// Sends a write; the body is JSON.
    pub(super) async fn send(
        &self,
        method: Method,
        kind: Kind,
        path: &str,
        body: Option<String>,
    ) -> Result<Vec<u8>, Fault> {
        if self.stop.is_cancelled() {
            return Err(stopping());
        }
        let url = format!("{}{path}", self.base(kind));
        let too_late = async {
            self.stop.cancelled().await;
            tokio::time::sleep(GRACE).await;
        };
        let answer = tokio::select! {
            answer = self.exchange(method, &url, body) => answer,
            () = too_late => Err(unanswered()),
        };
        answer.map_err(|fault| match fault.status {
            // A service may repeat what it was sent.
            Some(status) if kind.is_secret() => Fault { reason: status.to_string(), ..fault },
            _ => fault,
        })
    }

    async fn exchange(&self, method: Method, url: &str, body: Option<String>) -> Result<Vec<u8>, Fault> {
        let mut request = self.http.request(method, url);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose());
        }
        if let Some(body) = body {
            request = request.header(reqwest::header::CONTENT_TYPE, "application/json").body(body);
        }
        let unreached = |error: reqwest::Error| Fault {
            status: None,
            unsent: error.is_connect() || error.is_builder(),
            timed_out: error.is_timeout(),
            reason: chain(&error),
        };
        let response = request.send().await.map_err(unreached)?;
        let status = response.status();
        let bytes = response.bytes().await.map_err(unreached)?;
        if status.is_success() {
            return Ok(bytes.to_vec());
        }
        let reason = format!("{status}: {}", words(&bytes));
        Err(Fault { status: Some(status), reason, unsent: false, timed_out: false })
    }
}

/// The address of a service in its normal form: however it was spelt, one service has one ledger.
fn address(url: &str) -> Result<String, TargetError> {
    let settings = |text: String| Err(TargetError::Settings(text));
    let parsed = match reqwest::Url::parse(url) {
        Ok(parsed) => parsed,
        Err(error) => return settings(format!("`{url}` is no URL: {error}")),
    };
    // It would end up in plans, in the ledger and in messages.
    if !parsed.username().is_empty() || parsed.password().is_some() {
        let host = parsed.host_str().unwrap_or("a service");
        return settings(format!("the address of {host} holds a name or password; give a token instead"));
    }
    if !matches!(parsed.scheme(), "http" | "https") {
        return settings(format!("`{url}` is neither http nor https"));
    }
    if parsed.query().is_some() || parsed.fragment().is_some() {
        return settings(format!("`{url}` holds a `?` or `#`, which the address of a service cannot have"));
    }
    let path: Vec<&str> = parsed.path().split('/').filter(|segment| !segment.is_empty()).collect();
    let mut normal = parsed.origin().ascii_serialization();
    for segment in path {
        normal.push('/');
        normal.push_str(segment);
    }
    Ok(normal)
}

/// The address of the open store, from which that of the secure one is made.
fn with_path(address: String) -> Result<String, TargetError> {
    let path = address.split_once("://").and_then(|(_, rest)| rest.split_once('/'));
    if path.is_some() {
        return Ok(address);
    }
    let why = "the secure store is at the same address with `-secure` behind it";
    Err(TargetError::Settings(format!("the address of cloud-init, {address}, has no path such as /cloud-init: {why}")))
}

/// What may be wrong where a service does not know its own list.
pub(super) const ADDRESS_HINT: &str = "; is the address right, with its prefix?";

fn unanswered() -> Fault {
    let reason = "not answered before the program ended".to_owned();
    Fault { status: None, reason, unsent: false, timed_out: true }
}

fn stopping() -> Fault {
    Fault {
        status: None,
        reason: "not tried, because the program is ending".to_owned(),
        unsent: true,
        timed_out: false,
    }
}

/// The causes of an error, without the address that its own text repeats.
fn chain(error: &reqwest::Error) -> String {
    let mut texts = Vec::new();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        texts.push(error.to_string());
        cause = error.source();
    }
    if texts.is_empty() { "no answer".to_owned() } else { texts.join(": ") }
}

/// What the service says is wrong: the detail of a problem document, or the start of the text, made fit to print.
fn words(body: &[u8]) -> String {
    const MOST: usize = 300;
    let detail = serde_json::from_slice::<serde_json::Value>(body)
        .ok()
        .and_then(|problem| Some(problem.get("detail")?.as_str()?.to_owned()));
    let text = detail.unwrap_or_else(|| String::from_utf8_lossy(body).into_owned());
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MOST).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_service_has_one_address_however_it_is_spelt() {
        let spellings = [
            "https://Demo.OpenCHAMI.cluster/hsm/v2",
            "https://demo.openchami.cluster:443/hsm/v2/",
            "HTTPS://demo.openchami.cluster//hsm/v2//",
        ];
        for spelling in spellings {
            assert_eq!(address(spelling).unwrap(), "https://demo.openchami.cluster/hsm/v2", "{spelling}");
        }
        assert_eq!(address("http://127.0.0.1:8080/").unwrap(), "http://127.0.0.1:8080");
        assert_ne!(address("http://demo:443/hsm/v2").unwrap(), address("https://demo/hsm/v2").unwrap());
    }

    #[test]
    fn an_address_that_cannot_be_used_is_refused_without_repeating_a_password() {
        for wrong in ["demo", "ftp://demo/x", "http://demo/x?y", "http://demo/#x"] {
            assert!(matches!(address(wrong), Err(TargetError::Settings(_))), "{wrong}");
        }
        let error = address("http://root:hunter2@demo/hsm").unwrap_err().to_string();
        assert!(error.contains("demo") && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn an_address_of_cloud_init_has_a_path() {
        assert_eq!(with_path("http://demo/cloud-init".to_owned()).unwrap(), "http://demo/cloud-init");
        assert!(matches!(with_path("http://demo:27777".to_owned()), Err(TargetError::Settings(_))));
    }

    #[test]
    fn what_a_service_says_is_made_fit_to_print() {
        assert_eq!(words(br#"{"detail":"no such xname."}"#), "no such xname.");
        assert_eq!(words(b"a\x1b\nb"), "a  b");
        assert_eq!(words(&[b'x'; 5000]).len(), 300);
    }
}
