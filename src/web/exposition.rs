//! How does Prometheus read it? The `OpenMetrics` text of every figure, made from one reading of the store.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, MetricEncoder, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};

use crate::domain::TradingState;
use crate::views::{LaneMetrics, MetricsReport};

/// What the text is.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Every name begins with this.
const PREFIX: &str = "bellwether";

/// The figures as text.
///
/// # Errors
/// Never in practice: writing to memory does not fail.
pub fn exposition(report: MetricsReport) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix(PREFIX);
    registry.register_collector(Box::new(Figures(report)));
    let mut out = String::new();
    text::encode(&mut out, &registry)?;
    Ok(out)
}

#[derive(Debug)]
struct Figures(MetricsReport);

impl Collector for Figures {
    fn encode(&self, encoder: DescriptorEncoder) -> fmt::Result {
        let mut page = Page { encoder };
        self.counts(&mut page)?;
        self.deliveries(&mut page)?;
        self.latencies(&mut page)?;
        self.queues(&mut page)?;
        self.books(&mut page)?;
        self.engine(&mut page)
    }
}

impl Figures {
    fn counts(&self, page: &mut Page<'_>) -> fmt::Result {
        let totals = &self.0.totals;
        page.counter("cycles", "Cycles that were committed", [([], self.0.cycles)])?;
        page.counter("fills", "Fills", [([], totals.fills)])?;
        page.counter("trades", "Round trips from flat to flat", [([], totals.trades)])?;
        let refusals = totals.refusals.iter().map(|(check, count)| ([("check", check.as_str())], *count));
        page.counter("refusals", "Checks of risk that refused an order", refusals)?;
        let unread = totals.unread.iter().map(|(channel, count)| ([("channel", channel.as_str())], *count));
        page.counter("updates_unread", "Updates of a channel that could not be read and were passed over", unread)?;
        let events = totals.events.iter();
        let events = events.map(|(kind, severity, count)| ([("kind", &**kind), ("severity", &**severity)], *count));
        page.counter("events", "Committed facts", events)
    }

    fn deliveries(&self, page: &mut Page<'_>) -> fmt::Result {
        let accepted = self.0.lanes.iter().map(|lane| ([("lane", lane.counts.lane.as_str())], lane.counts.accepted));
        page.counter("deliveries_accepted", "Messages that were to be sent", accepted)?;
        let settled = self.0.lanes.iter().flat_map(|lane| {
            let counts = &lane.counts;
            [("sent", counts.sent), ("skipped", counts.skipped), ("dead", counts.dead)]
                .map(|(state, count)| ([("lane", counts.lane.as_str()), ("state", state)], count))
        });
        page.counter("deliveries", "Messages that are settled", settled)?;
        let attempts = self.0.lanes.iter().flat_map(|lane| {
            let labels = |outcome| [("lane", lane.counts.lane.as_str()), ("outcome", outcome)];
            lane.attempts.iter().map(move |(outcome, count)| (labels(outcome.as_str()), *count))
        });
        page.counter("delivery_attempts", "Tries to send that ended", attempts)
    }

    fn latencies(&self, page: &mut Page<'_>) -> fmt::Result {
        let help = "From commit to the channel's receipt";
        let mut family = page.family("delivery_latency", help, Some(&Unit::Seconds), MetricType::Histogram)?;
        for lane in &self.0.lanes {
            let (classes, sum_s) = (&lane.latency.classes, lane.latency.sum_ms as f64 / 1000.0);
            let bounds = LaneMetrics::latency_bounds_s().chain([f64::MAX]);
            let buckets: Vec<(f64, u64)> = bounds.zip(classes.iter().copied()).collect();
            family.encode_family(&[("lane", lane.counts.lane.as_str())])?.encode_histogram::<[(&str, &str); 0]>(
                sum_s,
                classes.iter().sum(),
                &buckets,
                None,
            )?;
        }
        Ok(())
    }

    fn queues(&self, page: &mut Page<'_>) -> fmt::Result {
        let lanes = || self.0.lanes.iter();
        let of = |lane: &'_ LaneMetrics, value: f64| ([("lane", lane.counts.lane.clone())], value);
        let oldest = lanes().map(|lane| of(lane, lane.oldest_s));
        page.seconds("queue_age", "Age of the oldest message that could go now", oldest)?;
        let open = lanes().map(|lane| of(lane, lane.counts.open as f64));
        page.gauge("queue_length", "Messages that are not settled", open)?;
        let dead = lanes().map(|lane| of(lane, f64::from(u8::from(lane.dead))));
        page.gauge("lane_dead", "1 if nothing comes through", dead)
    }

    fn books(&self, page: &mut Page<'_>) -> fmt::Result {
        let books = || self.0.books.iter();
        let equity = books().map(|b| ([("book", b.book.as_str()), ("currency", b.currency.as_str())], b.equity));
        page.gauge("equity", "What a book is worth, in its currency", equity)?;
        let exposure = books().filter_map(|b| Some(([("book", b.book.as_str())], b.exposure?)));
        page.gauge("exposure_ratio", "What is held, longs and shorts added, over equity", exposure)?;
        let drawdown = books().map(|b| ([("book", b.book.as_str())], b.drawdown));
        page.gauge("drawdown_ratio", "How far a book is below its peak, over the peak", drawdown)?;
        let states = books().flat_map(|b| {
            [TradingState::Running, TradingState::Reducing, TradingState::Halted].map(|state| {
                ([("book", b.book.as_str()), ("state", state.as_str())], f64::from(u8::from(b.state == state)))
            })
        });
        page.gauge("trading_state", "1 for the state that a book is in", states)
    }

    fn engine(&self, page: &mut Page<'_>) -> fmt::Result {
        let none: [(&str, &str); 0] = [];
        let running = f64::from(u8::from(self.0.running));
        page.gauge("up", "1 if a bot runs on the database", [(none, running)])?;
        let beat = self.0.beat_age_s.map(|age| (none, age));
        page.seconds("engine_beat_age", "Since the engine last showed itself", beat)?;
        let cycle = self.0.cycle_age_s.map(|age| (none, age));
        page.seconds("last_cycle_age", "Since the last cycle was committed", cycle)?;
        let mut build = page.family("build", "The program", None, MetricType::Info)?;
        build.encode_info(&[("version", env!("CARGO_PKG_VERSION"))])
    }
}

/// The text as it grows.
struct Page<'a> {
    encoder: DescriptorEncoder<'a>,
}

impl Page<'_> {
    fn family<'s>(
        &'s mut self,
        name: &'s str,
        help: &str,
        unit: Option<&'s Unit>,
        kind: MetricType,
    ) -> Result<MetricEncoder<'s>, fmt::Error> {
        self.encoder.encode_descriptor(name, help, unit, kind)
    }

    fn counter<'a, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = ([(&'static str, &'a str); N], u64)>,
    ) -> fmt::Result {
        let mut family = self.family(name, help, None, MetricType::Counter)?;
        for (labels, value) in values {
            ConstCounter::new(value).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }

    fn gauge<L>(&mut self, name: &str, help: &str, values: impl IntoIterator<Item = (L, f64)>) -> fmt::Result
    where
        L: EncodeLabelSet,
    {
        let family = self.family(name, help, None, MetricType::Gauge)?;
        write_gauges(family, values)
    }

    fn seconds<L>(&mut self, name: &str, help: &str, values: impl IntoIterator<Item = (L, f64)>) -> fmt::Result
    where
        L: EncodeLabelSet,
    {
        let family = self.family(name, help, Some(&Unit::Seconds), MetricType::Gauge)?;
        write_gauges(family, values)
    }
}

fn write_gauges<L: EncodeLabelSet>(
    mut family: MetricEncoder<'_>,
    values: impl IntoIterator<Item = (L, f64)>,
) -> fmt::Result {
    for (labels, value) in values {
        ConstGauge::new(value).encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}
