//! Writes JSON with its keys in the order given, as providers do; `serde_json`'s map would sort them.

/// JSON text that is already written.
#[derive(Clone, Debug)]
pub(super) struct Raw(pub(super) String);

/// A value that can be written as JSON.
pub(super) trait Show {
    fn show(&self, out: &mut String);
}

impl Show for Raw {
    fn show(&self, out: &mut String) {
        out.push_str(&self.0);
    }
}

impl Show for str {
    fn show(&self, out: &mut String) {
        out.push_str(&serde_json::Value::from(self).to_string());
    }
}

impl Show for String {
    fn show(&self, out: &mut String) {
        self.as_str().show(out);
    }
}

impl Show for u64 {
    fn show(&self, out: &mut String) {
        out.push_str(&self.to_string());
    }
}

impl Show for bool {
    fn show(&self, out: &mut String) {
        out.push_str(if *self { "true" } else { "false" });
    }
}

impl Show for () {
    fn show(&self, out: &mut String) {
        out.push_str("null");
    }
}

impl<T: Show + ?Sized> Show for &T {
    fn show(&self, out: &mut String) {
        (**self).show(out);
    }
}

impl<T: Show> Show for Option<T> {
    fn show(&self, out: &mut String) {
        match self {
            Some(value) => value.show(out),
            None => ().show(out),
        }
    }
}

impl<T: Show> Show for Vec<T> {
    fn show(&self, out: &mut String) {
        out.push('[');
        for (index, item) in self.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            item.show(out);
        }
        out.push(']');
    }
}

pub(super) fn member(out: &mut String, key: &str, value: &dyn Show) {
    out.push(if out.is_empty() { '{' } else { ',' });
    key.show(out);
    out.push(':');
    value.show(out);
}

/// `object! { "a": 1, "b": "two" }` as [`Raw`].
macro_rules! object {
    ($($key:literal : $value:expr),+ $(,)?) => {{
        let mut out = String::new();
        $($crate::mock::json::member(&mut out, $key, &$value);)+
        out.push('}');
        $crate::mock::json::Raw(out)
    }};
}
pub(super) use object;
