//! What does somebody set for themselves? Each setting with its value, and how all of them go over what the file says.

use std::fmt;

use chrono::NaiveTime;
use chrono_tz::Tz;

use super::{DateStyle, HourStyle, NumberStyle, Quiet, Style, time_of_day};

/// Something that somebody set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preference {
    /// The zone of their times.
    Zone(Tz),
    /// When they are not to be woken; always to be told where it is none.
    Quiet(Option<Quiet>),
    /// When their digest comes.
    Digest(NaiveTime),
    /// How their numbers are written.
    Numbers(NumberStyle),
    /// How their dates are written.
    Dates(DateStyle),
    /// How their hours are written.
    Hours(HourStyle),
}

impl Preference {
    /// The names of all settings.
    pub const KEYS: [&str; 6] = ["zone", "quiet", "digest", "numbers", "dates", "hours"];

    /// The name of this one.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Zone(_) => "zone",
            Self::Quiet(_) => "quiet",
            Self::Digest(_) => "digest",
            Self::Numbers(_) => "numbers",
            Self::Dates(_) => "dates",
            Self::Hours(_) => "hours",
        }
    }

    /// Reads a value of the setting of this name.
    ///
    /// # Errors
    /// In words, where there is no such setting or it takes no such value.
    pub fn read(key: &str, value: &str) -> Result<Self, String> {
        let shown = || value.chars().take(32).flat_map(char::escape_debug).collect::<String>();
        Ok(match key {
            "zone" => Self::Zone(value.parse().map_err(|_| format!("\"{}\" is no time zone", shown()))?),
            "quiet" if value.eq_ignore_ascii_case("off") => Self::Quiet(None),
            "quiet" => Self::Quiet(Some(value.parse()?)),
            "digest" => Self::Digest(
                time_of_day(value)
                    .ok_or_else(|| format!("\"{}\" is no time of the day: write it like 08:00", shown()))?,
            ),
            "numbers" => Self::Numbers(value.parse()?),
            "dates" => Self::Dates(value.parse()?),
            "hours" => Self::Hours(value.parse()?),
            _ => return Err(format!("settings are {}", Self::KEYS.join(", "))),
        })
    }
}

/// The value, as it is typed.
impl fmt::Display for Preference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zone(zone) => f.write_str(zone.name()),
            Self::Quiet(None) => f.write_str("off"),
            Self::Quiet(Some(hours)) => hours.fmt(f),
            Self::Digest(at) => write!(f, "{}", at.format("%H:%M")),
            Self::Numbers(numbers) => f.write_str(numbers.as_str()),
            Self::Dates(dates) => f.write_str(dates.as_str()),
            Self::Hours(hours) => f.write_str(hours.as_str()),
        }
    }
}

/// Everything that somebody set; it goes over what the file says of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preferences(Vec<Preference>);

impl FromIterator<Preference> for Preferences {
    fn from_iter<I: IntoIterator<Item = Preference>>(all: I) -> Self {
        Self(all.into_iter().collect())
    }
}

impl Preferences {
    /// What was set under this name.
    pub fn get(&self, key: &str) -> Option<&Preference> {
        self.0.iter().find(|one| one.key() == key)
    }

    /// The zone, if one was set.
    pub fn zone(&self) -> Option<Tz> {
        self.0.iter().find_map(|one| if let Preference::Zone(zone) = one { Some(*zone) } else { None })
    }

    /// The quiet hours; `usual` where nothing was set.
    pub fn quiet(&self, usual: Option<Quiet>) -> Option<Quiet> {
        let set = self.0.iter().find_map(|one| if let Preference::Quiet(quiet) = one { Some(*quiet) } else { None });
        set.unwrap_or(usual)
    }

    /// When the digest comes; at `usual` where nothing was set.
    pub fn digest(&self, usual: NaiveTime) -> NaiveTime {
        let set = self.0.iter().find_map(|one| if let Preference::Digest(at) = one { Some(*at) } else { None });
        set.unwrap_or(usual)
    }

    /// How figures are written; as `usual` where nothing was set.
    pub fn style(&self, usual: Style) -> Style {
        self.0.iter().fold(usual, |style, one| match one {
            Preference::Numbers(numbers) => Style { numbers: *numbers, ..style },
            Preference::Dates(dates) => Style { dates: *dates, ..style },
            Preference::Hours(hours) => Style { hours: *hours, ..style },
            Preference::Zone(_) | Preference::Quiet(_) | Preference::Digest(_) => style,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_is_read_as_it_was_written_and_goes_over_the_file() {
        let set = [
            ("zone", "Europe/Lisbon"),
            ("quiet", "22:00 to 07:00"),
            ("quiet", "off"),
            ("digest", "09:30"),
            ("numbers", "1 234,56"),
            ("dates", "21.11.2026"),
            ("hours", "12"),
        ];
        for (key, value) in set {
            let read = Preference::read(key, value).expect("sound");
            assert_eq!((read.key(), read.to_string().as_str()), (key, value));
            assert!(Preference::KEYS.contains(&key));
        }
        let usual = Quiet { from: NaiveTime::MIN, to: time_of_day("06:00").expect("a time") };
        let none = Preferences::default();
        assert_eq!(
            (none.zone(), none.quiet(Some(usual)), none.style(Style::default())),
            (None, Some(usual), Style::default())
        );
        let some: Preferences = [Preference::Quiet(None), Preference::Hours(HourStyle::Half)].into_iter().collect();
        assert_eq!((some.quiet(Some(usual)), some.style(Style::default()).hours), (None, HourStyle::Half));
    }
}
