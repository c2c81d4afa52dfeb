//! Reads the XML that the `evtx` crate writes: well-formed, no comments, no document types.

use std::borrow::Cow;

/// One piece of an XML text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// An element begins. Its name has no prefix.
    Open(Tag<'a>),
    /// The innermost element ends. `<a/>` gives both.
    Close,
    /// Text as written: see [`unescape`].
    Text(&'a str),
}

/// The name and attributes of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    pub(super) name: &'a str,
    attributes: &'a str,
}

impl<'a> Tag<'a> {
    /// The value of an attribute.
    pub(super) fn attribute(&self, name: &str) -> Option<Cow<'a, str>> {
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
pub(super) struct Tokens<'a> {
    rest: &'a str,
    /// The element just opened has no content.
    closing: bool,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a str) -> Tokens<'a> {
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

/// Resolves the five entities of XML and character references.
pub(super) fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let known = after
            .split_once(';')
            .and_then(|(name, after)| Some((entity(name)?, after)));
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
    fn entities_are_resolved() {
        assert_eq!(
            unescape("a&lt;&gt;&amp;&quot;&apos;&#65;&#x1F600;b"),
            "a<>&\"'A😀b"
        );
        assert_eq!(unescape("&nbsp;&;&#xD800;& &"), "&nbsp;&;&#xD800;& &");
    }
}
