//! Is every picture whole? Well-formed, of the asked size, with no text off the page or over another, whatever is drawn.

use std::sync::Arc;

use bellwether::chart::{
    Allocation, BARS_MAX, Band, CandleChart, Caption, CorrelationChart, EquityChart, FanChart, Figure, Level,
    LevelKind, Line, MonthlyReturns, Pane, Part, ProfitChart, Quantile, RiskHeatmap, Sheet, SheetPane, Size, Theme,
    Tone, TradeMark, Unit, allocation, candles, correlation, equity, fan, monthly_returns, png, profit, risk_heatmap,
    sheet,
};
use bellwether::clock::Timestamp;
use bellwether::domain::{Bar, Price, Quantity, Side, Timeframe};
use chrono_tz::America::New_York;
use resvg::usvg;

/// A small seeded generator (the 64-bit linear congruence of Knuth's MMIX).
struct Dice(u64);

impl Dice {
    fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / f64::from(1u32 << 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.share() * limit as f64) as usize
    }

    fn of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }

    fn wild(&mut self) -> f64 {
        let size = 10f64.powf(self.share() * 12.0 - 4.0);
        self.of(&[size, -size, size, -size, 0.0, f64::NAN, f64::INFINITY, 1e300])
    }

    fn name(&mut self) -> String {
        let long = "a name that nobody would give to anything but that somebody will ".repeat(3);
        self.of(&["AAPL", "<script>&\"'", "", "Ünïcode Ω 你好", "\u{1}\u{fffe}\n\t", "x", "1", "EMA 20", long.as_str()])
            .to_owned()
    }

    fn caption(&mut self) -> Caption {
        Caption {
            title: self.name(),
            badge: self.name(),
            subtitle: self.name(),
            note: self.name(),
            stamp: self.name(),
            simulated: self.below(2) == 0,
        }
    }

    fn figures(&mut self) -> Vec<Figure> {
        (0..self.below(10)).map(|_| Figure::new(self.name(), self.name(), Tone::of(self.wild()))).collect()
    }

    fn line(&mut self, bars: &[Bar]) -> Line {
        let count = self.of(&[0, bars.len(), bars.len(), bars.len() + 3, bars.len() / 2]);
        let value = |index: usize| {
            let near = bars.get(index).map_or(1.0, |bar| bar.close.to_f64()) * (0.9 + 0.2 * self.share());
            let wild = self.wild();
            self.of(&[Some(near), Some(near), Some(near), Some(near), None, Some(wild)])
        };
        let values = (0..count).map(value).collect();
        Line { name: self.name(), values }
    }

    fn bars(&mut self) -> Vec<Bar> {
        let count = self.of(&[0, 1, 2, 5, 17, 60, 120, 500, BARS_MAX + 40]);
        let step = self.of(&[60_000, 900_000, 3_600_000, 86_400_000]);
        let start = 1_600_000_000_000 / 86_400_000 * 86_400_000;
        let mut price = 10f64.powf(self.share() * 11.0 - 5.0);
        let move_by = self.of(&[0.0, 0.001, 0.02, 0.4]);
        let bar = |index: usize| {
            let mut near = || Price::from_f64(price * (1.0 + (self.share() - 0.5) * move_by)).unwrap_or(Price::ZERO);
            let [open, close, high, low] = [near(), near(), near(), near()];
            price = close.to_f64().clamp(1e-6, 1e9);
            let zero = self.below(300) == 0;
            let volume = Quantity::from_f64(self.wild()).unwrap_or(Quantity::ZERO);
            let start = Timestamp::from_ms(start + index as i64 * step);
            Bar { start, open: if zero { Price::ZERO } else { open }, high, low, close, volume }
        };
        (0..count).map(bar).collect()
    }

    fn near(&mut self, bars: &[Bar]) -> (Timestamp, Price) {
        let bar = bars.get(self.below(bars.len().max(1)));
        let price = bar.map_or(1.0, |bar| bar.close.to_f64()) * self.of(&[1.0, 0.98, 1.02, 3.0]);
        let away = self.of(&[0, 5_000, -9_000_000_000, 9_000_000_000]);
        let at = bar.map_or(Timestamp::default(), |bar| bar.start).plus_ms(away);
        (at, Price::from_f64(price).unwrap_or(Price::ZERO))
    }

    fn trade(&mut self, bars: &[Bar]) -> TradeMark {
        let exit = (self.below(3) > 0).then(|| self.near(bars));
        TradeMark { side: self.of(&[Side::Buy, Side::Sell]), entry: self.near(bars), exit }
    }

    fn level(&mut self, bars: &[Bar]) -> Level {
        let (since, price) = self.near(bars);
        let kind = self.of(&[LevelKind::Entry, LevelKind::Stop, LevelKind::Target]);
        Level { kind, price, since: (self.below(2) == 0).then_some(since) }
    }

    fn pane(&mut self, bars: &[Bar]) -> Pane {
        match self.below(3) {
            0 => Pane::Rsi(self.line(bars)),
            1 => Pane::Macd { line: self.line(bars), signal: self.line(bars), histogram: self.line(bars) },
            _ => {
                Pane::Lines { lines: (0..self.below(4)).map(|_| self.line(bars)).collect(), guides: vec![self.wild()] }
            }
        }
    }

    fn chart<'a>(&mut self, bars: &'a [Bar]) -> CandleChart<'a> {
        let mut chart = CandleChart::new(self.caption(), self.of(&Timeframe::ALL), New_York, bars);
        chart.base = (self.below(3) == 0).then(|| (self.near(bars).1, self.name()));
        chart.lines = (0..self.below(5)).map(|_| self.line(bars)).collect();
        let band = Band { name: self.name(), upper: self.line(bars).values, lower: self.line(bars).values };
        chart.band = (self.below(2) == 0).then_some(band);
        chart.volume = (self.below(3) > 0).then(|| self.line(bars));
        chart.panes = (0..self.below(6)).map(|_| self.pane(bars)).collect();
        chart.trades = (0..self.of(&[0, 1, 3, 30])).map(|_| self.trade(bars)).collect();
        chart.levels = (0..self.of(&[0, 2, 3, 20])).map(|_| self.level(bars)).collect();
        chart.figures = self.figures();
        chart
    }

    fn names(&mut self, most: usize) -> Vec<String> {
        (0..self.below(most)).map(|_| self.name()).collect()
    }

    fn table(&mut self, rows: usize, columns: usize) -> Vec<Vec<Option<f64>>> {
        let columns = columns + self.below(2);
        (0..rows).map(|_| (0..columns).map(|_| (self.below(8) > 0).then(|| self.wild())).collect()).collect()
    }
}

/// One picture of each kind from the same dice.
fn pictures(dice: &mut Dice, theme: Theme, size: Size) -> Vec<(&'static str, String)> {
    let bars = dice.bars();
    let more: Vec<Vec<Bar>> = (0..dice.below(8)).map(|_| dice.bars()).collect();
    let pane =
        |dice: &mut Dice, bars| SheetPane { timeframe: dice.of(&Timeframe::ALL), bars, lines: vec![dice.line(bars)] };
    let panes = more.iter().map(|bars| pane(dice, bars)).collect();
    let multi = Sheet { caption: dice.caption(), zone: New_York, base: None, panes, figures: dice.figures() };
    let count = dice.of(&[0, 1, 2, 40, 3_000]);
    let at = |index: usize| Timestamp::from_ms(1_600_000_000_000 + index as i64 * 7_200_000);
    let value = dice.wild();
    let points: Vec<_> = (0..count).map(|index| (at(index), value * (0.8 + 0.4 * dice.share()))).collect();
    let benchmark = (dice.below(2) == 0).then(|| dice.line(&bars));
    let caption = dice.caption();
    let account =
        EquityChart { caption, zone: New_York, currency: dice.name(), points, benchmark, figures: dice.figures() };
    let periods = dice.names(140).into_iter().map(|name| (name, dice.wild())).collect();
    let results = ProfitChart { caption: dice.caption(), currency: dice.name(), periods, figures: dice.figures() };
    let steps = dice.of(&[0, 1, 2, 50, 400]);
    let path =
        |dice: &mut Dice| (0..steps).map(|_| if dice.below(9) == 0 { dice.wild() } else { dice.share() }).collect();
    let quantiles = dice.names(12).into_iter().map(|name| Quantile { name, values: path(dice) }).collect();
    let paths = (0..dice.below(5)).map(|_| path(dice)).collect();
    let mark = Some(dice.wild());
    let future =
        FanChart { caption: dice.caption(), steps: dice.name(), quantiles, paths, mark, figures: dice.figures() };
    let symbols = dice.names(30);
    let values = dice.table(symbols.len(), symbols.len());
    let matrix = CorrelationChart { caption: dice.caption(), symbols, values, figures: dice.figures() };
    let (rows, columns) = (dice.names(30), dice.names(16));
    let values = dice.table(rows.len(), columns.len());
    let unit = dice.of(&[Unit::Money, Unit::Percent]);
    let total = dice.below(2) == 0;
    let risk = RiskHeatmap { caption: dice.caption(), rows, columns, values, unit, total, figures: dice.figures() };
    let last = 1_990 + dice.below(35) as i32;
    let year = |year| (year, [(); 12].map(|()| (dice.below(5) > 0).then(|| dice.share() - 0.4)));
    let years = (1_990..last).map(year).collect();
    let months = MonthlyReturns { caption: dice.caption(), years, figures: dice.figures() };
    let parts =
        dice.names(20).into_iter().map(|name| Part { name, value: dice.wild(), cash: dice.below(5) == 0 }).collect();
    let held = Allocation { caption: dice.caption(), currency: dice.name(), parts, figures: dice.figures() };
    vec![
        ("candles", candles(&dice.chart(&bars), theme, size)),
        ("sheet", sheet(&multi, theme, size)),
        ("equity", equity(&account, theme, size)),
        ("profit", profit(&results, theme, size)),
        ("fan", fan(&future, theme, size)),
        ("correlation", correlation(&matrix, theme, size)),
        ("risk", risk_heatmap(&risk, theme, size)),
        ("months", monthly_returns(&months, theme, size)),
        ("allocation", allocation(&held, theme, size)),
    ]
}

fn parsed(svg: &str) -> usvg::Tree {
    let mut options = usvg::Options { font_family: "Inter V".to_owned(), ..usvg::Options::default() };
    options.fontdb_mut().load_font_source(usvg::fontdb::Source::Binary(Arc::new(ttf_inter::REGULAR)));
    usvg::Tree::from_str(svg, &options).unwrap_or_else(|error| panic!("{error}: {svg}"))
}

/// Every text with the box of its capitals.
fn texts(group: &usvg::Group, found: &mut Vec<(String, usvg::Rect)>) {
    for node in group.children() {
        match node {
            usvg::Node::Group(group) => texts(group, found),
            usvg::Node::Text(text) => {
                let words = text.chunks().iter().map(usvg::TextChunk::text).collect();
                let whole = text.abs_bounding_box();
                let (top, height) = (whole.y() + whole.height() * 0.22, whole.height() * 0.55);
                found.push((words, usvg::Rect::from_xywh(whole.x(), top, whole.width(), height).expect("a box")));
            }
            usvg::Node::Path(_) | usvg::Node::Image(_) => {}
        }
    }
}

fn texts_of(svg: &str) -> Vec<(String, usvg::Rect)> {
    let mut found = Vec::new();
    texts(parsed(svg).root(), &mut found);
    found
}

fn check(kind: &str, svg: &str, size: Size) {
    let (width, height) = size.pixels();
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{kind}: {svg}");
    let found = texts_of(svg);
    for (words, place) in &found {
        let inside = place.left() >= 0.0 && place.right() <= width as f32 && place.top() >= 0.0;
        assert!(inside && place.bottom() <= height as f32, "{kind} {size:?}: {words:?} leaves the page at {place:?}");
    }
    for (index, (words, place)) in found.iter().enumerate() {
        for (other, there) in &found[index + 1..] {
            let apart = place.right() <= there.left() + 1.0
                || there.right() <= place.left() + 1.0
                || place.bottom() <= there.top() + 1.0
                || there.bottom() <= place.top() + 1.0;
            assert!(apart, "{kind} {size:?}: {words:?} at {place:?} covers {other:?} at {there:?}");
        }
    }
}

#[test]
fn no_text_leaves_the_page_or_covers_another() {
    for seed in 0..16 {
        let mut dice = Dice(seed);
        let (theme, size) = (dice.of(&Theme::ALL), dice.of(&Size::ALL));
        for (kind, svg) in pictures(&mut dice, theme, size) {
            check(&format!("seed {seed} {kind}"), &svg, size);
        }
    }
}

#[test]
fn the_same_input_gives_the_same_picture() {
    let draw = || pictures(&mut Dice(11), Theme::Dark, Size::Landscape);
    assert_eq!(draw(), draw());
}

#[test]
fn a_hostile_name_is_shown_and_not_obeyed() {
    let name = "</text><script>alert(\"&'\")</script>";
    let caption = Caption { title: name.to_owned(), ..Caption::default() };
    let svg = candles(&CandleChart::new(caption, Timeframe::D1, New_York, &[]), Theme::Light, Size::Landscape);
    assert!(!svg.contains("<script"));
    assert!(texts_of(&svg).iter().any(|(words, _)| words == name), "{svg}");
}

fn rising(count: i64) -> Vec<Bar> {
    let bar = |day: i64| {
        let price = |cents: i64| Price::from_units((10_000 + day * 10 + cents) * 1_000_000);
        let start = Timestamp::from_ms((19_000 + day) * 86_400_000);
        Bar { start, open: price(0), high: price(30), low: price(-20), close: price(10), volume: Quantity::whole(day) }
    };
    (0..count).map(bar).collect()
}

#[test]
fn values_stay_with_their_bars_when_old_bars_are_left_out() {
    let bars = rising(BARS_MAX as i64 + 100);
    let mut chart = CandleChart::new(Caption::default(), Timeframe::D1, New_York, &bars);
    chart.lines =
        vec![Line { name: "close".into(), values: bars.iter().map(|bar| Some(bar.close.to_f64())).collect() }];
    let texts = texts_of(&candles(&chart, Theme::Dark, Size::Landscape));
    // The legend's line, the legend's close, the tag and the head all tell the last close.
    assert_eq!(texts.iter().filter(|(words, _)| words == "169.99" || words == "170.00").count(), 4, "{texts:?}");
}

#[test]
fn long_names_below_columns_make_room_for_each_other() {
    let name = "a name that nobody would give to anything".to_owned();
    for size in Size::ALL {
        let results = ProfitChart { periods: vec![(name.clone(), 1.0); 60], ..ProfitChart::default() };
        check("profit", &profit(&results, Theme::Dark, size), size);
    }
}

#[test]
fn a_picture_of_nothing_says_so() {
    let (theme, size) = (Theme::Light, Size::Portrait);
    let pane = SheetPane { timeframe: Timeframe::H1, bars: &[], lines: Vec::new() };
    let [no_panes, no_bars] = [vec![], vec![pane]].map(|panes| Sheet {
        caption: Caption::default(),
        zone: New_York,
        base: None,
        panes,
        figures: Vec::new(),
    });
    for (svg, want) in [
        (sheet(&no_panes, theme, size), "No timeframes chosen"),
        (sheet(&no_bars, theme, size), "1h: no bars yet"),
        (profit(&ProfitChart::default(), theme, size), "No results yet"),
        (fan(&FanChart::default(), theme, size), "Nothing simulated yet"),
        (correlation(&CorrelationChart::default(), theme, size), "Two symbols are needed"),
        (risk_heatmap(&RiskHeatmap::default(), theme, size), "Nothing to show yet"),
        (monthly_returns(&MonthlyReturns::default(), theme, size), "Nothing to show yet"),
        (allocation(&Allocation::default(), theme, size), "Nothing held yet"),
    ] {
        assert!(texts_of(&svg).iter().any(|(words, _)| words == want), "{want}");
    }
}

#[test]
fn levels_and_trades_are_told() {
    let bars = rising(60);
    let mut chart = CandleChart::new(Caption { simulated: true, ..Caption::default() }, Timeframe::D1, New_York, &bars);
    let (entry, exit) = ((bars[10].start, bars[10].close), (bars[40].start, bars[40].close));
    chart.trades = vec![TradeMark { side: Side::Buy, entry, exit: Some(exit) }];
    chart.levels = vec![Level { kind: LevelKind::Stop, price: Price::whole(103), since: None }];
    let words: Vec<String> =
        texts_of(&candles(&chart, Theme::Dark, Size::Portrait)).into_iter().map(|(words, _)| words).collect();
    for want in ["BUY 101.10", "SELL +3.0 %", "103.00", "SL", "sim", "1d"] {
        assert!(words.iter().any(|word| word == want), "{want} in {words:?}");
    }
}

#[test]
fn equity_tells_its_result_and_its_axes() {
    let value = |day: i64| if day == 50 { 9_000.0 } else { 10_000.0 + 20.0 * day as f64 };
    let account = EquityChart {
        caption: Caption { title: "main".into(), ..Caption::default() },
        zone: New_York,
        currency: "USD".into(),
        points: (0..=100).map(|day| (Timestamp::from_ms((19_000 + day) * 86_400_000), value(day))).collect(),
        benchmark: Some(Line { name: "SPY".into(), values: vec![Some(10_500.0); 101] }),
        figures: Vec::new(),
    };
    for size in Size::ALL {
        let words: Vec<String> =
            texts_of(&equity(&account, Theme::Dark, size)).into_iter().map(|(words, _)| words).collect();
        // 9,000 after a best of 10,980 is 18.03 % down.
        for want in ["12,000.00 USD", "+2,000.00 (+20.0 %)", "-18.0 %", "0 %", "-10 %", "9,000", "10,500"] {
            assert!(words.iter().any(|word| word == want), "{want} in {words:?}");
        }
    }
}

#[test]
fn every_kind_becomes_a_png_of_its_size_that_is_not_blank() {
    for (theme, size) in Theme::ALL.into_iter().zip(Size::ALL) {
        for (kind, svg) in pictures(&mut Dice(5), theme, size) {
            let bytes = png(&svg).expect("encodes");
            let picture = resvg::tiny_skia::Pixmap::decode_png(&bytes).expect("decodes");
            assert_eq!((picture.width(), picture.height()), size.pixels(), "{kind}");
            let colours: std::collections::BTreeSet<[u8; 4]> = picture
                .pixels()
                .iter()
                .map(|pixel| [pixel.red(), pixel.green(), pixel.blue(), pixel.alpha()])
                .collect();
            assert!(colours.len() > 60, "{kind}: {} colours", colours.len());
            assert!(picture.pixels().iter().all(|pixel| pixel.alpha() == 255), "{kind}");
        }
    }
}
