//! Models that err in known shares, calls that ask them, and what they cost.

mod scenarios;

use std::{sync::Arc, time::Duration};

use fcretry::{
    Adaptive, Cost, Prices, Result, RetryPolicy, Rule, Run, Turn, Usage, answer,
    cost::{InvalidCost, Price},
    prelude::*,
};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::time::advance;

#[allow(unused_imports, reason = "the program plays these, the tests others beside them")]
pub(crate) use scenarios::{SCENARIOS, drawn};

/// Between the starts of two calls.
const PAUSE: Duration = Duration::from_millis(500);

/// What models do after a failure of the schema, and what they cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct World {
    /// How often the first model fails when it is first asked.
    pub(crate) fails: f64,
    /// How often it is right when it is told what was wrong, and when it is told again.
    pub(crate) repair: [f64; 2],
    /// How often it is right when it is asked the same again.
    pub(crate) resend: f64,
    /// How often the other model is right, however it is asked.
    pub(crate) other: f64,
    /// What the other model costs, as a multiple of what the first does.
    pub(crate) price: f64,
}

/// A world, and what becomes of it after half of the calls.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scenario {
    #[allow(dead_code, reason = "the table of the program has it")]
    pub(crate) name: &'static str,
    pub(crate) first: World,
    pub(crate) then: World,
    /// Whether the rule has the same sent again before it goes on.
    pub(crate) resends: bool,
}

/// What some calls came to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sum {
    pub(crate) calls: u32,
    pub(crate) succeeded: u32,
    pub(crate) attempts: u32,
    pub(crate) cost: Cost,
}

impl Sum {
    pub(crate) fn per_success(&self) -> f64 {
        self.cost.as_usd() / f64::from(self.succeeded.max(1))
    }

    pub(crate) fn share(&self) -> f64 {
        f64::from(self.succeeded) / f64::from(self.calls.max(1))
    }
}

/// A number, as a model is to say it.
#[derive(Debug, Deserialize, JsonSchema, ToolCall)]
struct Say {
    #[allow(dead_code, reason = "what counts is that it can be read")]
    number: u8,
}

impl Scenario {
    /// Makes so many calls one after the other, by the fixed table or with what `adaptive` learns.
    pub(crate) async fn play(
        &self,
        calls: u32,
        seed: u64,
        adaptive: Option<&Arc<Adaptive>>,
    ) -> std::result::Result<Sum, InvalidCost> {
        let mut chance = fastrand::Rng::with_seed(seed);
        // What is tried out is drawn from what the thread has.
        fastrand::seed(seed);
        let mut sum = Sum { calls, ..Sum::default() };
        let rule = Rule::new().repair(2);
        let rule = if self.resends { rule.retry(1) } else { rule };
        let policy = RetryPolicy::builder()
            .max_attempts(5)
            .on(FailureKind::SchemaValidation, rule)
            .fallback("other")
            .build();
        let Ok(policy) = policy else { return Ok(sum) };
        for call in 0..calls {
            let world = if call < calls / 2 { self.first } else { self.then };
            let prices = Arc::new(prices(world.price)?);
            let run = Run::new(&policy).prices(&prices);
            let run = match adaptive {
                None => run,
                Some(adaptive) => run.adapt(adaptive),
            };
            let mut told = Told::default();
            let call =
                run.run(async |attempt: &Attempt| ask(attempt, world, &mut told, &mut chance));
            let (said, report) = fcretry::report(call).await;
            sum.succeeded += u32::from(said.is_ok());
            sum.attempts += u32::try_from(report.attempts.len()).unwrap_or(u32::MAX);
            sum.cost += report.cost.unwrap_or_default();
            advance(PAUSE).await;
        }
        Ok(sum)
    }
}

fn prices(other: f64) -> std::result::Result<Prices, InvalidCost> {
    // To the micro-dollar for a million tokens, which is as fine as prices are.
    let million = |usd: f64| (usd * 1e6).round() / 1e6;
    let price = |times: f64| Price::per_million(million(times), million(4.0 * times));
    Ok(Prices::new().with("first", price(1.0)?).with("other", price(other)?))
}

/// What a call was told in its last attempt, and how often it was something new.
#[derive(Default)]
struct Told {
    last: Vec<Turn>,
    times: u32,
}

/// What the model says, which is right in the share that the world has for how it is asked.
fn ask(
    attempt: &Attempt,
    world: World,
    told: &mut Told,
    chance: &mut fastrand::Rng,
) -> Result<Say> {
    let turns = attempt.turns();
    let is_repair = turns != told.last;
    told.times += u32::from(is_repair);
    told.last = turns;
    let share = match (&*attempt.model("first"), attempt.number(), is_repair, told.times) {
        ("first", 1, ..) => 1.0 - world.fails,
        ("first", _, false, _) => world.resend,
        ("first", _, true, 1) => world.repair[0],
        ("first", ..) => world.repair[1],
        _ => world.other,
    };
    // Each time something else is wrong: an answer that was there before is not told again.
    let arguments = if chance.f64() < share {
        r#"{"number": 7}"#.to_owned()
    } else {
        format!(r#"{{"number": "many, {}"}}"#, chance.u32(..))
    };
    let mut answer = answer::Answer::default();
    answer.calls = vec![answer::Call::new("call", "say", arguments)];
    // What is fed back is asked, too.
    let prompt = 800 + 120 * u64::try_from(told.last.len()).unwrap_or_default();
    answer.usage = Some(Usage::new(prompt, chance.u64(60..140)));
    attempt.accept_answer(answer)
}
