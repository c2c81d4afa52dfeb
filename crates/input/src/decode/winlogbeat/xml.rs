//! Reads the XML of events: no comments, no document types.

use std::borrow::Cow;

/// The deepest nesting that [`check`] lets pass.
const MAX_DEPTH: usize = 32;

/// Checks that `text` is one element, there to its end and not nested too deeply; names are not compared.
pub(in crate::decode) fn check(text: &str) -> Result<(), &'static str> {
    let mut depth = 0;
    let mut tokens = Tokens::new(text);
    for token in tokens.by_ref() {
        match token {
            Token::Open(_) if depth == MAX_DEPTH => {
                return Err("its elements are nested too deeply");
            }
            Token::Open(_) => depth += 1,
            Token::Close => depth = depth.saturating_sub(1),
            Token::Text(_) => {}
        }
        if depth == 0 {
            break;
        }
    }
    match depth {
        0 if tokens.rest.trim_ascii().is_empty() => Ok(()),
        0 => Err("something follows the event"),
        _ => Err("the event is cut off"),
    }
}

/// One piece of an XML text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::decode) enum Token<'a> {
    /// An element begins. Its name has no prefix.
    Open(Tag<'a>),
    /// The innermost element ends. `<a/>` gives both.
    Close,
    /// Text as written: see [`unescape`].
    Text(&'a str),
}

/// The name and attributes of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::decode) struct Tag<'a> {
    pub(in crate::decode) name: &'a str,
    attributes: &'a str,
}

impl<'a> Tag<'a> {
    /// The value of an attribute.
    pub(in crate::decode) fn attribute(&self, name: &str) -> Option<Cow<'a, str>> {
        let mut rest = self.attributes;
        loop {
            let (key, value) = rest.split_once('=')?;
            let quote = value
                .chars()
                .next()
                .filter(|quote| matches!(quote, '"' | '\''))?;
            let (value, after) = value[1..].split_once(quote)?;
            if key.trim() == name {
                return Some(unescape(value));
            }
            rest = after;
        }
    }
}

/// The tokens of an XML text. What it does not understand it gives out as text.
pub(in crate::decode) struct Tokens<'a> {
    rest: &'a str,
    /// The element just opened has no content.
    closing: bool,
}

impl<'a> Tokens<'a> {
    pub(in crate::decode) fn new(text: &'a str) -> Tokens<'a> {
        Tokens {
            rest: text,
            closing: false,
        }
    }

    /// Takes everything up to `end`, and `end` with it.
    fn until(&mut self, end: &str) -> &'a str {
        let (taken, rest) = self.rest.split_once(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        if std::mem::take(&mut self.closing) {
            return Some(Token::Close);
        }
        while !self.rest.is_empty() {
            let Some(tag) = self.rest.strip_prefix('<') else {
                let end = self.rest.find('<').unwrap_or(self.rest.len());
                let (text, rest) = self.rest.split_at(end);
                self.rest = rest;
                return Some(Token::Text(text));
            };
            self.rest = tag;
            match tag.as_bytes().first() {
                Some(b'?') => {
                    self.until("?>");
                }
                Some(b'/') => {
                    self.until(">");
                    return Some(Token::Close);
                }
                _ => return Some(Token::Open(self.tag())),
            }
        }
        None
    }
}

impl<'a> Tokens<'a> {
    /// An opening tag, after its `<`. A `>` in an attribute's value is escaped.
    fn tag(&mut self) -> Tag<'a> {
        let tag = self.until(">");
        let content = tag.strip_suffix('/');
        self.closing = content.is_some();
        let content = content.unwrap_or(tag);
        let end = content
            .find([' ', '\t', '\n', '\r'])
            .unwrap_or(content.len());
        let (name, attributes) = content.split_at(end);
        Tag {
            name: name.rsplit(':').next().unwrap_or(name),
            attributes,
        }
    }
}

/// How far the end of an entity is looked for, so that text full of `&` takes no longer than other text.
const LONGEST_ENTITY: usize = 16;

/// Resolves the five entities of XML and character references.
pub(in crate::decode) fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let end = after
            .bytes()
            .take(LONGEST_ENTITY)
            .position(|byte| byte == b';');
        let known = end.and_then(|end| Some((entity(&after[..end])?, &after[end + 1..])));
        rest = match known {
            Some((character, after)) => {
                out.push(character);
                after
            }
            None => {
                out.push('&');
                after
            }
        };
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn entity(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_in_order() {
        let text = "<?xml version=\"1.0\"?>\n<a x='1' y=\"&lt;2\"><p:b/>t&amp;</a>";
        let tokens: Vec<Token<'_>> = Tokens::new(text).collect();
        let Token::Open(a) = tokens[1] else {
            panic!("{tokens:?}")
        };
        assert_eq!((a.name, a.attribute("x").unwrap().as_ref()), ("a", "1"));
        assert_eq!(a.attribute("y").unwrap(), "<2");
        assert_eq!(a.attribute("z"), None);
        let Token::Open(b) = tokens[2] else {
            panic!("{tokens:?}")
        };
        assert_eq!((b.name, b.attribute("x")), ("b", None));
        assert_eq!(
            tokens[3..],
            [Token::Close, Token::Text("t&amp;"), Token::Close]
        );
    }

    #[test]
    fn anything_ends() {
        for text in [
            "<", "<a", "</", "<?", "<a b", "<a b=", "<a b=\"", "&", "<a></a", "<>", "</>", ">",
        ] {
            for token in Tokens::new(text) {
                if let Token::Open(tag) = token {
                    tag.attribute("b");
                }
            }
        }
    }

    #[test]
    fn an_element_is_checked_to_its_end() {
        assert_eq!(check("<a x='1'><b/>t</a> "), Ok(()));
        assert_eq!(check("<a/>"), Ok(()));
        for cut in [
            "<a>",
            "<a><b></b>",
            "<a><b>t",
            "<a><b>t</",
            "<a><b x=\"1",
            "<a",
        ] {
            assert_eq!(check(cut), Err("the event is cut off"), "{cut}");
        }
        assert_eq!(check("<a/><b/>"), Err("something follows the event"));
        let nested = |depth| "<a>".repeat(depth) + &"</a>".repeat(depth);
        assert_eq!(check(&nested(32)), Ok(()));
        assert_eq!(
            check(&nested(33)),
            Err("its elements are nested too deeply")
        );
    }

    #[test]
    fn entities_are_resolved() {
        assert_eq!(
            unescape("a&lt;&gt;&amp;&quot;&apos;&#65;&#x1F600;b"),
            "a<>&\"'A😀b"
        );
        assert_eq!(unescape("&nbsp;&;&#xD800;& &"), "&nbsp;&;&#xD800;& &");
    }
}
