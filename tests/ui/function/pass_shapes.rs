//! Every shape of an async function that can run again.

#![deny(warnings)]
#![allow(dead_code)]

use std::fmt::{Debug, Display};

use fcretry::prelude::*;

#[retry_policy]
async fn without_attempt(email: &str) -> fcretry::Result<usize> {
    Ok(email.len())
}

#[retry_policy()]
async fn with_attempt(attempt: &Attempt, email: &str) -> fcretry::Result<usize> {
    let _ = attempt;
    Ok(email.len())
}

#[retry_policy(max_attempts = 2)]
async fn attempt_last(email: &str, attempt: &Attempt) -> fcretry::Result<usize> {
    let _ = attempt;
    Ok(email.len())
}

#[retry_policy]
async fn unnamed_attempt(_: &Attempt) -> fcretry::Result<u8> {
    Ok(1)
}

#[retry_policy]
async fn attempt_with_a_path(attempt: &'_ fcretry::Attempt) -> fcretry::Result<u8> {
    let _ = attempt;
    Ok(1)
}

type Try = Attempt;

#[retry_policy]
async fn marked_attempt(#[attempt] this: &Try) -> fcretry::Result<u8> {
    let _: &Attempt = this;
    Ok(1)
}

/// A type of the user's own that happens to have the name.
mod own {
    pub struct Attempt(pub u8);
}

#[retry_policy]
async fn marked_beside_a_namesake(
    mine: &own::Attempt,
    #[attempt] attempt: &Attempt,
) -> fcretry::Result<u8> {
    let _ = attempt;
    Ok(mine.0)
}

#[retry_policy]
async fn generic<'a, T, const N: usize>(
    attempt: &Attempt,
    items: &'a [T; N],
) -> fcretry::Result<&'a T>
where
    T: Debug + 'a,
{
    let _ = attempt;
    items.first().ok_or_else(no)
}

#[retry_policy]
async fn impl_trait_argument(
    attempt: &Attempt,
    show: impl Fn(usize) -> String,
) -> fcretry::Result<String> {
    let _ = attempt;
    Ok(show(1))
}

#[retry_policy]
async fn impl_trait_return(email: &str) -> fcretry::Result<impl Display> {
    if email.is_empty() {
        return Err(no());
    }
    Ok(email.to_owned())
}

#[retry_policy]
async fn impl_trait_inside(email: &str) -> Result<(Vec<impl Display>, u8), fcretry::Error> {
    Ok((vec![email.len()], 1))
}

#[retry_policy]
async fn impl_trait_in_a_trait_object() -> fcretry::Result<Box<dyn Iterator<Item = impl Display>>> {
    Ok(Box::new([1, 2, 3].into_iter()))
}

#[retry_policy]
async fn question_mark_and_return(attempt: &Attempt, email: &str) -> fcretry::Result<usize> {
    let _ = attempt;
    let length = without_attempt(email).await?;
    for n in 0..length {
        if n == 3 {
            return Ok(n);
        }
    }
    let checked = || -> Result<usize, std::num::ParseIntError> {
        let n: usize = "1".parse()?;
        return Ok(n);
    };
    checked().map_err(|_| no())
}

#[retry_policy]
async fn destructured((a, b): (u8, u8), [first, ..]: [u8; 3]) -> fcretry::Result<u8> {
    Ok(a + b + first)
}

#[retry_policy]
async fn owned_argument(mut email: String) -> fcretry::Result<usize> {
    email.push('!');
    Ok(email.len())
}

#[retry_policy]
async fn mutable_borrow(found: &mut Vec<String>) -> fcretry::Result<()> {
    found.push("x".to_owned());
    Ok(())
}

#[retry_policy]
async fn boxed_tail(email: &str) -> fcretry::Result<Box<dyn Display + Send>> {
    let email = email.to_owned();
    if email.is_empty() {
        return Ok(Box::new(0));
    }
    Ok(Box::new(email))
}

#[retry_policy]
async fn slice_tail() -> fcretry::Result<&'static [u8]> {
    Ok(&[1, 2, 3])
}

#[retry_policy]
async fn diverges() -> fcretry::Result<u8> {
    loop {
        std::future::pending::<()>().await;
    }
}

#[retry_policy]
async fn fails() -> fcretry::Result<std::convert::Infallible> {
    Err(no())
}

#[retry_policy]
pub(crate) async unsafe fn unsafe_and_visible(byte: *const u8) -> fcretry::Result<u8> {
    Ok(unsafe { *byte })
}

#[retry_policy]
async fn inner_attributes() -> fcretry::Result<u8> {
    #![allow(unused_variables)]
    let unused = 1;
    Ok(2)
}

#[retry_policy]
async fn items_inside(_attempt: &Attempt) -> fcretry::Result<u8> {
    use std::num::NonZeroU8;
    const ONE: u8 = 1;
    fn two() -> u8 {
        NonZeroU8::MIN.get() + ONE
    }
    Ok(two())
}

#[retry_policy]
async fn names_like_ours(__call: u8, __wait: u8) -> fcretry::Result<u8> {
    let __driven = __call + __wait;
    Ok(__driven)
}

#[retry_policy]
async fn label_like_ours(count: u8) -> fcretry::Result<u8> {
    let found = '__body: {
        if count > 1 {
            break '__body count;
        }
        1
    };
    Ok(found)
}

#[retry_policy]
async fn lent_by_another<'a>(found: &mut usize, text: &'a str) -> fcretry::Result<&'a str> {
    *found += text.len();
    Ok(text)
}

#[retry_policy]
async fn r#match(r#type: u8) -> fcretry::Result<u8> {
    Ok(r#type)
}

#[retry_policy]
async fn temporaries_in_the_tail(attempt: &Attempt) -> fcretry::Result<usize> {
    let cell = std::cell::RefCell::new(String::from("a"));
    let _ = attempt;
    Ok(cell.borrow().len())
}

struct Extractor {
    calls: usize,
}

impl Extractor {
    #[retry_policy]
    async fn shared(&self, attempt: &Attempt) -> fcretry::Result<usize> {
        let _ = attempt;
        Ok(self.calls)
    }

    #[retry_policy]
    async fn exclusive(&mut self, attempt: &Attempt) -> fcretry::Result<usize> {
        let _ = attempt;
        self.calls += 1;
        let calls = self.shared().await?;
        self.calls = calls;
        Ok(calls)
    }

    #[retry_policy]
    async fn lent(&self, name: &str) -> fcretry::Result<&usize> {
        let _ = name;
        Ok(&self.calls)
    }

    #[retry_policy]
    async fn own_lifetime<'a>(&mut self, name: &'a str) -> fcretry::Result<&'a str> {
        self.calls += 1;
        Ok(name)
    }

    #[retry_policy]
    async fn shared_lifetime<'a>(&'a mut self, name: &'a str) -> fcretry::Result<&'a str> {
        self.calls += 1;
        Ok(name)
    }

    #[retry_policy]
    async fn closure_in_the_return(&mut self) -> fcretry::Result<Box<dyn Fn(&str) -> &str + Send>> {
        self.calls += 1;
        Ok(Box::new(|text| text))
    }

    #[retry_policy]
    async fn typed_receiver(self: &std::sync::Arc<Self>) -> fcretry::Result<usize> {
        Ok(self.calls)
    }

    #[retry_policy]
    async fn associated(attempt: &Attempt) -> Result<Self, fcretry::Error> {
        let _ = attempt;
        Ok(Self { calls: 0 })
    }
}

trait Extract {
    async fn extract(&mut self, email: &str) -> fcretry::Result<usize>;

    #[retry_policy(max_attempts = 3)]
    async fn provided(&mut self, email: &str) -> fcretry::Result<usize> {
        self.extract(email).await
    }
}

impl Extract for Extractor {
    #[retry_policy(on(timeout, retry = 2))]
    async fn extract(&mut self, attempt: &Attempt, email: &str) -> fcretry::Result<usize> {
        let _ = attempt;
        self.calls += email.len();
        Ok(self.calls)
    }
}

macro_rules! annotated {
    ($name:ident, $attempt:ty, $output:ty, $count:expr, $body:block) => {
        #[retry_policy(max_attempts = $count)]
        async fn $name(_attempt: $attempt) -> $output $body
    };
}

annotated!(out_of_a_macro, &Attempt, fcretry::Result<u8>, 3, { Ok(1) });

/// An error type of the user's own.
#[derive(Debug)]
enum OrderError {
    Model(fcretry::Error),
    Parse,
}

impl From<fcretry::Error> for OrderError {
    fn from(error: fcretry::Error) -> Self {
        Self::Model(error)
    }
}

impl From<std::num::ParseIntError> for OrderError {
    fn from(_: std::num::ParseIntError) -> Self {
        Self::Parse
    }
}

impl Classify for OrderError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Model(error) => error.kind(),
            Self::Parse => FailureKind::Application,
        }
    }
}

#[retry_policy]
async fn own_error(attempt: &Attempt, text: &str) -> Result<usize, OrderError> {
    let _ = attempt;
    let length = with_attempt(text).await?;
    Ok(length + text.parse::<usize>()?)
}

/// Callers do not pass the attempt.
async fn calls(extractor: &mut Extractor) -> Result<(), OrderError> {
    with_attempt("a").await?;
    attempt_last("a").await?;
    unnamed_attempt().await?;
    marked_attempt().await?;
    marked_beside_a_namesake(&own::Attempt(1)).await?;
    generic(&[1]).await?;
    extractor.shared().await?;
    extractor.exclusive().await?;
    extractor.extract("a").await?;
    out_of_a_macro().await?;
    own_error("1").await?;
    Ok(())
}

fn no() -> fcretry::Error {
    unimplemented!()
}

fn main() {}
