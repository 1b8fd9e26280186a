use std::path::Path;

use super::*;

#[test]
fn access_groups_are_names_of_models_together() {
    let settings = read(
        "model_list:\n- {model_name: a, litellm_params: {model: openai/gpt-4o}, model_info: {access_groups: [fast, all]}}\n- {model_name: a, litellm_params: {model: openai/gpt-4o}, model_info: {access_groups: [fast]}}\n- {model_name: 'openai/*', litellm_params: {model: 'openai/*'}, model_info: {access_groups: all}}\n- {model_name: b, litellm_params: {model: openai/gpt-4o}}",
    )
    .unwrap();
    let groups = |name: &str| {
        settings
            .access_groups
            .get(name)
            .cloned()
            .unwrap_or_default()
    };
    assert_eq!(groups("fast"), ["a"]);
    assert_eq!(groups("all"), ["a", "openai/*"]);
    assert_eq!(settings.access_groups.len(), 2);
    for (group, says) in [
        (
            "b",
            "line 2: model_list[0].model_info.access_groups[0]: a model is called so",
        ),
        ("'f*'", "a name without `*` belongs here"),
        ("''", "a name without `*` belongs here"),
    ] {
        let text = format!(
            "model_list:\n- {{model_name: a, litellm_params: {{model: openai/gpt-4o}}, model_info: {{access_groups: [{group}]}}}}\n- {{model_name: b, litellm_params: {{model: openai/gpt-4o}}}}"
        );
        let problems = problems(&text).join("\n");
        assert!(problems.contains(says), "{group}: {problems}");
    }
}

#[test]
fn keys_are_remembered_for_thirty_seconds_at_most() {
    let ttl = |time: &str| {
        let text = format!("general_settings: {{user_api_key_cache_ttl: {time}}}");
        read(&with_model(&text)).map(|settings| settings.key_ttl)
    };
    assert_eq!(read(&with_model("")).unwrap().key_ttl, None);
    assert_eq!(ttl("0"), Ok(Some(Duration::ZERO)));
    assert_eq!(ttl("30"), Ok(Some(Duration::from_secs(30))));
    for longer in ["31", "60", "1h"] {
        let problems = ttl(longer).unwrap_err().join("\n");
        assert!(
            problems.contains(
                "general_settings.user_api_key_cache_ttl: a time from 0ns to 30s belongs here"
            ),
            "{problems}"
        );
    }
}

#[test]
fn keys_rotate_where_their_next_text_is_delivered() {
    let rotation = |words: &str| {
        read(&with_model(&format!("bartizan:\n  key_rotation: {words}")))
            .map(|settings| settings.rotation)
    };
    assert_eq!(read(&with_model("")).unwrap().rotation, None);
    let told = rotation("{deliver: {directory: /run/keys}, grace: 1h}")
        .unwrap()
        .unwrap();
    assert_eq!(
        (told.directory.as_path(), told.grace),
        (Path::new("/run/keys"), Duration::from_secs(3_600))
    );
    let told = rotation("{deliver: {directory: /run/keys}}")
        .unwrap()
        .unwrap();
    assert_eq!(told.grace, Duration::from_secs(86_400));
    for (words, says) in [
        ("{}", "line 3: bartizan.key_rotation: `deliver` is missing"),
        (
            "{deliver: {}}",
            "bartizan.key_rotation.deliver: `directory` is missing",
        ),
        (
            "{deliver: {directory: keys}}",
            "the whole path of a folder belongs here",
        ),
        (
            "{deliver: {webhook: x}}",
            "bartizan.key_rotation.deliver.webhook: this key is not known",
        ),
        (
            "{deliver: {directory: /a}, grace: 0}",
            "bartizan.key_rotation.grace: a time from 1s",
        ),
        (
            "{deliver: {directory: /a}, grce: 1h}",
            "did you mean `grace`?",
        ),
    ] {
        let problems = rotation(words).unwrap_err().join("\n");
        assert!(problems.contains(says), "{words}: {problems}");
    }
}
