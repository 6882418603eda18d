//! What does a bot on Discord set and ask before it talks? Who it is, its slash commands, and where the gateway is.

use reqwest::Method;
use serde_json::Value;
use serenity::builder::CreateCommand;

use super::discord::{Account, Discord, id, written};
use super::discord_answer::DiscordError;
use super::discord_client::Call;

impl Discord {
    /// Who the bot is: also shows that the token is right. Asked for once.
    ///
    /// # Errors
    /// When Discord does not say.
    pub async fn myself(&self) -> Result<Account, DiscordError> {
        if let Some(account) = self.account.get() {
            return Ok(account.clone());
        }
        let get = |path: &str, route| Call::new(Method::GET, path.to_owned(), route, 0);
        let user = self.client.call(get("/users/@me", "GET /users/@me")).await?.value;
        let application = self.client.call(get("/applications/@me", "GET /applications/@me")).await?.value;
        let name = user["username"].as_str().unwrap_or_default().to_owned();
        let account = Account { application: id(&application)?, user: id(&user)?, name };
        Ok(self.account.get_or_init(|| account).clone())
    }

    /// Sets all slash commands at once: those of a server, or those that are everywhere.
    ///
    /// # Errors
    /// When they were not taken.
    pub async fn register(&self, guild: Option<u64>, commands: &[CreateCommand]) -> Result<(), DiscordError> {
        let call = self.commands(Method::PUT, guild).await?.with(written(&commands)?);
        self.client.call(call).await.map(drop)
    }

    /// The slash commands that are set, as Discord tells them.
    ///
    /// # Errors
    /// When it does not say.
    pub async fn registered(&self, guild: Option<u64>) -> Result<Value, DiscordError> {
        let call = self.commands(Method::GET, guild).await?;
        Ok(self.client.call(call).await?.value)
    }

    async fn commands(&self, method: Method, guild: Option<u64>) -> Result<Call<'static>, DiscordError> {
        let application = self.myself().await?.application;
        let is_put = method == Method::PUT;
        Ok(match guild {
            None => {
                let route = if is_put { "PUT /applications/{}/commands" } else { "GET /applications/{}/commands" };
                Call::new(method, format!("/applications/{application}/commands"), route, 0)
            }
            Some(guild) => {
                let route = if is_put {
                    "PUT /applications/{}/guilds/{}/commands"
                } else {
                    "GET /applications/{}/guilds/{}/commands"
                };
                Call::new(method, format!("/applications/{application}/guilds/{guild}/commands"), route, guild)
            }
        })
    }

    /// Where the gateway is, how many sessions may begin yet, and how long until there are more.
    pub(super) async fn gateway(&self) -> Result<Value, DiscordError> {
        let call = Call::new(Method::GET, "/gateway/bot".to_owned(), "GET /gateway/bot", 0);
        Ok(self.client.call(call).await?.value)
    }
}
