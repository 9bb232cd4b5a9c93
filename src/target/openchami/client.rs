//! Requests to the services: bounded in time, errors with the service and the reason, never with the token.

use std::time::Duration;

use super::{Endpoints, service};
use crate::model::Kind;
use crate::target::TargetError;
use reqwest::{Method, StatusCode};

/// A list of 50,000 nodes takes the real SMD some seconds; a service that needs longer is not answering.
const TIMEOUT: Duration = Duration::from_secs(120);

/// A connection that is not there by then is not coming.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Reads are tried again after a passing fault; writes are not, the next run settles them.
const READ_TRIES: u32 = 3;

/// The three services and how to reach them.
pub(super) struct Client {
    http: reqwest::Client,
    pub(super) smd: String,
    pub(super) bss: String,
    pub(super) cloud_init: String,
    token: Option<crate::model::Secret<String>>,
}

/// An answer that is not what was hoped for.
#[derive(Debug)]
pub(super) struct Fault {
    /// The HTTP status; none when no answer came.
    pub(super) status: Option<StatusCode>,
    /// Status and the service's own words, or what happened to the connection.
    pub(super) reason: String,
}

impl Client {
    pub(super) fn new(endpoints: &Endpoints) -> Result<Self, TargetError> {
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
        let address = |url: &str| match reqwest::Url::parse(url) {
            // It would end up in plans, in the ledger and in messages.
            Ok(parsed) if !parsed.username().is_empty() || parsed.password().is_some() => {
                Err(TargetError::Settings(format!(
                    "the address of {} holds a name or password; give a token instead",
                    parsed.host_str().unwrap_or("a service")
                )))
            }
            Ok(parsed) if matches!(parsed.scheme(), "http" | "https") => {
                Ok(parsed.as_str().trim_end_matches('/').to_owned())
            }
            Ok(_) => Err(TargetError::Settings(format!("`{url}` is neither http nor https"))),
            Err(error) => Err(settings(&format!("`{url}` is no URL"), &error)),
        };
        Ok(Self {
            smd: address(&endpoints.smd)?,
            bss: address(&endpoints.bss)?,
            cloud_init: address(&endpoints.cloud_init)?,
            token: endpoints.token.clone(),
            http: builder.build().map_err(|error| settings("no client can be set up", &error))?,
        })
    }

    /// Where objects of a kind are listed and written.
    pub(super) fn base(&self, kind: Kind) -> String {
        match kind {
            Kind::CloudInit => self.cloud_init.clone(),
            Kind::CloudInitSecure => format!("{}-secure", self.cloud_init),
            Kind::BootParams => self.bss.clone(),
            _ => self.smd.clone(),
        }
    }

    /// Reads a list.
    pub(super) async fn list(&self, kind: Kind, path: &str) -> Result<Vec<u8>, TargetError> {
        let url = format!("{}{path}", self.base(kind));
        let mut wait = Duration::from_millis(200);
        let mut tries = 0;
        loop {
            tries += 1;
            let fault = match self.exchange(Method::GET, &url, None).await {
                Ok(body) => return Ok(body),
                Err(fault) => fault,
            };
            if fault.status.is_some_and(|status| matches!(status.as_u16(), 401 | 403)) {
                let reason = format!("{}; the access token is missing, expired or not accepted", fault.reason);
                return Err(TargetError::Denied { service: service(kind), url, reason });
            }
            let passing = fault.status.is_none_or(|status| status.is_server_error());
            if !passing || tries == READ_TRIES {
                return Err(TargetError::Service { service: service(kind), url, reason: fault.reason });
            }
            tokio::time::sleep(wait).await;
            wait *= 3;
        }
    }

    /// Sends a write; the body is JSON.
    pub(super) async fn send(
        &self,
        method: Method,
        kind: Kind,
        path: &str,
        body: Option<String>,
    ) -> Result<Vec<u8>, Fault> {
        let answer = self.exchange(method, &format!("{}{path}", self.base(kind)), body).await;
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
        let unreached = |error: reqwest::Error| Fault { status: None, reason: chain(&error) };
        let response = request.send().await.map_err(unreached)?;
        let status = response.status();
        let bytes = response.bytes().await.map_err(unreached)?;
        if status.is_success() {
            return Ok(bytes.to_vec());
        }
        Err(Fault { status: Some(status), reason: format!("{status}: {}", words(&bytes)) })
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
