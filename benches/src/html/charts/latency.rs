//! Latencies by percentile: both axes are logarithmic, so that each nine of a percentile has as much room as the last.

use plotters::prelude::*;

use super::super::palette::Ink;
use super::canvas::{Area, Drawn, FINE, chart, letters};
use crate::numbers;

const SIZE: (i32, i32) = (560, 260);

/// The latencies of one column.
pub(in super::super) struct Curve<'a> {
    /// Its colour.
    pub(in super::super) ink: Ink,
    /// How many operations there were.
    pub(in super::super) count: u64,
    /// Quantiles, and microseconds that are not exceeded by these.
    pub(in super::super) quantiles: &'a [(f64, f64)],
}

impl Curve<'_> {
    /// The points: how many nines, and microseconds. The longest of a million operations has six nines.
    fn points(&self) -> Vec<(f64, f64)> {
        let end = (self.count.max(1) as f64).log10();
        let nines = |quantile: f64| (-(1.0 - quantile).log10()).clamp(0.0, end);
        self.quantiles.iter().filter(|(_, us)| *us > 0.0).map(|(q, us)| (nines(*q), *us)).collect()
    }
}

/// Curves that share their axes.
pub(in super::super) fn latency(title: &str, curves: &[Curve<'_>]) -> anyhow::Result<String> {
    let chart = chart(SIZE, title, |area| draw(area, curves))?;
    Ok(format!("<div class=\"dashed\">\n{chart}</div>\n"))
}

fn draw(area: &Area<'_>, curves: &[Curve<'_>]) -> Drawn {
    let points = || curves.iter().flat_map(Curve::points);
    let nines = points().map(|(nines, _)| nines).fold(3.0, f64::max);
    let low = points().map(|(_, us)| us.log10().floor()).fold(f64::INFINITY, f64::min);
    let high = points().map(|(_, us)| us.log10().ceil()).fold(f64::NEG_INFINITY, f64::max);
    if low > high {
        return Ok(());
    }
    let (low, high) = (low as i32, (high as i32).max(low as i32 + 1));
    let up = (10_f64.powi(low)..10_f64.powi(high)).log_scale();
    let mut chart = ChartBuilder::on(area)
        .margin(8 * FINE)
        .margin_right(24 * FINE)
        .x_label_area_size(20 * FINE)
        .y_label_area_size(58 * FINE)
        .build_cartesian_2d(0.0..nines, up)?;
    chart
        .configure_mesh()
        .bold_line_style(Ink::Grid.stand_in())
        .light_line_style(TRANSPARENT)
        .axis_style(Ink::Quiet.stand_in())
        .label_style(letters(Ink::Quiet))
        .x_labels(nines as usize + 1)
        .x_label_formatter(&|nines| percentile(*nines))
        .y_labels(6)
        .y_label_formatter(&|us| numbers::micros(*us).replace(".00", "").replace(".0", ""))
        .draw()?;
    for curve in curves {
        let style = curve.ink.stand_in().stroke_width(4);
        chart.draw_series(LineSeries::new(curve.points(), style))?;
    }
    Ok(())
}

/// `0 %`, `90 %`, `99 %`, `99.9 %`. What is no whole number of nines is not marked.
fn percentile(nines: f64) -> String {
    if nines.fract() != 0.0 {
        return String::new();
    }
    let digits = (nines as usize).saturating_sub(2);
    format!("{:.digits$} %", 100.0 - 10_f64.powf(2.0 - nines))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_named_by_their_nines() {
        let names = [0.0, 1.0, 2.0, 3.0, 5.0].map(percentile);
        assert_eq!(names, ["0 %", "90 %", "99 %", "99.9 %", "99.999 %"]);
    }

    #[test]
    fn the_longest_has_as_many_nines_as_there_are_operations() {
        let quantiles = [(0.0, 0.0), (0.9, 2.0), (1.0, 9.0)];
        let points = Curve { ink: Ink::Text, count: 1000, quantiles: &quantiles }.points();
        assert_eq!(points.len(), 2, "what took no time has no place on the axis");
        assert!((points[0].0 - 1.0).abs() < 1e-9 && (points[1].0 - 3.0).abs() < 1e-9, "{points:?}");
    }
}
