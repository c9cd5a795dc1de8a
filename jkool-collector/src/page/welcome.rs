//! The page of an empty store: how to send the first event.

use maud::{Markup, html};

/// The instructions; `url` is the address that the browser requested.
pub(super) fn welcome(url: &str, needs_token: bool) -> Markup {
    let token = if needs_token { "-H \"X-API-Key: $JKOOL_TOKEN\" " } else { "" };
    let curl = format!(
        "curl {url}/event {token}-H 'Content-Type: application/json' \\\n  \
         -d '{{\"operation\":\"Hello\",\"msg-text\":\"Hello, jKool\",\"source-fqn\":\"APPL=Shell\"}}'"
    );
    let rust = format!(
        "use jkool_client::Client;\nuse std::time::Duration;\n\n\
         let client = Client::builder()\n    .url(\"{url}\")\n    .token(\"any\")\n    \
         .source(\"APPL=Hello\".parse()?)\n    .build()?;\n\
         client.event(\"Hello\").message(\"Hello, jKool\").emit();\n\
         client.flush(Duration::from_secs(5));"
    );
    html! {
        section.welcome {
            h2 { "Nothing has arrived yet" }
            p { "This collector takes what any jKool client sends to " code { (url) } ". Send the first event:" }
            h3 { "From a shell" }
            pre { code { (curl) } }
            h3 { "With the command" }
            pre { code { "jkool send --url " (url) " \"Hello\"" } }
            p { "Or watch a made-up order process: " code { "jkool demo" } }
            h3 { "From Rust" }
            pre { code { (rust) } }
        }
    }
}
