//! What goes wrong, and when? Faults that are scripted for the next requests of a kind, or for all until they are taken back.

use serde::Deserialize;
use serde_json::Value;

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
    Conflict,
    Unauthorized,
    BadRequest,
    /// Every update of a batch `copies` times.
    DuplicateUpdate,
    /// The update that was confirmed last comes again before the new ones.
    RepeatUpdate,
    /// A batch backwards.
    Disorder,
    /// An update of a kind that does not exist, queued at once.
    Garbage,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fault {
    pub(super) kind: Kind,
    method: Option<String>,
    chat: Option<i64>,
    /// How many requests; 0 is all until the faults are cleared.
    #[serde(default = "once")]
    times: u32,
    effect: Option<bool>,
    pub(super) ms: Option<u64>,
    #[serde(default = "bad_gateway")]
    pub(super) status: u16,
    /// Bytes at a time, for `slow`.
    #[serde(default = "few")]
    pub(super) bytes: usize,
    /// How often each update comes, for `duplicate_update`.
    #[serde(default = "twice")]
    pub(super) copies: usize,
    /// Seconds that are told; `null` or absent tells nothing.
    pub(super) retry_after: Option<u64>,
    /// Seconds that are kept; without it those that are told.
    pub(super) enforced_s: Option<u64>,
    pub(super) description: Option<String>,
    /// The body of a garbage update.
    pub(super) update: Option<Value>,
}

fn once() -> u32 {
    1
}

fn twice() -> usize {
    2
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
            Kind::Conflict => "conflict",
            Kind::Unauthorized => "unauthorized",
            Kind::BadRequest => "bad_request",
            Kind::DuplicateUpdate => "duplicate_update",
            Kind::RepeatUpdate => "repeat_update",
            Kind::Disorder => "disorder",
            Kind::Garbage => "garbage",
        }
    }

    fn of_batches(&self) -> bool {
        matches!(self.kind, Kind::DuplicateUpdate | Kind::RepeatUpdate | Kind::Disorder)
    }

    fn is_for(&self, method: &str, chat: Option<i64>) -> bool {
        self.method.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && (self.chat.is_none() || self.chat == chat)
    }
}

#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// Clears all faults, or those for one method.
    pub(super) fn clear(&mut self, method: Option<&str>) {
        self.0.retain(|fault| {
            method.is_some_and(|method| !fault.method.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(method)))
        });
    }

    fn take_where(&mut self, wanted: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let at = self.0.iter().position(wanted)?;
        let fault = self.0[at].clone();
        match fault.times {
            0 => {}
            1 => drop(self.0.remove(at)),
            _ => self.0[at].times -= 1,
        }
        Some(fault)
    }

    /// The fault of a connection whose body is not read.
    pub(super) fn refused(&mut self, method: &str) -> bool {
        self.take_where(|fault| fault.kind == Kind::Refuse && fault.is_for(method, fault.chat)).is_some()
    }

    /// The fault of a request.
    pub(super) fn of_request(&mut self, method: &str, chat: Option<i64>) -> Option<Fault> {
        self.take_where(|fault| fault.kind != Kind::Refuse && !fault.of_batches() && fault.is_for(method, chat))
    }

    /// The fault of a batch of updates that is not empty.
    pub(super) fn of_batch(&mut self) -> Option<Fault> {
        self.take_where(Fault::of_batches)
    }
}
