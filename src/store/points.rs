//! Where can a kill hit? Named points between any two writes, at which a test can end everything.

use std::fmt;
use std::sync::Arc;

use super::StoreError;

/// Asked at each named point; true ends the program there, as far as the store is concerned.
type Hook = Arc<dyn Fn(&'static str) -> bool + Send + Sync>;

/// The kill points; none are armed outside tests.
#[derive(Clone, Default)]
pub struct Points(Option<Hook>);

impl Points {
    /// Armed with a test's question.
    pub fn armed(hook: impl Fn(&'static str) -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(hook)))
    }

    /// Goes past the point called `name`, unless a test ends it there.
    ///
    /// # Errors
    /// `Killed` if the test says so.
    pub fn pass(&self, name: &'static str) -> Result<(), StoreError> {
        match &self.0 {
            Some(hook) if hook(name) => Err(StoreError::Killed(name)),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Points {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "armed" } else { "unarmed" })
    }
}
