//! What does the machine say of itself? The zone that its clock is shown in.

use chrono_tz::Tz;

/// The zone of this machine, as far as it says one: `TZ`, or what the system is set to.
pub fn machine_zone() -> Option<Tz> {
    #[expect(clippy::disallowed_methods, reason = "the one reader of the environment")]
    let named = std::env::var("TZ").ok();
    let named = named.as_deref().and_then(|name| name.trim_start_matches(':').parse().ok());
    named.or_else(|| iana_time_zone::get_timezone().ok()?.parse().ok())
}
