//! Is this keyboard one Telegram takes? Rows, buttons, what a button does, and the bytes of its data.

use serde_json::Value;

use super::limits;
use super::params::Params;
use super::refusal::Refusal;

/// What a button of an inline keyboard can do: one of them.
const DOES: [&str; 10] = [
    "url",
    "callback_data",
    "web_app",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "copy_text",
    "callback_game",
    "pay",
];

/// The inline keyboard of the request; other keyboards are checked and not kept.
///
/// # Errors
/// What Telegram says of a keyboard it does not take.
pub(super) fn read(params: &Params, inline_only: bool) -> Result<Option<Value>, Refusal> {
    let Some(markup) = params.get("reply_markup") else { return Ok(None) };
    if !markup.is_object() {
        return Err(Refusal::bad("object expected as reply markup"));
    }
    if let Some(rows) = markup.get("inline_keyboard") {
        check_rows(rows, "inline_keyboard", check_inline)?;
        let empty = rows.as_array().is_none_or(|rows| rows.iter().all(|row| row.as_array().is_none_or(Vec::is_empty)));
        return Ok((!empty).then(|| markup.clone()));
    }
    if inline_only {
        return Err(Refusal::bad("inline keyboard expected"));
    }
    if let Some(rows) = markup.get("keyboard") {
        check_rows(rows, "keyboard", check_plain)?;
    } else if markup["force_reply"] != true && markup["remove_keyboard"] != true {
        return Err(Refusal::bad("object expected as reply markup"));
    }
    match markup.get("input_field_placeholder").and_then(Value::as_str) {
        Some(text) if !limits::within(text, limits::PLACEHOLDER) => {
            Err(Refusal::bad("input field placeholder must be 1-64 characters"))
        }
        _ => Ok(None),
    }
}

fn check_rows(rows: &Value, field: &str, check: fn(&Value) -> Result<(), Refusal>) -> Result<(), Refusal> {
    let not_rows = || Refusal::bad(format!("field \"{field}\" must be an Array of Arrays"));
    let mut buttons = 0;
    for row in rows.as_array().ok_or_else(not_rows)? {
        let row = row.as_array().ok_or_else(not_rows)?;
        buttons += row.len();
        if row.len() > limits::BUTTONS_IN_A_ROW {
            return Err(Refusal::bad("reply markup is too long"));
        }
        row.iter().try_for_each(check)?;
    }
    if buttons > limits::BUTTONS { Err(Refusal::bad("reply markup is too long")) } else { Ok(()) }
}

fn check_plain(button: &Value) -> Result<(), Refusal> {
    let text = button.as_str().or_else(|| button["text"].as_str());
    match text {
        None => Err(Refusal::bad("can't parse keyboard button: KeyboardButton must be a String or an Object")),
        Some("") => Err(Refusal::bad("keyboard button text must be non-empty")),
        Some(_) => Ok(()),
    }
}

fn check_inline(button: &Value) -> Result<(), Refusal> {
    let cannot = |why: &str| Refusal::bad(format!("can't parse inline keyboard button: {why}"));
    let fields = button.as_object().ok_or_else(|| cannot("InlineKeyboardButton must be an Object"))?;
    let text = fields.get("text").and_then(Value::as_str).ok_or_else(|| cannot("Can't find field \"text\""))?;
    if text.is_empty() {
        return Err(Refusal::bad("inline keyboard button text must be non-empty"));
    }
    if fields.get("style").is_some_and(|style| style != "danger" && style != "success" && style != "primary") {
        return Err(Refusal::bad("BUTTON_TYPE_INVALID"));
    }
    let does: Vec<&str> = DOES.into_iter().filter(|name| fields.contains_key(*name)).collect();
    match does[..] {
        [] => Err(cannot("Text buttons are unallowed in the inline keyboard")),
        ["callback_data"] => {
            let data = fields["callback_data"].as_str().unwrap_or_default();
            let fits = (1..=limits::CALLBACK_DATA_BYTES).contains(&data.len());
            if fits { Ok(()) } else { Err(Refusal::bad("BUTTON_DATA_INVALID")) }
        }
        ["url"] => check_url(fields["url"].as_str().unwrap_or_default()),
        ["copy_text"] => {
            let text = fields["copy_text"]["text"].as_str().unwrap_or_default();
            if limits::within(text, limits::COPY_TEXT) { Ok(()) } else { Err(Refusal::bad("BUTTON_COPY_TEXT_INVALID")) }
        }
        [_] => Ok(()),
        _ => Err(Refusal::bad("BUTTON_TYPE_INVALID")),
    }
}

fn check_url(url: &str) -> Result<(), Refusal> {
    match super::text::checked_link(url) {
        Some(_) => Ok(()),
        None => Err(Refusal::bad("BUTTON_URL_INVALID")),
    }
}

/// The data of the first button that has this data or this text.
pub(super) fn data_of(markup: &Value, wanted: &str) -> Option<String> {
    let rows = markup["inline_keyboard"].as_array()?;
    let mut buttons = rows.iter().filter_map(Value::as_array).flatten();
    let button = buttons.find(|button| button["callback_data"] == wanted || button["text"] == wanted)?;
    button["callback_data"].as_str().map(str::to_owned)
}
