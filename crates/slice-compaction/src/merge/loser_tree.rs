//! A tournament among `k` players that is replayed along one path: `log2 k` matches to find the next winner.
//!
//! ```text
//!                 [0] winner
//!                     │
//!                 [1] loser of the final              each inner node keeps the loser of its match;
//!                 /              \                    a leaf is a player
//!         [2] loser            [3] loser
//!          /     \              /     \
//!      p0 = 4   p1 = 5      p2 = 6   p3 = 7           node of player i: k + i; its parent: half of it
//! ```
//!
//! Source: Knuth, The Art of Computer Programming, vol. 3, 5.4.1, "tree of losers". Against a binary heap: half the
//! comparisons, and each against a known place.

/// The tree. It knows players by number; who beats whom is the caller's to say.
#[derive(Clone, Debug, Default)]
pub(super) struct LoserTree {
    /// `[0]` is the winner, `[1..k]` are the losers of the inner nodes.
    nodes: Vec<usize>,
}

/// An inner node whose match waits for its second player.
const NOBODY: usize = usize::MAX;

impl LoserTree {
    /// Plays all matches among `players`. `beats` is a strict order.
    pub(super) fn play(&mut self, players: usize, beats: impl Fn(usize, usize) -> bool) {
        self.nodes.clear();
        self.nodes.resize(players, NOBODY);
        for player in 0..players {
            self.enter(player, &beats);
        }
    }

    /// Lets a player win matches until it is the first to come to one.
    fn enter(&mut self, player: usize, beats: impl Fn(usize, usize) -> bool) {
        let mut winner = player;
        let mut node = usize::midpoint(self.nodes.len(), player);
        while node > 0 {
            let other = self.nodes[node];
            if other == NOBODY {
                self.nodes[node] = winner;
                return;
            }
            if beats(other, winner) {
                self.nodes[node] = winner;
                winner = other;
            }
            node /= 2;
        }
        self.nodes[0] = winner;
    }

    /// The winner. There must be a player.
    #[inline]
    pub(super) fn winner(&self) -> usize {
        self.nodes[0]
    }

    /// Those who lost to the winner. The second best is one of them.
    #[inline]
    pub(super) fn rivals(&self) -> impl Iterator<Item = usize> {
        let leaf = self.nodes.len() + self.nodes.first().copied().unwrap_or_default();
        let path = std::iter::successors(Some(leaf / 2), |node| Some(node / 2));
        path.take_while(|node| *node > 0).map(|node| self.nodes[node])
    }

    /// The winner has changed: plays its matches again.
    #[inline]
    pub(super) fn replay(&mut self, beats: impl Fn(usize, usize) -> bool) {
        let mut winner = self.nodes[0];
        let mut node = usize::midpoint(self.nodes.len(), winner);
        while node > 0 {
            let loser = self.nodes[node];
            if beats(loser, winner) {
                self.nodes[node] = winner;
                winner = loser;
            }
            node /= 2;
        }
        self.nodes[0] = winner;
    }
}
