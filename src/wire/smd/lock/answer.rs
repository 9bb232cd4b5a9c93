//! What came of a request for locks or reservations.

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::model::{Component, Reservation, Xname};
use crate::wire::smd::interface::format_seconds;

/// A component that a request could not be carried out for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LockFailure {
    /// The component.
    #[serde(rename = "ID")]
    pub id: String,
    /// SMD's word for the reason: `NotFound`, `Locked`, `Unlocked`, `Disabled`, `Reserved`.
    #[serde(rename = "Reason")]
    pub reason: &'static str,
}

/// What came of a request.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct LockResult {
    /// For which components it was carried out.
    pub success: Vec<Xname>,
    /// For which not.
    pub failure: Vec<LockFailure>,
}

impl Serialize for LockResult {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (success, failure) = (self.success.len(), self.failure.len());
        let mut object = serializer.serialize_struct("LockResult", 3)?;
        let counts = serde_json::json!({"Total": success + failure, "Success": success, "Failure": failure});
        object.serialize_field("Counts", &counts)?;
        object.serialize_field("Success", &serde_json::json!({"ComponentIDs": self.success}))?;
        object.serialize_field("Failure", &self.failure)?;
        object.end()
    }
}

/// A reservation as it is told to its holder, or to whoever checks it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReservedView {
    /// The component.
    #[serde(rename = "ID")]
    pub id: Xname,
    /// What others check it with.
    pub deputy_key: String,
    /// What its holder releases it with; told once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reservation_key: Option<String>,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creation_time: Option<String>,
    /// When it ends by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiration_time: Option<String>,
}

impl ReservedView {
    /// As it is told to its holder.
    #[must_use]
    pub fn made(reservation: &Reservation, reservation_key: String, deputy_key: String) -> Self {
        Self {
            id: reservation.id.clone(),
            deputy_key,
            reservation_key: Some(reservation_key),
            creation_time: None,
            expiration_time: reservation.expires.map(format_seconds),
        }
    }

    /// As it is told to whoever checks it with that key.
    #[must_use]
    pub fn checked(reservation: &Reservation, deputy_key: String) -> Self {
        Self {
            id: reservation.id.clone(),
            deputy_key,
            reservation_key: None,
            creation_time: Some(format_seconds(reservation.created)),
            expiration_time: reservation.expires.map(format_seconds),
        }
    }
}

/// What came of reserving, or of checking.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct ReservationResult {
    /// The reservations that stand.
    #[serde(rename = "Success")]
    pub success: Vec<ReservedView>,
    /// What could not be reserved, or does not stand.
    #[serde(rename = "Failure")]
    pub failure: Vec<LockFailure>,
}

/// The locks of one component.
#[derive(Debug)]
pub struct LockView<'a> {
    /// The component.
    pub component: &'a Component,
    /// Its reservation, where it has one that stands.
    pub reservation: Option<&'a Reservation>,
}

impl Serialize for LockView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let component = self.component;
        let mut object = serializer.serialize_struct("Lock", 6)?;
        object.serialize_field("ID", component.id.as_str())?;
        object.serialize_field("Locked", &component.locked)?;
        object.serialize_field("Reserved", &self.reservation.is_some())?;
        if let Some(reservation) = self.reservation {
            object.serialize_field("CreationTime", &format_seconds(reservation.created))?;
            if let Some(expires) = reservation.expires {
                object.serialize_field("ExpirationTime", &format_seconds(expires))?;
            }
        }
        object.serialize_field("ReservationDisabled", &component.reservation_disabled)?;
        object.end()
    }
}

/// Answer of `locks/status`.
#[derive(Debug, Serialize)]
pub struct LocksView<'a> {
    /// The components.
    #[serde(rename = "Components")]
    pub components: Vec<LockView<'a>>,
    /// Those that were named and are not there.
    #[serde(rename = "NotFound", skip_serializing_if = "Vec::is_empty")]
    pub not_found: Vec<String>,
}
