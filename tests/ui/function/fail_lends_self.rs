//! `&mut self`, or a `&mut` argument, lent out in the return type: the loop needs it for the next attempt.

use std::collections::BTreeMap;
use std::fmt::Display;

use fcretry::prelude::*;

struct Cache {
    orders: BTreeMap<String, String>,
}

struct Guard<'a>(&'a mut Cache);

impl Cache {
    #[retry_policy]
    async fn reference(&mut self) -> fcretry::Result<&str> {
        Ok("a")
    }

    #[retry_policy]
    async fn exclusive(&mut self) -> fcretry::Result<Option<&mut String>> {
        Ok(self.orders.get_mut("a"))
    }

    #[retry_policy]
    async fn elided(&mut self) -> fcretry::Result<Guard<'_>> {
        Ok(Guard(self))
    }

    #[retry_policy]
    async fn named<'a>(&'a mut self) -> fcretry::Result<&'a str> {
        Ok("a")
    }

    #[retry_policy]
    async fn typed(self: &mut Self) -> fcretry::Result<Box<dyn Display + '_>> {
        Ok(Box::new(self.orders.len()))
    }

    #[retry_policy]
    async fn opaque(&mut self) -> fcretry::Result<impl Iterator<Item = &String>> {
        Ok(self.orders.values())
    }

    #[retry_policy]
    async fn nested(&mut self) -> fcretry::Result<(u8, Vec<[&str; 2]>)> {
        Ok((1, Vec::new()))
    }
}

#[retry_policy]
async fn argument(orders: &mut Cache, _: &Attempt) -> fcretry::Result<Option<&mut String>> {
    Ok(orders.orders.get_mut("a"))
}

#[retry_policy]
async fn named_argument<'a>(cache: &'a mut Cache, key: &str) -> fcretry::Result<&'a str> {
    Ok(&cache.orders[key])
}

fn main() {
    let mut cache = Cache { orders: BTreeMap::new() };
    let _ = cache.reference();
}
