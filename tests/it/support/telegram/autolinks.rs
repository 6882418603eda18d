//! What does Telegram make of plain text? Mentions, links, addresses, tags, commands and telephone numbers that nobody asked for.

use super::text::{Entity, is_code};

/// Top-level domains of the general kind that turn a bare name into a link. Those of countries are below.
const GENERAL: &str = "com net org edu gov mil int info biz name pro aero coop museum jobs mobi travel cat tel asia post xxx arpa \
    app dev page web wiki blog shop store online site website tech cloud digital agency email network systems \
    software solutions services company world life live news media press today top xyz club vip win bid trade \
    loan fund finance financial money cash credit bank insurance capital ventures investments exchange market \
    markets trading broker forex tax accountant fyi one zone space fun games game bet casino poker team work \
    works tools support help center chat social video photo photos pics gallery studio design art fashion style \
    beauty health care clinic doctor dental fit run bike auto car cars energy solar green eco bio farm garden \
    house homes land estate properties rent villas city town london paris berlin tokyo nyc moscow onion ton link \
    click download host hosting domains codes build expert guru ninja rocks cool wtf lol sexy porn adult dating \
    date love family kids school university academy college degree courses training science foundation charity \
    church gives global international group partners associates consulting management marketing report review \
    reviews events tickets tours cruises flights hotel hotels restaurant pizza cafe bar pub beer wine coffee \
    kitchen recipes food delivery express taxi limo supply supplies tires parts equipment construction builders \
    contractors engineering industries ltd llc inc gmbh sarl limited holdings enterprises google apple amazon \
    microsoft youtube play stream music band audio radio movie film show theater theatre icu sbs cfd cyou bond \
    gold silver diamonds jewelry luxe boutique sale deals discount coupons black blue red pink stock now how new \
    best ink ooo";

/// The top-level domains of countries, two letters each.
const COUNTRIES: &str = "ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bv bw by bz \
    ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fm fo fr ga gb gd ge gf \
    gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh ki km kn kp kr kw \
    ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx my mz na nc ne nf ng ni nl no \
    np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw sa sb sc sd se sg sh si sj sk sl sm sn so sr ss st su \
    sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw";

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

struct Scan {
    chars: Vec<char>,
    /// UTF-16 offset of each character, and of the end.
    offsets: Vec<usize>,
}

impl Scan {
    fn at(&self, index: usize) -> Option<char> {
        self.chars.get(index).copied()
    }

    fn before(&self, index: usize) -> Option<char> {
        index.checked_sub(1).and_then(|index| self.at(index))
    }

    /// The first index from `from` that does not match.
    fn run(&self, from: usize, matches: impl Fn(char) -> bool) -> usize {
        (from..self.chars.len()).find(|index| !matches(self.chars[*index])).unwrap_or(self.chars.len())
    }

    fn words(&self, from: usize, to: usize) -> String {
        self.chars[from..to].iter().collect()
    }

    fn clear_before(&self, index: usize, also: &str) -> bool {
        self.before(index).is_none_or(|c| !is_word(c) && !also.contains(c))
    }

    fn clear_after(&self, index: usize, also: &str) -> bool {
        self.at(index).is_none_or(|c| !is_word(c) && !also.contains(c))
    }

    fn mention(&self, at: usize) -> Option<usize> {
        let end = self.run(at + 1, |c| c.is_ascii_alphanumeric() || c == '_');
        // The four-letter names sold at auctions are mentioned too.
        ((4..=32).contains(&(end - at - 1)) && self.clear_before(at, "") && self.clear_after(end, "")).then_some(end)
    }

    fn command(&self, at: usize) -> Option<usize> {
        let name = self.run(at + 1, |c| c.is_ascii_alphanumeric() || c == '_');
        if !(1..=64).contains(&(name - at - 1)) || !self.clear_before(at, "/<>") {
            return None;
        }
        let bot = self.run(name + 1, |c| c.is_ascii_alphanumeric() || c == '_');
        let addressed = self.at(name) == Some('@') && (3..=32).contains(&(bot - name - 1));
        let end = if addressed { bot } else { name };
        self.clear_after(end, "/<>").then_some(end)
    }

    fn hashtag(&self, at: usize) -> Option<usize> {
        let end = self.run(at + 1, is_word);
        let named = self.chars[at + 1..end].iter().any(|c| !c.is_numeric());
        ((1..=256).contains(&(end - at - 1)) && named && self.clear_before(at, "#@") && self.at(end) != Some('#'))
            .then_some(end)
    }

    fn cashtag(&self, at: usize) -> Option<usize> {
        let end = self.run(at + 1, |c| c.is_ascii_uppercase());
        ((1..=8).contains(&(end - at - 1)) && self.clear_before(at, "$") && self.clear_after(end, "$")).then_some(end)
    }

    fn phone(&self, at: usize) -> Option<usize> {
        let end = self.run(at + 1, |c| c.is_ascii_digit() || " -()".contains(c));
        let last = (at + 1..end).rev().find(|index| self.chars[*index].is_ascii_digit())?;
        let digits = self.chars[at + 1..=last].iter().filter(|c| c.is_ascii_digit()).count();
        ((7..=15).contains(&digits) && self.clear_before(at, "+") && self.clear_after(last + 1, "")).then_some(last + 1)
    }

    /// A name of several labels that begins here and ends in a known domain.
    fn domain(&self, at: usize) -> Option<usize> {
        let end = self.run(at, |c| is_word(c) || c == '-' || c == '.');
        let end = (at..end).rev().find(|index| is_word(self.chars[*index]))? + 1;
        let name = self.words(at, end);
        let labels: Vec<&str> = name.split('.').collect();
        (labels.len() >= 2 && labels.iter().all(|label| !label.is_empty()) && known(labels.last()?)).then_some(end)
    }

    /// From the end of a host: its port, path and query.
    fn path(&self, host_end: usize) -> usize {
        let mut end = host_end;
        if self.at(end) == Some(':') {
            let port = self.run(end + 1, |c| c.is_ascii_digit());
            end = if port > end + 1 { port } else { end };
        }
        if !matches!(self.at(end), Some('/' | '?' | '#')) {
            return end;
        }
        let stop = self.run(end, |c| !c.is_whitespace() && !"<>\"".contains(c));
        (end..stop).rev().find(|index| !".,:;!?'()[]{}".contains(self.chars[*index])).map_or(end, |last| last + 1)
    }

    fn link(&self, at: usize) -> Option<usize> {
        let scheme_end = self.run(at, |c| c.is_ascii_alphabetic());
        let scheme = self.words(at, scheme_end).to_lowercase();
        let spelled = self.words(scheme_end, self.chars.len().min(scheme_end + 3)) == "://";
        if spelled && matches!(scheme.as_str(), "http" | "https" | "ftp" | "tg" | "ton" | "tonsite") {
            let from = scheme_end + 3;
            let host = self.run(from, |c| is_word(c) || c == '-' || c == '.');
            let address = self.words(from, host);
            let numbers = address.split('.').filter(|part| part.parse::<u8>().is_ok()).count() == 4;
            let named = self.domain(from).is_some() || numbers || address == "localhost" || scheme == "tg";
            return (host > from && named).then(|| self.path(self.domain(from).unwrap_or(host)));
        }
        if !self.clear_before(at, "@.-/") {
            return None;
        }
        self.domain(at).map(|end| self.path(end))
    }

    fn email(&self, at: usize) -> Option<usize> {
        let local = self.run(at, |c| c.is_ascii_alphanumeric() || "._%+-".contains(c));
        if local == at || self.at(local) != Some('@') || !self.clear_before(at, ".%+-@") {
            return None;
        }
        self.domain(local + 1)
    }

    fn found(&self, at: usize) -> Option<(&'static str, usize)> {
        let c = self.chars[at];
        let marked = match c {
            '@' => self.mention(at).map(|end| ("mention", end)),
            '/' => self.command(at).map(|end| ("bot_command", end)),
            '#' => self.hashtag(at).map(|end| ("hashtag", end)),
            '$' => self.cashtag(at).map(|end| ("cashtag", end)),
            '+' => self.phone(at).map(|end| ("phone_number", end)),
            _ => None,
        };
        let begins = is_word(c) && self.clear_before(at, "");
        let named = || self.email(at).map(|end| ("email", end)).or_else(|| self.link(at).map(|end| ("url", end)));
        marked.or_else(|| if begins { named() } else { None })
    }
}

/// Whether a last label turns a name into a link. One with only its first letter large is taken for the start of a sentence.
fn known(label: &str) -> bool {
    let lower = label.to_lowercase();
    let sentence = lower != label && lower.get(1..) == label.get(1..);
    !sentence
        && (lower.starts_with("xn--")
            || GENERAL.split_whitespace().chain(COUNTRIES.split_whitespace()).any(|name| name == lower))
}

/// The entities found in the text outside code and outside what is a link already, in order, none over another.
pub(super) fn find(text: &str, given: &[Entity]) -> Vec<Entity> {
    let chars: Vec<char> = text.chars().collect();
    let mut offsets = vec![0];
    for c in &chars {
        offsets.push(offsets.last().copied().unwrap_or(0) + c.len_utf16());
    }
    let scan = Scan { chars, offsets };
    let closed = |entity: &&Entity| {
        is_code(entity) || matches!(entity.kind.as_str(), "text_link" | "text_mention" | "custom_emoji")
    };
    let closed: Vec<&Entity> = given.iter().filter(closed).collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < scan.chars.len() {
        let Some((kind, end)) = scan.found(at) else {
            at += 1;
            continue;
        };
        let entity = Entity::new(kind, scan.offsets[at], scan.offsets[end] - scan.offsets[at]);
        let over = closed.iter().any(|other| other.offset < entity.end() && entity.offset < other.end());
        at = if over { at + 1 } else { end };
        found.extend((!over).then_some(entity));
    }
    found
}
