//! What does the engine know between two cycles? Lanes of symbols, desks of books, and the numbers it counts.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::domain::{
    AssetClass, ChangeId, CycleId, FillId, Instrument, OrderId, Price, SignalId, Symbol, Timeframe, TradeId,
};
use crate::risk::Limits;
use crate::strategy::ParamError;

use super::desk::Desk;
use super::lane::Lane;
use super::{DeskSettings, Reload};

/// The last numbers given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Of cycles.
    pub cycle: CycleId,
    /// Of signals.
    pub signal: SignalId,
    /// Of orders.
    pub order: OrderId,
    /// Of fills.
    pub fill: FillId,
    /// Of round trips.
    pub trade: TradeId,
    /// Of settings that people changed over the file.
    pub change: ChangeId,
}

/// Reads the configuration at once; in words why it cannot be read.
pub type FileReader = Arc<dyn Fn() -> Result<Reload, String> + Send + Sync>;

/// How many returns correlations of any of these books are measured over.
pub(super) fn returns_remembered<'a>(desks: impl IntoIterator<Item = &'a DeskSettings>) -> usize {
    let bars = desks.into_iter().map(|desk| Limits::count(desk.limits.correlation_bars)).max().unwrap_or(0);
    usize::try_from(bars).unwrap_or(0)
}

/// Everything that decides.
pub struct Engine {
    /// One lane a symbol, in the feed's order.
    pub lanes: Vec<Lane>,
    /// One desk a book.
    pub desks: Vec<Desk>,
    /// The last numbers given out.
    pub counters: Counters,
    /// How the configuration is read when somebody asks for it; none where there is none to read.
    pub file: Option<FileReader>,
    /// The bars that were asked for by name when the feed was made.
    pub(super) served: Vec<Timeframe>,
    /// True if some strategy has not seen all bars since the start: its memory is not worth saving, as the past is read again then.
    pub(super) is_young: bool,
    index: FxHashMap<Symbol, usize>,
    has_perpetuals: bool,
}

impl Engine {
    /// New books on these symbols.
    ///
    /// # Errors
    /// When a strategy refuses its parameters.
    pub fn new(instruments: &[Instrument], desks: Vec<DeskSettings>) -> Result<Self, ParamError> {
        let index = instruments.iter().enumerate().map(|(index, it)| (it.symbol, index)).collect();
        let returns = returns_remembered(&desks);
        let served = desks.iter().flat_map(DeskSettings::timeframes).collect();
        let desks: Vec<Desk> =
            desks.into_iter().map(|settings| Desk::new(settings, instruments)).collect::<Result<_, _>>()?;
        let sector = |item: &Instrument| {
            let known = instruments.iter().position(|other| other.sector == item.sector);
            known.filter(|_| !item.sector.is_empty())
        };
        let lanes = instruments.iter().map(|item| Lane::new(item.clone(), sector(item), returns)).collect();
        let has_perpetuals = instruments.iter().any(|item| item.class == AssetClass::Perpetual);
        let counters = Counters::default();
        Ok(Self { lanes, desks, counters, file: None, served, is_young: false, index, has_perpetuals })
    }

    /// Where a symbol's lane is.
    pub fn lane_of(&self, symbol: Symbol) -> Option<usize> {
        self.index.get(&symbol).copied()
    }

    /// The price a symbol is valued at.
    pub fn mark(&self, symbol: Symbol) -> Option<Price> {
        mark_of(&self.lanes, &self.index, symbol)
    }

    /// Whether the feed gives these bars.
    pub(super) fn serves(&self, timeframe: Timeframe) -> bool {
        self.served.contains(&timeframe) || self.lanes.iter().any(|lane| lane.timeframe == Some(timeframe))
    }

    /// The lanes, to be read.
    pub(super) fn prices(&self) -> Prices<'_> {
        Prices { lanes: &self.lanes, index: &self.index, has_perpetuals: self.has_perpetuals }
    }

    /// Lanes and desks apart, so that a desk can be changed while prices are read.
    pub(super) fn split(&mut self) -> (Prices<'_>, &mut [Desk], &mut Counters) {
        let prices = Prices { lanes: &self.lanes, index: &self.index, has_perpetuals: self.has_perpetuals };
        (prices, &mut self.desks, &mut self.counters)
    }
}

fn mark_of(lanes: &[Lane], index: &FxHashMap<Symbol, usize>, symbol: Symbol) -> Option<Price> {
    index.get(&symbol).and_then(|index| lanes[*index].mark())
}

/// The lanes, to be read while a desk changes.
#[derive(Clone, Copy)]
pub(super) struct Prices<'a> {
    /// All lanes.
    pub(super) lanes: &'a [Lane],
    index: &'a FxHashMap<Symbol, usize>,
    /// True if a symbol has funding and a margin of its own.
    pub(super) has_perpetuals: bool,
}

impl Prices<'_> {
    /// The price a symbol is valued at.
    pub(super) fn mark(&self, symbol: Symbol) -> Option<Price> {
        mark_of(self.lanes, self.index, symbol)
    }

    /// Where a symbol's lane is.
    pub(super) fn place(&self, symbol: Symbol) -> Option<usize> {
        self.index.get(&symbol).copied()
    }

    /// A symbol's lane.
    pub(super) fn lane(&self, symbol: Symbol) -> Option<&Lane> {
        self.index.get(&symbol).map(|index| &self.lanes[*index])
    }

    /// A symbol's sector, as a number that equal sectors share.
    pub(super) fn sector(&self, symbol: Symbol) -> Option<usize> {
        self.lane(symbol).and_then(|lane| lane.sector)
    }
}
