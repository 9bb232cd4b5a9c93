//! The phases of an apply: which writes may run side by side.

use crate::model::Kind;
use crate::plan::{Action, Write};

/// A run of writes of one kind and one direction.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::target::openchami) struct Phase {
    pub(super) kind: Kind,
    pub(super) delete: bool,
    /// Positions in the session's writes.
    pub(super) writes: Vec<usize>,
}

impl Phase {
    /// True for what describes controllers and what is behind them.
    fn is_discovery(&self) -> bool {
        !self.delete && matches!(self.kind, Kind::RedfishEndpoint | Kind::ComponentEndpoint)
    }
}

/// Cuts writes into phases, in the order of the plan.
///
/// Redfish endpoints and the component endpoints behind them are one request in SMD, hence one phase; and SMD writes the
/// interfaces behind them anew with it, so a phase of interfaces follows that puts back what it lost.
pub(super) fn of(writes: &[Write]) -> Vec<Phase> {
    let mut phases: Vec<Phase> = Vec::new();
    for (at, write) in writes.iter().enumerate() {
        let next = Phase { kind: write.key.kind, delete: write.action == Action::Delete, writes: vec![at] };
        match phases.last_mut() {
            Some(last) if last.is_discovery() && next.is_discovery() => last.writes.push(at),
            Some(last) if (last.kind, last.delete) == (next.kind, next.delete) => last.writes.push(at),
            _ => phases.push(next),
        }
    }
    if let Some(at) = phases.iter().position(Phase::is_discovery) {
        let follows = phases.get(at + 1).is_some_and(|next| !next.delete && next.kind == Kind::EthernetInterface);
        if !follows {
            phases.insert(at + 1, Phase { kind: Kind::EthernetInterface, delete: false, writes: Vec::new() });
        }
    }
    phases
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ObjectKey;
    use crate::store::LedgerChange;

    fn writes(kinds: &[(Kind, Action)]) -> Vec<Write> {
        let write = |(at, (kind, action)): (usize, &(Kind, Action))| {
            let key = ObjectKey::new(*kind, format!("{at}"));
            Write {
                op: format!("o{at}"),
                action: *action,
                ledger: LedgerChange::Forget(key.clone()),
                key,
                object: None,
                before: None,
                owner: None,
            }
        };
        kinds.iter().enumerate().map(write).collect()
    }

    #[test]
    fn controllers_and_what_is_behind_them_are_one_phase_after_which_interfaces_are_put_back() {
        let kinds = [
            (Kind::Component, Action::Create),
            (Kind::RedfishEndpoint, Action::Update),
            (Kind::ComponentEndpoint, Action::Create),
            (Kind::BootParams, Action::Create),
            (Kind::BootParams, Action::Delete),
            (Kind::RedfishEndpoint, Action::Delete),
            (Kind::Component, Action::Delete),
        ];
        let phases: Vec<_> = of(&writes(&kinds)).into_iter().map(|p| (p.kind, p.delete, p.writes)).collect();
        let expected = [
            (Kind::Component, false, vec![0]),
            (Kind::RedfishEndpoint, false, vec![1, 2]),
            (Kind::EthernetInterface, false, vec![]),
            (Kind::BootParams, false, vec![3]),
            (Kind::BootParams, true, vec![4]),
            (Kind::RedfishEndpoint, true, vec![5]),
            (Kind::Component, true, vec![6]),
        ];
        assert_eq!(phases, expected);
    }

    #[test]
    fn where_interfaces_are_written_anyway_they_are_put_back_in_that_phase() {
        let kinds = [(Kind::ComponentEndpoint, Action::Create), (Kind::EthernetInterface, Action::Create)];
        let phases = of(&writes(&kinds));
        assert_eq!(phases.len(), 2);
        assert_eq!(phases[1].writes, [1]);
    }
}
