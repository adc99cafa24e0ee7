use std::{fmt, time::Duration};

use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::{
    cost::{Cost, Price},
    usage::Usage,
};

/// What calls under a policy come to.
///
/// With `serde`, times are whole milliseconds (`time_ms`), costs decimals of dollars as strings.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Plan {
    /// The share of calls that give a value, 0 to 1.
    pub success: f64,
    /// What one call takes, whether or not it gives a value.
    pub per_call: Spend,
    /// What it takes to get one value, failed calls included: that of calls made over and over until one gives it. The mean
    /// is that of a call divided by the share that succeeds (Wald's equation), the 95th percentile that of such series. `None` if
    /// none succeeds.
    pub per_success: Option<Spend>,
    /// Where the means come from.
    pub method: Method,
    /// How many calls were simulated.
    pub runs: u32,
}

/// Where means come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Method {
    /// Summed over every state a call can reach: exact.
    ClosedForm,
    /// Of simulated calls: the deadline or a wait makes decisions depend on all that was before, or there are too many states.
    Simulated,
}

/// What something takes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Spend {
    /// Requests that go to a server.
    pub requests: Figure<f64>,
    /// Tokens of requests and answers.
    pub tokens: Figure<f64>,
    /// Their price; `None` if a model that answers has none.
    pub cost: Option<Figure<Cost>>,
    /// From beginning to end, waits included.
    #[serde(rename = "time_ms", serialize_with = "figure_in_millis")]
    pub time: Figure<Duration>,
}

/// A mean and what nineteen of twenty do not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Figure<T> {
    /// The mean.
    pub mean: T,
    /// The 95th percentile: the least value that 95 % are not above.
    pub p95: T,
}

fn figure_in_millis<S: Serializer>(
    time: &Figure<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut figure = serializer.serialize_struct("Figure", 2)?;
    figure.serialize_field("mean", &crate::millis::whole(time.mean))?;
    figure.serialize_field("p95", &crate::millis::whole(time.p95))?;
    figure.end()
}

/// `97.80 % succeed; a success takes 1.12 requests, 1730 tokens, $0.0051 and 3.2 s (95 %: 2, 2400, $0.0093, 7.1 s)`
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} % succeed; ", self.success * 100.0)?;
        let (what, Spend { requests, tokens, cost, time }) = match &self.per_success {
            Some(spend) => ("a success", spend),
            None => ("a call", &self.per_call),
        };
        let money = |cost: Option<Cost>| match cost {
            Some(cost) => format!("{cost:.6}"),
            None => "an unknown cost".to_owned(),
        };
        write!(
            f,
            "{what} takes {:.3} requests, {:.0} tokens, {} and {:.1} s",
            requests.mean,
            tokens.mean,
            money(cost.map(|cost| cost.mean)),
            time.mean.as_secs_f64(),
        )?;
        write!(
            f,
            " (95 %: {:.0}, {:.0}, {}, {:.1} s)",
            requests.p95,
            tokens.p95,
            money(cost.map(|cost| cost.p95)),
            time.p95.as_secs_f64(),
        )
    }
}

/// Means of a call, or of a part of it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Means {
    pub(super) success: f64,
    pub(super) requests: f64,
    pub(super) tokens: f64,
    pub(super) usd: f64,
    /// There may be a request whose price is not known.
    pub(super) is_unpriced: bool,
    pub(super) seconds: f64,
}

impl Means {
    #[allow(clippy::cast_precision_loss, reason = "tokens of a request are few")]
    pub(super) fn of_request(is_sent: bool, usage: Usage, price: Option<Price>) -> Self {
        Self {
            requests: f64::from(is_sent),
            tokens: usage.total() as f64,
            usd: price.map_or(0.0, |price| price.cost_of(usage).as_usd()),
            is_unpriced: price.is_none() && usage.total() > 0,
            ..Self::default()
        }
    }

    /// Adds what comes with this chance.
    pub(super) fn add(&mut self, chance: f64, other: &Self) {
        self.success += chance * other.success;
        self.requests += chance * other.requests;
        self.tokens += chance * other.tokens;
        self.usd += chance * other.usd;
        self.is_unpriced |= other.is_unpriced;
        self.seconds += chance * other.seconds;
    }

    pub(super) fn times(&self, factor: f64) -> Self {
        let mut product = Self::default();
        product.add(factor, self);
        product
    }
}

/// Seconds that may be beyond what a duration holds.
pub(super) fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}
