use super::{Scenario, World};

/// The first model is asked again with success, and the other is better and dearer.
const USUAL: World = World { fails: 0.3, repair: [0.8, 0.5], resend: 0.4, other: 0.95, price: 3.0 };

const fn same(name: &'static str, world: World) -> Scenario {
    Scenario { name, first: world, then: world, resends: false }
}

/// What is played by default.
pub(crate) const SCENARIOS: &[Scenario] = &[
    same("repairs work, the other model costs 3 times as much", USUAL),
    same("repairs work, the other model costs as much", World { price: 1.0, ..USUAL }),
    same(
        "repairs are in vain, the other model costs as much",
        World { repair: [0.1, 0.05], price: 1.0, ..USUAL },
    ),
    same(
        "repairs seldom help, the other model costs twice as much",
        World { repair: [0.25, 0.1], price: 2.0, ..USUAL },
    ),
    same(
        "repairs are in vain, the other model costs half",
        World { repair: [0.1, 0.05], price: 0.5, ..USUAL },
    ),
    same(
        "everything fails often, the other model costs 20 times as much",
        World { fails: 0.8, repair: [0.5, 0.3], price: 20.0, ..USUAL },
    ),
    same(
        "the other model is cheap and wrong",
        World { repair: [0.7, 0.5], other: 0.2, price: 0.2, ..USUAL },
    ),
    Scenario {
        name: "the same again helps more than being told",
        first: World { repair: [0.2, 0.1], resend: 0.8, ..USUAL },
        then: World { repair: [0.2, 0.1], resend: 0.8, ..USUAL },
        resends: true,
    },
    Scenario {
        name: "repairs work until the model changes",
        first: World { price: 1.0, ..USUAL },
        then: World { repair: [0.05, 0.05], price: 1.0, ..USUAL },
        resends: false,
    },
    Scenario {
        name: "repairs are in vain until the model changes",
        first: World { repair: [0.05, 0.05], ..USUAL },
        then: USUAL,
        resends: false,
    },
];

/// One that is drawn: whatever models may do.
#[allow(dead_code, reason = "the tests play these")]
pub(crate) fn drawn(seed: u64) -> Scenario {
    let mut chance = fastrand::Rng::with_seed(seed);
    let mut world = || World {
        fails: 0.1 + 0.8 * chance.f64(),
        repair: [chance.f64(), chance.f64()],
        resend: chance.f64(),
        other: chance.f64(),
        price: 0.1 * 200_f64.powf(chance.f64()),
    };
    let first = world();
    // What models do may change at any time; their price does not.
    let then = World { price: first.price, ..world() };
    let changes = seed.is_multiple_of(2);
    Scenario {
        name: "drawn",
        first,
        then: if changes { then } else { first },
        resends: seed.is_multiple_of(3),
    }
}
