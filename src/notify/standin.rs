use super::notice::Words;
use crate::domain::*;
use chrono_tz::Tz;
pub struct Telling {
    pub zone: Tz,
    pub mark: &'static str,
    pub share_of: Option<Money>,
}
pub(super) fn told(event: &Event, telling: &Telling) -> Vec<Block> {
    let book = event.book.map(|book| book.to_string()).unwrap_or_default();
    let lines = Words { zone: telling.zone, mark: telling.mark, at: event.at, book: &book }.lines(&event.kind);
    Message::of_lines(lines).blocks
}
pub(super) fn buttons(_event: &Event, number: NoticeId) -> Vec<Button> {
    vec![Button::new("Acknowledge", format!("/ack {number}"))]
}
pub(super) fn story_blocks(events: &[Event], telling: &Telling) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for e in events.iter().rev() {
        blocks.extend(told(e, telling));
    }
    blocks
}
pub(super) fn summary_blocks(
    counted: &[(&'static str, usize, Vec<Event>)],
    span_ms: i64,
    total: usize,
    _t: &Telling,
) -> Vec<Block> {
    let mut lines = vec![format!("{total} messages in {span_ms} ms")];
    lines.extend(counted.iter().map(|(kind, n, _)| format!("{n} x {kind}")));
    Message::of_lines(lines).blocks
}
pub(super) fn digest_blocks(events: &[Event], title: &str, telling: &Telling) -> Vec<Block> {
    let mut lines = vec![title.to_owned()];
    lines.extend(
        events.iter().map(|e| Message { blocks: told(e, telling), ..Message::default() }.plain_lines().remove(0)),
    );
    Message::of_lines(lines).blocks
}
