//! Evaluates jKQL and the short form, which `docs/jkql.md` describes, on a store.

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
mod sorted;
mod subscription;

pub use answer::{Answer, Column, ColumnType};
pub(crate) use complete::complete;
pub use error::JkqlError;
pub(crate) use http::routes;
pub(crate) use line::{read_line, take_filter};
pub use plan::Request;
pub(crate) use socket::serve as serve_socket;

use crate::field::FieldName;
use crate::store::{Reader, StoreError};
use jkool_jkql::{Output, Statement};
use plan::Plan;
use resolve::{Resolver, Target};

/// Evaluates a jKQL statement, which must not be a subscription, and returns the answer.
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
/// Returns an error if the statement is invalid, contains an unknown name, or if the store fails.
pub fn ask(reader: &Reader<'_>, request: &Request) -> Result<Answer, JkqlError> {
    answer(reader, &jkool_jkql::parse(&request.statement)?, request)
}

/// Returns the field of a name, which may be a short or a full one; the first one if the name is ambiguous.
pub(crate) fn field_named(reader: &Reader<'_>, name: &str) -> Result<Option<FieldName>, StoreError> {
    Ok(match Resolver::new(reader).named(name)? {
        Target::Fields(fields) => fields.into_iter().next(),
        Target::Message => None,
    })
}

/// Evaluates a parsed statement. The statement in `request` is ignored.
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
