//! What all charts are drawn on: plotters' SVG, which takes whole units only, at twice the size at which it is shown.

use std::io;

use anyhow::anyhow;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::super::escape::escaped;
use super::super::palette::{Ink, name_colours};

/// Units of the drawing for one of the page.
pub(super) const FINE: i32 = 2;
/// How high letters are, in units of the page. The SVG that plotters writes has them smaller by a quarter.
const LETTERS: i32 = 15;

/// What is drawn on.
pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// The end of a piece of drawing.
pub(super) type Drawn = Result<(), DrawingAreaErrorKind<io::Error>>;

/// Draws a chart of a size in units of the page. `title` is what it shows, for those who do not see it.
pub(super) fn chart(
    (width, height): (i32, i32),
    title: &str,
    draw: impl FnOnce(&Area<'_>) -> Drawn,
) -> anyhow::Result<String> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, fine((width, height))).into_drawing_area();
        let drawn = draw(&area).and_then(|()| area.present());
        drawn.map_err(|error| anyhow!("the chart \"{title}\" cannot be drawn: {error}"))?;
    }
    let body = svg.split_once(">\n").map_or("", |(_, body)| body);
    let view = format!("0 0 {} {}", width * FINE, height * FINE);
    let title = escaped(title);
    Ok(format!(
        "<svg class=\"chart\" style=\"max-width:{width}px\" viewBox=\"{view}\" role=\"img\" aria-label=\"{title}\">\n<title>{title}</title>\n{}",
        name_colours(body)
    ))
}

fn fine((width, height): (i32, i32)) -> (u32, u32) {
    ((width * FINE).unsigned_abs(), (height * FINE).unsigned_abs())
}

/// A number of rows, to reckon with places.
pub(super) fn rows(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// Letters of a colour.
pub(super) fn letters(ink: Ink) -> TextStyle<'static> {
    ("sans-serif", LETTERS * FINE).into_font().color(&ink.stand_in())
}

/// A line of words, beside a point in units of the page.
pub(super) fn words(area: &Area<'_>, text: &str, (x, y): (i32, i32), side: HPos, ink: Ink) -> Drawn {
    let style = letters(ink).pos(Pos::new(side, VPos::Center));
    area.draw(&Text::new(text.to_owned(), (x * FINE, y * FINE), style))
}

/// A line between points in units of the page.
pub(super) fn line(area: &Area<'_>, points: [(i32, i32); 2], ink: Ink, width: u32) -> Drawn {
    let points = points.map(|(x, y)| (x * FINE, y * FINE));
    area.draw(&PathElement::new(points, ink.stand_in().stroke_width(width * FINE.unsigned_abs())))
}

/// A filled rectangle between two corners in units of the page.
pub(super) fn block(area: &Area<'_>, corners: [(i32, i32); 2], ink: Ink) -> Drawn {
    area.draw(&Rectangle::new(corners.map(|(x, y)| (x * FINE, y * FINE)), ink.stand_in().filled()))
}
