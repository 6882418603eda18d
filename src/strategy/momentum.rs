//! Enters when a symbol is among the fastest risers of its book; leaves when it falls behind.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::domain::{Bar, Holding, Price, Side};

use super::verdict::confidence;
use super::{LoadError, Param, Place, Plan, Reason, Strategy, StrategyKind, Values, Verdict, memory};

/// Its row in the registry.
pub(super) const KIND: StrategyKind = StrategyKind {
    name: "momentum",
    help: "Ranks the book's symbols by their rate of change, enters the best, leaves those that fall behind.",
    suits: "Books of many symbols that part from one another, best on daily bars. With one symbol it follows the sign \
        of its change.",
    enters: "The symbol is among the best `top` by the change of its close over `period` bars, up to `skip` bars ago, \
        and the change is positive. Short: it is among the worst `top`, and the change is negative.",
    leaves: "The symbol is no longer among the best `top + slack`, or its change is negative. Short: no longer among the \
        worst `top + slack`, or its change is positive.",
    confidence: "A half, and up to a half more for two things that weigh the same: the place (full for the first, less \
        towards the last that may enter) and how straight the price went (the change against the sum of all \
        changes on the way).",
    params: &[
        Param::bars("period", [60, 1, 1000], "bars over which the change is measured"),
        Param::bars("skip", [0, 0, 500], "newest bars that are left out of it"),
        Param::count("top", [3, 1, 100], "symbols that may enter"),
        Param::count("slack", [2, 0, 100], "places below these that a symbol may fall before it is left"),
        Param::SHORT,
    ],
    warm_up: |values| values.count("period") + values.count("skip") + 1,
    warm_up_help: "the bars over which the change is measured, those left out, and the one it is measured from",
    ranks: true,
    build: |values| Ok(build(values)),
};

struct Momentum {
    shape: String,
    period: usize,
    skip: usize,
    top: usize,
    slack: usize,
    short: bool,
    memory: Memory,
}

#[derive(Serialize, Deserialize)]
struct Memory {
    /// The last closes, the oldest first.
    closes: VecDeque<Price>,
    place: Option<Place>,
}

fn build(values: &Values) -> Box<dyn Strategy> {
    let [period, skip, top, slack] = ["period", "skip", "top", "slack"].map(|name| values.count(name));
    let memory = Memory { closes: VecDeque::with_capacity(period + skip + 2), place: None };
    let (shape, short) = (values.words(&["period", "skip"]), values.is_on("short"));
    Box::new(Momentum { shape, period, skip, top, slack, short, memory })
}

impl Momentum {
    /// How many closes it spans.
    fn span(&self) -> usize {
        self.period + self.skip + 1
    }

    /// The change against the sum of all changes on the way, 0 to 1.
    #[cold]
    fn straightness(&self) -> f64 {
        let mut closes = self.memory.closes.iter().take(self.period + 1).map(|close| i128::from(close.units()));
        let steps = closes.clone().zip(closes.clone().skip(1)).map(|(a, b)| (b - a).abs());
        let way: i128 = steps.sum();
        let (first, last) = (closes.next().unwrap_or_default(), closes.next_back().unwrap_or_default());
        if way > 0 { (last - first).abs() as f64 / way as f64 } else { 0.0 }
    }

    #[cold]
    fn reason(&self, score: f64, Place { place, of }: Place) -> Reason {
        let name = format!("momentum{}", self.period);
        let rule = format!("{name} {:.2}% ranks {place} of {of}", 100.0 * score);
        Reason::new(rule, [(name, score), ("place".to_owned(), place as f64), ("of".to_owned(), of as f64)])
    }

    /// `order` is the place from the side that is entered: 1 is the best to buy, or the worst to sell.
    #[cold]
    fn enter(&self, side: Side, score: f64, place: Place, order: usize) -> Verdict {
        let rank = (self.top + 1 - order) as f64 / self.top as f64;
        let confidence = confidence([rank, self.straightness()]);
        Verdict::Enter { side, confidence, reason: self.reason(score, place), plan: Plan::default() }
    }

    fn look(&self, score: f64, place: Place, from_last: usize) -> Verdict {
        if score > 0.0 && place.place <= self.top {
            self.enter(Side::Buy, score, place, place.place)
        } else if self.short && score < 0.0 && from_last <= self.top {
            self.enter(Side::Sell, score, place, from_last)
        } else if self.short && score < 0.0 {
            Verdict::stay("the symbol is among the worst", from_last as f64, self.top as f64)
        } else if score > 0.0 {
            Verdict::stay("the symbol is among the best", place.place as f64, self.top as f64)
        } else {
            Verdict::stay("the change is positive", score, 0.0)
        }
    }

    /// Leaves, or tells why not. `order` is the place from the side that was entered, `gain` the change in its direction.
    fn hold(&self, score: f64, place: Place, order: usize, gain: f64) -> Verdict {
        let last = self.top + self.slack;
        if gain < 0.0 || order > last {
            return Verdict::Exit { reason: self.reason(score, place) };
        }
        Verdict::stay("the symbol fell behind", order as f64, last as f64)
    }
}

impl Strategy for Momentum {
    fn observe(&mut self, bar: &Bar) {
        let span = self.span();
        let closes = &mut self.memory.closes;
        closes.push_back(bar.close);
        while closes.len() > span {
            closes.pop_front();
        }
    }

    fn judge(&self, holding: Holding) -> Verdict {
        let Some(score) = self.score() else {
            return Verdict::early(self.memory.closes.len() as u32, self.span());
        };
        let Some(place) = self.memory.place.filter(|place| (1..=place.of).contains(&place.place)) else {
            return Verdict::stay("the symbol is ranked", 0.0, 1.0);
        };
        let from_last = place.of - place.place + 1;
        match holding {
            Holding::Busy => Verdict::busy(),
            Holding::Flat => self.look(score, place, from_last),
            Holding::Long => self.hold(score, place, place.place, score),
            Holding::Short => self.hold(score, place, from_last, -score),
        }
    }

    fn rescale(&mut self, numerator: i64, denominator: i64) {
        for close in &mut self.memory.closes {
            *close = memory::split(*close, numerator, denominator);
        }
    }

    fn save(&self) -> String {
        memory::save(&self.shape, &self.memory)
    }

    fn load(&mut self, text: &str) -> Result<(), LoadError> {
        self.memory = memory::load(KIND.name, &self.shape, text)?;
        Ok(())
    }

    /// The change as a share of the price it is measured from.
    fn score(&self) -> Option<f64> {
        let closes = &self.memory.closes;
        let last = closes.get(self.period).filter(|_| closes.len() == self.span())?;
        let first = closes.front().filter(|first| **first > Price::ZERO)?;
        Some((last.units() as f64 - first.units() as f64) / first.units() as f64)
    }

    fn rank(&mut self, place: Option<Place>) {
        self.memory.place = place;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::story::{closes, made, stay, watch};

    fn ranked(set: &[(&str, &str)], prices: &[f64], place: usize, of: usize) -> Box<dyn Strategy> {
        let mut it = made("momentum", &[&[("period", "2"), ("top", "2"), ("slack", "1")], set].concat());
        watch(&mut *it, &closes(prices));
        it.rank(Some(Place { place, of }));
        it
    }

    fn told(verdict: &Verdict) -> String {
        match verdict {
            Verdict::Enter { side, confidence, reason, .. } => format!("{side} at {confidence:.2}: {}", reason.rule),
            Verdict::Exit { reason } => format!("exit: {}", reason.rule),
            Verdict::Stay(stay) => format!("{} ({} against {})", stay.rule, stay.value, stay.limit),
        }
    }

    #[test]
    fn the_score_is_the_change_up_to_the_bars_left_out() {
        let score = |set: &[(&str, &str)], prices: &[f64]| ranked(set, prices, 1, 1).score();
        assert_eq!(score(&[], &[8.0, 9.0]), None);
        assert_eq!(score(&[], &[8.0, 9.0, 10.0]), Some(0.25));
        assert_eq!(score(&[], &[8.0, 9.0, 10.0, 18.0]), Some(1.0));
        assert_eq!(score(&[("skip", "1")], &[8.0, 9.0, 10.0]), None);
        assert_eq!(score(&[("skip", "1")], &[8.0, 9.0, 10.0, 18.0]), Some(0.25));
    }

    #[test]
    fn the_best_enter_and_are_left_beyond_the_slack() {
        let at = |place, holding| told(&ranked(&[], &[8.0, 9.0, 10.0], place, 10).judge(holding));
        assert_eq!(at(1, Holding::Flat), "buy at 1.00: momentum2 25.00% ranks 1 of 10");
        assert_eq!(at(2, Holding::Flat), "buy at 0.88: momentum2 25.00% ranks 2 of 10");
        assert_eq!(at(3, Holding::Flat), "the symbol is among the best (3 against 2)");
        assert_eq!(at(3, Holding::Long), "the symbol fell behind (3 against 3)");
        assert_eq!(at(4, Holding::Long), "exit: momentum2 25.00% ranks 4 of 10");
    }

    #[test]
    fn a_fall_is_neither_entered_nor_held() {
        let at = |holding| told(&ranked(&[], &[10.0, 11.0, 9.0], 1, 10).judge(holding));
        assert_eq!(at(Holding::Flat), "the change is positive (-0.1 against 0)");
        assert_eq!(at(Holding::Long), "exit: momentum2 -10.00% ranks 1 of 10");
    }

    #[test]
    fn with_short_the_worst_are_sold() {
        let at = |place, holding| told(&ranked(&[("short", "1")], &[10.0, 11.0, 9.0], place, 10).judge(holding));
        // The price went 1 up and 2 down and is 1 lower: a third of the way.
        assert_eq!(at(10, Holding::Flat), "sell at 0.83: momentum2 -10.00% ranks 10 of 10");
        assert_eq!(at(8, Holding::Flat), "the symbol is among the worst (3 against 2)");
        assert_eq!(at(8, Holding::Short), "the symbol fell behind (3 against 3)");
        assert_eq!(at(7, Holding::Short), "exit: momentum2 -10.00% ranks 7 of 10");
    }

    #[test]
    fn without_a_rank_it_waits() {
        let mut it = ranked(&[], &[8.0, 9.0, 10.0], 1, 10);
        it.rank(None);
        assert_eq!(stay(&*it, Holding::Flat).rule, "the symbol is ranked");
    }
}
