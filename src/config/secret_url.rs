//! How is an address kept whose path is a password? It prints its scheme and host, and nothing else.

use std::fmt;
use std::str::FromStr;

use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

/// An address that whoever knows it may use, such as that of a webhook.
#[derive(Clone)]
pub struct SecretUrl {
    whole: SecretString,
    shown: String,
}

impl SecretUrl {
    /// The whole address, for the request alone.
    pub fn expose(&self) -> &str {
        self.whole.expose_secret()
    }
}

impl FromStr for SecretUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url = web_address(text)?;
        let host = url.host_str().unwrap_or_default();
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let shown = format!("{}://{host}{port}/***", url.scheme());
        Ok(Self { whole: String::from(url).into(), shown })
    }
}

impl fmt::Display for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.shown)
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// An address on the web; what is wrong with any other text is told without the text.
pub(super) fn web_address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("is no address ({error})"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("is no address of the web: it does not begin with https:// or http://".to_owned());
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_whole_inside_and_prints_its_host_alone() {
        let written = "https://ana:word@hooks.example.org:8443/t/CANARY?key=CANARY#CANARY";
        let url: SecretUrl = written.parse().expect("an address");
        assert_eq!(url.expose(), written);
        assert_eq!(format!("{url} {url:?}"), "https://hooks.example.org:8443/*** https://hooks.example.org:8443/***");
        for bad in ["CANARY", "ftp://CANARY/x", "https://", "https://CANARY:CANARY/", "mailto:CANARY", "//CANARY"] {
            let error = bad.parse::<SecretUrl>().expect_err(bad);
            assert!(error.starts_with("is no address") && !error.contains("CANARY"), "{error}");
        }
    }
}
