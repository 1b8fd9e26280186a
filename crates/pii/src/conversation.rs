//! Placeholders that stay the same over the calls of one conversation.

mod memory;
mod sealed;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use bartizan_core::json::Kind;
use bartizan_core::{Dialect, Document};
use http::{HeaderMap, HeaderName};

pub use memory::MemoryStore;
pub use sealed::Sealed;

use crate::{ConfigError, Key, Tenant};

/// A longer name of a conversation is none.
const LONGEST_NAME: usize = 512;

/// Which conversation of which tenant, as a store sees it: a keyed hash, which tells neither.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConversationId([u8; 32]);

impl ConversationId {
    /// The name under which a store keeps it.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for ConversationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConversationId(..)")
    }
}

/// A store that could not be asked, or answered nonsense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store of conversations fails")]
pub struct StoreError;

/// What a store gives, on its way.
pub type Stored<'s, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 's>>;

/// Keeps the vaults of conversations. All that it sees is encrypted under keys that it does not have.
pub trait VaultStore: fmt::Debug + Send + Sync + 'static {
    /// What is kept of a conversation. It is kept for its whole time again from now on.
    fn load<'s>(&'s self, id: &'s ConversationId) -> Stored<'s, Option<Sealed>>;

    /// Keeps `sealed` instead of what was loaded last. `false`, and nothing is kept: what is there is not of the version before this one, since
    /// another call of the conversation was quicker.
    fn save<'s>(&'s self, id: &'s ConversationId, sealed: Sealed) -> Stored<'s, bool>;
}

/// How placeholders are kept over the calls of one conversation.
///
/// What names a conversation is a header, if one is set, and else the member `conversation` of OpenAI's Responses. It is bound to the caller's
/// [`Tenant`]: the same name of another tenant is another conversation. A call without a verified caller belongs to none.
///
/// `previous_response_id` names an answer and not a conversation, and `prompt_cache_key` may be many callers': neither counts.
///
/// ```
/// use std::time::Duration;
/// use bartizan_pii::{Conversations, Entity, Key, MemoryStore, PiiLayer};
/// use secrecy::SecretString;
///
/// let key = Key::new(&SecretString::from("9f1c6bd2a07e43f58b3d6e2c914a7f05"))?;
/// let store = MemoryStore::new().keep(Duration::from_secs(600));
/// let conversations = Conversations::new(key, store).header(http::HeaderName::from_static("x-conversation-id"));
/// let layer = PiiLayer::builder().mask([Entity::Email]).conversations(conversations).build()?;
/// # Ok::<(), bartizan_pii::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Conversations {
    key: Key,
    header: Option<HeaderName>,
    pub(crate) store: Arc<dyn VaultStore>,
}

/// One conversation: its name in the store, and what opens its vault.
pub(crate) struct Conversation {
    pub(crate) id: ConversationId,
    pub(crate) seal: sealed::Seal,
}

/// A conversation has a name that can't be one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BadName;

impl Conversations {
    /// Keeps conversations in `store`, under keys derived from `key`.
    pub fn new(key: Key, store: impl VaultStore) -> Self {
        Self {
            key,
            header: None,
            store: Arc::new(store),
        }
    }

    /// Takes the conversation's name from a header, where a request has it.
    pub fn header(mut self, name: HeaderName) -> Self {
        self.header = Some(name);
        self
    }

    /// Which conversation a request belongs to.
    pub(crate) fn of(
        &self,
        headers: &HeaderMap,
        document: &Document,
        tenant: &Tenant,
    ) -> Result<Option<Conversation>, BadName> {
        if *tenant == Tenant::NONE {
            return Ok(None);
        }
        let told = self.header.as_ref().and_then(|name| headers.get(name));
        let (source, name) = match told {
            Some(value) => ("header", value.to_str().map_err(|_| BadName)?.to_owned()),
            None => match named_in(document) {
                Some(name) => ("conversation", name),
                None => return Ok(None),
            },
        };
        if name.is_empty() || name.len() > LONGEST_NAME {
            return Err(BadName);
        }
        let parts = |purpose: &'static str| {
            [purpose, tenant.as_str(), source, name.as_str()].map(str::to_owned)
        };
        let derived = |purpose| {
            let parts = parts(purpose);
            let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
            self.key.derived(&parts)
        };
        let derived = (
            derived("bartizan/pii/conversation-id/v1"),
            derived("bartizan/pii/conversation/v1"),
        );
        let (Ok(id), Ok(key)) = derived else {
            return Err(BadName);
        };
        Ok(Some(Conversation {
            id: ConversationId(*id),
            seal: sealed::Seal::new(&key).map_err(|_: ConfigError| BadName)?,
        }))
    }
}

/// The id of a conversation that the provider keeps.
fn named_in(document: &Document) -> Option<String> {
    if document.dialect() != Dialect::OpenAiResponses {
        return None;
    }
    let named = document.json().root().get("conversation")?;
    let id = if named.kind() == Kind::Object {
        named.get("id")?
    } else {
        named
    };
    id.text().map(std::borrow::Cow::into_owned)
}
