//! Patches of single fields, of one component or of many.

use axum::body::Body;
use axum::extract::State as Of;
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;

use super::write::replace;
use crate::model::{Component, Flag, Nid, Role, State, SubRole, Xname};
use crate::server::common::{Problem, body};
use crate::server::smd::request::{By, PathOf};
use crate::server::smd::{SmdState, answer};
use crate::snapshot::Snapshot;
use crate::store::Decision;
use crate::wire::smd::{BulkNidBody, GivenNid};

/// Which field a route patches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server::smd) enum Field {
    StateData,
    FlagOnly,
    Enabled,
    SoftwareStatus,
    Role,
    Nid,
}

/// The bodies of all these routes; each route reads its own fields.
#[derive(Debug, Default, Deserialize)]
struct PatchBody {
    #[serde(rename = "ID")]
    id: Option<String>,
    #[serde(rename = "ComponentIDs")]
    ids: Option<Vec<String>>,
    #[serde(rename = "State")]
    state: Option<String>,
    #[serde(rename = "Flag")]
    flag: Option<String>,
    #[serde(rename = "Force")]
    force: Option<bool>,
    #[serde(rename = "Enabled")]
    enabled: Option<bool>,
    #[serde(rename = "SoftwareStatus")]
    software_status: Option<String>,
    #[serde(rename = "Role")]
    role: Option<String>,
    #[serde(rename = "SubRole")]
    sub_role: Option<String>,
    #[serde(rename = "NID")]
    nid: Option<Value>,
}

/// A checked patch.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Patch {
    State { state: State, flag: Flag, force: bool },
    Flag(Flag),
    Enabled(bool),
    SoftwareStatus(String),
    Role(Role, Option<SubRole>),
    Nid(Option<Nid>),
}

/// `PATCH State/Components/{xname}/…`. A component that is not there is 404.
pub(in crate::server::smd) async fn one(
    field: Field,
    Of(smd): Of<SmdState>,
    By(author): By,
    PathOf(path): PathOf<String>,
    body: Body,
) -> Result<Response, Problem> {
    let request: PatchBody = body::read_json(body).await?;
    let id = super::changed_xname(&path)?;
    // SMD compares the two as they are spelled.
    if request.id.as_ref().is_some_and(|said| !said.is_empty() && *said != path) {
        return Err(Problem::bad_request("ID in URL and PATCH body do not match"));
    }
    let patch = Patch::read(field, request)?;
    let decide = move |snapshot: &Snapshot| {
        if !snapshot.boot.components.contains_key(&id) {
            return Err(super::missing());
        }
        Ok(decide_patch(snapshot, &[(id, patch)]))
    };
    smd.store.write(author, decide).await?;
    Ok(answer::no_content())
}

/// `PATCH State/Components/Bulk…`. Components that are not there are passed over, as SMD does.
pub(in crate::server::smd) async fn many(
    field: Field,
    Of(smd): Of<SmdState>,
    By(author): By,
    body: Body,
) -> Result<Response, Problem> {
    let mut request: PatchBody = body::read_json(body).await?;
    let ids = request.ids.take().unwrap_or_default();
    if ids.is_empty() {
        return Err(Problem::bad_request("Missing IDs"));
    }
    let patch = Patch::read(field, request)?;
    let pairs =
        ids.iter().map(|id| Ok((super::changed_xname(id)?, patch.clone()))).collect::<Result<Vec<_>, Problem>>()?;
    smd.store.write(author, move |snapshot| Ok::<_, Problem>(decide_patch(snapshot, &pairs))).await?;
    Ok(answer::no_content())
}

/// `PATCH State/Components/BulkNID`: a number for each component.
pub(in crate::server::smd) async fn nids(
    Of(smd): Of<SmdState>,
    By(author): By,
    body: Body,
) -> Result<Response, Problem> {
    let request: BulkNidBody = body::read_json(body).await?;
    let entries = request.components.unwrap_or_default();
    if entries.is_empty() {
        return Err(Problem::bad_request("Missing Components"));
    }
    let pair = |entry: crate::wire::smd::NidBody| {
        let id = super::changed_xname(entry.id.as_deref().unwrap_or_default())?;
        let nid = GivenNid::read(entry.nid.as_ref()).map_err(|error| Problem::bad_request(error.to_string()))?;
        match nid {
            GivenNid::Unsaid => Err(Problem::bad_request(
                "operation 'Bulk Update NID' failed: NID value missing.  Use NID < 0 to unset.",
            )),
            GivenNid::None => Ok((id, Patch::Nid(None))),
            GivenNid::Some(nid) => Ok((id, Patch::Nid(Some(nid)))),
        }
    };
    let pairs = entries.into_iter().map(pair).collect::<Result<Vec<_>, Problem>>()?;
    smd.store.write(author, move |snapshot| Ok::<_, Problem>(decide_patch(snapshot, &pairs))).await?;
    Ok(answer::no_content())
}

const NO_MATCH: &str = "a required argument did not match any valid input";

impl Patch {
    fn read(field: Field, body: PatchBody) -> Result<Self, Problem> {
        let lacks = |name: &str| Problem::bad_request(format!("Missing {name}"));
        let flag = |text: &str| text.parse::<Flag>().map_err(|_| Problem::bad_request(NO_MATCH));
        let said = |text: Option<String>| text.filter(|text| !text.is_empty());
        Ok(match field {
            Field::StateData => {
                let state: State = said(body.state)
                    .ok_or_else(|| lacks("State"))?
                    .parse()
                    .map_err(|_| Problem::bad_request("Argument was not a valid HMS State"))?;
                let force = body.force.unwrap_or_default();
                if !force && predecessors(state).is_empty() {
                    return Err(Problem::bad_request("operation not allowed and not forced."));
                }
                // Beside a state SMD takes a flag that is none for OK.
                let flag = body.flag.and_then(|text| text.parse().ok()).unwrap_or(Flag::Ok);
                Self::State { state, flag, force }
            }
            Field::FlagOnly => Self::Flag(flag(&said(body.flag).ok_or_else(|| lacks("Flag"))?)?),
            Field::Enabled => Self::Enabled(body.enabled.ok_or_else(|| lacks("Enabled field"))?),
            Field::SoftwareStatus => Self::SoftwareStatus(body.software_status.ok_or_else(|| lacks("SoftwareStatus"))?),
            Field::Role => {
                let role = body.role.ok_or_else(|| lacks("Role"))?;
                let role = role.parse().map_err(|_| Problem::bad_request(NO_MATCH))?;
                let sub_role = said(body.sub_role).map(|text| text.parse()).transpose();
                Self::Role(role, sub_role.map_err(|_| Problem::bad_request(NO_MATCH))?)
            }
            Field::Nid => Self::nid(body.nid.as_ref())?,
        })
    }

    fn nid(value: Option<&Value>) -> Result<Self, Problem> {
        // Elsewhere a text may be a number.
        if value.is_some_and(Value::is_string) {
            return Err(Problem::bad_request("NID is not a number"));
        }
        match GivenNid::read(value).map_err(|error| Problem::bad_request(error.to_string()))? {
            GivenNid::Unsaid => Err(Problem::bad_request("Missing NID")),
            GivenNid::None => Ok(Self::Nid(None)),
            GivenNid::Some(nid) => Ok(Self::Nid(Some(nid))),
        }
    }

    fn apply(&self, component: &mut Component) {
        match self {
            Self::State { state, flag, force } => set_state(component, *state, *flag, *force),
            Self::Flag(flag) => component.flag = Some(*flag),
            Self::Enabled(enabled) => component.enabled = *enabled,
            Self::SoftwareStatus(text) => {
                component.software_status = Some(text.clone()).filter(|text| !text.is_empty())
            }
            Self::Role(role, sub_role) => (component.role, component.sub_role) = (Some(*role), *sub_role),
            Self::Nid(nid) => component.nid = *nid,
        }
    }
}

/// The states from which a component may come to this one unforced; none where it always has to be forced.
/// Follows `hms-base`.
fn predecessors(state: State) -> &'static [State] {
    match state {
        State::Unknown | State::Empty | State::Populated => &[],
        State::Off => &[State::Off, State::On, State::Standby, State::Halt, State::Ready],
        State::On => &[State::On, State::Off, State::Standby, State::Halt],
        State::Standby => &[State::Standby, State::Ready],
        State::Halt => &[State::Halt, State::Ready],
        State::Ready => &[State::Ready, State::On, State::Off, State::Standby, State::Halt],
    }
}

/// A step that is not allowed changes nothing and is no error, as in SMD. `Ready` with a warning comes from a late
/// heartbeat and must not wake a node that has left `Ready`. `Locked` outlives every change of state.
fn set_state(component: &mut Component, state: State, flag: Flag, force: bool) {
    let from = |states: &[State]| component.state.is_some_and(|old| states.contains(&old));
    let allowed = if (state, flag) == (State::Ready, Flag::Warning) {
        from(&[State::Ready])
    } else {
        force || from(predecessors(state))
    };
    if allowed {
        component.state = Some(state);
        if component.flag != Some(Flag::Locked) {
            component.flag = Some(flag);
        }
    }
}

/// Patches those that exist, one after the other.
fn decide_patch(snapshot: &Snapshot, patches: &[(Xname, Patch)]) -> Decision<()> {
    let changed = patches.iter().filter_map(|(id, patch)| {
        let old = snapshot.boot.components.get(id)?;
        let mut new = Component::clone(old);
        patch.apply(&mut new);
        replace(old, new)
    });
    Decision::new((), changed.collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::Object;
    use crate::snapshot::Change;

    fn in_state(state: State, flag: Flag) -> Component {
        let id = "x1c0s0b0n0".parse().unwrap();
        Component { state: Some(state), flag: Some(flag), ..Component::bare(id) }
    }

    fn after(mut component: Component, state: State, flag: Flag, force: bool) -> (Option<State>, Option<Flag>) {
        set_state(&mut component, state, flag, force);
        (component.state, component.flag)
    }

    #[test]
    fn a_ready_node_is_not_put_back_to_on_unless_forced() {
        let ready = in_state(State::Ready, Flag::Alert);
        assert_eq!(after(ready.clone(), State::On, Flag::Ok, false), (Some(State::Ready), Some(Flag::Alert)));
        assert_eq!(after(ready, State::On, Flag::Ok, true), (Some(State::On), Some(Flag::Ok)));
    }

    #[test]
    fn a_late_heartbeat_wakes_no_node_that_has_left_ready() {
        let off = in_state(State::Off, Flag::Ok);
        assert_eq!(after(off, State::Ready, Flag::Warning, true), (Some(State::Off), Some(Flag::Ok)));
    }

    #[test]
    fn a_lock_outlives_a_change_of_state() {
        let locked = in_state(State::On, Flag::Locked);
        assert_eq!(after(locked, State::Off, Flag::Ok, false), (Some(State::Off), Some(Flag::Locked)));
    }

    #[test]
    fn states_that_only_discovery_sets_need_force() {
        let body = |force| PatchBody { state: Some("Empty".to_owned()), force, ..PatchBody::default() };
        assert_eq!(Patch::read(Field::StateData, body(None)).unwrap_err().status, 400);
        assert!(Patch::read(Field::StateData, body(Some(true))).is_ok());
    }

    #[test]
    fn a_patch_that_changes_nothing_writes_nothing() {
        let mut snapshot = Snapshot::default();
        let node = in_state(State::On, Flag::Ok);
        let id = node.id.clone();
        snapshot.apply(&Change::Put(Object::Component(Arc::new(node))));
        assert!(decide_patch(&snapshot, &[(id.clone(), Patch::Enabled(true))]).changes.is_empty());
        assert_eq!(decide_patch(&snapshot, &[(id, Patch::Enabled(false))]).changes.len(), 1);
        assert!(decide_patch(&snapshot, &[("x9c0s0b0n0".parse().unwrap(), Patch::Enabled(false))]).changes.is_empty());
    }
}
