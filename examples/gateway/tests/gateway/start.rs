//! S11: what does not start, and what it says.

use bartizan_testkit::{MockProvider, Script};

use crate::process::{Gateway, MASTER, Start, chat, config};

fn file(more: &str) -> String {
    format!(
        "model_list: [{{model_name: m, litellm_params: {{model: openai/x, api_key: k}}}}]\n{more}\n"
    )
}

#[test]
fn no_bad_master_key_starts_a_gateway() {
    for (key, says) in [
        ("general_settings: {}", "master key is missing"),
        (
            "general_settings: {master_key: ''}",
            "master key is missing",
        ),
        ("general_settings: {master_key: sk-1234}", "published"),
        (
            "general_settings: {master_key: sk-tooshort7Hq2}",
            "too short",
        ),
        (
            "general_settings: {master_key: sk-12341234123412341234123412341234}",
            "easy to guess",
        ),
        (
            "general_settings: {master_key: os.environ/NOWHERE}",
            "NOWHERE is not set",
        ),
    ] {
        let (code, said) = Start::with(file(key)).fails();
        assert_eq!(code, 2, "{key}: {said}");
        assert!(said.contains(says), "{key}: {said}");
        assert!(
            said.contains("keygen") || said.contains("is not set"),
            "{key}: no mend: {said}"
        );
        let (code, said) = Start::with(file("general_settings: {}"))
            .env("LITELLM_MASTER_KEY", "sk-1234")
            .fails();
        assert!(code == 2 && said.contains("published"), "{said}");
    }
    // Nor without a file, when one is given.
    let (code, said) = Start::bare().env("BARTIZAN_MASTER_KEY", "sk-1234").fails();
    assert!(
        code == 2 && said.contains("published") && said.contains("keygen"),
        "{said}"
    );
}

#[test]
fn no_network_is_listened_on_in_plain_text_unless_told() {
    let settings = format!("general_settings: {{master_key: {MASTER}}}");
    let (code, said) = Start::with(file(&format!(
        "{settings}\nbartizan: {{listen: '0.0.0.0:0'}}"
    )))
    .fails();
    assert!(
        code == 2 && said.contains("allow_plaintext_on_network"),
        "{said}"
    );
    for host in ["0.0.0.0", "::", "192.0.2.1"] {
        let (code, said) = Start::with(file(&settings))
            .argument("--host")
            .argument(host)
            .fails();
        assert!(
            code == 2 && said.contains("allow_plaintext_on_network"),
            "{host}: {said}"
        );
    }
    let (code, said) = Start::bare().argument("--host").argument("0.0.0.0").fails();
    assert!(
        code == 2 && said.contains("allow_plaintext_on_network"),
        "{said}"
    );
    let told = file(&format!(
        "{settings}\nbartizan: {{allow_plaintext_on_network: true}}"
    ));
    Start::with(told)
        .argument("--host")
        .argument("0.0.0.0")
        .run();
}

/// What the master key is for, and that it can be done without.
#[tokio::test]
async fn the_master_key_manages_calls_models_only_where_told_and_may_be_switched_off() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let told = |words: &str| {
        config(&mock, "").replace(
            &format!("{{master_key: {MASTER}}}"),
            &format!("{{master_key: {MASTER}, {words}}}"),
        )
    };
    let ask = async |gateway: &Gateway, key: &str| {
        let body = chat("gpt", "x", "");
        let path = "/v1/chat/completions";
        gateway.ask_as(key, "POST", path, &body).await.status
    };
    let gateway = Start::with(config(&mock, "")).run();
    assert_eq!(ask(&gateway, MASTER).await, 403);
    assert!(mock.requests().is_empty());
    drop(gateway);

    let gateway = Start::with(told("master_key_calls_models: true")).run();
    assert_eq!(ask(&gateway, MASTER).await, 200);
    assert!(gateway.stderr().contains("the master key calls models"));
    drop(gateway);

    let (code, said) = Start::with(told("disable_master_key: true")).fails();
    assert!(
        code == 1 && said.contains("POST /key/generate") && said.contains("proxy_admin"),
        "{said}"
    );
    let gateway = Start::with(config(&mock, "")).run();
    let admin = gateway.key(r#"{"user_role":"proxy_admin"}"#).await;
    let folder = gateway.stop().await;
    let gateway = Start::with(told("disable_master_key: true")).run_in(folder);
    assert_eq!(ask(&gateway, MASTER).await, 401);
    let minted = async |key: &str| {
        let answer = gateway.ask_as(key, "POST", "/key/generate", "{}").await;
        answer.status
    };
    assert_eq!((minted(MASTER).await, minted(&admin).await), (401, 200));
}

#[test]
fn a_mistake_is_told_with_its_line_and_the_nearest_word() {
    let wrong = file(&format!(
        "general_settings: {{master_key: {MASTER}}}\nguardrials: []\nbartizan:\n  lisen: x\n"
    ));
    let (code, said) = Start::with(wrong).fails();
    assert_eq!(code, 2);
    assert!(said.contains("2 things are wrong"), "{said}");
    assert!(
        said.contains("line 3: guardrials: this key is not known; did you mean `guardrails`?"),
        "{said}"
    );
    assert!(
        said.contains("line 5: bartizan.lisen: this key is not known; did you mean `listen`?"),
        "{said}"
    );
}

#[test]
fn files_that_others_may_read_are_not_used() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("open");
    std::fs::create_dir(&data).unwrap();
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o755)).unwrap();
    let settings = format!(
        "general_settings: {{master_key: {MASTER}}}\nbartizan: {{data_dir: '{}'}}",
        data.display()
    );
    let (code, said) = Start::with(file(&settings)).fails();
    assert!(code == 1 && said.contains("chmod"), "{said}");
}

#[tokio::test]
async fn it_starts_within_a_second() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let began = tokio::time::Instant::now();
    let gateway = Start::with(config(&mock, "")).run();
    assert_eq!(gateway.chat("gpt", "x").await.status, 200);
    let took = began.elapsed();
    // Without optimisation, and with other tests beside it, it takes its time.
    let most = if cfg!(debug_assertions) { 10 } else { 1 };
    assert!(took < std::time::Duration::from_secs(most), "{took:?}");
}

fn command(arguments: &[&str]) -> (i32, String, String) {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_bartizan-gateway"))
        .args(arguments)
        .env_clear()
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn keygen_makes_what_the_gateway_takes() {
    let (code, key, _) = command(&["keygen"]);
    assert_eq!(code, 0);
    let (_, pepper, _) = command(&["keygen", "--pepper"]);
    assert_ne!(key, command(&["keygen"]).1);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.yaml");
    std::fs::write(
        &path,
        file(&format!("general_settings: {{master_key: {}}}", key.trim())),
    )
    .unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_bartizan-gateway"))
        .args(["check", "--config"])
        .arg(&path)
        .env("BARTIZAN_PEPPER", pepper.trim())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8(output.stdout).unwrap().contains("sound"));
}

#[test]
fn check_says_what_is_wrong_and_fails() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.yaml");
    std::fs::write(&path, "model_lst: []\n").unwrap();
    let (code, out, said) = command(&["check", "-c", path.to_str().unwrap()]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(said.contains("did you mean `model_list`?"), "{said}");
    assert_eq!(command(&["check", "-c", "/nowhere.yaml"]).0, 2);
    assert_eq!(command(&["sevre"]).0, 2);
    assert!(command(&["--help"]).1.contains("usage:"));
    assert!(command(&["--version"]).1.starts_with("bartizan-gateway "));
}
