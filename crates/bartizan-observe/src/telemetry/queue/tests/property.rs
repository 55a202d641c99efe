//! Any steps in any order.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// What happens to a queue.
#[derive(Debug, Clone)]
enum Step {
    Push(usize),
    Flush,
    Next,
    Settle(Sent),
    Stow,
    Expire,
}

fn step() -> impl Strategy<Value = Step> {
    let sent = prop_oneof![
        (0..3_u64).prop_map(|rejected| Sent::Acknowledged { rejected }),
        Just(Sent::Unreachable),
        Just(Sent::Unconfirmed),
        Just(Sent::Encoding),
    ];
    prop_oneof![
        20 => (0..60_usize).prop_map(Step::Push),
        4 => (60..200_usize).prop_map(Step::Push),
        5 => Just(Step::Flush),
        10 => Just(Step::Next),
        8 => sent.prop_map(Step::Settle),
        2 => Just(Step::Stow),
        1 => Just(Step::Expire),
    ]
}

proptest! {
    #[test]
    fn the_bounds_and_the_books_hold_whatever_happens(steps in vec(step(), 0..200)) {
        let queue: Queue<usize> = Queue::new(
            Feed::Pushed,
            Bounds { items: 9, bytes: 150, batch: 3 },
            Handed::assumed(),
            Clock::default(),
        );
        // What the test itself holds: the batch that is under way.
        let mut sending: Vec<usize> = Vec::new();
        for step in steps {
            match step {
                Step::Push(bytes) => queue.push(bytes, bytes),
                Step::Flush => drop(queue.request_flush()),
                Step::Next if sending.is_empty() => {
                    if let Next::Batch(batch) = queue.next() {
                        let sum: usize = batch.iter().sum();
                        prop_assert!(batch.len() <= 3 && (sum <= 37 || batch.len() == 1));
                        sending = batch;
                    }
                }
                Step::Settle(sent) if !sending.is_empty() => {
                    queue.settle(&sent);
                    sending.clear();
                }
                Step::Stow if !sending.is_empty() => {
                    queue.stow(Origin::Own);
                    sending.clear();
                }
                Step::Expire => queue.expire(),
                Step::Next | Step::Settle(_) | Step::Stow => {}
            }
            let state = queue.lock();
            let waiting: usize = state.items.iter().map(|queued| queued.bytes).sum();
            prop_assert_eq!(waiting, state.bytes);
            let held = if matches!(state.phase, Phase::Done) { 0 } else { sending.iter().sum() };
            prop_assert_eq!(state.in_flight.bytes, held);
            prop_assert!(waiting + held <= 150 && state.items.len() <= 9);
            let under_way = state.items.len() as u64 + state.in_flight.items;
            prop_assert_eq!(state.report.pending(), under_way);
        }
    }
}
