//! `State/Components`: one component.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::field::{said, word, xname};
use super::{FieldError, ListError, Row, Unread, rows};
use crate::model::{Arch, Class, Component, Flag, NetType, Nid, Role, State, SubRole};

/// Which fields of a component are shown beside `ID` and `Type`: SMD's `stateonly`, `flagonly`, `roleonly`, `nidonly`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// All of them.
    All,
    /// `State` and `Flag`.
    State,
    /// `Flag`.
    Flag,
    /// `Role` and `SubRole`.
    Role,
    /// `NID`.
    Nid,
}

/// A component as SMD shows it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ComponentView<'a> {
    #[serde(rename = "ID")]
    id: &'a str,
    #[serde(rename = "Type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<State>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flag: Option<Flag>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    software_status: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<Role>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_role: Option<SubRole>,
    #[serde(rename = "NID", skip_serializing_if = "Option::is_none")]
    nid: Option<Nid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subtype: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    net_type: Option<NetType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    arch: Option<Arch>,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<Class>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    reservation_disabled: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    locked: bool,
}

impl<'a> ComponentView<'a> {
    /// The component with those of its fields.
    #[must_use]
    pub fn new(component: &'a Component, shown: Shown) -> Self {
        let all = shown == Shown::All;
        let on = |fields: Shown| all || shown == fields;
        Self {
            id: component.id.as_str(),
            kind: component.kind().as_str(),
            state: component.state.filter(|_| on(Shown::State)),
            flag: component.flag.filter(|_| on(Shown::State) || on(Shown::Flag)),
            enabled: all.then_some(component.enabled),
            software_status: said(component.software_status.as_deref()).filter(|_| all),
            role: component.role.filter(|_| on(Shown::Role)),
            sub_role: component.sub_role.filter(|_| on(Shown::Role)),
            nid: component.nid.filter(|_| on(Shown::Nid)),
            subtype: said(component.subtype.as_deref()).filter(|_| all),
            net_type: component.net_type.filter(|_| all),
            arch: component.arch.filter(|_| all),
            class: component.class.filter(|_| all),
            reservation_disabled: all && component.reservation_disabled,
            locked: all && component.locked,
        }
    }
}

impl<'a> ComponentView<'a> {
    /// The component as it is sent. SMD refuses one without a state; `On` is what its own clients send for hardware
    /// that nobody has asked yet.
    pub(super) fn sent(component: &'a Component) -> Self {
        let view = Self::new(component, Shown::All);
        Self { state: view.state.or(Some(State::On)), ..view }
    }
}

/// A component as a client sends it, or SMD shows it.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct ComponentBody {
    /// The xname.
    #[serde(rename = "ID")]
    pub id: Option<String>,
    /// It follows from the xname.
    #[serde(rename = "Type")]
    pub kind: Option<Unread>,
    /// Any of [`State`], in any case; so with the other words.
    #[serde(rename = "State")]
    pub state: Option<String>,
    /// Any of [`Flag`].
    #[serde(rename = "Flag")]
    pub flag: Option<String>,
    /// Absent means true.
    #[serde(rename = "Enabled")]
    pub enabled: Option<bool>,
    /// Free text.
    #[serde(rename = "SoftwareStatus")]
    pub software_status: Option<String>,
    /// Any of [`Role`].
    #[serde(rename = "Role")]
    pub role: Option<String>,
    /// Any of [`SubRole`].
    #[serde(rename = "SubRole")]
    pub sub_role: Option<String>,
    /// A number, or a text that is one.
    #[serde(rename = "NID")]
    pub nid: Option<Value>,
    /// Free text.
    #[serde(rename = "Subtype")]
    pub subtype: Option<String>,
    /// Any of [`NetType`].
    #[serde(rename = "NetType")]
    pub net_type: Option<String>,
    /// Any of [`Arch`].
    #[serde(rename = "Arch")]
    pub arch: Option<String>,
    /// Any of [`Class`].
    #[serde(rename = "Class")]
    pub class: Option<String>,
    /// Set by an administrator.
    #[serde(rename = "ReservationDisabled")]
    pub reservation_disabled: Option<bool>,
    /// Set by an administrator.
    #[serde(rename = "Locked")]
    pub locked: Option<bool>,
}

/// What a `NID` field says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GivenNid {
    /// Nothing: a new node gets the default.
    Unsaid,
    /// `-1`: the component has none.
    None,
    /// This one.
    Some(Nid),
}

impl GivenNid {
    /// Reads a `NID` field: a whole number, or a text that is one.
    ///
    /// # Errors
    ///
    /// [`FieldError::Nid`] for fractions, other negative numbers, numbers beyond [`Nid::MAX`] and anything else.
    pub fn read(value: Option<&Value>) -> Result<Self, FieldError> {
        let text = match value {
            None | Some(Value::Null) => return Ok(Self::Unsaid),
            Some(Value::String(text)) if text.is_empty() => return Ok(Self::Unsaid),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        match text.parse::<i64>() {
            Ok(-1) => Ok(Self::None),
            Ok(number) => u64::try_from(number).map(|n| Self::Some(Nid(n))).map_err(|_| FieldError::Nid(text)),
            Err(_) => Err(FieldError::Nid(text)),
        }
    }

    /// The number, where there is one.
    #[must_use]
    pub fn nid(self) -> Option<Nid> {
        if let Self::Some(nid) = self { Some(nid) } else { None }
    }
}

impl TryFrom<ComponentBody> for Component {
    type Error = FieldError;

    /// Takes the body for what it says: nothing is defaulted but `Enabled`.
    fn try_from(body: ComponentBody) -> Result<Self, FieldError> {
        Ok(Self {
            id: xname(body.id.as_deref().unwrap_or_default())?,
            state: word(body.state.as_deref())?,
            flag: word(body.flag.as_deref())?,
            enabled: body.enabled.unwrap_or(true),
            software_status: body.software_status.filter(|text| !text.is_empty()),
            role: word(body.role.as_deref())?,
            sub_role: word(body.sub_role.as_deref())?,
            nid: GivenNid::read(body.nid.as_ref())?.nid(),
            subtype: body.subtype.filter(|text| !text.is_empty()),
            net_type: word(body.net_type.as_deref())?,
            arch: word(body.arch.as_deref())?,
            class: word(body.class.as_deref())?,
            reservation_disabled: body.reservation_disabled.unwrap_or_default(),
            locked: body.locked.unwrap_or_default(),
        })
    }
}

/// Reads the answer of `GET State/Components`.
///
/// # Errors
///
/// [`ListError`] when it is no such list; a row that is wrong is an error of its own.
pub fn read_components(answer: &[u8]) -> Result<Vec<Row<Component>>, ListError> {
    #[derive(Deserialize)]
    struct List<'a> {
        #[serde(borrow, rename = "Components")]
        rows: Option<Vec<&'a RawValue>>,
    }
    let list: List = serde_json::from_slice(answer).map_err(|cause| ListError { list: "Components", cause })?;
    Ok(rows::read(list.rows, |body: ComponentBody| body.try_into()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body(json: &Value) -> ComponentBody {
        serde_json::from_value(json.clone()).unwrap()
    }

    #[test]
    fn a_component_is_shown_in_the_order_and_with_the_names_of_smd() {
        let text = r#"{"ID":"x1000c0s0b1n0","Type":"Node","State":"On","Flag":"OK","Enabled":true,"SoftwareStatus":"AdminStatus","Role":"Compute","SubRole":"Worker","NID":2,"Subtype":"foo","NetType":"Sling","Arch":"X86","Class":"River"}"#;
        let component: Component = serde_json::from_str::<ComponentBody>(text).unwrap().try_into().unwrap();
        assert_eq!(serde_json::to_string(&ComponentView::new(&component, Shown::All)).unwrap(), text);
    }

    #[test]
    fn a_view_of_some_fields_shows_no_others() {
        let component: Component =
            body(&json!({"ID": "x1c0s0b0n0", "State": "on", "Flag": "ok", "Role": "compute", "NID": 7}))
                .try_into()
                .unwrap();
        for (shown, fields) in [
            (Shown::State, r#""State":"On","Flag":"OK""#),
            (Shown::Flag, r#""Flag":"OK""#),
            (Shown::Role, r#""Role":"Compute""#),
            (Shown::Nid, r#""NID":7"#),
        ] {
            let text = serde_json::to_string(&ComponentView::new(&component, shown)).unwrap();
            assert_eq!(text, format!(r#"{{"ID":"x1c0s0b0n0","Type":"Node",{fields}}}"#));
        }
    }

    #[test]
    fn words_are_read_in_any_case_and_wrong_ones_are_named() {
        let component: Component = body(&json!({"ID": "X1C0S0B0N0", "Arch": "arm"})).try_into().unwrap();
        assert_eq!((component.id.as_str(), component.arch), ("x1c0s0b0n0", Some(Arch::Arm)));
        let error = Component::try_from(body(&json!({"ID": "x1", "Role": "Bogus"}))).unwrap_err();
        assert_eq!(error.to_string(), "role 'Bogus' is invalid");
        let error = Component::try_from(body(&json!({"ID": "nodeA"}))).unwrap_err();
        assert_eq!(error.to_string(), "xname ID 'nodeA' is invalid");
    }

    #[test]
    fn a_nid_is_a_whole_number_or_a_text_that_is_one() {
        let read = |value: Value| GivenNid::read(Some(&value));
        assert_eq!(read(json!(0)), Ok(GivenNid::Some(Nid(0))));
        assert_eq!(read(json!("77")), Ok(GivenNid::Some(Nid(77))));
        assert_eq!(read(json!(-1)), Ok(GivenNid::None));
        assert_eq!(read(json!("")), Ok(GivenNid::Unsaid));
        assert_eq!(GivenNid::read(None), Ok(GivenNid::Unsaid));
        for wrong in [json!(1.5), json!("abc"), json!(-2), json!(u64::MAX), json!([1]), json!(true)] {
            assert!(read(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn one_bad_row_does_not_spoil_the_list() {
        let answer = br#"{"Components":[{"ID":"x1c0s0b0n0","State":"Sleepy"},{"ID":"x1c0s0b0n1"},7]}"#;
        let rows = read_components(answer).unwrap();
        assert_eq!(rows[0].as_ref().unwrap_err().to_string(), "`x1c0s0b0n0`: state 'Sleepy' is invalid");
        assert!(rows[1].is_ok());
        assert_eq!(rows[2].as_ref().unwrap_err().id, "2");
        assert!(read_components(b"[]").is_err());
        assert!(read_components(br#"{"Components":null}"#).unwrap().is_empty());
    }
}
