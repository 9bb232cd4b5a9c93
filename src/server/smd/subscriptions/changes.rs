//! What changed between two states, as notices, and which subscriptions ask for which.
//!
//! A notice is about one thing (state, role, software status or enabled) and all components to which it happened, as
//! SMD sends them. A component that appears is one whose everything is new, and whose state is told without its flag. A
//! flag that changes is told with the state beside it, because that is how a lost heartbeat comes: ready, with a warning.
//! Of a component that goes away nobody is told, as in SMD.

use std::collections::BTreeMap;
use std::sync::Arc;

use imbl::OrdMap;
use imbl::ordmap::DiffItem;

use crate::model::{Component, Flag, Role, State, SubRole, Triggers, Xname};
use crate::wire::smd::NoticeView;

/// One thing that components became.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Became {
    State(State, Option<Flag>),
    Role(Role, Option<SubRole>),
    SoftwareStatus(String),
    Enabled(bool),
}

/// What changed, each with those to whom it happened in the order of their xnames.
pub(super) fn notices(old: &OrdMap<Xname, Arc<Component>>, new: &OrdMap<Xname, Arc<Component>>) -> Vec<NoticeView> {
    let mut found: BTreeMap<Became, Vec<Xname>> = BTreeMap::new();
    for item in old.diff(new) {
        let (before, after) = match item {
            DiffItem::Add(_, after) => (None, after),
            DiffItem::Update { old: (_, before), new: (_, after) } => (Some(&**before), after),
            DiffItem::Remove(..) => continue,
        };
        for became in became(before, after) {
            found.entry(became).or_default().push(after.id.clone());
        }
    }
    found.into_iter().map(|(became, components)| view(became, components)).collect()
}

fn became(before: Option<&Component>, after: &Component) -> impl Iterator<Item = Became> {
    let is_new_state = before.map(|c| (c.state, c.flag)) != Some((after.state, after.flag));
    let state = is_new_state.then_some(after.state).flatten();
    let flag = before.and(after.flag);
    let is_new_role = before.map(|c| (c.role, c.sub_role)) != Some((after.role, after.sub_role));
    let is_new_software = before.map(|c| &c.software_status) != Some(&after.software_status);
    let enabled = (before.map(|c| c.enabled) != Some(after.enabled)).then_some(after.enabled);
    let role = is_new_role.then_some(after.role).flatten();
    let software = after.software_status.clone().filter(|_| is_new_software);
    state
        .map(|state| Became::State(state, flag))
        .into_iter()
        .chain(role.map(|role| Became::Role(role, after.sub_role)))
        .chain(software.map(Became::SoftwareStatus))
        .chain(enabled.map(Became::Enabled))
}

fn view(became: Became, components: Vec<Xname>) -> NoticeView {
    let notice = NoticeView { components, ..NoticeView::default() };
    match became {
        Became::State(state, flag) => NoticeView { state: Some(state), flag, ..notice },
        Became::Role(role, sub_role) => NoticeView { role: Some(role), sub_role, ..notice },
        Became::SoftwareStatus(status) => NoticeView { software_status: Some(status), ..notice },
        Became::Enabled(enabled) => NoticeView { enabled: Some(enabled), ..notice },
    }
}

/// Whether a subscription asks for a notice.
pub(super) fn asks_for(triggers: &Triggers, notice: &NoticeView) -> bool {
    let is_in = |list: &[String], word: Option<&str>| {
        word.is_some_and(|word| list.iter().any(|wanted| wanted.eq_ignore_ascii_case(word)))
    };
    (notice.enabled.is_some() && triggers.enabled == Some(true))
        || is_in(&triggers.states, notice.state.map(State::as_str))
        || is_in(&triggers.roles, notice.role.map(Role::as_str))
        || is_in(&triggers.sub_roles, notice.sub_role.map(SubRole::as_str))
        || is_in(&triggers.software_status, notice.software_status.as_deref())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn node(number: u32) -> Component {
        let id = format!("x1c0s0b0n{number}").parse().unwrap();
        Component { state: Some(State::Off), flag: Some(Flag::Ok), ..Component::bare(id) }
    }

    fn table(components: impl IntoIterator<Item = Component>) -> OrdMap<Xname, Arc<Component>> {
        components.into_iter().map(|component| (component.id.clone(), Arc::new(component))).collect()
    }

    fn told(old: &OrdMap<Xname, Arc<Component>>, new: &OrdMap<Xname, Arc<Component>>) -> Value {
        serde_json::to_value(notices(old, new)).unwrap()
    }

    #[test]
    fn components_that_became_the_same_share_a_notice() {
        let old = table((0..4).map(node));
        let mut new = old.clone();
        let on = |number| Component { state: Some(State::On), ..node(number) };
        new.insert(node(0).id, Arc::new(on(0)));
        new.insert(node(1).id, Arc::new(Component { enabled: false, ..on(1) }));
        new.insert(node(2).id, Arc::new(Component { state: Some(State::Ready), ..node(2) }));
        assert_eq!(
            told(&old, &new),
            json!([
                {"Components": ["x1c0s0b0n0", "x1c0s0b0n1"], "State": "On", "Flag": "OK"},
                {"Components": ["x1c0s0b0n2"], "State": "Ready", "Flag": "OK"},
                {"Components": ["x1c0s0b0n1"], "Enabled": false},
            ])
        );
    }

    #[test]
    fn a_component_that_appears_is_told_whole_and_one_that_goes_is_not_told() {
        let whole = Component {
            role: Some(Role::Compute),
            sub_role: Some(SubRole::Worker),
            software_status: Some("Booted".to_owned()),
            ..node(0)
        };
        let expected = json!([
            {"Components": ["x1c0s0b0n0"], "State": "Off"},
            {"Components": ["x1c0s0b0n0"], "Role": "Compute", "SubRole": "Worker"},
            {"Components": ["x1c0s0b0n0"], "SoftwareStatus": "Booted"},
            {"Components": ["x1c0s0b0n0"], "Enabled": true},
        ]);
        assert_eq!(told(&table([]), &table([whole.clone()])), expected);
        assert_eq!(told(&table([whole]), &table([])), json!([]));
    }

    #[test]
    fn a_number_and_a_lock_are_not_told() {
        let old = node(0);
        let new = Component { nid: Some(crate::model::Nid(7)), locked: true, ..old.clone() };
        assert_eq!(told(&table([old]), &table([new])), json!([]));
    }

    #[test]
    fn a_flag_that_changes_is_told_with_the_state_that_it_goes_with() {
        let old = Component { state: Some(State::Ready), ..node(0) };
        let new = Component { flag: Some(Flag::Warning), ..old.clone() };
        let expected = json!([{"Components": ["x1c0s0b0n0"], "State": "Ready", "Flag": "Warning"}]);
        assert_eq!(told(&table([old]), &table([new])), expected);
        let stateless = Component { state: None, ..node(1) };
        let flagged = Component { flag: Some(Flag::Alert), ..stateless.clone() };
        assert_eq!(told(&table([stateless]), &table([flagged])), json!([]));
    }

    #[test]
    fn a_subscription_asks_for_what_it_names_in_any_case() {
        let notice = |value: Value| {
            let mut new = node(0);
            new.state = None;
            new.enabled = value["enabled"] == true;
            new.role = value["role"].as_str().map(|role| role.parse().unwrap());
            new.sub_role = value["sub_role"].as_str().map(|role| role.parse().unwrap());
            let old = Component { role: None, sub_role: None, enabled: false, ..new.clone() };
            notices(&table([old]), &table([new])).remove(0)
        };
        let role = notice(json!({"role": "Compute", "sub_role": "Worker"}));
        let asks = |triggers: Value| serde_json::from_value::<Triggers>(triggers).unwrap();
        assert!(asks_for(&asks(json!({"roles": ["compute"]})), &role));
        assert!(asks_for(&asks(json!({"sub_roles": ["WORKER"]})), &role));
        assert!(!asks_for(&asks(json!({"roles": ["Service"], "enabled": true, "states": ["On"]})), &role));
        let enabled = notice(json!({"enabled": true}));
        assert!(asks_for(&asks(json!({"enabled": true})), &enabled));
        assert!(!asks_for(&asks(json!({"enabled": false})), &enabled));
    }
}
