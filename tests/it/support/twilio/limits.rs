//! What does Twilio take? The rules of one message, each with the number that Twilio gives its breach.

use super::world::{Form, World};

/// Characters of a body.
const BODY_CHARS: usize = 1_600;
/// Seconds that a message may wait.
const VALID_S: std::ops::RangeInclusive<u32> = 1..=36_000;
/// The fields of a message, as the vendor documents them.
const FIELDS: [&str; 25] = [
    "To",
    "StatusCallback",
    "ApplicationSid",
    "MaxPrice",
    "ProvideFeedback",
    "Attempt",
    "ValidityPeriod",
    "ForceDelivery",
    "ContentRetention",
    "AddressRetention",
    "SmartEncoded",
    "PersistentAction",
    "TrafficType",
    "ShortenUrls",
    "ScheduleType",
    "SendAt",
    "SendAsMms",
    "ContentVariables",
    "RiskCheck",
    "From",
    "FallbackFrom",
    "MessagingServiceSid",
    "Body",
    "MediaUrl",
    "ContentSid",
];
/// GSM-7: letters of one septet, and of two.
const ONE: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const TWO: &str = "\u{c}^{}\\[~]|€";

/// A refusal: the status of HTTP, Twilio's number, and words that may repeat what was sent.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Refused {
    pub(super) status: u16,
    pub(super) code: u32,
    pub(super) words: String,
}

pub(super) fn refused<T>(status: u16, code: u32, words: impl Into<String>) -> Result<T, Refused> {
    Err(Refused { status, code, words: words.into() })
}

pub(super) fn is_phone(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or_default();
    (8..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit())
}

pub(super) fn is_sid(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|rest| rest.len() == 32 && rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Segments of a body, counted septet by septet.
pub(super) fn segments(body: &str) -> usize {
    let septets = |letter: char| if ONE.contains(letter) { Some(1) } else { TWO.contains(letter).then_some(2) };
    let is_gsm = body.chars().all(|letter| septets(letter).is_some());
    let (alone, together) = if is_gsm { (160, 153) } else { (70, 67) };
    let costs: Vec<usize> =
        body.chars().map(|letter| if is_gsm { septets(letter).unwrap_or(1) } else { letter.len_utf16() }).collect();
    if costs.iter().sum::<usize>() <= alone {
        return 1;
    }
    let mut parts = vec![0];
    for cost in costs {
        match parts.last_mut() {
            Some(part) if *part + cost <= together => *part += cost,
            _ => parts.push(cost),
        }
    }
    parts.len()
}

/// Whether Twilio takes this message.
pub(super) fn check(world: &World, form: &Form) -> Result<(), Refused> {
    if let Some(name) = form.names().find(|name| !FIELDS.contains(name)) {
        return refused(400, 20001, format!("Invalid parameter {name}"));
    }
    if let Some(name) = form.twice() {
        return refused(400, 20001, format!("Parameter {name} is there twice"));
    }
    let Some(to) = form.get("To").filter(|to| !to.is_empty()) else {
        return refused(400, 21604, "A 'To' phone number is required.");
    };
    if !is_phone(to) {
        return refused(400, 21211, format!("The 'To' number {to} is not a valid phone number."));
    }
    match (form.get("From"), form.get("MessagingServiceSid")) {
        (None, None) => return refused(400, 21603, "A 'From' phone number is required."),
        (_, Some(service)) if !is_sid(service, "MG") => {
            return refused(400, 21705, "The Messaging Service Sid is invalid.");
        }
        (Some(from), None) if !is_phone(from) => {
            return refused(400, 21212, format!("The 'From' number {from} is not a valid phone number."));
        }
        (Some(from), _) if from == to => return refused(400, 21266, "'To' and 'From' number cannot be the same"),
        _ => {}
    }
    match form.get("Body") {
        None | Some("") => return refused(400, 21602, "Message body is required."),
        Some(body) if body.chars().count() > BODY_CHARS => {
            return refused(400, 21617, "The concatenated message body exceeds the 1600 character limit.");
        }
        Some(_) => {}
    }
    if let Some(valid) = form.get("ValidityPeriod")
        && !valid.parse().is_ok_and(|seconds| VALID_S.contains(&seconds))
    {
        return refused(400, 21624, "Validity Period is out of range.");
    }
    if let Some(smart) = form.get("SmartEncoded")
        && !["true", "false"].contains(&smart)
    {
        return refused(400, 20001, "SmartEncoded must be true or false.");
    }
    if let Some(url) = form.get("StatusCallback")
        && !is_callback(url)
    {
        return refused(400, 21609, format!("The StatusCallback URL {url} is not a valid URL."));
    }
    if let Some(code) = world.refusals.get(to) {
        return refused(400, *code, format!("The phone {to} is refused: {code}"));
    }
    if world.opted_out.contains(to) {
        return refused(400, 21610, format!("Attempt to send to unsubscribed recipient {to}"));
    }
    let waiting: usize = world.messages.iter().filter(|one| one.status == "queued").map(|one| one.segments).sum();
    if waiting >= world.queue_max {
        return refused(429, 21611, "This 'From' number has exceeded the maximum number of queued messages.");
    }
    Ok(())
}

/// An absolute address whose host has no underscore.
fn is_callback(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or_default();
    let host = rest.split(['/', ':', '?']).next().unwrap_or_default();
    !host.is_empty() && !host.contains('_') && host.bytes().all(|byte| byte.is_ascii_graphic())
}
