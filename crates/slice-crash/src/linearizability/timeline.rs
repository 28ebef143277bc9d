//! A history as a picture: a lane for each client, a bar from call to return for each operation.
//!
//! ```text
//! client 0  [put k0=1]            [put k0=2?....
//! client 1              [get k0: 1]
//! ```
//!
//! Only the order of calls and returns is to scale. A question mark stands behind what may not have happened.

use std::fmt::Display;

use super::Operation;

/// Draws a history.
pub fn timeline<A: Display>(history: &[Operation<A>]) -> String {
    let mut bars = bars(history);
    bars.sort_by_key(|bar| (bar.client, bar.start));
    let mut lanes: Vec<(usize, String)> = Vec::new();
    for bar in bars {
        let has_room = |(client, text): &(usize, String)| *client == bar.client && text.len() <= bar.start;
        let lane = lanes.iter().position(has_room).unwrap_or(lanes.len());
        if lane == lanes.len() {
            lanes.push((bar.client, String::new()));
        }
        bar.draw(&mut lanes[lane].1);
    }
    let line = |(client, text): &(usize, String)| format!("client {client:<3}{text}\n");
    lanes.iter().map(line).collect::<Vec<_>>().concat()
}

struct Bar {
    client: usize,
    label: String,
    start: usize,
    end: usize,
    certain: bool,
}

impl Bar {
    fn draw(&self, lane: &mut String) {
        let (fill, end) = if self.certain { (" ", "]") } else { (".", "..") };
        let width = (self.end - self.start).saturating_sub(self.label.len() + 2);
        let gap = " ".repeat(self.start - lane.len());
        lane.extend([&gap, "[", &self.label, &fill.repeat(width), end]);
    }
}

/// Gives each call and each return a column of its own, in order, with room for the labels.
fn bars<A: Display>(history: &[Operation<A>]) -> Vec<Bar> {
    let mut bars: Vec<Bar> = history.iter().map(bar).collect();
    let calls = history.iter().enumerate().map(|(n, operation)| (operation.called, n, false));
    let returns = history.iter().enumerate().map(|(n, operation)| (operation.returned, n, true));
    let mut events: Vec<_> = calls.chain(returns).collect();
    events.sort_unstable_by_key(|(time, n, is_return)| (*time, *is_return, *n));
    let mut column = 0;
    for (_, n, is_return) in events {
        let bar = &mut bars[n];
        if is_return {
            bar.end = column.max(bar.start + bar.label.len() + 2);
            column = bar.end + 3;
        } else {
            bar.start = column;
            column += 2;
        }
    }
    bars
}

fn bar<A: Display>(operation: &Operation<A>) -> Bar {
    let doubt = if operation.certain { "" } else { "?" };
    let label = format!("{}{doubt}", operation.action);
    Bar { client: operation.client, label, start: 0, end: 0, certain: operation.certain }
}
