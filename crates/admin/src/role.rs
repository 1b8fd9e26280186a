//! Words for roles and kinds of keys.

use bartizan_core::{KeyType, Refusal, Role};

use crate::read::invalid;

/// Reads a role.
pub(crate) fn role(word: &str) -> Result<Role, Refusal> {
    Role::parse(word).ok_or_else(|| {
        let known = Role::ALL.map(Role::as_str).join(", ");
        invalid("user_role", format!("`user_role` is one of {known}"))
    })
}

/// Reads what a member may do: LiteLLM's `admin` and `user` too.
pub(crate) fn member_role(word: Option<&str>, admin: Role) -> Result<Role, Refusal> {
    match word {
        Some("admin") => Ok(admin),
        None | Some("user") => Ok(Role::InternalUser),
        Some(word) => Role::parse(word).ok_or_else(|| {
            let most = admin.as_str();
            invalid(
                "role",
                format!("`role` is {most}, internal_user or internal_user_viewer"),
            )
        }),
    }
}

/// Reads what a key is for.
pub(crate) fn key_type(word: &str) -> Result<KeyType, Refusal> {
    KeyType::parse(word).ok_or_else(|| {
        let known = KeyType::ALL.map(KeyType::as_str).join(", ");
        invalid("key_type", format!("`key_type` is one of {known}"))
    })
}
