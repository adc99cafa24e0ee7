use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Deserializer, Serialize, de};

use super::{
    Cost, Price, builtin,
    model_name::{with_less_and_less_provider, without_release},
};
use crate::usage::Usage;

/// What models take for their tokens.
///
/// A name means the row, in this order:
/// 1. of that very name;
/// 2. of the name without a release: `gpt-4o` prices `gpt-4o-2024-08-06`. A release follows `-` or `@` and is a date
///    (`2024-08-06`, `20240806`, `08-2024`), three or four digits (`0613`, `002`) or `latest`. Nothing else is: `gpt-4o` does not
///    price `gpt-4o-mini`, nor `gpt-4` `gpt-4o`. A release with a price of its own needs a row of its own;
/// 3. of the longest prefix it begins with, among rows that say that they are one: `gpt-4o*`;
/// 4. and if there is none, the same again without the first part of a name with a provider: `openai/gpt-4o` means `gpt-4o`. Where
///    a provider has a price of its own, give it the row `provider/model`.
///
/// A name that means no row has no price: `None`, never 0.
///
/// ```
/// use fcretry::cost::{Price, Prices};
///
/// let prices: Prices = serde_json::from_str(r#"{
///     "gpt-4o": {"input": "2.50", "cached_input": "1.25", "output": "10.00"},
///     "mistral-*": {"input": 0.4, "output": 2}
/// }"#)?;
/// assert_eq!(prices.price_of("openai/gpt-4o-2024-08-06"), prices.price_of("gpt-4o"));
/// assert!(prices.price_of("mistral-medium").is_some());
/// assert!(prices.price_of("gpt-4o-mini").is_none());
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// Read with `serde` from any format that describes itself; in TOML a row is a table, its name in quotes if it has a dot. A key
/// that is none, a row without `input` or `output` and a row given twice are errors that name it.
///
/// ```toml
/// ["gpt-4.1"]
/// input = "2.00"
/// cached_input = "0.50"
/// output = "8.00"
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Prices {
    rows: BTreeMap<String, Price>,
}

impl Prices {
    /// When the figures of [`builtin`](Self::builtin) were the list prices: year and month.
    pub const BUILTIN_DATE: &'static str = builtin::DATE;

    /// Without any price.
    pub fn new() -> Self {
        Self::default()
    }

    /// List prices of a few models, as of [`BUILTIN_DATE`](Self::BUILTIN_DATE).
    ///
    /// | model | input | cached input | output |
    /// |---|---|---|---|
    /// | `gpt-4.1` | 2.00 | 0.50 | 8.00 |
    /// | `gpt-4.1-mini` | 0.40 | 0.10 | 1.60 |
    /// | `gpt-4o` | 2.50 | 1.25 | 10.00 |
    /// | `gpt-4o-mini` | 0.15 | 0.075 | 0.60 |
    /// | `claude-sonnet-4.5`, `claude-sonnet-4-5` | 3.00 | 0.30 | 15.00 |
    /// | `gemini-2.5-flash` | 0.30 | 0.03 | 2.50 |
    /// | `deepseek-v3.2` | 0.28 | 0.028 | 0.42 |
    ///
    /// Dollars for a million tokens of text, without discounts for batches and without surcharges for long requests, for speed,
    /// or for writing a cache. Prices change: what depends on them should load its own.
    pub fn builtin() -> Self {
        builtin::prices()
    }

    /// With a price for `model`, in place of the one it had.
    pub fn with(mut self, model: impl Into<String>, price: Price) -> Self {
        self.rows.insert(model.into(), price);
        self
    }

    /// With all rows of `others`, in place of those of the same name.
    pub fn with_all(mut self, others: Self) -> Self {
        self.rows.extend(others.rows);
        self
    }

    /// The rows, in the order of their names.
    pub fn rows(&self) -> impl Iterator<Item = (&str, Price)> {
        self.rows.iter().map(|(name, price)| (name.as_str(), *price))
    }

    /// The price of `model`, if it has one here.
    pub fn price_of(&self, model: &str) -> Option<Price> {
        with_less_and_less_provider(model).find_map(|name| self.row_of(name))
    }

    /// What a request to `model` and its answer cost; `None` if the price is not known.
    pub fn cost_of(&self, model: &str, usage: Usage) -> Option<Cost> {
        Some(self.price_of(model)?.cost_of(usage))
    }

    /// The most that a request to `model` will cost, before it is sent: nothing of it cached, and an answer as long as it may be.
    /// `None` if the price is not known.
    pub fn estimate(
        &self,
        model: &str,
        prompt_tokens: u64,
        max_completion_tokens: u64,
    ) -> Option<Cost> {
        self.cost_of(model, Usage::new(prompt_tokens, max_completion_tokens))
    }

    fn row_of(&self, name: &str) -> Option<Price> {
        let row = |name: &str| self.rows.get(name).copied();
        row(name).or_else(|| row(without_release(name)?)).or_else(|| {
            let prefixes = self.rows.iter().filter_map(|(row, price)| {
                row.strip_suffix('*').filter(|prefix| name.starts_with(prefix)).zip(Some(price))
            });
            prefixes.max_by_key(|(prefix, _)| prefix.len()).map(|(_, price)| *price)
        })
    }
}

impl<'de> Deserialize<'de> for Prices {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Reader)
    }
}

struct Reader;

impl<'de> de::Visitor<'de> for Reader {
    type Value = Prices;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of models, each with `input`, `output` and perhaps `cached_input`")
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut table: A) -> Result<Prices, A::Error> {
        let mut prices = Prices::new();
        while let Some(model) = table.next_key::<String>()? {
            let price = table.next_value::<Price>();
            let price =
                price.map_err(|fault| de::Error::custom(format_args!("`{model}`: {fault}")))?;
            if prices.rows.contains_key(&model) {
                return Err(de::Error::custom(format_args!("`{model}` is there twice")));
            }
            prices.rows.insert(model, price);
        }
        Ok(prices)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn price(dollars: u32) -> Price {
        Price::per_million(f64::from(dollars), 0.0).unwrap()
    }

    fn table(names: &[&str]) -> Prices {
        let prices = names.iter().zip(1..).map(|(name, dollars)| (*name, price(dollars)));
        prices.fold(Prices::new(), |table, (name, price)| table.with(name, price))
    }

    /// The name of the row that `model` means.
    fn row<'a>(names: &[&'a str], model: &str) -> Option<&'a str> {
        let found = table(names).price_of(model)?;
        names.iter().zip(1..).find(|(_, dollars)| price(*dollars) == found).map(|(name, _)| *name)
    }

    #[test]
    fn a_row_prices_its_name_and_its_releases_and_nothing_else() {
        let rows =
            ["gpt-4", "gpt-4o", "gpt-4o-2024-05-13", "openai/gpt-4o-mini", "claude-sonnet-4"];
        for (model, expected) in [
            ("gpt-4", Some("gpt-4")),
            ("gpt-4-0613", Some("gpt-4")),
            ("gpt-4o", Some("gpt-4o")),
            ("gpt-4o-2024-08-06", Some("gpt-4o")),
            ("gpt-4o-2024-05-13", Some("gpt-4o-2024-05-13")),
            ("openai/gpt-4o-2024-08-06", Some("gpt-4o")),
            ("openrouter/openai/gpt-4o", Some("gpt-4o")),
            ("openai/gpt-4o-mini-2024-07-18", Some("openai/gpt-4o-mini")),
            ("openrouter/openai/gpt-4o-mini", Some("openai/gpt-4o-mini")),
            ("gpt-4o-mini", None),
            ("gpt-4-turbo", None),
            ("gpt-4.1", None),
            ("gpt", None),
            ("", None),
            ("claude-sonnet-4-5", None),
            ("claude-sonnet-4-5-20250929", None),
            ("ft:gpt-4o:acme::1", None),
            ("gpt-4o:free", None),
        ] {
            assert_eq!(row(&rows, model), expected, "{model}");
        }
    }

    #[test]
    fn of_the_rows_that_are_prefixes_the_longest_counts_after_whole_names() {
        let rows = ["*", "gpt-*", "gpt-4o*", "gpt-4o", "acme/*"];
        for (model, expected) in [
            ("gpt-4o", "gpt-4o"),
            ("gpt-4o-2024-08-06", "gpt-4o"),
            ("gpt-4o-mini", "gpt-4o*"),
            ("gpt-5", "gpt-*"),
            ("o3", "*"),
            ("acme/gpt-4o", "acme/*"),
        ] {
            assert_eq!(row(&rows, model), Some(expected), "{model}");
        }
    }

    #[test]
    fn an_estimate_takes_nothing_for_cached() {
        let prices = Prices::builtin();
        let cost = prices.estimate("gpt-4.1", 1_000_000, 500_000).unwrap();
        assert_eq!(cost.to_string(), "$6.00");
        assert_eq!(prices.estimate("gpt-4.1-micro", 1, 1), None);
    }

    #[test]
    fn a_table_comes_back_from_what_is_written() {
        let prices = Prices::builtin();
        let json = serde_json::to_string(&prices).unwrap();
        assert_eq!(serde_json::from_str::<Prices>(&json).unwrap(), prices);
        assert!(json.contains(
            r#""deepseek-v3.2":{"input":"0.28","cached_input":"0.028","output":"0.42"}"#
        ));
    }

    #[test]
    fn what_is_wrong_with_a_table_is_named() {
        for (json, said) in [
            (r#"{"a": {"input": 1, "output": 1, "cached": 1}}"#, "`a`: unknown field `cached`"),
            (r#"{"a": {"input": 1}}"#, "`a`: missing field `output`"),
            (r#"{"a": {"input": -1, "output": 1}}"#, "`a`: `-1` is not an amount"),
            (r#"{"a": {"input": "1e-3", "output": 1}}"#, "`a`: `1e-3` is not an amount"),
            (r#"{"a": {"input": "0.0000001", "output": 1}}"#, "`a`: `input` is too fine"),
            (
                r#"{"a": {"input": 1, "output": 1}, "a": {"input": 2, "output": 1}}"#,
                "`a` is there twice",
            ),
            (r#"{"a": 3}"#, "`a`: invalid type"),
            ("[]", "a table of models"),
        ] {
            let error = serde_json::from_str::<Prices>(json).unwrap_err().to_string();
            assert!(error.contains(said), "{json}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_row_prices_a_model_of_another_name(
            row in "[a-z]{1,3}(-[a-z0-9.]{1,5}){0,2}",
            tail in "[-@:.a-z0-9]{1,12}",
        ) {
            let prices = Prices::new().with(row.as_str(), price(1));
            let model = format!("{row}{tail}");
            let is_release = without_release(&model) == Some(row.as_str());
            prop_assert_eq!(prices.price_of(&model).is_some(), is_release);
            // A word in the tail is another model.
            if tail.bytes().any(|b| b.is_ascii_lowercase()) && !tail.ends_with("latest") {
                prop_assert!(prices.price_of(&model).is_none());
            }
            prop_assert_eq!(prices.price_of(&row), Some(price(1)));
        }
    }
}
