use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};

use super::{Cost, InvalidCost};
use crate::usage::Usage;

/// Tokens in the million that price lists go by.
const MILLION: u64 = 1_000_000;

/// Pico-dollars for a token, which is micro-dollars for a million of them.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Rate(u64);

impl Rate {
    fn of(million: Cost) -> Result<Self, InvalidCost> {
        let is_whole = million.picos().is_multiple_of(MILLION);
        is_whole.then(|| Self(million.picos() / MILLION)).ok_or(InvalidCost::TooFine)
    }

    fn million(self) -> Cost {
        Cost::from_picos(self.0.saturating_mul(MILLION))
    }

    fn times(self, tokens: u64) -> u128 {
        u128::from(self.0) * u128::from(tokens)
    }
}

/// What a model takes for its tokens, in dollars for a million of them, exact to the micro-dollar.
///
/// ```
/// use fcretry::{Usage, cost::Price};
///
/// let price = Price::per_million("0.0375", 0.15)?;
/// assert_eq!(price.cost_of(Usage::new(3, 0)).to_string(), "$0.0000001125");
/// # Ok::<(), fcretry::cost::InvalidCost>(())
/// ```
///
/// In configuration: `{ input = "0.15", cached_input = "0.075", output = "0.60" }`, each a string or a number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Price {
    input: Rate,
    cached_input: Option<Rate>,
    output: Rate,
}

impl Price {
    /// What a million tokens of the request cost, and a million of the answer: as text (`"0.0375"`), as a float (`0.0375`) or
    /// as a [`Cost`].
    ///
    /// # Errors
    ///
    /// If one is no amount of dollars, or has more than 6 decimal places.
    pub fn per_million<I, O>(input: I, output: O) -> Result<Self, InvalidCost>
    where
        Cost: TryFrom<I, Error: Into<InvalidCost>> + TryFrom<O, Error: Into<InvalidCost>>,
    {
        let input = Rate::of(Cost::try_from(input).map_err(Into::into)?)?;
        let output = Rate::of(Cost::try_from(output).map_err(Into::into)?)?;
        Ok(Self { input, cached_input: None, output })
    }

    /// What a million tokens of the request cost that the provider had cached. Default: as much as the others.
    ///
    /// # Errors
    ///
    /// As those of [`per_million`](Self::per_million).
    pub fn cached<C>(mut self, cached_input: C) -> Result<Self, InvalidCost>
    where
        Cost: TryFrom<C, Error: Into<InvalidCost>>,
    {
        let million = Cost::try_from(cached_input).map_err(Into::into)?;
        self.cached_input = Some(Rate::of(million)?);
        Ok(self)
    }

    /// What a million tokens of the request cost.
    pub fn input(self) -> Cost {
        self.input.million()
    }

    /// What a million tokens of the request cost that the provider had cached, if that has a price of its own.
    pub fn cached_input(self) -> Option<Cost> {
        self.cached_input.map(Rate::million)
    }

    /// What a million tokens of the answer cost.
    pub fn output(self) -> Cost {
        self.output.million()
    }

    /// What a request and its answer cost. A provider that counts more cached tokens than the request has is believed as
    /// far as the request goes. Reasoning is paid as part of the answer.
    pub fn cost_of(self, usage: Usage) -> Cost {
        let cached = usage.cached_tokens.min(usage.prompt_tokens);
        let picos = [
            self.input.times(usage.prompt_tokens - cached),
            self.cached_input.unwrap_or(self.input).times(cached),
            self.output.times(usage.completion_tokens),
        ];
        let sum = picos.into_iter().fold(0, u128::saturating_add);
        u64::try_from(sum).map_or(Cost::MAX, Cost::from_picos)
    }
}

impl fmt::Debug for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Price")
            .field("input", &self.input())
            .field("cached_input", &self.cached_input())
            .field("output", &self.output())
            .finish()
    }
}

/// How a price is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    input: Cost,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cached_input: Option<Cost>,
    output: Cost,
}

impl Serialize for Price {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { input, cached_input, output } = self;
        let cached_input = cached_input.map(Rate::million);
        Written { input: input.million(), cached_input, output: output.million() }
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Price {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Written { input, cached_input, output } = Written::deserialize(deserializer)?;
        let rate = |key, cost| {
            Rate::of(cost).map_err(|error| de::Error::custom(format_args!("`{key}` {error}")))
        };
        Ok(Self {
            input: rate("input", input)?,
            cached_input: cached_input.map(|cost| rate("cached_input", cost)).transpose()?,
            output: rate("output", output)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn usage(prompt: u64, completion: u64, cached: u64) -> Usage {
        Usage { cached_tokens: cached, ..Usage::new(prompt, completion) }
    }

    fn mini() -> Price {
        Price::per_million("0.15", "0.60").unwrap().cached("0.075").unwrap()
    }

    #[test]
    fn tokens_of_each_sort_have_their_own_price() {
        // 600 · 0.15 + 400 · 0.075 + 200 · 0.60 micro-dollars.
        assert_eq!(mini().cost_of(usage(1000, 200, 400)).to_string(), "$0.00024");
        let without = Price::per_million("0.15", "0.60").unwrap();
        assert_eq!(without.cost_of(usage(1000, 0, 400)), without.cost_of(usage(1000, 0, 0)));
    }

    #[test]
    fn more_cached_tokens_than_the_request_has_cost_no_more_than_the_request() {
        assert_eq!(mini().cost_of(usage(10, 5, 1000)), mini().cost_of(usage(10, 5, 10)));
        assert_eq!(mini().cost_of(usage(0, 0, u64::MAX)), Cost::ZERO);
    }

    #[test]
    fn what_no_integer_holds_is_the_most_there_is() {
        let price = Price::per_million(Cost::MAX.as_usd() / 2.0, 1.0);
        assert_eq!(price, Err(InvalidCost::TooFine));
        let price = Price::per_million("18446744", 18_446_744.0).unwrap();
        assert_eq!(price.cost_of(usage(u64::MAX, u64::MAX, 7)), Cost::MAX);
        assert_eq!(price.input().to_string(), "$18446744.00");
    }

    #[test]
    fn a_price_finer_than_a_micro_dollar_is_refused_and_none_is_rounded() {
        assert_eq!(Price::per_million("0.0000001", "1"), Err(InvalidCost::TooFine));
        assert_eq!(Price::per_million("1", "1").unwrap().cached(1e-7), Err(InvalidCost::TooFine));
        assert_eq!(Price::per_million(-1.0, 1.0), Err(InvalidCost::NotAnAmount));
        let fine = Price::per_million("0.546875", Cost::from_picos(1_000_000)).unwrap();
        assert_eq!(fine.cost_of(usage(1, 1, 0)), Cost::from_picos(546_876));
    }

    proptest! {
        #[test]
        fn what_tokens_cost_together_is_what_they_cost_apart(
            (prompt, completion, cached) in (0_u64..1 << 40, 0_u64..1 << 40, 0_u64..1 << 40),
            (other, more) in (0_u64..1 << 40, 0_u64..1 << 40),
        ) {
            let cached = cached.min(prompt);
            let price = Price::per_million("0.0375", "0.000001").unwrap().cached("0.009375").unwrap();
            let one = price.cost_of(usage(prompt, completion, cached));
            let two = price.cost_of(usage(other, more, 0));
            let both = usage(prompt + other, completion + more, cached);
            prop_assert_eq!(price.cost_of(both), one + two);
        }
    }
}
