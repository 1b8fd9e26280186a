//! The paths of the management API, and a listener of its own for it.

use bartizan::core::{Body, Dialect};
use http::{Method, Request, Response};

use super::{Gateway, Route};
use crate::server::Front;

/// Every path of the management API, with a key's name left open in the last.
const PATHS: &[&str] = &[
    "/key/generate",
    "/key/update",
    "/key/delete",
    "/key/regenerate",
    "/key/block",
    "/key/unblock",
    "/key/info",
    "/key/list",
    "/key/addresses",
    "/key/several_addresses",
    "/team/new",
    "/team/update",
    "/team/delete",
    "/team/block",
    "/team/unblock",
    "/team/info",
    "/team/list",
    "/team/member_add",
    "/team/member_update",
    "/team/member_delete",
    "/user/new",
    "/user/update",
    "/user/delete",
    "/user/block",
    "/user/unblock",
    "/user/info",
    "/user/list",
    "/organization/new",
    "/organization/update",
    "/organization/delete",
    "/organization/block",
    "/organization/unblock",
    "/organization/info",
    "/organization/list",
    "/organization/member_add",
    "/organization/member_update",
    "/organization/member_delete",
    "/spend/logs",
    "/spend/export",
    "/spend/erase",
    "/global/spend/report",
    "/user/daily/activity",
    "/openapi.json",
    REGENERATE,
];

const REGENERATE: &str = "/key/{key_id}/regenerate";

/// The pattern of a path of the management API.
pub(super) fn pattern(path: &str) -> Option<&'static str> {
    let exact = PATHS.iter().find(|known| **known == path).copied();
    exact.or_else(|| {
        let name = path.strip_prefix("/key/")?.strip_suffix("/regenerate")?;
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        (!name.is_empty() && name.bytes().all(is_name)).then_some(REGENERATE)
    })
}

/// The management API on a listener of its own, where nothing else is.
#[derive(Clone, Debug)]
pub(crate) struct Managed(pub(crate) Gateway);

impl Front for Managed {
    type Place = Route;

    fn place(&self, method: &Method, path: &str) -> Route {
        match Route::of(method, path) {
            route @ (Route::Managed(_) | Route::Liveliness | Route::Readiness) => route,
            _ => Route::Nothing,
        }
    }

    fn dialect(route: &Route) -> Dialect {
        route.dialect()
    }

    fn is_liveness(route: &Route) -> bool {
        matches!(route, Route::Liveliness)
    }

    async fn answer(&self, route: Route, request: Request<Body>) -> Response<Body> {
        self.0.answer(route, request).await
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use bartizan::admin::{AdminRouter, NoChangeLog};
    use bartizan::auth::{Keys, MemoryStore, Pepper};
    use bartizan::limit::spend::Spend;

    use super::*;

    #[test]
    fn every_path_that_there_is_leads_to_the_api_and_no_other() {
        let pepper = Pepper::new(&"0c4e8f5a6b1d4e2f9a735d8c2b7f1e60".into()).unwrap();
        let keys = Keys::new(MemoryStore::new(), pepper);
        let document = AdminRouter::new(keys, NoChangeLog)
            .spend(&Spend::in_memory())
            .document();
        let there: BTreeSet<&str> = document.paths.paths.keys().map(String::as_str).collect();
        let mut known: BTreeSet<&str> = PATHS.iter().copied().collect();
        // It is not in itself.
        known.remove("/openapi.json");
        let there: BTreeSet<&str> = there
            .into_iter()
            .filter(|path| *path != "/openapi.json")
            .collect();
        assert_eq!(there, known);
        assert_eq!(pattern("/key/key_abc-1/regenerate"), Some(REGENERATE));
        for other in [
            "/key//regenerate",
            "/key/a/b/regenerate",
            "/key/%2e/regenerate",
            "/key/generate/",
            "/keys",
        ] {
            assert_eq!(pattern(other), None, "{other}");
        }
    }
}
