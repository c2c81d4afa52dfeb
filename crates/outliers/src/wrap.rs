//! Long summaries are wrapped as Python's `textwrap.fill` does it. They are compared as they were written, so each break counts.

/// How wide a line is, in characters.
const WIDTH: usize = 150;

/// How far apart tabulators are.
const TAB: usize = 8;

/// Breaks a text into lines.
pub(crate) fn wrap(text: &str) -> String {
    let chars: Vec<char> = plain(text);
    let mut chunks: Vec<Vec<char>> = chunks(&chars);
    chunks.reverse();
    let mut lines: Vec<String> = Vec::new();
    while !chunks.is_empty() {
        if !lines.is_empty() && chunks.last().is_some_and(|chunk| is_blank(chunk)) {
            chunks.pop();
        }
        let mut line: Vec<Vec<char>> = Vec::new();
        let mut length = 0;
        while let Some(chunk) = chunks.last() {
            if length + chunk.len() > WIDTH {
                break;
            }
            length += chunk.len();
            line.extend(chunks.pop());
        }
        if let Some(chunk) = chunks.last_mut().filter(|chunk| chunk.len() > WIDTH) {
            let rest = chunk.split_off(WIDTH - length);
            line.push(std::mem::replace(chunk, rest));
        }
        if line.last().is_some_and(|chunk| is_blank(chunk)) {
            line.pop();
        }
        if !line.is_empty() {
            lines.push(line.into_iter().flatten().collect());
        }
    }
    lines.join("\n")
}

fn is_blank(chunk: &[char]) -> bool {
    chunk.iter().all(|c| is_space(*c))
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}')
}

/// The text with tabulators filled up and all white space made plain.
fn plain(text: &str) -> Vec<char> {
    let mut plain = Vec::new();
    let mut column = 0;
    for c in text.chars() {
        match c {
            '\t' => {
                let width = TAB - column % TAB;
                plain.extend(std::iter::repeat_n(' ', width));
                column += width;
            }
            '\n' | '\r' => {
                plain.push(' ');
                column = 0;
            }
            c => {
                plain.push(if is_space(c) { ' ' } else { c });
                column += 1;
            }
        }
    }
    plain
}

/// The pieces that are not broken: runs of blanks, words, and the parts of words that end with a hyphen.
fn chunks(chars: &[char]) -> Vec<Vec<char>> {
    let mut chunks = Vec::new();
    let mut start = 0;
    while start < chars.len() {
        let end = chunk_end(chars, start);
        chunks.push(chars[start..end].to_vec());
        start = end;
    }
    chunks
}

fn chunk_end(chars: &[char], start: usize) -> usize {
    let at = |at: usize| chars.get(at).copied();
    let is = |at: Option<char>, what: fn(char) -> bool| at.is_some_and(what);
    if is(at(start), is_space) {
        let blanks = chars[start..].iter().take_while(|c| is_space(**c));
        return start + blanks.count();
    }
    let dashes = |from: usize| chars[from..].iter().take_while(|c| **c == '-').count();
    let before = start.checked_sub(1).and_then(at);
    // A dash between words, two hyphens or more.
    let run = dashes(start);
    if run >= 2 && is(before, is_word_or_mark) && is(at(start + run), is_word) {
        return start + run;
    }
    for end in start + 1..chars.len() {
        if is_space(chars[end]) {
            return end;
        }
        let last = chars[end - 1];
        let is_hyphen_after_letters = last == '-'
            && end - start >= 2
            && end >= 3
            && is_letter(chars[end - 2])
            && (is_letter(chars[end - 3])
                || end >= 4 && chars[end - 3] == '-' && is_letter(chars[end - 4]));
        let is_before_letters = is(at(end), is_letter)
            && (is(at(end + 1), is_letter)
                || at(end + 1) == Some('-') && is(at(end + 2), is_letter));
        if is_hyphen_after_letters && is_before_letters {
            return end;
        }
        let run = dashes(end);
        if is_word_or_mark(last) && run >= 2 && is(at(end + run), is_word) {
            return end;
        }
    }
    chars.len()
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn is_letter(c: char) -> bool {
    is_word(c) && !c.is_numeric()
}

fn is_word_or_mark(c: char) -> bool {
    is_word(c) || matches!(c, '!' | '"' | '\'' | '&' | '.' | ',' | '?')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pieces(text: &str) -> Vec<String> {
        let chars: Vec<char> = text.chars().collect();
        let chunks = chunks(&chars).into_iter();
        chunks.map(|chunk| chunk.into_iter().collect()).collect()
    }

    #[test]
    fn words_are_broken_behind_hyphens_between_letters() {
        assert_eq!(
            pieces("Look, goof-ball -- use the -b option!"),
            [
                "Look,", " ", "goof-", "ball", " ", "--", " ", "use", " ", "the", " ", "-b", " ",
                "option!"
            ]
        );
        assert_eq!(pieces("em--dash"), ["em", "--", "dash"]);
        assert_eq!(
            pieces("a-b-c 2026-03-14 x-1"),
            ["a-b-c", " ", "2026-03-14", " ", "x-1"]
        );
    }

    #[test]
    fn short_texts_keep_their_blanks_and_long_ones_are_broken() {
        assert_eq!(wrap("  a  b\tc\nd "), "  a  b  c d");
        assert_eq!(wrap(""), "");
        assert_eq!(wrap("   "), "");
        let word = "w".repeat(80);
        assert_eq!(wrap(&format!("{word} {word}")), format!("{word}\n{word}"));
        let long = "x".repeat(310);
        let lines = [150, 150, 10].map(|length| "x".repeat(length));
        assert_eq!(wrap(&long), lines.join("\n"));
        let path = format!("{} {}", "y".repeat(100), "z".repeat(100));
        assert_eq!(wrap(&path), path.replace(' ', "\n"));
        let path = format!("{} {}", "y".repeat(100), "z".repeat(160));
        let broken = format!(
            "{} {}\n{}",
            "y".repeat(100),
            "z".repeat(49),
            "z".repeat(111)
        );
        assert_eq!(wrap(&path), broken);
    }

    proptest! {
        #[test]
        fn nothing_but_blanks_is_lost_and_no_line_is_too_long(text in "[a-z0-9 \\-\t\u{e4},]{0,600}") {
            let wrapped = wrap(&text);
            prop_assert!(wrapped.lines().all(|line| line.chars().count() <= WIDTH));
            let kept = |text: &str| text.chars().filter(|c| !is_space(*c)).collect::<String>();
            prop_assert_eq!(kept(&wrapped), kept(&text));
        }
    }
}
