//! Throughput over time, a lane for each engine, on the same axes: a stall is a gap.

use plotters::prelude::*;

use super::super::palette::Ink;
use super::canvas::{Area, Drawn, FINE, chart, letters, rows, words};
use crate::numbers;
use plotters::style::text_anchor::HPos;

const WIDTH: i32 = 560;
const LANE: i32 = 68;
const FOOT: i32 = 34;
/// More than these are pooled, by their least and their most, so that a gap stays a gap.
const POINTS_MAX: usize = 600;

/// What one column did.
pub(in super::super) struct Lane<'a> {
    /// The column.
    pub(in super::super) name: &'a str,
    /// Its colour.
    pub(in super::super) ink: Ink,
    /// The length of a window, in seconds.
    pub(in super::super) window_s: f64,
    /// Operations in each window, from the start.
    pub(in super::super) windows: &'a [u64],
}

impl Lane<'_> {
    /// Seconds, and operations a second. The last window was not whole.
    fn points(&self) -> Vec<(f64, f64)> {
        let whole = &self.windows[..self.windows.len().saturating_sub(1)];
        let pooled = whole.len().div_ceil(POINTS_MAX).max(1);
        let point = |(at, windows): (usize, &[u64])| {
            let from = (at * pooled) as f64 * self.window_s;
            let to = from + windows.len() as f64 * self.window_s;
            let rate = |ops: Option<&u64>| ops.map_or(0.0, |ops| *ops as f64 / self.window_s);
            let (most, least) = (rate(windows.iter().max()), rate(windows.iter().min()));
            if pooled == 1 { vec![(from, most), (to, most)] } else { vec![(from, most), (from, least)] }
        };
        whole.chunks(pooled).enumerate().flat_map(point).collect()
    }
}

/// Lanes, one below the other.
pub(in super::super) fn timeline(title: &str, lanes: &[Lane<'_>]) -> anyhow::Result<String> {
    let points = || lanes.iter().flat_map(Lane::points);
    let seconds = points().map(|(s, _)| s).fold(0.1, f64::max);
    let most = points().map(|(_, rate)| rate).fold(1.0, f64::max) * 1.08;
    let height = LANE * rows(lanes.len()) + FOOT;
    chart((WIDTH, height), title, |area| {
        let (top, foot) = area.split_vertically(LANE * rows(lanes.len()) * FINE);
        for (area, lane) in top.split_evenly((lanes.len().max(1), 1)).iter().zip(lanes) {
            draw(area, lane, seconds, most)?;
        }
        axis(&foot, seconds)
    })
}

fn draw(area: &Area<'_>, lane: &Lane<'_>, seconds: f64, most: f64) -> Drawn {
    let mut chart = ChartBuilder::on(area)
        .margin_right(24 * FINE)
        .margin_top(22 * FINE)
        .y_label_area_size(66 * FINE)
        .build_cartesian_2d(0.0..seconds, 0.0..most)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .y_labels(3)
        .bold_line_style(Ink::Grid.stand_in())
        .light_line_style(TRANSPARENT)
        .axis_style(Ink::Quiet.stand_in())
        .label_style(letters(Ink::Quiet))
        .y_label_formatter(&|rate| short(*rate))
        .draw()?;
    chart.draw_series(LineSeries::new(lane.points(), lane.ink.stand_in().stroke_width(3)))?;
    words(area, lane.name, (72, 12), HPos::Left, Ink::Text)
}

fn axis(area: &Area<'_>, seconds: f64) -> Drawn {
    let mut chart = ChartBuilder::on(area)
        .margin_right(24 * FINE)
        .set_label_area_size(LabelAreaPosition::Left, 66 * FINE)
        .x_label_area_size((FOOT - 4) * FINE)
        .build_cartesian_2d(0.0..seconds, 0.0..1.0)?;
    chart
        .configure_mesh()
        .disable_mesh()
        .disable_y_axis()
        .axis_style(Ink::Quiet.stand_in())
        .label_style(letters(Ink::Quiet))
        .x_label_formatter(&|s| format!("{} s", (s * 100.0).round() / 100.0))
        .draw()
}

fn short(rate: f64) -> String {
    numbers::short(rate).replace(".00", "").replace(".0 ", " ")
}
