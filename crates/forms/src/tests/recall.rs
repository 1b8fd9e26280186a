use super::made::{ALNUM, Chance, HEX, make};
use super::*;

const FRAMES: [&str; 9] = [
    "{}",
    "Please use {} for the import, and tell nobody.",
    "The new one is {}.",
    "{\"note\": \"{}\", \"count\": 3}",
    "export SETTING={}\nexport OTHER=1\n",
    "    let client = Client::new('{}');",
    "https://api.internal/v1/items?value={}&page=2",
    "first line\\n{}\\nlast",
    "यह कुंजी {} है",
];

#[test]
fn secrets_of_every_form_are_found_wherever_they_stand() {
    let forms = Forms::shipped();
    let (mut every, mut found_of_all, mut poor) = (0, 0, Vec::new());
    for (row, form) in forms.rows.iter().enumerate() {
        let (mut count, mut caught, mut missed) = (0, 0, String::new());
        for seed in 1..=24 {
            let made = make(forms, row, seed);
            for frame in FRAMES.iter().skip(seed as usize % 3).step_by(3) {
                let text = frame.replace("{}", &made.text);
                let at = frame.find("{}").unwrap();
                let (begin, end) = (at + made.begin, at + made.end);
                let found = all(forms, &text);
                let whole = found
                    .iter()
                    .any(|found| found.secret.start <= begin && found.secret.end >= end);
                count += 1;
                caught += usize::from(whole);
                if !whole {
                    missed = format!("{text}\n{found:?}");
                }
            }
        }
        every += count;
        found_of_all += caught;
        if caught * 100 < count * 95 {
            poor.push(format!(
                "{} ({}): {caught} of {count}; {missed}",
                form.form.id, form.form.shape
            ));
        }
    }
    assert!(poor.is_empty(), "{}", poor.join("\n"));
    assert!(
        found_of_all * 100 >= every * 99,
        "{found_of_all} of {every}"
    );
}

#[test]
fn a_check_that_passes_is_told_and_one_that_does_not_makes_less_sure() {
    let forms = Forms::shipped();
    for (row, form) in forms.rows.iter().enumerate() {
        let Some(check) = form.proves else { continue };
        let made = make(forms, row, 5);
        let found = all(forms, &made.text);
        assert_eq!(found.len(), 1, "{}", made.text);
        assert_eq!(
            (found[0].validated, found[0].score),
            (Some(check.name()), 1.0),
            "{}",
            made.text
        );
    }
}

#[test]
fn what_is_not_whole_or_says_that_it_is_none_passes() {
    let (forms, mut alarms) = (Forms::keys(), Vec::new());
    for (row, form) in forms.rows.iter().enumerate() {
        let made = make(forms, row, 3);
        let secret = &made.text[made.begin..made.end];
        let own = forms
            .ways
            .iter()
            .filter(|way| way.row == row)
            .map(|way| way.own)
            .max()
            .unwrap_or(0);
        let keep = if made.begin == 0 {
            own.min(secret.len())
        } else {
            0
        };
        let cut = |middle: &str| {
            format!(
                "{}{}{middle}{}",
                &made.text[..made.begin],
                &secret[..keep],
                &made.text[made.end..]
            )
        };
        let length = secret.len() - keep;
        // A password may be short.
        let short = if form.kind == judge::Kind::Login {
            "A"
        } else {
            "A1b2"
        };
        for text in [
            cut(&"x".repeat(length)),
            cut("YOUR_KEY_GOES_HERE"),
            cut("..."),
            cut("<secret>"),
            cut("${SECRET}"),
            cut(short),
        ] {
            // What is left may have another form: not a finding of this one.
            let found: Vec<Found> = all(forms, &text)
                .into_iter()
                .filter(|found| found.id == form.form.id)
                .collect();
            if let Some(found) = found.first() {
                alarms.push(format!("{found:?} {text}"));
            }
        }
    }
    assert!(alarms.is_empty(), "{alarms:#?}");
}

/// Kinds of text that look like secrets and are none.
fn look_alikes(chance: &mut Chance) -> Vec<(&'static str, String)> {
    let base64 = |chance: &mut Chance, length| {
        chance.of(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
            length,
        )
    };
    let mut hex = |length| chance.of(HEX, length);
    let uuid = format!("{}-{}-4{}-a{}-{}", hex(8), hex(4), hex(3), hex(3), hex(12));
    let (md5, sha1, sha256, sha512) = (hex(32), hex(40), hex(64), hex(128));
    let integrity = base64(chance, 86);
    let image = base64(chance, 3_000);
    let lines: Vec<String> = (0..12).map(|_| base64(chance, 64)).collect();
    let key = lines.join("\n");
    let crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let word = |chance: &mut Chance| chance.of("abcdefghijklmnopqrstuvwxyz", 4);
    vec![
        ("md5", format!("etag: \"{md5}\"")),
        ("sha1", format!("commit {sha1}\nAuthor: Ann <ann@example.org>")),
        ("sha256", format!("sha256:{sha256}  release.tar.gz")),
        ("sha512", format!("{sha512}  image.iso")),
        ("git range", format!("index {}..{} 100644", &sha1[..7], &sha1[8..15])),
        ("digest", format!("image: registry.internal/app@sha256:{sha256}")),
        ("reference", "api_key: os.environ/OPENAI_API_KEY\nmaster_key: os.environ/MASTER_KEY_2\npassword: vault:kv/db-7#pass".to_owned()),
        ("uuid", format!("request_id={uuid} trace={md5} span={}", &md5[..16])),
        ("resource id", format!("heroku_app_id = {uuid}\nsnyk_org_id: {uuid}\ndatadog_trace_id={md5}")),
        ("image", format!("<img src=\"data:image/png;base64,{image}\">")),
        ("font", format!("src:url(data:font/woff2;base64,d09GMgABAAAA{image}==)")),
        ("nanoid", format!("id: {}", chance.of(&format!("{ALNUM}_-"), 21))),
        ("ulid", format!("01{}", chance.of(crockford, 24))),
        ("lock file", format!("\"integrity\": \"sha512-{integrity}==\",\n\"resolved\": \"https://registry.example.org/a/-/a-1.0.0.tgz\"")),
        ("cargo lock", format!("checksum = \"{sha256}\"\ndependencies = [\n \"token\",\n]")),
        ("go sum", format!("golang.org/x/net v0.{}.0 h1:{}=", chance.below(40), base64(chance, 43))),
        ("subresource", format!("<script integrity=\"sha384-{}\" src=\"/a.js\">", base64(chance, 64))),
        ("certificate", format!("-----BEGIN CERTIFICATE-----\n{key}\n-----END CERTIFICATE-----")),
        ("public key", format!("-----BEGIN PUBLIC KEY-----\n{key}\n-----END PUBLIC KEY-----")),
        ("pgp message", format!("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n{key}\n-----END PGP PUBLIC KEY BLOCK-----")),
        ("ssh public key", format!("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{} ann@host", base64(chance, 43))),
        ("ssh fingerprint", format!("SHA256:{} ann@host (ED25519)", base64(chance, 43))),
        ("publishable", format!("pk_live_{} pk_test_{}", chance.of(ALNUM, 24), chance.of(ALNUM, 24))),
        ("stripe ids", format!("cus_{} pi_{} price_{}", chance.of(ALNUM, 14), chance.of(ALNUM, 24), chance.of(ALNUM, 24))),
        ("arn", format!("arn:aws:iam::{}:role/{}-service", chance.of("0123456789", 12), word(chance))),
        ("aws ids", format!("AROA{} vpc-{} ami-{}", chance.of("ABCDEFGH234567", 16), &sha1[..17], &sha1[17..34])),
        ("minified", format!("function {}(t,e){{return t.token=e.token,t.password=e.pass||n(),this.key=r[{}]}}", word(chance), chance.below(99))),
        ("typescript", "interface Login { password: string; token?: Token; apiKey: ApiKeyOptions<string> }".to_owned()),
        ("code", format!("password = os.environ[\"DB_PASSWORD_{}\"]; token = get_token(user_id={})", chance.below(9), chance.below(999))),
        ("config path", "secret: ${file(./secrets.yml):prod2}\npassword: {{ vault_db_password1 }}\ntoken: $TOKEN_V2".to_owned()),
        ("yaml words", "password: required\nsecret: kubernetes-secret-name\ntoken: optional\npassphrase: none".to_owned()),
        ("prose", "A password is required; the token is refreshed hourly. API keys: see settings. Secret: nobody knows.".to_owned()),
        ("form", "<label for=\"password\">Password:</label><input type=password name=\"password\" minlength=12>".to_owned()),
        ("counts", format!("max_tokens: {}, completion_tokens={} token_count=81234567890123456", chance.below(9_999), chance.below(9_999))),
        ("placeholders", "OPENAI_API_KEY=sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx AKIAIOSFODNN7EXAMPLE api_key=\"YOUR_API_KEY\" token=<your-token-2>".to_owned()),
        ("docs", "password: \"changeme123\" secret_key = 'replace-with-your-own-secret-key-1' Authorization: Bearer $TOKEN".to_owned()),
        ("class names", "<div class=\"sk-estimator-id-12 sk-toggleable sk-container-id-3\" data-key=\"key-0\">".to_owned()),
        ("url", format!("https://cdn.example.org/assets/app.{}.js?v={}", &md5[..20], &sha1[..8])),
        ("session log", format!("[2024-05-01T10:00:00Z] INFO pid={} host=ip-10-0-3-17 conn={uuid}", chance.below(9_999))),
        ("cursor", format!("{{\"next_page\": \"{}\", \"object\": \"list\"}}", base64(chance, 48))),
        ("phone", format!("+91 {} {} 1234567890:AAA order SK{}", chance.of("6789", 5), chance.of("0123456789", 5), chance.of("0123456789", 9))),
    ]
}

#[test]
fn look_alikes_pass() {
    let forms = Forms::shipped();
    let (mut every, mut alarms) = (0, Vec::new());
    for seed in 1..=60 {
        for (kind, text) in look_alikes(&mut Chance::new(seed)) {
            every += 1;
            let found = all(forms, &text);
            if let Some(found) = found.first() {
                alarms.push(format!(
                    "{kind}: {} {}",
                    found.id,
                    &text[found.secret.clone()]
                ));
            }
        }
    }
    assert!(
        alarms.len() * 1_000 <= every * 5,
        "{} of {every}: {alarms:#?}",
        alarms.len()
    );
}
