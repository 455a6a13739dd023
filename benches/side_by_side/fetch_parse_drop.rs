//! The least that a run can cost: reads every page that a run reads, parses it and drops it.

use std::error::Error;

use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut argument = || {
        arguments
            .next()
            .ok_or("give address, token, connection and workspace")
    };
    let (address, token, connection, workspace) =
        (argument()?, argument()?, argument()?, argument()?);
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| "a provider of cryptography is installed already")?;
    let client = reqwest::Client::new();
    let lists = [
        format!("{address}/unified/user-directory/users?organization_id={workspace}"),
        format!(
            "{address}/custom/workspaces/{workspace}/workspace_memberships?opt_fields=user,is_active,is_admin,is_guest"
        ),
    ];
    for list in lists {
        let mut cursor: Option<String> = None;
        loop {
            let mut page = format!("{list}&integrated_account_id={connection}&limit=100");
            if let Some(cursor) = &cursor {
                page.push_str(&format!("&next_cursor={cursor}"));
            }
            let answer = client.get(&page).bearer_auth(&token).send().await?;
            let body = answer.error_for_status()?.bytes().await?;
            let page: Value = serde_json::from_slice(&body)?;
            match page.get("next_cursor").and_then(Value::as_str) {
                Some(next) => cursor = Some(next.to_owned()),
                None => break,
            }
        }
    }
    Ok(())
}
