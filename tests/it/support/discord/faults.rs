//! What goes wrong, and when? Faults that are scripted for the next requests of a kind, or for all until they are taken back.

use serde::Deserialize;

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// Reset before the body is read. Only the method is looked at.
    Refuse,
    /// Reset without effect and without an answer.
    ResetBefore,
    /// The effect, and then a reset instead of the answer.
    ResetAfter,
    /// The answer after `ms`, or never.
    Hang,
    /// An HTTP status with an HTML body.
    Status,
    /// Half a body.
    CutJson,
    /// An answer of a few bytes at a time.
    Slow,
    /// 429, honest or lying.
    Throttle,
    /// A refusal with a code of Discord's.
    Refusal,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fault {
    pub(super) kind: Kind,
    method: Option<String>,
    /// How many requests; 0 is all until the faults are cleared.
    #[serde(default = "once")]
    times: u32,
    effect: Option<bool>,
    pub(super) ms: Option<u64>,
    #[serde(default = "bad_gateway")]
    pub(super) status: u16,
    #[serde(default)]
    pub(super) code: u32,
    #[serde(default)]
    pub(super) message: String,
    /// Bytes at a time, for `slow`.
    #[serde(default = "few")]
    pub(super) bytes: usize,
    /// Milliseconds that are told; `null` or absent tells nothing.
    pub(super) retry_ms: Option<u64>,
    /// Milliseconds that are kept; without it those that are told.
    pub(super) enforced_ms: Option<u64>,
    /// `user`, `global` or `shared`.
    pub(super) scope: Option<String>,
}

fn once() -> u32 {
    1
}

fn bad_gateway() -> u16 {
    502
}

fn few() -> usize {
    16
}

impl Fault {
    /// Whether the request takes effect although its answer is spoilt.
    pub(super) fn effect(&self) -> bool {
        let usual = matches!(self.kind, Kind::ResetAfter | Kind::CutJson | Kind::Slow | Kind::Hang);
        self.effect.unwrap_or(usual)
    }

    /// Its name as the log shows it.
    pub(super) fn name(&self) -> &'static str {
        match self.kind {
            Kind::Refuse => "refuse",
            Kind::ResetBefore => "reset_before",
            Kind::ResetAfter => "reset_after",
            Kind::Hang => "hang",
            Kind::Status => "status",
            Kind::CutJson => "cut_json",
            Kind::Slow => "slow",
            Kind::Throttle => "throttle",
            Kind::Refusal => "refusal",
        }
    }

    pub(super) fn scope(&self) -> &'static str {
        match self.scope.as_deref() {
            Some("global") => "global",
            Some("shared") => "shared",
            _ => "user",
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The fault of this request; of those whose body is not read where `unread` is set.
    pub(super) fn take(&mut self, method: &str, unread: bool) -> Option<Fault> {
        let is_it = |fault: &Fault| {
            (fault.kind == Kind::Refuse) == unread && fault.method.as_ref().is_none_or(|wanted| wanted == method)
        };
        let at = self.0.iter().position(is_it)?;
        let fault = self.0[at].clone();
        match fault.times {
            0 => {}
            1 => drop(self.0.remove(at)),
            _ => self.0[at].times -= 1,
        }
        Some(fault)
    }
}
