//! Tools in namespaces, which other APIs have not: there such a tool is called by both names, put together.

use bartizan_core::json::Value;

use crate::neutral::Str;
use crate::read::member;

/// The name of a tool in a namespace, in one word.
pub(super) fn joined(namespace: &str, name: &str) -> String {
    if namespace.ends_with('_') {
        format!("{namespace}{name}")
    } else {
        format!("{namespace}__{name}")
    }
}

/// The tools of one request that lie in namespaces.
#[derive(Clone, Debug, Default)]
pub(super) struct Namespaces(Vec<Named>);

#[derive(Clone, Debug)]
struct Named {
    joined: String,
    namespace: String,
    name: String,
}

impl Namespaces {
    /// Of the member `tools` of a request.
    pub(super) fn of(tools: Value<'_>) -> Self {
        let mut all = Vec::new();
        for tool in tools.items().filter(|tool| is_namespace(*tool)) {
            let Some(namespace) = text(tool, "name") else {
                continue;
            };
            let inside = member(tool, "tools").into_iter().flat_map(Value::items);
            for name in inside.filter_map(|tool| text(tool, "name")) {
                all.push(Named {
                    joined: joined(&namespace, &name),
                    namespace: namespace.clone().into_owned(),
                    name: name.into_owned(),
                });
            }
        }
        Self(all)
    }

    /// The namespace, if any, and the name in it, of what is called `name` elsewhere.
    pub(super) fn split<'n>(&'n self, name: &'n str) -> (Option<&'n str>, &'n str) {
        match self.0.iter().find(|named| named.joined == name) {
            Some(named) => (Some(&named.namespace), &named.name),
            None => (None, name),
        }
    }
}

pub(super) fn is_namespace(tool: Value<'_>) -> bool {
    member(tool, "type").is_some_and(|kind| kind.is("namespace"))
}

fn text<'a>(from: Value<'a>, key: &str) -> Option<Str<'a>> {
    member(from, key).and_then(Value::text)
}
