//! Code, comments and literals are told apart.

use crate::tidy::lexer::mask;

/// Asserts what is code and what is comment, with the rest as dots.
#[track_caller]
fn assert_masked(text: &str, code: &str, comments: &str) {
    let masked = mask(text);
    assert_eq!([masked.code, masked.comments].map(|kept| kept.replace(' ', ".")), [code, comments]);
}

#[test]
fn code_comments_and_literals_are_told_apart() {
    assert_masked("a//b\nc", "a...\nc", ".//b\n.");
    assert_masked("a/*b/*c*/d*/e", "a...........e", "./*b/*c*/d*/.");
    assert_masked(r#"f("//a\"b")c"#, "f(........)c", "............");
    assert_masked("g(r#\"a\"b\"#)h", "g(........)h", "............");
    assert_masked("(b'\"',c\"x\",br\"\\\")y", "(....,....,.....)y", "..................");
}

#[test]
fn a_lifetime_is_no_character() {
    assert_masked("<'a,'b>'c'", "<'a,'b>...", "..........");
    assert_masked(r"'\''x'\\'y", "....x....y", "..........");
}

#[test]
fn text_beyond_ascii_keeps_its_offsets() {
    let text = "é\"ü\"// ñ\nunsafe";
    let masked = mask(text);
    assert_eq!((masked.code.len(), masked.comments.len()), (text.len(), text.len()));
    assert_eq!(masked.code.find("unsafe"), text.find("unsafe"));
}

#[test]
fn what_is_left_open_ends_with_the_file() {
    for text in ["\"a", "/* a", "/*/", "r#\"a\"", "'\\", "b'", "//", "r#", "'"] {
        assert_eq!(mask(text).code.len(), text.len(), "{text}");
    }
}
