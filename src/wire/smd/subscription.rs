//! `Subscriptions/SCN`: who wants to be told of which changes, and what is told.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::model::{Flag, Role, State, SubRole, Subscription, Triggers, Xname};

/// Why a subscription is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubscriptionError {
    /// It does not say for whom it is, or where notices go.
    #[error("Missing {0}")]
    Missing(&'static str),
    /// A word that the field does not take.
    #[error("Invalid {field} '{word}'")]
    Word {
        /// The field.
        field: &'static str,
        /// The word.
        word: String,
    },
    /// Nothing would ever be told.
    #[error("Missing trigger. Must subscribe to atleast one Enabled, Role, SubRole, SoftwareStatus, or State trigger.")]
    NoTrigger,
}

/// A subscription as a client sends it; for PATCH, with what is to be done with the triggers.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct SubscriptionBody {
    /// Who asks.
    #[serde(rename = "Subscriber")]
    pub subscriber: Option<String>,
    /// Where notices go.
    #[serde(rename = "Url")]
    pub url: Option<String>,
    /// `add`, `remove` or `replace`.
    #[serde(rename = "Op")]
    pub operation: Option<String>,
    /// Changes of `Enabled` are told.
    #[serde(rename = "Enabled")]
    pub enabled: Option<bool>,
    /// Which new roles.
    #[serde(rename = "Roles")]
    pub roles: Option<Vec<String>>,
    /// Which new sub-roles.
    #[serde(rename = "SubRoles")]
    pub sub_roles: Option<Vec<String>>,
    /// Which new software states.
    #[serde(rename = "SoftwareStatus")]
    pub software_status: Option<Vec<String>>,
    /// Which new states.
    #[serde(rename = "States")]
    pub states: Option<Vec<String>>,
}

/// What a PATCH does with the triggers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatchOperation {
    /// Adds to those that are there.
    Add,
    /// Takes away from those that are there.
    Remove,
    /// Puts these in the place of those that are there, list by list.
    Replace,
}

impl SubscriptionBody {
    /// Who asks and where notices go, which POST and PUT have to say.
    ///
    /// # Errors
    ///
    /// [`SubscriptionError::Missing`].
    pub fn addressee(&self) -> Result<(String, String), SubscriptionError> {
        let said = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let subscriber = said(&self.subscriber).ok_or(SubscriptionError::Missing("name of subscriber"))?;
        Ok((subscriber, said(&self.url).ok_or(SubscriptionError::Missing("url"))?))
    }

    /// What a PATCH does.
    ///
    /// # Errors
    ///
    /// [`SubscriptionError`] where it does not say, or says something else.
    pub fn operation(&self) -> Result<PatchOperation, SubscriptionError> {
        let text = self.operation.as_deref().unwrap_or_default();
        match text.to_ascii_lowercase().as_str() {
            "" => Err(SubscriptionError::Missing("Patch Op")),
            "add" => Ok(PatchOperation::Add),
            "remove" => Ok(PatchOperation::Remove),
            "replace" => Ok(PatchOperation::Replace),
            _ => Err(SubscriptionError::Word { field: "Patch Op", word: text.to_owned() }),
        }
    }

    /// What is told.
    ///
    /// # Errors
    ///
    /// [`SubscriptionError`] for a word that its field does not take, or where nothing would be told.
    pub fn triggers(self) -> Result<Triggers, SubscriptionError> {
        let triggers = Triggers {
            enabled: self.enabled,
            roles: words::<Role>("role", self.roles)?,
            sub_roles: words::<SubRole>("subRole", self.sub_roles)?,
            software_status: self.software_status.unwrap_or_default(),
            states: words::<State>("state", self.states)?,
        };
        if triggers.software_status.iter().any(String::is_empty) {
            return Err(SubscriptionError::Word { field: "SoftwareStatus", word: String::new() });
        }
        if triggers == (Triggers { enabled: triggers.enabled, ..Triggers::default() }) && triggers.enabled != Some(true)
        {
            return Err(SubscriptionError::NoTrigger);
        }
        Ok(triggers)
    }
}

fn words<T: FromStr>(field: &'static str, words: Option<Vec<String>>) -> Result<Vec<String>, SubscriptionError> {
    let words = words.unwrap_or_default();
    match words.iter().find(|word| word.parse::<T>().is_err()) {
        Some(word) => Err(SubscriptionError::Word { field, word: word.clone() }),
        None => Ok(words),
    }
}

/// A subscription as SMD shows it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SubscriptionView<'a> {
    #[serde(rename = "ID")]
    id: u64,
    subscriber: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    enabled: Option<bool>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    roles: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    sub_roles: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    software_status: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    states: &'a [String],
    url: &'a str,
}

impl<'a> From<&'a Subscription> for SubscriptionView<'a> {
    fn from(subscription: &'a Subscription) -> Self {
        let triggers = &subscription.triggers;
        Self {
            id: subscription.id,
            subscriber: &subscription.subscriber,
            enabled: triggers.enabled,
            roles: &triggers.roles,
            sub_roles: &triggers.sub_roles,
            software_status: &triggers.software_status,
            states: &triggers.states,
            url: &subscription.url,
        }
    }
}

/// What a subscriber is told: the components, and the one thing that changed, as it is now. SMD calls it a state change
/// notification.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct NoticeView {
    /// The components.
    pub components: Vec<Xname>,
    /// Whether they are in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// The remark that goes with the state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flag: Option<Flag>,
    /// What they are for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Within the role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_role: Option<SubRole>,
    /// What the operating system reports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_status: Option<String>,
    /// The state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(text: &str) -> SubscriptionBody {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_subscription_is_shown_as_it_was_given() {
        let text = r#"{"ID":1,"Subscriber":"a@b","Enabled":true,"Roles":["compute"],"States":["on","OFF"],"Url":"http://h/x"}"#;
        let (subscriber, url) = body(text).addressee().unwrap();
        let subscription = Subscription { id: 1, subscriber, url, triggers: body(text).triggers().unwrap() };
        assert_eq!(serde_json::to_string(&SubscriptionView::from(&subscription)).unwrap(), text);
    }

    #[test]
    fn a_subscription_that_says_too_little_or_nonsense_is_refused() {
        for text in [
            r#"{"Roles":["cook"]}"#,
            r#"{"SubRoles":["sous"]}"#,
            r#"{"States":["Zonk"]}"#,
            r#"{"SoftwareStatus":[""]}"#,
            r#"{"Enabled":false}"#,
            r#"{}"#,
        ] {
            assert!(body(text).triggers().is_err(), "{text}");
        }
        for text in [r#"{"Url":"u"}"#, r#"{"Subscriber":"s"}"#, r#"{"Subscriber":"s","Url":""}"#] {
            assert!(body(text).addressee().is_err(), "{text}");
        }
        assert_eq!(body("{}").operation(), Err(SubscriptionError::Missing("Patch Op")));
        assert!(body(r#"{"Op":"turn"}"#).operation().is_err());
        assert_eq!(body(r#"{"Op":"REPLACE"}"#).operation(), Ok(PatchOperation::Replace));
    }

    #[test]
    fn a_notice_says_what_changed_and_nothing_else() {
        let components = vec!["x1c0s0b0n0".parse().unwrap()];
        let notice = NoticeView { components, state: Some(State::On), flag: Some(Flag::Ok), ..NoticeView::default() };
        let text = r#"{"Components":["x1c0s0b0n0"],"Flag":"OK","State":"On"}"#;
        assert_eq!(serde_json::to_string(&notice).unwrap(), text);
    }
}
