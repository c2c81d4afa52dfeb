//! Writes events as JSON, for formats that are something else.

/// Writes one JSON object.
pub(super) struct Writer {
    out: Vec<u8>,
}

impl Writer {
    /// Begins an object of about this many bytes.
    pub(super) fn new(capacity: usize) -> Writer {
        let mut out = Vec::with_capacity(capacity);
        out.push(b'{');
        Writer { out }
    }

    /// Ends the object.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.out.push(b'}');
        self.out
    }

    fn key(&mut self, key: &str) {
        if self.out.last() != Some(&b'{') {
            self.out.push(b',');
        }
        self.quoted(key);
        self.out.push(b':');
    }

    fn quoted(&mut self, text: &str) {
        // Writing a string to a vector cannot fail.
        let _ = serde_json::to_writer(&mut self.out, text);
    }

    /// A string, also when it is empty.
    pub(super) fn text(&mut self, key: &str, value: &str) {
        self.key(key);
        self.quoted(value);
    }

    /// A string, unless it is empty.
    pub(super) fn string(&mut self, key: &str, value: &str) {
        if !value.is_empty() {
            self.text(key, value);
        }
    }

    /// A list of strings, unless there are none.
    pub(super) fn strings<'a>(&mut self, key: &str, values: impl Iterator<Item = &'a str>) {
        let mut separator = b'[';
        for value in values {
            if separator == b'[' {
                self.key(key);
            }
            self.out.push(separator);
            self.quoted(value);
            separator = b',';
        }
        if separator == b',' {
            self.out.push(b']');
        }
    }

    /// A number with all its digits; 0 stands for none. What is no number stays a string.
    pub(super) fn number(&mut self, key: &str, digits: &str) {
        match digits.parse::<u64>() {
            Ok(0) => {}
            Ok(number) => {
                self.key(key);
                self.out.extend_from_slice(number.to_string().as_bytes());
            }
            Err(_) => self.string(key, digits),
        }
    }

    /// An object, unless it is empty.
    pub(super) fn object(&mut self, key: &str, write: impl FnOnce(&mut Writer)) {
        let start = self.out.len();
        self.key(key);
        self.out.push(b'{');
        let inside = self.out.len();
        write(self);
        if self.out.len() == inside {
            self.out.truncate(start);
        } else {
            self.out.push(b'}');
        }
    }
}
