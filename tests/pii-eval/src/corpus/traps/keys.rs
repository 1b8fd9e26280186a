//! What looks like a key and gives access to nothing.

use crate::corpus::chance::Chance;

const BASE64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

pub(super) fn write(kind: &str, chance: &mut Chance) -> Option<String> {
    Some(match kind {
        "placeholder" => chance
            .pick(&[
                "sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
                "YOUR_API_KEY",
                "<your-token-here>",
                "ghp_XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX",
                "${OPENAI_API_KEY}",
                "sk_live_...",
                "AKIA****************",
                "os.environ[\"ANTHROPIC_API_KEY\"]",
                "xoxb-your-token",
            ])
            .to_owned(),
        "integrity" => format!("sha512-{}==", chance.letters(BASE64, 86)),
        "public_key" => {
            let lines: Vec<String> = (0..4).map(|_| chance.letters(BASE64, 64)).collect();
            format!(
                "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----",
                lines.join("\n")
            )
        }
        "publishable" => format!(
            "pk_live_{}",
            chance.letters("abcdefghijklmnopqrstuvwxyzABCDEFGH0123456789", 24)
        ),
        "css" => chance
            .pick(&[
                "sk-learn-pipeline",
                "npm_config_registry",
                "hf_hub_download",
                "glpat-free-zone",
                "SG.Models.Client",
                "key-value-store",
                "risk-adjusted-returns-model",
                "task-management-dashboard-v2",
            ])
            .to_owned(),
        "account_sid" => format!("AC{}", chance.letters("0123456789abcdef", 32)),
        "client_id" => format!(
            "{}-{}.apps.googleusercontent.com",
            chance.digits(12),
            chance.letters("abcdefghijklmnopqrstuvwxyz0123456789", 32)
        ),
        "snake" => chance
            .pick(&[
                "secret_santa_list_for_the_whole_team",
                "token_count_of_the_last_request",
                "password_reset_link_expired_at",
                "get_secret_value_from_the_manager",
            ])
            .to_owned(),
        "base64_text" => chance.letters(BASE64, 120),
        "s3_path" => format!(
            "s3://bucket/2025/{}/part-{}.parquet",
            chance.shaped("09/19"),
            chance.digits(5)
        ),
        _ => return None,
    })
}
