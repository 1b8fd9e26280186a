//! Whether somebody could manage the gateway without the master key.

use bartizan::auth::{Denied, Error, KeyQuery, Keys, Standing};
use bartizan::core::{Clock as _, Identity, KeyType, Principal, Role, SystemClock};

/// Why the master key can't be switched off.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoAdministrator {
    #[error(
        "general_settings.disable_master_key: no key of a proxy admin is live, so nobody could manage this gateway: start it once with \
         the master key, make one with `POST /key/generate` and `{{\"user_role\":\"proxy_admin\",\"key_alias\":\"admin\"}}`, and switch the master key off then"
    )]
    None,
    #[error("whether a proxy admin has a key can't be told: {0}")]
    Untold(#[from] Error),
    #[error("whether a proxy admin's key is live can't be told: {0}")]
    Unchecked(#[from] Denied),
}

/// The gateway itself, which sees every key and changes none.
pub(crate) fn looks() -> Principal {
    let looks = Identity::new("start").role(Role::ProxyAdminViewer);
    Principal::assume_verified(looks.key_type(KeyType::ReadOnly))
}

/// Refuses where nobody could manage.
///
/// # Errors
/// [`NoAdministrator`].
pub(crate) async fn needed(keys: &Keys) -> Result<(), NoAdministrator> {
    let looks = looks();
    let now = SystemClock::new().unix();
    let mut query = KeyQuery::default();
    query.limit = 1_000;
    loop {
        let page = keys.list(&looks, query.clone()).await?;
        let Some(last) = page.last() else {
            return Err(NoAdministrator::None);
        };
        query.after = Some(last.key_id.clone());
        for record in page {
            let hopeful = record.role == Role::ProxyAdmin && record.key_type.manages();
            if !hopeful || record.standing(now) != Standing::Live {
                continue;
            }
            // Its accounts and those that it descends from bind it too.
            match keys.principal_of_key(record.key_id.as_str()).await {
                Ok(principal)
                    if principal.role() == Role::ProxyAdmin && principal.key_type().manages() =>
                {
                    return Ok(());
                }
                Err(error @ Denied::Unchecked(_)) => return Err(error.into()),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bartizan::auth::{KeyRequest, MasterKey, MemoryStore, Pepper};

    use super::*;

    const MASTER: &str = "sk-9f1c6bd2a07e43f58b3d6e2c914a7f05";

    #[tokio::test]
    async fn a_live_key_of_a_proxy_admin_is_needed() {
        let pepper = Pepper::new(&"0c4e8f5a6b1d4e2f9a735d8c2b7f1e60".into()).unwrap();
        let keys = Keys::new(MemoryStore::new(), pepper);
        let by = MasterKey::new(MASTER.into()).unwrap();
        let by = by.verify(MASTER).unwrap();
        let mint = async |role, key_type| {
            let mut wish = KeyRequest::default();
            wish.role = Some(role);
            wish.key_type = key_type;
            keys.generate(&by, wish).await.unwrap().record.key_id
        };
        mint(Role::InternalUser, None).await;
        mint(Role::ProxyAdmin, Some(KeyType::LlmApi)).await;
        mint(Role::ProxyAdmin, Some(KeyType::ReadOnly)).await;
        let none = |found| matches!(found, Err(NoAdministrator::None));
        assert!(none(needed(&keys).await));
        let admin = mint(Role::ProxyAdmin, None).await;
        assert!(needed(&keys).await.is_ok());
        keys.set_blocked(&by, admin.as_str(), true).await.unwrap();
        assert!(none(needed(&keys).await));
        keys.set_blocked(&by, admin.as_str(), false).await.unwrap();
        assert!(needed(&keys).await.is_ok());
        keys.revoke(&by, admin.as_str()).await.unwrap();
        assert!(none(needed(&keys).await));
    }
}
