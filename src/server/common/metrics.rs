//! Figures for Prometheus: requests and connections by role, in a table of atomics that is as large as it will ever be,
//! and what the protocols without HTTP tell of themselves.

mod figure;

use std::fmt::Write as _;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::routing::get;

pub use figure::{Counter, Figure};

use super::role::Role;
use super::routing;

/// A path prefix and the name of the REST room behind it, such as `("/hsm/v2", "smd")`.
pub type Room = (&'static str, &'static str);

/// The classes of HTTP statuses, 1xx to 5xx.
const CLASSES: usize = 5;

/// Upper bounds of the latency buckets, in microseconds: an answer from memory takes tens of them, a durable write some
/// thousands.
const BUCKETS: [u64; 12] = [50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 50_000, 250_000, 1_000_000, 10_000_000];

const ROLES: [Role; Role::COUNT] = [Role::Api, Role::Boot, Role::Metrics, Role::Local, Role::Images, Role::Tftp];

/// The figures. Cheap to clone; counting a request takes no lock.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    rooms: &'static [Room],
    /// By role, then room (the last being all other paths), then status class.
    requests: Vec<[AtomicU64; CLASSES]>,
    roles: [Figures; Role::COUNT],
    /// Of the protocols without HTTP, in the order in which they were given.
    others: Mutex<Vec<Figure>>,
}

#[derive(Default)]
struct Figures {
    connections: AtomicI64,
    panics: AtomicU64,
    /// Not cumulative; the last is for everything beyond the bounds.
    buckets: [AtomicU64; BUCKETS.len() + 1],
    micros: AtomicU64,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new(&[])
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metrics").field("rooms", &self.0.rooms).finish_non_exhaustive()
    }
}

impl Metrics {
    /// Figures at zero, for these rooms.
    #[must_use]
    pub fn new(rooms: &'static [Room]) -> Self {
        let requests = (0..Role::COUNT * (rooms.len() + 1)).map(|_| Default::default()).collect();
        Self(Arc::new(Inner { rooms, requests, roles: Default::default(), others: Mutex::default() }))
    }

    /// Shows these, too, from here on.
    pub fn show(&self, figures: impl IntoIterator<Item = Figure>) {
        self.0.others.lock().unwrap_or_else(PoisonError::into_inner).extend(figures);
    }

    /// Counts an answer and how long it took to begin.
    pub(in crate::server) fn answered(&self, role: Role, path: &str, status: StatusCode, took: Duration) {
        let rooms = self.0.rooms;
        let room = rooms.iter().position(|(prefix, _)| is_below(path, prefix)).unwrap_or(rooms.len());
        let class = usize::from(status.as_u16() / 100).clamp(1, CLASSES) - 1;
        self.0.requests[role.index() * (rooms.len() + 1) + room][class].fetch_add(1, Ordering::Relaxed);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BUCKETS.iter().position(|bound| micros <= *bound).unwrap_or(BUCKETS.len());
        let figures = &self.0.roles[role.index()];
        figures.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        figures.micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// Counts a request whose handler panicked.
    pub(super) fn panicked(&self, role: Role) {
        self.0.roles[role.index()].panics.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a connection as open until the guard is dropped.
    pub(in crate::server) fn connected(&self, role: Role) -> Connected {
        self.0.roles[role.index()].connections.fetch_add(1, Ordering::Relaxed);
        Connected(self.clone(), role)
    }

    /// `GET /metrics`: the figures in Prometheus' text format 0.0.4.
    pub fn routes(&self) -> Router {
        let metrics = self.clone();
        let answer = move || async move {
            ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], metrics.render())
        };
        Router::new().route("/metrics", routing::only("GET,HEAD", get(answer)))
    }

    /// The figures as text. Rooms and classes that were never asked for are left out.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = String::new();
        self.write(&mut text).expect("writing to a string cannot fail");
        text
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        let rooms = self.0.rooms.iter().map(|(_, name)| *name).chain(["other"]).collect::<Vec<_>>();
        head(text, "ochami_sync_http_requests_total", "counter", "HTTP requests answered.")?;
        for (index, classes) in self.0.requests.iter().enumerate() {
            let (role, room) = (ROLES[index / rooms.len()].name(), rooms[index % rooms.len()]);
            for (class, count) in classes.iter().enumerate() {
                let count = count.load(Ordering::Relaxed);
                if count > 0 {
                    let status = class + 1;
                    writeln!(
                        text,
                        "ochami_sync_http_requests_total{{role=\"{role}\",room=\"{room}\",status=\"{status}xx\"}} {count}"
                    )?;
                }
            }
        }
        let name = "ochami_sync_http_request_duration_seconds";
        head(text, name, "histogram", "Time until an answer begins.")?;
        for role in ROLES {
            let figures = &self.0.roles[role.index()];
            let role = role.name();
            let mut below = 0;
            for (bound, count) in BUCKETS.iter().zip(&figures.buckets) {
                below += count.load(Ordering::Relaxed);
                writeln!(text, "{name}_bucket{{role=\"{role}\",le=\"{}\"}} {below}", Seconds(*bound))?;
            }
            below += figures.buckets[BUCKETS.len()].load(Ordering::Relaxed);
            writeln!(text, "{name}_bucket{{role=\"{role}\",le=\"+Inf\"}} {below}")?;
            writeln!(text, "{name}_sum{{role=\"{role}\"}} {}", Seconds(figures.micros.load(Ordering::Relaxed)))?;
            writeln!(text, "{name}_count{{role=\"{role}\"}} {below}")?;
        }
        head(text, "ochami_sync_http_connections", "gauge", "HTTP connections that are open.")?;
        for role in ROLES {
            let count = self.0.roles[role.index()].connections.load(Ordering::Relaxed);
            writeln!(text, "ochami_sync_http_connections{{role=\"{}\"}} {count}", role.name())?;
        }
        head(text, "ochami_sync_http_panics_total", "counter", "Requests whose handler panicked.")?;
        for role in ROLES {
            let count = self.0.roles[role.index()].panics.load(Ordering::Relaxed);
            writeln!(text, "ochami_sync_http_panics_total{{role=\"{}\"}} {count}", role.name())?;
        }
        let others = self.0.others.lock().unwrap_or_else(PoisonError::into_inner);
        others.iter().try_for_each(|figure| figure.write(text))
    }
}

/// A connection that is open.
pub(in crate::server) struct Connected(Metrics, Role);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.0.roles[self.1.index()].connections.fetch_sub(1, Ordering::Relaxed);
    }
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) -> std::fmt::Result {
    writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}")
}

fn is_below(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Microseconds, printed as seconds without rounding.
struct Seconds(u64);

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0 / 1_000_000)?;
        match self.0 % 1_000_000 {
            0 => Ok(()),
            micros => f.write_str(format!(".{micros:06}").trim_end_matches('0')),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOMS: &[Room] = &[("/hsm/v2", "smd"), ("/boot/v1", "bss")];

    fn line<'a>(text: &'a str, start: &str) -> Option<&'a str> {
        text.lines().find_map(|line| line.strip_prefix(start)).map(str::trim)
    }

    #[test]
    fn requests_are_counted_by_role_room_and_class() {
        let metrics = Metrics::new(ROOMS);
        let took = Duration::from_micros(80);
        for path in ["/hsm/v2", "/hsm/v2/groups", "/hsm/v2x", "/"] {
            metrics.answered(Role::Api, path, StatusCode::OK, took);
        }
        metrics.answered(Role::Boot, "/boot/v1/bootscript", StatusCode::NOT_FOUND, took);
        let text = metrics.render();
        let count = |labels: &str| line(&text, &format!("ochami_sync_http_requests_total{{{labels}}}"));
        assert_eq!(count(r#"role="api",room="smd",status="2xx""#), Some("2"));
        assert_eq!(count(r#"role="api",room="other",status="2xx""#), Some("2"));
        assert_eq!(count(r#"role="boot",room="bss",status="4xx""#), Some("1"));
        assert_eq!(count(r#"role="api",room="bss",status="2xx""#), None);
    }

    #[test]
    fn buckets_are_cumulative_and_sum_and_count_agree_with_them() {
        let metrics = Metrics::new(ROOMS);
        for micros in [50, 51, 3_000, 60_000_000] {
            metrics.answered(Role::Boot, "/", StatusCode::OK, Duration::from_micros(micros));
        }
        let text = metrics.render();
        let value = |rest: &str| line(&text, &format!("ochami_sync_http_request_duration_seconds_{rest}")).unwrap();
        assert_eq!(value(r#"bucket{role="boot",le="0.00005"}"#), "1");
        assert_eq!(value(r#"bucket{role="boot",le="0.0001"}"#), "2");
        assert_eq!(value(r#"bucket{role="boot",le="0.005"}"#), "3");
        assert_eq!(value(r#"bucket{role="boot",le="10"}"#), "3");
        assert_eq!(value(r#"bucket{role="boot",le="+Inf"}"#), "4");
        assert_eq!(value(r#"count{role="boot"}"#), "4");
        assert_eq!(value(r#"sum{role="boot"}"#), "60.003101");
    }

    #[test]
    fn connections_are_counted_while_they_are_open_and_panics_for_ever() {
        let metrics = Metrics::new(ROOMS);
        let first = metrics.connected(Role::Api);
        let second = metrics.connected(Role::Api);
        drop(first);
        metrics.panicked(Role::Api);
        let text = metrics.render();
        assert_eq!(line(&text, "ochami_sync_http_connections{role=\"api\"}"), Some("1"));
        assert_eq!(line(&text, "ochami_sync_http_panics_total{role=\"api\"}"), Some("1"));
        drop(second);
        assert_eq!(line(&metrics.render(), "ochami_sync_http_connections{role=\"api\"}"), Some("0"));
    }
}
