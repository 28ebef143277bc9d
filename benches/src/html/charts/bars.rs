//! Bars from zero, one below the other, with the spread of the rounds.

use plotters::style::text_anchor::HPos;

use super::super::palette::Ink;
use super::canvas::{Area, Drawn, block, chart, line, rows, words};

/// The width of a chart that stands beside a table.
pub(in super::super) const WIDE: i32 = 560;
/// The width of one among many.
pub(in super::super) const NARROW: i32 = 400;

const LABELS: i32 = 130;
const FIGURES: i32 = 84;
const ROW: i32 = 26;

/// A bar.
pub(in super::super) struct Bar<'a> {
    /// What stands before it.
    pub(in super::super) name: &'a str,
    /// Its colour.
    pub(in super::super) ink: Ink,
    /// Its length.
    pub(in super::super) value: f64,
    /// The least and the most, if there was more than one round.
    pub(in super::super) bounds: Option<(f64, f64)>,
    /// What stands behind it.
    pub(in super::super) figure: String,
}

/// Bars that share an axis.
pub(in super::super) fn bars(title: &str, width: i32, bars: &[Bar<'_>]) -> anyhow::Result<String> {
    let most = |bar: &Bar<'_>| bar.bounds.map_or(bar.value, |(_, most)| most.max(bar.value));
    let longest = bars.iter().map(most).fold(f64::MIN_POSITIVE, f64::max);
    let height = ROW * rows(bars.len()) + 4;
    let scale = f64::from(width - LABELS - FIGURES) / longest;
    chart((width, height), title, |area| {
        line(area, [(LABELS, 2), (LABELS, height - 2)], Ink::Quiet, 1)?;
        bars.iter().enumerate().try_for_each(|(row, bar)| one(area, rows(row), bar, scale))
    })
}

fn one(area: &Area<'_>, row: i32, bar: &Bar<'_>, scale: f64) -> Drawn {
    let middle = 2 + ROW * row + ROW / 2;
    let place = |value: f64| LABELS + (value * scale).round() as i32;
    words(area, bar.name, (LABELS - 8, middle), HPos::Right, Ink::Text)?;
    block(area, [(LABELS, middle - 8), (place(bar.value), middle + 8)], bar.ink)?;
    let mut end = place(bar.value);
    if let Some((least, most)) = bar.bounds {
        whisker(area, [place(least), place(most)], middle)?;
        end = end.max(place(most));
    }
    words(area, &bar.figure, (end + 8, middle), HPos::Left, Ink::Text)
}

/// A line over the end of a bar, from the least to the most.
fn whisker(area: &Area<'_>, [from, to]: [i32; 2], middle: i32) -> Drawn {
    line(area, [(from, middle), (to, middle)], Ink::Text, 1)?;
    line(area, [(from, middle - 4), (from, middle + 4)], Ink::Text, 1)?;
    line(area, [(to, middle - 4), (to, middle + 4)], Ink::Text, 1)
}
