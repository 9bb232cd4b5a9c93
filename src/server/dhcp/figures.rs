//! What is counted: requests by type, answers by type, and packets without an answer by reason.

use std::sync::{Arc, PoisonError};

use super::Dhcp;
use super::outcome::{Outcome, Silence};
use super::request::{Kind, RequestError};
use crate::clock;
use crate::server::common::metrics::{Counter, Figure};

/// The counters.
#[derive(Debug, Default)]
pub(super) struct Counts {
    requests: Counter,
    answers: Counter,
    dropped: Counter,
}

impl Counts {
    /// Counts a message of a client and what came of it.
    pub(super) fn answered(&self, kind: Kind, outcome: &Result<Outcome, Silence>) {
        self.requests.add(match kind {
            Kind::Discover => "discover",
            Kind::Request => "request",
            Kind::Decline => "decline",
            Kind::Release => "release",
            Kind::Inform => "inform",
        });
        match outcome {
            Ok(outcome) if outcome.reply.is_some() => self.answers.add(outcome.word),
            Ok(_) => {}
            Err(silence) => self.dropped.add(match silence {
                Silence::NoNetwork => "no-network",
                Silence::OtherServer => "other-server",
                Silence::NoRecord => "no-record",
                Silence::Ignored => "unknown-ignored",
                Silence::PoolSpent => "pool-spent",
                Silence::NothingToBoot => "nothing-to-boot",
                Silence::Incomplete => "incomplete",
            }),
        }
    }

    /// Counts a packet that is no message of a client.
    pub(super) fn unreadable(&self, error: RequestError) {
        self.dropped.add(match error {
            RequestError::Short => "short",
            RequestError::NotRequest => "not-a-request",
            RequestError::Hardware => "not-ethernet",
            RequestError::Kind => "no-client-message",
        });
    }

    /// Counts a packet beyond its sender's share.
    pub(super) fn flood(&self) {
        self.dropped.add("flood");
    }

    /// Counts an answer that is not sent because its lease cannot be stored in time.
    pub(super) fn unstored(&self) {
        self.dropped.add("journal-full");
    }
}

impl Dhcp {
    /// The figures of all interfaces together.
    #[must_use]
    pub fn figures(self: &Arc<Self>) -> [Figure; 4] {
        let Counts { requests, answers, dropped } = &self.counts;
        let dhcp = self.clone();
        let held = move || dhcp.leases.lock().unwrap_or_else(PoisonError::into_inner).in_force(clock::now()) as u64;
        [
            Figure::by_word("ochami_sync_dhcp_requests_total", "DHCP messages of clients.", "type", requests),
            Figure::by_word("ochami_sync_dhcp_answers_total", "DHCP answers made.", "type", answers),
            Figure::by_word("ochami_sync_dhcp_dropped_total", "DHCP packets without an answer.", "reason", dropped),
            Figure::gauge(
                "ochami_sync_dhcp_leases",
                "Addresses of pools that are held: leased, offered or declined.",
                held,
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{DhcpLease, Record, Records, Timestamp};
    use crate::server::common::Metrics;
    use crate::server::dhcp::BootSettings;
    use crate::store::Store;

    #[test]
    fn requests_answers_drops_and_leases_are_on_the_page() {
        let flags = BootSettings { boot_url: None, boot_port: 80, boot_reachable: true, tftp: true };
        let mut records = Records::default();
        let now = clock::now();
        for (last, expires) in [(1, Timestamp(now.0 + 3_600_000_000)), (2, Timestamp(now.0 - 1))] {
            let mac = Some(crate::model::MacAddr([2, 0, 0, 0, 0, last]));
            let lease = DhcpLease { ip: [172, 16, 0, last].into(), mac, expires };
            records.put(&Record::DhcpLease(Arc::new(lease)));
        }
        let dhcp =
            Dhcp::new(Store::in_memory().boot_views(), flags, &records, Arc::new(|_| Box::pin(async { Ok(()) })));
        let metrics = Metrics::default();
        metrics.show(dhcp.figures());
        let reply = || Some((Vec::new(), std::net::SocketAddrV4::new([127, 0, 0, 1].into(), 68)));
        dhcp.counts.answered(Kind::Discover, &Ok(Outcome { reply: reply(), keep: None, from: None, word: "offer" }));
        dhcp.counts.answered(Kind::Discover, &Err(Silence::PoolSpent));
        dhcp.counts.answered(Kind::Release, &Ok(Outcome { reply: None, keep: None, from: None, word: "release" }));
        dhcp.counts.unreadable(RequestError::Short);
        dhcp.counts.flood();
        let text = metrics.render();
        for line in [
            "ochami_sync_dhcp_requests_total{type=\"discover\"} 2",
            "ochami_sync_dhcp_requests_total{type=\"release\"} 1",
            "ochami_sync_dhcp_answers_total{type=\"offer\"} 1",
            "ochami_sync_dhcp_dropped_total{reason=\"flood\"} 1",
            "ochami_sync_dhcp_dropped_total{reason=\"pool-spent\"} 1",
            "ochami_sync_dhcp_dropped_total{reason=\"short\"} 1",
            "ochami_sync_dhcp_leases 1",
        ] {
            assert!(text.lines().any(|known| known == line), "{line}\n{text}");
        }
        assert!(!text.contains("answers_total{type=\"release\"}"), "nothing is answered to it");
    }
}
