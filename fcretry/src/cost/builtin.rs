//! A few list prices, so that the first figure costs nobody a search.

use super::{Price, Prices};

/// When they were these.
pub(super) const DATE: &str = "2026-11";

/// Model; dollars for a million tokens of the request, of it cached, of the answer.
const ROWS: [(&str, [&str; 3]); 8] = [
    ("gpt-4.1", ["2.00", "0.50", "8.00"]),
    ("gpt-4.1-mini", ["0.40", "0.10", "1.60"]),
    ("gpt-4o", ["2.50", "1.25", "10.00"]),
    ("gpt-4o-mini", ["0.15", "0.075", "0.60"]),
    // The maker writes the version with a hyphen, gateways with a point.
    ("claude-sonnet-4-5", ["3.00", "0.30", "15.00"]),
    ("claude-sonnet-4.5", ["3.00", "0.30", "15.00"]),
    ("gemini-2.5-flash", ["0.30", "0.03", "2.50"]),
    ("deepseek-v3.2", ["0.28", "0.028", "0.42"]),
];

pub(super) fn prices() -> Prices {
    let price = |[input, cached, output]: [&str; 3]| {
        Price::per_million(input, output).and_then(|price| price.cached(cached)).ok()
    };
    let rows = ROWS.into_iter().filter_map(|(model, figures)| Some((model, price(figures)?)));
    rows.fold(Prices::new(), |prices, (model, price)| prices.with(model, price))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_in_the_table_and_in_its_documentation() {
        let prices = prices();
        assert_eq!(prices.rows().count(), ROWS.len());
        let documentation = include_str!("prices.rs");
        for (model, [input, cached, output]) in ROWS {
            let row = documentation.lines().find(|line| {
                line.contains(&format!("| `{model}`")) || line.contains(&format!(", `{model}` |"))
            });
            let figures = format!("| {input} | {cached} | {output} |");
            assert!(row.is_some_and(|row| row.ends_with(&figures)), "{model}");
        }
    }
}
