//! Paged bytes against a plain vector.

use proptest::prelude::*;

use crate::mem_fs::content::Content;

#[derive(Clone, Debug)]
enum Step {
    Write(u64, usize),
    SetLen(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0..20_000_u64, 0..9_000_usize).prop_map(|(offset, len)| Step::Write(offset, len)),
        (0..25_000_u64).prop_map(Step::SetLen),
    ];
    prop::collection::vec(step, 1..12)
}

fn bytes(content: &Content) -> Vec<u8> {
    let mut bytes = vec![0; content.len() as usize];
    assert!(content.read(&mut bytes, 0));
    bytes
}

proptest! {
    #[test]
    fn content_is_a_vector_and_copies_do_not_change(steps in steps()) {
        let mut content = Content::default();
        let mut model: Vec<u8> = Vec::new();
        for (turn, step) in steps.into_iter().enumerate() {
            let (copy, before) = (content.clone(), model.clone());
            match step {
                Step::Write(offset, len) => {
                    content.write(offset, &vec![turn as u8 + 1; len]);
                    if len > 0 {
                        model.resize(model.len().max(offset as usize + len), 0);
                        model[offset as usize..offset as usize + len].fill(turn as u8 + 1);
                    }
                }
                Step::SetLen(len) => {
                    content.set_len(len);
                    model.resize(len as usize, 0);
                }
            }
            prop_assert!(bytes(&content) == model);
            prop_assert!(bytes(&copy) == before);
        }
    }
}

#[test]
fn a_read_behind_the_end_is_refused() {
    let mut content = Content::default();
    content.write(0, b"12345");
    assert!(content.read(&mut [0; 2], 3));
    assert!(!content.read(&mut [0; 2], 4));
    assert!(!content.read(&mut [0; 2], u64::MAX));
}
