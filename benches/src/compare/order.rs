//! The order of the engines: each round begins with the next one, so that none has always the same one before it.
//!
//! What a run leaves to the next, dirty pages above all, is then spread over all of them: `A B C`, `B C A`, `C A B`.

/// The engines in the order of a round.
pub fn in_round<T: Clone>(engines: &[T], round: usize) -> Vec<T> {
    let mut turned = engines.to_vec();
    if !turned.is_empty() {
        turned.rotate_left(round % engines.len());
    }
    turned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_engine_begins_once_in_as_many_rounds_as_there_are_engines() {
        let rounds: Vec<_> = (0..4).map(|round| in_round(&["A", "B", "C"], round).concat()).collect();
        assert_eq!(rounds, ["ABC", "BCA", "CAB", "ABC"]);
    }

    #[test]
    fn no_engines_have_an_order_too() {
        assert!(in_round::<u8>(&[], 5).is_empty());
    }
}
