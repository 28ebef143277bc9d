//! Tells code from comments and from literals in a Rust file, so that a rule about code is not broken by prose.
//!
//! Invariant: both results have the length and the line breaks of the text, so an offset in one is an offset in all.

/// A Rust text twice: with only its code left, and with only its comments left. The rest is spaces.
pub(crate) struct Masked {
    pub(crate) code: String,
    pub(crate) comments: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Code,
    Comment,
    Literal,
}

/// Masks a Rust text.
pub(crate) fn mask(text: &str) -> Masked {
    let mut masked = Masked { code: String::new(), comments: String::new() };
    let mut rest = text;
    while !rest.is_empty() {
        let (kind, len) = first_region(rest);
        let (region, after) = rest.split_at(len);
        push(&mut masked.code, region, kind == Kind::Code);
        push(&mut masked.comments, region, kind == Kind::Comment);
        rest = after;
    }
    masked
}

fn push(out: &mut String, region: &str, keep: bool) {
    if keep {
        out.push_str(region);
    } else {
        out.extend(region.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
    }
}

/// What the text begins with, and its length, which is not 0.
fn first_region(text: &str) -> (Kind, usize) {
    if text.starts_with("//") {
        return (Kind::Comment, text.find('\n').unwrap_or(text.len()));
    }
    if text.starts_with("/*") {
        return (Kind::Comment, block_comment_len(text));
    }
    if let Some(len) = string_len(text).or_else(|| char_len(text)) {
        return (Kind::Literal, len);
    }
    (Kind::Code, code_len(text))
}

/// A whole word, so that the `r` of `for` does not begin a raw string, or one character.
fn code_len(text: &str) -> usize {
    let word = text.find(|c: char| !is_word(c)).unwrap_or(text.len());
    word.max(text.chars().next().map_or(0, char::len_utf8))
}

/// Whether a character can be in an identifier.
pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Block comments nest.
fn block_comment_len(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        let pair = text.as_bytes().get(at..at + 2);
        match pair {
            Some(b"/*") => depth += 1,
            Some(b"*/") => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            break;
        }
    }
    at
}

/// The length of the string that the text begins with: plain, byte or C, raw or not.
fn string_len(text: &str) -> Option<usize> {
    let rest = text.strip_prefix(['b', 'c']).unwrap_or(text);
    match rest.strip_prefix('r') {
        Some(raw) => raw_string_len(raw).map(|len| text.len() - raw.len() + len),
        None => rest.strip_prefix('"').map(|inner| text.len() - inner.len() + escaped_len(inner, b'"')),
    }
}

/// The length of a raw string from its first `#` or quote.
fn raw_string_len(text: &str) -> Option<usize> {
    let inner = text.trim_start_matches('#').strip_prefix('"')?;
    let opening = text.len() - inner.len();
    let closing = format!("\"{}", "#".repeat(opening - 1));
    Some(opening + inner.find(&closing).map_or(inner.len(), |at| at + closing.len()))
}

/// The length up to and with the first `quote` that no backslash stands before.
fn escaped_len(inner: &str, quote: u8) -> usize {
    let mut escaped = false;
    for (at, byte) in inner.bytes().enumerate() {
        if escaped {
            escaped = false;
        } else if byte == b'\\' {
            escaped = true;
        } else if byte == quote {
            return at + 1;
        }
    }
    inner.len()
}

/// The length of the character that the text begins with, unless it is a lifetime.
fn char_len(text: &str) -> Option<usize> {
    let inner = text.strip_prefix('b').unwrap_or(text).strip_prefix('\'')?;
    let mut chars = inner.chars();
    let is_char = chars.next()? == '\\' || chars.next()? == '\'';
    is_char.then(|| text.len() - inner.len() + escaped_len(inner, b'\''))
}
