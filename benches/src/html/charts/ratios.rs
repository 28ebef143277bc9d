//! Ratios to the best rival on a logarithmic axis: a point for the median, a line from the worst round to the best.

use plotters::prelude::{Circle, Color, Cross};
use plotters::style::text_anchor::HPos;

use super::super::palette::Ink;
use super::canvas::{self, Area, Drawn, FINE, chart, line, words};
use crate::compare::ratio::Ratio;
use crate::numbers;

const WIDTH: i32 = 860;
const LABELS: i32 = 230;
const FIGURES: i32 = 190;
const ROW: i32 = 22;
const HEAD: i32 = 24;
/// What is marked on the axis, as far as it is needed.
const MARKS: [f64; 10] = [0.1, 0.2, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0];

/// A ratio with its name.
pub(in super::super) struct Row {
    /// What was done.
    pub(in super::super) name: String,
    /// How much better it was.
    pub(in super::super) ratio: Ratio,
    /// Than whom.
    pub(in super::super) rival: String,
}

/// The axis: where a ratio is.
struct Axis {
    low: f64,
    high: f64,
}

impl Axis {
    fn over(rows: &[Row]) -> Self {
        let low = rows.iter().map(|row| row.ratio.min).fold(0.5, f64::min);
        let high = rows.iter().map(|row| row.ratio.max).fold(3.0, f64::max);
        Self { low: low / 1.1, high: high * 1.1 }
    }

    fn place(&self, ratio: f64) -> i32 {
        let along = (ratio / self.low).ln() / (self.high / self.low).ln();
        LABELS + (along * f64::from(WIDTH - LABELS - FIGURES)).round() as i32
    }

    fn marks(&self) -> impl Iterator<Item = f64> {
        MARKS.into_iter().filter(|mark| (self.low..self.high).contains(mark))
    }
}

/// Ratios, one below the other.
pub(in super::super) fn ratios(title: &str, rows: &[Row]) -> anyhow::Result<String> {
    let axis = Axis::over(rows);
    let height = HEAD + ROW * canvas::rows(rows.len()) + 4;
    chart((WIDTH, height), title, |area| {
        for mark in axis.marks() {
            let (x, is_one) = (axis.place(mark), (mark - 1.0).abs() < f64::EPSILON);
            let ink = if is_one { Ink::Text } else { Ink::Grid };
            line(area, [(x, HEAD - 6), (x, height - 2)], ink, 1)?;
            words(area, &format!("{mark}"), (x, HEAD / 2 - 4), HPos::Center, Ink::Quiet)?;
        }
        rows.iter().enumerate().try_for_each(|(at, row)| one(area, &axis, canvas::rows(at), row))
    })
}

/// A loss has another shape as well, for those to whom the colours look alike.
fn one(area: &Area<'_>, axis: &Axis, at: i32, row: &Row) -> Drawn {
    let Ratio { median, min, max } = row.ratio;
    let y = HEAD + ROW * at + ROW / 2;
    let (wins, x) = (median >= 1.0, axis.place(median));
    let ink = if wins { Ink::Win } else { Ink::Loss };
    words(area, &row.name, (LABELS - 10, y), HPos::Right, Ink::Text)?;
    line(area, [(axis.place(min), y), (axis.place(max), y)], ink, 2)?;
    let centre = (x * FINE, y * FINE);
    if wins {
        area.draw(&Circle::new(centre, 5 * FINE, ink.stand_in().filled()))?;
    } else {
        area.draw(&Cross::new(centre, 5 * FINE, ink.stand_in().stroke_width(6)))?;
    }
    let figure = format!("{} × {}", numbers::ratio(median), row.rival);
    words(area, &figure, (WIDTH - FIGURES + 14, y), HPos::Left, Ink::Text)
}
