//! jKQL queries to the service.

mod answer;
mod builder;
mod error;

pub use answer::{QueryAnswer, QueryColumn, QueryColumnType, QueryRow};
pub use builder::QueryBuilder;
pub use error::{QueryError, QueryErrorKind};

use jkool_transport::Questions;

/// A client for jKQL queries to the service or a collector. It needs a token with query permission; a streaming token has none
/// by default.
///
/// ```no_run
/// use jkool_client::Query;
/// #[derive(serde::Deserialize)]
/// struct Count {
///     #[serde(rename = "NumberOf")]
///     number: u64,
/// }
/// let query = Query::builder().token("bb5fd83b-17d3-4d3c-8c1a-0d6b1f6d9c3e").build()?;
/// let answer = query.ask("get number of events for today")?;
/// let counts: Vec<Count> = answer.rows_as()?;
/// # Ok::<(), jkool_client::QueryError>(())
/// ```
#[derive(Debug)]
pub struct Query {
    questions: Questions,
    /// Parameters that are sent with each statement.
    parameters: Vec<(&'static str, String)>,
}

impl Query {
    /// Returns a builder. Its default url is that of the service.
    pub fn builder() -> QueryBuilder {
        QueryBuilder::default()
    }

    /// Runs a query and blocks until the response arrives. It works on any thread; inside a runtime it blocks the other tasks
    /// of the thread, so use [`ask_async`](Self::ask_async) there.
    ///
    /// # Errors
    /// If the service refuses the statement, with its error text, or if there is no valid response.
    pub fn ask(&self, statement: &str) -> Result<QueryAnswer, QueryError> {
        // On a thread of its own, because a runtime cannot be started within another one.
        let asked = std::thread::scope(|scope| {
            let ask = || -> Result<QueryAnswer, QueryError> {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                let runtime = runtime.map_err(|error| QueryError::new(QueryErrorKind::Other, error))?;
                runtime.block_on(self.ask_async(statement))
            };
            scope.spawn(ask).join()
        });
        asked.unwrap_or_else(|_| Err(QueryError::new(QueryErrorKind::Other, "the query thread panicked")))
    }

    /// Runs a query. It must be called within a tokio runtime. Dropping the future cancels the request.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub async fn ask_async(&self, statement: &str) -> Result<QueryAnswer, QueryError> {
        let mut form = String::new();
        for (name, value) in
            [("jk_query", statement)].into_iter().chain(self.parameters.iter().map(|(n, v)| (*n, &**v)))
        {
            builder::push_parameter(&mut form, name, value);
        }
        let (status, body) = self.questions.ask(form).await.map_err(QueryError::of_transport)?;
        QueryAnswer::read(status, &body)
    }
}
