//! How does the program end? With a code, one message, and what to do next.

use crate::config::ConfigError;
use crate::control::DeskError;
use crate::engine::{RestoreBooksError, RunnerError};
use crate::market::FeedError;
use crate::store::{LeaseError, StoreError};
use crate::views::ViewError;

/// Why the program could not do what it was told.
#[derive(Debug)]
pub enum AppError {
    /// It was told wrongly: exit code 2.
    Usage {
        /// What is wrong.
        what: String,
        /// What to do.
        hint: Option<String>,
    },
    /// It was told rightly and failed: exit code 1.
    Failed {
        /// What happened, with its causes.
        what: String,
        /// What to do.
        hint: Option<String>,
    },
    /// It did what it was told and the answer is no, already printed: exit code 1.
    No,
}

impl AppError {
    /// Wrong usage.
    pub fn usage(what: impl Into<String>) -> Self {
        Self::Usage { what: what.into(), hint: None }
    }

    /// A failure.
    pub fn failed(what: impl Into<String>) -> Self {
        Self::Failed { what: what.into(), hint: None }
    }

    /// The same with advice.
    #[must_use]
    pub fn with_hint(self, advice: impl Into<String>) -> Self {
        match self {
            Self::Usage { what, .. } => Self::Usage { what, hint: Some(advice.into()) },
            Self::Failed { what, .. } => Self::Failed { what, hint: Some(advice.into()) },
            Self::No => Self::No,
        }
    }

    /// The exit code.
    pub fn code(&self) -> u8 {
        match self {
            Self::Usage { .. } => 2,
            Self::Failed { .. } | Self::No => 1,
        }
    }

    /// What to print; none if everything is said.
    pub fn message(&self) -> Option<String> {
        match self {
            Self::Usage { what, hint } | Self::Failed { what, hint } => {
                let hint = hint.as_ref().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
                Some(format!("error: {what}{hint}"))
            }
            Self::No => None,
        }
    }
}

/// An error with its causes, as one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        Self::Failed { what: chain(&error), hint: error.hint().map(str::to_owned) }
    }
}

impl From<ViewError> for AppError {
    fn from(error: ViewError) -> Self {
        match error {
            ViewError::Store(error) => error.into(),
            ViewError::Amount(error) => Self::failed(error.to_string()),
            ViewError::Nothing(what) => Self::failed(what),
        }
    }
}

impl From<ConfigError> for AppError {
    fn from(error: ConfigError) -> Self {
        Self::usage(chain(&error)).with_hint("docs/CONFIGURATION.md lists every key")
    }
}

impl From<FeedError> for AppError {
    fn from(error: FeedError) -> Self {
        let failed = Self::failed(chain(&error));
        match error {
            FeedError::Problems { .. } => {
                failed.with_hint("\"bellwether data check PATH\" lists every problem; mend the files or leave them out")
            }
            FeedError::OtherFile { .. } => Self::usage(chain(&error))
                .with_hint("ask for what the name says, or rename the file if the name is wrong"),
            FeedError::OneFile { .. } => Self::usage(chain(&error))
                .with_hint("name the folder that has a file of each, such as AAPL.1d.csv, or ask for one symbol"),
            FeedError::Folder { .. } | FeedError::NoFile { .. } | FeedError::Empty(_) => {
                failed.with_hint("--data takes a folder of files such as AAPL.1d.csv, or one such file")
            }
        }
    }
}

impl From<LeaseError> for AppError {
    fn from(error: LeaseError) -> Self {
        let failed = Self::failed(chain(&error));
        match error {
            LeaseError::Taken(_) => failed.with_hint("stop it first, or set BELLWETHER_DB to another file"),
            LeaseError::File { .. } => {
                failed.with_hint("use a folder you may write to, or set BELLWETHER_DB to a file in one")
            }
        }
    }
}

impl From<RestoreBooksError> for AppError {
    fn from(error: RestoreBooksError) -> Self {
        Self::failed(chain(&error)).with_hint(
            "bring the prices or the configuration back, set BELLWETHER_DB to another file, or begin anew with --fresh",
        )
    }
}

impl From<RunnerError> for AppError {
    fn from(error: RunnerError) -> Self {
        match error {
            RunnerError::Restore(error) => error.into(),
            RunnerError::Store(ref inner) => {
                let hint = inner.hint().map(str::to_owned);
                Self::Failed { what: chain(&error), hint }
            }
            RunnerError::Cycle(_) => Self::failed(chain(&error)),
        }
    }
}

impl From<DeskError> for AppError {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::Store(error) => error.into(),
            other => Self::failed(other.to_string()),
        }
    }
}
