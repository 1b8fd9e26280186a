//! Splices of a request's bytes.

use std::ops::Range;

use bartizan_core::json::Value;

/// What becomes of a member of the root.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Kept,
    Gone,
    /// Kept, by this name, which needs no escapes.
    Called(String),
}

/// Byte ranges with what stands there instead. They do not overlap, but for those inside a member that goes.
#[derive(Debug, Default)]
pub(crate) struct Edits(Vec<(Range<usize>, String)>);

impl Edits {
    pub(super) fn replace(&mut self, value: Value<'_>, new: String) {
        self.0.push((value.range(), new));
    }

    /// Each member by its fate. One that goes takes a comma with it.
    pub(super) fn members(&mut self, fates: &[(Value<'_>, Value<'_>, Fate)]) {
        let mut last: Option<usize> = None;
        let mut kept = false;
        for (at, (key, value, fate)) in fates.iter().enumerate() {
            let range = key.range().start..value.range().end;
            match fate {
                Fate::Gone => {
                    let next = fates.get(at + 1).map(|(next, ..)| next.range().start);
                    let gone = match (last, next) {
                        // With the comma before it, where something stays before it.
                        (Some(last), _) if kept => last..range.end,
                        (_, Some(next)) => range.start..next,
                        (_, None) => range.clone(),
                    };
                    self.0.push((gone, String::new()));
                }
                Fate::Called(name) => {
                    kept = true;
                    self.0.push((key.range(), format!("\"{name}\"")));
                }
                Fate::Kept => kept = true,
            }
            last = Some(range.end);
        }
    }

    /// In order, and disjoint.
    pub(crate) fn in_order(mut self) -> Vec<(Range<usize>, String)> {
        self.0
            .sort_by_key(|(range, _)| (range.start, usize::MAX - range.end));
        let mut ordered: Vec<(Range<usize>, String)> = Vec::with_capacity(self.0.len());
        for (range, new) in self.0 {
            // What lies inside a member that goes, goes with it.
            if ordered
                .last()
                .is_none_or(|(last, _)| range.start >= last.end)
            {
                ordered.push((range, new));
            }
        }
        ordered
    }
}

#[cfg(test)]
mod tests {
    use bartizan_core::json::Json;
    use proptest::prelude::*;

    use super::*;

    fn edited(text: &str, fates: &[&str]) -> String {
        let json = Json::read(text).unwrap();
        let mut told = fates.iter();
        let fates: Vec<_> = json
            .root()
            .members()
            .map(|(key, value)| {
                let fate = match *told.next().unwrap() {
                    "-" => Fate::Gone,
                    "" => Fate::Kept,
                    name => Fate::Called(name.to_owned()),
                };
                (key, value, fate)
            })
            .collect();
        let mut edits = Edits::default();
        edits.members(&fates);
        let mut out = String::new();
        let mut from = 0;
        for (range, new) in edits.in_order() {
            out.push_str(&text[from..range.start]);
            out.push_str(&new);
            from = range.end;
        }
        out + &text[from..]
    }

    #[test]
    fn a_member_goes_with_its_comma_and_nothing_else_moves() {
        let text = r#"{ "a" : 1, "b":[1, 2] ,  "c":{} }"#;
        for (fates, after) in [
            (["", "", ""], text),
            (["-", "", ""], r#"{ "b":[1, 2] ,  "c":{} }"#),
            (["", "-", ""], r#"{ "a" : 1 ,  "c":{} }"#),
            (["", "", "-"], r#"{ "a" : 1, "b":[1, 2] }"#),
            (["-", "-", ""], r#"{ "c":{} }"#),
            (["", "-", "-"], r#"{ "a" : 1 }"#),
            (["-", "-", "-"], "{  }"),
            (["x", "-", "y"], r#"{ "x" : 1 ,  "y":{} }"#),
        ] {
            assert_eq!(edited(text, &fates), after, "{fates:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_left_is_the_members_that_stay(fates in proptest::collection::vec(prop_oneof![Just(""), Just("-")], 0..6)) {
            let members: Vec<String> = (0..fates.len()).map(|at| format!("\"m{at}\" :  {at}")).collect();
            let text = format!("{{{}}}", members.join(" , "));
            let after: serde_json::Value = serde_json::from_str(&edited(&text, &fates)).unwrap();
            let left: Vec<String> = after.as_object().unwrap().keys().cloned().collect();
            let stays = fates.iter().enumerate().filter(|(_, fate)| fate.is_empty());
            let wanted: Vec<String> = stays.map(|(at, _)| format!("m{at}")).collect();
            prop_assert_eq!(left, wanted);
        }
    }
}
