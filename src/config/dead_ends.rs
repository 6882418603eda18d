//! Which routes lead nowhere as things are set up? They are taken all the same, so that one file holds while platforms are added, and
//! are told at each start.

use crate::domain::{ChannelKind, Lane};

use super::configured::Config;
use super::environment::Environment;

/// A route that does not lead everywhere where it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadEnd {
    /// Which route, counted from 1 in the order of the file.
    pub route: usize,
    /// It reaches nobody at all.
    pub is_whole: bool,
    /// The ways that are not there, each with what is to be done.
    ways: Vec<String>,
}

impl std::fmt::Display for DeadEnd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let how = if self.is_whole { "reaches nobody" } else { "does not reach everybody" };
        write!(f, "route {} of [[routes]] {how}: {}", self.route, self.ways.join("; "))
    }
}

/// The configured routes that lead where no lane is. A run without a terminal lacks nothing where there is another way.
pub fn dead_ends(config: &Config, environment: &Environment, lanes: &[Lane]) -> Vec<DeadEnd> {
    let mut ends = Vec::new();
    for (index, route) in config.routes.iter().enumerate() {
        let is_whole = !route.to.iter().any(|lane| lanes.contains(lane));
        let counts = |lane: &&Lane| !lanes.contains(lane) && (is_whole || lane.channel != ChannelKind::Terminal);
        let missing = route.to.iter().filter(counts);
        let ways: Vec<String> = missing.map(|lane| format!("{lane} {}", lack(config, environment, *lane))).collect();
        if !ways.is_empty() {
            ends.push(DeadEnd { route: index + 1, is_whole, ways });
        }
    }
    ends
}

/// What a lane lacks, and what to do about it.
fn lack(config: &Config, environment: &Environment, lane: Lane) -> String {
    let who = lane.who;
    let unset = |name: &str| format!("is not set up ({name} turns it on)");
    let unpaired = || format!("leads to no chat yet (\"bellwether pair {who}\" binds one)");
    let lacks = |key: &str| format!("has no address ({key} of {who} in the configuration is one)");
    let first = || "is not there (only the first owner has one)".to_owned();
    match lane.channel {
        ChannelKind::Telegram if environment.telegram_token.is_none() => unset("TELEGRAM_BOT_TOKEN"),
        ChannelKind::Discord if environment.discord_token.is_none() => unset("DISCORD_BOT_TOKEN"),
        ChannelKind::Telegram | ChannelKind::Discord => unpaired(),
        ChannelKind::Sms if environment.twilio.is_none() => unset("TWILIO_ACCOUNT_SID"),
        ChannelKind::Sms => lacks("phone"),
        ChannelKind::Email => lacks("email"),
        ChannelKind::Ntfy if environment.ntfy_url.is_none() => unset("NTFY_URL"),
        ChannelKind::Webhook if environment.webhook_url.is_none() => unset("WEBHOOK_URL"),
        ChannelKind::Terminal if config.owner().is_some_and(|owner| owner.name == who.as_str()) => {
            "is not there (this run has no terminal)".to_owned()
        }
        ChannelKind::Ntfy | ChannelKind::Webhook | ChannelKind::Terminal => first(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::read;

    const FILE: &str = r#"
[[people]]
name = "ana"
phone = "+12025550123"
[[people]]
name = "bo"
role = "viewer"
[[groups]]
name = "club"
discord = 5
[[routes]]
to = ["ana:terminal", "ana:telegram"]
[[routes]]
min = "critical"
to = ["ana:discord", "ana:sms", "club:discord"]
[[routes]]
min = "critical"
to = ["bo:email", "bo:sms", "bo:terminal", "bo:ntfy", "ana:webhook"]
"#;

    fn told(variables: &[(&str, &str)], lanes: &[&str]) -> Vec<String> {
        let set = |name: &str| Ok(variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()));
        let environment = Environment::of(set).expect("variables");
        let lanes: Vec<Lane> = lanes.iter().map(|lane| lane.parse().expect("a lane")).collect();
        let config = read(FILE, None).expect("the same file, whatever is set up");
        dead_ends(&config, &environment, &lanes).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_way_that_is_missing_is_told_with_what_to_do() {
        let all = told(&[], &["ana:terminal"]);
        let first = "route 1 of [[routes]] does not reach everybody: ana:telegram is not set up (TELEGRAM_BOT_TOKEN turns it on)";
        assert_eq!((all.len(), all[0].as_str()), (3, first));
        let second = "route 2 of [[routes]] reaches nobody: ana:discord is not set up (DISCORD_BOT_TOKEN turns it on); \
                      ana:sms is not set up (TWILIO_ACCOUNT_SID turns it on); club:discord is not set up (DISCORD_BOT_TOKEN turns it on)";
        assert_eq!(all[1], second);
        for want in
            ["bo:email has no address (email of bo", "bo:terminal is not there (only", "NTFY_URL", "WEBHOOK_URL"]
        {
            assert!(all[2].contains(want), "{want}: {}", all[2]);
        }
        let account = [
            ("TWILIO_ACCOUNT_SID", "AC00000000000000000000000000000000"),
            ("TWILIO_AUTH_TOKEN", "0123456789abcdef0123456789abcdef"),
            ("TWILIO_FROM", "+12025550100"),
        ];
        let set = [&account[..], &[("TELEGRAM_BOT_TOKEN", "123:abc"), ("DISCORD_BOT_TOKEN", "abc.def.ghi")]].concat();
        let all = told(&set, &["ana:sms", "club:discord"]);
        assert!(all[0].contains("reaches nobody: ana:terminal is not there (this run has no terminal); ana:telegram leads to no chat yet"), "{all:?}");
        assert!(
            all[1].contains(
                "does not reach everybody: ana:discord leads to no chat yet (\"bellwether pair ana\" binds one)"
            ),
            "{all:?}"
        );
        assert!(all[2].contains("bo:sms has no address (phone of bo"), "{all:?}");
    }

    #[test]
    fn a_run_without_a_terminal_lacks_nothing_where_there_is_another_way() {
        let all = told(&[], &["ana:telegram", "ana:discord", "ana:sms", "club:discord", "bo:email"]);
        assert_eq!(all.len(), 1, "{all:?}");
        assert!(all[0].starts_with("route 3"));
    }
}
