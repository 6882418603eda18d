//! What goes wrong at Discord alone? Its refusals.

use serde::Deserialize;

use super::fake::faults;

pub(super) type Fault = faults::Fault<Own>;
pub(super) type Faults = faults::Faults<Own>;

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// 429, honest or lying.
    Throttle,
    /// A refusal with a code of Discord's.
    Refusal,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Own {
    pub(super) kind: Option<Kind>,
    #[serde(default)]
    pub(super) code: u32,
    #[serde(default)]
    pub(super) message: String,
    /// Milliseconds that are told; `null` or absent tells nothing.
    pub(super) retry_ms: Option<u64>,
    /// Milliseconds that are kept; without it those that are told.
    pub(super) enforced_ms: Option<u64>,
    /// `user`, `global` or `shared`.
    scope: Option<String>,
}

impl Own {
    pub(super) fn scope(&self) -> &'static str {
        match self.scope.as_deref() {
            Some("global") => "global",
            Some("shared") => "shared",
            _ => "user",
        }
    }
}
