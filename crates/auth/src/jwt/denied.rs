//! Why a token is not accepted, and what its bearer is told.

use std::time::Duration;

use bartizan_core::{Refusal, RefusalKind};
use http::HeaderValue;
use http::header::WWW_AUTHENTICATE;

/// Why a token opens nothing. No variant holds anything of the token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwtDenied {
    /// It is no token: too long, not three parts of base64url, or not strict JSON inside.
    #[error("the token can't be read")]
    Malformed,
    /// It says that it is of a type that is no access: `typ` is neither `JWT` nor `at+jwt`.
    #[error("the token is of a type that gives no access")]
    Type,
    /// It asks for an extension to be understood (`crit`).
    #[error("the token asks for an extension that is not known")]
    Critical,
    /// No issuer that is trusted.
    #[error("the token's issuer is not trusted")]
    Issuer,
    /// Signed by an algorithm that its issuer is not expected to use.
    #[error("the token's algorithm is not accepted from its issuer")]
    Algorithm,
    /// Signed with a key that its issuer doesn't publish, or that can't be told.
    #[error("the token's key is not known")]
    Key,
    /// The signature is not the issuer's.
    #[error("the token's signature is wrong")]
    Signature,
    /// It was made for somebody else.
    #[error("the token is for another audience")]
    Audience,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// Its time has not come.
    #[error("the token is not valid yet")]
    Early,
    /// It was issued too long ago.
    #[error("the token was issued too long ago")]
    Old,
    /// It lacks a claim that the configuration asks for, or has it in another form.
    #[error("the token lacks the claim `{0}`, or has it in a form that can't be used")]
    Claim(Box<str>),
    /// Its bearer's address of e-mail is of a domain that is not allowed.
    #[error("the e-mail domain in the token is not allowed")]
    Domain,
    /// It names several teams, and the request none of them.
    #[error("the token names several teams")]
    Teams,
    /// The request names a team that the token doesn't.
    #[error("the token does not name that team")]
    Team,
    /// The issuer's keys can't be had, so nobody is let in.
    #[error("the issuer's keys can't be had")]
    Unavailable,
}

impl JwtDenied {
    /// One word for metrics and records.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Malformed => "jwt_malformed",
            Self::Type => "jwt_type",
            Self::Critical => "jwt_critical",
            Self::Issuer => "jwt_issuer",
            Self::Algorithm => "jwt_algorithm",
            Self::Key => "jwt_key",
            Self::Signature => "jwt_signature",
            Self::Audience => "jwt_audience",
            Self::Expired => "jwt_expired",
            Self::Early => "jwt_early",
            Self::Old => "jwt_old",
            Self::Claim(_) => "jwt_claim",
            Self::Domain => "jwt_domain",
            Self::Teams => "jwt_teams",
            Self::Team => "jwt_team",
            Self::Unavailable => "jwt_unavailable",
        }
    }
}

/// Whoever forges tokens is told of all that is wrong with them but one thing at a time; whoever has a true one, what to do.
impl From<&JwtDenied> for Refusal {
    fn from(denied: &JwtDenied) -> Self {
        let (code, message) = match denied {
            JwtDenied::Malformed
            | JwtDenied::Type
            | JwtDenied::Critical
            | JwtDenied::Issuer
            | JwtDenied::Algorithm
            | JwtDenied::Key
            | JwtDenied::Signature => ("invalid_jwt", "The token provided is not accepted."),
            JwtDenied::Audience => (
                "invalid_jwt",
                "The token provided was issued for another audience.",
            ),
            JwtDenied::Early => ("invalid_jwt", "The token provided is not valid yet."),
            JwtDenied::Expired => ("expired_jwt", "The token provided has expired."),
            JwtDenied::Old => ("expired_jwt", "The token provided was issued too long ago."),
            JwtDenied::Claim(path) => {
                let message = format!(
                    "The token provided lacks the claim `{path}`, or has it in a form that can't be used."
                );
                return Self::new(RefusalKind::Forbidden, "jwt_claim_missing", message);
            }
            JwtDenied::Domain => {
                return Self::new(
                    RefusalKind::Forbidden,
                    "email_domain_not_allowed",
                    "The e-mail domain in the token provided is not allowed.",
                );
            }
            JwtDenied::Team => {
                return Self::new(
                    RefusalKind::Forbidden,
                    "team_not_in_jwt",
                    "The token provided does not name the team that the request picks.",
                );
            }
            JwtDenied::Teams => {
                return Self::new(
                    RefusalKind::BadRequest,
                    "team_not_picked",
                    "The token provided names several teams. Pick one of them by the header x-litellm-team-id or x-bartizan-team.",
                );
            }
            JwtDenied::Unavailable => {
                return Self::new(
                    RefusalKind::Unavailable,
                    "auth_unavailable",
                    "The token provided can't be checked at the moment. Try again later.",
                )
                .retry_after(Duration::from_secs(5));
            }
        };
        Self::new(RefusalKind::Unauthorized, code, message).header(
            WWW_AUTHENTICATE,
            HeaderValue::from_static("Bearer error=\"invalid_token\""),
        )
    }
}
