//! Whom a write is attributed to, for drift that says who caused it.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::auth::Caller;
use super::peer::ClientAddr;
use crate::store::Author;

/// Who makes the request: the subject of its token and the address it comes from, as the provenance of what it writes.
pub struct By(pub Author);

impl<S: Send + Sync> FromRequestParts<S> for By {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let subject = parts.extensions.get::<Caller>().map_or("anonymous", |caller| &*caller.subject);
        let address = parts.extensions.get::<ClientAddr>().map_or_else(String::new, |from| format!(" from {}", from.0));
        Ok(Self(Author(format!("{subject}{address} (API)").into())))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    async fn author(caller: Option<Caller>, from: Option<&str>) -> String {
        let mut request = Request::new(());
        if let Some(from) = from {
            request.extensions_mut().insert(ClientAddr(from.parse().unwrap()));
        }
        if let Some(caller) = caller {
            request.extensions_mut().insert(caller);
        }
        let (mut parts, ()) = request.into_parts();
        let Ok(By(author)) = By::from_request_parts(&mut parts, &()).await;
        author.0.to_string()
    }

    #[tokio::test]
    async fn a_write_is_attributed_to_the_subject_of_its_token_and_the_address_it_comes_from() {
        let ada = || Some(Caller { subject: "ada".into() });
        assert_eq!(author(ada(), Some("172.16.0.7")).await, "ada from 172.16.0.7 (API)");
        assert_eq!(author(ada(), None).await, "ada (API)");
        assert_eq!(author(None, Some("::1")).await, "anonymous from ::1 (API)");
    }
}
