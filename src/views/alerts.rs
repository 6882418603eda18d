//! What did I ask to be told of?

use crate::domain::format::{counted, time};
use crate::domain::{Alert, AlertState};

use super::open::{ViewError, Views};

/// The answer to `/alerts`: those of the asker.
///
/// # Errors
/// When the store cannot be read.
pub fn alerts(views: &Views) -> Result<String, ViewError> {
    let alerts = views.reader().alerts()?;
    if alerts.is_empty() {
        return Err(ViewError::Nothing("no alert of yours waits; /alert AAPL > 200 sets one".to_owned()));
    }
    let zone = views.zone()?;
    let mut lines = vec![format!("{} of {}", counted(alerts.len() as u64, "alert"), views.asker().name)];
    for Alert { id, condition, repeats, expires, state, fired, fired_at, .. } in &alerts {
        let mut parts = vec![if *repeats { "each time" } else { "once" }.to_owned()];
        parts.extend(expires.map(|at| format!("until {}", time(at, zone))));
        if let Some(at) = fired_at {
            parts.push(format!("fired {}, last at {}", counted(*fired, "time"), time(*at, zone)));
        }
        parts.extend((*state == AlertState::Resting).then(|| "still so".to_owned()));
        lines.push(format!("{id}  {condition} · {}", parts.join(" · ")));
    }
    if !views.is_running() {
        lines.push("The bot is not running: nothing is looked at until it starts".to_owned());
    }
    Ok(lines.join("\n"))
}
