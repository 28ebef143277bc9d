//! One colour for each engine, in every chart and on a light or a dark page.
//!
//! A chart is drawn with stand-ins, which are then replaced by names of CSS variables; `style.css` says what those are.

use plotters::style::RGBColor;

use crate::cases::order;

/// How many series have a colour and a dash of their own.
const SERIES: u8 = 10;
/// Who draws a stand-in: no chart has these colours for themselves.
const STAND_IN: u8 = 1;

/// What a colour is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    /// Words and axes.
    Text,
    /// Words that matter less.
    Quiet,
    /// Lines of the grid.
    Grid,
    /// What is better than the best rival.
    Win,
    /// What is worse.
    Loss,
    /// An engine, by its number.
    Series(u8),
}

impl Ink {
    const NAMED: [(Self, &'static str); 5] = [
        (Self::Text, "text"),
        (Self::Quiet, "quiet"),
        (Self::Grid, "grid"),
        (Self::Win, "win"),
        (Self::Loss, "loss"),
    ];

    fn all() -> impl Iterator<Item = Self> {
        Self::NAMED.iter().map(|(ink, _)| *ink).chain((0..SERIES).map(Self::Series))
    }

    /// What it is drawn with until it has its name.
    pub(super) fn stand_in(self) -> RGBColor {
        match self {
            Self::Series(n) => RGBColor(STAND_IN, 1, n % SERIES),
            named => RGBColor(
                STAND_IN,
                0,
                Self::NAMED.iter().position(|(ink, _)| *ink == named).unwrap_or(0) as u8,
            ),
        }
    }

    /// The CSS variable.
    pub(super) fn variable(self) -> String {
        match self {
            Self::Series(n) => format!("var(--series-{})", n % SERIES),
            named => {
                let name = Self::NAMED.iter().find(|(ink, _)| *ink == named).map_or("text", |(_, name)| name);
                format!("var(--{name})")
            }
        }
    }
}

/// Gives the stand-ins of a drawing their names.
pub(super) fn name_colours(svg: &str) -> String {
    Ink::all().fold(svg.to_owned(), |svg, ink| {
        let RGBColor(r, g, b) = ink.stand_in();
        svg.replace(&format!("\"#{r:02X}{g:02X}{b:02X}\""), &format!("\"{}\"", ink.variable()))
    })
}

/// The colours of the columns of a report, by the name of the column.
#[derive(Clone, Debug, Default)]
pub(super) struct Palette {
    columns: Vec<(String, Ink)>,
}

impl Palette {
    /// Colours for some columns, each a name and an engine. A known engine always has the same colour; a second column
    /// of it, and engines that are not known, have those that are left.
    pub(super) fn new<'a>(columns: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let mut palette = Self::default();
        // Those that no known engine has; too many engines share them.
        let mut spare = (order("") as u8..SERIES).cycle();
        for (name, engine) in columns {
            if palette.columns.iter().any(|(known, _)| known == name) {
                continue;
            }
            let own = Ink::Series(order(engine) as u8);
            let is_free = order(engine) < order("") && palette.columns.iter().all(|(_, ink)| *ink != own);
            let ink = if is_free { own } else { Ink::Series(spare.next().unwrap_or_default()) };
            palette.columns.push((name.to_owned(), ink));
        }
        palette
    }

    /// The colour of a column.
    pub(super) fn of(&self, column: &str) -> Ink {
        self.columns.iter().find(|(name, _)| name == column).map_or(Ink::Quiet, |(_, ink)| *ink)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_engine_keeps_its_colour_whoever_else_is_there() {
        let alone = Palette::new([("fjall", "fjall")].into_iter());
        let among = [("another", "another"), ("slice", "slice"), ("fjall 3", "fjall"), ("fjall 2", "fjall")];
        let among = Palette::new(among.into_iter());
        assert_eq!(alone.of("fjall"), Ink::Series(3));
        assert_eq!((among.of("slice"), among.of("fjall 3")), (Ink::Series(0), Ink::Series(3)));
        assert_eq!((among.of("another"), among.of("fjall 2")), (Ink::Series(7), Ink::Series(8)));
    }

    #[test]
    fn every_stand_in_is_another_and_has_a_name() {
        let named: Vec<_> = Ink::all()
            .map(|ink| {
                let RGBColor(r, g, b) = ink.stand_in();
                name_colours(&format!("fill=\"#{r:02X}{g:02X}{b:02X}\""))
            })
            .collect();
        let distinct: std::collections::BTreeSet<_> = named.iter().collect();
        assert_eq!(distinct.len(), Ink::all().count());
        assert!(named.iter().all(|name| name.starts_with("fill=\"var(--")), "{named:?}");
    }

    #[test]
    fn every_name_is_in_the_style_for_light_and_for_dark() {
        for ink in Ink::all() {
            let name = ink.variable().replace("var(", "").replace(')', ":");
            assert_eq!(super::super::STYLE.matches(&name).count(), 2, "{name}");
        }
    }
}
