//! A provider's error, told anew in our own words.
//!
//! Errors of providers name keys, accounts and deployments, so their text never goes on as it is. Kept are the status, a code from a
//! fixed list, the name of the field at fault, and retry guidance. The provider's words are kept only where the caller can mend the
//! request and needs them (400 and 422), and then without anything that looks like a credential or an address.
//!
//! Which failure is which, and what a client is told of trying again, stands in [`guide::failures`](crate::guide::failures).

mod again;
mod said;
mod scrub;
pub(crate) mod table;

use bartizan_core::{Dialect, Document, Refusal, RefusalKind};
use http::response::Parts;
use http::{HeaderMap, StatusCode};

use crate::losses::shown;

pub(crate) use again::Again;
use said::Said;
use scrub::scrub;
use table::{Class, code, kind_of_status, named, own_code, own_words, says_too_long};

/// A failed answer, by what its head says.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    /// What AWS calls it in a header.
    exception: Option<String>,
    again: Again,
}

impl Failure {
    /// Reads the head of an answer of `inner` that is no success. `now` in seconds since 1970.
    pub(crate) fn of(head: &Parts, inner: Dialect, now: u64) -> Self {
        let exception = head
            .headers
            .get("x-amzn-errortype")
            .and_then(|kind| kind.to_str().ok());
        Self {
            status: head.status,
            exception: exception.map(str::to_owned),
            again: Again::of(head, inner, now),
        }
    }

    /// What it is, with what its body says.
    pub(crate) fn read(&mut self, body: &Document) -> Refusal {
        let said = Said::by(body.json().root());
        self.again.add(said.after);
        self.tell(Some(&said))
    }

    /// What it is, where nobody can read the body: a page of a proxy, or a body in an encoding.
    pub(crate) fn unreadable(&mut self) -> Refusal {
        self.tell(None)
    }

    fn tell(&mut self, said: Option<&Said<'_>>) -> Refusal {
        let exception = self.exception.as_deref().into_iter();
        let names = || {
            let said = said.into_iter().flat_map(|said| &said.names);
            exception.clone().chain(said.map(AsRef::as_ref))
        };
        let against = names().filter_map(named).find(|class| class.overrides);
        let kind = against.map_or_else(|| kind_of_status(self.status), |class| class.kind);
        let spent = names().filter_map(named).any(|class| class.spent);
        if spent || self.status == StatusCode::PAYMENT_REQUIRED {
            self.again.spent();
        } else if !self.is_error() {
            self.again.never();
        }
        let mends = against.is_none()
            && matches!(
                self.status,
                StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY
            );
        let mut refusal = refusal(kind, names(), said.filter(|_| mends));
        if against.is_none() {
            refusal = refusal.status(self.status);
        }
        self.again.say(refusal)
    }

    fn is_error(&self) -> bool {
        self.status.is_client_error() || self.status.is_server_error()
    }

    /// Puts into the head of the answer told anew what the provider's own did not say of trying again.
    pub(crate) fn say_again(&self, headers: &mut HeaderMap) {
        self.again.add_to(headers);
    }
}

/// Reads an error that has no status of its own: an event of a stream, or the body of a success.
pub(crate) fn read(body: &Document) -> Refusal {
    let said = Said::by(body.json().root());
    let names = || said.names.iter().map(AsRef::as_ref);
    let class = names().find_map(named);
    let kind = class.map_or(RefusalKind::Upstream, |class| class.kind);
    let refusal = refusal(
        kind,
        names(),
        Some(&said).filter(|_| kind == RefusalKind::BadRequest),
    );
    match (said.after, class) {
        (Some(after), _) => refusal.retry_after(after),
        (None, Some(Class { spent: true, .. })) => refusal,
        (None, _) => refusal.retry_as_usual(),
    }
}

/// `said`: what of it the caller may read.
fn refusal<'n>(
    kind: RefusalKind,
    mut names: impl Iterator<Item = &'n str>,
    said: Option<&Said<'_>>,
) -> Refusal {
    let known = names.find_map(code);
    let mut message = String::from(own_words(kind));
    let words = said.and_then(|said| said.message.as_deref());
    let mut own = own_code(kind);
    if let Some(words) = words {
        if says_too_long(words) {
            own = "context_length_exceeded";
        }
        message.push_str(": ");
        message.push_str(&scrub(words));
    }
    let refusal = Refusal::new(kind, known.unwrap_or(own), message);
    match said.and_then(|said| said.param.as_ref()) {
        Some(param) if is_path(param) => refusal.param(param.clone()),
        _ => refusal,
    }
}

fn is_path(param: &str) -> bool {
    param
        .split(['[', ']'])
        .filter(|step| !step.is_empty())
        .all(|step| shown(step) == step)
}

#[cfg(test)]
mod tests;
