//! A room's API as data, and the OpenAPI document made of it.
//!
//! Each REST room has a table ([`Api`]) with a line for every method of every path it routes. The document at
//! `/openapi/NAME.json` is made of it, and the tests of the room (`check`) hold the table equal to the router: no path
//! and no method is missing on either side, every example is answered as the table says, and every answer has the
//! members that its schema has and no others. Whether an operation takes a token is not in the table: the room's own
//! rule is asked, so the document cannot promise another.

#[cfg(test)]
pub(crate) mod check;
mod document;
mod schema;

use axum::Router;
use axum::http::{Method, Uri, header};
use axum::routing::get as on_get;
use bytes::Bytes;

pub use document::document;
pub use schema::{Field, Schema, optional, read_only, required};

use super::routing::only;

/// The API of a room.
#[derive(Debug)]
pub struct Api {
    /// The name in the document's path.
    pub name: &'static str,
    /// The document's title.
    pub title: &'static str,
    /// What the document says first.
    pub description: &'static str,
    /// What precedes the paths, as `servers`; the first is used where one is needed. Empty for none.
    pub prefixes: &'static [&'static str],
    /// The paths, in tables as the room likes to part them.
    pub routes: &'static [&'static [Route]],
    /// What stands in braces in paths.
    pub parameters: &'static [Parameter],
    /// The schemas that have names, parted likewise.
    pub schemas: &'static [&'static [Named]],
    /// How failures are told.
    pub failure: Failure,
    /// The room's rule: true when a request needs no token.
    pub is_open: fn(&Method, &Uri) -> bool,
}

/// A path below the prefix, and what can be done at it.
#[derive(Debug)]
pub struct Route(pub &'static str, pub &'static [Operation]);

/// What one method does at a path.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    /// The method.
    pub method: &'static str,
    /// One sentence on what it does.
    pub summary: &'static str,
    /// What the query may hold.
    pub query: &'static [Query],
    /// The body it takes.
    pub body: Option<Body>,
    /// The answers that are not failures in general.
    pub answers: &'static [Answer],
    /// True where every other method is answered alike.
    pub is_any: bool,
}

/// A body that an operation takes.
#[derive(Debug, Clone, Copy)]
pub struct Body {
    /// What it has to be.
    pub schema: Schema,
    /// One that is accepted, as JSON.
    pub example: &'static str,
}

/// An answer of an operation.
#[derive(Debug, Clone, Copy)]
pub enum Answer {
    /// A JSON document.
    Json(u16, Schema),
    /// Text of that media type.
    Text(u16, &'static str),
    /// Nothing.
    Empty(u16),
    /// A failure that is worth naming, with what it means.
    Fails(u16, &'static str),
}

/// A key of a query.
#[derive(Debug, Clone, Copy)]
pub struct Query(pub &'static str, pub Schema, pub &'static str);

/// What stands in braces in a path: its name, what it is, and one that could be.
#[derive(Debug, Clone, Copy)]
pub struct Parameter(pub &'static str, pub &'static str, pub &'static str);

/// A schema under its name, and what it describes.
#[derive(Debug, Clone, Copy)]
pub struct Named(pub &'static str, pub &'static str, pub Schema);

/// How a room tells failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// As a problem document (RFC 9457).
    Problem,
    /// As a line of text.
    Text,
}

impl Operation {
    const fn new(method: &'static str, summary: &'static str, answers: &'static [Answer]) -> Self {
        Self { method, summary, query: &[], body: None, answers, is_any: false }
    }

    /// Takes those keys in the query.
    #[must_use]
    pub const fn query(self, query: &'static [Query]) -> Self {
        Self { query, ..self }
    }

    /// Takes a body, such as that one.
    #[must_use]
    pub const fn body(self, schema: Schema, example: &'static str) -> Self {
        Self { body: Some(Body { schema, example }), ..self }
    }

    /// Answers every method alike.
    #[must_use]
    pub const fn any(self) -> Self {
        Self { is_any: true, ..self }
    }
}

/// Reads.
#[must_use]
pub const fn get(summary: &'static str, answers: &'static [Answer]) -> Operation {
    Operation::new("GET", summary, answers)
}

/// Creates, or asks with a body.
#[must_use]
pub const fn post(summary: &'static str, answers: &'static [Answer]) -> Operation {
    Operation::new("POST", summary, answers)
}

/// Puts one in the place of another.
#[must_use]
pub const fn put(summary: &'static str, answers: &'static [Answer]) -> Operation {
    Operation::new("PUT", summary, answers)
}

/// Changes parts.
#[must_use]
pub const fn patch(summary: &'static str, answers: &'static [Answer]) -> Operation {
    Operation::new("PATCH", summary, answers)
}

/// Deletes.
#[must_use]
pub const fn delete(summary: &'static str, answers: &'static [Answer]) -> Operation {
    Operation::new("DELETE", summary, answers)
}

impl Api {
    fn routes(&self) -> impl Iterator<Item = &'static Route> {
        self.routes.iter().copied().flatten()
    }

    fn schemas(&self) -> impl Iterator<Item = &'static Named> {
        self.schemas.iter().copied().flatten()
    }

    /// What precedes its paths where one has to be chosen.
    fn prefix(&self) -> &'static str {
        self.prefixes.first().copied().unwrap_or_default()
    }

    /// A path of the table, whole, with an example in the place of each parameter.
    fn sample(&self, path: &str) -> String {
        let filled = self
            .parameters
            .iter()
            .fold(path.to_owned(), |path, Parameter(name, _, example)| path.replace(&format!("{{{name}}}"), example));
        format!("{}{filled}", self.prefix())
    }
}

/// `GET /openapi/NAME.json` for each of them.
pub fn routes(apis: &[&Api]) -> Router {
    apis.iter().fold(Router::new(), |router, api| {
        let text = Bytes::from(document::text(api));
        let answer = async move || ([(header::CONTENT_TYPE, "application/json")], text);
        router.route(&format!("/openapi/{}.json", api.name), only("GET,HEAD", on_get(answer)))
    })
}
