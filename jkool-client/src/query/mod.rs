//! Questions to the service in jKQL.

mod answer;
mod builder;
mod error;

pub use answer::{QueryAnswer, QueryColumn, QueryColumnType, QueryRow};
pub use builder::QueryBuilder;
pub use error::{QueryError, QueryErrorKind};

use jkool_transport::Questions;

/// Asks the service, or a collector, in jKQL. It needs a token that may query; one for streaming may not by default.
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
    /// What is sent with each statement.
    parameters: Vec<(&'static str, String)>,
}

impl Query {
    /// A builder, for the service unless it is given another url.
    pub fn builder() -> QueryBuilder {
        QueryBuilder::default()
    }

    /// Asks, and waits for the answer, in any thread: within a runtime it holds up the thread's other tasks.
    ///
    /// # Errors
    /// What the service says is wrong with the statement, in its words; and when there is no answer.
    pub fn ask(&self, statement: &str) -> Result<QueryAnswer, QueryError> {
        // A thread of its own, for a runtime can't be started within another one.
        let asked = std::thread::scope(|scope| {
            let ask = || -> Result<QueryAnswer, QueryError> {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                let runtime = runtime.map_err(|error| QueryError::new(QueryErrorKind::Other, error))?;
                runtime.block_on(self.ask_async(statement))
            };
            scope.spawn(ask).join()
        });
        asked.unwrap_or_else(|_| Err(QueryError::new(QueryErrorKind::Other, "the question's thread has panicked")))
    }

    /// Asks. It is to be called within a runtime of tokio; an answer that is no longer waited for is let go of.
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
