//! Writing JSON in the order in which it is told, so that equal input gives equal bytes: providers' prefix caches hang on it.

use bartizan_core::json::escape_into;

#[derive(Debug, Default)]
pub(crate) struct Writer(String);

impl Writer {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self(String::with_capacity(bytes))
    }

    pub(crate) fn finish(self) -> String {
        self.0
    }

    /// A comma, where a value stands before.
    fn part(&mut self) {
        if !matches!(
            self.0.as_bytes().last(),
            None | Some(b'{' | b'[' | b':' | b',')
        ) {
            self.0.push(',');
        }
    }

    pub(crate) fn open(&mut self) {
        self.part();
        self.0.push('{');
    }

    pub(crate) fn close(&mut self) {
        self.0.push('}');
    }

    pub(crate) fn open_list(&mut self) {
        self.part();
        self.0.push('[');
    }

    pub(crate) fn close_list(&mut self) {
        self.0.push(']');
    }

    /// `key` needs no escapes.
    pub(crate) fn key(&mut self, key: &str) {
        self.part();
        self.0.push('"');
        self.0.push_str(key);
        self.0.push_str("\":");
    }

    /// A key of the caller's choosing.
    pub(crate) fn key_text(&mut self, key: &str) {
        self.text(key);
        self.0.push(':');
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.part();
        self.0.push('"');
        escape_into(&mut self.0, text);
        self.0.push('"');
    }

    /// `json` is one whole JSON value, or members of an object.
    pub(crate) fn raw(&mut self, json: &str) {
        self.part();
        self.0.push_str(json);
    }

    /// The value behind a key that was written raw.
    pub(crate) fn follow(&mut self, json: &str) {
        self.0.push(':');
        self.0.push_str(json);
    }

    /// `text` needs no escapes: it is base64, or a word of ours.
    pub(crate) fn plain(&mut self, text: &str) {
        self.part();
        self.0.push('"');
        self.0.push_str(text);
        self.0.push('"');
    }

    pub(crate) fn text_at(&mut self, key: &str, text: &str) {
        self.key(key);
        self.text(text);
    }

    pub(crate) fn plain_at(&mut self, key: &str, text: &str) {
        self.key(key);
        self.plain(text);
    }

    pub(crate) fn raw_at(&mut self, key: &str, json: &str) {
        self.key(key);
        self.raw(json);
    }

    pub(crate) fn number_at(&mut self, key: &str, number: u64) {
        self.key(key);
        self.digits(number);
    }

    fn digits(&mut self, number: u64) {
        if number >= 10 {
            self.digits(number / 10);
        }
        let last = u32::try_from(number % 10).unwrap_or_default();
        self.0.extend(char::from_digit(last, 10));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_stand_between_values_and_nowhere_else() {
        let mut writer = Writer::default();
        writer.open();
        writer.text_at("a", "x,{[:");
        writer.key("b");
        writer.open_list();
        writer.raw("1");
        writer.open();
        writer.close();
        writer.open_list();
        writer.close_list();
        writer.close_list();
        writer.number_at("c", 0);
        writer.number_at("d", 1_020);
        writer.number_at("e", u64::MAX);
        writer.close();
        assert_eq!(
            writer.finish(),
            r#"{"a":"x,{[:","b":[1,{},[]],"c":0,"d":1020,"e":18446744073709551615}"#
        );
    }
}
