//! jKQL and the short form, put to a store. `docs/jkql.md` says what they are.

mod answer;
mod cells;
mod compare;
mod complete;
mod conditions;
mod error;
mod figures;
mod http;
mod known;
mod line;
mod plan;
mod resolve;
mod rows;
mod socket;
mod subscription;

pub use answer::{Answer, Column, ColumnType};
pub(crate) use complete::complete;
pub use error::JkqlError;
pub(crate) use http::routes;
pub(crate) use line::{read_line, take_filter};
pub use plan::Request;
pub(crate) use socket::serve as serve_socket;

use crate::store::Reader;
use jkool_jkql::{Output, Statement};
use plan::Plan;
use resolve::Resolver;

/// Answers a statement: one that is answered at once, and not a subscription.
///
/// ```
/// use jkool_collector::{Request, Store, ask};
/// let store = Store::builder().open()?;
/// let request = Request::new("get number of events for today", jkool_model::Timestamp::from_usec(1_457_524_800_000_000));
/// let answer = store.read_now(|reader| Ok(ask(reader, &request)))??;
/// assert_eq!(answer.columns[0].name, "NumberOf");
/// assert_eq!(answer.rows, [[serde_json::json!(0)]]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When it is no statement, names what there is not, or the store can't answer it.
pub fn ask(reader: &Reader<'_>, request: &Request) -> Result<Answer, JkqlError> {
    answer(reader, &jkool_jkql::parse(&request.statement)?, request)
}

/// Answers what was read of a statement, whatever the request's own says.
pub(crate) fn answer(reader: &Reader<'_>, statement: &Statement, request: &Request) -> Result<Answer, JkqlError> {
    match statement {
        Statement::Get(select) => {
            let resolver = Resolver::new(reader);
            let plan = Plan::new(select, request, &resolver)?;
            match &select.output {
                Output::Rows(_) => rows::answer(reader, &plan),
                _ => figures::answer(reader, &plan),
            }
        }
        Statement::Compare { select, with } => compare::answer(reader, request, select, with),
        _ => Err(JkqlError::Subscription),
    }
}
