use base64::prelude::{BASE64_STANDARD_NO_PAD, Engine};
use proptest::prelude::*;

use super::*;

/// A run of letters and digits that looks like chance, the same each time.
fn random(alphabet: &str, length: usize, seed: u64) -> String {
    let letters: Vec<char> = alphabet.chars().collect();
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    (0..length)
        .map(|_| letters[(next() >> 11) as usize % letters.len()])
        .collect()
}

const ALL: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const LOWER: &str = "abcdefghijklmnopqrstuvwxyz0123456789";
const HEX: &str = "0123456789abcdef";
const DIGITS: &str = "0123456789";

fn in_base64(text: &str) -> String {
    BASE64_STANDARD_NO_PAD.encode(text)
}

/// Made for these tests from the published forms: no one's key, and built so that no scanner takes this file for a leak.
fn made(seed: u64) -> Vec<(&'static str, String)> {
    let r = |alphabet, length| random(alphabet, length, seed);
    let uuid = format!(
        "{}-{}-4{}-a{}-{}",
        r(HEX, 8),
        r(HEX, 4),
        r(HEX, 3),
        r(HEX, 3),
        r(HEX, 12)
    );
    let key: String = r(ALL, 256)
        .as_bytes()
        .chunks(64)
        .map(|line| format!("{}\n", String::from_utf8_lossy(line)))
        .collect();
    vec![
        ("aws_access_key", format!("AKIA{}", r(UPPER, 16))),
        ("aws_access_key", format!("ASIA{}", r(UPPER, 16))),
        (
            "aws_secret_key",
            format!("AWS_SECRET_ACCESS_KEY={}", r(ALL, 40)),
        ),
        (
            "aws_secret_key",
            format!("aws_secret_access_key = \"{}\"", r(ALL, 40)),
        ),
        ("google_api_key", format!("AIza{}", r(ALL, 35))),
        ("google_oauth_secret", format!("GOCSPX-{}", r(ALL, 28))),
        ("google_oauth_token", format!("ya29.{}", r(ALL, 120))),
        (
            "azure_storage_key",
            format!("AccountName=x;AccountKey={}==", r(ALL, 86)),
        ),
        (
            "azure_client_secret",
            format!("CLIENT_SECRET={}8Q~{}", r(ALL, 3), r(ALL, 34)),
        ),
        ("digitalocean_token", format!("dop_v1_{}", r(HEX, 64))),
        ("vault_token", format!("hvs.{}", r(ALL, 90))),
        ("databricks_token", format!("dapi{}", r(HEX, 32))),
        ("anthropic_key", format!("sk-ant-api03-{}", r(ALL, 95))),
        ("openai_key", format!("sk-proj-{}", r(ALL, 74))),
        (
            "openai_key",
            format!("sk-{}T3BlbkFJ{}", r(ALL, 20), r(ALL, 20)),
        ),
        ("llm_key", format!("sk-{}", r(HEX, 32))),
        ("openrouter_key", format!("sk-or-v1-{}", r(HEX, 64))),
        ("langfuse_key", format!("sk-lf-{uuid}")),
        ("groq_key", format!("gsk_{}", r(ALL, 52))),
        ("xai_key", format!("xai-{}", r(ALL, 80))),
        ("huggingface_token", format!("hf_{}", r(ALL, 34))),
        ("replicate_token", format!("r8_{}", r(ALL, 37))),
        ("perplexity_key", format!("pplx-{}", r(ALL, 48))),
        ("nvidia_key", format!("nvapi-{}", r(ALL, 64))),
        ("github_token", format!("ghp_{}", r(ALL, 36))),
        ("github_token", format!("ghs_{}", r(ALL, 36))),
        (
            "github_token",
            format!("github_pat_{}_{}", r(ALL, 22), r(ALL, 59)),
        ),
        ("gitlab_token", format!("glpat-{}", r(ALL, 20))),
        ("npm_token", format!("npm_{}", r(ALL, 36))),
        ("pypi_token", format!("pypi-AgEIcHlwaS5vcmc{}", r(ALL, 120))),
        (
            "slack_token",
            format!("xoxb-{}-{}-{}", r(DIGITS, 12), r(DIGITS, 13), r(ALL, 24)),
        ),
        (
            "slack_webhook",
            format!(
                "https://hooks.slack.com/services/T{}/B{}/{}",
                r(UPPER, 10),
                r(UPPER, 10),
                r(ALL, 24)
            ),
        ),
        (
            "discord_token",
            format!(
                "{}.{}.{}",
                in_base64(&r("123456789", 18)),
                r(ALL, 6),
                r(ALL, 38)
            ),
        ),
        (
            "telegram_token",
            format!("{}:AA{}", r("123456789", 10), r(ALL, 33)),
        ),
        ("sendgrid_key", format!("SG.{}.{}", r(ALL, 22), r(ALL, 43))),
        ("mailgun_key", format!("key-{}", r(HEX, 32))),
        ("twilio_key", format!("SK{}", r(HEX, 32))),
        ("stripe_key", format!("sk_live_{}", r(ALL, 24))),
        ("stripe_key", format!("rk_test_{}", r(ALL, 24))),
        ("stripe_webhook_secret", format!("whsec_{}", r(ALL, 32))),
        ("razorpay_key", format!("rzp_live_{}", r(ALL, 14))),
        ("square_token", format!("sq0atp-{}", r(ALL, 22))),
        ("shopify_token", format!("shpat_{}", r(HEX, 32))),
        (
            "private_key",
            format!("-----BEGIN RSA PRIVATE KEY-----\n{key}-----END RSA PRIVATE KEY-----"),
        ),
        (
            "private_key",
            format!(
                "-----BEGIN OPENSSH PRIVATE KEY-----\\n{}",
                key.replace('\n', "\\n")
            ),
        ),
        (
            "private_key",
            format!(
                "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,{}\n\n{key}",
                r(HEX, 32)
            ),
        ),
        (
            "jwt",
            format!(
                "{}.eyJ{}.{}",
                in_base64(&format!("{{\"alg\":\"HS256\",\"kid\":\"{}\"}}", r(ALL, 8))),
                r(ALL, 80),
                r(ALL, 43)
            ),
        ),
        (
            "connection_string",
            format!("postgres://app:{}@db.internal:5432/main", r(LOWER, 14)),
        ),
        (
            "connection_string",
            format!(
                "mongodb+srv://app:{}@cluster0.abcde.mongodb.net/",
                r(ALL, 16)
            ),
        ),
        (
            "connection_string",
            format!("redis://:{}@10.0.0.5:6379", r(LOWER, 20)),
        ),
        (
            "connection_string",
            format!("Server=db;User Id=app;Password={};", r(ALL, 14)),
        ),
        (
            "basic_auth",
            format!("Authorization: Basic {}=", r(ALL, 31)),
        ),
    ]
}

#[test]
fn secrets_of_each_form_are_found_wherever_they_stand() {
    let (mut all, mut caught) = (0, 0);
    for seed in 1..60 {
        for (id, secret) in made(seed) {
            for frame in [
                "{}",
                "key: {}",
                "\"{}\",",
                "export K={}; run",
                "see `{}`.",
                "a\\n{}",
                "ключ {} здесь",
            ] {
                let text = frame.replace("{}", &secret);
                let found = Secrets::new().find(&Sample::new(&text));
                all += 1;
                match found {
                    Some(finding) => {
                        caught += 1;
                        assert_eq!(finding.rule(), id, "{text}");
                        assert!(text[finding.span()].len() >= 16.min(secret.len()), "{text}");
                    }
                    // By chance a made key counts up or repeats itself.
                    None => assert!(seed > 3, "{id} {text}"),
                }
            }
        }
    }
    assert!(
        f64::from(caught) / f64::from(all) > 0.995,
        "{caught} of {all}"
    );
}

#[test]
fn look_alikes_pass() {
    let hash = random(HEX, 64, 7);
    let base64 = random(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
        4_000,
        8,
    );
    let uuid = format!(
        "{}-{}-4{}-a{}-{}",
        &hash[..8],
        &hash[8..12],
        &hash[12..15],
        &hash[15..18],
        &hash[18..30]
    );
    for text in [
        hash.clone(),
        format!("sha256:{hash}"),
        format!("commit {}", &hash[..40]),
        uuid.clone(),
        format!("request id {uuid}, trace {}", &hash[..32]),
        format!("data:image/png;base64,{base64}"),
        format!("<img src=\"data:image/jpeg;base64,/9j/{base64}\">"),
        "AKIAIOSFODNN7EXAMPLE".to_owned(),
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY as aws_secret_access_key=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
        "export OPENAI_API_KEY=sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx".to_owned(),
        "sk-your-api-key-here, sk-..., sk-proj-YOUR_KEY_GOES_HERE_YOUR_KEY_GOES_HERE_1234".to_owned(),
        "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx and ghp_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".to_owned(),
        "ghp_0123456789abcdefghijklmnopqrstuvwxyz".to_owned(),
        "sk-learn, task-force-recommendations-for-the-coming-year".to_owned(),
        "pk_live_51H8xYzKq3mN7pR2sT5vW9aB4cD6eF publishable".to_owned(),
        "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQswCQYDVQQGEwJJ\n".to_owned(),
        "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n".to_owned(),
        "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----".to_owned(),
        "-----BEGIN RSA PRIVATE KEY-----\nYOUR_KEY_HERE\n-----END RSA PRIVATE KEY-----".to_owned(),
        "postgres://user:password@localhost/db mysql://root:root@127.0.0.1/x".to_owned(),
        "postgresql://${DB_USER}:${DB_PASSWORD}@${DB_HOST}/app redis://:<password>@host:6379".to_owned(),
        "https://example.com:8443/path@v2 http://localhost:3000/a?b=c@d mailto:a@b.c".to_owned(),
        "https://user:pass@example.com/".to_owned(),
        "ssh://git@github.com:org/repo.git https://x.y/z?u=a:b@c".to_owned(),
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c".to_owned(),
        "AC0123456789 order SK00000000000000000000000000000000".to_owned(),
        "Phone 1234567890:AAA, isbn 978-3-16-148410-0, card 4111 1111 1111 1111".to_owned(),
        format!("My {} Now {}", &base64[..30].replace(['+', '/'], "a"), &hash[..20]),
        "User=ann;Password=secret; UID=x;PWD=password".to_owned(),
    ] {
        let found = Secrets::new().find(&Sample::new(&text));
        assert!(found.is_none(), "{found:?} {text}");
    }
    // No form begins in the middle of base64, however much of it there is.
    let mut alarms = 0;
    for seed in 0..200 {
        let blob = random(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
            20_000,
            seed,
        );
        alarms += usize::from(Secrets::new().find(&Sample::new(&blob)).is_some());
    }
    assert_eq!(alarms, 0);
}

#[test]
fn nothing_is_held_longer_than_it_must() {
    let mut watcher = Secrets::new().watch();
    assert_eq!(watcher.push("The sky is blue, "), Progress::Clear(17));
    assert_eq!(watcher.push("sk"), Progress::Clear(17));
    assert_eq!(watcher.push("y"), Progress::Clear(20));
    let mut watcher = Secrets::new().watch();
    watcher.push("jwt: eyJ");
    let long = "a".repeat(9_000);
    let Progress::Clear(upto) = watcher.push(&long) else {
        panic!("a run of one letter is no secret")
    };
    assert!(upto > 8_000);
}

proptest! {
    #[test]
    fn pieces_give_what_the_whole_gives_and_nothing_of_a_secret_leaves(
        which in any::<prop::sample::Index>(),
        seed in 1_u64..500,
        before in "[a-zA-Z0-9 =:\"/.é-]{0,12}",
        after in "[a-zA-Z0-9 =:\"/.é-]{0,12}",
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..10),
        every in any::<bool>(),
    ) {
        let secrets = made(seed);
        let secret = &secrets[which.index(secrets.len())].1;
        let text = format!("{before}{secret}{after}");
        let whole = Secrets::new().find(&Sample::new(&text));
        let bounds: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| bounds[cut.index(bounds.len())]).chain([0, text.len()]).collect();
        if every {
            cuts = bounds;
        }
        cuts.sort_unstable();
        let mut watcher = Secrets::new().watch();
        let (mut cleared, mut streamed) = (0, None);
        for pair in cuts.windows(2) {
            match watcher.push(&text[pair[0]..pair[1]]) {
                Progress::Clear(upto) => {
                    prop_assert!(upto >= cleared && upto <= pair[1]);
                    cleared = upto;
                }
                Progress::Found(finding) => {
                    streamed = Some(finding);
                    break;
                }
            }
        }
        let streamed = streamed.or_else(|| watcher.finish());
        if let Some(finding) = &streamed {
            prop_assert!(cleared <= finding.span().start);
        }
        prop_assert_eq!(streamed, whole);
    }
}
