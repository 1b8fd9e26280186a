use super::*;

const ENV: [(&str, &str); 3] = [
    ("JWT_ISSUER", "https://idp.example/realms/staff"),
    ("JWT_AUDIENCE", "gateway"),
    ("JWT_PUBLIC_KEY_URL", "https://keys.example/jwks"),
];

fn with_env(text: &str, own: &[(&str, &str)]) -> Result<Settings, Vec<String>> {
    let env = |name: &str| {
        let found = own.iter().find(|(known, _)| *known == name);
        found
            .map(|(_, value)| (*value).to_owned())
            .or_else(|| env(name))
    };
    Settings::read(&SecretString::from(with_model(text)), &env)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

fn own(words: &str) -> Result<Settings, Vec<String>> {
    with_env(&format!("bartizan:\n  jwt:\n    issuers:\n{words}"), &[])
}

#[test]
fn litellms_words_and_variables_name_an_issuer() {
    let words = "general_settings:\n  enable_jwt_auth: true\n  litellm_jwtauth:\n    admin_jwt_scope: admin\n    user_id_jwt_field: sub\n    user_email_jwt_field: mail\n    user_allowed_email_domain: example.org\n    team_ids_jwt_field: groups\n    org_id_jwt_field: tenant.id\n    user_roles_jwt_field: realm_access.roles\n    role_mappings: [{role: auditor, internal_role: proxy_admin_viewer}]\n    scope_mappings: [{scope: fast, models: [m]}]\n    end_user_id_jwt_field: on_behalf_of\n    user_id_upsert: true\n    enforce_rbac: true\n    enforce_scope_based_access: true\n    public_key_ttl: 300\n    public_key_stale_ttl: 0";
    let settings = with_env(words, &ENV).unwrap();
    let told = format!("{:?}", settings.issuers);
    for part in [
        "https://idp.example/realms/staff",
        "gateway",
        "Es256",
        "Rs256",
        "EdDsa",
        "admin",
        "mail",
        "example.org",
        "groups",
        "tenant.id",
        "realm_access.roles",
        "auditor",
        "ProxyAdminViewer",
        "fast",
        "on_behalf_of",
        "ttl: 300s",
        "stale: 0ns",
        "plain_http: false",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert_eq!(
        settings.issuers[0].origin.to_string(),
        "https://keys.example:443"
    );
    assert!(!settings.issuers[0].discovers);

    let found = with_env("general_settings: {enable_jwt_auth: true}", &ENV[..2]).unwrap();
    assert!(found.issuers[0].discovers);
    assert_eq!(
        found.issuers[0].origin.to_string(),
        "https://idp.example:443"
    );
    assert!(
        with_env("general_settings: {enable_jwt_auth: false}", &ENV)
            .unwrap()
            .issuers
            .is_empty()
    );
}

#[test]
fn issuers_of_ones_own_stand_beside_it() {
    let settings = with_env(
        "general_settings: {enable_jwt_auth: true}\nbartizan:\n  allow_private_upstreams: ['http://idp.internal:8080']\n  jwt:\n    issuers:\n    - {issuer: 'https://login.example', audience: [a, b], algorithms: [ES256, EdDSA], leeway: 10s, max_age: 1h, claims: {models_jwt_field: models, team_optional: true, id_prefix: 'x:', roles_of_accounts: true}}\n    - {issuer: cluster, audience: a, jwks_uri: 'http://idp.internal:8080/keys'}\n    - {issuer: 'http://localhost:9000', audience: a}",
        &ENV,
    )
    .unwrap();
    let names: Vec<String> = settings
        .issuers
        .iter()
        .map(|told| told.origin.to_string())
        .collect();
    assert_eq!(
        names,
        [
            "https://login.example:443",
            "http://idp.internal:8080",
            "http://localhost:9000",
            "https://keys.example:443"
        ]
    );
    let told = format!("{:?}", settings.issuers[0]);
    assert!(
        told.contains("[Es256, EdDsa]") && told.contains("leeway: 10s") && told.contains("3600s"),
        "{told}"
    );
    for (at, plain) in [(0, false), (1, true), (2, true), (3, false)] {
        let told = format!("{:?}", settings.issuers[at]);
        assert!(told.contains(&format!("plain_http: {plain}")), "{told}");
    }
}

#[test]
fn what_would_let_anybody_in_is_an_error_with_its_mend() {
    let litellm = |words: &str| {
        format!("general_settings:\n  enable_jwt_auth: true\n  litellm_jwtauth: {words}")
    };
    for (words, env, says) in [
        (
            "general_settings:\n  enable_jwt_auth: true".to_owned(),
            &ENV[1..],
            "line 3: general_settings.enable_jwt_auth: JWT_ISSUER is not set",
        ),
        (
            "general_settings:\n  enable_jwt_auth: true".to_owned(),
            &ENV[..1],
            "JWT_AUDIENCE is not set",
        ),
        (
            "general_settings:\n  litellm_jwtauth: {admin_jwt_scope: a}".to_owned(),
            &ENV,
            "line 3: general_settings.litellm_jwtauth: these do nothing without `enable_jwt_auth: true`",
        ),
        (
            "general_settings: {enable_jwt_auth: true}".to_owned(),
            &[
                ENV[0],
                ENV[1],
                ("JWT_PUBLIC_KEY_URL", "https://a.example,https://b.example"),
            ],
            "names several",
        ),
        (
            "general_settings: {enable_jwt_auth: true}".to_owned(),
            &[
                ENV[0],
                ENV[1],
                ("JWT_PUBLIC_KEY_URL", "http://keys.example"),
            ],
            "whoever is between can sign tokens",
        ),
        (
            litellm("{admin_jwt_scop: a}"),
            &ENV,
            "general_settings.litellm_jwtauth.admin_jwt_scop: this key is not known; did you mean `admin_jwt_scope`?",
        ),
        (
            litellm("{custom_validate: f}"),
            &ENV,
            "general_settings.litellm_jwtauth.custom_validate: this is LiteLLM's, and this version does not implement it",
        ),
        (
            litellm("{enforce_rbac: false}"),
            &ENV,
            "only true is possible",
        ),
        (litellm("{public_key_ttl: 5}"), &ENV, "a time from 30s to"),
        (
            litellm("{admin_jwt_scope: ''}"),
            &ENV,
            "admin_jwt_scope: this can't be empty",
        ),
        (
            litellm("{team_ids_jwt_field: a..b}"),
            &ENV,
            "team_ids_jwt_field: the path of a claim is not valid",
        ),
        (
            litellm("{role_mappings: [{role: a, internal_role: internal_user}]}"),
            &ENV,
            "in which claim are the roles?",
        ),
        (
            litellm("{roles_jwt_field: r, role_mappings: [{role: a, internal_role: proxy_admn}]}"),
            &ENV,
            "role_mappings[0].internal_role: this is none of proxy_admin",
        ),
        (
            litellm("{roles_jwt_field: r, user_roles_jwt_field: s}"),
            &ENV,
            "keep one",
        ),
        (
            litellm("{scope_mappings: [{scope: s}]}"),
            &ENV,
            "scope_mappings[0]: `models` is missing",
        ),
    ] {
        let problems = with_env(&words, env).err().unwrap_or_default().join("\n");
        assert!(problems.contains(says), "{words}: {problems}");
    }
    for (words, says) in [
        ("      []", "bartizan.jwt.issuers: name one issuer at least"),
        (
            "    - {issuer: 'https://a.example'}",
            "bartizan.jwt.issuers[0]: `audience` is missing",
        ),
        (
            "    - {issuer: 'https://a.example', audience: []}",
            "the audience of tokens is not valid",
        ),
        ("    - {audience: a}", "`issuer` is missing"),
        (
            "    - {issuer: a, audience: a}",
            "say where they are, by `jwks_uri`",
        ),
        (
            "    - {issuer: a, audience: a, jwks_uri: keys}",
            "write an address that begins with `https://`",
        ),
        (
            "    - {issuer: 'http://idp.example', audience: a}",
            "name http://idp.example:80 in `bartizan.allow_private_upstreams`",
        ),
        (
            "    - {issuer: 'https://a.example', audience: a, algorithms: [HS256]}",
            "bartizan.jwt.issuers[0].algorithms[0]: this is none of RS256",
        ),
        (
            "    - {issuer: 'https://a.example', audience: a, algorithms: [none]}",
            "this is none of RS256",
        ),
        (
            "    - {issuer: 'https://a.example', audience: a, algorithms: []}",
            "name the algorithms",
        ),
        (
            "    - {issuer: 'https://a.example', audience: a}\n    - {issuer: 'https://a.example', audience: b}",
            "bartizan.jwt.issuers[1]: this issuer is named twice",
        ),
        (
            "    - {issuer: 'https://a.example', audience: a, max_age: 100d}",
            "a time from 1s to",
        ),
        (
            "    - {issuer: 'https://a.example', audience: a, ca: /nowhere.pem}",
            "bartizan.jwt.issuers[0].ca: /nowhere.pem can't be read",
        ),
        (
            "    - {issuer: 'https://a.example', audience: a, ca: Cargo.toml}",
            "bartizan.jwt.issuers[0].ca: the root certificates can't be read",
        ),
        (
            "    - {issuer: 'https://a.example', audience: a, jwk_uri: x}",
            "did you mean `jwks_uri`?",
        ),
    ] {
        let problems = own(words).err().unwrap_or_default().join("\n");
        assert!(problems.contains(says), "{words}: {problems}");
    }
}
