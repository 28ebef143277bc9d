//! Numbers as people read them: exact ones in groups of three digits, others with three digits that count.

/// A count, in groups of three digits.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut grouped = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A figure in its own unit: whole above a hundred, else with as many digits as count.
pub fn exact(x: f64) -> String {
    if x >= 99.95 { grouped(x.round() as u64) } else { digits(x) }
}

/// A rate or a count in short: `518 K`, `3.24 M`, `7`.
pub fn short(x: f64) -> String {
    scaled(x, &[(1e9, " G"), (1e6, " M"), (1e3, " K"), (1.0, "")])
}

/// A number of keys, exact as far as it can be in short: `2 M`, `20 K`, `1,234,567`.
pub fn keys(n: u64) -> String {
    match n {
        n if n >= 1_000_000 && n.is_multiple_of(1_000_000) => format!("{} M", n / 1_000_000),
        n if n >= 1000 && n.is_multiple_of(1000) => format!("{} K", n / 1000),
        n => grouped(n),
    }
}

/// Bytes in short, in powers of ten: `232 MB`.
pub fn bytes(x: f64) -> String {
    scaled(x, &[(1e12, " TB"), (1e9, " GB"), (1e6, " MB"), (1e3, " KB"), (1.0, " B")])
}

/// A time given in microseconds: `850 ns`, `4.10 ms`.
pub fn micros(x: f64) -> String {
    scaled(x, &[(1e6, " s"), (1e3, " ms"), (1.0, " µs"), (1e-3, " ns")])
}

/// A time given in seconds.
pub fn seconds(x: f64) -> String {
    micros(x * 1e6)
}

/// A ratio: `2.41`. What is below 1 is never rounded up to it.
pub fn ratio(x: f64) -> String {
    if (0.995..1.0).contains(&x) { format!("{:.3}", x.min(0.999)) } else { format!("{x:.2}") }
}

/// Three digits, and the largest unit that leaves one before the point at least.
fn scaled(x: f64, units: &[(f64, &str)]) -> String {
    // What would be rounded up to a thousand belongs to the next unit.
    let fits = |(unit, _): &&(f64, &str)| (x / unit).abs() >= 0.9995;
    let Some((unit, name)) = units.iter().find(fits).or(units.last()) else { return digits(x) };
    format!("{}{name}", digits(x / unit))
}

fn digits(x: f64) -> String {
    match x.abs() {
        x_abs if x_abs >= 99.95 || x == 0.0 => format!("{x:.0}"),
        x_abs if x_abs >= 9.995 => format!("{x:.1}"),
        _ => format!("{x:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped_by_three() {
        let all = [0, 7, 999, 1000, 123_456, 1_234_567].map(grouped);
        assert_eq!(all, ["0", "7", "999", "1,000", "123,456", "1,234,567"]);
    }

    #[test]
    fn three_digits_count_and_the_unit_follows_the_rounding() {
        let all = [0.0, 7.0, 12.34, 518_448.0, 999_499.0, 999_600.0, 3_236_756.0].map(short);
        assert_eq!(all, ["0", "7.00", "12.3", "518 K", "999 K", "1.00 M", "3.24 M"]);
    }

    #[test]
    fn units_are_those_of_the_quantity() {
        assert_eq!(
            [0.15, 4.1, 4100.0, 512_000.0, 2_000_000.0].map(micros),
            ["150 ns", "4.10 µs", "4.10 ms", "512 ms", "2.00 s"]
        );
        assert_eq!(
            [0.5, 0.994, 0.998, 0.9999, 1.0, 2.406].map(ratio),
            ["0.50", "0.99", "0.998", "0.999", "1.00", "2.41"]
        );
        assert_eq!([12.0, 232e6, 1.02e9].map(bytes), ["12.0 B", "232 MB", "1.02 GB"]);
        assert_eq!((seconds(5.1), seconds(0.02)), ("5.10 s".to_owned(), "20.0 ms".to_owned()));
    }
}
