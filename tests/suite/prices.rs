//! Price lists as configuration.

use fcretry::{Prices, cost::Price};

#[test]
fn a_price_list_in_toml_is_read_to_the_micro_dollar() {
    let prices: Prices = toml::from_str(
        r#"
        ["gpt-4.1"]
        input = 2.00
        cached_input = "0.50"
        output = 8

        [phi]
        input = 0.0375
        output = 3e-6
        "#,
    )
    .unwrap();
    let expected = Price::per_million("2", "8").unwrap().cached("0.5").unwrap();
    assert_eq!(prices.price_of("gpt-4.1"), Some(expected));
    assert_eq!(prices.price_of("phi"), Some(Price::per_million("0.0375", "0.000003").unwrap()));
    let again: Prices = toml::from_str(&toml::to_string(&prices).unwrap()).unwrap();
    assert_eq!(again, prices);
}

#[test]
fn a_name_with_a_dot_that_is_not_in_quotes_is_told_apart() {
    let error = toml::from_str::<Prices>("[gpt-4.1]\ninput = 2\noutput = 8\n").unwrap_err();
    assert!(error.to_string().contains("`gpt-4`: unknown field `1`"), "{error}");
}
