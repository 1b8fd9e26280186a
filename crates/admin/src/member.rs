//! The users in organizations and teams.

use bartizan_auth::Member;
use bartizan_core::{Refusal, Role};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::object::Object;
use crate::role::member_role;

/// A member, as it is told and shown.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MemberTold {
    /// Who.
    user_id: String,
    /// `org_admin` in an organization, `team_admin` in a team, `internal_user` by default, or `internal_user_viewer`. LiteLLM's `admin` and `user`
    /// are read too.
    #[serde(default)]
    role: Option<String>,
}

impl MemberTold {
    pub(crate) fn read(self, admin: Role) -> Result<Member, Refusal> {
        Ok(Member {
            role: member_role(self.role.as_deref(), admin)?,
            user_id: self.user_id,
        })
    }

    pub(crate) fn shown(members: &[Member]) -> Vec<Self> {
        let shown = |member: &Member| Self {
            user_id: member.user_id.clone(),
            role: Some(member.role.as_str().to_owned()),
        };
        members.iter().map(shown).collect()
    }

    pub(crate) fn read_all(
        told: Option<Vec<Object<Self>>>,
        admin: Role,
    ) -> Result<Vec<Member>, Refusal> {
        let members = told.unwrap_or_default().into_iter();
        members.map(|Object(member)| member.read(admin)).collect()
    }
}

/// Defines the handlers for members of accounts of a kind.
macro_rules! members {
    ($shown:ident, at $at:literal, id $id:ident, admin $admin:ident, needs $manage:ident, types [$added:ident, $changed:ident, $removed:ident]) => {
        fn member_routes(routes: Routes) -> Routes {
            use crate::routes::Verbs::{Post, PostOrDelete, PostOrPatch};
            routes
                .change(
                    Post,
                    concat!("/", $at, "/member_add"),
                    "Adds a member",
                    member_add,
                )
                .change(
                    PostOrPatch,
                    concat!("/", $at, "/member_update"),
                    "Changes what a member may do",
                    member_update,
                )
                .change(
                    PostOrDelete,
                    concat!("/", $at, "/member_delete"),
                    "Takes a member out, and revokes their keys there",
                    member_delete,
                )
        }

        /// Who is to be a member.
        #[derive(serde::Deserialize, utoipa::ToSchema)]
        #[serde(deny_unknown_fields)]
        struct $added {
            /// Of which one.
            $id: String,
            /// Who, and what they may do there.
            #[schema(value_type = crate::member::MemberTold)]
            member: crate::object::Object<crate::member::MemberTold>,
            /// The version that the caller saw: with another, nothing is changed (409).
            #[serde(default)]
            version: Option<u64>,
        }

        /// What a member is to do.
        #[derive(serde::Deserialize, utoipa::ToSchema)]
        #[serde(deny_unknown_fields)]
        struct $changed {
            /// Of which one.
            $id: String,
            /// Who.
            user_id: String,
            /// What they may do there.
            role: String,
            /// The version that the caller saw: with another, nothing is changed (409).
            #[serde(default)]
            version: Option<u64>,
        }

        /// Who is to be a member no more.
        #[derive(serde::Deserialize, utoipa::ToSchema)]
        #[serde(deny_unknown_fields)]
        struct $removed {
            /// Of which one.
            $id: String,
            /// Who.
            user_id: String,
        }

        impl crate::routes::Wish for $added {
            fn targets(&self) -> Vec<&str> {
                vec![&self.$id]
            }
        }

        impl crate::routes::Wish for $changed {
            fn targets(&self) -> Vec<&str> {
                vec![&self.$id]
            }
        }

        impl crate::routes::Wish for $removed {
            fn targets(&self) -> Vec<&str> {
                vec![&self.$id]
            }
        }

        async fn member_add(
            keys: Keys,
            by: Permitted<crate::capability::$manage>,
            wish: $added,
        ) -> Result<Done<$shown>, Refusal> {
            let member = wish.member.0.read(bartizan_core::Role::$admin)?;
            let id = named(wish.$id);
            let changed = keys
                .add_member(by.principal(), &id, member, wish.version)
                .await;
            crate::account::done(changed, $shown::of)
        }

        async fn member_update(
            keys: Keys,
            by: Permitted<crate::capability::$manage>,
            wish: $changed,
        ) -> Result<Done<$shown>, Refusal> {
            let member = bartizan_auth::Member {
                role: crate::role::member_role(Some(&wish.role), bartizan_core::Role::$admin)?,
                user_id: wish.user_id,
            };
            let id = named(wish.$id);
            let changed = keys
                .update_member(by.principal(), &id, member, wish.version)
                .await;
            crate::account::done(changed, $shown::of)
        }

        async fn member_delete(
            keys: Keys,
            by: Permitted<crate::capability::$manage>,
            wish: $removed,
        ) -> Result<Done<$shown>, Refusal> {
            let id = named(wish.$id);
            let changed = keys.remove_member(by.principal(), &id, &wish.user_id).await;
            crate::account::done(changed, $shown::of)
        }
    };
}
pub(crate) use members;
