//! Prints a subscription: one line for each event that is received.

use super::{Args, Output, csv, failure, table};
use crate::exit::{Exit, Failure};
use crate::{out, signals};
use futures_util::{SinkExt, StreamExt};
use jkool_client::QueryAnswer;
use jkool_collector::Zone;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

/// The path of the WebSocket.
const PATH: &str = "jkool-service/jkqlasync";

pub(super) async fn run(args: &Args, zone: &Zone) -> Result<Exit, Failure> {
    let reader = args.server.reader()?;
    let mut socket = reader.socket(PATH).await?;
    let mut ask = json!({"jk_query": args.statement, "jk_tz": zone.to_string()});
    if let Some(token) = args.server.token_text()? {
        ask["jk_token"] = json!(token);
    }
    if let Some(repository) = &args.repo {
        ask["jk_repo"] = json!(repository);
    }
    let broken = |error: &dyn std::fmt::Display| Failure::Unreachable(format!("{}: {error}", args.server.url_text()));
    socket.send(Message::text(ask.to_string())).await.map_err(|error| broken(&error))?;
    let mut is_first = true;
    loop {
        let message = tokio::select! {
            message = socket.next() => message,
            () = signals::stop() => return Ok(Exit::Done),
        };
        let text = match message {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Close(_))) | None => return Err(broken(&"the collector closed the connection")),
            Some(Ok(_)) => continue,
            Some(Err(error)) => return Err(broken(&error)),
        };
        let answer: QueryAnswer = text.parse().map_err(|error| failure(args, error))?;
        let told: Value = serde_json::from_str(&text).unwrap_or_default();
        if told["jk_call"] != "subscribe" {
            return Err(Failure::Usage("--watch: expected a subscription: subscribe to events where ..".into()));
        }
        if let Some(missed) = told["jk_missed"].as_u64() {
            out::note(format_args!("jkool: {missed} events arrived too fast and were skipped"));
        }
        show(args.output, &answer, &told, zone, std::mem::take(&mut is_first))?;
    }
}

/// Prints the rows of an answer, with the names of the columns before the first one.
fn show(output: Output, answer: &QueryAnswer, told: &Value, zone: &Zone, is_first: bool) -> Result<(), Failure> {
    if output == Output::Csv && is_first {
        out::raw(csv::head(answer).as_bytes())?;
    }
    for (index, row) in answer.rows.iter().enumerate() {
        match output {
            Output::Csv => out::raw(csv::row(answer, row).as_bytes())?,
            Output::Json => {
                let json = told["jk_response"]["rows"][index].to_string();
                out::line(if out::is_terminal() { out::json_escape(&json) } else { json })?;
            }
            Output::Table => {
                let cells = answer.columns.iter().map(|column| table::cell(row, column, zone));
                out::line(cells.filter(|cell| !cell.is_empty()).collect::<Vec<_>>().join("  "))?;
            }
        }
    }
    Ok(())
}
